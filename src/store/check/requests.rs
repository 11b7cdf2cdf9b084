//! The table of requests.

use super::fault::Fault;
use super::moment::{Moment, Place};
use crate::catalog::RequestId;

/// Checks the requests of a ledger whose last movement is `last`. Returns their count.
pub(super) fn check(moment: &mut dyn Moment, last: i64) -> Result<u64, Fault> {
    let (mut count, mut after) = (0, String::new());
    loop {
        let requests = moment.requests(&after)?;
        let Some(end) = requests.last() else { return Ok(count) };
        end.record.request_id.as_str().clone_into(&mut after);
        if let Some(stray) = requests.iter().find(|request| !(0..=last).contains(&request.after_sequence)) {
            let id = &stray.record.request_id;
            return Err(Fault::of(format!("o pedido {id} não tem os seus movimentos")));
        }
        let ids: Vec<(RequestId, Place)> =
            requests.iter().map(|request| (request.record.request_id.clone(), None)).collect();
        moment.check_places(&ids)?;
        count += requests.len() as u64;
    }
}
