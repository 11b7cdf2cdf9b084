//! `POST /price-list`: reads the file of a price list, as `import` does, and stores nothing. The panel shows what
//! was read, and imports it by a call.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prost::Message as _;
use serde_json::{Value, json};

use super::connect;
use crate::catalog::{IMPORT_ROWS_MAX, Name};
use crate::operation::{
    self, IMPORT_BYTES_MAX, ImportRequest, Operation, Permission, ProductsRequest, Reply,
};
use crate::price_list::{self, BAD_ROWS_SHOWN_MAX, Field, PriceList, Reading, names_by_code};
use crate::refusal::{Code, Refusal};
use crate::scale_file::is_scale_file;
use crate::server::grpc::defect;
use crate::server::http::connection::Connection;
use crate::wire::grpc::import_message;
use crate::wire::json::Call;

/// The largest file, in bytes: that of the largest import, whose rows are as long.
pub(super) const PRICE_LIST_BYTES_MAX: usize = IMPORT_BYTES_MAX;

/// The time that a file has to arrive: enough for the largest one at a megabit a second.
const PRICE_LIST_WAIT: Duration = Duration::from_secs(40);

/// The most bytes to which a workbook may unfold: some times those of the largest import, because XML is long.
const WORKBOOK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Answers with the rows of a list.
pub(super) async fn answer(
    Extension(connection): Extension<Arc<Connection>>,
    request: Request<Body>,
) -> Response<Body> {
    if let Err(refused) = connection.admit(request.headers(), Permission::Write).await {
        return refused;
    }
    let read = async {
        // A list holds as much memory as an import, whose turns it takes.
        let _turn = connection.service().turns.take(Operation::ImportProducts).await?;
        let bytes = bytes(request.into_body()).await?;
        let names = known_names(&connection, &bytes).await?;
        tokio::task::spawn_blocking(move || read(&bytes, names)).await.unwrap_or_else(|_| Err(defect()))
    };
    connect::json(read.await)
}

/// The bytes of a file.
///
/// # Errors
/// If they are too many, come too slowly, or end in the middle.
pub(super) async fn bytes(body: Body) -> Result<Bytes, Refusal> {
    let body = Limited::new(body, PRICE_LIST_BYTES_MAX).collect();
    let come = tokio::time::timeout(PRICE_LIST_WAIT, body);
    let come = come.await.map_err(|_| Refusal::message_too_slow(PRICE_LIST_WAIT.as_secs()))?;
    come.map(|body| body.to_bytes()).map_err(|error| match error.is::<LengthLimitError>() {
        true => Refusal::message_too_large(PRICE_LIST_BYTES_MAX),
        false => Refusal::invalid("message", "o arquivo foi cortado antes do fim"),
    })
}

/// How a list is read for the panel: no more than one import may have.
fn reading() -> Reading {
    Reading { rows_max: IMPORT_ROWS_MAX, inflated_bytes_max: WORKBOOK_BYTES_MAX, ..Reading::default() }
}

/// The names of the products that a scale file may have cut.
async fn known_names(connection: &Connection, bytes: &[u8]) -> Result<HashMap<u32, Name>, Refusal> {
    if !is_scale_file(bytes) {
        return Ok(HashMap::new());
    }
    let all = ProductsRequest { has_discontinued: true, ..ProductsRequest::default() };
    match connection.service().inventory.call(operation::Request::ListProducts(all)).await? {
        Reply::Products(products) => Ok(names_by_code(&products)),
        _ => Err(defect()),
    }
}

/// Reads a list.
///
/// # Errors
/// If the file is no price list.
fn read(bytes: &[u8], known_names: HashMap<u32, Name>) -> Result<Value, Refusal> {
    let list = price_list::read_as(bytes, &Reading { known_names, ..reading() })
        .map_err(|error| Refusal::new(Code::InvalidArgument, format!("{error}.")))?;
    let PriceList { source, rows, lines: _, have_stock, columns, bad, notes, is_counted: _ } = list;
    let import = ImportRequest { is_dry_run: true, ..ImportRequest::of_rows(rows, None) };
    let call = Call::of(Operation::ImportProducts).ok_or_else(defect)?;
    let import = call.request_json(&import_message(&import).encode_to_vec())?;
    let columns: Vec<Value> = columns
        .into_iter()
        .map(|(field, heading)| json!({"field": field_name(field), "heading": heading}))
        .collect();
    let bad_count = bad.len();
    let bad: Vec<Value> = bad
        .into_iter()
        .take(BAD_ROWS_SHOWN_MAX)
        .map(|(line, what)| json!({"line": line, "what": what}))
        .collect();
    Ok(json!({
        "products": import.get("products").cloned().unwrap_or_else(|| json!([])),
        "haveStock": have_stock,
        "columns": columns,
        "badCount": bad_count,
        "bad": bad,
        "notes": source.into_iter().chain(notes).collect::<Vec<_>>(),
    }))
}

/// The name of a column's field, for programs.
fn field_name(field: Field) -> &'static str {
    match field {
        Field::Name => "name",
        Field::Price => "price",
        Field::Stock => "stock",
        Field::Unit => "unit",
        Field::Code => "code",
        Field::Barcodes => "barcodes",
        Field::Category => "category",
        Field::Minimum => "minimum",
        Field::Target => "target",
        Field::ShelfLife => "shelfLife",
    }
}
