//! The catalog: the products in memory, by name and by price, and the rules of a change.
//!
//! Nothing here touches the disk or the network. A change is checked in a [`Draft`], made
//! durable by a store, and only then applied.

mod adjustment;
mod amount;
mod author;
mod balance;
mod by_code;
mod by_key;
mod by_name;
mod code;
mod cost;
mod counted;
mod cursor;
mod decimal;
mod details;
mod digest;
mod draft;
mod fefo;
mod gtin;
mod key;
mod label;
mod large_change;
mod look_alikes;
mod movement;
mod name;
mod name_chars;
mod nearest;
mod new_name;
mod price;
mod price_bounds;
mod product;
mod product_change;
mod product_draft;
mod product_view;
mod products;
mod quantity;
mod quoted;
mod reais;
mod rules;
mod selection;
mod shards;
mod terms;
mod transaction;
mod unit_words;
mod units;
mod version_log;

use std::sync::Arc;
use std::time::SystemTime;

use by_code::ByCode;
use by_key::ByKey;
use by_name::ByName;
use code::CodeValue;
use units::Units;
use version_log::{VersionLog, Versions};

pub use adjustment::Adjustment;
pub use amount::{Amount, AmountError, TOTAL_CENTAVOS_MAX};
pub use author::{AUTHOR_CHARS_MAX, Author, AuthorError};
pub use balance::Balance;
pub use code::{Barcode, CodeError, SHOP_CODE_MAX, ShopCode, check_misread};
pub use cost::{Cost, STOCK_COST_CENTAVOS_MAX, StockCost};
pub use counted::counted;
pub use cursor::{Cursor, Stopped, TooOld};
pub use decimal::has_two_readings;
pub use details::{
    DetailError, Details, INVOICE_CHARS_MAX, ITEM_CHARS_MAX, InvoiceKey, LOT_CHARS_MAX, LossReason,
    LossReasonError, Lot, NOTE_CHARS_MAX, Note, Purchase, SUPPLIER_CHARS_MAX, Supplier, SupplierItem,
    parse_expiry,
};
pub use digest::Digest;
pub use draft::Draft;
pub use fefo::left_of_each;
pub use gtin::check_digit;
pub use key::Key;
pub use label::{
    LABEL_MASKS_MAX, Label, LabelContent, LabelError, LabelMask, LabelMasks, MaskError, quantity_of_total,
};
pub use large_change::LargeChange;
pub use look_alikes::LookAlikes;
pub use movement::{
    Kind, KindError, Movement, OWN_ID_START, REQUEST_ID_CHARS_MAX, RequestId, RequestIdError,
};
pub use name::{Name, NameError};
pub use name_chars::NAME_CHARS_MAX;
pub use nearest::{NearNames, Search, WITH_ALL_WORDS_MAX, nearest_word};
pub use new_name::NewNameError;
pub use price::{Price, PriceError};
pub use product::{Flags, Product, ProductId, UNIT_CHARS_MAX, Unit, UnitError};
pub use product_change::{ProductChange, TermsField};
pub use product_draft::{ProductDraft, TermsDraft};
pub use product_view::ProductView;
pub use products::Products;
pub use quantity::{Quantity, QuantityError};
pub use quoted::{Quoted, Sentence, Shown, guarded, is_unsafe_to_show, unguarded};
pub use reais::in_reais;
pub use rules::adjust::AdjustmentError;
pub use rules::batch::{BATCH_LINES_MAX, batch_digest, ledger_order};
pub use rules::count::{COUNT_LINES_MAX, CountError, StockCount, count_digest};
pub use rules::import::{
    IMPORT_CHANGES_MAX, IMPORT_PARTS_MAX, IMPORT_ROWS_MAX, ImportCheck, ImportCounts, Imported,
    ImportedChange, PRODUCTS_MAX, RowError, import_digest,
};
pub use rules::merge::{MergeError, clear_examples_digest, merge_digest};
pub use rules::undo::{UndoError, Undoable, undo_digest};
pub use rules::undo_import::{TermsBefore, undo_import_digest};
pub use rules::undo_merge::merged;
pub use rules::update::{CodeTaken, TermsUpdate, UpdateError, update_digest};
pub use selection::{SEARCH_WORDS_MAX, Selection};
pub use terms::{BARCODES_MAX, Category, CategoryError, SHELF_LIFE_DAYS_MAX, TargetBelowMinimum, Terms};
pub use transaction::{Balances, Document, RequestRecord, Transaction, Undo};
pub use unit_words::unit_of_word;

/// The products at one moment, in the order of creation, found by name and by price.
#[derive(Debug, Default)]
pub struct Catalog {
    products: Products,
    by_name: ByName,
    /// For each key, the first created of the products whose names have it.
    by_key: ByKey,
    by_code: ByCode,
    look_alikes: Vec<LookAlikes>,
    units: Units,
    /// Earlier versions of the products, for the lists that still show them.
    version_log: Arc<VersionLog>,
    /// How many large changes the catalog has shown.
    large_changes: u64,
    last_sequence: i64,
    /// When the last movement was recorded.
    last_recorded_at: Option<SystemTime>,
    /// The number of the last change of terms, and when that was recorded.
    last_change: i64,
    last_changed_at: Option<SystemTime>,
}

impl Catalog {
    /// A catalog from the rows of a store: all products, and the number and the time of the last movement.
    ///
    /// # Errors
    /// If the ids are not 1, 2, 3, … or two products have the same name. The error says which.
    pub fn load(
        products: Vec<Product>,
        last_sequence: i64,
        last_recorded_at: Option<SystemTime>,
    ) -> Result<Self, String> {
        let by_name = ByName::with_capacity(products.len());
        let by_key = ByKey::with_capacity(products.len());
        let mut catalog = Self { by_name, by_key, last_sequence, last_recorded_at, ..Self::default() };
        for product in products {
            if product.id.index() != catalog.products.len() {
                return Err(format!("o produto {} está fora de ordem", product.id.number()));
            }
            let id = product.id;
            if let Err(other) = catalog.append(product) {
                return Err(format!("os produtos {} e {} têm o mesmo nome", other.number(), id.number()));
            }
        }
        Ok(catalog)
    }

    /// Adds the terms from a store: the flags and the terms of each product that has terms, and the number and the
    /// time of the last change of terms.
    ///
    /// # Errors
    /// If one of the products does not exist, or two products have the same code. The error says which.
    pub fn with_terms(
        mut self,
        terms: impl IntoIterator<Item = (ProductId, Flags, Terms)>,
        last_change: Option<(i64, SystemTime)>,
    ) -> Result<Self, String> {
        self.last_change = last_change.map_or(0, |(number, _)| number);
        self.last_changed_at = last_change.map(|(_, recorded_at)| recorded_at);
        for (id, flags, terms) in terms {
            for value in terms.code_values() {
                if let Some(other) = self.by_code.get(value, |_| true) {
                    return Err(format!(
                        "os produtos {} e {} têm o mesmo código",
                        other.number(),
                        id.number()
                    ));
                }
                self.by_code.insert(value, id);
            }
            let Some((product, _)) = self.products.get_mut(id) else {
                return Err(format!("há códigos do produto {}, que não existe", id.number()));
            };
            product.flags = flags.with_terms(terms != *Terms::NONE);
            self.products.set_terms(id, &Arc::new(terms));
        }
        Ok(self)
    }

    /// The product with this name; if there is none, the first whose name has the same key; if there is none
    /// either, the product with this code.
    pub fn find(&self, name: &str) -> Option<ProductView<'_>> {
        self.id_of(name).and_then(|id| self.products.get(id)).map(|product| self.products.view(product))
    }

    /// The id of the product that [`find`](Self::find) returns. A name that is spelt exactly as stored is
    /// found without a look at the product, which in a large catalog is seldom in the processor's cache.
    pub fn id_of(&self, name: &str) -> Option<ProductId> {
        let found =
            self.by_name.get(name).or_else(|| match Key::with_plain(name, |key| self.id_of_key(key)) {
                Some(found) => found,
                None => Name::parse(name).ok().and_then(|name| self.id_of_name(&name, &name.key())),
            });
        found.filter(|id| self.products.holds(*id)).or_else(|| self.id_of_code(CodeValue::parse(name)?))
    }

    /// The product with this code, as a label of a scale gives it: no name is looked at.
    pub fn id_of_label(&self, label: &Label) -> Option<ProductId> {
        self.id_of_code(CodeValue(label.code))
    }

    /// The product with a code of this value.
    fn id_of_code(&self, value: CodeValue) -> Option<ProductId> {
        // While a large change is being applied, a code belongs to the product that is shown with it.
        let has_code = |product: &Product| self.products.view(product).terms.has_code(value);
        self.by_code.get(value, |id| self.products.get(id).is_some_and(has_code))
    }

    fn id_of_name(&self, name: &Name, key: &Key) -> Option<ProductId> {
        let found = self.by_name.get(name.as_str()).or_else(|| self.id_of_key(key.as_str().as_bytes()));
        found.filter(|id| self.products.holds(*id))
    }

    fn id_of_key(&self, key: &[u8]) -> Option<ProductId> {
        self.by_key.get(&self.products, key)
    }

    /// The products of earlier builds whose names differ only by characters that look alike.
    pub fn look_alikes(&self) -> &[LookAlikes] {
        &self.look_alikes
    }

    /// All products in the order of creation.
    pub fn products(&self) -> &Products {
        &self.products
    }

    /// Ends all snapshots, as if more had changed than the version log keeps.
    #[cfg(test)]
    pub(crate) fn forget_snapshots(&self) {
        self.version_log.lock().forget_all();
    }

    /// The sequence number of the last movement that this catalog's balances contain.
    pub fn last_sequence(&self) -> i64 {
        self.last_sequence
    }

    /// When the last movement was recorded. No later movement has an earlier time.
    pub fn last_recorded_at(&self) -> Option<SystemTime> {
        self.last_recorded_at
    }

    /// When the last movement or change of terms was recorded. Nothing later has an earlier time.
    pub fn last_time(&self) -> Option<SystemTime> {
        self.last_recorded_at.max(self.last_changed_at)
    }

    /// The number of the last change of terms.
    pub fn last_change(&self) -> i64 {
        self.last_change
    }

    /// When the last change of terms was recorded.
    #[cfg(test)]
    pub fn last_changed_at(&self) -> Option<SystemTime> {
        self.last_changed_at
    }

    /// Shows changes, which must be durable and drafted on this catalog's present state. Many changes are
    /// applied by a [`LargeChange`].
    pub fn apply(&mut self, transaction: &Transaction) {
        let version_log = Arc::clone(&self.version_log);
        let mut versions = Some(version_log.lock()).filter(|versions| versions.are_needed());
        for (id, name) in &transaction.renames {
            self.rename(*id, name, versions.as_deref_mut());
        }
        let mut freed = Vec::new();
        for product in &transaction.products {
            let index = product.id.index();
            let terms = transaction.terms.get(&product.id);
            match self.apply_product(product, terms, &mut freed, versions.as_deref_mut()) {
                false => {}
                // Snapshots may still show the old price.
                true if versions.is_some() => self.products.lower_price_bound(index, product.price),
                true => self.products.raise_price_bound(index),
            }
        }
        self.free_codes(freed);
        for (id, balance) in &transaction.balances {
            self.apply_balance(*id, *balance, versions.as_deref_mut());
        }
        self.note_last(transaction);
    }

    /// Creates a product, or gives an existing one another price, unit and flags, and these terms if there
    /// are any. Adds the codes that the product has lost to `freed`. Returns whether the product existed.
    fn apply_product(
        &mut self,
        product: &Product,
        terms: Option<&Arc<Terms>>,
        freed: &mut Vec<(CodeValue, ProductId)>,
        versions: Option<&mut Versions>,
    ) -> bool {
        let unit = self.units.shared(&product.unit);
        // Terms are looked up only if the product may have some, because most products have none.
        let may_have_terms = terms.is_some() || product.flags.has_terms();
        let before = may_have_terms.then(|| self.products.latest_terms(product.id).cloned()).flatten();
        let exists = match self.products.get_mut(product.id) {
            None => {
                let appended = self.append(product.clone());
                debug_assert_eq!(appended, Ok(()), "a draft creates no product twice");
                false
            }
            Some((existing, place)) => {
                let is_other = terms.is_some() || existing.flags != product.flags;
                if let Some(versions) = versions {
                    let unit = || self.units.index(&existing.unit);
                    match is_other {
                        true => versions.note_identity(existing, before.as_ref(), place, unit),
                        false => versions.note(existing, place, unit),
                    }
                }
                existing.price = product.price;
                existing.unit = unit;
                existing.flags = product.flags;
                true
            }
        };
        if let Some(terms) = terms {
            let old = before.as_deref().unwrap_or(Terms::NONE).code_values();
            let new = terms.code_values();
            new.iter()
                .filter(|value| !old.contains(value))
                .for_each(|it| self.by_code.insert(*it, product.id));
            freed.extend(old.into_iter().filter(|it| !new.contains(it)).map(|value| (value, product.id)));
            self.products.set_terms(product.id, terms);
        }
        exists
    }

    /// Removes codes from products.
    fn free_codes(&mut self, freed: Vec<(CodeValue, ProductId)>) {
        freed.into_iter().for_each(|(value, product)| self.by_code.remove(value, product));
    }

    /// Gives a product another name.
    fn rename(&mut self, id: ProductId, name: &Name, versions: Option<&mut Versions>) {
        let terms = self.products.latest_terms(id).cloned();
        let Some((product, place)) = self.products.get_mut(id) else { return };
        if let Some(versions) = versions {
            versions.note_identity(product, terms.as_ref(), place, || self.units.index(&product.unit));
        }
        let old = std::mem::replace(&mut product.name, name.clone());
        let renamed = product.clone();
        self.products.rename_shown(id, name);
        self.by_name.remove(&old, id);
        let inserted = self.by_name.insert(name, id);
        debug_assert_eq!(inserted, Ok(()), "no two products have the same name");
        let had_key = self.by_key.remove(old.key().as_str().as_bytes(), id);
        // The first of the products with the same key takes its place.
        let (mut alike, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.look_alikes).into_iter().partition(|pair| pair.first() == id);
        self.look_alikes = others.into_iter().filter(|pair| pair.second() != id).collect();
        alike.sort_by_key(LookAlikes::second);
        let mut alike = alike.iter().filter_map(|pair| self.products.latest(pair.second().index())).cloned();
        if let Some(first) = alike.next().filter(|_| had_key) {
            self.by_key.insert(&self.products, &first);
            self.look_alikes.extend(alike.map(|second| LookAlikes::new(&first, &second)));
        }
        let other = self.by_key.insert(&self.products, &renamed);
        debug_assert!(other.is_none(), "no two names are alike");
    }

    fn apply_balance(&mut self, id: ProductId, balance: Balance, versions: Option<&mut Versions>) {
        if let Some((product, place)) = self.products.get_mut(id) {
            if let Some(versions) = versions {
                versions.note(product, place, || self.units.index(&product.unit));
            }
            product.set_balance(balance);
        }
    }

    fn note_last(&mut self, transaction: &Transaction) {
        if let Some(movement) = transaction.movements.last() {
            self.last_sequence = movement.sequence;
            self.last_recorded_at = Some(movement.recorded_at);
        }
        if let Some(change) = transaction.changes.last() {
            self.last_change = change.number;
            self.last_changed_at = Some(change.recorded_at);
        }
    }

    /// Adds a product.
    ///
    /// # Errors
    /// If another product has the same name: that product's id.
    fn append(&mut self, mut product: Product) -> Result<(), ProductId> {
        self.by_name.insert(&product.name, product.id)?;
        if let Some(first) = self.by_key.insert(&self.products, &product) {
            self.look_alikes.extend(self.products.get(first).map(|first| LookAlikes::new(first, &product)));
        }
        product.unit = self.units.shared(&product.unit);
        self.products.push(product);
        Ok(())
    }
}

impl PartialEq for Catalog {
    /// Whether both catalogs have the same products and terms, and the same last movement and change of terms.
    fn eq(&self, other: &Self) -> bool {
        let ends = |catalog: &Self| {
            let Self { last_sequence, last_recorded_at, last_change, last_changed_at, .. } = catalog;
            (*last_sequence, *last_recorded_at, *last_change, *last_changed_at)
        };
        fn terms(catalog: &Catalog) -> impl Iterator<Item = Option<&Arc<Terms>>> {
            catalog.products.iter().map(|product| catalog.products.terms(product))
        }
        ends(self) == ends(other)
            && self.products.iter().eq(other.products.iter())
            && terms(self).eq(terms(other))
    }
}

/// The four products of the original program, with which a new shop opens.
pub fn original_products() -> Vec<ProductDraft> {
    [("Maca", 300, 20), ("Pera", 500, 15), ("Banana", 1000, 30), ("Caju", 200, 60)]
        .into_iter()
        .filter_map(|(name, centavos, units)| {
            Some(ProductDraft {
                name: Name::parse(name).ok()?,
                price: Price::from_centavos(centavos).ok()?,
                unit: None,
                opening_stock: Quantity::from_units(units),
                terms: TermsDraft::default(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn row(name: &str, price: &str, unit: &str, stock: &str) -> ProductDraft {
        ProductDraft {
            name: Name::parse(name).unwrap(),
            price: price.parse().unwrap(),
            unit: (!unit.is_empty()).then(|| Unit::parse(unit).unwrap()),
            opening_stock: stock.parse().unwrap(),
            terms: TermsDraft::default(),
        }
    }

    fn import(catalog: &mut Catalog, rows: &[ProductDraft]) -> Result<ImportCounts, Vec<(usize, RowError)>> {
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        let counts = draft.import(rows, None)?;
        let changes = draft.finish();
        catalog.apply(&changes);
        Ok(counts.counts)
    }

    fn adjust(catalog: &mut Catalog, name: &str, delta: &str) -> Result<Movement, AdjustmentError> {
        let product = catalog.find(name).unwrap().id;
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        let adjustment = Adjustment::new(product, delta.parse().unwrap(), Kind::Adjustment);
        let movement = draft.adjust(&adjustment)?.clone();
        let changes = draft.finish();
        catalog.apply(&changes);
        Ok(movement)
    }

    fn shop() -> Catalog {
        let mut catalog = Catalog::default();
        import(&mut catalog, &original_products()).unwrap();
        import(&mut catalog, &[row("Cará", "7,95", "kg", "10.5")]).unwrap();
        catalog
    }

    fn names(catalog: &Catalog, cursor: &mut Cursor) -> Vec<String> {
        let mut names = Vec::new();
        while cursor.visit(catalog, |product| {
            names.push(product.name.to_string());
            ControlFlow::Continue(())
        }) == Ok(Stopped::InTurn)
        {}
        names
    }

    fn stock(catalog: &Catalog, name: &str) -> String {
        catalog.find(name).unwrap().stock.to_string()
    }

    #[test]
    fn lists_keep_the_order_of_creation() {
        let catalog = shop();
        let up_to = |text: &str| {
            names(&catalog, &mut catalog.cursor(Selection::up_to(Some(text.parse().unwrap())), None))
        };
        assert_eq!(up_to("8"), ["Maca", "Pera", "Caju", "Cará"]);
        assert_eq!(up_to("2"), ["Caju"]);
        assert!(up_to("1.99").is_empty());
        assert_eq!(
            names(&catalog, &mut catalog.cursor(Selection::default(), ProductId::from_number(3))),
            ["Caju", "Cará"]
        );
        assert!(
            names(&catalog, &mut catalog.cursor(Selection::default(), ProductId::from_number(500)))
                .is_empty()
        );
    }

    #[test]
    fn a_product_is_found_as_it_is_written_and_in_other_ways() {
        let mut catalog = shop();
        import(&mut catalog, &[row("Pinha  do Mato", "3", "", "1")]).unwrap();
        let products = catalog.products().iter().cloned().collect();
        let loaded = Catalog::load(products, 6, None).unwrap();
        for catalog in [&catalog, &loaded] {
            for (typed, name) in [
                ("Cará", "Cará"),
                ("CARA", "Cará"),
                ("Cara\u{301}", "Cará"),
                (" cará", "Cará"),
                ("Pinha do Mato", "Pinha do Mato"),
                ("pinha  do mato", "Pinha do Mato"),
            ] {
                let found = catalog.find(typed).unwrap();
                assert_eq!((found.name.as_str(), catalog.id_of(typed)), (name, Some(found.id)), "{typed}");
            }
            for other in ["", "Car", "Caráa", "Car\u{202E}á", &"x".repeat(65)] {
                assert_eq!((catalog.find(other), catalog.id_of(other)), (None, None), "{other}");
            }
        }
    }

    #[test]
    fn a_change_follows_the_rules() {
        let mut catalog = shop();
        assert_eq!(adjust(&mut catalog, "CAJU", "-20").unwrap().balance.to_string(), "40");
        assert_eq!(stock(&catalog, "caju"), "40");
        assert_eq!(adjust(&mut catalog, "cara", "-0.35").unwrap().sequence, 7);
        assert_eq!(stock(&catalog, "cará"), "10.15");
        for (name, delta) in
            [("Caju", "0"), ("Caju", "-40.001"), ("Caju", "0.5"), ("Caju", "-41"), ("Caju", "1000000000000")]
        {
            assert!(adjust(&mut catalog, name, delta).is_err(), "{name} {delta}");
        }
        assert_eq!(stock(&catalog, "caju"), "40");
        assert_eq!(catalog.last_sequence(), 7);
    }

    #[test]
    fn changes_of_one_draft_see_each_other() {
        let catalog = shop();
        let caju = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        let minus_forty = Adjustment::new(caju, Quantity::from_units(-40), Kind::Adjustment);
        assert!(draft.adjust(&minus_forty).is_ok());
        assert!(matches!(draft.adjust(&minus_forty), Err(AdjustmentError::Insufficient { .. })));
        assert_eq!(draft.product(caju).stock, Quantity::from_units(20));
        assert_eq!(catalog.products().get(caju).unwrap().stock, Quantity::from_units(60));
    }

    #[test]
    fn a_batch_is_all_or_nothing_and_sums_before_it_checks() {
        let catalog = shop();
        let change = |name: &str, delta: &str| {
            Adjustment::new(catalog.find(name).unwrap().id, delta.parse().unwrap(), Kind::Adjustment)
        };
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        // The stock is sixty; seventy are taken and twenty brought.
        let movements =
            draft.adjust_all(&[change("caju", "-70"), change("pera", "1"), change("caju", "20")]).unwrap();
        let told: Vec<(i64, String)> =
            movements.iter().map(|movement| (movement.sequence, movement.balance.to_string())).collect();
        assert_eq!(told, [(8, "10".into()), (6, "16".into()), (7, "80".into())]);
        for (changes, index) in [
            (vec![change("maca", "1"), change("caju", "-11")], 1),
            (vec![change("caju", "-6"), change("caju", "-6")], 0),
            (vec![change("maca", "1"), change("maca", "0.5")], 1),
            (vec![change("maca", "1000000000000"), change("maca", "1000000000000")], 0),
        ] {
            assert_eq!(draft.adjust_all(&changes).unwrap_err().0, index);
        }
        let changes = draft.finish();
        assert_eq!(changes.movements.iter().map(|movement| movement.sequence).collect::<Vec<_>>(), [6, 7, 8]);
        assert_eq!(changes.balances.len(), 2);
    }

    #[test]
    fn times_never_go_back() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        // A catalog from a store, and drafts with every kind of change, with the clock behind, ahead
        // and far behind.
        let shop = shop();
        let products = shop.products().iter().cloned().collect();
        let mut catalog = Catalog::load(products, shop.last_sequence(), Some(at(100))).unwrap();
        for (now, expected) in [(at(99), at(100)), (at(200), at(200)), (SystemTime::UNIX_EPOCH, at(200))] {
            let change =
                Adjustment::new(catalog.find("caju").unwrap().id, Quantity::from_units(1), Kind::Adjustment);
            let mut draft = Draft::new(&catalog, now);
            draft.adjust(&change).unwrap();
            draft.adjust_all(&[change.clone(), change]).unwrap();
            draft.import(&[row(&format!("Uva {}", catalog.last_sequence()), "1", "", "1")], None).unwrap();
            let changes = draft.finish();
            assert_eq!(changes.movements.len(), 4);
            assert!(changes.movements.iter().all(|movement| movement.recorded_at == expected));
            catalog.apply(&changes);
            assert_eq!(catalog.last_recorded_at(), Some(expected));
        }
        // A change of terms alone, and a movement after the clock went back.
        let mut draft = Draft::new(&catalog, at(300));
        draft.import(&[row("Maca", "8", "", "0")], None).unwrap();
        let changes = draft.finish();
        catalog.apply(&changes);
        assert_eq!((catalog.last_recorded_at(), catalog.last_time()), (Some(at(200)), Some(at(300))));
        assert_eq!(Draft::new(&catalog, at(250)).now(), at(300));
    }

    #[test]
    fn an_import_is_all_or_nothing() {
        let mut catalog = shop();
        let rows = [row("Uva", "9", "cx", "3"), row("MAÇÃ", "4", "", "99"), row("pera", "5", "un", "0")];
        let counts = import(&mut catalog, &rows).unwrap();
        assert_eq!(counts, ImportCounts { created: 1, updated: 1, unchanged: 1, discontinued: 0 });
        let maca = catalog.find("maca").unwrap();
        assert_eq!(
            (maca.name.as_str(), maca.price.to_string(), maca.stock.to_string()),
            ("Maca", "4.0".into(), "20".into())
        );

        let errors = import(
            &mut catalog,
            &[
                row("Kiwi", "1", "", "1"),
                row("KIWI", "2", "", "1"),
                row("Figo", "1", "un", "0.5"),
                row("Cará", "1", "un", "0"),
                row("Romã", "1", "", "-1"),
                row("Ca\u{3164}ju", "1", "", "1"),
            ],
        )
        .unwrap_err();
        assert_eq!(errors.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(errors[4].1.to_string().contains("U+3164"), "{}", errors[4].1);
        assert!(catalog.find("kiwi").is_none());
        assert_eq!(catalog.products().len(), 6);
    }

    proptest! {
        #[test]
        fn the_stock_is_the_sum_of_the_movements(deltas in prop::collection::vec(-30_i32..30, 1..60)) {
            let mut catalog = shop();
            let mut sum = 60;
            for delta in deltas {
                let answer = adjust(&mut catalog, "Caju", &delta.to_string());
                prop_assert_eq!(answer.is_ok(), delta != 0 && sum + delta >= 0);
                if answer.is_ok() {
                    sum += delta;
                }
                prop_assert_eq!(stock(&catalog, "caju"), sum.to_string());
            }
        }
    }
}
