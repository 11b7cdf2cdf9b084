//! Reconnects, and finds out whether the changes of a failed commit are stored.
//!
//! A commit whose answer was lost may still run in the engine. Therefore every reconnection first raises the epoch
//! of this server: that waits for such a commit, and nothing of the earlier epoch can be stored after it. Then the
//! ends of the ledger and of the changes of terms show what is stored.

use std::time::{Duration, Instant};

use super::connect::{LOOK_TIME_MAX, Link, Purpose, look_time};
use super::ends::{Ends, confirmed, holds, time_of};
use super::error::Failure;
use super::load::read_authors;
use super::{Closed, PostgresStore, gone};
use crate::catalog::{Catalog, Transaction};
use crate::store::{Settled, StoreError};

/// How long clients wait for an engine that is gone before they hear that the outcome is not known. A promotion of
/// a standby and a restart with recovery take less.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two attempts to connect.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Raises the epoch of this server, unless another one has the lease. The epoch never falls, even on an engine that
/// has lost some.
const BARRIER: &str =
    "UPDATE lease SET epoch = greatest(epoch, $3) + 1 WHERE shop = $1 AND holder = $2 RETURNING epoch";

impl PostgresStore {
    /// Connects again if the connection has ended or leads to an engine that was replaced, and checks that nothing is
    /// lost.
    pub(super) fn ensure_ready(&mut self) -> Result<(), StoreError> {
        self.check_open()?;
        if self.is_usable() {
            return Ok(());
        }
        self.reconnect(None).map(drop)
    }

    /// Whether the connection is there, and leads to an engine that was not replaced.
    pub(super) fn is_usable(&self) -> bool {
        let is_usable = |link: &Link| !link.is_closed() && !self.current.is_replaced(link.place());
        self.link.as_ref().is_some_and(is_usable)
    }

    /// Connects again, and finds out whether changes are stored. After an error nothing is known yet, unless the
    /// store is closed.
    pub(super) fn reconnect(&mut self, in_doubt: Option<&Transaction>) -> Result<Settled, StoreError> {
        self.check_open()?;
        // The engine gets no word of it: it must not answer for a commit that it gave up.
        self.link = None;
        // Only the first who waits is patient; later ones must not wait behind each other.
        let patience = if self.gone_since.is_none() { PATIENCE } else { Duration::ZERO };
        let since = *self.gone_since.get_or_insert_with(Instant::now);
        loop {
            match self.try_reconnect(in_doubt) {
                Err(error @ StoreError::Unreachable { .. }) if since.elapsed() >= patience => {
                    return Err(error);
                }
                Err(StoreError::Unreachable { .. }) => std::thread::sleep(RETRY_AFTER),
                settled => {
                    self.gone_since = None;
                    self.barrier_allowance.reset();
                    return settled;
                }
            }
        }
    }

    fn try_reconnect(&mut self, in_doubt: Option<&Transaction>) -> Result<Settled, StoreError> {
        let timeline_min = self.current.timeline_min();
        let mut link = Link::open(&self.address, Purpose::Write { timeline_min })?;
        let (shop, epoch, holder) = (self.current.shop(), self.lease.epoch(), self.holder.as_str());
        let barrier = link.change(self.barrier_allowance.take(), async |session| {
            Ok(session
                .query_opt(BARRIER, &[&shop, &holder, &epoch])
                .await?
                .map(|row| row.try_get(0))
                .transpose()?)
        });
        let barrier: Option<i64> = barrier.map_err(|failure| self.unreachable(failure))?;
        let movements = in_doubt.map_or(0, |transaction| transaction.movements.len());
        let looked = link.run(look_time(LOOK_TIME_MAX, movements), async |session| {
            let ends = Ends::read(session, shop).await?;
            let is_stored = match in_doubt {
                Some(transaction) => holds(session, shop, epoch, transaction).await?,
                None => false,
            };
            Ok((ends, is_stored, read_authors(session, shop).await?))
        });
        let (ends, is_stored, authors) = looked.map_err(|failure| self.unreachable(failure))?;
        let stored = in_doubt.filter(|_| is_stored);
        let Some(epoch) = barrier else {
            let deposed = self.depose(&mut link);
            // A change that was stored before the other server began is stored.
            stored.into_iter().for_each(|transaction| self.request_ids.add(transaction));
            return if is_stored { Ok(Settled::Stored) } else { Err(deposed) };
        };
        let expected = stored.map_or(self.ends, |transaction| self.ends.after(transaction));
        if ends != expected {
            return Err(self.close_for(expected, ends));
        }
        self.lease.set_epoch(epoch);
        self.ends = expected;
        self.authors = authors;
        stored.into_iter().for_each(|transaction| self.request_ids.add(transaction));
        self.use_link(link);
        Ok(match in_doubt {
            None => Settled::NotStored,
            Some(_) if is_stored => Settled::Stored,
            Some(_) => Settled::Repeat,
        })
    }

    /// A failure while the store is being looked at: the engine is as good as gone.
    fn unreachable(&self, failure: Failure) -> StoreError {
        match failure.into_error("conferir", &self.address) {
            StoreError::Unanswered { database, reason } | StoreError::Refused { database, reason, .. } => {
                StoreError::Unreachable { database, reason }
            }
            error => error,
        }
    }

    /// Notes that another server writes for the shop.
    pub(super) fn depose(&mut self, link: &mut Link) -> StoreError {
        let shop = self.current.shop();
        let holder = link.run(LOOK_TIME_MAX, async |session| {
            let row = session.query_opt("SELECT address FROM lease WHERE shop = $1", &[&shop]).await?;
            Ok(row.map(|row| row.try_get::<_, String>(0)).transpose()?.unwrap_or_default())
        });
        let holder = holder.unwrap_or_default();
        self.lease.depose(&holder);
        StoreError::Deposed { database: self.address.to_string(), holder }
    }

    /// Checks that the ledger goes on from this catalog, which another server's changes have brought up to date, and
    /// makes sure that no later engine lacks what is read now. A ledger that another one has replaced may have a
    /// movement of the same number.
    pub(super) fn confirm(
        &mut self,
        catalog: &Catalog,
        has_more: bool,
        time_max: Duration,
    ) -> Result<(), StoreError> {
        let (shop, sequence) = (self.current.shop(), catalog.last_sequence());
        let Self { link, address, .. } = self;
        let link = link.as_mut().ok_or_else(|| gone(address))?;
        let looked = link.change(time_max, async |session| {
            if has_more {
                confirmed(session, shop).await?;
            }
            time_of(session, shop, sequence).await
        });
        let recorded_at = looked.map_err(|failure| failure.into_error("acompanhar", address))?;
        if recorded_at == catalog.last_recorded_at() {
            return Ok(());
        }
        let closed = Closed::Foreign { end: sequence };
        let error = closed.error(address);
        (self.closed, self.link) = (Some(closed), None);
        Err(error)
    }

    /// Closes the store because the engine's ends are not those that this server knows.
    pub(super) fn close_for(&mut self, known: Ends, found: Ends) -> StoreError {
        let is_lost = found.movement < known.movement || found.change < known.change;
        let closed = match (is_lost, known.movement == found.movement) {
            (true, false) => Closed::Lost { end: found.movement, known: known.movement },
            (true, true) => Closed::Lost { end: found.change, known: known.change },
            (false, true) => Closed::Foreign { end: found.change },
            (false, false) => Closed::Foreign { end: found.movement },
        };
        let error = closed.error(&self.address);
        self.closed = Some(closed);
        self.link = None;
        error
    }
}
