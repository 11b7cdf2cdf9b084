//! The purchases that the lines of an invoice become.

use jiff::civil::Date;

use super::document::{Invoice, Line, shown};
use super::matching::{Content, Match, held};
use crate::catalog::{
    Amount, Details, Kind, Lot, Purchase, Quantity, RequestId, RequestIdError, unit_of_word,
};
use crate::operation::AdjustRequest;

/// A line, or the part of one that is of one lot, as it is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchased {
    pub quantity: Quantity,
    pub cost: Amount,
    pub details: Details,
}

/// Why a line cannot be booked yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("falta dizer quanto vem em 1 {unit}")]
    NoContent { unit: String },
    #[error("a quantidade da nota, {quantity} {unit}, tem quatro casas; diga quanto foi recebido")]
    FourDecimals { quantity: String, unit: String },
    #[error("{quantity} {unit} com {pack} cada não dá um número de milésimos; diga quanto foi recebido")]
    Fraction { quantity: String, unit: String, pack: String },
}

impl Purchased {
    /// The request that books this.
    pub fn request<'a>(&self, product: &'a str) -> AdjustRequest<'a> {
        AdjustRequest {
            name: product,
            delta: self.quantity,
            kind: Kind::Purchase,
            request_id: None,
            details: self.details.clone().boxed(),
        }
    }
}

/// The purchases of a line: one, or one for each lot if the invoice says what each lot holds.
///
/// # Errors
/// If it is not known how much was bought.
pub fn purchased(invoice: &Invoice, line: &Line, of: &Match) -> Result<Vec<Purchased>, LineError> {
    let unit = line.sold.unit.clone();
    let content = of.content(line).ok_or_else(|| LineError::NoContent { unit: unit.clone() })?;
    let (all, pack) = match content {
        Content::Received(quantity) => (quantity, None),
        Content::Pack(_) if line.sold.ten_thousandths % 10 != 0 => {
            return Err(LineError::FourDecimals { quantity: shown(line.sold.ten_thousandths), unit });
        }
        Content::Pack(pack) => match held(&line.sold, pack) {
            Some(quantity) => (quantity, Some(pack)),
            None => {
                let (quantity, pack) = (shown(line.sold.ten_thousandths), pack.with_comma().to_string());
                return Err(LineError::Fraction { quantity, unit, pack });
            }
        },
    };
    let parts = parts(line, all);
    let is_whole = parts.len() == 1;
    let purchased = parts.into_iter().map(|part| {
        let purchase = Purchase {
            supplier: Some(invoice.supplier.clone()),
            lot: part.lot,
            expires_on: part.expires_on,
            invoice: Some(invoice.key.clone()),
            item: Some(line.item.clone()),
            pack,
        };
        let note = pack.filter(|_| is_whole).and_then(|_| boxes(line, of, part.quantity));
        let note = note.and_then(|note| note.parse().ok());
        let details = Details { amount: Some(part.cost), loss_reason: None, note, purchase: Some(purchase) };
        Purchased { quantity: part.quantity, cost: part.cost, details }
    });
    Ok(purchased.collect())
}

struct Part {
    quantity: Quantity,
    cost: Amount,
    lot: Option<Lot>,
    expires_on: Option<Date>,
}

/// Splits a line among its lots, if these hold all of it, in the unit in which it is sold or taxed, and each a number
/// of thousandths. The parts cost together what the line costs.
fn parts(line: &Line, all: Quantity) -> Vec<Part> {
    let whole = || {
        let (lot, expires_on) = line.lot_and_expiry();
        vec![Part { quantity: all, cost: line.cost, lot, expires_on }]
    };
    let in_lots: i128 = line.lots.iter().map(|lot| i128::from(lot.ten_thousandths)).sum();
    let mut wholes = [Some(&line.sold), line.taxed.as_ref()].into_iter().flatten();
    if line.lots.len() < 2 || !wholes.any(|whole| in_lots == i128::from(whole.ten_thousandths)) {
        return whole();
    }
    let (mut through, mut quantity_before, mut cost_before) = (0, 0, 0);
    let mut parts = Vec::with_capacity(line.lots.len());
    for lot in line.lots.iter().filter(|lot| lot.ten_thousandths > 0) {
        through += i128::from(lot.ten_thousandths);
        let exact = i128::from(all.thousandths()) * through;
        let cost = i128::from(line.cost.centavos()) * through / in_lots;
        let (quantity, cost) = match (exact % in_lots, i64::try_from(exact / in_lots), i64::try_from(cost)) {
            (0, Ok(quantity), Ok(cost)) => (quantity, cost),
            _ => return whole(),
        };
        let part = Quantity::from_thousandths(quantity - quantity_before);
        let (Ok(part), Some(money)) = (part, Amount::from_centavos(cost - cost_before)) else {
            return whole();
        };
        parts.push(Part { quantity: part, cost: money, lot: lot.lot.clone(), expires_on: lot.expires_on });
        (quantity_before, cost_before) = (quantity, cost);
    }
    let is_whole_unit = parts.iter().all(|part| !part.quantity.has_fraction());
    if all.has_fraction() || is_whole_unit { parts } else { whole() }
}

/// The note of a purchase in boxes, such as `20cx=440kg`, as people write it too.
fn boxes(line: &Line, of: &Match, quantity: Quantity) -> Option<String> {
    let (unit, parts) = unit_of_word(&line.sold.unit)?;
    let own = of.product.unit.as_ref()?;
    let (own_unit, _) = unit_of_word(own.as_str())?;
    let is_boxes = unit != own_unit && parts == 1 && line.sold.ten_thousandths % 10_000 == 0;
    is_boxes.then(|| format!("{}{unit}={}{own}", line.sold.ten_thousandths / 10_000, quantity.with_comma()))
}

/// The request id under which an invoice is booked: its key and, if it was undone, the last purchase of it that was.
/// Two tills that book it again at one time use the same id.
///
/// # Errors
/// If the key is none of a request.
pub fn request_id(invoice: &Invoice, undone: Option<i64>) -> Result<RequestId, RequestIdError> {
    match undone {
        None => invoice.key.as_str().parse(),
        Some(undone) => format!("{}-{undone}", invoice.key).parse(),
    }
}
