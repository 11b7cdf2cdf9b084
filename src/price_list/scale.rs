//! Price lists from the load files of scales.

use std::collections::HashMap;

use super::error::PriceListError;
use super::list::{Department, PriceList, Reading};
use crate::catalog::{Key, Name, ProductDraft, Quantity, Quoted, TermsDraft, Unit, counted};
use crate::scale_file::{Item, Record, SECTORS_FILE, ScaleFile, Sectors};

/// The whole names that a note has as examples.
const WHOLE_NAMED_MAX: usize = 3;

/// The first place of a code or a name in the file.
struct First {
    line: u64,
    department: Option<u8>,
}

/// The products of a scale file. Nothing is merged: a code or a name that comes again is a bad row.
///
/// # Errors
/// If the file has too many records, or none of the department that is asked for.
pub(super) fn list(file: ScaleFile, reading: &Reading) -> Result<PriceList, PriceListError> {
    if file.records.len() > reading.rows_max {
        return Err(PriceListError::TooManyRows(reading.rows_max));
    }
    let chosen = Chosen::of(&file, reading)?;
    let layout = file.layout;
    let mut list = PriceList { source: Some(file.description()), ..PriceList::default() };
    if let (Some(sectors), Some(source)) = (&reading.sectors, &mut list.source) {
        let codes = file.records.iter().filter_map(|record| Some(record.item.as_ref().ok()?.code));
        source.push_str(&format!(", com os setores de {SECTORS_FILE}: {}", sectors.shown()));
        let unsold = sectors.count_unsold(codes);
        if unsold > 0 {
            let records =
                counted(unsold, "registro não está em nenhum setor", "registros não estão em nenhum setor");
            list.notes.push(records);
        }
    }
    let (mut codes, mut names) = (HashMap::new(), HashMap::new());
    let mut left_out = 0;
    let mut whole = Vec::new();
    for Record { line, item } in file.records {
        match item {
            Ok(item) if !chosen.has(&item) => left_out += 1,
            Ok(mut item) => {
                let known = reading.known_names.get(&item.code.number()).map(Name::as_str);
                if let Some(known) = known.filter(|known| layout.is_written_as(known, &item.name)) {
                    if Key::fold(known) != Key::fold(&item.name) {
                        whole.push(format!("{} = {}", Quoted(&item.name), Quoted(known)));
                    }
                    // Letters such as ½ are several in a file, which may make a name too long.
                    item.name = known.to_owned();
                }
                match draft(&item, line, &mut codes, &mut names) {
                    Ok(draft) => list.push(line, draft, false),
                    Err(what) => list.bad.push((line, what)),
                }
            }
            Err(what) => list.bad.push((line, what)),
        }
    }
    if left_out > 0 {
        let records = counted(
            left_out,
            "registro de outro departamento não foi lido",
            "registros de outros departamentos não foram lidos",
        );
        list.notes.push(records);
    }
    if !whole.is_empty() {
        let records = counted(
            whole.len(),
            "registro tem o nome cortado do produto do mesmo código, que fica com o nome inteiro",
            "registros têm os nomes cortados dos produtos dos mesmos códigos, que ficam com os nomes inteiros",
        );
        let more = if whole.len() > WHOLE_NAMED_MAX { ", …" } else { "" };
        whole.truncate(WHOLE_NAMED_MAX);
        list.notes.push(format!("{records}: {}{more}", whole.join(", ")));
    }
    Ok(list)
}

/// The records of a file that are read.
enum Chosen<'r> {
    All,
    Department(u8),
    Sector(&'r Sectors, usize),
}

impl<'r> Chosen<'r> {
    /// # Errors
    /// If the file has not the department that is asked for.
    fn of(file: &ScaleFile, reading: &'r Reading) -> Result<Self, PriceListError> {
        let Some(asked) = &reading.department else { return Ok(Self::All) };
        let name = match asked {
            Department::Number(number) => number.to_string(),
            Department::Sector(name) => name.clone(),
        };
        if let Some(sectors) = &reading.sectors {
            let none = || {
                let what = format!(
                    "nenhum setor se chama {}; os de {SECTORS_FILE} são {}",
                    Quoted(&name),
                    sectors.shown()
                );
                PriceListError::NoSector(what)
            };
            return sectors.place(&name).map(|place| Self::Sector(sectors, place)).ok_or_else(none);
        }
        let departments = file.departments();
        match asked {
            Department::Number(department) if departments.contains(department) => {
                Ok(Self::Department(*department))
            }
            Department::Number(department) => Err(PriceListError::NoDepartment {
                department: *department,
                layout: file.layout.name,
                departments,
            }),
            Department::Sector(_) if file.has_sectors() => Err(PriceListError::NoSector(format!(
                "falta {SECTORS_FILE}, que diz o setor de cada código; ponha-o na pasta do arquivo"
            ))),
            Department::Sector(name) => Err(PriceListError::NoSector(format!(
                "o departamento é um número de 1 a 99, e não {}",
                Quoted(name)
            ))),
        }
    }

    fn has(&self, item: &Item) -> bool {
        match self {
            Self::All => true,
            Self::Department(department) => item.department == Some(*department),
            Self::Sector(sectors, place) => sectors.sells(*place, item.code),
        }
    }
}

/// The row of a product.
///
/// # Errors
/// If the name cannot be one, or an earlier record has the code or the name.
fn draft(
    item: &Item,
    line: u64,
    codes: &mut HashMap<u32, First>,
    names: &mut HashMap<Key, First>,
) -> Result<ProductDraft, String> {
    let name = Name::parse(&item.name).map_err(|error| error.to_string())?;
    let here = || First { line, department: item.department };
    if let Some(first) = codes.get(&item.code.number()) {
        return Err(format!("o código {} de {} {}", item.code, Quoted(name.as_str()), again(first, item)));
    }
    if let Some(first) = names.get(&name.key()) {
        return Err(format!("{}, de código {}, {}", Quoted(name.as_str()), item.code, again(first, item)));
    }
    codes.insert(item.code.number(), here());
    names.insert(name.key(), here());
    let days = Some(item.shelf_life_days).filter(|days| *days > 0);
    let terms = TermsDraft { code: Some(item.code), shelf_life_days: days, ..TermsDraft::default() };
    // A piece may be a bunch or a box, which the file does not say.
    let unit = if item.is_weighed { Unit::parse("kg").ok() } else { None };
    Ok(ProductDraft { name, price: item.price, unit, opening_stock: Quantity::ZERO, terms })
}

/// Says that something stands in the file already.
fn again(first: &First, item: &Item) -> String {
    match (first.department, item.department) {
        (Some(first_department), Some(department)) if first_department != department => format!(
            "já aparece na linha {}, no departamento {first_department:02} (este é do {department:02}: escolha um com \
             --department)",
            first.line
        ),
        _ => format!("já aparece na linha {}", first.line),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, read_as};
    use super::*;

    fn record(department: u8, kind: u8, code: u32, centavos: u32, days: u32, name: &str) -> String {
        format!("{department:02}{kind}{code:06}{centavos:06}{days:03}{name:<50}{:0<82}\r\n", "")
    }

    fn shown(list: &PriceList) -> Vec<String> {
        let row = |row: &ProductDraft| {
            let unit = row.unit.as_ref().map_or("-", Unit::as_str);
            format!("{} {} {unit} {:?}", row.name, row.price, row.terms.code.map(|code| code.number()))
        };
        list.rows.iter().map(row).collect()
    }

    #[test]
    fn codes_and_names_that_come_again_are_listed_and_never_merged() {
        let file = [
            record(1, 0, 12, 699, 3, "BANANA NANICA"),
            record(1, 1, 13, 350, 0, "COCO"),
            record(2, 0, 12, 1990, 0, "QUEIJO"),
            record(2, 0, 14, 799, 0, "banana nanica"),
            record(2, 0, 15, 799, 0, "PRESUNTO"),
            record(1, 0, 16, 799, 0, "COCO"),
        ]
        .concat();
        let list = read(file.as_bytes()).unwrap();
        assert_eq!(
            shown(&list),
            ["BANANA NANICA 6.99 kg Some(12)", "COCO 3.5 - Some(13)", "PRESUNTO 7.99 kg Some(15)"]
        );
        let bad: Vec<_> = list.bad.iter().map(|(line, what)| format!("{line}: {what}")).collect();
        assert_eq!(
            bad,
            [
                "3: o código 12 de \"QUEIJO\" já aparece na linha 1, no departamento 01 (este é do 02: escolha um com \
                 --department)",
                "4: \"banana nanica\", de código 14, já aparece na linha 1, no departamento 01 (este é do 02: escolha \
                 um com --department)",
                "6: \"COCO\", de código 16, já aparece na linha 2",
            ]
        );
        let of = |department| {
            read_as(
                file.as_bytes(),
                &Reading { department: Some(Department::Number(department)), ..Reading::default() },
            )
        };
        let list = of(2).unwrap();
        assert_eq!((list.rows.len(), list.bad.len(), list.lines), (3, 0, vec![3, 4, 5]));
        assert!(list.notes[0].contains("3 registros"), "{:?}", list.notes);
        assert!(of(3).unwrap_err().to_string().contains("01, 02"), "{}", of(3).unwrap_err());
        let list = read_as(
            b"nome;preco\nUva;3\n",
            &Reading { department: Some(Department::Number(1)), ..Reading::default() },
        );
        assert!(list.unwrap_err().to_string().contains("--department"));
    }

    #[test]
    fn bad_records_are_one_line_each() {
        let good = record(6, 0, 2126, 699, 3, "BANANA");
        for (record, what) in [
            (record(6, 0, 0, 699, 3, "UVA"), "código 0"),
            (record(0, 0, 1, 699, 3, "UVA"), "departamento 00"),
            (record(6, 0, 1, 699, 3, ""), "sem nome"),
            (record(6, 7, 1, 699, 3, "UVA"), "não diz peso nem unidade"),
            (good.replace("000699", "00x699"), "preço inválido"),
        ] {
            let list = read(format!("{}{record}", good.replace("2126", "2127")).as_bytes()).unwrap();
            assert_eq!(list.bad.len(), 1, "{record}");
            assert!(list.bad[0].1.contains(what), "{:?}", list.bad);
        }
        let short = good.replace("BANANA", "BANAN");
        for file in [format!("{good}{short}"), format!("{short}{good}"), short.clone()] {
            let error = read(file.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("têm 150 bytes, e o da linha") && error.contains("tem 149"), "{error}");
        }
        let sectors = read(b"HORTIFRUTI  0021260001000\r\n").unwrap_err().to_string();
        assert!(sectors.contains("CADTXT"), "{sectors}");
    }
}
