//! The checkpoint of balances: with it a start finds every stock without reading the whole ledger, and a
//! change need not write its balance twice. The table `balance_forward` has one row for each product, and
//! `forwarded` has the last movement that all these rows cover.
//!
//! A change is durable once its row of the ledger is, and that row has the new balance. Writing the balance
//! beside the product too would cost a database page for each product of a transaction: little with four
//! products, but with a million it would be ten times slower. Therefore balances are brought forward in
//! rounds: each transaction writes a few rows, in the order of the products, so that neighbours share a
//! page. A finished round covers all movements before its start, and a start reads the ledger only from
//! there.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::bad_value;
use super::rows::{read_id, read_quantity, read_stock_cost};
use crate::catalog::{Balance, Catalog, Cost, ProductId, Quantity, StockCost, Transaction};

/// Fewest movements between two rounds. The start of a server reads so many rows in less than a millisecond.
const ROUND_AFTER_MOVEMENTS: i64 = 4096;

/// Movements that must come for each product that a round will write. In a large catalog each row may need a
/// page of its own, and one page for so many movements is little beside the ledger's own pages.
const MOVEMENTS_FOR_A_PRODUCT: i64 = 16;

/// Most movements between two rounds. The start of a server reads them in some tenths of a second.
const ROUND_AFTER_MOVEMENTS_MAX: i64 = 2 * 1024 * 1024;

/// Fewest rows that a transaction brings forward during a round; they fill one or two pages.
const ROWS_MIN: usize = 64;

/// Movements of a large transaction for each row that it brings forward. More rows would slow the changes of
/// a large catalog; fewer would lengthen the part of the ledger that a start reads.
const MOVEMENTS_FOR_A_ROW: usize = 2;

/// Most rows that the last transaction before a stop brings forward; they take some tenths of a second.
const LAST_ROWS_MAX: usize = 65_536;

/// Bits of a word of marks.
const WORD_BITS: usize = u64::BITS as usize;

/// The balances that are not yet brought forward.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The balances of the products that moved since their balance was brought forward.
    moved: Moved,
    last_sequence: i64,
    /// The last movement that all balances brought forward cover.
    through: i64,
    round: Option<Round>,
}

/// Balances by product, as an array. With a million products nearly every look-up misses the processor's
/// cache once; a tree would miss it once for each level.
#[derive(Debug, Default)]
struct Moved {
    balances: Vec<Balance>,
    /// One bit for each balance: whether the balance is present.
    marks: Vec<u64>,
    count: usize,
}

/// A round that has begun.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// The last movement before the round began.
    covers: i64,
    /// The next product; those before it are done.
    next: ProductId,
}

/// The part of a checkpoint that one transaction writes.
#[derive(Debug)]
pub(super) struct Step {
    rows: Vec<(ProductId, Balance)>,
    round: Option<Round>,
    /// The last movement that the checkpoint covers, if this step ends the round.
    through: Option<i64>,
}

impl Checkpoint {
    /// The checkpoint of a store without movements.
    pub(super) fn new() -> Self {
        Self { moved: Moved::default(), last_sequence: 0, through: 0, round: None }
    }

    /// Reads the movements since the last round.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let through = connection.query_row("SELECT sequence FROM forwarded", [], |row| row.get(0))?;
        let mut this = Self { through, last_sequence: through, ..Self::new() };
        let mut costs = Costs::read(connection, through)?;
        let mut statement = connection.prepare(
            "SELECT sequence, product_id, balance_thousandths, delta_thousandths, cost_centavos
             FROM movement WHERE sequence > ?1 ORDER BY sequence",
        )?;
        let mut rows = statement.query([through])?;
        while let Some(row) = rows.next()? {
            let sequence = row.get(0)?;
            if sequence != this.last_sequence + 1 {
                return Err(bad_value(0, format!("ao movimento {} segue o {sequence}", this.last_sequence)));
            }
            this.last_sequence = sequence;
            let (product, stock) = (read_id(row, 1)?, read_quantity(row, 2)?);
            let before = match this.moved.get(product) {
                Some(balance) => balance.stock_cost,
                None => costs.forwarded(product)?,
            };
            let cost = row.get::<_, Option<i64>>(4)?.map(Cost::from_centavos);
            let stock_cost = costs.after(before, product, sequence, (read_quantity(row, 3)?, stock, cost))?;
            this.moved.insert(product, Balance { stock, last_movement: sequence, stock_cost });
        }
        let last: i64 =
            connection.query_row("SELECT coalesce(max(sequence), 0) FROM movement", [], |row| row.get(0))?;
        if last != this.last_sequence {
            return Err(bad_value(
                0,
                format!("os movimentos acabam no {last}, antes do {}", this.last_sequence),
            ));
        }
        Ok(this)
    }

    /// The sequence number of the last movement.
    pub(super) fn last_sequence(&self) -> i64 {
        self.last_sequence
    }

    /// The balance of a product that moved since its balance was brought forward.
    pub(super) fn balance(&self, product: ProductId) -> Option<Balance> {
        self.moved.get(product)
    }

    /// The part of the checkpoint that the transaction of these changes is to write.
    pub(super) fn step(&self, changes: &Transaction) -> Step {
        let begun = self.round.or_else(|| {
            let wanted = MOVEMENTS_FOR_A_PRODUCT.saturating_mul(self.moved.count as i64);
            let after = wanted.clamp(ROUND_AFTER_MOVEMENTS, ROUND_AFTER_MOVEMENTS_MAX);
            (self.last_sequence - self.through >= after)
                .then_some(Round { covers: self.last_sequence, next: ProductId::FIRST })
        });
        let Some(round) = begun else { return Step { rows: Vec::new(), round: None, through: None } };
        let count = (changes.movements.len() / MOVEMENTS_FOR_A_ROW).max(ROWS_MIN);
        let mut waiting = self.moved.iter_from(round.next);
        let rows = waiting.by_ref().take(count).collect();
        match waiting.next() {
            Some((next, _)) => Step { rows, round: Some(Round { next, ..round }), through: None },
            None => Step { rows, round: None, through: Some(round.covers) },
        }
    }

    /// The part that the last transaction before a stop is to write: all balances, so that the next start
    /// reads nothing of the ledger; `None` if nothing moved, or too many products.
    pub(super) fn last_step(&self) -> Option<Step> {
        (1..=LAST_ROWS_MAX).contains(&self.moved.count).then(|| Step {
            rows: self.moved.iter_from(ProductId::FIRST).collect(),
            round: None,
            through: Some(self.last_sequence),
        })
    }

    /// Notes that a transaction with these changes and this step is stored.
    pub(super) fn stored(&mut self, changes: &Transaction, step: &Step) {
        for (id, _) in &step.rows {
            self.moved.remove(*id);
        }
        for (id, balance) in &changes.balances {
            self.moved.insert(*id, *balance);
        }
        self.round = step.round;
        self.through = step.through.unwrap_or(self.through);
        if let Some(movement) = changes.movements.last() {
            self.last_sequence = movement.sequence;
        }
    }
}

/// The costs of stocks during the reading of the movements after the last round.
struct Costs<'c> {
    connection: &'c Connection,
    /// The last movement of each product that is in its balance as it was brought forward, by index. A round that
    /// had not ended has brought some balances further than others.
    through: Vec<i64>,
    /// The movements that undo others, after the last round.
    undos: Vec<i64>,
}

impl<'c> Costs<'c> {
    fn read(connection: &'c Connection, through: i64) -> rusqlite::Result<Self> {
        let undos = "SELECT by_sequence FROM undo WHERE by_sequence > ?1 ORDER BY by_sequence";
        let mut undos = connection.prepare(undos)?;
        let undos = undos.query_map([through], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(Self { connection, through: Vec::new(), undos })
    }

    /// The cost of a product's stock that was brought forward.
    fn forwarded(&mut self, product: ProductId) -> rusqlite::Result<StockCost> {
        let mut row = self.connection.prepare_cached(
            "SELECT stock_thousandths, last_sequence, stock_cost_centavos FROM balance_forward
             WHERE product_id = ?1",
        )?;
        let row = row.query_row([product.number()], |row| {
            Ok((row.get(1)?, read_stock_cost(row, 2, read_quantity(row, 0)?)?))
        });
        let (through, cost) = row.optional()?.unwrap_or((0, StockCost::ZERO));
        let index = product.index();
        if index >= self.through.len() {
            self.through.resize(index + 1, 0);
        }
        self.through[index] = through;
        Ok(cost)
    }

    /// The cost of a product's stock after a movement, which is known by its delta, its balance and its cost.
    fn after(
        &self,
        before: StockCost,
        product: ProductId,
        sequence: i64,
        (delta, stock, cost): (Quantity, Quantity, Option<Cost>),
    ) -> rusqlite::Result<StockCost> {
        if self.through.get(product.index()).is_some_and(|through| sequence <= *through) {
            return Ok(before);
        }
        let is_taken_back = || delta < Quantity::ZERO && self.undos.binary_search(&sequence).is_ok();
        before
            .after(cost, stock, is_taken_back)
            .ok_or_else(|| bad_value(4, format!("o custo do movimento {sequence} não cabe no estoque")))
    }
}

impl Moved {
    fn get(&self, product: ProductId) -> Option<Balance> {
        let (word, bit) = Self::mark(product.index());
        self.marks.get(word).filter(|marks| *marks & bit != 0).map(|_| self.balances[product.index()])
    }

    fn insert(&mut self, product: ProductId, balance: Balance) {
        let index = product.index();
        let (word, bit) = Self::mark(index);
        if index >= self.balances.len() {
            self.balances.resize(index + 1, Balance::NONE);
            self.marks.resize(word + 1, 0);
        }
        self.count += usize::from(self.marks[word] & bit == 0);
        self.marks[word] |= bit;
        self.balances[index] = balance;
    }

    fn remove(&mut self, product: ProductId) {
        let (word, bit) = Self::mark(product.index());
        if let Some(marks) = self.marks.get_mut(word).filter(|marks| **marks & bit != 0) {
            *marks &= !bit;
            self.count -= 1;
        }
    }

    /// The balances of this product and those after it, in order.
    fn iter_from(&self, first: ProductId) -> impl Iterator<Item = (ProductId, Balance)> {
        let (start, bit) = Self::mark(first.index());
        let words = self.marks.iter().enumerate().skip(start);
        words.flat_map(move |(word, marks)| {
            // Clears the bits before the first product's.
            let mut left = if word == start { marks & bit.wrapping_neg() } else { *marks };
            std::iter::from_fn(move || {
                let index = (left != 0).then(|| word * WORD_BITS + left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some((ProductId::at_index(index)?, self.balances[index]))
            })
        })
    }

    /// The word and the bit that mark a balance as present.
    fn mark(index: usize) -> (usize, u64) {
        (index / WORD_BITS, 1 << (index % WORD_BITS))
    }
}

impl Step {
    /// The step that brings all balances of a catalog forward.
    pub(super) fn of_all(catalog: &Catalog) -> Self {
        let rows = catalog.products().iter().map(|product| (product.id, product.balance())).collect();
        Self { rows, round: None, through: Some(catalog.last_sequence()) }
    }

    /// Writes the step inside the transaction of the changes.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        if !self.rows.is_empty() {
            let mut row = connection.prepare_cached(
                "INSERT INTO balance_forward (product_id, stock_thousandths, last_sequence, stock_cost_centavos)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (product_id)
                 DO UPDATE SET stock_thousandths = ?2, last_sequence = ?3, stock_cost_centavos = ?4",
            )?;
            for (id, balance) in &self.rows {
                let Balance { stock, last_movement, stock_cost } = *balance;
                row.execute(params![id.number(), stock.thousandths(), last_movement, stock_cost.centavos()])?;
            }
        }
        if let Some(through) = self.through {
            connection.prepare_cached("UPDATE forwarded SET sequence = ?1")?.execute([through])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::{Kind, Movement, Price};

    fn balance(units: i32) -> Balance {
        let stock_cost = StockCost::from_centavos(units.into()).unwrap();
        Balance { stock: Quantity::from_units(units), last_movement: units.into(), stock_cost }
    }

    /// Runs transactions of changes, and compares after each of them the stocks that a start would find with
    /// the expected ones.
    fn check(transactions: Vec<Vec<(u8, i32)>>) {
        let (mut ledger, mut stocks) = (Vec::new(), BTreeMap::new());
        let (mut forwarded, mut through) = (BTreeMap::new(), 0);
        let mut checkpoint = Checkpoint::new();
        for transaction in transactions {
            let mut changes = Transaction::default();
            for (product, balance) in transaction {
                // Many movements for each product, so that a round begins and ends.
                for repeat in 0..ROUND_AFTER_MOVEMENTS as i32 / 8 {
                    let product = ProductId::from_number(i64::from(product) + 1).unwrap();
                    let stock = Quantity::from_units(balance + repeat);
                    let last_movement = ledger.len() as i64 + 1;
                    let balance = Balance { stock, last_movement, stock_cost: StockCost::UNKNOWN };
                    ledger.push((product, balance));
                    stocks.insert(product, balance);
                    changes.balances.insert(product, balance);
                    changes.movements.push(Movement {
                        sequence: ledger.len() as i64,
                        product,
                        kind: Kind::Adjustment,
                        delta: stock,
                        balance: stock,
                        previous: 0,
                        price: Price::from_centavos(1).unwrap(),
                        recorded_at: std::time::SystemTime::UNIX_EPOCH,
                        request_id: None,
                        cost: None,
                        author: None,
                        details: None,
                    });
                }
            }
            let step = checkpoint.step(&changes);
            forwarded.extend(step.rows.iter().copied());
            through = step.through.unwrap_or(through);
            checkpoint.stored(&changes, &step);

            let mut found = forwarded.clone();
            found.extend(ledger.iter().skip(through as usize).copied());
            assert_eq!(found, stocks);
        }
    }

    proptest! {
        // Each case is some ten thousand movements.
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_rows_brought_forward_and_the_rest_of_the_ledger_give_every_stock(
            transactions in prop::collection::vec(prop::collection::vec((0_u8..200, 0_i32..1000), 0..8), 1..12)
        ) {
            check(transactions);
        }
    }

    proptest! {
        #[test]
        fn balances_are_put_found_taken_and_listed_in_order(
            steps in prop::collection::vec((1_i64..300, prop::option::of(0_i32..9)), 0..200), first in 1_i64..300
        ) {
            let (mut moved, mut expected) = (Moved::default(), BTreeMap::new());
            for (number, balance) in steps {
                let product = ProductId::from_number(number).unwrap();
                if let Some(balance) = balance.map(self::balance) {
                    moved.insert(product, balance);
                    expected.insert(product, balance);
                } else {
                    moved.remove(product);
                    expected.remove(&product);
                }
                prop_assert_eq!(moved.get(product), expected.get(&product).copied());
                prop_assert_eq!(moved.count, expected.len());
            }
            let first = ProductId::from_number(first).unwrap();
            let listed: Vec<_> = moved.iter_from(first).collect();
            prop_assert_eq!(listed, expected.range(first..).map(|(id, balance)| (*id, *balance)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_last_step_brings_everything_forward() {
        let mut checkpoint = Checkpoint { last_sequence: 7, ..Checkpoint::new() };
        assert!(checkpoint.last_step().is_none());
        let product = |number| ProductId::from_number(number).unwrap();
        for number in 1..=100 {
            checkpoint.moved.insert(product(number.into()), balance(number));
        }
        let step = checkpoint.last_step().unwrap();
        assert_eq!((step.rows.len(), step.rows[99].1, step.through), (100, balance(100), Some(7)));
        checkpoint.stored(&Transaction::default(), &step);
        assert!(checkpoint.last_step().is_none());
    }

    #[test]
    fn a_round_ends_and_the_next_begins_later() {
        let mut checkpoint = Checkpoint { last_sequence: ROUND_AFTER_MOVEMENTS, ..Checkpoint::new() };
        let product = |number| ProductId::from_number(number).unwrap();
        let one = balance(1);
        (1..=100).for_each(|number| checkpoint.moved.insert(product(number), one));
        let changes = Transaction::default();
        let first = checkpoint.step(&changes);
        assert_eq!((first.rows.len(), first.through), (ROWS_MIN, None));
        checkpoint.stored(&changes, &first);
        let second = checkpoint.step(&changes);
        assert_eq!((second.rows[0].0, second.rows.len()), (product(65), 36));
        assert_eq!(second.through, Some(ROUND_AFTER_MOVEMENTS));
        checkpoint.stored(&changes, &second);
        let third = checkpoint.step(&changes);
        assert!(third.rows.is_empty() && third.through.is_none());
    }
}
