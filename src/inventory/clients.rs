//! What the clients of one worker ask for: who only reads, and who may change something soon.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Reads after which a client that has changed nothing since counts as one that only reads: more
/// than a till asks before it sells what it asked for.
const READS_OF_A_READER: u32 = 64;

/// The clients of one worker. It alone notes here, so no addition is atomic, which would take ten
/// times as long.
#[derive(Default)]
pub(super) struct Clients {
    has_reader: AtomicBool,
    /// Rounds that have ended.
    round: AtomicU64,
    /// Those that chose last in this round, and in the one before.
    choosing_now: AtomicUsize,
    choosing_before: AtomicUsize,
}

/// One of them.
#[derive(Default)]
pub(super) struct Client {
    /// Reads before it counts as one that only reads, which it also does at first.
    reads_left: AtomicU32,
    /// The first round in which it no longer counts as choosing.
    choosing_until: AtomicU64,
}

impl Clients {
    /// It has asked for something that is there at once.
    pub(super) fn note_read(&self, client: &Client) {
        let reads_left = client.reads_left.load(Ordering::Relaxed);
        if reads_left == 0 {
            self.has_reader.store(true, Ordering::Relaxed);
            return;
        }
        client.reads_left.store(reads_left - 1, Ordering::Relaxed);
        let until = self.round.load(Ordering::Relaxed) + 2;
        if client.choosing_until.load(Ordering::Relaxed) != until {
            self.forget(client);
            client.choosing_until.store(until, Ordering::Relaxed);
            add(&self.choosing_now, 1);
        }
    }

    /// It has asked for changes.
    pub(super) fn note_change(&self, client: &Client) {
        client.reads_left.store(READS_OF_A_READER, Ordering::Relaxed);
        self.forget(client);
        client.choosing_until.store(0, Ordering::Relaxed);
    }

    /// Takes it out of the count in which it is, if it still is in one.
    fn forget(&self, client: &Client) {
        let until = client.choosing_until.load(Ordering::Relaxed);
        match until.saturating_sub(self.round.load(Ordering::Relaxed)) {
            2 => add(&self.choosing_now, -1),
            1 => add(&self.choosing_before, -1),
            _ => {}
        }
    }

    /// Ends a round: who has not read since the one before no longer counts as choosing.
    pub(super) fn end_round(&self) {
        self.round.store(self.round.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.choosing_before.store(self.choosing_now.load(Ordering::Relaxed), Ordering::Relaxed);
        self.choosing_now.store(0, Ordering::Relaxed);
    }

    /// Those that have read in this round or the one before and asked for no change since: perhaps
    /// they do next. One that only reads is none of them.
    pub(super) fn choosing(&self) -> usize {
        self.choosing_now.load(Ordering::Relaxed) + self.choosing_before.load(Ordering::Relaxed)
    }

    /// Whether one that only reads has asked since it was taken.
    pub(super) fn has_reader(&self) -> bool {
        self.has_reader.load(Ordering::Relaxed)
    }

    pub(super) fn take_reader(&self) -> bool {
        self.has_reader.swap(false, Ordering::Relaxed)
    }
}

/// A wrong count would only make changes wait, or not, so it is no reason to fail.
fn add(count: &AtomicUsize, more: isize) {
    count.store(count.load(Ordering::Relaxed).saturating_add_signed(more), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that has changed something.
    fn till(clients: &Clients) -> Client {
        let client = Client::default();
        clients.note_change(&client);
        client
    }

    #[test]
    fn who_reads_is_choosing_until_the_next_change_or_for_another_round() {
        let clients = Clients::default();
        let tills = [(); 3].map(|()| till(&clients));
        for _ in 0..2 {
            for till in &tills {
                clients.note_read(till);
                clients.note_read(till);
            }
            assert_eq!(clients.choosing(), 3);
            clients.note_change(&tills[0]);
            clients.note_change(&tills[0]);
            assert_eq!(clients.choosing(), 2);
            clients.note_read(&tills[0]);
            assert_eq!(clients.choosing(), 3);
            clients.end_round();
            assert_eq!(clients.choosing(), 3);
            clients.note_change(&tills[1]);
            clients.note_read(&tills[2]);
            assert_eq!(clients.choosing(), 2);
            clients.end_round();
            assert_eq!(clients.choosing(), 1);
            clients.note_change(&tills[0]);
            assert_eq!(clients.choosing(), 1);
            clients.end_round();
            assert_eq!(clients.choosing(), 0);
        }
        assert!(!clients.has_reader());
    }

    #[test]
    fn who_only_reads_is_not_choosing() {
        let clients = Clients::default();
        let (newcomer, till) = (Client::default(), till(&clients));
        clients.note_read(&newcomer);
        assert!(clients.take_reader() && !clients.has_reader());
        assert_eq!(clients.choosing(), 0);
        for _ in 0..READS_OF_A_READER {
            clients.note_read(&till);
        }
        assert!(!clients.has_reader());
        clients.end_round();
        clients.end_round();
        clients.note_read(&till);
        assert!(clients.has_reader());
        assert_eq!(clients.choosing(), 0);
    }
}
