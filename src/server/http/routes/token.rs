//! Tokens of requests that are no calls: `Authorization: Bearer`, as for calls.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderMap, Response};
use serde_json::json;

use super::connect::refused;
use crate::access::{self, Identity};
use crate::operation::Permission;
use crate::server::http::connection::Connection;
use crate::server::http::plain;

impl Connection {
    /// The identity of the client of a request, if it may do what the route does.
    ///
    /// # Errors
    /// If the client shows no token or a wrong one, or its token does not permit this: the answer, which comes
    /// late for a wrong token.
    pub(super) async fn admit(
        &self,
        headers: &HeaderMap,
        permission: Permission,
    ) -> Result<Identity, Response<Body>> {
        let identity = self.router.identity(headers).await.map_err(refused)?;
        access::check(&identity, permission).map_err(refused)?;
        Ok(identity)
    }
}

/// `GET /role`: the role and the name of the client's token, so that a page shows what it may do, both empty if
/// the server asks for no token; and the server's time in milliseconds since 1970, by which a page whose clock is
/// wrong knows when something happened.
pub(super) async fn role(
    Extension(connection): Extension<Arc<Connection>>,
    headers: HeaderMap,
) -> Response<Body> {
    let (role, name) = match connection.router.identity(&headers).await {
        Ok(Identity::Open) => ("", String::new()),
        Ok(Identity::Token { role, name, .. }) => (role.word(), name.to_string()),
        Ok(Identity::Unknown) => return refused(access::no_token()),
        Err(refusal) => return refused(refusal),
    };
    let time =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    plain::of_type("application/json", json!({ "role": role, "name": name, "time": time }).to_string())
}
