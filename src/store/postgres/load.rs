//! Reads the catalog from the database.

use std::collections::HashMap;
use std::pin::pin;
use std::time::SystemTime;

use tokio_postgres::Row;
use tokio_stream::StreamExt as _;

use super::error::{Failure, bad_value};
use super::forward::{SELECT_MOVED, SELECT_UNDOING, moved};
use super::rows::{read_price, read_product_id, read_quantity};
use super::session::Session;
use crate::catalog::{
    Author, BARCODES_MAX, Barcode, Catalog, Category, Flags, Name, Product, ProductId, SHELF_LIFE_DAYS_MAX,
    ShopCode, StockCost, Terms, Unit,
};

/// The statement that reads products, with the balances that were brought forward, if they fulfil a condition.
pub(super) fn select_products(condition: &str) -> String {
    format!(
        "SELECT id, name, unit, price, coalesce(stock, 0), coalesce(last_sequence, 0), stock_cost,
                discontinued, example, code, barcodes, category, minimum, target, shelf_life_days
         FROM product_terms LEFT JOIN balance_forward ON balance_forward.shop = $1 AND product = id
         WHERE product_terms.shop = $1 {condition} ORDER BY id"
    )
}

/// The catalog of a shop, and the numbers of its authors.
pub(super) struct Loaded {
    pub(super) catalog: Catalog,
    pub(super) authors: HashMap<Author, i32>,
}

/// The flags and terms of a product that has any.
pub(super) type TermsRow = (ProductId, Flags, Terms);

/// Reads a shop while another server may write for it.
pub(super) async fn load_at_one_moment(session: &Session, shop: i32) -> Result<Option<Loaded>, Failure> {
    session.client().batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let loaded = load(session, shop).await;
    session.client().batch_execute("ROLLBACK").await?;
    loaded
}

/// Reads the catalog of a shop; `None` if the shop was never opened.
pub(super) async fn load(session: &Session, shop: i32) -> Result<Option<Loaded>, Failure> {
    let forwarded = session.query_opt("SELECT sequence FROM forwarded WHERE shop = $1", &[&shop]).await?;
    let Some(forwarded) = forwarded else { return Ok(None) };
    let forwarded: i64 = forwarded.try_get(0)?;
    // The balances are read after the movement that they cover at least.
    let (mut products, terms) = read_products(session, shop).await?;
    let (last_sequence, last_recorded_at) = replay(session, shop, forwarded, &mut products).await?;
    let last = "SELECT number, recorded_at FROM product_change WHERE shop = $1 ORDER BY number DESC LIMIT 1";
    let last_change = session.query_opt(last, &[&shop]).await?;
    let last_change =
        last_change.map(|row| Ok::<_, Failure>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
    let catalog = Catalog::load(products, last_sequence, last_recorded_at).map_err(bad_value)?;
    let catalog = catalog.with_terms(terms, last_change).map_err(bad_value)?;
    Ok(Some(Loaded { catalog, authors: read_authors(session, shop).await? }))
}

/// Reads the authors of a shop and their numbers.
pub(super) async fn read_authors(session: &Session, shop: i32) -> Result<HashMap<Author, i32>, Failure> {
    let mut authors = HashMap::new();
    for row in session.query("SELECT name, id FROM author WHERE shop = $1", &[&shop]).await? {
        authors.insert(row.try_get::<_, &str>(0)?.parse().map_err(bad_value)?, row.try_get(1)?);
    }
    Ok(authors)
}

async fn read_products(session: &Session, shop: i32) -> Result<(Vec<Product>, Vec<TermsRow>), Failure> {
    let (mut products, mut terms) = (Vec::new(), Vec::new());
    let mut rows = pin!(session.stream(&select_products(""), &[&shop]).await?);
    while let Some(row) = rows.try_next().await? {
        let product = read_product(&row)?;
        terms.extend(read_terms(&row, product.id)?);
        products.push(product);
    }
    Ok((products, terms))
}

/// Brings balances to the end of the ledger. Returns its last movement and the time of that.
async fn replay(
    session: &Session,
    shop: i32,
    forwarded: i64,
    products: &mut [Product],
) -> Result<(i64, Option<SystemTime>), Failure> {
    let last =
        "SELECT last, recorded_at FROM journal WHERE shop = $1 AND first <= $2 ORDER BY first DESC LIMIT 1";
    let row = session.query_opt(last, &[&shop, &forwarded]).await?;
    let mut end = 0;
    let mut recorded_at = None;
    if let Some(row) = row {
        (end, recorded_at) = (row.try_get(0)?, Some(row.try_get(1)?));
    }
    if end < forwarded {
        return Err(bad_value(format!("os movimentos acabam no {end}, antes do {forwarded}")));
    }
    // A row is brought forward as a whole.
    if end > forwarded {
        return Err(bad_value(format!("os saldos estão no movimento {forwarded}, no meio de uma gravação")));
    }
    let undoing = session.query(SELECT_UNDOING, &[&shop, &forwarded]).await?;
    let undoing = undoing.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>, Failure>>()?;
    let mut rows = pin!(session.stream(SELECT_MOVED, &[&shop, &forwarded, &i64::MAX]).await?);
    while let Some(row) = rows.try_next().await? {
        let first: i64 = row.try_get(0)?;
        if first != end + 1 {
            return Err(bad_value(format!("ao movimento {end} segue o {first}")));
        }
        end = row.try_get(1)?;
        recorded_at = Some(row.try_get(2)?);
        for moved in moved(&row, &undoing)? {
            let sequence = moved.sequence;
            let product = products.get_mut(moved.product.index());
            let product = product
                .ok_or_else(|| bad_value(format!("o movimento {sequence} é de um produto que não existe")))?;
            // A balance may have been brought further than the others.
            if let Some(balance) = moved.after(product.balance())? {
                product.set_balance(balance);
            }
        }
    }
    Ok((end, recorded_at))
}

pub(super) fn read_product(row: &Row) -> Result<Product, Failure> {
    let stock = read_quantity(row.try_get(4)?)?;
    let stock_cost = StockCost::of_stored(stock, row.try_get(6)?);
    Ok(Product {
        id: read_product_id(row.try_get(0)?)?,
        name: Name::parse(row.try_get(1)?).map_err(bad_value)?,
        unit: Unit::from_label(row.try_get(2)?).map_err(bad_value)?,
        price: read_price(row.try_get(3)?)?,
        stock,
        last_movement: row.try_get(5)?,
        // The flags are read together with the terms.
        flags: Flags::default(),
        stock_cost: stock_cost.ok_or_else(|| bad_value("um saldo tem um custo que não pode ser"))?,
    })
}

/// The flags and terms of a product, if it has any.
pub(super) fn read_terms(row: &Row, id: ProductId) -> Result<Option<TermsRow>, Failure> {
    let flags = Flags::default().with_discontinued(row.try_get(7)?).with_example(row.try_get(8)?);
    let barcodes: Vec<&str> = row.try_get(10)?;
    let category: Option<&str> = row.try_get(11)?;
    let shelf_life_days = u32::try_from(row.try_get::<_, i32>(14)?).ok();
    let shelf_life_days = shelf_life_days.filter(|days| *days <= SHELF_LIFE_DAYS_MAX);
    if barcodes.len() > BARCODES_MAX || shelf_life_days.is_none() {
        return Err(bad_value(format!("o produto {} tem validade ou códigos demais", id.number())));
    }
    let code = row.try_get::<_, Option<i32>>(9)?.map(|code| ShopCode::from_number(code.into()));
    let barcodes = barcodes.into_iter().map(Barcode::parse).collect::<Result<_, _>>();
    let terms = Terms {
        code: code.transpose().map_err(bad_value)?,
        barcodes: barcodes.map_err(bad_value)?,
        category: category.map(Category::parse).transpose().map_err(bad_value)?,
        minimum: read_quantity(row.try_get(12)?)?,
        target: read_quantity(row.try_get(13)?)?,
        shelf_life_days: shelf_life_days.unwrap_or_default(),
    };
    Ok((flags != Flags::default() || terms != *Terms::NONE).then_some((id, flags, terms)))
}
