//! The stocks of a list, which `import --count` books as a count.

use std::fmt::Write;

use super::super::Error;
use super::super::change::finished_by;
use super::super::output::note;
use crate::catalog::{COUNT_LINES_MAX, Quantity, RequestId, counted};
use crate::client::ClientError;
use crate::operation::{CountRequest, CountedName, Reply, Request};
use crate::price_list::{Catalog, PriceList};
use crate::refusal::Refusal;

/// The stocks that a list gives, of all its products: those that it creates have theirs, and do not differ.
pub(super) struct Counted<'a> {
    counts: Vec<CountedName<'a>>,
}

impl<'a> Counted<'a> {
    /// The stocks of a list, and the rows with a stock that cannot be counted.
    pub(super) fn of(catalog: &Catalog, list: &'a PriceList) -> Result<Self, Vec<(u64, String)>> {
        let (mut counts, mut bad) = (Vec::new(), Vec::new());
        for ((row, line), _) in
            list.rows.iter().zip(&list.lines).zip(&list.have_stock).filter(|(_, has)| **has)
        {
            let (name, counted) = (row.name.as_str(), row.opening_stock);
            let unit = catalog.unit_after(row);
            if counted < Quantity::ZERO || !unit.can_hold(counted) {
                bad.push((*line, format!("{name}: não se conta {} {unit}", counted.with_comma())));
            }
            counts.push(CountedName { name, counted, at_sequence: 0, unit: None });
        }
        if bad.is_empty() { Ok(Self { counts }) } else { Err(bad) }
    }

    /// Whether the list gives no stock.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The ids of the requests that count the stocks, made from the id of the import.
    pub(super) fn request_ids(&self, import_id: &RequestId) -> Result<Vec<RequestId>, Refusal> {
        let parts = 1..=self.counts.chunks(COUNT_LINES_MAX).len();
        let ids = parts.map(|part| format!("{import_id}-contagem-{part}").parse());
        ids.collect::<Result<_, _>>().map_err(|error| Refusal::request_id(&error))
    }

    /// Books the stocks under these ids, after the list was imported under its own. The same command again, with the id
    /// of the import, finishes a count that was not made whole.
    pub(super) fn book(
        &self,
        mut call: impl FnMut(&Request<'_>) -> Result<Reply, ClientError>,
        import_id: &RequestId,
        ids: Vec<RequestId>,
    ) -> Result<(), Error> {
        let (mut booked, mut undo) = (Vec::new(), String::new());
        for (part, (counts, id)) in self.counts.chunks(COUNT_LINES_MAX).zip(ids).enumerate() {
            let counts = counts.to_vec();
            let request = CountRequest { counts, request_id: Some(id), is_blind: false, note: None };
            match call(&Request::CountStock(request)) {
                Ok(Reply::Changes(changes)) => {
                    let moved = changes.iter().filter_map(|change| change.movement.as_ref());
                    let first = booked.len();
                    booked.extend(moved.map(|movement| movement.sequence));
                    if let Some(sequence) = booked.get(first) {
                        let _ = write!(undo, " `hortifruti undo {sequence}`");
                    }
                }
                Ok(_) => {}
                Err(failure) => {
                    let so_far = counted(part * COUNT_LINES_MAX, "estoque", "estoques");
                    note(&format!(
                        "Aviso: a lista foi importada, e foram contados só {so_far}. Para contar o resto, e nada duas \
                         vezes, rode o mesmo comando de novo com --request-id {import_id}."
                    ));
                    return Err(failure.with_again(|_| finished_by(import_id)).into());
                }
            }
        }
        let all = counted(self.counts.len(), "estoque contado", "estoques contados");
        let undo = if undo.is_empty() { undo } else { format!(" Para desfazer a contagem:{undo}.") };
        note(&format!("{all}, {} com diferença.{undo}", booked.len()));
        Ok(())
    }
}
