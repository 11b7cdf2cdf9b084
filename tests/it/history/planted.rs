//! The checker, tested: histories that are true pass, and each planted fault is caught.

use proptest::prelude::*;

use super::check::{Fault, check, check_watched};
use super::story::{STEP, Story, change, count, import, undo};
use super::{Answer, Asked, Call, Counted, Kind, Line, Made, OPENING_PRODUCTS, Row, Seen, Stored};

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

/// One connection asks for `c`, for `d`, which is refused, and for `e`, and breaks. `e` stands before `c`.
fn across_a_refusal(story: &mut Story) {
    story.rewrite(|rows| rows.swap(7, 8));
    story.history.truncate(8);
    story.history.remove(6);
    for index in [5, 6] {
        story.history[index].follows = Some(index - 1);
    }
    story.history[4..].iter_mut().for_each(|operation| operation.answer = None);
}

#[test]
fn each_planted_fault_is_caught() {
    type Plant = fn(&mut Story);
    let lost = |id: &str| Fault::Lost(id.into());
    let faults: [(&str, Plant, Fault); 26] = [
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
                s.ledger.requests.push(("b".into(), Stored::Batch(10)));
            },
            Fault::Twice("b".into()),
        ),
        ("half a batch", |s| s.cut(3, 6), Fault::OtherContent("b".into())),
        ("a stale read", |s| s.seen(1)[0].balance = 20_000, Fault::Read { operation: 1, from: 5, to: 5 }),
        (
            "a stale list",
            |s| s.list(8, [22_000, 18_000, 30_000, 59_000]),
            Fault::Read { operation: 8, from: 9, to: 9 },
        ),
        (
            "a read of what was never so",
            |s| s.seen(6)[0].balance = 58_000,
            Fault::Read { operation: 6, from: 8, to: 8 },
        ),
        (
            "a read of the future",
            |s| s.seen(6)[0].balance = 61_000,
            Fault::Read { operation: 6, from: 8, to: 8 },
        ),
        (
            "a list of two moments",
            |s| {
                // While b and c are made, the new Caju is seen beside the old Maca.
                s.history[2].answer.as_mut().unwrap().0 += 5 * STEP;
                s.history[3].answer.as_mut().unwrap().0 += 5 * STEP;
                s.list(3, [25_000, 15_000, 30_000, 59_000]);
            },
            Fault::Read { operation: 3, from: 5, to: 9 },
        ),
        (
            "a list of the inside of a batch",
            |s| {
                s.history[2].answer.as_mut().unwrap().0 += STEP;
                s.list(3, [25_000, 18_000, 30_000, 60_000]);
            },
            Fault::Read { operation: 3, from: 5, to: 7 },
        ),
        (
            "a later read sees an earlier state",
            |s| {
                // e takes as long as both reads, so each by itself could be true.
                s.history[7].calls[0].at = s.history[6].calls[0].at;
                s.seen(6)[0].balance = 61_000;
                s.list(8, [22_000, 18_000, 30_000, 59_000]);
                s.history[7].answer.as_mut().unwrap().0 += 2 * STEP;
            },
            Fault::Read { operation: 8, from: 9, to: 9 },
        ),
        (
            "a connection does not see its own change",
            |s| {
                s.history[7].answer.as_mut().unwrap().0 += 2 * STEP;
                s.history[8].follows = Some(7);
                s.list(8, [22_000, 18_000, 30_000, 59_000]);
            },
            Fault::Read { operation: 8, from: 9, to: 9 },
        ),
        (
            "an order against time",
            |s| {
                s.rewrite(|rows| rows.swap(7, 8));
                *s.answer(4) = Answer::Made(vec![Made { product: 3, balance: 61_000, sequence: Some(9) }]);
                *s.answer(7) = Answer::Made(vec![Made { product: 3, balance: 62_000, sequence: Some(8) }]);
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
            "an order against that of a connection, across a change that was refused",
            across_a_refusal,
            Fault::Order { earlier: "c".into(), later: "e".into() },
        ),
        (
            "the same, across a change that was called again and refused",
            |s| {
                across_a_refusal(s);
                let Call { at, way } = s.history[6].calls[0];
                s.history[5].calls.push(Call { at: at + STEP, way });
            },
            Fault::Order { earlier: "c".into(), later: "e".into() },
        ),
        (
            "a wrong balance in an answer",
            |s| *s.answer(7) = Answer::Made(vec![Made { product: 3, balance: 60_000, sequence: None }]),
            Fault::OtherAnswer("e".into()),
        ),
        (
            "a wrong sequence in an answer",
            |s| *s.answer(7) = Answer::Made(vec![Made { product: 3, balance: 61_000, sequence: Some(8) }]),
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
            |s| s.ledger.stocks[2].balance -= 1_000,
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
    each_is_caught(story, faults);
}

fn each_is_caught(
    story: fn() -> Story,
    faults: impl IntoIterator<Item = (&'static str, fn(&mut Story), Fault)>,
) {
    let told = story();
    assert_eq!(check(&told.history, &told.ledger), Ok(()));
    for (name, plant, fault) in faults {
        let mut planted = story();
        plant(&mut planted);
        assert_eq!(check(&planted.history, &planted.ledger), Err(fault), "{name}");
    }
}

/// Undos, counts and imports, each answered before the next is called.
pub(super) fn corrections() -> Story {
    let mut story = Story::new();
    for asked in [
        change("a", &[(0, 5_000)]),                     // 0: sequence 5, Maca 25
        change("b", &[(0, -3_000), (1, 3_000)]),        // 1: sequences 6 (Pera 18) and 7 (Maca 22)
        undo(None, 5, false),                           // 2: sequence 8, Maca 17
        undo(Some("u"), 6, false),                      // 3: sequences 9 (Maca 20) and 10 (Pera 15)
        undo(Some("v"), 7, true),                       // 4: refused, undone by 9
        change("c", &[(3, -20_000)]),                   // 5: sequence 11, Caju 40
        count("n", &[(3, 57_000, 10), (2, 29_000, 0)]), // 6: sequences 12 (Caju 37) and 13 (Banana 29)
        count("s", &[(2, 29_000, 0)]),                  // 7: nothing differs
        import("i", &[(4, 9_000), (5, 8_000)]),         // 8: sequences 14 and 15
        undo(Some("w"), 11, false),                     // 9: sequence 16, Caju 57
        import("j", &[(5, 7_000)]),                     // 10: it is there
        Asked::Find(6),                                 // 11: it is not
        undo(Some("x"), 99, false),                     // 12: there is none
        count("m", &[(4, 1_000, 13)]),                  // 13: it was not there yet
        Asked::List(None),                              // 14
    ] {
        story.tell(asked, 10, 10);
    }
    story
}

#[test]
fn each_fault_of_an_undo_a_count_or_an_import_is_caught() {
    type Plant = fn(&mut Story);
    let other = |id: &str| Fault::OtherContent(id.into());
    let read = |operation, state| Fault::Read { operation, from: state, to: state };
    let faults: [(&str, Plant, Fault); 37] = [
        (
            "an undo made twice",
            |s| {
                s.rewrite(|rows| rows.push(rows[7].clone()));
                s.ledger.undos.push((5, 17));
            },
            Fault::UndoneTwice(5),
        ),
        (
            "an undo made twice, the second time without a link",
            |s| s.rewrite(|rows| rows.push(rows[7].clone())),
            Fault::Unasked(17),
        ),
        ("half an undo", |s| s.cut(4, 9), other("u")),
        ("an undo by another quantity", |s| s.rewrite(|rows| rows[8].delta = 2_000), other("u")),
        ("an undo of another product", |s| s.rewrite(|rows| rows[8].product = 2), other("u")),
        ("an undo of another kind", |s| s.ledger.rows[8].kind = Kind::Count, other("u")),
        ("an undo that is not linked", |s| s.ledger.undos.retain(|(undone, _)| *undone != 6), other("u")),
        (
            "an undo that is linked to another movement",
            |s| s.ledger.undos.iter_mut().filter(|(undone, _)| *undone == 6).for_each(|it| it.0 = 3),
            other("u"),
        ),
        ("an undo of which a half is said to be all", |s| *s.stored("u") = Stored::Undo(9, 1), other("u")),
        ("an undo in two documents", |s| s.ledger.documents.retain(|(first, _)| *first != 9), other("u")),
        (
            "a whole document undone where one movement was asked for",
            |s| s.history[3].asked = undo(Some("u"), 6, true),
            other("u"),
        ),
        (
            "an undo of an undo",
            |s| {
                s.cut(5, 10);
                s.history[4].asked = undo(Some("v"), 8, false);
                s.rewrite(|rows| rows.push(Row { delta: 5_000, ..rows[7].clone() }));
                s.ledger.undos.push((8, 11));
                s.ledger.requests.push(("v".into(), Stored::Undo(11, 1)));
            },
            other("v"),
        ),
        ("an undo under no id, lost", |s| s.cut(3, 7), Fault::Lost(format!("{:?}", undo(None, 5, false)))),
        (
            "an undo under no id, answered otherwise",
            |s| *s.answer(2) = Answer::Made(vec![Made { product: 0, balance: 18_000, sequence: None }]),
            Fault::Unasked(8),
        ),
        (
            "a movement that undoes a later one",
            |s| s.ledger.undos.push((99, 3)),
            Fault::Link { undone: 99, by: 3 },
        ),
        ("a document of one", |s| s.ledger.documents.push((5, 1)), Fault::Document(5)),
        ("two documents in one", |s| s.ledger.documents.push((7, 3)), Fault::Document(7)),
        (
            "an undo answered with another balance",
            |s| *s.answer(9) = Answer::Made(vec![Made { product: 3, balance: 60_000, sequence: None }]),
            Fault::OtherAnswer("w".into()),
        ),
        (
            "an undo answered in another order",
            |s| match s.answer(3) {
                Answer::Made(made) => made.reverse(),
                answer => panic!("{answer:?}"),
            },
            Fault::OtherAnswer("u".into()),
        ),
        (
            "an undo refused, and made all the same",
            |s| *s.answer(9) = Answer::NoMovement(11),
            Fault::RefusedAndMade("w".into()),
        ),
        (
            "an undo refused as made, and not made",
            |s| {
                s.cut(10, 15);
                s.ledger.requests.retain(|(id, _)| id != "w");
                *s.answer(9) = Answer::AlreadyUndone(12);
            },
            read(9, 15),
        ),
        ("an undo refused because of another one", |s| *s.answer(4) = Answer::AlreadyUndone(10), read(4, 10)),
        (
            "an undo refused for a movement that was not there, and was",
            |s| s.history[12].asked = undo(Some("x"), 16, false),
            read(12, 16),
        ),
        (
            "an undo refused though there was enough",
            |s| {
                s.cut(10, 15);
                s.ledger.requests.retain(|(id, _)| id != "w");
                *s.answer(9) = Answer::Insufficient { product: 3, available: 37_000 };
            },
            read(9, 15),
        ),
        ("a count from another stock", |s| s.rewrite(|rows| rows[11].delta = -2_000), other("n")),
        (
            "a count that forgot what was sold since",
            |s| s.rewrite(|rows| rows[11].delta = 17_000),
            other("n"),
        ),
        ("half a count", |s| s.cut(7, 12), other("n")),
        ("a count at two places", |s| s.ledger.documents.retain(|(first, _)| *first != 12), other("n")),
        ("a count made twice", |s| s.rewrite(|rows| rows.push(rows[12].clone())), Fault::Unasked(17)),
        (
            "a count that found nothing, where there was something",
            |s| {
                s.history[7].asked = count("s", &[(2, 28_000, 0)]);
                *s.answer(7) = Answer::Made(vec![Made { product: 2, balance: 28_000, sequence: Some(0) }]);
                *s.stored("s") = Stored::Count(vec![(0, 28_000)]);
            },
            read(7, 13),
        ),
        (
            "a count answered with another stock",
            |s| *s.answer(7) = Answer::Made(vec![Made { product: 2, balance: 28_000, sequence: Some(0) }]),
            Fault::OtherAnswer("s".into()),
        ),
        (
            "a count that would be answered again otherwise",
            |s| *s.stored("n") = Stored::Count(vec![(12, 0), (0, 29_000)]),
            other("n"),
        ),
        ("half an import", |s| s.cut(9, 14), other("i")),
        (
            "a product created twice",
            |s| s.ledger.rows.extend_from_slice(&[Row { sequence: 17, ..s.ledger.rows[13].clone() }]),
            Fault::Balance { sequence: 17, balance: 9_000, expected: 18_000 },
        ),
        (
            "an import that found what was not there",
            |s| {
                s.history[10].asked = import("j", &[(6, 7_000)]);
            },
            read(10, 16),
        ),
        (
            "a product that was there, not found",
            |s| {
                s.history[11].asked = Asked::Find(4);
                *s.answer(11) = Answer::NoProduct(4);
            },
            read(11, 16),
        ),
        (
            "an id that nobody used",
            |s| s.ledger.requests.push(("y".into(), Stored::Count(vec![(0, 1_000)]))),
            Fault::UnaskedId("y".into()),
        ),
    ];
    each_is_caught(corrections, faults);
}

#[test]
fn a_lost_answer_leaves_both_possible() {
    let mut made = story();
    made.history[7].answer = None;
    assert_eq!(check(&made.history, &made.ledger), Ok(()));
    let mut undone = corrections();
    undone.history[2].answer = None;
    undone.history[9].answer = None;
    assert_eq!(check(&undone.history, &undone.ledger), Ok(()));
    let mut not_undone = story();
    not_undone.tell(undo(None, 9, false), 10, 10);
    not_undone.history[9].answer = None;
    not_undone.cut(10, 9);
    assert_eq!(check(&not_undone.history, &not_undone.ledger), Ok(()));
    let mut unmade = story();
    unmade.history.pop();
    unmade.history[7].answer = None;
    unmade.rewrite(|rows| drop(rows.pop()));
    assert_eq!(check(&unmade.history, &unmade.ledger), Ok(()));
}

#[test]
fn of_undos_under_no_id_whose_answers_were_lost_any_may_have_been_made() {
    let mut story = story();
    // The one that was refused does not count, and of the others nobody knows which it was.
    for is_single in [false, false, true] {
        story.tell(undo(None, 6, is_single), 10, 10);
    }
    for lost in [9, 10] {
        story.history[lost].answer = None;
    }
    assert_eq!(check(&story.history, &story.ledger), Ok(()));
    // Only one movement was asked for.
    for whole in [9, 10] {
        story.history[whole].asked = undo(None, 6, true);
    }
    assert_eq!(check(&story.history, &story.ledger), Err(Fault::Unasked(10)));
}

/// Products of the operations below: some of a new shop, and some that are imported.
const ASKED_PRODUCTS: usize = 7;

/// What is asked, and how long before and after it happens it is called and answered: up
/// to the time of four others.
pub(super) fn operations() -> impl Strategy<Value = Vec<(Asked, u64, u64)>> {
    let product = || 0..ASKED_PRODUCTS;
    let line = || (product(), prop_oneof![1..30_i64, -30..0_i64]);
    let counted = || (product(), 0..40_i64, prop_oneof![Just(0), 1..60_i64]);
    let id = String::new;
    let asked = prop_oneof![
        product().prop_map(Asked::Find),
        proptest::option::of(100..1100_i64).prop_map(Asked::List),
        prop::collection::vec(line(), 1..4).prop_map(move |lines| {
            let lines = lines.into_iter().map(|(product, units)| Line { product, delta: units * 1000 });
            Asked::Change { id: id(), lines: lines.collect() }
        }),
        (1..60_i64, any::<bool>(), any::<bool>()).prop_map(move |(sequence, is_single, has_id)| {
            Asked::Undo { id: has_id.then(id), sequence, is_single }
        }),
        prop::collection::vec(counted(), 1..4).prop_map(move |mut lines| {
            lines.sort_unstable();
            lines.dedup_by_key(|(product, ..)| *product);
            let line =
                |(product, units, at_sequence)| Counted { product, counted: units * 1000, at_sequence };
            Asked::Count { id: id(), lines: lines.into_iter().map(line).collect() }
        }),
        (4..ASKED_PRODUCTS, any::<bool>()).prop_map(move |(product, has_two)| {
            let products = [product, 4 + (product - 3) % 3];
            let line = |product| Line { product, delta: 0 };
            Asked::Import {
                id: id(),
                lines: products.into_iter().take(1 + usize::from(has_two)).map(line).collect(),
            }
        }),
    ];
    let operation = (asked, 0..4 * STEP, 0..4 * STEP);
    prop::collection::vec(operation, 1..60).prop_map(|mut operations| {
        for (number, (asked, ..)) in (1..).zip(operations.iter_mut()) {
            match asked {
                Asked::Find(_) | Asked::List(_) | Asked::Undo { id: None, .. } => {}
                Asked::Change { id, .. } | Asked::Undo { id: Some(id), .. } | Asked::Count { id, .. } => {
                    *id = format!("{number}");
                }
                Asked::Import { id, lines } => {
                    *id = format!("{number}");
                    lines.iter_mut().for_each(|line| line.delta = number * 1000);
                }
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
    fn a_movement_less_or_more_or_another_is_caught(operations in operations(), place: prop::sample::Index) {
        let mut story = told(operations);
        let made = story.ledger.rows.len() - OPENING_PRODUCTS;
        prop_assume!(made > 0);
        let place = OPENING_PRODUCTS + place.index(made);
        let mut more = told(Vec::new());
        more.history.clone_from(&story.history);
        more.ledger = story.ledger.clone();
        more.rewrite(|rows| rows.insert(place, Row { request_id: None, ..rows[place].clone() }));
        prop_assert!(check(&more.history, &more.ledger).is_err());
        let mut other = told(Vec::new());
        other.history.clone_from(&story.history);
        other.ledger = story.ledger.clone();
        other.rewrite(|rows| rows[place].delta += 1_000);
        prop_assert!(check(&other.history, &other.ledger).is_err());
        story.rewrite(|rows| drop(rows.remove(place)));
        prop_assert!(check(&story.history, &story.ledger).is_err());
    }
}

#[test]
fn each_fault_of_a_watch_is_caught() {
    type Plant = fn(&mut Vec<Seen>);
    let ledger = story().ledger;
    let seen = |row: &Row| Seen {
        sequence: row.sequence,
        product: row.product,
        delta: row.delta,
        balance: row.balance,
    };
    let whole: Vec<Seen> = ledger.rows.iter().map(seen).collect();
    assert_eq!(check_watched(&whole, &ledger), Ok(()));
    let faults: [(&str, Plant, Fault); 7] = [
        ("a gap", |seen| _ = seen.remove(5), Fault::WatchedOutOfTurn { expected: 6, sequence: 7 }),
        (
            "a gap at the beginning",
            |seen| _ = seen.remove(0),
            Fault::WatchedOutOfTurn { expected: 1, sequence: 2 },
        ),
        (
            "a repetition",
            |seen| seen.insert(6, seen[5]),
            Fault::WatchedOutOfTurn { expected: 7, sequence: 6 },
        ),
        (
            "two in the wrong order",
            |seen| seen.swap(3, 4),
            Fault::WatchedOutOfTurn { expected: 4, sequence: 5 },
        ),
        ("another content", |seen| seen[6].balance += 1, Fault::WatchedOtherwise(7)),
        ("the last one missing", |seen| _ = seen.pop(), Fault::NotWatched(9)),
        (
            "shown before it was durable",
            |seen| seen.push(Seen { sequence: 10, ..seen[8] }),
            Fault::WatchedAndLost(10),
        ),
    ];
    for (what, plant, fault) in faults {
        let mut seen = whole.clone();
        plant(&mut seen);
        assert_eq!(check_watched(&seen, &ledger), Err(fault), "{what}");
    }
}
