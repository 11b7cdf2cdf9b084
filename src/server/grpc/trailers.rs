//! The trailers that end a call.

use tonic::Status;
use tonic::codegen::http;

/// The trailers that end a call with this status.
pub(super) fn trailers(status: &Status) -> http::HeaderMap {
    let mut trailers = http::HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // An error is possible only if the text of the status cannot be a header.
        trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from(status.code() as i32));
    }
    trailers
}
