//! The inventory: what both transports call.
//!
//! Reads look at the published catalog. Changes go to one committer thread, which checks
//! every change that is waiting, makes them durable in one transaction (group commit),
//! publishes them, and only then answers. The committer is the only writer of the catalog
//! and the only user of the store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::SystemTime;

use tokio::sync::{mpsc, oneshot};

use crate::catalog::{
    Adjustment, Catalog, Changes, Draft, ImportCounts, ImportRecord, Key, Movement, Price, Product,
    ProductDraft, ProductId, Products, RequestId, RowError,
};
use crate::request::{AdjustRequest, Code, IMPORT_ROWS_MAX, ImportRequest, Refusal};
use crate::store::{Recorded, Store, StoreError};

/// Submissions that wait for the committer before those who submit must wait
/// themselves: more than one transaction takes, so that the committer never idles, and
/// few enough that an answer is never seconds away.
const WAITING_MAX: usize = 1024;

/// Changes after which a transaction takes no further submission: large enough that the cost of
/// an fsync is spread thin, small enough that it lasts milliseconds.
const TRANSACTION_CHANGES_MAX: usize = 4096;

/// A handle on the inventory, cheap to clone. The committer stops when the last is dropped.
#[derive(Clone)]
pub struct Inventory {
    catalog: Arc<RwLock<Catalog>>,
    submissions: mpsc::Sender<Submission>,
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

/// Products in catalog order, all from one moment.
pub struct Listing {
    products: Products,
    ids: Option<Vec<ProductId>>,
}

impl Listing {
    /// The products with an id above `after`.
    pub fn iter_after(&self, after: Option<ProductId>) -> Box<dyn Iterator<Item = &Product> + Send + '_> {
        match &self.ids {
            None => Box::new(self.products.iter_after(after)),
            Some(ids) => {
                let start = ids.partition_point(|id| Some(*id) <= after);
                Box::new(ids[start..].iter().filter_map(|id| self.products.get(*id)))
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
    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.refusals.is_empty()
    }
}

/// Changes that wait for the committer, and who waits for their answer.
struct Submission {
    changes: Vec<Change>,
    answer: oneshot::Sender<Vec<Result<Done, Refusal>>>,
}

enum Change {
    Adjust(Adjustment),
    Import { rows: Vec<ProductDraft>, request_id: Option<RequestId> },
}

enum Done {
    Adjusted(Adjusted),
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
        let (submissions, waiting) = mpsc::channel(WAITING_MAX);
        let writer = Writer { catalog: Arc::clone(&catalog), store, is_closed: false };
        let thread = std::thread::spawn(move || writer.run(waiting));
        Ok((Self { catalog, submissions }, Committer(thread)))
    }

    /// One product.
    ///
    /// # Errors
    /// `PRODUCT_NOT_FOUND`, or `INVALID_ARGUMENT` where no product can have that name.
    pub fn find(&self, name: &str) -> Result<Product, Refusal> {
        let key = Key::of(name).map_err(|error| Refusal::name(&error))?;
        if let Some(product) = self.read().find(&key) {
            return Ok(product.clone());
        }
        Err(self.not_found(name, &key))
    }

    /// Every product, or those up to a price.
    pub fn list(&self, max_price: Option<Price>) -> Listing {
        let catalog = self.read();
        Listing {
            products: catalog.products().clone(),
            ids: max_price.map(|price| catalog.up_to_price(price)),
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
        self.adjust_all(run).await.pop().unwrap_or_else(|| Err(stopped()))
    }

    /// Puts a change, or what was refused in its place, at the end of a run.
    pub fn add(&self, run: &mut Run, request: Result<AdjustRequest<'_>, Refusal>) {
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

    /// Changes several stocks, in this order but each on its own: one refused change stops
    /// no other. One answer for each, all once they are durable.
    pub async fn adjust_all(&self, run: Run) -> Vec<Result<Adjusted, Refusal>> {
        let mut answers = self.submit(run.changes).await.into_iter();
        run.refusals
            .into_iter()
            .map(|refusal| match refusal {
                Some(refusal) => Err(refusal),
                None => match answers.next() {
                    Some(Ok(Done::Adjusted(adjusted))) => Ok(adjusted),
                    Some(Err(refusal)) => Err(refusal),
                    Some(Ok(Done::Imported(_))) | None => Err(stopped()),
                },
            })
            .collect()
    }

    /// Creates and updates products: all rows or none. Returns once it is durable; a dry
    /// run returns what would be done.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with every bad row, or where the store refuses writes.
    pub async fn import(&self, request: ImportRequest) -> Result<ImportCounts, Refusal> {
        let ImportRequest { rows, is_dry_run, request_id } = request;
        if rows.is_empty() || rows.len() > IMPORT_ROWS_MAX {
            let what = format!("a lista tem {} produtos; o limite é de 1 a {IMPORT_ROWS_MAX}", rows.len());
            return Err(Refusal::invalid("products", what));
        }
        if is_dry_run {
            let catalog = self.read();
            return Draft::new(&catalog, SystemTime::now()).import(&rows).map_err(bad_rows);
        }
        match self.submit(vec![Change::Import { rows, request_id }]).await.pop() {
            Some(Ok(Done::Imported(counts))) => Ok(counts),
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(Done::Adjusted(_))) | None => Err(stopped()),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Catalog> {
        read(&self.catalog)
    }

    fn id_of(&self, name: &str) -> Result<ProductId, Refusal> {
        let key = Key::of(name).map_err(|error| Refusal::name(&error))?;
        if let Some(product) = self.read().find(&key) {
            return Ok(product.id);
        }
        Err(self.not_found(name, &key))
    }

    fn not_found(&self, name: &str, key: &Key) -> Refusal {
        Refusal::product_not_found(name, &self.read().nearest(key))
    }

    /// One answer for each change, in order.
    async fn submit(&self, changes: Vec<Change>) -> Vec<Result<Done, Refusal>> {
        let count = changes.len();
        if count == 0 {
            return Vec::new();
        }
        let (answer, answered) = oneshot::channel();
        if self.submissions.send(Submission { changes, answer }).await.is_err() {
            return (0..count).map(|_| Err(stopped())).collect();
        }
        answered.await.unwrap_or_else(|_| (0..count).map(|_| Err(outcome_unknown())).collect())
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
    /// Set by the first failed commit: what SQLite would do next cannot be trusted.
    is_closed: bool,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Submission>) {
        let mut batch = Vec::new();
        while let Some(first) = waiting.blocking_recv() {
            let mut changes = first.changes.len();
            batch.push(first);
            while changes < TRANSACTION_CHANGES_MAX
                && let Ok(next) = waiting.try_recv()
            {
                changes += next.changes.len();
                batch.push(next);
            }
            self.commit(std::mem::take(&mut batch));
        }
    }

    /// One transaction: checks every change, stores those that follow the rules, shows
    /// them, answers all.
    fn commit(&mut self, batch: Vec<Submission>) {
        if self.is_closed {
            return answer_all(batch, &store_closed());
        }
        let (answers, changes) = {
            let catalog = read(&self.catalog);
            let mut planner = Planner {
                draft: Draft::new(&catalog, SystemTime::now()),
                store: &mut *self.store,
                recorded: HashMap::new(),
            };
            let answers: Vec<Vec<_>> = batch
                .iter()
                .map(|submission| submission.changes.iter().map(|change| planner.plan(change)).collect())
                .collect();
            (answers, planner.draft.finish())
        };
        if !changes.is_empty() {
            if let Err(error) = self.store.commit(&changes) {
                tracing::error!(%error, "a commit failed; the store takes no more changes");
                self.is_closed = true;
                return answer_all(batch, &outcome_unknown());
            }
            self.catalog.write().unwrap_or_else(PoisonError::into_inner).apply(&changes);
        }
        for (submission, answers) in batch.into_iter().zip(answers) {
            // Who asked may be gone; the change is made all the same.
            let _ = submission.answer.send(answers);
        }
    }
}

/// Checks the changes of one batch, one after the other.
struct Planner<'a> {
    draft: Draft<'a>,
    store: &'a mut dyn Store,
    /// What request ids did earlier in this batch.
    recorded: HashMap<RequestId, Recorded>,
}

impl Planner<'_> {
    fn plan(&mut self, change: &Change) -> Result<Done, Refusal> {
        match change {
            Change::Adjust(adjustment) => self.adjust(adjustment).map(Done::Adjusted),
            Change::Import { rows, request_id } => self.import(rows, request_id.as_ref()).map(Done::Imported),
        }
    }

    fn adjust(&mut self, adjustment: &Adjustment) -> Result<Adjusted, Refusal> {
        if let Some(request_id) = &adjustment.request_id
            && let Some(recorded) = self.recorded(request_id)?
        {
            return match recorded {
                Recorded::Movement(movement)
                    if movement.product == adjustment.product
                        && movement.delta == adjustment.delta
                        && movement.kind == adjustment.kind =>
                {
                    Ok(self.answer(movement))
                }
                _ => Err(Refusal::request_id_reused(request_id)),
            };
        }
        let movement = self.draft.adjust(adjustment.clone())?;
        if let Some(request_id) = &adjustment.request_id {
            self.recorded.insert(request_id.clone(), Recorded::Movement(movement.clone()));
        }
        Ok(self.answer(movement))
    }

    fn import(
        &mut self,
        rows: &[ProductDraft],
        request_id: Option<&RequestId>,
    ) -> Result<ImportCounts, Refusal> {
        let Some(request_id) = request_id else {
            return self.draft.import(rows).map_err(bad_rows);
        };
        let digest = digest(rows);
        match self.recorded(request_id)? {
            Some(Recorded::Import(record)) if record.digest == digest => Ok(record.counts),
            Some(_) => Err(Refusal::request_id_reused(request_id)),
            None => {
                let counts = self.draft.import(rows).map_err(bad_rows)?;
                let record = ImportRecord { request_id: request_id.clone(), digest, counts };
                self.recorded.insert(request_id.clone(), Recorded::Import(record.clone()));
                self.draft.record_import(record);
                Ok(counts)
            }
        }
    }

    fn recorded(&mut self, request_id: &RequestId) -> Result<Option<Recorded>, Refusal> {
        if let Some(recorded) = self.recorded.get(request_id) {
            return Ok(Some(recorded.clone()));
        }
        self.store.recorded(request_id).map_err(|error| {
            tracing::error!(%error, "a request id could not be looked up");
            store_closed()
        })
    }

    /// The answer to a change: the product with the balance and the price of that moment.
    fn answer(&self, movement: Movement) -> Adjusted {
        let product = self.draft.product(movement.product);
        Adjusted { product: Product { stock: movement.balance, price: movement.price, ..product }, movement }
    }
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

/// A digest of a price list that stays the same for ever (FNV-1a, 64 bits), because it is
/// stored.
fn digest(rows: &[ProductDraft]) -> u64 {
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0xff]) {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for row in rows {
        feed(row.name.as_str().as_bytes());
        feed(row.unit.as_ref().map_or("", |unit| unit.as_str()).as_bytes());
        feed(&row.price.centavos().to_le_bytes());
        feed(&row.opening_stock.thousandths().to_le_bytes());
    }
    digest
}

fn bad_rows(errors: Vec<(usize, RowError)>) -> Refusal {
    Refusal::bad_rows(errors.into_iter().map(|(index, error)| (index, error.to_string())).collect())
}

fn answer_all(batch: Vec<Submission>, refusal: &Refusal) {
    for submission in batch {
        let _ = submission.answer.send(submission.changes.iter().map(|_| Err(refusal.clone())).collect());
    }
}

fn stopped() -> Refusal {
    Refusal::new(
        Code::Unavailable,
        "o servidor está parando. Nada foi alterado; tente de novo quando ele voltar.",
    )
}

fn store_closed() -> Refusal {
    Refusal::new(
        Code::Unavailable,
        "o banco de dados não aceita gravações desde uma falha de disco. Nada foi alterado; \
         as consultas continuam; confira o disco e reinicie o servidor.",
    )
}

fn outcome_unknown() -> Refusal {
    Refusal::new(
        Code::OutcomeUnknown,
        "o disco falhou durante a gravação e não se sabe se a mudança foi feita. \
         Repita com o mesmo identificador de pedido (id=) depois de reiniciar o servidor.",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::catalog::{Quantity, original_products};
    use crate::store::sqlite::SqliteStore;

    /// A store that can be told to fail.
    struct Failing(SqliteStore, Arc<AtomicBool>);

    impl Store for Failing {
        fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
            self.0.load()
        }
        fn create(&mut self, opening: &Changes) -> Result<(), StoreError> {
            self.0.create(opening)
        }
        fn recorded(&mut self, request_id: &RequestId) -> Result<Option<Recorded>, StoreError> {
            self.0.recorded(request_id)
        }
        fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
            if self.1.load(Ordering::Relaxed) {
                return Err(StoreError::Corrupt { path: "teste".into(), reason: "falha pedida".into() });
            }
            self.0.commit(changes)
        }
    }

    fn shop() -> (Inventory, Committer, Arc<AtomicBool>) {
        let fails = Arc::new(AtomicBool::new(false));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fails));
        let (inventory, committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        (inventory, committer, fails)
    }

    fn asked(line: &str) -> AdjustRequest<'_> {
        AdjustRequest::parse(line).unwrap()
    }

    fn code(answer: Result<Adjusted, Refusal>) -> Code {
        answer.expect_err("a refusal").code
    }

    #[tokio::test]
    async fn a_retry_gets_the_first_answer() {
        let (inventory, committer, _) = shop();
        let first = inventory.adjust(asked("Caju -20 id=a")).await.unwrap();
        inventory.adjust(asked("Caju -5")).await.unwrap();
        let again = inventory.adjust(asked("CAJU -20 id=a")).await.unwrap();
        assert_eq!(again.product, first.product);
        assert_eq!(again.movement.sequence, first.movement.sequence);
        assert_eq!(inventory.find("caju").unwrap().stock, Quantity::from_units(35));
        for other in ["Caju -21 id=a", "Pera -1 id=a", "Caju -20 id=a motivo=venda"] {
            assert_eq!(code(inventory.adjust(asked(other)).await), Code::RequestIdReused);
        }
        // Also within one run, and a refused change does not use up its id.
        let mut run = Run::default();
        for line in ["Pera -99 id=b", "Pera -9 id=b", "Pera -9 id=b", "Pera 9 id=b"] {
            inventory.add(&mut run, AdjustRequest::parse(line));
        }
        let answers = inventory.adjust_all(run).await;
        assert_eq!(answers[1], answers[2]);
        assert_eq!(inventory.find("pera").unwrap().stock, Quantity::from_units(6));
        drop(inventory);
        committer.join();
    }

    #[tokio::test]
    async fn an_import_is_done_once() {
        let (inventory, _committer, _) = shop();
        let mut request = ImportRequest {
            rows: original_products(),
            is_dry_run: true,
            request_id: Some("lista".parse().unwrap()),
        };
        request.rows[0].price = "4".parse().unwrap();
        let expected = ImportCounts { created: 0, updated: 1, unchanged: 3 };
        assert_eq!(inventory.import(request.clone()).await, Ok(expected));
        assert_eq!(inventory.find("maca").unwrap().price.to_string(), "3.0");
        request.is_dry_run = false;
        for _ in 0..2 {
            assert_eq!(inventory.import(request.clone()).await, Ok(expected));
            assert_eq!(inventory.find("maca").unwrap().price.to_string(), "4.0");
        }
        request.rows.pop();
        assert_eq!(inventory.import(request).await.unwrap_err().code, Code::RequestIdReused);
        assert_eq!(code(inventory.adjust(asked("Caju 1 id=lista")).await), Code::RequestIdReused);
    }

    #[tokio::test]
    async fn a_failed_commit_is_in_doubt_and_closes_the_store_to_writes() {
        let (inventory, _committer, fails) = shop();
        fails.store(true, Ordering::Relaxed);
        assert_eq!(code(inventory.adjust(asked("Caju -20")).await), Code::OutcomeUnknown);
        fails.store(false, Ordering::Relaxed);
        assert_eq!(code(inventory.adjust(asked("Caju -20")).await), Code::Unavailable);
        assert_eq!(inventory.find("caju").unwrap().stock, Quantity::from_units(60));
    }

    #[tokio::test]
    async fn a_wrong_name_is_answered_with_those_that_look_like_it() {
        let (inventory, _committer, _) = shop();
        for (typed, offered) in [("Cajú amigo", "Caju"), ("Bananna", "Banana"), ("aca", "Maca")] {
            let refusal = inventory.find(typed).unwrap_err();
            assert_eq!(refusal.code, Code::ProductNotFound);
            assert!(refusal.message.contains(offered), "{}", refusal.message);
        }
    }
}
