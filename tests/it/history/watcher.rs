//! A client that watches: each movement as it comes, after each end of the server from where it was, over
//! another transport than before.

use std::sync::Arc;

use http::Request;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::Streaming;

use hortifruti::operation::{HEARTBEAT_LINE, WatchEvent};
use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::watch_movements_response::Event;
use hortifruti::wire::text::read_watched;

use super::client::{Door, Record};
use super::{Seen, product_named};
use crate::support::web::{envelope, take_envelope};

/// How to watch.
#[derive(Debug, Clone, Copy)]
enum Way {
    Text,
    Grpc,
    Connect,
}

const WAYS: [Way; 3] = [Way::Text, Way::Grpc, Way::Connect];

/// How many watchers there are, each of which begins in another way.
pub(crate) const WATCHERS: usize = WAYS.len();

/// A watcher, and all that it has seen since the first movement.
pub(crate) struct Watcher {
    way: usize,
    record: Arc<Record>,
    door: watch::Receiver<Door>,
    /// The last movement of the play, once it is known.
    last: watch::Receiver<Option<i64>>,
    seen: Vec<Seen>,
}

/// What comes next of a watch.
enum Next {
    Movement(Seen),
    /// A heartbeat or new terms.
    Other,
    End,
    /// What no server that keeps its promises sends.
    Wrong(String),
}

impl Watcher {
    pub(crate) fn new(
        number: usize,
        record: Arc<Record>,
        door: watch::Receiver<Door>,
        last: watch::Receiver<Option<i64>>,
    ) -> Self {
        Self { way: number, record, door, last, seen: Vec::new() }
    }

    /// Watches until the last movement, and returns all that was seen.
    pub(crate) async fn run(mut self) -> Vec<Seen> {
        loop {
            let leads_on = |door: &Door| matches!(door, Door::Open { .. } | Door::Closed);
            let door = self.door.wait_for(leads_on).await.map_or(Door::Closed, |door| *door);
            let Door::Open { port, .. } = door else { return self.seen };
            let way = WAYS[self.way % WAYS.len()];
            let broken = match Watch::begin(way, port, self.sequence()).await {
                Some(mut watch) => self.follow(&mut watch).await,
                None => Some("is not there".to_owned()),
            };
            let Some(why) = broken else { return self.seen };
            if self.door.borrow().is_still(door) {
                self.record.complain(format!("{why}, to a watcher ({way:?}) after #{}", self.sequence()));
                return self.seen;
            }
            self.way += 1;
        }
    }

    /// The number of the last movement that was seen.
    fn sequence(&self) -> i64 {
        self.seen.last().map_or(0, |seen| seen.sequence)
    }

    /// Looks on until the last movement, or returns why not.
    async fn follow(&mut self, watch: &mut Watch) -> Option<String> {
        loop {
            let last = *self.last.borrow_and_update();
            if last.is_some_and(|last| self.sequence() >= last) {
                return None;
            }
            let next = tokio::select! {
                next = watch.next() => next,
                Ok(()) = self.last.changed() => continue,
                _ = self.door.wait_for(|door| *door == Door::Abandoned) => return Some("stands still".to_owned()),
            };
            match next {
                Next::Movement(seen) => self.seen.push(seen),
                Next::Other => {}
                Next::End => return Some("hung up".to_owned()),
                Next::Wrong(what) => return Some(format!("sent {what}")),
            }
        }
    }
}

/// A watch of one way.
enum Watch {
    Text(Lines<BufReader<TcpStream>>),
    Grpc(Streaming<v1::WatchMovementsResponse>),
    Connect { stream: h2::RecvStream, come: Vec<u8> },
}

impl Watch {
    /// Begins to watch; `None` if no server answers.
    async fn begin(way: Way, port: u16, after: i64) -> Option<Self> {
        if let Way::Grpc = way {
            let mut service =
                InventoryServiceClient::connect(format!("http://127.0.0.1:{port}")).await.ok()?;
            let request =
                v1::WatchMovementsRequest { after_sequence: Some(after), product_name: String::new() };
            return Some(Watch::Grpc(service.watch_movements(request).await.ok()?.into_inner()));
        }
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        if let Way::Text = way {
            stream.write_all(format!("acompanhar apos={after}\n").as_bytes()).await.ok()?;
            return Some(Watch::Text(BufReader::new(stream).lines()));
        }
        let (calls, connection) = h2::client::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        let request = Request::post("http://localhost/hortifruti.v1.InventoryService/WatchMovements")
            .header("content-type", "application/connect+json")
            .body(())
            .unwrap();
        let (answer, mut body) = calls.ready().await.ok()?.send_request(request, false).ok()?;
        let message = envelope(format!(r#"{{"afterSequence":"{after}"}}"#).as_bytes());
        body.send_data(Bytes::from(message), true).ok()?;
        Some(Watch::Connect { stream: answer.await.ok()?.into_body(), come: Vec::new() })
    }

    async fn next(&mut self) -> Next {
        match self {
            Watch::Text(lines) => match lines.next_line().await {
                Ok(Some(line)) => of_line(&line),
                Ok(None) | Err(_) => Next::End,
            },
            Watch::Grpc(stream) => match stream.message().await {
                Ok(Some(message)) => of_message(message),
                Ok(None) | Err(_) => Next::End,
            },
            Watch::Connect { stream, come } => loop {
                if let Some((flags, message)) = take_envelope(come) {
                    // A message with the flag 2 ends the stream.
                    return if flags == 0 { of_json(&message) } else { Next::End };
                }
                let Some(Ok(data)) = stream.data().await else { return Next::End };
                let _ = stream.flow_control().release_capacity(data.len());
                come.extend_from_slice(&data);
            },
        }
    }
}

fn of_line(line: &str) -> Next {
    if line == HEARTBEAT_LINE {
        return Next::Other;
    }
    match read_watched(line) {
        Some(Ok(WatchEvent::Movement(movement))) => seen(
            movement.sequence,
            movement.product_name.as_str(),
            movement.delta.thousandths(),
            movement.balance.thousandths(),
        ),
        // The refusal of a server that stops, or the empty line before the end.
        Some(Err(refusal)) if refusal.code == hortifruti::refusal::Code::Unavailable => Next::End,
        None if line.is_empty() => Next::End,
        _ => Next::Wrong(line.to_owned()),
    }
}

fn of_message(message: v1::WatchMovementsResponse) -> Next {
    match message.event {
        Some(Event::Movement(movement)) => seen(
            movement.sequence,
            &movement.product_name,
            movement.delta_thousandths,
            movement.balance_thousandths,
        ),
        Some(_) => Next::Other,
        None => Next::Wrong("an event without content".to_owned()),
    }
}

fn of_json(message: &[u8]) -> Next {
    let event: Value = match serde_json::from_slice(message) {
        Ok(event) => event,
        Err(error) => return Next::Wrong(error.to_string()),
    };
    let Some(movement) = event.get("movement") else { return Next::Other };
    // A field is left out if it is zero.
    let number =
        |field: &str| movement[field].as_str().map_or(0, |digits| digits.parse().unwrap_or(i64::MIN));
    let name = movement["productName"].as_str().unwrap_or_default();
    seen(number("sequence"), name, number("deltaThousandths"), number("balanceThousandths"))
}

fn seen(sequence: i64, name: &str, delta: i64, balance: i64) -> Next {
    match product_named(name) {
        Some(product) => Next::Movement(Seen { sequence, product, delta, balance }),
        None => Next::Wrong(format!("a movement of {name}")),
    }
}
