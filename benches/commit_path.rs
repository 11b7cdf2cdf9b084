//! From a change to its durable answer, through the inventory and a real SQLite file: what
//! one transaction costs with so many changes waiting for it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hortifruti::catalog::original_products;
use hortifruti::inventory::{Inventory, Run};
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
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("durable changes");
    for waiting in WAITING {
        group.throughput(Throughput::Elements(waiting as u64));
        group.bench_function(BenchmarkId::from_parameter(waiting), |bencher| {
            bencher.iter(|| {
                let mut run = Run::default();
                for name in names.iter().cycle().take(waiting) {
                    let added = inventory.reader().add(&mut run, AdjustRequest::of_units(name, 1));
                    added.expect("a product");
                }
                runtime.block_on(inventory.adjust_all(run, |answer| assert!(answer.is_ok())));
            });
        });
    }
    group.finish();
    drop(inventory);
    committer.join().expect("a store that is closed");
}

criterion_group!(benches, commit);
criterion_main!(benches);
