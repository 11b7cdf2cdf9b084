//! Verifies a shop: replays its ledger as every store's. Nothing is changed, and servers may use the shop during the
//! check. The pages are the engine's to check, which has tools for that.

use super::address::Address;
use super::connect::Purpose;
use super::moment::PostgresMoment;
use super::{pooler, shop};
use crate::store::StoreError;
use crate::store::check::{self, Step, Verified};

/// Checks one moment of the shop at an address. Calls `report` with the progress.
///
/// # Errors
/// If the address is invalid, the database cannot be read, or the shop is not there or contradicts itself.
pub fn verify(url: &str, report: &mut dyn FnMut(Step, u64, u64)) -> Result<Verified, StoreError> {
    let address = Address::parse(url)?;
    let mut link = pooler::open_unmixed(&address, Purpose::Read { at: None })?;
    let shop = shop::existing(&mut link, &address)?;
    let mut moment = PostgresMoment::begin(&mut link, &address, shop)?;
    check::check(&mut moment, report)
        .map_err(|fault| fault.into_error(|reason| StoreError::Corrupt { path: address.to_string(), reason }))
}
