//! The troubles of a storm, and how many of each make the evidence.

use std::time::Duration;

use fastrand::Rng;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The primary loses its power, and its standby is promoted.
    PrimaryLost,
    /// The primary loses its power and comes back.
    PrimaryKilled,
    /// The primary is cut off from the servers, its standby is promoted, and the primary comes back as it was.
    PrimaryDeposed,
    /// No packet passes between the servers and the engines for so long.
    EngineCutOff(Duration),
    /// No packet passes between the primary and its standby for so long.
    StandbyCutOff(Duration),
    /// Statements are cancelled, and sessions are ended.
    Cancelled,
    Terminated,
    /// The standby stands still, and the statements that wait for it are cancelled, or their sessions ended.
    WaitCancelled,
    WaitTerminated,
    /// The disk of the primary is full for so long: nothing new has room, and the log neither.
    DiskFull(Duration),
    LogFull(Duration),
    /// The clocks of the engines are so many hours off from now on.
    EngineClockMoved(i32),
    /// The clock of the server that writes is so many hours off from now on.
    ServerClockMoved(i32),
    /// The server that writes is killed and started again.
    ServerKilled,
    /// The server that writes gets a signal to stop, and is started again.
    ServerStopped,
    /// The server that writes stands still for so long.
    ServerFrozen(Duration),
    /// No packet passes between the server that writes and the engines for so long.
    ServerCutOff(Duration),
}

/// The name of each kind, how many of it make the evidence, and how one is made.
type Kind = (&'static str, usize, fn(&mut Rng) -> Trouble);

/// All kinds. The counts are those of `docs/reliability.md`.
pub(crate) const KINDS: [Kind; 17] = [
    ("ServerKilled", 200, |_| Trouble::ServerKilled),
    ("ServerStopped", 50, |_| Trouble::ServerStopped),
    ("ServerFrozen", 50, |dice| Trouble::ServerFrozen(millis(dice, 5_000..30_000))),
    ("ServerCutOff", 30, |dice| Trouble::ServerCutOff(millis(dice, 500..6_000))),
    ("PrimaryLost", 100, |_| Trouble::PrimaryLost),
    ("PrimaryKilled", 50, |_| Trouble::PrimaryKilled),
    ("PrimaryDeposed", 20, |_| Trouble::PrimaryDeposed),
    ("EngineCutOff", 30, |dice| Trouble::EngineCutOff(millis(dice, 500..6_000))),
    ("StandbyCutOff", 30, |dice| Trouble::StandbyCutOff(millis(dice, 500..6_000))),
    ("Cancelled", 10, |_| Trouble::Cancelled),
    ("Terminated", 10, |_| Trouble::Terminated),
    ("WaitCancelled", 20, |_| Trouble::WaitCancelled),
    ("WaitTerminated", 20, |_| Trouble::WaitTerminated),
    ("DiskFull", 10, |dice| Trouble::DiskFull(millis(dice, 500..3_000))),
    ("LogFull", 10, |dice| Trouble::LogFull(millis(dice, 500..3_000))),
    ("EngineClockMoved", 20, |dice| Trouble::EngineClockMoved(hours(dice))),
    ("ServerClockMoved", 20, |dice| Trouble::ServerClockMoved(hours(dice))),
];

/// This part of all troubles, in percent and rounded up, of these kinds or of all, in an order of their own.
#[allow(dead_code)]
pub(crate) fn deck(percent: usize, wants: impl Fn(&str) -> bool, seed: u64) -> Vec<Trouble> {
    let mut dice = Rng::with_seed(seed);
    let mut deck = Vec::new();
    for (_, count, make) in KINDS.into_iter().filter(|(name, ..)| wants(name)) {
        deck.extend((0..(count * percent).div_ceil(100)).map(|_| make(&mut dice)));
    }
    dice.shuffle(&mut deck);
    deck
}

fn millis(dice: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(dice.u64(range))
}

fn hours(dice: &mut Rng) -> i32 {
    let hours = dice.i32(1..=48);
    if dice.bool() { hours } else { -hours }
}

impl Trouble {
    /// The name of its kind.
    #[allow(dead_code)]
    pub(crate) fn name(&self) -> String {
        format!("{self:?}").split('(').next().unwrap_or_default().to_owned()
    }

    /// Whether an engine needs a disk of its own for it.
    pub(super) fn fills_disk(&self) -> bool {
        matches!(self, Self::DiskFull(_) | Self::LogFull(_))
    }

    /// Whether clocks are moved.
    pub(super) fn moves_clock(&self) -> bool {
        matches!(self, Self::EngineClockMoved(_) | Self::ServerClockMoved(_))
    }
}
