//! `report margins`: what each product brings beyond its cost, before and after its own losses.

use std::collections::HashMap;

use super::asked::Report;
use super::total::{NO_COST, Sum, by_money, group_cell, group_column, uncosted_losses_note, uncosted_note};
use crate::operation::Summary;
use crate::render::{Cell, Column, Holds, Sheet};

pub(super) fn sheet(report: &Report, sales: &[Summary], losses: &[Summary]) -> Sheet {
    let by = report.grouping();
    let mut lost_by_group: HashMap<&str, &Summary> =
        losses.iter().map(|total| (total.group.as_str(), total)).collect();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for total in by_money(by, sales) {
        let lost = lost_by_group.remove(total.group.as_str());
        rows.push(row(group_cell(by, total), &Sum::of([total]), &Sum::of(lost), false));
    }
    // The groups with losses and no sales.
    for total in losses.iter().filter(|total| lost_by_group.contains_key(total.group.as_str())) {
        rows.push(row(group_cell(by, total), &Sum::default(), &Sum::of([total]), false));
    }
    let (sold, lost) = (Sum::of(sales), Sum::of(losses));
    Sheet {
        name: "margins",
        title: report.title("Margens"),
        columns: vec![
            group_column(by),
            Column::new("Vendas (R$)", "amount", "vendas", Holds::Money).with_bar(),
            Column::new("Custo (R$)", "cost", "custo", Holds::Money),
            Column::new("Margem (R$)", "margin", "margem", Holds::Money).extra(),
            Column::new("Margem %", "margin", "margem_parte", Holds::Percent),
            Column::new("Perdas (R$)", "losses_cost", "perdas", Holds::Money).extra(),
            Column::new("Após perdas %", "margin_after_losses", "apos_perdas", Holds::Percent),
        ],
        rows,
        total: row(Cell::Text("Total".to_owned()), &sold, &lost, true),
        notes: uncosted_note(&sold).into_iter().chain(uncosted_losses_note(&lost)).collect(),
        nothing: "Nenhuma venda.",
    }
}

/// A row. Losses of unknown cost leave the margin after losses of a product unknown, and that of many products
/// without them.
fn row(group: Cell, sold: &Sum, lost: &Sum, is_of_many: bool) -> Vec<Cell> {
    let of_sold = |cell: Cell| if sold.count == 0 { Cell::Unknown("") } else { cell };
    let is_known = lost.count == 0 || (lost.has_cost && (is_of_many || lost.uncosted == 0));
    let after = sold.margin().filter(|_| is_known).map(|margin| margin - lost.cost);
    vec![
        group,
        Cell::Money(sold.amount),
        of_sold(sold.cost_cell()),
        of_sold(Cell::money_or(sold.margin(), NO_COST)),
        of_sold(sold.margin_cell()),
        if lost.count == 0 { Cell::Money(0) } else { lost.cost_cell() },
        of_sold(after.map_or(Cell::Unknown(NO_COST), |after| Cell::share(after, sold.costed()))),
    ]
}
