//! A real terminal: a pty, and an emulator that says what stands on the screen.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use crate::support::waiting::wait_for;
use crate::support::{PATIENCE, SERVICE_PORT_FILE_VARIABLE, Server, service_port_file, signal};

pub(crate) const PROMPT: &str = "Digite sua escolha: ";

/// High and wide enough that nothing scrolls away or wraps in any test.
const SIZE: PtySize = PtySize { rows: 200, cols: 200, pixel_width: 0, pixel_height: 0 };

pub(crate) struct Terminal {
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Shown>,
    /// Prompts that have been waited for.
    prompts: usize,
    _master: Box<dyn MasterPty + Send>,
}

struct Shown {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    has_ended: bool,
}

impl Terminal {
    /// Opens a shell on a terminal, in the server's folder.
    pub(crate) fn open(server: &Server, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start(server.path(), SIZE, &[&["shell"], args].concat(), variables)
    }

    /// Opens a shell on a terminal of so many rows, from which what is above scrolls away.
    pub(crate) fn open_low(server: &Server, rows: u16) -> Self {
        Self::start(server.path(), PtySize { rows, ..SIZE }, &["shell"], &[])
    }

    /// Runs a subcommand on a terminal, in a folder.
    pub(crate) fn run(folder: &Path, columns: u16, args: &[&str]) -> Self {
        Self::run_with(folder, columns, args, &[])
    }

    /// The same, with these variables.
    pub(crate) fn run_with(folder: &Path, columns: u16, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start(folder, PtySize { cols: columns, ..SIZE }, args, variables)
    }

    fn start(folder: &Path, size: PtySize, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let lines = |count| NonZero::new(count).unwrap();
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hortifruti"));
        command.cwd(folder);
        command.args(args);
        for name in ["NO_COLOR", "HORTIFRUTI_SERVER", "HORTIFRUTI_PORT_FILE"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm");
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.env(SERVICE_PORT_FILE_VARIABLE, service_port_file(folder));
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let state = State {
            screen: vt100::Parser::new(lines(size.rows), lines(size.cols), 0),
            bytes: Vec::new(),
            has_ended: false,
        };
        let shown = Arc::new(Shown { state: Mutex::new(state), changed: Condvar::new() });
        let mut output = pty.master.try_clone_reader().unwrap();
        let watched = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                let length = output.read(&mut chunk).unwrap_or(0);
                let mut state = watched.state.lock().unwrap();
                state.screen.process(&chunk[..length]);
                state.bytes.extend_from_slice(&chunk[..length]);
                state.has_ended = length == 0;
                watched.changed.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
        let keyboard = pty.master.take_writer().unwrap();
        Self { keyboard, child, shown, prompts: 0, _master: pty.master }
    }

    /// Types these keys.
    pub(crate) fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the prompt, types a line, and returns what is shown before the next prompt.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        if self.prompts == 0 {
            self.wait_for_prompt();
        }
        self.send(&format!("{line}\r"));
        self.wait_for_prompt()
    }

    /// Waits for the question for this item of a sale.
    pub(crate) fn wait_for_item(&mut self, number: u8) {
        self.wait_for(&format!("Item {number} (QTD NOME; Enter termina, - tira o último):"));
    }

    /// Waits for a new prompt, and returns what stands between it and the one before.
    pub(crate) fn wait_for_prompt(&mut self) -> String {
        self.prompts += 1;
        let wanted = self.prompts;
        let prompts = move |screen: &str| screen.lines().filter(|line| is_prompt(line)).count();
        let screen = self.wait(|screen, _| {
            prompts(screen) == wanted
                && screen
                    .lines()
                    .last()
                    .is_some_and(|last| is_prompt(last) && last.ends_with(PROMPT.trim_end()))
        });
        screen.split(PROMPT.trim_end()).nth(wanted - 1).unwrap_or_default().to_owned()
    }

    /// Takes all prompts that are on the screen as waited for.
    pub(crate) fn catch_up(&mut self) {
        self.prompts = self.screen().lines().filter(|line| is_prompt(line)).count();
    }

    /// Waits until the last line of the screen is this.
    pub(crate) fn wait_for(&mut self, line: &str) {
        self.wait(|screen, _| screen.lines().last().is_some_and(|last| last.trim_end() == line));
    }

    /// Waits until this stands anywhere on the screen.
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        self.wait(|screen, _| screen.contains(text));
    }

    /// Waits until the shell has ended, and returns its exit code.
    pub(crate) fn wait_for_code(&mut self) -> u32 {
        self.wait(|_, has_ended| has_ended);
        self.end().exit_code()
    }

    /// Waits until the shell has ended well.
    pub(crate) fn wait_for_end(&mut self) {
        assert_eq!(self.wait_for_code(), 0);
    }

    /// Kills the shell where it is.
    pub(crate) fn kill(&mut self) {
        signal(self.child.process_id().unwrap(), "KILL");
        self.end();
    }

    fn end(&mut self) -> ExitStatus {
        wait_for(|| self.child.try_wait().unwrap().ok_or("the process does not end"))
    }

    /// What stands on the screen.
    pub(crate) fn screen(&self) -> String {
        screen(&self.shown.state.lock().unwrap())
    }

    /// Everything that was sent to the terminal, with its control sequences.
    pub(crate) fn sent_bytes(&self) -> String {
        String::from_utf8_lossy(&self.shown.state.lock().unwrap().bytes).into_owned()
    }

    fn wait(&self, is_there: impl Fn(&str, bool) -> bool) -> String {
        let give_up = Instant::now() + PATIENCE;
        let mut state = self.shown.state.lock().unwrap();
        loop {
            let screen = screen(&state);
            if is_there(&screen, state.has_ended) {
                return screen;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not there after {PATIENCE:?}; the screen:\n{screen}");
            state = self.shown.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // A test that fails does not wait.
        if !std::thread::panicking() {
            self.end();
        }
    }
}

fn is_prompt(line: &str) -> bool {
    line.starts_with(PROMPT.trim_end())
}

fn screen(state: &State) -> String {
    state.screen.screen().contents().trim_end().to_owned()
}
