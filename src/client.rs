//! The client's side: the trait that both transports implement, and the one that finds
//! the server again.

mod grpc;
mod socket;

use std::io;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use uuid::Uuid;

use crate::access::Secret;
use crate::request::{Code, Refusal, Reply, Request};
use crate::system_error::told;
use crate::tls::Problem;
use crate::wire::Protocol;
pub(crate) use grpc::{ShowToken, Stream, shake_hands};

/// How long to wait for a server to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for an answer, or for the next part of one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait for a server's first bytes, which tell what it is.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to look for a server that went away, before giving up: a restart takes less.
const RECONNECT_FOR: Duration = Duration::from_secs(10);

/// How long to wait between two attempts to find it.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// How often a wait looks whether it was interrupted.
const INTERRUPT_LOOK: Duration = Duration::from_millis(100);

/// Ctrl-C is the process's, and so is this.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends the wait for an answer, in whichever client waits.
pub fn interrupt() {
    IS_INTERRUPTED.store(true, Ordering::Relaxed);
}

fn take_interrupt() -> bool {
    IS_INTERRUPTED.swap(false, Ordering::Relaxed)
}

/// A conversation with a server.
pub trait Client {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The server's refusal; or that the conversation broke, after which the client is of
    /// no more use and whether a change was made is not known.
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, Failure>;
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server, or the client in its place, refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no server, or the conversation with it broke.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Why a conversation broke.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// No server is known.
    #[error("{0}")]
    NoServer(String),
    /// Nothing accepts connections there.
    #[error(
        "nenhum servidor responde em {address} ({}). Nada foi enviado; inicie um com `hortifruti serve`",
        told(.error)
    )]
    Connect {
        /// Where.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// The connection ended before the answer.
    #[error("a conexão com o servidor caiu antes da resposta: {0}")]
    Lost(String),
    /// What answers is not a server of ours, or does not speak what was asked for.
    #[error(
        "o que responde em {address} não é um servidor hortifruti que fale {protocol}. Confira --server e --port-file"
    )]
    NotOurs {
        /// Where.
        address: String,
        /// In which protocol it was spoken to.
        protocol: &'static str,
    },
    /// The server speaks only text, and gRPC was asked for.
    #[error(
        "o servidor em {address} atende só o protocolo de texto. Nada foi enviado; use --socket, ou inicie-o também com --grpc"
    )]
    TextOnly {
        /// Where.
        address: String,
    },
    /// The server speaks only TLS.
    #[error(
        "o servidor em {address} atende só por TLS. Nada foi enviado; use --tls, e --tls-ca se a autoridade dele é só sua"
    )]
    TlsOnly {
        /// Where.
        address: String,
    },
    /// TLS was not spoken.
    #[error("a conexão por TLS com {address} não foi feita. Nada foi alterado; {problem}")]
    Tls {
        /// Where.
        address: String,
        /// Why.
        problem: Problem,
    },
    /// Whoever is between could read the token.
    #[error(
        "o token iria sem TLS a outra máquina ({address}), à vista de quem está no caminho. Nada foi enviado; \
         use --tls, ou --insecure se a rede é só sua"
    )]
    TokenInTheClear {
        /// Where.
        address: String,
    },
    /// The person waits no longer.
    #[error("a espera foi interrompida")]
    Interrupted,
    /// A change was sent, and its answer never came.
    #[error(
        "a mudança foi enviada e a resposta não chegou. Não se sabe se ela foi feita; repita com o \
         mesmo identificador de pedido, que não a faz duas vezes: id={request_id} no shell, \
         --request-id {request_id} na linha de comando"
    )]
    InDoubt {
        /// The id under which it can be repeated.
        request_id: String,
    },
}

/// How a server is spoken to.
#[derive(Clone, Default)]
pub struct Manner {
    /// In which protocol; without one, that is found out.
    pub protocol: Option<Protocol>,
    /// Over TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// With this token.
    pub token: Option<Secret>,
    /// Whether the token may be shown to another machine without TLS.
    pub is_insecure: bool,
}

impl Manner {
    /// Whether the token, if there is one, may be shown to this address: not where others
    /// could read it on the way.
    fn may_speak_to(&self, peer: IpAddr) -> bool {
        self.token.is_none() || self.tls.is_some() || self.is_insecure || peer.to_canonical().is_loopback()
    }
}

/// Connects to a server. Without a protocol, finds out which it speaks, gRPC first.
///
/// # Errors
/// Where nothing answers there, or what answers is no server of ours.
pub fn connect(address: &str, manner: &Manner) -> Result<Box<dyn Client>, Broken> {
    let protocol = manner.protocol;
    if protocol != Some(Protocol::Text) {
        match grpc::GrpcClient::connect(address, manner) {
            Ok(Some(client)) => return Ok(Box::new(client)),
            Ok(None) if protocol.is_some() => {
                return Err(Broken::TextOnly { address: address.to_owned() });
            }
            Ok(None) => {}
            Err(broken) => return Err(broken),
        }
    }
    Ok(Box::new(socket::SocketClient::connect(address, manner)?))
}

/// The first of an address's machines that accepts a connection.
pub(crate) fn open(address: &str, manner: &Manner) -> Result<TcpStream, Broken> {
    let failed = |error| Broken::Connect { address: address.to_owned(), error };
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for candidate in address.to_socket_addrs().map_err(failed)? {
        match TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT) {
            Ok(stream) => {
                // A request is one small write, which must not wait for another.
                stream.set_nodelay(true).map_err(failed)?;
                if !manner.may_speak_to(candidate.ip()) {
                    return Err(Broken::TokenInTheClear { address: address.to_owned() });
                }
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// A connection to that address failed: by TLS, or by anything else.
fn lost(address: &str, error: &io::Error) -> Broken {
    match Problem::of(error) {
        Some(problem) => Broken::Tls { address: address.to_owned(), problem },
        None => Broken::Lost(told(error)),
    }
}

/// Finds a server and connects to it.
pub type Connector = Box<dyn FnMut() -> Result<Box<dyn Client>, Broken>>;

/// A client that finds the server again when it went away, and repeats what was asked. It
/// gives every change a request id, so that a repeated change is made once.
pub struct Reconnecting {
    connector: Connector,
    client: Option<Box<dyn Client>>,
    /// Told once for each search.
    notify: fn(&Broken),
}

impl Reconnecting {
    /// Connects.
    ///
    /// # Errors
    /// Where there is no server now: nothing was asked yet, so nothing is waited for. One
    /// that hung up is perhaps just restarting, and is looked for when it is asked.
    pub fn connect(mut connector: Connector, notify: fn(&Broken)) -> Result<Self, Broken> {
        let client = match connector() {
            Ok(client) => Some(client),
            Err(Broken::Lost(_)) => None,
            Err(broken) => return Err(broken),
        };
        Ok(Self { connector, client, notify })
    }

    /// Asks once, without looking for the server if it is gone.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn call_once(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => (self.connector)()?,
        };
        let answer = client.call(request);
        if !matches!(answer, Err(Failure::Broken(_))) {
            self.client = Some(client);
        }
        answer
    }

    /// Asks until there is an answer or the time is over. Also tells whether an earlier
    /// attempt may have arrived.
    fn call_until(&mut self, request: &Request<'_>) -> (Result<Reply, Failure>, bool) {
        // Of an earlier wait.
        take_interrupt();
        let give_up = Instant::now() + RECONNECT_FOR;
        let mut has_told = false;
        let mut may_have_arrived = false;
        loop {
            match self.call_once(request) {
                Err(Failure::Broken(broken)) => {
                    may_have_arrived |= matches!(broken, Broken::Lost(_) | Broken::Interrupted);
                    if !broken.may_pass() || Instant::now() >= give_up || take_interrupt() {
                        return (Err(broken.into()), may_have_arrived);
                    }
                    if !std::mem::replace(&mut has_told, true) {
                        (self.notify)(&broken);
                    }
                    std::thread::sleep(RECONNECT_PAUSE);
                }
                answer => return (answer, may_have_arrived),
            }
        }
    }
}

impl Client for Reconnecting {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        let mut request = request.clone();
        let request_id = match &mut request {
            Request::Adjust(adjust) => &mut adjust.request_id,
            Request::Import(import) => &mut import.request_id,
            Request::Find { .. } | Request::List { .. } | Request::Leave => {
                return self.call_until(&request).0;
            }
        };
        if request_id.is_none() {
            *request_id = Uuid::now_v7().to_string().parse().ok();
        }
        let request_id = request_id.as_ref().map_or(String::new(), ToString::to_string);
        match self.call_until(&request) {
            (Err(Failure::Broken(_)), true) => Err(Broken::InDoubt { request_id }.into()),
            (Err(Failure::Refused(refusal)), true) if refusal.code == Code::Unavailable => {
                Err(Broken::InDoubt { request_id }.into())
            }
            (Err(Failure::Refused(mut refusal)), _) if refusal.code == Code::OutcomeUnknown => {
                refusal.message.push_str(&format!(" O identificador deste pedido é {request_id}."));
                Err(refusal.into())
            }
            (answer, _) => answer,
        }
    }
}

impl Broken {
    /// Whether trying again can help.
    fn may_pass(&self) -> bool {
        matches!(self, Broken::NoServer(_) | Broken::Connect { .. } | Broken::Lost(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_only_where_nobody_else_can_read_it() {
        let secret = || Secret::parse("segredo");
        let open = Manner { token: secret(), ..Manner::default() };
        for (peer, may) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
            ("::", false),
        ] {
            assert_eq!(open.may_speak_to(peer.parse().unwrap()), may, "{peer}");
        }
        let stranger: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(Manner::default().may_speak_to(stranger));
        assert!(Manner { token: secret(), is_insecure: true, ..Manner::default() }.may_speak_to(stranger));
        let config = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let hidden = Manner { token: secret(), tls: Some(config.into()), ..Manner::default() };
        assert!(hidden.may_speak_to(stranger));
    }
}
