//! What the clients of one worker ask for: who only reads, and who may change something soon.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// Reads after which a client that has changed nothing since counts as one that only reads: more
/// than a till asks before it sells what it asked for.
const READS_OF_A_READER: u32 = 64;

/// The clients of one worker. It alone notes here, so nothing is added at once, which takes ten
/// times as long.
pub(super) struct Clients {
    has_reader: AtomicBool,
    round: AtomicU32,
    choosing: AtomicUsize,
}

/// One of them.
pub(super) struct Client {
    /// Reads since its last change, counted up to [`READS_OF_A_READER`], which it also has at
    /// first.
    reads: AtomicU32,
    /// The round in which it is counted as choosing.
    choosing_in: AtomicU32,
}

/// No round has this number.
const NO_ROUND: u32 = 0;

impl Default for Client {
    fn default() -> Self {
        Self { reads: AtomicU32::new(READS_OF_A_READER), choosing_in: AtomicU32::new(NO_ROUND) }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            has_reader: AtomicBool::new(false),
            round: AtomicU32::new(NO_ROUND + 1),
            choosing: AtomicUsize::new(0),
        }
    }
}

impl Clients {
    /// It has asked for something that is there at once.
    pub(super) fn note_read(&self, client: &Client) {
        let reads = client.reads.load(Ordering::Relaxed);
        if reads >= READS_OF_A_READER {
            self.has_reader.store(true, Ordering::Relaxed);
            return;
        }
        client.reads.store(reads + 1, Ordering::Relaxed);
        let round = self.round.load(Ordering::Relaxed);
        if client.choosing_in.load(Ordering::Relaxed) != round {
            client.choosing_in.store(round, Ordering::Relaxed);
            self.choosing.store(self.choosing() + 1, Ordering::Relaxed);
        }
    }

    /// It has asked for changes.
    pub(super) fn note_change(&self, client: &Client) {
        client.reads.store(0, Ordering::Relaxed);
        if client.choosing_in.load(Ordering::Relaxed) == self.round.load(Ordering::Relaxed) {
            client.choosing_in.store(NO_ROUND, Ordering::Relaxed);
            self.choosing.store(self.choosing().saturating_sub(1), Ordering::Relaxed);
        }
    }

    /// Begins a round: who has read before it no longer counts as choosing.
    pub(super) fn begin_round(&self) {
        let round = self.round.load(Ordering::Relaxed);
        self.round.store(round.checked_add(1).unwrap_or(NO_ROUND + 1), Ordering::Relaxed);
        self.choosing.store(0, Ordering::Relaxed);
    }

    /// Those that have read in this round and asked for no change since: perhaps they do next. One
    /// that only reads is none of them.
    pub(super) fn choosing(&self) -> usize {
        self.choosing.load(Ordering::Relaxed)
    }

    /// Whether one that only reads has asked since it was taken.
    pub(super) fn has_reader(&self) -> bool {
        self.has_reader.load(Ordering::Relaxed)
    }

    pub(super) fn take_reader(&self) -> bool {
        self.has_reader.swap(false, Ordering::Relaxed)
    }
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
    fn who_reads_after_a_change_is_choosing_until_the_next_or_the_next_round() {
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
            clients.begin_round();
            assert_eq!(clients.choosing(), 0);
            clients.note_change(&tills[1]);
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
        clients.begin_round();
        clients.note_read(&till);
        assert!(clients.has_reader());
        assert_eq!(clients.choosing(), 0);
    }
}
