//! The error about a file that is no price list.

use super::field::Field;
use super::text::TextError;
use crate::catalog::Quoted;

/// Most rows of a list: as many as a client reads products of a catalog, so that every exported list can be
/// imported.
pub const ROWS_MAX: usize = 1_000_000;

/// Why a file is no price list. Nothing of it is imported.
#[derive(Debug, thiserror::Error)]
pub enum PriceListError {
    /// The content of the file is not the text of a list.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The list has a header and no rows.
    #[error("a lista só tem o cabeçalho. Nada foi importado; ponha um produto em cada linha")]
    NoRows,
    /// The file is empty.
    #[error("o arquivo está vazio: falta o cabeçalho nome,preco,estoque,unidade. Nada foi importado")]
    NoHeader,
    /// The header lacks a column.
    #[error(
        "falta a coluna {column} no cabeçalho {header}. Nada foi importado; as colunas são {}",
        Field::ALL.map(Field::heading).join(", ")
    )]
    MissingColumn {
        /// The missing column.
        column: &'static str,
        /// The header.
        header: String,
    },
    /// Two columns have the same name.
    #[error("a coluna {0} aparece duas vezes no cabeçalho. Nada foi importado; deixe uma só")]
    RepeatedColumn(&'static str),
    /// The first line is `sep=` with a text that cannot separate cells.
    #[error(
        "a primeira linha diz que {} separa as colunas. Nada foi importado; escreva sep=; ou apague essa linha",
        Quoted(.0)
    )]
    Separator(String),
    /// The list has too many rows.
    #[error("a lista tem mais de {0} produtos. Nada foi importado; divida-a em arquivos menores")]
    TooManyRows(usize),
}
