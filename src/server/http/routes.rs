//! The routes: what is served at which address.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode, Uri};
use axum::routing::{get, post};

use super::{assets, connect, health, invoice, plain, price_list, report, token};
use crate::catalog::Quoted;
use crate::wire::grpc::INVENTORY_SERVICE;

static ROUTES: LazyLock<Router> = LazyLock::new(|| {
    assets::routes()
        .merge(health::routes())
        .route(&format!("/{INVENTORY_SERVICE}/{{call}}"), post(connect::answer))
        .route("/invoice", post(invoice::answer))
        .route("/price-list", post(price_list::answer))
        .route("/report/{what}", get(report::answer))
        .route("/role", get(token::role))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
});

/// All routes. A request carries its [`Connection`](super::connection::Connection) as an extension.
pub(super) fn routes() -> Router {
    ROUTES.clone()
}

async fn nothing_here(uri: Uri) -> Response<Body> {
    let what = format!("não há nada em {}. Nada foi feito; o painel está em /.", Quoted(uri.path()));
    plain::answer(StatusCode::NOT_FOUND, &what)
}

async fn other_method() -> Response<Body> {
    let what = "este endereço não atende esse método. Nada foi feito; o cabeçalho Allow diz quais atende.";
    plain::answer(StatusCode::METHOD_NOT_ALLOWED, what)
}
