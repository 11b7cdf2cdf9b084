//! The refusals of changes of a stock.

use std::fmt;

use super::{Code, Refusal};
use crate::catalog::{AdjustmentError, CountError, Quantity};

impl Refusal {
    /// A change takes more than there is; `what` says it without a period.
    pub fn insufficient_stock(what: &impl fmt::Display, available: Quantity, requested: Quantity) -> Self {
        Self {
            metadata: vec![
                ("available_thousandths", available.thousandths().to_string()),
                ("requested_thousandths", requested.thousandths().to_string()),
            ],
            ..Self::new(
                Code::InsufficientStock,
                format!("{what}. Nada foi alterado; peça no máximo o que há."),
            )
        }
    }
}

impl From<AdjustmentError> for Refusal {
    fn from(error: AdjustmentError) -> Self {
        match &error {
            AdjustmentError::Zero
            | AdjustmentError::Fraction { .. }
            | AdjustmentError::WrongSign { .. }
            | AdjustmentError::OtherThanLabel { .. } => Self::invalid("delta_thousandths", error),
            AdjustmentError::Label(error) => Self::label(error),
            AdjustmentError::Insufficient { available, requested, .. } => {
                Self::insufficient_stock(&error, *available, *requested)
            }
            AdjustmentError::TotalOfOther(_) => Self::invalid("amount_centavos", error),
            AdjustmentError::ReasonOfOther(_) => Self::invalid("loss_reason", error),
            AdjustmentError::PurchaseOfOther(_) => Self::invalid("purchase", error),
            AdjustmentError::CostTooLarge { .. } => Self {
                metadata: vec![("field", "amount_centavos".to_owned())],
                ..Self::new(Code::OutOfRange, format!("{error}. Nada foi alterado; confira o total."))
            },
            AdjustmentError::Discontinued { .. } => {
                let what = format!(
                    "{error}. Nada foi alterado; devolva-o antes à venda, ou ajuste o estoque por uma contagem."
                );
                Self::new(Code::Discontinued, what)
            }
            AdjustmentError::BalanceTooLarge { .. } => Self {
                metadata: vec![("field", "delta_thousandths".to_owned())],
                ..Self::new(Code::OutOfRange, format!("{error}. Nada foi alterado; confira a quantidade."))
            },
        }
    }
}

impl From<CountError> for Refusal {
    fn from(error: CountError) -> Self {
        match &error {
            CountError::Negative { .. } | CountError::Fraction { .. } => {
                Self::invalid("counted_thousandths", error)
            }
            CountError::OtherUnit { .. } => Self::invalid("unit", error),
            CountError::Repeated { .. } => Self::invalid("name", error),
            CountError::Insufficient { available, missing, .. } => Self {
                metadata: vec![
                    ("available_thousandths", available.thousandths().to_string()),
                    ("requested_thousandths", missing.thousandths().to_string()),
                ],
                ..Self::new(Code::InsufficientStock, format!("{error}. Nada foi alterado; conte de novo."))
            },
            CountError::BalanceTooLarge { .. } | CountError::CostTooLarge { .. } => Self {
                metadata: vec![("field", "counted_thousandths".to_owned())],
                ..Self::new(Code::OutOfRange, format!("{error}. Nada foi alterado; confira a quantidade."))
            },
        }
    }
}
