//! The text transport: lines of the text protocol, answered by the inventory.

mod answer;
mod buffers;
mod http_guard;
mod list;
mod watch;

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::authenticator::{Authenticator, WrongTokens};
use super::idle::IdleTimer;
use super::io::close;
use super::maybe_tls::MaybeTls;
use super::service::{LAST_LOOK, Service};
use crate::access::Identity;
use crate::inventory::{Pipeline, Session};
use crate::metrics::{Transport, Turn};
use crate::refusal::Refusal;
use crate::wire::text::{self, Frames};
use buffers::READ_BYTES;
use http_guard::begins_as_http;

/// The silence after which text without a line end is a command, on a connection that has never ended a line:
/// the original's clients end no line.
const QUIET: Duration = Duration::from_millis(50);

/// The most bytes that a stopping server still takes from a connection: far more than any client leaves
/// waiting, and a limit for one that never stops sending.
const LAST_READ_BYTES_MAX: usize = 1024 * 1024;

/// The answer to a client if the server is full.
pub(super) fn no_room_answer() -> String {
    let mut answer = String::new();
    text::write_refusal(&mut answer, &Refusal::no_room());
    answer
}

/// Serves a text connection until the client leaves or closes it, or the server stops.
pub(super) async fn serve(service: Service, stream: MaybeTls, first_bytes: Vec<u8>) {
    let mut conversation = Conversation {
        identity: service.authenticator.anonymous(),
        session: Arc::new(service.inventory.clone()),
        wrong_tokens: WrongTokens::default(),
        authenticator: service.authenticator.clone(),
        service: &service,
        stream,
        pipeline: Pipeline::default(),
        is_http: begins_as_http(&first_bytes),
        turn: Turn::new(Transport::Text),
    };
    conversation.turn.begin();
    match conversation.hold(first_bytes).await {
        Ok(()) => close(conversation.stream).await,
        Err(error) => tracing::debug!(%error, "a text connection broke"),
    }
}

/// Whether a conversation goes on.
#[derive(PartialEq, Eq)]
enum Next {
    More,
    End,
}

struct Conversation<'s> {
    service: &'s Service,
    authenticator: Authenticator,
    stream: MaybeTls,
    /// The identity that the client has shown.
    identity: Identity,
    /// The session, which signs changes with the name of the client's token.
    session: Arc<Session>,
    wrong_tokens: WrongTokens,
    /// The changes that are not committed yet, and the replies that are not sent yet.
    pipeline: Pipeline<String>,
    /// Whether a line looked like HTTP. A web page can make a browser send any lines to any port, so such a
    /// connection may change nothing.
    is_http: bool,
    /// The answers that are not in the metrics yet.
    turn: Turn,
}

impl Conversation<'_> {
    async fn hold(&mut self, first_bytes: Vec<u8>) -> io::Result<()> {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(&first_bytes);
        let mut stopping = pin!(self.service.stopping());
        let mut silence = IdleTimer::new(self.service.idle);
        loop {
            if self.answer_lines(&mut frames).await? == Next::End {
                return Ok(());
            }
            if self.service.is_stopping() {
                return self.finish(&mut frames).await;
            }
            let may_be_unended = frames.may_be_unended();
            // The time in which an answer is prepared or taken is no silence.
            silence.broken();
            tokio::select! {
                // Received bytes are answered before any other event is handled.
                biased;
                length = self.read(&mut frames) => {
                    if length? == 0 {
                        return self.answer_last(&mut frames).await;
                    }
                    self.turn.begin();
                    // More bytes are probably there already, so the other connections have a turn first.
                    if frames.buffer().len() >= READ_BYTES {
                        tokio::task::yield_now().await;
                    }
                }
                // A timer is made only if this branch is polled.
                () = async { tokio::time::sleep(QUIET).await }, if may_be_unended => {
                    // A delayed thread may see the timer before the bytes that came in time.
                    if self.read_now(&mut frames)? == 0
                        && let Some(frame) = frames.take_unended()
                        && self.answer(&frame).await? == Next::End
                    {
                        return self.send().await;
                    }
                    self.send().await?;
                }
                () = &mut stopping => return self.finish(&mut frames).await,
                // The connection ends without a message, which the client would read as the answer to its
                // next command.
                () = silence.too_long() => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    /// Answers the bytes that have arrived before the server stops, and no more. A short read has taken all
    /// of them; a client that sends more while they are answered could go on for ever.
    async fn finish(&mut self, frames: &mut Frames) -> io::Result<()> {
        let _ = tokio::time::timeout(LAST_LOOK, self.stream.readable()).await;
        let mut bytes = 0;
        loop {
            let length = self.read_now(frames)?;
            bytes += length;
            if self.answer_lines(frames).await? == Next::End {
                return Ok(());
            }
            if length < READ_BYTES || bytes >= LAST_READ_BYTES_MAX {
                break;
            }
        }
        if frames.may_be_unended() {
            tokio::time::sleep(QUIET).await;
            self.read_now(frames)?;
            self.answer_lines(frames).await?;
            if let Some(frame) = frames.take_unended() {
                self.answer(&frame).await?;
            }
        }
        self.send().await
    }

    /// Answers the rest after the client has stopped sending.
    async fn answer_last(&mut self, frames: &mut Frames) -> io::Result<()> {
        if let Some(frame) = frames.take_last() {
            self.answer(&frame).await?;
        }
        self.send().await
    }

    /// Reads the bytes that have arrived, without waiting; 0 if there are none.
    fn read_now(&mut self, frames: &mut Frames) -> io::Result<usize> {
        let buffer = frames.buffer();
        buffer.reserve(READ_BYTES);
        match self.stream.try_read_buf(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            read => read,
        }
    }

    /// Waits for bytes and reads them. The connection holds no buffer while it waits.
    async fn read(&mut self, frames: &mut Frames) -> io::Result<usize> {
        poll_fn(|context| {
            let buffer = frames.buffer();
            buffers::take_read_buffer(buffer);
            buffer.reserve(READ_BYTES.saturating_sub(buffer.len()));
            // Unlike `try_read`, this call lets the runtime know that a short read emptied the socket, which
            // saves another system call.
            let read = pin!(self.stream.read_buf(buffer)).poll(context);
            if read.is_pending()
                && let Some(buffer) = frames.release()
            {
                buffers::give_read_buffer_back(buffer);
            }
            read
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::atomic::Ordering;

    use tokio::net::TcpStream;

    use super::super::testing;
    use super::*;
    use crate::catalog::{Name, ProductDraft, original_products};
    use crate::inventory::Inventory;
    use crate::metrics::{Facts, write_metrics};
    use crate::store::sqlite::SqliteStore;

    /// The two ends of a connection.
    fn connection() -> (std::net::TcpStream, MaybeTls) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        (client, MaybeTls::Plain(TcpStream::from_std(stream).unwrap()))
    }

    /// Counts the turns of other tasks while the server answers this text, or as much of it as the system
    /// takes. Also returns that length.
    async fn turns_during(commands: &str) -> (usize, usize) {
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &original_products()).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let service = testing::service(&inventory, draining);
        let (mut client, stream) = connection();
        client.set_nonblocking(true).unwrap();
        let sent = client.write(commands.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let turns = testing::turns();
        serve(service, stream, Vec::new()).await;
        (turns.load(Ordering::Relaxed), sent)
    }

    #[tokio::test]
    async fn every_answer_is_counted_once() {
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &original_products()).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let service = testing::service(&inventory, draining);
        let (mut client, stream) = connection();
        // The second read waits for the change before it.
        let commands =
            "4\n1 Caju\n3 Caju -1\n1 Caju\n3 Caju -99\n3 Kaju 1\n1 Kaju\n2 3\nx\ncontar Caju 3\n3 Caju\n5\n";
        client.write_all(commands.as_bytes()).unwrap();
        serve(service, stream, Vec::new()).await;
        let text = write_metrics(inventory.metrics(), Facts::default());
        let counts: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("hortifruti_operations_total")).collect();
        let expected = [
            r#"{operation="GetProduct",code="OK",transport="text"} 2"#,
            r#"{operation="GetProduct",code="PRODUCT_NOT_FOUND",transport="text"} 1"#,
            r#"{operation="AdjustStock",code="OK",transport="text"} 1"#,
            r#"{operation="AdjustStock",code="PRODUCT_NOT_FOUND",transport="text"} 1"#,
            r#"{operation="AdjustStock",code="INSUFFICIENT_STOCK",transport="text"} 1"#,
            r#"{operation="ListProducts",code="OK",transport="text"} 2"#,
            r#"{operation="CountStock",code="OK",transport="text"} 1"#,
            r#"{operation="Leave",code="OK",transport="text"} 1"#,
            r#"{operation="unknown",code="INVALID_ARGUMENT",transport="text"} 1"#,
            r#"{operation="unknown",code="UNKNOWN_COMMAND",transport="text"} 1"#,
        ];
        assert_eq!(counts, expected);
        assert!(text.contains("hortifruti_commit_duration_seconds_count 2\n"), "{text}");
    }

    #[tokio::test]
    async fn a_list_that_is_too_old_ends_as_an_error_and_the_connection_goes_on() {
        let rows: Vec<ProductDraft> = (0..100_000)
            .map(|number| ProductDraft {
                name: Name::parse(&format!("PRODUTO {number}")).unwrap(),
                ..original_products().remove(0)
            })
            .collect();
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &rows).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let service = testing::service(&inventory, draining);
        let (mut client, stream) = connection();
        client.write_all(b"4\n1 PRODUTO 7\n").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let inventory = service.inventory.clone();
        let server = tokio::spawn(serve(service, stream, Vec::new()));
        // The list cannot end before the client takes some of it, because no buffer holds it all.
        client.set_nonblocking(true).unwrap();
        let mut answer = Vec::new();
        let reading = async {
            while client.peek(&mut [0]).is_err() {
                tokio::task::yield_now().await;
            }
            inventory.forget_snapshots();
            // An error means that a part of the reply is still missing.
            while client.read_to_end(&mut answer).is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap();
        server.await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (list, rest) = answer.split_once("\n\n").unwrap();
        let (last, before) = list.rsplit_once('\n').map(|(before, last)| (last, before)).unwrap();
        assert!(last.starts_with("Erro RESOURCE_EXHAUSTED: a lista não chegou ao fim"), "{last}");
        assert!(before.lines().count() > 100);
        assert!(before.lines().all(|line| line.ends_with(": R$3.0, Estoque: 20")));
        assert_eq!(rest, "PRODUTO 7: R$3.0, Estoque: 20\n\n");
    }

    #[tokio::test]
    async fn others_come_first_after_each_full_read() {
        // The lines are long and their answers short, because the client takes no answer.
        let line = format!("{}\n", "x".repeat(2000));
        let (turns, sent) = turns_during(&line.repeat(200)).await;
        let reads = sent / READ_BYTES;
        assert!(reads >= 4 && turns >= reads, "{turns} turns in {reads} reads");
    }

    #[tokio::test]
    async fn others_come_first_after_each_wrong_name() {
        for command in ["1 Bananna\n", "3 Bananna 1\n"] {
            let (turns, sent) = turns_during(&command.repeat(100)).await;
            assert_eq!(sent, 100 * command.len());
            assert!(turns >= 100, "{command:?}: {turns} turns");
        }
    }
}
