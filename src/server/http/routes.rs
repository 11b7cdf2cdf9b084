//! The routes: what is served at which address, to requests that are no gRPC.

mod assets;
mod connect;
mod guard;
mod health;
mod held;
mod invoice;
mod price_list;
mod report;
mod token;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use axum::routing::{get, post};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::connection::Connection;
use super::plain;
use crate::catalog::Quoted;
use crate::server::grpc::Answer;
use crate::wire::grpc::INVENTORY_SERVICE;

/// All routes. A request carries its [`Connection`] as an extension.
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

/// Answers a request that is no gRPC.
pub(super) fn answer(connection: Arc<Connection>, mut request: Request<Incoming>) -> Answer {
    Box::pin(async move {
        let is_last = request.version() != Version::HTTP_2 && connection.is_last(request.headers());
        let mut response = match guard::check(&request, &connection.service().hosts, connection.local) {
            Err(refused) => refused.answer(),
            Ok(()) => {
                request.extensions_mut().insert(connection);
                let Ok(response) = ROUTES.clone().oneshot(request).await;
                response
            }
        };
        let headers = response.headers_mut();
        plain::secure(headers);
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if is_last {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(tonic::body::Body::new))
    })
}

async fn nothing_here(uri: Uri) -> Response<Body> {
    let what = format!("não há nada em {}. Nada foi feito; o painel está em /.", Quoted(uri.path()));
    plain::answer(StatusCode::NOT_FOUND, &what)
}

async fn other_method() -> Response<Body> {
    let what = "este endereço não atende esse método. Nada foi feito; o cabeçalho Allow diz quais atende.";
    plain::answer(StatusCode::METHOD_NOT_ALLOWED, what)
}
