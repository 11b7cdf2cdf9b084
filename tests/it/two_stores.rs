//! One shop in SQLite and in PostgreSQL: both ledgers give the same answers to any question.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use hortifruti::catalog::{
    Adjustment, Amount, Catalog, Category, Details, Draft, Kind, LossReason, Price, ProductId, Purchase,
    Quantity, RequestId, TermsUpdate, Transaction, Undoable, original_products, parse_expiry,
};
use hortifruti::store::postgres::{self, PostgresStore};
use hortifruti::store::sqlite::{self, SqliteStore};
use hortifruti::store::{ChangesQuery, Ledger, LedgerQuery, LedgerRange, Origin, PurchaseQuery, Store, Wait};
use tempfile::TempDir;

use crate::support::postgres::{ask, shop_of, versions};
use crate::support::waiting::wait_for;

/// Transactions of a shop.
const TRANSACTIONS: u64 = 80;

/// Questions of each kind.
const QUESTIONS: usize = 100;

const START: Duration = Duration::from_secs(1_790_000_000);

/// The time between two transactions.
const PACE: Duration = Duration::from_secs(60);

/// A shop that both stores keep.
struct Both {
    folder: TempDir,
    url: String,
    stores: [Box<dyn Store>; 2],
    catalog: Catalog,
    request_ids: Vec<RequestId>,
    undone: HashSet<i64>,
}

impl Both {
    fn new(url: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stores: [Box<dyn Store>; 2] = [
            Box::new(SqliteStore::open(&folder.path().join("loja.db"), 8082).unwrap()),
            Box::new(PostgresStore::open(&url).unwrap()),
        ];
        let (request_ids, undone) = (Vec::new(), HashSet::new());
        let mut this = Self { folder, url, stores, catalog: Catalog::default(), request_ids, undone };
        let mut draft = Draft::new(&this.catalog, SystemTime::UNIX_EPOCH + START);
        draft.import(&original_products(), None).unwrap();
        draft.mark_examples();
        let opening = draft.finish();
        for store in &mut this.stores {
            assert!(store.load().unwrap().is_none());
            store.create(&opening).unwrap();
        }
        this.catalog.apply(&opening);
        this
    }

    fn commit(&mut self, transaction: &Transaction) {
        for store in &mut self.stores {
            store.commit(transaction, Wait::ForOthers).unwrap();
        }
        self.catalog.apply(transaction);
    }

    /// Commits a transaction of changes of every kind.
    fn change(&mut self, random: &mut Rng, at: SystemTime) {
        let (stores, catalog) = (&mut self.stores, &self.catalog);
        let mut draft = Draft::new(catalog, at);
        for _ in 0..random.choice([1, 1, 2, 5, 60]).unwrap() {
            if random.u32(0..8) == 0 {
                let lines: Vec<_> = (0..random.usize(2..6)).map(|_| line(random, &draft)).collect();
                let _ = draft.adjust_all(&lines);
                continue;
            }
            let request_id: Option<RequestId> =
                random.bool().then(|| format!("id-{}", random.u64(..)).parse().unwrap());
            let line = Adjustment { request_id: request_id.clone(), ..line(random, &draft) };
            if draft.adjust(&line).is_ok() {
                self.request_ids.extend(request_id);
            }
        }
        let undone = random.i64(1..=catalog.last_sequence());
        if random.u32(0..3) == 0 && !self.undone.contains(&undone) {
            let row = stores[0].rows(undone, 1).unwrap().remove(0);
            let undoable = Undoable { movement: row.movement, undoes: row.undoes, undone_by: row.undone_by };
            if draft.undo(undone, &[undoable], None, None).is_ok() {
                self.undone.insert(undone);
            }
        }
        if random.u32(0..6) == 0 {
            let update = TermsUpdate {
                shelf_life_days: Some(random.u32(0..30)),
                price: Price::from_centavos(random.i64(100..900)).ok(),
                category: Some(Category::parse(&format!("Parte {}", random.u32(0..3))).ok()),
                ..TermsUpdate::default()
            };
            let _ = draft.update(product(random), &update, "gerente".parse().ok().as_ref());
        }
        let transaction = draft.finish();
        self.commit(&transaction);
    }

    /// Asks both stores, which must answer alike.
    fn ask<T: PartialEq + std::fmt::Debug>(&mut self, question: impl Fn(&mut dyn Store) -> T) -> T {
        let [one, other] = &mut self.stores;
        let (answer, same) = (question(&mut **one), question(&mut **other));
        assert_eq!(answer, same);
        answer
    }

    /// Asks both ledgers, which must answer alike.
    fn ask_ledger<T: PartialEq + std::fmt::Debug>(&mut self, question: impl Fn(&dyn Ledger) -> T) -> T {
        self.ask(|store| question(&*store.ledger()))
    }
}

fn product(random: &mut Rng) -> ProductId {
    ProductId::from_number(random.i64(1..=4)).unwrap()
}

/// A change of one product, with or without each of the details.
fn line(random: &mut Rng, draft: &Draft<'_>) -> Adjustment {
    let product = product(random);
    let kinds = [Kind::Sale, Kind::Sale, Kind::Waste, Kind::Adjustment, Kind::Purchase];
    let is_low = draft.product(product).stock < Quantity::from_units(10);
    let kind = if is_low { Kind::Purchase } else { random.choice(kinds).unwrap() };
    let units = random.i32(1..4);
    let delta = match kind {
        Kind::Purchase => units + 10,
        Kind::Adjustment => units,
        _ => -units,
    };
    let purchase = (kind == Kind::Purchase).then(|| Purchase {
        supplier: random.bool().then(|| format!("Fornecedor {}", random.u32(0..20)).parse().unwrap()),
        lot: random.bool().then(|| format!("L{}", random.u32(0..50)).parse().unwrap()),
        expires_on: random.bool().then(|| parse_expiry(&format!("2031-02-{}", random.u32(10..29))).unwrap()),
        invoice: random.bool().then(|| format!("nota {}", random.u32(0..30)).parse().unwrap()),
        item: random.bool().then(|| format!("item {}", random.u32(0..30)).parse().unwrap()),
        pack: random.bool().then(|| Quantity::from_units(random.i32(1..30))),
    });
    let details = Details {
        amount: (matches!(kind, Kind::Purchase | Kind::Sale) && random.bool())
            .then(|| Amount::from_centavos(random.i64(1..9999)).unwrap()),
        loss_reason: (kind == Kind::Waste).then(|| random.choice(LossReason::ALL).unwrap()),
        note: (random.u32(0..8) == 0).then(|| "uma observação".parse().unwrap()),
        purchase,
    };
    let author = (random.u32(0..3) == 0).then(|| format!("caixa-{}", random.u32(0..5)).parse().unwrap());
    let delta = Quantity::from_units(delta);
    Adjustment { author, details: details.boxed(), ..Adjustment::new(product, delta, kind) }
}

/// Questions to the writer's own reads.
fn question_stores(both: &mut Both, random: &mut Rng) {
    let last = both.catalog.last_sequence();
    both.ask(|store| store.load().unwrap().map(|catalog| catalog.last_sequence()));
    both.ask(|store| store.rows(1, usize::MAX / 2).unwrap());
    for _ in 0..QUESTIONS {
        let (first, count) = (random.i64(1..last + 5), random.usize(0..30));
        both.ask(|store| store.rows(first, count).unwrap());
        let ids: Vec<RequestId> = (0..random.usize(0..5))
            .map(|_| random.choice(&both.request_ids).cloned().unwrap())
            .chain(["nenhum".parse().unwrap()])
            .collect();
        both.ask(|store| store.recorded(&ids.iter().collect::<Vec<_>>()).unwrap());
        let newest = both.catalog.products().get(product(random)).unwrap().last_movement;
        let (after, count) = (random.i64(0..last), random.usize(0..300));
        both.ask(|store| store.movements_back(newest, after, count).unwrap());
    }
}

/// Questions to the ledger.
fn question_ledgers(both: &mut Both, random: &mut Rng) {
    let last = both.catalog.last_sequence();
    let kinds = [
        None,
        None,
        Some(Kind::Sale),
        Some(Kind::Count),
        Some(Kind::Purchase),
        Some(Kind::Waste),
        Some(Kind::Opening),
    ];
    let authors = [None, None, "caixa-1".parse().ok(), "ninguém".parse().ok()];
    for _ in 0..QUESTIONS {
        let through = random.i64(last / 2..=last);
        let (low, high) = (random.i64(0..=last), random.i64(0..=last + 3));
        let (of_one_product, count_max) = (random.bool(), random.usize(1..60));
        let query = LedgerQuery {
            start: if of_one_product { random.i64(1..=through) } else { high },
            of_one_product,
            highest: high,
            lowest: if random.bool() { 1 } else { low },
            through,
            kind: random.choice(kinds).unwrap(),
            author: random.choice(&authors).unwrap().clone(),
            count_max,
        };
        both.ask_ledger(|ledger| ledger.page(&query).unwrap());
        both.ask_ledger(|ledger| ledger.row(high, through).unwrap());
        let range = LedgerRange { from: low.max(1), to: high, through, kind: query.kind };
        both.ask_ledger(|ledger| {
            let mut rows = Vec::new();
            let next = ledger.visit(&range, &mut |row| rows.push(row.clone())).unwrap();
            (rows, next)
        });
        let since = SystemTime::UNIX_EPOCH + START + PACE.mul_f64(random.f64() * 1.1 * TRANSACTIONS as f64);
        both.ask_ledger(|ledger| ledger.first_since(since, through).unwrap());
        both.ask_ledger(|ledger| ledger.undone(low..=high, count_max).unwrap());
        let product = random.bool().then(|| product(random));
        let (lowest, before) = (random.i64(0..20), random.i64(0..40));
        let changes = ChangesQuery { product, lowest, before, count_max };
        both.ask_ledger(|ledger| ledger.product_changes(&changes).unwrap());
        let count = random.bool().then_some(count_max);
        let purchases = PurchaseQuery { product, start: high, through, count_max: count };
        both.ask_ledger(|ledger| ledger.purchases(&purchases).unwrap());
        let suppliers = both.ask_ledger(|ledger| ledger.suppliers("", count_max).unwrap());
        let supplier = random.choice(&suppliers).cloned().unwrap_or_default();
        both.ask_ledger(|ledger| ledger.suppliers(&supplier, count_max).unwrap());
        both.ask_ledger(|ledger| {
            ledger.of_origin(Origin::Supplier(&supplier), low..=high, count_max).unwrap()
        });
        let item = format!("item {}", random.u32(0..30));
        both.ask_ledger(|ledger| ledger.of_origin(Origin::Item(&item), low..=high, count_max).unwrap());
        let invoice = format!("nota {}", random.u32(0..30));
        both.ask_ledger(|ledger| ledger.of_origin(Origin::Invoice(&invoice), low..=high, count_max).unwrap());
        let lots = both.ask_ledger(|ledger| ledger.lots(&(String::new(), 0), count_max).unwrap());
        let lot = random.choice(&lots).cloned().unwrap_or_default();
        both.ask_ledger(|ledger| ledger.lots(&lot, count_max).unwrap());
        both.ask_ledger(|ledger| ledger.expiries(low..=high, count_max).unwrap());
    }
    for time in [SystemTime::UNIX_EPOCH - PACE, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40)] {
        both.ask_ledger(|ledger| ledger.first_since(time, last).unwrap());
    }
}

#[test]
fn both_stores_give_the_same_answers_to_any_question() {
    for version in versions() {
        let seed = fastrand::u64(..);
        println!("{}, seed {seed}", version.name);
        let mut random = Rng::with_seed(seed);
        let mut both = Both::new(version.new_shop());
        for number in 0..TRANSACTIONS {
            let at = START
                + PACE * u32::try_from(number).unwrap()
                + Duration::from_micros(random.u64(0..1_000_000));
            both.change(&mut random, SystemTime::UNIX_EPOCH + at);
        }
        question_stores(&mut both, &mut random);
        question_ledgers(&mut both, &mut random);
        for store in &mut both.stores {
            assert!(store.load().unwrap().unwrap() == both.catalog);
            store.close().unwrap();
        }
        let Both { folder, url, stores, .. } = both;
        drop(stores);
        let of_file = sqlite::verify(&folder.path().join("loja.db"), &mut |_, _, _| {}).unwrap();
        assert_eq!(of_file, postgres::verify(&url, &mut |_, _, _| {}).unwrap());
    }
}

#[test]
fn balances_are_brought_forward_beside_commits_and_compared_with_the_ledger() {
    for version in versions() {
        let url = version.new_shop();
        let of_shop = format!("(SELECT id FROM hortifruti.shop WHERE name = '{}')", shop_of(&url));
        let mut both = Both::new(url.clone());
        let caju = both.catalog.find("caju").unwrap().id;
        // More than are brought forward in one turn.
        for number in 1..=70 {
            let mut draft = Draft::new(&both.catalog, SystemTime::UNIX_EPOCH + START + PACE * number);
            let bought = Adjustment::new(caju, Quantity::from_units(1), Kind::Purchase);
            let amount = Amount::from_centavos(number.into());
            let details = Details { amount, ..Details::default() }.boxed();
            draft.adjust_all(&vec![Adjustment { details, ..bought }; 1000]).unwrap();
            let transaction = draft.finish();
            both.commit(&transaction);
        }
        let last = both.catalog.last_sequence();
        let forwarded = format!("SELECT sequence FROM hortifruti.forwarded WHERE shop = {of_shop}");
        wait_for(|| {
            both.stores[1].tidy().unwrap();
            let found = ask(&url, &forwarded);
            if found == last.to_string() { Ok(()) } else { Err(format!("{found} of {last}")) }
        });
        assert!(both.stores[1].load().unwrap().unwrap() == both.catalog);
        drop(both);
        postgres::verify(&url, &mut |_, _, _| {}).unwrap();
        for (change, why) in [
            ("stock = stock + 1000", "o estoque de Caju"),
            ("stock_cost = stock_cost + 1", "o custo do estoque de Caju"),
        ] {
            let alter = |by: &str| {
                ask(
                    &url,
                    &format!(
                        "UPDATE hortifruti.balance_forward SET {by} WHERE shop = {of_shop} AND product = 4"
                    ),
                )
            };
            alter(change);
            let refused = postgres::verify(&url, &mut |_, _, _| {}).unwrap_err().to_string();
            assert!(refused.contains(why), "{change}: {refused}");
            alter(&change.replace('+', "-"));
        }
        postgres::verify(&url, &mut |_, _, _| {}).unwrap();
    }
}
