//! A connection that speaks the text protocol.

use std::ops::Range;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stream::{Stream, Traffic, open};
use super::{ClientError, ConnectOptions, ConnectionError};
use crate::access::Secret;
use crate::operation::{Reply, Request};
use crate::wire::text;

/// The longest reply that is accepted, in bytes: a list of half a million products. A server of ours sends no
/// longer one, and another program must not fill the memory.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The room for one read, in bytes: many short replies, or a large part of a list.
const RECEIVE_BYTES: usize = 64 * 1024;

/// A text connection. [`send`](Self::send) and [`receive`](Self::receive) are for callers that keep several
/// requests in flight.
pub struct TextConnection {
    address: String,
    stream: Box<dyn Stream>,
    traffic: Arc<Traffic>,
    /// The token, until the server has seen it.
    token: Option<Secret>,
    received: Received,
}

impl TextConnection {
    pub(super) async fn connect(address: &str, options: &ConnectOptions) -> Result<Self, ConnectionError> {
        let (stream, traffic) = open(address, options, options.tls.clone()).await?;
        let (address, token) = (address.to_owned(), options.token.clone());
        Ok(Self { address, stream, traffic, token, received: Received::default() })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    pub(super) async fn call(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        let line = text::write_request(request)?;
        self.show_token().await?;
        let reply = self.ask(&line).await?;
        let lines: Vec<&str> = reply.lines().collect();
        let answer = text::read_reply(request, &lines).map_err(|_| self.not_ours())?;
        Ok(answer?)
    }

    /// Sends the token, if there is one that the server has not seen.
    ///
    /// # Errors
    /// If the server refuses the token, or the connection breaks.
    pub async fn show_token(&mut self) -> Result<(), ClientError> {
        if let Some(token) = &self.token {
            let line = text::write_token(token.reveal());
            let reply = self.ask(&line).await?;
            text::read_token_reply(&reply)?;
            self.token = None;
        }
        Ok(())
    }

    /// Sends a line, and returns the lines of its reply.
    async fn ask(&mut self, line: &str) -> Result<String, ConnectionError> {
        if !self.received.is_empty() {
            // An answer without a request would be taken for the answer to the next request.
            return Err(ConnectionError::Lost("veio uma resposta sem pergunta".to_owned()));
        }
        self.send(line).await?;
        let reply = self.receive().await?;
        match reply.trim_end() == text::TLS_ONLY {
            true => Err(ConnectionError::TlsOnly { address: self.address.clone() }),
            false => Ok(reply.to_owned()),
        }
    }

    /// Sends lines, each with its line end.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn send(&mut self, lines: &str) -> Result<(), ConnectionError> {
        let broken = |error| ConnectionError::of_io(&self.address, &error);
        self.stream.write_all(lines.as_bytes()).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)
    }

    /// Waits for the next reply, and returns its lines without the empty last one. A caller that stops
    /// waiting loses nothing.
    ///
    /// # Errors
    /// If the connection breaks, or what comes is not a reply.
    pub async fn receive(&mut self) -> Result<&str, ConnectionError> {
        self.wait_for_reply().await?;
        let reply = self.received.take().unwrap_or_default();
        self.as_text(reply)
    }

    /// Waits for the next line of a reply that has no end, and returns it without its line end. A caller that
    /// stops waiting loses nothing.
    ///
    /// # Errors
    /// If the connection breaks, or what comes is not a line.
    pub async fn receive_line(&mut self) -> Result<&str, ConnectionError> {
        let line = loop {
            match self.received.take_line() {
                Some(line) => break line,
                None => self.read_more().await?,
            }
        };
        self.as_text(line)
    }

    /// Waits until a reply has come, and leaves it to [`try_receive`](Self::try_receive). A caller that
    /// stops waiting loses nothing.
    ///
    /// # Errors
    /// If the connection breaks, or what comes is not a reply.
    pub async fn wait_for_reply(&mut self) -> Result<(), ConnectionError> {
        while !self.received.has_reply() {
            self.read_more().await?;
        }
        Ok(())
    }

    /// The next reply, if it is complete already.
    ///
    /// # Errors
    /// If what came is not a reply.
    pub fn try_receive(&mut self) -> Result<Option<&str>, ConnectionError> {
        self.received.take().map(|reply| self.as_text(reply)).transpose()
    }

    async fn read_more(&mut self) -> Result<(), ConnectionError> {
        if self.received.is_too_long() {
            return Err(self.not_ours());
        }
        match self.stream.read_buf(self.received.buffer()).await {
            Ok(0) => Err(ConnectionError::Lost("o servidor a encerrou".to_owned())),
            Ok(_) => Ok(()),
            Err(error) => Err(ConnectionError::of_io(&self.address, &error)),
        }
    }

    fn as_text(&self, reply: Range<usize>) -> Result<&str, ConnectionError> {
        simdutf8::basic::from_utf8(&self.received.bytes[reply]).map_err(|_| self.not_ours())
    }

    fn not_ours(&self) -> ConnectionError {
        ConnectionError::NotOurs { address: self.address.clone(), protocol: "texto" }
    }
}

/// Received bytes, cut into replies.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    /// The place of a complete reply that was not taken yet, without its empty last line.
    reply: Option<Range<usize>>,
    /// The first byte after that reply.
    start: usize,
    /// The start of the line that the search for the end of a reply has reached.
    line_start: usize,
    /// The end of the bytes that have been searched.
    searched: usize,
}

impl Received {
    fn is_empty(&self) -> bool {
        self.reply.is_none() && self.start == self.bytes.len()
    }

    /// Whether the incoming reply is longer than any of a server of ours.
    fn is_too_long(&self) -> bool {
        self.bytes.len() - self.start >= REPLY_BYTES_MAX
    }

    /// The buffer to append to, if there is no reply to take. Replies that were taken are removed from it.
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.line_start -= self.start;
        self.searched -= self.start;
        self.start = 0;
        self.bytes.reserve(RECEIVE_BYTES);
        &mut self.bytes
    }

    /// Whether the next reply is complete.
    fn has_reply(&mut self) -> bool {
        while self.reply.is_none() {
            let Some(length) = memchr::memchr(b'\n', &self.bytes[self.searched..]) else {
                self.searched = self.bytes.len();
                return false;
            };
            let line = self.line_start..self.searched + length;
            self.searched = line.end + 1;
            self.line_start = self.searched;
            if matches!(&self.bytes[line.clone()], b"" | b"\r") {
                self.reply = Some(self.start..line.start);
                self.start = self.searched;
            }
        }
        true
    }

    /// Takes the next line of a reply that was not searched for its end.
    fn take_line(&mut self) -> Option<Range<usize>> {
        let length = memchr::memchr(b'\n', &self.bytes[self.start..])?;
        let line = self.start..self.start + length;
        self.start = line.end + 1;
        (self.searched, self.line_start) = (self.start, self.start);
        let is_cr_lf = self.bytes[line.clone()].ends_with(b"\r");
        Some(line.start..line.end - usize::from(is_cr_lf))
    }

    fn take(&mut self) -> Option<Range<usize>> {
        self.has_reply();
        self.reply.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_whole_however_they_are_cut() {
        let bytes = "Maca: R$3.0, Estoque: 20\n\n\nMaçã\nPera\r\n\r\nfim".as_bytes();
        for chunk_size in 1..=bytes.len() {
            let mut received = Received::default();
            let mut replies = Vec::new();
            for chunk in bytes.chunks(chunk_size) {
                received.buffer().extend_from_slice(chunk);
                while let Some(reply) = received.take() {
                    replies.push(String::from_utf8(received.bytes[reply].to_vec()).unwrap());
                }
            }
            assert_eq!(replies, ["Maca: R$3.0, Estoque: 20\n", "", "Maçã\nPera\r\n"], "{chunk_size}");
            assert!(!received.is_empty());
        }
    }
}
