//! The present of the shop at a server that may not be the one that writes.
//!
//! A server that writes knows the present while its lease is trusted. Any other server asks the database, where
//! every change is stored that was answered, and which proves by a commit that no other one has replaced it. A
//! server that stands by can thus read the ledger for its clients as the one that writes would.

use std::time::Duration;

use tokio::time::timeout;

use super::recent::Position;
use super::{Session, read};
use crate::catalog::ProductView;
use crate::refusal::Refusal;

/// How long a read waits until this server has read what another one has stored: far longer than that takes, and
/// about as long as a client waits for its answer.
const CATCH_UP_MAX: Duration = Duration::from_secs(3);

impl Session {
    /// Whether another server writes for the shop, or may do so.
    pub fn stands_by(&self) -> bool {
        !self.inventory.lease.is_trusted()
    }

    /// The last movement that is published. Everything that was answered before this call is published too.
    ///
    /// # Errors
    /// If [`Session::present`] fails.
    pub(super) async fn through(&self) -> Result<i64, Refusal> {
        self.present().await.map(|position| position.sequence)
    }

    /// The position of the published catalog, to which everything belongs that was answered before this call.
    ///
    /// # Errors
    /// If another server may have written, and what it has stored cannot be read (`UNAVAILABLE`).
    pub(super) async fn present(&self) -> Result<Position, Refusal> {
        let published = || Position::of(&read(&self.inventory.catalog));
        let known = published();
        if !self.stands_by() {
            return Ok(known);
        }
        let Ok(Some((sequence, change))) = self.inventory.ledger.read(|ledger| ledger.ends()).await else {
            return Err(self.standing_by());
        };
        let stored = Position { sequence, change };
        if !known.is_within(stored) {
            // The database has lost what this server knows.
            return Err(self.standing_by());
        }
        if !stored.is_within(known)
            && timeout(CATCH_UP_MAX, self.inventory.committer.answers()).await.is_err()
        {
            return Err(self.standing_by());
        }
        let known = published();
        if stored.is_within(known) { Ok(known) } else { Err(self.standing_by()) }
    }

    /// Calls `use_product` with the product of this name, for a read of the ledger.
    ///
    /// # Errors
    /// If [`Session::present`] or [`Session::find`] fails.
    pub(super) async fn find_at_present<T>(
        &self,
        name: &str,
        use_product: impl FnOnce(ProductView<'_>) -> T,
    ) -> Result<T, Refusal> {
        if !self.stands_by() {
            return self.find(name, use_product).await;
        }
        self.present().await?;
        let found = self.published_reader().find(name, use_product);
        match found {
            Ok(found) => Ok(found),
            Err(refusal) => Err(self.explain(name, refusal).await),
        }
    }
}
