//! Purchases and what is left of them.

use std::time::SystemTime;

use jiff::civil::Date;
use prost_types::Timestamp;

use super::fields::{details, name_of, purchase_message, unit_of};
use super::v1;
use crate::catalog::{Amount, Author, Cost, Purchase, Quantity, parse_expiry};
use crate::operation::{
    EXPIRING_DAYS_MAX, ExpiringRequest, ExpiringStock, TRACED_MAX, TraceReply, TraceRequest, TracedPurchase,
};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// The purchases of a page if the client does not say.
const TRACED_DEFAULT: usize = 100;

/// Reads a question about expiring stock from its message.
///
/// # Errors
/// If a field is invalid: `INVALID_ARGUMENT` with the field.
pub fn expiring_request(message: &v1::ListExpiringStockRequest) -> Result<ExpiringRequest<'_>, Refusal> {
    let days = u32::try_from(message.days).map_err(|_| Refusal::days(EXPIRING_DAYS_MAX))?;
    Ok(ExpiringRequest { days, time_zone: &message.time_zone })
}

/// The message of a question about expiring stock.
pub fn expiring_message(request: &ExpiringRequest<'_>) -> v1::ListExpiringStockRequest {
    v1::ListExpiringStockRequest {
        days: i32::try_from(request.days).unwrap_or(i32::MAX),
        time_zone: request.time_zone.to_owned(),
    }
}

/// The message of expiring stock.
pub(super) fn expiring_response(expiring: &[ExpiringStock]) -> v1::ListExpiringStockResponse {
    let stock = |it: &ExpiringStock| v1::ExpiringStock {
        product_name: it.name.to_string(),
        unit: it.unit.to_string(),
        sequence: it.sequence,
        bought_at: Some(Timestamp::from(it.bought_at)),
        purchase: Some(purchase_message(&it.purchase)),
        expires_on: it.expires_on.to_string(),
        days_left: it.days_left,
        left_thousandths: it.left.thousandths(),
        cost_centavos: it.cost.map(Cost::centavos),
        amount_centavos: it.amount.centavos(),
    };
    v1::ListExpiringStockResponse { stocks: expiring.iter().map(stock).collect() }
}

/// Reads expiring stock that the server sent.
///
/// # Errors
/// If no server of ours would send the message.
pub fn expiring_stock(message: v1::ListExpiringStockResponse) -> Result<Vec<ExpiringStock>, NotAReply> {
    let stock = |message: v1::ExpiringStock| {
        Ok(ExpiringStock {
            name: name_of(&message.product_name)?,
            unit: unit_of(&message.unit)?,
            sequence: message.sequence,
            bought_at: time(message.bought_at)?,
            purchase: purchase(message.purchase.as_ref())?,
            expires_on: date(&message.expires_on)?.ok_or(NotAReply)?,
            days_left: message.days_left,
            left: quantity(message.left_thousandths)?,
            cost: message.cost_centavos.map(Cost::from_centavos),
            amount: Amount::from_centavos(message.amount_centavos).ok_or(NotAReply)?,
        })
    };
    message.stocks.into_iter().map(stock).collect()
}

/// Reads a question about purchases from its message.
///
/// # Errors
/// If a field is invalid: `INVALID_ARGUMENT` with the field.
pub fn trace_request(message: &v1::TracePurchasesRequest) -> Result<TraceRequest<'_>, Refusal> {
    let count_max = match usize::try_from(message.page_size) {
        Ok(0) => TRACED_DEFAULT,
        Ok(count) => count.min(TRACED_MAX),
        Err(_) => return Err(Refusal::invalid("page_size", "o tamanho da página não pode ser negativo")),
    };
    let v1::TracePurchasesRequest { words, invoice, supplier_item: item, .. } = message;
    if [words, invoice, item].iter().filter(|text| !text.is_empty()).count() > 1 {
        let what = "procure por palavras, por nota ou por item do fornecedor, um só deles";
        return Err(Refusal::invalid("words", what));
    }
    let request = TraceRequest { words, invoice, item, before: None, count_max };
    if message.page_token.is_empty() { Ok(request) } else { request.at_page(&message.page_token) }
}

/// The message of a question about purchases.
pub fn trace_message(request: &TraceRequest<'_>) -> v1::TracePurchasesRequest {
    v1::TracePurchasesRequest {
        words: request.words.to_owned(),
        invoice: request.invoice.to_owned(),
        supplier_item: request.item.to_owned(),
        page_size: i32::try_from(request.count_max).unwrap_or(i32::MAX),
        page_token: request.before.map_or(String::new(), |before| request.page_token(before).to_string()),
    }
}

/// The message of a page of purchases.
pub(super) fn traced_response(page: &TraceReply) -> v1::TracePurchasesResponse {
    let traced = |it: &TracedPurchase| v1::TracedPurchase {
        sequence: it.sequence,
        product_name: it.name.to_string(),
        unit: it.unit.to_string(),
        bought_at: Some(Timestamp::from(it.bought_at)),
        purchase: Some(purchase_message(&it.purchase)),
        expires_on: it.expires_on.map_or(String::new(), |date| date.to_string()),
        bought_thousandths: it.bought.thousandths(),
        amount_centavos: it.amount.centavos(),
        left_thousandths: it.left.thousandths(),
        author: it.author.as_ref().map_or(String::new(), Author::to_string),
        undone_by: it.undone_by,
    };
    v1::TracePurchasesResponse {
        purchases: page.purchases.iter().map(traced).collect(),
        next_page_token: page.next.map_or(String::new(), |next| next.to_string()),
    }
}

/// Reads a page of purchases that the server sent.
///
/// # Errors
/// If no server of ours would send the message.
pub fn traced(message: v1::TracePurchasesResponse) -> Result<TraceReply, NotAReply> {
    let traced = |message: v1::TracedPurchase| {
        let author = Some(message.author.as_str()).filter(|author| !author.is_empty());
        Ok(TracedPurchase {
            sequence: message.sequence,
            name: name_of(&message.product_name)?,
            unit: unit_of(&message.unit)?,
            bought_at: time(message.bought_at)?,
            purchase: purchase(message.purchase.as_ref())?,
            expires_on: date(&message.expires_on)?,
            bought: quantity(message.bought_thousandths)?,
            amount: Amount::from_centavos(message.amount_centavos).ok_or(NotAReply)?,
            left: quantity(message.left_thousandths)?,
            author: author.map(str::parse).transpose().map_err(|_| NotAReply)?,
            undone_by: message.undone_by,
        })
    };
    let next = match message.next_page_token.as_str() {
        "" => None,
        token => Some(token.parse().map_err(|_| NotAReply)?),
    };
    Ok(TraceReply { purchases: message.purchases.into_iter().map(traced).collect::<Result<_, _>>()?, next })
}

fn quantity(thousandths: i64) -> Result<Quantity, NotAReply> {
    Quantity::from_thousandths(thousandths).map_err(|_| NotAReply)
}

fn time(timestamp: Option<Timestamp>) -> Result<SystemTime, NotAReply> {
    timestamp.ok_or(NotAReply)?.try_into().map_err(|_| NotAReply)
}

fn date(text: &str) -> Result<Option<Date>, NotAReply> {
    match text {
        "" => Ok(None),
        text => parse_expiry(text).map(Some).map_err(|_| NotAReply),
    }
}

fn purchase(message: Option<&v1::PurchaseDetails>) -> Result<Purchase, NotAReply> {
    let details = details(None, 0, "", message).map_err(|_| NotAReply)?;
    Ok(details.and_then(|details| details.purchase).unwrap_or_default())
}
