//! `AdjustStock`: a change of one product's stock.

use std::fmt;

use super::form::{Argument, Form};
use super::permission::Permission;
use super::words::{name_and_quantity, read_request_id, split_last_word};
use crate::catalog::{Amount, Details, Kind, Movement, Product, Quantity, RequestId};
use crate::refusal::Refusal;

pub(super) static FORM: Form = Form {
    word: "3",
    shell_words: &["atualizar"],
    arguments: &[Argument::Name, Argument::Quantity],
    attributes: "[id=PEDIDO] [motivo=MOTIVO] [total=VALOR] [causa=CAUSA]",
    menu: Some("Atualizar estoque"),
    help: "soma ao estoque; negativo retira",
    example: "3 Caju -20 motivo=venda",
};

/// A change of stock as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustRequest<'a> {
    /// The product's name.
    pub name: &'a str,
    /// The quantity to add; a negative one is taken away.
    pub delta: Quantity,
    /// The kind of the movement.
    pub kind: Kind,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
    /// The details of the movement, if it is to have some.
    pub details: Option<Box<Details>>,
}

/// A change that was made, now or before under the same request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// The product after the change.
    pub product: Product,
    /// The row of the ledger.
    pub movement: Movement,
}

impl From<(&Product, &Movement)> for Adjusted {
    /// Takes the price and the balance from the movement, the rest from the product.
    fn from((product, movement): (&Product, &Movement)) -> Self {
        let (price, stock) = (movement.price, movement.balance);
        let product = Product { price, stock, last_movement: movement.sequence, ..product.clone() };
        Self { product, movement: movement.clone() }
    }
}

impl<'a> AdjustRequest<'a> {
    /// An adjustment by whole units, as the original's contract asks for it.
    pub fn of_units(name: &'a str, units: i32) -> Self {
        Self {
            name,
            delta: Quantity::from_units(units),
            kind: Kind::default(),
            request_id: None,
            details: None,
        }
    }

    /// The permission that the change needs.
    #[inline]
    pub fn permission(&self) -> Permission {
        match self.kind {
            Kind::Sale => Permission::Sell,
            _ => Permission::Write,
        }
    }

    /// Reads `NAME DELTA [id=REQUEST_ID] [motivo=KIND] [total=MONEY] [causa=REASON]`: the last word before the
    /// attributes is the delta, all before it the name.
    ///
    /// # Errors
    /// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let mut rest = text;
        let mut request_id = None;
        let mut kind = None;
        let mut details = Details::default();
        let delta_word = loop {
            let (before, word) = split_last_word(rest);
            rest = before;
            if read_request_id(word, &mut request_id)? {
                continue;
            }
            if let Some(value) = word.strip_prefix("total=") {
                let value = Amount::parse_total(value).map_err(|error| Refusal::amount(&error))?;
                if details.amount.replace(value).is_some() {
                    return Err(Refusal::invalid("amount_centavos", "o atributo total= aparece duas vezes"));
                }
                continue;
            }
            if let Some(value) = word.strip_prefix("causa=") {
                let value = value.parse().map_err(|error| Refusal::loss_reason(&error))?;
                if details.loss_reason.replace(value).is_some() {
                    return Err(Refusal::invalid("loss_reason", "o atributo causa= aparece duas vezes"));
                }
                continue;
            }
            let Some(value) = word.strip_prefix("motivo=") else { break word };
            let value: Kind = value.parse().map_err(|error| Refusal::kind(&error))?;
            if kind.replace(value).is_some() {
                return Err(Refusal::invalid("kind", "o atributo motivo= aparece duas vezes"));
            }
        };
        let (name, delta) = name_and_quantity(rest, delta_word, "delta_thousandths", &FORM)?;
        Ok(Self { name, delta, kind: kind.unwrap_or_default(), request_id, details: details.boxed() })
    }
}

impl fmt::Display for AdjustRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", FORM.word, self.name, self.delta)?;
        if let Some(request_id) = &self.request_id {
            write!(f, " id={request_id}")?;
        }
        if self.kind != Kind::default() {
            write!(f, " motivo={}", self.kind.word())?;
        }
        let Some(details) = &self.details else { return Ok(()) };
        if let Some(amount) = details.amount {
            write!(f, " total={amount}")?;
        }
        if let Some(reason) = details.loss_reason {
            write!(f, " causa={}", reason.word())?;
        }
        Ok(())
    }
}
