//! What the clients of one worker ask for: who only reads, and who may change something soon.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Reads after which a client that has changed nothing since counts as one that only reads: more
/// than a till asks before it sells what it asked for.
const READS_OF_A_READER: u32 = 64;

/// The clients of one worker. It alone notes here, so no addition is atomic, which would take ten
/// times as long.
#[derive(Default)]
pub(crate) struct ClientActivity {
    has_reader: AtomicBool,
    /// Rounds that have ended.
    round: AtomicU64,
    changing: Recent,
    choosing: Recent,
}

/// One of them.
#[derive(Default)]
pub(crate) struct ClientState {
    /// Reads before it counts as one that only reads, which it also does at first.
    reads_left: AtomicU32,
    changing: Membership,
    choosing: Membership,
}

impl ClientActivity {
    /// It has asked for something that is there at once.
    pub(crate) fn note_read(&self, client: &ClientState) {
        let reads_left = client.reads_left.load(Ordering::Relaxed);
        if reads_left == 0 {
            self.has_reader.store(true, Ordering::Relaxed);
            return;
        }
        client.reads_left.store(reads_left - 1, Ordering::Relaxed);
        self.choosing.add(&client.choosing, self.round());
    }

    /// It has asked for changes.
    pub(super) fn note_change(&self, client: &ClientState) {
        client.reads_left.store(READS_OF_A_READER, Ordering::Relaxed);
        self.changing.add(&client.changing, self.round());
        self.choosing.remove(&client.choosing, self.round());
    }

    /// Ends a round.
    pub(super) fn end_round(&self) {
        self.round.store(self.round() + 1, Ordering::Relaxed);
        self.changing.end_round();
        self.choosing.end_round();
    }

    /// Those that have asked for changes in this round or the one before, whether they have read
    /// since or not: not to count those who have, eight connections with four reads to a change ask
    /// 0.86 times as much.
    pub(super) fn changing(&self) -> usize {
        self.changing.count()
    }

    /// Those that have read in this round or the one before and asked for no change since: perhaps
    /// they do next. One that only reads is none of them.
    pub(super) fn choosing(&self) -> usize {
        self.choosing.count()
    }

    fn round(&self) -> u64 {
        self.round.load(Ordering::Relaxed)
    }

    /// Whether one that only reads has asked since that was forgotten.
    pub(super) fn has_reader(&self) -> bool {
        self.has_reader.load(Ordering::Relaxed)
    }

    /// The same, and forgets it.
    pub(super) fn take_reader(&self) -> bool {
        self.has_reader.swap(false, Ordering::Relaxed)
    }
}

/// How many clients did something in this round or the one before.
#[derive(Default)]
struct Recent {
    now: AtomicUsize,
    before: AtomicUsize,
}

/// Whether a client is among them: the first round in which it no longer is.
#[derive(Default)]
struct Membership(AtomicU64);

impl Recent {
    fn add(&self, client: &Membership, round: u64) {
        if client.0.load(Ordering::Relaxed) != round + 2 {
            self.remove(client, round);
            client.0.store(round + 2, Ordering::Relaxed);
            add(&self.now, 1);
        }
    }

    fn remove(&self, client: &Membership, round: u64) {
        let until = client.0.load(Ordering::Relaxed);
        client.0.store(0, Ordering::Relaxed);
        match until.saturating_sub(round) {
            2 => add(&self.now, -1),
            1 => add(&self.before, -1),
            _ => {}
        }
    }

    fn end_round(&self) {
        self.before.store(self.now.load(Ordering::Relaxed), Ordering::Relaxed);
        self.now.store(0, Ordering::Relaxed);
    }

    fn count(&self) -> usize {
        self.now.load(Ordering::Relaxed) + self.before.load(Ordering::Relaxed)
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
    fn till(clients: &ClientActivity) -> ClientState {
        let client = ClientState::default();
        clients.note_change(&client);
        client
    }

    #[test]
    fn who_reads_is_choosing_until_the_next_change_or_for_another_round() {
        let clients = ClientActivity::default();
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
    fn who_asks_for_changes_is_counted_once_until_it_asks_for_none_in_a_round() {
        let clients = ClientActivity::default();
        let tills = [(); 3].map(|()| till(&clients));
        for _ in 0..2 {
            tills.iter().for_each(|till| clients.note_change(till));
            assert_eq!(clients.changing(), 3);
            clients.end_round();
            assert_eq!(clients.changing(), 3);
            clients.note_change(&tills[0]);
            clients.note_read(&tills[1]);
            assert_eq!(clients.changing(), 3);
            clients.end_round();
            assert_eq!(clients.changing(), 1);
            clients.end_round();
            assert_eq!(clients.changing(), 0);
        }
    }

    #[test]
    fn who_only_reads_is_not_choosing() {
        let clients = ClientActivity::default();
        let (newcomer, till) = (ClientState::default(), till(&clients));
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
