//! Commands and their replies, in order. Changes that come together are made together.

use std::io;

use super::buffers::{WRITE_BYTES, with_room};
use super::http_guard::{is_http, not_over_http};
use super::{Conversation, Next};
use crate::access::{self, Identity};
use crate::inventory::Reader;
use crate::operation::{AdjustRequest, FAREWELL, Permission, Request};
use crate::refusal::Refusal;
use crate::wire::text::{self, Frame, Frames, Lines};

/// Commands of a connection whose answers may wait for changes that are not yet made. With so many the
/// changes are made, however many more commands have come. A bad line of one byte has an answer of
/// hundreds, so without this limit the answers to one read could become megabytes.
const UNANSWERED_MAX: usize = 1024;

/// Changes not yet made that a read is compared with. Behind more, the read waits for them.
const SEARCHED_MAX: usize = 256;

/// The text that the console shows for a command before the token that it needs.
const BEFORE_TOKEN: &str = "(antes do token)";

/// The reply to a token if the server asks for none.
const NO_TOKEN_WANTED: &str = "Este servidor não pede token.";

/// The part of a command that needs a wait.
enum Rest<'f> {
    /// The limit of changes or replies that wait is reached.
    Limit,
    /// A request, to be answered after the changes before it are made.
    Request(Request<'f>),
    /// A refusal, and the name for which similar names may be searched.
    Refused(&'f str, Refusal),
    /// A secret, to be looked at after the changes before it are made.
    Token(&'f str),
}

impl Conversation<'_> {
    /// Answers every complete line, and sends the replies.
    pub(super) async fn answer_lines(&mut self, frames: &mut Frames) -> io::Result<Next> {
        self.authenticator.renew(&mut self.identity);
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

    /// Answers lines until one needs a wait, and returns that part. Nearly no line does.
    fn answer_some<'f>(&mut self, lines: &mut Lines<'f>) -> Option<Rest<'f>> {
        let mut reader = self.service.inventory.reader();
        lines.find_map(|frame| {
            self.answer_now(&mut reader, &frame).or_else(|| {
                (self.run.len() >= UNANSWERED_MAX || self.replies.len() >= WRITE_BYTES).then_some(Rest::Limit)
            })
        })
    }

    /// Answers a command.
    pub(super) async fn answer(&mut self, frame: &Frame<'_>) -> io::Result<Next> {
        let rest = self.answer_now(&mut self.service.inventory.reader(), frame);
        match rest {
            Some(rest) => self.answer_rest(rest).await,
            None => Ok(Next::More),
        }
    }

    /// Answers a command as far as that needs no wait. Returns the part that does.
    fn answer_now<'f>(&mut self, reader: &mut Reader<'_>, frame: &Frame<'f>) -> Option<Rest<'f>> {
        // What a stranger says may be a secret without the word before it.
        let is_stranger = matches!(self.identity, Identity::Unknown);
        let is_hidden = is_stranger && frame.token().is_none();
        if is_hidden {
            self.service.console.command(BEFORE_TOKEN);
        } else {
            self.service.console.command(frame);
        }
        match frame.request() {
            Ok(request) => match (self.check(request.operation().spec().permission), request) {
                (Err(refusal), _) => self.refuse(refusal),
                (Ok(()), Request::AdjustStock(request)) => {
                    let AdjustRequest { name, .. } = request;
                    let added = reader.add(&mut self.run, request);
                    return added.err().map(|refusal| Rest::Refused(name, refusal));
                }
                (Ok(()), Request::GetProduct { name }) => match self.find(reader, name) {
                    Ok(true) => {}
                    Ok(false) => return Some(Rest::Request(Request::GetProduct { name })),
                    Err(refusal) => return Some(Rest::Refused(name, refusal)),
                },
                (Ok(()), request) => return Some(Rest::Request(request)),
            },
            Err(refusal) => {
                if let Some(secret) = frame.token() {
                    return Some(Rest::Token(secret));
                }
                self.is_http |= matches!(frame, Frame::Line(line) if is_http(line));
                self.refuse(if is_stranger { access::refusal(self.identity) } else { refusal });
            }
        }
        None
    }

    /// Refuses what the client may not do on this connection.
    fn check(&self, permission: Permission) -> Result<(), Refusal> {
        if !access::permits(self.identity, permission) {
            Err(access::refusal(self.identity))
        } else if self.is_http && permission == Permission::Write {
            Err(not_over_http())
        } else {
            Ok(())
        }
    }

    /// Answers the part of a command that needs a wait, and sends long replies.
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
                    Request::GetProduct { name } => {
                        let found = self.find(&mut self.service.inventory.reader(), name);
                        if let Err(refusal) = found {
                            let refusal = self.service.inventory.explain(name, refusal).await;
                            self.refuse(refusal);
                        }
                    }
                    Request::ListProducts { max_price } => {
                        let listing = self.service.inventory.list(max_price, None);
                        self.write_list(listing).await?;
                        // Many short lists may have been asked for together.
                        tokio::task::yield_now().await;
                    }
                    Request::Leave => {
                        text::write_message(with_room(&mut self.replies), FAREWELL);
                        return Ok(Next::End);
                    }
                    request => match self.service.inventory.call(request).await {
                        Ok(reply) => text::write_reply(with_room(&mut self.replies), &reply),
                        Err(refusal) => self.refuse(refusal),
                    },
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
        self.identity = self.authenticator.identify(secret);
        match self.identity {
            Identity::Open => text::write_message(with_room(&mut self.replies), NO_TOKEN_WANTED),
            Identity::Token { role, .. } => {
                text::write_message(with_room(&mut self.replies), &format!("Token aceito: {}.", role.word()));
            }
            Identity::Unknown => {
                self.send_replies().await?;
                let (peer, stopping) = (self.stream.peer(), self.service.stopping());
                let answer = self.wrong_tokens.answer(&self.authenticator, peer, stopping);
                let (refusal, are_too_many) = answer.await;
                text::write_refusal(with_room(&mut self.replies), &refusal);
                if are_too_many {
                    return Ok(Next::End);
                }
            }
        }
        Ok(Next::More)
    }

    /// Answers a read if no change of that product waits. Returns whether it did.
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

    /// Makes the changes that wait, and writes their replies.
    pub(super) async fn make_changes(&mut self) {
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
}
