//! Reads a scale file: the width of its records and their first fields say which layout they have.

use super::item::{DEPARTMENTS, Item};
use super::layout::{CADTXT, Field, Layout, Numbers, READ, SETORTXT_BYTES, SETORTXT_CODE, SETORTXT_INDEX};
use super::text::decoded;
use crate::catalog::{Price, Quoted, SHELF_LIFE_DAYS_MAX, ShopCode, counted};

/// The difference in bytes up to which a record that is too short or too long is still recognised.
const BYTES_OFF_MAX: usize = 3;

/// The fewest bytes of a record that was cut and still has its codes and its price.
const CUT_BYTES_MIN: usize = 20;

/// The bytes between the cells of other lists.
const DELIMITERS: &[u8] = b";,\t|";

/// The departments that a message names.
const DEPARTMENTS_NAMED_MAX: usize = 5;

/// The records of a file.
#[derive(Debug)]
pub struct ScaleFile {
    pub layout: &'static Layout,
    /// The records, in the order of the file.
    pub records: Vec<Record>,
}

/// A record, and the line of the file that it stands in.
#[derive(Debug)]
pub struct Record {
    pub line: u64,
    /// The product, or what is wrong with the record.
    pub item: Result<Item, String>,
}

/// Why nothing of a scale file is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScaleFileError {
    /// Some records have another width.
    #[error(
        "os registros de {layout} têm {expected} bytes, e o da linha {line} tem {found}{}: o arquivo foi cortado ou \
         editado. Nada foi importado; gere-o de novo no programa da balança",
        and_more(*.more)
    )]
    Width { layout: &'static str, expected: usize, line: u64, found: usize, more: usize },
    /// A record of the sectors cannot be read.
    #[error(
        "em SETORTXT.TXT, na linha {line}, {what}. Nada foi importado; gere-o de novo no programa da balança"
    )]
    Sector { line: u64, what: String },
    /// The file has sectors and no products.
    #[error(
        "é um SETORTXT.TXT da Filizola, que só diz o setor de cada código. Nada foi importado; importe o CADTXT.TXT, \
         que tem os nomes e os preços, e com ele é lido o SETORTXT.TXT da mesma pasta"
    )]
    Sectors,
}

fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (e mais 1 assim)".to_owned(),
        count => format!(" (e mais {count} assim)"),
    }
}

/// Whether a file that begins so is a scale file.
pub fn is_scale_file(head: &[u8]) -> bool {
    let Some((_, first)) = each_line(head).next() else { return false };
    is_sector(first) || READ.iter().any(|layout| layout.takes(first))
}

fn is_sector(record: &[u8]) -> bool {
    let is_digits = |field: Field| field.of(record).iter().all(u8::is_ascii_digit);
    record.len() == SETORTXT_BYTES
        && !record.contains(&b';')
        && is_digits(SETORTXT_CODE)
        && is_digits(SETORTXT_INDEX)
}

/// Reads a scale file. `None` if the file is of another kind.
///
/// # Errors
/// If some records have another width than the others, or the file has no products.
pub fn read(bytes: &[u8]) -> Option<Result<ScaleFile, ScaleFileError>> {
    let lines = lines(bytes);
    let layout = match lines.iter().find_map(|(_, record)| READ.iter().find(|it| it.takes(record))) {
        Some(layout) => layout,
        None if lines.first().is_some_and(|(_, record)| is_sector(record)) => {
            return Some(Err(ScaleFileError::Sectors));
        }
        None => {
            let (_, first) = lines.first()?;
            // No record has the width of a layout, as in a file of one record that was cut. A text without a
            // delimiter is no list of any other kind.
            let is_cut = lines.len() == 1 && !first.iter().any(|byte| DELIMITERS.contains(byte));
            READ.iter().find(|layout| {
                let bytes_off = first.len().abs_diff(layout.record_bytes);
                (bytes_off <= BYTES_OFF_MAX
                    || (is_cut && (CUT_BYTES_MIN..layout.record_bytes).contains(&first.len())))
                    && layout.begins(first)
                    && is_all_digits(first, layout)
            })?
        }
    };
    // A list with commas is no scale file, even if one of its lines looks like a record.
    let (_, first) = lines.first()?;
    if !layout.begins(first) {
        return None;
    }
    let mut wrong = lines.iter().filter(|(_, record)| record.len() != layout.record_bytes);
    if let Some((line, record)) = wrong.next() {
        return Some(Err(ScaleFileError::Width {
            layout: layout.name,
            expected: layout.record_bytes,
            line: *line,
            found: record.len(),
            more: wrong.count(),
        }));
    }
    let read = |(line, record): (u64, &[u8])| Record { line, item: item(layout, record) };
    Some(Ok(ScaleFile { layout, records: lines.into_iter().map(read).collect() }))
}

/// Whether the fields of numbers at the beginning of a record that may be cut have nothing but digits.
fn is_all_digits(record: &[u8], layout: &Layout) -> bool {
    [Some(layout.code), layout.department]
        .into_iter()
        .flatten()
        .all(|field| field.of(record).iter().all(|byte| byte.is_ascii_digit() || *byte == b' '))
}

/// The lines that are not blank, each with its number. DOS programs ended a text with 0x1A, and old ones of the Mac a
/// line with a return alone.
pub(super) fn lines(bytes: &[u8]) -> Vec<(u64, &[u8])> {
    each_line(bytes).collect()
}

fn each_line(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let end = bytes.iter().rposition(|byte| *byte != 0x1A).map_or(0, |last| last + 1);
    let end_of_line = if bytes[..end].contains(&b'\n') { b'\n' } else { b'\r' };
    let lines = (1..).zip(bytes[..end].split(move |byte| *byte == end_of_line));
    let lines = lines.map(|(line, record)| (line, record.strip_suffix(b"\r").unwrap_or(record)));
    lines.filter(|(_, record)| !record.trim_ascii().is_empty())
}

/// The product of a record.
///
/// # Errors
/// If a field cannot be read.
fn item(layout: &Layout, record: &[u8]) -> Result<Item, String> {
    let text = |field: Field| decoded(field.of(record));
    let name = layout.names.iter().map(|field| text(*field)).collect::<String>();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let kind = layout.kind.of(record).first().copied().unwrap_or_default();
    let is_weighed = layout.weighed.contains(&kind);
    if !is_weighed && !layout.counted.contains(&kind) {
        let kind = char::from(kind).to_string();
        return Err(format!(
            "{} não diz peso nem unidade: {} no campo do tipo",
            Quoted(&name),
            Quoted(&kind)
        ));
    }
    let number = |field: Field, what: &str| -> Result<u32, String> {
        let text = text(field);
        let digits = text.trim();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| is_number);
        number.ok_or_else(|| format!("{} tem {what} inválido: {}", Quoted(&name), Quoted(&text)))
    };
    let department = match layout.department {
        None => None,
        Some(field) => {
            let department = u8::try_from(number(field, "departamento")?).ok();
            let department = department.filter(|department| DEPARTMENTS.contains(department));
            Some(department.ok_or_else(|| format!("{} tem departamento 00; vão de 01 a 99", Quoted(&name)))?)
        }
    };
    let code = number(layout.code, "código")?;
    let code = ShopCode::from_number(code.into())
        .map_err(|_| format!("{} tem código 0; os da balança vão de 1 a 999999", Quoted(&name)))?;
    if name.is_empty() {
        return Err(format!("o código {code} está sem nome"));
    }
    let price = match layout.numbers {
        Numbers::Zeros => number(layout.price, "preço").map(i64::from).map(Price::from_centavos)?.ok(),
        Numbers::Blanks => text(layout.price).trim().parse().ok(),
    };
    let wrong_price = || format!("{} tem preço inválido: {}", Quoted(&name), Quoted(&text(layout.price)));
    let price = price.ok_or_else(wrong_price)?;
    let days = number(layout.days, "prazo de validade")?;
    if days > SHELF_LIFE_DAYS_MAX {
        return Err(format!(
            "{} tem validade de {days} dias; o limite é {SHELF_LIFE_DAYS_MAX}",
            Quoted(&name)
        ));
    }
    Ok(Item { department, is_weighed, code, price, shelf_life_days: days, name })
}

impl ScaleFile {
    /// Whether sectors may stand beside the file.
    pub fn has_sectors(&self) -> bool {
        std::ptr::eq(self.layout, &CADTXT)
    }

    /// The departments of the records, each once, in order.
    pub fn departments(&self) -> Vec<u8> {
        let departments = self.records.iter().filter_map(|record| record.item.as_ref().ok()?.department);
        let mut departments: Vec<u8> = departments.collect();
        departments.sort_unstable();
        departments.dedup();
        departments
    }

    /// A description for people: `Toledo ITENSMGV V2, 3386 registros`.
    pub fn description(&self) -> String {
        let departments = self.departments();
        let named: Vec<String> = departments
            .iter()
            .take(DEPARTMENTS_NAMED_MAX)
            .map(|department| format!("{department:02}"))
            .collect();
        let records = counted(self.records.len(), "registro", "registros");
        let more = if departments.len() > named.len() { ", …" } else { "" };
        let of = match departments.len() {
            0 => String::new(),
            1 => format!(" do departamento {}", named.join("")),
            _ => format!(" dos departamentos {}{more}", named.join(", ")),
        };
        format!("arquivo de balança {}, {records}{of}", self.layout.name)
    }
}
