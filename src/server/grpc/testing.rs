//! The calls of a connection for unit tests.

use std::sync::Arc;

use super::calls::Calls;
use super::progress::Progress;
use crate::inventory::Inventory;
use crate::server::io::BytesRead;
use crate::server::testing;

pub(super) fn calls(inventory: &Inventory, draining: tokio::sync::watch::Receiver<bool>) -> Calls {
    Calls {
        service: testing::service(inventory, draining),
        waiting: Arc::default(),
        streams: Arc::default(),
        progress: Progress::default(),
        bytes_read: BytesRead::default(),
    }
}
