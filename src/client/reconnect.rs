//! A client that finds the server again after a broken connection, and repeats the request. The client gives
//! every change a request id, so that a repeated change is made once.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{ClientError, ConnectOptions, Connection, ConnectionError, Discovery, Patience};
use crate::catalog::{Key, Name, Quoted, RequestId};
use crate::operation::{AdjustRequest, ChangeReply, ProductReply, ProductsRequest, Reply, Request};
use crate::refusal::Code;
use crate::wire::Protocol;

/// The time for which a client looks for a server that is gone. A restart takes less.
pub(super) const RECONNECT_FOR: Duration = Duration::from_secs(10);

/// The pause between two attempts to find the server.
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Reconnecting {
    discovery: Discovery,
    options: ConnectOptions,
    pub(super) patience: Patience,
    pub(super) connection: Option<Connection>,
}

/// The outcome of one attempt.
pub(super) struct Attempt {
    pub(super) answer: Result<Reply, ClientError>,
    /// Whether the request may have reached a server.
    has_asked: bool,
}

impl Reconnecting {
    pub(super) fn new(discovery: Discovery, options: ConnectOptions, patience: Patience) -> Self {
        Self { discovery, options, patience, connection: None }
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
            (connected.map_err(ClientError::from), is_worth_it)
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
        let attempt = self.attempt(request).await;
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
            return self.try_on(async |this| (this.attempt(&request).await.answer, true)).await;
        };
        let request_id = request_id.get_or_insert_with(new_request_id).clone();
        let answer = self.try_on(async |this| {
            let attempt = this.attempt(&request).await;
            may_be_made |= attempt.has_asked && matches!(attempt.answer, Err(ClientError::Connection(_)));
            (attempt.answer, true)
        });
        match answer.await {
            Err(error) if may_be_made => Err(error.in_doubt(&request_id)),
            Err(ClientError::Refused(refusal)) if refusal.code == Code::OutcomeUnknown => {
                Err(ClientError::from(refusal).in_doubt(&request_id))
            }
            answer => answer,
        }
    }

    pub(super) async fn attempt(&mut self, request: &Request<'_>) -> Attempt {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match self.reach().await {
                Ok(connection) => connection,
                Err(error) => return Attempt { answer: Err(error.into()), has_asked: false },
            },
        };
        let (address, traffic) = (connection.address().to_owned(), connection.traffic());
        let answer = self.patience.wait_for_answer(&address, &traffic, connection.call(request)).await;
        let answer = answer.map_err(ClientError::from).flatten();
        if let Err(ClientError::Connection(ConnectionError::NoGrpc { has_text: true, .. })) = answer
            && self.options.protocol.is_none()
        {
            // The server speaks HTTP/2 too, so only its first answer says that it speaks no gRPC.
            self.options.protocol = Some(Protocol::Text);
            return Box::pin(self.attempt(request)).await;
        }
        let answer = answer.and_then(|reply| answering(request, reply));
        if !matches!(answer, Err(ClientError::Connection(_))) {
            self.connection = Some(connection);
        }
        // A server that speaks only TLS, or no gRPC, says so instead of answering.
        let has_asked = !matches!(
            answer,
            Err(ClientError::Connection(ConnectionError::TlsOnly { .. } | ConnectionError::NoGrpc { .. }))
        );
        Attempt { answer, has_asked }
    }

    /// Finds the server, and connects once.
    pub(super) async fn reach(&mut self) -> Result<Connection, ConnectionError> {
        let address = self.discovery.find()?;
        let connecting = Connection::connect(&address, &self.options);
        let connected = self.patience.wait_for_connection(&address, connecting).await;
        connected.map_err(|error| self.discovery.explain(error))
    }

    /// Repeats an attempt until it succeeds, cannot succeed, or the time is over. Each attempt also returns
    /// whether another may follow.
    async fn try_on<T>(
        &mut self,
        mut attempt: impl AsyncFnMut(&mut Self) -> (Result<T, ClientError>, bool),
    ) -> Result<T, ClientError> {
        let end = Instant::now() + RECONNECT_FOR;
        self.patience.begin(end, None);
        let result = loop {
            let (result, may_go_on) = attempt(self).await;
            match &result {
                Err(ClientError::Connection(error)) if may_go_on && error.may_pass() => {
                    if Instant::now() >= end || self.patience.take_interrupt() {
                        break result;
                    }
                    self.patience.report_search(error);
                    tokio::time::sleep(RECONNECT_PAUSE).await;
                }
                _ => break result,
            }
        };
        self.patience.end();
        result
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
