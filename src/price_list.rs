//! Price lists as Brazilian spreadsheets save them: CSV with commas or semicolons, decimal
//! points or commas, UTF-8 or Windows-1252.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::catalog::{Key, Name, Price, ProductDraft, Quantity, Quoted, Unit, unguarded};
use crate::request::IMPORT_ROWS_MAX;

/// Largest file read, in bytes: the most rows with cells a kilobyte long.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bad rows told one by one; the rest are counted.
const BAD_ROWS_TOLD_MAX: usize = 50;

/// The rows of a price list.
#[derive(Debug, Default)]
pub struct PriceList {
    /// The products, in the order of the file.
    pub rows: Vec<ProductDraft>,
    /// The line of each in the file.
    pub lines: Vec<u64>,
    /// Rows that cannot be read, by the line of the file.
    pub bad: Vec<(u64, String)>,
    /// Columns that were not understood, and so not read; safe to show.
    pub ignored_columns: Vec<String>,
}

/// Why a file is no price list. Nothing of it is imported.
#[derive(Debug, thiserror::Error)]
pub enum PriceListError {
    /// A header and nothing below it.
    #[error("a lista só tem o cabeçalho. Nada foi importado; ponha um produto em cada linha")]
    NoRows,
    /// Nothing in it.
    #[error("o arquivo está vazio: falta o cabeçalho nome,preco,estoque,unidade. Nada foi importado")]
    NoHeader,
    /// No such column.
    #[error(
        "falta a coluna {column} no cabeçalho {header}. Nada foi importado; as colunas são nome, preco, estoque e unidade"
    )]
    MissingColumn {
        /// Which.
        column: &'static str,
        /// What was there instead.
        header: String,
    },
    /// Two columns of one name.
    #[error("a coluna {0} aparece duas vezes no cabeçalho. Nada foi importado; deixe uma só")]
    RepeatedColumn(&'static str),
    /// Too many rows for one import.
    #[error(
        "a lista tem mais de {IMPORT_ROWS_MAX} produtos. Nada foi importado; divida-a em arquivos menores"
    )]
    TooManyRows,
}

/// The bad rows of a list, by the line of the file.
#[derive(Debug)]
pub struct BadRows {
    /// Those that are known.
    pub rows: Vec<(u64, String)>,
    /// How many there are.
    pub count: usize,
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = &self.rows[..self.rows.len().min(BAD_ROWS_TOLD_MAX)];
        writeln!(f, "{} linha(s) com erro:", self.count)?;
        for (line, what) in told {
            writeln!(f, "linha {line}: {what}")?;
        }
        if self.count > told.len() {
            writeln!(f, "… e mais {}", self.count - told.len())?;
        }
        write!(f, "Nada foi importado; corrija e importe de novo")
    }
}

/// Where each column is.
struct Columns {
    name: usize,
    price: usize,
    stock: Option<usize>,
    unit: Option<usize>,
    count: usize,
}

/// Reads a file.
///
/// # Errors
/// Where it has no header that names the columns, no rows, or too many.
pub fn read(bytes: &[u8]) -> Result<PriceList, PriceListError> {
    let text = decode(bytes);
    let delimiter = delimiter(&text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut list = PriceList::default();
    let mut columns = None;
    // Names that differ by more than case may be of two products, which the server knows.
    let mut first_lines = HashMap::new();
    let mut counter = LineCounter { text: text.as_bytes(), byte: 0, line: 1 };
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                list.bad.push((counter.line_of(error.position()), "não é uma linha de CSV".to_owned()));
                break;
            }
        };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let line = counter.line_of(record.position());
        let Some(columns) = &columns else {
            columns = Some(read_header(&record, &mut list.ignored_columns)?);
            continue;
        };
        if list.rows.len() + list.bad.len() >= IMPORT_ROWS_MAX {
            return Err(PriceListError::TooManyRows);
        }
        match read_row(&record, columns, delimiter) {
            Ok(row) => match first_lines.insert(row.name.as_str().to_lowercase(), line) {
                Some(first) => list
                    .bad
                    .push((line, format!("{} já aparece na linha {first}", Quoted(row.name.as_str())))),
                None => {
                    list.rows.push(row);
                    list.lines.push(line);
                }
            },
            Err(what) => list.bad.push((line, what)),
        }
    }
    match columns {
        None => Err(PriceListError::NoHeader),
        Some(_) if list.rows.is_empty() && list.bad.is_empty() => Err(PriceListError::NoRows),
        Some(_) => Ok(list),
    }
}

/// Counts lines as an editor does. The CSV reader's own count is that of where it began to
/// look for a record: before blank lines, and before the second half of `\r\n`.
struct LineCounter<'t> {
    text: &'t [u8],
    byte: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of a record; records come in order.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let start = position.map_or(0, |position| position.byte()) as usize;
        while self.byte < self.text.len()
            && (self.byte < start || matches!(self.text[self.byte], b'\r' | b'\n'))
        {
            self.line += u64::from(self.text[self.byte] == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

/// The text, in whatever a spreadsheet wrote it: what its byte order mark says, else UTF-8,
/// else Windows-1252, in which any bytes are text.
fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, length)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[length..]).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// What parts the cells, by the first line with something in it.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    // The last of equals wins, and a comma is what a CSV is named after.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn read_header(record: &csv::StringRecord, ignored: &mut Vec<String>) -> Result<Columns, PriceListError> {
    let mut places: HashMap<&'static str, usize> = HashMap::new();
    for (place, cell) in record.iter().enumerate() {
        let key = Key::fold(cell.trim());
        match ["nome", "preco", "estoque", "unidade"].into_iter().find(|column| *column == key.as_str()) {
            Some(column) => {
                if places.insert(column, place).is_some() {
                    return Err(PriceListError::RepeatedColumn(column));
                }
            }
            None if key.as_str().is_empty() => {}
            None => ignored.push(Quoted(cell.trim()).to_string()),
        }
    }
    let required = |column| {
        let header = || Quoted(&record.iter().collect::<Vec<_>>().join(" ")).to_string();
        places.get(column).copied().ok_or_else(|| PriceListError::MissingColumn { column, header: header() })
    };
    Ok(Columns {
        name: required("nome")?,
        price: required("preco")?,
        stock: places.get("estoque").copied(),
        unit: places.get("unidade").copied(),
        count: record.len(),
    })
}

fn read_row(record: &csv::StringRecord, columns: &Columns, delimiter: u8) -> Result<ProductDraft, String> {
    fn told(error: impl fmt::Display) -> String {
        error.to_string()
    }
    if record.iter().skip(columns.count).any(|cell| !cell.trim().is_empty()) {
        return Err(format!(
            "tem {} colunas, e o cabeçalho {}: um número com vírgula decimal precisa de aspas, ou a lista de ponto e vírgula",
            record.len(),
            columns.count
        ));
    }
    let cell = |place: usize| record.get(place).unwrap_or("").trim();
    let optional = |place: Option<usize>| place.map(cell).filter(|cell| !cell.is_empty());
    let name = Name::parse(unguarded(cell(columns.name))).map_err(told)?;
    let price: Price = match cell(columns.price) {
        "" => return Err(format!("{} está sem preço", Quoted(name.as_str()))),
        text => without_thousands(text).parse().map_err(told)?,
    };
    let opening_stock = match optional(columns.stock) {
        None => Quantity::ZERO,
        Some(text) if is_ambiguous(&without_thousands(text), delimiter) => {
            return Err(format!(
                "o estoque {} pode ser milhar ou decimal: escreva sem separador de milhar, e decimais como no resto da lista",
                Quoted(text)
            ));
        }
        Some(text) => without_thousands(text).parse().map_err(told)?,
    };
    if opening_stock < Quantity::ZERO {
        return Err(format!("o estoque de {} não pode ser negativo", Quoted(name.as_str())));
    }
    let unit = optional(columns.unit).map(unguarded).map(Unit::parse).transpose().map_err(told)?;
    Ok(ProductDraft { name, price, unit, opening_stock })
}

/// `1.234,56` without its thousands separators, and `1,234.56` too: where both separators
/// stand in a number, the last is the decimal one. Spreadsheets save amounts so that are
/// formatted as currency.
fn without_thousands(text: &str) -> Cow<'_, str> {
    let Some(decimal) = text.rfind([',', '.']) else { return Cow::Borrowed(text) };
    let (whole, fraction) = text.split_at(decimal);
    let separator = if fraction.starts_with(',') { '.' } else { ',' };
    let mut groups = whole.split(separator);
    let first_digits = groups.next().unwrap_or("").chars().filter(char::is_ascii_digit).count();
    let is_grouped = whole.contains(separator)
        && (1..=3).contains(&first_digits)
        && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    if is_grouped { Cow::Owned(whole.replace(separator, "") + fraction) } else { Cow::Borrowed(text) }
}

/// Whether `1.000` in a list with decimal commas, or `1,000` in one with decimal points,
/// may have been meant as one thousand. Lists with semicolons are those with decimal commas.
fn is_ambiguous(text: &str, delimiter: u8) -> bool {
    let foreign_separator = if delimiter == b',' { ',' } else { '.' };
    text.rsplit_once(foreign_separator).is_some_and(|(whole, decimals)| {
        decimals.len() == 3 && !whole.trim_start_matches(['+', '-']).starts_with('0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        match read(bytes) {
            Ok(list) if !list.bad.is_empty() => format!("{:?}", list.bad),
            Ok(list) => list
                .rows
                .iter()
                .zip(&list.lines)
                .map(|(row, line)| {
                    let unit = row.unit.as_ref().map_or("-", |unit| unit.as_str());
                    format!("{line}: {} {} {} {unit}\n", row.name, row.price, row.opening_stock)
                })
                .collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn as_spreadsheets_save_them() {
        let expected = "2: Maçã 3.5 1.5 kg\n";
        for text in [
            "nome,preco,estoque,unidade\nMaçã,3.50,1.5,kg\n",
            "Nome;Preço;Estoque;Unidade\r\nMaçã;3,50;1,5;KG\r\n",
            "\u{FEFF}UNIDADE\tESTOQUE\tNOME\tPREÇO\nkg\t1,5\tMaçã\tR$ 3,50\n",
            "preco,unidade,cor,nome,estoque\n\"3,50\",kg,verde,\"Maçã\",1.5",
            " nome ; preco ; estoque ; unidade ;\n Maçã ; 3,5 ; 1,500 ; kg ;;\n;;;\n",
        ] {
            assert_eq!(shown(text.as_bytes()), expected, "{text}");
        }
        let (windows, _, _) =
            encoding_rs::WINDOWS_1252.encode("Nome;Preço;Estoque;Unidade\nMaçã;3,50;1,5;kg\n");
        assert_eq!(shown(&windows), expected);
        let utf16: Vec<u8> = "\u{FEFF}nome;preco;estoque;unidade\nMaçã;3,5;1,5;kg\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(shown(&utf16), expected);
        assert_eq!(shown("preco,nome\n3,Uva\n".as_bytes()), "2: Uva 3.0 0 -\n");
        assert_eq!(
            shown("nome;preco;unidade\n'=1+1;3;'@cx\n=2;3;\nd'água;3;\n".as_bytes()),
            "2: =1+1 3.0 0 @cx\n3: =2 3.0 0 -\n4: d'água 3.0 0 -\n"
        );
        for price in ["R$ 1.234,56", "\"1,234.56\"", "1.234,56"] {
            assert_eq!(shown(format!("nome;preco\nTrufa;{price}\n").as_bytes()), "2: Trufa 1234.56 0 -\n");
        }
        assert_eq!(
            shown("nome;preco;estoque\nUva;1.234.567,5;1.234,5\n".as_bytes()),
            "2: Uva 1234567.5 1234.5 -\n"
        );
        for price in ["1.23,45", "1.2345,6", "1,234,567", ".123,4"] {
            assert!(
                shown(format!("nome;preco\nTrufa;{price}\n").as_bytes()).contains("preço inválido"),
                "{price}"
            );
        }
    }

    #[test]
    fn every_bad_row_is_told_with_its_line() {
        let text = "nome;preco;estoque;unidade\n\
            Uva;9,90;10;cx\n\
            ;1;1;un\n\
            Figo;abc;1;un\n\
            Kiwi;;1;un\n\
            \n\
            UVA;8;1;cx\n\
            Caqui;1;1.000;un\n\
            Romã;1;-1;un\n\
            Pera;1;1;caminhão inteiro\n\
            Lima;1;1;un;sobra\n";
        let rows = read(text.as_bytes()).unwrap().bad;
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 7, 8, 9, 10, 11]);
        assert!(rows[3].1.contains("linha 2"), "{}", rows[3].1);
    }

    #[test]
    fn what_is_no_price_list() {
        for (text, told) in [
            ("", "vazio"),
            ("nome,preco\n\n", "cabeçalho"),
            ("\n\n", "vazio"),
            ("Maca,3\n", "nome"),
            ("nome\nUva\n", "preco"),
            ("nome,preco,NOME\n", "duas vezes"),
        ] {
            let error = shown(text.as_bytes());
            assert!(error.contains(told), "{text:?}: {error}");
        }
        let many =
            format!("nome,preco\n{}", (0..=IMPORT_ROWS_MAX).map(|i| format!("P{i},1\n")).collect::<String>());
        assert!(matches!(read(many.as_bytes()), Err(PriceListError::TooManyRows)));
    }
}
