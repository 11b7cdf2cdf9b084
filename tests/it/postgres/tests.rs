//! A part of the storms and of the breaks, in the time that a run of the tests has. The soak plays all of them.

use std::time::Duration;

use super::doubt;
use super::storm::Fleet;
use super::storm::trouble::Trouble;
use super::together::start_together;
use crate::history::Way;
use crate::history::play::Plan;
use crate::support::postgres::{Cluster, versions};

#[test]
fn a_standby_that_is_promoted_has_what_the_killed_primary_has_answered() {
    for version in versions() {
        let mut primary = Cluster::new(version);
        let standby = primary.standby("b");
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE TABLE kept (number int); INSERT INTO kept VALUES (7)");
        primary.kill();
        standby.promote();
        assert_eq!(standby.sql("postgres", "SELECT * FROM kept"), "7", "{}", version.name);
        primary.restart();
        assert_eq!(primary.sql("postgres", "SELECT count(*) FROM kept"), "1", "{}", version.name);
    }
}

/// Bytes between two cuts, of a commit and of its answer. The soak cuts after every one.
const CUT_EVERY: (usize, usize) = (41, 9);

#[test]
fn a_commit_is_made_once_wherever_its_connection_breaks() {
    for version in versions() {
        let cuts = doubt::break_everywhere(version, CUT_EVERY.0, CUT_EVERY.1);
        println!("{}: {cuts} cuts", version.name);
    }
}

/// Clients of a storm.
fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        clients: [(Way::Text, 3), (Way::Calls, 3), (Way::Stream, 2)],
        in_flight_max: 4,
        rest: Duration::ZERO,
        answers: 0,
        ends: Vec::new(),
    }
}

#[test]
fn what_was_answered_is_true_whatever_becomes_of_the_engines() {
    let second = Duration::from_secs(1);
    let troubles = [
        Trouble::PrimaryKilled,
        Trouble::Cancelled,
        Trouble::StandbyCutOff(second),
        Trouble::PrimaryLost,
        Trouble::Terminated,
        Trouble::EngineCutOff(3 * second),
        Trouble::PrimaryDeposed,
    ];
    for version in versions() {
        println!("{}", version.name);
        let (played, _) = Fleet::start(version, 1, &troubles).play(&plan(7), &troubles);
        played.assert_true(version.name);
    }
}

#[test]
fn what_was_answered_is_true_on_full_disks_and_by_wrong_clocks() {
    let second = Duration::from_secs(1);
    let troubles = [
        Trouble::DiskFull(second),
        Trouble::WaitCancelled,
        Trouble::EngineClockMoved(-5),
        Trouble::LogFull(second),
        Trouble::WaitTerminated,
        Trouble::ServerClockMoved(30),
        Trouble::ServerKilled,
    ];
    for version in versions() {
        println!("{}", version.name);
        let (played, _) = Fleet::start(version, 2, &troubles).play(&plan(9), &troubles);
        played.assert_true(version.name);
    }
}

/// Pairs of servers that start together; the soak starts more.
const STARTS: usize = 2;

#[test]
fn of_two_servers_that_start_together_one_writes() {
    for version in versions() {
        start_together(version, STARTS);
    }
}

#[test]
fn what_was_answered_is_true_whatever_becomes_of_the_servers() {
    let second = Duration::from_secs(1);
    let troubles = [
        Trouble::ServerKilled,
        Trouble::ServerStopped,
        Trouble::ServerFrozen(4 * second),
        Trouble::ServerCutOff(3 * second),
        Trouble::PrimaryLost,
    ];
    for version in versions() {
        println!("{}", version.name);
        let (played, _) = Fleet::start(version, 2, &troubles).play(&plan(8), &troubles);
        played.assert_true(version.name);
    }
}
