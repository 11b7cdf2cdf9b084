//! Tokens of requests that are no calls: `Authorization: Bearer`, as for calls.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::connection::Connection;
use super::plain;
use crate::access::{self, Identity};
use crate::operation::Permission;
use crate::refusal::Refusal;

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

/// The answer to a client that may not do this (RFC 6750 §3).
fn refused(refusal: Refusal) -> Response<Body> {
    let mut response = plain::answer(StatusCode::UNAUTHORIZED, &refusal.message);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
