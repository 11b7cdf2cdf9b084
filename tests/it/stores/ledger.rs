//! The ledger, as readers read it.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use hortifruti::catalog::{
    Adjustment, Amount, Catalog, Details, Kind, LossReason, Movement, Purchase, Quantity, Undoable,
};
use hortifruti::store::{Ledger, LedgerQuery, LedgerRange, LedgerRow, Store};

use super::{Place, commit, over_every_store};
use crate::support::PATIENCE;

const KINDS: [Kind; 3] = [Kind::Sale, Kind::Purchase, Kind::Waste];

/// A shop with some hundred movements: one a second, then a batch, and an undo of two of its three.
pub(super) fn filled(place: &Place) -> (Box<dyn Store>, Catalog) {
    let (mut store, mut catalog) = place.open_shop();
    let ids = ["caju", "maca", "pera"].map(|key| catalog.find(key).unwrap().id);
    let change = |index: usize| {
        let kind = KINDS[index / 3 % 3];
        let delta = Quantity::from_units(if kind == Kind::Purchase { 2 } else { -1 });
        let supplier = (index % 6 == 3).then(|| "Sítio do Zé".parse().unwrap());
        let details = Details {
            amount: (kind != Kind::Waste && index.is_multiple_of(2))
                .then(|| Amount::from_centavos(777).unwrap()),
            loss_reason: (kind == Kind::Waste).then_some(LossReason::Weight),
            note: index.is_multiple_of(7).then(|| "uma observação".parse().unwrap()),
            purchase: (kind == Kind::Purchase).then(|| Purchase { supplier, ..Purchase::default() }),
        };
        let author = (index % 5 < 2).then(|| format!("caixa-{}", index % 5).parse().unwrap());
        Adjustment { author, details: details.boxed(), ..Adjustment::new(ids[index % 3], delta, kind) }
    };
    for index in 0..300 {
        commit(&mut *store, &mut catalog, 100 + index as u64, |draft| {
            draft.adjust(&change(index)).unwrap();
        });
    }
    let mut batch = Vec::new();
    commit(&mut *store, &mut catalog, 1000, |draft| {
        batch = draft.adjust_all(&[0, 1, 2].map(change)).unwrap()
    });
    let undoable = |movement: &Movement| Undoable { movement: movement.clone(), undoes: 0, undone_by: 0 };
    let undone: Vec<_> = batch[1..].iter().map(undoable).collect();
    commit(&mut *store, &mut catalog, 2000, |draft| {
        drop(draft.undo(undone[0].movement.sequence, &undone, None, None).unwrap())
    });
    (store, catalog)
}

fn query(catalog: &Catalog) -> LedgerQuery {
    let last = catalog.last_sequence();
    LedgerQuery {
        start: last,
        of_one_product: false,
        highest: last,
        lowest: 1,
        through: last,
        kind: None,
        author: None,
        count_max: 7,
    }
}

/// The rows of all pages of a query.
fn all(ledger: &dyn Ledger, mut query: LedgerQuery) -> Vec<LedgerRow> {
    let mut rows = Vec::new();
    loop {
        let page = ledger.page(&query).unwrap();
        assert!(page.rows.len() <= query.count_max);
        rows.extend(page.rows);
        let Some(next) = page.next else { return rows };
        assert!(next <= query.start);
        query.start = next;
    }
}

#[test]
fn pages_are_the_ledger_backwards_whatever_is_asked_for() {
    over_every_store(|place| {
        let (store, catalog) = filled(place);
        let ledger = store.ledger();
        let last = catalog.last_sequence();
        let whole = all(&*ledger, query(&catalog));
        assert_eq!(
            whole.iter().map(|row| row.movement.sequence).collect::<Vec<_>>(),
            (1..=last).rev().collect::<Vec<_>>()
        );
        for product in catalog.products().iter() {
            let authors = [None, "caixa-1".parse().ok(), "ninguém".parse().ok()];
            let kinds = [None, Some(Kind::Sale), Some(Kind::Count)];
            for (kind, author) in kinds.into_iter().flat_map(|kind| authors.iter().map(move |by| (kind, by)))
            {
                for (lowest, highest) in [(1, last), (50, 200), (200, 50), (last + 1, last + 9)] {
                    for of_one_product in [false, true] {
                        let start = if of_one_product { product.last_movement } else { highest };
                        let query = LedgerQuery {
                            start,
                            of_one_product,
                            highest,
                            lowest,
                            kind,
                            author: author.clone(),
                            ..query(&catalog)
                        };
                        let is_asked_for = |row: &&LedgerRow| {
                            let movement = &row.movement;
                            (lowest..=highest).contains(&movement.sequence)
                                && kind.is_none_or(|kind| movement.kind == kind)
                                && (author.is_none() || movement.author == *author)
                                && (!of_one_product || movement.product == product.id)
                        };
                        let expected: Vec<_> = whole.iter().filter(is_asked_for).cloned().collect();
                        assert_eq!(all(&*ledger, query.clone()), expected, "{query:?}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_row_has_its_links_as_of_the_moment_that_is_asked_for() {
    over_every_store(|place| {
        let (store, _) = filled(place);
        let ledger = store.ledger();
        let links = |sequence, through| {
            let row = ledger.row(sequence, through).unwrap().unwrap();
            (row.document.first_sequence, row.document.count, row.undoes, row.undone_by)
        };
        assert_eq!(links(304, 309), (304, 1, 0, 0));
        assert_eq!(links(305, 309), (305, 3, 0, 0));
        assert_eq!((links(306, 309), links(306, 307)), ((305, 3, 0, 308), (305, 3, 0, 0)));
        assert_eq!(links(309, 309), (308, 2, 307, 0));
        assert_eq!(ledger.row(309, 308).unwrap(), None);
        assert_eq!(ledger.row(0, 309).unwrap(), None);
    });
}

#[test]
fn a_period_is_found_by_time_and_read_without_what_was_undone() {
    over_every_store(|place| {
        let (store, _) = filled(place);
        let ledger = store.ledger();
        let first_since =
            |at| ledger.first_since(SystemTime::UNIX_EPOCH + Duration::from_secs(at), 309).unwrap();
        let found = [0, 1, 100, 101, 399, 400, 1000, 1001, 2001].map(first_since);
        assert_eq!(found, [1, 5, 5, 6, 304, 305, 305, 308, 310]);
        let visited = |from, to, through, kind| {
            let mut seen = Vec::new();
            let range = LedgerRange { from, to, through, kind };
            let next = ledger.visit(&range, &mut |row| {
                seen.push((row.movement.sequence, row.document.first_sequence));
            });
            assert_eq!(next.unwrap(), None);
            seen
        };
        let (of_batch, alone) = ((305, 305), |sequence| (sequence, sequence));
        assert_eq!(visited(303, 999, 309, None), [alone(303), alone(304), of_batch]);
        assert_eq!(visited(303, 306, 307, None), [alone(303), alone(304), of_batch, (306, 305)]);
        assert_eq!(visited(306, 307, 307, None), [(306, 305), (307, 305)]);
        assert_eq!(visited(299, 306, 309, Some(Kind::Waste)), [alone(299), alone(300), alone(301)]);
        assert_eq!(visited(9, 8, 309, None), [(0, 0); 0]);
    });
}

#[test]
fn a_writer_does_not_wait_for_a_reader() {
    over_every_store(|place| {
        let (mut store, mut catalog) = filled(place);
        let ledger = store.ledger();
        let (reading, read) = mpsc::channel();
        let (commit_done, written) = mpsc::channel::<()>();
        let last = catalog.last_sequence();
        let reader = thread::spawn(move || {
            let mut rows = 0;
            ledger
                .visit(&LedgerRange { from: 1, to: last, through: last, kind: None }, &mut |_| {
                    if rows == 0 {
                        reading.send(()).unwrap();
                        written.recv_timeout(PATIENCE).unwrap();
                    }
                    rows += 1;
                })
                .unwrap();
            rows
        });
        read.recv_timeout(PATIENCE).unwrap();
        let caju = catalog.find("caju").unwrap().id;
        commit(&mut *store, &mut catalog, 3000, |draft| {
            let delta = Quantity::from_units(1);
            draft.adjust(&Adjustment::new(caju, delta, Kind::Purchase)).unwrap();
        });
        commit_done.send(()).unwrap();
        assert_eq!(reader.join().unwrap(), last - 4);
        assert_eq!(store.ledger().page(&query(&catalog)).unwrap().rows[0].movement.sequence, last + 1);
    });
}

#[test]
fn the_undos_of_a_range_name_what_they_undo() {
    over_every_store(|place| {
        let (store, _) = filled(place);
        let ledger = store.ledger();
        assert_eq!(ledger.undone(1..=309, 10).unwrap(), [(308, 306), (309, 307)]);
        assert_eq!(ledger.undone(309..=309, 10).unwrap(), [(309, 307)]);
        assert_eq!(ledger.undone(1..=309, 1).unwrap(), [(308, 306)]);
        assert_eq!(ledger.undone(1..=307, 10).unwrap(), []);
    });
}

#[test]
fn a_reader_outlives_many_commits_and_sees_only_what_was_published() {
    over_every_store(|place| {
        let (mut store, mut catalog) = filled(place);
        let ledger = store.ledger();
        let before = query(&catalog);
        let seen = all(&*ledger, before.clone());
        let caju = catalog.find("caju").unwrap().id;
        for _ in 0..50 {
            commit(&mut *store, &mut catalog, 3000, |draft| {
                let delta = Quantity::from_units(1);
                draft.adjust(&Adjustment::new(caju, delta, Kind::Adjustment)).unwrap();
            });
            let page = ledger.page(&LedgerQuery { count_max: 1, ..query(&catalog) }).unwrap();
            assert_eq!(page.rows[0].movement.sequence, catalog.last_sequence());
        }
        assert_eq!(all(&*ledger, before), seen);
    });
}
