//! Reads price lists as Brazilians keep them: workbooks (`.xlsx`, `.ods`, `.xls`), load files of scales, and CSV with
//! any delimiter, decimal points or commas, in UTF-8, UTF-16 or Windows-1252. Compares lists with the catalog.

mod cells;
mod columns;
mod count_columns;
mod count_list;
mod differences;
mod error;
mod faults;
mod field;
mod header;
mod headings;
mod limits;
mod list;
mod numbers;
mod parts;
mod record;
mod row;
mod scale;
mod sections;
mod sheet;
mod skipped;
mod table;
mod text;
mod withdrawn;
mod workbook;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::catalog::{ProductDraft, Quoted, counted};
use crate::scale_file;
pub use count_list::{CountList, CountedRow, read_counts};
pub use differences::{Catalog, Difference, Kept, Mark, names_by_code};
pub use error::PriceListError;
pub use field::Field;
use header::{Header, List, find_header, header_columns};
pub use limits::{COLUMNS_MAX, INFLATED_BYTES_MAX, ROWS_MAX};
pub use list::{Department, PriceList, Reading};
use numbers::Numbers;
use record::{Kind, Line};
use row::{Row, read_row};
use skipped::{NoProduct, Skipped, no_product};
use table::Table;
pub use text::{Lines, TextError, decode};
pub use workbook::WorkbookError;

/// The largest file that is read, in bytes: the most rows, of half a kilobyte each.
pub const FILE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The number of bad rows that a message names; the others are counted.
pub const BAD_ROWS_SHOWN_MAX: usize = 50;

/// The error about the bad rows of a list, by the line of the file.
#[derive(Debug)]
pub struct BadRows {
    /// The first bad rows, each with its line and its error.
    pub rows: Vec<(u64, String)>,
    /// The indexes of the products of the list among them. The others cannot be read.
    pub products: Vec<usize>,
    /// The number of all bad rows.
    pub count: usize,
}

impl BadRows {
    /// Adds the error of the product at this index of the list.
    pub fn add(&mut self, list: &PriceList, index: usize, what: String) {
        if let Some(line) = list.lines.get(index) {
            self.rows.push((*line, what));
            self.products.push(index);
        }
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", bad_rows_shown(&self.rows, self.count))?;
        write!(f, "Nada foi importado; corrija e importe de novo")
    }
}

/// The message that lists the first bad rows, each on a line of its own. There are `count` in all.
pub fn bad_rows_shown(rows: &[(u64, String)], count: usize) -> String {
    let shown = &rows[..rows.len().min(BAD_ROWS_SHOWN_MAX)];
    let mut message = counted(count, "linha com erro:", "linhas com erro:");
    for (line, what) in shown {
        message += &format!("\nlinha {line}: {what}");
    }
    if count > shown.len() {
        message += &format!("\n… e mais {}", count - shown.len());
    }
    message
}

/// Reads a price list.
///
/// # Errors
/// If the file is of another kind or encoding, or has no header that names the columns, no rows, or too many.
pub fn read(bytes: &[u8]) -> Result<PriceList, PriceListError> {
    read_as(bytes, &Reading::default())
}

/// Reads a price list in this way.
///
/// # Errors
/// If the file is of another kind or encoding, or has no header that names the columns, no rows, or too many.
pub fn read_as(bytes: &[u8], reading: &Reading) -> Result<PriceList, PriceListError> {
    if let Some(file) = scale_file::read(bytes) {
        return scale::list(file?, reading);
    }
    if reading.department.is_some() {
        return Err(PriceListError::NoScaleFile);
    }
    let header_columns = |rows: &mut dyn Iterator<Item = Line>| header_columns(rows, &reading.columns);
    read_table(&Table::of(bytes, reading.inflated_bytes_max, header_columns)?, reading)
}

/// Reads the rows of a table. The numbers of all rows decide the decimal mark before the first row is read.
fn read_table(table: &Table, reading: &Reading) -> Result<PriceList, PriceListError> {
    let mut list = PriceList::default();
    if let Some((line, Err(what))) = table.rows().next() {
        list.bad.push((line, what));
        return Ok(list);
    }
    let Header { lists, rows_before } = find_header(table, &reading.columns)?;
    list.columns = lists.iter().flat_map(|list| list.columns.read_from(&list.header)).collect();
    list.notes.extend(lists.iter().filter_map(|list| list.columns.unread(&list.header)));
    let is_read = |place: usize| {
        let mut own = lists.iter().filter_map(|list| Some((list, place.checked_sub(list.places.start)?)));
        own.any(|(list, own)| list.places.contains(&place) && list.columns.are_read(own))
    };
    list.notes.extend(table.notes(&is_read));
    let is_alone = lists.len() == 1;
    let mut numbers = Numbers::default();
    let mut has_lower_case = false;
    // A row of the table is one of each of the lists side by side.
    let mut row_count = 0;
    for (line, row) in table.rows().skip(rows_before) {
        for List { places, columns, .. } in &lists {
            let Ok(row) = &row else { continue };
            let row = if is_alone { Cow::Borrowed(row) } else { Cow::Owned(row.part(places)) };
            row_count += usize::from(is_alone || !row.is_blank());
            let texts = columns.decimals().filter(|place| row.kind(*place) == Kind::Text);
            texts.filter_map(|place| row.get(place)).for_each(|cell| numbers.look_at(line, cell));
            let name = columns.place(Field::Name).and_then(|place| row.get(place)).unwrap_or_default();
            has_lower_case |= name.chars().any(char::is_lowercase);
        }
        row_count += usize::from(row.is_err());
        if row_count > reading.rows_max {
            return Err(PriceListError::TooManyRows(reading.rows_max));
        }
    }
    let mut skipped = Skipped::below(rows_before - 1);
    let mut first = First::default();
    for (number, List { places, header, columns }) in lists.iter().enumerate() {
        let mut section = columns.section.clone();
        let rows = || table.rows().skip(rows_before).filter_map(|(_, row)| Some(row.ok()?.part(places)));
        let is_grouped = columns.are_grouped(rows());
        if is_grouped {
            list.notes.push(columns.grouped_note(header));
        }
        // The line below the last product.
        let mut line_below = None;
        for (line, row) in table.rows().skip(rows_before) {
            if row.is_err() && number > 0 {
                continue;
            }
            let row = if is_alone { row } else { row.map(|row| row.part(places)) };
            if let Ok(row) = &row {
                // The shorter of two lists side by side ends with empty cells.
                if !is_alone && row.is_blank() {
                    continue;
                }
                let stands_apart = line_below != Some(line);
                line_below = None;
                if let Some(category) = columns.category(row).filter(|_| is_grouped) {
                    section = Some(category);
                }
                if let Some(no_product) = no_product(row, header, columns, has_lower_case, stands_apart) {
                    match &no_product {
                        NoProduct::Section(category) => section = Some(category.clone()),
                        NoProduct::Withdrawn => line_below = Some(line + 1),
                        _ => {}
                    }
                    skipped.note_row(&no_product);
                    continue;
                }
            }
            line_below = Some(line + 1);
            let read = row.and_then(|row| table.check(&row, columns).map(|()| row));
            let read = read.and_then(|row| read_row(&row, columns, &numbers, section.as_ref()));
            match read.and_then(|row| row.map_or(Ok(None), |row| first.note(row, line, &list).map(Some))) {
                Ok(None) => skipped.unpriced += 1,
                Ok(Some(Noted::Again)) => skipped.repeated += 1,
                Ok(Some(Noted::New(row))) => list.push(line, row.draft, row.has_stock),
                Err(what) => list.bad.push((line, what)),
            }
        }
    }
    if !is_alone {
        list.sort();
    }
    if list.rows.is_empty() && list.bad.is_empty() {
        return Err(PriceListError::NoRows);
    }
    list.notes.extend(skipped.note());
    list.notes.extend(numbers.note());
    Ok(list)
}

/// The first lines of names and codes.
#[derive(Default)]
struct First {
    /// The line and the row of each name in small letters. Only names that differ by case alone are compared here:
    /// other spellings may be two products, which only the server can decide.
    names: HashMap<String, (u64, usize)>,
    codes: HashMap<u64, u64>,
}

/// A row whose name was looked for.
enum Noted {
    New(Row),
    /// An earlier row says the same.
    Again,
}

impl First {
    /// Notes the name and the codes of a row. A row in error leaves them to others.
    ///
    /// # Errors
    /// If an earlier row has the name with other values, or gives one of the codes another product.
    fn note(&mut self, row: Row, line: u64, list: &PriceList) -> Result<Noted, String> {
        let name = row.draft.name.as_str();
        if let Some((first, index)) = self.names.get(&name.to_lowercase()) {
            let same = list.rows.get(*index).filter(|_| list.have_stock[*index] == row.has_stock);
            let draft = ProductDraft { name: list.rows[*index].name.clone(), ..row.draft.clone() };
            return match same {
                Some(same) if *same == draft => Ok(Noted::Again),
                _ => Err(format!("{} já aparece na linha {first}, com outros valores", Quoted(name))),
            };
        }
        for (code, value) in row.draft.terms.codes() {
            if let Some(first) = self.codes.get(&value) {
                return Err(format!("o código {code} de {} já aparece na linha {first}", Quoted(name)));
            }
        }
        self.codes.extend(row.draft.terms.codes().map(|(_, value)| (value, line)));
        self.names.insert(name.to_lowercase(), (line, list.rows.len()));
        Ok(Noted::New(row))
    }
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
        for price in ["1.23,45", "1.2345,6", "1,2345,678", ".123,4"] {
            assert!(
                shown(format!("nome;preco\nTrufa;{price}\n").as_bytes()).contains("preço inválido"),
                "{price}"
            );
        }
    }

    #[test]
    fn every_bad_row_is_reported_with_its_line() {
        let text = "nome;preco;estoque;unidade\n\
            Uva;9,90;10;cx\n\
            ;1;1;un\n\
            Figo;abc;1;un\n\
            Kiwi;;1;un\n\
            \n\
            UVA;8;1;cx\n\
            Caqui;1;1.0000;un\n\
            Romã;1;-1;un\n\
            Pera;1;1;caminhão inteiro\n\
            Lima;1;1;un;sobra\n";
        let rows = read(text.as_bytes()).unwrap().bad;
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 7, 8, 9, 10, 11]);
        assert!(rows[3].1.contains("linha 2"), "{}", rows[3].1);
    }

    #[test]
    fn the_columns_are_named_in_the_order_of_the_file() {
        let list = read("Preço ;obs;NOME\n3;x;Uva\n".as_bytes()).unwrap();
        let read: Vec<_> = list.columns.iter().map(|(field, heading)| (*field, heading.as_str())).collect();
        assert_eq!(read, [(Field::Price, "Preço"), (Field::Name, "NOME")]);
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
        let up_to = |rows_max| {
            let reading = Reading { rows_max, ..Reading::default() };
            read_as(b"nome,preco\nUva,1\n\nPera,1\nKiwi,1\n", &reading)
        };
        assert!(up_to(3).is_ok());
        assert!(matches!(up_to(2), Err(PriceListError::TooManyRows(2))));
        // Each of the lists side by side has rows of its own.
        let beside_up_to = |rows_max| {
            let reading = Reading { rows_max, ..Reading::default() };
            read_as(b"nome,preco,nome,preco\nUva,1,Pera,1\nKiwi,1,,\n", &reading)
        };
        assert_eq!(beside_up_to(3).unwrap().rows.len(), 3);
        assert!(matches!(beside_up_to(2), Err(PriceListError::TooManyRows(2))));
        assert!(matches!(read(b"PK\x03\x04"), Err(PriceListError::Text(TextError::OtherKind { .. }))));
    }

    #[test]
    fn the_numbers_of_the_list_decide_and_not_its_delimiter() {
        for (text, rows) in [
            // Google Sheets in Portuguese.
            ("nome,preco,estoque,unidade\nAbacaxi,\"8,90\",2.000,un\n", "2: Abacaxi 8.9 2000 un\n"),
            ("nome;preco;estoque;unidade\nUva;3.50;1,000;kg\n", "2: Uva 3.5 1000 kg\n"),
            ("nome;preco;estoque;unidade\nUva;3,50;1,000;kg\n", "2: Uva 3.5 1 kg\n"),
            ("nome,preco,estoque,unidade\nUva,3.50,1.000,kg\n", "2: Uva 3.5 1 kg\n"),
            // A price with two readings, beside a stock that decides.
            (
                "nome;preco;estoque\nTrufa;R$ 1.000;1\nUva;2;0,350\n",
                "2: Trufa 1000.0 1 -\n3: Uva 2.0 0.35 -\n",
            ),
            (
                "nome;preco;estoque\nUva;3;1.000.000\nPera;2;12,500\n",
                "2: Uva 3.0 1000000 -\n3: Pera 2.0 12.5 -\n",
            ),
        ] {
            assert_eq!(shown(text.as_bytes()), rows, "{text}");
        }
        let list = read("nome;preco;estoque\nUva;3,50;1.000\n".as_bytes()).unwrap();
        assert!(
            list.notes[0].contains("vírgula decimal") && list.notes[0].contains("é 1000"),
            "{:?}",
            list.notes
        );
        for (text, what) in [
            ("nome;preco;estoque\nUva;3;1.000\n", "(2, \"o estoque \\\"1.000\\\" tem duas leituras"),
            ("nome,preco,estoque\nUva,3,1.000\n", "escreva 1000 ou 1"),
            ("nome;preco\nTrufa;R$ 1.250\n", "(2, \"o preço \\\"R$ 1.250\\\" tem duas leituras, 1250 e 1,25"),
            ("nome;preco;estoque\nUva;3,50;1\nPera;2.5;1\nFigo;1;1.000\n", "das duas formas"),
        ] {
            assert!(shown(text.as_bytes()).contains(what), "{text}: {}", shown(text.as_bytes()));
        }
    }

    #[test]
    fn a_total_is_no_product_and_a_product_may_begin_like_one() {
        let text = "Produto;Preço\nTotal Flex detergente;9,90\nUva;3,00\nTotal geral;12,90\nSubtotal frutas;3,00\n\
            Total:;3,00\nMédia;3,00\nTotal de 2 itens;5,00\nSub-total (R$);1,00\nTotal Frutal;\n";
        assert_eq!(shown(text.as_bytes()), "2: Total Flex detergente 9.9 0 -\n3: Uva 3.0 0 -\n");
        let notes = read(text.as_bytes()).unwrap().notes;
        assert_eq!(notes, ["7 linhas não entraram: 7 de total"]);
    }

    #[test]
    fn columns_of_shops_online_and_of_markets() {
        let text = "Produto;Variedade;Preço;Estoque disponível\nUva;Itália;9,90;3\nUva;Rubi;8,00;2\n";
        assert_eq!(shown(text.as_bytes()), "2: Uva Itália 9.9 3 -\n3: Uva Rubi 8.0 2 -\n");
    }

    #[test]
    fn a_row_in_error_is_so_alone() {
        // Two products of one line have the same code.
        let beside =
            "Produto;Código;Preço;Produto;Código;Preço\nUva;7;9,90;Figo;7;2,00\nPera;9;3,00;Kiwi;8;1,00\n";
        let mut list = read(beside.as_bytes()).unwrap();
        assert_eq!(list.bad, [(2, "o código 7 de \"Figo\" já aparece na linha 2".to_owned())]);
        // The other product of a line stays if one is left out.
        let named = |list: &PriceList| -> Vec<String> {
            list.rows.iter().zip(&list.lines).map(|(row, line)| format!("{line}: {}", row.name)).collect()
        };
        assert_eq!(named(&list), ["2: Uva", "3: Pera", "3: Kiwi"]);
        let mut bad = BadRows { rows: list.bad.clone(), products: Vec::new(), count: 2 };
        bad.add(&list, 1, "não pode".to_owned());
        list.leave_out(&bad.products);
        assert_eq!((named(&list), &list.bad[..]), (vec!["2: Uva".to_owned(), "3: Kiwi".to_owned()], &[][..]));
        assert_eq!((list.lines.len(), list.have_stock.len()), (2, 2));
        // A row in error keeps no code from the others.
        let codes = "nome;preco;codigo;codigos_de_barras\nUva;1;;4011\nFigo;1;8;4011\nKiwi;1;8;\n";
        let list = read(codes.as_bytes()).unwrap();
        assert_eq!(list.bad, [(3, "o código 4011 de \"Figo\" já aparece na linha 2".to_owned())]);
    }

    #[test]
    fn what_a_first_line_says_of_the_delimiter() {
        for text in [
            "sep=;\nnome;preco\nUva, verde;3,5\n",
            "\u{FEFF}SEP=;\r\nnome;preco\r\nUva, verde;3,5\r\n",
            "\"sep=;\"\nnome;preco\nUva, verde;3,5\n",
            "sep=;;\nnome;preco\nUva, verde;3,5\n",
            "sep=\\t\nnome\tpreco\nUva, verde\t3,5\n",
            "sep=\t\nnome\tpreco\nUva, verde\t3,5\n",
            "sep=|\nnome|preco\nUva, verde|3,5\n",
            "sep=^\nnome^preco\nUva, verde^3,5\n",
            "sep=\nnome;preco\nUva, verde;3,5\n",
            "sep=;\rnome;preco\rUva, verde;3,5\r",
        ] {
            assert_eq!(shown(text.as_bytes()), "3: Uva, verde 3.5 0 -\n", "{text:?}");
        }
        for text in ["sep=abc\nnome;preco\nUva;1\n", "sep=é\n", "sep=;x\n"] {
            assert!(
                shown(text.as_bytes()).contains("primeira linha diz que"),
                "{text}: {}",
                shown(text.as_bytes())
            );
        }
        assert!(shown(b"sep=,\nnome;preco\nUva;1\n").contains("falta a coluna nome"));
    }

    /// Ten lists that an earlier version read wrong without a message.
    #[test]
    fn nasty_lists() {
        for (bytes, told) in [
            // A stray quotation mark in a column that is not read swallows rows.
            (&b"nome;preco;obs\nUva;3;\"grande\nPera;2;\"verde\nFigo;1;x\n"[..], "linha: confira-as"),
            (b"nome;preco;obs\nUva;3;\"grande\nPera;2;verde\n", "(2, \"as aspas abertas aqui"),
            // The file was cut inside a cell.
            (b"nome,preco\nUva,\"8,9", "foi cortado"),
            (b"nome,preco,estoque,unidade\nUva,3,50,10\n", "unidade \\\"10\\\" é"),
            (b"nome;preco\nMa\xC3\xA7\xC3\xA3;3\nLim\xE3o;1\n", "mistura"),
            (b"nome;preco\nUva;3\nLim\xC3", "cortado"),
            (b"nome\0;preco\0\n", "bytes nulos"),
            (b"nome;preco;estoque\nUva;3;1.000\n", "duas leituras"),
            (b"\xFF\xFE\0\0n\0\0\0", "bytes nulos"),
            (b"nome;preco\nU\x08va;3\n", "caractere de controle"),
        ] {
            assert!(shown(bytes).contains(told), "{}: {}", bytes.escape_ascii(), shown(bytes));
        }
        // Nothing is wrong with these lists.
        for text in [
            "nome;preco;obs\nUva;3;\"duas\nlinhas\"\n\u{1A}",
            "nome;preco\r\n\"Uva\r\n\";3\r\n",
            "nome|preco\nUva|3\n",
        ] {
            assert_eq!(shown(text.as_bytes()), "2: Uva 3.0 0 -\n", "{text:?}");
        }
        assert_eq!(shown(b"nome,preco,unidade\nUva,3.0,10\n"), "2: Uva 3.0 0 10\n");
    }
}
