//! Changes that are accepted but not durable yet, on top of a catalog that does not show them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::fast::FixedState;

use super::Catalog;
use super::adjustment::Adjustment;
use super::author::Author;
use super::balance::Balance;
use super::code::CodeValue;
use super::key::Key;
use super::look_alikes::LookAlikes;
use super::movement::Movement;
use super::name::Name;
use super::price::Price;
use super::product::{Product, ProductId};
use super::product_change::{ProductChange, differences};
use super::quantity::Quantity;
use super::rules::cost::Costed;
use super::terms::Terms;
use super::transaction::{Balances, Document, RequestRecord, Transaction, Undo};

/// The changes accepted so far. The modules of `rules` decide which changes are accepted.
pub struct Draft<'c> {
    pub(super) catalog: &'c Catalog,
    now: SystemTime,
    pub(super) products: HashMap<ProductId, Product>,
    /// How many of the products are new.
    pub(super) created: usize,
    /// The products of this draft by the keys of their new names.
    names: HashMap<Key, ProductId>,
    renames: Vec<(ProductId, Name)>,
    terms: HashMap<ProductId, Arc<Terms>, FixedState>,
    /// The product of each code that changed hands; `None` for a code that was removed.
    codes: HashMap<CodeValue, Option<ProductId>>,
    changes: Vec<ProductChange>,
    pub(super) balances: Balances,
    pub(super) movements: Vec<Movement>,
    documents: Vec<Document>,
    pub(super) undos: Vec<Undo>,
    requests: Vec<RequestRecord>,
}

impl<'c> Draft<'c> {
    /// A draft without changes. All movements and changes of terms of a draft have the same time: `now`, or that of
    /// the last ones if the clock was set back. The time is cut to whole microseconds, as a store keeps it,
    /// because a retry must be answered with the same time.
    pub fn new(catalog: &'c Catalog, now: SystemTime) -> Self {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let micros = Duration::new(since_epoch.as_secs(), since_epoch.subsec_micros() * 1000);
        let now = SystemTime::UNIX_EPOCH + micros;
        Self {
            catalog,
            now: catalog.last_time().map_or(now, |last| last.max(now)),
            products: HashMap::new(),
            created: 0,
            names: HashMap::new(),
            renames: Vec::new(),
            terms: HashMap::default(),
            codes: HashMap::new(),
            changes: Vec::new(),
            balances: Balances::default(),
            movements: Vec::new(),
            documents: Vec::new(),
            undos: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// The product's name, price and unit in this draft. The stock may be older: see
    /// [`balance`](Self::balance).
    pub(super) fn terms(&self, id: ProductId) -> &Product {
        if let Some(product) = self.products.get(&id) {
            return product;
        }
        self.catalog.products.get(id).expect("an id comes from this catalog, and no product is ever removed")
    }

    /// The balance of the product with these terms after the changes accepted so far.
    pub(super) fn balance(&self, terms: &Product) -> Balance {
        self.balances.get(&terms.id).copied().unwrap_or_else(|| terms.balance())
    }

    /// The product after the changes accepted so far.
    pub fn product(&self, id: ProductId) -> Product {
        let mut product = self.terms(id).clone();
        product.set_balance(self.balance(&product));
        product
    }

    /// The product with this name; if there is none, one with this key.
    pub(super) fn find(&self, name: &Name, key: &Key) -> Option<ProductId> {
        let is_renamed = |id: &ProductId| {
            let was = self.catalog.products.get(*id).map(|product| &product.name);
            self.products.get(id).is_some_and(|product| Some(&product.name) != was)
        };
        let first = self.catalog.id_of_name(name, key);
        let found = match first.filter(is_renamed) {
            None => first,
            // The first of the products with the renamed product's key takes its place.
            Some(renamed) => {
                let pairs = self.catalog.look_alikes.iter().filter(|pair| pair.first() == renamed);
                pairs.map(LookAlikes::second).filter(|second| !is_renamed(second)).min()
            }
        };
        let given = || self.names.get(key).copied().filter(|id| self.terms(*id).name.key() == *key);
        found.or_else(given)
    }

    /// The product with a code of this value.
    pub(super) fn find_code(&self, value: CodeValue) -> Option<ProductId> {
        self.codes.get(&value).copied().unwrap_or_else(|| self.catalog.id_of_code(value))
    }

    /// The terms of a product beyond name, unit and price.
    pub fn other_terms(&self, id: ProductId) -> &Terms {
        let own = self.terms.get(&id);
        own.or_else(|| self.catalog.products.terms(self.terms(id))).map_or(Terms::NONE, Arc::as_ref)
    }

    /// Adds a product.
    pub(super) fn create(&mut self, key: Key, product: Product, terms: Terms) {
        self.created += 1;
        self.names.insert(key, product.id);
        self.put(product, Terms::NONE, terms);
    }

    /// Gives an existing product other terms, and notes the changed fields.
    pub(super) fn alter(&mut self, product: Product, terms: Terms, author: Option<&Author>) {
        let (before, terms_before) = (self.product(product.id), self.other_terms(product.id).clone());
        if before.name != product.name {
            self.names.insert(product.name.key(), product.id);
            self.renames.push((product.id, product.name.clone()));
        }
        for (field, old, new) in differences((&before, &terms_before), (&product, &terms)) {
            let number = self.next_change();
            let (product, recorded_at) = (product.id, self.now);
            let author = author.cloned();
            self.changes.push(ProductChange { number, product, field, old, new, recorded_at, author });
        }
        self.put(product, &terms_before, terms);
    }

    /// The number that the next change of terms gets.
    pub fn next_change(&self) -> i64 {
        self.catalog.last_change + 1 + self.changes.len() as i64
    }

    /// Marks the products that this draft creates as examples.
    pub fn mark_examples(&mut self) {
        self.products.values_mut().for_each(|product| product.flags = product.flags.with_example(true));
    }

    fn put(&mut self, mut product: Product, terms_before: &Terms, terms: Terms) {
        product.flags = product.flags.with_terms(terms != *Terms::NONE);
        if terms != *terms_before {
            self.codes.extend(terms_before.code_values().into_iter().map(|value| (value, None)));
            self.codes.extend(terms.code_values().into_iter().map(|value| (value, Some(product.id))));
            self.terms.insert(product.id, Arc::new(terms));
        }
        self.products.insert(product.id, product);
    }

    /// The changes of terms accepted so far.
    pub fn changes(&self) -> &[ProductChange] {
        &self.changes
    }

    /// The time of this draft's movements and changes of terms.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// The sequence number of the last movement before this draft.
    pub fn published(&self) -> i64 {
        self.catalog.last_sequence
    }

    /// The balance of a product before this draft.
    pub fn published_balance(&self, id: ProductId) -> Balance {
        let product = self.catalog.products.get(id);
        product.map_or(Balance::NONE, Product::balance)
    }

    /// The movement that this draft's movement undoes; 0 for none.
    pub fn undoes(&self, sequence: i64) -> i64 {
        self.undos.iter().find(|undo| undo.by == sequence).map_or(0, |undo| undo.undone)
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

    /// Notes a request that was accepted and has an id.
    pub fn record_request(&mut self, record: RequestRecord) {
        self.requests.push(record);
    }

    /// Notes that the movements from `first_sequence` to the last are one document, if there are several.
    pub(super) fn note_document(&mut self, first_sequence: i64) {
        let count = self.next_sequence() - first_sequence;
        if count > 1 {
            self.documents.push(Document { first_sequence, count });
        }
    }

    /// Appends a movement that changes its product's balance from `before` to `stock`.
    pub(super) fn record(
        &mut self,
        adjustment: &Adjustment,
        before: Balance,
        stock: Quantity,
        price: Price,
        cost: Costed,
    ) -> &Movement {
        let movement = Movement {
            sequence: self.next_sequence(),
            product: adjustment.product,
            kind: adjustment.kind,
            delta: adjustment.delta,
            balance: stock,
            price,
            recorded_at: self.now,
            previous: before.last_movement,
            request_id: adjustment.request_id.clone(),
            cost: cost.movement,
            author: adjustment.author.clone(),
            details: adjustment.details.clone(),
        };
        let balance = Balance { stock, last_movement: movement.sequence, stock_cost: cost.stock };
        self.balances.insert(movement.product, balance);
        self.movements.push_mut(movement)
    }

    /// The transaction of all accepted changes.
    pub fn finish(self) -> Transaction {
        let mut products: Vec<Product> = self.products.into_values().collect();
        products.sort_unstable_by_key(|product| product.id);
        for product in &mut products {
            if let Some(balance) = self.balances.get(&product.id) {
                product.set_balance(*balance);
            }
        }
        Transaction {
            products,
            terms: self.terms,
            renames: self.renames,
            changes: self.changes,
            balances: self.balances,
            movements: self.movements,
            documents: self.documents,
            undos: self.undos,
            requests: self.requests,
        }
    }
}
