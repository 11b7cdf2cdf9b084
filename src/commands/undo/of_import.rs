//! `undo --import`: gives products the prices and other terms of before an import, and takes back the products that
//! it created.
//!
//! All that an import changes has one time, which is its document. A term that was changed again since stays, and
//! is listed; so is a created product whose opening stock was used.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, SystemTime};

use super::super::Error;
use super::super::change::finished_by;
use super::super::connection::{Connection, connect};
use super::super::output::note;
use crate::catalog::{
    Barcode, Category, IMPORT_ROWS_MAX, Kind, Price, ProductDraft, Quantity, Quoted, RequestId, ShopCode,
    TermsDraft, TermsField, TermsUpdate, Unit, counted,
};
use crate::client::{Client, new_request_id};
use crate::local_time::{ShortTime, parse_with_offset};
use crate::operation::{
    ImportRequest, MovementReply, MovementsRequest, ProductChangeReply, ProductChangesRequest, ProductReply,
    ProductsRequest, Reply, Request, UndoRequest, UpdateProductRequest,
};
use crate::refusal::{Code, Refusal};

/// The most changes of terms that are looked through for the import: as many as `history --changes` shows.
const CHANGES_LOOKED_AT_MAX: usize = 1_000_000;

/// The changes that are looked through first, and how many times as many then: the last import is near the end.
const CHANGES_LOOKED_AT_FIRST: usize = 5_000;
const CHANGES_GROWTH: usize = 10;

/// The changes that a message names as left; the others are counted.
const LEFT_NAMED_MAX: usize = 50;

/// An import, as the history of terms and the ledger have it.
struct Imported {
    at: SystemTime,
    /// The changed terms that nobody changed since, by product.
    changed: BTreeMap<String, Vec<ProductChangeReply>>,
    /// The openings of the products that it created.
    created: Vec<MovementReply>,
    /// The terms and products that stay, and why.
    left: Vec<String>,
}

/// Undoes the last import, or the one of the time that `when` says as `history --changes` shows it.
pub(super) fn undo_import(
    connection: &Connection,
    when: Option<&str>,
    request_id: Option<RequestId>,
) -> Result<(), Error> {
    let mut client = connect(connection)?;
    let imported = find(&mut client, when)?;
    let whole = request_id.unwrap_or_else(new_request_id);
    let undone = imported.undo(&mut client, &whole);
    undone.map_err(|error| match error {
        Error::Failed(failure) => failure.with_again(|_| finished_by(&whole)).into(),
        error => error,
    })
}

/// Finds the import, and what was changed since.
fn find(client: &mut Client, when: Option<&str>) -> Result<Imported, Error> {
    let second =
        when.map(|when| parse_with_offset(when.trim()).ok_or_else(|| wrong_time(when))).transpose()?;
    let until = second.map(|second| second + Duration::from_secs(1));
    let is_asked = |time: SystemTime| {
        second.is_none_or(|second| time >= second) && until.is_none_or(|until| time < until)
    };
    let opened = openings(client, second, until, CHANGES_LOOKED_AT_FIRST)?;
    let mut count_max = CHANGES_LOOKED_AT_FIRST;
    let (changes, at) = loop {
        let changes = changes(client, count_max)?;
        let at = last_moment(&changes, &opened, is_asked, second.is_some());
        let is_whole = changes.last().is_none_or(|last| last.recorded_at < at);
        if (at.is_some() && is_whole) || changes.len() < count_max || count_max >= CHANGES_LOOKED_AT_MAX {
            break (changes, at);
        }
        count_max = (CHANGES_GROWTH * count_max).min(CHANGES_LOOKED_AT_MAX);
    };
    let Some(at) = at else {
        let what = "não há importação para desfazer, e nada foi alterado; veja as mudanças com \
                    `hortifruti history --changes`, e diga o momento de uma.";
        return Err(Refusal::new(Code::MovementNotFound, what).into());
    };
    let openings = openings(client, Some(at), Some(at + Duration::from_micros(1)), CHANGES_LOOKED_AT_MAX)?;
    let mut imported = Imported { at, changed: BTreeMap::new(), created: openings, left: Vec::new() };
    let mut later = HashSet::new();
    for change in changes {
        let place = (change.product_name.to_string(), change.field);
        match change.recorded_at {
            Some(time) if time > at => _ = later.insert(place),
            Some(time) if time == at && later.contains(&place) => imported.left.push(format!(
                "{} de {}, que mudou depois",
                change.field.word(),
                Quoted(change.product_name.as_str())
            )),
            Some(time) if time == at => imported.changed.entry(place.0).or_default().push(change),
            _ => {}
        }
    }
    Ok(imported)
}

/// The last moment that is asked for at which several products changed or were created; one is enough if the user
/// names the moment, because `product set` changes the terms of one.
fn last_moment(
    changes: &[ProductChangeReply],
    opened: &[MovementReply],
    is_asked: impl Fn(SystemTime) -> bool,
    is_named: bool,
) -> Option<SystemTime> {
    let mut products: BTreeMap<SystemTime, HashSet<&str>> = BTreeMap::new();
    let changed = changes.iter().filter_map(|it| Some((it.recorded_at?, it.product_name.as_str())));
    let created = opened.iter().map(|it| (it.recorded_at, it.product_name.as_str()));
    for (time, name) in changed.chain(created).filter(|(time, _)| is_asked(*time)) {
        products.entry(time).or_default().insert(name);
    }
    let mut moments = products.into_iter().rev();
    moments.find(|(_, names)| is_named || names.len() > 1).map(|(time, _)| time)
}

/// The last changes of terms, newest first.
fn changes(client: &mut Client, count_max: usize) -> Result<Vec<ProductChangeReply>, Error> {
    let request = ProductChangesRequest { name: None, before: None, count_max };
    match client.call(&Request::ListProductChanges(request))? {
        Reply::ProductChanges(page) => Ok(page.changes),
        _ => Err(no_answer()),
    }
}

/// The openings of products in a period, newest first.
fn openings(
    client: &mut Client,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    count_max: usize,
) -> Result<Vec<MovementReply>, Error> {
    let kind = Some(Kind::Opening);
    let request = MovementsRequest { name: None, kind, author: None, since, until, before: None, count_max };
    match client.call(&Request::ListMovements(request))? {
        Reply::Movements(page) => Ok(page.movements),
        _ => Err(no_answer()),
    }
}

fn wrong_time(when: &str) -> Error {
    let what = format!(
        "{} não é o momento de uma importação, como 2026-11-30T09:41:07-03:00. Nada foi alterado; copie-o de \
         `hortifruti history --changes`",
        Quoted(when)
    );
    Error::Usage(what)
}

fn no_answer() -> Error {
    anyhow::anyhow!("o servidor não enviou a história. Nada foi alterado").into()
}

impl Imported {
    /// Takes the import back. A part that was taken back before changes nothing again.
    fn undo(mut self, client: &mut Client, whole: &RequestId) -> Result<(), Error> {
        let all = ProductsRequest { has_discontinued: true, ..ProductsRequest::default() };
        let Reply::Products(products) = client.call(&Request::ListProducts(all))? else {
            return Err(no_answer());
        };
        let now: HashMap<&str, &ProductReply> =
            products.iter().map(|product| (product.name.as_str(), product)).collect();
        let mut ids = (0..).map(|part| format!("{whole}-{part}").parse::<RequestId>());
        let mut next_id = || ids.next().and_then(Result::ok);
        let (mut rows, mut updates) = (Vec::new(), Vec::new());
        for (name, changes) in &self.changed {
            let Some(product) = now.get(name.as_str()) else { continue };
            let before = Before::of(changes);
            rows.extend(before.row(product));
            updates.extend(before.removals().map(|update| (product.name.clone(), update)));
        }
        // The removals come first, because a code that another product had before must be free.
        for (name, update) in updates {
            let request =
                UpdateProductRequest { name: name.as_str(), update: Box::new(update), request_id: next_id() };
            client.call(&Request::UpdateProduct(request))?;
        }
        for rows in rows.chunks(IMPORT_ROWS_MAX) {
            let import = ImportRequest {
                rows: rows.to_vec(),
                bad_rows: Vec::new(),
                is_dry_run: false,
                request_id: next_id(),
            };
            client.call(&Request::ImportProducts(import))?;
        }
        let created = std::mem::take(&mut self.created);
        let mut retired = 0;
        for opening in created {
            match take_back(client, &opening, &mut next_id) {
                Ok(()) => retired += 1,
                Err(Error::Failed(failure)) => {
                    let name = Quoted(opening.product_name.as_str());
                    self.left.push(format!("o produto {name}: {failure}"));
                }
                Err(error) => return Err(error),
            }
        }
        self.report(rows.len(), retired);
        Ok(())
    }

    fn report(&self, changed: usize, retired: usize) {
        let changed = counted(changed, "produto voltou", "produtos voltaram");
        let retired = counted(retired, "produto criado foi aposentado", "produtos criados foram aposentados");
        note(&format!(
            "Desfeita a importação de {}: {changed} ao cadastro de antes; {retired}.",
            ShortTime(self.at)
        ));
        if self.left.is_empty() {
            return;
        }
        let mut shown = self.left[..self.left.len().min(LEFT_NAMED_MAX)].join("\n");
        if self.left.len() > LEFT_NAMED_MAX {
            shown += &format!("\n… e mais {}", self.left.len() - LEFT_NAMED_MAX);
        }
        note(&format!(
            "Aviso: {}:\n{shown}",
            counted(self.left.len(), "coisa ficou como está", "coisas ficaram como estão")
        ));
    }
}

/// Undoes the opening of a product, and retires it.
fn take_back(
    client: &mut Client,
    opening: &MovementReply,
    next_id: &mut impl FnMut() -> Option<RequestId>,
) -> Result<(), Error> {
    let is_undone = opening.details.as_ref().is_some_and(|details| details.undone_by > 0);
    let (undo_id, retire_id) = (next_id(), next_id());
    if opening.delta != Quantity::ZERO && !is_undone {
        client.call(&Request::UndoMovement(UndoRequest::of(opening.sequence, true, undo_id)))?;
    }
    let update = Box::new(TermsUpdate { is_discontinued: Some(true), ..TermsUpdate::default() });
    let name = opening.product_name.as_str();
    client.call(&Request::UpdateProduct(UpdateProductRequest { name, update, request_id: retire_id }))?;
    Ok(())
}

/// The terms of a product before an import, as far as that changed them.
#[derive(Default)]
struct Before {
    price: Option<Price>,
    unit: Option<Unit>,
    terms: TermsDraft,
    /// The terms that the product did not have.
    removals: TermsUpdate,
}

impl Before {
    fn of(changes: &[ProductChangeReply]) -> Self {
        let mut before = Self::default();
        for ProductChangeReply { field, old, .. } in changes {
            match field {
                TermsField::Price => {
                    before.price = old.parse().ok().and_then(|price| Price::from_centavos(price).ok());
                }
                TermsField::Unit => before.unit = Unit::from_label(old).ok(),
                TermsField::Code if old.is_empty() => before.removals.code = Some(None),
                TermsField::Code => before.terms.code = ShopCode::parse(old).ok(),
                TermsField::Barcodes if old.is_empty() => before.removals.barcodes = Some(Vec::new()),
                TermsField::Barcodes => {
                    before.terms.barcodes =
                        old.split(',').filter_map(|text| Barcode::parse(text).ok()).collect();
                }
                TermsField::Category if old.is_empty() => before.removals.category = Some(None),
                TermsField::Category => before.terms.category = Category::parse(old).ok(),
                TermsField::Minimum => before.terms.minimum = quantity(old),
                TermsField::Target => before.terms.target = quantity(old),
                TermsField::ShelfLife => before.terms.shelf_life_days = old.parse().ok(),
                // No import renames or retires a product.
                TermsField::Name | TermsField::Discontinued => {}
            }
        }
        before
    }

    /// The row of a list that gives the product these terms.
    fn row(&self, product: &ProductReply) -> Option<ProductDraft> {
        let has_any = self.price.is_some() || self.unit.is_some() || self.terms != TermsDraft::default();
        has_any.then(|| ProductDraft {
            name: product.name.clone(),
            price: self.price.unwrap_or(product.price),
            unit: self.unit.clone(),
            opening_stock: Quantity::ZERO,
            terms: self.terms.clone(),
        })
    }

    fn removals(&self) -> Option<TermsUpdate> {
        Some(self.removals.clone()).filter(|removals| *removals != TermsUpdate::default())
    }
}

fn quantity(thousandths: &str) -> Option<Quantity> {
    Quantity::from_thousandths(thousandths.parse().ok()?).ok()
}
