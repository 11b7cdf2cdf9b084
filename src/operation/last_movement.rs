//! The last movement, and the note that it lies in the future.
//!
//! Times in the ledger never go back. After an evening with a clock that was ahead, all changes have the time of
//! the last one until the clock has passed that, and reports of today have nothing.

use std::time::{Duration, SystemTime};

use super::{MovementsRequest, Reply, Request};
use crate::local_time::ShortTime;

/// How far the last movement may lie in the future without a note: the clocks of two machines differ by less.
pub const NOTED_AHEAD_MAX: Duration = Duration::from_secs(10 * 60);

/// The request for the last movement.
pub fn last_movement() -> Request<'static> {
    Request::ListMovements(MovementsRequest { count_max: 1, ..MovementsRequest::default() })
}

/// The note that the last movement lies in the future, from the reply to [`last_movement`].
pub fn last_movement_note(reply: &Reply) -> Option<String> {
    let Reply::Movements(page) = reply else { return None };
    ahead_note(page.movements.first()?.recorded_at, SystemTime::now())
}

/// The note that a last movement of this time lies in the future.
pub fn ahead_note(last: SystemTime, now: SystemTime) -> Option<String> {
    last.duration_since(now).ok().filter(|ahead| *ahead > NOTED_AHEAD_MAX)?;
    Some(format!(
        "Aviso: o último movimento está datado de {}, no futuro: um relógio esteve ou está errado. As vendas de hoje \
         ficam com essa data, até que o relógio passe dela. Acerte o relógio do servidor e peça o relatório desse dia; \
         docs/operations.md diz o que fazer se a data está longe.",
        ShortTime(last)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_that_no_drift_of_clocks_explains_is_noted() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let second = Duration::from_secs(1);
        assert_eq!(ahead_note(now - second, now), None);
        assert_eq!(ahead_note(now + NOTED_AHEAD_MAX, now), None);
        assert!(ahead_note(now + NOTED_AHEAD_MAX + second, now).is_some());
    }
}
