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
    /// Over the text protocol.
    Text(TextConnection),
    /// Over gRPC.
    Grpc(GrpcConnection),
}

impl Connection {
    /// Connects to the server at this address. If the options name no protocol, finds out which the
    /// server speaks, gRPC first. Waits for as long as the network lets it.
    ///
    /// # Errors
    /// If no server of ours answers at the address, or not in the way that the options ask for.
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
    /// The server's refusal; or a [`ConnectionError`], after which the connection is of no more use and
    /// whether a change was made is not known.
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

    /// The address that was connected to.
    pub fn address(&self) -> &str {
        match self {
            Connection::Text(connection) => connection.address(),
            Connection::Grpc(connection) => connection.address(),
        }
    }
}
