//! `report losses`: what was lost, at cost, at sale price and as a part of the sales, the worst first.

use super::asked::Report;
use super::total::{Sum, by_money, group_cell, group_column, moved_cell, uncosted_losses_note, unit_cell};
use crate::operation::Summary;
use crate::render::{Cell, Column, Holds, Sheet, reais};

pub(super) fn sheet(report: &Report, losses: &[Summary], sales: &[Summary]) -> Sheet {
    let by = report.grouping();
    let (sum, sold) = (Sum::of(losses), Sum::of(sales).amount);
    let rows = by_money(by, losses).into_iter().map(|total| {
        vec![
            group_cell(by, total),
            Cell::Number(total.count),
            moved_cell(total),
            unit_cell(total),
            Sum::of([total]).cost_cell(),
            Cell::Money(total.amount.centavos()),
            Cell::share(total.amount.centavos(), sold),
        ]
    });
    let total = vec![
        Cell::Text("Total".to_owned()),
        Cell::Number(sum.count),
        Cell::Unknown(""),
        Cell::Text(String::new()),
        sum.cost_cell(),
        Cell::Money(sum.amount),
        Cell::share(sum.amount, sold),
    ];
    let sales_told = format!("Vendas do período: {}.", reais(sold));
    Sheet {
        name: "losses",
        title: report.title("Perdas"),
        columns: vec![
            group_column(by),
            Column::new("Movimentos", "movement_count", "movimentos", Holds::Number).least(),
            Column::new("Quantidade", "quantity", "quantidade", Holds::Quantity),
            Column::new("Un", "unit", "unidade", Holds::Text).extra(),
            Column::new("Custo (R$)", "cost", "custo", Holds::Money),
            Column::new("Venda (R$)", "amount", "valor", Holds::Money).with_bar(),
            Column::new("% das vendas", "of_sales", "das_vendas", Holds::Percent),
        ],
        rows: rows.collect(),
        total,
        notes: std::iter::once(sales_told).chain(uncosted_losses_note(&sum)).collect(),
        nothing: "Nenhuma perda.",
    }
}
