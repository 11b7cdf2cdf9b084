//! The turns of gRPC calls whose messages may be large, over all connections.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::operation::{OPERATIONS, Operation};

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
    pub(super) fn of(&self, operation: Operation) -> Option<Arc<Semaphore>> {
        self.0[operation as usize].clone()
    }
}
