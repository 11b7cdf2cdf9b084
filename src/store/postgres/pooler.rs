//! Refuses a pooler that gives each transaction another connection to the engine: settings and prepared statements of
//! this server would end up in the sessions of others.

use tokio_postgres::SimpleQueryMessage;
use uuid::Uuid;

use super::address::Address;
use super::connect::{LOOK_TIME_MAX, Link, Purpose};
use super::error::Failure;
use crate::store::StoreError;

/// The code of the engine's errors with which a pooler refuses what does not fit its mode.
const PROTOCOL_VIOLATION: &str = "08P01";

/// Connects to a host of the address, as [`Link::open`], and checks that another connection at the same time has
/// another session, and that each keeps its settings.
///
/// # Errors
/// If no host can be used, does not answer, or mixes connections.
pub(super) fn open_unmixed(address: &Address, purpose: Purpose) -> Result<Link, StoreError> {
    let mut link = Link::open(address, purpose)?;
    let failed = |failure: Failure| failure.into_error("abrir", address);
    let mark = Uuid::now_v7().to_string();
    run(&mut link, &format!("SET hortifruti.session = '{mark}'")).map_err(failed)?;
    // An open transaction keeps the connection that the pooler would give the first one next.
    let mut other = Link::open(address, purpose)?;
    let look = "SELECT coalesce(current_setting('hortifruti.session', true), '')";
    // A pooler of statements refuses to begin, and goes on to answer.
    let others = run(&mut other, "BEGIN").and_then(|_| run(&mut other, look));
    let own = run(&mut link, look).map_err(failed)?;
    match others {
        Ok(others) if own == mark && others != mark => return Ok(link),
        Err(Failure::Lost(reason)) if !reason.contains(PROTOCOL_VIOLATION) => {
            return Err(failed(Failure::Lost(reason)));
        }
        _ => {}
    }
    let reason = "está atrás de um pooler que mistura as conexões (como o pgbouncer com pool_mode = transaction ou \
                  statement); conecte direto ao PostgreSQL, ou use pool_mode = session";
    Err(StoreError::Unfit { database: address.to_string(), reason: reason.to_owned() })
}

/// Runs a statement without preparing it. Returns the value that it has, or nothing.
fn run(link: &mut Link, statement: &str) -> Result<String, Failure> {
    link.run(LOOK_TIME_MAX, async |session| {
        let answer = session.client().simple_query(statement).await?;
        let value = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(value.unwrap_or_default().to_owned())
    })
}
