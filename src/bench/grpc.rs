//! The load over gRPC: calls in flight on one connection, and changes on one stream.

use std::collections::VecDeque;
use std::io;

use anyhow::{Context, bail};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::schedule::{Operation, Schedule, add_one};
use super::tally::Tally;
use crate::client::{ClientError, ConnectionError, GrpcConnection, Service};
use crate::io_error::describe;
use crate::wire::grpc::adjust_message;
use crate::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use crate::wire::grpc::v1::{GetProductRequest, StreamAdjustStockRequest, StreamAdjustStockResponse};

pub(super) async fn drive(
    connection: GrpcConnection,
    mut stream: Option<ChangeStream>,
    schedule: &mut Schedule,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::new();
    let mut calls: JoinSet<Result<Operation, Status>> = JoinSet::new();
    while !schedule.is_over() {
        while let Some(operation) = schedule.next() {
            let name = &schedule.product(&operation).name;
            match &mut stream {
                Some(stream) if operation.is_write => stream.send(name, operation).await?,
                _ => {
                    calls.spawn(call(connection.service(), name.clone(), operation));
                }
            }
        }
        let operation = tokio::select! {
            biased;
            Some(ended) = calls.join_next() => ended?.map_err(|status| connection.error_of(&status))?,
            answered = answered(&mut stream, &connection) => answered?,
            due = schedule.due() => {
                due?;
                continue;
            }
        };
        tally.count(&operation);
        schedule.answered();
    }
    Ok(tally)
}

async fn call(mut service: Service, name: String, operation: Operation) -> Result<Operation, Status> {
    if operation.is_write {
        service.adjust_stock(adjust_message(&add_one(&name))).await?;
    } else {
        service.get_product(GetProductRequest { name }).await?;
    }
    Ok(operation)
}

/// The changes in flight on a stream, whose answers come in order.
pub(super) struct ChangeStream {
    requests: mpsc::Sender<StreamAdjustStockRequest>,
    answers: Streaming<StreamAdjustStockResponse>,
    in_flight: VecDeque<Operation>,
}

impl ChangeStream {
    pub(super) async fn open(connection: &GrpcConnection, in_flight_max: usize) -> anyhow::Result<Self> {
        let (requests, sent) = mpsc::channel(in_flight_max);
        let answered = connection.service().stream_adjust_stock(ReceiverStream::new(sent)).await;
        let answers = answered.map_err(|status| connection.error_of(&status))?.into_inner();
        Ok(Self { requests, answers, in_flight: VecDeque::new() })
    }

    async fn send(&mut self, name: &str, operation: Operation) -> anyhow::Result<()> {
        self.in_flight.push_back(operation);
        let request = StreamAdjustStockRequest { adjustment: Some(adjust_message(&add_one(name))) };
        // The call fails if the stream has ended.
        self.requests.send(request).await.map_err(|_| ended())
    }
}

/// Waits for the next change that the stream answers; for ever if there is none in flight.
async fn answered(
    stream: &mut Option<ChangeStream>,
    connection: &GrpcConnection,
) -> anyhow::Result<Operation> {
    let Some(stream) = stream.as_mut().filter(|stream| !stream.in_flight.is_empty()) else {
        return std::future::pending().await;
    };
    let message = stream.answers.message().await.map_err(|status| connection.error_of(&status))?;
    match message.and_then(|answer| answer.result) {
        Some(StreamResult::Adjusted(_)) => stream.in_flight.pop_front().context("uma resposta a mais"),
        Some(StreamResult::Refused(refused)) => bail!("o servidor recusou: {}", refused.message),
        None => Err(ended()),
    }
}

/// The error of a stream that the server ended.
fn ended() -> anyhow::Error {
    let what = describe(&io::ErrorKind::UnexpectedEof.into());
    ClientError::from(ConnectionError::Lost(what)).into()
}
