//! The events of a transaction.

use std::collections::{HashMap, HashSet};
use std::sync::RwLock;

use super::segment::{Position, Recorded};
use super::{NAMED_AT_ONCE_MAX, read};
use crate::catalog::{Catalog, Kind, ProductChange, ProductId, Transaction};
use crate::operation::{MovementReply, ProductReply, WatchEvent};

/// The events of a transaction that the catalog shows already, and the position before them: first the
/// products with other terms, as they are after the transaction, then the movements.
pub(super) fn events_of(catalog: &RwLock<Catalog>, transaction: &Transaction) -> (Position, Vec<Recorded>) {
    let Transaction { movements, changes, undos, documents, .. } = transaction;
    let after = Position::of(&read(catalog));
    let before = Position {
        sequence: after.sequence - movements.len() as i64,
        change: after.change - changes.len() as i64,
    };
    let mut events = Vec::with_capacity(changes.len() + movements.len());
    let changed = last_changes(changes);
    for changed in changed.chunks(NAMED_AT_ONCE_MAX) {
        let catalog = read(catalog);
        events.extend(changed.iter().filter_map(|(product, change)| {
            let event = product_event(&catalog, *product)?;
            let after = Position { change: *change, ..before };
            Some(Recorded { product: *product, created: None, event, after })
        }));
    }
    let undone_by: HashMap<i64, i64> = undos.iter().map(|undo| (undo.undone, undo.by)).collect();
    let undoes: HashMap<i64, i64> = undos.iter().map(|undo| (undo.by, undo.undone)).collect();
    let mut documents = documents.iter().peekable();
    for movements in movements.chunks(NAMED_AT_ONCE_MAX) {
        let catalog = read(catalog);
        events.extend(movements.iter().filter_map(|movement| {
            let sequence = movement.sequence;
            while documents.next_if(|it| it.first_sequence + it.count <= sequence).is_some() {}
            let document = documents.peek().filter(|it| it.first_sequence <= sequence);
            let document = document.map_or(sequence, |it| it.first_sequence);
            let link = |links: &HashMap<i64, i64>| links.get(&sequence).copied().unwrap_or(0);
            let name = catalog.products().get(movement.product)?.name.clone();
            let reply = MovementReply::of(movement, name).linked(document, link(&undoes), link(&undone_by));
            let is_first = movement.kind == Kind::Opening;
            let created = is_first.then(|| product_event(&catalog, movement.product)).flatten();
            let after = Position { sequence, change: after.change };
            Some(Recorded { product: movement.product, created, event: WatchEvent::Movement(reply), after })
        }));
    }
    (before, events)
}

/// The products of these changes of terms, each with the number of its last one, in the order of the numbers.
pub(in crate::inventory) fn last_changes(changes: &[ProductChange]) -> Vec<(ProductId, i64)> {
    let mut seen = HashSet::new();
    let last = changes.iter().rev().filter(|change| seen.insert(change.product));
    let mut last: Vec<_> = last.map(|change| (change.product, change.number)).collect();
    last.reverse();
    last
}

/// The event of a product that a transaction created or altered, as the catalog shows it. A server that stands by reads
/// a large transaction in parts, and one that only alters terms without balances: neither has the whole product.
fn product_event(catalog: &Catalog, id: ProductId) -> Option<WatchEvent> {
    let product = catalog.products().get(id)?;
    Some(WatchEvent::Product(ProductReply::of(catalog.products().view(product))))
}
