//! The refusal of a change after the writer has failed.

use crate::refusal::{Code, Refusal};

/// The refusal of every change after the writer has failed. The cause is a defect, because the writer
/// outlives all sessions.
pub(super) fn stopped() -> Refusal {
    Refusal::new(
        Code::Internal,
        "o servidor parou de gravar por causa de um defeito. Nada foi alterado; guarde o log do servidor e reinicie-o.",
    )
}
