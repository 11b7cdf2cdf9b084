//! `SummarizeMovements`: totals of a period, by kind, product, day and more.

use std::fmt;
use std::time::SystemTime;

use crate::catalog::{Amount, Cost, Kind, Quantity, Unit};

/// The grouping of the totals. There is a total for each group and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// The kind alone.
    #[default]
    Kind,
    /// The product and the kind.
    Product,
    /// The day and the kind.
    Day,
    /// The reason of a loss and the kind.
    LossReason,
    /// The category that the product has today, and the kind.
    Category,
    /// The supplier of a purchase and the kind.
    Supplier,
    /// The author and the kind.
    Author,
}

impl Grouping {
    /// The words for each grouping: that of scripts, and that of people.
    pub const WORDS: [(&'static str, &'static str, Grouping); 7] = [
        ("product", "produto", Grouping::Product),
        ("category", "categoria", Grouping::Category),
        ("day", "dia", Grouping::Day),
        ("reason", "causa", Grouping::LossReason),
        ("supplier", "fornecedor", Grouping::Supplier),
        ("author", "autor", Grouping::Author),
        ("kind", "motivo", Grouping::Kind),
    ];
}

/// The totals that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SummaryRequest<'a> {
    /// The first moment to include.
    pub since: Option<SystemTime>,
    /// The first moment after the period.
    pub until: Option<SystemTime>,
    /// The grouping of the totals.
    pub group_by: Grouping,
    /// The IANA name of the time zone of the days; empty for the server's.
    pub time_zone: &'a str,
    /// The only kind to include. `None` for all kinds.
    pub kind: Option<Kind>,
}

/// The total of a group. Movements that were undone and those that undo them are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The word of the kind or of the reason, the day (`2026-11-29`), or the name of the product, category,
    /// supplier or author. Empty for movements without one.
    pub group: String,
    /// The kind of the movements.
    pub kind: Kind,
    /// The number of movements.
    pub count: i64,
    /// The sum of the quantities, below zero if more was taken away than added. Zero if the products have
    /// different units.
    pub quantity: Quantity,
    /// The sum of the amounts.
    pub amount: Amount,
    /// The sum of the costs of the movements whose cost is known. `None` if there is none.
    pub cost: Option<Cost>,
    /// The number of documents: movements that were made together are one.
    pub document_count: i64,
    /// The number of documents that added, and of those that took away. Some do both.
    pub added_document_count: i64,
    pub taken_document_count: i64,
    /// The sum of the quantities and of the amounts of the movements that added.
    pub added_quantity: Quantity,
    pub added_amount: Amount,
    /// The sum of the amounts of the movements whose cost is unknown.
    pub uncosted_amount: Amount,
    /// The unit of the quantities. `None` if the products have different units.
    pub unit: Option<Unit>,
}

impl fmt::Display for SummaryRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SummarizeMovements")
    }
}
