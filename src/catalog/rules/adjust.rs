//! The rules of `AdjustStock`: a change of one stock.

use std::borrow::Cow;

use crate::catalog::adjustment::Adjustment;
use crate::catalog::cost::STOCK_COST_CENTAVOS_MAX;
use crate::catalog::details::Details;
use crate::catalog::draft::Draft;
use crate::catalog::label::LabelError;
use crate::catalog::movement::{Kind, Movement};
use crate::catalog::price::Price;
use crate::catalog::product::{FRACTIONS, Product, Unit};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::{Quoted, Shown};
use crate::catalog::rules::cost::{Costing, Stock};

/// Why a stock change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentError {
    /// A change by nothing.
    #[error("quantidade inválida: 0 não muda o estoque")]
    Zero,
    /// A label that cannot be used.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// A change by a label with another quantity than the label's.
    #[error("a etiqueta diz {quantity} {unit}, e foram pedidos {delta}; peça 0 para o que ela diz")]
    OtherThanLabel { quantity: Quantity, unit: Unit, delta: Quantity },
    /// A fraction that the unit does not have.
    #[error("quantidade inválida: {delta} de {} ({FRACTIONS}; este é vendido por {unit})", Quoted(.name))]
    Fraction { name: String, unit: Unit, delta: Quantity },
    /// The stock would go below zero.
    #[error("estoque insuficiente de {}: há {available} {unit}, foram pedidos {requested}", Quoted(.name))]
    Insufficient { name: String, unit: Unit, available: Quantity, requested: Quantity },
    /// A sale or a loss that would add, or a purchase that would take away.
    #[error(
        "quantidade inválida: {} {} o estoque, e {delta} faz o contrário; a linha certa é 3 {} {} motivo={}",
        .kind.word(), if .kind.takes() { "diminui" } else { "aumenta" }, Shown(.name), .delta.opposite(), .kind.word()
    )]
    WrongSign { name: String, kind: Kind, delta: Quantity },
    /// A total for a movement that is neither a purchase nor a sale.
    #[error("o total só existe em compra e venda, e este motivo é {}", .0.word())]
    TotalOfOther(Kind),
    /// The reason of a loss for a movement that is no loss.
    #[error("a causa só existe em perda, e este motivo é {}", .0.word())]
    ReasonOfOther(Kind),
    /// A supplier, a lot or an expiry for a movement that is no purchase.
    #[error("fornecedor, lote e validade só existem em compra, e este motivo é {}", .0.word())]
    PurchaseOfOther(Kind),
    /// The cost of the stock would pass its limit.
    #[error("o custo do estoque de {} passaria do limite de {} centavos", Quoted(.name), STOCK_COST_CENTAVOS_MAX)]
    CostTooLarge { name: String },
    /// A sale or a purchase of a product that is no longer sold.
    #[error("{} está aposentado, e não se vende nem se compra", Quoted(.name))]
    Discontinued { name: String },
    /// The balance would pass [`Quantity::MAX`].
    #[error("o estoque de {} passaria do limite de {} {unit}", Quoted(.name), Quantity::MAX)]
    BalanceTooLarge { name: String, unit: Unit },
}

impl Draft<'_> {
    /// Changes a stock.
    ///
    /// # Errors
    /// If the change is zero, is a fraction that the unit does not have, says something else than its label, or
    /// would take the balance below zero or above [`Quantity::MAX`]. The draft is then unchanged.
    pub fn adjust(&mut self, adjustment: &Adjustment) -> Result<&Movement, AdjustmentError> {
        let adjustment = &*self.measured(adjustment)?;
        let terms = self.terms(adjustment.product);
        check_delta(terms, adjustment.delta)?;
        check_kind(terms, adjustment)?;
        self.make(adjustment, None)
    }

    /// The change with what its label says, if it has one, at the price now in force.
    ///
    /// # Errors
    /// If the label cannot be used, or the change asks for another quantity.
    pub(super) fn measured<'a>(
        &self,
        adjustment: &'a Adjustment,
    ) -> Result<Cow<'a, Adjustment>, AdjustmentError> {
        let Some(label) = adjustment.label else { return Ok(Cow::Borrowed(adjustment)) };
        let Product { name, unit, price, .. } = self.terms(adjustment.product);
        let quantity = label.quantity(name, unit, *price)?;
        let delta = match adjustment.delta {
            Quantity::ZERO if adjustment.takes() => quantity.opposite(),
            Quantity::ZERO => quantity,
            delta if delta == quantity || delta == quantity.opposite() => delta,
            delta => return Err(AdjustmentError::OtherThanLabel { quantity, unit: unit.clone(), delta }),
        };
        Ok(Cow::Owned(Adjustment { delta, ..adjustment.clone() }))
    }

    /// Makes a change whose delta and kind are checked. `undone` is the movement that the change undoes.
    pub(super) fn make(
        &mut self,
        adjustment: &Adjustment,
        undone: Option<&Movement>,
    ) -> Result<&Movement, AdjustmentError> {
        let costing = undone.map_or_else(|| costing(adjustment), |undone| Costing::Undo(undone.cost));
        // With the price of that time the amounts are opposite, too.
        self.book(adjustment, costing, undone.map(|undone| undone.price))
    }

    /// Makes a change whose delta and kind are checked, at this cost and this price; by default the product's.
    pub(super) fn book(
        &mut self,
        adjustment: &Adjustment,
        costing: Costing,
        price: Option<Price>,
    ) -> Result<&Movement, AdjustmentError> {
        let terms = self.terms(adjustment.product);
        let price = price.unwrap_or(terms.price);
        let before = self.balance(terms);
        let stock = sum(terms, before.stock, adjustment.delta)?;
        let cost = costing.cost(Stock::of(before), adjustment.delta, stock);
        let cost = cost.ok_or_else(|| AdjustmentError::CostTooLarge { name: terms.name.to_string() })?;
        Ok(self.record(adjustment, before, stock, price, cost))
    }
}

/// The costing of a change that undoes nothing.
fn costing(adjustment: &Adjustment) -> Costing {
    let total = adjustment.details.as_ref().and_then(|details| details.amount);
    match total {
        Some(total) if adjustment.kind == Kind::Purchase => Costing::Paid(total),
        _ => Costing::Average,
    }
}

/// Checks that the kind may have this sign and these details.
pub(super) fn check_kind(terms: &Product, adjustment: &Adjustment) -> Result<(), AdjustmentError> {
    let Adjustment { delta, kind, .. } = *adjustment;
    let takes = delta < Quantity::ZERO;
    if takes && kind.brings() || !takes && kind.takes() {
        return Err(AdjustmentError::WrongSign { name: terms.name.to_string(), kind, delta });
    }
    if terms.flags.is_discontinued() && matches!(kind, Kind::Sale | Kind::Purchase) {
        return Err(AdjustmentError::Discontinued { name: terms.name.to_string() });
    }
    let Some(details) = &adjustment.details else { return Ok(()) };
    let Details { amount, loss_reason, purchase, .. } = &**details;
    if amount.is_some() && !matches!(kind, Kind::Purchase | Kind::Sale) {
        Err(AdjustmentError::TotalOfOther(kind))
    } else if loss_reason.is_some() && kind != Kind::Waste {
        Err(AdjustmentError::ReasonOfOther(kind))
    } else if purchase.is_some() && kind != Kind::Purchase {
        Err(AdjustmentError::PurchaseOfOther(kind))
    } else {
        Ok(())
    }
}

/// Refuses a change of zero, and a fraction that the unit does not have.
pub(super) fn check_delta(terms: &Product, delta: Quantity) -> Result<(), AdjustmentError> {
    if delta == Quantity::ZERO {
        return Err(AdjustmentError::Zero);
    }
    if !terms.unit.can_hold(delta) {
        let (name, unit) = (terms.name.to_string(), terms.unit.clone());
        return Err(AdjustmentError::Fraction { name, unit, delta });
    }
    Ok(())
}

/// The balance after a change.
///
/// # Errors
/// If the balance would be below zero or above [`Quantity::MAX`].
pub(super) fn sum(
    terms: &Product,
    available: Quantity,
    delta: Quantity,
) -> Result<Quantity, AdjustmentError> {
    let thousandths = available.thousandths() + delta.thousandths();
    if thousandths < 0 {
        let requested = Quantity::from_thousandths(-delta.thousandths()).unwrap_or(Quantity::MAX);
        let (name, unit) = (terms.name.to_string(), terms.unit.clone());
        return Err(AdjustmentError::Insufficient { name, unit, available, requested });
    }
    Quantity::from_thousandths(thousandths).map_err(|_| too_large(terms))
}

pub(super) fn too_large(terms: &Product) -> AdjustmentError {
    AdjustmentError::BalanceTooLarge { name: terms.name.to_string(), unit: terms.unit.clone() }
}
