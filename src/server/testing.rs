//! A service for unit tests, and a count of the turns of other tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::authenticator::Authenticator;
use super::console::Console;
use super::hosts::Hosts;
use super::long_work::LongWork;
use super::service::{Protocols, Service};
use super::side_thread::SideTasks;
use super::turns::Turns;
use crate::inventory::Inventory;

/// A service that permits everything, whose changes this thread's runtime commits.
pub(super) fn service(inventory: &Inventory, draining: watch::Receiver<bool>) -> Service {
    let (worker, driver) = inventory.worker(true);
    tokio::spawn(driver.run());
    Service {
        inventory: worker.session(),
        console: Console::quiet(),
        protocols: Protocols { socket: true, grpc: true, http: true },
        idle: Some(Duration::from_secs(2)),
        tls: None,
        hosts: Arc::new(Hosts::new(Vec::new())),
        registration: None,
        authenticator: Authenticator::new(None),
        turns: Turns::default(),
        long_work: LongWork::new(),
        side_tasks: SideTasks::here(),
        draining,
    }
}

/// Counts the turns of other tasks from now on.
pub(super) fn turns() -> Arc<AtomicUsize> {
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    turns
}
