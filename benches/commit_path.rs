//! From a change to its durable answer, through the inventory and a real SQLite file: what
//! one transaction costs with so many changes waiting for it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hortifruti::catalog::original_products;
use hortifruti::inventory::{Inventory, Pipeline};
use hortifruti::operation::AdjustRequest;
use hortifruti::store::sqlite::SqliteStore;

/// Changes that wait: a lone one, those of a busy connection, of several, and a full
/// transaction.
const WAITING: [usize; 4] = [1, 64, 512, 4096];

fn commit(criterion: &mut Criterion) {
    let names = ["Maca", "Pera", "Banana", "Caju"];
    // In the build's folder, which is on a disk where a temporary one may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let store = SqliteStore::open(&folder.path().join("bench.db"), 8082).expect("a store");
    let (inventory, committer) =
        Inventory::open(Box::new(store), &original_products()).expect("an inventory");
    let (worker, driver) = inventory.worker(true);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(driver.before_sleep())
        .build()
        .expect("a runtime");
    runtime.spawn(driver.run());
    let session = worker.session();
    let mut group = criterion.benchmark_group("durable changes");
    for waiting in WAITING {
        group.throughput(Throughput::Elements(waiting as u64));
        group.bench_function(BenchmarkId::from_parameter(waiting), |bencher| {
            bencher.iter(|| {
                let mut pipeline = Pipeline::<Vec<u8>>::default();
                for name in names.iter().cycle().take(waiting) {
                    let added = session.reader().add(&mut pipeline, AdjustRequest::of_units(name, 1));
                    added.expect("a product");
                }
                let committed = session.commit(&mut pipeline, |_, answer| assert!(answer.is_ok()));
                runtime.block_on(committed);
            });
        });
    }
    group.finish();
    drop((inventory, worker, session, runtime));
    committer.join().expect("a store that is closed");
}

criterion_group!(benches, commit);
criterion_main!(benches);
