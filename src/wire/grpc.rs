//! gRPC: the generated code, and the conversions between its messages and ours, in both
//! directions.

use std::collections::HashMap;
use std::fmt;

use prost::encoding::{WireType, encode_key, encode_varint};
use prost_types::Timestamp;
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::NotAReply;
use crate::catalog::{BATCH_LINES_MAX, IMPORT_ROWS_MAX};
use crate::catalog::{
    ImportCounts, Kind, Movement, Name, Price, Product, ProductDraft, ProductId, Quantity, RequestId,
    Sentence, Unit,
};
use crate::operation::{AdjustRequest, BatchRequest, ImportRequest, ProductReply, write_product_line};
use crate::refusal::{Code, Refusal};

/// `proto/hortifruti/v1/inventory.proto`.
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("hortifruti.v1");
}

/// `proto/produtos.proto`, the original's contract, which has no package.
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
pub mod original {
    tonic::include_proto!("_");
}

/// `ErrorInfo.domain` (AIP-193).
const ERROR_DOMAIN: &str = "hortifruti";

/// Bytes of bad rows told in a status. Its details travel as a header, and clients take no
/// more than some kilobytes of those (grpcio 8, hyper 16); the message tells how many rows
/// there are.
const ROWS_BYTES_MAX: usize = 3 * 1024;

/// Products on a page where the client does not say.
const PAGE_PRODUCTS_DEFAULT: usize = 100;

/// Most products on a page: some tens of kilobytes.
pub const PAGE_PRODUCTS_MAX: usize = 1000;

// --- errors -------------------------------------------------------------------------

/// The gRPC code of a refusal: the one place that maps DESIGN's table to this wire.
fn grpc_code(code: Code) -> tonic::Code {
    match code {
        Code::ProductNotFound => tonic::Code::NotFound,
        Code::InsufficientStock => tonic::Code::FailedPrecondition,
        Code::InvalidArgument | Code::RequestIdReused => tonic::Code::InvalidArgument,
        Code::UnknownCommand => tonic::Code::Unimplemented,
        Code::OutOfRange => tonic::Code::OutOfRange,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::OutcomeUnknown => tonic::Code::Unknown,
        Code::Internal => tonic::Code::Internal,
    }
}

/// A refusal as a gRPC status, with `google.rpc.ErrorInfo`, and with
/// `google.rpc.BadRequest` for the rows of a price list.
pub fn status(refusal: Refusal) -> Status {
    let metadata: HashMap<String, String> =
        refusal.metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut details = ErrorDetails::with_error_info(refusal.code.as_str(), ERROR_DOMAIN, metadata);
    let mut bytes_left = ROWS_BYTES_MAX;
    let violations: Vec<FieldViolation> = refusal
        .rows
        .into_iter()
        .take_while(|(_, what)| {
            let fits = what.len() <= bytes_left;
            bytes_left = bytes_left.saturating_sub(what.len());
            fits
        })
        .map(|(index, what)| FieldViolation::new(format!("products[{index}]"), what))
        .collect();
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    Status::with_error_details(grpc_code(refusal.code), refusal.message, details)
}

/// As [`status`], naming the fields as the original's contract does.
pub fn original_status(mut refusal: Refusal) -> Status {
    for (key, value) in &mut refusal.metadata {
        let renamed = match value.as_str() {
            "name" => "nome",
            "delta_thousandths" => "quantidade",
            _ => continue,
        };
        if *key == "field" {
            renamed.clone_into(value);
        }
    }
    status(refusal)
}

/// The refusal that a status carries; `None` where it is not one of ours, so the server
/// did not say it.
pub fn refusal(status: &Status) -> Option<Refusal> {
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN)?;
    let mut refusal = Refusal::new(Code::parse(&info.reason)?, Sentence(status.message()).to_string());
    for violation in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
        let index = violation.field.strip_prefix("products[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(index) = index.and_then(|index| index.parse().ok()) {
            refusal.rows.push((index, Sentence(&violation.description).to_string()));
        }
    }
    Some(refusal)
}

// --- requests: from the wire ----------------------------------------------------------

/// A stock change from its message.
///
/// # Errors
/// `INVALID_ARGUMENT`, naming the field.
pub fn adjust_request(message: &v1::AdjustStockRequest) -> Result<AdjustRequest<'_>, Refusal> {
    Ok(AdjustRequest {
        name: &message.name,
        delta: Quantity::from_thousandths(message.delta_thousandths)
            .map_err(|error| Refusal::quantity("delta_thousandths", &error))?,
        kind: requested_kind(message.kind)?,
        request_id: optional_request_id(&message.request_id)?,
    })
}

/// Changes that are asked for together, from their message.
///
/// # Errors
/// `INVALID_ARGUMENT`, naming the field, and the index of the change.
pub fn batch_request(message: &v1::BatchAdjustStockRequest) -> Result<BatchRequest<'_>, Refusal> {
    // Before they are looked at: a message may hold far more than are taken.
    if message.adjustments.len() > BATCH_LINES_MAX {
        return Err(Refusal::batch_size(message.adjustments.len()));
    }
    let mut adjustments = Vec::with_capacity(message.adjustments.len());
    for (index, adjustment) in message.adjustments.iter().enumerate() {
        if !adjustment.request_id.is_empty() {
            let what = "as mudanças de um lote não têm identificador de pedido próprio; use o do lote";
            return Err(Refusal::invalid("request_id", what).at(index));
        }
        adjustments.push(adjust_request(adjustment).map_err(|refusal| refusal.at(index))?);
    }
    Ok(BatchRequest { adjustments, request_id: optional_request_id(&message.request_id)? })
}

/// An import from its message; rows that cannot be read are told in it.
///
/// # Errors
/// `INVALID_ARGUMENT` where the request id cannot be.
pub fn import_request(message: v1::ImportProductsRequest) -> Result<ImportRequest, Refusal> {
    if message.products.len() > IMPORT_ROWS_MAX {
        return Err(Refusal::import_size(message.products.len()));
    }
    let request_id = optional_request_id(&message.request_id)?;
    let mut rows = Vec::with_capacity(message.products.len());
    let mut bad_rows = Vec::new();
    for (index, draft) in message.products.iter().enumerate() {
        match product_draft(draft) {
            Ok(row) => rows.push(row),
            Err(what) => bad_rows.push((index, what)),
        }
    }
    Ok(ImportRequest { rows, bad_rows, is_dry_run: message.dry_run, request_id })
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
    })
}

fn optional_request_id(text: &str) -> Result<Option<RequestId>, Refusal> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error| Refusal::request_id(&error)),
    }
}

fn requested_kind(number: i32) -> Result<Kind, Refusal> {
    match v1::MovementKind::try_from(number) {
        Ok(v1::MovementKind::Unspecified | v1::MovementKind::Adjustment) => Ok(Kind::Adjustment),
        Ok(v1::MovementKind::Purchase) => Ok(Kind::Purchase),
        Ok(v1::MovementKind::Sale) => Ok(Kind::Sale),
        Ok(v1::MovementKind::Waste) => Ok(Kind::Waste),
        Ok(v1::MovementKind::Count) => Ok(Kind::Count),
        Ok(v1::MovementKind::Opening) => Err(Refusal::invalid(
            "kind",
            "o motivo abertura é só do estoque inicial; use ajuste, compra, venda, perda ou contagem",
        )),
        Err(_) => Err(Refusal::invalid("kind", format!("não existe o motivo de número {number}"))),
    }
}

/// Which page of the catalog is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Up to which price.
    pub max_price: Option<Price>,
    /// How many products at most.
    pub size: usize,
    /// After which product.
    pub after: Option<ProductId>,
}

/// Version of the page tokens below, so that a later one can be told from it.
const PAGE_TOKEN_PREFIX: &str = "v1:";

impl Page {
    /// One that holds all products up to a price.
    pub fn whole(max_price: Option<Price>) -> Self {
        Self { max_price, size: usize::MAX, after: None }
    }

    /// The page that a message asks for.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where the size is negative, or the token is not one that this
    /// server gave for the same price.
    pub fn from_message(message: &v1::ListProductsRequest) -> Result<Self, Refusal> {
        let max_price = message
            .max_price_centavos
            .map(Price::from_centavos)
            .transpose()
            .map_err(|error| Refusal::price("max_price_centavos", &error))?;
        let size = match usize::try_from(message.page_size) {
            Ok(0) => PAGE_PRODUCTS_DEFAULT,
            Ok(size) => size.min(PAGE_PRODUCTS_MAX),
            Err(_) => {
                let what = format!("page_size é {}; use de 1 a {PAGE_PRODUCTS_MAX}", message.page_size);
                return Err(Refusal::invalid("page_size", what));
            }
        };
        let mut page = Self { max_price, size, after: None };
        if !message.page_token.is_empty() {
            let after = message
                .page_token
                .strip_prefix(PAGE_TOKEN_PREFIX)
                .and_then(|token| token.split(':').next())
                .and_then(|id| id.parse().ok())
                .and_then(ProductId::from_number)
                .filter(|after| page.token(*after) == message.page_token);
            let wrong = || {
                let what = "page_token não é desta lista; use o next_page_token da página anterior, com o mesmo preço";
                Refusal::invalid("page_token", what)
            };
            page.after = Some(after.ok_or_else(wrong)?);
        }
        Ok(page)
    }

    /// The token of the page after the one that ends with this product.
    pub fn token(&self, last: ProductId) -> String {
        let price = self.max_price.map_or(String::new(), |price| price.centavos().to_string());
        format!("{PAGE_TOKEN_PREFIX}{}:{price}", last.number())
    }
}

/// A float price of the original's contract, taken to the nearest centavo.
///
/// # Errors
/// `INVALID_ARGUMENT` where it is not a number, negative, or too large.
pub fn price_from_float(reais: f32) -> Result<Price, Refusal> {
    let centavos = (f64::from(reais) * 100.0).round();
    let is_within = (0.0..=Price::MAX.centavos() as f64).contains(&centavos);
    is_within
        .then(|| Price::from_centavos(centavos as i64).ok())
        .flatten()
        .ok_or_else(|| Refusal::invalid("preco_max", format!("preço inválido: {reais}")))
}

// --- replies: to the wire ---------------------------------------------------------------

/// A product as the exact contract tells it.
pub fn product_message(product: &Product) -> v1::Product {
    v1::Product {
        name: product.name.as_str().to_owned(),
        price_centavos: product.price.centavos(),
        stock_thousandths: product.stock.thousandths(),
        unit: product.unit.as_str().to_owned(),
    }
}

/// The field of the products in both contracts' lists.
const PRODUCTS_FIELD: u32 = 1;

/// Writes a product as a list's message holds it.
pub type WriteProduct = fn(&Product, &mut Vec<u8>);

/// Writes a product as `ListProductsResponse` holds it.
pub fn write_product(product: &Product, out: &mut Vec<u8>) {
    write_part(PRODUCTS_FIELD, out, |out| write_terms(product, product.price, product.stock, out));
}

/// Writes a product as the original's `ListaProdutos` holds it.
pub fn write_original_product(product: &Product, out: &mut Vec<u8>) {
    prost::encoding::message::encode(PRODUCTS_FIELD, &original_product(product), out);
}

/// The answer to a stock change.
pub fn adjust_response(product: &Product, movement: &Movement) -> v1::AdjustStockResponse {
    v1::AdjustStockResponse {
        product: Some(product_message(product)),
        movement: Some(v1::Movement {
            sequence: movement.sequence,
            product_name: product.name.as_str().to_owned(),
            kind: kind_message(movement.kind),
            delta_thousandths: movement.delta.thousandths(),
            balance_thousandths: movement.balance.thousandths(),
            recorded_at: Some(Timestamp::from(movement.recorded_at)),
            request_id: movement.request_id.as_ref().map_or(String::new(), RequestId::to_string),
        }),
    }
}

/// Writes one answer of a stream of stock changes, with what gRPC puts before a message.
///
/// By hand, because a stream carries hundreds of thousands a second: the generated code copies
/// the names into a message first, and counts the bytes of each part again for each part
/// around it.
pub fn write_stream_answer(answer: Result<(&Product, &Movement), Refusal>, out: &mut Vec<u8>) {
    const ADJUSTED: u32 = 1;
    // Not compressed; the length follows.
    out.push(0);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match answer {
        Ok((product, movement)) => write_part(ADJUSTED, out, |out| write_adjusted(product, movement, out)),
        Err(refusal) => {
            let (reason, message) = (refusal.code.as_str().to_owned(), refusal.message);
            let told = v1::stream_adjust_stock_response::Result::Refused(v1::Refusal { reason, message });
            told.encode(out);
        }
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Writes a `Product`, with this price and stock.
fn write_terms(product: &Product, price: Price, stock: Quantity, out: &mut Vec<u8>) {
    write_text(1, product.name.as_str(), out);
    write_number(2, price.centavos(), out);
    write_number(3, stock.thousandths(), out);
    write_text(4, product.unit.as_str(), out);
}

/// Writes an `AdjustStockResponse`: the product as the change left it, whatever came after.
fn write_adjusted(product: &Product, movement: &Movement, out: &mut Vec<u8>) {
    write_part(1, out, |out| write_terms(product, movement.price, movement.balance, out));
    write_part(2, out, |out| {
        let recorded_at = Timestamp::from(movement.recorded_at);
        write_number(1, movement.sequence, out);
        write_text(2, product.name.as_str(), out);
        write_number(3, kind_message(movement.kind).into(), out);
        write_number(4, movement.delta.thousandths(), out);
        write_number(5, movement.balance.thousandths(), out);
        write_part(6, out, |out| {
            write_number(1, recorded_at.seconds, out);
            write_number(2, recorded_at.nanos.into(), out);
        });
        if let Some(request_id) = &movement.request_id {
            write_text(7, request_id.as_str(), out);
        }
    });
}

/// Writes a message inside another.
fn write_part(tag: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    encode_key(tag, WireType::LengthDelimited, out);
    let start = out.len();
    write(out);
    let end = out.len();
    encode_varint((end - start) as u64, out);
    // The length stands before what it counts.
    let length_bytes = out.len() - end;
    out[start..].rotate_right(length_bytes);
}

fn write_text(tag: u32, text: &str, out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Writes an integer or an enumerator; a zero is not written.
fn write_number(tag: u32, number: i64, out: &mut Vec<u8>) {
    if number != 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(number.cast_unsigned(), out);
    }
}

fn kind_message(kind: Kind) -> i32 {
    let kind = match kind {
        Kind::Adjustment => v1::MovementKind::Adjustment,
        Kind::Opening => v1::MovementKind::Opening,
        Kind::Purchase => v1::MovementKind::Purchase,
        Kind::Sale => v1::MovementKind::Sale,
        Kind::Waste => v1::MovementKind::Waste,
        Kind::Count => v1::MovementKind::Count,
    };
    kind.into()
}

/// The answer to an import. There are never more rows than an `i32` counts.
pub fn import_response(counts: ImportCounts) -> v1::ImportProductsResponse {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    v1::ImportProductsResponse {
        created_count: count(counts.created),
        updated_count: count(counts.updated),
        unchanged_count: count(counts.unchanged),
    }
}

/// A product as the original's contract tells it: a float price, and a stock whose
/// fraction is cut off and which stops at the largest `int32`.
pub fn original_product(product: &Product) -> original::Produto {
    original::Produto {
        nome: product.name.to_string(),
        preco: (product.price.centavos() as f64 / 100.0) as f32,
        quantidade: i32::try_from(product.stock.thousandths() / 1000).unwrap_or(i32::MAX),
    }
}

/// The product line, with which `AtualizarEstoque` answers.
pub fn product_line(product: &Product) -> String {
    let mut line = String::new();
    // Writing to a string cannot fail.
    let _ = write_product_line(&mut line, &product.name, product.price, product.stock);
    line
}

// --- the client's side --------------------------------------------------------------------

/// The message of a stock change.
pub fn adjust_message(request: &AdjustRequest<'_>) -> v1::AdjustStockRequest {
    v1::AdjustStockRequest {
        name: request.name.to_owned(),
        delta_thousandths: request.delta.thousandths(),
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
        kind: kind_message(request.kind),
    }
}

/// The message of an import.
pub fn import_message(request: &ImportRequest) -> v1::ImportProductsRequest {
    let draft = |row: &ProductDraft| v1::ProductDraft {
        name: row.name.to_string(),
        price_centavos: row.price.centavos(),
        unit: row.unit.as_ref().map_or(String::new(), Unit::to_string),
        opening_stock_thousandths: row.opening_stock.thousandths(),
    };
    v1::ImportProductsRequest {
        products: request.rows.iter().map(draft).collect(),
        dry_run: request.is_dry_run,
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
    }
}

/// A product that the server told.
///
/// # Errors
/// Where no server of ours would tell it.
pub fn product_reply(message: Option<v1::Product>) -> Result<ProductReply, NotAReply> {
    let message = message.ok_or(NotAReply)?;
    Ok(ProductReply {
        name: Name::parse(&message.name).map_err(|_| NotAReply)?,
        price: Price::from_centavos(message.price_centavos).map_err(|_| NotAReply)?,
        stock: Quantity::from_thousandths(message.stock_thousandths).map_err(|_| NotAReply)?,
        unit: Some(Unit::parse(&message.unit).map_err(|_| NotAReply)?),
    })
}

/// What the server did with an import.
pub fn import_counts(message: &v1::ImportProductsResponse) -> ImportCounts {
    let count = |count: i32| usize::try_from(count).unwrap_or(0);
    ImportCounts {
        created: count(message.created_count),
        updated: count(message.updated_count),
        unchanged: count(message.unchanged_count),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn a_refusal_crosses_the_wire() {
        let many: Vec<_> = (0..10_000).map(|index| (index, "sem preço".to_owned())).collect();
        let told = refusal(&super::status(Refusal::bad_rows(many))).unwrap();
        assert!(told.rows.len() > 100 && told.rows.len() < 1000);
        assert!(told.message.starts_with("10000 linha(s)"));

        let sent = Refusal::bad_rows(vec![(0, "sem preço".into()), (7, "sem nome".into())]);
        let status = status(sent.clone());
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        let received = refusal(&status).unwrap();
        assert_eq!((received.code, received.message, received.rows), (sent.code, sent.message, sent.rows));
        assert_eq!(refusal(&Status::unavailable("proxy")), None);
    }

    #[test]
    fn a_streams_answers_are_what_the_generated_code_reads() {
        let read = |out: &[u8]| {
            assert_eq!((out[0], &out[1..5]), (0, &u32::try_from(out.len() - 5).unwrap().to_be_bytes()[..]));
            v1::StreamAdjustStockResponse::decode(&out[5..]).unwrap().result.unwrap()
        };
        let mut out = Vec::new();
        let longest = "çãõé".repeat(16);
        for (name, stock, kind, request_id) in [
            ("Caju", 0, Kind::Sale, None),
            (longest.as_str(), Quantity::MAX.thousandths(), Kind::Adjustment, Some("7f".repeat(32))),
        ] {
            let product = Product {
                id: ProductId::FIRST,
                name: Name::parse(name).unwrap(),
                unit: Unit::parse("maço").unwrap(),
                price: Price::from_centavos(stock.min(599)).unwrap(),
                stock: Quantity::from_thousandths(stock).unwrap(),
            };
            let movement = Movement {
                sequence: stock + 1,
                product: product.id,
                kind,
                delta: Quantity::from_units(-7),
                balance: product.stock,
                price: product.price,
                recorded_at: std::time::UNIX_EPOCH + std::time::Duration::from_micros(stock.cast_unsigned()),
                request_id: request_id.map(|id| id.parse().unwrap()),
            };
            out.clear();
            write_stream_answer(Ok((&product, &movement)), &mut out);
            let expected = adjust_response(&product, &movement);
            assert_eq!(read(&out), v1::stream_adjust_stock_response::Result::Adjusted(expected.clone()));
            // Byte for byte: fields in order, zeros left out.
            let generated = v1::StreamAdjustStockResponse { result: Some(read(&out)) };
            assert_eq!(out[5..], generated.encode_to_vec());
        }
        out.clear();
        let refusal = Refusal::no_room();
        write_stream_answer(Err(refusal.clone()), &mut out);
        let v1::stream_adjust_stock_response::Result::Refused(told) = read(&out) else { panic!("{out:?}") };
        assert_eq!((told.reason.as_str(), told.message), (refusal.code.as_str(), refusal.message));
    }

    #[test]
    fn float_prices_go_to_the_nearest_centavo() {
        for (reais, centavos) in [(8.0, 800), (17.17, 1717), (0.006, 1), (0.004, 0), (0.0, 0), (-0.0, 0)] {
            assert_eq!(price_from_float(reais).unwrap().centavos(), centavos);
        }
        for reais in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 1e30] {
            assert_eq!(price_from_float(reais).unwrap_err().code, Code::InvalidArgument, "{reais}");
        }
    }

    #[test]
    fn a_page_token_belongs_to_its_list() {
        let message = |token: &str, max_price_centavos| v1::ListProductsRequest {
            max_price_centavos,
            page_size: 2,
            page_token: token.to_owned(),
        };
        let first = Page::from_message(&message("", Some(800))).unwrap();
        let token = first.token(ProductId::from_number(7).unwrap());
        let second = Page::from_message(&message(&token, Some(800))).unwrap();
        assert_eq!(second, Page { after: ProductId::from_number(7), ..first });
        for (token, price) in [
            (token.as_str(), None),
            (token.as_str(), Some(801)),
            ("x", None),
            ("v1:0:", None),
            ("v1:-1:", None),
            ("v1:07:800", Some(800)),
        ] {
            assert_eq!(Page::from_message(&message(token, price)).unwrap_err().code, Code::InvalidArgument);
        }
    }
}
