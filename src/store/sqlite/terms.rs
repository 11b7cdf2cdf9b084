//! Writes and reads the products' terms, and the changes of terms.

use std::collections::HashMap;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::details::{Authors, author_id};
use super::error::bad_value;
use super::rows::{from_micros, read_id, read_quantity, to_micros};
use crate::catalog::{
    BARCODES_MAX, Barcode, Category, Flags, Name, Product, ProductChange, ProductId, SHELF_LIFE_DAYS_MAX,
    ShopCode, Terms, TermsField, Transaction,
};
use crate::store::ChangesQuery;

/// The flags and terms of a product that has any.
pub(super) type TermsRow = (ProductId, Flags, Terms);

/// Writes the created and altered products of a transaction, and the changes of their terms.
pub(super) fn write_products(connection: &Connection, transaction: &Transaction) -> rusqlite::Result<()> {
    // Most transactions change only stocks.
    if transaction.products.is_empty() {
        return Ok(());
    }
    // The renames come first, because a new product may get the old name of a renamed one.
    for (id, name) in &transaction.renames {
        rename(connection, *id, name)?;
    }
    for product in &transaction.products {
        write_product(connection, product, product.name.key().as_str())?;
    }
    for (id, terms) in &transaction.terms {
        write_terms(connection, *id, terms)?;
    }
    write_changes(connection, &transaction.changes)
}

/// Writes changes of terms.
pub(super) fn write_changes(connection: &Connection, changes: &[ProductChange]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO product_change
             (number, product_id, field, old_value, new_value, recorded_at_micros, author_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for change in changes {
        let ProductChange { number, product, field, old, new, recorded_at, author } = change;
        let (product, recorded_at) = (product.number(), to_micros(*recorded_at));
        let author = author.as_ref().map(|author| author_id(connection, author)).transpose()?;
        insert.execute(params![number, product, field.name(), old, new, recorded_at, author])?;
    }
    Ok(())
}

/// Writes a product with this key of its name.
pub(super) fn write_product(connection: &Connection, product: &Product, key: &str) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO product_terms (id, name, key, unit, price_centavos, discontinued, example)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET unit = ?4, price_centavos = ?5, discontinued = ?6, example = ?7",
    )?;
    let inserted = insert.execute(params![
        product.id.number(),
        product.name.as_str(),
        key,
        product.unit.as_str(),
        product.price.centavos(),
        product.flags.is_discontinued(),
        product.flags.is_example(),
    ]);
    inserted.map(drop)
}

/// Writes the terms of a product.
pub(super) fn write_terms(connection: &Connection, id: ProductId, terms: &Terms) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE product_terms SET code = ?2, category = ?3, minimum_thousandths = ?4, target_thousandths = ?5,
             shelf_life_days = ?6 WHERE id = ?1",
    )?;
    update.execute(params![
        id.number(),
        terms.code.map(ShopCode::number),
        terms.category.as_ref().map(Category::as_str),
        terms.minimum.thousandths(),
        terms.target.thousandths(),
        terms.shelf_life_days,
    ])?;
    connection.prepare_cached("DELETE FROM product_barcode WHERE product_id = ?1")?.execute([id.number()])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO product_barcode (product_id, place, barcode) VALUES (?1, ?2, ?3)")?;
    for (place, barcode) in terms.barcodes.iter().enumerate() {
        insert.execute(params![id.number(), place as i64, barcode.to_string()])?;
    }
    Ok(())
}

/// Writes a product's new name and its key. If other products had the same key, the first of them gets it.
fn rename(connection: &Connection, id: ProductId, name: &Name) -> rusqlite::Result<()> {
    let old = "SELECT key FROM product_terms WHERE id = ?1";
    let old: Option<String> =
        connection.prepare_cached(old)?.query_row([id.number()], |row| row.get(0)).optional()?;
    // A product that this transaction creates is written with its last name.
    let Some(old) = old else { return Ok(()) };
    let key = name.key();
    connection
        .prepare_cached("UPDATE product_terms SET name = ?2, key = ?3 WHERE id = ?1")?
        .execute(params![id.number(), name.as_str(), key.as_str()])?;
    if old == key.as_str() || old.contains('\t') {
        return Ok(());
    }
    let mut others = connection.prepare_cached(
        "UPDATE product_terms SET key = ?1
         WHERE id = (SELECT min(id) FROM product_terms WHERE key > ?1 || char(9) AND key < ?1 || char(10))",
    )?;
    others.execute([old]).map(drop)
}

/// Reads the terms of the products that have any.
pub(super) fn read_terms(connection: &Connection) -> rusqlite::Result<Vec<TermsRow>> {
    let mut barcodes = read_barcodes(connection)?;
    let mut statement = connection.prepare(
        "SELECT id, code, category, minimum_thousandths, target_thousandths, shelf_life_days, discontinued, example
         FROM product_terms
         WHERE code IS NOT NULL OR category IS NOT NULL OR minimum_thousandths <> 0 OR target_thousandths <> 0
            OR shelf_life_days <> 0 OR discontinued <> 0 OR example <> 0
            OR id IN (SELECT product_id FROM product_barcode)
         ORDER BY id",
    )?;
    let terms = statement.query_map([], |row| {
        let id = read_id(row, 0)?;
        read_row(row, id, barcodes.remove(&id).unwrap_or_default())
    })?;
    let terms = terms.collect::<rusqlite::Result<Vec<_>>>()?;
    if let Some(id) = barcodes.keys().next() {
        return Err(bad_value(0, format!("há códigos do produto {}, que não existe", id.number())));
    }
    Ok(terms)
}

/// Reads the number and the time of the last change of terms.
pub(super) fn read_last_change(connection: &Connection) -> rusqlite::Result<Option<(i64, SystemTime)>> {
    let last = "SELECT number, recorded_at_micros FROM product_change ORDER BY number DESC LIMIT 1";
    connection.query_row(last, [], |row| Ok((row.get(0)?, from_micros(row.get(1)?)))).optional()
}

fn read_row(row: &Row<'_>, id: ProductId, barcodes: Vec<Barcode>) -> rusqlite::Result<TermsRow> {
    let code: Option<i64> = row.get(1)?;
    let category: Option<String> = row.get(2)?;
    let shelf_life_days: u32 = row.get(5)?;
    if shelf_life_days > SHELF_LIFE_DAYS_MAX || barcodes.len() > BARCODES_MAX {
        return Err(bad_value(5, format!("o produto {} tem validade ou códigos demais", id.number())));
    }
    let category = category.map(|category| Category::parse(&category)).transpose();
    let terms = Terms {
        code: code.map(ShopCode::from_number).transpose().map_err(|error| bad_value(1, error))?,
        barcodes,
        category: category.map_err(|error| bad_value(2, error))?,
        minimum: read_quantity(row, 3)?,
        target: read_quantity(row, 4)?,
        shelf_life_days,
    };
    let flags = Flags::default().with_discontinued(row.get(6)?).with_example(row.get(7)?);
    Ok((id, flags, terms))
}

fn read_barcodes(connection: &Connection) -> rusqlite::Result<HashMap<ProductId, Vec<Barcode>>> {
    let mut barcodes: HashMap<ProductId, Vec<Barcode>> = HashMap::new();
    let mut statement =
        connection.prepare("SELECT product_id, barcode FROM product_barcode ORDER BY product_id, place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let barcode: String = row.get(1)?;
        let barcode = Barcode::parse(&barcode).map_err(|error| bad_value(1, error))?;
        barcodes.entry(read_id(row, 0)?).or_default().push(barcode);
    }
    Ok(barcodes)
}

/// The columns that [`read_change`] reads.
pub(super) const CHANGE_COLUMNS: &str =
    "number, product_id, field, old_value, new_value, recorded_at_micros, author_id";

/// The changes of a query, newest first. The index of a product's changes has them in the order of their numbers.
pub(super) fn select_changes(
    connection: &Connection,
    query: &ChangesQuery,
) -> rusqlite::Result<Vec<ProductChange>> {
    let ChangesQuery { product, lowest, before, count_max } = *query;
    let of_product = if product.is_some() { "product_id = ?4 AND" } else { "?4 IS NULL AND" };
    let statement = format!(
        "SELECT {CHANGE_COLUMNS} FROM product_change
         WHERE {of_product} number >= ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&statement)?;
    let product = product.map(ProductId::number);
    let mut authors = Authors::new(connection);
    let changes = statement.query_map(params![lowest, before, count_max as i64, product], |row| {
        read_change(row, &mut authors)
    })?;
    changes.collect()
}

pub(super) fn read_change(row: &Row<'_>, authors: &mut Authors<'_>) -> rusqlite::Result<ProductChange> {
    let field: String = row.get(2)?;
    Ok(ProductChange {
        number: row.get(0)?,
        product: read_id(row, 1)?,
        field: TermsField::by_name(&field).ok_or_else(|| bad_value(2, format!("unknown field {field:?}")))?,
        old: row.get(3)?,
        new: row.get(4)?,
        recorded_at: from_micros(row.get(5)?),
        author: authors.read(row, 6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Draft, TermsUpdate, original_products};
    use crate::store::Store;
    use crate::store::sqlite::{SqliteStore, verify};

    fn name(text: &str) -> TermsUpdate {
        TermsUpdate { name: Some(Name::parse(text).unwrap()), ..TermsUpdate::default() }
    }

    #[test]
    fn terms_are_stored_and_every_change_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let mut store = SqliteStore::open(&path, 8082).unwrap();
        let mut catalog = Catalog::default();
        let mut opening = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        opening.import(&original_products(), None).unwrap();
        opening.mark_examples();
        let opening = opening.finish();
        store.create(&opening).unwrap();
        catalog.apply(&opening);
        let id = |number| ProductId::from_number(number).unwrap();
        let coded = TermsUpdate {
            code: Some(ShopCode::from_number(123).ok()),
            barcodes: Some(["4011", "0614141007349"].map(|text| Barcode::parse(text).unwrap()).to_vec()),
            category: Some(Category::parse("Frutas").ok()),
            shelf_life_days: Some(3),
            ..name("Cajá")
        };
        let moved = TermsUpdate { code: Some(None), is_discontinued: Some(true), ..name("Caju seco") };
        let taken = TermsUpdate { code: coded.code, ..name("Cajá") };
        for updates in
            [vec![(4, coded)], vec![(4, moved), (1, taken)], vec![(2, name("Maca")), (2, name("PERA"))]]
        {
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            for (product, update) in updates {
                draft.update(id(product), &update, "balcao".parse().ok().as_ref()).unwrap();
            }
            let changes = draft.finish();
            assert!(!store.holds(&changes).unwrap());
            store.commit(&changes, crate::store::Wait::ForOthers).unwrap();
            assert!(store.holds(&changes).unwrap());
            catalog.apply(&changes);
            assert!(store.load().unwrap().unwrap() == catalog);
            verify(&path, &mut |_, _, _| {}).unwrap();
        }
        // The check finds changes of another program.
        for (change, told) in [
            ("UPDATE product_terms SET shelf_life_days = 4 WHERE id = 4", "shelf_life_days"),
            ("UPDATE product_change SET old_value = 'x' WHERE number = 12", "mudança de cadastro 12"),
            ("DELETE FROM product_change WHERE number = 2", "mudança de cadastro 2"),
            ("UPDATE product_terms SET code = 123 WHERE id = 3", "mesmo código"),
            ("INSERT INTO product_barcode VALUES (9, 0, '4012')", "produto 9"),
        ] {
            let copy = folder.path().join("copia.db");
            crate::store::sqlite::back_up(&path, &copy, true, &mut |_, _, _| {}).unwrap();
            let change = format!("PRAGMA foreign_keys = OFF; {change}");
            Connection::open(&copy).unwrap().execute_batch(&change).unwrap();
            let refused = verify(&copy, &mut |_, _, _| {}).unwrap_err().to_string();
            assert!(refused.contains(told), "{change}: {refused}");
        }
    }
}
