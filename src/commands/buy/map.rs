//! `--map`: a CSV in which a person says of which products the lines of an invoice are.

use std::path::Path;

use crate::catalog::{Key, Quoted};
use crate::commands::Error;
use crate::commands::input::read_file;
use crate::invoice::{Invoice, Line};
use crate::price_list;
use crate::refusal::{Code, Refusal};

/// The sign in the place of a product that says that a line is not booked.
pub(super) const SKIP: &str = "-";

/// The columns, as a template has them.
pub(super) const COLUMNS: &str = "item;codigo;produto;conteudo;recebido;descricao";

/// The rows of a file.
#[derive(Debug, Default)]
pub(super) struct Map {
    rows: Vec<Row>,
}

/// The answer of a person about a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The number of the line on the invoice; empty for every line of the code.
    item: String,
    code: String,
    /// The name or a code of the product, or [`SKIP`].
    pub(super) product: String,
    /// The content of one of the supplier's units, such as `20kg`.
    pub(super) content: String,
    /// The quantity that was received of the whole line.
    pub(super) received: String,
}

impl Map {
    pub(super) fn of_file(path: &Path) -> Result<Self, Error> {
        let bytes = read_file(path, "Nada foi lançado")?;
        let read = Self::read(&bytes);
        read.map_err(|what| {
            let what = format!("{}: {what}. Nada foi lançado; a primeira linha é {COLUMNS}.", path.display());
            Refusal::new(Code::InvalidArgument, what).into()
        })
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        // A program for spreadsheets may have written it.
        let text = price_list::decode(bytes).map_err(|error| error.to_string())?;
        let separator = if text.lines().next().is_some_and(|line| line.contains(';')) { b';' } else { b',' };
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
        let heading: Vec<String> = reader
            .headers()
            .map_err(|error| error.to_string())?
            .iter()
            .map(|cell| Key::fold(cell).as_str().to_owned())
            .collect();
        let place = |name: &str| heading.iter().position(|cell| cell == name);
        let places = ["item", "codigo", "produto", "conteudo", "recebido"].map(place);
        if places[2].is_none() || (places[0].is_none() && places[1].is_none()) {
            return Err("faltam as colunas produto e item ou codigo".to_owned());
        }
        let mut rows = Vec::new();
        for (record, line) in reader.records().zip(2..) {
            let record = record.map_err(|error| error.to_string())?;
            let cell = |place: Option<usize>| {
                place.and_then(|place| record.get(place)).unwrap_or("").trim().to_owned()
            };
            let [item, code, product, content, received] = places.map(cell);
            if item.is_empty() && code.is_empty() {
                return Err(format!("linha {line}: falta o item ou o codigo"));
            }
            let row = Row { item, code, product, content, received };
            let is_other =
                |other: &Row| (&other.item, &other.code) == (&row.item, &row.code) && *other != row;
            if let Some(other) = rows.iter().position(is_other) {
                return Err(format!(
                    "as linhas {} e {line} dizem coisas diferentes do mesmo item",
                    other + 2
                ));
            }
            rows.push(row);
        }
        Ok(Self { rows })
    }

    /// The row of a line: that of its number before that of its code.
    pub(super) fn row(&self, line: &Line) -> Option<&Row> {
        let number = line.number.to_string();
        let is_code = |row: &Row| row.code.is_empty() || row.code == line.code;
        let by_number = self.rows.iter().find(|row| row.item == number && is_code(row));
        by_number.or_else(|| self.rows.iter().find(|row| row.item.is_empty() && row.code == line.code))
    }

    /// The first row that is of no line.
    pub(super) fn check(&self, invoice: &Invoice) -> Result<(), Refusal> {
        let is_of = |row: &Row, line: &Line| {
            let by_number = row.item == line.number.to_string();
            (by_number || row.item.is_empty()) && (row.code.is_empty() || row.code == line.code)
        };
        match self.rows.iter().find(|row| !invoice.lines.iter().any(|line| is_of(row, line))) {
            None => Ok(()),
            Some(row) => {
                let (item, code) = (Quoted(&row.item), Quoted(&row.code));
                let what = format!(
                    "a nota não tem o item {item} com o código {code}, do --map. Nada foi lançado; corrija o arquivo."
                );
                Err(Refusal::new(Code::InvalidArgument, what))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_with_either_separator_and_columns_in_any_order() {
        let row = Row {
            item: "3".into(),
            code: "12".into(),
            product: "Água de coco".into(),
            content: "24un".into(),
            received: String::new(),
        };
        for text in [
            "item;codigo;produto;conteudo;recebido;descricao\n3;12;Água de coco;24un;;AGUA\n",
            "\u{FEFF}Produto,Código,Conteúdo,Item\r\nÁgua de coco,12,24un,3\r\n",
        ] {
            assert_eq!(Map::read(text.as_bytes()).unwrap().rows, std::slice::from_ref(&row), "{text}");
        }
        for (text, what) in [
            ("item;codigo\n1;2\n", "faltam as colunas"),
            ("produto;conteudo\nMaca;1\n", "faltam as colunas"),
            ("item;produto\n;Maca\n", "linha 2: falta o item"),
            ("item;produto\n1;Maca\n2;Pera\n1;Pera\n", "as linhas 2 e 4 dizem coisas diferentes"),
            ("codigo;produto\n7;Maca\n7;Pera\n", "as linhas 2 e 3 dizem coisas diferentes"),
        ] {
            assert!(Map::read(text.as_bytes()).unwrap_err().contains(what), "{text}");
        }
        // Two rows that agree are one, and another program may have written Windows-1252.
        let twice = Map::read("item;produto\n1;Maca\n1;Maca\n".as_bytes()).unwrap();
        assert_eq!(twice.rows.len(), 2);
        let old = Map::read(b"item;produto\n1;Ma\xE7\xE3\n").unwrap();
        assert_eq!(old.rows[0].product, "Maçã");
        assert!(Map::read("item;produto\n1;Maçã\n".as_bytes().split_last().unwrap().1).is_ok());
    }
}
