//! Rows that most movements do not have: their details, and the names of their authors.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::bad_value;
use crate::catalog::{Amount, Author, Details, Key, LossReason, Movement, Purchase, Quantity, parse_expiry};
use crate::store::check::has_purchase_row;

const SELECT_DETAIL: &str = "SELECT amount_centavos, loss_reason, note, sequence FROM movement_detail WHERE sequence BETWEEN ?1 AND ?2";

/// The purchases that have any detail.
const SELECT_PURCHASE: &str =
    "SELECT supplier, lot, expires_on, invoice, item, pack_thousandths, sequence FROM purchase
     WHERE sequence BETWEEN ?1 AND ?2
       AND coalesce(supplier, lot, expires_on, invoice, item, pack_thousandths) IS NOT NULL";

/// Writes the details of movements that have any, and a row for each purchase.
pub(super) fn write_details(connection: &Connection, movements: &[Movement]) -> rusqlite::Result<()> {
    for movement in movements {
        let Movement { sequence, product, kind, delta, details, .. } = movement;
        if let Some(details) = details {
            write_detail(connection, *sequence, details)?;
        }
        if has_purchase_row(*kind, *delta) {
            let purchase = details.as_ref().and_then(|details| details.purchase.as_ref());
            let supplier = purchase.and_then(|purchase| purchase.supplier.as_ref());
            let mut insert = connection.prepare_cached(
                "INSERT INTO purchase (sequence, product_id, supplier, supplier_key, lot, expires_on, invoice,
                                       item, pack_thousandths)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            insert.execute(params![
                sequence,
                product.number(),
                supplier.map(|supplier| supplier.as_str()),
                supplier.map(|supplier| Key::fold(supplier.as_str()).as_str().to_owned()),
                purchase.and_then(|purchase| purchase.lot.as_ref()).map(|lot| lot.as_str()),
                purchase.and_then(|purchase| purchase.expires_on).map(|date| date.to_string()),
                purchase.and_then(|purchase| purchase.invoice.as_ref()).map(|key| key.as_str()),
                purchase.and_then(|purchase| purchase.item.as_ref()).map(|item| item.as_str()),
                purchase.and_then(|purchase| purchase.pack).map(Quantity::thousandths),
            ])?;
        }
    }
    Ok(())
}

fn write_detail(connection: &Connection, sequence: i64, details: &Details) -> rusqlite::Result<()> {
    let Details { amount, loss_reason, note, purchase: _ } = details;
    if amount.is_none() && loss_reason.is_none() && note.is_none() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO movement_detail (sequence, amount_centavos, loss_reason, note) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let insert = insert.execute(params![
        sequence,
        amount.map(Amount::centavos),
        loss_reason.map(LossReason::word),
        note.as_ref().map(|note| note.as_str()),
    ]);
    insert.map(drop)
}

/// Adds the details of a movement to it.
pub(super) fn with_details(connection: &Connection, mut movement: Movement) -> rusqlite::Result<Movement> {
    let sequence = movement.sequence;
    let detail =
        connection.prepare_cached(SELECT_DETAIL)?.query_row([sequence; 2], read_detail).optional()?;
    let mut details = detail.unwrap_or_default();
    if has_purchase_row(movement.kind, movement.delta) {
        let mut purchase = connection.prepare_cached(SELECT_PURCHASE)?;
        details.purchase = purchase.query_row([sequence; 2], read_purchase).optional()?;
    }
    movement.details = details.boxed();
    Ok(movement)
}

/// Reads the details of the movements of a range that have any.
pub(super) fn details_between(
    connection: &Connection,
    first: i64,
    last: i64,
) -> rusqlite::Result<HashMap<i64, Details, RandomState>> {
    let mut found = HashMap::default();
    let mut details = connection.prepare_cached(SELECT_DETAIL)?;
    for detail in details.query_map([first, last], |row| Ok((row.get(3)?, read_detail(row)?)))? {
        let (sequence, detail): (i64, Details) = detail?;
        found.insert(sequence, detail);
    }
    let mut purchases = connection.prepare_cached(SELECT_PURCHASE)?;
    for purchase in purchases.query_map([first, last], |row| Ok((row.get(6)?, read_purchase(row)?)))? {
        let (sequence, purchase): (i64, Purchase) = purchase?;
        found.entry(sequence).or_default().purchase = Some(purchase);
    }
    Ok(found)
}

fn read_detail(row: &Row<'_>) -> rusqlite::Result<Details> {
    let amount: Option<i64> = row.get(0)?;
    let amount =
        amount.map(|centavos| Amount::from_centavos(centavos).ok_or_else(|| bad_value(0, "below zero")));
    let loss_reason: Option<String> = row.get(1)?;
    let loss_reason = loss_reason.map(|word| {
        LossReason::from_word(&word).ok_or_else(|| bad_value(1, format!("unknown reason {word:?}")))
    });
    Ok(Details {
        amount: amount.transpose()?,
        loss_reason: loss_reason.transpose()?,
        note: read_text(row, 2)?,
        purchase: None,
    })
}

pub(super) fn read_purchase(row: &Row<'_>) -> rusqlite::Result<Purchase> {
    let expires_on: Option<String> = row.get(2)?;
    let expires_on = expires_on.map(|text| parse_expiry(&text).map_err(|error| bad_value(2, error)));
    let pack: Option<i64> = row.get(5)?;
    let pack = pack.map(|pack| Quantity::from_thousandths(pack).map_err(|error| bad_value(5, error)));
    Ok(Purchase {
        supplier: read_text(row, 0)?,
        lot: read_text(row, 1)?,
        expires_on: expires_on.transpose()?,
        invoice: read_text(row, 3)?,
        item: read_text(row, 4)?,
        pack: pack.transpose()?,
    })
}

fn read_text<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.get(index)?;
    text.map(|text| text.parse().map_err(|error| bad_value(index, Box::new(error)))).transpose()
}

/// The number of an author, if there is one of this name.
pub(super) fn find_author(connection: &Connection, author: &Author) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM author WHERE name = ?1")?;
    select.query_row([author.as_str()], |row| row.get(0)).optional()
}

/// The number of an author. An unknown author is added.
pub(super) fn author_id(connection: &Connection, author: &Author) -> rusqlite::Result<i64> {
    if let Some(id) = find_author(connection, author)? {
        return Ok(id);
    }
    let mut insert = connection.prepare_cached("INSERT INTO author (name) VALUES (?1) RETURNING id")?;
    insert.query_row([author.as_str()], |row| row.get(0))
}

/// A cache of the authors of movements, so that each is looked up once.
pub(super) struct Authors<'c> {
    connection: &'c Connection,
    known: HashMap<i64, Author>,
}

impl<'c> Authors<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    /// The author whose number is in this column, if there is one.
    pub(super) fn read(&mut self, row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Author>> {
        let Some(id) = row.get::<_, Option<i64>>(index)? else { return Ok(None) };
        if let Some(author) = self.known.get(&id) {
            return Ok(Some(author.clone()));
        }
        let mut select = self.connection.prepare_cached("SELECT name FROM author WHERE id = ?1")?;
        let name: Option<String> = select.query_row([id], |row| row.get(0)).optional()?;
        let name =
            name.ok_or_else(|| bad_value(index, format!("há um movimento sem o seu autor, o {id}")))?;
        let author: Author = name.parse().map_err(|error| bad_value(index, Box::new(error)))?;
        self.known.insert(id, author.clone());
        Ok(Some(author))
    }
}
