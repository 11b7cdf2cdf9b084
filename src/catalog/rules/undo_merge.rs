//! The rules of the undo of a merge: the product that was given up is sold again, with the codes that moved.

use super::merge::MERGE_NOTE_START;
use super::undo::Undoable;
use crate::catalog::author::Author;
use crate::catalog::draft::Draft;
use crate::catalog::movement::Kind;
use crate::catalog::product::{Product, ProductId};
use crate::catalog::product_change::{ProductChange, TermsField};

/// The product that gave its stock in a merge, and the one that took it, if a document looks like one of a merge. Its
/// changes of terms decide.
pub fn merged(document: &[Undoable]) -> Option<(ProductId, ProductId)> {
    let [taken, brought] = document else { return None };
    let is_of_merge = |it: &Undoable| {
        let note = it.movement.details.as_ref().and_then(|details| details.note.as_ref());
        it.movement.kind == Kind::Adjustment
            && note.is_some_and(|note| note.as_str().starts_with(MERGE_NOTE_START))
    };
    let (from, into) = (taken.movement.product, brought.movement.product);
    let is_moved = from != into && taken.movement.delta == brought.movement.delta.opposite();
    (is_moved && is_of_merge(taken) && is_of_merge(brought)).then_some((from, into))
}

/// Whether a merge retired a product, among the changes that it made.
fn has_retired(changes: &[ProductChange], product: ProductId) -> bool {
    let retired = |it: &ProductChange| it.product == product && it.field == TermsField::Discontinued;
    changes.iter().any(|it| retired(it) && it.new == "true")
}

impl Draft<'_> {
    /// Takes back what a merge changed of the terms of its two products. A term that changed again since stays, and so
    /// does a code that a third product has now.
    pub fn undo_merge(
        &mut self,
        from: ProductId,
        into: ProductId,
        changes: &[ProductChange],
        author: Option<&Author>,
    ) {
        // The taker first, so that no code is ever two products'.
        let fields = [TermsField::Code, TermsField::Barcodes];
        for (id, field) in [into, from].into_iter().flat_map(|id| fields.map(|field| (id, field))) {
            let is_moved = |it: &&ProductChange| it.product == id && it.field == field;
            let own: Vec<ProductChange> = changes.iter().filter(is_moved).cloned().collect();
            for (product, terms) in self.terms_before(&own).unwrap_or_default().into_products() {
                self.alter(product, terms, author);
            }
        }
        let giver = self.product(from);
        if has_retired(changes, from) && giver.flags.is_discontinued() {
            let flags = giver.flags.with_discontinued(false);
            self.alter(Product { flags, ..giver }, self.other_terms(from).clone(), author);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Catalog, ShopCode, TermsUpdate, original_products};

    fn draft(catalog: &Catalog) -> Draft<'_> {
        Draft::new(catalog, SystemTime::UNIX_EPOCH)
    }

    fn coded(catalog: &mut Catalog, name: &str, code: i64) {
        let update = TermsUpdate { code: Some(ShopCode::from_number(code).ok()), ..TermsUpdate::default() };
        let mut terms = draft(catalog);
        terms.update(catalog.id_of(name).unwrap(), &update, None).unwrap();
        let terms = terms.finish();
        catalog.apply(&terms);
    }

    fn shown(catalog: &Catalog) -> Vec<String> {
        let product = |product: &Product| {
            let code = catalog.products().view(product).terms.code.map_or(0, ShopCode::number);
            let retired = if product.flags.is_discontinued() { " aposentado" } else { "" };
            format!("{} {} {code}{retired}", product.name, product.stock)
        };
        catalog.products().iter().map(product).collect()
    }

    /// The shop after a merge of the first product into the second, whose first has a code, and its undo.
    fn undone(between: impl FnOnce(&mut Catalog)) -> Vec<String> {
        let mut catalog = Catalog::default();
        let mut opening = draft(&catalog);
        opening.import(&original_products(), None).unwrap();
        let opening = opening.finish();
        catalog.apply(&opening);
        coded(&mut catalog, "Maca", 77);
        let (from, into) = (catalog.id_of("maca").unwrap(), catalog.id_of("pera").unwrap());
        let mut merge = draft(&catalog);
        merge.merge(from, into, None).unwrap();
        let merge = merge.finish();
        catalog.apply(&merge);
        assert_eq!(shown(&catalog)[..2], ["Maca 0 0 aposentado", "Pera 35 77"]);
        between(&mut catalog);
        let undoable =
            |it: &crate::catalog::Movement| Undoable { movement: it.clone(), undoes: 0, undone_by: 0 };
        let document: Vec<Undoable> = merge.movements.iter().map(undoable).collect();
        assert_eq!(merged(&document), Some((from, into)));
        let mut undo = draft(&catalog);
        undo.undo(document[0].movement.sequence, &document, None, None).unwrap();
        undo.undo_merge(from, into, &merge.changes, None);
        let undo = undo.finish();
        catalog.apply(&undo);
        shown(&catalog)[..3].to_vec()
    }

    #[test]
    fn a_merge_is_as_if_it_had_not_been() {
        assert_eq!(undone(|_| ()), ["Maca 20 77", "Pera 15 0", "Banana 30 0"]);
    }

    #[test]
    fn a_term_that_changed_since_stays() {
        let pera = undone(|catalog| coded(catalog, "Pera", 5));
        assert_eq!(pera, ["Maca 20 77", "Pera 15 5", "Banana 30 0"]);
        let banana = undone(|catalog| {
            coded(catalog, "Pera", 5);
            coded(catalog, "Banana", 77);
        });
        assert_eq!(banana, ["Maca 20 0", "Pera 15 5", "Banana 30 77"]);
    }
}
