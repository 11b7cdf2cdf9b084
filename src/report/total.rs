//! Totals as the reports show them.

use crate::catalog::{LossReason, Quantity};
use crate::operation::{Grouping, Summary};
use crate::render::{Cell, Column, Holds, reais};

/// The words in place of a cost that nobody knows.
pub(super) const NO_COST: &str = "sem custo";

/// Totals of which several are summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: i64,
    pub(super) documents: i64,
    /// The documents that added, and those that took away.
    pub(super) added_documents: i64,
    pub(super) taken_documents: i64,
    pub(super) amount: i64,
    /// The cost of what went out or came in, without a sign, of the movements whose cost is known.
    pub(super) cost: i64,
    /// Whether the cost of any movement is known.
    pub(super) has_cost: bool,
    /// The amounts of the movements whose cost is unknown.
    pub(super) uncosted: i64,
    pub(super) added_amount: i64,
}

impl Sum {
    pub(super) fn of<'s>(totals: impl IntoIterator<Item = &'s Summary>) -> Self {
        let mut sum = Self::default();
        for total in totals {
            sum.count += total.count;
            sum.documents += total.document_count;
            sum.added_documents += total.added_document_count;
            sum.taken_documents += total.taken_document_count;
            sum.amount = sum.amount.saturating_add(total.amount.centavos());
            sum.cost = sum.cost.saturating_add(total.cost.map_or(0, |cost| cost.centavos().saturating_abs()));
            sum.has_cost |= total.cost.is_some();
            sum.uncosted = sum.uncosted.saturating_add(total.uncosted_amount.centavos());
            sum.added_amount = sum.added_amount.saturating_add(total.added_amount.centavos());
        }
        sum
    }

    /// The cost, if that of any movement is known.
    pub(super) fn known_cost(&self) -> Option<i64> {
        self.has_cost.then_some(self.cost)
    }

    pub(super) fn cost_cell(&self) -> Cell {
        Cell::money_or(self.known_cost(), NO_COST)
    }

    /// The amounts of the movements whose cost is known.
    pub(super) fn costed(&self) -> i64 {
        self.amount - self.uncosted
    }

    /// The money that sales of known cost brought beyond their cost.
    pub(super) fn margin(&self) -> Option<i64> {
        self.known_cost().map(|cost| self.costed() - cost)
    }

    /// The margin as a part of those sales.
    pub(super) fn margin_cell(&self) -> Cell {
        self.margin().map_or(Cell::Unknown(NO_COST), |margin| Cell::share(margin, self.costed()))
    }
}

/// The column of a group.
pub(super) fn group_column(by: Grouping) -> Column {
    let (heading, key, csv) = match by {
        Grouping::Kind => ("Motivo", "kind", "motivo"),
        Grouping::Product => ("Produto", "product", "produto"),
        Grouping::Day => ("Dia", "day", "dia"),
        Grouping::LossReason => ("Causa", "reason", "causa"),
        Grouping::Category => ("Categoria", "category", "categoria"),
        Grouping::Supplier => ("Fornecedor", "supplier", "fornecedor"),
        Grouping::Author => ("Autor", "author", "autor"),
    };
    Column::new(heading, key, csv, Holds::Text)
}

/// The name of a group. A movement without a category, for example, is in a group without a name.
pub(super) fn group_cell(by: Grouping, total: &Summary) -> Cell {
    if by == Grouping::LossReason
        && let Some(reason) = LossReason::from_word(&total.group)
    {
        return Cell::Word { word: reason.word(), shown: reason.shown() };
    }
    let none = match by {
        Grouping::LossReason => "sem causa",
        Grouping::Category => "sem categoria",
        Grouping::Supplier => "sem fornecedor",
        Grouping::Author => "sem autor",
        Grouping::Kind | Grouping::Product | Grouping::Day => "",
    };
    Cell::Text(if total.group.is_empty() { none.to_owned() } else { total.group.clone() })
}

/// The quantity that a total moved, without its sign; nothing if its products have several units.
pub(super) fn moved_cell(total: &Summary) -> Cell {
    if total.unit.is_none() {
        return Cell::Unknown("");
    }
    Cell::Quantity(without_sign(total.quantity))
}

pub(super) fn unit_cell(total: &Summary) -> Cell {
    Cell::Text(total.unit.as_ref().map_or(String::new(), ToString::to_string))
}

pub(super) fn without_sign(quantity: Quantity) -> Quantity {
    Quantity::from_thousandths(quantity.thousandths().saturating_abs()).unwrap_or(Quantity::MAX)
}

/// The totals in the order in which a report shows them: days as they came, other groups by money, most first.
pub(super) fn by_money(by: Grouping, totals: &[Summary]) -> Vec<&Summary> {
    let mut sorted: Vec<&Summary> = totals.iter().collect();
    if by != Grouping::Day {
        sorted.sort_by_key(|total| std::cmp::Reverse(total.amount));
    }
    sorted
}

/// A note about losses whose cost nobody knows, beside others.
pub(super) fn uncosted_losses_note(losses: &Sum) -> Option<String> {
    let is_partly = losses.uncosted > 0 && losses.has_cost;
    is_partly.then(|| {
        let uncosted = reais(losses.uncosted);
        format!("Perdas de {uncosted} a preço de venda são {NO_COST}, e ficam fora do custo delas.")
    })
}

/// A note about purchases without a total, which have no cost but the price of sale.
pub(super) fn untotalled_note(purchases: &Sum) -> Option<String> {
    (purchases.uncosted > 0).then(|| {
        let uncosted = reais(purchases.uncosted);
        format!("Compras de {uncosted} são sem o total pago, e contam ao preço de venda: ninguém sabe o que custaram.")
    })
}

/// A note about sales whose cost nobody knows.
pub(super) fn uncosted_note(sum: &Sum) -> Option<String> {
    let is_partly = sum.uncosted > 0 && sum.has_cost;
    is_partly.then(|| {
        let uncosted = reais(sum.uncosted);
        format!("Vendas de {uncosted} são de estoque sem custo conhecido, e ficam fora do custo e da margem.")
    })
}
