//! The rules of an import: a price list creates products and gives existing ones new terms.

use std::collections::HashMap;

use crate::catalog::adjustment::Adjustment;
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::key::Key;
use crate::catalog::movement::Kind;
use crate::catalog::name::Name;
use crate::catalog::new_name::NewNameError;
use crate::catalog::product::{Product, ProductDraft, ProductId, Unit};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::Quoted;
use crate::catalog::transaction::Balance;

/// Most products in one catalog: ids are 32 bits wide, and a catalog of this size already
/// takes some gigabytes of memory.
pub const PRODUCTS_MAX: usize = 10_000_000;

/// Most rows of one import: a message of some megabytes, and a transaction that other writers hardly
/// notice.
pub const IMPORT_ROWS_MAX: usize = 10_000;

/// Why a row of a price list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A second row for one product, whose name may be written in another way.
    #[error("{} já aparece na lista, como {}", Quoted(.name), Quoted(.first))]
    Repeated { name: String, first: String },
    /// An opening stock below zero.
    #[error("o estoque inicial de {} não pode ser negativo", Quoted(.0))]
    NegativeStock(String),
    /// A fraction of a product that is not weighed.
    #[error("{} tem estoque {stock}, mas só produtos vendidos por kg aceitam frações, e este é vendido por {unit}", Quoted(.name))]
    Fraction { name: String, unit: Unit, stock: Quantity },
    /// A name that a new product may not have.
    #[error(transparent)]
    Name(#[from] NewNameError),
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
}

/// The digest of a price list.
pub fn import_digest(rows: &[ProductDraft]) -> u64 {
    let mut digest = Digest::unnamed();
    for row in rows {
        digest.feed(row.name.as_str().as_bytes());
        digest.feed(row.unit.as_ref().map_or("", |unit| unit.as_str()).as_bytes());
        digest.feed(&row.price.centavos().to_le_bytes());
        digest.feed(&row.opening_stock.thousandths().to_le_bytes());
    }
    digest.value()
}

impl Draft<'_> {
    /// Creates the products that do not exist, and gives those that do another price and unit: all rows or
    /// none.
    ///
    /// # Errors
    /// If any row is bad: every bad row, with its index. The draft is then unchanged.
    pub fn import(&mut self, rows: &[ProductDraft]) -> Result<ImportCounts, Vec<(usize, RowError)>> {
        let mut check = ImportCheck::new(rows);
        check.go_on(self, rows.len());
        let accepted = check.accepted;
        if !check.errors.is_empty() {
            return Err(check.errors);
        }
        for (key, product) in accepted {
            if self.find(&product.name, &key).is_none() {
                self.created.insert(key, product.id);
                let (delta, kind) = (product.stock, Kind::Opening);
                let opening = Adjustment { product: product.id, delta, kind, request_id: None };
                self.record(&opening, Balance::NONE, product.stock, product.price);
            }
            self.products.insert(product.id, product);
        }
        Ok(check.counts)
    }

    /// The product after the row, or `None` if the row changes nothing.
    fn import_row(
        &self,
        row: &ProductDraft,
        existing: Option<ProductId>,
        repeated: Option<&Name>,
        product_count: usize,
    ) -> Result<Option<Product>, RowError> {
        let name = || row.name.to_string();
        if let Some(first) = repeated {
            return Err(RowError::Repeated { name: name(), first: first.to_string() });
        }
        if row.opening_stock < Quantity::ZERO {
            return Err(RowError::NegativeStock(name()));
        }
        let existing = existing.map(|id| self.product(id));
        let unit = match (&row.unit, &existing) {
            (Some(unit), _) => unit.clone(),
            (None, Some(product)) => product.unit.clone(),
            (None, None) => Unit::default(),
        };
        let stock = existing.as_ref().map_or(row.opening_stock, |product| product.stock);
        if stock.has_fraction() && !unit.takes_fractions() {
            return Err(RowError::Fraction { name: name(), unit, stock });
        }
        match existing {
            Some(product) if product.price == row.price && product.unit == unit => Ok(None),
            Some(product) => Ok(Some(Product { price: row.price, unit, ..product })),
            None => {
                row.name.check_new()?;
                let id = ProductId::at_index(product_count)
                    .filter(|_| product_count < PRODUCTS_MAX)
                    .ok_or_else(|| RowError::TooManyProducts(name()))?;
                let name = row.name.clone();
                Ok(Some(Product { id, name, unit, price: row.price, stock, last_movement: 0 }))
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
    accepted: Vec<(Key, Product)>,
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
            let product_count = draft.catalog.products.len() + draft.created.len() + self.counts.created;
            let key = row.name.key();
            let existing = draft.find(&row.name, &key);
            // Two products of an earlier build may have the same key, so existing ones go by their ids.
            let first = *self.first_rows.entry(existing.ok_or_else(|| key.clone())).or_insert(index);
            let repeated = (first < index).then(|| &rows[first].name);
            match draft.import_row(row, existing, repeated, product_count) {
                Ok(product) => {
                    match &product {
                        None => self.counts.unchanged += 1,
                        Some(product) if product.id.index() == product_count => self.counts.created += 1,
                        Some(_) => self.counts.updated += 1,
                    }
                    self.accepted.extend(product.map(|product| (key, product)));
                }
                Err(error) => self.errors.push((index, error)),
            }
        }
        self.next += count;
        self.next < rows.len()
    }

    /// The counts of what the import would do.
    ///
    /// # Errors
    /// If any row is bad: every bad row, with its index.
    pub fn finish(self) -> Result<ImportCounts, Vec<(usize, RowError)>> {
        if self.errors.is_empty() { Ok(self.counts) } else { Err(self.errors) }
    }
}
