//! The fields that columns of a price list may have.

use crate::catalog::TermsField;

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Price,
    Stock,
    Unit,
    Code,
    Barcodes,
    Category,
    Minimum,
    Target,
    ShelfLife,
}

impl Field {
    /// All fields, in the order of the columns that `export` writes.
    pub const ALL: [Field; 10] = [
        Field::Name,
        Field::Price,
        Field::Stock,
        Field::Unit,
        Field::Code,
        Field::Barcodes,
        Field::Category,
        Field::Minimum,
        Field::Target,
        Field::ShelfLife,
    ];

    /// The heading of the column.
    pub const fn heading(self) -> &'static str {
        match self {
            Field::Name => "nome",
            Field::Price => "preco",
            Field::Stock => "estoque",
            Field::Unit => "unidade",
            Field::Code => "codigo",
            Field::Barcodes => "codigos_de_barras",
            Field::Category => "categoria",
            Field::Minimum => "minimo",
            Field::Target => "alvo",
            Field::ShelfLife => "validade_dias",
        }
    }

    /// The field in a message.
    pub(super) fn called(self) -> &'static str {
        match self {
            Field::Name => "o nome",
            Field::Price => "o preço",
            Field::Stock => "o estoque",
            Field::Unit => "a unidade",
            Field::Code => "o código",
            Field::Barcodes => "o código de barras",
            Field::Category => "a categoria",
            Field::Minimum => "o mínimo",
            Field::Target => "o alvo",
            Field::ShelfLife => "a validade",
        }
    }

    /// The term of a product that the column has, beyond name, unit and price.
    pub(super) fn term(self) -> Option<TermsField> {
        match self {
            Field::Name | Field::Price | Field::Stock | Field::Unit => None,
            Field::Code => Some(TermsField::Code),
            Field::Barcodes => Some(TermsField::Barcodes),
            Field::Category => Some(TermsField::Category),
            Field::Minimum => Some(TermsField::Minimum),
            Field::Target => Some(TermsField::Target),
            Field::ShelfLife => Some(TermsField::ShelfLife),
        }
    }

    /// Whether the cells of the column are numbers that may have decimals.
    pub(super) fn is_decimal(self) -> bool {
        matches!(self, Field::Price | Field::Stock | Field::Minimum | Field::Target)
    }
}
