//! The client's side: the trait that both transports implement, and the one that finds
//! the server again.

mod grpc;
mod patience;
mod socket;

use std::io;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use uuid::Uuid;

use crate::access::Secret;
use crate::catalog::{Key, Name, Quoted, RequestId};
use crate::io_error::describe;
use crate::operation::{AdjustRequest, Reply, Request};
use crate::refusal::{Code, Refusal};
use crate::tls::Problem;
use crate::wire::Protocol;
pub(crate) use grpc::{ShowToken, Stream, shake_hands};
pub use patience::{News, Patience, interrupt};

/// Longest time that the system waits for one machine to accept a connection; [`Patience`] usually
/// gives up before.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to look for a server that went away, before giving up: a restart takes less.
const RECONNECT_FOR: Duration = Duration::from_secs(10);

/// How long to wait between two attempts to find it.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// A conversation with a server.
pub trait Client: Send {
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
        describe(.error)
    )]
    Connect {
        /// Where.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// The connection ended before the answer.
    #[error(
        "a conexão com o servidor caiu antes da resposta: {0}. Tente de novo, e veja o terminal do servidor se \
         continuar assim"
    )]
    Lost(String),
    /// What answers is not a server of ours, or does not speak what was asked for.
    #[error(
        "o que responde em {address} não é um servidor hortifruti que fale {protocol}. Nada foi alterado; confira --server e --port-file"
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
    /// The server accepts connections and sends nothing.
    #[error(
        "o servidor em {address} aceita conexões e não responde: está parado ou ocupado demais. Nada foi \
         alterado; tente de novo daqui a pouco, e veja o terminal do servidor se continuar assim"
    )]
    NotAnswering {
        /// The server's address.
        address: String,
    },
    /// The answer came so slowly that the wait was ended.
    #[error(
        "a resposta do servidor em {address} vem devagar demais e foi abandonada. Nada foi alterado; \
         confira a rede e tente de novo"
    )]
    TooSlow {
        /// The server's address.
        address: String,
    },
    /// The answer is to another question: the conversation is out of step.
    #[error(
        "o servidor respondeu sobre {answered}, e a pergunta era sobre {asked}. A resposta foi descartada; \
         tente de novo, e veja o que está entre este cliente e o servidor se continuar assim"
    )]
    OtherAnswer {
        /// The subject of the question.
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
        /// The id under which it can be repeated.
        request_id: RequestId,
        /// How to repeat the change.
        again: String,
    },
}

impl Failure {
    /// This failure; if a change is in doubt, with how to repeat it.
    pub fn with_again(mut self, again: impl FnOnce(&RequestId) -> String) -> Self {
        if let Failure::Broken(Broken::InDoubt { request_id, again: told, .. }) = &mut self {
            *told = again(request_id);
        }
        self
    }

    /// The failure of a change that was sent at least once, if this attempt does not decide
    /// whether it was made.
    fn in_doubt(self, request_id: &RequestId) -> Self {
        let cause = match &self {
            Failure::Refused(refusal) if refusal.code == Code::OutcomeUnknown => {
                "o servidor não pôde gravar a mudança; confira o disco dele"
            }
            Failure::Broken(Broken::NotOurs { .. }) => {
                "a mudança foi enviada, e o que respondeu não é um servidor hortifruti; confira --server e --port-file"
            }
            Failure::Refused(refusal) if !is_about_the_change(refusal.code) => {
                "a mudança foi enviada, a resposta não chegou, e o servidor agora recusa a repetição"
            }
            Failure::Refused(_) => return self,
            Failure::Broken(Broken::OtherAnswer { .. }) => {
                "a mudança foi enviada, e a resposta que veio é sobre outra coisa"
            }
            Failure::Broken(_) => "a mudança foi enviada e a resposta não chegou",
        };
        let again = format!(
            "repita com o mesmo identificador de pedido, que não a faz duas vezes: id={request_id} no \
             protocolo de texto, --request-id {request_id} na linha de comando"
        );
        Broken::InDoubt { cause: cause.to_owned(), request_id: request_id.clone(), again }.into()
    }
}

/// Whether a refusal with this code is about the change itself. The server looks for the id of a change
/// first, so such a change was not made before.
fn is_about_the_change(code: Code) -> bool {
    match code {
        Code::ProductNotFound
        | Code::MovementNotFound
        | Code::InsufficientStock
        | Code::AlreadyUndone
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
/// If nothing answers at the address, or a server that is not ours.
pub fn connect(address: &str, manner: &Manner, patience: &Patience) -> Result<Box<dyn Client>, Broken> {
    patience.begin_connecting();
    let protocol = manner.protocol;
    if protocol != Some(Protocol::Text) {
        match grpc::GrpcClient::connect(address, manner, patience)? {
            Some(client) => return Ok(Box::new(client)),
            None if protocol.is_some() => {
                return Err(Broken::TextOnly { address: address.to_owned() });
            }
            None => {}
        }
    }
    Ok(Box::new(socket::SocketClient::connect(address, manner, patience)?))
}

/// The first of an address's machines that accepts a connection.
pub(crate) fn open(address: &str, manner: &Manner, patience: &Patience) -> Result<TcpStream, Broken> {
    let (sender, receiver) = mpsc::channel();
    let (dialed, manner) = (address.to_owned(), manner.clone());
    // The connection is made in a thread of its own, because neither the system's search for a name nor
    // its wait for a connection can be interrupted.
    std::thread::Builder::new()
        .name("hortifruti-connect".to_owned())
        .spawn(move || sender.send(dial(&dialed, &manner)))
        .map_err(|error| Broken::Connect { address: address.to_owned(), error })?;
    loop {
        match receiver.recv_timeout(patience::LOOK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => patience.look(address)?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Broken::Lost("a tentativa terminou sem resultado".to_owned()));
            }
        }
    }
}

fn dial(address: &str, manner: &Manner) -> Result<TcpStream, Broken> {
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
    match last.kind() {
        // The server's queue of connections is full, or something on the way swallows them.
        io::ErrorKind::TimedOut => Err(Broken::NotAnswering { address: address.to_owned() }),
        _ => Err(failed(last)),
    }
}

/// A connection to that address failed: by TLS, or by anything else.
fn lost(address: &str, error: &io::Error) -> Broken {
    match Problem::of(error) {
        Some(problem) => Broken::Tls { address: address.to_owned(), problem },
        None => Broken::Lost(describe(error)),
    }
}

/// Finds a server and connects to it.
pub type Connector = Arc<dyn Fn(&Patience) -> Result<Box<dyn Client>, Broken> + Send + Sync>;

/// A client that finds the server again when it went away, and repeats what was asked. It
/// gives every change a request id, so that a repeated change is made once.
pub struct Reconnecting {
    connector: Connector,
    client: Option<Box<dyn Client>>,
    patience: Patience,
}

/// The outcome of one attempt.
struct Attempt {
    answer: Result<Reply, Failure>,
    /// Whether the request may have reached a server.
    has_asked: bool,
}

impl Reconnecting {
    /// Connects.
    ///
    /// # Errors
    /// If no server is there now: nothing was asked yet, so there is nothing to wait for. A server that
    /// hangs up may be restarting, and one that does not answer is busy: for these two the client tries
    /// as long as for a request.
    pub fn connect(connector: Connector, patience: Patience) -> Result<Self, Failure> {
        let mut client = Self::unconnected(connector, patience);
        let mut is_worth_it = false;
        let connected = client.try_on(|this| {
            let connected = (this.connector)(&this.patience);
            is_worth_it |= matches!(connected, Err(Broken::Lost(_) | Broken::NotAnswering { .. }));
            (connected.map_err(Failure::from), is_worth_it)
        });
        client.client = Some(connected?);
        Ok(client)
    }

    /// A client that connects when it is first asked.
    pub fn unconnected(connector: Connector, patience: Patience) -> Self {
        Self { connector, client: None, patience }
    }

    /// Sends a request once, waits no longer than `time_max`, and does not look for the server if it is gone.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn call_once(&mut self, request: &Request<'_>, time_max: Duration) -> Result<Reply, Failure> {
        let end = Instant::now() + time_max;
        self.patience.begin(end, Some(end));
        let attempt = self.attempt(request);
        self.patience.end();
        attempt.answer
    }

    /// Repeats a change that may have been made before, under its id.
    ///
    /// # Errors
    /// If [`Client::call`] would fail. The change stays in doubt until an answer decides it.
    pub fn repeat(&mut self, change: &Request<'_>) -> Result<Reply, Failure> {
        self.change(change, true)
    }

    fn change(&mut self, change: &Request<'_>, mut may_be_made: bool) -> Result<Reply, Failure> {
        let mut change = change.clone();
        let request_id = match &mut change {
            Request::Adjust(adjust) => &mut adjust.request_id,
            Request::Batch(batch) => &mut batch.request_id,
            Request::Import(import) if !import.is_dry_run => &mut import.request_id,
            _ => return self.try_on(|this| (this.attempt(&change).answer, true)),
        };
        let request_id = request_id.get_or_insert_with(new_request_id).clone();
        let answer = self.try_on(|this| {
            let attempt = this.attempt(&change);
            may_be_made |= attempt.has_asked && matches!(attempt.answer, Err(Failure::Broken(_)));
            (attempt.answer, true)
        });
        match answer {
            Err(failure) if may_be_made => Err(failure.in_doubt(&request_id)),
            Err(Failure::Refused(refusal)) if refusal.code == Code::OutcomeUnknown => {
                Err(Failure::from(refusal).in_doubt(&request_id))
            }
            answer => answer,
        }
    }

    fn attempt(&mut self, request: &Request<'_>) -> Attempt {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => match (self.connector)(&self.patience) {
                Ok(client) => client,
                Err(broken) => return Attempt { answer: Err(broken.into()), has_asked: false },
            },
        };
        let answer = client.call(request).and_then(|reply| answering(request, reply));
        if !matches!(answer, Err(Failure::Broken(_))) {
            self.client = Some(client);
        }
        // A server that speaks only TLS says so instead of answering.
        let has_asked = !matches!(answer, Err(Failure::Broken(Broken::TlsOnly { .. })));
        Attempt { answer, has_asked }
    }

    /// Repeats an attempt until it succeeds, cannot succeed, or the time is over. Each attempt also
    /// says whether another may follow.
    fn try_on<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> (Result<T, Failure>, bool),
    ) -> Result<T, Failure> {
        let end = Instant::now() + RECONNECT_FOR;
        self.patience.begin(end, None);
        let result = loop {
            let (result, may_go_on) = attempt(self);
            match &result {
                Err(Failure::Broken(broken)) if may_go_on && broken.may_pass() => {
                    if Instant::now() >= end || self.patience.take_interrupt() {
                        break result;
                    }
                    self.patience.tell_search(broken);
                    std::thread::sleep(RECONNECT_PAUSE);
                }
                _ => break result,
            }
        };
        self.patience.end();
        result
    }
}

impl Client for Reconnecting {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        self.change(request, false)
    }
}

/// A new id for a change. Ids made later are greater.
pub fn new_request_id() -> RequestId {
    Uuid::now_v7().to_string().parse().expect("a UUID is a request id")
}

/// The reply, if it is about the subject of the request.
fn answering(request: &Request<'_>, reply: Reply) -> Result<Reply, Failure> {
    let other = match (request, &reply) {
        (Request::Find { name } | Request::Adjust(AdjustRequest { name, .. }), Reply::Product(product)) => {
            // A number may be a code, which finds a product of any name.
            let is_code = name.chars().all(|character| character.is_ascii_digit());
            let is_same =
                product.name.key() == Name::parse(name).map_or_else(|_| Key::fold(name), |name| name.key());
            (!is_code && !is_same).then(|| (Quoted(name).to_string(), product))
        }
        (Request::List { max_price: Some(max_price) }, Reply::Products(products)) => products
            .iter()
            .find(|product| product.price > *max_price)
            .map(|product| (format!("produtos até R${max_price}"), product)),
        _ => None,
    };
    match other {
        Some((asked, product)) => {
            let answered = Quoted(product.name.as_str()).to_string();
            Err(Broken::OtherAnswer { asked, answered }.into())
        }
        None => Ok(reply),
    }
}

impl Broken {
    /// Whether trying again can help.
    fn may_pass(&self) -> bool {
        matches!(
            self,
            Broken::NoServer(_)
                | Broken::Connect { .. }
                | Broken::Lost(_)
                | Broken::NotAnswering { .. }
                | Broken::OtherAnswer { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Mutex;

    use super::patience::Limits;

    const LIMITS: Limits = Limits {
        connect: Duration::from_millis(1500),
        silence: Duration::from_millis(1500),
        bytes_per_second_min: 1024,
        told_after: Duration::from_millis(150),
    };

    static NEWS: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn note(news: &News<'_>) {
        NEWS.lock().unwrap().push(format!("{news:?}"));
    }

    /// A client's answer from a server that runs `serve` on each of its connections.
    fn served(
        protocol: Option<Protocol>,
        request: &Request<'_>,
        serve: impl Fn(&mut TcpStream) + Send + Sync + 'static,
    ) -> Result<Reply, Failure> {
        served_to(Manner { protocol, ..Manner::default() }, request, serve)
    }

    fn served_to(
        manner: Manner,
        request: &Request<'_>,
        serve: impl Fn(&mut TcpStream) + Send + Sync + 'static,
    ) -> Result<Reply, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(&mut stream.unwrap()));
            }
        });
        let patience = Patience::new(Some(note), LIMITS);
        let connector: Connector = Arc::new(move |patience| connect(&address, &manner, patience));
        Reconnecting::unconnected(connector, patience).attempt(request).answer
    }

    /// A TLS configuration that trusts nobody.
    fn no_authority() -> Arc<ClientConfig> {
        ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
            .into()
    }

    /// A server that waits for a question, and then runs `go_on`.
    fn after_question(go_on: impl Fn(&mut TcpStream) + Send + Sync) -> impl Fn(&mut TcpStream) + Send + Sync {
        move |stream| {
            let _ = stream.read(&mut [0; 512]);
            go_on(stream);
            let _ = stream.read(&mut [0; 512]);
        }
    }

    const ALL: Request<'static> = Request::List { max_price: None };

    #[test]
    fn a_silent_server_is_not_answering_and_a_speaking_one_another_program() {
        for protocol in [None, Some(Protocol::Grpc), Some(Protocol::Text)] {
            let silent = served(protocol, &ALL, after_question(|_| {}));
            assert!(matches!(silent, Err(Failure::Broken(Broken::NotAnswering { .. }))), "{silent:?}");
        }
        assert!(NEWS.lock().unwrap().iter().any(|news| news.starts_with("Silent(")));
        for banner in ["SSH-2.0", "220 ", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
            let other = served(
                None,
                &ALL,
                after_question(|stream| {
                    let _ = stream.write_all(banner.as_bytes());
                }),
            );
            assert!(matches!(other, Err(Failure::Broken(Broken::NotOurs { .. }))), "{banner}: {other:?}");
        }
    }

    /// Another program that speaks HTTP/2, begins with empty SETTINGS, and has no page for a call.
    fn refuse_as_a_web_server(stream: &mut TcpStream) {
        const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        const METHOD_NOT_ALLOWED: &[u8] = b"\x00\x00\x05\x01\x05\x00\x00\x00\x01\x08\x03405";
        let _ = stream.write_all(SETTINGS);
        let _ = stream.read_exact(&mut [0; crate::wire::HTTP2_PREFACE.len()]);
        let mut head = [0; 9];
        // Reads until the call has come, with END_STREAM behind its message.
        while stream.read_exact(&mut head).is_ok() {
            let length = usize::from(head[1]) << 8 | usize::from(head[2]);
            let _ = stream.read_exact(&mut vec![0; length]);
            if head[3] == 0 && head[4] == 1 {
                let _ = stream.write_all(METHOD_NOT_ALLOWED);
            }
        }
    }

    #[test]
    fn a_web_server_is_another_program() {
        for protocol in [None, Some(Protocol::Grpc)] {
            for request in [ALL, Request::parse("3 Caju -20").unwrap()] {
                let answer = served(protocol, &request, refuse_as_a_web_server);
                assert!(matches!(answer, Err(Failure::Broken(Broken::NotOurs { .. }))), "{answer:?}");
            }
        }
    }

    #[test]
    fn a_list_that_drips_is_given_up() {
        // The list drips by bytes without a line end, and by lines.
        for drop in ["M", "Maca: R$3.0, Estoque: 20\n"] {
            let dripped = served(
                Some(Protocol::Text),
                &ALL,
                after_question(|stream| {
                    while stream.write_all(drop.as_bytes()).is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }),
            );
            assert!(matches!(dripped, Err(Failure::Broken(Broken::TooSlow { .. }))), "{drop}: {dripped:?}");
        }
    }

    #[test]
    fn a_handshake_that_drips_is_not_answered() {
        let config = no_authority();
        for protocol in [Protocol::Text, Protocol::Grpc] {
            let manner = Manner { protocol: Some(protocol), tls: Some(config.clone()), ..Manner::default() };
            let dripped = served_to(
                manner,
                &ALL,
                after_question(|stream| {
                    // A record of 16 KiB, a byte at a time.
                    let _ = stream.write_all(&[0x16, 3, 3, 0x40, 0]);
                    while stream.write_all(&[2]).is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }),
            );
            assert!(matches!(dripped, Err(Failure::Broken(Broken::NotAnswering { .. }))), "{dripped:?}");
        }
    }

    #[test]
    fn an_answer_to_another_question_is_noticed() {
        let find = |name| Request::Find { name };
        for (request, reply, is_taken) in [
            (find("maçã"), "Maca: R$3.0, Estoque: 20\n\n", true),
            (find("Maca"), "Pera: R$5.0, Estoque: 15\n\n", false),
            // A number may be a code.
            (find("789"), "Pera: R$5.0, Estoque: 15\n\n", true),
            (Request::parse("3 Caju -20").unwrap(), "Pera: R$5.0, Estoque: 15\n\n", false),
            (Request::parse("2 4").unwrap(), "Pera: R$5.0, Estoque: 15\n\n", false),
            (Request::parse("2 5").unwrap(), "Pera: R$5.0, Estoque: 15\n\n", true),
        ] {
            let answer = served(
                Some(Protocol::Text),
                &request,
                after_question(|stream| {
                    let _ = stream.write_all(reply.as_bytes());
                }),
            );
            assert_eq!(answer.is_ok(), is_taken, "{request}: {answer:?}");
            assert!(is_taken || matches!(answer, Err(Failure::Broken(Broken::OtherAnswer { .. }))));
        }
    }

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
        let hidden = Manner { token: secret(), tls: Some(no_authority()), ..Manner::default() };
        assert!(hidden.may_speak_to(stranger));
    }
}
