//! SIGKILL and SIGTERM under load from both transports at once: nothing that was answered
//! is lost, nothing is made twice, and all clients saw one order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::history::play::{End, Plan, play};
use crate::history::{Answer, Asked, Operation, Way};
use crate::support::Server;

/// Kills, half of them of a server with one worker, half of one with four.
const KILLS: usize = 30;

/// Histories with another seed each.
const HISTORIES: u64 = 20;

/// How long a stop may take: the default drain time, and some more for a busy machine.
const STOP_MAX: Duration = Duration::from_secs(12);

#[test]
fn a_killed_server_lost_nothing_that_it_answered() {
    for workers in ["1", "4"] {
        let mut server = Server::start(&["--workers", workers]);
        let played = play(
            &mut server,
            &Plan {
                seed: 0,
                clients: [(Way::Text, 4), (Way::Calls, 4), (Way::Stream, 4)],
                in_flight_max: 4,
                rest: Duration::ZERO,
                answers: 500,
                ends: vec![End::Kill; KILLS / 2],
            },
        );
        played.assert_true(&format!("{workers} workers"));
    }
}

/// What histories must have had in them to say anything.
const MET: [&str; 16] = [
    "a product found",
    "a product not found",
    "a list",
    "a change",
    "a batch",
    "a change of what there is not",
    "an import that created products",
    "an import that found them",
    "an undo",
    "an undo under no id",
    "an undo of several movements",
    "an undo of what was undone",
    "an undo of what is not there",
    "an undo of what was used",
    "a count",
    "a count that found what there was",
];

#[test]
fn all_clients_see_one_order() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1..=HISTORIES {
        // One worker commits its queue itself; several mostly leave that to the committer.
        let workers = if seed % 2 == 0 { "1" } else { "4" };
        let ends = match seed % 4 {
            0 => vec![End::Kill, End::Stop(STOP_MAX)],
            1 => vec![End::Kill],
            _ => Vec::new(),
        };
        let mut server = Server::start(&["--workers", workers]);
        let played = play(
            &mut server,
            &Plan {
                seed,
                clients: [(Way::Text, 4), (Way::Calls, 4), (Way::Stream, 2)],
                in_flight_max: 1 + seed as usize % 4,
                rest: Duration::ZERO,
                answers: 300,
                ends,
            },
        );
        played.assert_true(&format!("seed {seed}, {workers} workers"));
        played.history.iter().filter_map(what).for_each(|what| *met.entry(what).or_default() += 1);
    }
    println!("{met:?}");
    assert_eq!(met.into_keys().collect::<BTreeSet<_>>(), BTreeSet::from(MET));
}

/// One of [`MET`].
fn what(operation: &Operation) -> Option<&'static str> {
    Some(match (&operation.asked, &operation.answer.as_ref()?.1) {
        (Asked::Find(_), Answer::Seen(_)) => "a product found",
        (_, Answer::NoProduct(_)) => "a product not found",
        (Asked::List(_), _) => "a list",
        (Asked::Change { .. }, Answer::Insufficient { .. }) => "a change of what there is not",
        (Asked::Change { lines, .. }, _) if lines.len() > 1 => "a batch",
        (Asked::Change { .. }, _) => "a change",
        (Asked::Import { .. }, Answer::Imported { created: 1.., .. }) => "an import that created products",
        (Asked::Import { .. }, _) => "an import that found them",
        (Asked::Undo { .. }, Answer::AlreadyUndone(_)) => "an undo of what was undone",
        (Asked::Undo { .. }, Answer::NoMovement(_)) => "an undo of what is not there",
        (Asked::Undo { .. }, Answer::Insufficient { .. }) => "an undo of what was used",
        (Asked::Undo { .. }, Answer::Made(made)) if made.len() > 1 => "an undo of several movements",
        (Asked::Undo { id: None, .. }, _) => "an undo under no id",
        (Asked::Undo { .. }, _) => "an undo",
        (Asked::Count { .. }, Answer::Made(made)) if made.iter().all(|it| it.sequence == Some(0)) => {
            "a count that found what there was"
        }
        (Asked::Count { .. }, Answer::Made(_)) => "a count",
        _ => return None,
    })
}
