//! A client over the text protocol.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use super::{ANSWER_TIMEOUT, Broken, Client, Failure, open};
use crate::request::{Reply, Request};
use crate::wire::text;

/// A connection that speaks the text protocol.
pub(super) struct SocketClient {
    address: String,
    connection: BufReader<TcpStream>,
}

impl SocketClient {
    pub(super) fn connect(address: &str) -> Result<Self, Broken> {
        let stream = open(address)?;
        stream
            .set_read_timeout(Some(ANSWER_TIMEOUT))
            .and_then(|()| stream.set_write_timeout(Some(ANSWER_TIMEOUT)))
            .map_err(|error| lost(&error))?;
        Ok(Self { address: address.to_owned(), connection: BufReader::new(stream) })
    }

    /// The lines of a reply, without the empty one that ends it.
    fn read_lines(&mut self) -> Result<String, Broken> {
        let mut lines = String::new();
        loop {
            let start = lines.len();
            match self.connection.read_line(&mut lines) {
                Ok(0) => return Err(Broken::Lost("o servidor a encerrou".to_owned())),
                Ok(_) if lines[start..].trim_end_matches(['\r', '\n']).is_empty() => {
                    lines.truncate(start);
                    return Ok(lines);
                }
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(self.not_ours()),
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
    Broken::Lost(error.to_string())
}
