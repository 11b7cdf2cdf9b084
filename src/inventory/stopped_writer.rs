//! The refusal of a change that no writer takes any more.

use crate::refusal::{Code, Refusal};

/// The refusal of every change after the writer has failed. Only a defect explains that: the writer
/// outlives all sessions.
pub(super) fn stopped() -> Refusal {
    Refusal::new(
        Code::Internal,
        "o servidor não grava mais, por um defeito. Nada foi alterado; reinicie-o e guarde o que ele registrou.",
    )
}
