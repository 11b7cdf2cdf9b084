//! The move of a shop from one store to another: every row, and then a check of the target and a comparison with the
//! source. The target is made whole or not at all, and the source stays as it is.

mod compare;

use super::StoreError;
use super::check::{self, Fault, KeptRequest, Moment, Report, Rows, Step, Verified};
use crate::catalog::{Catalog, Document, Movement, ProductChange, Transaction, Undo};
use compare::compare;

/// Movements that are written together, unless a document needs more: some megabytes.
const MOVEMENTS_AT_ONCE: usize = 16_384;

/// A store whose content can be read as a whole. No server uses it meanwhile.
pub(crate) trait Source {
    /// The present moment of the content.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn moment(&mut self) -> Result<Box<dyn Moment + '_>, StoreError>;

    /// The error of a contradiction in the content.
    fn corrupt(&self, reason: String) -> StoreError;
}

/// A store that is being made, which nobody sees before it is finished. One that is dropped leaves nothing. The parts
/// are added in the order of the functions.
pub(crate) trait Target: Source {
    /// Adds the products with their terms.
    ///
    /// # Errors
    /// If the store cannot be written, as with all of these functions.
    fn add_products(&mut self, catalog: &Catalog) -> Result<(), StoreError>;

    /// Adds some changes of terms, in order.
    fn add_changes(&mut self, changes: Vec<ProductChange>) -> Result<(), StoreError>;

    /// Adds some requests.
    fn add_requests(&mut self, requests: Vec<KeptRequest>) -> Result<(), StoreError>;

    /// Adds movements with their documents and their undos, in order.
    fn add_movements(&mut self, movements: Transaction) -> Result<(), StoreError>;

    /// Adds the balances of the products, so that the next start need not read the ledger.
    fn add_balances(&mut self, catalog: &Catalog) -> Result<(), StoreError>;

    /// Makes the store durable and visible.
    fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// Moves a shop. Calls `report` with the progress of each step.
///
/// # Errors
/// If the source cannot be read or contradicts itself, or the target cannot be written. Nothing is then left of the
/// target, unless its error says that this is not known.
pub(crate) fn move_shop(
    source: &mut dyn Source,
    mut target: Box<dyn Target>,
    report: Report<'_>,
) -> Result<Verified, StoreError> {
    let read = source.moment().map_err(Fault::from).and_then(|mut moment| {
        check::check(&mut *moment, report)?;
        copy(&mut *moment, &mut *target, report)
    });
    read.map_err(|fault| fault.into_error(|reason| source.corrupt(reason)))?;
    let (mut before, mut after) = (source.moment()?, target.moment()?);
    let moved = check::check(&mut *after, report)
        .and_then(|verified| compare(&mut *before, &mut *after).map(|()| verified));
    drop((before, after));
    let verified = moved.map_err(|fault| fault.into_error(|reason| target.corrupt(reason)))?;
    target.finish()?;
    Ok(verified)
}

/// Copies every row.
fn copy(source: &mut dyn Moment, target: &mut dyn Target, report: Report<'_>) -> Result<(), Fault> {
    let catalog = source.catalog()?;
    target.add_products(&catalog)?;
    copy_changes(source, target)?;
    let mut after = String::new();
    loop {
        let requests = source.requests(&after)?;
        let Some(last) = requests.last() else { break };
        last.record.request_id.as_str().clone_into(&mut after);
        target.add_requests(requests)?;
    }
    let mut ledger = Ledger::new();
    while let Some(movements) = ledger.next(source)? {
        let end = movements.movements.last().map_or(0, |movement| movement.sequence);
        target.add_movements(movements)?;
        report(Step::Copy, end.unsigned_abs(), catalog.last_sequence().unsigned_abs());
    }
    Ok(target.add_balances(&catalog)?)
}

fn copy_changes(source: &mut dyn Moment, target: &mut dyn Target) -> Result<(), Fault> {
    let mut from = 0;
    loop {
        let changes = source.changes(from)?;
        let Some(last) = changes.last() else { return Ok(()) };
        from = last.number + 1;
        target.add_changes(changes)?;
    }
}

/// The ledger of a source, in parts that split no document.
struct Ledger {
    movements: Rows<Movement>,
    documents: Rows<Document>,
    undos: Rows<Undo>,
}

impl Ledger {
    fn new() -> Self {
        Self { movements: Rows::of_movements(), documents: Rows::of_documents(), undos: Rows::of_undos() }
    }

    /// The next part.
    fn next(&mut self, source: &mut dyn Moment) -> Result<Option<Transaction>, Fault> {
        let mut part = Transaction::default();
        let mut document_end = 0;
        while let Some(next) = self.movements.peek(source)?.map(|movement| movement.sequence) {
            if part.movements.len() >= MOVEMENTS_AT_ONCE && next >= document_end {
                break;
            }
            part.movements.extend(self.movements.next(source)?);
            while let Some(document) = self.documents.next_up_to(source, next)? {
                document_end = document.first_sequence + document.count;
                part.documents.push(document);
            }
            while let Some(undo) = self.undos.next_up_to(source, next)? {
                part.undos.push(undo);
            }
        }
        Ok((!part.movements.is_empty()).then_some(part))
    }
}
