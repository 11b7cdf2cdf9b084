//! The states of a shop: what the ledger says of each moment.

use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

use super::Fault;
use crate::history::{Answer, Asked, Counted, Kind, Ledger, Line, OPENING_PRODUCTS, PRODUCTS, Row, Stock};

/// Most movements of a product that the server looks back for a count.
const MOVEMENTS_SINCE_MAX: usize = 1000;

/// The shop after each movement.
pub(super) struct States {
    /// The product and the difference of each movement.
    movements: Vec<(usize, i64)>,
    /// The movements of each product that corrected what was not so, each with its difference.
    corrections: Vec<Vec<(i64, i64)>>,
    /// For each product its balances, each with the sequence since which it holds.
    balances: Vec<Vec<(i64, i64)>>,
    /// The products in the order in which they were created, each with its opening.
    created: Vec<(i64, usize)>,
    /// The movement that undoes another.
    undone_by: HashMap<i64, i64>,
    /// The movement that another undoes.
    undoes: HashMap<i64, i64>,
    /// The first movement and the count of the document of each that is in one of several.
    documents: HashMap<i64, (i64, i64)>,
    /// The movements inside of a change, after which no state is seen.
    hidden: HashSet<i64>,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl States {
    /// The ledger in itself: no gap, every balance the one before plus the change and not below
    /// zero, the stocks their sums, and links that can be.
    pub(super) fn replay(ledger: &Ledger) -> Result<Self, Fault> {
        if ledger.integrity != "ok" {
            return Err(Fault::Damaged(ledger.integrity.clone()));
        }
        let last = ledger.rows.len() as i64;
        let (undone_by, undoes) = links(ledger)?;
        let mut states = Self {
            movements: ledger.rows.iter().map(|row| (row.product, row.delta)).collect(),
            corrections: vec![Vec::new(); PRODUCTS.len()],
            balances: vec![Vec::new(); PRODUCTS.len()],
            created: Vec::new(),
            undone_by,
            undoes,
            documents: documents(ledger)?,
            hidden: HashSet::new(),
            first: OPENING_PRODUCTS as i64,
            last,
        };
        for (row, expected) in ledger.rows.iter().zip(1..) {
            let Row { sequence, product, balance, .. } = *row;
            if sequence != expected {
                return Err(Fault::Gap { expected, sequence });
            }
            if states.is_creation(row) {
                states.created.push((sequence, product));
            }
            let expected = states.balance(product, sequence).unwrap_or(0) + row.delta;
            if balance != expected || balance < 0 {
                return Err(Fault::Balance { sequence, balance, expected });
            }
            states.balances[product].push((sequence, balance));
            if row.kind == Kind::Count {
                states.corrections[product].push((sequence, row.delta));
            }
        }
        let created: Vec<usize> = states.created.iter().map(|(_, product)| *product).collect();
        let catalog: Vec<usize> = ledger.stocks.iter().map(|stock| stock.product).collect();
        if catalog != created {
            return Err(Fault::Catalog { catalog, created });
        }
        for Stock { product, balance: stock } in ledger.stocks.iter().copied() {
            let sum = states.balance(product, last).unwrap_or(0);
            if stock != sum {
                return Err(Fault::Stock { product, stock, sum });
            }
        }
        Ok(states)
    }

    /// Lets no state after one of these movements be seen.
    pub(super) fn hide(&mut self, inside: Range<i64>) {
        self.hidden.extend(inside);
    }

    /// The states of these that can be seen.
    pub(super) fn visible(&self, range: RangeInclusive<i64>) -> impl Iterator<Item = i64> {
        range.filter(|state| !self.hidden.contains(state))
    }

    /// What there is of a product; `None` before it is created.
    pub(super) fn balance(&self, product: usize, state: i64) -> Option<i64> {
        let balances = &self.balances[product];
        let after = balances.partition_point(|(since, _)| *since <= state);
        Some(balances[after.checked_sub(1)?].1)
    }

    /// The products up to a price, in catalog order.
    fn list(&self, max_price: Option<i64>, state: i64) -> Vec<Stock> {
        let there = self.created.iter().take_while(|(since, _)| *since <= state).map(|(_, product)| *product);
        let cheap = there.filter(|product| PRODUCTS[*product].1 <= max_price.unwrap_or(i64::MAX));
        cheap.filter_map(|product| Some(Stock { product, balance: self.balance(product, state)? })).collect()
    }

    /// Whether a movement is the stock that its product was created with. An opening that is undone is of
    /// the same kind.
    pub(super) fn is_creation(&self, row: &Row) -> bool {
        row.kind == Kind::Opening && self.undoes(row.sequence) == 0
    }

    /// The movement that this one undoes; 0 for none.
    pub(super) fn undoes(&self, sequence: i64) -> i64 {
        self.undoes.get(&sequence).copied().unwrap_or(0)
    }

    /// The movements that were made with this one.
    pub(super) fn document(&self, sequence: i64) -> (i64, i64) {
        self.documents.get(&sequence).copied().unwrap_or((sequence, 1))
    }

    /// The movements that an undo in this state undoes; `None` if it is refused because of the movement.
    pub(super) fn undone_with(&self, sequence: i64, is_single: bool, state: i64) -> Option<Vec<i64>> {
        let is_left = |sequence: &i64| self.undone_by.get(sequence).is_none_or(|by| *by > state);
        if !(1..=state).contains(&sequence) || self.undoes(sequence) != 0 || !is_left(&sequence) {
            return None;
        }
        let (first, count) = if is_single { (sequence, 1) } else { self.document(sequence) };
        Some((first..first + count).filter(is_left).collect())
    }

    /// What a count found too much, or too little, when it was made on this state, where other counts since
    /// its moment have corrected some of it; `None` if its moment is not known in it.
    pub(super) fn difference(&self, line: &Counted, state: i64) -> Option<i64> {
        let moment = if line.at_sequence == 0 { state } else { line.at_sequence };
        let then = self.balance(line.product, moment).filter(|_| moment <= state)?;
        let corrections = &self.corrections[line.product];
        let until = |moment| corrections.partition_point(|(sequence, _)| *sequence <= moment);
        let since = &corrections[until(moment)..until(state)];
        Some(line.counted - then - since.iter().map(|(_, delta)| delta).sum::<i64>())
    }

    /// How often the product of a count moved after the moment of the count.
    fn moved(&self, line: &Counted, state: i64) -> usize {
        let until = |moment| self.balances[line.product].partition_point(|(since, _)| *since <= moment);
        until(state).saturating_sub(until(line.at_sequence))
    }

    /// Whether a change is refused in this state.
    pub(super) fn refuses(&self, state: i64, asked: &Asked) -> bool {
        let opposite = |undone: i64| {
            let (product, delta) = self.movements[undone as usize - 1];
            Line { product, delta: -delta }
        };
        let difference = |line: &Counted| {
            let is_near = line.at_sequence == 0 || self.moved(line, state) <= MOVEMENTS_SINCE_MAX;
            let delta = self.difference(line, state).filter(|_| is_near)?;
            Some(Line { product: line.product, delta })
        };
        let lines: Option<Vec<Line>> = match asked {
            Asked::Find(_) | Asked::List(_) | Asked::Import { .. } => return false,
            Asked::Change { lines, .. } => Some(lines.clone()),
            Asked::Undo { sequence, is_single, .. } => self
                .undone_with(*sequence, *is_single, state)
                .map(|undone| undone.into_iter().map(opposite).collect()),
            Asked::Count { lines, .. } => lines.iter().map(difference).collect(),
        };
        let Some(lines) = lines else { return true };
        lines.iter().any(|Line { product, .. }| {
            let sum: i64 = lines.iter().filter(|line| line.product == *product).map(|line| line.delta).sum();
            self.balance(*product, state).is_none_or(|available| available + sum < 0)
        })
    }

    /// Whether an operation that made no movement is answered so in this state.
    pub(super) fn shows(&self, state: i64, asked: &Asked, answer: &Answer) -> bool {
        let balance = |product| self.balance(product, state);
        match (asked, answer) {
            (Asked::List(max_price), Answer::Seen(seen)) => {
                // Most states already differ in the first balance.
                seen.iter().all(|seen| balance(seen.product) == Some(seen.balance))
                    && *seen == self.list(*max_price, state)
            }
            (_, Answer::Seen(seen)) => seen.iter().all(|seen| balance(seen.product) == Some(seen.balance)),
            (_, Answer::NoProduct(product)) => balance(*product).is_none(),
            (Asked::Undo { sequence, is_single, .. }, Answer::Insufficient { product, available }) => {
                let undone = self.undone_with(*sequence, *is_single, state).unwrap_or_default();
                let undone = undone.into_iter().map(|sequence| self.movements[sequence as usize - 1]);
                let taken: i64 = undone.filter(|(it, _)| it == product).map(|(_, delta)| delta).sum();
                balance(*product) == Some(*available) && taken > *available
            }
            (Asked::Count { lines, .. }, Answer::Insufficient { product, available }) => {
                let line = lines.iter().find(|line| line.product == *product);
                let difference = line.and_then(|line| self.difference(line, state));
                balance(*product) == Some(*available)
                    && difference.is_some_and(|difference| available + difference < 0)
            }
            (_, Answer::Insufficient { product, available }) => balance(*product) == Some(*available),
            (Asked::Undo { sequence, .. }, Answer::NoMovement(told)) => sequence == told && *told > state,
            (Asked::Count { lines, .. }, Answer::NoMovement(told)) => {
                lines.iter().any(|line| line.at_sequence == *told && self.difference(line, state).is_none())
            }
            (Asked::Count { lines, .. }, Answer::TooFarBack(told)) => lines
                .iter()
                .any(|line| line.at_sequence == *told && self.moved(line, state) > MOVEMENTS_SINCE_MAX),
            (Asked::Undo { sequence, .. }, Answer::AlreadyUndone(other)) => {
                let by = self.undone_by.get(sequence).filter(|by| **by <= state);
                let undoes = self.undoes.get(sequence).filter(|_| *sequence <= state);
                by.or(undoes) == Some(other)
            }
            // A count that found what there was.
            (Asked::Count { lines, .. }, Answer::Made(made)) => lines.iter().zip(made).all(|(line, made)| {
                self.difference(line, state) == Some(0) && balance(made.product) == Some(made.balance)
            }),
            // An import of products that were there.
            (Asked::Import { lines, .. }, _) => lines.iter().all(|line| balance(line.product).is_some()),
            _ => false,
        }
    }
}

type Links = HashMap<i64, i64>;

/// The links of undone movements: who undoes whom, and whom who undoes.
fn links(ledger: &Ledger) -> Result<(Links, Links), Fault> {
    let (mut undone_by, mut undoes) = (HashMap::new(), HashMap::new());
    for (undone, by) in ledger.undos.iter().copied() {
        if undone_by.insert(undone, by).is_some() {
            return Err(Fault::UndoneTwice(undone));
        }
        if undone < 1 || by <= undone || by > ledger.rows.len() as i64 || undoes.insert(by, undone).is_some()
        {
            return Err(Fault::Link { undone, by });
        }
    }
    Ok((undone_by, undoes))
}

/// The document of each movement that is in one of several.
fn documents(ledger: &Ledger) -> Result<HashMap<i64, (i64, i64)>, Fault> {
    let mut documents = HashMap::new();
    for (first, count) in ledger.documents.iter().copied() {
        let is_within = first > 0 && count > 1 && first + count - 1 <= ledger.rows.len() as i64;
        let mut members = first..first + count;
        if !is_within || members.any(|member| documents.insert(member, (first, count)).is_some()) {
            return Err(Fault::Document(first));
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::planted::operations;
    use crate::history::story::Story;

    proptest! {
        #[test]
        fn a_state_refuses_what_was_refused_and_nothing_else(operations in operations()) {
            let mut story = Story::new();
            let mut before = Vec::new();
            for (asked, ..) in operations {
                before.push(story.ledger.rows.len() as i64);
                story.tell(asked, 0, 0);
            }
            let states = States::replay(&story.ledger).unwrap();
            for (state, operation) in before.into_iter().zip(&story.history) {
                let (_, answer) = operation.answer.as_ref().unwrap();
                let is_refused = operation.asked.is_change()
                    && !matches!(answer, Answer::Made(_) | Answer::Imported { .. });
                prop_assert_eq!(states.refuses(state, &operation.asked), is_refused, "{:?}", operation);
            }
        }
    }
}
