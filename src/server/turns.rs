//! The turns of calls whose messages may be large, over all connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::operation::{OPERATIONS, Operation};
use crate::refusal::{Code, Refusal};

/// The longest wait of a call for its turn: several of the largest messages are read and stored in it.
/// Without an end, calls whose messages never arrive would keep the others waiting for as long as there are
/// such calls.
const TURN_WAIT: Duration = Duration::from_secs(20);

/// The turns of the operations whose messages may be large, over all connections.
#[derive(Clone)]
pub(super) struct Turns([Option<Arc<Semaphore>>; OPERATIONS.len()]);

impl Default for Turns {
    fn default() -> Self {
        Self(OPERATIONS.each_ref().map(|spec| {
            let large = spec.message.as_ref()?.large.as_ref()?;
            Some(Arc::new(Semaphore::new(large.at_once_max)))
        }))
    }
}

impl Turns {
    /// Waits for the turn of an operation, if it has turns.
    ///
    /// # Errors
    /// If the turn does not come in time (`RESOURCE_EXHAUSTED`).
    pub(super) async fn take(&self, operation: Operation) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        let Some(turns) = &self.0[operation as usize] else { return Ok(None) };
        if let Ok(turn) = Arc::clone(turns).try_acquire_owned() {
            return Ok(Some(turn));
        }
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(turns).acquire_owned()).await;
        // The semaphore is never closed; the call would be answered even without a turn.
        turn.map(Result::ok).map_err(|_| no_turn())
    }
}

/// The refusal of a call whose turn did not come, because others before it took too long.
fn no_turn() -> Refusal {
    let what = "outros pedidos grandes ocupam o servidor há tempo demais. Nada foi feito; envie este de novo \
                daqui a pouco.";
    Refusal::new(Code::ResourceExhausted, what)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_does_not_come_is_refused() {
        let turns = Turns::default();
        let start = Instant::now();
        let first = turns.take(Operation::ImportProducts).await.unwrap();
        let _second = turns.take(Operation::ImportProducts).await.unwrap();
        let refusal = turns.take(Operation::ImportProducts).await.unwrap_err();
        assert_eq!((refusal.code, start.elapsed()), (Code::ResourceExhausted, TURN_WAIT));
        // Others have turns of their own, or none.
        assert!(turns.take(Operation::CountStock).await.unwrap().is_some());
        assert!(turns.take(Operation::AdjustStock).await.unwrap().is_none());
        let (third, ()) = tokio::join!(turns.take(Operation::ImportProducts), async { drop(first) });
        assert!(third.unwrap().is_some());
        assert_eq!(start.elapsed(), TURN_WAIT);
    }
}
