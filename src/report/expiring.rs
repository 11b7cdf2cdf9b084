//! `report expiring`: the rests of purchases that expire soon, with the money at stake.

use super::asked::Report;
use super::total::NO_COST;
use crate::operation::ExpiringStock;
use crate::render::{Cell, Column, Holds, Sheet};

pub(super) fn sheet(report: &Report, expiring: &[ExpiringStock]) -> Sheet {
    let text = |text: Option<String>| Cell::Text(text.unwrap_or_default());
    let rows = expiring.iter().map(|it| {
        vec![
            Cell::Date(it.expires_on),
            Cell::Number(it.days_left.into()),
            Cell::Text(it.name.to_string()),
            Cell::Quantity(it.left),
            Cell::Text(it.unit.to_string()),
            Cell::money_or(it.cost.map(|cost| cost.centavos()), NO_COST),
            Cell::Money(it.amount.centavos()),
            text(it.purchase.supplier.as_ref().map(ToString::to_string)),
            text(it.purchase.lot.as_ref().map(ToString::to_string)),
            Cell::Number(it.sequence),
        ]
    });
    let costs: Vec<i64> = expiring.iter().filter_map(|it| it.cost).map(|cost| cost.centavos()).collect();
    let cost = (!costs.is_empty()).then(|| costs.iter().fold(0, |sum: i64, it| sum.saturating_add(*it)));
    let amount = expiring.iter().fold(0_i64, |sum, it| sum.saturating_add(it.amount.centavos()));
    let none = || Cell::Text(String::new());
    let total = vec![
        Cell::Text("Total".to_owned()),
        Cell::Unknown(""),
        none(),
        Cell::Unknown(""),
        none(),
        Cell::money_or(cost, NO_COST),
        Cell::Money(amount),
        none(),
        none(),
        Cell::Unknown(""),
    ];
    let ahead = match report.expiring_days() {
        0 => "hoje".to_owned(),
        1 => "até amanhã".to_owned(),
        days => format!("em até {days} dias"),
    };
    Sheet {
        name: "expiring",
        title: format!("Vence {ahead}"),
        columns: vec![
            Column::new("Vence", "expires_on", "vence", Holds::Text),
            Column::new("Dias", "days_left", "dias", Holds::Number),
            Column::new("Produto", "product", "produto", Holds::Text),
            Column::new("Resta", "left", "resta", Holds::Quantity),
            Column::new("Un", "unit", "unidade", Holds::Text).extra(),
            Column::new("Custo (R$)", "cost", "custo", Holds::Money),
            Column::new("Venda (R$)", "amount", "valor", Holds::Money),
            Column::new("Fornecedor", "supplier", "fornecedor", Holds::Text).extra(),
            Column::new("Lote", "lot", "lote", Holds::Text).extra(),
            Column::new("Nº", "sequence", "numero", Holds::Number).extra(),
        ],
        rows: rows.collect(),
        total,
        notes: vec!["O que resta é contado como das compras que vencem por último.".to_owned()],
        nothing: "Nada vence nesse prazo.",
    }
}
