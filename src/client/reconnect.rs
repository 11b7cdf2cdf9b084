//! A client that finds the server again after a broken connection, and repeats the request. The client gives
//! every change a request id, so that a repeated change is made once.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::route::Route;
use super::{ClientError, ConnectOptions, Connection, ConnectionError, Discovery, News, Patience};
use crate::catalog::{Key, Name, Quoted, RequestId};
use crate::operation::{AdjustRequest, ChangeReply, ProductReply, ProductsRequest, Reply, Request};
use crate::refusal::Code;
use crate::wire::Protocol;

/// The time for which a client looks for a server that is gone. A restart takes less.
const RECONNECT_FOR: Duration = Duration::from_secs(10);

/// The time for which a client looks for the server that writes for its shop, if there are several servers: their
/// database may move to another machine meanwhile, which the usual tools decide within half a minute.
const HOLDER_FOR: Duration = Duration::from_secs(30);

/// The pause between two attempts to find the server.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// The pause between two attempts if there are several servers, one of which may write at any moment.
const HOLDER_PAUSE: Duration = Duration::from_millis(50);

/// The first pause. Each one is twice as long as the one before, up to the usual pause: a server that stops is followed
/// by another one within some hundredths of a second.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

pub(super) struct Reconnecting {
    pub(super) route: Route,
    options: ConnectOptions,
    pub(super) patience: Patience,
    pub(super) connection: Option<Connection>,
}

/// The outcome of one attempt.
pub(super) struct Attempt<T> {
    pub(super) answer: Result<T, ClientError>,
    /// Whether the request may have reached a server.
    has_asked: bool,
    /// Whether a server that stands by named another one to ask.
    names_another: bool,
}

impl Reconnecting {
    pub(super) fn new(discovery: Discovery, options: ConnectOptions, patience: Patience) -> Self {
        Self { route: Route::new(discovery), options, patience, connection: None }
    }

    pub(super) fn address(&self) -> Option<&str> {
        self.connection.as_ref().map(Connection::address)
    }

    pub(super) async fn connect(&mut self) -> Result<(), ClientError> {
        let mut is_worth_it = false;
        let connected = self.try_on(async |this| {
            let connected = this.reach().await;
            is_worth_it |=
                matches!(connected, Err(ConnectionError::Lost(_) | ConnectionError::NotAnswering { .. }));
            (Attempt::of(connected.map_err(ClientError::from)), is_worth_it)
        });
        self.connection = Some(connected.await?);
        Ok(())
    }

    pub(super) async fn call_once(
        &mut self,
        request: &Request<'_>,
        time_max: Duration,
    ) -> Result<Reply, ClientError> {
        let end = Instant::now() + time_max;
        self.patience.begin(end, Some(end));
        let mut attempt = self.attempt(request).await;
        if attempt.names_another {
            attempt = self.attempt(request).await;
        }
        self.patience.end();
        attempt.answer
    }

    /// Sends a request until it is answered. `may_be_made` says whether the request is a change that was sent
    /// before.
    pub(super) async fn call(
        &mut self,
        request: &Request<'_>,
        mut may_be_made: bool,
    ) -> Result<Reply, ClientError> {
        let mut request = request.clone();
        let Some(request_id) = request.request_id_mut() else {
            return self.try_on(async |this| (this.attempt(&request).await, true)).await;
        };
        let request_id = request_id.get_or_insert_with(new_request_id).clone();
        let answer = self.try_on(async |this| {
            let attempt = this.attempt(&request).await;
            may_be_made |= attempt.has_asked && matches!(attempt.answer, Err(ClientError::Connection(_)));
            (attempt, true)
        });
        match answer.await {
            Err(error) if may_be_made => Err(error.in_doubt(&request_id)),
            Err(ClientError::Refused(refusal)) if refusal.code == Code::OutcomeUnknown => {
                Err(ClientError::from(refusal).in_doubt(&request_id))
            }
            answer => answer,
        }
    }

    pub(super) async fn attempt(&mut self, request: &Request<'_>) -> Attempt<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match self.reach().await {
                Ok(connection) => connection,
                Err(error) => return Attempt::of(Err(error.into())),
            },
        };
        let (address, traffic) = (connection.address().to_owned(), connection.traffic());
        let has_others = self.route.has_other_than(&address);
        let answer =
            self.patience.wait_for_answer(&address, &traffic, has_others, connection.call(request)).await;
        let answer = answer.map_err(ClientError::from).flatten();
        if let Err(ClientError::Connection(ConnectionError::NoGrpc { has_text: true, .. })) = answer
            && self.options.protocol.is_none()
        {
            // The server speaks HTTP/2 too, so only its first answer says that it speaks no gRPC.
            self.options.protocol = Some(Protocol::Text);
            return Box::pin(self.attempt(request)).await;
        }
        let answer = answer.and_then(|reply| answering(request, reply));
        let mut names_another = false;
        match &answer {
            Err(ClientError::Connection(_)) => self.route.note_failure(&address),
            Err(error) if let Some(holder) = error.holder() => {
                names_another = self.route.note_holder(&address, holder);
            }
            _ => self.connection = Some(connection),
        }
        // A server that speaks only TLS, or no gRPC, says so instead of answering.
        let has_asked = !matches!(
            answer,
            Err(ClientError::Connection(ConnectionError::TlsOnly { .. } | ConnectionError::NoGrpc { .. }))
        );
        Attempt { answer, has_asked, names_another }
    }

    /// Finds the server, and connects once.
    pub(super) async fn reach(&mut self) -> Result<Connection, ConnectionError> {
        let names = self.route.names()?;
        let connecting = self.route.connect(&self.options);
        let connected = self.patience.wait_for_connection(&names, connecting).await;
        connected.map_err(|error| self.route.explain(error))
    }

    /// Repeats an attempt until it succeeds, cannot succeed, or the time is over. Each attempt also returns
    /// whether another may follow.
    async fn try_on<T>(
        &mut self,
        mut attempt: impl AsyncFnMut(&mut Self) -> (Attempt<T>, bool),
    ) -> Result<T, ClientError> {
        let begun_at = Instant::now();
        let mut may_follow_at_once = true;
        let mut pause = FIRST_PAUSE;
        self.patience.begin(begun_at + self.search_time().0, None);
        let result = loop {
            let (Attempt { answer, names_another, .. }, may_go_on) = attempt(self).await;
            let search = match &answer {
                Err(ClientError::Connection(error)) if may_go_on && error.may_pass() => {
                    News::Searching(error)
                }
                Err(error) if error.holder().is_some() => News::NobodyWrites,
                _ => break answer,
            };
            if names_another && std::mem::replace(&mut may_follow_at_once, false) {
                continue;
            }
            let (time_max, pause_max) = self.search_time();
            let end = begun_at + time_max;
            if Instant::now() >= end || self.patience.take_interrupt() {
                break answer;
            }
            self.patience.connect_until(end);
            self.patience.report_search(&search);
            tokio::time::sleep(pause).await;
            pause = pause_max.min(2 * pause);
        };
        self.patience.end();
        result
    }

    /// The time for which the client looks for a server, and the pause between two attempts.
    pub(super) fn search_time(&self) -> (Duration, Duration) {
        match self.route.has_several() {
            true => (HOLDER_FOR, HOLDER_PAUSE),
            false => (RECONNECT_FOR, RECONNECT_PAUSE),
        }
    }
}

impl<T> Attempt<T> {
    /// An attempt that did not get as far as a request.
    fn of(answer: Result<T, ClientError>) -> Self {
        Self { answer, has_asked: false, names_another: false }
    }
}

/// A new id for a change. Ids made later are greater.
pub fn new_request_id() -> RequestId {
    Uuid::now_v7().to_string().parse().expect("a UUID is a request id")
}

/// Returns the reply, if it is about the subject of the request.
fn answering(request: &Request<'_>, reply: Reply) -> Result<Reply, ClientError> {
    let other = match (request, &reply) {
        (Request::GetProduct { name }, Reply::Product(product))
        | (Request::AdjustStock(AdjustRequest { name, .. }), Reply::Change(ChangeReply { product, .. })) => {
            is_other(name, product).then(|| (Quoted(name).to_string(), product))
        }
        (
            Request::ListProducts(ProductsRequest { max_price: Some(max_price), .. }),
            Reply::Products(products),
        ) => products
            .iter()
            .find(|product| product.price > *max_price)
            .map(|product| (format!("produtos até R${max_price}"), product)),
        _ => None,
    };
    match other {
        Some((asked, product)) => {
            let answered = Quoted(product.name.as_str()).to_string();
            Err(ConnectionError::OtherAnswer { asked, answered }.into())
        }
        None => Ok(reply),
    }
}

/// Whether a product cannot be the one that this name asks for.
fn is_other(name: &str, product: &ProductReply) -> bool {
    // A number may be a product's code, which finds a product of any name.
    let is_code = name.chars().all(|character| character.is_ascii_digit());
    let key = Name::parse(name).map_or_else(|_| Key::fold(name), |name| name.key());
    !is_code && product.name.key() != key
}
