//! A client: asks what a seed says, several things at once, and repeats by their ids the
//! changes whose answer was lost, over another transport than before.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::connection::{Connection, Heard};
use super::{Answer, Asked, Call, Line, Operation, PRODUCTS, Way};
use crate::support::PATIENCE;

/// Most units that a change brings: so many that two states are hardly ever alike, and a
/// state that is shown too late is not taken for another.
const UNITS_MAX: i64 = 1_000_000;

/// Whether there is a server to talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open {
        port: u16,
        times: usize,
    },
    /// The server is about to end, or has: whatever breaks now has a reason.
    Shut,
    /// The play was broken off.
    Closed,
}

/// What all clients write on.
pub(crate) struct Record {
    start: Instant,
    pages: Mutex<Pages>,
    changed: Condvar,
}

#[derive(Default)]
struct Pages {
    operations: Vec<Operation>,
    answers: usize,
    /// What the server did that it must not.
    complaint: Option<String>,
    is_over: bool,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), pages: Mutex::default(), changed: Condvar::new() }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.pages().operations.clone()
    }

    /// Waits for so many answers more.
    pub(crate) fn wait_for_answers(&self, count: usize) -> Result<(), String> {
        let mut pages = self.pages();
        let wanted = pages.answers + count;
        while pages.answers < wanted && pages.complaint.is_none() {
            let (changed, waited) = self.changed.wait_timeout(pages, PATIENCE).unwrap();
            pages = changed;
            if waited.timed_out() {
                return Err("answers nobody any more".to_owned());
            }
        }
        pages.complaint.clone().map_or(Ok(()), Err)
    }

    /// Lets nothing new be asked.
    pub(crate) fn end(&self) {
        self.pages().is_over = true;
    }

    pub(crate) fn complaint(&self) -> Option<String> {
        self.pages().complaint.clone()
    }

    fn complain(&self, what: String) {
        self.pages().complaint.get_or_insert(what);
        self.changed.notify_all();
    }

    fn begin(&self, client: usize, asked: Asked, way: Way, follows: Option<usize>) -> usize {
        let calls = vec![Call { at: self.now(), way }];
        let mut pages = self.pages();
        pages.operations.push(Operation { client, asked, calls, follows, answer: None });
        pages.operations.len() - 1
    }

    fn begin_again(&self, number: usize, way: Way) {
        let call = Call { at: self.now(), way };
        let operation = &mut self.pages().operations[number];
        operation.calls.push(call);
        operation.follows = None;
    }

    fn finish(&self, number: usize, answer: Answer) {
        let at = self.now();
        let mut pages = self.pages();
        pages.operations[number].answer = Some((at, answer));
        pages.answers += 1;
        self.changed.notify_all();
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }
}

pub(crate) struct Client {
    number: usize,
    way: Way,
    /// How many questions may wait for their answers.
    in_flight_max: usize,
    record: Arc<Record>,
    door: watch::Receiver<Door>,
    dice: fastrand::Rng,
    changes: usize,
    /// What waits for its answer, in the order asked.
    in_flight: Vec<(usize, Asked)>,
    /// Changes whose answer was lost.
    unanswered: Vec<(usize, Asked)>,
    /// The balances as last seen, to ask for about as much as there is.
    balances: [i64; PRODUCTS.len()],
}

impl Client {
    pub(crate) fn new(
        number: usize,
        way: Way,
        in_flight_max: usize,
        record: Arc<Record>,
        door: watch::Receiver<Door>,
        seed: u64,
    ) -> Self {
        Self {
            number,
            way,
            in_flight_max,
            record,
            door,
            dice: fastrand::Rng::with_seed(seed.wrapping_mul(1000) + number as u64),
            changes: 0,
            in_flight: Vec::new(),
            unanswered: Vec::new(),
            balances: [0; PRODUCTS.len()],
        }
    }

    /// Asks until the play is over and every change is answered.
    pub(crate) async fn run(mut self) {
        loop {
            let door =
                self.door.wait_for(|door| *door != Door::Shut).await.map_or(Door::Closed, |door| *door);
            let Door::Open { port, .. } = door else { return };
            let is_done = match Connection::open(self.way, port).await {
                Some(connection) => self.converse(connection, door).await,
                None => false,
            };
            if is_done {
                return;
            }
            if self.is_open(door) {
                return self.record.complain(format!("hung up on client {} ({:?})", self.number, self.way));
            }
            let lost = self.in_flight.drain(..).filter(|(_, asked)| matches!(asked, Asked::Change { .. }));
            self.unanswered.extend(lost);
            let has_batch = self.unanswered.iter().any(|(_, asked)| asked.products().len() > 1);
            self.way = match self.way {
                _ if has_batch => Way::Calls,
                Way::Text => Way::Calls,
                Way::Calls => Way::Stream,
                Way::Stream => Way::Text,
            };
        }
    }

    /// Whether the server that this door led to runs and is to run on.
    fn is_open(&self, door: Door) -> bool {
        *self.door.borrow() == door
    }

    /// Returns whether all is asked and answered; else the connection broke.
    async fn converse(&mut self, mut connection: Connection, door: Door) -> bool {
        loop {
            while self.in_flight.len() < self.in_flight_max
                && let Some((number, asked)) = self.next()
            {
                self.in_flight.push((number, asked.clone()));
                if !connection.ask(number, &asked).await {
                    return false;
                }
            }
            if self.in_flight.is_empty() {
                return true;
            }
            let Ok(heard) = tokio::time::timeout(PATIENCE, connection.hear()).await else {
                self.record.complain(format!("left client {} without an answer", self.number));
                return true;
            };
            let Some((number, heard)) = heard else { return false };
            let place = self.in_flight.iter().position(|(waiting, _)| *waiting == number);
            let (_, asked) = self.in_flight.remove(place.expect("an answer only to what was asked"));
            match heard {
                Heard::Answer(answer) => {
                    self.look(&asked, &answer);
                    self.record.finish(number, answer);
                }
                Heard::AskAgain if self.is_open(door) => {
                    self.record.complain("refuses changes though its disk is well".to_owned());
                    return true;
                }
                Heard::AskAgain => self.unanswered.push((number, asked)),
            }
        }
    }

    /// What to ask next: first what was left unanswered.
    fn next(&mut self) -> Option<(usize, Asked)> {
        if let Some((number, asked)) = self.unanswered.pop() {
            self.record.begin_again(number, self.way);
            return Some((number, asked));
        }
        if self.record.pages().is_over {
            return None;
        }
        let asked = self.choose();
        let follows = self.follows(&asked);
        Some((self.record.begin(self.number, asked.clone(), self.way, follows), asked))
    }

    /// The change that the next question must come after: text and streams keep the order
    /// of changes, and a read waits for the changes of what it shows.
    fn follows(&self, asked: &Asked) -> Option<usize> {
        let products = asked.products();
        let is_change = matches!(asked, Asked::Change { .. });
        let mut before = self.in_flight.iter().rev().filter(|(_, before)| match before {
            Asked::Change { lines, .. } => is_change || products.contains(&lines[0].product),
            Asked::Find(_) | Asked::List(_) => false,
        });
        before.next().map(|(number, _)| *number).filter(|_| self.way != Way::Calls)
    }

    fn choose(&mut self) -> Asked {
        let product = self.dice.usize(..PRODUCTS.len());
        match (self.dice.u8(..100), self.way) {
            (0..20, Way::Text | Way::Calls) => Asked::Find(product),
            (20..35, Way::Text | Way::Calls) => Asked::List(None),
            (35..45, Way::Text | Way::Calls) => Asked::List(Some(PRODUCTS[product].1)),
            (45..60, Way::Calls) => {
                // From one product to another, and some of it back.
                let moved = self.take(product);
                let to = (product + self.dice.usize(1..PRODUCTS.len())) % PRODUCTS.len();
                let mut lines = vec![moved, Line { product: to, delta: -moved.delta }];
                if self.dice.bool() {
                    lines.push(self.bring(product));
                }
                self.change(lines)
            }
            (60..80, _) => {
                let line = self.take(product);
                self.change(vec![line])
            }
            _ => {
                let line = self.bring(product);
                self.change(vec![line])
            }
        }
    }

    fn change(&mut self, lines: Vec<Line>) -> Asked {
        self.changes += 1;
        Asked::Change { id: format!("{}-{}", self.number, self.changes), lines }
    }

    fn bring(&mut self, product: usize) -> Line {
        Line { product, delta: self.dice.i64(1..=UNITS_MAX) * 1000 }
    }

    /// Now and then more than there is.
    fn take(&mut self, product: usize) -> Line {
        let units = self.balances[product] / 1000;
        Line { product, delta: -self.dice.i64(1..=units + units / 4 + 1) * 1000 }
    }

    fn look(&mut self, asked: &Asked, answer: &Answer) {
        let balances: Vec<i64> = match answer {
            Answer::Seen(balances) => balances.clone(),
            Answer::Made(made) => made.iter().map(|made| made.balance).collect(),
            Answer::Insufficient { product, available } => {
                self.balances[*product] = *available;
                return;
            }
            Answer::Other(_) => return,
        };
        for (product, balance) in asked.products().into_iter().zip(balances) {
            self.balances[product] = balance;
        }
    }
}

/// A last look at everything, over text and over gRPC.
pub(crate) async fn look_at_all(record: &Record, client: usize, port: u16) -> Result<(), String> {
    for way in [Way::Text, Way::Calls] {
        let number = record.begin(client, Asked::List(None), way, None);
        let unanswered = || format!("does not answer a last {way:?}");
        let mut connection = Connection::open(way, port).await.ok_or_else(unanswered)?;
        connection.ask(number, &Asked::List(None)).await;
        match tokio::time::timeout(Duration::from_secs(5), connection.hear()).await {
            Ok(Some((_, Heard::Answer(answer)))) => record.finish(number, answer),
            _ => return Err(unanswered()),
        }
    }
    Ok(())
}
