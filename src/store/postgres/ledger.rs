//! The ledger for readers, on connections of their own.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use super::address::Address;
use super::current::Current;
use super::error::{Failure, bad_value};
use super::migrate::SCHEMA_VERSION;
use super::session::Session;
use crate::catalog::{Movement, ProductChange, RequestId};
use crate::store::{
    ChangesQuery, Expiry, Extent, Ledger, LedgerPage, LedgerQuery, LedgerRange, LedgerRow, PurchaseQuery,
    PurchaseReads, PurchaseRow, RecordedById, StoreError,
};

/// The readers of one shop.
pub(super) struct PostgresLedger {
    address: Address,
}

impl PostgresLedger {
    pub(super) fn new(address: Address, _: Arc<Current>) -> Self {
        Self { address }
    }

    fn unfit<T>(&self) -> Result<T, StoreError> {
        Err(bad_value("esta versão ainda não lê o histórico").into_error("consultar", &self.address))
    }
}

/// The requests stored under these ids.
pub(super) async fn recorded(_: &Session, _: i32, _: &[&RequestId]) -> Result<RecordedById, Failure> {
    Ok(RecordedById::default())
}

/// Rows of the ledger.
pub(super) async fn rows(_: &Session, _: i32, _: i64, _: usize) -> Result<Vec<LedgerRow>, Failure> {
    Err(bad_value("esta versão ainda não lê o histórico"))
}

/// Movements of a product.
pub(super) async fn movements_back(
    _: &Session,
    _: i32,
    _: i64,
    _: i64,
    _: usize,
) -> Result<Vec<Movement>, Failure> {
    Err(bad_value("esta versão ainda não lê o histórico"))
}

impl Ledger for PostgresLedger {
    fn row(&self, _: i64, _: i64) -> Result<Option<LedgerRow>, StoreError> {
        self.unfit()
    }
    fn page(&self, _: &LedgerQuery) -> Result<LedgerPage, StoreError> {
        self.unfit()
    }
    fn first_since(&self, _: SystemTime, _: i64) -> Result<i64, StoreError> {
        self.unfit()
    }
    fn visit(&self, _: &LedgerRange, _: &mut dyn FnMut(&LedgerRow)) -> Result<Option<i64>, StoreError> {
        self.unfit()
    }
    fn undone(&self, _: RangeInclusive<i64>, _: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        self.unfit()
    }
    fn extent(&self) -> Extent {
        Extent { schema: SCHEMA_VERSION as u32, ..Extent::default() }
    }
    fn product_changes(&self, _: &ChangesQuery) -> Result<Vec<ProductChange>, StoreError> {
        self.unfit()
    }
}

impl PurchaseReads for PostgresLedger {
    fn purchases(&self, _: &PurchaseQuery) -> Result<Vec<PurchaseRow>, StoreError> {
        self.unfit()
    }
    fn suppliers(&self, _: &str, _: usize) -> Result<Vec<String>, StoreError> {
        self.unfit()
    }
    fn of_supplier(&self, _: &str, _: RangeInclusive<i64>, _: usize) -> Result<Vec<i64>, StoreError> {
        self.unfit()
    }
    fn lots(&self, _: &(String, i64), _: usize) -> Result<Vec<(String, i64)>, StoreError> {
        self.unfit()
    }
    fn expiries(&self, _: RangeInclusive<i64>, _: usize) -> Result<Vec<Expiry>, StoreError> {
        self.unfit()
    }
}
