//! The error about a file that is no price list.

use super::field::Field;
use super::limits::COLUMNS_MAX;
use super::text::TextError;
use super::workbook::WorkbookError;
use crate::catalog::Quoted;
use crate::scale_file::ScaleFileError;

/// Why a file is no price list. Nothing of it is imported.
#[derive(Debug, thiserror::Error)]
pub enum PriceListError {
    /// The content of the file is not the text of a list.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The file is one of a scale, and cannot be read.
    #[error(transparent)]
    Scale(#[from] ScaleFileError),
    /// No record is of the department that was asked for.
    #[error(
        "nenhum registro é do departamento {department:02}: {}. Nada foi importado; escolha outro com --department",
        in_file(.departments, .layout)
    )]
    NoDepartment {
        department: u8,
        layout: &'static str,
        /// The departments of the file.
        departments: Vec<u8>,
    },
    /// The sectors that were asked for are not there.
    #[error("{0}. Nada foi importado; confira --department")]
    NoSector(String),
    /// A department was asked for, and the file is none of a scale.
    #[error(
        "--department é de arquivos de balança, e este não é um. Nada foi importado; importe sem --department"
    )]
    NoScaleFile,
    /// The workbook cannot be read.
    #[error(transparent)]
    Workbook(#[from] WorkbookError),
    /// The table has too many columns.
    #[error(
        "a tabela tem {0} colunas, e uma lista tem até {COLUMNS_MAX}. Nada foi importado; deixe nela só a lista"
    )]
    TooManyColumns(usize),
    /// A column that the user names is not there.
    #[error("nenhuma coluna se chama {} (pedida para {field}) no cabeçalho {header}. Nada foi importado; confira --column", Quoted(.name))]
    NoColumn {
        field: &'static str,
        /// The name that the user gave.
        name: String,
        /// The header.
        header: String,
    },
    /// The list has a header and no rows.
    #[error("a lista só tem o cabeçalho. Nada foi importado; ponha um produto em cada linha")]
    NoRows,
    /// The file is empty.
    #[error("o arquivo está vazio: falta o cabeçalho nome,preco,estoque,unidade. Nada foi importado")]
    NoHeader,
    /// The header lacks a column.
    #[error(
        "falta a coluna {column} no cabeçalho {header}. Nada foi importado; as colunas são {}; se ela tem outro nome, \
         diga qual com --column {column}=NOME",
        Field::ALL.map(Field::heading).join(", ")
    )]
    MissingColumn {
        /// The missing column.
        column: &'static str,
        /// The header.
        header: String,
    },
    /// Two columns have the same name.
    #[error(
        "a coluna {} aparece duas vezes no cabeçalho. Nada foi importado; deixe uma só, ou, em listas lado a lado, \
         ponha em todas as mesmas colunas na mesma ordem",
        Quoted(.0)
    )]
    RepeatedColumn(String),
    /// Two columns may be the quantities of a count.
    #[error(
        "as colunas {} e {} podem ser a contagem. Nada foi alterado; chame a certa de contado",
        Quoted(.0),
        Quoted(.1)
    )]
    TwoQuantities(String, String),
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

/// Says which departments a file has.
fn in_file(departments: &[u8], layout: &str) -> String {
    if departments.is_empty() {
        return format!("os registros de {layout} não têm departamento");
    }
    let named: Vec<String> = departments.iter().map(|department| format!("{department:02}")).collect();
    format!("o arquivo tem {}", named.join(", "))
}
