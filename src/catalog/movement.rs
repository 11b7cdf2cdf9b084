//! The ledger: why and by how much a stock changed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use super::amount::Amount;
use super::author::Author;
use super::cost::Cost;
use super::details::Details;
use super::price::Price;
use super::product::ProductId;
use super::quantity::Quantity;
use super::quoted::{Quoted, is_unsafe_to_show};

/// Why a stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// `ajuste`: a correction. The kind of a change that names none.
    #[default]
    Adjustment,
    /// `abertura`: the stock that a product is created with. No client can request this kind.
    Opening,
    /// `compra`: goods came in.
    Purchase,
    /// `venda`: goods were sold.
    Sale,
    /// `perda`: goods were spoilt or lost.
    Waste,
    /// `contagem`: the shelf was counted.
    Count,
}

impl Kind {
    /// The kinds that a client may request, in the order in which help texts list them.
    pub const REQUESTABLE: [Kind; 5] =
        [Kind::Adjustment, Kind::Purchase, Kind::Sale, Kind::Waste, Kind::Count];

    /// Whether a change of this kind may only add to a stock.
    pub fn brings(self) -> bool {
        self == Kind::Purchase
    }

    /// Whether a change of this kind may only take from a stock.
    pub fn takes(self) -> bool {
        matches!(self, Kind::Sale | Kind::Waste)
    }

    /// The Portuguese word that people, the text protocol and the database use.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Adjustment => "ajuste",
            Kind::Opening => "abertura",
            Kind::Purchase => "compra",
            Kind::Sale => "venda",
            Kind::Waste => "perda",
            Kind::Count => "contagem",
        }
    }

    /// The kind that the database stores under this word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Kind::Opening].into_iter().chain(Self::REQUESTABLE).find(|kind| kind.word() == word)
    }
}

/// A word that is no kind that a client may request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("motivo {} desconhecido; use ajuste, compra, venda, perda ou contagem", Quoted(.0))]
pub struct KindError(pub String);

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(word: &str) -> Result<Self, KindError> {
        Self::REQUESTABLE
            .into_iter()
            .find(|kind| kind.word().eq_ignore_ascii_case(word))
            .ok_or_else(|| KindError(word.to_owned()))
    }
}

/// Longest request id, in characters: a UUID has 36, and clients may put a prefix before it.
pub const REQUEST_ID_CHARS_MAX: usize = 64;

/// The beginning of the ids that a server gives to records of its own. No client may use such an id.
pub const OWN_ID_START: &str = "#importação-";

/// The idempotency key that a client chose for a change, so that a retry is not a second change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

/// Why a text is no valid request id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("identificador de pedido {} inválido; use de 1 a {REQUEST_ID_CHARS_MAX} caracteres sem espaços, como um UUID, que não comecem com {OWN_ID_START}", Quoted(.0))]
pub struct RequestIdError(String);

impl RequestId {
    /// The id as the client gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id that a database keeps: of a client, or of a record of the server's own.
    ///
    /// # Errors
    /// If the text can be no id.
    pub fn from_stored(text: &str) -> Result<Self, RequestIdError> {
        let is_bad = |character: char| character.is_whitespace() || is_unsafe_to_show(character);
        if text.is_empty() || text.chars().count() > REQUEST_ID_CHARS_MAX || text.contains(is_bad) {
            return Err(RequestIdError(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    /// Takes 1 to [`REQUEST_ID_CHARS_MAX`] visible characters. A space ends the id in the text protocol, so
    /// no transport allows a space inside.
    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        // Nearly every id is ASCII, which has as many bytes as characters.
        if (1..=REQUEST_ID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Ok(Self(text.into()));
        }
        if text.starts_with(OWN_ID_START) {
            return Err(RequestIdError(text.to_owned()));
        }
        Self::from_stored(text)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Position in the ledger: 1, 2, 3, … without gaps.
    pub sequence: i64,
    /// The product whose stock changed.
    pub product: ProductId,
    /// The kind of the movement.
    pub kind: Kind,
    /// The quantity added; negative if taken away; zero only if a product opens without stock.
    pub delta: Quantity,
    /// The product's stock after this movement.
    pub balance: Quantity,
    /// The product's price at that moment, so that a retry gets the same answer.
    pub price: Price,
    /// When the change was accepted, just before it became durable; in whole microseconds.
    pub recorded_at: SystemTime,
    /// The sequence number of the product's movement before this one; 0 if this is its first.
    pub previous: i64,
    /// The id that the client gave the change.
    pub request_id: Option<RequestId>,
    /// The value at cost that the movement added to the stock, if a cost is known.
    pub cost: Option<Cost>,
    /// The author of the change.
    pub author: Option<Author>,
    /// The details, if the movement has any.
    pub details: Option<Box<Details>>,
}

impl Movement {
    /// The money of the whole movement: its own amount, or else price times quantity.
    pub fn amount(&self) -> Amount {
        let own = self.details.as_ref().and_then(|details| details.amount);
        own.unwrap_or_else(|| Amount::of(self.price, self.delta))
    }

    /// By how much the movement corrects the ledger, in thousandths, while the shelf stayed as it was.
    pub fn corrected(&self) -> i64 {
        if self.kind == Kind::Count { self.delta.thousandths() } else { 0 }
    }
}
