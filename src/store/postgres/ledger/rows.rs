//! Reads rows of the ledger: by their numbers, and from a movement of a product back to the previous ones.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use jiff::Span;
use jiff::civil::{Date, date};
use tokio_postgres::Row;

use super::segment::{Columns, Names, Segment};
use crate::catalog::{Details, Document, Movement, Purchase};
use crate::store::LedgerRow;
use crate::store::check::has_purchase_row;
use crate::store::postgres::error::{Failure, bad_value};
use crate::store::postgres::rows::read_quantity;
use crate::store::postgres::session::Session;

/// The day from which `expires_on` is counted in the columns of [`read_purchase`].
const FIRST_DAY: Date = date(2000, 1, 1);

/// The columns that [`read_purchase`] reads. Days are counted, because the text of a date depends on the engine's
/// settings.
pub(super) const PURCHASE_COLUMNS: &str =
    "supplier, lot, expires_on - DATE '2000-01-01', invoice, item, pack";

/// The segments of a range, in order. The row with the first movement begins before it.
static SELECT_RANGE: LazyLock<String> = LazyLock::new(|| select_range(Columns::All, ""));

/// The segments of single movements.
static SELECT_EACH: LazyLock<String> = LazyLock::new(|| {
    let columns = Columns::All.list(false);
    format!(
        "SELECT {columns} FROM unnest($2::int8[]) AS wanted (sequence), LATERAL (
             SELECT *, (sequence - first + 1)::int4 AS low, (sequence - first + 1)::int4 AS high FROM journal
             WHERE shop = $1 AND first <= sequence ORDER BY first DESC LIMIT 1
         ) AS found"
    )
});

/// The walk from a movement of a product back to its previous ones, in one statement, because each step follows
/// from the one before: the steps in order, with the segments of those that are wanted. `$2` is the first movement,
/// `$3` the lowest number that is walked to, `$4` the number after which the walk goes on, `$5` the highest number,
/// `$6` the kind and `$7` the author of those that are wanted, `$8` the most steps, `$9` the most movements.
static SELECT_BACK: LazyLock<String> = LazyLock::new(|| {
    let columns = Columns::All.list(false);
    format!(
        "WITH RECURSIVE back (sequence, row_first, place, earlier, is_wanted, steps, found) AS (
             SELECT 9223372036854775807, 0::int8, 0, $2::int8, false, 0::int8, 0::int8
             UNION ALL
             SELECT back.earlier, step.*, steps + 1, found + step.is_wanted::int4
             FROM back, LATERAL (
                 SELECT first, here.place, previous[here.place] AS earlier,
                     back.earlier <= $5::int8 AND ($6::int2 IS NULL OR kinds[here.place] = $6) AND ($7::text IS NULL
                         OR coalesce(authors[here.place] = (SELECT id FROM author WHERE shop = $1 AND name = $7), false))
                 FROM journal, LATERAL (SELECT (back.earlier - first + 1)::int4) AS here (place)
                 WHERE shop = $1 AND first <= back.earlier ORDER BY first DESC LIMIT 1
             ) AS step (row_first, place, earlier, is_wanted)
             WHERE back.earlier >= $3 AND back.sequence > $4 AND steps < $8 AND found < $9
         )
         SELECT sequence, earlier, is_wanted, segment.* FROM back LEFT JOIN LATERAL (
             SELECT {columns} FROM journal, LATERAL (SELECT back.place, back.place) AS part (low, high)
             WHERE shop = $1 AND first = back.row_first AND back.is_wanted LIMIT 1
         ) AS segment ON true
         WHERE steps > 0 ORDER BY steps"
    )
});

/// The undos of some movements, and those by them.
const SELECT_UNDOS: &str = "SELECT undone, by_sequence FROM undo WHERE shop = $1 AND undone = ANY ($2)
     UNION SELECT undone, by_sequence FROM undo WHERE shop = $1 AND by_sequence = ANY ($2)";

const SELECT_NAMES: &str = "SELECT id, name FROM author WHERE shop = $1 AND id = ANY ($2)";

/// The purchases of a range that have any detail.
pub(super) static SELECT_PURCHASES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {PURCHASE_COLUMNS}, sequence FROM purchase
         WHERE shop = $1 AND sequence >= $2 AND sequence <= $3
           AND (supplier IS NOT NULL OR lot IS NOT NULL OR expires_on IS NOT NULL OR invoice IS NOT NULL
                OR item IS NOT NULL OR pack IS NOT NULL)"
    )
});

/// The statement that reads the segments of a range that also fulfil a condition.
pub(super) fn select_range(columns: Columns, condition: &str) -> String {
    let columns = columns.list(false);
    format!(
        "SELECT {columns} FROM journal, LATERAL (
             SELECT (greatest($2::int8 - first, 0) + 1)::int4, (least($3::int8, last) - first + 1)::int4
         ) AS part (low, high)
         WHERE shop = $1 AND first <= $3
           AND first >= coalesce((SELECT max(first) FROM journal WHERE shop = $1 AND first <= $2), 0) {condition}
         ORDER BY first"
    )
}

/// Reads the segments of a range.
pub(super) async fn segments(
    session: &Session,
    shop: i32,
    range: RangeInclusive<i64>,
) -> Result<Vec<Segment>, Failure> {
    let found = session.query(&SELECT_RANGE, &[&shop, range.start(), range.end()]).await?;
    found.iter().map(|row| Segment::read(row, 0, Columns::All)).collect()
}

/// Reads up to `count` rows, from `first_sequence` on.
pub(in crate::store::postgres) async fn rows(
    session: &Session,
    shop: i32,
    first_sequence: i64,
    count: usize,
) -> Result<Vec<LedgerRow>, Failure> {
    let first = first_sequence.max(1);
    let last = first.saturating_add_unsigned(count as u64).saturating_sub(1);
    let segments = segments(session, shop, first..=last).await?;
    let wanted = segments.iter().flat_map(|segment| segment.sequences().map(move |it| (segment, it)));
    complete(session, shop, &wanted.collect::<Vec<_>>()).await
}

/// Reads the movements with these numbers.
pub(in crate::store::postgres) async fn each(
    session: &Session,
    shop: i32,
    sequences: &[i64],
) -> Result<Vec<LedgerRow>, Failure> {
    let found = session.query(&SELECT_EACH, &[&shop, &sequences]).await?;
    let segments = found.iter().map(|row| Segment::read(row, 0, Columns::All));
    let segments: Vec<Segment> = segments.collect::<Result<_, _>>()?;
    let wanted = segments.iter().flat_map(|segment| segment.sequences().map(move |it| (segment, it)));
    complete(session, shop, &wanted.collect::<Vec<_>>()).await
}

/// A walk from a movement of a product back.
pub(super) struct Walk<'q> {
    /// The first movement.
    pub(super) start: i64,
    /// The lowest number that is walked to.
    pub(super) lowest: i64,
    /// The walk ends with the first movement that is not after this one.
    pub(super) after: i64,
    /// The highest number, the kind and the author of the movements that are wanted.
    pub(super) highest: i64,
    pub(super) kind: Option<i16>,
    pub(super) author: Option<&'q str>,
    /// The most movements that are looked at, and the most that are wanted.
    pub(super) steps_max: usize,
    pub(super) count_max: usize,
}

/// Walks back. Returns the wanted movements, each in a segment of its own, and the number at which the walk goes on,
/// if it does.
pub(super) async fn walk(
    session: &Session,
    shop: i32,
    walk: &Walk<'_>,
) -> Result<(Vec<(i64, Segment)>, Option<i64>), Failure> {
    let Walk { start, lowest, after, highest, kind, author, steps_max, count_max } = walk;
    let (steps_max, count_max) = (*steps_max as i64, *count_max as i64);
    let steps = session
        .query(&SELECT_BACK, &[&shop, start, lowest, after, highest, kind, author, &steps_max, &count_max])
        .await?;
    let mut found = Vec::new();
    let mut next = Some(*start).filter(|start| start >= lowest);
    for step in &steps {
        let (sequence, earlier): (i64, Option<i64>) = (step.try_get(0)?, step.try_get(1)?);
        // The row of the journal before the number ends before it.
        let earlier = earlier.ok_or_else(|| missing(sequence))?;
        next = Some(earlier).filter(|earlier| earlier >= lowest && sequence > *after);
        if step.try_get::<_, Option<bool>>(2)?.unwrap_or(false) {
            found.push((sequence, Segment::read(step, 3, Columns::All)?));
        }
    }
    match next {
        // No row of the journal begins before the number.
        Some(next) if steps.is_empty() && steps_max > 0 && count_max > 0 => Err(missing(next)),
        next => Ok((found, next)),
    }
}

pub(super) fn missing(sequence: i64) -> Failure {
    bad_value(format!("falta o movimento {sequence}"))
}

/// Reads movements of one product without their details, newest first and `count_max` at most: from the product's
/// movement `last` back to the first one that is not after `after`.
pub(in crate::store::postgres) async fn movements_back(
    session: &Session,
    shop: i32,
    last: i64,
    after: i64,
    count_max: usize,
) -> Result<Vec<Movement>, Failure> {
    let walk = Walk {
        start: last,
        lowest: 1,
        after,
        highest: last,
        kind: None,
        author: None,
        steps_max: count_max,
        count_max,
    };
    let (found, _) = self::walk(session, shop, &walk).await?;
    let names = names(session, shop, found.iter().map(|(_, segment)| segment)).await?;
    let movement = |(sequence, segment): &(i64, Segment)| {
        Ok(Movement { details: None, ..segment.movement(*sequence, &names)? })
    };
    found.iter().map(movement).collect()
}

/// The names of the authors of segments.
pub(super) async fn names<'s>(
    session: &Session,
    shop: i32,
    segments: impl Iterator<Item = &'s Segment>,
) -> Result<Names, Failure> {
    let ids: BTreeSet<i32> = segments.flat_map(Segment::authors).collect();
    if ids.is_empty() {
        return Ok(Names::new());
    }
    let found = session.query(SELECT_NAMES, &[&shop, &Vec::from_iter(ids)]).await?;
    let name = |row: &Row| Ok((row.try_get(0)?, row.try_get::<_, &str>(1)?.parse().map_err(bad_value)?));
    found.iter().map(name).collect()
}

/// All movements of segments, with their details.
pub(in crate::store::postgres) async fn movements(
    session: &Session,
    shop: i32,
    segments: &[Segment],
) -> Result<Vec<Movement>, Failure> {
    let all = || segments.iter().flat_map(|segment| segment.sequences().map(move |it| (segment, it)));
    let (Some((_, first)), Some((_, last))) = (all().next(), all().last()) else { return Ok(Vec::new()) };
    let purchases = async { session.query(&SELECT_PURCHASES, &[&shop, &first, &last]).await };
    let (purchases, names) = tokio::try_join!(purchases, names(session, shop, segments.iter()))?;
    let mut bought = purchases_by_number(&purchases)?;
    let movement = |(segment, sequence): (&Segment, i64)| {
        let mut movement = segment.movement(sequence, &names)?;
        add_purchase(&mut movement, bought.remove(&sequence));
        Ok(movement)
    };
    all().map(movement).collect()
}

/// Adds to movements of segments their authors, their purchases, their documents and their links to undos.
pub(super) async fn complete(
    session: &Session,
    shop: i32,
    wanted: &[(&Segment, i64)],
) -> Result<Vec<LedgerRow>, Failure> {
    let sequences: Vec<i64> = wanted.iter().map(|(_, sequence)| *sequence).collect();
    let undos = async { session.query(SELECT_UNDOS, &[&shop, &sequences]).await };
    let purchases = async {
        let statement = format!(
            "SELECT {PURCHASE_COLUMNS}, sequence FROM purchase WHERE shop = $1 AND sequence = ANY ($2)"
        );
        session.query(&statement, &[&shop, &sequences]).await
    };
    let names = names(session, shop, wanted.iter().map(|(segment, _)| *segment));
    let (undos, purchases, names) = tokio::try_join!(undos, purchases, names)?;
    let (mut undoes, mut undone_by) = (HashMap::new(), HashMap::new());
    for row in &undos {
        let (undone, by): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        undoes.insert(by, undone);
        undone_by.insert(undone, by);
    }
    let mut bought = purchases_by_number(&purchases)?;
    let row = |(segment, sequence): &(&Segment, i64)| {
        let mut movement = segment.movement(*sequence, &names)?;
        add_purchase(&mut movement, bought.remove(sequence));
        let document: Document = segment.document_of(*sequence);
        let link = |links: &HashMap<i64, i64>| links.get(sequence).copied().unwrap_or(0);
        Ok(LedgerRow { movement, document, undoes: link(&undoes), undone_by: link(&undone_by) })
    };
    wanted.iter().map(row).collect()
}

/// The purchases of rows of [`PURCHASE_COLUMNS`] and the numbers of the movements.
pub(super) fn purchases_by_number(rows: &[Row]) -> Result<HashMap<i64, Purchase>, Failure> {
    rows.iter().map(|row| Ok((row.try_get(6)?, read_purchase(row)?))).collect()
}

/// Adds to a movement its purchase.
pub(super) fn add_purchase(movement: &mut Movement, purchase: Option<Purchase>) {
    if let Some(purchase) = purchase.filter(|_| has_purchase_row(movement.kind, movement.delta)) {
        let details = movement.details.take().map_or_else(Details::default, |details| *details);
        movement.details = Details { purchase: Some(purchase), ..details }.boxed();
    }
}

/// Reads a purchase from the first columns of a row.
pub(super) fn read_purchase(row: &Row) -> Result<Purchase, Failure> {
    let text = |column| row.try_get::<_, Option<&str>>(column);
    Ok(Purchase {
        supplier: text(0)?.map(str::parse).transpose().map_err(bad_value)?,
        lot: text(1)?.map(str::parse).transpose().map_err(bad_value)?,
        expires_on: row.try_get::<_, Option<i32>>(2)?.map(read_day).transpose()?,
        invoice: text(3)?.map(str::parse).transpose().map_err(bad_value)?,
        item: text(4)?.map(str::parse).transpose().map_err(bad_value)?,
        pack: row.try_get::<_, Option<i64>>(5)?.map(read_quantity).transpose()?,
    })
}

/// The day that is so many days after [`FIRST_DAY`].
pub(super) fn read_day(days: i32) -> Result<Date, Failure> {
    let days = Span::new().try_days(days).map_err(bad_value)?;
    FIRST_DAY.checked_add(days).map_err(bad_value)
}
