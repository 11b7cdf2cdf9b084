//! `grpc.reflection`: the contracts, for programs that have no files of them, such as grpcurl.

use std::convert::Infallible;
use std::sync::LazyLock;

use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic_reflection::server::Builder;

use super::arriving::Arriving;
use super::own_words;
use crate::wire::grpc::{FILE_DESCRIPTOR_SET, status};

/// The most bytes of a message: the name of a symbol or a file.
pub(super) const MESSAGE_BYTES_MAX: usize = 4096;

/// The version of the contract. Older clients know only the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reflection {
    V1Alpha,
    V1,
}

type Answer = BoxFuture<Response<Body>, Infallible>;

/// A server of one version.
type Server = Box<dyn Fn(Request<Arriving>) -> Answer + Send + Sync>;

static V1_ALPHA: LazyLock<Option<Server>> = LazyLock::new(|| {
    let server = builder().build_v1alpha().ok()?.max_decoding_message_size(MESSAGE_BYTES_MAX);
    Some(Box::new(move |request| server.clone().call(request)))
});

static V1: LazyLock<Option<Server>> = LazyLock::new(|| {
    let server = builder().build_v1().ok()?.max_decoding_message_size(MESSAGE_BYTES_MAX);
    Some(Box::new(move |request| server.clone().call(request)))
});

/// The contracts, and the types of the details of errors, so that clients show them.
fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

impl Reflection {
    /// The version that a path names, if it names one.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" => Some(Self::V1),
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" => Some(Self::V1Alpha),
            _ => None,
        }
    }

    /// Answers a call.
    pub(super) fn answer(self, request: Request<Arriving>) -> Answer {
        let server = match self {
            Self::V1Alpha => &*V1_ALPHA,
            Self::V1 => &*V1,
        };
        match server {
            Some(server) => server(request),
            // The descriptors are checked by a test.
            None => {
                Box::pin(std::future::ready(Ok::<Response<Body>, _>(status(own_words::defect()).into_http())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptors_are_read() {
        assert!(V1_ALPHA.is_some() && V1.is_some());
    }
}
