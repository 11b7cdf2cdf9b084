//! The pace of deliveries: a budget that keeps thousands of watchers from taking the time of those that change
//! something.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The budget's price of a delivery: 20,000 deliveries a second, each of which takes the worker's and the
/// watcher's processor some microseconds for its system calls.
const DELIVERY_PRICE: Duration = Duration::from_micros(50);

/// The budget's price of a delivered byte: 64 MB a second, which take a twentieth of a processor to copy.
const BYTE_NANOS: u64 = 16;

/// The budget's price of a page that is read from the ledger for watchers: several times the time of the read,
/// because the writer uses the same disk and memory.
const PAGE_PRICE: Duration = Duration::from_millis(4);

/// The budget that may be spent without a pause: a thousand watchers get a movement together.
const BURST_MAX: Duration = Duration::from_millis(50);

/// The time after a change in which the budget holds. Without changes, there is nobody to protect.
const BUSY_FOR: Duration = Duration::from_millis(100);

/// The turns of deliveries, and their budget.
pub(in crate::inventory) struct Pace {
    turns: Semaphore,
    budget: Mutex<Budget>,
}

struct Budget {
    /// The time until which the budget is spent.
    spent_until: Instant,
    /// The time of the last change.
    changed_at: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        let now = Instant::now();
        let budget = Budget { spent_until: now, changed_at: now };
        Self { turns: Semaphore::new(1), budget: Mutex::new(budget) }
    }
}

impl Pace {
    /// Waits for the turn of a delivery, first come, first served, until the budget allows it. All others wait
    /// for whoever has the turn, so no client may keep the caller from going on.
    pub(in crate::inventory) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        let turn = self.turns.acquire().await.ok();
        let pause = self.budget().pause(Instant::now());
        if let Some(until) = pause {
            tokio::time::sleep_until(until).await;
        }
        turn
    }

    /// Takes the price of a delivery with this many bytes.
    pub(in crate::inventory) fn spend_delivery(&self, bytes: usize) {
        self.budget().spend(DELIVERY_PRICE + Duration::from_nanos(BYTE_NANOS * bytes as u64));
    }

    /// Takes the price of a page of the ledger.
    pub(in crate::inventory) fn spend_page(&self) {
        self.budget().spend(PAGE_PRICE);
    }

    /// Notes that somebody changes something.
    pub(in crate::inventory) fn note_change(&self) {
        self.budget().changed_at = Instant::now();
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    /// The end of the pause before the next delivery, if there must be one.
    fn pause(&self, now: Instant) -> Option<Instant> {
        let is_busy = now.saturating_duration_since(self.changed_at) < BUSY_FOR;
        Some(self.spent_until).filter(|until| is_busy && *until > now + BURST_MAX)
    }

    fn spend(&mut self, price: Duration) {
        let now = Instant::now();
        // Without changes, the budget has no debts.
        let spent = self.spent_until.min(now + BURST_MAX + BURST_MAX);
        self.spent_until = spent.max(now) + price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_then_the_budget_is_kept_while_somebody_changes_something() {
        let pace = Pace::default();
        let start = Instant::now();
        let burst = (BURST_MAX.as_micros() / DELIVERY_PRICE.as_micros()) as u32;
        for delivery in 0..10 * burst {
            pace.note_change();
            drop(pace.turn().await);
            pace.spend_delivery(0);
            let free =
                if delivery <= burst { Duration::ZERO } else { DELIVERY_PRICE * (delivery - burst - 1) };
            assert!(start.elapsed() + Duration::from_millis(1) >= free, "{delivery}: {:?}", start.elapsed());
            // Each pause is rounded up to a millisecond.
            let late = (free + BURST_MAX) * 11 / 10;
            assert!(start.elapsed() <= late, "{delivery}: {:?}", start.elapsed());
        }
        // Without changes, nobody waits, and the debts are forgotten.
        tokio::time::advance(BUSY_FOR).await;
        let quiet = Instant::now();
        for _ in 0..10 * burst {
            drop(pace.turn().await);
            pace.spend_delivery(1024 * 1024);
        }
        assert_eq!(quiet.elapsed(), Duration::ZERO);
        pace.note_change();
        drop(pace.turn().await);
        assert!(quiet.elapsed() <= 3 * BURST_MAX, "{:?}", quiet.elapsed());
    }
}
