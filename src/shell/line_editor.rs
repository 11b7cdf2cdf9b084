//! The line editor: rustyline with our completion, hints and history.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustyline::completion::Completer;
use rustyline::config::CompletionType;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Event, EventHandler, ExternalPrinter, Helper};

use super::completion::complete;
use super::in_doubt::InDoubt;
use super::paste::Paste;
use super::source::{Expected, Input, LineSource, Question};
use super::state_line::StateLine;
use crate::client::Client;
use crate::operation::{ProductsRequest, Reply, Request};
use crate::platform::files::Rights;
use crate::private_file::{self, NameState};
use crate::terminal::takes_colours;

/// The first bytes of a history file of rustyline.
const HISTORY_START: &[u8] = b"#V2\n";

/// The most lines of history: years of a shop's counter in half a megabyte.
const HISTORY_LINES_MAX: usize = 10_000;

/// The time for which fetched names are offered before they are fetched again: a person who presses Tab
/// several times causes one request.
const NAMES_FRESH_FOR: Duration = Duration::from_secs(5);

/// The longest wait for the names. After a longer wait, the shell would seem to hang.
const NAMES_WAIT_MAX: Duration = Duration::from_secs(1);

/// A person at a terminal.
pub(super) struct LineEditor {
    editor: Editor<ShellHelper, FileHistory>,
    history: Option<PathBuf>,
    doubts: InDoubt,
    state: StateLine,
    /// Whether the editor is within pasted text.
    is_pasting: Arc<AtomicBool>,
    /// A line that answers the next question for a command.
    put_back: Option<String>,
}

impl LineEditor {
    pub(super) fn new(
        client: Client,
        history: Option<PathBuf>,
        doubts: InDoubt,
        shop: Option<String>,
    ) -> io::Result<Self> {
        let state = StateLine::new(client.address(), shop);
        let config = Config::builder()
            .max_history_size(HISTORY_LINES_MAX)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(io::Error::other)?
            .completion_type(CompletionType::List)
            .auto_add_history(false)
            .build();
        let mut editor = Editor::with_config(config).map_err(io::Error::other)?;
        editor.set_helper(Some(ShellHelper::new(client)));
        let paste = Paste::default();
        let is_pasting = paste.is_on();
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(paste)));
        // The shell also works without a history file.
        let history = history.filter(|path| prepare(path).is_ok());
        if let Some(path) = &history {
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history, doubts, state, is_pasting, put_back: None })
    }

    /// Returns a function that shows a line above the prompt, from any thread, and returns whether it could.
    pub(super) fn printer(&mut self) -> impl FnMut(String) -> bool + Send + 'static {
        let mut printer = self.editor.create_external_printer().ok();
        move |line| printer.as_mut().is_some_and(|printer| printer.print(line + "\n").is_ok())
    }

    /// Shows what stands above the prompt for a command: the answers that could not be shown before, and the
    /// state of the shell.
    fn show_state(&mut self) -> io::Result<()> {
        let mut out = io::stdout();
        let (in_doubt, unshown) = self.doubts.draw();
        for answer in unshown {
            writeln!(out, "{answer}")?;
        }
        let server = self.client().address().map(str::to_owned);
        if let Some(line) = self.state.due(server.as_deref(), &in_doubt) {
            if takes_colours() { writeln!(out, "\x1b[2m{line}\x1b[0m")? } else { writeln!(out, "{line}")? }
        }
        Ok(())
    }

    /// Has the state of the shell shown before the next prompt, if it was never shown.
    pub(super) fn show_state_once(&mut self) {
        self.state.show_once();
    }

    /// Has the state of the shell shown before the next prompt.
    pub(super) fn show_state_again(&mut self) {
        self.state.show_again();
    }

    /// Reads a line behind a prompt, or takes the one that was put back, and shows it there.
    fn read(&mut self, question: &Question) -> rustyline::Result<String> {
        let prompt = question.prompt();
        match self.put_back.take_if(|_| matches!(question, Question::Command)) {
            Some(line) => {
                writeln!(io::stdout(), "{prompt}{line}")?;
                Ok(line)
            }
            None => self.editor.readline(&prompt),
        }
    }

    pub(super) fn client(&mut self) -> RefMut<'_, Client> {
        self.editor
            .helper()
            .map(|helper| helper.client.borrow_mut())
            .expect("the helper is set when the editor is made")
    }

    pub(super) fn save_history(&mut self) {
        // The file is checked each time, because rustyline opens it by its name.
        if let Some(path) = &self.history
            && prepare(path).is_ok()
        {
            let _ = self.editor.append_history(path);
        }
    }
}

impl LineSource for LineEditor {
    fn next(&mut self, question: Question) -> io::Result<Input> {
        if let Some(helper) = self.editor.helper() {
            helper.expected.set(question.expected());
        }
        if matches!(question, Question::Command) {
            self.show_state()?;
        }
        match self.read(&question) {
            Ok(line) => {
                if matches!(question, Question::Command) && !line.trim().is_empty() {
                    let _ = self.editor.add_history_entry(line.trim());
                    // The history is saved after each line, because a closed terminal leaves no time at the
                    // end.
                    self.save_history();
                }
                Ok(Input::Line(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Dropped),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(ReadlineError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn is_person(&self) -> bool {
        true
    }

    fn is_pasted(&self) -> bool {
        self.is_pasting.load(Ordering::Relaxed)
    }

    fn put_back(&mut self, line: String) {
        self.put_back = Some(line);
    }
}

/// Makes the history file, readable only by its owner, because the lines show what the shop sold.
fn prepare(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // rustyline would write to any file with this name.
    let is_history = |head: &[u8]| head.is_empty() || head.starts_with(HISTORY_START);
    if let NameState::Other(obstacle) = NameState::at(path, is_history)? {
        return Err(io::Error::other(obstacle));
    }
    // An earlier version may have made the file readable to others.
    Rights::PRIVATE.give(&private_file::open_or_create(path)?)
}

/// The helper that rustyline calls while a line is typed.
struct ShellHelper {
    client: RefCell<Client>,
    expected: Cell<Expected>,
    names: RefCell<(Option<Instant>, Vec<String>)>,
    hinter: HistoryHinter,
}

impl ShellHelper {
    fn new(client: Client) -> Self {
        Self {
            client: RefCell::new(client),
            expected: Cell::new(Expected::Command),
            names: RefCell::default(),
            hinter: HistoryHinter::new(),
        }
    }

    /// The names of all products, or the last known names if the server does not answer.
    fn names(&self) -> Ref<'_, Vec<String>> {
        let is_fresh = self.names.borrow().0.is_some_and(|fetched| fetched.elapsed() < NAMES_FRESH_FOR);
        if !is_fresh
            && let Ok(Reply::Products(products)) = self
                .client
                .borrow_mut()
                .call_once(&Request::ListProducts(ProductsRequest::default()), NAMES_WAIT_MAX)
        {
            let names = products.iter().map(|product| product.name.to_string()).collect();
            *self.names.borrow_mut() = (Some(Instant::now()), names);
        }
        Ref::map(self.names.borrow(), |(_, names)| names)
    }
}

impl Completer for ShellHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(self.expected.get(), line, cursor, &self.names()))
    }
}

impl Hinter for ShellHelper {
    type Hint = String;

    fn hint(&self, line: &str, cursor: usize, context: &Context<'_>) -> Option<String> {
        match self.expected.get() {
            Expected::Command if !line.is_empty() => self.hinter.hint(line, cursor, context),
            _ => None,
        }
    }
}

impl Highlighter for ShellHelper {
    fn highlight_hint<'h>(&self, hint: &'h str) -> std::borrow::Cow<'h, str> {
        if takes_colours() { format!("\x1b[2m{hint}\x1b[0m").into() } else { hint.into() }
    }
}

impl Validator for ShellHelper {}

impl Helper for ShellHelper {}
