//! The rules of the shop, each written once, and run over every transport and every store.
//!
//! A scenario is a function of a [`Shop`](shop::Shop), which has typed answers: names, prices in centavos,
//! stocks in thousandths, codes of refusals. The literal forms of a transport are tested in the transport's
//! own file (`text_protocol`, `grpc`, `one_shots`, …).
//!
//! To add a transport, write its file here and add it to [`TRANSPORTS`]. To add a store, add a row to
//! [`STORES`]. To add a scenario, write a function and its line in the `scenarios!` of its file. An operation
//! that no scenario needs fails `every_operation_has_a_scenario`.

mod access;
mod batches;
mod connect;
mod counts;
mod grpc;
mod imports;
mod lists;
mod movements;
mod names;
mod one_shot;
mod requests;
mod restart;
mod shop;
mod stock;
mod stock_reports;
mod terms;
mod text;
mod undo;
mod watch;

use std::sync::LazyLock;

use hortifruti::operation::{OPERATIONS, Operation};
use shop::{Client, Shop};

use crate::support::Server;
use crate::support::postgres::newest;

/// A way to ask a server.
struct Transport {
    name: &'static str,
    /// The operations that the transport cannot ask for, each with the reason.
    cannot: &'static [(Operation, &'static str)],
    /// Whether each question starts a process, so that thousands of them take minutes.
    is_slow: bool,
    /// Opens a client of a server.
    open: fn(&Server) -> Box<dyn Client>,
}

static TRANSPORTS: &[&Transport] =
    &[&text::TRANSPORT, &grpc::TRANSPORT, &connect::TRANSPORT, &one_shot::OVER_GRPC, &one_shot::OVER_TEXT];

/// A store in which a server keeps its shop.
struct Store {
    name: &'static str,
    /// The place of a new shop, as `serve` and `verify` take it; `None` for the one that they take by themselves.
    new_shop: Box<dyn Fn() -> Option<String> + Send + Sync>,
    /// Whether the store keeps the shop after the server has ended.
    is_durable: bool,
}

static STORES: LazyLock<Vec<Store>> = LazyLock::new(|| {
    let on_disk = Store { name: "SQLite on disk", new_shop: Box::new(|| None), is_durable: true };
    let in_memory = Store {
        name: "SQLite in memory",
        new_shop: Box::new(|| Some(":memory:".to_owned())),
        is_durable: false,
    };
    let in_database = newest().map(|version| Store {
        name: version.name,
        new_shop: Box::new(|| Some(version.new_shop())),
        is_durable: true,
    });
    [on_disk, in_memory].into_iter().chain(in_database).collect()
});

/// A rule of the shop.
struct Scenario {
    name: &'static str,
    /// The operations that the scenario asks for.
    needs: &'static [Operation],
    /// Whether the scenario ends the server and starts it again.
    restarts: bool,
    run: fn(&mut Shop),
}

/// Makes a file's table of scenarios, and a test of each.
macro_rules! scenarios {
    ($($name:ident: [$($need:ident),+] $(, restarts = $restarts:literal)?;)+) => {
        pub(super) static SCENARIOS: &[super::Scenario] = &[$(super::Scenario {
            name: stringify!($name),
            needs: &[$(hortifruti::operation::Operation::$need),+],
            restarts: false $(|| $restarts)?,
            run: $name,
        }),+];

        mod runs {
            $(#[test]
            fn $name() {
                super::super::run(super::SCENARIOS, stringify!($name));
            })+
        }
    };
}
use scenarios;

/// Every scenario, by file.
static SCENARIOS: &[&&[Scenario]] = &[
    &access::SCENARIOS,
    &batches::SCENARIOS,
    &counts::SCENARIOS,
    &imports::SCENARIOS,
    &lists::SCENARIOS,
    &movements::SCENARIOS,
    &names::SCENARIOS,
    &requests::SCENARIOS,
    &restart::SCENARIOS,
    &stock::SCENARIOS,
    &stock_reports::SCENARIOS,
    &terms::SCENARIOS,
    &undo::SCENARIOS,
    &watch::SCENARIOS,
];

impl Transport {
    fn can(&self, operation: Operation) -> bool {
        self.cannot.iter().all(|(cannot, _)| *cannot != operation)
    }
}

impl Scenario {
    /// The combinations that the scenario runs over.
    fn combinations(&self) -> impl Iterator<Item = (&'static Transport, &'static Store)> {
        let transports =
            TRANSPORTS.iter().copied().filter(|transport| self.needs.iter().all(|need| transport.can(*need)));
        transports.flat_map(|transport| {
            let stores = STORES.iter().filter(|store| store.is_durable || !self.restarts);
            stores.map(move |store| (transport, store))
        })
    }
}

/// Runs a scenario of a file over all its combinations. After each the ledger must still be sound.
fn run(scenarios: &[Scenario], name: &str) {
    let scenario = scenarios.iter().find(|scenario| scenario.name == name).unwrap();
    for (transport, store) in scenario.combinations() {
        // The harness shows the last of these if the scenario fails.
        println!("{name} over {} on {}", transport.name, store.name);
        let mut shop = Shop::open(transport, store, &[]);
        (scenario.run)(&mut shop);
        shop.verify();
    }
}

fn all() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().copied().copied().flatten()
}

/// Operations that no scenario needs, each with the reason.
const WITHOUT: [(Operation, &str); 2] = [
    (Operation::Leave, "the end of a text connection: text_protocol"),
    (Operation::GetStatus, "the server and not the shop: status"),
];

#[test]
fn every_operation_has_a_scenario() {
    let has_scenario = |operation| all().any(|scenario| scenario.needs.contains(&operation));
    for spec in &OPERATIONS {
        let is_without = WITHOUT.iter().any(|(without, _)| *without == spec.operation);
        assert_ne!(has_scenario(spec.operation), is_without, "{}", spec.name);
    }
}

#[test]
fn a_scenario_runs_over_every_transport_that_serves_its_operations() {
    let mut runs = 0;
    for scenario in all() {
        let stores = STORES.iter().filter(|store| store.is_durable || !scenario.restarts).count();
        let serves = |by: fn(&Operation) -> bool| usize::from(scenario.needs.iter().all(by));
        // What has a form is asked over text and by a one-shot; what has a message, over gRPC.
        let by_text = serves(|operation| !operation.spec().forms.is_empty());
        let by_grpc = serves(|operation| operation.spec().message.is_some());
        let combinations = scenario.combinations().count();
        let least = (2 * by_text + by_grpc) * stores;
        assert!(combinations >= least.max(1), "{}: {combinations} of {least}", scenario.name);
        runs += combinations;
    }
    println!(
        "{} scenarios over {} transports and {} stores: {runs} runs",
        all().count(),
        TRANSPORTS.len(),
        STORES.len()
    );
    for transport in TRANSPORTS {
        for (operation, why) in transport.cannot {
            let without = all().filter(|scenario| scenario.needs.contains(operation)).count();
            println!("{} has no {operation:?}, for {without} scenarios: {why}", transport.name);
        }
    }
}
