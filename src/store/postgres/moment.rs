//! One moment of a shop, for a check or a copy of all that it holds: a transaction that sees the same rows from its
//! beginning to its end.

use std::sync::LazyLock;
use std::time::Duration;

use super::address::Address;
use super::connect::Link;
use super::error::{Failure, bad_value};
use super::ledger::{self, CHANGE_COLUMNS, Columns, Segment};
use super::load::{self, Loaded};
use super::read;
use super::request_ids::RequestIds;
use super::rows::{read_product_id, read_quantity};
use super::session::Session;
use crate::catalog::{
    Catalog, Document, Movement, ProductChange, RequestId, RequestIdError, RequestRecord, Undo,
};
use crate::store::StoreError;
use crate::store::check::{Fault, KeptPurchase, KeptRequest, Moment, Place, not_indexed, stored_twice};
use crate::store::request_ids::ELSEWHERE;

/// Rows of a small table that are read at a time.
const READ_AT_ONCE: i64 = 4096;

/// The numbers of movements that are read at a time: some megabytes.
const MOVEMENTS_AT_ONCE: i64 = 16_384;

/// How long the read of one part may take. The catalog of a large shop takes seconds.
const PART_TIME_MAX: Duration = Duration::from_secs(300);

/// The next rows of the journal, whole.
static SELECT_JOURNAL: LazyLock<String> = LazyLock::new(|| {
    let columns = Columns::All.list(true);
    format!(
        "SELECT {columns} FROM journal,
             LATERAL (SELECT min(first) FROM journal WHERE shop = $1 AND first >= $2) AS next (number)
         WHERE shop = $1 AND first >= next.number AND first < next.number + $3 ORDER BY first"
    )
});

/// The next documents, each with the first movement of its row and its place there.
const SELECT_DOCUMENTS: &str = "SELECT first + place, count::int8 FROM (
         SELECT first, document_offsets, document_counts FROM journal
         WHERE shop = $1 AND document_offsets IS NOT NULL AND first >= $2 ORDER BY first LIMIT $3
     ) AS page, unnest(document_offsets, document_counts) AS each (place, count) ORDER BY 1";

/// An open transaction.
pub(super) struct PostgresMoment<'l> {
    link: &'l mut Link,
    address: &'l Address,
    shop: i32,
    /// The index of request ids, after the first look at it.
    index: Option<RequestIds>,
}

impl<'l> PostgresMoment<'l> {
    /// Begins a transaction for reads of this shop.
    pub(super) fn begin(link: &'l mut Link, address: &'l Address, shop: i32) -> Result<Self, StoreError> {
        let mut this = Self::inside(link, address, shop);
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0";
        this.run(async |session, _| Ok(session.client().batch_execute(begin).await?))?;
        Ok(this)
    }

    /// The open transaction of a connection.
    pub(super) fn inside(link: &'l mut Link, address: &'l Address, shop: i32) -> Self {
        Self { link, address, shop, index: None }
    }

    fn run<T>(
        &mut self,
        act: impl AsyncFnOnce(&Session, i32) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let Self { link, address, shop, .. } = self;
        let done = link.run(PART_TIME_MAX, async |session| act(session, *shop).await);
        done.map_err(|failure| failure.into_error("conferir", address))
    }

    /// The contradiction, if the failure of a read is one.
    fn read<T>(&mut self, act: impl AsyncFnOnce(&Session, i32) -> Result<T, Failure>) -> Result<T, Fault> {
        self.run(act).map_err(|error| match error {
            StoreError::Corrupt { reason, .. } => Fault::Content(reason),
            error => Fault::Unreadable(error),
        })
    }
}

impl Moment for PostgresMoment<'_> {
    fn catalog(&mut self) -> Result<Catalog, Fault> {
        let loaded = self.read(async |session, shop| load::load(session, shop).await)?;
        let Some(Loaded { catalog, .. }) = loaded else {
            return Err(Fault::of("a loja ainda não foi aberta por um servidor"));
        };
        Ok(catalog)
    }

    fn movements(&mut self, from: i64) -> Result<Vec<Movement>, Fault> {
        self.read(async |session, shop| {
            let rows = session.query(&SELECT_JOURNAL, &[&shop, &from, &MOVEMENTS_AT_ONCE]).await?;
            let segments: Vec<Segment> =
                rows.iter().map(|row| Segment::read(row, 0, Columns::All)).collect::<Result<_, _>>()?;
            ledger::movements(session, shop, &segments).await
        })
    }

    fn purchases(&mut self, from: i64) -> Result<Vec<KeptPurchase>, Fault> {
        let select = "SELECT sequence, product, recorded_at, bought FROM purchase
             WHERE shop = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
        self.read(async |session, shop| {
            let rows = session.query(select, &[&shop, &from, &READ_AT_ONCE]).await?;
            let purchases = rows.iter().map(|row| {
                let (time, bought) = (row.try_get(2)?, read_quantity(row.try_get(3)?)?);
                let (sequence, product) = (row.try_get(0)?, read_product_id(row.try_get(1)?)?);
                Ok(KeptPurchase { sequence, product, repeated: Some((time, bought)) })
            });
            purchases.collect()
        })
    }

    fn documents(&mut self, from: i64) -> Result<Vec<Document>, Fault> {
        self.read(async |session, shop| {
            let rows = session.query(SELECT_DOCUMENTS, &[&shop, &from, &READ_AT_ONCE]).await?;
            let document = |row: &_| Ok(Document { first_sequence: number(row, 0)?, count: number(row, 1)? });
            rows.iter().map(document).collect()
        })
    }

    fn undos(&mut self, from: i64) -> Result<Vec<Undo>, Fault> {
        let select = "SELECT undone, by_sequence FROM undo WHERE shop = $1 AND by_sequence >= $2
             ORDER BY by_sequence LIMIT $3";
        self.read(async |session, shop| {
            let rows = session.query(select, &[&shop, &from, &READ_AT_ONCE]).await?;
            rows.iter().map(|row| Ok(Undo { undone: number(row, 0)?, by: number(row, 1)? })).collect()
        })
    }

    fn changes(&mut self, from: i64) -> Result<Vec<ProductChange>, Fault> {
        let select = format!(
            "SELECT {CHANGE_COLUMNS} FROM product_change WHERE shop = $1 AND number >= $2
             ORDER BY number LIMIT $3"
        );
        self.read(async |session, shop| {
            let rows = session.query(&select, &[&shop, &from, &READ_AT_ONCE]).await?;
            rows.iter().map(ledger::read_change).collect()
        })
    }

    fn requests(&mut self, after: &str) -> Result<Vec<KeptRequest>, Fault> {
        let select = "SELECT request_id, digest, result, after_sequence FROM request
             WHERE shop = $1 AND request_id > $2 ORDER BY request_id LIMIT $3";
        self.read(async |session, shop| {
            let rows = session.query(select, &[&shop, &after, &READ_AT_ONCE]).await?;
            let requests = rows.iter().map(|row| {
                let request_id = RequestId::from_stored(row.try_get(0)?);
                let record = RequestRecord {
                    request_id: request_id.map_err(|error: RequestIdError| bad_value(error))?,
                    digest: number(row, 1)?.cast_unsigned(),
                    result: row.try_get(2)?,
                };
                Ok(KeptRequest { record, after_sequence: number(row, 3)? })
            });
            requests.collect()
        })
    }

    fn check_places(&mut self, ids: &[(RequestId, Place)]) -> Result<(), Fault> {
        if ids.is_empty() {
            return Ok(());
        }
        let texts: Vec<&RequestId> = ids.iter().map(|(request_id, _)| request_id).collect();
        let proposed = self.proposed(&texts)?;
        let mut is_found = vec![false; ids.len()];
        // The proposed places where another movement or request may have the same id.
        let mut others = Vec::new();
        for (index, place) in proposed {
            if place == ids[index].1.unwrap_or(ELSEWHERE) {
                is_found[index] = true;
            } else {
                others.push((index, place));
            }
        }
        if let Some(index) = is_found.iter().position(|is_found| !is_found) {
            return Err(not_indexed(texts[index]));
        }
        let twice = self.read(async |session, shop| read::recorded(session, shop, &texts, &others).await)?;
        twice.into_keys().next().map_or(Ok(()), |request_id| Err(stored_twice(&request_id)))
    }
}

impl PostgresMoment<'_> {
    /// The places that the index proposes for some ids.
    fn proposed(&mut self, request_ids: &[&RequestId]) -> Result<Vec<(usize, i64)>, Fault> {
        let Self { link, address, shop, index } = self;
        let mut places = || {
            let index = match index {
                Some(index) => index,
                None => index.insert(RequestIds::read(link, *shop)?),
            };
            index.places(link, *shop, PART_TIME_MAX, request_ids)
        };
        places().map_err(|failure| match failure.into_error("conferir", address) {
            StoreError::Corrupt { reason, .. } => Fault::Content(reason),
            error => Fault::Unreadable(error),
        })
    }
}

fn number(row: &tokio_postgres::Row, index: usize) -> Result<i64, Failure> {
    Ok(row.try_get(index)?)
}
