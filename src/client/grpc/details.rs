//! Removes the details of a status that are not base64: tonic 0.14 panics on them, so another program could
//! crash the shell.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Bytes, Frame};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Response};
use tonic::metadata::MetadataMap;

const DETAILS: &str = "grpc-status-details-bin";

/// Returns the answer without details that tonic cannot read.
pub(super) fn readable(mut answer: Response<Body>) -> Response<Body> {
    check(answer.headers_mut());
    answer.map(|body| Body::new(Readable(body)))
}

struct Readable(Body);

impl hyper::body::Body for Readable {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut frame = ready!(Pin::new(&mut self.0).poll_frame(context));
        if let Some(trailers) = frame.as_mut().and_then(|frame| frame.as_mut().ok()?.trailers_mut()) {
            check(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

fn check(fields: &mut HeaderMap) {
    let mut metadata = MetadataMap::from_headers(std::mem::take(fields));
    if metadata.get_bin(DETAILS).is_some_and(|details| details.to_bytes().is_err()) {
        metadata.remove_bin(DETAILS);
    }
    *fields = metadata.into_headers();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_does_not_panic() {
        let texts = [
            "",
            "=",
            "A",
            "A=",
            "A===",
            "AB",
            "AQ",
            "Ag=",
            "Aw==",
            "ABC",
            "ABA",
            "ABE=",
            "ABE==",
            "ABCD",
            "ABCD=",
            "ABCD====",
            "A=BC",
            "AA-_",
            "!!",
            "ABC\u{e7}",
        ];
        let mut left = Vec::new();
        for text in texts {
            let mut fields = HeaderMap::new();
            fields.insert(Status::GRPC_STATUS, "3".parse().unwrap());
            fields.insert(DETAILS, text.parse().unwrap());
            check(&mut fields);
            if fields.contains_key(DETAILS) {
                left.push(text);
            }
            assert!(Status::from_header_map(&fields).is_some());
        }
        assert_eq!(left, ["", "AQ", "Ag=", "Aw==", "ABA", "ABE=", "ABCD"]);
    }
}
