//! The changes in doubt of a shell: sent, but not answered. A thread repeats them under their request ids
//! while the prompt is shown.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::kept::{self, Kept, Record};
use super::report::render_answer;
use crate::catalog::{Key, RequestId};
use crate::client::{Client, ClientError, new_request_id};
use crate::operation::{Reply, Request};
use crate::wire::grpc::StoredChange;

/// The most changes in doubt of one shell: more than a person makes without noticing.
pub(super) const IN_DOUBT_MAX: usize = 16;

/// The pause between two rounds of repetitions, in which a busy server can recover.
const ROUND_PAUSE: Duration = Duration::from_secs(1);

/// A change with its request id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    /// The line that a person typed for the change, or would have, without its id.
    line: String,
    id: RequestId,
    stored: StoredChange,
}

impl Change {
    /// The change that a request asks for, with an id of its own if the request has none. `line` asks for the
    /// same, without an id; `None` if the request has a line of the text protocol. `None` if the request changes
    /// nothing.
    fn of(request: &Request<'_>, line: Option<&str>) -> Option<Self> {
        let mut request = request.clone();
        let id = request.request_id_mut()?.get_or_insert_with(new_request_id).clone();
        let line = line.map_or_else(|| without_id(&request), str::to_owned);
        Some(Self { line, id, stored: StoredChange::of(&request)? })
    }

    /// The change that an earlier shell kept. `None` if the record is of no change.
    pub(super) fn read(record: &Record) -> Option<Self> {
        let stored = match &record.change {
            Some((operation, bytes)) => StoredChange::decode(operation, bytes)?,
            None => StoredChange::of(&Request::parse(&record.line).ok()?)?,
        };
        let mut request = stored.request().ok()?;
        let id = request.request_id_mut()?.clone()?;
        let line = match record.change {
            Some(_) => record.line.replace(&format!(" id={id}"), ""),
            None => without_id(&request),
        };
        drop(request);
        Some(Self { line, id, stored })
    }

    /// The record of the change.
    fn record(&self, shop: &str) -> Record {
        let (operation, bytes) = self.stored.encode();
        Record { shop: shop.to_owned(), line: self.with_id(), change: Some((operation.to_owned(), bytes)) }
    }

    /// The request to send.
    pub(super) fn request(&self) -> Request<'_> {
        self.stored.request().expect("only what was read as a request is stored as one")
    }

    /// The line without the id.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// The whole line, for a person to note.
    pub(super) fn with_id(&self) -> String {
        format!("{} id={}", self.line, self.id)
    }

    /// Whether a change asks for the same as this one: with the same id or, if the other has no id of its own,
    /// with the same line. A name is the same whatever its case and its accents.
    fn is_asked_by(&self, asked: &Self, has_own_id: bool) -> bool {
        match has_own_id {
            true => asked.id == self.id,
            false => Key::fold(&asked.line) == Key::fold(&self.line),
        }
    }
}

impl std::fmt::Display for Change {
    /// Writes the change as a person would type it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

/// The line of the text protocol that asks for a change, without its id.
fn without_id(change: &Request<'_>) -> String {
    let mut change = change.clone();
    if let Some(id) = change.request_id_mut() {
        *id = None;
    }
    change.to_string()
}

/// The result of [`InDoubt::begin`].
#[derive(Debug)]
pub(super) enum Begun {
    /// A new change.
    New(Change),
    /// A change in doubt, to be finished.
    InDoubt(Change),
    /// A change that was in doubt when the prompt was drawn, and has been answered since.
    Finished(String),
    /// No change: there are too many in doubt.
    Full,
}

/// The changes of one shell. Clones share them.
#[derive(Clone)]
pub(super) struct InDoubt(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    folder: Option<PathBuf>,
    shop: String,
}

#[derive(Default)]
struct State {
    /// The changes not yet answered, oldest first.
    held: Vec<Held>,
    /// The changes that were answered since the prompt was drawn.
    finished: Vec<Finished>,
}

impl State {
    /// The changes in doubt, oldest first.
    fn lost(&self) -> Vec<Change> {
        self.held.iter().filter(|held| held.is_lost).map(|held| held.change.clone()).collect()
    }
}

struct Held {
    change: Change,
    /// The file of the change; `None` if it could not be written.
    kept: Option<Kept>,
    /// Whether the answer was lost. If not, the first answer is still awaited.
    is_lost: bool,
}

struct Finished {
    change: Change,
    answer: String,
    is_shown: bool,
}

impl InDoubt {
    /// Takes over the changes that earlier shells of this shop left. Also returns the changes that are left
    /// for other shops, each with its shop.
    pub(super) fn open(folder: Option<PathBuf>, shop: String) -> (Self, Vec<(String, Change)>) {
        let left = folder.as_ref().map(|folder| kept::take_over(folder, &shop, IN_DOUBT_MAX));
        let left = left.unwrap_or_default();
        let others = left.others.into_iter();
        let others =
            others.filter_map(|record| Some((record.shop.clone(), Change::read(&record)?))).collect();
        let held = left.changes.into_iter().filter_map(|(record, kept)| {
            Some(Held { change: Change::read(&record)?, kept: Some(kept), is_lost: true })
        });
        let held = held.collect();
        let state = Mutex::new(State { held, finished: Vec::new() });
        (Self(Arc::new(Shared { state, changed: Condvar::new(), folder, shop })), others)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changes in doubt, oldest first.
    pub(super) fn lost(&self) -> Vec<Change> {
        self.state().lost()
    }

    /// Whether a file keeps a change for the next shell.
    pub(super) fn is_kept(&self, change: &Change) -> bool {
        self.state().held.iter().any(|held| held.change == *change && held.kept.is_some())
    }

    /// Begins a prompt. Returns the changes in doubt, oldest first, and the answers that could not be shown
    /// yet. From here on, a line that repeats an answered change is a new change.
    pub(super) fn draw(&self) -> (Vec<Change>, Vec<String>) {
        let mut state = self.state();
        let finished = std::mem::take(&mut state.finished).into_iter();
        let unshown = finished.filter(|finished| !finished.is_shown).map(|finished| finished.answer);
        (state.lost(), unshown.collect())
    }

    /// Begins the change that a request asks for, which a person asks for by this line, or by one of the text
    /// protocol. `None` if the request changes nothing. A new change is on disk when this returns; if it could
    /// not be written, the error comes with it.
    pub(super) fn begin(&self, asked: &Request<'_>, line: Option<&str>) -> Option<(Begun, io::Result<()>)> {
        let has_own_id = asked.clone().request_id_mut()?.is_some();
        let change = Change::of(asked, line)?;
        let mut state = self.state();
        let is_asked = |other: &Change| other.is_asked_by(&change, has_own_id);
        if let Some(held) = state.held.iter().find(|held| is_asked(&held.change)) {
            return Some((Begun::InDoubt(held.change.clone()), Ok(())));
        }
        if let Some(finished) = state.finished.iter_mut().find(|finished| is_asked(&finished.change)) {
            finished.is_shown = true;
            return Some((Begun::Finished(finished.answer.clone()), Ok(())));
        }
        if state.held.len() >= IN_DOUBT_MAX {
            return Some((Begun::Full, Ok(())));
        }
        let record = change.record(&self.0.shop);
        let (kept, written) = match &self.0.folder {
            None => (None, Ok(())),
            Some(folder) => match Kept::write(folder, &record) {
                Ok(kept) => (Some(kept), Ok(())),
                Err(error) => (None, Err(error)),
            },
        };
        state.held.push(Held { change: change.clone(), kept, is_lost: false });
        Some((Begun::New(change), written))
    }

    /// Notes that the answer of a change was lost.
    pub(super) fn lose(&self, change: &Change) {
        if let Some(held) = self.state().held.iter_mut().find(|held| held.change == *change) {
            held.is_lost = true;
        }
        self.0.changed.notify_all();
    }

    /// Notes that a change was answered. The file of the change is gone when this function returns.
    pub(super) fn settle(&self, change: &Change) -> io::Result<()> {
        let mut state = self.state();
        match state.held.iter().position(|held| held.change == *change) {
            Some(at) => state.held.remove(at).kept.map_or(Ok(()), Kept::remove),
            // The thread received the answer first.
            None => Ok(()),
        }
    }

    /// Repeats the changes in doubt on a separate connection until they are answered, as long as the process
    /// lives. `show` shows a line above the prompt, and returns whether it could.
    pub(super) fn keep_asking(
        &self,
        mut client: Client,
        mut show: impl FnMut(String) -> bool + Send + 'static,
    ) -> io::Result<()> {
        let this = self.clone();
        let work = move || {
            loop {
                for change in this.wait_for_lost() {
                    let answer = client.repeat(&change.request());
                    if !matches!(answer, Err(ClientError::Connection(_))) {
                        this.finish(&change, &answer, &mut show);
                    }
                }
                std::thread::sleep(ROUND_PAUSE);
            }
        };
        std::thread::Builder::new().name("hortifruti-in-doubt".to_owned()).spawn(work).map(drop)
    }

    fn wait_for_lost(&self) -> Vec<Change> {
        let is_idle = |state: &mut State| !state.held.iter().any(|held| held.is_lost);
        drop(self.0.changed.wait_while(self.state(), is_idle));
        self.lost()
    }

    fn finish(
        &self,
        change: &Change,
        answer: &Result<Reply, ClientError>,
        show: &mut impl FnMut(String) -> bool,
    ) {
        let answer = match answer {
            Ok(reply) => {
                format!("A mudança em dúvida foi feita: {change}{}", shown_after(change, reply))
            }
            Err(error) => format!("A mudança em dúvida não foi feita: {change} → {error}"),
        };
        let mut state = self.state();
        let Some(at) = state.held.iter().position(|held| held.change == *change) else { return };
        // If the file cannot be removed, the next shell repeats the change, and gets the same answer.
        let _ = state.held.remove(at).kept.map(Kept::remove);
        // The lock is held, because a prompt that is drawn now would show the answer a second time.
        let is_shown = show(answer.clone());
        state.finished.push(Finished { change: change.clone(), answer, is_shown });
    }
}

/// A reply behind its change, in one line.
fn shown_after(change: &Change, reply: &Reply) -> String {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = render_answer(&mut text, change.line(), &change.request(), reply);
    match String::from_utf8_lossy(&text).trim_end().replace('\n', "; ") {
        text if text.is_empty() => text,
        text => format!(" → {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(doubts: &InDoubt, line: &str) -> Begun {
        let line = format!("3 {line}");
        let (begun, written) = doubts.begin(&Request::parse(&line).unwrap(), None).unwrap();
        written.unwrap();
        begun
    }

    #[test]
    fn a_line_that_repeats_a_change_in_doubt_is_that_change() {
        let folder = tempfile::tempdir().unwrap();
        let open = || InDoubt::open(Some(folder.path().to_owned()), "a:1".to_owned()).0;
        let doubts = open();
        let Begun::New(change) = begin(&doubts, "Maçã -20 motivo=venda") else { panic!() };
        assert_eq!(doubts.draw().0, []);
        doubts.lose(&change);
        assert_eq!(doubts.draw().0, std::slice::from_ref(&change));
        let with_id = change.with_id().strip_prefix("3 ").unwrap().to_owned();
        for line in ["Maçã -20 motivo=venda", "maca -20,0 motivo=venda", &with_id] {
            assert!(matches!(begin(&doubts, line), Begun::InDoubt(same) if same == change), "{line}");
        }
        for line in [
            "Maca -20",
            "Maca 20 motivo=venda",
            "Maca -2.0 motivo=venda",
            "Maca -21 motivo=venda",
            "Pera -20 motivo=venda",
            "Maca -20 motivo=venda id=a",
        ] {
            let Begun::New(other) = begin(&doubts, line) else { panic!("{line}") };
            doubts.settle(&other).unwrap();
        }
        // The shell ends, and the next shell takes the change over.
        drop(doubts);
        let doubts = open();
        assert_eq!(doubts.lost(), std::slice::from_ref(&change));
        assert_eq!(change.to_string(), "3 Maçã -20 motivo=venda");
        doubts.settle(&change).unwrap();
        drop(doubts);
        assert_eq!(open().lost(), []);
    }

    #[test]
    fn a_line_typed_while_a_change_in_doubt_was_finished_makes_no_other() {
        let doubts = InDoubt::open(None, String::new()).0;
        let Begun::New(change) = begin(&doubts, "Caju -20") else { panic!() };
        doubts.lose(&change);
        for can_show in [true, false] {
            doubts.draw();
            let Begun::InDoubt(change) = begin(&doubts, "Caju -20") else { panic!() };
            doubts.finish(&change, &Ok(Reply::Farewell), &mut |_| can_show);
            // The answer came after the prompt was drawn.
            assert!(matches!(begin(&doubts, "Caju -20"), Begun::Finished(_)));
            assert_eq!(doubts.draw(), (Vec::new(), Vec::new()));
            let Begun::New(again) = begin(&doubts, "Caju -20") else { panic!() };
            doubts.lose(&again);
        }
    }

    #[test]
    fn an_answer_is_shown_once_by_a_prompt_that_is_drawn_meanwhile_too() {
        let doubts = InDoubt::open(None, String::new()).0;
        let Begun::New(change) = begin(&doubts, "Caju -20") else { panic!() };
        doubts.lose(&change);
        let mut drawing = None;
        doubts.finish(&change, &Ok(Reply::Farewell), &mut |_| {
            let doubts = doubts.clone();
            drawing = Some(std::thread::spawn(move || doubts.draw()));
            true
        });
        assert_eq!(drawing.unwrap().join().unwrap(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn answers_that_could_not_be_shown_come_with_the_next_prompt_and_doubts_are_bounded() {
        let doubts = InDoubt::open(None, String::new()).0;
        for count in 1..=IN_DOUBT_MAX {
            let line = format!("Caju -{count}");
            let Begun::New(change) = begin(&doubts, &line) else { panic!() };
            doubts.lose(&change);
        }
        assert!(matches!(begin(&doubts, "Caju 1"), Begun::Full));
        let oldest = doubts.lost().swap_remove(0);
        doubts.finish(&oldest, &Ok(Reply::Farewell), &mut |_| false);
        let (lost, unshown) = doubts.draw();
        assert_eq!(
            (lost.len(), &unshown[..]),
            (IN_DOUBT_MAX - 1, &["A mudança em dúvida foi feita: 3 Caju -1".to_owned()][..])
        );
        assert!(matches!(begin(&doubts, "Caju 1"), Begun::New(_)));
    }
}
