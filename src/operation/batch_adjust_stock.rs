//! `BatchAdjustStock`: several changes of stock, all or none.

use std::fmt;

use super::adjust_stock::AdjustRequest;
use super::message_limit::{LargeMessages, MessageLimit};
use super::permission::Permission;
use crate::catalog::{RequestId, counted};

/// The limit of a batch: the most changes, each with the longest name. A worker checks a kilobyte itself: forty
/// changes, or five hundred empty ones, in less than a twentieth of a millisecond, because a request behind a
/// hundred batches waits for all of them. While a batch of the smallest changes is checked, it takes some eighty
/// times its size in memory.
pub(super) const MESSAGE: MessageLimit = MessageLimit {
    bytes_max: 512 * 1024,
    large: Some(LargeMessages { at_once_max: 64, worker_bytes_max: 1024 }),
};

/// Changes of stock that a client asks for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRequest<'a> {
    /// The changes, in order. Request ids of single changes are ignored.
    pub adjustments: Vec<AdjustRequest<'a>>,
    /// The client's id for all of them.
    pub request_id: Option<RequestId>,
}

impl BatchRequest<'_> {
    /// The permission that the changes need together.
    pub fn permission(&self) -> Permission {
        let is_sale = |adjust: &AdjustRequest<'_>| adjust.permission() == Permission::Sell;
        if self.adjustments.iter().all(is_sale) { Permission::Sell } else { Permission::Write }
    }
}

impl fmt::Display for BatchRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lote ({})", counted(self.adjustments.len(), "mudança", "mudanças"))
    }
}
