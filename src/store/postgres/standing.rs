//! The decisions of a server that stands by: when to take the lease of a shop.
//!
//! A server judges by its own clock that the lease stands still, and asks no other clock. A wrong decision costs a
//! needless change of the writer and never a change of the stock, because the epoch is in every commit.

use std::time::{Duration, Instant};

use crate::store::lease::LEASE;

/// The longest time between two looks at a lease after which it is known to have stood still meanwhile. After a
/// longer one, as after a new connection or a frozen machine, the lease is watched from the beginning.
const GAP_MAX: Duration = Duration::from_millis(500);

/// The lease of a shop, as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaseRow {
    pub(super) epoch: i64,
    pub(super) beat: i64,
    /// The name of the server that has the lease; empty if none has.
    pub(super) holder: String,
    /// The address at which that server is found.
    pub(super) address: String,
}

/// The step that follows a look at the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Another server has the lease.
    Wait,
    /// The lease is free, or its holder does not renew it: take it if it is still the same.
    Seize,
    /// This server has the lease, and an answer that said so was lost.
    Own,
}

/// The looks of one server at a lease.
pub(super) struct Standing {
    /// The name of this server.
    me: String,
    seen: Option<Seen>,
    /// The name of the last server that was seen to take or renew the lease.
    alive: Option<String>,
}

/// A lease that was seen, since when it is the same, and when it was last looked at.
struct Seen {
    epoch: i64,
    beat: i64,
    since: Instant,
    looked_at: Instant,
}

impl Standing {
    pub(super) fn new(me: String) -> Self {
        Self { me, seen: None, alive: None }
    }

    /// The name of this server.
    pub(super) fn me(&self) -> &str {
        &self.me
    }

    /// Notes a look at the lease, whose answer came at this time.
    pub(super) fn look(&mut self, row: &LeaseRow, now: Instant) -> Step {
        if row.holder == self.me {
            return Step::Own;
        }
        if row.holder.is_empty() {
            return Step::Seize;
        }
        let is_same = |seen: &Seen| (seen.epoch, seen.beat) == (row.epoch, row.beat);
        if self.seen.as_ref().is_some_and(|seen| !is_same(seen)) {
            self.alive = Some(row.holder.clone());
        }
        let since = match &self.seen {
            Some(seen) if is_same(seen) && now - seen.looked_at <= GAP_MAX => seen.since,
            _ => now,
        };
        self.seen = Some(Seen { epoch: row.epoch, beat: row.beat, since, looked_at: now });
        if now - since >= LEASE { Step::Seize } else { Step::Wait }
    }

    /// Whether the holder was seen to take or renew the lease. The lease of a copy of a database names a server that
    /// writes for the original, and clients must not be led there.
    pub(super) fn is_alive(&self, row: &LeaseRow) -> bool {
        self.alive.as_ref() == Some(&row.holder)
    }

    /// Forgets what was seen: the lease is watched from the beginning.
    pub(super) fn forget(&mut self) {
        self.seen = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: i64, beat: i64, holder: &str) -> LeaseRow {
        LeaseRow { epoch, beat, holder: holder.to_owned(), address: String::new() }
    }

    /// Looks at the lease every 50 ms for this time. Returns the time of the first other step than waiting.
    fn watch(
        standing: &mut Standing,
        from: Instant,
        time: Duration,
        row: impl Fn(Duration) -> LeaseRow,
    ) -> Option<Duration> {
        let mut after = Duration::ZERO;
        while after <= time {
            if standing.look(&row(after), from + after) != Step::Wait {
                return Some(after);
            }
            after += Duration::from_millis(50);
        }
        None
    }

    #[test]
    fn a_free_lease_is_taken_and_an_own_one_is_known() {
        let mut standing = Standing::new("eu".to_owned());
        assert_eq!(standing.look(&row(0, 0, ""), Instant::now()), Step::Seize);
        assert_eq!(standing.look(&row(3, 9, "eu"), Instant::now()), Step::Own);
    }

    #[test]
    fn a_lease_that_is_renewed_is_never_taken_and_one_that_stands_still_after_its_length() {
        let mut standing = Standing::new("eu".to_owned());
        let start = Instant::now();
        let beats = |after: Duration| row(1, (after.as_millis() / 500) as i64, "outro");
        assert_eq!(watch(&mut standing, start, Duration::from_secs(60), beats), None);
        let stands = |_: Duration| row(1, 1000, "outro");
        let start = start + Duration::from_secs(61);
        assert_eq!(watch(&mut standing, start, Duration::from_secs(60), stands), Some(LEASE));
    }

    #[test]
    fn a_holder_is_alive_once_it_was_seen_to_renew_its_lease() {
        let mut standing = Standing::new("eu".to_owned());
        let start = Instant::now();
        for (row, is_alive) in [
            (row(1, 7, "outro"), false),
            (row(1, 7, "outro"), false),
            (row(1, 8, "outro"), true),
            (row(1, 8, "outro"), true),
            (row(2, 0, "terceiro"), true),
        ] {
            standing.look(&row, start);
            assert_eq!(standing.is_alive(&row), is_alive, "{row:?}");
        }
        // A new connection may lead to another engine, with the same servers.
        standing.forget();
        standing.look(&row(2, 1, "terceiro"), start);
        assert!(standing.is_alive(&row(2, 1, "terceiro")));
    }

    #[test]
    fn another_epoch_with_the_same_beat_is_another_lease() {
        let mut standing = Standing::new("eu".to_owned());
        let start = Instant::now();
        let epochs = |after: Duration| row((after.as_millis() / 1900) as i64, 0, "outro");
        assert_eq!(watch(&mut standing, start, Duration::from_secs(30), epochs), None);
    }

    #[test]
    fn a_server_that_did_not_look_does_not_know_that_the_lease_stood_still() {
        let mut standing = Standing::new("eu".to_owned());
        let start = Instant::now();
        let stands = row(1, 1, "outro");
        assert_eq!(standing.look(&stands, start), Step::Wait);
        // This server was frozen for ten seconds, and the holder perhaps too.
        let later = start + Duration::from_secs(10);
        assert_eq!(standing.look(&stands, later), Step::Wait);
        assert_eq!(watch(&mut standing, later, Duration::from_secs(10), |_| stands.clone()), Some(LEASE));
        standing.forget();
        assert_eq!(standing.look(&stands, later + Duration::from_secs(20)), Step::Wait);
    }
}
