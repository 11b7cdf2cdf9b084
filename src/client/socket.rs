//! A client over the text protocol.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::{ANSWER_TIMEOUT, Broken, Client, Failure, INTERRUPT_LOOK, open, take_interrupt};
use crate::request::{Reply, Request};
use crate::system_error::told;
use crate::wire::text;

/// Longest reply taken, in bytes: a list of half a million products. A server of ours has no
/// longer one, and what is none of ours must not fill the memory.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A connection that speaks the text protocol.
pub(super) struct SocketClient {
    address: String,
    connection: BufReader<TcpStream>,
}

impl SocketClient {
    pub(super) fn connect(address: &str) -> Result<Self, Broken> {
        let stream = open(address)?;
        stream
            .set_read_timeout(Some(INTERRUPT_LOOK))
            .and_then(|()| stream.set_write_timeout(Some(ANSWER_TIMEOUT)))
            .map_err(|error| lost(&error))?;
        Ok(Self { address: address.to_owned(), connection: BufReader::new(stream) })
    }

    /// The lines of a reply, without the empty one that ends it.
    fn read_lines(&mut self) -> Result<String, Broken> {
        let mut lines = Vec::new();
        let mut start = 0;
        let mut last_came = Instant::now();
        loop {
            let bytes_left = REPLY_BYTES_MAX.saturating_sub(lines.len());
            if bytes_left == 0 {
                return Err(self.not_ours());
            }
            match self.connection.by_ref().take(bytes_left as u64).read_until(b'\n', &mut lines) {
                Ok(0) => return Err(Broken::Lost("o servidor a encerrou".to_owned())),
                Ok(_) if matches!(&lines[start..], b"\n" | b"\r\n") => {
                    lines.truncate(start);
                    return String::from_utf8(lines).map_err(|_| self.not_ours());
                }
                Ok(_) => {
                    start = lines.len();
                    last_came = Instant::now();
                }
                // What had come of the line is kept, and the wait goes on.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if take_interrupt() {
                        return Err(Broken::Interrupted);
                    }
                    if last_came.elapsed() >= ANSWER_TIMEOUT {
                        return Err(lost(&error));
                    }
                }
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    fn not_ours(&self) -> Broken {
        Broken::NotOurs { address: self.address.clone(), protocol: "texto" }
    }
}

impl Client for SocketClient {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        let line = text::write_request(request)?;
        self.connection.get_mut().write_all(line.as_bytes()).map_err(|error| lost(&error))?;
        let reply = self.read_lines()?;
        let lines: Vec<&str> = reply.lines().collect();
        let answer = text::read_reply(request, &lines).map_err(|_| self.not_ours())?;
        Ok(answer?)
    }
}

fn lost(error: &std::io::Error) -> Broken {
    Broken::Lost(told(error))
}
