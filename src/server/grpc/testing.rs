//! The calls of a connection for unit tests.

use std::sync::Arc;

use super::calls::Calls;
use crate::inventory::Inventory;
use crate::server::testing;

pub(super) fn calls(inventory: &Inventory, draining: tokio::sync::watch::Receiver<bool>) -> Arc<Calls> {
    Calls::new(testing::service(inventory, draining))
}
