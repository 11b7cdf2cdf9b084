//! The clock that gives movements their time, and the check whether it can be right.

use std::time::{Duration, SystemTime};

use crate::platform::machine::since_boot;

/// The difference from the expected time after which a warning is logged. A day is more than any time zone,
/// daylight saving or drift explains, so the clock was wrong before or is wrong now.
const OFF_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The source of the time, which notices when the machine's clock was set.
pub(super) struct Clock {
    /// The moment from which the clock is expected to run on.
    base: Moment,
}

impl Clock {
    /// A clock for a shop whose last movement or change of terms was recorded at this time.
    pub(super) fn new(last_time: Option<SystemTime>) -> Self {
        let base = Moment::now();
        if let Some(ahead) = last_time.and_then(|last| off(base.time, last)) {
            tracing::warn!(
                hours = hours(ahead),
                "the last change lies in the future of this machine's clock, so one of them is wrong; changes get \
                 the time of the last one until the clock has reached it. Set the clock right"
            );
        }
        Self { base }
    }

    /// Returns the time now. Warns once of a jump.
    pub(super) fn now(&mut self) -> SystemTime {
        let now = Moment::now();
        self.note(now);
        now.time
    }

    /// Returns whether the clock has jumped.
    fn note(&mut self, now: Moment) -> bool {
        let expected = self.base.time + now.since_boot.saturating_sub(self.base.since_boot);
        let back = off(now.time, expected);
        let Some(off) = back.or_else(|| off(expected, now.time)) else { return false };
        self.base = now;
        tracing::warn!(
            hours = hours(off),
            is_back = back.is_some(),
            "the clock of this machine has jumped; times in the ledger never go back, so changes get the time of \
             the last one until the clock has passed it. Set the clock right"
        );
        true
    }
}

/// The distance from the first time to the second, if it is more than [`OFF_MAX`].
fn off(earlier: SystemTime, later: SystemTime) -> Option<Duration> {
    later.duration_since(earlier).ok().filter(|off| *off > OFF_MAX)
}

fn hours(duration: Duration) -> u64 {
    duration.as_secs() / 3600
}

/// The readings of two clocks: the one that can be set, and one that cannot.
#[derive(Debug, Clone, Copy)]
struct Moment {
    time: SystemTime,
    since_boot: Duration,
}

impl Moment {
    fn now() -> Self {
        Self { time: SystemTime::now(), since_boot: since_boot() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_jump_is_noticed_once_and_the_passing_of_time_is_none() {
        let base = Moment { time: SystemTime::UNIX_EPOCH + 10_000 * HOUR, since_boot: HOUR };
        let mut clock = Clock { base };
        let moment = |time, since_boot| Moment {
            time: SystemTime::UNIX_EPOCH + time * HOUR,
            since_boot: since_boot * HOUR,
        };
        for (now, is_jump) in [
            (moment(10_000, 1), false),
            // A week passes, and the clock is set by some hours.
            (moment(10_168, 169), false),
            (moment(10_180, 169), false),
            (moment(10_145, 169), false),
            // The clock is set three days forward and stays so; then it is set years back.
            (moment(10_240, 169), true),
            (moment(10_241, 170), false),
            (moment(3, 171), true),
            (moment(4, 172), false),
            // Two small steps make a large one.
            (moment(20, 172), false),
            (moment(36, 172), true),
        ] {
            assert_eq!(clock.note(now), is_jump, "{now:?}");
        }
    }

    #[test]
    fn the_clock_runs() {
        let mut clock = Clock::new(None);
        let before = SystemTime::now();
        assert!(clock.now() >= before && clock.base.time <= before);
    }
}
