//! Commands and their replies, in order. Changes that arrive together are committed together.

use std::io;
use std::sync::Arc;

use super::buffers::{self, WRITE_BYTES};
use super::http_guard::{is_http, not_over_http};
use super::{Conversation, Next};
use crate::access::{self, Identity};
use crate::catalog::Selection;
use crate::inventory::{Reader, may_be_made};
use crate::operation::{AdjustRequest, FAREWELL, Operation, Permission, Request};
use crate::refusal::Refusal;
use crate::server::io::write_all;
use crate::wire::text::{self, Frame, Frames, Lines};

/// The most changes of a connection that wait for their commit. At this number, nothing more is read before
/// the commit.
const PIPELINED_CHANGES_MAX: usize = 1024;

/// The text that the console shows for a command of a client without the token that it needs.
const BEFORE_TOKEN: &str = "(antes do token)";

/// The reply to a token if the server demands none.
const NO_TOKEN_WANTED: &str = "Este servidor não pede token.";

/// The part of a command for which the connection must wait.
enum Rest<'f> {
    /// A commit, because the limit of waiting changes or replies is reached.
    Limit,
    /// A request, to be answered after the commit of the changes before it.
    Request(Request<'f>),
    /// A refusal, with the name for which similar names may be searched.
    Refused(Operation, &'f str, Refusal),
    /// A secret, to be checked after the commit of the changes before it.
    Token(&'f str),
    /// Nothing that was answered may be sent: another server may have written while it was read.
    NotRight,
}

impl Conversation<'_> {
    /// Answers every complete line, and sends the replies.
    pub(super) async fn answer_lines(&mut self, frames: &mut Frames) -> io::Result<Next> {
        if self.authenticator.renew(&mut self.identity) {
            self.sign();
        }
        let mut lines = frames.take_lines();
        while let Some(rest) = self.answer_some(&mut lines) {
            if self.answer_rest(rest, !lines.is_empty()).await? == Next::End {
                self.send().await?;
                return Ok(Next::End);
            }
        }
        self.send().await?;
        Ok(Next::More)
    }

    /// Answers lines until one needs a wait, and returns the part that waits. Nearly no line needs a wait.
    fn answer_some<'f>(&mut self, lines: &mut Lines<'f>) -> Option<Rest<'f>> {
        let session = Arc::clone(&self.session);
        let mut reader = session.reader();
        let rest = lines.find_map(|frame| {
            self.answer_now(&mut reader, &frame).or_else(|| {
                (self.is_full() || self.pipeline.ready_bytes() >= WRITE_BYTES).then_some(Rest::Limit)
            })
        });
        if reader.is_right() { rest } else { Some(Rest::NotRight) }
    }

    /// Answers a command.
    pub(super) async fn answer(&mut self, frame: &Frame<'_>) -> io::Result<Next> {
        let session = Arc::clone(&self.session);
        let rest = {
            let mut reader = session.reader();
            let rest = self.answer_now(&mut reader, frame);
            if reader.is_right() { rest } else { Some(Rest::NotRight) }
        };
        match rest {
            Some(rest) => self.answer_rest(rest, false).await,
            None => Ok(Next::More),
        }
    }

    /// Answers a command as far as possible without a wait. Returns the part that needs one.
    fn answer_now<'f>(&mut self, reader: &mut Reader<'_>, frame: &Frame<'f>) -> Option<Rest<'f>> {
        // A line of a client without a token may be a secret whose first word is missing.
        let is_stranger = matches!(self.identity, Identity::Unknown);
        let is_hidden = is_stranger && frame.token().is_none();
        if is_hidden {
            self.service.console.command(BEFORE_TOKEN);
        } else {
            self.service.console.command(frame);
        }
        match frame.request() {
            Ok(mut request) => {
                if let Err(refusal) = self.admit(&mut request) {
                    self.refuse(Some(request.operation()), refusal);
                    return None;
                }
                match request {
                    Request::AdjustStock(request) => {
                        let AdjustRequest { name, .. } = request;
                        let refusal = reader.add(&mut self.pipeline, request).err()?;
                        return Some(match frame.request() {
                            Ok(Request::AdjustStock(again)) if may_be_made(&again, &refusal) => {
                                Rest::Request(Request::AdjustStock(again))
                            }
                            _ => Rest::Refused(Operation::AdjustStock, name, refusal),
                        });
                    }
                    Request::GetProduct { name } => match self.find(reader, name) {
                        Ok(true) => self.turn.count(Some(Operation::GetProduct), None),
                        Ok(false) => return Some(Rest::Request(Request::GetProduct { name })),
                        Err(refusal) => {
                            return Some(Rest::Refused(Operation::GetProduct, name, refusal));
                        }
                    },
                    request => return Some(Rest::Request(request)),
                }
            }
            Err(refusal) => {
                if let Some(secret) = frame.token() {
                    return Some(Rest::Token(secret));
                }
                self.is_http |= matches!(frame, Frame::Line(line) if is_http(line));
                self.refuse(None, if is_stranger { access::no_token() } else { refusal });
            }
        }
        None
    }

    /// Refuses a request that the client may not make on this connection.
    fn admit(&self, request: &mut Request<'_>) -> Result<(), Refusal> {
        access::admit(&self.identity, request)?;
        if self.is_http && request.permission() != Permission::Read {
            return Err(not_over_http());
        }
        Ok(())
    }

    /// Answers the part of a command that needs a wait, and sends long replies. `is_followed` says whether
    /// another command has come already.
    async fn answer_rest(&mut self, rest: Rest<'_>, is_followed: bool) -> io::Result<Next> {
        match rest {
            Rest::Limit => {}
            Rest::NotRight => return Err(not_right()),
            Rest::Refused(operation, name, refusal) => {
                let refusal = self.session.explain(name, refusal).await;
                self.refuse(Some(operation), refusal);
                tokio::task::yield_now().await;
            }
            Rest::Token(secret) => return self.look_at_token(secret).await,
            Rest::Request(request) => {
                self.make_changes().await;
                let operation = Some(request.operation());
                match request {
                    Request::GetProduct { name } => {
                        let session = Arc::clone(&self.session);
                        let found = {
                            let mut reader = session.reader();
                            let found = self.find(&mut reader, name);
                            if reader.is_right() { Ok(found) } else { Err(not_right()) }
                        };
                        match found? {
                            Ok(_) => self.turn.count(operation, None),
                            Err(refusal) => {
                                let refusal = self.session.explain(name, refusal).await;
                                self.refuse(operation, refusal);
                            }
                        }
                    }
                    Request::ListProducts(products) => {
                        // No line of the protocol asks for more than a price.
                        let selection = Selection::up_to(products.max_price);
                        let listing = self.session.list(selection, None);
                        self.write_list(listing).await?;
                        // The client may have asked for many short lists together.
                        tokio::task::yield_now().await;
                    }
                    Request::WatchMovements(watch) => self.watch(watch, is_followed).await?,
                    Request::Leave => {
                        text::write_message(self.pipeline.next_answer(), FAREWELL);
                        self.turn.count(operation, None);
                        return Ok(Next::End);
                    }
                    request => match self.session.call(request).await {
                        Ok(reply) => {
                            text::write_reply(self.pipeline.next_answer(), &reply);
                            self.turn.count(operation, None);
                        }
                        Err(refusal) => self.refuse(operation, refusal),
                    },
                }
            }
        }
        if self.is_full() {
            self.make_changes().await;
        }
        if self.pipeline.ready_bytes() >= WRITE_BYTES {
            self.send().await?;
        }
        Ok(Next::More)
    }

    /// Has the changes of the connection signed with the name of the client's token.
    pub(super) fn sign(&mut self) {
        self.session = Arc::new(self.service.session(&self.identity).into_owned());
    }

    /// Authenticates a client by its token. A wrong token is answered late, and too many of them end the
    /// connection.
    async fn look_at_token(&mut self, secret: &str) -> io::Result<Next> {
        self.make_changes().await;
        self.identity = self.authenticator.identify(secret);
        self.sign();
        match &self.identity {
            Identity::Open => text::write_message(self.pipeline.next_answer(), NO_TOKEN_WANTED),
            Identity::Token { role, .. } => {
                text::write_message(self.pipeline.next_answer(), &format!("Token aceito: {}.", role.word()));
            }
            Identity::Unknown => {
                self.send_ready().await?;
                let (peer, stopping) = (self.stream.peer(), self.service.stopping());
                let answer = self.wrong_tokens.answer(&self.authenticator, peer, stopping);
                let (refusal, are_too_many) = answer.await;
                self.refuse(None, refusal);
                if are_too_many {
                    return Ok(Next::End);
                }
            }
        }
        Ok(Next::More)
    }

    /// Answers a read, unless the read must wait for changes. Returns whether it was answered.
    fn find(&mut self, reader: &mut Reader<'_>, name: &str) -> Result<bool, Refusal> {
        reader.find_in_turn(&mut self.pipeline, name, text::write_product)
    }

    /// Answers with a refusal, in the order of the commands.
    pub(super) fn refuse(&mut self, operation: Option<Operation>, refusal: Refusal) {
        self.turn.count(operation, Some(refusal.code));
        text::write_refusal(self.pipeline.next_answer(), &refusal);
    }

    /// Whether so many changes or answers wait that the changes must be committed first. A bad line of one
    /// byte has an answer of hundreds, so without a limit the answers to one read could become megabytes.
    fn is_full(&self) -> bool {
        self.pipeline.waiting() >= PIPELINED_CHANGES_MAX || self.pipeline.known_bytes() >= WRITE_BYTES
    }

    /// Commits the changes that wait, and sends all replies.
    pub(super) async fn send(&mut self) -> io::Result<()> {
        self.make_changes().await;
        self.send_ready().await?;
        self.turn.end(&self.session.metrics().operations);
        Ok(())
    }

    /// Commits the changes that wait. Afterwards, their replies and the replies after them are ready.
    async fn make_changes(&mut self) {
        let turn = &mut self.turn;
        let made = self.session.commit(&mut self.pipeline, |replies, answer| match answer {
            Ok((product, movement)) => {
                turn.count(Some(Operation::AdjustStock), None);
                text::write_adjusted(replies, product, movement);
            }
            Err(refusal) => {
                turn.count(Some(Operation::AdjustStock), Some(refusal.code));
                text::write_refusal(replies, &refusal);
            }
        });
        made.await;
    }

    /// Sends the replies that wait for no change.
    pub(super) async fn send_ready(&mut self) -> io::Result<()> {
        if self.pipeline.ready_bytes() > 0 {
            let replies = self.pipeline.take_ready();
            write_all(&mut self.stream, replies.as_bytes()).await?;
            let is_long = replies.len() >= WRITE_BYTES;
            buffers::give_replies_back(replies);
            // One read may cause a hundred times as many bytes of replies, so the other connections have a
            // turn first.
            if is_long {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

/// The error that ends a connection whose answers may be wrong. Its client asks again.
fn not_right() -> io::Error {
    io::Error::other("another server may have written for the shop meanwhile")
}
