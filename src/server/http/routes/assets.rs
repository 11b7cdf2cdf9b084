//! The files of the panel.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use ring::digest::{SHA256, digest};

use crate::panel::{Asset, PANEL};

/// The bytes of a file's hash in its entity tag.
const TAG_BYTES: usize = 16;

/// A route for each file.
pub(super) fn routes() -> Router {
    PANEL.iter().fold(Router::new(), |router, asset| {
        let tag = tag(asset);
        router.route(asset.path, get(async move |headers: HeaderMap| answer(asset, &tag, &headers)))
    })
}

/// The entity tag of a file, by which a browser notices that it has the file already.
fn tag(asset: &Asset) -> HeaderValue {
    let hash = digest(&SHA256, asset.bytes);
    let mut tag = String::from("\"");
    for byte in &hash.as_ref()[..TAG_BYTES] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    HeaderValue::try_from(tag).expect("hexadecimal digits are a header")
}

fn answer(asset: &'static Asset, tag: &HeaderValue, headers: &HeaderMap) -> Response<Body> {
    let is_known = headers.get(header::IF_NONE_MATCH) == Some(tag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(asset.bytes) });
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag.clone());
    // The browser asks each time, because another version of the server may answer.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    }
    response
}
