//! A client over the text protocol.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::patience::{LOOK, Patience};
use super::{Broken, Client, Failure, Manner, lost, open};
use crate::access::Secret;
use crate::operation::{Reply, Request};
use crate::tls::{Problem, server_name};
use crate::wire::text;

/// Longest reply taken, in bytes: a list of half a million products. A server of ours has no
/// longer one, and what is none of ours must not fill the memory.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest wait for room to send a request, which is small.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that speaks the text protocol.
pub(super) struct SocketClient {
    address: String,
    connection: BufReader<Stream>,
    /// To be shown before anything else.
    token: Option<Secret>,
    patience: Patience,
}

impl SocketClient {
    pub(super) fn connect(address: &str, manner: &Manner, patience: &Patience) -> Result<Self, Broken> {
        let stream = open(address, manner, patience)?;
        stream.set_read_timeout(Some(LOOK)).map_err(|error| lost(address, &error))?;
        stream.set_write_timeout(Some(SEND_TIMEOUT)).map_err(|error| lost(address, &error))?;
        let watched = Watched { stream, address: address.to_owned(), patience: patience.clone() };
        let stream = match &manner.tls {
            None => Stream::Plain(watched),
            Some(config) => Stream::Tls(Box::new(shake_hands(watched, address, config)?)),
        };
        Ok(Self {
            address: address.to_owned(),
            connection: BufReader::new(stream),
            token: manner.token.clone(),
            patience: patience.clone(),
        })
    }

    /// The lines of a reply, without the empty one that ends it.
    fn read_lines(&mut self) -> Result<String, Broken> {
        let mut lines = Vec::new();
        let mut start = 0;
        while lines.len() < REPLY_BYTES_MAX {
            let came = match self.connection.fill_buf() {
                Ok([]) => return Err(Broken::Lost("o servidor a encerrou".to_owned())),
                Ok(came) => came,
                Err(error) => return Err(broken(&self.address, error)),
            };
            let line_end = memchr::memchr(b'\n', came);
            let length = line_end.map_or(came.len(), |at| at + 1);
            lines.extend_from_slice(&came[..length]);
            self.connection.consume(length);
            if line_end.is_some() {
                if matches!(&lines[start..], b"\n" | b"\r\n") {
                    lines.truncate(start);
                    return String::from_utf8(lines).map_err(|_| self.not_ours());
                }
                start = lines.len();
            }
        }
        Err(self.not_ours())
    }

    fn not_ours(&self) -> Broken {
        Broken::NotOurs { address: self.address.clone(), protocol: "texto" }
    }
}

impl SocketClient {
    /// Sends a line, and returns the reply.
    fn ask(&mut self, line: &str) -> Result<String, Broken> {
        if !self.connection.buffer().is_empty() {
            // An answer without a question would be taken for the answer to the next question.
            return Err(Broken::Lost("veio uma resposta sem pergunta".to_owned()));
        }
        let stream = self.connection.get_mut();
        let sent = stream.write_all(line.as_bytes()).and_then(|()| stream.flush());
        sent.map_err(|error| broken(&self.address, error))?;
        let reply = self.read_lines()?;
        match reply.trim_end() == text::TLS_ONLY {
            true => Err(Broken::TlsOnly { address: self.address.clone() }),
            false => Ok(reply),
        }
    }
}

impl Client for SocketClient {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        self.patience.begin_answer();
        let line = text::write_request(request)?;
        if let Some(token) = &self.token {
            let line = text::write_token(token.reveal());
            let reply = self.ask(&line)?;
            text::read_token_reply(&reply)?;
            self.token = None;
        }
        let reply = self.ask(&line)?;
        let lines: Vec<&str> = reply.lines().collect();
        let answer = text::read_reply(request, &lines).map_err(|_| self.not_ours())?;
        Ok(answer?)
    }
}

/// A connection on which no read lasts longer than the patience, whoever reads: the rest of a TLS
/// record may drip too.
struct Watched {
    stream: TcpStream,
    address: String,
    patience: Patience,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self.stream.read(buffer) {
                Err(error) if is_timeout(&error) => None,
                read => Some(read?),
            };
            self.patience.heard(read.unwrap_or(0));
            self.patience.look(&self.address).map_err(io::Error::other)?;
            if let Some(length) = read {
                return Ok(length);
            }
        }
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Why a read or a write failed.
fn broken(address: &str, error: io::Error) -> Broken {
    error.downcast::<Broken>().unwrap_or_else(|error| lost(address, &error))
}

/// A connection, with TLS or without.
enum Stream {
    Plain(Watched),
    Tls(Box<StreamOwned<ClientConnection, Watched>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// Speaks TLS first, so that what goes wrong there is told before anything is sent.
fn shake_hands(
    mut stream: Watched,
    address: &str,
    config: &Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, Watched>, Broken> {
    let failed = |problem| Broken::Tls { address: address.to_owned(), problem };
    let name = server_name(address).ok_or_else(|| failed(Problem::NoName))?;
    let mut session = ClientConnection::new(Arc::clone(config), name)
        .map_err(|error| failed(Problem::Other(error.to_string())))?;
    while session.is_handshaking() {
        session.complete_io(&mut stream).map_err(|error| broken(address, error))?;
    }
    Ok(StreamOwned::new(session, stream))
}

/// Whether a read ended only because its short wait was over or a signal came.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
