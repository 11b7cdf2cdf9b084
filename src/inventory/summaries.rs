//! Totals of the movements of a period.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::{Session, product_of, read};
use crate::catalog::{Amount, Catalog, Kind, Movement, ProductId, Quantity, Quoted, Unit};
use crate::local_time::{Day, Days};
use crate::operation::{Grouping, Summary, SummaryRequest};
use crate::refusal::{Code, Refusal};

/// The most movements of a period: a second or two of reading, in turns of milliseconds. A busy shop needs
/// some years to record this many.
const SUMMARIZED_MAX: i64 = 2_000_000;

/// The most totals in a reply: ten thousand products, or five years of days by kind.
const SUMMARIES_MAX: usize = 10_000;

impl Session {
    /// The totals of a period.
    ///
    /// # Errors
    /// If there is no such time zone, the period has too many movements or groups, or the store cannot be read.
    pub(super) async fn summarize(&self, request: SummaryRequest<'_>) -> Result<Vec<Summary>, Refusal> {
        self.note_read();
        let days = Days::of_zone(request.time_zone).ok_or_else(|| {
            let what = format!(
                "não há fuso horário {}; use um nome como America/Sao_Paulo",
                Quoted(request.time_zone)
            );
            Refusal::invalid("time_zone", what)
        })?;
        let through = self.inventory.last_sequence();
        let (since, until) = (request.since, request.until);
        let ends = self.inventory.ledger.read(move |ledger| {
            let first = since.map(|since| ledger.first_since(since, through)).transpose()?;
            let end = until.map(|until| ledger.first_since(until, through)).transpose()?;
            Ok((first.unwrap_or(1), end.map_or(through, |end| end - 1)))
        });
        let (first, last) = ends.await?;
        let count = last - first + 1;
        if count > SUMMARIZED_MAX {
            return Err(too_many(&format!(
                "o período tem {count} movimentos, e o limite é de {SUMMARIZED_MAX}"
            )));
        }
        let mut totals = Totals {
            catalog: Arc::clone(&self.inventory.catalog),
            group_by: request.group_by,
            kind: request.kind,
            days,
            found_days: Vec::new(),
            units: HashMap::new(),
            by_group: HashMap::new(),
        };
        let mut next = Some(first).filter(|_| count > 0);
        while let Some(from) = next {
            let reading = self.inventory.ledger.read(move |ledger| {
                let next = ledger.visit(from, last, through, &mut |movement| totals.add(movement))?;
                Ok((totals, next))
            });
            (totals, next) = reading.await?;
            if totals.by_group.len() > SUMMARIES_MAX {
                return Err(too_many(&format!("o resumo passa de {SUMMARIES_MAX} linhas")));
            }
        }
        Ok(totals.summaries())
    }
}

fn too_many(what: &str) -> Refusal {
    Refusal::new(Code::ResourceExhausted, format!("{what}. Nada foi alterado; peça um período menor."))
}

/// The totals so far.
struct Totals {
    catalog: Arc<RwLock<Catalog>>,
    group_by: Grouping,
    kind: Option<Kind>,
    days: Days,
    /// The days that were found, in order.
    found_days: Vec<Day>,
    /// The units of the products that were found.
    units: HashMap<ProductId, Unit>,
    /// The totals by group and kind. A group is a product or a place in `found_days`.
    by_group: HashMap<(i64, &'static str), Total>,
}

struct Total {
    kind: Kind,
    count: i64,
    thousandths: i64,
    centavos: i64,
    /// The unit of all products. `None` if the products have different units.
    unit: Option<Unit>,
}

impl Totals {
    fn add(&mut self, movement: &Movement) {
        if self.kind.is_some_and(|kind| kind != movement.kind) {
            return;
        }
        let group = match self.group_by {
            Grouping::Kind => 0,
            Grouping::Product => movement.product.number(),
            Grouping::Day => {
                // The times of the ledger never go backwards.
                if self.found_days.last().is_none_or(|day| movement.recorded_at >= day.end) {
                    self.found_days.push(self.days.day_of(movement.recorded_at));
                }
                self.found_days.len() as i64 - 1
            }
        };
        let catalog = &self.catalog;
        let unit = self.units.entry(movement.product);
        let unit = unit.or_insert_with(|| product_of(&read(catalog), movement).unit.clone());
        let total = self.by_group.entry((group, movement.kind.word())).or_insert_with(|| Total {
            kind: movement.kind,
            count: 0,
            thousandths: 0,
            centavos: 0,
            unit: Some(unit.clone()),
        });
        total.count += 1;
        total.thousandths = total.thousandths.saturating_add(movement.delta.thousandths());
        let amount = Amount::of(movement.price, movement.delta);
        total.centavos = total.centavos.saturating_add(amount.centavos());
        if total.unit.as_ref().is_some_and(|known| known != unit) {
            total.unit = None;
        }
    }

    /// The totals in the order of their groups, and within a group in the order of the kinds.
    fn summaries(self) -> Vec<Summary> {
        let place = |kind: Kind| Kind::REQUESTABLE.iter().position(|other| *other == kind);
        let mut totals: Vec<((i64, &str), Total)> = self.by_group.into_iter().collect();
        totals.sort_by_key(|((group, _), total)| (*group, place(total.kind)));
        let catalog = read(&self.catalog);
        let summary = |((group, word), total): ((i64, &str), Total)| {
            let limit = Quantity::MAX.thousandths();
            let thousandths = total.unit.map_or(0, |_| total.thousandths.clamp(-limit, limit));
            Summary {
                group: match self.group_by {
                    Grouping::Kind => word.to_owned(),
                    Grouping::Product => {
                        let product = ProductId::from_number(group).and_then(|id| catalog.products().get(id));
                        product.map_or(String::new(), |product| product.name.to_string())
                    }
                    Grouping::Day => {
                        let day = usize::try_from(group).ok().and_then(|group| self.found_days.get(group));
                        day.map_or(String::new(), |day| day.date.clone())
                    }
                },
                kind: total.kind,
                count: total.count,
                quantity: Quantity::from_thousandths(thousandths).unwrap_or(Quantity::ZERO),
                amount: Amount::from_centavos(total.centavos).unwrap_or_default(),
            }
        };
        totals.into_iter().map(summary).collect()
    }
}
