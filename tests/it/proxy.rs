//! A proxy before a server, which can swallow the answers to what names a certain product, or hold all of them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};

pub(crate) struct Proxy {
    pub(crate) address: String,
    server_port: Arc<AtomicU16>,
    swallowed: Arc<Mutex<Option<(String, usize)>>>,
    hold: Arc<(Mutex<bool>, Condvar)>,
}

impl Proxy {
    /// A proxy before the server at this port of this machine.
    pub(crate) fn start(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let swallowed = Arc::new(Mutex::new(None::<(String, usize)>));
        let name = Arc::clone(&swallowed);
        let hold = Arc::new((Mutex::new(false), Condvar::new()));
        let held = Arc::clone(&hold);
        let server_port = Arc::new(AtomicU16::new(port));
        let port = Arc::clone(&server_port);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port.load(Ordering::SeqCst)));
                let (Ok(client), Ok(server)) = (client, server) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (question, answer) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let is_silent = Arc::new(AtomicBool::new(false));
                let (name, is_swallowing) = (Arc::clone(&name), Arc::clone(&is_silent));
                std::thread::spawn(move || {
                    pour(question, server, |chunk| {
                        let mut name = name.lock().unwrap();
                        if let Some((name, spared)) = name.as_mut()
                            && chunk.windows(name.len()).any(|part| part == name.as_bytes())
                        {
                            // Once silent, always: a later answer would be to another question.
                            match spared.checked_sub(1) {
                                Some(left) => *spared = left,
                                None => is_swallowing.store(true, Ordering::SeqCst),
                            }
                        }
                        true
                    });
                });
                let held = Arc::clone(&held);
                std::thread::spawn(move || {
                    pour(answer, client, |_| {
                        let (is_held, released) = &*held;
                        drop(released.wait_while(is_held.lock().unwrap(), |is_held| *is_held).unwrap());
                        !is_silent.load(Ordering::SeqCst)
                    });
                });
            }
        });
        Self { address, server_port, swallowed, hold }
    }

    /// The port at which clients find the proxy.
    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// From now on new connections go to the server at this port of this machine.
    pub(crate) fn lead_to(&self, port: u16) {
        self.server_port.store(port, Ordering::SeqCst);
    }

    /// From now on no answer comes on a connection that carries this name.
    pub(crate) fn swallow(&self, name: &str) {
        self.swallow_after(0, name);
    }

    /// The same, after so many requests that carry the name.
    pub(crate) fn swallow_after(&self, spared: usize, name: &str) {
        *self.swallowed.lock().unwrap() = Some((name.to_owned(), spared));
    }

    /// Holds all answers, so that the connections seem to live.
    pub(crate) fn hold(&self) {
        *self.hold.0.lock().unwrap() = true;
    }

    /// Lets go of the answers that were held.
    pub(crate) fn release(&self) {
        *self.hold.0.lock().unwrap() = false;
        self.hold.1.notify_all();
    }

    /// From now on answers come, on new connections.
    pub(crate) fn pass(&self) {
        *self.swallowed.lock().unwrap() = None;
    }
}

fn pour(mut from: TcpStream, mut to: TcpStream, mut is_passed: impl FnMut(&[u8]) -> bool) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if is_passed(&chunk[..length]) && to.write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
