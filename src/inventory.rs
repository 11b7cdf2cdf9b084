//! The inventory: what both transports call.
//!
//! Reads look at the published catalog. Changes go to one committer thread, which checks
//! every change that is waiting, makes them durable in one transaction (group commit),
//! publishes them, and only then answers. The committer is the only writer of the catalog
//! and the only user of the store.

mod gathering;
mod search_time;

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::catalog::{
    Adjustment, BatchRecord, Catalog, Changes, Draft, ImportCounts, ImportRecord, Key, Movement, Price,
    Product, ProductDraft, ProductId, Products, RequestId, RowError, ledger_order, nearest,
};
use crate::request::{
    AdjustRequest, BATCH_LINES_MAX, BatchRequest, Code, IMPORT_ROWS_MAX, ImportRequest, Refusal,
};
use crate::store::{Recorded, RecordedById, Store, StoreError};
use gathering::{Gathering, Portion};
use search_time::SearchTime;

/// Submissions that wait for the committer before those who submit must wait
/// themselves: more than one transaction takes, so that the committer never idles, and
/// few enough that an answer is never seconds away.
const WAITING_MAX: usize = 1024;

/// Rows of changes after which a transaction takes no further submission: large enough that the cost of
/// an fsync is spread thin, small enough that it lasts milliseconds.
const TRANSACTION_ROWS_MAX: usize = 4096;

/// Answers that are handed out before what has come meanwhile has its turn: a transaction
/// answers dozens of connections, and each takes 10 µs of the worker or more. Fewer cost
/// changes some of their speed.
const ANSWERED_AT_ONCE: usize = 8;

/// Calls that count as one answer: those of a connection are sent together, and would be sent
/// one by one if so few were handed out at once.
const CALLS_FOR_AN_ANSWER: usize = 8;

/// Products found by the index of prices for one list. More are found by going through all
/// products while they are sent: to gather a million ids, and to sort them, takes a fifth of
/// a second in which nobody else is served, and 4 MB for as long as the list lasts.
const FOUND_BY_PRICE_MAX: usize = 10_000;

/// A handle on the inventory, cheap to clone. The committer stops when the last is dropped.
#[derive(Clone)]
pub struct Inventory {
    catalog: Arc<RwLock<Catalog>>,
    portions: mpsc::UnboundedSender<Portion>,
    /// A permit for each submission that may still wait; see [`WAITING_MAX`]. Closed once the
    /// committer is gone.
    room: Arc<Semaphore>,
    /// How those of one worker go there, and their answers back.
    gathering: Option<Arc<Gathering>>,
    /// Of the searches for names like wrong ones, over all handles.
    search_time: Arc<Mutex<SearchTime>>,
}

/// What one worker thread does for the changes of its connections.
pub struct Errands {
    gathering: Weak<Gathering>,
    /// Answers on their way back. They are never more than the submissions that wait.
    answers: mpsc::UnboundedReceiver<Vec<Answered>>,
}

impl Errands {
    /// What the thread has to do each time before it sleeps: to hand over the changes that it
    /// has gathered.
    pub fn before_sleep(&self) -> impl Fn() + Send + Sync + 'static {
        let gathering = self.gathering.clone();
        move || {
            if let Some(gathering) = gathering.upgrade() {
                gathering.hand_over();
            }
        }
    }

    /// Hands out answers, and hands over changes that have waited for long, until every
    /// [`Inventory`] of this worker is dropped.
    pub async fn run(self) {
        let gathering = self.gathering;
        tokio::select! {
            () = deliver(self.answers) => {}
            () = gathering::hand_over_in_time(gathering) => {}
        }
    }
}

async fn deliver(mut answers: mpsc::UnboundedReceiver<Vec<Answered>>) {
    while let Some(answered) = answers.recv().await {
        let mut calls = 0;
        for answered in answered {
            calls += if answered.is_call { 1 } else { CALLS_FOR_AN_ANSWER };
            answered.send();
            if calls >= ANSWERED_AT_ONCE * CALLS_FOR_AN_ANSWER {
                calls = 0;
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The committer's thread.
pub struct Committer(JoinHandle<()>);

/// A change that was made, or made before under the same request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// The product as the change left it.
    pub product: Product,
    /// The row of the ledger.
    pub movement: Movement,
}

impl From<(&Product, &Movement)> for Adjusted {
    /// The product with the price and the balance of the movement.
    fn from((product, movement): (&Product, &Movement)) -> Self {
        let product = Product { price: movement.price, stock: movement.balance, ..product.clone() };
        Self { product, movement: movement.clone() }
    }
}

/// Products in catalog order, all from one moment.
#[derive(Clone)]
pub struct Listing {
    products: Products,
    selection: Selection,
}

/// Which products a listing has.
#[derive(Clone)]
enum Selection {
    All,
    These(Vec<ProductId>),
    UpTo(Price),
}

impl Listing {
    /// The products with an id above `after`.
    pub fn iter_after(&self, after: Option<ProductId>) -> Box<dyn Iterator<Item = &Product> + Send + '_> {
        match &self.selection {
            Selection::All => Box::new(self.products.iter_after(after)),
            Selection::These(ids) => {
                let start = ids.partition_point(|id| Some(*id) <= after);
                Box::new(ids[start..].iter().filter_map(|id| self.products.get(*id)))
            }
            Selection::UpTo(price) => {
                Box::new(self.products.iter_after(after).filter(|product| product.price <= *price))
            }
        }
    }
}

/// Stock changes that one client sent together, to be answered together.
#[derive(Default)]
pub struct Run {
    changes: Vec<Change>,
    /// In the order of the requests: a refusal, or the place of the next change's answer.
    refusals: Vec<Option<Refusal>>,
}

impl Run {
    /// Whether it changes this product's stock.
    pub fn touches(&self, product: ProductId) -> bool {
        self.changes
            .iter()
            .any(|change| matches!(change, Change::Adjust(change) if change.product == product))
    }

    /// How many changes were asked for.
    pub fn len(&self) -> usize {
        self.refusals.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.refusals.is_empty()
    }
}

/// Changes that wait for the committer, and who waits for their answers.
struct Submission {
    changes: Vec<Change>,
    asker: Asker,
}

/// Who waits for the answers to a submission.
struct Asker {
    /// It is one call among others of a connection, and not all that came on one.
    is_call: bool,
    answer: oneshot::Sender<Answers>,
    /// How answers come back to its worker, if it has one.
    delivery: Option<mpsc::UnboundedSender<Vec<Answered>>>,
}

/// What became of the changes of a submission.
struct Answers {
    /// In their order.
    each: Vec<Outcome>,
    /// The movements of their transaction, among which who asked finds its own: to copy them, and
    /// to count the owners of request ids on two threads, takes the committer's time.
    movements: Arc<Vec<Movement>>,
}

impl Answers {
    /// The same for each of so many changes.
    fn refused(count: usize, refusal: &Refusal) -> Self {
        Self { each: vec![Err(refusal.clone()); count], movements: Arc::default() }
    }
}

/// An answered submission.
struct Answered {
    is_call: bool,
    answer: oneshot::Sender<Answers>,
    answers: Answers,
}

impl Answered {
    fn send(self) {
        // Who asked may be gone; the changes are made all the same.
        let _ = self.answer.send(self.answers);
    }
}

impl Change {
    fn request_id(&self) -> Option<&RequestId> {
        match self {
            Change::Adjust(adjustment) => adjustment.request_id.as_ref(),
            Change::Batch { request_id, .. } | Change::Import { request_id, .. } => request_id.as_ref(),
        }
    }
}

impl Submission {
    /// How many rows of the store it may touch.
    fn rows(&self) -> usize {
        self.changes
            .iter()
            .map(|change| match change {
                Change::Adjust(_) => 1,
                Change::Batch { changes, .. } => changes.len(),
                Change::Import { rows, .. } => rows.len(),
            })
            .sum()
    }
}

enum Change {
    Adjust(Adjustment),
    Batch { changes: Vec<Adjustment>, request_id: Option<RequestId> },
    Import { rows: Vec<ProductDraft>, request_id: Option<RequestId> },
}

/// What became of a change, or why it was not made.
type Outcome = Result<Done, Refusal>;

/// What a change did. Its product is added by who asked: the units and long names of
/// products are shared, and to count their owners on two threads slows both.
#[derive(Clone)]
enum Done {
    /// The movement of this transaction with this sequence number.
    Adjusted(i64),
    /// An earlier movement, of the same request id.
    AdjustedBefore(Box<Movement>),
    Batch(Vec<Movement>),
    Imported(ImportCounts),
}

impl Inventory {
    /// Opens the store and starts the committer. A new store opens with these products.
    ///
    /// # Errors
    /// Where the store cannot be read or made.
    pub fn open(
        mut store: Box<dyn Store>,
        opening: &[ProductDraft],
    ) -> Result<(Self, Committer), StoreError> {
        let catalog = match store.load()? {
            Some(catalog) => catalog,
            None => create(&mut *store, opening)?,
        };
        let catalog = Arc::new(RwLock::new(catalog));
        let (portions, waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(WAITING_MAX));
        let writer = Writer {
            catalog: Arc::clone(&catalog),
            store,
            room: Arc::clone(&room),
            in_doubt: None,
            has_told: false,
        };
        let thread = std::thread::spawn(move || writer.run(waiting));
        let search_time = Arc::new(Mutex::new(SearchTime::new(Instant::now())));
        Ok((Self { catalog, portions, room, gathering: None, search_time }, Committer(thread)))
    }

    /// A handle for one worker thread. Its changes gather on their way to the committer, and
    /// their answers come back through [`Errands`], all those of one transaction at once: to
    /// wake a thread is a system call, so it is done for many changes and not for each.
    pub fn for_worker(&self) -> (Self, Errands) {
        let (delivery, answers) = mpsc::unbounded_channel();
        let gathering = Arc::new(Gathering::new(self.portions.clone(), delivery));
        let errands = Errands { gathering: Arc::downgrade(&gathering), answers };
        (Self { gathering: Some(gathering), ..self.clone() }, errands)
    }

    /// Calls with one product.
    ///
    /// # Errors
    /// `PRODUCT_NOT_FOUND`, or `INVALID_ARGUMENT` where no product can have that name.
    pub fn find<T>(&self, name: &str, use_product: impl FnOnce(&Product) -> T) -> Result<T, Refusal> {
        self.reader().find(name, use_product)
    }

    /// For several questions, one after the other and without waiting between them.
    pub fn reader(&self) -> Reader<'_> {
        Reader { inventory: self, catalog: None }
    }

    /// Every product, or those up to a price.
    pub fn list(&self, max_price: Option<Price>) -> Listing {
        let catalog = self.read();
        Listing {
            products: catalog.products().clone(),
            selection: max_price.map_or(Selection::All, |price| {
                catalog
                    .up_to_price(price, FOUND_BY_PRICE_MAX)
                    .map_or(Selection::UpTo(price), Selection::These)
            }),
        }
    }

    /// Changes a stock. Returns once the change is durable.
    ///
    /// If the caller goes away while it waits, the change is made all the same.
    ///
    /// # Errors
    /// By the rules of a change, or where the store refuses writes.
    pub async fn adjust(&self, request: AdjustRequest<'_>) -> Result<Adjusted, Refusal> {
        let mut run = Run::default();
        self.add(&mut run, Ok(request));
        let mut adjusted = Err(stopped());
        self.make(run, true, |answer| adjusted = answer.map(Adjusted::from)).await;
        adjusted
    }

    /// Puts a change, or what was refused in its place, at the end of a run.
    pub fn add(&self, run: &mut Run, request: Result<AdjustRequest<'_>, Refusal>) {
        self.reader().add(run, request);
    }

    /// Changes several stocks, in this order but each on its own: one refused change stops
    /// no other. Calls with the answer to each, in order, once all are durable.
    pub async fn adjust_all(&self, run: Run, answer: impl FnMut(Result<(&Product, &Movement), Refusal>)) {
        self.make(run, false, answer).await;
    }

    async fn make(
        &self,
        run: Run,
        is_call: bool,
        mut answer: impl FnMut(Result<(&Product, &Movement), Refusal>),
    ) {
        let Answers { each, movements } = self.submit(run.changes, is_call).await;
        let first_sequence = movements.first().map_or(0, |movement| movement.sequence);
        let catalog = self.read();
        let mut each = each.into_iter();
        for refusal in run.refusals {
            let outcome = refusal.map_or_else(|| each.next().unwrap_or_else(|| Err(stopped())), Err);
            let done = match outcome {
                Ok(done) => done,
                Err(refusal) => {
                    answer(Err(refusal));
                    continue;
                }
            };
            let movement = match &done {
                Done::Adjusted(sequence) => {
                    usize::try_from(sequence - first_sequence).ok().and_then(|index| movements.get(index))
                }
                Done::AdjustedBefore(movement) => Some(&**movement),
                Done::Batch(_) | Done::Imported(_) => None,
            };
            answer(movement.map(|movement| (product_of(&catalog, movement), movement)).ok_or_else(stopped));
        }
    }

    /// Changes several stocks at once: all or none. Returns once they are durable, with one
    /// answer for each, in the order asked for.
    ///
    /// # Errors
    /// By the rules of a change, with the index of the one that breaks them, or where the
    /// store refuses writes.
    pub async fn adjust_together(&self, request: BatchRequest<'_>) -> Result<Vec<Adjusted>, Refusal> {
        let BatchRequest { adjustments, request_id } = request;
        if adjustments.is_empty() || adjustments.len() > BATCH_LINES_MAX {
            return Err(Refusal::batch_size(adjustments.len()));
        }
        let changes = self.reader().changes(adjustments)?;
        match self.submit(vec![Change::Batch { changes, request_id }], true).await.each.pop() {
            Some(Ok(Done::Batch(movements))) => {
                let catalog = self.read();
                Ok(movements
                    .iter()
                    .map(|movement| Adjusted::from((product_of(&catalog, movement), movement)))
                    .collect())
            }
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(_)) | None => Err(stopped()),
        }
    }

    /// Creates and updates products: all rows or none. Returns once it is durable; a dry
    /// run returns what would be done.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with every bad row, or where the store refuses writes.
    pub async fn import(&self, request: ImportRequest) -> Result<ImportCounts, Refusal> {
        let ImportRequest { rows, bad_rows, is_dry_run, request_id } = request;
        let count = rows.len() + bad_rows.len();
        if count == 0 || count > IMPORT_ROWS_MAX {
            return Err(Refusal::import_size(count));
        }
        if is_dry_run || !bad_rows.is_empty() {
            let looked_at = Draft::new(&self.read(), SystemTime::now()).import(&rows);
            return if bad_rows.is_empty() {
                looked_at.map_err(refuse_rows)
            } else {
                Err(merge(bad_rows, looked_at.err()))
            };
        }
        match self.submit(vec![Change::Import { rows, request_id }], true).await.each.pop() {
            Some(Ok(Done::Imported(counts))) => Ok(counts),
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(_)) | None => Err(stopped()),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Catalog> {
        read(&self.catalog)
    }

    fn not_found(&self, name: &str) -> Refusal {
        let begun = Instant::now();
        if !self.search_time().is_left(begun) {
            return Refusal::product_not_found(name, &[]);
        }
        // On a snapshot: the search takes milliseconds, and no change is to wait for it.
        let products = self.read().products().clone();
        let nearest = nearest(&products, &Key::fold(name));
        self.search_time().spend(begun, begun.elapsed());
        Refusal::product_not_found(name, &nearest)
    }

    fn search_time(&self) -> MutexGuard<'_, SearchTime> {
        self.search_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One answer for each change, in order.
    async fn submit(&self, changes: Vec<Change>, is_call: bool) -> Answers {
        let count = changes.len();
        if count == 0 {
            return Answers::refused(0, &stopped());
        }
        let (answer, answered) = oneshot::channel();
        let delivery = self.gathering.as_ref().map(|gathering| gathering.delivery());
        let submission = Submission { changes, asker: Asker { is_call, answer, delivery } };
        if !self.send(submission).await {
            return Answers::refused(count, &stopped());
        }
        answered.await.unwrap_or_else(|_| Answers::refused(count, &outcome_unknown()))
    }

    /// Sends it to the committer, once there is room. Returns whether the committer is there.
    async fn send(&self, submission: Submission) -> bool {
        let Ok(room) = self.room.acquire().await else { return false };
        // The committer gives it back.
        room.forget();
        match &self.gathering {
            Some(gathering) => gathering.add(submission),
            None => {
                let mut portion = Portion::default();
                portion.add(submission);
                self.portions.send(portion).is_ok()
            }
        }
    }
}

/// Looks at one state of the catalog from its first question on, so that it is locked once
/// for all lines that came together: a twenty-fifth of the time of a change. Meanwhile no
/// change can be shown.
pub struct Reader<'i> {
    inventory: &'i Inventory,
    catalog: Option<RwLockReadGuard<'i, Catalog>>,
}

impl Reader<'_> {
    /// As [`Inventory::find`].
    ///
    /// # Errors
    /// As [`Inventory::find`].
    pub fn find<T>(&mut self, name: &str, use_product: impl FnOnce(&Product) -> T) -> Result<T, Refusal> {
        self.look_up(name, |catalog, key| catalog.find(key).map(use_product))
    }

    /// As [`Inventory::add`].
    pub fn add(&mut self, run: &mut Run, request: Result<AdjustRequest<'_>, Refusal>) {
        let change = request.and_then(|request| {
            let AdjustRequest { name, delta, kind, request_id } = request;
            Ok(Change::Adjust(Adjustment { product: self.id_of(name)?, delta, kind, request_id }))
        });
        match change {
            Ok(change) => {
                run.changes.push(change);
                run.refusals.push(None);
            }
            Err(refusal) => run.refusals.push(Some(refusal)),
        }
    }

    fn changes(&mut self, adjustments: Vec<AdjustRequest<'_>>) -> Result<Vec<Adjustment>, Refusal> {
        let of = |(index, AdjustRequest { name, delta, kind, .. })| {
            let product = self.id_of(name).map_err(|refusal: Refusal| refusal.at(index))?;
            Ok(Adjustment { product, delta, kind, request_id: None })
        };
        adjustments.into_iter().enumerate().map(of).collect()
    }

    fn id_of(&mut self, name: &str) -> Result<ProductId, Refusal> {
        self.look_up(name, |catalog, key| catalog.id_of(key))
    }

    fn look_up<T>(
        &mut self,
        name: &str,
        look: impl FnOnce(&Catalog, &[u8]) -> Option<T>,
    ) -> Result<T, Refusal> {
        let catalog = self.catalog.get_or_insert_with(|| self.inventory.read());
        match Key::with(name, |key| look(catalog, key)) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                // Looking for names like it takes a while, and locks the catalog itself.
                self.catalog = None;
                Err(self.inventory.not_found(name))
            }
            Err(error) => Err(Refusal::name(&error)),
        }
    }
}

impl Committer {
    /// Waits until every change that was submitted is answered and the store is closed,
    /// which comes once every [`Inventory`] is dropped.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the committer panicked");
        }
    }
}

/// What the committer's thread owns.
struct Writer {
    catalog: Arc<RwLock<Catalog>>,
    store: Box<dyn Store>,
    /// For submissions that wait; see [`WAITING_MAX`].
    room: Arc<Semaphore>,
    /// The changes of a failed commit, until the store has told whether they are in it.
    /// Until then it is closed to writes.
    in_doubt: Option<Changes>,
    /// It was logged that the store cannot be asked: once, for each change asks it again.
    has_told: bool,
}

impl Drop for Writer {
    /// Also where the committer panicked: who asks then is told, and does not wait for ever.
    fn drop(&mut self) {
        self.room.close();
    }
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::UnboundedReceiver<Portion>) {
        while let Some(mut portion) = waiting.blocking_recv() {
            while portion.rows < TRANSACTION_ROWS_MAX
                && let Ok(next) = waiting.try_recv()
            {
                portion.append(next);
            }
            self.room.add_permits(portion.submissions.len());
            self.commit(portion.submissions);
        }
        if self.in_doubt.is_none()
            && let Err(error) = self.store.close()
        {
            tracing::warn!(%error, "the next start reads more of the ledger");
        }
    }

    /// Makes the changes of some submissions, and answers all.
    fn commit(&mut self, batch: Vec<Submission>) {
        let (changes, askers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|submission| (submission.changes, submission.asker)).unzip();
        let counts: Vec<usize> = changes.iter().map(Vec::len).collect();
        let answers = match self.make(changes) {
            Ok((each, movements)) => {
                let movements = Arc::new(movements);
                let with_movements = |each| Answers { each, movements: Arc::clone(&movements) };
                each.into_iter().map(with_movements).collect()
            }
            Err(refusal) => counts.into_iter().map(|count| Answers::refused(count, &refusal)).collect(),
        };
        answer_all(askers, answers);
    }

    /// One transaction: checks every change, stores those that follow the rules, shows them.
    /// Returns what became of each, or why none was made.
    fn make(&mut self, submitted: Vec<Vec<Change>>) -> Result<(Vec<Vec<Outcome>>, Vec<Movement>), Refusal> {
        self.resolve().map_err(|_| store_closed())?;
        let request_ids: Vec<&RequestId> =
            submitted.iter().flatten().filter_map(Change::request_id).collect();
        let recorded = self.recorded(&request_ids)?;
        let made = HashTable::with_capacity(request_ids.len());
        let (outcomes, changes) = {
            let catalog = read(&self.catalog);
            let draft = Draft::new(&catalog, SystemTime::now());
            let hasher = RandomState::default();
            let mut planner = Planner { draft, store: &mut *self.store, recorded, made, hasher };
            let outcomes = submitted
                .into_iter()
                .map(|changes| changes.into_iter().map(|change| planner.plan(change)).collect())
                .collect();
            (outcomes, planner.draft.finish())
        };
        Ok((outcomes, self.store(changes)?.movements))
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, Refusal> {
        if request_ids.is_empty() {
            return Ok(RecordedById::default());
        }
        self.store.recorded(request_ids).map_err(|error| {
            tracing::error!(%error, "request ids could not be looked up");
            store_closed()
        })
    }

    /// Makes changes durable, shows and returns them; or says what became of them.
    fn store(&mut self, changes: Changes) -> Result<Changes, Refusal> {
        if changes.is_empty() {
            return Ok(changes);
        }
        match self.store.commit(&changes) {
            Ok(()) => {
                self.show(&changes);
                Ok(changes)
            }
            // These come before anything was written.
            Err(
                error @ (StoreError::Busy { .. }
                | StoreError::Moved { .. }
                | StoreError::Cut { .. }
                | StoreError::Unlocked { .. }),
            ) => {
                tracing::warn!(%error, "a transaction could not begin");
                Err(Refusal::new(Code::Unavailable, format!("{error}.")))
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; the store is closed to writes and asked");
                self.in_doubt = Some(changes);
                match self.resolve() {
                    Ok(Some(changes)) => Ok(changes),
                    Ok(None) => Err(not_stored()),
                    Err(_) => Err(outcome_unknown()),
                }
            }
        }
    }

    /// Asks the store what became of changes in doubt, if there are any. Returns them if they
    /// are stored; they are then shown.
    fn resolve(&mut self) -> Result<Option<Changes>, StoreError> {
        let Some(changes) = &self.in_doubt else { return Ok(None) };
        let is_stored = self.store.reopen(changes).inspect_err(|error| {
            if !std::mem::replace(&mut self.has_told, true) {
                tracing::error!(%error, "the store could not be reopened; it takes no changes");
            }
        })?;
        self.has_told = false;
        tracing::warn!(is_stored, "the store was reopened and takes changes again");
        let stored = self.in_doubt.take().filter(|_| is_stored);
        if let Some(changes) = &stored {
            self.show(changes);
        }
        Ok(stored)
    }

    fn show(&self, changes: &Changes) {
        self.catalog.write().unwrap_or_else(PoisonError::into_inner).apply(changes);
    }
}

/// Checks the changes of one batch, one after the other.
struct Planner<'a> {
    draft: Draft<'a>,
    store: &'a mut dyn Store,
    /// What the request ids of this batch did before it, and those of batches and imports
    /// earlier in it.
    recorded: RecordedById,
    /// The movements of request ids earlier in this batch, by the hash of the id and their sequence
    /// number; the draft has the ids.
    made: HashTable<(u64, i64)>,
    /// The ids are chosen by clients, so it is seeded.
    hasher: RandomState,
}

impl Planner<'_> {
    fn plan(&mut self, change: Change) -> Outcome {
        match change {
            Change::Adjust(adjustment) => self.adjust(adjustment),
            Change::Batch { changes, request_id } => {
                self.adjust_together(&changes, request_id.as_ref()).map(Done::Batch)
            }
            Change::Import { rows, request_id } => {
                self.import(&rows, request_id.as_ref()).map(Done::Imported)
            }
        }
    }

    fn adjust(&mut self, adjustment: Adjustment) -> Outcome {
        let Some(request_id) = &adjustment.request_id else {
            return Ok(Done::Adjusted(self.draft.adjust(adjustment)?.sequence));
        };
        let hash = self.hasher.hash_one(request_id);
        match self.earlier_by(request_id, hash) {
            None => {
                let sequence = self.draft.adjust(adjustment)?.sequence;
                self.made.insert_unique(hash, (hash, sequence), |(hash, _)| *hash);
                Ok(Done::Adjusted(sequence))
            }
            Some(Recorded::Movement(movement))
                if movement.product == adjustment.product
                    && movement.delta == adjustment.delta
                    && movement.kind == adjustment.kind =>
            {
                Ok(Done::AdjustedBefore(Box::new(movement)))
            }
            Some(_) => Err(Refusal::request_id_reused(request_id)),
        }
    }

    /// What a request id did, before this batch or earlier in it.
    fn earlier(&self, request_id: &RequestId) -> Option<Recorded> {
        self.earlier_by(request_id, self.hasher.hash_one(request_id))
    }

    /// The same for an id with this hash.
    fn earlier_by(&self, request_id: &RequestId, hash: u64) -> Option<Recorded> {
        if let Some(recorded) = self.recorded.get(request_id) {
            return Some(recorded.clone());
        }
        let mut made = self.made.iter_hash(hash).filter_map(|(_, sequence)| self.draft.movement(*sequence));
        let movement = made.find(|movement| movement.request_id.as_ref() == Some(request_id));
        movement.cloned().map(Recorded::Movement)
    }

    fn adjust_together(
        &mut self,
        changes: &[Adjustment],
        request_id: Option<&RequestId>,
    ) -> Result<Vec<Movement>, Refusal> {
        let digest = batch_digest(changes);
        if let Some(request_id) = request_id {
            match self.earlier(request_id) {
                Some(Recorded::Batch(record)) if record.digest == digest => {
                    return self.answer_again(changes, record.first_sequence);
                }
                Some(_) => return Err(Refusal::request_id_reused(request_id)),
                None => {}
            }
        }
        let first_sequence = self.draft.next_sequence();
        let movements =
            self.draft.adjust_all(changes).map_err(|(index, error)| Refusal::from(error).at(index))?;
        if let Some(request_id) = request_id {
            let record = BatchRecord { request_id: request_id.clone(), digest, first_sequence };
            self.recorded.insert(request_id.clone(), Recorded::Batch(record.clone()));
            self.draft.record_batch(record);
        }
        Ok(movements)
    }

    /// The first answer to a batch, from the ledger.
    fn answer_again(
        &mut self,
        changes: &[Adjustment],
        first_sequence: i64,
    ) -> Result<Vec<Movement>, Refusal> {
        let made = self.draft.movements_from(first_sequence).iter().take(changes.len());
        let mut movements: Vec<Movement> = made.cloned().collect();
        if movements.is_empty() {
            movements = self.store.movements(first_sequence, changes.len()).map_err(|error| {
                tracing::error!(%error, "a batch could not be looked up");
                store_closed()
            })?;
        }
        let mut answers = vec![None; changes.len()];
        for ((index, movement), sequence) in
            ledger_order(changes).into_iter().zip(movements).zip(first_sequence..)
        {
            let change = &changes[index];
            if (movement.sequence, movement.product, movement.delta)
                == (sequence, change.product, change.delta)
            {
                answers[index] = Some(movement);
            }
        }
        answers.into_iter().collect::<Option<_>>().ok_or_else(|| {
            tracing::error!(first_sequence, "the ledger lacks movements of a batch");
            not_in_ledger()
        })
    }

    fn import(
        &mut self,
        rows: &[ProductDraft],
        request_id: Option<&RequestId>,
    ) -> Result<ImportCounts, Refusal> {
        let Some(request_id) = request_id else {
            return self.draft.import(rows).map_err(refuse_rows);
        };
        let digest = list_digest(rows);
        match self.earlier(request_id) {
            Some(Recorded::Import(record)) if record.digest == digest => Ok(record.counts),
            Some(_) => Err(Refusal::request_id_reused(request_id)),
            None => {
                let counts = self.draft.import(rows).map_err(refuse_rows)?;
                let record = ImportRecord { request_id: request_id.clone(), digest, counts };
                self.recorded.insert(request_id.clone(), Recorded::Import(record.clone()));
                self.draft.record_import(record);
                Ok(counts)
            }
        }
    }
}

/// The product of a movement, perhaps with later changes than that one.
fn product_of<'c>(catalog: &'c Catalog, movement: &Movement) -> &'c Product {
    let product = catalog.products().get(movement.product);
    product.expect("a movement is of a product of this catalog, and none is ever removed")
}

/// The catalog, also after a panic: it is only ever changed by [`Catalog::apply`].
fn read(catalog: &RwLock<Catalog>) -> RwLockReadGuard<'_, Catalog> {
    catalog.read().unwrap_or_else(PoisonError::into_inner)
}

/// A new store's first transaction.
fn create(store: &mut dyn Store, opening: &[ProductDraft]) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog::default();
    let mut changes = Changes::default();
    if !opening.is_empty() {
        let mut draft = Draft::new(&catalog, SystemTime::now());
        draft.import(opening).expect("the opening products follow the rules");
        changes = draft.finish();
    }
    store.create(&changes)?;
    catalog.apply(&changes);
    Ok(catalog)
}

/// A digest that stays the same for ever (FNV-1a, 64 bits), because it is stored.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn feed(&mut self, bytes: &[u8]) {
        // A byte that ends each part, so that parts do not run into each other.
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn list_digest(rows: &[ProductDraft]) -> u64 {
    let mut digest = Digest::new();
    for row in rows {
        digest.feed(row.name.as_str().as_bytes());
        digest.feed(row.unit.as_ref().map_or("", |unit| unit.as_str()).as_bytes());
        digest.feed(&row.price.centavos().to_le_bytes());
        digest.feed(&row.opening_stock.thousandths().to_le_bytes());
    }
    digest.0
}

fn batch_digest(changes: &[Adjustment]) -> u64 {
    let mut digest = Digest::new();
    for change in changes {
        digest.feed(&change.product.number().to_le_bytes());
        digest.feed(&change.delta.thousandths().to_le_bytes());
        digest.feed(change.kind.word().as_bytes());
    }
    digest.0
}

/// Rows that could not be read, by their place among all, together with what is wrong with
/// the others, by their place among those.
fn merge(unread: Vec<(usize, String)>, errors: Option<Vec<(usize, RowError)>>) -> Refusal {
    let mut all = unread;
    let places: HashSet<usize> = all.iter().map(|(place, _)| *place).collect();
    let mut others = (0..).filter(|place| !places.contains(place)).enumerate();
    for (index, error) in errors.into_iter().flatten() {
        if let Some((_, place)) = others.find(|(other, _)| *other == index) {
            all.push((place, error.to_string()));
        }
    }
    all.sort_by_key(|(place, _)| *place);
    Refusal::bad_rows(all)
}

fn refuse_rows(errors: Vec<(usize, RowError)>) -> Refusal {
    Refusal::bad_rows(errors.into_iter().map(|(index, error)| (index, error.to_string())).collect())
}

/// Sends each submission's answers on their way, those of one worker together.
fn answer_all(askers: Vec<Asker>, answers: Vec<Answers>) {
    let mut parcels: Vec<(mpsc::UnboundedSender<Vec<Answered>>, Vec<Answered>)> = Vec::new();
    for (Asker { is_call, answer, delivery }, answers) in askers.into_iter().zip(answers) {
        let answered = Answered { is_call, answer, answers };
        let Some(delivery) = delivery else {
            answered.send();
            continue;
        };
        match parcels.iter_mut().find(|(to, _)| to.same_channel(&delivery)) {
            Some((_, parcel)) => parcel.push(answered),
            None => parcels.push((delivery, vec![answered])),
        }
    }
    for (delivery, parcel) in parcels {
        // A worker that is gone has no one left who waits.
        let _ = delivery.send(parcel);
    }
}

/// The committer is gone, which only a defect of it explains: it outlives all who ask.
fn stopped() -> Refusal {
    Refusal::new(
        Code::Internal,
        "o servidor não grava mais, por um defeito. Nada foi alterado; reinicie-o e guarde o que ele registrou.",
    )
}

fn not_stored() -> Refusal {
    Refusal::new(
        Code::Unavailable,
        "o disco falhou durante a gravação. Nada foi alterado; confira o disco e tente de novo.",
    )
}

fn store_closed() -> Refusal {
    Refusal::new(
        Code::Unavailable,
        "o banco de dados não aceita gravações desde uma falha de disco. Nada foi alterado; \
         as consultas continuam; confira o disco e tente de novo.",
    )
}

fn not_in_ledger() -> Refusal {
    Refusal::new(
        Code::Internal,
        "este lote já foi feito, mas faltam movimentos dele no banco de dados, que está danificado. Nada foi \
         alterado agora; confira-o com `hortifruti verify` e restaure uma cópia.",
    )
}

fn outcome_unknown() -> Refusal {
    Refusal::new(
        Code::OutcomeUnknown,
        "o disco falhou durante a gravação e não se sabe se a mudança foi feita. \
         Confira o disco e repita com o mesmo identificador de pedido (id=).",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::catalog::{Quantity, original_products};
    use crate::store::sqlite::SqliteStore;

    /// What a store that fails does.
    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        None,
        /// It fails before it has stored anything.
        Before,
        /// It fails, and yet has stored everything.
        After,
        /// It fails, and cannot be reopened.
        Gone,
        /// It does not fail, and has lost a row of the ledger.
        Lossy,
        /// It has a defect.
        Defect,
    }

    /// A store that can be told to fail.
    struct Failing(SqliteStore, Arc<Mutex<Fault>>);

    impl Store for Failing {
        fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
            self.0.load()
        }
        fn create(&mut self, opening: &Changes) -> Result<(), StoreError> {
            self.0.create(opening)
        }
        fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError> {
            self.0.recorded(request_ids)
        }
        fn movements(&mut self, first_sequence: i64, count: usize) -> Result<Vec<Movement>, StoreError> {
            let mut movements = self.0.movements(first_sequence, count + 1)?;
            if *self.1.lock().unwrap() == Fault::Lossy {
                movements.remove(1);
            }
            movements.truncate(count);
            Ok(movements)
        }
        fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
            let fault = *self.1.lock().unwrap();
            assert!(fault != Fault::Defect, "asked for");
            if !matches!(fault, Fault::Before | Fault::Gone) {
                self.0.commit(changes)?;
            }
            if matches!(fault, Fault::None | Fault::Lossy) { Ok(()) } else { Err(failure()) }
        }
        fn close(&mut self) -> Result<(), StoreError> {
            self.0.close()
        }
        fn reopen(&mut self, in_doubt: &Changes) -> Result<bool, StoreError> {
            if *self.1.lock().unwrap() == Fault::Gone { Err(failure()) } else { self.0.reopen(in_doubt) }
        }
    }

    fn failure() -> StoreError {
        StoreError::Corrupt { path: "teste".into(), reason: "falha pedida".into() }
    }

    fn shop() -> (Inventory, Committer) {
        let store = SqliteStore::in_memory().unwrap();
        Inventory::open(Box::new(store), &original_products()).unwrap()
    }

    fn asked(line: &str) -> AdjustRequest<'_> {
        AdjustRequest::parse(line).unwrap()
    }

    fn code(answer: Result<Adjusted, Refusal>) -> Code {
        answer.expect_err("a refusal").code
    }

    fn stock(inventory: &Inventory, name: &str) -> Quantity {
        inventory.find(name, |product| product.stock).unwrap()
    }

    #[tokio::test]
    async fn a_retry_gets_the_first_answer() {
        let (inventory, committer) = shop();
        let first = inventory.adjust(asked("Caju -20 id=a")).await.unwrap();
        inventory.adjust(asked("Caju -5")).await.unwrap();
        let again = inventory.adjust(asked("CAJU -20 id=a")).await.unwrap();
        assert_eq!(again.product, first.product);
        assert_eq!(again.movement.sequence, first.movement.sequence);
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(35));
        for other in ["Caju -21 id=a", "Pera -1 id=a", "Caju -20 id=a motivo=venda"] {
            assert_eq!(code(inventory.adjust(asked(other)).await), Code::RequestIdReused);
        }
        // Also within one run, and a refused change does not use up its id.
        let mut run = Run::default();
        for line in ["Pera -99 id=b", "Pera -9 id=b", "Pera -9 id=b", "Pera 9 id=b"] {
            inventory.add(&mut run, AdjustRequest::parse(line));
        }
        let mut answers = Vec::new();
        inventory.adjust_all(run, |answer| answers.push(answer.map(Adjusted::from))).await;
        assert_eq!(answers[1], answers[2]);
        assert_eq!(stock(&inventory, "pera"), Quantity::from_units(6));
        drop(inventory);
        committer.join();
    }

    #[tokio::test]
    async fn a_batch_is_made_once() {
        let (inventory, _committer) = shop();
        let batch = |lines: &[&'static str]| BatchRequest {
            adjustments: lines.iter().map(|line| asked(line)).collect(),
            request_id: Some("lote".parse().unwrap()),
        };
        let lines = ["Caju -70", "Pera 1", "Caju 20"];
        let first = inventory.adjust_together(batch(&lines)).await.unwrap();
        inventory.adjust(asked("Caju 5")).await.unwrap();
        assert_eq!(inventory.adjust_together(batch(&lines)).await.unwrap(), first);
        let other = inventory.adjust_together(batch(&["Caju -70", "Pera 1"])).await.unwrap_err();
        assert_eq!(other.code, Code::RequestIdReused);
        assert_eq!(code(inventory.adjust(asked("Caju 1 id=lote")).await), Code::RequestIdReused);
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(15));
        let refused = BatchRequest { adjustments: vec![asked("Maca 1"), asked("Kiwi 1")], request_id: None };
        let refused = inventory.adjust_together(refused).await.unwrap_err();
        assert_eq!(refused.code, Code::ProductNotFound);
        assert!(refused.metadata.contains(&("index", "1".to_owned())));
        assert_eq!(stock(&inventory, "maca"), Quantity::from_units(20));
    }

    #[tokio::test]
    async fn a_batch_whose_movements_are_lost_has_no_short_answer() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fault));
        let (inventory, _committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let batch = || BatchRequest {
            adjustments: vec![asked("Caju 1"), asked("Pera 1"), asked("Maca 1")],
            request_id: Some("lote".parse().unwrap()),
        };
        let first = inventory.adjust_together(batch()).await.unwrap();
        // Without a row behind the batch, and with one, which is not of it.
        for _ in 0..2 {
            *fault.lock().unwrap() = Fault::Lossy;
            assert_eq!(inventory.adjust_together(batch()).await.unwrap_err().code, Code::Internal);
            *fault.lock().unwrap() = Fault::None;
            assert_eq!(inventory.adjust_together(batch()).await.unwrap(), first);
            inventory.adjust(asked("Caju 1")).await.unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_committer_that_is_gone() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fault));
        let (inventory, committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let (inventory, errands) = inventory.for_worker();
        tokio::spawn(errands.run());
        inventory.adjust(asked("Caju 1")).await.unwrap();
        *fault.lock().unwrap() = Fault::Defect;
        assert_eq!(code(inventory.adjust(asked("Caju 1")).await), Code::OutcomeUnknown);
        committer.join();
        // Also where more ask than there is room for.
        for _ in 0..=WAITING_MAX {
            assert_eq!(code(inventory.adjust(asked("Caju 1")).await), Code::Internal);
        }
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(61));
    }

    #[tokio::test]
    async fn an_import_is_done_once() {
        let (inventory, _committer) = shop();
        let mut request = ImportRequest {
            rows: original_products(),
            bad_rows: Vec::new(),
            is_dry_run: true,
            request_id: Some("lista".parse().unwrap()),
        };
        request.rows[0].price = "4".parse().unwrap();
        let expected = ImportCounts { created: 0, updated: 1, unchanged: 3 };
        assert_eq!(inventory.import(request.clone()).await, Ok(expected));
        assert_eq!(inventory.find("maca", |product| product.price.to_string()).unwrap(), "3.0");
        request.is_dry_run = false;
        for _ in 0..2 {
            assert_eq!(inventory.import(request.clone()).await, Ok(expected));
            assert_eq!(inventory.find("maca", |product| product.price.to_string()).unwrap(), "4.0");
        }
        request.rows.pop();
        assert_eq!(inventory.import(request).await.unwrap_err().code, Code::RequestIdReused);
        assert_eq!(code(inventory.adjust(asked("Caju 1 id=lista")).await), Code::RequestIdReused);
    }

    #[tokio::test]
    async fn a_failed_commit_is_in_doubt_until_the_store_has_told() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = SqliteStore::open(&folder.path().join("loja.db"), "teste").unwrap();
        let store = Failing(store, Arc::clone(&fault));
        let (inventory, _committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let set = |next| *fault.lock().unwrap() = next;

        set(Fault::Before);
        assert_eq!(code(inventory.adjust(asked("Caju -20 id=a")).await), Code::Unavailable);
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(60));
        set(Fault::After);
        assert_eq!(inventory.adjust(asked("Caju -20 id=a")).await.unwrap().movement.sequence, 5);
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(40));
        set(Fault::Gone);
        assert_eq!(code(inventory.adjust(asked("Caju -20 id=b")).await), Code::OutcomeUnknown);
        assert_eq!(code(inventory.adjust(asked("Caju -20 id=b")).await), Code::Unavailable);
        // Reads go on from the last durable state.
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(40));
        set(Fault::None);
        assert_eq!(inventory.adjust(asked("Caju -20 id=b")).await.unwrap().movement.sequence, 6);
        assert_eq!(inventory.adjust(asked("Caju -20 id=a")).await.unwrap().movement.sequence, 5);
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(20));
    }

    #[tokio::test]
    async fn a_wrong_name_is_answered_with_those_that_look_like_it() {
        let (inventory, _committer) = shop();
        for (typed, offered) in [("Cajú amigo", "Caju"), ("Bananna", "Banana"), ("aca", "Maca")] {
            let refusal = inventory.find(typed, |_| ()).unwrap_err();
            assert_eq!(refusal.code, Code::ProductNotFound);
            assert!(refusal.message.contains(offered), "{}", refusal.message);
        }
        // After more of them than are searched for.
        let long = std::time::Duration::from_secs(60);
        inventory.search_time().spend(Instant::now(), long);
        inventory.search_time().spend(Instant::now(), long);
        let refusal = inventory.find("Bananna", |_| ()).unwrap_err();
        assert_eq!(refusal.code, Code::ProductNotFound);
        assert!(refusal.message.contains("veja a lista de todos"), "{}", refusal.message);
    }
}
