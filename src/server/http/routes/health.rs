//! The addresses for probes and for monitoring: whether the server lives, whether it takes changes, and its
//! metrics.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};

use crate::metrics::{CONTENT_TYPE, write_metrics};
use crate::operation::Permission;
use crate::server::http::connection::Connection;
use crate::server::http::plain;

pub(super) fn routes() -> Router {
    let routes = Router::new().route("/healthz", get(healthz));
    routes.route("/readyz", get(readyz)).route("/metrics", get(metrics))
}

/// Whether the server runs.
async fn healthz() -> Response<Body> {
    plain::answer(StatusCode::OK, "ok")
}

/// Whether the server takes changes.
async fn readyz(Extension(connection): Extension<Arc<Connection>>) -> Response<Body> {
    match connection.service().why_not_ready() {
        None => plain::answer(StatusCode::OK, "ok"),
        Some(why) => plain::answer(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn metrics(Extension(connection): Extension<Arc<Connection>>, headers: HeaderMap) -> Response<Body> {
    if let Err(refused) = connection.admit(&headers, Permission::Read).await {
        return refused;
    }
    let inventory = &connection.service().inventory;
    match inventory.facts().await {
        Ok(facts) => plain::of_type(CONTENT_TYPE, write_metrics(inventory.metrics(), facts)),
        Err(refusal) => plain::answer(StatusCode::SERVICE_UNAVAILABLE, &refusal.message),
    }
}
