//! `report day`: the closing.

use super::asked::Report;
use super::total::{NO_COST, Sum, uncosted_losses_note, uncosted_note};
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
    let mut rows = vec![
        line("Vendas", Some(sales.documents), money(&sales), none(), none()),
        line("Compras", Some(purchases.documents), money(&purchases), none(), none()),
        line("Perdas", Some(losses.documents), money(&losses), cost_of(&losses), of_sales(losses.amount)),
        line("Sobras de contagem", Some(counts.documents), Cell::Money(counts.added_amount), none(), none()),
        line("Faltas de contagem", None, Cell::Money(counts.amount - counts.added_amount), none(), none()),
    ];
    for (name, sum) in [("Ajustes a mais", &adjustments), ("Aberturas", &openings)] {
        if sum.count > 0 {
            rows.push(line(name, Some(sum.documents), Cell::Money(sum.added_amount), none(), none()));
        }
    }
    if adjustments.count > 0 {
        let removed = adjustments.amount - adjustments.added_amount;
        rows.push(line("Ajustes a menos", None, Cell::Money(removed), none(), none()));
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
        notes: uncosted_note(&sales).into_iter().chain(uncosted_losses_note(&losses)).collect(),
        nothing: "",
        ..Sheet::default()
    }
}
