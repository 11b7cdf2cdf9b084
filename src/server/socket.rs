//! The text transport: frames of the text protocol ↔ the inventory.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Service;
use super::connection;
use crate::inventory::{Listing, Run};
use crate::request::{Code, FAREWELL, Refusal, Request};
use crate::wire::text::{self, Frame, Frames};

/// How long a connection that has never ended a line must be silent before its text is a
/// command: the original's clients end no line.
const QUIET: Duration = Duration::from_millis(50);

/// Bytes read at once: some hundreds of pipelined commands, and little enough to lie on
/// the stack for the moment of a read, so that an idle connection holds no buffer.
const READ_BYTES: usize = 16 * 1024;

/// Bytes of replies after which a list is sent on before it is complete, so that a list of
/// any length takes bounded memory.
const WRITE_BYTES: usize = 64 * 1024;

/// What text is answered where only gRPC is served.
pub(super) fn grpc_only_answer() -> String {
    let mut answer = String::new();
    text::write_message(&mut answer, text::GRPC_ONLY);
    answer
}

/// Serves a text connection until the client leaves or goes, or the server stops.
pub(super) async fn serve(service: Service, stream: TcpStream, first_bytes: Vec<u8>) {
    let mut conversation =
        Conversation { service, stream, replies: String::new(), run: Run::default(), is_http: false };
    match conversation.hold(first_bytes).await {
        Ok(()) => connection::end(conversation.stream).await,
        Err(error) => tracing::debug!(%error, "a text connection broke"),
    }
}

/// Whether a conversation goes on.
#[derive(PartialEq, Eq)]
enum Next {
    More,
    End,
}

struct Conversation {
    service: Service,
    stream: TcpStream,
    /// Replies not yet sent.
    replies: String,
    /// Changes not yet made. Changes that came together are made together; whatever comes
    /// after them waits for them, so that replies come in order and a client reads what it
    /// has written.
    run: Run,
    /// A line looked like HTTP. A browser can be made to send lines of its own choosing to
    /// any port, so that connection changes nothing any more.
    is_http: bool,
}

impl Conversation {
    async fn hold(&mut self, first_bytes: Vec<u8>) -> io::Result<()> {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(&first_bytes);
        loop {
            if self.answer_lines(&mut frames).await? == Next::End {
                return Ok(());
            }
            tokio::select! {
                readable = self.stream.readable() => {
                    readable?;
                    if self.read(&mut frames)? == Next::End {
                        self.answer_lines(&mut frames).await?;
                        if let Some(frame) = frames.take_last() {
                            self.answer(&frame).await?;
                        }
                        return self.send().await;
                    }
                }
                () = tokio::time::sleep(QUIET), if frames.may_be_unended() => {
                    if let Some(frame) = frames.take_unended()
                        && self.answer(&frame).await? == Next::End
                    {
                        return self.send().await;
                    }
                    self.send().await?;
                }
                () = self.service.stopping() => {
                    // What has come before the stop is answered; what comes after is not read.
                    self.read(&mut frames)?;
                    self.answer_lines(&mut frames).await?;
                    return Ok(());
                }
            }
        }
    }

    /// Takes what has come, without waiting. Ends where the client will send no more.
    fn read(&self, frames: &mut Frames) -> io::Result<Next> {
        let mut chunk = [0; READ_BYTES];
        match self.stream.try_read(&mut chunk) {
            Ok(0) => Ok(Next::End),
            Ok(length) => {
                frames.buffer().extend_from_slice(&chunk[..length]);
                Ok(Next::More)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Next::More),
            Err(error) => Err(error),
        }
    }

    /// Answers every complete line, and sends the replies.
    async fn answer_lines(&mut self, frames: &mut Frames) -> io::Result<Next> {
        while let Some(frame) = frames.take_line() {
            if self.answer(&frame).await? == Next::End {
                self.send().await?;
                return Ok(Next::End);
            }
        }
        self.send().await?;
        Ok(Next::More)
    }

    async fn answer(&mut self, frame: &Frame<'_>) -> io::Result<Next> {
        self.service.console.command(frame.shown());
        match frame.request() {
            Ok(Request::Adjust(_)) if self.is_http => {
                self.service.inventory.add(&mut self.run, Err(not_over_http()));
            }
            Ok(Request::Adjust(request)) => self.service.inventory.add(&mut self.run, Ok(request)),
            Ok(Request::Find { name }) => {
                self.make_changes().await;
                match self.service.inventory.find(name) {
                    Ok(product) => text::write_product(&mut self.replies, &product),
                    Err(refusal) => text::write_refusal(&mut self.replies, &refusal),
                }
            }
            Ok(Request::List { max_price }) => {
                self.make_changes().await;
                let listing = self.service.inventory.list(max_price);
                self.write_list(&listing).await?;
            }
            Ok(Request::Leave) => {
                self.make_changes().await;
                text::write_message(&mut self.replies, FAREWELL);
                return Ok(Next::End);
            }
            Ok(Request::Import(_)) => {
                // It has no form in this protocol, so no line is ever read as one.
                self.refuse(frame).await;
            }
            Err(refusal) => {
                self.is_http |= is_http(frame.shown());
                self.make_changes().await;
                text::write_refusal(&mut self.replies, &refusal);
            }
        }
        if self.replies.len() >= WRITE_BYTES {
            self.send().await?;
        }
        Ok(Next::More)
    }

    async fn refuse(&mut self, frame: &Frame<'_>) {
        self.make_changes().await;
        text::write_refusal(&mut self.replies, &Refusal::unknown_command(frame.shown()));
    }

    async fn write_list(&mut self, listing: &Listing) -> io::Result<()> {
        let mut is_empty = true;
        for product in listing.iter_after(None) {
            is_empty = false;
            text::write_list_line(&mut self.replies, product);
            if self.replies.len() >= WRITE_BYTES {
                self.send_replies().await?;
            }
        }
        text::write_list_end(&mut self.replies, is_empty);
        Ok(())
    }

    /// Makes the changes that wait, and writes their replies.
    async fn make_changes(&mut self) {
        if self.run.is_empty() {
            return;
        }
        for answer in self.service.inventory.adjust_all(std::mem::take(&mut self.run)).await {
            match answer {
                Ok(adjusted) => text::write_product(&mut self.replies, &adjusted.product),
                Err(refusal) => text::write_refusal(&mut self.replies, &refusal),
            }
        }
    }

    /// Makes the changes that wait, and sends all replies.
    async fn send(&mut self) -> io::Result<()> {
        self.make_changes().await;
        self.send_replies().await
    }

    async fn send_replies(&mut self) -> io::Result<()> {
        if !self.replies.is_empty() {
            // Taken, so that an idle connection holds no buffer.
            let replies = std::mem::take(&mut self.replies);
            self.stream.write_all(replies.as_bytes()).await?;
        }
        Ok(())
    }
}

/// Whether a line is the first of an HTTP/1 request.
fn is_http(line: &str) -> bool {
    line.rsplit_once(' ').is_some_and(|(_, version)| version.starts_with("HTTP/"))
}

fn not_over_http() -> Refusal {
    Refusal::new(
        Code::UnknownCommand,
        "esta conexão começou como HTTP, que este servidor não fala. Nada foi alterado; \
         abra outra conexão e envie só comandos.",
    )
}
