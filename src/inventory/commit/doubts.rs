//! The requests of which nobody knows yet whether they are made.
//!
//! A client that repeats such a request must not hear that nothing was changed, for whatever reason the
//! repetition is refused: it would make the change once more under another id.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::change::Change;
use super::store_refusals::still_unknown;
use crate::catalog::{RequestId, Transaction};
use crate::refusal::{Code, Refusal};

/// The ids of requests in doubt, for the writer and the sessions.
#[derive(Default)]
pub(in crate::inventory) struct Doubts(Mutex<HashSet<RequestId>>);

impl Doubts {
    /// Adds the requests of a transaction whose commit has failed.
    pub(super) fn add(&self, transaction: &Transaction) {
        let alone = transaction.movements.iter().filter_map(|movement| movement.request_id.clone());
        let others = transaction.requests.iter().map(|request| request.request_id.clone());
        self.ids().extend(alone.chain(others));
    }

    /// Forgets all requests, because the store answers again for every one.
    pub(super) fn clear(&self) {
        self.ids().clear();
    }

    /// The refusal of a request with this id: the one given, unless the request is in doubt. A server that writes
    /// for the shop knows, and the refusal leads there.
    pub(in crate::inventory) fn refusal(&self, request_id: Option<&RequestId>, refusal: &Refusal) -> Refusal {
        let is_in_doubt = || request_id.is_some_and(|id| self.ids().contains(id));
        if refusal.code != Code::Unavailable || !is_in_doubt() {
            return refusal.clone();
        }
        match refusal.holder().filter(|holder| !holder.is_empty()) {
            Some(holder) => {
                let message = format!(
                    "este servidor não sabe se a mudança foi feita, e quem atende a loja é {holder}. Envie o pedido \
                     para lá, com o mesmo identificador (id=)."
                );
                Refusal { message, ..refusal.clone() }
            }
            None => still_unknown(),
        }
    }

    /// The refusals of these changes.
    pub(super) fn refusals(&self, changes: &[Change], refusal: &Refusal) -> Vec<Refusal> {
        changes.iter().map(|change| self.refusal(change.request_id(), refusal)).collect()
    }

    fn ids(&self) -> std::sync::MutexGuard<'_, HashSet<RequestId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
