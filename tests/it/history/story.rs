//! Made-up histories that are true, told operation by operation.

use super::check::ledger_order;
use super::{
    Answer, Asked, Call, Counted, Kind, Ledger, Line, Made, OPENING_PRODUCTS, Operation, Row, Stock, Stored,
    Way,
};

/// Time between two operations of a story.
pub(super) const STEP: u64 = 100;

/// A history that is true: each operation happens at one moment, one after the other, and
/// its call and its answer lie around that moment.
pub(super) struct Story {
    pub(super) history: Vec<Operation>,
    pub(super) ledger: Ledger,
    now: u64,
}

impl Story {
    pub(super) fn new() -> Self {
        let ledger = Ledger {
            integrity: "ok".into(),
            rows: Vec::new(),
            requests: Vec::new(),
            documents: Vec::new(),
            undos: Vec::new(),
            stocks: Vec::new(),
        };
        let mut story = Self { history: Vec::new(), ledger, now: 10 * STEP };
        for (product, stock) in [20_000, 15_000, 30_000, 60_000].into_iter().enumerate() {
            story.append(product, stock, Kind::Opening, None);
        }
        story
    }

    /// Lets something happen, called and answered so long before and after.
    pub(super) fn tell(&mut self, asked: Asked, before: u64, after: u64) {
        self.now += STEP;
        let answer = match &asked {
            Asked::Find(product) => match self.stock(*product) {
                Some(balance) => Answer::Seen(vec![Stock { product: *product, balance }]),
                None => Answer::NoProduct(*product),
            },
            Asked::List(max_price) => {
                let is_cheap = |it: &&Stock| super::PRODUCTS[it.product].1 <= max_price.unwrap_or(i64::MAX);
                Answer::Seen(self.ledger.stocks.iter().filter(is_cheap).copied().collect())
            }
            Asked::Change { id, lines } => self.change(id, lines),
            Asked::Import { id, lines } => self.import(id, lines),
            Asked::Undo { id, sequence, is_single } => self.undo(id.as_deref(), *sequence, *is_single),
            Asked::Count { id, lines } => self.count(id, lines),
        };
        self.history.push(Operation {
            client: 0,
            asked,
            calls: vec![Call { at: self.now - before, way: Way::Calls }],
            follows: None,
            answer: Some((self.now + after, answer)),
        });
    }

    fn stock(&self, product: usize) -> Option<i64> {
        self.ledger.stocks.iter().find(|stock| stock.product == product).map(|stock| stock.balance)
    }

    fn next(&self) -> i64 {
        self.ledger.rows.len() as i64 + 1
    }

    fn append(&mut self, product: usize, delta: i64, kind: Kind, request_id: Option<&str>) -> Made {
        let sequence = self.next();
        let balance = self.stock(product).unwrap_or(0) + delta;
        let request_id = request_id.map(str::to_owned);
        self.ledger.rows.push(Row { sequence, product, delta, balance, kind, request_id });
        match self.ledger.stocks.iter_mut().find(|stock| stock.product == product) {
            Some(stock) => stock.balance = balance,
            None => self.ledger.stocks.push(Stock { product, balance }),
        }
        Made { product, balance, sequence: Some(sequence) }
    }

    fn note_document(&mut self, first: i64) {
        let count = self.next() - first;
        if count > 1 {
            self.ledger.documents.push((first, count));
        }
    }

    /// Appends these changes together, and returns what they made, in the order asked for.
    fn append_all(&mut self, lines: &[Line], kind: impl Fn(usize) -> Kind, id: Option<&str>) -> Vec<Made> {
        let first = self.next();
        let mut made = vec![Made { product: 0, balance: 0, sequence: None }; lines.len()];
        for index in ledger_order(lines) {
            made[index] = self.append(lines[index].product, lines[index].delta, kind(index), id);
        }
        self.note_document(first);
        made
    }

    /// The first product that these changes take too much of.
    fn missing(&self, lines: &[Line]) -> Option<Answer> {
        lines.iter().find_map(|Line { product, .. }| {
            let sum: i64 = lines.iter().filter(|line| line.product == *product).map(|line| line.delta).sum();
            let available = self.stock(*product).unwrap_or(0);
            (available + sum < 0).then_some(Answer::Insufficient { product: *product, available })
        })
    }

    fn change(&mut self, id: &str, lines: &[Line]) -> Answer {
        if let Some(line) = lines.iter().find(|line| self.stock(line.product).is_none()) {
            return Answer::NoProduct(line.product);
        }
        if let Some(missing) = self.missing(lines) {
            return missing;
        }
        let first = self.next();
        if lines.len() == 1 {
            return Answer::Made(self.append_all(lines, |_| Kind::Change, Some(id)));
        }
        self.ledger.requests.push((id.to_owned(), Stored::Batch(first)));
        Answer::Made(self.append_all(lines, |_| Kind::Change, None))
    }

    fn import(&mut self, id: &str, lines: &[Line]) -> Answer {
        let mut created = 0;
        for line in lines {
            if self.stock(line.product).is_none() {
                self.append(line.product, line.delta, Kind::Opening, None);
                created += 1;
            }
        }
        let unchanged = lines.len() as i64 - created;
        self.ledger.requests.push((id.to_owned(), Stored::Import([created, 0, unchanged])));
        Answer::Imported { created, unchanged }
    }

    fn undo(&mut self, id: Option<&str>, sequence: i64, is_single: bool) -> Answer {
        let first = self.next();
        if !(1..first).contains(&sequence) {
            return Answer::NoMovement(sequence);
        }
        let other = |(undone, by): &(i64, i64)| match sequence {
            it if it == *undone => Some(*by),
            it if it == *by => Some(*undone),
            _ => None,
        };
        if let Some(other) = self.ledger.undos.iter().find_map(other) {
            return Answer::AlreadyUndone(other);
        }
        let documents = self.ledger.documents.iter().copied();
        let document = documents
            .filter(|_| !is_single)
            .find(|(first, count)| (*first..first + count).contains(&sequence));
        let (begin, count) = document.unwrap_or((sequence, 1));
        let is_left = |it: &i64| self.ledger.undos.iter().all(|(undone, _)| undone != it);
        let undone: Vec<i64> = (begin..begin + count).filter(is_left).collect();
        let rows: Vec<Row> = undone.iter().map(|it| self.ledger.rows[*it as usize - 1].clone()).collect();
        let opposite = |row: &Row| Line { product: row.product, delta: -row.delta };
        let lines: Vec<Line> = rows.iter().map(opposite).collect();
        if let Some(missing) = self.missing(&lines) {
            return missing;
        }
        let made = self.append_all(&lines, |index| rows[index].kind, None);
        self.ledger.undos.extend(undone.into_iter().zip(made.iter().filter_map(|made| made.sequence)));
        if let Some(id) = id {
            self.ledger.requests.push((id.to_owned(), Stored::Undo(first, made.len() as i64)));
        }
        Answer::Made(made)
    }

    fn count(&mut self, id: &str, lines: &[Counted]) -> Answer {
        let mut differences = Vec::new();
        for Counted { product, counted, at_sequence } in lines {
            let Some(available) = self.stock(*product) else { return Answer::NoProduct(*product) };
            let before = self.ledger.rows.iter().take_while(|row| row.sequence <= *at_sequence);
            let then = match before.filter(|row| row.product == *product).last() {
                _ if *at_sequence == 0 => available,
                Some(row) if *at_sequence < self.next() => row.balance,
                _ => return Answer::NoMovement(*at_sequence),
            };
            let since = self
                .ledger
                .rows
                .iter()
                .filter(|row| *at_sequence > 0 && row.sequence > *at_sequence && row.product == *product);
            let corrected: i64 = since.filter(|row| row.kind == Kind::Count).map(|row| row.delta).sum();
            let difference = counted - then - corrected;
            if available + difference < 0 {
                return Answer::Insufficient { product: *product, available };
            }
            differences.push(difference);
        }
        let first = self.next();
        let mut made = Vec::new();
        for (line, difference) in lines.iter().zip(differences) {
            let balance = self.stock(line.product).unwrap_or(0);
            made.push(match difference {
                0 => Made { product: line.product, balance, sequence: Some(0) },
                _ => self.append(line.product, difference, Kind::Count, None),
            });
        }
        self.note_document(first);
        let stored = made.iter().map(|made| match made.sequence {
            Some(0) | None => (0, made.balance),
            Some(sequence) => (sequence, 0),
        });
        self.ledger.requests.push((id.to_owned(), Stored::Count(stored.collect())));
        Answer::Made(made)
    }

    /// Changes the rows of the ledger, and makes it sound in itself again.
    pub(super) fn rewrite(&mut self, rewrite: impl FnOnce(&mut Vec<Row>)) {
        rewrite(&mut self.ledger.rows);
        let rows = std::mem::take(&mut self.ledger.rows);
        self.ledger.stocks.clear();
        for row in rows {
            self.append(row.product, row.delta, row.kind, row.request_id.as_deref());
        }
    }

    /// Keeps so many operations and movements, and what was made with the latter.
    pub(super) fn cut(&mut self, operations: usize, movements: usize) {
        self.history.truncate(operations);
        self.rewrite(|rows| rows.truncate(movements));
        let last = movements as i64;
        self.ledger.undos.retain(|(_, by)| *by <= last);
        self.ledger.documents.retain(|(first, count)| first + count - 1 <= last);
        let ids: Vec<&str> = self.history.iter().filter_map(|it| it.asked.id()).collect();
        self.ledger.requests.retain(|(id, _)| ids.contains(&id.as_str()));
    }

    /// What the read of this number saw.
    pub(super) fn seen(&mut self, number: usize) -> &mut Vec<Stock> {
        match self.answer(number) {
            Answer::Seen(seen) => seen,
            answer => panic!("no read: {answer:?}"),
        }
    }

    /// Lets the list of this number show these balances of the products of a new shop.
    pub(super) fn list(&mut self, number: usize, balances: [i64; OPENING_PRODUCTS]) {
        let stocks = balances.into_iter().enumerate().map(|(product, balance)| Stock { product, balance });
        *self.seen(number) = stocks.collect();
    }

    pub(super) fn answer(&mut self, number: usize) -> &mut Answer {
        &mut self.history[number].answer.as_mut().unwrap().1
    }

    /// The stored result of this id.
    pub(super) fn stored(&mut self, id: &str) -> &mut Stored {
        &mut self.ledger.requests.iter_mut().find(|(known, _)| known == id).unwrap().1
    }
}

pub(super) fn change(id: &str, lines: &[(usize, i64)]) -> Asked {
    Asked::Change { id: id.to_owned(), lines: self::lines(lines) }
}

pub(super) fn import(id: &str, lines: &[(usize, i64)]) -> Asked {
    Asked::Import { id: id.to_owned(), lines: self::lines(lines) }
}

fn lines(lines: &[(usize, i64)]) -> Vec<Line> {
    lines.iter().map(|(product, delta)| Line { product: *product, delta: *delta }).collect()
}

pub(super) fn undo(id: Option<&str>, sequence: i64, is_single: bool) -> Asked {
    Asked::Undo { id: id.map(str::to_owned), sequence, is_single }
}

pub(super) fn count(id: &str, lines: &[(usize, i64, i64)]) -> Asked {
    let line = |(product, counted, at_sequence): &(usize, i64, i64)| Counted {
        product: *product,
        counted: *counted,
        at_sequence: *at_sequence,
    };
    Asked::Count { id: id.to_owned(), lines: lines.iter().map(line).collect() }
}
