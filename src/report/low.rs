//! `query --low`: the products that run out, and what to buy.

use super::asked::Report;
use crate::catalog::{Quantity, counted};
use crate::operation::{Basis, LowStock};
use crate::render::{Cell, Column, Holds, Sheet};

pub(super) fn sheet(report: &Report, low: &[LowStock]) -> Sheet {
    let limit = |quantity: Quantity| {
        if quantity == Quantity::ZERO { Cell::Unknown("") } else { Cell::Quantity(quantity) }
    };
    let rows = low.iter().map(|it| {
        let basis = match it.basis {
            Basis::None => "",
            Basis::Target => "alvo",
            Basis::Sales => "vendas",
            Basis::Minimum => "mínimo",
        };
        let has_basis = it.basis != Basis::None;
        vec![
            Cell::Text(it.name.to_string()),
            Cell::Quantity(it.stock),
            limit(it.minimum),
            limit(it.target),
            it.daily_sales.map_or(Cell::Unknown(""), Cell::Quantity),
            if has_basis { Cell::Quantity(it.to_buy) } else { Cell::Unknown("") },
            Cell::Text(it.unit.to_string()),
            if it.box_size > Quantity::ZERO { Cell::Number(boxes(it)) } else { Cell::Unknown("") },
            Cell::Text(basis.to_owned()),
        ]
    });
    let notes = match report.days_ahead {
        None | Some(0) => vec!["A comprar: até o alvo, ou até o mínimo de quem não tem alvo.".to_owned()],
        Some(days) => {
            let days = counted(days, "dia", "dias");
            vec![format!("A comprar: para {days}, pela média das vendas das últimas 4 semanas.")]
        }
    };
    Sheet {
        name: "low",
        title: "Acabando".to_owned(),
        columns: vec![
            Column::new("Produto", "product", "produto", Holds::Text),
            Column::new("Estoque", "stock", "estoque", Holds::Quantity),
            Column::new("Mínimo", "minimum", "minimo", Holds::Quantity),
            Column::new("Alvo", "target", "alvo", Holds::Quantity).extra(),
            Column::new("Por dia", "daily_sales", "por_dia", Holds::Quantity).extra(),
            Column::new("Comprar", "to_buy", "comprar", Holds::Quantity),
            Column::new("Un", "unit", "unidade", Holds::Text),
            Column::new("Caixas", "boxes", "caixas", Holds::Number).extra(),
            Column::new("Até", "basis", "ate", Holds::Text).extra(),
        ],
        rows: rows.collect(),
        notes,
        nothing: "Nada está acabando.",
        ..Sheet::default()
    }
}

/// The whole boxes of what to buy.
fn boxes(low: &LowStock) -> i64 {
    low.to_buy.thousandths().unsigned_abs().div_ceil(low.box_size.thousandths().unsigned_abs()).cast_signed()
}
