//! Reads of a long ledger, through the inventory and a real SQLite file: how long each takes, and how much
//! time of its thread a worker spends on it without a pause.
//!
//! ```sh
//! cargo bench --bench reports                                   # a hundredth of the ledger
//! cargo bench --bench reports -- --movements 10000000           # the table of benches/README.md
//! cargo bench --bench reports -- --movements 10000000 --data year.db   # kept for another time
//! ```
//!
//! The ledger is a year of a shop, made through the catalog and the store: sales, some of several lines,
//! purchases when a stock is low, losses, counts and undos.

// The table is printed.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use hortifruti::catalog::{
    Adjustment, Amount, Catalog, Details, Draft, Kind, LossReason, Name, Price, ProductDraft, ProductId,
    Purchase, Quantity, TermsDraft, Undoable, Unit,
};
use hortifruti::inventory::{Inventory, Session};
use hortifruti::operation::{
    ExpiringRequest, Grouping, LowStockRequest, MovementsRequest, Request, SummaryRequest, TraceRequest,
};
use hortifruti::store::sqlite::SqliteStore;
use hortifruti::store::{Store, Wait};
use hortifruti::wire::grpc::write_reply;
use nix::time::{ClockId, clock_gettime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The last moment of the ledger: 30 November 2026, 18:00 UTC.
const END: Duration = Duration::from_secs(1_796_061_600);

/// Rows of a reply that a worker itself writes: that of `server/grpc/unary.rs`.
const WRITTEN_AT_ONCE_MAX: usize = 1000;

/// The most movements of one transaction.
const TRANSACTION_MOVEMENTS_MAX: i64 = 4096;

/// The least transactions of a ledger, so that each day of its year has some.
const TRANSACTIONS_MIN: i64 = 1000;

#[derive(Parser)]
struct Options {
    /// Movements of the ledger.
    #[arg(long, default_value_t = 100_000)]
    movements: i64,
    /// Products of the shop, at most 10,000.
    #[arg(long, default_value_t = 10_000)]
    products: usize,
    /// The database, made if it is not there. Without it, one is made and removed.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Runs of each row, whose median counts.
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let path = options.data.clone().unwrap_or_else(|| folder.path().join("year.db"));
    if !path.exists() {
        let began = Instant::now();
        fill(&path, &options);
        let bytes = path.metadata().expect("the database").len();
        println!(
            "{} movements made in {:.0} s, {:.1} bytes each",
            options.movements,
            began.elapsed().as_secs_f64(),
            bytes as f64 / options.movements as f64
        );
    }
    measure(&path, options.runs);
}

/// Makes the ledger.
fn fill(path: &Path, options: &Options) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut store = SqliteStore::open(path, 8082).expect("a store");
    assert!(store.load().expect("a new store").is_none());
    let drafts: Vec<ProductDraft> = (1..=options.products)
        .map(|number| ProductDraft {
            name: Name::parse(&format!("Produto {number}")).expect("a name"),
            price: Price::from_centavos(random.i64(99..3000)).expect("a price"),
            unit: Some(Unit::parse("kg").expect("a unit")),
            opening_stock: Quantity::from_units(100),
            terms: TermsDraft {
                minimum: Some(Quantity::from_units(25)),
                target: Some(Quantity::from_units(120)),
                // Fruit and leaves keep a week, and most of the shop longer.
                shelf_life_days: (number % 20 == 0).then_some(7),
                ..TermsDraft::default()
            },
        })
        .collect();
    let mut catalog = Catalog::default();
    let first = SystemTime::UNIX_EPOCH + END - 365 * DAY;
    let mut draft = Draft::new(&catalog, first);
    draft.import(&drafts, None).expect("a price list");
    let opening = draft.finish();
    store.create(&opening).expect("a new database");
    catalog.apply(&opening);
    let at_once = (options.movements / TRANSACTIONS_MIN).clamp(1, TRANSACTION_MOVEMENTS_MAX);
    while catalog.last_sequence() < options.movements {
        let done = catalog.last_sequence() as f64 / options.movements as f64;
        let mut draft = Draft::new(&catalog, first + (365 * DAY).mul_f64(done));
        let end = options.movements.min(catalog.last_sequence() + at_once);
        while draft.next_sequence() <= end {
            change(&mut draft, &mut random, options.products, end);
        }
        let transaction = draft.finish();
        store.commit(&transaction, Wait::ForOthers).expect("a commit");
        catalog.apply(&transaction);
        store.tidy().expect("a log that is copied");
    }
    store.close().expect("a closed store");
}

/// One change of the shop's day.
fn change(draft: &mut Draft<'_>, random: &mut fastrand::Rng, products: usize, end: i64) {
    let mut one = |draft: &Draft<'_>| {
        let product = ProductId::from_number(random.i64(1..=products as i64)).expect("a product");
        let stock = draft.product(product).stock.thousandths();
        let (kind, delta) = match random.u32(0..1000) {
            _ if stock < 20_000 => (Kind::Purchase, 100_000),
            0..30 => (Kind::Waste, -random.i64(50..3000)),
            30..40 => (Kind::Count, random.i64(1..500)),
            _ => (Kind::Sale, -random.i64(50..3000)),
        };
        let details = match kind {
            Kind::Purchase => bought(random),
            Kind::Waste => Details { loss_reason: random.choice(LossReason::ALL), ..Details::default() },
            _ => Details::default(),
        };
        let delta = Quantity::from_thousandths(delta).expect("a quantity");
        Adjustment { details: details.boxed(), ..Adjustment::new(product, delta, kind) }
    };
    let has_lines = draft.next_sequence() + 3 <= end && draft.next_sequence() % 7 == 0;
    let lines: Vec<Adjustment> = (0..if has_lines { 3 } else { 1 }).map(|_| one(draft)).collect();
    let mut made = draft.adjust_all(&lines).expect("a change of the shop's day");
    let movement = made.pop().expect("a movement");
    if movement.sequence % 500 == 0 && movement.sequence < end {
        let undoable = [Undoable { movement, undoes: 0, undone_by: 0 }];
        // What was counted or bought may have been sold since.
        let _ = draft.undo(undoable[0].movement.sequence, &undoable, None, None);
    }
}

/// The details of a purchase: its total, one of a hundred suppliers, and sometimes its lot and its expiry.
fn bought(random: &mut fastrand::Rng) -> Details {
    let supplier = format!("Fornecedor {}", random.u32(1..=100));
    let lot = random.bool().then(|| format!("L-{}", random.u32(..)).parse().expect("a lot"));
    let purchase = Purchase { supplier: supplier.parse().ok(), lot, ..Purchase::default() };
    let amount = Amount::from_centavos(random.i64(5_000..100_000));
    Details { amount, purchase: Some(purchase), ..Details::default() }
}

/// Measures each read.
fn measure(path: &Path, runs: usize) {
    let store = SqliteStore::open(path, 8082).expect("a store");
    let (inventory, committer) = Inventory::open(Box::new(store), &[]).expect("an inventory");
    let (worker, driver) = inventory.worker(true);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(driver.before_sleep())
        .build()
        .expect("a runtime");
    runtime.spawn(driver.run());
    let session = worker.session();
    let end = SystemTime::UNIX_EPOCH + END;
    let of = |days: u32, group_by, kind| {
        Request::SummarizeMovements(SummaryRequest {
            since: Some(end - days * DAY),
            until: Some(end),
            group_by,
            time_zone: "America/Sao_Paulo",
            kind,
        })
    };
    let history = MovementsRequest {
        name: Some("produto 17"),
        kind: None,
        author: None,
        since: None,
        until: None,
        before: None,
        count_max: 20,
    };
    println!(
        "| report | what | wanted | measured, ms (min–max) | a worker ran for, ms |\n|---|---|---|---|---|"
    );
    let row = |name: &str, what: &str, wanted_ms: f64, requests: &[Request<'_>]| {
        let (mut times, mut holds) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let began = Instant::now();
            let held = requests.iter().map(|request| runtime.block_on(answered(&session, request.clone())));
            holds.push(held.max().unwrap_or_default());
            times.push(began.elapsed());
        }
        println!(
            "| {name} | {what} | {} | {} | {} |",
            if wanted_ms.is_finite() { format!("≤ {wanted_ms} ms") } else { String::new() },
            median_and_range(times),
            median_and_range(holds)
        );
    };
    row("history", "`history X`", 2.0, &[Request::ListMovements(history)]);
    row("day", "totals of a day by kind", 50.0, &[of(1, Grouping::Kind, None)]);
    let losses = [of(30, Grouping::Product, Some(Kind::Waste)), of(30, Grouping::Kind, Some(Kind::Sale))];
    row("losses", "losses of 30 days by product, and the total of sales", 300.0, &losses);
    row("month", "totals of 30 days by product", 300.0, &[of(30, Grouping::Product, None)]);
    row("days", "totals of 30 days by day", 300.0, &[of(30, Grouping::Day, None)]);
    row("reasons", "losses of 30 days by reason", 300.0, &[of(30, Grouping::LossReason, Some(Kind::Waste))]);
    row("low", "what runs out", 20.0, &[Request::ListLowStock(LowStockRequest { days: 0 })]);
    row("low-days", "what runs out in 7 days", 20.0, &[Request::ListLowStock(LowStockRequest { days: 7 })]);
    let expiring = ExpiringRequest { days: 3, time_zone: "America/Sao_Paulo" };
    row("expiring", "what expires", f64::INFINITY, &[Request::ListExpiringStock(expiring)]);
    let trace = TraceRequest { words: "fornecedor 17", count_max: 100, ..TraceRequest::default() };
    row("trace", "the last purchases of a supplier", f64::INFINITY, &[Request::TracePurchases(trace)]);
    let trace = TraceRequest { words: "L-4", ..trace };
    row("trace-lot", "the last purchases of lots", f64::INFINITY, &[Request::TracePurchases(trace)]);
    drop((inventory, worker, session, runtime));
    committer.join().expect("a store that is closed");
}

/// The time for which this thread has run: a busy machine that takes the thread away does not count.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock").into()
}

/// Writes the median, the least and the most, in milliseconds.
fn median_and_range(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |index: usize| times[index].as_secs_f64() * 1e3;
    let last = times.len() - 1;
    format!("**{:.2}** ({:.2}–{:.2})", ms(last / 2), ms(0), ms(last))
}

/// Has a request answered, to the bytes of its reply. Returns the longest time that the thread spent on it without a pause.
async fn answered(session: &Session, request: Request<'_>) -> Duration {
    let mut call = pin!(async {
        let reply = session.call(request).await.expect("a reply");
        let row_count = reply.row_count();
        assert!(row_count > 0);
        let write = move || {
            let mut bytes = Vec::new();
            write_reply(&reply, &mut bytes);
            bytes
        };
        // As the server does.
        if row_count <= WRITTEN_AT_ONCE_MAX {
            return write();
        }
        tokio::task::spawn_blocking(write).await.expect("a message")
    });
    let mut held = Duration::ZERO;
    std::future::poll_fn(|context| {
        let began = thread_time();
        let polled = call.as_mut().poll(context);
        held = held.max(thread_time().saturating_sub(began));
        polled.map(drop)
    })
    .await;
    held
}
