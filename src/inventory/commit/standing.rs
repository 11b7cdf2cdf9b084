//! The writer and the lease of the shop: a server that stands by follows the ledger, and begins to write when it has
//! the lease.

use std::time::SystemTime;

use super::read;
use super::writer::Writer;
use crate::catalog::{Catalog, Draft, ProductDraft, Transaction};
use crate::operation::StoreState;
use crate::refusal::Refusal;
use crate::store::{Consequence, Lease, Role, StoreError};

impl Writer {
    /// Does what the lease asks for. Returns whether this server may write.
    pub(super) fn may_write(&mut self) -> bool {
        if self.lease.is_for_ever() {
            return true;
        }
        let followed = match self.lease.role() {
            Role::Writes => return true,
            Role::Elected => self.take_over(),
            Role::StandsBy => self.catch_up(),
            Role::Leaves => Ok(()),
        };
        if self.lease.role() != Role::Writes {
            self.metrics.store.set(StoreState::StandsBy);
        }
        if let Err(error) = followed {
            if let Consequence::Closed(why) = error.consequence() {
                self.lease.note_closed(why);
            }
            if !std::mem::replace(&mut self.has_logged, true) {
                self.metrics.store.fail(error.kind(), StoreState::StandsBy);
                tracing::error!(%error, "the ledger of the shop cannot be followed");
            }
        }
        self.lease.role() == Role::Writes
    }

    /// The refusal of everything that a server which does not write is asked.
    pub(super) fn standing_by(&self) -> Refusal {
        standing_by(&self.lease)
    }

    /// Begins to write, after everything that others have stored is published.
    pub(super) fn take_over(&mut self) -> Result<(), StoreError> {
        self.catch_up()?;
        self.create()?;
        self.lease.begin();
        self.metrics.store.set(StoreState::Open);
        Ok(())
    }

    /// Publishes what others have stored.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        // The fate of a change in doubt is in the ledger, and its client has heard that it is unknown.
        self.in_doubt = None;
        loop {
            let tail = self.store.tail(&read(&self.catalog));
            let Some(transaction) = tail? else { break };
            self.show(&transaction);
            self.recent.announce();
        }
        self.has_logged = false;
        Ok(())
    }

    /// Commits the first transaction of a new store, unless another server has done so.
    pub(super) fn create(&mut self) -> Result<(), StoreError> {
        let Some(opening) = &self.opening else { return Ok(()) };
        if read(&self.catalog).products().is_empty() && self.store.load()?.is_none() {
            let transaction = opening_of(opening);
            self.store.create(&transaction)?;
            self.show(&transaction);
        }
        self.opening = None;
        Ok(())
    }
}

/// The refusal of what only the server that writes answers: it leads there. If there is none because this server
/// has the lease and cannot write, says why.
pub(in crate::inventory) fn standing_by(lease: &Lease) -> Refusal {
    match (lease.holder(), lease.closed()) {
        (None, Some(why)) => Refusal::closed_standby(why),
        (holder, _) => Refusal::standing_by(holder.as_deref()),
    }
}

/// The first transaction of a new store.
fn opening_of(products: &[ProductDraft]) -> Transaction {
    let catalog = Catalog::default();
    if products.is_empty() {
        return Transaction::default();
    }
    let mut draft = Draft::new(&catalog, SystemTime::now());
    draft.import(products, None).expect("the opening products follow the rules");
    draft.mark_examples();
    draft.finish()
}
