//! The inventory: what both transports call.
//!
//! Reads look at the published catalog. Changes go to the one writer, which checks every change
//! that is waiting, makes them durable in one transaction (group commit), publishes them, and
//! only then answers. It works on the thread of a worker that has nothing else to do, or, where
//! others would wait for that, on a thread of its own, the committer. The writer is the only one
//! that changes the catalog, and the only user of the store.

mod clients;
mod clock;
mod committer;
mod gathering;
mod planner;
mod policy;
mod search_time;
mod submission;
mod writer;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Instant, SystemTime};

use tokio::sync::{Mutex, mpsc, oneshot};

pub use crate::catalog::Stopped;
use crate::catalog::{
    Adjustment, Catalog, Cursor, Draft, ImportCheck, ImportCounts, Key, Movement, Price, Product,
    ProductDraft, ProductId, RowError, Search, TooOld, Transaction,
};
use crate::catalog::{BATCH_LINES_MAX, IMPORT_ROWS_MAX};
use crate::operation::{AdjustRequest, BatchRequest, ImportRequest};
use crate::refusal::{Code, Refusal};
use crate::store::{Store, StoreError};
use clients::{Client, Clients};
pub use committer::Committer;
use committer::SharedWriter;
use gathering::Gathering;
use planner::refuse_rows;
use policy::Policy;
use search_time::SearchTime;
use submission::{Answered, Answers, Change, Done, Portion, Submission, deliver};
use writer::outcome_unknown;

/// Lines of a batch, or rows of a dry run, looked at in one turn, before others have theirs and the
/// catalog can change: a quarter of a millisecond.
const LINES_IN_TURN: usize = 128;

/// A handle on the inventory, cheap to clone. The committer stops when the last is dropped.
#[derive(Clone)]
pub struct Inventory {
    catalog: Arc<RwLock<Catalog>>,
    portions: mpsc::UnboundedSender<Portion>,
    writer: SharedWriter,
    /// How those of one worker go there, and their answers back.
    gathering: Option<Arc<Gathering>>,
    /// Which client of that worker uses this handle.
    client: Option<Arc<Client>>,
    /// The time for searches for names like wrong ones, shared by all handles. One search runs at a time.
    search_time: Arc<Mutex<SearchTime>>,
}

/// What one worker thread does for the changes of its connections.
pub struct Errands {
    gathering: Weak<Gathering>,
    /// Answers on their way back. They are never more than the submissions that wait.
    answers: mpsc::UnboundedReceiver<Vec<Answered>>,
}

impl Errands {
    /// What the thread has to do each time before it sleeps: to hand over the changes that it has
    /// gathered, or to see that it makes them, or to leave them for a little while.
    pub fn before_sleep(&self) -> impl Fn() + Send + Sync + 'static {
        let gathering = self.gathering.clone();
        move || {
            if let Some(gathering) = gathering.upgrade() {
                gathering.before_sleep();
            }
        }
    }

    /// Hands out answers, makes changes, and hands over those that have waited for long, until
    /// every [`Inventory`] of this worker is dropped.
    pub async fn run(self) {
        let gathering = self.gathering;
        let note = |answers: &[Answered]| {
            if let Some(gathering) = gathering.upgrade() {
                gathering.note_answers(answers);
            }
        };
        tokio::select! {
            () = deliver(self.answers, note) => {}
            () = gathering::make_when_due(gathering.clone()) => {}
            () = gathering::hand_over_in_time(gathering.clone()) => {}
        }
    }
}

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

/// Products in catalog order, all from one moment, which are read one after the other.
#[derive(Clone)]
pub struct Listing {
    catalog: Arc<RwLock<Catalog>>,
    cursor: Cursor,
}

impl Listing {
    /// Calls `visit` with each next product, until `visit` breaks or others are to have their turn.
    ///
    /// # Errors
    /// If more has changed since the list began than the catalog keeps (`RESOURCE_EXHAUSTED`).
    pub fn visit(&mut self, visit: impl FnMut(&Product) -> ControlFlow<()>) -> Result<Stopped, Refusal> {
        self.cursor.visit(&read(&self.catalog), visit).map_err(|TooOld| Refusal::list_too_old())
    }
}

/// Stock changes that one client sent together, to be answered together.
#[derive(Default)]
pub struct Run {
    changes: Vec<Change>,
    /// What was refused at once, and how many changes came before it.
    refusals: Vec<(usize, Refusal)>,
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
        self.changes.len() + self.refusals.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a refusal at the end, in the place of a change.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push((self.changes.len(), refusal));
    }
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
        let (committer, writer) = Committer::start(Arc::clone(&catalog), store, waiting);
        let search_time = Arc::new(Mutex::new(SearchTime::new(Instant::now())));
        Ok((Self { catalog, portions, writer, gathering: None, client: None, search_time }, committer))
    }

    /// A handle for one worker thread, perhaps the only one. Its changes gather until it is about
    /// to sleep or a little longer, and their answers come back through [`Errands`], all those of one
    /// transaction at once: to wake a thread is a system call, so it is done for many changes and not
    /// for each.
    pub fn for_worker(&self, is_only: bool) -> (Self, Errands) {
        let (delivery, answers) = mpsc::unbounded_channel();
        let (portions, writer) = (self.portions.clone(), self.writer.clone());
        let gathering = Arc::new(Gathering::new(portions, writer, delivery, Policy::new(is_only)));
        let errands = Errands { gathering: Arc::downgrade(&gathering), answers };
        (Self { gathering: Some(gathering), ..self.clone() }, errands)
    }

    /// A handle for one client of the worker. One that changes something waits for the disk
    /// anyway; one that only reads, as each does at first, is not to wait for it.
    pub fn for_client(&self) -> Self {
        Self { client: Some(Arc::default()), ..self.clone() }
    }

    /// Calls with one product.
    ///
    /// # Errors
    /// If no product has that name (`PRODUCT_NOT_FOUND`, with the names that look like it), or none can
    /// have it (`INVALID_ARGUMENT`).
    pub async fn find<T>(&self, name: &str, use_product: impl FnOnce(&Product) -> T) -> Result<T, Refusal> {
        let found = self.reader().find(name, use_product);
        match found {
            Ok(found) => Ok(found),
            Err(refusal) => Err(self.explain(name, refusal).await),
        }
    }

    /// For several questions, one after the other and without waiting between them.
    pub fn reader(&self) -> Reader<'_> {
        Reader { inventory: self, catalog: None }
    }

    /// A list of the products, or those up to a price, that come after this one.
    pub fn list(&self, max_price: Option<Price>, after: Option<ProductId>) -> Listing {
        self.note(Clients::note_read);
        let cursor = self.read().cursor(max_price, after);
        Listing { catalog: Arc::clone(&self.catalog), cursor }
    }

    /// Adds the names that look like a wrong name to its refusal, if that is `PRODUCT_NOT_FOUND` and
    /// there is time for the search.
    pub async fn explain(&self, name: &str, refusal: Refusal) -> Refusal {
        if refusal.code != Code::ProductNotFound {
            return refusal;
        }
        let mut time = self.search_time.lock().await;
        if !time.is_left(Instant::now()) {
            return refusal;
        }
        let mut search = Search::new(name);
        loop {
            let begun = Instant::now();
            let has_more = search.go_on(self.read().products());
            time.spend(begun, begun.elapsed());
            if !has_more {
                return Refusal::product_not_found(name, &search.names());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Changes a stock. Returns once the change is durable.
    ///
    /// If the caller goes away while it waits, the change is made all the same.
    ///
    /// # Errors
    /// By the rules of a change, or where the store refuses writes.
    pub async fn adjust(&self, request: AdjustRequest<'_>) -> Result<Adjusted, Refusal> {
        let name = request.name;
        let mut run = Run::default();
        let added = self.reader().add(&mut run, request);
        if let Err(refusal) = added {
            return Err(self.explain(name, refusal).await);
        }
        let mut adjusted = Err(stopped());
        self.make(run, true, |answer| adjusted = answer.map(Adjusted::from)).await;
        adjusted
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
        let catalog = self.read();
        let mut refusals = run.refusals.into_iter().peekable();
        for (answered, outcome) in each.into_iter().enumerate() {
            while let Some((_, refusal)) = refusals.next_if(|(before, _)| *before == answered) {
                answer(Err(refusal));
            }
            match outcome {
                Ok(done) => {
                    let movement = done.movement(&movements).ok_or_else(stopped);
                    answer(movement.map(|movement| (product_of(&catalog, movement), movement)));
                }
                Err(refusal) => answer(Err(*refusal)),
            }
        }
        refusals.for_each(|(_, refusal)| answer(Err(refusal)));
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
        let mut changes = Vec::with_capacity(adjustments.len());
        for (index, AdjustRequest { name, delta, kind, .. }) in adjustments.into_iter().enumerate() {
            if index % LINES_IN_TURN == LINES_IN_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let product = self.reader().id_of(name);
            match product {
                Ok(product) => changes.push(Adjustment { product, delta, kind, request_id: None }),
                Err(refusal) => return Err(self.explain(name, refusal).await.at(index)),
            }
        }
        match self.submit(vec![Change::Batch { changes, request_id }], true).await.each.pop() {
            Some(Ok(Done::Batch(movements))) => {
                let catalog = self.read();
                Ok(movements
                    .iter()
                    .map(|movement| Adjusted::from((product_of(&catalog, movement), movement)))
                    .collect())
            }
            Some(Err(refusal)) => Err(*refusal),
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
            let mut check = ImportCheck::new(&rows);
            while check.go_on(&Draft::new(&self.read(), SystemTime::now()), LINES_IN_TURN) {
                tokio::task::yield_now().await;
            }
            let looked_at = check.finish();
            return if bad_rows.is_empty() {
                looked_at.map_err(refuse_rows)
            } else {
                Err(merge(bad_rows, looked_at.err()))
            };
        }
        match self.submit(vec![Change::Import { rows, request_id }], true).await.each.pop() {
            Some(Ok(Done::Imported(counts))) => Ok(counts),
            Some(Err(refusal)) => Err(*refusal),
            Some(Ok(_)) | None => Err(stopped()),
        }
    }

    /// Notes what the client of this handle asks for, if it is a client's.
    fn note(&self, note: impl FnOnce(&Clients, &Client)) {
        if let (Some(gathering), Some(client)) = (&self.gathering, &self.client) {
            note(gathering.clients(), client);
        }
    }

    /// Ends all snapshots, as if more had changed than the catalog keeps.
    #[cfg(test)]
    pub(crate) fn forget_snapshots(&self) {
        self.read().forget_snapshots();
    }

    fn read(&self) -> RwLockReadGuard<'_, Catalog> {
        read(&self.catalog)
    }

    /// One answer for each change, in order.
    async fn submit(&self, changes: Vec<Change>, is_call: bool) -> Answers {
        let count = changes.len();
        if count == 0 {
            return Answers::default();
        }
        self.note(Clients::note_change);
        let (answer, answered) = oneshot::channel();
        let delivery = self.gathering.as_ref().map(|gathering| gathering.delivery());
        let submission = Submission::new(changes, is_call, answer, delivery);
        if !self.send(submission).await {
            return Answers::refused(count, &stopped());
        }
        answered.await.unwrap_or_else(|_| Answers::refused(count, &outcome_unknown()))
    }

    /// Sends it on its way, once there is room. Returns whether there is anybody who makes it.
    async fn send(&self, submission: Submission) -> bool {
        if !self.writer.take_room().await {
            return false;
        }
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
    /// Calls `use_product` with the product of this name.
    ///
    /// # Errors
    /// If no product has that name (`PRODUCT_NOT_FOUND`, for [`Inventory::explain`]), or none can have
    /// it (`INVALID_ARGUMENT`).
    pub fn find<T>(&mut self, name: &str, use_product: impl FnOnce(&Product) -> T) -> Result<T, Refusal> {
        self.inventory.note(Clients::note_read);
        self.look_up(name, |catalog| catalog.find(name).map(use_product))
    }

    /// Puts a change at the end of a run.
    ///
    /// # Errors
    /// If [`Reader::find`] would fail. The run is then as it was.
    pub fn add(&mut self, run: &mut Run, request: AdjustRequest<'_>) -> Result<(), Refusal> {
        let AdjustRequest { name, delta, kind, request_id } = request;
        run.changes.push(Change::Adjust(Adjustment { product: self.id_of(name)?, delta, kind, request_id }));
        Ok(())
    }

    fn id_of(&mut self, name: &str) -> Result<ProductId, Refusal> {
        self.look_up(name, |catalog| catalog.id_of(name))
    }

    fn look_up<T>(&mut self, name: &str, look: impl FnOnce(&Catalog) -> Option<T>) -> Result<T, Refusal> {
        let catalog = self.catalog.get_or_insert_with(|| self.inventory.read());
        look(catalog).ok_or_else(|| match Key::with(name, |_| ()) {
            Ok(()) => Refusal::product_not_found(name, &[]),
            Err(error) => Refusal::name(&error),
        })
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
    let mut changes = Transaction::default();
    if !opening.is_empty() {
        let mut draft = Draft::new(&catalog, SystemTime::now());
        draft.import(opening).expect("the opening products follow the rules");
        changes = draft.finish();
    }
    store.create(&changes)?;
    catalog.apply(&changes);
    Ok(catalog)
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

/// The writer is gone, which only a defect of it explains: it outlives all who ask.
fn stopped() -> Refusal {
    Refusal::new(
        Code::Internal,
        "o servidor não grava mais, por um defeito. Nada foi alterado; reinicie-o e guarde o que ele registrou.",
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::catalog::{Name, Quantity, RequestId, original_products};
    use crate::store::RecordedById;
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
        /// It would have to be opened anew.
        Unready,
        /// It has a defect.
        Defect,
    }

    thread_local! {
        /// Made on this thread.
        static COMMITS: Cell<usize> = const { Cell::new(0) };
    }

    /// A store that can be told to fail.
    struct Failing(SqliteStore, Arc<Mutex<Fault>>);

    impl Store for Failing {
        fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
            self.0.load()
        }
        fn create(&mut self, opening: &Transaction) -> Result<(), StoreError> {
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
        fn tidy(&mut self) -> Result<(), StoreError> {
            self.0.tidy()
        }
        fn is_ready(&self) -> bool {
            *self.1.lock().unwrap() != Fault::Unready && self.0.is_ready()
        }
        fn commit(&mut self, changes: &Transaction) -> Result<(), StoreError> {
            COMMITS.set(COMMITS.get() + 1);
            let fault = *self.1.lock().unwrap();
            assert!(fault != Fault::Defect, "asked for");
            if !matches!(fault, Fault::Before | Fault::Gone) {
                self.0.commit(changes)?;
            }
            if matches!(fault, Fault::None | Fault::Lossy | Fault::Unready) { Ok(()) } else { Err(failure()) }
        }
        fn commit_at_once(&mut self, changes: &Transaction) -> Result<(), StoreError> {
            if *self.1.lock().unwrap() == Fault::None {
                COMMITS.set(COMMITS.get() + 1);
                return self.0.commit_at_once(changes);
            }
            self.commit(changes)
        }
        fn close(&mut self) -> Result<(), StoreError> {
            self.0.close()
        }
        fn reopen(&mut self, in_doubt: &Transaction) -> Result<bool, StoreError> {
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
        inventory.reader().find(name, |product| product.stock).unwrap()
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
            inventory.reader().add(&mut run, asked(line)).unwrap();
        }
        let mut answers = Vec::new();
        inventory.adjust_all(run, |answer| answers.push(answer.map(Adjusted::from))).await;
        assert_eq!(answers[1], answers[2]);
        assert_eq!(stock(&inventory, "pera"), Quantity::from_units(6));
        drop(inventory);
        committer.join().unwrap();
    }

    #[tokio::test]
    async fn what_is_refused_at_once_is_answered_in_its_turn() {
        let (inventory, _committer) = shop();
        for places in [vec![], vec![0], vec![2], vec![0, 1, 2], vec![1, 3, 4], vec![0, 4, 5, 6]] {
            let mut run = Run::default();
            for place in 0..7 {
                match places.contains(&place) {
                    true => run.refuse(Refusal::no_room()),
                    false => inventory.reader().add(&mut run, asked("Caju 1")).unwrap(),
                }
            }
            assert_eq!(run.len(), 7);
            let mut answered = Vec::new();
            inventory.adjust_all(run, |answer| answered.push(answer.is_err())).await;
            assert_eq!(answered, (0..7).map(|place| places.contains(&place)).collect::<Vec<_>>());
        }
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
    async fn nobody_waits_for_a_writer_that_is_gone() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fault));
        let (inventory, committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let (worker, errands) = inventory.for_worker(true);
        tokio::spawn(errands.run());
        worker.adjust(asked("Caju 1")).await.unwrap();
        *fault.lock().unwrap() = Fault::Defect;
        assert_eq!(code(worker.adjust(asked("Caju 1")).await), Code::OutcomeUnknown);
        // Also where more ask than there is room for.
        for _ in 0..=committer::WAITING_MAX {
            assert_eq!(code(worker.adjust(asked("Caju 1")).await), Code::Internal);
        }
        assert_eq!(stock(&inventory, "caju"), Quantity::from_units(61));
        drop((inventory, worker));
        committer.join().unwrap();
    }

    #[test]
    fn a_worker_makes_changes_itself_where_all_is_well() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let store = Failing(SqliteStore::open(&path, 8082).unwrap(), Arc::clone(&fault));
        let (inventory, committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let (worker, errands) = inventory.for_worker(true);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(errands.before_sleep())
            .build()
            .unwrap();
        runtime.spawn(errands.run());
        let (till, reader) = (worker.for_client(), worker.for_client());
        let change = || runtime.block_on(till.adjust(asked("Caju 1")));
        // Asks between its changes, as a till does, until one is made on this thread.
        let until_own = || {
            let made = COMMITS.get();
            let begun = Instant::now();
            while COMMITS.get() == made {
                assert!(begun.elapsed().as_secs() < 30, "no change was made on this thread");
                let stock_before = stock(&till, "caju");
                let stock_after = change().unwrap().product.stock;
                assert_eq!(stock_after.thousandths(), stock_before.thousandths() + 1000);
            }
        };
        change().unwrap();
        until_own();
        // Not while somebody else reads, and again afterwards.
        let made = COMMITS.get();
        stock(&reader, "caju");
        change().unwrap();
        assert_eq!(COMMITS.get(), made);
        until_own();
        // The worker leaves all trouble to the committer, as when that makes the change.
        for (trouble, expected) in [
            (Fault::Before, Err(Code::Unavailable)),
            (Fault::After, Ok(())),
            (Fault::Gone, Err(Code::OutcomeUnknown)),
        ] {
            loop {
                until_own();
                let made = COMMITS.get();
                *fault.lock().unwrap() = trouble;
                let answer = change().map(drop).map_err(|refusal| refusal.code);
                *fault.lock().unwrap() = Fault::None;
                assert_eq!(answer, expected);
                if COMMITS.get() > made {
                    break;
                }
            }
        }
        // It does not open the store anew, which waits for other programs; the committer does.
        for request_id in ["", " id=novo"] {
            until_own();
            let made = COMMITS.get();
            *fault.lock().unwrap() = Fault::Unready;
            runtime.block_on(till.adjust(asked(&format!("Caju 1{request_id}")))).unwrap();
            *fault.lock().unwrap() = Fault::None;
            assert_eq!(COMMITS.get(), made);
        }
        // It does not wait for another program, and nobody for it; the committer does.
        let other = rusqlite::Connection::open(&path).unwrap();
        loop {
            until_own();
            let made = COMMITS.get();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            let begun = Instant::now();
            let looked_at = async {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                stock(&reader, "caju");
                other.execute_batch("ROLLBACK").unwrap();
            };
            let (answer, ()) =
                runtime.block_on(async { tokio::join!(till.adjust(asked("Caju 1")), looked_at) });
            answer.unwrap();
            assert!(begun.elapsed() < std::time::Duration::from_secs(3));
            if COMMITS.get() > made {
                break;
            }
        }
        // It outlives a defect of the store.
        until_own();
        let stock_before = stock(&till, "caju");
        *fault.lock().unwrap() = Fault::Defect;
        assert_eq!(code(change()), Code::OutcomeUnknown);
        assert_eq!(code(change()), Code::Internal);
        assert_eq!(stock(&till, "caju"), stock_before);
        drop((inventory, worker, till, reader, runtime));
        committer.join().unwrap();
    }

    #[tokio::test]
    async fn others_have_their_turn_during_a_search_a_batch_and_a_dry_run() {
        let row = |number: usize| ProductDraft {
            name: Name::parse(&format!("Produto {number}")).unwrap(),
            ..original_products().remove(0)
        };
        let rows: Vec<ProductDraft> = (0..1000).map(row).collect();
        let (inventory, _committer) =
            Inventory::open(Box::new(SqliteStore::in_memory().unwrap()), &rows).unwrap();
        let turns = std::rc::Rc::new(Cell::new(0));
        let counted = std::rc::Rc::clone(&turns);
        let others = async move {
            loop {
                counted.set(counted.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let lines: Vec<String> = rows.iter().map(|row| format!("{} 1", row.name)).collect();
        let import = |is_dry_run| ImportRequest {
            rows: rows.clone(),
            bad_rows: Vec::new(),
            is_dry_run,
            request_id: None,
        };
        let work = async {
            let mut before = 0;
            let mut turns_since = || turns.get() - std::mem::replace(&mut before, turns.get());
            inventory.find("Prodito", |_| ()).await.unwrap_err();
            assert!(turns_since() >= 1000 / 64 - 1);
            let adjustments: Vec<_> = lines.iter().map(|line| asked(line)).collect();
            inventory.adjust_together(BatchRequest { adjustments, request_id: None }).await.unwrap();
            assert!(turns_since() >= 1000 / LINES_IN_TURN - 1);
            let counts = inventory.import(import(true)).await.unwrap();
            assert_eq!(counts, ImportCounts { created: 0, updated: 0, unchanged: 1000 });
            assert!(turns_since() >= 1000 / LINES_IN_TURN - 1);
        };
        tokio::select! {
            () = work => {}
            () = others => {}
        }
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
        assert_eq!(inventory.reader().find("maca", |product| product.price.to_string()).unwrap(), "3.0");
        request.is_dry_run = false;
        for _ in 0..2 {
            assert_eq!(inventory.import(request.clone()).await, Ok(expected));
            assert_eq!(inventory.reader().find("maca", |product| product.price.to_string()).unwrap(), "4.0");
        }
        request.rows.pop();
        assert_eq!(inventory.import(request).await.unwrap_err().code, Code::RequestIdReused);
        assert_eq!(code(inventory.adjust(asked("Caju 1 id=lista")).await), Code::RequestIdReused);
    }

    #[tokio::test]
    async fn a_failed_commit_is_in_doubt_until_the_store_has_told() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = SqliteStore::open(&folder.path().join("loja.db"), 8082).unwrap();
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
        let refused = async |typed: &str| inventory.find(typed, |_| ()).await.unwrap_err();
        for (typed, offered) in [("Cajú amigo", "Caju"), ("Bananna", "Banana"), ("aca", "Maca")] {
            let refusal = refused(typed).await;
            assert_eq!(refusal.code, Code::ProductNotFound);
            assert!(refusal.message.contains(offered), "{}", refusal.message);
        }
        // A change and a batch name similar products, too.
        let refusal = inventory.adjust(asked("Bananna 1")).await.unwrap_err();
        assert!(refusal.message.contains("Banana."), "{}", refusal.message);
        let batch = BatchRequest { adjustments: vec![asked("Caju 1"), asked("Bananna 1")], request_id: None };
        let refusal = inventory.adjust_together(batch).await.unwrap_err();
        assert!(refusal.message.contains("Banana."), "{}", refusal.message);
        assert!(refusal.metadata.contains(&("index", "1".to_owned())));
        // After more of them than are searched for.
        for _ in 0..2 {
            inventory.search_time.lock().await.spend(Instant::now(), Duration::from_secs(60));
        }
        let refusal = refused("Bananna").await;
        assert_eq!(refusal.code, Code::ProductNotFound);
        assert!(refusal.message.contains("veja a lista de todos"), "{}", refusal.message);
    }
}
