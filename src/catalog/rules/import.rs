//! The rules of an import: a price list creates products and gives existing ones new terms.

use std::collections::HashMap;

use super::update::{CodeTaken, joined};
use crate::catalog::adjustment::Adjustment;
use crate::catalog::author::Author;
use crate::catalog::balance::Balance;
use crate::catalog::cost::StockCost;
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::key::Key;
use crate::catalog::movement::Kind;
use crate::catalog::name::Name;
use crate::catalog::new_name::NewNameError;
use crate::catalog::product::{FRACTIONS, Flags, Product, ProductId, Unit};
use crate::catalog::product_change::{TermsField, differences};
use crate::catalog::product_draft::{ProductDraft, TermsDraft};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::Quoted;
use crate::catalog::rules::cost::Costed;
use crate::catalog::terms::{TargetBelowMinimum, Terms};

/// Most products in one catalog: ids are 32 bits wide, and a catalog of this size already
/// takes some gigabytes of memory.
pub const PRODUCTS_MAX: usize = 10_000_000;

/// Most rows of one import: a message of some megabytes, and a transaction that other writers hardly
/// notice.
pub const IMPORT_ROWS_MAX: usize = 10_000;

/// Most requests in which one list comes: some times those of the longest list. The undo of the list looks at each.
pub const IMPORT_PARTS_MAX: u64 = 1000;

/// Why a row of a price list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A second row for one product, whose name may be written in another way.
    #[error("{} já aparece na lista, como {}", Quoted(.name), Quoted(.first))]
    Repeated { name: String, first: String },
    /// An opening stock below zero.
    #[error("o estoque inicial de {} não pode ser negativo", Quoted(.0))]
    NegativeStock(String),
    /// A fraction that the unit does not have.
    #[error("{} tem estoque {stock}, e {FRACTIONS}; este é vendido por {unit}", Quoted(.name))]
    Fraction { name: String, unit: Unit, stock: Quantity },
    /// A name that a new product may not have.
    #[error(transparent)]
    Name(#[from] NewNameError),
    /// A code of another product.
    #[error("{} não pode ter esse código: {error}", Quoted(.name))]
    CodeTaken { name: String, error: CodeTaken },
    /// A code that an earlier row gives another product.
    #[error("o código {code} de {} já aparece na lista, em {}", Quoted(.name), Quoted(.first))]
    CodeRepeated { name: String, code: String, first: String },
    /// A target below the minimum.
    #[error(transparent)]
    Limits(#[from] TargetBelowMinimum),
    /// More than [`PRODUCTS_MAX`] products.
    #[error("{} passaria do limite de {PRODUCTS_MAX} produtos", Quoted(.0))]
    TooManyProducts(String),
}

/// The counts of what an import did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Products that did not exist.
    pub created: usize,
    /// Products that got another price or unit.
    pub updated: usize,
    /// Products that had the same terms already.
    pub unchanged: usize,
    /// Products of the list that are no longer sold. They got their terms, and stay so.
    pub discontinued: usize,
}

/// Most changed fields that the answer to an import lists: some hundred kilobytes.
pub const IMPORT_CHANGES_MAX: usize = 1000;

/// The effect of an import, or of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// The counts of the products that the import created, changed and left unchanged.
    pub counts: ImportCounts,
    /// The first fields that the import changed, [`IMPORT_CHANGES_MAX`] at most.
    pub changes: Vec<ImportedChange>,
}

/// The digest of a price list.
pub fn import_digest(rows: &[ProductDraft]) -> u64 {
    let mut digest = Digest::unnamed();
    for row in rows {
        digest.feed(row.name.as_str().as_bytes());
        digest.feed(row.unit.as_ref().map_or("", |unit| unit.as_str()).as_bytes());
        digest.feed(&row.price.centavos().to_le_bytes());
        digest.feed(&row.opening_stock.thousandths().to_le_bytes());
        feed_terms(&mut digest, &row.terms);
    }
    digest.value()
}

/// Adds the terms of a row that has any. A row without terms adds nothing, because stored digests are older
/// than terms.
fn feed_terms(digest: &mut Digest, terms: &TermsDraft) {
    if *terms == TermsDraft::default() {
        return;
    }
    let TermsDraft { code, barcodes, category, minimum, target, shelf_life_days } = terms;
    digest.feed(b"cadastro");
    digest.feed(&code.map_or(0, |code| code.number()).to_le_bytes());
    digest.feed(joined(barcodes).as_bytes());
    digest.feed(category.as_ref().map_or("", |category| category.as_str()).as_bytes());
    for quantity in [minimum, target] {
        digest.feed(&quantity.map_or(-1, Quantity::thousandths).to_le_bytes());
    }
    digest.feed(&shelf_life_days.map_or(-1, i64::from).to_le_bytes());
}

impl Draft<'_> {
    /// Creates the products that do not exist, and gives those that do another price and unit: all rows or
    /// none.
    ///
    /// # Errors
    /// If any row is bad: every bad row, with its index. The draft is then unchanged.
    pub fn import(
        &mut self,
        rows: &[ProductDraft],
        author: Option<&Author>,
    ) -> Result<Imported, Vec<(usize, RowError)>> {
        let mut check = ImportCheck::new(rows);
        check.go_on(self, rows.len());
        let accepted = std::mem::take(&mut check.accepted);
        let imported = check.finish()?;
        for (key, product, terms) in accepted {
            if self.find(&product.name, &key).is_some() {
                self.alter(product, terms, author);
                continue;
            }
            let (delta, kind) = (product.stock, Kind::Opening);
            let opening = Adjustment { author: author.cloned(), ..Adjustment::new(product.id, delta, kind) };
            let cost = Costed { movement: None, stock: product.stock_cost };
            self.record(&opening, Balance::NONE, product.stock, product.price, cost);
            self.create(key, product, terms);
        }
        Ok(imported)
    }

    /// The first of these rows whose product exists, and that product.
    pub fn existing(&self, rows: &[ProductDraft]) -> Option<(usize, Product)> {
        let found = rows.iter().map(|row| self.find(&row.name, &row.name.key())).enumerate();
        found.filter_map(|(index, id)| Some((index, self.product(id?)))).next()
    }

    /// The product and its other terms after the row, or `None` if the row changes nothing.
    fn import_row(
        &self,
        row: &ProductDraft,
        existing: Option<ProductId>,
        repeated: Option<&Name>,
        product_count: usize,
    ) -> Result<Option<(Product, Terms)>, RowError> {
        let name = || row.name.to_string();
        if let Some(first) = repeated {
            return Err(RowError::Repeated { name: name(), first: first.to_string() });
        }
        if row.opening_stock < Quantity::ZERO {
            return Err(RowError::NegativeStock(name()));
        }
        let terms_before = existing.map_or(Terms::NONE, |id| self.other_terms(id));
        let terms = row.terms.applied(terms_before.clone());
        terms.check_limits(terms_before, &row.name)?;
        self.check_codes(existing, &terms).map_err(|error| RowError::CodeTaken { name: name(), error })?;
        let existing = existing.map(|id| self.product(id));
        let unit = match (&row.unit, &existing) {
            (Some(unit), _) => unit.clone(),
            (None, Some(product)) => product.unit.clone(),
            (None, None) => Unit::default(),
        };
        let stock = existing.as_ref().map_or(row.opening_stock, |product| product.stock);
        if !unit.can_hold(stock) {
            return Err(RowError::Fraction { name: name(), unit, stock });
        }
        match existing {
            Some(before) => {
                // An example that is in a price list of the shop is no longer an example.
                let flags = before.flags.with_example(false);
                let product = Product { price: row.price, unit, flags, ..before.clone() };
                Ok(Some((product, terms))
                    .filter(|(product, terms)| (product, terms) != (&before, terms_before)))
            }
            None => {
                row.name.check_new()?;
                let id = ProductId::at_index(product_count)
                    .filter(|_| product_count < PRODUCTS_MAX)
                    .ok_or_else(|| RowError::TooManyProducts(name()))?;
                let name = row.name.clone();
                let stock_cost = StockCost::of_unknown(stock);
                let (price, flags) = (row.price, Flags::default());
                Ok(Some((
                    Product { id, name, unit, price, stock, last_movement: 0, stock_cost, flags },
                    terms,
                )))
            }
        }
    }
}

/// Most times that a check begins again because a large change was shown during the check. Only imports
/// that follow each other without a pause need more.
const RESTARTS_MAX: usize = 3;

/// The rows of an import, checked one after the other.
pub struct ImportCheck<'r> {
    rows: &'r [ProductDraft],
    /// The index of the next row to check.
    next: usize,
    /// How many large changes the catalog had shown when the last rows were checked.
    large_changes: u64,
    /// How often the check has begun again.
    restarts: usize,
    counts: ImportCounts,
    errors: Vec<(usize, RowError)>,
    /// The first row of each product that exists, or of each key that is new.
    first_rows: HashMap<Result<ProductId, Key>, usize>,
    /// The products that the rows create or change.
    accepted: Vec<(Key, Product, Terms)>,
    /// The first row of each code that the rows give.
    first_codes: HashMap<u64, usize>,
    /// The first fields that the rows change of products that exist, [`IMPORT_CHANGES_MAX`] at most.
    changes: Vec<ImportedChange>,
}

/// A field that an import changes, or would change, of a product that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedChange {
    pub product: Name,
    pub field: TermsField,
    pub old: String,
    pub new: String,
}

impl<'r> ImportCheck<'r> {
    /// A check of these rows, none of which is checked yet.
    pub fn new(rows: &'r [ProductDraft]) -> Self {
        Self {
            rows,
            next: 0,
            large_changes: 0,
            restarts: 0,
            counts: ImportCounts::default(),
            errors: Vec::new(),
            first_rows: HashMap::with_capacity(rows.len()),
            accepted: Vec::with_capacity(rows.len()),
            first_codes: HashMap::new(),
            changes: Vec::new(),
        }
    }

    /// Checks up to `count` of the next rows on top of a draft, which may be of a later catalog than the
    /// draft of the previous call. If a large change was shown between the calls, all rows are checked
    /// again, so that all are counted on the same products. Returns whether rows are left.
    pub fn go_on(&mut self, draft: &Draft<'_>, count: usize) -> bool {
        let rows = self.rows;
        let large_changes = draft.catalog.large_changes;
        if self.next > 0 && self.large_changes < large_changes && self.restarts < RESTARTS_MAX {
            *self = Self { restarts: self.restarts + 1, ..Self::new(rows) };
        }
        self.large_changes = large_changes;
        for (index, row) in rows.iter().enumerate().skip(self.next).take(count) {
            let product_count = draft.catalog.products.len() + draft.created + self.counts.created;
            let key = row.name.key();
            let existing = draft.find(&row.name, &key);
            // Two products of an earlier build may have the same key, so existing ones go by their ids.
            let first = *self.first_rows.entry(existing.ok_or_else(|| key.clone())).or_insert(index);
            let repeated = (first < index).then(|| &rows[first].name);
            let checked = draft.import_row(row, existing, repeated, product_count);
            match checked.and_then(|terms| self.note_codes(index).map(|()| terms)) {
                Ok(terms) => {
                    self.count(draft, existing, terms.as_ref());
                    self.accepted.extend(terms.map(|(product, terms)| (key, product, terms)));
                }
                Err(error) => self.errors.push((index, error)),
            }
        }
        self.next += count;
        self.next < rows.len()
    }

    /// Notes the codes that a row gives its product.
    ///
    /// # Errors
    /// If an earlier row gives one of them another product.
    fn note_codes(&mut self, index: usize) -> Result<(), RowError> {
        let rows = self.rows;
        for (code, value) in rows[index].terms.codes() {
            let first = *self.first_codes.entry(value).or_insert(index);
            if first < index {
                let (name, first) = (rows[index].name.to_string(), rows[first].name.to_string());
                return Err(RowError::CodeRepeated { name, code, first });
            }
        }
        Ok(())
    }

    /// Counts the effect of a row on a product, perhaps a new one, which gets these terms if anything
    /// changes.
    fn count(&mut self, draft: &Draft<'_>, existing: Option<ProductId>, after: Option<&(Product, Terms)>) {
        let Some(id) = existing else {
            self.counts.created += 1;
            return;
        };
        let before = draft.product(id);
        self.counts.discontinued += usize::from(before.flags.is_discontinued());
        let mut differs = false;
        if let Some((product, terms)) = after {
            for (field, old, new) in differences((&before, draft.other_terms(id)), (product, terms)) {
                differs = true;
                if self.changes.len() < IMPORT_CHANGES_MAX {
                    self.changes.push(ImportedChange { product: before.name.clone(), field, old, new });
                }
            }
        }
        match differs {
            true => self.counts.updated += 1,
            false => self.counts.unchanged += 1,
        }
    }

    /// The effect that the import would have.
    ///
    /// # Errors
    /// If any row is bad: every bad row, with its index.
    pub fn finish(self) -> Result<Imported, Vec<(usize, RowError)>> {
        let Self { counts, changes, errors, .. } = self;
        if errors.is_empty() { Ok(Imported { counts, changes }) } else { Err(errors) }
    }
}
