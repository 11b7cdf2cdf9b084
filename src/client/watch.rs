//! A watch that finds the server again: over broken connections and restarts, every movement is heard once.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tonic::Streaming;

use super::patience::Pulse;
use super::reconnect::Reconnecting;
use super::{ClientError, Connection, ConnectionError, GrpcConnection, News, TextConnection};
use crate::operation::{MovementsRequest, Reply, Request, WatchEvent, WatchRequest};
use crate::refusal::Code;
use crate::wire::grpc::v1::WatchMovementsResponse;
use crate::wire::{grpc, text};

/// A time that no watch lasts.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The time after which the hearer is asked whether it still listens.
const HEARD_EVERY: Duration = Duration::from_millis(200);

/// Hears the events of a watch, and `None` from time to time while no event waits to be heard. Ends the watch by breaking.
pub type HearEvent<'h> = dyn FnMut(Option<&WatchEvent>) -> ControlFlow<()> + 'h;

/// The events of one connection.
enum Events {
    Text(TextConnection),
    Grpc(GrpcConnection, Box<Streaming<WatchMovementsResponse>>),
}

impl Reconnecting {
    /// Watches until `hear` breaks or Ctrl-C is pressed. A server that is gone is looked for without limit once
    /// the watch has begun.
    ///
    /// # Errors
    /// If the server refuses the request, or there is none when the watch begins.
    pub(super) async fn watch(
        &mut self,
        request: &WatchRequest<'_>,
        hear: &mut HearEvent<'_>,
    ) -> Result<(), ClientError> {
        let after = match request.after {
            Some(after) => after,
            None => self.last_sequence().await?,
        };
        let mut request = WatchRequest { after: Some(after), ..request.clone() };
        let mut has_begun = false;
        let begun_at = Instant::now();
        self.patience.begin(begun_at + FOR_EVER, None);
        let ended = loop {
            match self.watch_once(&mut request, &mut has_begun, hear).await {
                Ok(()) | Err(ClientError::Connection(ConnectionError::Interrupted)) => break Ok(()),
                Err(error) => match passing(error) {
                    Ok(error) if has_begun || begun_at.elapsed() < self.search_time().0 => {
                        if self.patience.take_interrupt() {
                            break Ok(());
                        }
                        self.patience.report_search(&News::Searching(&error));
                        tokio::time::sleep(self.search_time().1).await;
                    }
                    Ok(error) => break Err(error.into()),
                    Err(error) => break Err(error),
                },
            }
        };
        self.patience.end();
        ended
    }

    /// The number of the last movement.
    async fn last_sequence(&mut self) -> Result<i64, ClientError> {
        let request =
            Request::ListMovements(MovementsRequest { count_max: 1, ..MovementsRequest::default() });
        let Reply::Movements(page) = self.call(&request, false).await? else { return Ok(0) };
        Ok(page.movements.first().map_or(0, |movement| movement.sequence))
    }

    /// Watches over one connection. The request begins after the last movement that was heard.
    async fn watch_once(
        &mut self,
        request: &mut WatchRequest<'_>,
        has_begun: &mut bool,
        hear: &mut HearEvent<'_>,
    ) -> Result<(), ClientError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reach().await?,
        };
        let address = connection.address().to_owned();
        let watched = self.hear_all(connection, &address, request, has_begun, hear).await;
        match &watched {
            Err(ClientError::Connection(_)) => self.route.note_failure(&address),
            Err(error) if let Some(holder) = error.holder() => {
                self.route.note_holder(&address, holder);
            }
            _ => {}
        }
        watched
    }

    async fn hear_all(
        &mut self,
        connection: Connection,
        address: &str,
        request: &mut WatchRequest<'_>,
        has_begun: &mut bool,
        hear: &mut HearEvent<'_>,
    ) -> Result<(), ClientError> {
        let (traffic, has_others) = (connection.traffic(), self.route.has_other_than(address));
        let opening =
            self.patience.wait_for_answer(address, &traffic, has_others, Events::of(connection, request));
        let mut events = opening.await??;
        *has_begun = true;
        self.patience.found();
        let mut pulse = Pulse::begin();
        loop {
            let event = {
                let mut next = pin!(events.next());
                let come = poll_fn(|context| match next.as_mut().poll(context) {
                    Poll::Ready(event) => Poll::Ready(Some(event)),
                    Poll::Pending => Poll::Ready(None),
                });
                match come.await {
                    Some(event) => event?,
                    None => {
                        let mut waiting = pin!(self.patience.wait_for_event(address, &traffic, pulse, next));
                        loop {
                            if hear(None).is_break() {
                                return Ok(());
                            }
                            if let Ok(event) = tokio::time::timeout(HEARD_EVERY, &mut waiting).await {
                                break event??;
                            }
                        }
                    }
                }
            };
            pulse.hear(matches!(event, WatchEvent::Heartbeat(_)));
            match &event {
                WatchEvent::Movement(movement) => request.after = Some(movement.sequence),
                // A line of the text protocol has no number.
                WatchEvent::Heartbeat(sequence) if *sequence > 0 => request.after = Some(*sequence),
                WatchEvent::Heartbeat(_) | WatchEvent::Product(_) => {}
            }
            if hear(Some(&event)).is_break() {
                return Ok(());
            }
        }
    }
}

/// The reason why another attempt can help; the error itself if none can.
fn passing(error: ClientError) -> Result<ConnectionError, ClientError> {
    match error {
        ClientError::Connection(error) if error.may_pass() => Ok(error),
        ClientError::Refused(refusal) if refusal.code == Code::Unavailable => {
            // The rest of the text is for whoever must resume.
            let why = refusal.message.split(". ").next().unwrap_or_default();
            Ok(ConnectionError::Lost(why.to_owned()))
        }
        error => Err(error),
    }
}

impl Events {
    async fn of(connection: Connection, request: &WatchRequest<'_>) -> Result<Self, ClientError> {
        match connection {
            Connection::Text(mut connection) => {
                let line = text::write_request(&Request::WatchMovements(request.clone()))?;
                connection.show_token().await?;
                connection.send(&line).await?;
                Ok(Self::Text(connection))
            }
            Connection::Grpc(connection) => {
                let message = grpc::watch_message(request);
                let stream = connection.service().watch_movements(message).await;
                let stream = stream.map_err(|status| connection.error_of(&status))?.into_inner();
                Ok(Self::Grpc(connection, Box::new(stream)))
            }
        }
    }

    async fn next(&mut self) -> Result<WatchEvent, ClientError> {
        let ended = || ConnectionError::Lost("o servidor encerrou o acompanhamento".to_owned());
        match self {
            Self::Text(connection) => match text::read_watched(connection.receive_line().await?) {
                Some(event) => Ok(event?),
                None => Err(ended().into()),
            },
            Self::Grpc(connection, stream) => {
                let message = stream.message().await.map_err(|status| connection.error_of(&status))?;
                Ok(grpc::watched(message.ok_or_else(ended)?).map_err(|_| connection.not_ours())?)
            }
        }
    }
}
