//! The writer's reads: the requests stored under request ids.

use std::collections::{BTreeSet, HashSet};

use super::error::{Failure, bad_value};
use super::ledger;
use super::session::Session;
use crate::catalog::{RequestId, RequestIdError, RequestRecord};
use crate::store::request_ids::ELSEWHERE;
use crate::store::{LedgerRow, Recorded, RecordedById};

const SELECT_REQUESTS: &str =
    "SELECT request_id, digest, result FROM request WHERE shop = $1 AND request_id = ANY ($2)";

/// The requests that have these ids, of which the index proposes the places.
pub(super) async fn recorded(
    session: &Session,
    shop: i32,
    request_ids: &[&RequestId],
    places: &[(usize, i64)],
) -> Result<RecordedById, Failure> {
    let mut recorded = RecordedById::default();
    let asked: HashSet<&RequestId> = request_ids.iter().copied().collect();
    // A place may be proposed twice: by the memtable and a run, or for an id that is asked for twice.
    let in_ledger: BTreeSet<i64> =
        places.iter().map(|(_, place)| *place).filter(|place| *place != ELSEWHERE).collect();
    let in_ledger: Vec<i64> = in_ledger.into_iter().collect();
    let elsewhere = places.iter().filter(|(_, place)| *place == ELSEWHERE);
    let elsewhere: Vec<&str> = elsewhere.map(|(index, _)| request_ids[*index].as_str()).collect();
    if !in_ledger.is_empty() {
        for LedgerRow { movement, .. } in ledger::each(session, shop, &in_ledger).await? {
            // A hash only proposes a place: another id may be there.
            let id = movement.request_id.clone().filter(|id| asked.contains(id));
            recorded.extend(id.map(|id| (id, Recorded::Movement(movement))));
        }
    }
    if !elsewhere.is_empty() {
        for row in session.query(SELECT_REQUESTS, &[&shop, &elsewhere]).await? {
            let request_id: RequestId =
                RequestId::from_stored(row.try_get(0)?).map_err(|error: RequestIdError| bad_value(error))?;
            let digest = row.try_get::<_, i64>(1)?.cast_unsigned();
            let record = RequestRecord { request_id: request_id.clone(), digest, result: row.try_get(2)? };
            recorded.insert(request_id, Recorded::Request(record));
        }
    }
    Ok(recorded)
}
