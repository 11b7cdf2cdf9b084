//! The text protocol without a network: the five commands read, and their replies written.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hortifruti::catalog::{Flags, Name, Price, Product, ProductId, Quantity, StockCost, Unit};
use hortifruti::operation::{FAREWELL, Request};
use hortifruti::refusal::Refusal;
use hortifruti::wire::text::{
    Frames, read_reply, write_list_end, write_list_line, write_message, write_product, write_refusal,
};

/// Commands that a busy connection has in flight.
const PIPELINED: u64 = 64;

fn product() -> Product {
    Product {
        id: ProductId::FIRST,
        name: Name::parse("ALHO NACIONAL TIPO 5").expect("a name"),
        unit: Unit::parse("kg").expect("a unit"),
        price: Price::from_centavos(1641).expect("a price"),
        stock: Quantity::from_thousandths(42_500).expect("a quantity"),
        flags: Flags::default(),
        last_movement: 0,
        stock_cost: StockCost::UNKNOWN,
    }
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, line) in [
        ("1 by name", "1 ALHO NACIONAL TIPO 5"),
        ("2 up to a price", "2 R$ 17,50"),
        ("3 change", "3 ALHO NACIONAL TIPO 5 -0,350"),
        ("3 change with id", "3 ALHO NACIONAL TIPO 5 -0,350 id=balcao-0000000017 motivo=venda"),
        ("4 list", "4"),
        ("5 leave", "5"),
        ("none of the five", "6 Caju"),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| black_box(Request::parse(black_box(line)))));
    }
    group.throughput(Throughput::Elements(PIPELINED));
    let pipelined = "3 ALHO NACIONAL TIPO 5 -0,350\n".repeat(PIPELINED as usize);
    group.bench_function("64 lines of one read", |bencher| {
        let mut frames = Frames::default();
        bencher.iter(|| {
            frames.buffer().extend_from_slice(pipelined.as_bytes());
            for frame in frames.take_lines() {
                let _ = black_box(frame.request());
            }
        });
    });
    group.finish();
}

fn print(criterion: &mut Criterion) {
    let product = product();
    let refusal = Refusal::invalid("command", "a linha não é UTF-8");
    let mut group = criterion.benchmark_group("print");
    let mut out = String::with_capacity(1024 * 1024);
    let mut bench = |name: &str, write: &dyn Fn(&mut String)| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                write(black_box(&mut out));
            });
        });
    };
    bench("a product", &|out| write_product(out, &product));
    bench("a list of 445", &|out| {
        for _ in 0..445 {
            write_list_line(out, &product);
        }
        write_list_end(out, false);
    });
    bench("no product", &|out| write_list_end(out, true));
    bench("a refusal", &|out| write_refusal(out, &refusal));
    bench("the farewell", &|out| write_message(out, FAREWELL));
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let request = Request::parse("1 ALHO NACIONAL TIPO 5").expect("a request");
    criterion.bench_function("read a product's reply", |bencher| {
        let lines = ["ALHO NACIONAL TIPO 5: R$16.41, Estoque: 42.5"];
        bencher.iter(|| black_box(read_reply(&request, black_box(&lines))));
    });
}

criterion_group!(benches, parse, print, read);
criterion_main!(benches);
