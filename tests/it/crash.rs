//! SIGKILL and SIGTERM under load from both transports at once: nothing that was answered
//! is lost, nothing is made twice, and all clients saw one order.

use std::time::Duration;

use crate::history::Way;
use crate::history::play::{End, Plan, play};
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
                answers: 500,
                ends: vec![End::Kill; KILLS / 2],
            },
        );
        assert_eq!(played.verdict, Ok(()), "{workers} workers");
    }
}

#[test]
fn all_clients_see_one_order() {
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
                answers: 300,
                ends,
            },
        );
        assert_eq!(played.verdict, Ok(()), "seed {seed}, {workers} workers");
    }
}
