//! `report trace`: who sold what to the shop, when, and how much of it is left.

use super::asked::Report;
use crate::operation::TraceReply;
use crate::render::{Cell, Column, Holds, Sheet};

pub(super) fn sheet(report: &Report, page: &TraceReply) -> Sheet {
    let text = |text: Option<String>| Cell::Text(text.unwrap_or_default());
    let rows = page.purchases.iter().map(|it| {
        vec![
            Cell::Date(report.days.date_of(it.bought_at)),
            Cell::Text(it.name.to_string()),
            Cell::Quantity(it.bought),
            Cell::Quantity(it.left),
            Cell::Text(it.unit.to_string()),
            text(it.purchase.supplier.as_ref().map(ToString::to_string)),
            text(it.purchase.lot.as_ref().map(ToString::to_string)),
            it.expires_on.map_or(text(None), Cell::Date),
            Cell::Money(it.amount.centavos()),
            text(it.author.as_ref().map(ToString::to_string)),
            Cell::Number(it.sequence),
        ]
    });
    let mut notes = vec!["O que resta é contado como das compras que vencem por último.".to_owned()];
    notes.extend(page.next.map(|_| "Há compras mais antigas, que não cabem aqui.".to_owned()));
    Sheet {
        name: "trace",
        title: format!("Compras de {}", report.words),
        columns: vec![
            Column::new("Comprado em", "bought_on", "comprado_em", Holds::Text),
            Column::new("Produto", "product", "produto", Holds::Text),
            Column::new("Comprado", "bought", "comprado", Holds::Quantity),
            Column::new("Resta", "left", "resta", Holds::Quantity),
            Column::new("Un", "unit", "unidade", Holds::Text).extra(),
            Column::new("Fornecedor", "supplier", "fornecedor", Holds::Text),
            Column::new("Lote", "lot", "lote", Holds::Text),
            Column::new("Vence", "expires_on", "vence", Holds::Text).extra(),
            Column::new("Valor (R$)", "amount", "valor", Holds::Money).extra(),
            Column::new("Por", "author", "autor", Holds::Text).extra(),
            Column::new("Nº", "sequence", "numero", Holds::Number).extra(),
        ],
        rows: rows.collect(),
        notes,
        nothing: "Nenhuma compra de um fornecedor ou lote com essas palavras.",
        ..Sheet::default()
    }
}
