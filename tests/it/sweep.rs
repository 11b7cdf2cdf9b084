//! One fault at every call: the N-th time that the server makes a system call on its
//! database, the call fails, falls short, or the server is killed in it, for every N until
//! there is no N-th. Whatever happens, what was answered is there after the next start, what
//! was refused is not, and nothing is there twice.
//!
//! `strace` puts the faults in. Every N takes minutes, so a run of the tests takes only some
//! of them, others each time; with `HORTIFRUTI_FAULTS=all` it takes all.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use rusqlite::{Connection as Database, OpenFlags};

use crate::support::waiting::{end_of, lines, rest, wait_for, wait_until};
use crate::support::{Connection, Need, PATIENCE, Server, executable, hortifruti, run, signal, try_run};

/// Of the calls that there are, each how many-th is taken where not all are.
const STRIDE: usize = 23;

/// The changes in a run, without their ids, which are `c` and the place in this list. The last one is also
/// the change that is repeated until it is taken.
const CHANGES: [&str; 7] = [SALE, SALE, "desfazer 2", SALE, "contar Banana 28", SALE, SALE];
const SALE: &str = "3 Caju -1";

/// The products after all changes: five of Caju were sold, the opening of Pera was undone, and Banana was
/// counted.
const PRODUCTS_AFTER: &str = "Maca: R$3.0, Estoque: 20\n\
    Pera: R$5.0, Estoque: 0\n\
    Banana: R$10.0, Estoque: 28\n\
    Caju: R$2.0, Estoque: 55";

/// How often a change is repeated until it is taken: the fault is over by then.
const TRIES: usize = 4;

/// What can be done to a call, and to which call.
const FAULTS: [(&str, &str); 21] = [
    ("openat", "error=EIO"),
    ("openat", "error=ENOSPC"),
    ("pread64", "error=EIO"),
    ("read", "error=EIO"),
    ("pwrite64", "error=EIO"),
    ("pwrite64", "error=ENOSPC"),
    // Nothing of it was written, and no error said so.
    ("pwrite64", "retval=0"),
    ("write", "error=ENOSPC"),
    ("fsync", "error=EIO"),
    ("fsync", "error=ENOSPC"),
    ("fdatasync", "error=EIO"),
    ("ftruncate", "error=EIO"),
    ("mmap", "error=ENOMEM"),
    ("linkat", "error=ENOSPC"),
    ("rename", "error=EIO"),
    ("unlink", "error=EIO"),
    ("flock", "error=EIO"),
    ("fcntl", "error=EIO"),
    ("statx", "error=EIO"),
    ("newfstatat", "error=EIO"),
    ("close", "error=EIO"),
];

/// The calls in which the server is killed. Strace counts each kind for itself: of several kinds together, only the
/// frequent ones would be met.
const KILLED: [&str; 17] = [
    "openat",
    "pread64",
    "read",
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "mmap",
    "linkat",
    "rename",
    "unlink",
    "flock",
    "fcntl",
    "statx",
    "newfstatat",
    "close",
];

/// When the faults come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// From the first start of a new shop on.
    FirstStart,
    /// While a shop that runs takes changes and is stopped.
    Changes,
}

#[test]
fn a_fault_at_any_call_of_a_first_start_loses_nothing() {
    sweep(When::FirstStart);
}

#[test]
fn a_fault_at_any_call_of_a_run_of_changes_loses_nothing() {
    sweep(When::Changes);
}

fn sweep(when: When) {
    if !has_strace() {
        return;
    }
    let is_all = std::env::var("HORTIFRUTI_FAULTS").is_ok_and(|faults| faults == "all");
    let stride = if is_all { 1 } else { STRIDE };
    let start = Instant::now();
    let kills = KILLED.map(|call| (call, "signal=KILL"));
    let queue = Mutex::new(FAULTS.into_iter().chain(kills));
    let sums = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let Some((call, fault)) = queue.lock().unwrap().next() else { break };
                    let first = if is_all { 1 } else { 1 + fastrand::usize(..3) };
                    let count = (first..).step_by(stride).take_while(|n| play(when, call, fault, *n)).count();
                    sums.lock().unwrap().push(count);
                }
            });
        }
    });
    let sums = sums.into_inner().unwrap();
    println!("{when:?}: {} faults in {:.0?}", sums.iter().sum::<usize>(), start.elapsed());
    assert!(sums.iter().filter(|count| **count > 0).count() > 10, "hardly a fault was met: {sums:?}");
}

/// Whether `strace` is there and may look at processes; says so if not.
pub(crate) fn has_strace() -> bool {
    let tried =
        try_run(Command::new("strace").args(["-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"]));
    let works = tried.as_ref().is_ok_and(|ended| ended.code == 0);
    // To look at a process that is no child may take root.
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let is_root =
        fs::metadata("/proc/self").is_ok_and(|this| std::os::unix::fs::MetadataExt::uid(&this) == 0);
    let may = is_root || matches!(scope.trim(), "" | "0");
    if !(works && may) {
        let why = format!("strace is not there, or may not look at a server ({tried:?}, scope {scope:?})");
        Need::Strace.skip(why);
    }
    works && may
}

/// One run with one fault. Returns whether there was an N-th call.
fn play(when: When, call: &str, fault: &str, n: usize) -> bool {
    let name = format!("{when:?}: {fault} at call {n} of {call}");
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o"]).arg(&trace).args(["-e", &format!("inject={call}:{fault}:when={n}")]);
    for path in watched(folder.path()) {
        strace.arg("-P").arg(path);
    }
    let mut plain = hortifruti(folder.path());
    let mut server = match when {
        // Strace stays aside, so that the server is our child.
        When::FirstStart => strace.arg("-D").arg(executable()),
        When::Changes => &mut plain,
    }
    .args(["serve", "--port", "0", "--quiet"])
    .current_dir(folder.path())
    .stdin(Stdio::null())
    .stdout(Stdio::null())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let port = wait_for_port(&mut server, folder.path());
    let process = server.id();
    let tracer = (when == When::Changes).then(|| attach(strace, process));

    let mut told = BTreeMap::new();
    if let Some(mut client) = port.and_then(|port| connect(port, &mut server, &name)) {
        for (number, change) in CHANGES.into_iter().enumerate() {
            let reply = client.try_reply_to(&format!("{change} id=c{number}\n"));
            told.insert(number, reply);
        }
        // The fault is over, or comes only when the server is stopped: changes are taken again.
        let is_alive = || !has_ended(&mut server);
        take_again(&mut client, is_alive, &name, &mut told);
    }
    if !has_ended(&mut server) {
        signal(server.id(), "TERM");
    }
    let (status, err) = end(server);
    if let Some(mut tracer) = tracer {
        end_of(&mut tracer);
    }
    let is_met = is_met(&trace, process, &name);
    assert!(
        matches!((status.code(), status.signal()), (Some(0), _) | (_, Some(9)))
            || status.code() == Some(1) && err.contains("Erro: "),
        "{name}: {status}: {err}"
    );
    assert!(is_met || status.code() == Some(0), "{name}: no fault was met, and {status}: {err}");
    check(folder, &told, &name);
    is_met
}

/// The files of the store, and their folder.
fn watched(folder: &Path) -> Vec<PathBuf> {
    let names = ["", "-wal", "-shm", "-journal", ".lock"];
    let files = names.iter().map(|suffix| folder.join(format!("hortifruti.db{suffix}")));
    files.chain([folder.join(".hortifruti.db.hortifruti-tmp"), folder.to_owned()]).collect()
}

/// The port, once the server is ready; `None` where it ended before.
fn wait_for_port(server: &mut Child, folder: &Path) -> Option<u16> {
    wait_for(|| match fs::read_to_string(folder.join("server_port.txt")) {
        Ok(port) => Ok(Some(port.parse().unwrap())),
        Err(_) if has_ended(server) => Ok(None),
        Err(_) => Err("the server neither starts nor ends"),
    })
}

/// A connection to a server that has published its port; `None` if a fault has killed the server since.
fn connect(port: u16, server: &mut Child, name: &str) -> Option<Connection> {
    match Connection::try_new(port) {
        Ok(client) => Some(client),
        Err(error) => {
            wait_until("a server that accepts no connection is gone", || has_ended(server));
            println!("{name}: the server was gone before the first connection: {error}");
            None
        }
    }
}

fn has_ended(server: &mut Child) -> bool {
    server.try_wait().unwrap().is_some()
}

/// Begins to trace a process that runs.
fn attach(mut strace: Command, process: u32) -> Child {
    let mut tracer = strace.args(["-p", &process.to_string()]).stderr(Stdio::piped()).spawn().unwrap();
    let said = lines(tracer.stderr.take().unwrap()).recv_timeout(PATIENCE).expect("strace says something");
    assert!(said.contains("attached"), "{said}");
    tracer
}

fn take_again(
    client: &mut Connection,
    mut is_alive: impl FnMut() -> bool,
    name: &str,
    told: &mut BTreeMap<usize, Option<String>>,
) {
    let last = CHANGES.len() - 1;
    for _ in 0..TRIES {
        let reply = client.try_reply_to(&format!("{} id=c{last}\n", CHANGES[last]));
        let is_taken = reply.as_ref().is_some_and(|reply| is_taken(reply));
        told.insert(last, reply);
        if is_taken {
            return;
        }
    }
    // A killed server takes a moment to be gone.
    let last = &told[&last];
    wait_until("the server is gone", || {
        let is_gone = !is_alive();
        assert!(is_gone || last.is_none(), "{name}: changes are not taken again: {last:?}");
        is_gone
    });
}

fn end(mut server: Child) -> (ExitStatus, String) {
    let err = rest(&lines(server.stderr.take().unwrap())).join("\n");
    (end_of(&mut server), err)
}

/// Whether the trace tells of the fault, once it is complete: threads end before the process does, which
/// is said last.
fn is_met(trace: &Path, process: u32, name: &str) -> bool {
    let process = process.to_string();
    wait_for(|| {
        let said = String::from_utf8_lossy(&fs::read(trace).unwrap_or_default()).into_owned();
        let last = said.lines().last().unwrap_or_default();
        let is_of_the_process = last.split_whitespace().next() == Some(process.as_str());
        if !(is_of_the_process && (last.contains("+++ exited") || last.contains("+++ killed"))) {
            return Err(format!("{name}: the trace does not end"));
        }
        Ok(said.contains("(INJECTED)") || said.contains("+++ killed by SIGKILL"))
    })
}

/// Whether a reply is that of a change that is made.
fn is_taken(reply: &str) -> bool {
    reply.contains(", Estoque: ") && !reply.starts_with("Erro ")
}

/// Starts the shop without faults, and holds what is there against what was told.
fn check(folder: tempfile::TempDir, told: &BTreeMap<usize, Option<String>>, name: &str) {
    let _ = fs::remove_file(folder.path().join("server_port.txt"));
    let mut server = Server::start_in(folder, &[]);
    let ledger = ledger(&server.path().join("hortifruti.db"));
    for (number, reply) in told {
        let change = format!("{} id=c{number}", CHANGES[*number]);
        let balances = ledger.get(&format!("c{number}")).cloned().unwrap_or_default();
        match reply.as_deref() {
            Some(reply) if is_taken(reply) => {
                assert_eq!(
                    balances.len(),
                    1,
                    "{name}: {change} was told as {reply}, and {balances:?} is there"
                );
                let balance = reply.rsplit(' ').next().unwrap();
                assert_eq!(balance, balances[0].to_string(), "{name}: {change} was told as {reply}");
            }
            Some(reply) if reply.starts_with("Erro UNAVAILABLE: ") => {
                assert!(balances.is_empty(), "{name}: {change} was refused, and is there");
            }
            Some(reply) => {
                assert!(reply.starts_with("Erro OUTCOME_UNKNOWN: "), "{name}: {change}: {reply}");
                assert!(balances.len() < 2, "{name}: {change} is there as {balances:?}");
            }
            None => assert!(balances.len() < 2, "{name}: {change} is there as {balances:?}"),
        }
    }
    let mut client = server.connect();
    for (number, change) in CHANGES.into_iter().enumerate() {
        let reply = client.ask(&format!("{change} id=c{number}"));
        assert!(is_taken(&reply), "{name}: {change} repeated: {reply}");
        if let Some(Some(told)) = told.get(&number).filter(|told| told.as_deref().is_some_and(is_taken)) {
            assert_eq!(&reply, told, "{name}: {change} repeated");
        }
    }
    assert_eq!(client.ask("4"), PRODUCTS_AFTER, "{name}");
    let verified = run(hortifruti(server.path()).arg("verify"), "");
    assert_eq!(verified.code, 0, "{name}: {}", verified.err);
    server.stop();
    let mut left: Vec<String> = fs::read_dir(server.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file.contains("hortifruti"))
        .collect();
    left.sort();
    assert_eq!(left, ["hortifruti.db", "hortifruti.db.lock"], "{name}: something is left behind");
}

/// The balances that stand under each request id.
fn ledger(path: &Path) -> BTreeMap<String, Vec<i64>> {
    let database = Database::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut movements = database
        .prepare("SELECT sequence, request_id, balance_thousandths / 1000 FROM movement ORDER BY sequence")
        .unwrap();
    let movements = movements.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let movements: Vec<(i64, Option<String>, i64)> = movements.map(Result::unwrap).collect();
    let mut requests = database.prepare("SELECT request_id, result FROM request").unwrap();
    let requests = requests.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let requests: Vec<(String, Vec<u8>)> = requests.map(Result::unwrap).collect();
    let mut ledger: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (sequence, id, balance) in movements {
        // An undo or a count of one movement: a byte for the operation, and then the movement's number.
        let is_of = |result: &Vec<u8>| result.get(1..9) == Some(&sequence.to_le_bytes()[..]);
        let ids = requests.iter().filter(|(_, result)| is_of(result)).map(|(id, _)| id.clone());
        ids.chain(id).for_each(|id| ledger.entry(id).or_default().push(balance));
    }
    // A request under whose id nothing stands is none.
    for (id, _) in requests {
        assert!(ledger.contains_key(&id), "{id} is stored, and its movement is not");
    }
    ledger
}
