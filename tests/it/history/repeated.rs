//! The checker, tested on changes whose answer was lost, and which were called again.

use super::check::{Fault, check};
use super::planted::corrections;
use super::story::{STEP, Story, change, undo};
use super::{Answer, Asked, Call, Stock};

#[test]
fn a_stored_count_that_found_nothing_may_be_of_an_earlier_call() {
    let mut story = corrections();
    // The first call found what there was; the answer was lost, and the second call answers it again.
    let (first, second) = (story.history[7].calls[0], story.history[14].calls[0]);
    story.history[7].calls = vec![first, second];
    story.history[7].answer.as_mut().unwrap().0 = second.at + STEP;
    story.tell(change("z", &[(2, 1_000)]), 10, 10);
    story.history[15].calls[0].at = story.history[8].calls[0].at;
    assert_eq!(check(&story.history, &story.ledger), Ok(()));
}

/// A connection calls the change `b`, which takes so much Caju, and then `later`. The connection breaks before
/// either is answered, and a second call makes `b`. There are 60 Caju before `a`, 65 at the first call of `b`,
/// 60 after `later`, and 80 at the second call.
fn called_again(taken: i64, later: Asked) -> Story {
    let mut story = Story::new();
    for asked in [change("a", &[(3, 5_000)]), later, change("c", &[(3, 20_000)]), change("b", &[(3, -taken)])]
    {
        story.tell(asked, 10, 10);
    }
    let Call { at, way } = story.history[1].calls[0];
    story.history[3].calls.insert(0, Call { at: at - 1, way });
    story.history[1].follows = Some(3);
    story.history[1].answer = None;
    story
}

#[test]
fn a_change_may_be_refused_at_first_and_made_when_it_is_called_again() {
    for later in [undo(None, 5, false), undo(Some("u"), 5, false), change("d", &[(3, -5_000)])] {
        let story = called_again(70_000, later.clone());
        assert_eq!(check(&story.history, &story.ledger), Ok(()), "{later:?}");
    }
}

#[test]
fn a_change_that_was_not_refused_stands_before_what_its_connection_asked_for_later() {
    let order = |later: &str| Fault::Order { earlier: "b".into(), later: later.into() };
    for (later, fault) in [
        (undo(None, 5, false), Fault::Unasked(6)),
        (undo(Some("u"), 5, false), order("u")),
        (change("d", &[(3, -5_000)]), order("d")),
    ] {
        // Only a state before the first call, and the state after the later change, refuse this.
        let could_be_made = called_again(62_000, later.clone());
        assert_eq!(check(&could_be_made.history, &could_be_made.ledger), Err(fault.clone()), "{later:?}");
        let mut called_once = called_again(70_000, later.clone());
        called_once.history[3].calls.truncate(1);
        assert_eq!(check(&called_once.history, &called_once.ledger), Err(fault), "{later:?}");
    }
}

#[test]
fn a_read_does_not_see_a_change_that_is_made_when_it_is_called_again() {
    let mut story = called_again(62_000, Asked::Find(3));
    let seen_at = story.history[1].calls[0].at + 20;
    story.history[1].answer = Some((seen_at, Answer::Seen(vec![Stock { product: 3, balance: 65_000 }])));
    assert_eq!(check(&story.history, &story.ledger), Ok(()));
    story.history[3].calls.truncate(1);
    assert_eq!(check(&story.history, &story.ledger), Err(Fault::Read { operation: 1, from: 7, to: 5 }));
}
