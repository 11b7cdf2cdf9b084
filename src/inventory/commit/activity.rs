//! The activity of one worker's clients: whether some only read, and how many change something.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// The reads after its last change that make a client one that only reads: more than a till asks for before
/// it sells.
const READS_OF_A_READER: u32 = 64;

/// The recent requests of one worker's clients. Only that worker writes the counts, so no addition is atomic.
///
/// A round ends when the queue is committed or handed over.
#[derive(Default)]
pub(crate) struct ClientActivity {
    reader_asked: AtomicBool,
    round: AtomicU64,
    /// The clients that asked for changes in this round, and those that did so in the round before but not in
    /// this one.
    changing: AtomicUsize,
    changed_before: AtomicUsize,
}

/// The recent requests of one client.
#[derive(Default)]
pub(crate) struct ClientState {
    /// The reads that are left until the client counts as one that only reads. A new client counts so.
    reads_left: AtomicU32,
    /// One more than the number of the round in which the client last asked for changes.
    changed_until: AtomicU64,
}

impl ClientActivity {
    /// Notes that the client read something.
    pub(crate) fn note_read(&self, client: &ClientState) {
        match client.reads_left.load(Ordering::Relaxed) {
            0 => self.reader_asked.store(true, Ordering::Relaxed),
            reads_left => client.reads_left.store(reads_left - 1, Ordering::Relaxed),
        }
    }

    /// Notes that the client asked for changes.
    pub(super) fn note_change(&self, client: &ClientState) {
        client.reads_left.store(READS_OF_A_READER, Ordering::Relaxed);
        let next_round = self.round.load(Ordering::Relaxed) + 1;
        let changed_until = client.changed_until.load(Ordering::Relaxed);
        if changed_until == next_round {
            return;
        }
        client.changed_until.store(next_round, Ordering::Relaxed);
        add(&self.changing, 1);
        if changed_until + 1 == next_round && changed_until > 0 {
            add(&self.changed_before, -1);
        }
    }

    /// Ends a round.
    pub(super) fn end_round(&self) {
        self.round.store(self.round.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.changed_before.store(self.changing.load(Ordering::Relaxed), Ordering::Relaxed);
        self.changing.store(0, Ordering::Relaxed);
    }

    /// The number of clients that asked for changes in this round or the one before, whether or not they have
    /// read since.
    pub(super) fn changing(&self) -> usize {
        self.changing.load(Ordering::Relaxed) + self.changed_before.load(Ordering::Relaxed)
    }

    /// Whether a client that only reads has asked since the last call.
    pub(super) fn take_reader(&self) -> bool {
        // A swap is ten times as slow, and the flag is mostly clear.
        let has_asked = self.reader_asked.load(Ordering::Relaxed);
        if has_asked {
            self.reader_asked.store(false, Ordering::Relaxed);
        }
        has_asked
    }
}

/// Adds to a count. A wrong count only makes a change wait longer or shorter, so an overflow is no reason to
/// fail.
fn add(count: &AtomicUsize, more: isize) {
    count.store(count.load(Ordering::Relaxed).saturating_add_signed(more), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_asks_for_changes_counts_once_until_it_asks_for_none_in_a_round() {
        let activity = ClientActivity::default();
        let tills = [(); 3].map(|()| ClientState::default());
        for _ in 0..2 {
            tills.iter().for_each(|till| activity.note_change(till));
            tills.iter().for_each(|till| activity.note_change(till));
            assert_eq!(activity.changing(), 3);
            activity.end_round();
            assert_eq!(activity.changing(), 3);
            activity.note_change(&tills[0]);
            activity.note_read(&tills[1]);
            assert_eq!(activity.changing(), 3);
            activity.end_round();
            assert_eq!(activity.changing(), 1);
            activity.end_round();
            assert_eq!(activity.changing(), 0);
        }
    }

    #[test]
    fn a_client_only_reads_at_first_and_after_many_reads() {
        let activity = ClientActivity::default();
        let (newcomer, till) = (ClientState::default(), ClientState::default());
        activity.note_change(&till);
        activity.note_read(&newcomer);
        assert!(activity.take_reader() && !activity.take_reader());
        for _ in 0..READS_OF_A_READER {
            activity.note_read(&till);
        }
        assert!(!activity.take_reader());
        activity.note_read(&till);
        assert!(activity.take_reader());
        activity.note_change(&till);
        activity.note_read(&till);
        assert!(!activity.take_reader());
    }
}
