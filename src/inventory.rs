//! The inventory: the only interface to the stock, for every transport.
//!
//! An [`Inventory`] is shared by the process, a [`Worker`] by the connections of one thread, and a
//! [`Session`] belongs to one connection. A session reads the published catalog. A session's changes go
//! through the group commit, `commit`, and are answered after they are durable.

mod call;
mod change;
mod commit;
mod count;
mod labels;
mod ledger_reads;
mod listing;
mod low_stock;
mod movements;
mod names_then;
mod near_names;
mod pipeline;
mod present;
mod price_watch;
mod published;
mod purchases;
mod query;
mod recent;
mod recent_sales;
mod search_time;
mod status;
mod stopped_writer;
mod summaries;
mod terms;
mod trace;
mod undo;
mod undo_import;
mod watch;

use std::sync::{Arc, RwLock};
use std::time::Instant;

use tokio::sync::Mutex;

use crate::catalog::{Author, Catalog, LabelMasks, Movement, Product, ProductDraft};
use crate::metrics::Metrics;
pub use crate::operation::Adjusted;
use crate::refusal::Refusal;
use crate::store::{LEASE, Lease, Store, StoreError};
use commit::{Change, ClientState, CommitterHandle, Doubts, WriteQueue, WriteResult, Writer};
pub use commit::{CommitDriver, Committer};
use ledger_reads::LedgerReads;
pub use listing::{Listing, Stopped};
pub use names_then::may_be_made;
pub use pipeline::{Answers, Pipeline};
pub use price_watch::PriceWatch;
use published::read;
pub use query::Reader;
pub use recent::Encoding;
use recent::Recent;
use recent_sales::RecentSales;
use search_time::SearchTime;
use stopped_writer::stopped;
pub use watch::Watch;

/// The process's handle on the inventory, cheap to clone. The committer stops after the last handle, worker
/// and session are dropped.
#[derive(Clone)]
pub struct Inventory {
    catalog: Arc<RwLock<Catalog>>,
    committer: CommitterHandle,
    ledger: LedgerReads,
    /// The recent events, for watchers.
    recent: Arc<Recent>,
    /// The time budget of searches for names that resemble a wrong one. Only one search runs at a time.
    near_names: Arc<Mutex<SearchTime>>,
    /// How the labels of the shop's scales are read.
    labels: Arc<LabelMasks>,
    metrics: Arc<Metrics>,
    /// The sales by which products run out.
    recent_sales: RecentSales,
    /// Whether this server may answer for the shop.
    lease: Arc<Lease>,
    doubts: Arc<Doubts>,
}

/// The handle of a worker thread. The changes of its sessions share a queue.
#[derive(Clone)]
pub struct Worker {
    inventory: Inventory,
    queue: Arc<WriteQueue>,
}

/// The handle of a connection, cheap to clone.
#[derive(Clone)]
pub struct Session {
    inventory: Inventory,
    queue: Arc<WriteQueue>,
    /// Whether this connection has only read until now. A connection that changes something waits for the
    /// disk anyway; one that only reads must not wait for the disk.
    client: Arc<ClientState>,
    /// The author of the session's changes.
    author: Option<Author>,
}

impl Inventory {
    /// Opens the store and starts the committer. A new store opens with the products of `opening`, once this server
    /// may write.
    ///
    /// # Errors
    /// If the store cannot be read or made.
    pub fn open(
        mut store: Box<dyn Store>,
        opening: &[ProductDraft],
    ) -> Result<(Self, Committer), StoreError> {
        let lease = store.lease();
        let catalog = store.load()?;
        let opening = catalog.is_none().then(|| opening.to_vec());
        let catalog = catalog.unwrap_or_default();
        let catalog = Arc::new(RwLock::new(catalog));
        let ledger = LedgerReads::new(store.ledger());
        let recent = Arc::<Recent>::default();
        let metrics = Arc::new(Metrics::default());
        let writer =
            Writer::open(Arc::clone(&catalog), Arc::clone(&recent), store, Arc::clone(&metrics), opening)?;
        let doubts = Arc::clone(&writer.doubts);
        let (committer, handle) = Committer::start(writer, Arc::clone(&metrics));
        let committer_handle = handle.downgrade();
        lease.set_waker(move || committer_handle.wake());
        let near_names = Arc::new(Mutex::new(SearchTime::new(Instant::now())));
        let labels = Arc::default();
        let recent_sales = RecentSales::default();
        let inventory = Self {
            catalog,
            committer: handle,
            ledger,
            recent,
            near_names,
            labels,
            metrics,
            recent_sales,
            lease,
            doubts,
        };
        Ok((inventory, committer))
    }

    /// Takes labels of scales in the place of names, read by these masks.
    #[must_use]
    pub fn reading_labels(self, masks: LabelMasks) -> Self {
        Self { labels: Arc::new(masks), ..self }
    }

    /// The metrics of the process.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Waits until the committer has answered everything before this call. Never ends if the committer has
    /// failed.
    pub async fn committer_answers(&self) {
        self.committer.answers().await;
    }

    /// Lets another server write for the shop, and returns when it may. Changes that have come
    /// before are made; later ones, and reads, are refused.
    pub fn hand_over(&self) {
        // A lease that cannot be given back ends by itself.
        self.lease.hand_over(LEASE);
    }

    /// Whether the shop has nothing but the examples of a first start, and none has moved.
    pub fn has_only_examples(&self) -> bool {
        let catalog = read(&self.catalog);
        let products = catalog.products();
        let mut all = products.iter();
        let has_moved = catalog.last_sequence() > products.len() as i64;
        !products.is_empty() && !has_moved && all.all(|product| product.flags.is_example())
    }

    /// The number of the last movement that is published: readers of the ledger see up to this one.
    fn last_sequence(&self) -> i64 {
        read(&self.catalog).last_sequence()
    }

    /// Makes a handle for one worker thread, and the driver that this thread must run. `is_only` says that
    /// there is no other worker.
    pub fn worker(&self, is_only: bool) -> (Worker, CommitDriver) {
        let (queue, driver) = CommitDriver::new(self.committer.clone(), is_only);
        (Worker { inventory: self.clone(), queue }, driver)
    }
}

impl Worker {
    /// Makes a handle for one connection of this worker.
    pub fn session(&self) -> Session {
        Session {
            inventory: self.inventory.clone(),
            queue: Arc::clone(&self.queue),
            client: Arc::default(),
            author: None,
        }
    }
}

impl Session {
    /// The metrics of the process.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.inventory.metrics
    }

    /// Refuses a read if another server may have written since. A read is right if it is not refused afterwards.
    fn trusted(&self) -> Result<(), Refusal> {
        if self.inventory.lease.is_trusted() { Ok(()) } else { Err(self.standing_by()) }
    }

    /// The refusal of all that only the server that writes answers.
    fn standing_by(&self) -> Refusal {
        commit::standing_by(&self.inventory.lease)
    }

    /// Says who asks from now on.
    pub fn set_author(&mut self, author: Option<Author>) {
        self.author = author;
    }

    /// Makes changes durable. Returns one outcome for each, in order.
    async fn write(&self, changes: Vec<Change>) -> WriteResult {
        self.queue.write(&self.client, changes).await
    }

    fn note_read(&self) {
        self.queue.activity().note_read(&self.client);
    }

    /// Ends all snapshots, as if more had changed than the catalog keeps.
    #[cfg(test)]
    pub(crate) fn forget_snapshots(&self) {
        read(&self.inventory.catalog).forget_snapshots();
    }
}

/// The product of a movement, perhaps with later changes.
fn product_of<'c>(catalog: &'c Catalog, movement: &Movement) -> &'c Product {
    let product = catalog.products().get(movement.product);
    product.expect("a movement is of a product of this catalog, and none is ever removed")
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::catalog::{Quantity, original_products};
    use crate::operation::{AdjustRequest, UndoRequest};
    use crate::refusal::Code;
    use crate::store::sqlite::SqliteStore;

    /// A session of the only worker, which this thread's runtime drives.
    pub(super) fn open(store: impl Store + 'static, products: &[ProductDraft]) -> (Session, Committer) {
        let (inventory, committer) = Inventory::open(Box::new(store), products).unwrap();
        let (worker, driver) = inventory.worker(true);
        tokio::spawn(driver.run());
        (worker.session(), committer)
    }

    pub(super) fn shop() -> (Session, Committer) {
        open(SqliteStore::in_memory().unwrap(), &original_products())
    }

    pub(super) fn asked(line: &str) -> AdjustRequest<'_> {
        AdjustRequest::parse(line).unwrap()
    }

    /// The request to undo a movement alone.
    pub(super) fn undo(sequence: i64) -> UndoRequest {
        UndoRequest { sequence, is_single: false, request_id: None, note: None, of_own_sales: false }
    }

    pub(super) fn code(answer: Result<Adjusted, Refusal>) -> Code {
        answer.expect_err("a refusal").code
    }

    pub(super) fn stock(session: &Session, name: &str) -> Quantity {
        session.reader().find(name, |product| product.stock).unwrap()
    }
}
