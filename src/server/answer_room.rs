//! The room for answers that are made whole and then wait for their clients. Without a limit of them all, clients
//! that take none would fill the memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use prost::bytes::Bytes;

use super::long_work::TURN_BYTES;
use crate::operation::Request;
use crate::refusal::{Code, Refusal};

/// The bytes of an answer that need no room: as many as a connection may hold anyway.
const FREE_BYTES: usize = 16 * 1024;

/// The most bytes of all answers beyond [`FREE_BYTES`] that are made or wait to be taken at one time.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The approximate bytes of a row of an answer while the answer is made: the row as the inventory gives it, and
/// as it is written.
const ROW_BYTES: usize = 512;

/// The bytes of all rooms of the process.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// The room that one answer takes, until it is dropped.
#[derive(Debug)]
pub(super) struct AnswerRoom {
    /// The bytes of all rooms.
    all: &'static AtomicUsize,
    bytes: usize,
    /// Whether the answer gets room even if none is left.
    is_promised: bool,
}

impl AnswerRoom {
    /// The room for the answer to a request. The answer to a change is promised room before the change is made:
    /// afterwards a refusal would say that nothing was done.
    ///
    /// # Errors
    /// If the request is a change and no room is left (`RESOURCE_EXHAUSTED`).
    pub(super) fn of(request: &mut Request<'_>) -> Result<Self, Refusal> {
        Self::among(&HELD, request.request_id_mut().is_some())
    }

    fn among(all: &'static AtomicUsize, is_promised: bool) -> Result<Self, Refusal> {
        if is_promised && all.load(Ordering::Relaxed) >= WAITING_BYTES_MAX {
            return Err(no_room_left());
        }
        Ok(Self { all, bytes: 0, is_promised })
    }

    /// The room for another form of an answer to a change that is made.
    pub(super) fn promised() -> Self {
        Self { is_promised: true, ..Self::default() }
    }

    /// Takes room for an answer of so many rows before it is written.
    ///
    /// # Errors
    /// If too many answers wait to be taken (`RESOURCE_EXHAUSTED`).
    pub(super) fn hold_rows(&mut self, count: usize) -> Result<(), Refusal> {
        self.hold(count * ROW_BYTES)
    }

    /// Takes or gives back room, until it is that of an answer of this many bytes in all.
    ///
    /// # Errors
    /// If too many answers wait to be taken (`RESOURCE_EXHAUSTED`).
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let bytes = bytes.saturating_sub(FREE_BYTES);
        let is_always_given = self.is_promised || bytes <= self.bytes;
        let taken = self.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            let held = held - self.bytes + bytes;
            (is_always_given || held <= WAITING_BYTES_MAX).then_some(held)
        });
        taken.map_err(|_| no_room_left())?;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for AnswerRoom {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.all.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

impl Default for AnswerRoom {
    fn default() -> Self {
        Self { all: &HELD, bytes: 0, is_promised: false }
    }
}

fn no_room_left() -> Refusal {
    let what = "há respostas demais à espera de quem as leia. Nada foi feito; peça de novo daqui a pouco.";
    Refusal::new(Code::ResourceExhausted, what)
}

/// An answer in its room. The answer leaves a piece at a time, as its client takes it: whole, it would leave its
/// room and wait in the connection, where no limit holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    left: Bytes,
    _room: AnswerRoom,
}

impl Held {
    /// Puts an answer into its room.
    ///
    /// # Errors
    /// If too many answers wait to be taken (`RESOURCE_EXHAUSTED`).
    pub(super) fn new(answer: Vec<u8>, mut room: AnswerRoom) -> Result<Self, Refusal> {
        room.hold(answer.capacity())?;
        Ok(Self { left: answer.into(), _room: room })
    }

    /// An answer so short that it needs no room.
    pub(super) fn short(answer: Vec<u8>) -> Self {
        Self { left: answer.into(), _room: AnswerRoom::default() }
    }

    /// The bytes that have not left.
    pub(super) fn len(&self) -> usize {
        self.left.len()
    }

    /// The next piece. `None` if all has left.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let length = self.left.len().min(TURN_BYTES);
        (length > 0).then(|| self.left.split_to(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_answers_have_one_room_and_give_it_back() {
        static ALL: AtomicUsize = AtomicUsize::new(0);
        let question = || AnswerRoom::among(&ALL, false);
        let change = || AnswerRoom::among(&ALL, true);
        let mut begun = change().unwrap();
        let (mut room, mut other) = (question().unwrap(), question().unwrap());
        room.hold(FREE_BYTES + WAITING_BYTES_MAX).unwrap();
        other.hold(FREE_BYTES).unwrap();
        assert_eq!(other.hold(FREE_BYTES + 1).unwrap_err().code, Code::ResourceExhausted);
        assert_eq!(change().unwrap_err().code, Code::ResourceExhausted);
        // A change that is made is answered.
        begun.hold(WAITING_BYTES_MAX).unwrap();
        drop(begun);
        room.hold(0).unwrap();
        other.hold(WAITING_BYTES_MAX).unwrap();
        drop((room, other));
        assert_eq!(ALL.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_answer_is_in_its_room_until_its_last_piece_is_taken() {
        static ALL: AtomicUsize = AtomicUsize::new(0);
        let answer = vec![7; 2 * TURN_BYTES + 1];
        let mut held = Held::new(answer, AnswerRoom::among(&ALL, false).unwrap()).unwrap();
        let pieces: Vec<usize> = std::iter::from_fn(|| held.next()).map(|piece| piece.len()).collect();
        assert_eq!((pieces, held.len()), (vec![TURN_BYTES, TURN_BYTES, 1], 0));
        assert_eq!(ALL.load(Ordering::Relaxed), 2 * TURN_BYTES + 1 - FREE_BYTES);
        drop(held);
        assert_eq!(ALL.load(Ordering::Relaxed), 0);
    }
}
