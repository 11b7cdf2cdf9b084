//! Counts of stock.

use super::results::{CountResult, FirstResult};
use super::{Planner, unreadable};
use crate::catalog::{Movement, RequestId, StockCount, count_digest};
use crate::inventory::commit::change::{CountLine, Signed};
use crate::inventory::commit::result::Counted;
use crate::refusal::{Code, Refusal};

/// The most movements of a product that are read to find its stock at an earlier moment: some milliseconds.
const MOVEMENTS_SINCE_MAX: usize = 1000;

impl Planner<'_> {
    pub(super) fn count(
        &mut self,
        lines: &[CountLine],
        request_id: Option<&RequestId>,
        signed: &Signed,
    ) -> Result<Vec<Counted>, Refusal> {
        let counted = lines.iter().map(|line| (line.product, line.counted, line.at_sequence));
        let digest = count_digest(counted, signed.note.as_ref());
        self.once(
            request_id,
            digest,
            |planner| planner.count_first(lines, signed),
            |planner, result| match result {
                FirstResult::Count(results) if results.len() == lines.len() => {
                    let again =
                        lines.iter().zip(results).map(|(line, result)| planner.counted_again(line, result));
                    Some(again.collect())
                }
                _ => None,
            },
        )
    }

    fn count_first(
        &mut self,
        lines: &[CountLine],
        signed: &Signed,
    ) -> Result<(Vec<Counted>, FirstResult), Refusal> {
        let mut counts = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            counts.push(self.placed(line).map_err(|refusal| refusal.at(index))?);
        }
        let movements = self.draft.count(&counts, signed.author.as_ref(), signed.note.as_ref());
        let movements = movements.map_err(|(index, error)| Refusal::from(error).at(index))?;
        let counted: Vec<Counted> = movements
            .into_iter()
            .zip(lines)
            .map(|(movement, line)| match movement {
                Some(movement) => Counted::Movement(movement),
                None => {
                    let product = self.draft.product(line.product);
                    Counted::Same { product: product.id, stock: product.stock, price: product.price }
                }
            })
            .collect();
        let results = counted.iter().map(|counted| match counted {
            Counted::Movement(movement) => CountResult::Movement(movement.sequence),
            Counted::Same { stock, price, .. } => CountResult::Same { stock: *stock, price: *price },
        });
        let result = FirstResult::Count(results.collect());
        Ok((counted, result))
    }

    fn counted_again(&mut self, line: &CountLine, result: CountResult) -> Result<Counted, Refusal> {
        match result {
            CountResult::Same { stock, price } => Ok(Counted::Same { product: line.product, stock, price }),
            CountResult::Movement(sequence) => {
                let mut movements = self.movements(sequence, 1)?;
                Ok(Counted::Movement(movements.swap_remove(0)))
            }
        }
    }

    /// A count, with the stock at its moment and what other counts have corrected since.
    fn placed(&mut self, line: &CountLine) -> Result<StockCount, Refusal> {
        let CountLine { product, counted, at_sequence, ref unit } = *line;
        let unit = unit.clone();
        let mut count = StockCount { product, counted, unit, stock_then: None, corrected_since: 0 };
        if at_sequence == 0 {
            return Ok(count);
        }
        if at_sequence < 0 || at_sequence > self.draft.published() {
            let what = format!("não há movimento #{at_sequence}; o último é o #{}", self.draft.published());
            return Err(Refusal::invalid("at_sequence", what));
        }
        let mut own = self.draft.product(product).last_movement;
        while let Some(movement) = self.draft.movement(own) {
            count.corrected_since += movement.corrected();
            own = movement.previous;
        }
        let now = self.draft.published_balance(product);
        if now.last_movement <= at_sequence {
            count.stock_then = Some(now.stock);
            return Ok(count);
        }
        let movements = self.store.movements_back(now.last_movement, at_sequence, MOVEMENTS_SINCE_MAX + 1);
        let movements = movements.map_err(unreadable)?;
        let since = movements.iter().take_while(|movement| movement.sequence > at_sequence);
        count.corrected_since += since.map(Movement::corrected).sum::<i64>();
        match movements.last() {
            Some(last) if last.sequence <= at_sequence => count.stock_then = Some(last.balance),
            Some(last) if last.previous == 0 => {
                let what = format!("o produto foi criado depois do movimento #{at_sequence}");
                return Err(Refusal::invalid("at_sequence", what));
            }
            _ => {
                return Err(Refusal::new(
                    Code::ResourceExhausted,
                    format!(
                        "o produto teve mais de {MOVEMENTS_SINCE_MAX} movimentos depois do #{at_sequence}. Nada foi \
                         alterado; conte de novo, sem at_sequence."
                    ),
                ));
            }
        }
        Ok(count)
    }
}
