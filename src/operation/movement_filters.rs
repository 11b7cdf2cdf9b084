//! The filters of a list of movements as a person writes them, in the shell and on the command line.

use super::list_movements::MovementsRequest;
use super::period::{days_here, given_period};
use crate::catalog::{Author, Kind, Quoted};
use crate::refusal::Refusal;

/// The filters of a list of movements. `None` is everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct MovementFilters<'a> {
    /// The word of the only kind to include.
    pub kind: Option<&'a str>,
    /// The token that asked for the movements.
    pub author: Option<&'a str>,
    /// The first day or moment.
    pub since: Option<&'a str>,
    /// The last day, or the first moment after the period.
    pub until: Option<&'a str>,
}

impl MovementFilters<'_> {
    /// Whether there is a filter.
    pub fn is_given(&self) -> bool {
        self.kind.is_some() || self.author.is_some() || self.has_period()
    }

    /// Whether either end of a period is given.
    pub fn has_period(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// The request with these filters, in days of this machine's time zone.
    ///
    /// # Errors
    /// If a filter is none, the period ends before it begins, or `TZ` names no time zone.
    pub fn on<'r>(&self, request: MovementsRequest<'r>) -> Result<MovementsRequest<'r>, Refusal> {
        let kind = self.kind.map(movement_kind).transpose()?;
        let author = self.author.map(|name| {
            let author = name.parse::<Author>();
            author.map_err(|error| {
                Refusal::invalid("author", format!("autor {} inválido: {error}", Quoted(name)))
            })
        });
        let author = author.transpose()?;
        let (since, until) = given_period(self.since, self.until, &days_here()?)?;
        Ok(MovementsRequest { kind, author, since, until, ..request })
    }
}

/// Reads the kind that movements are limited to, which may be that of an opening.
///
/// # Errors
/// If the word is no kind.
pub fn movement_kind(word: &str) -> Result<Kind, Refusal> {
    Kind::from_stored(&word.to_lowercase()).ok_or_else(|| {
        let what = format!(
            "motivo {} desconhecido; use ajuste, abertura, compra, venda, perda ou contagem",
            Quoted(word)
        );
        Refusal::invalid("kind", what)
    })
}
