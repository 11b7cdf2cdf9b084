//! The commit of one transaction: one prepared statement, which the engine stores as a whole or not at all.
//!
//! There is no BEGIN and no COMMIT, so a commit is one round trip, and no error before a COMMIT can be overlooked.
//! The statement has a part for each table that the transaction writes. Most transactions only write a row of the
//! journal, and large ones some rows. If a transaction has no movements, the main query of its statement checks the epoch, as the guard of the
//! journal does otherwise.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use tokio_postgres::types::ToSql;

use super::error::Failure;
use super::journal::{self, COLUMNS, COMMIT_ROW_MOVEMENTS_MAX, JournalRow};
use super::rows::product_number;
use super::session::{Session, Value};
use crate::catalog::{
    Author, Category, Key, Kind, Movement, Product, ProductChange, Quantity, ShopCode, Terms, Transaction,
};

/// How long a commit may take. A commit waits for the standbys, and a part of the network that is gone answers
/// nothing.
pub(super) const COMMIT_TIME_MAX: Duration = Duration::from_millis(1500);

/// Rows for each second that a large commit, as of a price list, may take beyond that.
const ROWS_PER_SECOND: usize = 5_000;

/// The parts of a statement, in the order in which they are written. The journal comes last, as the main query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Opening,
    OpeningIds,
    Authors,
    Products,
    ProductsWithTerms,
    Changes,
    Purchases,
    Undos,
    Requests,
    Journal,
    JournalRows,
}

/// A transaction as the parameters of a statement.
pub(super) struct Commit<'t> {
    parts: Vec<Part>,
    /// The shop, the epoch, and the parameters of each part.
    values: Vec<Value<'t>>,
    /// The authors that the transaction adds.
    pub(super) new_authors: HashMap<Author, i32>,
    rows: usize,
    /// The rows that the statement reports.
    main_rows: u64,
}

/// The texts of the statements, by the marks of their parts.
#[derive(Default)]
pub(super) struct Statements(HashMap<u16, String>);

impl<'t> Commit<'t> {
    /// The commit of a transaction that follows the movement `end`. `is_opening` says that it is the first one of a
    /// new shop.
    pub(super) fn new(
        transaction: &'t Transaction,
        place: (i32, i64, i64),
        authors: &HashMap<Author, i32>,
        is_opening: bool,
    ) -> Self {
        let (mut this, by) = Self::beside_journal(transaction, place, authors, is_opening);
        this.add_journal(transaction, &by);
        this
    }

    fn add_journal(&mut self, transaction: &'t Transaction, by: &HashMap<Author, i32>) {
        let Transaction { movements, documents, .. } = transaction;
        let Some(mut row) = JournalRow::of(movements, documents, by) else { return };
        let rows = journal::rows(movements, documents, COMMIT_ROW_MOVEMENTS_MAX);
        if rows.len() == 1 {
            self.add(Part::Journal, row.values());
        } else {
            self.main_rows = rows.len() as u64;
            let cuts = row.cut(&rows, documents);
            self.add(Part::JournalRows, row.values().into_iter().chain(cuts));
        }
    }

    /// The commit of all rows but those of the journal, with the numbers of the authors of the transaction.
    pub(super) fn beside_journal(
        transaction: &'t Transaction,
        (shop, epoch, end): (i32, i64, i64),
        authors: &HashMap<Author, i32>,
        is_opening: bool,
    ) -> (Self, HashMap<Author, i32>) {
        let Transaction { products, movements, changes, undos, requests, .. } = transaction;
        let mut this = Self {
            parts: Vec::new(),
            values: vec![Box::new(shop), Box::new(epoch)],
            new_authors: HashMap::new(),
            rows: products.len() + movements.len() + changes.len() + requests.len(),
            main_rows: 1,
        };
        if is_opening {
            this.parts.extend([Part::Opening, Part::OpeningIds]);
        }
        let by = this.add_authors(transaction, authors);
        this.add_products(transaction);
        if !changes.is_empty() {
            this.add_changes(changes, &by);
        }
        this.add_purchases(movements);
        if !undos.is_empty() {
            let (undone, by): (Vec<i64>, Vec<i64>) = undos.iter().map(|undo| (undo.undone, undo.by)).unzip();
            this.add(Part::Undos, [Box::new(undone) as Value<'t>, Box::new(by)]);
        }
        if !requests.is_empty() {
            let ids: Vec<&str> = requests.iter().map(|request| request.request_id.as_str()).collect();
            let digests: Vec<i64> = requests.iter().map(|request| request.digest.cast_signed()).collect();
            let results: Vec<&[u8]> = requests.iter().map(|request| request.result.as_slice()).collect();
            let after = movements.last().map_or(end, |movement| movement.sequence);
            let values: [Value<'t>; 4] =
                [Box::new(after), Box::new(ids), Box::new(digests), Box::new(results)];
            this.add(Part::Requests, values);
        }
        (this, by)
    }

    fn add(&mut self, part: Part, values: impl IntoIterator<Item = Value<'t>>) {
        self.parts.push(part);
        self.values.extend(values);
    }

    /// Adds the authors that the shop does not know yet. Returns the numbers of all authors of the transaction.
    fn add_authors(
        &mut self,
        transaction: &'t Transaction,
        known: &HashMap<Author, i32>,
    ) -> HashMap<Author, i32> {
        let movements = transaction.movements.iter().filter_map(|movement| movement.author.as_ref());
        let changes = transaction.changes.iter().filter_map(|change| change.author.as_ref());
        let mut by: HashMap<Author, i32> = HashMap::new();
        let mut next = 0;
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        for author in movements.chain(changes) {
            if by.contains_key(author) {
                continue;
            }
            let id = known.get(author).copied().unwrap_or_else(|| {
                next = next.max(known.values().max().copied().unwrap_or(0)) + 1;
                self.new_authors.insert(author.clone(), next);
                ids.push(next);
                names.push(author.as_str());
                next
            });
            by.insert(author.clone(), id);
        }
        if !ids.is_empty() {
            self.add(Part::Authors, [Box::new(ids) as Value<'t>, Box::new(names)]);
        }
        by
    }

    fn add_products(&mut self, transaction: &'t Transaction) {
        let Transaction { products, terms, .. } = transaction;
        let (with, without): (Vec<_>, Vec<_>) = products
            .iter()
            .map(|product| (product, terms.get(&product.id)))
            .partition(|(_, terms)| terms.is_some());
        if !without.is_empty() {
            self.add(Part::Products, columns(without.iter().map(|(product, _)| *product)));
        }
        if !with.is_empty() {
            self.add(Part::ProductsWithTerms, columns(with.iter().map(|(product, _)| *product)));
            let terms = || with.iter().filter_map(|(_, terms)| terms.map(|terms| &**terms));
            self.values.extend(terms_columns(terms));
        }
    }

    fn add_changes(&mut self, changes: &'t [ProductChange], by: &HashMap<Author, i32>) {
        let numbers: Vec<i64> = changes.iter().map(|change| change.number).collect();
        let products: Vec<i32> = changes.iter().map(|change| product_number(change.product)).collect();
        let fields: Vec<&str> = changes.iter().map(|change| change.field.name()).collect();
        let old: Vec<&str> = changes.iter().map(|change| change.old.as_str()).collect();
        let new: Vec<&str> = changes.iter().map(|change| change.new.as_str()).collect();
        let times: Vec<SystemTime> = changes.iter().map(|change| change.recorded_at).collect();
        let authors: Vec<Option<i32>> =
            changes.iter().map(|change| by.get(change.author.as_ref()?).copied()).collect();
        let values: [Value<'t>; 7] = [
            Box::new(numbers),
            Box::new(products),
            Box::new(fields),
            Box::new(old),
            Box::new(new),
            Box::new(times),
            Box::new(authors),
        ];
        self.add(Part::Changes, values);
    }

    fn add_purchases(&mut self, movements: &'t [Movement]) {
        let is_purchase =
            |movement: &&Movement| movement.kind == Kind::Purchase && movement.delta > Quantity::ZERO;
        let bought: Vec<&Movement> = movements.iter().filter(is_purchase).collect();
        if bought.is_empty() {
            return;
        }
        let purchase = |movement: &&'t Movement| movement.details.as_ref()?.purchase.as_ref();
        let suppliers: Vec<Option<&str>> = bought
            .iter()
            .map(|it| purchase(it)?.supplier.as_ref().map(|supplier| supplier.as_str()))
            .collect();
        let keys: Vec<Option<String>> =
            suppliers.iter().map(|supplier| supplier.map(|it| Key::fold(it).as_str().to_owned())).collect();
        let lots: Vec<Option<&str>> =
            bought.iter().map(|it| purchase(it)?.lot.as_ref().map(|lot| lot.as_str())).collect();
        let expiries: Vec<Option<String>> =
            bought.iter().map(|it| Some(purchase(it)?.expires_on?.to_string())).collect();
        let invoices: Vec<Option<&str>> =
            bought.iter().map(|it| purchase(it)?.invoice.as_ref().map(|key| key.as_str())).collect();
        let items: Vec<Option<&str>> =
            bought.iter().map(|it| purchase(it)?.item.as_ref().map(|item| item.as_str())).collect();
        let packs: Vec<Option<i64>> =
            bought.iter().map(|it| Some(purchase(it)?.pack?.thousandths())).collect();
        let values: [Value<'t>; 11] = [
            Box::new(bought.iter().map(|movement| movement.sequence).collect::<Vec<i64>>()),
            Box::new(bought.iter().map(|movement| product_number(movement.product)).collect::<Vec<i32>>()),
            Box::new(bought.iter().map(|movement| movement.recorded_at).collect::<Vec<SystemTime>>()),
            Box::new(bought.iter().map(|movement| movement.delta.thousandths()).collect::<Vec<i64>>()),
            Box::new(suppliers),
            Box::new(keys),
            Box::new(lots),
            Box::new(expiries),
            Box::new(invoices),
            Box::new(items),
            Box::new(packs),
        ];
        self.add(Part::Purchases, values);
    }

    /// How long the commit may take.
    pub(super) fn time_max(&self) -> Duration {
        COMMIT_TIME_MAX + Duration::from_secs((self.rows / ROWS_PER_SECOND) as u64)
    }

    /// Stores everything.
    pub(super) async fn send(&self, session: &Session, statements: &mut Statements) -> Result<(), Failure> {
        let marks = self.parts.iter().fold(0, |marks, part| marks | 1 << *part as u16);
        let text = statements.0.entry(marks).or_insert_with(|| statement(&self.parts));
        let statement = session.prepared(text).await?;
        let values = self.values.iter().map(|value| &**value as &(dyn ToSql + Sync));
        let rows = session.client().execute_raw(&statement, values).await?;
        match rows == self.main_rows {
            true => Ok(()),
            false => Err(Failure::Lost(format!("o banco respondeu {rows} em vez de {}", self.main_rows))),
        }
    }
}

/// The columns of products but for their terms.
fn columns<'t>(products: impl Iterator<Item = &'t Product> + Clone) -> [Value<'t>; 6] {
    [
        Box::new(products.clone().map(|product| product_number(product.id)).collect::<Vec<i32>>()),
        Box::new(products.clone().map(|product| product.name.as_str()).collect::<Vec<&str>>()),
        Box::new(products.clone().map(|product| product.unit.as_str()).collect::<Vec<&str>>()),
        Box::new(products.clone().map(|product| product.price.centavos()).collect::<Vec<i64>>()),
        Box::new(products.clone().map(|product| product.flags.is_discontinued()).collect::<Vec<bool>>()),
        Box::new(products.map(|product| product.flags.is_example()).collect::<Vec<bool>>()),
    ]
}

/// The columns of terms. The barcodes of a product are joined by commas, because an array of arrays has one width.
fn terms_columns<'t, T: Iterator<Item = &'t Terms>>(terms: impl Fn() -> T) -> [Value<'t>; 6] {
    let joined =
        |terms: &Terms| terms.barcodes.iter().map(ToString::to_string).collect::<Vec<String>>().join(",");
    let code = |code: ShopCode| code.number() as i32;
    [
        Box::new(terms().map(|terms| terms.code.map(code)).collect::<Vec<Option<i32>>>()),
        Box::new(terms().map(joined).collect::<Vec<String>>()),
        Box::new(
            terms().map(|terms| terms.category.as_ref().map(Category::as_str)).collect::<Vec<Option<&str>>>(),
        ),
        Box::new(terms().map(|terms| terms.minimum.thousandths()).collect::<Vec<i64>>()),
        Box::new(terms().map(|terms| terms.target.thousandths()).collect::<Vec<i64>>()),
        Box::new(terms().map(|terms| terms.shelf_life_days as i32).collect::<Vec<i32>>()),
    ]
}

impl Part {
    /// The types of the parameters of the part.
    fn types(self) -> Cow<'static, [&'static str]> {
        let types: &'static [&'static str] = match self {
            Self::JournalRows => return Cow::Owned([&journal::TYPES[..], &journal::CUT_TYPES].concat()),
            Self::Opening | Self::OpeningIds => &[],
            Self::Authors => &["int4[]", "text[]"],
            Self::Products => &["int4[]", "text[]", "text[]", "int8[]", "bool[]", "bool[]"],
            Self::ProductsWithTerms => &[
                "int4[]", "text[]", "text[]", "int8[]", "bool[]", "bool[]", "int4[]", "text[]", "text[]",
                "int8[]", "int8[]", "int4[]",
            ],
            Self::Changes => &["int8[]", "int4[]", "text[]", "text[]", "text[]", "timestamptz[]", "int4[]"],
            Self::Purchases => &[
                "int8[]",
                "int4[]",
                "timestamptz[]",
                "int8[]",
                "text[]",
                "text[]",
                "text[]",
                "text[]",
                "text[]",
                "text[]",
                "int8[]",
            ],
            Self::Undos => &["int8[]", "int8[]"],
            Self::Requests => &["int8", "text[]", "int8[]", "bytea[]"],
            Self::Journal => &journal::TYPES,
        };
        Cow::Borrowed(types)
    }

    /// The statement of the part, whose parameters are numbered from `next` on. `$1` is the shop, `$2` the epoch.
    fn sql(self, next: usize) -> String {
        let parameters: Vec<String> =
            self.types().iter().enumerate().map(|(index, of)| format!("${}::{of}", next + index)).collect();
        let all = parameters.join(", ");
        match self {
            Self::Opening => "INSERT INTO forwarded VALUES ($1::int4, 0)".to_owned(),
            Self::OpeningIds => {
                "INSERT INTO request_index SELECT $1::int4, uuid_send(gen_random_uuid()), 0".to_owned()
            }
            Self::Authors => format!("INSERT INTO author SELECT $1::int4, * FROM unnest({all})"),
            Self::Products => format!(
                "INSERT INTO product_terms (shop, id, name, unit, price, discontinued, example, barcodes, minimum,
                                            target, shelf_life_days)
                 SELECT $1::int4, *, '{{}}', 0, 0, 0 FROM unnest({all})
                 ON CONFLICT (shop, id) DO UPDATE SET name = excluded.name, unit = excluded.unit,
                     price = excluded.price, discontinued = excluded.discontinued, example = excluded.example"
            ),
            Self::ProductsWithTerms => format!(
                "INSERT INTO product_terms (shop, id, name, unit, price, discontinued, example, code, barcodes,
                                            category, minimum, target, shelf_life_days)
                 SELECT $1::int4, id, name, unit, price, discontinued, example, code, string_to_array(barcodes, ','),
                        category, minimum, target, shelf_life_days
                 FROM unnest({all}) AS each (id, name, unit, price, discontinued, example, code, barcodes, category,
                                             minimum, target, shelf_life_days)
                 ON CONFLICT (shop, id) DO UPDATE SET name = excluded.name, unit = excluded.unit,
                     price = excluded.price, discontinued = excluded.discontinued, example = excluded.example,
                     code = excluded.code, barcodes = excluded.barcodes, category = excluded.category,
                     minimum = excluded.minimum, target = excluded.target,
                     shelf_life_days = excluded.shelf_life_days"
            ),
            Self::Changes => format!(
                "INSERT INTO product_change (shop, number, product, field, old_value, new_value, recorded_at, author)
                 SELECT $1::int4, * FROM unnest({all})"
            ),
            Self::Purchases => format!(
                "INSERT INTO purchase (shop, sequence, product, recorded_at, bought, supplier, supplier_key, lot,
                                       expires_on, invoice, item, pack)
                 SELECT $1::int4, sequence, product, recorded_at, bought, supplier, supplier_key, lot,
                        expires_on::date, invoice, item, pack
                 FROM unnest({all}) AS each (sequence, product, recorded_at, bought, supplier, supplier_key, lot,
                                             expires_on, invoice, item, pack)"
            ),
            Self::Undos => format!("INSERT INTO undo (shop, undone, by_sequence) SELECT $1::int4, * FROM unnest({all})"),
            Self::Requests => format!(
                "INSERT INTO request (shop, after_sequence, request_id, digest, result)
                 SELECT $1::int4, {}, * FROM unnest({})",
                parameters[0],
                parameters[1..].join(", ")
            ),
            Self::Journal => format!(
                "INSERT INTO journal (shop, epoch, {COLUMNS}) VALUES ($1::int4, $2::int8, {all})"
            ),
            Self::JournalRows => journal::insert_cut("$1::int4, $2::int8", &parameters),
        }
    }
}

/// The statement of some parts.
fn statement(parts: &[Part]) -> String {
    let mut next = 3;
    let mut statements: Vec<String> = Vec::new();
    for part in parts {
        statements.push(part.sql(next));
        next += part.types().len();
    }
    let main = match parts.last() {
        Some(Part::Journal | Part::JournalRows) => statements.pop().unwrap_or_default(),
        _ => "SELECT fence($1::int4, $2::int8)".to_owned(),
    };
    if statements.is_empty() {
        return main;
    }
    let named: Vec<String> = statements
        .iter()
        .enumerate()
        .map(|(index, statement)| format!("part_{index} AS ({statement})"))
        .collect();
    format!("WITH {} {main}", named.join(",\n"))
}
