//! The reads of a whole store, from its first row to its last, that a check and a copy need.

use std::time::SystemTime;
use std::vec::IntoIter;

use super::fault::Fault;
use crate::catalog::{
    Catalog, Document, Movement, ProductChange, ProductId, Quantity, RequestId, RequestRecord, Undo,
};

/// One moment of a store.
///
/// A read that takes `from` returns the next rows whose number is not below it, in the order of the numbers: as
/// many as the store reads at a time, and none after the last. [`Rows`] reads them all.
pub(crate) trait Moment {
    /// The catalog, as a server would show it.
    fn catalog(&mut self) -> Result<Catalog, Fault>;

    /// Movements with their details.
    fn movements(&mut self, from: i64) -> Result<Vec<Movement>, Fault>;

    /// The rows of purchases.
    fn purchases(&mut self, from: i64) -> Result<Vec<KeptPurchase>, Fault>;

    /// Documents, by their first movements.
    fn documents(&mut self, from: i64) -> Result<Vec<Document>, Fault>;

    /// Undos, by the undoing movements.
    fn undos(&mut self, from: i64) -> Result<Vec<Undo>, Fault>;

    /// Changes of terms.
    fn changes(&mut self, from: i64) -> Result<Vec<ProductChange>, Fault>;

    /// The requests whose ids come after this text, in the order of the bytes of their ids.
    fn requests(&mut self, after: &str) -> Result<Vec<KeptRequest>, Fault>;

    /// Checks that a retry with each of these ids finds the place of the id, and no second one.
    fn check_places(&mut self, ids: &[(RequestId, Place)]) -> Result<(), Fault>;
}

/// The place of a request id: a movement, or `None` for the table of requests.
pub(crate) type Place = Option<i64>;

/// A purchase as a store keeps it beside the ledger.
pub(crate) struct KeptPurchase {
    pub(crate) sequence: i64,
    pub(crate) product: ProductId,
    /// The time and the quantity of the movement, if the store repeats them.
    pub(crate) repeated: Option<(SystemTime, Quantity)>,
}

/// A request as a store keeps it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptRequest {
    pub(crate) record: RequestRecord,
    /// The last movement of the request's transaction, or the last one before it.
    pub(crate) after_sequence: i64,
}

/// All rows of one kind, in their order.
pub(crate) struct Rows<T> {
    read: fn(&mut dyn Moment, i64) -> Result<Vec<T>, Fault>,
    number: fn(&T) -> i64,
    page: IntoIter<T>,
    /// The number from which to read on. `None` after the last row.
    from: Option<i64>,
}

impl<T> Rows<T> {
    fn new(read: fn(&mut dyn Moment, i64) -> Result<Vec<T>, Fault>, number: fn(&T) -> i64) -> Self {
        // From the least possible number, so that rows before the first movement are found, too.
        Self { read, number, page: Vec::new().into_iter(), from: Some(i64::MIN) }
    }

    /// The next row, which stays the next one.
    pub(crate) fn peek(&mut self, moment: &mut dyn Moment) -> Result<Option<&T>, Fault> {
        if self.page.as_slice().is_empty()
            && let Some(from) = self.from
        {
            let page = (self.read)(moment, from)?;
            self.from = page.last().and_then(|row| (self.number)(row).checked_add(1));
            self.page = page.into_iter();
        }
        Ok(self.page.as_slice().first())
    }

    /// The next row.
    pub(crate) fn next(&mut self, moment: &mut dyn Moment) -> Result<Option<T>, Fault> {
        self.peek(moment)?;
        Ok(self.page.next())
    }

    /// The next row, if its number is this one or a lower one.
    pub(crate) fn next_up_to(&mut self, moment: &mut dyn Moment, number: i64) -> Result<Option<T>, Fault> {
        let number_of = self.number;
        let is_next = self.peek(moment)?.is_some_and(|row| number_of(row) <= number);
        Ok(if is_next { self.page.next() } else { None })
    }
}

impl Rows<Movement> {
    pub(crate) fn of_movements() -> Self {
        Self::new(|moment, from| moment.movements(from), |movement| movement.sequence)
    }
}

impl Rows<KeptPurchase> {
    pub(crate) fn of_purchases() -> Self {
        Self::new(|moment, from| moment.purchases(from), |purchase| purchase.sequence)
    }
}

impl Rows<Document> {
    pub(crate) fn of_documents() -> Self {
        Self::new(|moment, from| moment.documents(from), |document| document.first_sequence)
    }
}

impl Rows<Undo> {
    pub(crate) fn of_undos() -> Self {
        Self::new(|moment, from| moment.undos(from), |undo| undo.by)
    }
}

impl Rows<ProductChange> {
    pub(crate) fn of_changes() -> Self {
        Self::new(|moment, from| moment.changes(from), |change| change.number)
    }
}

/// The error of an id that is stored at two places.
pub(crate) fn stored_twice(request_id: &RequestId) -> Fault {
    Fault::of(format!("o identificador de pedido {:?} foi gravado duas vezes", request_id.as_str()))
}

/// The error of an id that a retry would not find.
pub(crate) fn not_indexed(request_id: &RequestId) -> Fault {
    Fault::of(format!("o identificador de pedido {request_id} não está no seu índice"))
}
