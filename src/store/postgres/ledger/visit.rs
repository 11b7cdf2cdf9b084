//! How the rows of a period are read for totals: whole rows of the journal, beside the links of the same range.

use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::LazyLock;
use std::vec::IntoIter;

use tokio_postgres::Row;

use super::rows::{SELECT_PURCHASES, add_purchase, names, purchases_by_number, select_range};
use super::segment::{Columns, Names, Segment};
use crate::catalog::{Kind, Purchase};
use crate::store::postgres::error::Failure;
use crate::store::postgres::rows::kind_number;
use crate::store::postgres::session::Session;
use crate::store::{LedgerRange, LedgerRow};

/// Most numbers of a range that one read looks at: some milliseconds.
pub(super) const VISITED_MAX: i64 = 16_384;

/// The segments of a range that have a movement of a kind.
static SELECT_RANGE: LazyLock<String> =
    LazyLock::new(|| select_range(Columns::ForTotals, "AND ($4::int2 IS NULL OR $4 = ANY (kinds))"));

/// The movements of a range that do not count: those that were undone, and those that undo.
const SELECT_LEFT_OUT: &str = "SELECT undone AS sequence FROM undo
     WHERE shop = $1 AND undone >= $2 AND undone <= $3 AND by_sequence <= $4
     UNION ALL SELECT by_sequence FROM undo WHERE shop = $1 AND by_sequence >= $2 AND by_sequence <= $3
     ORDER BY sequence";

/// The rows of a part of a range.
pub(super) struct Visited {
    segments: Vec<Segment>,
    names: Names,
    left_out: Peekable<IntoIter<i64>>,
    bought: HashMap<i64, Purchase>,
    range: LedgerRange,
    end: i64,
}

impl Visited {
    /// Reads the first part of a range.
    pub(super) async fn read(session: &Session, shop: i32, range: &LedgerRange) -> Result<Self, Failure> {
        let LedgerRange { from, to, through, kind } = *range;
        let end = to.min(through).min(from.saturating_add(VISITED_MAX - 1));
        let kind_number = kind.map(kind_number);
        let may_have_bought = kind.is_none_or(|kind| kind == Kind::Purchase);
        let bought = async {
            match may_have_bought {
                true => session.query(&SELECT_PURCHASES, &[&shop, &from, &end]).await,
                false => Ok(Vec::new()),
            }
        };
        let (segments, left_out, bought) = tokio::try_join!(
            async { session.query(&SELECT_RANGE, &[&shop, &from, &end, &kind_number]).await },
            async { session.query(SELECT_LEFT_OUT, &[&shop, &from, &end, &through]).await },
            bought,
        )?;
        let segments: Vec<Segment> =
            segments.iter().map(|row| Segment::read(row, 0, Columns::ForTotals)).collect::<Result<_, _>>()?;
        let left_out: Vec<i64> =
            left_out.iter().map(|row: &Row| Ok(row.try_get(0)?)).collect::<Result<_, Failure>>()?;
        Ok(Self {
            names: names(session, shop, segments.iter()).await?,
            left_out: left_out.into_iter().peekable(),
            bought: purchases_by_number(&bought)?,
            segments,
            range: *range,
            end,
        })
    }

    /// Calls `visit` with the rows, and returns where to go on.
    pub(super) fn visit(mut self, visit: &mut dyn FnMut(&LedgerRow)) -> Result<Option<i64>, Failure> {
        let LedgerRange { to, through, kind, .. } = self.range;
        let kind = kind.map(kind_number);
        for segment in &self.segments {
            for sequence in segment.sequences() {
                if kind.is_some() && segment.kind_of(sequence) != kind {
                    continue;
                }
                while self.left_out.next_if(|other| *other < sequence).is_some() {}
                if self.left_out.next_if_eq(&sequence).is_some() {
                    continue;
                }
                let mut movement = segment.movement(sequence, &self.names)?;
                add_purchase(&mut movement, self.bought.remove(&sequence));
                let document = segment.document_of(sequence);
                visit(&LedgerRow { movement, document, undoes: 0, undone_by: 0 });
            }
        }
        Ok((self.end < to.min(through)).then_some(self.end + 1))
    }
}
