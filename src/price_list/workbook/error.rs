//! Why a workbook is not read.

use crate::price_list::limits::COLUMNS_MAX;

/// Why a workbook is not read.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// The parts unfold to more bytes than they may.
    #[error(
        "a planilha, descompactada, passa de {} MiB. Nada foi importado; deixe nela só a lista, ou divida-a",
        .0 / (1024 * 1024)
    )]
    TooLarge(usize),
    /// The archive has too many parts.
    #[error(
        "a planilha tem {0} partes por dentro, mais do que qualquer planilha. Nada foi importado; salve-a de novo"
    )]
    TooManyParts(usize),
    /// The table is too large.
    #[error("a planilha tem células demais. Nada foi importado; deixe nela só a lista, ou divida-a")]
    TooManyCells,
    /// A cell stands too far to the right.
    #[error(
        "a planilha tem uma célula na coluna {0}, e uma lista vai até a {max}. Nada foi importado; apague o que está \
         longe da lista",
        max = COLUMNS_MAX
    )]
    TooManyColumns(usize),
    /// The workbook is encrypted.
    #[error("a planilha tem senha. Nada foi importado; salve-a sem senha")]
    Password,
    /// The workbook is of Excel's binary kind.
    #[error("o arquivo é uma planilha binária do Excel (xlsb). Nada foi importado; salve-a como xlsx ou CSV")]
    Binary,
    /// The library cannot read the workbook.
    #[error(
        "a planilha está danificada, ou não é do tipo que parece. Nada foi importado; abra-a no programa em que foi \
         feita e salve-a de novo"
    )]
    Damaged,
}
