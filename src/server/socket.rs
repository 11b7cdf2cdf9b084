//! The text transport: frames of the text protocol ↔ the inventory.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::connection::{self, Silence};
use super::stream::Stream;
use super::tokens::{Gate, WRONG_MAX, WRONG_WAIT};
use super::{LAST_LOOK, Service};
use crate::access::{self, Grant, Need};
use crate::inventory::{Listing, Reader, Run, Stopped};
use crate::operation::{AdjustRequest, FAREWELL, Request};
use crate::refusal::{Code, Refusal};
use crate::wire::text::{self, Frame, Frames, Lines};

/// How long a connection that has never ended a line must be silent before its text is a
/// command: the original's clients end no line.
const QUIET: Duration = Duration::from_millis(50);

/// Bytes read at once: more than a thousand pipelined commands.
const READ_BYTES: usize = 16 * 1024;

/// Commands of a connection whose answers wait for changes not yet made: with so many the
/// changes are made, however many more have come. A bad line of one byte has an answer of
/// hundreds, so without this limit what was read at once could become megabytes.
const UNANSWERED_MAX: usize = 1024;

/// Changes not yet made that a read is compared with; behind more, it waits for them.
const SEARCHED_MAX: usize = 256;

/// Bytes that a stopping server still takes from a connection: far more than any client
/// leaves waiting, and an end for one that never stops sending.
const LAST_READ_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of replies after which a list is sent on before it is complete, so that a list of
/// any length takes bounded memory.
const WRITE_BYTES: usize = 64 * 1024;

/// Bytes of a buffer that a worker keeps for the next connection: all that is read at once, and
/// the replies to hundreds of commands. One that grew beyond is given back.
const SPARE_BYTES_MAX: usize = READ_BYTES;

thread_local! {
    // What this worker reads into, and what it writes replies to, while no connection uses it.
    // An idle connection holds neither, and to ask the allocator for so much for each read takes
    // a twentieth of its time.
    static SPARE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static SPARE_REPLIES: Cell<String> = const { Cell::new(String::new()) };
}

/// What the console shows of a command before the token that it needs.
const BEFORE_TOKEN: &str = "(antes do token)";

/// What a client that shows a token is answered where none is asked for.
const NO_TOKEN_WANTED: &str = "Este servidor não pede token.";

/// What a newcomer is answered for whom there is no room.
pub(super) fn no_room_answer() -> String {
    let mut answer = String::new();
    text::write_refusal(&mut answer, &Refusal::no_room());
    answer
}

/// Serves a text connection until the client leaves or goes, or the server stops.
pub(super) async fn serve(service: Service, stream: Stream, first_bytes: Vec<u8>) {
    let mut conversation = Conversation {
        grant: service.gate.newcomer(),
        wrong_tokens: 0,
        gate: service.gate.clone(),
        service: &service,
        stream,
        replies: String::new(),
        run: Run::default(),
        held: String::new(),
        marks: Vec::new(),
        is_http: begins_as_http(&first_bytes),
    };
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

/// What a command still needs.
enum Rest<'f> {
    /// As much waits to be made or sent as may.
    Limit,
    /// The changes before it are to be made first.
    Request(Request<'f>),
    /// A refused request, and the name for which similar names may be looked for.
    Refused(&'f str, Refusal),
    /// A secret is shown; the changes before it are to be made first.
    Token(&'f str),
}

struct Conversation<'s> {
    service: &'s Service,
    gate: Gate,
    stream: Stream,
    /// What the client has shown of its right to ask.
    grant: Grant,
    wrong_tokens: u32,
    /// Replies not yet sent.
    replies: String,
    /// Changes not yet made. Changes that came together are made together. Replies come in
    /// order, and a client reads what it has written: a read of a product that waits for a
    /// change waits too, and so does a list.
    run: Run,
    /// Replies to reads of other products that came after changes not yet made.
    held: String,
    /// Where they belong: after so many changes, up to so many bytes of `held`.
    marks: Vec<(usize, usize)>,
    /// A line looked like HTTP. A browser can be made to send lines of its own choosing to
    /// any port, so that connection changes nothing any more.
    is_http: bool,
}

impl Conversation<'_> {
    async fn hold(&mut self, first_bytes: Vec<u8>) -> io::Result<()> {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(&first_bytes);
        let mut stopping = pin!(self.service.stopping());
        let mut silence = Silence::new(self.service.idle);
        loop {
            if self.answer_lines(&mut frames).await? == Next::End {
                return Ok(());
            }
            if self.service.is_stopping() {
                return self.finish(&mut frames).await;
            }
            let may_be_unended = frames.may_be_unended();
            // Nobody is silent while an answer is awaited or taken.
            silence.broken();
            tokio::select! {
                // What has come is answered before anything else is looked at.
                biased;
                length = self.read(&mut frames) => {
                    if length? == 0 {
                        return self.answer_last(&mut frames).await;
                    }
                    // Probably there is more, and then more: the others come first.
                    if frames.buffer().len() >= READ_BYTES {
                        tokio::task::yield_now().await;
                    }
                }
                // A timer is made only where it is awaited.
                () = async { tokio::time::sleep(QUIET).await }, if may_be_unended => {
                    // A thread that was held up may see the time pass before what came in it.
                    if self.read_now(&mut frames)? == 0
                        && let Some(frame) = frames.take_unended()
                        && self.answer(&frame).await? == Next::End
                    {
                        return self.send().await;
                    }
                    self.send().await?;
                }
                () = &mut stopping => return self.finish(&mut frames).await,
                // Without a word: it would be read as the answer to what the client asks next.
                () = silence.too_long() => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    /// The server stops: answers what has come until now, and no more. A short read took all
    /// of it; what comes while it is answered is from a client that would go on for ever.
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

    /// The client sends no more: answers what it left.
    async fn answer_last(&mut self, frames: &mut Frames) -> io::Result<()> {
        if let Some(frame) = frames.take_last() {
            self.answer(&frame).await?;
        }
        self.send().await
    }

    /// Takes what has come, without waiting; 0 where nothing has.
    fn read_now(&mut self, frames: &mut Frames) -> io::Result<usize> {
        let buffer = frames.buffer();
        buffer.reserve(READ_BYTES);
        match self.stream.try_read_buf(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            read => read,
        }
    }

    /// Waits for more, and takes it. No buffer is held while it waits.
    async fn read(&mut self, frames: &mut Frames) -> io::Result<usize> {
        poll_fn(|context| {
            let buffer = frames.buffer();
            if buffer.capacity() == 0 {
                *buffer = SPARE_BUFFER.take();
            }
            buffer.reserve(READ_BYTES.saturating_sub(buffer.len()));
            // Not `try_read`: only this tells the runtime that a short read emptied the socket,
            // which saves asking the system again.
            let read = pin!(self.stream.read_buf(buffer)).poll(context);
            if read.is_pending()
                && let Some(buffer) = frames.release()
                && buffer.capacity() <= SPARE_BYTES_MAX
            {
                SPARE_BUFFER.set(buffer);
            }
            read
        })
        .await
    }

    /// Answers every complete line, and sends the replies.
    async fn answer_lines(&mut self, frames: &mut Frames) -> io::Result<Next> {
        self.gate.renew(&mut self.grant);
        let mut lines = frames.take_lines();
        while let Some(rest) = self.answer_some(&mut lines) {
            if self.answer_rest(rest).await? == Next::End {
                self.send().await?;
                return Ok(Next::End);
            }
        }
        self.send().await?;
        Ok(Next::More)
    }

    /// Answers lines until something has to be waited for, which it returns: nearly all are
    /// answered at once.
    fn answer_some<'f>(&mut self, lines: &mut Lines<'f>) -> Option<Rest<'f>> {
        let mut reader = self.service.inventory.reader();
        lines.find_map(|frame| {
            self.answer_now(&mut reader, &frame).or_else(|| {
                (self.run.len() >= UNANSWERED_MAX || self.replies.len() >= WRITE_BYTES).then_some(Rest::Limit)
            })
        })
    }

    /// Answers a command.
    async fn answer(&mut self, frame: &Frame<'_>) -> io::Result<Next> {
        let rest = self.answer_now(&mut self.service.inventory.reader(), frame);
        match rest {
            Some(rest) => self.answer_rest(rest).await,
            None => Ok(Next::More),
        }
    }

    /// Answers a command that needs not wait. Returns what has to be waited for.
    fn answer_now<'f>(&mut self, reader: &mut Reader<'_>, frame: &Frame<'f>) -> Option<Rest<'f>> {
        // What a stranger says may be a secret without the word before it.
        let is_stranger = matches!(self.grant, Grant::Stranger);
        let is_hidden = is_stranger && frame.token().is_none();
        if is_hidden {
            self.service.console.command(BEFORE_TOKEN);
        } else {
            self.service.console.command(frame);
        }
        match frame.request() {
            Ok(request) if !access::permits(self.grant, Need::of(&request)) => {
                self.refuse(access::refusal(self.grant));
            }
            Ok(Request::Adjust(_)) if self.is_http => self.refuse(not_over_http()),
            Ok(Request::Adjust(request)) => {
                let AdjustRequest { name, .. } = request;
                return reader.add(&mut self.run, request).err().map(|refusal| Rest::Refused(name, refusal));
            }
            Ok(Request::Find { name }) => match self.find(reader, name) {
                Ok(true) => {}
                Ok(false) => return Some(Rest::Request(Request::Find { name })),
                Err(refusal) => return Some(Rest::Refused(name, refusal)),
            },
            Ok(request) => return Some(Rest::Request(request)),
            Err(refusal) => {
                if let Some(secret) = frame.token() {
                    return Some(Rest::Token(secret));
                }
                self.is_http |= matches!(frame, Frame::Line(line) if is_http(line));
                self.refuse(if is_stranger { access::refusal(self.grant) } else { refusal });
            }
        }
        None
    }

    /// Answers what had to wait, and sends long replies on.
    async fn answer_rest(&mut self, rest: Rest<'_>) -> io::Result<Next> {
        match rest {
            Rest::Limit => {}
            Rest::Refused(name, refusal) => {
                let refusal = self.service.inventory.explain(name, refusal).await;
                self.refuse(refusal);
                tokio::task::yield_now().await;
            }
            Rest::Token(secret) => return self.look_at_token(secret).await,
            Rest::Request(request) => {
                self.make_changes().await;
                match request {
                    Request::Find { name } => {
                        let found = self.find(&mut self.service.inventory.reader(), name);
                        if let Err(refusal) = found {
                            let refusal = self.service.inventory.explain(name, refusal).await;
                            self.refuse(refusal);
                        }
                    }
                    Request::List { max_price } => {
                        let listing = self.service.inventory.list(max_price, None);
                        self.write_list(listing).await?;
                        // Many short lists may have been asked for together.
                        tokio::task::yield_now().await;
                    }
                    Request::Leave => {
                        text::write_message(with_room(&mut self.replies), FAREWELL);
                        return Ok(Next::End);
                    }
                    // Changes wait in the run; and an import has no form in this protocol.
                    Request::Adjust(_) | Request::Import(_) => {}
                }
            }
        }
        if self.run.len() >= UNANSWERED_MAX {
            self.make_changes().await;
        }
        if self.replies.len() >= WRITE_BYTES {
            self.send().await?;
        }
        Ok(Next::More)
    }

    /// Lets a client in by its token. A wrong one is answered late, and ends the connection
    /// when there were too many of them.
    async fn look_at_token(&mut self, secret: &str) -> io::Result<Next> {
        self.make_changes().await;
        self.grant = self.gate.grant(secret);
        match self.grant {
            Grant::Open => text::write_message(with_room(&mut self.replies), NO_TOKEN_WANTED),
            Grant::Token { role, .. } => {
                text::write_message(with_room(&mut self.replies), &format!("Token aceito: {}.", role.word()));
            }
            Grant::Stranger => {
                self.gate.tell_wrong(self.stream.peer());
                self.wrong_tokens += 1;
                self.send_replies().await?;
                tokio::select! {
                    () = tokio::time::sleep(WRONG_WAIT) => {}
                    () = self.service.stopping() => {}
                }
                text::write_refusal(with_room(&mut self.replies), &access::wrong_token());
                if self.wrong_tokens >= WRONG_MAX {
                    return Ok(Next::End);
                }
            }
        }
        Ok(Next::More)
    }

    /// Answers a read, if no change of that product waits; tells whether it did.
    fn find(&mut self, reader: &mut Reader<'_>, name: &str) -> Result<bool, Refusal> {
        let Self { replies, run, held, marks, .. } = self;
        reader.find(name, |product| {
            if run.is_empty() {
                text::write_product(with_room(replies), product);
            } else if run.len() > SEARCHED_MAX || held.len() >= WRITE_BYTES || run.touches(product.id) {
                return false;
            } else {
                text::write_product(held, product);
                marks.push((run.len(), held.len()));
            }
            true
        })
    }

    /// Answers with a refusal, in its turn.
    fn refuse(&mut self, refusal: Refusal) {
        if self.run.is_empty() {
            text::write_refusal(with_room(&mut self.replies), &refusal);
        } else {
            self.run.refuse(refusal);
        }
    }

    /// Writes a list, in turns. A list that cannot go on ends with the refusal, after the lines before it.
    async fn write_list(&mut self, mut listing: Listing) -> io::Result<()> {
        let mut turn = self.service.long_work.begin();
        let mut is_empty = true;
        loop {
            let replies = with_room(&mut self.replies);
            let turn_end = replies.len() + turn.bytes();
            let stopped = listing.visit(|product| {
                is_empty = false;
                text::write_list_line(replies, product);
                if replies.len() >= turn_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match stopped {
                Ok(Stopped::AtEnd) => {
                    text::write_list_end(replies, is_empty);
                    break;
                }
                Ok(Stopped::AsAsked | Stopped::InTurn) => {}
                Err(refusal) => {
                    text::write_refusal(replies, &refusal);
                    break;
                }
            }
            if self.replies.len() >= WRITE_BYTES {
                turn.end().await;
                self.send_replies().await?;
            }
            turn.next().await;
        }
        turn.end().await;
        Ok(())
    }

    /// Makes the changes that wait, and writes their replies.
    async fn make_changes(&mut self) {
        if self.run.is_empty() {
            return;
        }
        let Self { service, replies, run, held, marks, .. } = self;
        let mut marks = marks.drain(..).peekable();
        let mut answered = 0;
        let mut held_from = 0;
        let run = std::mem::take(run);
        let made = service.inventory.adjust_all(run, |answer| {
            let replies = with_room(replies);
            match answer {
                Ok((product, movement)) => text::write_adjusted(replies, product, movement),
                Err(refusal) => text::write_refusal(replies, &refusal),
            }
            answered += 1;
            while let Some((_, held_to)) = marks.next_if(|(after, _)| *after == answered) {
                replies.push_str(&held[held_from..held_to]);
                held_from = held_to;
            }
        });
        made.await;
        held.clear();
    }

    /// Makes the changes that wait, and sends all replies.
    async fn send(&mut self) -> io::Result<()> {
        self.make_changes().await;
        self.send_replies().await
    }

    async fn send_replies(&mut self) -> io::Result<()> {
        if !self.replies.is_empty() {
            let mut replies = std::mem::take(&mut self.replies);
            connection::write(&mut self.stream, replies.as_bytes()).await?;
            let is_long = replies.len() >= WRITE_BYTES;
            if replies.capacity() <= SPARE_BYTES_MAX {
                replies.clear();
                SPARE_REPLIES.set(replies);
            }
            // What is read at once may ask for a hundred times as much: the others come first.
            if is_long {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

/// Replies with the room of the spare ones, where they have none.
fn with_room(replies: &mut String) -> &mut String {
    if replies.capacity() == 0 {
        *replies = SPARE_REPLIES.take();
    }
    replies
}

/// Whether a connection begins as an HTTP/1 request: a method in capitals, a space, a slash.
/// The rest of the line may be too long to be looked at.
fn begins_as_http(first_bytes: &[u8]) -> bool {
    let method = first_bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method > 0 && first_bytes[method..].starts_with(b" /")
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::atomic::Ordering;

    use tokio::net::TcpStream;

    use super::super::testing;
    use super::*;
    use crate::catalog::{Name, ProductDraft, original_products};
    use crate::inventory::Inventory;
    use crate::store::sqlite::SqliteStore;

    /// Both ends of a connection.
    fn connection() -> (std::net::TcpStream, Stream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        (client, Stream::Plain(TcpStream::from_std(stream).unwrap()))
    }

    /// How often others have their turn while this, or as much of it as the system takes, is answered;
    /// and how much it was.
    async fn turns_during(commands: &str) -> (usize, usize) {
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &original_products()).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let service = testing::service(inventory, draining);
        let (mut client, stream) = connection();
        client.set_nonblocking(true).unwrap();
        let sent = client.write(commands.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let turns = testing::turns();
        serve(service, stream, Vec::new()).await;
        (turns.load(Ordering::Relaxed), sent)
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
        let service = testing::service(inventory, draining);
        let (mut client, stream) = connection();
        client.write_all(b"4\n1 PRODUTO 7\n").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let inventory = service.inventory.clone();
        let server = tokio::spawn(serve(service, stream, Vec::new()));
        // The list cannot end before the client takes something, because no buffer holds all of it.
        client.set_nonblocking(true).unwrap();
        let mut answer = Vec::new();
        let reading = async {
            while client.peek(&mut [0]).is_err() {
                tokio::task::yield_now().await;
            }
            inventory.forget_snapshots();
            // An error means that not all of it has come yet.
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
        // Long, and answered shortly: the client takes no answer.
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
