//! The room for answers that wait for clients.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::refusal::{Code, Refusal};

/// The bytes of an answer that need no room: as many as a connection may hold anyway.
const FREE_BYTES: usize = 16 * 1024;

/// The most bytes of all answers beyond [`FREE_BYTES`] that are made or wait to be taken at one time. An
/// answer of Connect is made whole, so clients that take none would fill the memory.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The room of the process, in pieces of [`FREE_BYTES`].
static ROOM: Semaphore = Semaphore::const_new(WAITING_BYTES_MAX / FREE_BYTES);

/// The room that one answer takes, until it is dropped.
#[derive(Default)]
pub(super) struct AnswerRoom {
    permit: Option<SemaphorePermit<'static>>,
    pieces: usize,
}

impl AnswerRoom {
    /// Takes room for an answer of this many bytes in all.
    ///
    /// # Errors
    /// If too many answers wait to be taken (`RESOURCE_EXHAUSTED`).
    pub(super) fn reach(&mut self, bytes: usize) -> Result<(), Refusal> {
        let more = (bytes / FREE_BYTES).saturating_sub(self.pieces);
        if more == 0 {
            return Ok(());
        }
        let permit = u32::try_from(more).ok().and_then(|more| ROOM.try_acquire_many(more).ok());
        let Some(permit) = permit else {
            let what = "há respostas demais à espera de quem as leia. Nada foi alterado por uma consulta; peça de \
                        novo daqui a pouco, uma mudança com o mesmo request_id.";
            return Err(Refusal::new(Code::ResourceExhausted, what));
        };
        self.pieces += more;
        match &mut self.permit {
            Some(own) => own.merge(permit),
            own => *own = Some(permit),
        }
        Ok(())
    }
}
