//! Imports of price lists.

use std::fmt;

use super::fields::optional_request_id;
use super::products::{code_number, days_number};
use super::terms::{barcodes, category, change_message, limit, product_change, shelf_life, shop_code};
use super::v1;
use crate::catalog::{
    Barcode, Category, IMPORT_ROWS_MAX, ImportCounts, Name, Price, ProductDraft, Quantity, RequestId,
    TermsDraft, Unit,
};
use crate::operation::{ImportReply, ImportRequest};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// Reads an import from its message. Rows that cannot be read become the import's bad rows.
///
/// # Errors
/// If a request id is invalid (`INVALID_ARGUMENT`).
pub fn import_request(message: &v1::ImportProductsRequest) -> Result<ImportRequest, Refusal> {
    if message.products.len() > IMPORT_ROWS_MAX {
        return Err(Refusal::import_size(message.products.len()));
    }
    let request_id = optional_request_id(&message.request_id)?;
    let continues = optional_request_id(&message.continues_request_id)?;
    let mut rows = Vec::with_capacity(message.products.len());
    let mut bad_rows = Vec::new();
    for (index, draft) in message.products.iter().enumerate() {
        match product_draft(draft) {
            Ok(row) => rows.push(row),
            Err(what) => bad_rows.push((index, what)),
        }
    }
    Ok(ImportRequest {
        rows,
        bad_rows,
        is_dry_run: message.dry_run,
        continues,
        creates_only: message.create_only,
        request_id,
    })
}

fn product_draft(message: &v1::ProductDraft) -> Result<ProductDraft, String> {
    fn told(error: impl fmt::Display) -> String {
        error.to_string()
    }
    Ok(ProductDraft {
        name: Name::parse(&message.name).map_err(told)?,
        price: Price::from_centavos(message.price_centavos).map_err(told)?,
        unit: match message.unit.as_str() {
            "" => None,
            unit => Some(Unit::parse(unit).map_err(told)?),
        },
        opening_stock: Quantity::from_thousandths(message.opening_stock_thousandths).map_err(told)?,
        terms: terms_draft(message)?,
    })
}

fn terms_draft(message: &v1::ProductDraft) -> Result<TermsDraft, String> {
    let quantity = |thousandths: Option<i64>| match thousandths {
        Some(thousandths) => limit(thousandths).map(Some).map_err(|error| error.to_string()),
        None => Ok(None),
    };
    Ok(TermsDraft {
        code: shop_code(message.code).map_err(|error| error.to_string())?,
        barcodes: barcodes(&message.barcodes)?,
        category: category(&message.category).map_err(|error| error.to_string())?,
        minimum: quantity(message.minimum_thousandths)?,
        target: quantity(message.target_thousandths)?,
        shelf_life_days: message.shelf_life_days.map(shelf_life).transpose()?,
    })
}

/// The answer to an import. There are never more rows than an `i32` counts.
pub(super) fn import_response(reply: &ImportReply) -> v1::ImportProductsResponse {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let counts = reply.counts;
    v1::ImportProductsResponse {
        created_count: count(counts.created),
        updated_count: count(counts.updated),
        unchanged_count: count(counts.unchanged),
        changes: reply.changes.iter().map(change_message).collect(),
        discontinued_count: count(counts.discontinued),
    }
}

/// The message of an import.
pub fn import_message(request: &ImportRequest) -> v1::ImportProductsRequest {
    let draft = |row: &ProductDraft| v1::ProductDraft {
        name: row.name.to_string(),
        price_centavos: row.price.centavos(),
        unit: row.unit.as_ref().map_or(String::new(), Unit::to_string),
        opening_stock_thousandths: row.opening_stock.thousandths(),
        code: row.terms.code.map_or(0, code_number),
        barcodes: row.terms.barcodes.iter().map(Barcode::to_string).collect(),
        category: row.terms.category.as_ref().map_or(String::new(), Category::to_string),
        minimum_thousandths: row.terms.minimum.map(Quantity::thousandths),
        target_thousandths: row.terms.target.map(Quantity::thousandths),
        shelf_life_days: row.terms.shelf_life_days.map(days_number),
    };
    let id = |id: &Option<RequestId>| id.as_ref().map_or(String::new(), RequestId::to_string);
    v1::ImportProductsRequest {
        products: request.rows.iter().map(draft).collect(),
        dry_run: request.is_dry_run,
        request_id: id(&request.request_id),
        continues_request_id: id(&request.continues),
        create_only: request.creates_only,
    }
}

/// Reads the effect of an import.
///
/// # Errors
/// If no server of ours would send the message.
pub fn import_reply(message: v1::ImportProductsResponse) -> Result<ImportReply, NotAReply> {
    let count = |count: i32| usize::try_from(count).unwrap_or(0);
    let counts = ImportCounts {
        created: count(message.created_count),
        updated: count(message.updated_count),
        unchanged: count(message.unchanged_count),
        discontinued: count(message.discontinued_count),
    };
    let changes = message.changes.into_iter().map(product_change).collect::<Result<_, _>>()?;
    Ok(ImportReply { counts, changes, undone: None })
}
