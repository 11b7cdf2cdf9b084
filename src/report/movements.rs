//! `report sales`, `report purchases` and `report products`: totals as they came.

use super::asked::Report;
use super::total::{
    NO_COST, Sum, by_money, group_cell, group_column, moved_cell, uncosted_note, unit_cell, untotalled_note,
};
use crate::operation::Summary;
use crate::render::{Cell, Column, Holds, Sheet};

const QUANTITY: Column = Column::new("Quantidade", "quantity", "quantidade", Holds::Quantity);
const UNIT: Column = Column::new("Un", "unit", "unidade", Holds::Text).extra();
const COUNT: Column = Column::new("Movimentos", "movement_count", "movimentos", Holds::Number).least();

/// Quantity, money and margin of what was sold, most money first.
pub(super) fn of_sales(report: &Report, totals: &[Summary]) -> Sheet {
    let by = report.grouping();
    let sum = Sum::of(totals);
    let rows = by_money(by, totals).into_iter().map(|total| {
        let own = Sum::of([total]);
        vec![
            group_cell(by, total),
            Cell::Number(total.count),
            moved_cell(total),
            unit_cell(total),
            Cell::Money(own.amount),
            Cell::share(own.amount, sum.amount),
            own.cost_cell(),
            own.margin_cell(),
        ]
    });
    let total = vec![
        Cell::Text("Total".to_owned()),
        Cell::Number(sum.count),
        Cell::Unknown(""),
        Cell::Text(String::new()),
        Cell::Money(sum.amount),
        Cell::share(sum.amount, sum.amount),
        sum.cost_cell(),
        sum.margin_cell(),
    ];
    Sheet {
        name: "sales",
        title: report.title("Vendas"),
        columns: vec![
            group_column(by),
            COUNT,
            QUANTITY,
            UNIT,
            Column::new("Valor (R$)", "amount", "valor", Holds::Money).with_bar(),
            Column::new("%", "share", "parte", Holds::Percent),
            Column::new("Custo (R$)", "cost", "custo", Holds::Money).extra(),
            Column::new("Margem %", "margin", "margem", Holds::Percent).extra(),
        ],
        rows: rows.collect(),
        total,
        notes: uncosted_note(&sum).into_iter().collect(),
        nothing: "Nenhuma venda.",
    }
}

/// Quantity and money of what was bought, most money first.
pub(super) fn of_purchases(report: &Report, totals: &[Summary]) -> Sheet {
    let by = report.grouping();
    let sum = Sum::of(totals);
    let rows = by_money(by, totals).into_iter().map(|total| {
        vec![
            group_cell(by, total),
            Cell::Number(total.count),
            moved_cell(total),
            unit_cell(total),
            Cell::Money(total.amount.centavos()),
            Cell::share(total.amount.centavos(), sum.amount),
        ]
    });
    let total = vec![
        Cell::Text("Total".to_owned()),
        Cell::Number(sum.count),
        Cell::Unknown(""),
        Cell::Text(String::new()),
        Cell::Money(sum.amount),
        Cell::share(sum.amount, sum.amount),
    ];
    Sheet {
        name: "purchases",
        title: report.title("Compras"),
        columns: vec![
            group_column(by),
            COUNT,
            QUANTITY,
            UNIT,
            Column::new("Valor (R$)", "amount", "valor", Holds::Money).with_bar(),
            Column::new("%", "share", "parte", Holds::Percent),
        ],
        rows: rows.collect(),
        total,
        notes: untotalled_note(&sum).into_iter().collect(),
        nothing: "Nenhuma compra.",
    }
}

/// A row for each group and kind, in the order of the server.
pub(super) fn of_all_kinds(report: &Report, totals: &[Summary]) -> Sheet {
    let by = report.grouping();
    let rows = totals.iter().map(|total| {
        let quantity = if total.unit.is_some() { Cell::Quantity(total.quantity) } else { Cell::Unknown("") };
        vec![
            group_cell(by, total),
            Cell::Text(total.kind.word().to_owned()),
            Cell::Number(total.count),
            quantity,
            unit_cell(total),
            Cell::Money(total.amount.centavos()),
            Cell::money_or(total.cost.map(|cost| cost.centavos()), NO_COST),
        ]
    });
    let kind = Column::new("Motivo", "kind", "motivo", Holds::Text);
    let group = Column { key: "group", csv: "grupo", ..group_column(by) };
    let cost = Column::new("Custo (R$)", "cost", "custo", Holds::Money).extra();
    let amount = Column::new("Valor (R$)", "amount", "valor", Holds::Money);
    Sheet {
        name: "products",
        title: report.title("Movimentos"),
        columns: vec![group, kind, COUNT, QUANTITY, UNIT, amount, cost],
        rows: rows.collect(),
        nothing: "Nenhum movimento encontrado.",
        ..Sheet::default()
    }
}
