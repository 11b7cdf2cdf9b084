//! Verifies a shop: replays its ledger as every store's. Nothing is changed, and servers may use the shop during the
//! check. The pages are the engine's to check, which has tools for that.

use super::address::Address;
use super::connect::{LOOK_TIME_MAX, Link, Purpose};
use super::migrate;
use super::moment::PostgresMoment;
use crate::store::StoreError;
use crate::store::check::{self, Step, Verified};

/// Checks one moment of the shop at an address. Calls `report` with the progress.
///
/// # Errors
/// If the address is invalid, the database cannot be read, or the shop is not there or contradicts itself.
pub fn verify(url: &str, report: &mut dyn FnMut(Step, u64, u64)) -> Result<Verified, StoreError> {
    let address = Address::parse(url)?;
    let mut link = Link::open(&address, Purpose::Read { at: None })?;
    let shop = find_shop(&mut link, &address)?.ok_or_else(|| StoreError::Unfit {
        database: address.to_string(),
        reason: format!("não tem a loja {}; confira o nome em shop=", address.shop()),
    })?;
    let mut moment = PostgresMoment::begin(&mut link, &address, shop)?;
    check::check(&mut moment, report)
        .map_err(|fault| fault.into_error(|reason| StoreError::Corrupt { path: address.to_string(), reason }))
}

/// The number of the shop of an address, if the database has it.
pub(super) fn find_shop(link: &mut Link, address: &Address) -> Result<Option<i32>, StoreError> {
    migrate::check_version(link, address)?;
    let found = link.run(LOOK_TIME_MAX, async |session| {
        let select = "SELECT id FROM shop WHERE name = $1";
        let found = session.query_opt(select, &[&address.shop()]).await?;
        found.map(|row| Ok(row.try_get(0)?)).transpose()
    });
    found.map_err(|failure| failure.into_error("ler", address))
}
