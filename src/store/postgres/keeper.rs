//! The keeper of the lease: a thread with a connection of its own, which renews the lease while this server writes,
//! and watches it while another one does.
//!
//! Renewals wait for the synchronous standby as commits do: a renewal that only the old primary has would let a server
//! answer reads after another one has begun to write on the new primary.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::address::Address;
use super::connect::{Link, Purpose};
use super::current::Current;
use super::error::Failure;
use super::session::{Parameters, Session};
use super::standing::{LeaseRow, Standing, Step};
use crate::store::StoreError;
use crate::store::lease::{Duty, LEASE, Lease, Replication};

/// The pause between two looks at the lease of another server, if no server gives it back meanwhile. A look costs the
/// engine a tenth of a millisecond.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The pause between two renewals.
const RENEW_EVERY: Duration = LEASE.checked_div(4).unwrap();

/// The pause before a keeper without a connection tries again.
const RECONNECT_AFTER: Duration = Duration::from_millis(50);

/// The longest statement of a keeper: half of a lease. A renewal that takes longer is of no use.
const TIME_MAX: Duration = Duration::from_secs(1);

/// The longest wait for the first look at the lease when the server starts.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(10);

/// The lease, and the ends of the ledger and of the changes of terms.
const SELECT: &str = "SELECT epoch, beat, holder, address,
        coalesce((SELECT last FROM journal WHERE shop = $1 ORDER BY shop DESC, first DESC LIMIT 1), 0),
        coalesce((SELECT number FROM product_change WHERE shop = $1 ORDER BY shop DESC, number DESC LIMIT 1), 0)
     FROM lease WHERE shop = $1";

/// Takes the lease if it is the one that was seen.
const SEIZE: &str = "UPDATE lease SET epoch = epoch + 1, beat = 0, holder = $2, address = $3
     WHERE shop = $1 AND epoch = $4 AND beat = $5 RETURNING epoch";

/// Renews the lease of this server, whatever its epoch is: a barrier may have raised it.
const RENEW: &str =
    "UPDATE lease SET beat = beat + 1, address = $3 WHERE shop = $1 AND holder = $2 RETURNING epoch";

/// The copies of the database: those that a commit waits for, all whose state this role may see, and the bytes that
/// the slowest lacks.
const SELECT_REPLICATION: &str = "SELECT count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')),
        count(*) FILTER (WHERE sync_state IS NULL),
        coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)), 0)::int8
     FROM pg_stat_replication";

/// The pause between two looks at the copies of the database.
const LOOK_AT_COPIES_EVERY: Duration = Duration::from_secs(5);

/// Gives the lease back. The commit waits for no disk and no standby: if an engine forgets it, the lease ends by itself,
/// and the commit of the server that takes the lease waits for both.
const GIVE_BACK: &str = "SET LOCAL synchronous_commit = off; UPDATE lease SET holder = '', address = ''";

/// Notifies the servers that stand by, in a transaction of its own: an engine that refuses this, as if its queue of
/// notifications is full, has the lease back all the same.
const NOTIFY: &str = "SET LOCAL synchronous_commit = off; NOTIFY hortifruti_lease";

/// Asks for the notifications of leases that are given back.
const LISTEN: &str = "LISTEN hortifruti_lease";

/// The keeper's thread.
pub(super) struct Keeper {
    lease: Arc<Lease>,
    thread: Option<JoinHandle<()>>,
}

/// The thread's state.
struct Keeping {
    address: Address,
    current: Arc<Current>,
    lease: Arc<Lease>,
    /// The address at which clients find this server.
    own_address: String,
    standing: Standing,
    link: Option<Link>,
    /// The ends that were last seen.
    ends: (i64, i64),
    /// When the copies of the database were last looked at.
    looked_at_copies: Option<Instant>,
    has_warned: bool,
}

impl Keeper {
    /// Starts the thread, and waits for its first look at the lease: a free one is taken before this returns.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(super) fn start(
        address: &Address,
        current: &Arc<Current>,
        lease: &Arc<Lease>,
        me: &str,
        own_address: &str,
    ) -> io::Result<Self> {
        let keeping = Keeping {
            address: address.clone(),
            current: Arc::clone(current),
            lease: Arc::clone(lease),
            own_address: own_address.to_owned(),
            standing: Standing::new(me.to_owned()),
            link: None,
            ends: (0, 0),
            looked_at_copies: None,
            has_warned: false,
        };
        let (looked, has_looked) = channel();
        let thread = std::thread::Builder::new()
            .name("hortifruti-lease".to_owned())
            .spawn(move || keeping.run(&looked))?;
        // A database that is gone is reported by the store.
        let _ = has_looked.recv_timeout(FIRST_LOOK_MAX);
        Ok(Self { lease: Arc::clone(lease), thread: Some(thread) })
    }

    /// Gives the lease back, and ends the thread.
    pub(super) fn end(&mut self) {
        self.lease.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of the lease panicked");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

impl Keeping {
    fn run(mut self, looked: &Sender<()>) {
        loop {
            let duty = self.lease.duty();
            let done = match duty {
                Duty::Watch => self.watch().map(|()| LOOK_EVERY),
                Duty::Renew => self.renew().map(|()| RENEW_EVERY),
                Duty::GiveBack => self.give_back().map(|()| Duration::ZERO),
                Duty::Rest => Ok(LEASE),
                Duty::End => return,
            };
            let _ = looked.send(());
            self.has_warned &= done.is_err();
            match done {
                Ok(pause) if duty == Duty::Watch => self.wait_for_lease(pause),
                Ok(pause) => self.lease.pause(pause, duty),
                Err(error) => {
                    self.fail(&error);
                    // Nobody waits for a lease that cannot be given back: it ends by itself.
                    if duty == Duty::GiveBack {
                        self.lease.given_back();
                    }
                    self.lease.pause(RECONNECT_AFTER, duty);
                }
            }
        }
    }

    /// Waits until a lease is given back, or for this time.
    fn wait_for_lease(&mut self, time: Duration) {
        if self.lease.duty() == Duty::Watch
            && let Some(link) = &mut self.link
        {
            link.wait_for_notification(time);
        }
    }

    /// Looks at the lease, and takes it if its time has come.
    fn watch(&mut self) -> Result<(), StoreError> {
        let shop = self.current.shop();
        let (row, ends) = self.ask(async |session| look(session, shop).await)?;
        if std::mem::replace(&mut self.ends, ends) != ends {
            self.lease.wake();
        }
        match self.standing.look(&row, Instant::now()) {
            Step::Wait if self.standing.is_alive(&row) => self.lease.note_holder(&row.address),
            Step::Wait => self.lease.note_holder(""),
            // Others may have watched the lease for a while, so the time of this look says nothing.
            Step::Own => self.lease.elect(row.epoch, None),
            Step::Seize => {
                let sent_at = Instant::now();
                let (me, own_address) = (self.standing.me().to_owned(), self.own_address.clone());
                let seized: Option<i64> = self.ask(async |session| {
                    let parameters: Parameters<'_> = &[&shop, &me, &own_address, &row.epoch, &row.beat];
                    let row = session.query_opt(SEIZE, parameters).await?;
                    Ok(row.map(|row| row.try_get(0)).transpose()?)
                })?;
                self.standing.forget();
                if let Some(epoch) = seized {
                    self.lease.elect(epoch, Some(sent_at));
                }
            }
        }
        Ok(())
    }

    /// Renews the lease, or finds out who has it.
    fn renew(&mut self) -> Result<(), StoreError> {
        let shop = self.current.shop();
        let (me, own_address) = (self.standing.me().to_owned(), self.own_address.clone());
        let sent_at = Instant::now();
        let renewed = self.ask(async |session| {
            Ok(session.query_opt(RENEW, &[&shop, &me, &own_address]).await?.is_some())
        })?;
        if renewed {
            self.lease.renew(sent_at);
            return self.look_at_copies();
        }
        let (row, _) = self.ask(async |session| look(session, shop).await)?;
        self.lease.depose(&row.address);
        self.lease.wake();
        Ok(())
    }

    /// Looks at the copies of the database, from time to time.
    fn look_at_copies(&mut self) -> Result<(), StoreError> {
        if self.looked_at_copies.is_some_and(|at| at.elapsed() < LOOK_AT_COPIES_EVERY) {
            return Ok(());
        }
        self.looked_at_copies = Some(Instant::now());
        let replication = self.ask(async |session| {
            let row = session.query_one(SELECT_REPLICATION, &[]).await?;
            let (synchronous, hidden, lag): (i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let count = |count: i64| u64::try_from(count).unwrap_or_default();
            // A role without pg_monitor sees that there are copies, and nothing else of them.
            Ok((hidden == 0).then(|| Replication { synchronous: count(synchronous), lag_bytes: count(lag) }))
        })?;
        self.lease.note_replication(replication);
        Ok(())
    }

    fn give_back(&mut self) -> Result<(), StoreError> {
        let (shop, me) = (self.current.shop(), self.standing.me().to_owned());
        // A UUID needs no quoting.
        let give_back = format!("{GIVE_BACK} WHERE shop = {shop} AND holder = '{me}'");
        self.ask(async |session| Ok(session.client().batch_execute(&give_back).await?))?;
        tracing::info!("this server has given the lease of the shop back");
        let notified = self.ask(async |session| Ok(session.client().batch_execute(NOTIFY).await?));
        if let Err(error) = notified {
            tracing::info!(%error, "the servers that stand by were not notified, and find the lease by looking");
        }
        self.lease.given_back();
        Ok(())
    }

    /// Runs statements, on a new connection if there is none.
    fn ask<T>(&mut self, act: impl AsyncFnOnce(&Session) -> Result<T, Failure>) -> Result<T, StoreError> {
        let is_usable = |link: &Link| !link.is_closed() && !self.current.is_replaced(link.place());
        if !self.link.as_ref().is_some_and(is_usable) {
            let timeline_min = self.current.timeline_min();
            if self.link.take().is_some() {
                self.lease.note_reconnection();
            }
            let mut link = Link::open(&self.address, Purpose::Write { timeline_min })?;
            let listens = async |session: &Session| Ok(session.client().batch_execute(LISTEN).await?);
            match link.run(TIME_MAX, listens) {
                // Without notifications a lease that is given back is found by looking.
                Ok(()) | Err(Failure::Refused(_)) => {}
                Err(failure) => return Err(self.failed(failure)),
            }
            self.current.set_kept_at(link.place());
            self.link = Some(link);
            // The lease may have stood still only because this server could not see it move.
            self.standing.forget();
        }
        let Some(link) = &mut self.link else { unreachable!("a connection was made above") };
        let asked = link.change(TIME_MAX, act);
        if asked.is_ok() {
            self.lease.note_look();
        }
        asked.map_err(|failure| self.failed(failure))
    }

    fn failed(&self, failure: Failure) -> StoreError {
        failure.into_error("guardar a vez de mudar", &self.address)
    }

    fn fail(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.has_warned, true) {
            tracing::warn!(%error, "the lease of the shop cannot be kept now");
        }
    }
}

async fn look(session: &Session, shop: i32) -> Result<(LeaseRow, (i64, i64)), Failure> {
    let row = session.query_one(SELECT, &[&shop]).await?;
    let lease = LeaseRow {
        epoch: row.try_get(0)?,
        beat: row.try_get(1)?,
        holder: row.try_get(2)?,
        address: row.try_get(3)?,
    };
    Ok((lease, (row.try_get(4)?, row.try_get(5)?)))
}
