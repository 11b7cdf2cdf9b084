//! Totals of the movements of a period.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use foldhash::fast::RandomState;

use super::published::NAMED_AT_ONCE_MAX;
use super::{Session, product_of, read};
use crate::catalog::{Amount, Catalog, Cost, Key, Kind, LossReason, Movement, ProductId, Quantity, Unit};
use crate::local_time::{Day, Days};
use crate::operation::{Grouping, Summary, SummaryRequest, check_period};
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
    /// If there is no such time zone, the period ends before it begins or has too many movements or groups, or the store cannot be read.
    pub(super) async fn summarize(&self, request: SummaryRequest<'_>) -> Result<Vec<Summary>, Refusal> {
        self.note_read();
        let days =
            Days::of_zone(request.time_zone).ok_or_else(|| Refusal::no_time_zone(request.time_zone))?;
        let (since, until) = (request.since, request.until);
        check_period(since, until)?;
        let through = self.through().await?;
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
        let mut totals = Totals::new(Arc::clone(&self.inventory.catalog), request.group_by, days);
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
    /// The names that were found of suppliers, authors and categories, and their places by their keys.
    found_names: Vec<String>,
    names: HashMap<Key, i64, RandomState>,
    /// The unit and the group of each product that was found, by the product's number.
    products: Vec<Option<(Unit, i64)>>,
    by_group: HashMap<(i64, Kind), Total, RandomState>,
}

/// A movement that has no name of the kind that is grouped by is in this group.
const UNNAMED: i64 = 0;

#[derive(Default)]
struct Total {
    count: i64,
    documents: Documents,
    added_documents: Documents,
    taken_documents: Documents,
    thousandths: i64,
    added_thousandths: i64,
    centavos: i64,
    added_centavos: i64,
    /// The sum of the known costs, if there is one.
    cost: Option<i64>,
    uncosted_centavos: i64,
    /// The unit of all products. `None` if they have several.
    unit: Option<Unit>,
}

/// A count of documents, whose movements stand together in the ledger.
#[derive(Default)]
struct Documents {
    count: i64,
    /// The first movement of the last document.
    last: i64,
}

impl Documents {
    fn add(&mut self, row: &LedgerRow) {
        if self.last != row.document.first_sequence {
            self.last = row.document.first_sequence;
            self.count += 1;
        }
    }
}

impl Totals {
    fn new(catalog: Arc<RwLock<Catalog>>, group_by: Grouping, days: Days) -> Self {
        Self {
            catalog,
            group_by,
            days,
            found_days: Vec::new(),
            found_names: Vec::new(),
            names: HashMap::default(),
            products: Vec::new(),
            by_group: HashMap::default(),
        }
    }

    fn add(&mut self, row: &LedgerRow) {
        let movement = &row.movement;
        let details = movement.details.as_deref();
        let place = self.place_of(movement);
        let group = match self.group_by {
            Grouping::Kind => UNNAMED,
            Grouping::Product | Grouping::Category => {
                self.products[place].as_ref().map_or(UNNAMED, |it| it.1)
            }
            Grouping::Day => self.day(movement.recorded_at),
            Grouping::LossReason => {
                let reason = details.and_then(|details| details.loss_reason);
                let place = reason.and_then(|reason| LossReason::ALL.iter().position(|it| *it == reason));
                place.map_or(UNNAMED, |place| place as i64 + 1)
            }
            Grouping::Supplier => {
                let purchase = details.and_then(|details| details.purchase.as_ref());
                let supplier = purchase.and_then(|purchase| purchase.supplier.as_ref());
                supplier.map_or(UNNAMED, |supplier| self.name(supplier.as_str()))
            }
            Grouping::Author => movement.author.as_ref().map_or(UNNAMED, |author| self.name(author.as_str())),
        };
        let total = self.by_group.entry((group, movement.kind)).or_default();
        let unit = self.products[place].as_ref().map(|(unit, _)| unit);
        if total.count == 0 {
            total.unit = unit.cloned();
        } else if total.unit.is_some() && total.unit.as_ref() != unit {
            total.unit = None;
        }
        total.add(row);
    }

    /// The place of a movement's product in the list of products, which then has its unit and its group.
    fn place_of(&mut self, movement: &Movement) -> usize {
        let place = movement.product.number() as usize;
        if self.products.len() <= place {
            self.products.resize(place + 1, None);
        }
        if self.products[place].is_none() {
            let catalog = Arc::clone(&self.catalog);
            let catalog = read(&catalog);
            let product = product_of(&catalog, movement);
            let group = match self.group_by {
                Grouping::Category => {
                    let category = &catalog.products().view(product).terms.category;
                    category.as_ref().map_or(UNNAMED, |category| self.name(category.as_str()))
                }
                _ => movement.product.number(),
            };
            self.products[place] = Some((product.unit.clone(), group));
        }
        place
    }

    /// The group of a day.
    fn day(&mut self, time: SystemTime) -> i64 {
        // Times never go backwards.
        if self.found_days.last().is_none_or(|day| time >= day.end) {
            self.found_days.push(self.days.day_of(time));
        }
        self.found_days.len() as i64
    }

    /// The group of a name, which is one with and without accents and capitals.
    fn name(&mut self, name: &str) -> i64 {
        *self.names.entry(Key::fold(name)).or_insert_with(|| {
            self.found_names.push(name.to_owned());
            self.found_names.len() as i64
        })
    }

    /// The totals in the order of their groups, and within a group in the order of the kinds.
    fn summaries(self) -> Vec<Summary> {
        let place_of_kind = |kind: Kind| Kind::REQUESTABLE.iter().position(|other| *other == kind);
        // Names are in the order of their keys.
        let mut places: Vec<(&Key, i64)> = self.names.iter().map(|(key, group)| (key, *group)).collect();
        places.sort_unstable_by_key(|(key, _)| key.as_str());
        let places: HashMap<i64, usize> =
            places.into_iter().enumerate().map(|(place, (_, group))| (group, place)).collect();
        let mut totals: Vec<(&(i64, Kind), &Total)> = self.by_group.iter().collect();
        totals.sort_unstable_by_key(|((group, kind), _)| (places.get(group), *group, place_of_kind(*kind)));
        let mut summaries = Vec::with_capacity(totals.len());
        for totals in totals.chunks(NAMED_AT_ONCE_MAX) {
            let catalog = read(&self.catalog);
            let named = |((group, kind), total): &(&(i64, Kind), &Total)| {
                total.summary(self.group_name(*group, *kind, &catalog), *kind)
            };
            summaries.extend(totals.iter().map(named));
        }
        summaries
    }

    fn group_name(&self, group: i64, kind: Kind, catalog: &Catalog) -> String {
        let place = usize::try_from(group - 1).ok();
        let name = match self.group_by {
            Grouping::Kind => Some(kind.word().to_owned()),
            Grouping::Product => ProductId::from_number(group)
                .and_then(|id| catalog.products().get(id))
                .map(|product| product.name.to_string()),
            Grouping::Day => {
                place.and_then(|place| self.found_days.get(place)).map(|day| day.date.to_string())
            }
            Grouping::LossReason => {
                place.and_then(|place| LossReason::ALL.get(place)).map(|it| it.word().to_owned())
            }
            Grouping::Category | Grouping::Supplier | Grouping::Author => {
                place.and_then(|place| self.found_names.get(place)).cloned()
            }
        };
        name.unwrap_or_default()
    }
}

impl Total {
    fn add(&mut self, row: &LedgerRow) {
        let movement = &row.movement;
        let (thousandths, centavos) = (movement.delta.thousandths(), movement.amount().centavos());
        self.count += 1;
        self.documents.add(row);
        self.thousandths = self.thousandths.saturating_add(thousandths);
        self.centavos = self.centavos.saturating_add(centavos);
        if thousandths < 0 {
            self.taken_documents.add(row);
        }
        if thousandths > 0 {
            self.added_documents.add(row);
            self.added_thousandths = self.added_thousandths.saturating_add(thousandths);
            self.added_centavos = self.added_centavos.saturating_add(centavos);
        }
        match movement.cost {
            Some(cost) => self.cost = Some(self.cost.unwrap_or(0).saturating_add(cost.centavos())),
            None => self.uncosted_centavos = self.uncosted_centavos.saturating_add(centavos),
        }
    }

    fn summary(&self, group: String, kind: Kind) -> Summary {
        let limit = Quantity::MAX.thousandths();
        let quantity = |thousandths: i64| match self.unit {
            Some(_) => Quantity::from_thousandths(thousandths.clamp(-limit, limit)).unwrap_or(Quantity::ZERO),
            None => Quantity::ZERO,
        };
        let amount = |centavos| Amount::from_centavos(centavos).unwrap_or_default();
        Summary {
            group,
            kind,
            count: self.count,
            quantity: quantity(self.thousandths),
            amount: amount(self.centavos),
            cost: self.cost.map(Cost::from_centavos),
            document_count: self.documents.count,
            added_document_count: self.added_documents.count,
            taken_document_count: self.taken_documents.count,
            added_quantity: quantity(self.added_thousandths),
            added_amount: amount(self.added_centavos),
            uncosted_amount: amount(self.uncosted_centavos),
            unit: self.unit.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop};
    use super::*;
    use crate::catalog::{IMPORT_ROWS_MAX, Movement, Name, Price, ProductDraft, Transaction};
    use crate::operation::ImportRequest;

    async fn rows(session: &Session, group_by: Grouping) -> Result<usize, Code> {
        let request = SummaryRequest { group_by, ..SummaryRequest::default() };
        session.summarize(request).await.map(|rows| rows.len()).map_err(|refused| refused.code)
    }

    #[tokio::test]
    async fn a_period_of_too_many_movements_is_refused_unread() {
        let (session, _committer) = shop();
        let sale = session.adjust(asked("Caju -1 motivo=venda")).await.unwrap().movement;
        let publish = |last: i64| {
            let mut catalog = session.inventory.catalog.write().unwrap();
            let movement = Movement { sequence: last, ..sale.clone() };
            catalog.apply(&Transaction { movements: vec![movement], ..Transaction::default() });
        };
        publish(SUMMARIZED_MAX);
        assert_eq!(rows(&session, Grouping::Kind).await, Ok(2));
        publish(SUMMARIZED_MAX + 1);
        assert_eq!(rows(&session, Grouping::Kind).await, Err(Code::ResourceExhausted));
    }

    #[tokio::test]
    async fn totals_of_too_many_groups_are_refused() {
        let (session, _committer) = shop();
        let import = async |numbers: std::ops::Range<usize>| {
            let row = |number| ProductDraft {
                name: Name::parse(&format!("Produto {number}")).unwrap(),
                price: Price::from_centavos(100).unwrap(),
                unit: None,
                opening_stock: Quantity::from_units(1),
                terms: Default::default(),
            };
            let rows = numbers.map(row).collect();
            let request = ImportRequest::of_rows(rows, None);
            session.import(request).await.unwrap();
        };
        // A new shop has four.
        for first in (4..SUMMARIES_MAX).step_by(IMPORT_ROWS_MAX) {
            import(first..SUMMARIES_MAX.min(first + IMPORT_ROWS_MAX)).await;
        }
        assert_eq!(rows(&session, Grouping::Product).await, Ok(SUMMARIES_MAX));
        import(SUMMARIES_MAX..SUMMARIES_MAX + 1).await;
        assert_eq!(rows(&session, Grouping::Product).await, Err(Code::ResourceExhausted));
        assert_eq!(rows(&session, Grouping::Kind).await, Ok(1));
    }
}
