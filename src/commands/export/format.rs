//! The formats of `export`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::catalog::counted;
use crate::commands::Error;
use crate::operation::ProductReply;
use crate::refusal::{Code, Refusal};
use crate::render::{
    catalog_sheet, is_price_list, is_spreadsheet_list, render_price_list, render_spreadsheet_list, workbook,
};
use crate::scale_file::{self, DEPARTMENTS, ScaleEncoding, ScaleFormat, is_scale_file};

/// The ends of the names of workbooks that `export` does not write.
const OTHER_WORKBOOKS: [&str; 4] = ["ods", "xls", "xlsm", "xlsb"];

/// The refusal of a load for scales without a product.
const NO_LOAD: &str = "nenhum produto à venda tem código de loja e preço, e uma carga vazia esvaziaria as balanças. Nada \
                       foi escrito; dê os códigos com `hortifruti product set NOME --code N`.";

/// A format of the catalog in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ExportFormat {
    /// CSV as programs read it.
    #[default]
    Csv,
    /// CSV as Brazilian spreadsheets open it.
    Spreadsheet,
    Xlsx,
    /// A file for scales.
    Scale(ScaleFormat),
}

/// The options of files for scales.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ScaleOptions {
    /// Em arquivos da Toledo: departamento, de 1 a 99. O padrão é 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(i64::from(*DEPARTMENTS.start())..=i64::from(*DEPARTMENTS.end())))]
    department: Option<u8>,
    /// Em arquivos de balança: ascii (o padrão), sem acentos, ou windows-1252, com eles
    #[arg(long, value_name = "CODIFICACAO", value_enum, hide_possible_values = true)]
    encoding: Option<ScaleEncoding>,
}

/// The catalog in a format.
pub(super) struct Exported {
    pub(super) bytes: Vec<u8>,
    /// The second file, if the format has one.
    pub(super) beside: Option<Vec<u8>>,
    /// The number of products in it.
    pub(super) count: usize,
    /// Lines for the user on what is not in it.
    pub(super) notes: Vec<String>,
}

impl ValueEnum for ExportFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Csv,
            Self::Spreadsheet,
            Self::Xlsx,
            Self::Scale(ScaleFormat::Itensmgv),
            Self::Scale(ScaleFormat::Itensmgv4),
            Self::Scale(ScaleFormat::Txitens),
            Self::Scale(ScaleFormat::Filizola),
            Self::Scale(ScaleFormat::Urano),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Csv => "csv",
            Self::Spreadsheet => "planilha",
            Self::Xlsx => "xlsx",
            Self::Scale(format) => format.word(),
        }))
    }
}

impl ValueEnum for ScaleEncoding {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Ascii, Self::Windows1252]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Ascii => "ascii",
            Self::Windows1252 => "windows-1252",
        }))
    }
}

impl ScaleOptions {
    pub(super) fn department(self) -> u8 {
        self.department.unwrap_or(*DEPARTMENTS.start())
    }

    pub(super) fn encoding(self) -> ScaleEncoding {
        self.encoding.unwrap_or_default()
    }
}

impl ExportFormat {
    /// The format of a file with this name, if no other is asked for.
    ///
    /// # Errors
    /// If programs expect another format in a file of this name.
    pub(super) fn of_name(file: Option<&Path>) -> Result<Self, Error> {
        let Some(file) = file else { return Ok(Self::Csv) };
        let is = |text: Option<&OsStr>, name: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(name));
        if is(file.extension(), "xlsx") {
            return Ok(Self::Xlsx);
        }
        if let Some(other) = OTHER_WORKBOOKS.into_iter().find(|end| is(file.extension(), end)) {
            return Err(Error::Usage(format!(
                "`export` não escreve arquivos .{other}. Nada foi escrito; escolha um nome com .xlsx, que o LibreOffice e \
                 o Excel abrem, ou com .csv"
            )));
        }
        let of_scale = |variant: &&Self| match variant {
            Self::Scale(format) => {
                let names = [Some(format.file_name()), format.second_file_name()];
                names.into_iter().flatten().any(|name| is(file.file_name(), name))
            }
            Self::Csv | Self::Spreadsheet | Self::Xlsx => false,
        };
        let Some(Self::Scale(format)) = Self::value_variants().iter().find(of_scale) else {
            return Ok(Self::Csv);
        };
        Err(Error::Usage(format!(
            "{} é o nome de uma carga de balança. Nada foi escrito; use {} com --format {}, ou outro nome para um CSV",
            file.display(),
            format.file_name(),
            format.word()
        )))
    }

    /// Refuses options that the format does not have.
    ///
    /// # Errors
    /// If the format is none of a scale, or one without departments, and one of the options is.
    pub(super) fn check_options(self, scale: ScaleOptions) -> Result<(), Error> {
        let what = match self {
            Self::Scale(format) if scale.department.is_some() && !format.has_departments() => {
                "--department é dos arquivos da Toledo. Nada foi escrito; tire a opção, ou use --format itensmgv"
            }
            Self::Csv | Self::Spreadsheet | Self::Xlsx
                if scale.department.is_some() || scale.encoding.is_some() =>
            {
                "--department e --encoding são de arquivos de balança. Nada foi escrito; diga o formato, como \
                 --format itensmgv"
            }
            _ => return Ok(()),
        };
        Err(Error::Usage(what.to_owned()))
    }

    /// The catalog in this format. A list has the products that are sold, and a note on the others.
    ///
    /// # Errors
    /// If a value does not fit its field, or no product would be in a load for scales.
    pub(super) fn exported(self, scale: ScaleOptions, all: &[ProductReply]) -> Result<Exported, Error> {
        let sold: Vec<&ProductReply> = all.iter().filter(|product| !product.is_discontinued).collect();
        let mut bytes = Vec::new();
        match self {
            Self::Csv => render_price_list(&mut bytes, sold.iter().copied()).map_err(anyhow::Error::from)?,
            Self::Spreadsheet => {
                render_spreadsheet_list(&mut bytes, sold.iter().copied()).map_err(anyhow::Error::from)?;
            }
            Self::Xlsx => {
                bytes = workbook(&catalog_sheet(sold.iter().copied()))
                    .map_err(|error| anyhow::anyhow!("{error}. Nada foi escrito"))?;
            }
            Self::Scale(format) => {
                let written = scale_file::write(format, scale.department(), scale.encoding(), all)
                    .map_err(|unfit| Refusal::new(Code::InvalidArgument, format!("{unfit}.")))?;
                if written.count == 0 {
                    return Err(Refusal::new(Code::InvalidArgument, NO_LOAD).into());
                }
                let (beside, notes) = (written.sectors, written.left_out.lines());
                return Ok(Exported { bytes: written.bytes, beside, count: written.count, notes });
            }
        }
        let notes = retired(all.len() - sold.len()).into_iter().collect();
        Ok(Exported { bytes, beside: None, count: sold.len(), notes })
    }

    /// The path of the second file, beside the first, if the format has one.
    pub(super) fn beside(self, file: &Path) -> Option<PathBuf> {
        match self {
            Self::Scale(format) => format.second_file_name().map(|name| file.with_file_name(name)),
            Self::Csv | Self::Spreadsheet | Self::Xlsx => None,
        }
    }

    /// Whether a file that begins so is one that `export` writes in this format.
    pub(super) fn has_written(self, head: &[u8]) -> bool {
        match self {
            Self::Csv => is_price_list(head),
            Self::Spreadsheet => is_spreadsheet_list(head),
            // A workbook does not say at its beginning who wrote it.
            Self::Xlsx => head.starts_with(b"PK\x03\x04"),
            Self::Scale(_) => head.is_empty() || is_scale_file(head),
        }
    }

    /// A description of the files that may be replaced.
    pub(super) fn replaced(self) -> &'static str {
        match self {
            Self::Csv | Self::Spreadsheet => "uma lista de `export`",
            Self::Xlsx => "uma planilha xlsx",
            Self::Scale(_) => "uma carga de balança",
        }
    }
}

/// The note on the products that are not sold any more, if there are some.
fn retired(count: usize) -> Option<String> {
    let left_out = counted(count, "produto aposentado ficou", "produtos aposentados ficaram");
    (count > 0).then(|| format!("{left_out} fora da lista; veja com `hortifruti query --retired`"))
}
