//! The load over the text protocol: lines in flight on one connection.

use std::collections::VecDeque;

use anyhow::{Context, bail};

use super::schedule::{Operation, Product, Schedule, add_one};
use super::tally::Tally;
use crate::catalog::Sentence;
use crate::client::{ClientError, TextConnection};
use crate::operation::Request;
use crate::wire::text;

pub(super) async fn drive(mut connection: TextConnection, schedule: &mut Schedule) -> anyhow::Result<Tally> {
    let mut tally = Tally::new();
    let mut in_flight: VecDeque<Operation> = VecDeque::new();
    let mut lines = String::new();
    while !schedule.is_over() {
        lines.clear();
        while let Some(operation) = schedule.next() {
            let product = schedule.product(&operation);
            lines.push_str(if operation.is_write { &product.add_line } else { &product.find_line });
            in_flight.push_back(operation);
        }
        if !lines.is_empty() {
            connection.send(&lines).await.map_err(ClientError::from)?;
        }
        tokio::select! {
            biased;
            received = connection.wait_for_reply() => received.map_err(ClientError::from)?,
            due = schedule.due() => {
                due?;
                continue;
            }
        }
        while let Some(reply) = connection.try_receive().map_err(ClientError::from)? {
            let operation = in_flight.pop_front().context("uma resposta a mais")?;
            // Parsing every reply would cost as much as the rest of the load.
            if reply.starts_with("Erro ") && is_refusal(schedule.product(&operation), &operation, reply) {
                bail!("o servidor recusou: {}", Sentence(reply));
            }
            tally.count(&operation);
            schedule.answered();
        }
    }
    Ok(tally)
}

/// Whether a reply is a refusal. A product may be called "Erro" too.
fn is_refusal(product: &Product, operation: &Operation, reply: &str) -> bool {
    let request = match operation.is_write {
        true => Request::AdjustStock(add_one(&product.name)),
        false => Request::GetProduct { name: &product.name },
    };
    let lines: Vec<&str> = reply.lines().collect();
    !matches!(text::read_reply(&request, &lines), Ok(Ok(_)))
}
