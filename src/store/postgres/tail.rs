//! Reads what another server has stored since, so that a server that stands by knows the shop when it takes over.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::connect::{LOOK_TIME_MAX, Link, Purpose};
use super::ends::Ends;
use super::error::{Failure, bad_value};
use super::ledger::{self, CHANGE_COLUMNS, read_change};
use super::load::{read_authors, read_product, read_terms, select_products};
use super::request_ids::RequestIds;
use super::rows::product_number;
use super::session::Session;
use super::{PostgresStore, gone};
use crate::catalog::{Balance, Catalog, Name, ProductChange, ProductId, Terms, TermsField, Transaction};
use crate::store::lease::Role;
use crate::store::{LedgerRow, StoreError};

/// The most movements of one step. A step takes a few milliseconds.
const MOVEMENTS_MAX: usize = 4096;

/// The first products, among which the examples of a first start are.
const FIRST_PRODUCTS: usize = 16;

/// The end of the list of [`select_products`]: the new products, those with changes, and those that are examples no
/// longer.
const SELECTED: &str = "AND (id > $2 OR id = ANY ($3) OR id = ANY ($4) AND NOT example)";

/// The ids of requests that were stored after a movement, or as it was the last one.
const SELECT_REQUESTS: &str = "SELECT request_id FROM request WHERE shop = $1 AND after_sequence >= $2";

impl PostgresStore {
    /// The next changes that another server has stored after those of this catalog. Their request ids are known from
    /// then on, so that a takeover need not read them.
    pub(super) fn read_tail(&mut self, catalog: &Catalog) -> Result<Option<Transaction>, StoreError> {
        self.check_open()?;
        // The lease was taken or watched at this place, so the ledger there is the present one.
        let kept_at = self.current.kept_at();
        let is_there = |link: &Link| !link.is_closed() && kept_at.is_none_or(|place| place == link.place());
        if !self.link.as_ref().is_some_and(is_there) {
            let timeline_min = self.current.timeline_min();
            let link = Link::open(&self.address, Purpose::Write { timeline_min })?;
            self.use_link(link);
        }
        let shop = self.current.shop();
        let is_elected = self.lease.role() == Role::Elected;
        let time_max = self.tail_allowance.take();
        let Self { link, address, .. } = self;
        let link = link.as_mut().ok_or_else(|| gone(address))?;
        let read = link.run(time_max, async |session| {
            session.client().batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            let read = read(session, shop, catalog).await;
            session.client().batch_execute("COMMIT").await?;
            let (ends, transaction, requests) = read?;
            // The numbers of authors are needed by a server that writes.
            let authors = match is_elected && transaction.is_none() {
                true => Some(read_authors(session, shop).await?),
                false => None,
            };
            Ok((ends, transaction, requests, authors))
        });
        let (ends, transaction, requests, authors) =
            read.map_err(|failure| failure.into_error("acompanhar", address))?;
        let known = Ends { movement: catalog.last_sequence(), change: catalog.last_change() };
        if ends.movement < known.movement || ends.change < known.change {
            return Err(self.close_for(known, ends));
        }
        self.ends = transaction.as_ref().map_or(known, |transaction| known.after(transaction));
        if let Some(authors) = authors {
            self.authors = authors;
        }
        self.request_ids.add_stored(transaction.as_ref().unwrap_or(&Transaction::default()), &requests);
        if transaction.is_none() {
            self.follow_request_ids()?;
        }
        self.confirm(catalog, transaction.is_some(), time_max.min(LOOK_TIME_MAX))?;
        self.tail_allowance.reset();
        Ok(transaction)
    }

    /// Reads the runs of request ids that another server has stored, or all ids if the shop was opened since.
    fn follow_request_ids(&mut self) -> Result<(), StoreError> {
        let (shop, last_sequence) = (self.current.shop(), self.ends.movement);
        let Self { link, address, request_ids, .. } = self;
        let link = link.as_mut().ok_or_else(|| gone(address))?;
        let followed = match request_ids.is_read() {
            true => request_ids.follow(link, shop, last_sequence),
            false => RequestIds::read(link, shop).map(|read| *request_ids = read),
        };
        followed.map_err(|failure| failure.into_error("acompanhar", address))
    }
}

/// Reads the ends, the next changes, and the ids of requests since, some of which are known. The session is in a
/// transaction, so that all is of one moment.
async fn read(
    session: &Session,
    shop: i32,
    catalog: &Catalog,
) -> Result<(Ends, Option<Transaction>, Vec<String>), Failure> {
    let ends = Ends::read(session, shop).await?;
    let requests = session.query(SELECT_REQUESTS, &[&shop, &catalog.last_sequence()]).await?;
    let requests = requests.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_, Failure>>()?;
    let products = catalog.products();
    let examples: Vec<i32> = products
        .iter()
        .take(FIRST_PRODUCTS)
        .filter(|product| product.flags.is_example())
        .map(|product| product_number(product.id))
        .collect();
    let rows = match ends.movement > catalog.last_sequence() {
        true => ledger::rows(session, shop, catalog.last_sequence() + 1, MOVEMENTS_MAX).await?,
        false => Vec::new(),
    };
    let changes = match ends.change > catalog.last_change() {
        true => read_changes(session, shop, catalog.last_change()).await?,
        false => Vec::new(),
    };
    let changed: Vec<i32> = changes.iter().map(|change| product_number(change.product)).collect();
    let last = i32::try_from(products.len()).unwrap_or(i32::MAX);
    let mut transaction = Transaction { changes, ..Transaction::default() };
    if !rows.is_empty() || !changed.is_empty() || !examples.is_empty() {
        let select = select_products(SELECTED);
        for row in session.query(&select, &[&shop, &last, &changed, &examples]).await? {
            let mut product = read_product(&row)?;
            // The movements that are read after it bring the balance.
            product.set_balance(Balance::NONE);
            let mut terms = Terms::NONE.clone();
            if let Some((_, flags, others)) = read_terms(&row, product.id)? {
                product.flags = flags.with_terms(others != *Terms::NONE);
                terms = others;
            }
            let known = products.get(product.id).and_then(|known| products.terms(known));
            if known.is_some() || terms != *Terms::NONE {
                transaction.terms.insert(product.id, Arc::new(terms));
            }
            transaction.products.push(product);
        }
    }
    add_renames(catalog, &mut transaction)?;
    add_rows(catalog, rows, &mut transaction)?;
    // A new product has its balance in itself, as in every transaction.
    for product in &mut transaction.products {
        if let Some(balance) = transaction.balances.get(&product.id) {
            product.set_balance(*balance);
        }
    }
    let has_any = !transaction.is_empty() || !transaction.changes.is_empty();
    Ok((ends, has_any.then_some(transaction), requests))
}

async fn read_changes(session: &Session, shop: i32, after: i64) -> Result<Vec<ProductChange>, Failure> {
    let select = format!(
        "SELECT {CHANGE_COLUMNS} FROM product_change WHERE shop = $1 AND number > $2 ORDER BY number"
    );
    session.query(&select, &[&shop, &after]).await?.iter().map(read_change).collect()
}

/// Adds the renames, in the order in which they were made: products may have exchanged their names. New products
/// have their last name already.
fn add_renames(catalog: &Catalog, transaction: &mut Transaction) -> Result<(), Failure> {
    let mut names: HashMap<ProductId, Name> = HashMap::new();
    for change in transaction.changes.iter().filter(|change| change.field == TermsField::Name) {
        let Some(product) = catalog.products().get(change.product) else { continue };
        let name = Name::parse(&change.new).map_err(bad_value)?;
        let before = names.get(&change.product).unwrap_or(&product.name);
        if *before != name {
            transaction.renames.push((change.product, name.clone()));
            names.insert(change.product, name);
        }
    }
    Ok(())
}

/// Adds the movements, with the balances and links that follow from them.
fn add_rows(catalog: &Catalog, rows: Vec<LedgerRow>, transaction: &mut Transaction) -> Result<(), Failure> {
    for LedgerRow { movement, document, undoes, .. } in rows {
        let sequence = movement.sequence;
        let balance = match transaction.balances.entry(movement.product) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let product = catalog.products().get(movement.product);
                entry.insert(product.map_or(Balance::NONE, |product| product.balance()))
            }
        };
        let is_taken_back = || undoes != 0 && movement.delta.thousandths() < 0;
        let stock_cost = balance.stock_cost.after(movement.cost, movement.balance, is_taken_back);
        let stock_cost = stock_cost
            .ok_or_else(|| bad_value(format!("o custo do movimento {sequence} não cabe no estoque")))?;
        *balance = Balance { stock: movement.balance, last_movement: sequence, stock_cost };
        // The first one may have begun in the rows that were read before.
        if document.count > 1 && transaction.documents.last() != Some(&document) {
            transaction.documents.push(document);
        }
        if undoes != 0 {
            transaction.undos.push(crate::catalog::Undo { undone: undoes, by: sequence });
        }
        transaction.movements.push(movement);
    }
    Ok(())
}
