//! Writes scale files from the catalog.

use std::fmt;

use super::item::Item;
use super::layout::{
    CADTXT, Field, ITENSMGV_2, ITENSMGV_4, Layout, Numbers, SETORTXT_BYTES, SETORTXT_CODE, SETORTXT_INDEX,
    SETORTXT_KEY, SETORTXT_SECTOR, TXITENS, URF32,
};
use super::text::{ScaleEncoding, encoded};
use crate::catalog::{Quoted, Terms, Unit, counted};
use crate::operation::ProductReply;

/// The end of a record.
const LINE_END: &[u8] = b"\r\n";

/// The sector of all products in SETORTXT.
const SECTOR: &str = "HORTIFRUTI";

/// The names that a message lists; the others are counted.
const NAMES_SHOWN_MAX: usize = 50;

/// A kind of scale file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleFormat {
    Itensmgv,
    Itensmgv4,
    Txitens,
    Filizola,
    Urano,
}

impl ScaleFormat {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Itensmgv, Self::Itensmgv4, Self::Txitens, Self::Filizola, Self::Urano];

    /// The word for the format on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Itensmgv => "itensmgv",
            Self::Itensmgv4 => "itensmgv4",
            Self::Txitens => "txitens",
            Self::Filizola => "filizola",
            Self::Urano => "urano",
        }
    }

    /// The name that the maker's program expects of the file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Itensmgv | Self::Itensmgv4 => "ITENSMGV.TXT",
            Self::Txitens => "TXITENS.TXT",
            Self::Filizola => "CADTXT.TXT",
            Self::Urano => "PRODUTOS.TXT",
        }
    }

    /// Whether each record has the number of a department.
    pub const fn has_departments(self) -> bool {
        matches!(self, Self::Itensmgv | Self::Itensmgv4 | Self::Txitens)
    }

    /// The name of the second file, of sectors, if the format has one.
    pub const fn second_file_name(self) -> Option<&'static str> {
        match self {
            Self::Filizola => Some("SETORTXT.TXT"),
            _ => None,
        }
    }

    fn layout(self) -> &'static Layout {
        match self {
            Self::Itensmgv => &ITENSMGV_2,
            Self::Itensmgv4 => &ITENSMGV_4,
            Self::Txitens => &TXITENS,
            Self::Filizola => &CADTXT,
            Self::Urano => &URF32,
        }
    }
}

/// A scale file, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The products.
    pub bytes: Vec<u8>,
    /// The sectors of the products, in the format that has a second file.
    pub sectors: Option<Vec<u8>>,
    /// The number of products in it.
    pub count: usize,
    pub left_out: LeftOut,
}

/// The products that no scale sells, and those whose names were cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    no_code: Vec<String>,
    no_price: Vec<String>,
    discontinued: Vec<String>,
    cut: Vec<String>,
}

impl LeftOut {
    /// A line for each reason, with the names.
    pub fn lines(&self) -> Vec<String> {
        let lines = [
            (&self.no_code, "fora do arquivo, sem código de loja", "fora do arquivo, sem código de loja"),
            (&self.no_price, "fora do arquivo, com preço zero", "fora do arquivo, com preço zero"),
            (&self.discontinued, "fora do arquivo, aposentado", "fora do arquivo, aposentados"),
            (&self.cut, "com o nome cortado para caber", "com os nomes cortados para caber"),
        ];
        let filled = lines.into_iter().filter(|(names, ..)| !names.is_empty());
        let line = |(names, one, more): (&Vec<String>, &str, &str)| {
            let why = if names.len() == 1 { one } else { more };
            format!("{} {why}: {}", counted(names.len(), "produto", "produtos"), listed(names))
        };
        filled.map(line).collect()
    }
}

/// The first names, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown = &names[..names.len().min(NAMES_SHOWN_MAX)];
    let more = names.len() - shown.len();
    shown.join(", ") + &if more > 0 { format!(" e mais {more}") } else { String::new() }
}

/// The values that do not fit their fields, because of which nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(Vec<String>);

impl Unfit {
    /// The first values, and how many more there are.
    pub fn lines(&self) -> Vec<String> {
        let more = self.0.len().saturating_sub(NAMES_SHOWN_MAX);
        let rest = (more > 0).then(|| format!("… e mais {more}"));
        self.0.iter().take(NAMES_SHOWN_MAX).cloned().chain(rest).collect()
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.lines() {
            writeln!(f, "{line}")?;
        }
        f.write_str("Nada foi escrito; corrija o cadastro, ou aposente o produto")
    }
}

/// Writes the products that a scale sells: those with a shop code and a price that are not discontinued. A product
/// is weighed if its unit is `kg`, and otherwise sold by the piece.
///
/// # Errors
/// If a value does not fit its field: all such values.
pub fn write<'p>(
    format: ScaleFormat,
    department: u8,
    encoding: ScaleEncoding,
    products: impl IntoIterator<Item = &'p ProductReply>,
) -> Result<Written, Unfit> {
    match write_what_fits(format, department, encoding, products) {
        (written, None) => Ok(written),
        (_, Some(unfit)) => Err(unfit),
    }
}

/// Writes the products that [`write()`] writes, without those of which a value does not fit its field, and says which
/// values do not.
pub fn write_what_fits<'p>(
    format: ScaleFormat,
    department: u8,
    encoding: ScaleEncoding,
    products: impl IntoIterator<Item = &'p ProductReply>,
) -> (Written, Option<Unfit>) {
    let layout = format.layout();
    let mut written = Written {
        bytes: Vec::new(),
        sectors: format.second_file_name().map(|_| Vec::new()),
        count: 0,
        left_out: LeftOut::default(),
    };
    let mut unfit = Vec::new();
    for product in products {
        let Some(item) = item(product, department, &mut written.left_out) else { continue };
        let mut record = Record::of(layout);
        record.put_item(&item, encoding);
        let mut sector = Record { bytes: vec![b' '; SETORTXT_BYTES], ..Record::of(layout) };
        if written.sectors.is_some() {
            sector.put_sector(&item, written.count + 1);
        }
        if !(record.unfit.is_empty() && sector.unfit.is_empty()) {
            unfit.append(&mut record.unfit);
            unfit.append(&mut sector.unfit);
            continue;
        }
        written.count += 1;
        if record.is_cut {
            written.left_out.cut.push(Quoted(product.name.as_str()).to_string());
        }
        written.bytes.extend_from_slice(&record.bytes);
        written.bytes.extend_from_slice(LINE_END);
        if let Some(sectors) = &mut written.sectors {
            sectors.extend_from_slice(&sector.bytes);
            sectors.extend_from_slice(LINE_END);
        }
    }
    (written, Some(Unfit(unfit)).filter(|unfit| !unfit.0.is_empty()))
}

/// The product as a scale sells it, or `None` if none does.
fn item(product: &ProductReply, department: u8, left_out: &mut LeftOut) -> Option<Item> {
    let name = || Quoted(product.name.as_str()).to_string();
    if product.is_discontinued {
        left_out.discontinued.push(name());
        return None;
    }
    let terms = product.terms.as_deref().unwrap_or(Terms::NONE);
    let Some(code) = terms.code else {
        left_out.no_code.push(name());
        return None;
    };
    if product.price.centavos() == 0 {
        left_out.no_price.push(name());
        return None;
    }
    Some(Item {
        department: Some(department),
        is_weighed: product.unit.as_ref().is_some_and(Unit::is_kilogram),
        code,
        price: product.price,
        shelf_life_days: terms.shelf_life_days,
        name: product.name.as_str().to_owned(),
    })
}

/// A record that is being filled.
struct Record {
    layout: &'static Layout,
    bytes: Vec<u8>,
    /// Whether the name was cut.
    is_cut: bool,
    /// The values that do not fit.
    unfit: Vec<String>,
}

impl Record {
    /// A record with all that each product's has.
    fn of(layout: &'static Layout) -> Self {
        let mut bytes = vec![b' '; layout.record_bytes];
        for (at, text) in layout.rest.iter().chain(layout.marks) {
            bytes[at - 1..at - 1 + text.len()].copy_from_slice(text.as_bytes());
        }
        Self { layout, bytes, is_cut: false, unfit: Vec::new() }
    }

    fn put_item(&mut self, item: &Item, encoding: ScaleEncoding) {
        let layout = self.layout;
        if let (Some(field), Some(department)) = (layout.department, item.department) {
            self.put_number(field, &department.to_string(), b'0', || "o departamento".to_owned());
        }
        let kind = if item.is_weighed { layout.weighed } else { layout.counted };
        layout.kind.of_mut(&mut self.bytes).copy_from_slice(&kind[..1]);
        let name = Quoted(&item.name).to_string();
        let (fill, price) = match layout.numbers {
            Numbers::Zeros => (b'0', item.price.centavos().to_string()),
            Numbers::Blanks => {
                let centavos = item.price.centavos();
                (b' ', format!("{},{:02}", centavos / 100, centavos % 100))
            }
        };
        self.put_number(layout.code, &item.code.to_string(), fill, || {
            format!("{name}: o código {}", item.code)
        });
        self.put_number(layout.price, &price, fill, || format!("{name}: o preço {}", item.price.in_reais()));
        let days = item.shelf_life_days;
        self.put_number(layout.days, &days.to_string(), fill, || {
            format!("{name}: a validade de {}", counted(days as usize, "dia", "dias"))
        });
        if let Some(field) = layout.prints_days {
            field.of_mut(&mut self.bytes).fill(if days > 0 { b'1' } else { b'0' });
        }
        self.put_name(&encoded(&item.name, encoding));
    }

    /// Puts a name into its lines, one after the other. A name that does not fit is cut.
    fn put_name(&mut self, name: &[u8]) {
        let mut rest = name;
        for field in self.layout.names {
            let (line, after) = rest.split_at(rest.len().min(field.width()));
            self.put(*field, line);
            rest = after;
        }
        self.is_cut = !rest.is_empty();
    }

    fn put_sector(&mut self, item: &Item, index: usize) {
        let name = Quoted(&item.name).to_string();
        self.put(SETORTXT_SECTOR, SECTOR.as_bytes());
        self.put_number(SETORTXT_CODE, &item.code.to_string(), b'0', || {
            format!("{name}: o código {}", item.code)
        });
        self.put_number(SETORTXT_INDEX, &index.to_string(), b'0', || {
            format!("{name}: o lugar {index} no setor")
        });
        self.put_number(SETORTXT_KEY, "0", b'0', String::new);
    }

    fn put(&mut self, field: Field, bytes: &[u8]) {
        let place = field.of_mut(&mut self.bytes);
        let width = bytes.len().min(place.len());
        place[..width].copy_from_slice(&bytes[..width]);
    }

    /// Puts a number at the end of its field. If it does not fit, the record says so by `what`.
    fn put_number(&mut self, field: Field, number: &str, fill: u8, what: impl Fn() -> String) {
        let width = field.width();
        let place = field.of_mut(&mut self.bytes);
        match width.checked_sub(number.len()) {
            Some(before) => {
                place[..before].fill(fill);
                place[before..].copy_from_slice(number.as_bytes());
            }
            None => {
                let layout = self.layout.name;
                self.unfit.push(format!("{} não cabe nos {width} caracteres de {layout}", what()));
            }
        }
    }
}
