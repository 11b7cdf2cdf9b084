//! `report day`: the closing.

use super::asked::Report;
use super::total::{NO_COST, Sum, uncosted_losses_note, uncosted_note, untotalled_note};
use crate::catalog::Kind;
use crate::operation::Summary;
use crate::render::{Cell, Column, Holds, Sheet};

const COLUMNS: [Column; 5] = [
    Column::new("Do período", "line", "linha", Holds::Text),
    Column::new("Documentos", "document_count", "documentos", Holds::Number),
    Column::new("Valor (R$)", "amount", "valor", Holds::Money),
    Column::new("Custo (R$)", "cost", "custo", Holds::Money),
    Column::new("% das vendas", "of_sales", "das_vendas", Holds::Percent),
];

pub(super) fn sheet(report: &Report, totals: &[Summary]) -> Sheet {
    let of = |kind| Sum::of(totals.iter().filter(move |total| total.kind == kind));
    let (sales, purchases, losses) = (of(Kind::Sale), of(Kind::Purchase), of(Kind::Waste));
    let (counts, adjustments, openings) = (of(Kind::Count), of(Kind::Adjustment), of(Kind::Opening));
    let line = |name: &str, documents: Option<i64>, amount: Cell, cost: Cell, share: Cell| {
        let documents = documents.map_or(Cell::Unknown(""), Cell::Number);
        vec![Cell::Text(name.to_owned()), documents, amount, cost, share]
    };
    let none = || Cell::Unknown("");
    let of_sales = |centavos: i64| Cell::share(centavos, sales.amount);
    let cost_of = |sum: &Sum| if sum.count == 0 { none() } else { sum.cost_cell() };
    let money = |sum: &Sum| Cell::Money(sum.amount);
    let added = |name: &str, sum: &Sum| {
        line(name, Some(sum.added_documents), Cell::Money(sum.added_amount), none(), none())
    };
    let taken = |name: &str, sum: &Sum| {
        let amount = Cell::Money(sum.amount - sum.added_amount);
        line(name, Some(sum.taken_documents), amount, none(), none())
    };
    let mut rows = vec![
        line("Vendas", Some(sales.documents), money(&sales), none(), none()),
        line("Compras", Some(purchases.documents), money(&purchases), none(), none()),
        line("Perdas", Some(losses.documents), money(&losses), cost_of(&losses), of_sales(losses.amount)),
        added("Sobras de contagem", &counts),
        taken("Faltas de contagem", &counts),
    ];
    if adjustments.added_documents > 0 {
        rows.push(added("Ajustes a mais", &adjustments));
    }
    if adjustments.taken_documents > 0 {
        rows.push(taken("Ajustes a menos", &adjustments));
    }
    // A product that is created without stock has an opening of nothing.
    if openings.added_documents > 0 {
        rows.push(added("Aberturas", &openings));
    }
    if sales.count > 0 {
        let cost = Cell::money_or(sales.known_cost(), NO_COST);
        let of_costed =
            |centavos: Option<i64>| centavos.map_or(none(), |centavos| Cell::share(centavos, sales.costed()));
        rows.push(line("Custo das vendas", None, cost, none(), of_costed(sales.known_cost())));
        let margin = Cell::money_or(sales.margin(), NO_COST);
        rows.push(line("Margem", None, margin, none(), of_costed(sales.margin())));
        let after = sales.margin().and_then(|margin| {
            let is_known = losses.count == 0 || losses.has_cost;
            is_known.then_some(margin - losses.cost)
        });
        rows.push(line("Margem após perdas", None, Cell::money_or(after, NO_COST), none(), of_costed(after)));
    }
    Sheet {
        name: "day",
        title: report.title("Fechamento"),
        columns: COLUMNS.to_vec(),
        rows,
        notes: [uncosted_note(&sales), uncosted_losses_note(&losses), untotalled_note(&purchases)]
            .into_iter()
            .flatten()
            .collect(),
        nothing: "",
        ..Sheet::default()
    }
}
