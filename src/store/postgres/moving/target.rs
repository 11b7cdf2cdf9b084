//! A shop that is moved into a database: one transaction, which other programs see as a whole or not at all.
//!
//! The journal is copied (`COPY`), because a ledger of single changes has as many rows as movements; all else is
//! written as a commit writes it.

use std::collections::HashMap;
use std::pin::pin;

use tokio_postgres::binary_copy::BinaryCopyInWriter;

use super::MOVE_TIME_MAX;
use crate::catalog::{Author, Catalog, Name, ProductChange, Transaction};
use crate::store::StoreError;
use crate::store::check::{KeptRequest, Moment};
use crate::store::moving::{Source, Target};
use crate::store::postgres::address::Address;
use crate::store::postgres::commit::{Commit, Statements};
use crate::store::postgres::connect::{LOOK_TIME_MAX, Link, Purpose};
use crate::store::postgres::error::{Failure, bad_value};
use crate::store::postgres::forward::write_balances;
use crate::store::postgres::journal::{COLUMNS, JournalRow, rows};
use crate::store::postgres::moment::PostgresMoment;
use crate::store::postgres::session::{Session, Value};
use crate::store::postgres::{migrate, pooler, shop};

/// Products that one statement writes.
const PRODUCTS_AT_ONCE: usize = 10_000;

/// Most movements of a row of the journal, unless a document needs more: the engine reads all arrays of a row for one
/// of its movements. Longer rows take no less room.
const ROW_MOVEMENTS_MAX: usize = 256;

/// An open transaction that makes a shop.
pub(crate) struct PostgresTarget {
    address: Address,
    link: Link,
    shop: i32,
    epoch: i64,
    statements: Statements,
    authors: HashMap<Author, i32>,
    last_sequence: i64,
}

impl PostgresTarget {
    /// Begins a shop in a database, whose tables are made if it has none.
    ///
    /// # Errors
    /// If the database has a shop of this name already, or cannot be changed.
    pub(crate) fn begin(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let mut link = pooler::open_unmixed(&address, Purpose::Write { timeline_min: 0 })?;
        migrate::migrate(&mut link, &address)?;
        migrate::wait_for_standbys(&mut link, &address)?;
        let begun = link.run(LOOK_TIME_MAX, async |session| begin(session, address.shop()).await);
        let Some((shop, epoch)) = begun.map_err(|failure| failure.into_error("preparar", &address))? else {
            let reason = format!("já tem a loja {}; escolha outro nome em shop=", address.shop());
            return Err(StoreError::Unfit { database: address.to_string(), reason });
        };
        let (statements, authors) = (Statements::default(), HashMap::new());
        Ok(Self { address, link, shop, epoch, statements, authors, last_sequence: 0 })
    }

    fn run<T>(&mut self, act: impl AsyncFnOnce(&Session) -> Result<T, Failure>) -> Result<T, StoreError> {
        let done = self.link.run(MOVE_TIME_MAX, act);
        done.map_err(|failure| failure.into_error("mudar", &self.address))
    }

    /// Writes a transaction as a commit does, but for the journal. Returns the numbers of its authors.
    fn commit(
        &mut self,
        transaction: &Transaction,
        is_opening: bool,
    ) -> Result<HashMap<Author, i32>, StoreError> {
        let place = (self.shop, self.epoch, self.last_sequence);
        let (commit, authors) = Commit::beside_journal(transaction, place, &self.authors, is_opening);
        let Self { link, address, statements, .. } = self;
        let sent = link.run(MOVE_TIME_MAX, async |session| commit.send(session, statements).await);
        sent.map_err(|failure| failure.into_error("mudar", address))?;
        self.authors.extend(commit.new_authors);
        Ok(authors)
    }
}

/// Registers the shop in a transaction, and takes its lease. Returns its number and the epoch; `None` if the shop was
/// opened before.
async fn begin(session: &Session, name: &Name) -> Result<Option<(i32, i64)>, Failure> {
    session.client().batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let number = shop::register(session, name).await?;
    // Before the lease is asked for, which the source has locked if it is the same shop.
    if is_open(session, number).await? {
        return Ok(None);
    }
    // From here on no server can take the lease, or open the shop.
    let take = "UPDATE lease SET epoch = epoch + 1, beat = 0, holder = '', address = '' WHERE shop = $1
         RETURNING epoch";
    let epoch = session.query_one(take, &[&number]).await?.try_get(0)?;
    Ok((!is_open(session, number).await?).then_some((number, epoch)))
}

/// Whether a server has opened the shop.
async fn is_open(session: &Session, shop: i32) -> Result<bool, Failure> {
    Ok(session.query_opt("SELECT 1 FROM forwarded WHERE shop = $1", &[&shop]).await?.is_some())
}

impl Source for PostgresTarget {
    fn moment(&mut self) -> Result<Box<dyn Moment + '_>, StoreError> {
        Ok(Box::new(PostgresMoment::inside(&mut self.link, &self.address, self.shop)))
    }

    fn corrupt(&self, reason: String) -> StoreError {
        StoreError::Corrupt { path: self.address.to_string(), reason }
    }
}

impl Target for PostgresTarget {
    fn add_products(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        self.commit(&Transaction::default(), true)?;
        let all: Vec<_> = catalog.products().iter().cloned().collect();
        for products in all.chunks(PRODUCTS_AT_ONCE) {
            let terms = |product| Some((product, catalog.products().terms(product)?));
            let terms = products.iter().filter_map(terms).map(|(product, terms)| (product.id, terms.clone()));
            let (products, terms) = (products.to_vec(), terms.collect());
            self.commit(&Transaction { products, terms, ..Transaction::default() }, false)?;
        }
        Ok(())
    }

    fn add_changes(&mut self, changes: Vec<ProductChange>) -> Result<(), StoreError> {
        self.commit(&Transaction { changes, ..Transaction::default() }, false).map(drop)
    }

    fn add_requests(&mut self, requests: Vec<KeptRequest>) -> Result<(), StoreError> {
        let ids: Vec<&str> = requests.iter().map(|request| request.record.request_id.as_str()).collect();
        let digests: Vec<i64> = requests.iter().map(|request| request.record.digest.cast_signed()).collect();
        let results: Vec<&[u8]> = requests.iter().map(|request| request.record.result.as_slice()).collect();
        let after: Vec<i64> = requests.iter().map(|request| request.after_sequence).collect();
        let shop = self.shop;
        let insert = "INSERT INTO request (shop, request_id, digest, result, after_sequence)
             SELECT $1, * FROM unnest($2::text[], $3::int8[], $4::bytea[], $5::int8[])";
        self.run(async |session| {
            session.execute(insert, &[&shop, &ids, &digests, &results, &after]).await.map(drop)
        })
    }

    fn add_movements(&mut self, movements: Transaction) -> Result<(), StoreError> {
        let authors = self.commit(&movements, false)?;
        let (shop, epoch) = (self.shop, self.epoch);
        self.run(async |session| copy_journal(session, (shop, epoch), &movements, &authors).await)?;
        self.last_sequence = movements.movements.last().map_or(self.last_sequence, |last| last.sequence);
        Ok(())
    }

    fn add_balances(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        let balances = catalog.products().iter().map(|product| (product.id, product.balance())).collect();
        let (shop, through) = (self.shop, catalog.last_sequence());
        self.run(async |session| {
            write_balances(session, shop, &balances).await?;
            let forward = "UPDATE forwarded SET sequence = $2 WHERE shop = $1";
            session.execute(forward, &[&shop, &through]).await.map(drop)
        })
    }

    fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let failed = |failure: Failure, address: &Address| match failure {
            Failure::Lost(reason) => StoreError::Failed {
                action: "terminar de mudar",
                path: address.to_string(),
                reason: format!(
                    "{reason}. Não se sabe se a loja ficou lá; confira com `hortifruti verify` antes de repetir"
                ),
            },
            failure => failure.into_error("mudar", address),
        };
        let shop = self.shop;
        let commit = async |session: &Session| Ok(session.client().batch_execute("COMMIT").await?);
        self.link.change(MOVE_TIME_MAX, commit).map_err(|failure| failed(failure, &self.address))?;
        // An engine that had undone the transaction answers the commit as if nothing was wrong.
        let look = async |session: &_| is_open(session, shop).await;
        match self.link.run(MOVE_TIME_MAX, look).map_err(|failure| failed(failure, &self.address))? {
            true => Ok(()),
            false => {
                let undone = bad_value("o banco desfez a gravação");
                Err(undone.into_error("mudar", &self.address))
            }
        }
    }
}

/// Copies movements into the journal.
async fn copy_journal(
    session: &Session,
    (shop, epoch): (i32, i64),
    movements: &Transaction,
    authors: &HashMap<Author, i32>,
) -> Result<(), Failure> {
    let columns = format!("SELECT shop, epoch, {COLUMNS} FROM journal");
    let types: Vec<_> =
        session.prepared(&columns).await?.columns().iter().map(|column| column.type_().clone()).collect();
    let copy = format!("COPY journal (shop, epoch, {COLUMNS}) FROM STDIN (FORMAT binary)");
    let sink = session.client().copy_in(&copy).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    let mut documents = &movements.documents[..];
    for row in rows(&movements.movements, &movements.documents, ROW_MOVEMENTS_MAX) {
        let Some(last) = row.last().map(|movement| movement.sequence) else { continue };
        let own = documents.partition_point(|document| document.first_sequence <= last);
        let (own, rest) = documents.split_at(own);
        documents = rest;
        let Some(row) = JournalRow::of(row, own, authors) else { continue };
        let mut values: Vec<Value<'_>> = vec![Box::new(shop), Box::new(epoch)];
        values.extend(row.values());
        writer.as_mut().write_raw(values).await?;
    }
    writer.finish().await?;
    Ok(())
}
