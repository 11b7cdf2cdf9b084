//! The check of a store: replays the ledger, compares the result with the stocks that a server would show, and
//! checks all that is kept beside the ledger. Each store reads its own rows ([`Moment`]); the rules are here,
//! once for all stores.

mod fault;
mod links;
mod moment;
mod progress;
mod replay;
mod requests;
mod terms;

use std::time::SystemTime;

use crate::catalog::LookAlikes;
pub(crate) use fault::Fault;
pub(crate) use moment::{KeptPurchase, KeptRequest, Moment, Place, Rows, not_indexed, stored_twice};
pub(crate) use progress::Report;
pub use progress::Step;
pub(crate) use replay::has_purchase_row;

/// The content of a store that passed the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The count of products.
    pub products: u64,
    /// The count of those that are discontinued.
    pub discontinued: u64,
    /// The count of rows of the ledger.
    pub movements: u64,
    /// The count of stored request ids.
    pub request_ids: u64,
    /// The count of movements with an earlier time than the previous one. They are no fault: earlier
    /// versions followed a clock that was set back.
    pub earlier_movements: u64,
    /// The time of the last movement, if there is one.
    pub last_time: Option<SystemTime>,
    /// The pairs of products whose names look the same.
    pub look_alikes: Vec<LookAlikes>,
}

/// Checks one moment of a store.
pub(crate) fn check(moment: &mut dyn Moment, report: Report<'_>) -> Result<Verified, Fault> {
    let catalog = moment.catalog()?;
    let last = catalog.last_sequence();
    let replayed = replay::replay(moment, &catalog, report)?;
    links::check_documents(moment, last)?;
    let of_others = requests::check(moment, last)?;
    terms::check_changes(moment, &catalog)?;
    let products = catalog.products();
    Ok(Verified {
        products: products.len() as u64,
        discontinued: products.iter().filter(|product| product.flags.is_discontinued()).count() as u64,
        movements: last.unsigned_abs(),
        request_ids: replayed.request_ids + of_others,
        earlier_movements: replayed.earlier_movements,
        last_time: replayed.last_time,
        look_alikes: catalog.look_alikes().to_vec(),
    })
}
