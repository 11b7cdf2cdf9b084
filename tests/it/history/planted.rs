//! The checker, tested: histories that are true pass, and each planted fault is caught.

use proptest::prelude::*;

use super::check::{Fault, check, ledger_order};
use super::{Answer, Asked, Call, Ledger, Line, Made, Operation, PRODUCTS, Row, Way};

/// Time between two operations of a story.
const STEP: u64 = 100;

/// A history that is true: each operation happens at one moment, one after the other, and
/// its call and its answer lie around that moment.
struct Story {
    history: Vec<Operation>,
    ledger: Ledger,
    now: u64,
}

impl Story {
    fn new() -> Self {
        let stocks = vec![20_000, 15_000, 30_000, 60_000];
        let rows = (1..).zip(stocks.iter().copied()).enumerate().map(|(product, (sequence, stock))| Row {
            sequence,
            product,
            delta: stock,
            balance: stock,
            is_opening: true,
            request_id: None,
        });
        let rows = rows.collect();
        let ledger = Ledger { integrity: "ok".into(), rows, batches: Vec::new(), stocks };
        Self { history: Vec::new(), ledger, now: 10 * STEP }
    }

    /// Lets something happen, called and answered so long before and after.
    fn tell(&mut self, asked: Asked, before: u64, after: u64) {
        self.now += STEP;
        let answer = match &asked {
            Asked::Change { id, lines } => self.change(id, lines),
            read => {
                Answer::Seen(read.products().iter().map(|product| self.ledger.stocks[*product]).collect())
            }
        };
        self.history.push(Operation {
            client: 0,
            asked,
            calls: vec![Call { at: self.now - before, way: Way::Calls }],
            follows: None,
            answer: Some((self.now + after, answer)),
        });
    }

    fn change(&mut self, id: &str, lines: &[Line]) -> Answer {
        let stocks = &mut self.ledger.stocks;
        for Line { product, .. } in lines {
            let sum: i64 = lines.iter().filter(|line| line.product == *product).map(|line| line.delta).sum();
            if stocks[*product] + sum < 0 {
                return Answer::Insufficient { product: *product, available: stocks[*product] };
            }
        }
        let first = self.ledger.rows.len() as i64 + 1;
        let mut made = vec![Made { balance: 0, sequence: None }; lines.len()];
        for (index, sequence) in ledger_order(lines).into_iter().zip(first..) {
            let Line { product, delta } = lines[index];
            stocks[product] += delta;
            let balance = stocks[product];
            made[index] = Made { balance, sequence: Some(sequence) };
            let request_id = (lines.len() == 1).then(|| id.to_owned());
            self.ledger.rows.push(Row { sequence, product, delta, balance, is_opening: false, request_id });
        }
        if lines.len() > 1 {
            self.ledger.batches.push((id.to_owned(), first));
        }
        Answer::Made(made)
    }

    /// Changes the rows of the ledger, and makes it sound in itself again.
    fn rewrite(&mut self, rewrite: impl FnOnce(&mut Vec<Row>)) {
        rewrite(&mut self.ledger.rows);
        self.ledger.stocks.fill(0);
        for (row, sequence) in self.ledger.rows.iter_mut().zip(1..) {
            row.sequence = sequence;
            self.ledger.stocks[row.product] += row.delta;
            row.balance = self.ledger.stocks[row.product];
        }
    }

    /// The balances of the read that was the operation of this number.
    fn seen(&mut self, number: usize) -> &mut Vec<i64> {
        match &mut self.history[number].answer {
            Some((_, Answer::Seen(balances))) => balances,
            answer => panic!("no read: {answer:?}"),
        }
    }

    fn answer(&mut self, number: usize) -> &mut Answer {
        &mut self.history[number].answer.as_mut().unwrap().1
    }
}

fn change(id: &str, lines: &[(usize, i64)]) -> Asked {
    let lines = lines.iter().map(|(product, delta)| Line { product: *product, delta: *delta }).collect();
    Asked::Change { id: id.to_owned(), lines }
}

/// Nine operations, each answered before the next is called.
fn story() -> Story {
    let mut story = Story::new();
    for asked in [
        change("a", &[(0, 5_000)]),              // 0: sequence 5, Maca 25
        Asked::Find(0),                          // 1
        change("b", &[(0, -3_000), (1, 3_000)]), // 2: sequences 6 (Pera 18) and 7 (Maca 22)
        Asked::List(None),                       // 3
        change("c", &[(3, -1_000)]),             // 4: sequence 8, Caju 59
        change("d", &[(3, -70_000)]),            // 5: refused
        Asked::Find(3),                          // 6
        change("e", &[(3, 2_000)]),              // 7: sequence 9, Caju 61
        Asked::List(None),                       // 8
    ] {
        story.tell(asked, 10, 10);
    }
    story
}

#[test]
fn each_planted_fault_is_caught() {
    type Plant = fn(&mut Story);
    let lost = |id: &str| Fault::Lost(id.into());
    let faults: [(&str, Plant, Fault); 24] = [
        ("answered before the commit, and lost", |s| s.rewrite(|rows| drop(rows.pop())), lost("e")),
        (
            "lost in the middle, and others made after it",
            |s| s.rewrite(|rows| drop(rows.remove(4))),
            // The batch now begins where nothing of it is.
            Fault::OtherContent("b".into()),
        ),
        (
            "made twice under its id",
            |s| s.rewrite(|rows| rows.push(rows[8].clone())),
            Fault::Twice("e".into()),
        ),
        (
            "made twice, the second time without its id",
            |s| s.rewrite(|rows| rows.push(Row { request_id: None, ..rows[8].clone() })),
            Fault::Unasked(10),
        ),
        (
            "a batch made twice",
            |s| {
                s.rewrite(|rows| rows.extend_from_within(5..7));
                s.ledger.batches.push(("b".into(), 10));
            },
            Fault::Twice("b".into()),
        ),
        ("half a batch", |s| s.rewrite(|rows| drop(rows.drain(6..))), Fault::OtherContent("b".into())),
        ("a stale read", |s| s.seen(1)[0] = 20_000, Fault::Read { operation: 1, from: 5, to: 5 }),
        (
            "a stale list",
            |s| *s.seen(8) = vec![22_000, 18_000, 30_000, 59_000],
            Fault::Read { operation: 8, from: 9, to: 9 },
        ),
        (
            "a read of what was never so",
            |s| s.seen(6)[0] = 58_000,
            Fault::Read { operation: 6, from: 8, to: 8 },
        ),
        ("a read of the future", |s| s.seen(6)[0] = 61_000, Fault::Read { operation: 6, from: 8, to: 8 }),
        (
            "a list of two moments",
            |s| {
                // While b and c are made, the new Caju is seen beside the old Maca.
                s.history[2].answer.as_mut().unwrap().0 += 5 * STEP;
                s.history[3].answer.as_mut().unwrap().0 += 5 * STEP;
                *s.seen(3) = vec![25_000, 15_000, 30_000, 59_000];
            },
            Fault::Read { operation: 3, from: 5, to: 9 },
        ),
        (
            "a list of the inside of a batch",
            |s| {
                s.history[2].answer.as_mut().unwrap().0 += STEP;
                *s.seen(3) = vec![25_000, 18_000, 30_000, 60_000];
            },
            Fault::Read { operation: 3, from: 5, to: 7 },
        ),
        (
            "a later read sees an earlier state",
            |s| {
                // e takes as long as both reads, so each by itself could be true.
                s.history[7].calls[0].at = s.history[6].calls[0].at;
                s.seen(6)[0] = 61_000;
                *s.seen(8) = vec![22_000, 18_000, 30_000, 59_000];
                s.history[7].answer.as_mut().unwrap().0 += 2 * STEP;
            },
            Fault::Read { operation: 8, from: 9, to: 9 },
        ),
        (
            "a connection does not see its own change",
            |s| {
                s.history[7].answer.as_mut().unwrap().0 += 2 * STEP;
                s.history[8].follows = Some(7);
                *s.seen(8) = vec![22_000, 18_000, 30_000, 59_000];
            },
            Fault::Read { operation: 8, from: 9, to: 9 },
        ),
        (
            "an order against time",
            |s| {
                s.rewrite(|rows| rows.swap(7, 8));
                *s.answer(4) = Answer::Made(vec![Made { balance: 61_000, sequence: Some(9) }]);
                *s.answer(7) = Answer::Made(vec![Made { balance: 62_000, sequence: Some(8) }]);
            },
            Fault::Order { earlier: "c".into(), later: "e".into() },
        ),
        (
            "an order against that of a connection",
            |s| {
                s.rewrite(|rows| rows.swap(7, 8));
                s.history.truncate(8);
                s.history.drain(5..7);
                s.history[5].follows = Some(4);
                s.history[4].answer = None;
                s.history[5].answer = None;
            },
            Fault::Order { earlier: "c".into(), later: "e".into() },
        ),
        (
            "a wrong balance in an answer",
            |s| *s.answer(7) = Answer::Made(vec![Made { balance: 60_000, sequence: None }]),
            Fault::OtherAnswer("e".into()),
        ),
        (
            "a wrong sequence in an answer",
            |s| *s.answer(7) = Answer::Made(vec![Made { balance: 61_000, sequence: Some(8) }]),
            Fault::OtherAnswer("e".into()),
        ),
        (
            "a wrong balance in the ledger",
            |s| s.ledger.rows[7].balance += 1_000,
            Fault::Balance { sequence: 8, balance: 60_000, expected: 59_000 },
        ),
        (
            "a gap",
            |s| s.ledger.rows.iter_mut().skip(7).for_each(|row| row.sequence += 1),
            Fault::Gap { expected: 8, sequence: 9 },
        ),
        (
            "a stock that is not the sum",
            |s| s.ledger.stocks[2] -= 1_000,
            Fault::Stock { product: 2, stock: 29_000, sum: 30_000 },
        ),
        (
            "refused, and made all the same",
            |s| *s.answer(7) = Answer::Insufficient { product: 3, available: 0 },
            Fault::RefusedAndMade("e".into()),
        ),
        (
            "refused for what there was not",
            |s| *s.answer(5) = Answer::Insufficient { product: 3, available: 60_000 },
            Fault::Read { operation: 5, from: 8, to: 8 },
        ),
        (
            "refused though there was enough",
            |s| *s.answer(5) = Answer::Insufficient { product: 3, available: 70_000 },
            Fault::Unjustified("d".into()),
        ),
    ];
    let told = story();
    assert_eq!(check(&told.history, &told.ledger), Ok(()));
    for (name, plant, fault) in faults {
        let mut planted = story();
        plant(&mut planted);
        assert_eq!(check(&planted.history, &planted.ledger), Err(fault), "{name}");
    }
}

#[test]
fn a_lost_answer_leaves_both_possible() {
    let mut made = story();
    made.history[7].answer = None;
    assert_eq!(check(&made.history, &made.ledger), Ok(()));
    let mut unmade = story();
    unmade.history.pop();
    unmade.history[7].answer = None;
    unmade.rewrite(|rows| drop(rows.pop()));
    assert_eq!(check(&unmade.history, &unmade.ledger), Ok(()));
}

/// What is asked, and how long before and after it happens it is called and answered: up
/// to the time of four others.
fn operations() -> impl Strategy<Value = Vec<(Asked, u64, u64)>> {
    let line = || (0..PRODUCTS.len(), prop_oneof![1..30_i64, -30..0_i64]);
    let asked = prop_oneof![
        (0..PRODUCTS.len()).prop_map(Asked::Find),
        proptest::option::of(100..1100_i64).prop_map(Asked::List),
        prop::collection::vec(line(), 1..4).prop_map(|lines| {
            let lines = lines.into_iter().map(|(product, units)| Line { product, delta: units * 1000 });
            Asked::Change { id: String::new(), lines: lines.collect() }
        }),
    ];
    let operation = (asked, 0..4 * STEP, 0..4 * STEP);
    prop::collection::vec(operation, 1..60).prop_map(|mut operations| {
        for (number, (asked, ..)) in operations.iter_mut().enumerate() {
            if let Asked::Change { id, .. } = asked {
                *id = format!("{number}");
            }
        }
        operations
    })
}

fn told(operations: Vec<(Asked, u64, u64)>) -> Story {
    let mut story = Story::new();
    for (asked, before, after) in operations {
        story.tell(asked, before, after);
    }
    story
}

proptest! {
    #[test]
    fn what_is_true_passes(operations in operations()) {
        let story = told(operations);
        prop_assert_eq!(check(&story.history, &story.ledger), Ok(()));
    }

    #[test]
    fn a_movement_less_or_more_is_caught(operations in operations(), place: prop::sample::Index) {
        let mut story = told(operations);
        let made = story.ledger.rows.len() - PRODUCTS.len();
        prop_assume!(made > 0);
        let place = PRODUCTS.len() + place.index(made);
        let mut more = told(Vec::new());
        more.history.clone_from(&story.history);
        more.ledger = story.ledger.clone();
        more.rewrite(|rows| rows.insert(place, Row { request_id: None, ..rows[place].clone() }));
        prop_assert!(check(&more.history, &more.ledger).is_err());
        story.rewrite(|rows| drop(rows.remove(place)));
        prop_assert!(check(&story.history, &story.ledger).is_err());
    }
}
