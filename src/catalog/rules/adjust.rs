//! The rules of `AdjustStock`: a change of one stock.

use crate::catalog::adjustment::Adjustment;
use crate::catalog::draft::Draft;
use crate::catalog::movement::Movement;
use crate::catalog::product::{Product, Unit};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::Quoted;

/// Why a stock change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentError {
    /// A change by nothing.
    #[error("quantidade inválida: 0 não muda o estoque")]
    Zero,
    /// A fraction of a product that is not weighed.
    #[error("quantidade inválida: {delta} de {} (só produtos vendidos por kg aceitam frações, e este é vendido por {unit})", Quoted(.name))]
    Fraction { name: String, unit: Unit, delta: Quantity },
    /// The stock would go below zero.
    #[error("estoque insuficiente de {}: há {available} {unit}, foram pedidos {requested}", Quoted(.name))]
    Insufficient { name: String, unit: Unit, available: Quantity, requested: Quantity },
    /// The balance would pass [`Quantity::MAX`].
    #[error("o estoque de {} passaria do limite de {} {unit}", Quoted(.name), Quantity::MAX)]
    BalanceTooLarge { name: String, unit: Unit },
}

impl Draft<'_> {
    /// Changes a stock.
    ///
    /// # Errors
    /// If the change is zero, is a fraction of a product that is not weighed, or would take the balance
    /// below zero or above [`Quantity::MAX`]. The draft is then unchanged.
    pub fn adjust(&mut self, adjustment: &Adjustment) -> Result<&Movement, AdjustmentError> {
        let terms = self.terms(adjustment.product);
        check_delta(terms, adjustment.delta)?;
        let before = self.balance(terms);
        let stock = sum(terms, before.stock, adjustment.delta)?;
        let price = terms.price;
        Ok(self.record(adjustment, before, stock, price))
    }
}

/// Refuses a change of zero, and a fraction of a product that is not weighed.
pub(super) fn check_delta(terms: &Product, delta: Quantity) -> Result<(), AdjustmentError> {
    if delta == Quantity::ZERO {
        return Err(AdjustmentError::Zero);
    }
    if delta.has_fraction() && !terms.unit.takes_fractions() {
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
