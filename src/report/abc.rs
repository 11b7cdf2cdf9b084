//! `report abc`: products by their part of the sales.

use super::asked::Report;
use super::total::{Sum, by_money, group_cell, group_column, moved_cell, unit_cell};
use crate::operation::Summary;
use crate::render::{Cell, Column, Holds, Sheet, reais};

/// Class A has the products that together make up to this many tenths of a percent of the sales, and B those
/// up to the second. The first product is always of class A.
const A_UP_TO: i64 = 800;
const B_UP_TO: i64 = 950;

pub(super) fn sheet(report: &Report, sales: &[Summary]) -> Sheet {
    let by = report.grouping();
    let sold = Sum::of(sales).amount;
    let (mut cumulated, mut sold_by_class) = (0_i64, [0_i64; 3]);
    let mut count_of_class = [0; 3];
    let mut rows = Vec::new();
    for (index, total) in by_money(by, sales).into_iter().enumerate() {
        let amount = total.amount.centavos();
        cumulated = cumulated.saturating_add(amount);
        // The exact share, and not the rounded one.
        let is_up_to = |tenths: i64| i128::from(cumulated) * 1000 <= i128::from(sold) * i128::from(tenths);
        let class = match () {
            () if index == 0 || is_up_to(A_UP_TO) => 0,
            () if is_up_to(B_UP_TO) => 1,
            () => 2,
        };
        sold_by_class[class] += amount;
        count_of_class[class] += 1;
        rows.push(vec![
            Cell::Text(CLASSES[class].to_owned()),
            group_cell(by, total),
            moved_cell(total),
            unit_cell(total),
            Cell::Money(amount),
            Cell::share(amount, sold),
            Cell::share(cumulated, sold),
        ]);
    }
    let notes = (0..3).filter(|class| count_of_class[*class] > 0).map(|class| {
        let (count, amount) = (count_of_class[class], reais(sold_by_class[class]));
        format!("{}: {count} com {amount}", CLASSES[class])
    });
    let notes = notes.collect();
    let total = vec![
        Cell::Text(String::new()),
        Cell::Text("Total".to_owned()),
        Cell::Unknown(""),
        Cell::Text(String::new()),
        Cell::Money(sold),
        Cell::share(sold, sold),
        Cell::Unknown(""),
    ];
    Sheet {
        name: "abc",
        title: report.title("Curva ABC das vendas"),
        columns: vec![
            Column::new("Classe", "class", "classe", Holds::Text),
            group_column(by),
            Column::new("Quantidade", "quantity", "quantidade", Holds::Quantity).extra(),
            Column::new("Un", "unit", "unidade", Holds::Text).extra(),
            Column::new("Valor (R$)", "amount", "valor", Holds::Money).with_bar(),
            Column::new("%", "share", "parte", Holds::Percent),
            Column::new("% acumulado", "cumulated", "acumulado", Holds::Percent),
        ],
        rows,
        total,
        notes,
        nothing: "Nenhuma venda.",
    }
}

const CLASSES: [&str; 3] = ["A", "B", "C"];
