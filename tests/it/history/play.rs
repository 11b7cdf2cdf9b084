//! Plays a history: clients on a server that is ended now and then.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::check::{Fault, check, check_watched};
use super::client::{Client, Door, Record, look_at_all};
use super::connection::{Heard, read};
use super::ledger::read_ledger;
use super::watcher::{WATCHERS, Watcher};
use super::{Answer, Asked, Ledger, Operation, Seen, Way};
use crate::support::{self, PATIENCE, Server};

/// What is to be played.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How many clients talk in each way at first.
    pub(crate) clients: [(Way, usize); 3],
    /// How many questions of one client may wait for their answers.
    pub(crate) in_flight_max: usize,
    /// The pause of a client after each answer.
    pub(crate) rest: Duration,
    /// How many answers come before each end of the server, and after the last.
    pub(crate) answers: usize,
    pub(crate) ends: Vec<End>,
}

/// How the server ends, to be started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// SIGKILL.
    Kill,
    /// SIGTERM, and it has this long.
    Stop(Duration),
}

/// What came of it.
#[derive(Serialize)]
pub(crate) struct Played {
    pub(crate) history: Vec<Operation>,
    pub(crate) ledger: Ledger,
    /// The movements that each watcher has seen.
    pub(crate) watched: Vec<Vec<Seen>>,
    /// How long each stop took.
    pub(crate) stops: Vec<Duration>,
    #[serde(skip)]
    pub(crate) verdict: Result<(), Fault>,
}

impl Played {
    /// Asserts that the history can be true. If not, saves it, and shows the operation that cannot be.
    #[track_caller]
    pub(crate) fn assert_true(&self, name: &str) {
        let Err(fault) = &self.verdict else { return };
        let (Fault::Read { operation, .. } | Fault::Unexpected { operation, .. }) = fault else {
            panic!("{name}: {fault}; the history is {}", self.save());
        };
        panic!("{name}: {fault}: {:?}; the history is {}", self.history[*operation], self.save());
    }

    /// Saves the history, and returns where.
    pub(crate) fn save(&self) -> String {
        let file = tempfile::Builder::new().prefix("hortifruti-history-").suffix(".json").tempfile().unwrap();
        serde_json::to_writer_pretty(&file, self).unwrap();
        file.keep().unwrap().1.display().to_string()
    }
}

/// Plays on a server with a new shop. Checks after each start and at the end, after which
/// the server is stopped.
pub(crate) fn play(server: &mut Server, plan: &Plan) -> Played {
    let mut play = Play::begin(server.port, plan, false);
    let mut stops = Vec::new();
    let verdict = plan.ends.iter().try_for_each(|end| {
        play.wait_for_answers(plan.answers)?;
        play.shut();
        stops.extend(end_server(server, *end)?);
        server.restart();
        check(&play.operations(), &read_ledger(server))?;
        play.open(server.port);
        Ok(())
    });
    let verdict = verdict.and_then(|()| play.wait_for_answers(plan.answers));
    Played { stops, ..play.end(server, verdict) }
}

/// A connection that was made before a server stood still or was cut off.
pub(crate) struct Late {
    connection: support::Connection,
    number: usize,
}

/// A history in the making: clients that ask and record until it is ended.
pub(crate) struct Play {
    record: Arc<Record>,
    door: watch::Sender<Door>,
    clients: JoinHandle<Vec<()>>,
    client_count: usize,
    watchers: JoinHandle<Option<Vec<Vec<Seen>>>>,
    /// Where the watchers learn which movement is the last.
    last: watch::Sender<Option<i64>>,
    /// How many times a server was opened.
    times: usize,
    is_excused: bool,
}

impl Play {
    /// Puts clients on a server with a new shop. The server may have excuses to refuse what it otherwise answers.
    pub(crate) fn begin(port: u16, plan: &Plan, is_excused: bool) -> Self {
        let record = Arc::new(Record::new());
        let (door, seen_door) = watch::channel(Door::Open { port, times: 0, is_excused });
        let ways = plan.clients.iter().flat_map(|(way, count)| std::iter::repeat_n(*way, *count));
        let clients: Vec<Client> = ways
            .enumerate()
            .map(|(number, way)| {
                let (record, door) = (Arc::clone(&record), seen_door.clone());
                Client::new(number, way, plan, record, door)
            })
            .collect();
        let client_count = clients.len();
        let run_all =
            async { clients.into_iter().map(Client::run).collect::<JoinSet<()>>().join_all().await };
        let clients = std::thread::spawn(move || block_on(run_all));
        let (last, seen_last) = watch::channel(None);
        let watcher =
            |number| Watcher::new(number, Arc::clone(&record), seen_door.clone(), seen_last.clone());
        let watchers: Vec<Watcher> = (0..WATCHERS).map(watcher).collect();
        let watchers = std::thread::spawn(move || block_on(watch_all(watchers, seen_last)));
        Self { record, door, clients, client_count, watchers, last, times: 0, is_excused }
    }

    /// Waits for so many answers more.
    pub(crate) fn wait_for_answers(&self, count: usize) -> Result<(), Fault> {
        self.record.wait_for_answers(count).map_err(Fault::Conduct)
    }

    /// The server is about to end: whatever breaks from now on has a reason.
    pub(crate) fn shut(&self) {
        self.door.send_replace(Door::Shut);
    }

    /// The server stands still: whoever waits for it leaves.
    pub(crate) fn abandon(&self) {
        self.door.send_replace(Door::Abandoned);
    }

    /// Lets the clients in to the server at this port.
    pub(crate) fn open(&mut self, port: u16) {
        self.times += 1;
        self.door.send_replace(Door::Open { port, times: self.times, is_excused: self.is_excused });
    }

    /// Connects to a server that is to be asked late.
    pub(crate) fn stand_at(&self, port: u16) -> Late {
        Late { connection: support::Connection::new(port), number: 0 }
    }

    /// Asks for all products on a connection from before.
    pub(crate) fn ask_late(&self, late: &mut Late) {
        late.number = self.record.begin(self.client_count + 1, Asked::List(None), Way::Text, None);
        late.connection.send("4\n");
    }

    /// Records what the server answers, if it answers with products and does not refuse.
    pub(crate) fn hear_late(&self, mut late: Late) {
        if let Some(reply) = late.connection.try_reply()
            && let Heard::Answer(answer @ Answer::Seen(_)) = read(&Asked::List(None), &reply)
        {
            self.record.finish(late.number, answer);
        }
    }

    /// A moment, on the clock of the record.
    pub(crate) fn now(&self) -> u64 {
        self.record.now()
    }

    /// The longest time since this moment in which no change was answered.
    pub(crate) fn longest_silence(&self, since: u64) -> Duration {
        let operations = self.operations();
        let changes = operations.iter().filter(|operation| operation.asked.is_change());
        let answers = changes.filter_map(|operation| operation.answer.as_ref().map(|(at, _)| *at));
        let mut moments: Vec<u64> = answers.filter(|at| *at > since).chain([since, self.now()]).collect();
        moments.sort_unstable();
        let gaps = moments.windows(2).map(|pair| pair[1] - pair[0]);
        Duration::from_nanos(gaps.max().unwrap_or(0))
    }

    /// What was asked and answered until now.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.record.operations()
    }

    /// Lets the clients finish, unless the play went wrong, stops the server, and checks.
    pub(crate) fn end(self, server: &mut Server, verdict: Result<(), Fault>) -> Played {
        let Self { record, door, clients, client_count, watchers, last, .. } = self;
        if verdict.is_err() {
            door.send_replace(Door::Closed);
            server.kill();
            server.restart();
        }
        record.end();
        clients.join().expect("a client does not panic");
        let last_look =
            record.complaint().map_or_else(|| block_on(look_at_all(&record, client_count, server.port)), Err);
        last.send_replace(Some(read_ledger(server).rows.len() as i64));
        let watched = watchers.join().expect("a watcher does not panic");
        server.stop();
        let (history, ledger) = (record.operations(), read_ledger(server));
        let silent = || Fault::Conduct("keeps the last movements from a watcher".to_owned());
        let verdict = verdict
            .and(last_look.map_err(Fault::Conduct))
            .and_then(|()| check(&history, &ledger))
            .and_then(|()| record.complaint().map_or(Ok(()), |what| Err(Fault::Conduct(what))))
            .and_then(|()| {
                let watched = watched.as_ref().ok_or_else(silent)?;
                watched.iter().try_for_each(|seen| check_watched(seen, &ledger))
            });
        Played { history, ledger, watched: watched.unwrap_or_default(), stops: Vec::new(), verdict }
    }
}

/// Everything that the watchers see; `None` if the last movement does not come to one of them in time.
async fn watch_all(watchers: Vec<Watcher>, mut last: watch::Receiver<Option<i64>>) -> Option<Vec<Vec<Seen>>> {
    let watching = watchers.into_iter().map(Watcher::run).collect::<JoinSet<Vec<Seen>>>();
    let _ = last.wait_for(Option::is_some).await;
    tokio::time::timeout(PATIENCE, watching.join_all()).await.ok()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Ends the server; where it stops by itself, returns how long that took.
fn end_server(server: &mut Server, end: End) -> Result<Option<Duration>, Fault> {
    let End::Stop(time) = end else {
        server.kill();
        return Ok(None);
    };
    server.signal("TERM");
    let (code, took) = server.wait_for_end();
    if code != Some(0) {
        return Err(Fault::Conduct(format!("stopped with {code:?}")));
    }
    if took > time {
        return Err(Fault::Conduct(format!("had {time:?} to stop, and took {took:?}")));
    }
    Ok(Some(took))
}
