//! What a commit keeps, and what is said of one that failed.

use std::collections::BTreeMap;
use std::time::SystemTime;

use hortifruti::catalog::{
    Adjustment, Amount, Catalog, Details, Draft, Kind, Movement, Name, Price, ProductDraft, ProductId,
    Purchase, Quantity, RequestId, RequestRecord, TermsDraft, TermsUpdate, Transaction, Undoable,
    parse_expiry,
};
use hortifruti::store::{Recorded, Settled, Store, Wait};

use super::{Place, commit, over_every_durable_store, over_every_store, sale};
use crate::support::postgres::{ask, shop_of, versions};
use crate::support::waiting::wait_for;

/// More than any store writes with one statement.
const MANY: usize = 100;

#[test]
fn what_is_committed_is_there_after_opening_again() {
    over_every_durable_store(|place| {
        let request_id: RequestId = "pedido-1".parse().unwrap();
        let (mut store, catalog) = place.open_shop();
        let caju = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::now());
        let movement = draft
            .adjust(&Adjustment {
                request_id: Some(request_id.clone()),
                ..Adjustment::new(caju, Quantity::from_units(-20), Kind::Waste)
            })
            .unwrap()
            .clone();
        let import = RequestRecord {
            request_id: "lista-1".parse().unwrap(),
            digest: u64::MAX,
            result: vec![1, 0, 255],
        };
        draft.record_request(import.clone());
        store.commit(&draft.finish(), Wait::ForOthers).unwrap();
        drop(store);

        let mut store = place.open();
        let catalog = store.load().unwrap().unwrap();
        assert_eq!(catalog.find("caju").unwrap().stock, Quantity::from_units(40));
        assert_eq!(catalog.last_sequence(), 5);
        let found = store.recorded(&[&request_id]).unwrap().remove(&request_id);
        let Some(Recorded::Movement(found)) = found else {
            panic!("the movement is not recorded: {found:?}")
        };
        assert_eq!((found.kind, found.balance, found.sequence), (Kind::Waste, movement.balance, 5));
        let other = "outro".parse().unwrap();
        let found = store.recorded(&[&import.request_id, &other]).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [(import.request_id.clone(), Recorded::Request(import))]
        );
    });
}

/// Movements of several products and kinds: sequences with and without request ids, each longer than one
/// statement takes, and then alternating movements.
fn mixed_movements(catalog: &Catalog) -> Transaction {
    let products = ["caju", "maca", "banana", "pera"].map(|key| catalog.find(key).unwrap().id);
    let mut draft = Draft::new(catalog, SystemTime::now());
    let runs = [(MANY, true), (MANY, false)];
    let turns = [(1, true), (1, false)].repeat(3);
    let has_ids = runs.into_iter().chain(turns).flat_map(|(count, has_id)| vec![has_id; count]);
    for (index, has_id) in has_ids.enumerate() {
        let note = (index % 7 == 0).then(|| format!("observação {index}").parse().unwrap());
        let of_count = Details { note, ..Details::default() };
        let purchase = Purchase {
            supplier: (index % 5 == 0).then(|| "Sítio do Zé".parse().unwrap()),
            lot: (index % 10 == 5).then(|| format!("L{index}").parse().unwrap()),
            expires_on: (index % 3 == 0).then(|| parse_expiry("2026-12-05").unwrap()),
            invoice: (index % 4 == 1).then(|| format!("{index:044}").parse().unwrap()),
            item: (index % 4 == 1).then(|| "12345678000195/01/CX".parse().unwrap()),
            pack: (index % 8 == 1).then(|| Quantity::from_units(20)),
        };
        let amount = (index % 2 == 0).then(|| Amount::total_from_centavos(index as i64).unwrap());
        let of_purchase = Details { amount, purchase: Some(purchase), ..of_count.clone() };
        let adjustment = Adjustment {
            product: products[index % products.len()],
            delta: Quantity::from_units(1 + index as i32),
            kind: if index % 50 == 49 { Kind::Count } else { Kind::Purchase },
            request_id: has_id.then(|| format!("pedido-{index}").parse().unwrap()),
            author: (index % 40 >= 33).then(|| format!("caixa-{}", index / 40).parse().unwrap()),
            details: if index % 50 == 49 { of_count } else { of_purchase }.boxed(),
            label: None,
        };
        draft.adjust(&adjustment).unwrap();
    }
    draft.finish()
}

#[test]
fn movements_that_are_written_together_keep_their_own_values() {
    over_every_store(|place| {
        let (mut store, catalog) = place.open_shop();
        let changes = mixed_movements(&catalog);
        store.commit(&changes, Wait::ForOthers).unwrap();
        let first = changes.movements[0].sequence;
        let rows = store.rows(first, changes.movements.len() + 1).unwrap();
        let stored: Vec<_> = rows.into_iter().map(|row| row.movement).collect();
        assert_eq!(stored, changes.movements);
    });
}

/// A transaction of more movements than a store keeps in one place, single ones and documents in turn. A document
/// begins at any place, and one is larger than all others.
fn large(catalog: &Catalog) -> Transaction {
    let products = ["caju", "maca", "banana", "pera"].map(|key| catalog.find(key).unwrap().id);
    let mut draft = Draft::new(catalog, SystemTime::now());
    let change = |index: usize| {
        let note = (index % 700 == 3).then(|| format!("nota {index}").parse().unwrap());
        Adjustment {
            request_id: index.is_multiple_of(3).then(|| format!("grande-{index}").parse().unwrap()),
            details: Details { note, ..Details::default() }.boxed(),
            ..Adjustment::new(products[index % 4], Quantity::from_units(1), Kind::Adjustment)
        }
    };
    let mut numbers = 0..;
    for count in [500, 40, 300, 600, 1, 7, 900, 2] {
        for number in numbers.by_ref().take(count) {
            draft.adjust(&change(number)).unwrap();
        }
        let lines: Vec<Adjustment> =
            (0..count / 2).map(|index| Adjustment { request_id: None, ..change(index) }).collect();
        draft.adjust_all(&lines).unwrap();
    }
    draft.finish()
}

#[test]
fn a_large_commit_is_one_commit_and_read_in_small_parts() {
    over_every_store(|place| {
        let (mut store, mut catalog) = place.open_shop();
        let changes = large(&catalog);
        assert_ne!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
        store.commit(&changes, Wait::ForOthers).unwrap();
        assert_eq!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
        catalog.apply(&changes);
        let first = changes.movements[0].sequence;
        let rows = store.rows(first, changes.movements.len() + 1).unwrap();
        let documents: Vec<_> =
            rows.iter().map(|row| row.document).filter(|document| document.count > 1).collect();
        let stored: Vec<_> = rows.into_iter().map(|row| row.movement).collect();
        assert_eq!(stored, changes.movements);
        // Each row of a document says of which.
        let expected = changes.documents.iter().filter(|document| document.count > 1);
        let expected: Vec<_> = expected.flat_map(|it| vec![*it; it.count as usize]).collect();
        assert_eq!(documents, expected);
        let last = catalog.find("caju").unwrap().last_movement;
        let walked = store.movements_back(last, 0, usize::MAX >> 1).unwrap();
        let of_caju = changes.movements.iter().filter(|it| it.product == walked[0].product).count();
        assert_eq!(walked.len(), of_caju + 1);
        if let Place::Postgres { address, .. } = place {
            let lengths = format!(
                "SELECT string_agg((last - first + 1)::text, ',' ORDER BY first) FROM hortifruti.journal
                 WHERE shop = (SELECT id FROM hortifruti.shop WHERE name = '{}') AND first >= {first}",
                shop_of(address)
            );
            // A document is never split: the next row begins after it.
            assert_eq!(ask(address, &lengths), "750,512,512,512,512,723,3", "{}", place.name());
        }
        drop(store);
        if place.is_durable() {
            let mut store = place.open();
            assert!(store.load().unwrap().unwrap() == catalog);
        }
    });
}

#[test]
fn the_movements_of_a_product_are_walked_backwards() {
    over_every_store(|place| {
        let (mut store, mut catalog) = place.open_shop();
        let changes = mixed_movements(&catalog);
        store.commit(&changes, Wait::ForOthers).unwrap();
        catalog.apply(&changes);
        let caju = catalog.find("caju").unwrap();
        let of_caju = |movement: &&Movement| movement.product == caju.id;
        let mut whole: Vec<i64> =
            changes.movements.iter().filter(of_caju).map(|movement| movement.sequence).rev().collect();
        // The opening of the fourth product.
        whole.push(4);
        let mut walked = |after, count_max| -> Vec<i64> {
            let walked = store.movements_back(caju.last_movement, after, count_max).unwrap();
            walked.iter().map(|movement| movement.sequence).collect()
        };
        assert_eq!(walked(0, 1000), whole);
        assert_eq!(walked(0, 5), whole[..5]);
        // Down to the first one that is not later, whether it is this one or one before it.
        assert_eq!(walked(whole[7], 1000), whole[..=7]);
        assert_eq!(walked(whole[7] + 1, 1000), whole[..=7]);
        assert_eq!(walked(caju.last_movement, 1000), whole[..1]);
    });
}

#[test]
fn a_store_says_whether_a_transaction_in_doubt_is_stored() {
    over_every_store(|place| {
        let (mut store, mut catalog) = place.open_shop();
        for _ in 0..3 {
            let changes = sale(&catalog, 1);
            assert_ne!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
            store.commit(&changes, Wait::ForOthers).unwrap();
            assert_eq!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
            catalog.apply(&changes);
        }
        assert_eq!(store.load().unwrap().unwrap().last_sequence(), catalog.last_sequence());
    });
}

#[test]
fn a_transaction_without_movements_is_in_doubt_like_others() {
    over_every_store(|place| {
        let (mut store, catalog) = place.open_shop();
        let mut request = Draft::new(&catalog, SystemTime::now());
        request.record_request(RequestRecord {
            request_id: "nada-1".parse().unwrap(),
            digest: 7,
            result: vec![1],
        });
        let mut terms = Draft::new(&catalog, SystemTime::now());
        let update = TermsUpdate { shelf_life_days: Some(9), ..TermsUpdate::default() };
        terms.update(catalog.find("caju").unwrap().id, &update, None).unwrap();
        for changes in [request.finish(), terms.finish()] {
            assert_ne!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
            store.commit(&changes, Wait::ForOthers).unwrap();
            assert_eq!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
        }
    });
}

#[test]
fn every_request_id_is_found_whenever_it_was_stored() {
    const ROUNDS: usize = 40;
    over_every_durable_store(|place| {
        let (mut store, mut catalog) = place.open_shop();
        let caju = catalog.find("caju").unwrap().id;
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for round in 0..ROUNDS {
            commit(&mut *store, &mut catalog, 1, |draft| {
                for index in 0..MANY {
                    let id = (index % 3 != 0).then(|| format!("pedido-{round}-{index}"));
                    let adjustment = Adjustment {
                        request_id: id.as_ref().map(|id| id.parse().unwrap()),
                        ..Adjustment::new(caju, Quantity::from_units(1), Kind::Adjustment)
                    };
                    let sequence = draft.adjust(&adjustment).unwrap().sequence;
                    expected.extend(id.map(|id| (id, sequence)));
                }
            });
        }
        for _ in 0..2 {
            let ids: Vec<RequestId> = expected.keys().map(|id| id.parse().unwrap()).collect();
            let strangers: Vec<RequestId> =
                (0..MANY).map(|number| format!("outro-{number}").parse().unwrap()).collect();
            let asked: Vec<&RequestId> = ids.iter().chain(&strangers).collect();
            let found = store.recorded(&asked).unwrap();
            assert_eq!(found.len(), ids.len());
            for (id, sequence) in &expected {
                let Some(Recorded::Movement(movement)) = found.get(&id.parse().unwrap()) else {
                    panic!("{id} is not found")
                };
                assert_eq!(movement.sequence, *sequence);
            }
            drop(store);
            store = place.open();
            store.load().unwrap().unwrap();
        }
    });
}

/// Ids of one look: as many as a group of changes may have.
const IDS: usize = 4096;

/// Keeps a database silent for longer than a look at a few ids may take, and not so long as one at so many may.
const SILENCE: &str = "BEGIN; LOCK TABLE hortifruti.journal; SELECT pg_sleep(2); COMMIT";

const IS_SILENT: &str = "SELECT count(*) FROM pg_locks WHERE relation = 'hortifruti.journal'::regclass AND mode LIKE 'AccessEx%' AND granted";

#[test]
fn a_look_at_many_ids_has_time_for_them() {
    for version in versions() {
        // Nobody else waits for the lock.
        let database = version.shared().database();
        let place = Place::Postgres { version, address: database.shop("centro") };
        let (mut store, mut catalog) = place.open_shop();
        let ids: Vec<RequestId> = (0..IDS).map(|number| format!("p-{number}").parse().unwrap()).collect();
        let caju = catalog.find("caju").unwrap().id;
        commit(&mut *store, &mut catalog, 1, |draft| {
            for id in &ids {
                let change = Adjustment::new(caju, Quantity::from_units(1), Kind::Adjustment);
                draft.adjust(&Adjustment { request_id: Some(id.clone()), ..change }).unwrap();
            }
        });
        let epoch = || database.sql("SELECT epoch FROM hortifruti.lease");
        let before = epoch();
        std::thread::scope(|scope| {
            scope.spawn(|| database.sql(SILENCE));
            wait_for(|| if database.sql(IS_SILENT) == "0" { Err("the lock is not there") } else { Ok(()) });
            let found = store.recorded(&ids.iter().collect::<Vec<_>>()).unwrap();
            assert_eq!(found.len(), IDS);
        });
        // A connection that is given up leads to another epoch.
        assert_eq!(epoch(), before, "{}", version.name);
        drop(store);
    }
}

/// A transaction of purchases and sales of many products, and perhaps an undo of a movement before it.
fn trade(catalog: &Catalog, round: usize, undone: Option<&Movement>) -> Transaction {
    let mut draft = Draft::new(catalog, SystemTime::now());
    if let Some(movement) = undone {
        let undoable = Undoable { movement: movement.clone(), undoes: 0, undone_by: 0 };
        // Stock that was sold since cannot be taken back.
        let _ = draft.undo(movement.sequence, &[undoable], None, None);
    }
    for index in 0..MANY {
        // No two rounds look alike.
        let number = round * MANY + index;
        let product = ProductId::from_number((number * 7 % catalog.products().len() + 1) as i64).unwrap();
        let stock = draft.product(product).stock;
        let (kind, delta) = match number % 5 {
            0 | 1 => (Kind::Purchase, Quantity::from_units(number as i32 % 9 + 1)),
            2 if stock > Quantity::ZERO => (Kind::Waste, stock.opposite()),
            3 if stock > Quantity::from_units(1) => (Kind::Sale, Quantity::from_units(-1)),
            _ => (Kind::Adjustment, Quantity::from_units(1)),
        };
        let has_total = kind == Kind::Purchase && !number.is_multiple_of(3);
        let amount = has_total.then(|| Amount::total_from_centavos(number as i64 * 37 % 10_000).unwrap());
        let details = Details { amount, ..Details::default() }.boxed();
        draft.adjust(&Adjustment { details, ..Adjustment::new(product, delta, kind) }).unwrap();
    }
    draft.finish()
}

/// Trades in a shop of many products, so long that balances are brought forward several times. After each round
/// the store may be opened again.
fn traded(place: &Place, mut next: impl FnMut(usize, Box<dyn Store>, &Catalog) -> Box<dyn Store>) -> Catalog {
    const PRODUCTS: usize = 200;
    const ROUNDS: usize = 60;
    let (mut store, mut catalog) = place.open_shop();
    let row = |number| ProductDraft {
        name: Name::parse(&format!("Produto {number}")).unwrap(),
        price: Price::from_centavos(100).unwrap(),
        unit: None,
        opening_stock: Quantity::from_units(number as i32 % 3),
        terms: TermsDraft::default(),
    };
    let mut draft = Draft::new(&catalog, SystemTime::now());
    draft.import(&(4..PRODUCTS).map(row).collect::<Vec<_>>(), None).unwrap();
    let mut changes = draft.finish();
    for round in 0..ROUNDS {
        store.commit(&changes, Wait::ForOthers).unwrap();
        catalog.apply(&changes);
        store = next(round, store, &catalog);
        changes = trade(&catalog, round, changes.movements.last());
    }
    catalog
}

#[test]
fn stocks_and_their_costs_are_read_as_they_were_whenever_the_store_goes() {
    over_every_durable_store(|place| {
        let (mut unfinished, mut undos) = (0, 0);
        let catalog = traded(place, |round, mut store, catalog| {
            undos = store.ledger().undone(1..=catalog.last_sequence(), 1000).unwrap().len();
            let is_unfinished = place.is_bringing_forward();
            unfinished += usize::from(is_unfinished);
            if is_unfinished || round % 30 == 29 {
                // Once it is closed first.
                if round == 59 {
                    store.close().unwrap();
                }
                drop(store);
                store = place.open();
                assert!(store.load().unwrap().unwrap() == *catalog, "round {round}");
            }
            store
        });
        assert!(undos > 10, "{undos}");
        // SQLite brings them forward in rounds within commits.
        assert!(unfinished > 2 || !matches!(place, Place::OnDisk(_)), "{unfinished}");
        assert!(place.open().load().unwrap().unwrap() == catalog);
    });
}

#[test]
fn a_number_that_another_program_altered_is_found() {
    over_every_durable_store(|place| {
        traded(place, |_, store, _| store);
        for change in [1, -1] {
            place.alter(change);
            let found = place.try_verify();
            assert_eq!(found.is_err(), change > 0, "{found:?}");
        }
    });
}
