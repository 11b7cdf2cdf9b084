//! A client: asks what a seed says, several things at once, and repeats by their ids the
//! changes whose answer was lost, over another transport than before.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::connection::{Connection, Heard};
use super::play::Plan;
use super::{Answer, Asked, Call, Counted, Line, OPENING_PRODUCTS, Operation, PRODUCTS, Stock, Way};
use crate::support::PATIENCE;

/// Most units that a change brings: so many that two states are hardly ever alike, and a
/// state that is shown too late is not taken for another.
const UNITS_MAX: i64 = 1_000_000;

/// How many movements back from the last known one a client undoes, or has counted.
const UNDONE_BACK_MAX: i64 = 40;
const COUNTED_BACK_MAX: i64 = 200;

/// How many movements a client guesses that others have made since the last known one.
const GUESSED_MAX: i64 = 6;

/// Most products of one import or count.
const LINES_MAX: usize = 3;

/// The pause after a refusal, if the server's door does not change.
const AGAIN_AFTER: Duration = Duration::from_millis(5);

/// Whether there is a server to talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open {
        port: u16,
        times: usize,
        /// Whether the server has a reason to refuse what it otherwise answers.
        is_excused: bool,
    },
    /// The server is about to end, or has: whatever breaks now has a reason.
    Shut,
    /// The server stands still, and may never answer what it was asked.
    Abandoned,
    /// The play was broken off.
    Closed,
}

impl Door {
    /// Whether the server that the door led to once runs, is to run on, and has no excuse.
    pub(crate) fn is_still(self, once: Door) -> bool {
        match (self, once) {
            (Door::Open { times: now, is_excused: false, .. }, Door::Open { times, .. }) => now == times,
            _ => false,
        }
    }
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
    /// The last movement that anybody was told of.
    last_sequence: i64,
    /// What the server did that it must not.
    complaint: Option<String>,
    is_over: bool,
}

impl Record {
    pub(crate) fn new() -> Self {
        let pages = Pages { last_sequence: OPENING_PRODUCTS as i64, ..Pages::default() };
        Self { start: Instant::now(), pages: Mutex::new(pages), changed: Condvar::new() }
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

    pub(crate) fn complain(&self, what: String) {
        self.pages().complaint.get_or_insert(what);
        self.changed.notify_all();
    }

    pub(super) fn begin(&self, client: usize, asked: Asked, way: Way, follows: Option<usize>) -> usize {
        let calls = vec![Call { at: self.now(), way }];
        let mut pages = self.pages();
        pages.operations.push(Operation { client, asked, calls, follows, answer: None });
        pages.operations.len() - 1
    }

    fn begin_again(&self, number: usize, way: Way) {
        let call = Call { at: self.now(), way };
        self.pages().operations[number].calls.push(call);
    }

    /// A change lost its turn on a connection that goes on: what followed it follows what stood before.
    fn drop_turn(&self, number: usize) {
        let mut pages = self.pages();
        let before = pages.operations[number].follows;
        let followers = pages.operations[number..].iter_mut().filter(|later| later.follows == Some(number));
        followers.for_each(|later| later.follows = before);
    }

    pub(super) fn finish(&self, number: usize, answer: Answer) {
        let at = self.now();
        let mut pages = self.pages();
        if let Answer::Made(made) = &answer {
            let told = made.iter().filter_map(|made| made.sequence).max();
            pages.last_sequence = pages.last_sequence.max(told.unwrap_or(0));
        }
        pages.operations[number].answer = Some((at, answer));
        pages.answers += 1;
        self.changed.notify_all();
    }

    pub(super) fn now(&self) -> u64 {
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
    /// The pause after each answer.
    rest: Duration,
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
        plan: &Plan,
        record: Arc<Record>,
        door: watch::Receiver<Door>,
    ) -> Self {
        Self {
            number,
            way,
            in_flight_max: plan.in_flight_max,
            rest: plan.rest,
            record,
            door,
            dice: fastrand::Rng::with_seed(plan.seed.wrapping_mul(1000) + number as u64),
            changes: 0,
            in_flight: Vec::new(),
            unanswered: Vec::new(),
            balances: [0; PRODUCTS.len()],
        }
    }

    /// Asks until the play is over and every change is answered.
    pub(crate) async fn run(mut self) {
        loop {
            let leads_on = |door: &Door| matches!(door, Door::Open { .. } | Door::Closed);
            let door = self.door.wait_for(leads_on).await.map_or(Door::Closed, |door| *door);
            let Door::Open { port, .. } = door else { return };
            let is_done = match Connection::open(self.way, port).await {
                Some(connection) => self.converse(connection, door).await,
                None => false,
            };
            if is_done {
                return;
            }
            if self.door.borrow().is_still(door) {
                return self.record.complain(format!("hung up on client {} ({:?})", self.number, self.way));
            }
            self.unanswered.extend(self.in_flight.drain(..).filter(|(_, asked)| asked.id().is_some()));
            self.way = self.next_way();
        }
    }

    /// Whether the clients are still led to the server of this door.
    fn leads_here(&self, door: Door) -> bool {
        match (*self.door.borrow(), door) {
            (Door::Open { times: now, .. }, Door::Open { times, .. }) => now == times,
            // Nobody is led anywhere yet.
            _ => true,
        }
    }

    /// Another way than until now, if what is unanswered can be asked in one.
    fn next_way(&self) -> Way {
        let others = match self.way {
            Way::Text => [Way::Calls, Way::Stream],
            Way::Calls => [Way::Stream, Way::Text],
            Way::Stream => [Way::Text, Way::Calls],
        };
        let goes = |way: &Way| self.unanswered.iter().all(|(_, asked)| asked.goes(*way));
        others.into_iter().find(goes).unwrap_or(Way::Calls)
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
            let mut door_now = self.door.clone();
            let heard = tokio::select! {
                heard = tokio::time::timeout(PATIENCE, connection.hear()) => heard,
                _ = door_now.wait_for(|door| *door == Door::Abandoned) => return false,
            };
            let Ok(heard) = heard else {
                self.record.complain(format!("left client {} without an answer", self.number));
                return true;
            };
            let Some((number, heard)) = heard else { return false };
            let place = self.in_flight.iter().position(|(waiting, _)| *waiting == number);
            let (_, asked) = self.in_flight.remove(place.expect("an answer only to what was asked"));
            match heard {
                Heard::Answer(answer) => {
                    self.look(&answer);
                    self.record.finish(number, answer);
                    if !self.rest.is_zero() {
                        let _ = tokio::time::timeout(self.rest, self.door.changed()).await;
                    }
                }
                Heard::AskAgain if self.door.borrow().is_still(door) => {
                    self.record.complain("refuses changes though its disk is well".to_owned());
                    return true;
                }
                Heard::AskAgain => {
                    if asked.id().is_some() {
                        self.unanswered.push((number, asked));
                    }
                    if !self.leads_here(door) {
                        return false;
                    }
                    self.record.drop_turn(number);
                    // Not busily, for as long as the server refuses.
                    let _ = tokio::time::timeout(AGAIN_AFTER, self.door.changed()).await;
                }
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

    /// The change that the next question must come after: text and streams keep the order of changes, and a
    /// read waits for the changes of what it shows. Text answers undos and counts one by one, so everything
    /// after one waits for it.
    fn follows(&self, asked: &Asked) -> Option<usize> {
        let is_read_of = |line: &Line| match asked {
            Asked::Find(product) => *product == line.product,
            Asked::List(max_price) => PRODUCTS[line.product].1 <= max_price.unwrap_or(i64::MAX),
            _ => false,
        };
        let mut before = self.in_flight.iter().rev().filter(|(_, before)| match before {
            Asked::Change { lines, .. } => asked.is_change() || lines.iter().any(is_read_of),
            before => before.is_change(),
        });
        before.next().map(|(number, _)| *number).filter(|_| self.way != Way::Calls)
    }

    fn choose(&mut self) -> Asked {
        let product = self.choose_product();
        match (self.dice.u8(..100), self.way) {
            (0..15, Way::Text | Way::Calls) => Asked::Find(product),
            (15..25, Way::Text | Way::Calls) => Asked::List(None),
            (25..32, Way::Text | Way::Calls) => Asked::List(Some(PRODUCTS[product].1)),
            (32..44, Way::Text | Way::Calls) => self.undo(),
            (44..52, Way::Text | Way::Calls) => self.count(product),
            (52..56, Way::Calls) => self.import(),
            (56..66, Way::Calls) => {
                // From one product to another, and some of it back.
                let moved = self.take(product);
                let to = (product + self.dice.usize(1..OPENING_PRODUCTS)) % OPENING_PRODUCTS;
                let mut lines = vec![moved, Line { product: to, delta: -moved.delta }];
                if self.dice.bool() {
                    lines.push(self.bring(product));
                }
                Asked::Change { id: self.next_id(), lines }
            }
            (66..82, _) => {
                let lines = vec![self.take(product)];
                Asked::Change { id: self.next_id(), lines }
            }
            _ => {
                let lines = vec![self.bring(product)];
                Asked::Change { id: self.next_id(), lines }
            }
        }
    }

    fn next_id(&mut self) -> String {
        self.changes += 1;
        format!("{}-{}", self.number, self.changes)
    }

    /// Mostly one of a new shop, so that clients meet.
    fn choose_product(&mut self) -> usize {
        let end = if self.dice.u8(..4) == 0 { PRODUCTS.len() } else { OPENING_PRODUCTS };
        self.dice.usize(..end)
    }

    fn choose_products(&mut self, first: usize) -> Vec<usize> {
        let mut products = vec![first];
        for _ in 1..self.dice.usize(1..=LINES_MAX) {
            let product = self.choose_product();
            if !products.contains(&product) {
                products.push(product);
            }
        }
        products
    }

    fn bring(&mut self, product: usize) -> Line {
        Line { product, delta: self.dice.i64(1..=UNITS_MAX) * 1000 }
    }

    /// Now and then more than there is.
    fn take(&mut self, product: usize) -> Line {
        let units = self.balances[product] / 1000;
        Line { product, delta: -self.dice.i64(1..=units + units / 4 + 1) * 1000 }
    }

    /// A movement some way back from the last known one, whoever made it; now and then one that others may
    /// be making.
    fn sequence(&mut self, back_max: i64) -> i64 {
        let last = self.record.pages().last_sequence;
        let way =
            if self.dice.u8(..8) == 0 { self.dice.i64(1..=GUESSED_MAX) } else { -self.dice.i64(0..back_max) };
        (last + way).max(1)
    }

    fn undo(&mut self) -> Asked {
        let id = if self.dice.u8(..3) == 0 { None } else { Some(self.next_id()) };
        let is_single = self.way == Way::Calls && self.dice.bool();
        Asked::Undo { id, sequence: self.sequence(UNDONE_BACK_MAX), is_single }
    }

    fn count(&mut self, product: usize) -> Asked {
        if self.dice.u8(..3) == 0 {
            return self.count_again();
        }
        let products = if self.way == Way::Calls { self.choose_products(product) } else { vec![product] };
        let mut lines = Vec::new();
        for product in products {
            let counted = self.dice.i64(0..UNITS_MAX) * 1000;
            let is_past = self.way == Way::Calls && self.dice.bool();
            let at_sequence = if is_past { self.sequence(COUNTED_BACK_MAX) } else { 0 };
            lines.push(Counted { product, counted, at_sequence });
        }
        Asked::Count { id: self.next_id(), lines }
    }

    /// A count of what there was of a product when it was last seen: of one that seldom moves, if one is known.
    fn count_again(&mut self) -> Asked {
        let is_known = |product: &usize| self.balances[*product] > 0;
        let known: Vec<usize> = (OPENING_PRODUCTS..PRODUCTS.len()).filter(is_known).collect();
        let product = self.dice.choice(known).unwrap_or(0);
        let lines = vec![Counted { product, counted: self.balances[product], at_sequence: 0 }];
        Asked::Count { id: self.next_id(), lines }
    }

    fn import(&mut self) -> Asked {
        let id = self.next_id();
        let first = self.dice.usize(OPENING_PRODUCTS..PRODUCTS.len());
        // A stock of its own, so that an opening tells of which import it is.
        let delta = (self.number as i64 * UNITS_MAX + self.changes as i64) * 1000;
        let lines = self.choose_products(first).into_iter().map(|product| Line { product, delta });
        Asked::Import { id, lines: lines.collect() }
    }

    fn look(&mut self, answer: &Answer) {
        match answer {
            Answer::Seen(seen) => {
                seen.iter().for_each(|Stock { product, balance }| self.balances[*product] = *balance);
            }
            Answer::Made(made) => made.iter().for_each(|made| self.balances[made.product] = made.balance),
            Answer::Insufficient { product, available } => self.balances[*product] = *available,
            Answer::Imported { .. }
            | Answer::NoProduct(_)
            | Answer::NoMovement(_)
            | Answer::TooFarBack(_)
            | Answer::AlreadyUndone(_)
            | Answer::Other(_) => {}
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
