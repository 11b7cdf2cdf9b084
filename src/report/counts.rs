//! `report counts`: what counts found too much (*sobra*) and too little (*falta*).

use super::asked::Report;
use super::total::{Sum, group_cell, group_column, unit_cell};
use crate::catalog::Quantity;
use crate::operation::Summary;
use crate::render::{Cell, Column, Holds, Sheet};

pub(super) fn sheet(report: &Report, counts: &[Summary]) -> Sheet {
    let by = report.grouping();
    let money = |sum: &Sum| {
        let missing = sum.amount - sum.added_amount;
        [sum.added_amount, missing, sum.added_amount - missing].map(Cell::Money)
    };
    let mut sorted: Vec<&Summary> = counts.iter().collect();
    sorted.sort_by_key(|total| std::cmp::Reverse(total.amount));
    let rows = sorted.into_iter().map(|total| {
        let [added, missing] = if total.unit.is_some() {
            let missing = total.added_quantity.thousandths() - total.quantity.thousandths();
            let missing = Quantity::from_thousandths(missing).unwrap_or(Quantity::MAX);
            [Cell::Quantity(total.added_quantity), Cell::Quantity(missing)]
        } else {
            [Cell::Unknown(""), Cell::Unknown("")]
        };
        let mut row =
            vec![group_cell(by, total), Cell::Number(total.count), added, missing, unit_cell(total)];
        row.extend(money(&Sum::of([total])));
        row
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let sum = Sum::of(counts);
    let mut total = vec![
        Cell::Text("Total".to_owned()),
        Cell::Number(sum.count),
        Cell::Unknown(""),
        Cell::Unknown(""),
        Cell::Text(String::new()),
    ];
    total.extend(money(&sum));
    Sheet {
        name: "counts",
        title: report.title("Diferenças de contagem"),
        columns: vec![
            group_column(by),
            Column::new("Contagens", "movement_count", "contagens", Holds::Number).least(),
            Column::new("Sobra", "surplus", "sobra", Holds::Quantity),
            Column::new("Falta", "shortage", "falta", Holds::Quantity),
            Column::new("Un", "unit", "unidade", Holds::Text).extra(),
            Column::new("Sobra (R$)", "surplus", "sobra_valor", Holds::Money),
            Column::new("Falta (R$)", "shortage", "falta_valor", Holds::Money),
            Column::new("Saldo (R$)", "balance", "saldo_valor", Holds::Money),
        ],
        rows,
        total,
        notes: vec!["A preço de venda.".to_owned()],
        nothing: "Nenhuma diferença de contagem.",
    }
}
