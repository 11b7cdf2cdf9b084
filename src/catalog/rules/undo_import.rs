//! The rules of `UndoImport`: products get their terms of before an import, and those that it created are retired.

use super::undo::{UndoError, Undoable};
use super::update::{TermsUpdate, UpdateError};
use crate::catalog::author::Author;
use crate::catalog::code::{Barcode, ShopCode};
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::name::Name;
use crate::catalog::name_chars::NAME_CHARS_MAX;
use crate::catalog::price::Price;
use crate::catalog::product::{Product, ProductId, Unit};
use crate::catalog::product_change::{ProductChange, TermsField};
use crate::catalog::quantity::Quantity;
use crate::catalog::terms::{Category, Terms};

/// The digest of the undo of an import: of its time in microseconds, or of the last one.
pub fn undo_import_digest(at_micros: Option<i64>) -> u64 {
    let mut digest = Digest::of("estorno de importação");
    if let Some(micros) = at_micros {
        digest.feed(&micros.to_le_bytes());
    }
    digest.value()
}

/// The terms of products before an import, as far as nobody changed them since.
#[derive(Debug, Default)]
pub struct TermsBefore {
    products: Vec<(Product, Terms)>,
    /// The number of products with a term that stays, because it changed again since.
    pub kept: usize,
}

impl TermsBefore {
    /// The number of products that get terms back.
    pub fn count(&self) -> usize {
        self.products.len()
    }

    /// The products with their terms of before.
    pub(super) fn into_products(self) -> Vec<(Product, Terms)> {
        self.products
    }
}

impl Draft<'_> {
    /// The terms of products before these changes. A term that has another value now than the change gave it stays.
    ///
    /// # Errors
    /// If a product cannot have its terms of before: another one has its code, or its stock does not fit its unit.
    pub fn terms_before(&self, changes: &[ProductChange]) -> Result<TermsBefore, UpdateError> {
        let mut updates: Vec<(ProductId, TermsUpdate, bool)> = Vec::new();
        for change in changes {
            // An import changes one product after the other.
            if updates.last().is_none_or(|(product, ..)| *product != change.product) {
                updates.push((change.product, TermsUpdate::default(), false));
            }
            let Some((id, update, is_kept)) = updates.last_mut() else { continue };
            let is_as_given = change.field.value(&self.product(*id), self.other_terms(*id)) == change.new;
            *is_kept |= !(is_as_given && put_back(update, change.field, &change.old));
        }
        let kept = updates.iter().filter(|(.., is_kept)| *is_kept).count();
        let changed = updates.iter().filter(|(_, update, _)| *update != TermsUpdate::default());
        let products = changed.map(|(id, update, _)| self.updated(*id, update)).collect::<Result<_, _>>()?;
        Ok(TermsBefore { products, kept })
    }

    /// Gives products the terms of before an import, undoes the openings of those that it created, and retires these
    /// under other names, without their codes. Returns the number of retired products.
    ///
    /// # Errors
    /// If an opening cannot be undone. The draft is then unchanged.
    pub fn undo_import(
        &mut self,
        before: TermsBefore,
        created: &[Undoable],
        author: Option<&Author>,
    ) -> Result<usize, UndoError> {
        let is_open = |it: &&Undoable| it.undone_by == 0 && it.movement.delta != Quantity::ZERO;
        let openings: Vec<Undoable> = created.iter().filter(is_open).cloned().collect();
        if let Some(first) = openings.first() {
            self.undo(first.movement.sequence, &openings, author, None)?;
        }
        for (product, terms) in before.products {
            // The undo of an opening may have changed a balance, which is not a term.
            self.alter(product, terms, author);
        }
        let mut retired = 0;
        for id in created.iter().map(|opening| opening.movement.product) {
            let product = self.product(id);
            if product.flags.is_discontinued() {
                continue;
            }
            retired += 1;
            let name = self.free_name(id, "desfeito").unwrap_or_else(|| product.name.clone());
            let flags = product.flags.with_discontinued(true).with_example(false);
            let terms = Terms { code: None, barcodes: Vec::new(), ..self.other_terms(id).clone() };
            self.alter(Product { name, flags, ..product }, terms, author);
        }
        Ok(retired)
    }

    /// The first free name of `Uva (WORD)`, `Uva (WORD 2)`, … to `Uva (WORD 9)` and then with the number of the
    /// product, which hardly another has: thousands of names may be cut to the same one. A name that would be too long
    /// loses its end.
    pub(super) fn free_name(&self, product: ProductId, word: &str) -> Option<Name> {
        let name = self.product(product).name;
        let few = (2..=9).chain([product.number().max(10)]).chain(10..);
        let numbers = [String::new()].into_iter().chain(few.map(|number| format!(" {number}")));
        let mut names = numbers.map_while(|number| {
            let end = format!(" ({word}{number})");
            let room = NAME_CHARS_MAX.checked_sub(end.chars().count())?;
            let own: String = name.as_str().chars().take(room).collect();
            Name::parse(&format!("{}{end}", own.trim_end())).ok()
        });
        names.find(|name| self.find(name, &name.key()).is_none())
    }
}

/// Adds the value of a field before a change to an update. Returns whether an import changes the field, and the value
/// can be one.
fn put_back(update: &mut TermsUpdate, field: TermsField, old: &str) -> bool {
    fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
        *place = value;
        place.is_some()
    }
    let quantity = || old.parse().ok().and_then(|number| Quantity::from_thousandths(number).ok());
    match field {
        TermsField::Price => {
            set(&mut update.price, old.parse().ok().and_then(|it| Price::from_centavos(it).ok()))
        }
        TermsField::Unit => set(&mut update.unit, Unit::from_label(old).ok()),
        TermsField::Code if old.is_empty() => set(&mut update.code, Some(None)),
        TermsField::Code => set(&mut update.code, ShopCode::parse(old).ok().map(Some)),
        TermsField::Barcodes => {
            let texts = old.split(',').filter(|text| !text.is_empty());
            set(&mut update.barcodes, texts.map(Barcode::parse).collect::<Result<_, _>>().ok())
        }
        TermsField::Category if old.is_empty() => set(&mut update.category, Some(None)),
        TermsField::Category => set(&mut update.category, Category::parse(old).ok().map(Some)),
        TermsField::Minimum => set(&mut update.minimum, quantity()),
        TermsField::Target => set(&mut update.target, quantity()),
        TermsField::ShelfLife => set(&mut update.shelf_life_days, old.parse().ok()),
        TermsField::Name | TermsField::Discontinued => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Catalog, Movement, ProductDraft, TermsDraft, original_products};

    fn draft(catalog: &Catalog) -> Draft<'_> {
        Draft::new(catalog, SystemTime::UNIX_EPOCH)
    }

    fn row(name: &str, centavos: i64, stock: i32, code: i64) -> ProductDraft {
        ProductDraft {
            name: Name::parse(name).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            unit: None,
            opening_stock: Quantity::from_units(stock),
            terms: TermsDraft { code: ShopCode::from_number(code).ok(), ..TermsDraft::default() },
        }
    }

    /// A shop after an import, with what that changed and created.
    fn imported(rows: &[ProductDraft]) -> (Catalog, Vec<ProductChange>, Vec<Undoable>) {
        let mut catalog = Catalog::default();
        let mut opening = draft(&catalog);
        opening.import(&original_products(), None).unwrap();
        let opening = opening.finish();
        catalog.apply(&opening);
        let mut list = draft(&catalog);
        list.import(rows, None).unwrap();
        let list = list.finish();
        catalog.apply(&list);
        let undoable = |movement: &Movement| Undoable { movement: movement.clone(), undoes: 0, undone_by: 0 };
        let created = list.movements.iter().map(undoable).collect();
        (catalog, list.changes, created)
    }

    fn shown(catalog: &Catalog) -> Vec<String> {
        let product = |product: &Product| {
            let terms = catalog.products().view(product).terms;
            let code = terms.code.map_or(0, ShopCode::number);
            let retired = if product.flags.is_discontinued() { " aposentado" } else { "" };
            format!("{} {} {} {code}{retired}", product.name, product.price, product.stock)
        };
        catalog.products().iter().map(product).collect()
    }

    #[test]
    fn a_whole_import_is_as_if_it_had_not_been() {
        let long = "u".repeat(NAME_CHARS_MAX);
        let rows = [row("caju", 250, 0, 7), row("Uva", 990, 3, 8), row(&long, 100, 0, 9)];
        let (mut catalog, changes, created) = imported(&rows);
        let before = shown(&imported(&rows[..0]).0);
        let mut undo = draft(&catalog);
        let terms = undo.terms_before(&changes).unwrap();
        assert_eq!((terms.count(), terms.kept), (1, 0));
        assert_eq!(undo.undo_import(terms, &created, None), Ok(2));
        let undo = undo.finish();
        catalog.apply(&undo);
        assert_eq!(shown(&catalog)[..4], before);
        let cut = format!("{} (desfeito)", "u".repeat(NAME_CHARS_MAX - 11));
        let retired = ["Uva (desfeito) 9.9 0 0".to_owned(), format!("{cut} 1.0 0 0")];
        assert_eq!(shown(&catalog)[4..], retired.map(|line| line + " aposentado"));
        // The names and codes are free, and a second undo finds another free name.
        for name in ["Uva (desfeito 2)", "Uva (desfeito 3)"] {
            let mut list = draft(&catalog);
            assert_eq!(list.import(&rows[1..2], None).unwrap().counts.created, 1);
            let list = list.finish();
            catalog.apply(&list);
            let again = [Undoable { movement: list.movements[0].clone(), undoes: 0, undone_by: 0 }];
            let mut undo = draft(&catalog);
            undo.undo_import(TermsBefore::default(), &again, None).unwrap();
            let undo = undo.finish();
            catalog.apply(&undo);
            assert!(shown(&catalog).last().unwrap().starts_with(name), "{:?}", shown(&catalog));
        }
    }

    #[test]
    fn what_changed_since_stays_and_what_cannot_be_changes_nothing() {
        let rows = [row("caju", 250, 0, 7), row("maca", 310, 0, 8), row("Uva", 990, 3, 0)];
        let (mut catalog, changes, created) = imported(&rows);
        let dearer = TermsUpdate { price: Price::from_centavos(300).ok(), ..TermsUpdate::default() };
        let mut later = draft(&catalog);
        let caju = catalog.id_of("caju").unwrap();
        later.update(caju, &dearer, None).unwrap();
        let later = later.finish();
        catalog.apply(&later);
        let mut undo = draft(&catalog);
        let terms = undo.terms_before(&changes).unwrap();
        assert_eq!((terms.count(), terms.kept), (2, 1));
        // The stock that a created product opened with was sold.
        let uva = catalog.id_of("uva").unwrap();
        let sale = crate::catalog::Adjustment::new(uva, Quantity::from_units(-1), crate::catalog::Kind::Sale);
        undo.adjust(&sale).unwrap();
        assert!(matches!(undo.undo_import(terms, &created, None), Err(UndoError::Refused { .. })));
        let undone = undo.finish();
        assert_eq!((undone.movements.len(), undone.changes.len()), (1, 0));
        // Another product took a code of before.
        let (catalog, changes, _) = imported(&[row("caju", 200, 0, 7)]);
        let mut both = draft(&catalog);
        let old = vec![ProductChange { old: "9".to_owned(), ..changes[0].clone() }];
        let taken = TermsUpdate { code: Some(ShopCode::from_number(9).ok()), ..TermsUpdate::default() };
        both.update(catalog.id_of("maca").unwrap(), &taken, None).unwrap();
        assert!(matches!(both.terms_before(&old), Err(UpdateError::CodeTaken(_))));
    }
}
