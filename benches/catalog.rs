//! The catalog without disk or network, at the size of a shop and of a thousand shops.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::SystemTime;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hortifruti::catalog::{
    Adjustment, Catalog, Draft, Kind, Name, Price, ProductDraft, ProductView, Quantity, Selection, Stopped,
    TermsDraft,
};

/// As many as the market's price list has, and a thousand times as many.
const SIZES: [i64; 2] = [445, 445_000];

/// Changes of one transaction in a busy shop.
const CHANGES: u64 = 512;

/// Products named `Maçã 0`, `Maçã 1`, …; ten of them cost R$ 1, the others more.
fn catalog(size: i64) -> Catalog {
    let rows: Vec<ProductDraft> = (0..size)
        .map(|number| ProductDraft {
            name: Name::parse(&format!("Maçã {number}")).expect("a name"),
            price: Price::from_centavos(if number % (size / 10) == 0 { 100 } else { 200 + number % 5000 })
                .expect("a price"),
            unit: None,
            opening_stock: Quantity::from_units(1000),
            terms: TermsDraft::default(),
        })
        .collect();
    let mut catalog = Catalog::default();
    let mut draft = Draft::new(&catalog, SystemTime::now());
    draft.import(&rows, None).expect("a price list");
    let changes = draft.finish();
    catalog.apply(&changes);
    catalog
}

fn find(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("find");
    for size in SIZES {
        let catalog = catalog(size);
        let middle = size / 2;
        for (how, name) in [
            ("as folded", format!("maca {middle}")),
            ("capitals", format!("MACA {middle}")),
            ("accents", format!("Maçã {middle}")),
            ("none", "maca x".to_owned()),
        ] {
            group.bench_function(BenchmarkId::new(how, size), |bencher| {
                bencher.iter(|| catalog.find(black_box(&name)).map(|product| product.stock));
            });
        }
    }
    group.finish();
}

fn up_to_price(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ten up to a price");
    let price = Price::from_centavos(100).expect("a price");
    for size in SIZES {
        let catalog = catalog(size);
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                let mut stocks = 0;
                let mut cursor = catalog.cursor(Selection::up_to(Some(black_box(price))), None);
                let mut visit = |product: ProductView<'_>| {
                    stocks += product.stock.thousandths();
                    ControlFlow::Continue(())
                };
                while cursor.visit(&catalog, &mut visit) == Ok(Stopped::InTurn) {}
                stocks
            });
        });
    }
    group.finish();
}

fn change(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draft and apply 512 changes");
    group.throughput(Throughput::Elements(CHANGES));
    for size in SIZES {
        let mut catalog = catalog(size);
        let changes: Vec<Adjustment> = (0..CHANGES as i64)
            .map(|number| {
                // Spread over the whole catalog.
                let name = format!("maca {}", number * 7919 % size);
                let product = catalog.find(&name).expect("a product").id;
                Adjustment::new(product, Quantity::from_units(1), Kind::Purchase)
            })
            .collect();
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter_batched(
                || changes.clone(),
                |changes| {
                    let mut draft = Draft::new(&catalog, SystemTime::now());
                    for change in changes {
                        draft.adjust(&change).expect("a change");
                    }
                    let drafted = draft.finish();
                    catalog.apply(&drafted);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, find, up_to_price, change);
criterion_main!(benches);
