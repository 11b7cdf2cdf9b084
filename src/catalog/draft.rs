//! The rules of a change, checked against the catalog and the changes already waiting with
//! it, before anything is durable.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use foldhash::fast::FixedState;

use super::Catalog;
use super::key::Key;
use super::movement::{Kind, Movement, RequestId};
use super::name::Name;
use super::new_name::NewNameError;
use super::price::Price;
use super::product::{Product, ProductDraft, ProductId, Unit};
use super::quantity::Quantity;
use super::quoted::Quoted;

/// Most products in one catalog: ids are 32 bits wide, and a catalog of this size already
/// takes some gigabytes of memory.
pub const PRODUCTS_MAX: usize = 10_000_000;

/// Most changes in one batch: a long shopping list, and milliseconds of a transaction.
pub const BATCH_LINES_MAX: usize = 1000;

/// Most rows of one import: some megabytes of message, and a transaction that the other
/// writers wait for no longer than a blink.
pub const IMPORT_ROWS_MAX: usize = 10_000;

/// A stock change that names its product by id.
#[derive(Debug, Clone)]
pub struct Adjustment {
    /// Whose stock.
    pub product: ProductId,
    /// By how much; not zero.
    pub delta: Quantity,
    /// Why.
    pub kind: Kind,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
}

/// Why a stock change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentError {
    /// A change by nothing.
    #[error("quantidade inválida: 0 não muda o estoque")]
    Zero,
    /// A fraction of something that is not weighed.
    #[error("quantidade inválida: {delta} de {} (só produtos vendidos por kg aceitam frações, e este é vendido por {unit})", Quoted(.name))]
    Fraction { name: String, unit: Unit, delta: Quantity },
    /// The stock would go below zero.
    #[error("estoque insuficiente de {}: há {available} {unit}, foram pedidos {requested}", Quoted(.name))]
    Insufficient { name: String, unit: Unit, available: Quantity, requested: Quantity },
    /// The balance would pass [`Quantity::MAX`].
    #[error("o estoque de {} passaria do limite de {} {unit}", Quoted(.name), Quantity::MAX)]
    BalanceTooLarge { name: String, unit: Unit },
}

/// Why a row of a price list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A second row for one product, whose name may be written in another way.
    #[error("{} já aparece na lista, como {}", Quoted(.name), Quoted(.first))]
    Repeated { name: String, first: String },
    /// An opening stock below zero.
    #[error("o estoque inicial de {} não pode ser negativo", Quoted(.0))]
    NegativeStock(String),
    /// A fraction of something that is not weighed.
    #[error("{} tem estoque {stock}, mas só produtos vendidos por kg aceitam frações, e este é vendido por {unit}", Quoted(.name))]
    Fraction { name: String, unit: Unit, stock: Quantity },
    /// A name that a new product may not have.
    #[error(transparent)]
    Name(#[from] NewNameError),
    /// More than [`PRODUCTS_MAX`] products.
    #[error("{} passaria do limite de {PRODUCTS_MAX} produtos", Quoted(.0))]
    TooManyProducts(String),
}

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Products that did not exist.
    pub created: usize,
    /// Products that got another price or unit.
    pub updated: usize,
    /// Products that had the same terms already.
    pub unchanged: usize,
}

/// An import that carried a request id, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// The client's id for it.
    pub request_id: RequestId,
    /// A digest of its content, to tell a retry from another import.
    pub digest: u64,
    /// What it did.
    pub counts: ImportCounts,
}

/// Changes asked for together under one request id, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRecord {
    /// The client's id for them.
    pub request_id: RequestId,
    /// A digest of their content, to tell a retry from another batch.
    pub digest: u64,
    /// Where they begin in the ledger; the others follow without a gap.
    pub first_sequence: i64,
}

/// A balance for each of some products. Their ids are ours, so the hash need not be strong.
pub type Balances = HashMap<ProductId, Quantity, FixedState>;

/// What a batch of accepted changes comes to: what a store writes in one transaction, and
/// what the catalog shows once it has.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// Products created or with other terms, as they are after the batch.
    pub listed: Vec<Product>,
    /// The last balance of each product that moved.
    pub balances: Balances,
    /// The rows of the ledger, in order.
    pub movements: Vec<Movement>,
    /// Imports with a request id.
    pub imports: Vec<ImportRecord>,
    /// Batches with a request id.
    pub batches: Vec<BatchRecord>,
}

impl Transaction {
    /// Whether there is nothing to make durable.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.movements.is_empty() && self.imports.is_empty()
    }
}

/// The order in which the changes of a batch stand in the ledger, as indexes of them: what
/// brings before what takes, and else as asked for.
pub fn ledger_order(changes: &[Adjustment]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..changes.len()).collect();
    order.sort_by_key(|index| changes[*index].delta < Quantity::ZERO);
    order
}

/// Changes accepted so far, on top of a catalog that does not show them yet.
pub struct Draft<'c> {
    catalog: &'c Catalog,
    now: SystemTime,
    listed: HashMap<ProductId, Product>,
    created: HashMap<Key, ProductId>,
    balances: Balances,
    movements: Vec<Movement>,
    imports: Vec<ImportRecord>,
    batches: Vec<BatchRecord>,
}

impl<'c> Draft<'c> {
    /// A draft without changes. The ledger gives all changes of a draft one time: `now`, or the time of
    /// the last movement if the clock has gone back behind it. The time is in whole microseconds since
    /// 1970, as it is stored, because a retry must be answered with the same time.
    pub fn new(catalog: &'c Catalog, now: SystemTime) -> Self {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let micros = Duration::new(since_epoch.as_secs(), since_epoch.subsec_micros() * 1000);
        let now = SystemTime::UNIX_EPOCH + micros;
        Self {
            catalog,
            now: catalog.last_recorded_at.map_or(now, |last| last.max(now)),
            listed: HashMap::new(),
            created: HashMap::new(),
            balances: Balances::default(),
            movements: Vec::new(),
            imports: Vec::new(),
            batches: Vec::new(),
        }
    }

    /// The product without the balance that the draft gives it.
    fn terms(&self, id: ProductId) -> &Product {
        if let Some(product) = self.listed.get(&id) {
            return product;
        }
        self.catalog.products.get(id).expect("an id comes from this catalog, and no product is ever removed")
    }

    /// The product as it is after the changes accepted so far.
    pub fn product(&self, id: ProductId) -> Product {
        let mut product = self.terms(id).clone();
        if let Some(balance) = self.balances.get(&id) {
            product.stock = *balance;
        }
        product
    }

    /// Changes a stock.
    ///
    /// # Errors
    /// By the rules of a change: not by zero, fractions only of what is weighed, the
    /// balance from zero to [`Quantity::MAX`]. The draft is then as it was.
    pub fn adjust(&mut self, adjustment: Adjustment) -> Result<&Movement, AdjustmentError> {
        let Adjustment { product, delta, kind, request_id } = adjustment;
        let terms = self.terms(product);
        check_delta(terms, delta)?;
        let balance = self.check_balance(terms, delta)?;
        let price = terms.price;
        self.balances.insert(product, balance);
        Ok(self.record(product, kind, delta, balance, price, request_id))
    }

    /// Changes several stocks at once: all or none. The changes of one product are summed
    /// before they are checked, so a batch may take away what it also brings.
    ///
    /// One movement for each, in the order asked for; in the ledger those that bring come
    /// before those that take ([`ledger_order`]), so that no balance is ever below zero.
    ///
    /// # Errors
    /// The first change that breaks a rule, by its index. The draft is then as it was.
    pub fn adjust_all(&mut self, changes: &[Adjustment]) -> Result<Vec<Movement>, (usize, AdjustmentError)> {
        let mut sums: HashMap<ProductId, i64> = HashMap::new();
        for (index, change) in changes.iter().enumerate() {
            check_delta(self.terms(change.product), change.delta).map_err(|error| (index, error))?;
            *sums.entry(change.product).or_default() += change.delta.thousandths();
        }
        for (index, change) in changes.iter().enumerate() {
            // A product's sum is checked at its first change.
            if let Some(sum) = sums.remove(&change.product) {
                let terms = self.terms(change.product);
                let sum = Quantity::from_thousandths(sum).map_err(|_| too_large(terms));
                let checked = sum.and_then(|sum| self.check_balance(terms, sum));
                checked.map_err(|error| (index, error))?;
            }
        }
        let mut movements: Vec<Option<Movement>> = vec![None; changes.len()];
        let before = (self.balances.clone(), self.movements.len());
        for index in ledger_order(changes) {
            match self.adjust(changes[index].clone()) {
                Ok(movement) => movements[index] = Some(movement.clone()),
                Err(error) => {
                    // Only a balance that passes its limit on the way to one that does not.
                    self.balances = before.0;
                    self.movements.truncate(before.1);
                    return Err((index, error));
                }
            }
        }
        Ok(movements.into_iter().flatten().collect())
    }

    /// The balance after a change, if there may be one.
    fn check_balance(&self, terms: &Product, delta: Quantity) -> Result<Quantity, AdjustmentError> {
        let available = self.balances.get(&terms.id).copied().unwrap_or(terms.stock);
        let thousandths = available.thousandths() + delta.thousandths();
        if thousandths < 0 {
            let requested = Quantity::from_thousandths(-delta.thousandths()).unwrap_or(Quantity::MAX);
            let (name, unit) = (terms.name.to_string(), terms.unit.clone());
            return Err(AdjustmentError::Insufficient { name, unit, available, requested });
        }
        Quantity::from_thousandths(thousandths).map_err(|_| too_large(terms))
    }

    /// Creates the products that do not exist, and gives those that do another price and
    /// unit: all rows or none.
    ///
    /// # Errors
    /// Every bad row, with its index. The draft is then as it was.
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
                self.balances.insert(product.id, product.stock);
                self.record(product.id, Kind::Opening, product.stock, product.stock, product.price, None);
            }
            self.listed.insert(product.id, product);
        }
        Ok(check.counts)
    }

    /// The product as the row leaves it, or `None` where it changes nothing.
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
                Ok(Some(Product { id, name: row.name.clone(), unit, price: row.price, stock }))
            }
        }
    }

    /// The number that the next movement gets.
    pub fn next_sequence(&self) -> i64 {
        self.catalog.last_sequence + 1 + self.movements.len() as i64
    }

    /// A movement accepted in this draft.
    pub fn movement(&self, sequence: i64) -> Option<&Movement> {
        self.movements_from(sequence).first()
    }

    /// Movements accepted in this draft, from this sequence number on.
    pub fn movements_from(&self, first_sequence: i64) -> &[Movement] {
        let first = usize::try_from(first_sequence - self.catalog.last_sequence - 1);
        first.ok().and_then(|first| self.movements.get(first..)).unwrap_or_default()
    }

    /// Notes that a batch was done under a request id.
    pub fn record_batch(&mut self, record: BatchRecord) {
        self.batches.push(record);
    }

    /// Notes that an import was done under a request id.
    pub fn record_import(&mut self, record: ImportRecord) {
        self.imports.push(record);
    }

    fn find(&self, name: &Name, key: &Key) -> Option<ProductId> {
        self.catalog.id_of_name(name, key).or_else(|| self.created.get(key).copied())
    }

    fn record(
        &mut self,
        product: ProductId,
        kind: Kind,
        delta: Quantity,
        balance: Quantity,
        price: Price,
        request_id: Option<RequestId>,
    ) -> &Movement {
        let movement = Movement {
            sequence: self.next_sequence(),
            product,
            kind,
            delta,
            balance,
            price,
            recorded_at: self.now,
            request_id,
        };
        self.movements.push_mut(movement)
    }

    /// What the accepted changes come to.
    pub fn finish(self) -> Transaction {
        let mut listed: Vec<Product> = self.listed.into_values().collect();
        listed.sort_unstable_by_key(|product| product.id);
        for product in &mut listed {
            if let Some(balance) = self.balances.get(&product.id) {
                product.stock = *balance;
            }
        }
        Transaction {
            listed,
            balances: self.balances,
            movements: self.movements,
            imports: self.imports,
            batches: self.batches,
        }
    }
}

/// The rows of an import, checked one after the other.
pub struct ImportCheck<'r> {
    rows: &'r [ProductDraft],
    /// The index of the next row to check.
    next: usize,
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
            counts: ImportCounts::default(),
            errors: Vec::new(),
            first_rows: HashMap::with_capacity(rows.len()),
            accepted: Vec::with_capacity(rows.len()),
        }
    }

    /// Checks up to `count` of the next rows on top of a draft, which may be of a later catalog than
    /// the draft before. Returns whether there are more.
    pub fn go_on(&mut self, draft: &Draft<'_>, count: usize) -> bool {
        let rows = self.rows;
        for (index, row) in rows.iter().enumerate().skip(self.next).take(count) {
            let product_count = draft.catalog.products.len() + draft.created.len() + self.counts.created;
            let key = row.name.key();
            let existing = draft.find(&row.name, &key);
            // Two products of an earlier build may have the same key; a new product has its own.
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

fn check_delta(terms: &Product, delta: Quantity) -> Result<(), AdjustmentError> {
    if delta == Quantity::ZERO {
        return Err(AdjustmentError::Zero);
    }
    if delta.has_fraction() && !terms.unit.takes_fractions() {
        let (name, unit) = (terms.name.to_string(), terms.unit.clone());
        return Err(AdjustmentError::Fraction { name, unit, delta });
    }
    Ok(())
}

fn too_large(terms: &Product) -> AdjustmentError {
    AdjustmentError::BalanceTooLarge { name: terms.name.to_string(), unit: terms.unit.clone() }
}
