//! SIGKILL and SIGTERM under load from both transports at once: nothing that was answered
//! is lost, nothing is made twice, and all clients saw one order.

use std::time::Duration;

use crate::history::Way;
use crate::history::play::{End, Plan, play};
use crate::support::Server;

/// Kills in a row.
const KILLS: usize = 30;

/// Histories with another seed each.
const HISTORIES: u64 = 20;

/// How long a stop may take: the default drain time, and some more for a busy machine.
const STOP_MAX: Duration = Duration::from_secs(12);

#[test]
fn a_killed_server_lost_nothing_that_it_answered() {
    let mut server = Server::start(&[]);
    let played = play(
        &mut server,
        &Plan {
            seed: 0,
            clients: [(Way::Text, 4), (Way::Calls, 4), (Way::Stream, 4)],
            in_flight_max: 4,
            answers: 500,
            ends: vec![End::Kill; KILLS],
        },
    );
    assert_eq!(played.verdict, Ok(()));
}

#[test]
fn all_clients_see_one_order() {
    for seed in 1..=HISTORIES {
        let ends = match seed % 4 {
            0 => vec![End::Kill, End::Stop(STOP_MAX)],
            1 => vec![End::Kill],
            _ => Vec::new(),
        };
        let mut server = Server::start(&[]);
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
        assert_eq!(played.verdict, Ok(()), "seed {seed}");
    }
}
