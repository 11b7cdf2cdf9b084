//! A connection to a server over either transport.

use std::sync::Arc;

use super::error::{ClientError, ConnectionError};
use super::grpc::GrpcConnection;
use super::options::ConnectOptions;
use super::stream::Traffic;
use super::text::TextConnection;
use crate::operation::{Reply, Request};
use crate::wire::Protocol;

/// A connection to a server.
pub enum Connection {
    /// A connection that speaks the text protocol.
    Text(TextConnection),
    /// A connection that speaks gRPC.
    Grpc(GrpcConnection),
}

impl Connection {
    /// Connects to the server at this address. If the options name no protocol, tries gRPC first and then
    /// text. The caller limits the wait.
    ///
    /// # Errors
    /// If no server of ours answers at the address, or the server does not speak as the options demand.
    pub async fn connect(address: &str, options: &ConnectOptions) -> Result<Self, ConnectionError> {
        if options.protocol != Some(Protocol::Text) {
            match GrpcConnection::connect(address, options).await? {
                Some(connection) => return Ok(Connection::Grpc(connection)),
                None if options.protocol.is_some() => {
                    return Err(ConnectionError::TextOnly { address: address.to_owned() });
                }
                None => {}
            }
        }
        Ok(Connection::Text(TextConnection::connect(address, options).await?))
    }

    /// Sends a request, and waits for its reply.
    ///
    /// # Errors
    /// If the server refuses the request (its refusal), or the connection fails (a [`ConnectionError`], after
    /// which the connection cannot be used and a change may or may not have been made).
    pub async fn call(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        match self {
            Connection::Text(connection) => connection.call(request).await,
            Connection::Grpc(connection) => connection.call(request).await,
        }
    }

    /// The count of the connection's bytes.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(match self {
            Connection::Text(connection) => connection.traffic(),
            Connection::Grpc(connection) => connection.traffic(),
        })
    }

    /// The address of the server.
    pub fn address(&self) -> &str {
        match self {
            Connection::Text(connection) => connection.address(),
            Connection::Grpc(connection) => connection.address(),
        }
    }
}
