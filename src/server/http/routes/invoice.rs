//! `POST /invoice`: reads the invoice of a supplier (NF-e), matches its lines, and stores nothing. The panel shows what
//! was read, asks for what nobody knows, and books the purchase by a call.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};

use super::{connect, price_list};
use crate::access::Identity;
use crate::catalog::{Details, Purchase, Quantity};
use crate::invoice::{self, Invoice, Line, Match, Matching, Purchased, Standing};
use crate::operation::{Operation, Permission};
use crate::refusal::{Code, Refusal};
use crate::server::grpc::defect;
use crate::server::http::connection::Connection;

/// Answers with the lines of an invoice.
pub(super) async fn answer(
    Extension(connection): Extension<Arc<Connection>>,
    request: Request<Body>,
) -> Response<Body> {
    let identity = match connection.admit(request.headers(), Permission::Write).await {
        Ok(identity) => identity,
        Err(refused) => return refused,
    };
    let read = async {
        // An invoice is no larger than a list, whose turns it takes.
        let _turn = connection.service().turns.take(Operation::ImportProducts).await?;
        let bytes = price_list::bytes(request.into_body()).await?;
        let reading = tokio::task::spawn_blocking(move || invoice::read(&bytes));
        let invoice = reading.await.map_err(|_| defect())?;
        let refused = |error| Refusal::new(Code::InvalidArgument, format!("{error}."));
        let invoice = invoice.map_err(refused)?;
        if let Some(shop) = &connection.service().registration {
            invoice::check_recipient(&invoice, shop).map_err(refused)?;
        }
        matched(&connection, &identity, &invoice).await
    };
    connect::json(read.await)
}

/// The invoice with the products of its lines, for the panel.
async fn matched(connection: &Connection, identity: &Identity, invoice: &Invoice) -> Result<Value, Refusal> {
    let session = connection.service().session(identity);
    let reply = session.call(invoice::booked_request(invoice.key.as_str())).await?;
    let (booked, undone) = match invoice::standing(&reply) {
        Standing::New => (None, None),
        Standing::Booked(purchase) => (Some(purchase.sequence), None),
        Standing::Undone(last) => (None, Some(last)),
    };
    let request_id = invoice::request_id(invoice, undone).map_err(|error| Refusal::request_id(&error))?;
    let mut matching = Matching::new(invoice, &reply);
    while let Some(request) = matching.next_request() {
        let reply = session.call(request).await;
        matching.take(reply)?;
    }
    let (mut lines, mut missing, mut warnings) = (Vec::new(), Vec::new(), invoice.warnings.clone());
    for (line, found) in invoice.lines.iter().zip(matching.found()) {
        match found.as_ref().map(|found| (found, invoice::purchased(invoice, line, found))) {
            Some((found, Ok(purchased))) => {
                warnings.extend(found.told_undone(line));
                warnings.extend(invoice::doubts(line, found, &purchased));
                lines.extend(purchased.iter().map(|part| known(found, part)));
            }
            Some((found, Err(problem))) => {
                missing.push(open(invoice, line, Some((found, problem.to_string()))))
            }
            None => missing.push(open(invoice, line, None)),
        }
    }
    Ok(json!({
        "title": invoice.told(),
        "supplier": invoice.supplier.as_str(),
        "booked": booked,
        "isUndone": undone.is_some(),
        "requestId": request_id.as_str(),
        "lines": lines,
        "missing": missing,
        "warnings": warnings,
    }))
}

/// A line, or a part of one, as the panel keeps it before it is booked.
fn known(found: &Match, part: &Purchased) -> Value {
    let Details { note, purchase, .. } = &part.details;
    let purchase = purchase.clone().unwrap_or_default();
    json!({
        "name": found.product.name.as_str(),
        "unit": found.product.unit.as_ref().map(|unit| unit.as_str()),
        "thousandths": part.quantity.thousandths(),
        "totalCentavos": part.cost.centavos(),
        "note": note.as_ref().map(|note| note.as_str()),
        "lot": purchase.lot.as_ref().map_or("", |lot| lot.as_str()),
        "expiresOn": purchase.expires_on.map_or(String::new(), |day| day.to_string()),
        "price": null,
        "purchase": origin(&purchase),
    })
}

/// A line of which a person must say the product, or how much came.
fn open(invoice: &Invoice, line: &Line, known: Option<(&Match, String)>) -> Value {
    let origin_of_line =
        Purchase { invoice: Some(invoice.key.clone()), item: Some(line.item.clone()), ..Purchase::default() };
    let (name, problem) = match known {
        Some((found, problem)) => (Some(found.product.name.to_string()), problem),
        None => (None, "de que produto é?".to_owned()),
    };
    let (lot, expires_on) = line.lot_and_expiry();
    json!({
        "what": line.told(),
        "problem": problem,
        "name": name,
        "bought": line.typed(),
        "soldTenThousandths": line.sold.ten_thousandths,
        "totalCentavos": line.cost.centavos(),
        "lot": lot.as_ref().map_or("", |lot| lot.as_str()),
        "expiresOn": expires_on.map_or(String::new(), |day| day.to_string()),
        "purchase": origin(&origin_of_line),
    })
}

/// The fields of a purchase that only an invoice knows.
fn origin(purchase: &Purchase) -> Value {
    json!({
        "invoice": purchase.invoice.as_ref().map_or("", |key| key.as_str()),
        "supplierItem": purchase.item.as_ref().map_or("", |item| item.as_str()),
        "packThousandths": purchase.pack.map_or(0, Quantity::thousandths).to_string(),
    })
}
