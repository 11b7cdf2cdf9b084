//! A shop that is moved to another store.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::MOVE_TIME_MAX;
use crate::store::StoreError;
use crate::store::check::Moment;
use crate::store::lease::LEASE;
use crate::store::moving::Source;
use crate::store::postgres::address::Address;
use crate::store::postgres::connect::{LOOK_TIME_MAX, Link, Purpose};
use crate::store::postgres::error::Failure;
use crate::store::postgres::moment::PostgresMoment;
use crate::store::postgres::session::Session;
use crate::store::postgres::{pooler, shop};

/// How long the holder of a lease may be silent until the shop counts as free: longer than a lease, by which other
/// servers judge.
const SILENCE: Duration = LEASE.saturating_add(Duration::from_secs(1));

/// The time between two looks at a lease.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A shop that nobody writes: the row of its lease is locked until the end, and its epoch is a new one, so that the
/// engine refuses a change that was sent before.
pub(crate) struct PostgresSource {
    address: Address,
    link: Link,
    shop: i32,
}

/// The lease of a shop, as a look at it finds it.
#[derive(PartialEq, Eq)]
struct Lease {
    epoch: i64,
    beat: i64,
    is_held: bool,
    by: String,
}

impl PostgresSource {
    /// Opens an existing shop.
    ///
    /// # Errors
    /// If a server writes for the shop, or the shop is not there or cannot be locked.
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let mut link = pooler::open_unmixed(&address, Purpose::Write { timeline_min: 0 })?;
        let shop = shop::existing(&mut link, &address)?;
        let failed = |failure: Failure| failure.into_error("abrir", &address);
        let in_use = |by: &str| {
            let by = if by.is_empty() { String::new() } else { format!(" ({by})") };
            StoreError::InUse { path: address.to_string(), by: format!(" por outro servidor{by}") }
        };
        let mut look = || link.run(LOOK_TIME_MAX, async |session| Lease::read(session, shop).await);
        let lease = look().map_err(failed)?;
        let until = Instant::now() + SILENCE;
        while lease.is_held && Instant::now() < until {
            sleep(LOOK_EVERY);
            let later = look().map_err(failed)?;
            if later != lease {
                return Err(in_use(&later.by));
            }
        }
        // The change of the epoch waits for a commit that still runs, and the transaction begins after that.
        let locked = link.change(LOOK_TIME_MAX, async |session| lock(session, shop, &lease).await);
        if !locked.map_err(failed)? {
            return Err(in_use(""));
        }
        Ok(Self { address, link, shop })
    }
}

impl Lease {
    async fn read(session: &Session, shop: i32) -> Result<Self, Failure> {
        let select = "SELECT epoch, beat, holder <> '', address FROM lease WHERE shop = $1";
        let row = session.query_one(select, &[&shop]).await?;
        Ok(Self {
            epoch: row.try_get(0)?,
            beat: row.try_get(1)?,
            is_held: row.try_get(2)?,
            by: row.try_get(3)?,
        })
    }
}

/// Takes the lease and gives it back, and then locks its row in a transaction that sees all that was stored before.
/// Returns whether nobody else took the lease.
async fn lock(session: &Session, shop: i32, lease: &Lease) -> Result<bool, Failure> {
    let take = "UPDATE lease SET epoch = epoch + 1, beat = 0, holder = '', address = ''
         WHERE shop = $1 AND epoch = $2 AND beat = $3 RETURNING epoch";
    let Some(taken) = session.query_opt(take, &[&shop, &lease.epoch, &lease.beat]).await? else {
        return Ok(false);
    };
    let epoch: i64 = taken.try_get(0)?;
    session.client().batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let lock = "SELECT epoch = $2 FROM lease WHERE shop = $1 FOR UPDATE";
    Ok(session.query_one(lock, &[&shop, &epoch]).await?.try_get(0)?)
}

impl Source for PostgresSource {
    fn moment(&mut self) -> Result<Box<dyn Moment + '_>, StoreError> {
        Ok(Box::new(PostgresMoment::inside(&mut self.link, &self.address, self.shop)))
    }

    fn corrupt(&self, reason: String) -> StoreError {
        StoreError::Corrupt { path: self.address.to_string(), reason }
    }
}

impl Drop for PostgresSource {
    fn drop(&mut self) {
        // The engine also rolls back when the connection ends.
        let _ = self
            .link
            .run(MOVE_TIME_MAX, async |session| Ok(session.client().batch_execute("ROLLBACK").await?));
    }
}
