//! The network between a server and an engine: it can hold what is sent, and break after any byte of a commit or
//! of its answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::support::waiting::wait_for;

/// Bytes after which a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// So many bytes of the commit, and no more, reach the engine.
    Commit(usize),
    /// The engine has the whole commit, and so many bytes of its answer reach the server.
    Answer(usize),
}

/// The bytes of a commit and of its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) commit: usize,
    pub(crate) answer: usize,
}

/// A proxy before an engine.
pub(crate) struct Wire {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    engine: u16,
    is_hole: bool,
    /// The words by which a commit is known, and where the connection that carries it breaks. Once it broke, this
    /// is `None`.
    cut: Option<(String, Cut)>,
    /// The same of a commit that is only measured.
    measured: Option<(String, Lengths)>,
}

/// What a connection carries at the moment, besides what is let through.
#[derive(Default)]
struct Turn {
    /// The answer's bytes that are still to pass before the connection breaks.
    left: Option<usize>,
    is_measured: bool,
}

impl Wire {
    /// A proxy before the engine at this port of this machine.
    pub(crate) fn to(engine: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { engine, is_hole: false, cut: None, measured: None };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for server in listener.incoming() {
                let (Ok(server), shared) = (server, Arc::clone(&accepting)) else { continue };
                std::thread::spawn(move || shared.connect(server));
            }
        });
        Self { port, shared }
    }

    /// The address of a shop by this proxy, from that by the engine itself.
    pub(crate) fn address(&self, shop: &str) -> String {
        let engine = format!("127.0.0.1:{}/", self.shared.state().engine);
        assert!(shop.contains(&engine), "{shop} is not at {engine}");
        shop.replace(&engine, &format!("127.0.0.1:{}/", self.port))
    }

    /// From now on new connections go to the engine at this port.
    pub(crate) fn lead_to(&self, engine: u16) {
        self.shared.state().engine = engine;
    }

    /// Holds all that is sent, in both directions, and new connections; or lets all of it pass.
    pub(crate) fn hold(&self, is_hole: bool) {
        self.shared.state().is_hole = is_hole;
        self.shared.changed.notify_all();
    }

    /// Breaks the connection that carries the commit with these words.
    pub(crate) fn cut(&self, words: &str, cut: Cut) {
        self.shared.state().cut = Some((words.to_owned(), cut));
    }

    /// Whether the connection has broken since.
    pub(crate) fn has_cut(&self) -> bool {
        self.shared.state().cut.is_none()
    }

    /// Measures the commit with these words, while `act` makes it.
    pub(crate) fn measure(&self, words: &str, act: impl FnOnce()) -> Lengths {
        self.shared.state().measured = Some((words.to_owned(), Lengths::default()));
        act();
        // The answer has arrived, or `act` would wait for it.
        wait_for(|| match self.shared.state().measured {
            Some((_, lengths)) if lengths.answer > 0 => Ok(lengths),
            _ => Err("no such commit has passed"),
        })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until what is sent may pass.
    fn pass(&self) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.state(), |state| state.is_hole).unwrap()
    }

    fn connect(self: Arc<Self>, server: TcpStream) {
        let engine = self.pass().engine;
        let Ok(engine) = TcpStream::connect((Ipv4Addr::LOCALHOST, engine)) else { return };
        for stream in [&server, &engine] {
            stream.set_nodelay(true).unwrap();
        }
        let (from_server, from_engine) = (server.try_clone().unwrap(), engine.try_clone().unwrap());
        let turn = Arc::new(Mutex::new(Turn::default()));
        let (shared, asking) = (Arc::clone(&self), Arc::clone(&turn));
        std::thread::spawn(move || pour(from_server, engine, |chunk| shared.commit_bytes(&asking, chunk)));
        pour(from_engine, server, |chunk| self.answer_bytes(&turn, chunk));
    }

    /// How many bytes of this from a server may pass; fewer break the connection.
    fn commit_bytes(&self, turn: &Mutex<Turn>, chunk: &[u8]) -> usize {
        let mut state = self.pass();
        let mut turn = turn.lock().unwrap();
        turn.is_measured = false;
        let has = |words: &str| chunk.windows(words.len()).any(|part| part == words.as_bytes());
        if let Some((words, lengths)) = &mut state.measured
            && has(words)
        {
            *lengths = Lengths { commit: chunk.len(), answer: 0 };
            turn.is_measured = true;
        }
        if !state.cut.as_ref().is_some_and(|(words, _)| has(words)) {
            return chunk.len();
        }
        match state.cut.take() {
            Some((_, Cut::Commit(bytes))) => bytes.min(chunk.len()),
            Some((_, Cut::Answer(bytes))) => {
                turn.left = Some(bytes);
                chunk.len()
            }
            None => chunk.len(),
        }
    }

    /// The same from an engine.
    fn answer_bytes(&self, turn: &Mutex<Turn>, chunk: &[u8]) -> usize {
        let mut state = self.pass();
        let mut turn = turn.lock().unwrap();
        if let Some((_, lengths)) = state.measured.as_mut().filter(|_| turn.is_measured) {
            lengths.answer += chunk.len();
        }
        let Some(left) = &mut turn.left else { return chunk.len() };
        let passed = chunk.len().min(*left);
        *left -= passed;
        // A whole answer that passed breaks the connection before the next one.
        passed
    }
}

/// Passes on what comes, until less may pass than has come or one side ends.
fn pour(mut from: TcpStream, mut to: TcpStream, mut passed: impl FnMut(&[u8]) -> usize) {
    let mut chunk = [0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let passed = passed(&chunk[..length]);
        if to.write_all(&chunk[..passed]).is_err() || passed < length {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
