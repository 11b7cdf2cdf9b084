//! The store in PostgreSQL: one shop of a database that many servers share, in a ledger with one row, or a few, for
//! each commit.
//!
//! One server writes for a shop. Every commit carries the epoch of that server, and the engine refuses an earlier
//! one, whoever sends it.

mod address;
mod allowance;
mod commit;
mod connect;
mod current;
mod ends;
mod error;
mod forward;
mod journal;
mod keeper;
mod ledger;
mod load;
mod local;
mod migrate;
mod moment;
mod moving;
mod password;
mod pooler;
mod read;
mod request_ids;
mod rows;
mod session;
mod settle;
mod shop;
mod socket;
mod standing;
mod tail;
mod tls;
mod verify;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Lease, Ledger, LedgerRow, RecordedById, Settled, Store, StoreError, Wait};
use crate::catalog::{Author, Catalog, Movement, RequestId, Transaction};
use crate::io_error::describe;
use address::Address;
use allowance::{Allowance, BARRIER_TIME, BARRIER_TIME_MAX, TAIL_TIME, TAIL_TIME_MAX};
use commit::{COMMIT_TIME_MAX, Commit, Statements};
use connect::{LOOK_TIME_MAX, Link, Purpose, look_time};
use current::Current;
use ends::Ends;
use error::{FENCED, Failure, OTHER_END};
use forward::Forward;
use keeper::Keeper;
use ledger::PostgresLedger;
use load::Loaded;
use request_ids::{RequestIds, Writer};
use session::Session;

pub(crate) use moving::{PostgresSource, PostgresTarget};
pub use verify::verify;

/// How long reading a shop may take.
const LOAD_TIME_MAX: Duration = Duration::from_secs(600);

/// The longest commit after which the next one is expected to be as quick.
const QUICK_MAX: Duration = Duration::from_millis(1);

/// How long a thread that serves clients waits for its commit, which was expected to be quick. After that the
/// committer finds out what became of it.
const QUICK_COMMIT_TIME_MAX: Duration = Duration::from_millis(250);

/// How often a commit is sent again that the engine undid for another transaction.
const REPEATS_MAX: usize = 5;

/// A shop in PostgreSQL.
pub struct PostgresStore {
    address: Address,
    /// The connection; `None` after it was given up.
    link: Option<Link>,
    statements: Statements,
    /// The shop and the place, which the readers share.
    current: Arc<Current>,
    ledger: Arc<PostgresLedger>,
    /// This server's name in the lease: no two servers have the same.
    holder: String,
    lease: Arc<Lease>,
    keeper: Keeper,
    /// The last changes that are known to be stored.
    ends: Ends,
    authors: HashMap<Author, i32>,
    request_ids: RequestIds,
    forward: Forward,
    /// The time that the last commit took.
    last_took: Duration,
    /// The time since which no host has answered.
    gone_since: Option<Instant>,
    /// The times that the next barrier and the next step behind another server may take.
    barrier_allowance: Allowance,
    tail_allowance: Allowance,
    closed: Option<Closed>,
}

/// Why the store takes no changes until the server is started again.
#[derive(Debug, Clone)]
enum Closed {
    /// The engine lacks changes that were answered.
    Lost { end: i64, known: i64 },
    /// The engine has changes of another program.
    Foreign { end: i64 },
}

impl Closed {
    fn error(&self, address: &Address) -> StoreError {
        let database = address.to_string();
        match self.clone() {
            Self::Lost { end, known } => StoreError::Lost { database, end, known },
            Self::Foreign { end } => StoreError::Foreign { database, end },
        }
    }
}

impl PostgresStore {
    /// Opens a store for a process that no client asks.
    ///
    /// # Errors
    /// If [`PostgresStore::open_at`] fails.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_at(url, "")
    }

    /// Connects to the database of this address, creates its tables if it has none, and takes the lease of the shop
    /// if it is free. Clients find this server at `own_address`. [`Store::create`] opens a new shop.
    ///
    /// # Errors
    /// If the address is no valid one, no host of it takes changes, or its database cannot be used.
    pub fn open_at(url: &str, own_address: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let mut link = pooler::open_unmixed(&address, Purpose::Write { timeline_min: 0 })?;
        migrate::migrate(&mut link, &address)?;
        let register = async |session: &_| shop::register(session, address.shop()).await;
        let registered = link.change(LOOK_TIME_MAX, register);
        let shop = registered.map_err(|failure| failure.into_error("abrir", &address))?;
        let current = Arc::new(Current::default());
        current.set_shop(shop);
        current.set_kept_at(link.place());
        let ledger = Arc::new(PostgresLedger::new(address.clone(), Arc::clone(&current)));
        let holder = Uuid::now_v7().to_string();
        let lease = Arc::new(Lease::standing_by());
        let keeper = Keeper::start(&address, &current, &lease, &holder, own_address);
        let keeper = keeper.map_err(|error| StoreError::Unfit {
            database: address.to_string(),
            reason: format!("o sistema recusou uma thread: {}", describe(&error)),
        })?;
        let mut this = Self {
            address,
            link: None,
            statements: Statements::default(),
            current,
            ledger,
            holder,
            lease,
            keeper,
            ends: Ends::default(),
            authors: HashMap::new(),
            request_ids: RequestIds::new(),
            forward: Forward::new(),
            last_took: Duration::MAX,
            gone_since: None,
            barrier_allowance: Allowance::new(BARRIER_TIME, BARRIER_TIME_MAX),
            tail_allowance: Allowance::new(TAIL_TIME, TAIL_TIME_MAX),
            closed: None,
        };
        if link.standbys().is_empty() {
            tracing::info!("the engine has no synchronous standby: if its disk is lost, the shop is lost");
        }
        this.use_link(link);
        Ok(this)
    }

    /// Uses a connection from now on.
    fn use_link(&mut self, link: Link) {
        self.statements = Statements::default();
        self.current.set_place(link.place());
        self.link = Some(link);
    }

    /// Checks that the store was not closed for good.
    fn check_open(&self) -> Result<(), StoreError> {
        self.closed.as_ref().map_or(Ok(()), |closed| Err(closed.error(&self.address)))
    }

    /// Uses the connection for what may be done twice: if the connection fails, connects again and does it once
    /// more.
    fn with_link<T>(
        &mut self,
        action: &'static str,
        mut act: impl FnMut(&mut Self, &mut Link) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut is_repeated = false;
        loop {
            self.ensure_ready()?;
            let Some(mut link) = self.link.take() else { return Err(gone(&self.address)) };
            let done = act(self, &mut link);
            self.link = Some(link);
            match done {
                Err(Failure::Lost(_)) if !is_repeated => is_repeated = true,
                done => return done.map_err(|failure| failure.into_error(action, &self.address)),
            }
        }
    }

    /// Reads the index of request ids.
    fn read_request_ids(&mut self) -> Result<(), StoreError> {
        let shop = self.current.shop();
        self.request_ids = self.with_link("ler", |_, link| RequestIds::read(link, shop))?;
        Ok(())
    }

    /// Runs statements that change nothing.
    fn read<T>(
        &mut self,
        action: &'static str,
        time_max: Duration,
        act: impl AsyncFn(&Session) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.with_link(action, |_, link| link.run(time_max, &act))
    }

    /// Reads what the plan of a commit needs. An engine that is silent for longer than a commit may take is given up
    /// like one, and the next one has more time.
    fn look_up<T>(
        &mut self,
        act: impl Fn(&Self, &mut Link, Duration) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut time_max = COMMIT_TIME_MAX;
        self.with_link("consultar", |this, link| {
            act(this, link, std::mem::replace(&mut time_max, LOOK_TIME_MAX))
        })
    }

    fn commit_as(&mut self, changes: &Transaction, wait: Wait, is_opening: bool) -> Result<(), StoreError> {
        let busy = |address: &Address| StoreError::Busy { path: address.to_string() };
        match wait {
            Wait::ForOthers => self.ensure_ready()?,
            Wait::Never if !self.is_usable() => return Err(busy(&self.address)),
            Wait::Never => {}
        }
        let Self { link, address, statements, current, authors, .. } = self;
        let link = link.as_mut().ok_or_else(|| gone(address))?;
        let place = (current.shop(), self.lease.epoch(), self.ends.movement);
        let commit = Commit::new(changes, place, authors, is_opening);
        let (time_max, repeats_max) = match wait {
            Wait::ForOthers => (commit.time_max(), REPEATS_MAX),
            Wait::Never => (QUICK_COMMIT_TIME_MAX, 0),
        };
        let begun = Instant::now();
        let mut repeats = 0;
        let stored = loop {
            match link.change(time_max, async |session| commit.send(session, statements).await) {
                Err(failure) if failure.is_worth_repeating() && repeats < repeats_max => repeats += 1,
                stored => break stored,
            }
        };
        self.last_took = begun.elapsed();
        match stored {
            Ok(()) => {
                authors.extend(commit.new_authors);
                self.request_ids.add(changes);
                self.ends = self.ends.after(changes);
                Ok(())
            }
            // Nothing is stored. The committer hears the reason when it sends the same changes again.
            Err(Failure::Refused(_)) if wait == Wait::Never => Err(busy(address)),
            Err(failure) => Err(self.refused(failure)),
        }
    }

    /// The error of a failed commit.
    fn refused(&mut self, failure: Failure) -> StoreError {
        if failure.is(FENCED) {
            let Some(mut link) = self.link.take() else { return gone(&self.address) };
            return self.depose(&mut link);
        }
        if failure.is(OTHER_END) || failure.is_duplicate_of("journal_pkey") {
            let shop = self.current.shop();
            let found = self.read("conferir", LOOK_TIME_MAX, async |session| Ends::read(session, shop).await);
            return match found {
                Ok(found) => self.close_for(self.ends, found),
                Err(error) => error,
            };
        }
        failure.into_error("mudar", &self.address)
    }
}

fn gone(address: &Address) -> StoreError {
    StoreError::Unreachable { database: address.to_string(), reason: "a conexão foi encerrada".to_owned() }
}

impl Store for PostgresStore {
    fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
        let shop = self.current.shop();
        let loaded =
            self.read("ler", LOAD_TIME_MAX, async |session| load::load_at_one_moment(session, shop).await)?;
        let Some(Loaded { catalog, authors }) = loaded else { return Ok(None) };
        self.ends = Ends { movement: catalog.last_sequence(), change: catalog.last_change() };
        self.authors = authors;
        self.read_request_ids()?;
        Ok(Some(catalog))
    }

    fn create(&mut self, opening: &Transaction) -> Result<(), StoreError> {
        self.commit_as(opening, Wait::ForOthers, true)?;
        self.read_request_ids()
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError> {
        if self.request_ids.are_new(request_ids) {
            return Ok(RecordedById::default());
        }
        let shop = self.current.shop();
        let places =
            self.look_up(|this, link, time_max| this.request_ids.places(link, shop, time_max, request_ids))?;
        // The engine is asked only about an id that the index proposes.
        if places.is_empty() {
            return Ok(RecordedById::default());
        }
        self.look_up(|_, link, time_max| {
            let time_max = look_time(time_max, places.len());
            link.run(time_max, async |session| read::recorded(session, shop, request_ids, &places).await)
        })
    }

    fn rows(&mut self, first_sequence: i64, count: usize) -> Result<Vec<LedgerRow>, StoreError> {
        let shop = self.current.shop();
        self.look_up(|_, link, time_max| {
            let time_max = look_time(time_max, count);
            link.run(time_max, async |session| ledger::rows(session, shop, first_sequence, count).await)
        })
    }

    fn movements_back(
        &mut self,
        last: i64,
        after: i64,
        count_max: usize,
    ) -> Result<Vec<Movement>, StoreError> {
        let shop = self.current.shop();
        self.look_up(|_, link, time_max| {
            let back =
                async |session: &_| ledger::movements_back(session, shop, last, after, count_max).await;
            link.run(look_time(time_max, count_max), back)
        })
    }

    fn is_ready(&self) -> bool {
        self.closed.is_none() && self.link.as_ref().is_some_and(|link| !link.is_closed())
    }

    fn to_check(&self) -> &'static str {
        "o servidor do banco de dados e a rede"
    }

    fn commits_over_network(&self) -> bool {
        true
    }

    fn is_quick(&self, request_ids: &[&RequestId]) -> bool {
        self.last_took <= QUICK_MAX && self.is_usable() && self.request_ids.are_new(request_ids)
    }

    fn commit(&mut self, changes: &Transaction, wait: Wait) -> Result<(), StoreError> {
        self.commit_as(changes, wait, false)
    }

    fn prove(&mut self, _: &Catalog) -> Result<(), StoreError> {
        // No file of this store can be rewritten by another program.
        Ok(())
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        let (shop, epoch) = (self.current.shop(), self.lease.epoch());
        self.read("conferir", LOOK_TIME_MAX, async |session| {
            session.execute("SELECT fence($1, $2)", &[&shop, &epoch]).await?;
            Ok(())
        })
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        let address = self.address.clone();
        self.with_link("mudar", |this, link| {
            let (shop, last_sequence) = (this.current.shop(), this.ends.movement);
            let writer = Writer { address: &address, shop, epoch: this.lease.epoch(), last_sequence };
            this.forward.tidy(link, &writer);
            this.request_ids.tidy(link, &writer)
        })
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as Arc<dyn Ledger>
    }

    fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    fn tail(&mut self, catalog: &Catalog) -> Result<Option<Transaction>, StoreError> {
        self.read_tail(catalog)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.ledger.close();
        self.keeper.end();
        self.link = None;
        Ok(())
    }

    fn settle(&mut self, in_doubt: Option<&Transaction>) -> Result<Settled, StoreError> {
        self.reconnect(in_doubt)
    }
}
