//! The errors of calls without a reply.

use std::io;

use crate::catalog::RequestId;
use crate::io_error::describe;
use crate::refusal::{Code, Refusal};
use crate::tls::Problem;

/// The reason why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server, or the client in its place, refused the request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no server, or the connection broke.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

/// The reason why there is no connection, or why the connection cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// No server is known.
    #[error("{0}")]
    NoServer(String),
    /// Nothing accepts connections at the address.
    #[error(
        "nenhum servidor responde em {address} ({}). Nada foi enviado; inicie um com `hortifruti serve`",
        describe(.error)
    )]
    Connect {
        /// The address.
        address: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The connection ended before the answer.
    #[error(
        "a conexão com o servidor caiu antes da resposta: {0}. Tente de novo, e veja o log do servidor se \
         continuar assim"
    )]
    Lost(String),
    /// Another program answers, or a server that does not speak the requested protocol.
    #[error(
        "o programa em {address} não é um servidor hortifruti com {protocol}. Nada foi alterado; confira --server e --port-file"
    )]
    NotOurs {
        /// The address.
        address: String,
        /// The protocol that the client spoke.
        protocol: &'static str,
    },
    /// The server speaks only text, but the client requested gRPC.
    #[error(
        "o servidor em {address} atende só o protocolo de texto. Nada foi enviado; use --socket, ou inicie-o também com --grpc"
    )]
    TextOnly {
        /// The address.
        address: String,
    },
    /// The server speaks HTTP, and perhaps text, but no gRPC.
    #[error(
        "o servidor em {address} não atende gRPC. Nada foi feito; {}inicie-o também com --grpc",
        if *.has_text { "use --socket, ou " } else { "abra-o num navegador, ou " }
    )]
    NoGrpc {
        /// The address.
        address: String,
        /// Whether the server speaks text.
        has_text: bool,
    },
    /// The server speaks only TLS.
    #[error(
        "o servidor em {address} atende só por TLS. Nada foi enviado; use --tls, e --tls-ca se a autoridade dele é só sua"
    )]
    TlsOnly {
        /// The address.
        address: String,
    },
    /// The TLS handshake failed.
    #[error("a conexão TLS com {address} falhou. Nada foi alterado; {problem}")]
    Tls {
        /// The address.
        address: String,
        /// The reason.
        problem: Problem,
    },
    /// Others on the way could read the token.
    #[error(
        "o token seria enviado a outra máquina ({address}) sem TLS e poderia ser lido no caminho. Nada foi enviado; \
         use --tls, ou --insecure se a rede é só sua"
    )]
    TokenInTheClear {
        /// The address.
        address: String,
    },
    /// The server accepts connections and sends nothing.
    #[error(
        "o servidor em {address} aceita conexões e não responde: está parado ou ocupado demais. Nada foi \
         alterado; tente de novo daqui a pouco, e veja o log do servidor se continuar assim"
    )]
    NotAnswering {
        /// The address.
        address: String,
    },
    /// The answer came so slowly that the wait was ended.
    #[error(
        "a resposta do servidor em {address} chega devagar demais e foi abandonada. Nada foi alterado; \
         confira a rede e tente de novo"
    )]
    TooSlow {
        /// The address.
        address: String,
    },
    /// The answer belongs to another request: the connection is out of step.
    #[error(
        "o servidor respondeu sobre {answered}, mas o pedido era sobre {asked}. A resposta foi descartada; \
         tente de novo, e confira a rede entre este cliente e o servidor se continuar assim"
    )]
    OtherAnswer {
        /// The subject of the request.
        asked: String,
        /// The subject of the answer.
        answered: String,
    },
    /// The person ended the wait.
    #[error("a espera foi interrompida. Nada foi alterado; tente de novo quando quiser")]
    Interrupted,
    /// A change was sent, and nobody knows whether it was made.
    #[error("{cause}. Não se sabe se ela foi feita; {again}")]
    InDoubt {
        /// The cause, as a sentence about the change without its full stop.
        cause: String,
        /// The id under which the change can be repeated.
        request_id: RequestId,
        /// How to repeat the change.
        again: String,
    },
}

impl ClientError {
    /// The address of the server that writes for the shop, if a server that stands by refused the request. Empty
    /// if no server writes.
    pub(super) fn holder(&self) -> Option<&str> {
        match self {
            ClientError::Refused(refusal) => refusal.holder(),
            ClientError::Connection(_) => None,
        }
    }

    /// Adds to the error of a change in doubt how to repeat the change.
    pub fn with_again(mut self, describe: impl FnOnce(&RequestId) -> String) -> Self {
        if let ClientError::Connection(ConnectionError::InDoubt { request_id, again, .. }) = &mut self {
            *again = describe(request_id);
        }
        self
    }

    /// The error of a change that was sent at least once, if this attempt does not decide whether the
    /// change was made.
    pub(super) fn in_doubt(self, request_id: &RequestId) -> Self {
        let cause = match &self {
            ClientError::Refused(refusal) if refusal.code == Code::OutcomeUnknown => {
                "o servidor não pôde gravar a mudança; confira o log dele"
            }
            ClientError::Connection(ConnectionError::NotOurs { .. }) => {
                "a mudança foi enviada, mas a resposta não é de um servidor hortifruti; confira --server e --port-file"
            }
            ClientError::Refused(refusal) if !is_about_the_change(refusal.code) => {
                "a mudança foi enviada, a resposta não chegou, e o servidor agora recusa a repetição"
            }
            ClientError::Refused(_) => return self,
            ClientError::Connection(ConnectionError::OtherAnswer { .. }) => {
                "a mudança foi enviada, mas a resposta é sobre outro pedido"
            }
            ClientError::Connection(_) => "a mudança foi enviada e a resposta não chegou",
        };
        let again = format!(
            "repita com o mesmo identificador de pedido, que não a faz duas vezes: id={request_id} no \
             protocolo de texto, --request-id {request_id} na linha de comando"
        );
        ConnectionError::InDoubt { cause: cause.to_owned(), request_id: request_id.clone(), again }.into()
    }
}

/// Whether a refusal with this code is about the change itself. The server checks the request id first, so
/// such a change was not made before.
fn is_about_the_change(code: Code) -> bool {
    match code {
        Code::ProductNotFound
        | Code::MovementNotFound
        | Code::NameTaken
        | Code::CodeTaken
        | Code::Discontinued
        | Code::AlreadyUndone
        | Code::InsufficientStock
        | Code::InvalidArgument
        | Code::UnknownCommand
        | Code::RequestIdReused
        | Code::OutOfRange => true,
        Code::Unauthenticated
        | Code::ResourceExhausted
        | Code::Unavailable
        | Code::DeadlineExceeded
        | Code::OutcomeUnknown
        | Code::Internal => false,
    }
}

impl ConnectionError {
    /// The error of a connection to this address that failed with an I/O error, perhaps of TLS.
    pub(super) fn of_io(address: &str, error: &io::Error) -> Self {
        match Problem::of(error) {
            Some(problem) => ConnectionError::Tls { address: address.to_owned(), problem },
            None => ConnectionError::Lost(describe(error)),
        }
    }

    /// Whether another attempt can help.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            ConnectionError::NoServer(_)
                | ConnectionError::Connect { .. }
                | ConnectionError::Lost(_)
                | ConnectionError::NotAnswering { .. }
                | ConnectionError::OtherAnswer { .. }
        )
    }
}
