//! Watches a shop from many connections of the text protocol, from one thread, until standard input ends. Prints
//! `ready` when all watch, and at the end one line of JSON: what they were sent.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

/// What one read takes at most.
const READ_BYTES: usize = 256 * 1024;

const STOP: Token = Token(usize::MAX);

#[derive(Parser)]
struct Options {
    /// The server, as IP:PORT
    #[arg(long)]
    server: SocketAddr,
    #[arg(long, default_value_t = 1000)]
    watchers: usize,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut poll = Poll::new()?;
    let mut streams = Vec::with_capacity(options.watchers);
    for index in 0..options.watchers {
        let mut stream = std::net::TcpStream::connect(options.server)
            .with_context(|| format!("nothing answers at {}", options.server))?;
        stream.write_all(b"1 Caju\n")?;
        let mut answer = [0; 512];
        stream.read(&mut answer)?;
        stream.write_all(b"acompanhar\n")?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        streams.push(stream);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let (waker, ends) = (Waker::new(poll.registry(), STOP)?, Arc::clone(&is_over));
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        ends.store(true, Ordering::Relaxed);
        let _ = waker.wake();
    });
    println!("ready");
    std::io::stdout().flush()?;
    let (mut events, mut chunk) = (Events::with_capacity(4096), vec![0; READ_BYTES]);
    let mut lines = vec![0_u64; streams.len()];
    let mut bytes = 0_u64;
    while !is_over.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_secs(1)))?;
        for event in events.iter().filter(|event| event.token() != STOP) {
            let index = event.token().0;
            loop {
                match streams[index].read(&mut chunk) {
                    Ok(0) => bail!("the server closed a connection"),
                    Ok(length) => {
                        bytes += length as u64;
                        lines[index] += memchr::memchr_iter(b'\n', &chunk[..length]).count() as u64;
                        // A read that did not fill the buffer has emptied the socket.
                        if length < chunk.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error).context("cannot read"),
                }
            }
        }
    }
    let (least, most) = (lines.iter().min().unwrap_or(&0), lines.iter().max().unwrap_or(&0));
    println!("{{\"lines\": {}, \"bytes\": {bytes}, \"least\": {least}, \"most\": {most}}}", lines.iter().sum::<u64>());
    Ok(())
}
