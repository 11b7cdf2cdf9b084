//! Totals of the movements of a period.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use foldhash::fast::RandomState;

use super::published::NAMED_AT_ONCE_MAX;
use super::{Session, product_of, read};
use crate::catalog::{Amount, Catalog, Kind, ProductId, Quantity, Quoted, Unit};
use crate::local_time::{Day, Days};
use crate::operation::{Grouping, Summary, SummaryRequest};
use crate::refusal::{Code, Refusal};
use crate::store::{LedgerRange, LedgerRow};

/// The most movements of a period: two or three seconds of reading, in turns of milliseconds. A very busy shop
/// records this many in a year.
const SUMMARIZED_MAX: i64 = 10_000_000;

/// The most totals in a reply: ten thousand products by five kinds, in some megabytes.
const SUMMARIES_MAX: usize = 50_000;

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
            days,
            found_days: Vec::new(),
            units: Vec::new(),
            by_group: HashMap::default(),
        };
        let mut range = LedgerRange { from: first, to: last, through, kind: request.kind };
        loop {
            let reading = self.inventory.ledger.read(move |ledger| {
                let next = if range.from > range.to {
                    None
                } else {
                    ledger.visit(&range, &mut |row| totals.add(row))?
                };
                Ok(match next {
                    Some(next) => Reading::Until(next, totals),
                    None if totals.by_group.len() > SUMMARIES_MAX => Reading::Until(last, totals),
                    None => Reading::Done(totals.summaries()),
                })
            });
            match reading.await? {
                Reading::Until(_, totals) if totals.by_group.len() > SUMMARIES_MAX => {
                    return Err(too_many(&format!("o resumo passa de {SUMMARIES_MAX} linhas")));
                }
                Reading::Until(next, so_far) => (range.from, totals) = (next, so_far),
                Reading::Done(summaries) => return Ok(summaries),
            }
        }
    }
}

/// The result of a turn of reading. Turns do all the slow work, so that the connection's thread does none.
enum Reading {
    /// The next number, and the totals so far.
    Until(i64, Totals),
    Done(Vec<Summary>),
}

fn too_many(what: &str) -> Refusal {
    Refusal::new(Code::ResourceExhausted, format!("{what}. Nada foi alterado; peça um período menor."))
}

/// The totals so far.
struct Totals {
    catalog: Arc<RwLock<Catalog>>,
    group_by: Grouping,
    days: Days,
    /// The days that were found, in order.
    found_days: Vec<Day>,
    /// The units of the products that were found, by the product's number.
    units: Vec<Option<Unit>>,
    /// The totals by group and kind. A group is a product or a place in `found_days`.
    by_group: HashMap<(i64, Kind), Total, RandomState>,
}

struct Total {
    count: i64,
    thousandths: i64,
    centavos: i64,
    /// The unit of all products. `None` if the products have different units.
    unit: Option<Unit>,
}

impl Totals {
    fn add(&mut self, row: &LedgerRow) {
        let movement = &row.movement;
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
        let place = movement.product.number() as usize;
        if self.units.len() <= place {
            self.units.resize(place + 1, None);
        }
        let catalog = &self.catalog;
        let unit = self.units[place].get_or_insert_with(|| product_of(&read(catalog), movement).unit.clone());
        let total = self.by_group.entry((group, movement.kind)).or_insert_with(|| Total {
            count: 0,
            thousandths: 0,
            centavos: 0,
            unit: Some(unit.clone()),
        });
        total.count += 1;
        total.thousandths = total.thousandths.saturating_add(movement.delta.thousandths());
        total.centavos = total.centavos.saturating_add(movement.amount().centavos());
        if total.unit.as_ref().is_some_and(|known| known != unit) {
            total.unit = None;
        }
    }

    /// The totals in the order of their groups, and within a group in the order of the kinds.
    fn summaries(self) -> Vec<Summary> {
        let place = |kind: Kind| Kind::REQUESTABLE.iter().position(|other| *other == kind);
        let mut totals: Vec<((i64, Kind), Total)> = self.by_group.into_iter().collect();
        totals.sort_unstable_by_key(|((group, kind), _)| (*group, place(*kind)));
        let name = |group: i64, kind: Kind, catalog: &Catalog| match self.group_by {
            Grouping::Kind => kind.word().to_owned(),
            Grouping::Product => {
                let product = ProductId::from_number(group).and_then(|id| catalog.products().get(id));
                product.map_or(String::new(), |product| product.name.to_string())
            }
            Grouping::Day => {
                let day = usize::try_from(group).ok().and_then(|group| self.found_days.get(group));
                day.map_or(String::new(), |day| day.date.clone())
            }
        };
        let limit = Quantity::MAX.thousandths();
        let mut summaries = Vec::with_capacity(totals.len());
        for totals in totals.chunks(NAMED_AT_ONCE_MAX) {
            let catalog = read(&self.catalog);
            summaries.extend(totals.iter().map(|((group, kind), total)| {
                let thousandths = total.unit.as_ref().map_or(0, |_| total.thousandths.clamp(-limit, limit));
                Summary {
                    group: name(*group, *kind, &catalog),
                    kind: *kind,
                    count: total.count,
                    quantity: Quantity::from_thousandths(thousandths).unwrap_or(Quantity::ZERO),
                    amount: Amount::from_centavos(total.centavos).unwrap_or_default(),
                }
            }));
        }
        summaries
    }
}
