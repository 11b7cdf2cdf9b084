//! Storms: servers of one shop and two engines, of which anything ends, stands still or is cut off, while clients
//! ask. What was answered must be true whatever happens, as the histories say.

pub(crate) mod trouble;

use std::time::{Duration, Instant};

use super::wire::Wire;
use crate::history::check::Fault;
use crate::history::play::{Plan, Play, Played};
use crate::support::postgres::{Cluster, Ground, Version, address};
use crate::support::skew::Clock;
use crate::support::waiting::wait_for;
use crate::support::{Connection, Server};
use trouble::Trouble;

/// Answers between two troubles, and after the last.
const ANSWERS: usize = 200;

/// The disk of an engine that is to become full, in MiB: a cluster with some segments of its log.
const DISK_MIB: u32 = 256;

/// Segments of the log that are begun on a full disk: the engine keeps a few made beforehand.
const SEGMENTS: usize = 4;

/// The time after which an engine that recovers is known to have begun.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// The time after which every program has seen that its clock was moved, and has gone on for a while.
const CLOCK_SEEN_AFTER: Duration = Duration::from_secs(2);

/// Engines and servers of one shop.
pub(crate) struct Fleet {
    /// The engines, each at its place: one is the primary, and the other stands by for it.
    engines: Vec<Cluster>,
    primary: usize,
    standby_count: usize,
    /// What carries the primary's log to its standby.
    replication: Wire,
    /// What connects each server with each engine.
    wires: Vec<[Wire; 2]>,
    servers: Vec<Server>,
    /// The server that writes.
    active: usize,
    /// The clocks of the engines and of each server, if some are moved.
    clocks: Option<(Clock, Vec<Clock>)>,
}

impl Fleet {
    /// Starts two engines and so many servers, for these troubles.
    pub(crate) fn start(version: &'static Version, server_count: usize, troubles: &[Trouble]) -> Self {
        let clocks = troubles.iter().any(Trouble::moves_clock).then(|| {
            let servers: Option<Vec<Clock>> = (0..server_count).map(|_| Clock::new()).collect();
            Clock::new().zip(servers)
        });
        let clocks = clocks.flatten();
        let ground = Ground {
            variables: clocks.as_ref().map_or(Vec::new(), |(engines, _)| engines.variables()),
            disk_mib: troubles.iter().any(Trouble::fills_disk).then_some(DISK_MIB),
        };
        let primary = Cluster::on(version, ground);
        let replication = Wire::to(primary.port);
        let standby = primary.standby_by(replication.port, "b1");
        primary.wait_for_standby("b1");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let ports = [primary.port, standby.port];
        let wires: Vec<[Wire; 2]> = (0..server_count).map(|_| ports.map(Wire::to)).collect();
        let servers = wires.iter().enumerate().map(|(number, wires)| {
            let [a, b] = [wires[0].port, wires[1].port];
            let variables = clocks.as_ref().map_or(Vec::new(), |(_, servers)| servers[number].variables());
            Server::start_with(variables, &["--data", &address(&[a, b], "lojas", "centro")])
        });
        let servers = servers.collect();
        let engines = vec![primary, standby];
        let mut this =
            Self { engines, primary: 0, standby_count: 1, replication, wires, servers, active: 0, clocks };
        this.active = this.wait_for_writer(None);
        this
    }

    /// Plays a history through these troubles. Returns it with the longest time in which no change was answered,
    /// for each trouble.
    pub(crate) fn play(mut self, plan: &Plan, troubles: &[Trouble]) -> (Played, Vec<Duration>) {
        // A cancelled statement and a lease that a busy machine kept too late are reasons to refuse.
        let mut play = Play::begin(self.servers[self.active].port, plan, true);
        let mut silences = Vec::new();
        let verdict = troubles.iter().try_for_each(|trouble| {
            play.wait_for_answers(ANSWERS)?;
            let since = play.now();
            self.befall(&mut play, *trouble)?;
            silences.push(play.longest_silence(since));
            println!("{trouble:?}: no change was answered for {:?}", silences.last());
            Ok(())
        });
        let verdict = verdict.and_then(|()| play.wait_for_answers(ANSWERS));
        let active = self.active;
        let played = play.end(&mut self.servers[active], verdict);
        if played.verdict.is_ok() {
            let server = &self.servers[active];
            let verified = server.run(&["verify", server.data().unwrap()]);
            assert_eq!(verified.code, 0, "{}", verified.err);
        }
        (played, silences)
    }

    fn befall(&mut self, play: &mut Play, trouble: Trouble) -> Result<(), Fault> {
        match trouble {
            Trouble::PrimaryLost => {
                self.engines[self.primary].kill();
                self.engines[1 - self.primary].promote();
                self.primary = 1 - self.primary;
                self.go_on(play)?;
                self.replace_standby();
            }
            Trouble::PrimaryKilled => {
                self.engines[self.primary].kill();
                self.engines[self.primary].restart();
                self.go_on(play)?;
            }
            Trouble::PrimaryDeposed => {
                let deposed = self.primary;
                self.wires.iter().for_each(|wires| wires[deposed].hold(true));
                self.engines[1 - deposed].promote();
                self.primary = 1 - deposed;
                self.go_on(play)?;
                // The primary that was would take changes without a standby.
                self.engines[deposed].set("synchronous_standby_names", "");
                self.wires.iter().for_each(|wires| wires[deposed].hold(false));
                // Every server looks for an engine again.
                self.engines[self.primary].sql("postgres", END_SESSIONS);
                self.go_on(play)?;
                self.replace_standby();
            }
            Trouble::EngineCutOff(time) => {
                self.wires.iter().flatten().for_each(|wire| wire.hold(true));
                pause(time);
                self.wires.iter().flatten().for_each(|wire| wire.hold(false));
                self.go_on(play)?;
            }
            Trouble::StandbyCutOff(time) => {
                self.replication.hold(true);
                pause(time);
                self.replication.hold(false);
                self.go_on(play)?;
            }
            Trouble::Cancelled => {
                for _ in 0..20 {
                    self.engines[self.primary].sql("postgres", CANCEL_SESSIONS);
                    play.wait_for_answers(10)?;
                }
            }
            Trouble::Terminated => {
                for _ in 0..5 {
                    self.engines[self.primary].sql("postgres", END_SESSIONS);
                    self.go_on(play)?;
                }
            }
            Trouble::WaitCancelled => self.end_waits(play, "pg_cancel_backend")?,
            Trouble::WaitTerminated => self.end_waits(play, "pg_terminate_backend")?,
            Trouble::DiskFull(time) => self.fill_disk(play, time, 0)?,
            Trouble::LogFull(time) => self.fill_disk(play, time, SEGMENTS)?,
            Trouble::EngineClockMoved(hours) => {
                if let Some((engines, _)) = &self.clocks {
                    engines.move_by(hours);
                    pause(CLOCK_SEEN_AFTER);
                }
                self.go_on(play)?;
            }
            Trouble::ServerClockMoved(hours) => {
                if let Some((_, servers)) = &self.clocks {
                    servers[self.active].move_by(hours);
                    pause(CLOCK_SEEN_AFTER);
                }
                self.go_on(play)?;
            }
            Trouble::ServerKilled => {
                play.shut();
                let killed = self.active;
                self.servers[killed].kill();
                self.take_over(play);
                self.servers[killed].restart();
            }
            Trouble::ServerStopped => {
                play.shut();
                let stopped = self.active;
                self.servers[stopped].signal("TERM");
                if self.servers.len() == 1 {
                    // Nobody else takes over.
                    assert_eq!(self.servers[stopped].wait_for_end().0, Some(0));
                    self.servers[stopped].restart();
                    self.take_over(play);
                } else {
                    self.take_over(play);
                    assert_eq!(self.servers[stopped].wait_for_end().0, Some(0));
                    self.servers[stopped].restart();
                }
            }
            Trouble::ServerFrozen(time) => self.freeze(play, time)?,
            Trouble::ServerCutOff(time) => {
                play.abandon();
                let cut_off = self.active;
                self.wires[cut_off].iter().for_each(|wire| wire.hold(true));
                let mut late = play.stand_at(self.servers[cut_off].port);
                self.take_over(play);
                play.wait_for_answers(ANSWERS)?;
                // The server that was cut off is asked after others have changed what it knows.
                play.ask_late(&mut late);
                pause(time);
                self.wires[cut_off].iter().for_each(|wire| wire.hold(false));
                play.hear_late(late);
            }
        }
        play.wait_for_answers(ANSWERS)
    }

    /// Stops the standby, and ends what waits for it in this way.
    fn end_waits(&mut self, play: &mut Play, end: &str) -> Result<(), Fault> {
        let (primary, standby) = (&self.engines[self.primary], &self.engines[1 - self.primary]);
        standby.freeze(true);
        let statement = format!(
            "SELECT count({end}(pid)) FROM pg_stat_activity WHERE datname = 'lojas' AND wait_event = 'SyncRep'"
        );
        wait_for(|| match primary.sql("postgres", &statement).as_str() {
            "0" => Err("nothing waits for the standby"),
            _ => Ok(()),
        });
        standby.freeze(false);
        self.go_on(play)
    }

    /// Fills the disk of the primary, whose log then needs so many new segments.
    fn fill_disk(&mut self, play: &mut Play, time: Duration, segments: usize) -> Result<(), Fault> {
        let primary = &mut self.engines[self.primary];
        primary.fill_disk(true);
        for _ in 0..segments {
            // The engine goes down when it has no room for the log.
            let fill = "SELECT pg_logical_emit_message(false, 'storm', 'full'); SELECT pg_switch_wal()";
            let _ = primary.try_sql("postgres", fill);
        }
        pause(time);
        primary.fill_disk(false);
        // An engine without room gives up after some tries to recover, or, as PostgreSQL 18 does, waits for ever for the
        // process that recovers and has ended. An operator starts it again.
        let stuck_from = Instant::now() + STUCK_AFTER;
        wait_for(|| {
            if Instant::now() > stuck_from && !primary.starts() {
                primary.kill();
            }
            if !primary.is_running() {
                primary.restart();
            }
            primary.try_sql("postgres", "CHECKPOINT")
        });
        self.go_on(play)
    }

    fn freeze(&mut self, play: &mut Play, time: Duration) -> Result<(), Fault> {
        let frozen = self.active;
        let mut late = play.stand_at(self.servers[frozen].port);
        self.servers[frozen].pause();
        let since = Instant::now();
        play.abandon();
        self.take_over(play);
        play.wait_for_answers(ANSWERS)?;
        play.ask_late(&mut late);
        pause(time.saturating_sub(since.elapsed()));
        self.servers[frozen].signal("CONT");
        play.hear_late(late);
        Ok(())
    }

    /// Waits until another server than the one that wrote writes, and leads the clients to it.
    fn take_over(&mut self, play: &mut Play) {
        self.active = self.wait_for_writer(Some(self.active).filter(|_| self.servers.len() > 1));
        self.lead(play);
    }

    fn lead(&self, play: &mut Play) {
        play.open(self.servers[self.active].port);
    }

    /// Leads the clients to the server that writes now, and waits for an answer.
    fn go_on(&mut self, play: &mut Play) -> Result<(), Fault> {
        let writer = self.wait_for_writer(None);
        if writer != self.active {
            self.active = writer;
            self.lead(play);
        }
        play.wait_for_answers(1)
    }

    /// Waits until a server writes, which is another one than this.
    fn wait_for_writer(&mut self, other_than: Option<usize>) -> usize {
        wait_for(|| {
            let mut asked = (0..self.servers.len()).filter(|server| Some(*server) != other_than);
            asked.find(|server| writes(self.servers[*server].port)).ok_or("no server writes")
        })
    }

    /// Makes a standby for the primary in place of the engine that was.
    fn replace_standby(&mut self) {
        let lost = 1 - self.primary;
        self.standby_count += 1;
        let (primary, name) = (&self.engines[self.primary], format!("b{}", self.standby_count));
        self.replication.lead_to(primary.port);
        let standby = primary.standby_by(self.replication.port, &name);
        self.wires.iter().for_each(|wires| wires[lost].lead_to(standby.port));
        primary.wait_for_standby(&name);
        self.engines[lost] = standby;
    }
}

/// All sessions of the servers.
const CANCEL_SESSIONS: &str =
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = 'lojas' AND state = 'active'";
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lojas'";

/// Whether a server answers reads, which only the one that writes does.
fn writes(port: u16) -> bool {
    let Ok(mut connection) = Connection::try_new(port) else { return false };
    connection.try_reply_to("1 Maca\n").is_some_and(|reply| reply.starts_with("Maca: "))
}

/// The time is what is tried.
fn pause(time: Duration) {
    std::thread::sleep(time);
}
