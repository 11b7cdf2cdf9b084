//! The refusals of changes because of the store, in words that fit the store.

use crate::refusal::{Code, Refusal};
use crate::store::{Store, StoreError};

/// The refusals of one store.
#[derive(Clone, Copy)]
pub(super) struct StoreRefusals {
    /// The equipment to check, with its article.
    to_check: &'static str,
    /// Whether reads are answered while the store fails.
    reads_go_on: bool,
}

impl StoreRefusals {
    pub(super) fn of(store: &dyn Store) -> Self {
        // Without the database, a server of several soon cannot know whether another one writes.
        Self { to_check: store.to_check(), reads_go_on: !store.commits_over_network() }
    }

    /// The transaction could not begin.
    pub(super) fn not_begun(self, why: &str) -> Refusal {
        let reads = self.reads();
        unavailable(format!(
            "{why}. Nada foi alterado{reads}. Avise quem cuida do servidor, e tente de novo depois."
        ))
    }

    /// The store cannot be settled since an earlier failure.
    pub(super) fn since_a_failure(self) -> Refusal {
        let Self { to_check, .. } = self;
        let reads = self.reads();
        unavailable(format!(
            "o banco de dados não aceita gravações desde uma falha. Nada foi alterado{reads}; confira {to_check}, e \
             tente de novo."
        ))
    }

    /// The commit failed, and the transaction is not stored.
    pub(super) fn not_stored(self) -> Refusal {
        let Self { to_check, .. } = self;
        unavailable(format!(
            "a gravação falhou. Nada foi alterado; confira {to_check} e o log do servidor, e tente de novo."
        ))
    }

    /// The commit failed, and whether the transaction is stored is not known.
    pub(super) fn outcome_unknown(self) -> Refusal {
        let Self { to_check, .. } = self;
        outcome_unknown(&format!("{to_check} e o log do servidor"))
    }

    fn reads(self) -> &'static str {
        if self.reads_go_on { "; as consultas continuam" } else { "" }
    }
}

/// The store takes no changes until the server is started again.
pub(super) fn closed(why: &str) -> Refusal {
    unavailable(format!(
        "{why}. Nada foi alterado, e este servidor não aceita mais mudanças. Avise quem cuida do servidor."
    ))
}

/// A change cannot be planned, because a movement that it is about cannot be read.
pub(super) fn unreadable(error: StoreError) -> Refusal {
    tracing::error!(%error, "the ledger could not be read");
    unavailable(
        "o banco de dados não pôde ser lido. Nada foi alterado; veja o log do servidor, e tente de novo."
            .to_owned(),
    )
}

/// A request that is repeated while nobody knows yet whether it is made.
pub(super) fn still_unknown() -> Refusal {
    let what = "não se sabe ainda se a mudança foi feita: a gravação dela falhou, e o banco de dados não responde. Não a \
                faça de novo de outro jeito; repita com o mesmo identificador de pedido (id=).";
    Refusal::new(Code::OutcomeUnknown, what)
}

/// The writer was lost with a change that it may have made.
pub(super) fn lost() -> Refusal {
    outcome_unknown("o log do servidor")
}

fn outcome_unknown(to_check: &str) -> Refusal {
    let what = format!(
        "a gravação falhou e não se sabe se a mudança foi feita. Confira {to_check}, e repita com o mesmo \
         identificador de pedido (id=)."
    );
    Refusal::new(Code::OutcomeUnknown, what)
}

fn unavailable(what: String) -> Refusal {
    Refusal::new(Code::Unavailable, what)
}
