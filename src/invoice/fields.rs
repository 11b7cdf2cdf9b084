//! The fields of an invoice, from the elements of its document.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::document::{INVOICE_LINES_MAX, Invoice, Line, LotPart, Sold};
use super::elements::{self, Sink};
use super::error::{InvoiceError, Problem};
use super::key::Key;
use crate::catalog::{
    Amount, Barcode, Lot, SUPPLIER_CHARS_MAX, Shown, SupplierItem, TOTAL_CENTAVOS_MAX, is_unsafe_to_show,
    parse_expiry,
};

/// Decimals of a quantity and of money.
const QUANTITY_DECIMALS: u32 = 4;
const MONEY_DECIMALS: u32 = 2;

/// The fewest digits of a barcode on an invoice.
const GTIN_DIGITS_MIN: usize = 8;

/// The highest quantity of a line, in ten-thousandths: a thousand million units.
const QUANTITY_MAX: i64 = 10_000_000_000_000;

/// The elements at which a document of an invoice begins, and those of an event of one.
const ROOTS: [&str; 2] = ["nfeProc", "NFe"];
const EVENT_ROOTS: [&str; 5] = ["procEventoNFe", "evento", "envEvento", "retEnvEvento", "retEvento"];

/// The kind of event that cancels an invoice.
const CANCELS: &str = "110111";

/// The states of an invoice that was authorized, in time and late.
const AUTHORIZED: [&str; 2] = ["100", "150"];

/// The model of an invoice between companies, and that of a receipt for consumers.
const MODEL: &str = "55";
const RECEIPT_MODEL: &str = "65";

/// Fields of a line's product.
const OF_PRODUCT: [&str; 14] = [
    "cProd", "cEAN", "xProd", "uCom", "qCom", "vProd", "cEANTrib", "uTrib", "qTrib", "vFrete", "vSeg",
    "vDesc", "vOutro", "indTot",
];

/// Money that makes a line dearer, of its product and of its taxes.
const CHARGES: [&str; 3] = ["vFrete", "vSeg", "vOutro"];
const TAXES: [&str; 3] = ["vIPI", "vICMSST", "vFCPST"];

/// Fields of the whole invoice, by the elements that they stand in.
const OF_INVOICE: [[&str; 2]; 11] = [
    ["ide", "mod"],
    ["ide", "serie"],
    ["ide", "nNF"],
    ["ide", "dhEmi"],
    ["ide", "tpNF"],
    ["ide", "finNFe"],
    ["emit", "xNome"],
    ["emit", "CNPJ"],
    ["emit", "CPF"],
    ["avulsa", "CNPJ"],
    ["dest", "CNPJ"],
];
const RECIPIENT_PERSON: [&str; 2] = ["dest", "CPF"];

/// Reads the invoice of a document.
pub(super) fn read(text: &str) -> Result<Invoice, InvoiceError> {
    let mut found = Found::default();
    elements::visit(text, &["Id", "nItem"], &mut found)?;
    if let Some((kind, key)) = found.event {
        return Err(match kind.as_str() {
            CANCELS => InvoiceError::Cancelled(key),
            other => InvoiceError::OtherKind(format!("evento {other}")),
        });
    }
    found.invoice()
}

/// Checks that an invoice is for the shop with this registration.
///
/// # Errors
/// If it is for another one, or for none.
pub fn check_recipient(invoice: &Invoice, shop: &str) -> Result<(), InvoiceError> {
    let is_same = |id: &String| plain_registration(id) == plain_registration(shop);
    if invoice.recipient_id.as_ref().is_some_and(is_same) {
        return Ok(());
    }
    Err(InvoiceError::OtherShop { recipient: invoice.recipient_id.clone(), shop: shop.to_owned() })
}

/// Whether a text is the registration (CNPJ) of a shop: 14 letters and digits, with points, dashes and bars or without.
pub fn is_registration(text: &str) -> bool {
    text.chars().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-' | '/' | ' '))
        && plain_registration(text).len() == 14
}

/// A registration (CNPJ or CPF) without points, dashes and bars.
fn plain_registration(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_uppercase()).collect()
}

/// The fields that were found so far.
#[derive(Default)]
struct Found {
    key: Option<String>,
    fields: HashMap<[&'static str; 2], String>,
    lines: Vec<FoundLine>,
    total: Option<String>,
    status: Option<String>,
    authorized_key: Option<String>,
    is_event: bool,
    event: Option<(String, String)>,
    event_key: String,
}

#[derive(Default)]
struct FoundLine {
    number: String,
    product: HashMap<&'static str, String>,
    taxes: Vec<(&'static str, String)>,
    lots: Vec<HashMap<String, String>>,
}

impl Sink for Found {
    fn begin(&mut self, path: &[String], attribute: Option<String>) -> Result<(), InvoiceError> {
        let own = path.last().map_or("", String::as_str);
        if path.len() == 1 {
            self.is_event = EVENT_ROOTS.contains(&own);
            if !self.is_event && !ROOTS.contains(&own) {
                return Err(InvoiceError::OtherKind(format!("<{own}>")));
            }
        }
        match (own, parent(path)) {
            ("infNFe", "NFe") => {
                let other = self.key.replace(attribute.unwrap_or_default());
                return other.map_or(Ok(()), |_| Err(InvoiceError::Several));
            }
            ("det", "infNFe") => {
                if self.lines.len() == INVOICE_LINES_MAX {
                    return Err(InvoiceError::TooManyLines);
                }
                self.lines.push(FoundLine { number: attribute.unwrap_or_default(), ..FoundLine::default() });
            }
            ("rastro", "prod") => {
                if let Some(line) = self.lines.last_mut() {
                    line.lots.push(HashMap::new());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, path: &[String], text: &str) -> Result<(), InvoiceError> {
        let own = path.last().map_or("", String::as_str);
        match (own, parent(path)) {
            ("chNFe", "infProt") => self.authorized_key = Some(text.to_owned()),
            ("cStat", "infProt") => self.status = Some(text.to_owned()),
            ("chNFe", _) if self.event_key.is_empty() => self.event_key = text.to_owned(),
            ("tpEvento", _) if self.is_event || text == CANCELS => {
                self.event.get_or_insert((text.to_owned(), self.event_key.clone()));
            }
            ("vNF", "ICMSTot") => self.total = Some(text.to_owned()),
            (own, "prod") => {
                if let (Some(line), Some(name)) = (self.lines.last_mut(), known(&OF_PRODUCT, own)) {
                    line.product.insert(name, text.to_owned());
                }
            }
            (own, "rastro") => {
                if let Some(lot) = self.lines.last_mut().and_then(|line| line.lots.last_mut())
                    && matches!(own, "nLote" | "qLote" | "dVal")
                {
                    lot.insert(own.to_owned(), text.to_owned());
                }
            }
            (own, parent) => {
                let is_tax = path.iter().any(|name| name == "imposto");
                if let (Some(line), Some(name), true) = (self.lines.last_mut(), known(&TAXES, own), is_tax) {
                    line.taxes.push((name, text.to_owned()));
                }
                let fields = OF_INVOICE.iter().chain([&RECIPIENT_PERSON]);
                let mut fields = fields.filter(|[of, name]| *of == parent && *name == own);
                if let Some(field) = fields.next() {
                    self.fields.entry(*field).or_insert_with(|| text.to_owned());
                }
            }
        }
        Ok(())
    }
}

fn parent(path: &[String]) -> &str {
    path.len().checked_sub(2).map_or("", |place| path[place].as_str())
}

fn known(names: &'static [&'static str], name: &str) -> Option<&'static str> {
    names.iter().find(|known| **known == name).copied()
}

impl Found {
    fn field(&self, of: &'static str, name: &'static str) -> &str {
        self.fields.get(&[of, name]).map_or("", String::as_str)
    }

    fn invoice(self) -> Result<Invoice, InvoiceError> {
        let id = self.key.as_deref().ok_or(InvoiceError::Missing("a nota em si, <infNFe>,"))?;
        let key_text = id.strip_prefix("NFe").unwrap_or(id);
        let key = Key::of(key_text).ok_or_else(|| InvoiceError::Key(key_text.to_owned()))?;
        self.check_kind(&key)?;
        let supplier_id = match self.field("emit", "CNPJ") {
            "" => self.field("emit", "CPF"),
            id => id,
        };
        self.check_key(key_text, &key, supplier_id)?;
        let (series, number) = (key.series().unwrap_or(0), key.number().unwrap_or(0));
        let name: String = plain(self.field("emit", "xNome")).chars().take(SUPPLIER_CHARS_MAX).collect();
        let supplier = name.parse().map_err(|_| InvoiceError::Missing("o nome do fornecedor"))?;
        let mut warnings = Vec::new();
        if self.status.is_none() {
            warnings.push("o arquivo não traz a autorização da nota".to_owned());
        }
        let mut numbers = HashSet::new();
        let mut lines = Vec::with_capacity(self.lines.len());
        for (index, found) in self.lines.iter().enumerate() {
            // A number that cannot be is named by the place of the line.
            let number = found.number.parse().ok().filter(|number| *number > 0).unwrap_or(index as u32 + 1);
            let line = found.line(number, supplier_id, &mut warnings);
            let line = line.map_err(|problem| InvoiceError::Line { number, problem })?;
            if !numbers.insert(number) {
                return Err(InvoiceError::Line { number, problem: Problem::Twice });
            }
            lines.push(line);
        }
        if lines.is_empty() {
            return Err(InvoiceError::Missing("qualquer item"));
        }
        let recipient_id = match self.field("dest", "CNPJ") {
            "" => self.field("dest", "CPF"),
            id => id,
        };
        let total = self.total.as_deref().map(|text| {
            let centavos = fixed(text, MONEY_DECIMALS).and_then(Amount::from_centavos);
            centavos.ok_or_else(|| InvoiceError::Field { what: "o total", text: text.to_owned() })
        });
        let invoice = Invoice {
            key: key_text.parse().map_err(|_| InvoiceError::Key(key_text.to_owned()))?,
            number,
            series,
            issued_on: self.field("ide", "dhEmi").get(..10).and_then(|day| day.parse::<Date>().ok()),
            supplier,
            supplier_id: supplier_id.to_owned(),
            recipient_id: Some(recipient_id.to_owned()).filter(|id| !id.is_empty()),
            lines,
            total: total.transpose()?,
            warnings,
        };
        Ok(invoice.checked_total())
    }

    /// Refuses an invoice that brings no goods.
    fn check_kind(&self, key: &Key<'_>) -> Result<(), InvoiceError> {
        let refused = |what| Err(InvoiceError::NotAPurchase(what));
        if let Some(status) = self.status.as_deref().filter(|status| !AUTHORIZED.contains(status)) {
            return Err(InvoiceError::NotAuthorized(status.to_owned()));
        }
        match (self.field("ide", "mod"), key.model()) {
            (MODEL, MODEL) => {}
            (RECEIPT_MODEL, _) => return refused("uma NFC-e, cupom de consumidor"),
            ("", _) => return Err(InvoiceError::Missing("o modelo")),
            (MODEL, _) => return Err(InvoiceError::KeyOfOther("o modelo")),
            _ => return refused("de outro modelo que não 55"),
        }
        match (self.field("ide", "tpNF"), self.field("ide", "finNFe")) {
            ("0", _) => refused("de entrada, emitida por quem recebe"),
            (_, "2") => refused("complementar, e não traz mercadoria"),
            (_, "3") => refused("de ajuste, e não traz mercadoria"),
            (_, "4") => refused("de devolução"),
            // Both correct the taxes of another invoice.
            (_, "5") => refused("de crédito, e não traz mercadoria"),
            (_, "6") => refused("de débito, e não traz mercadoria"),
            _ => Ok(()),
        }
    }

    /// Compares the key with the fields that it repeats.
    fn check_key(&self, text: &str, key: &Key<'_>, supplier_id: &str) -> Result<(), InvoiceError> {
        if supplier_id.is_empty() {
            return Err(InvoiceError::Missing("o CNPJ do fornecedor"));
        }
        let number = |name| self.field("ide", name).parse::<u32>().ok();
        // An office that issues the invoice of a small grower (avulsa) puts its own registration into the key. The
        // registration of a person has fewer digits.
        let issuers = [supplier_id, self.field("avulsa", "CNPJ")];
        for (is_same, what) in [
            (issuers.iter().any(|issuer| format!("{issuer:0>14}") == key.supplier()), "o CNPJ"),
            (number("serie") == key.series(), "a série"),
            (number("nNF") == key.number(), "o número"),
            (self.authorized_key.as_deref().is_none_or(|other| other == text), "a autorização"),
        ] {
            if !is_same {
                return Err(InvoiceError::KeyOfOther(what));
            }
        }
        Ok(())
    }
}

impl Invoice {
    /// Adds a warning if the lines are not worth what the invoice says.
    fn checked_total(mut self) -> Self {
        let cost = self.cost();
        if let Some(total) = self.total.filter(|total| total.centavos() != cost) {
            let cost = Amount::from_centavos(cost).unwrap_or_default();
            self.warnings.push(format!(
                "os itens somam {}, e a nota diz {}",
                cost.in_reais(),
                total.in_reais()
            ));
        }
        self
    }
}

impl FoundLine {
    fn line(&self, number: u32, supplier_id: &str, warnings: &mut Vec<String>) -> Result<Line, Problem> {
        let text = |name: &str| self.product.get(name).map_or("", String::as_str);
        let needed = |name: &str, what| match text(name) {
            "" => Err(Problem::Missing(what)),
            text => Ok(text),
        };
        let code = needed("cProd", "o código do produto")?;
        let unit = plain(needed("uCom", "a unidade")?);
        let sold = sold(unit.clone(), "a quantidade", needed("qCom", "a quantidade")?)?;
        let taxed = match (text("uTrib"), text("qTrib")) {
            ("", _) | (_, "") => None,
            (unit, quantity) => self::sold(plain(unit), "a quantidade tributada", quantity).ok(),
        };
        let item = format!("{supplier_id}/{code}/{}", unit.to_uppercase());
        let item: SupplierItem =
            item.parse().map_err(|_| Problem::Text { what: "o código", text: code.to_owned() })?;
        if text("indTot") == "0" {
            warnings
                .push(format!("o item {number} não entra no total da nota, e aqui entra pelo valor dele"));
        }
        let mut barcode = |digits: &str| {
            // Shorter codes are not of the supplier's world, but of the shop's.
            let barcode = Barcode::parse(digits).ok().filter(|_| digits.len() >= GTIN_DIGITS_MIN);
            if barcode.is_none() && !matches!(digits, "" | "SEM GTIN") {
                let shown = Shown(digits);
                warnings.push(format!(
                    "o código de barras {shown} do item {number} não confere, e não foi usado"
                ));
            }
            barcode
        };
        let (of_taxed, of_sold) = (text("cEANTrib"), text("cEAN"));
        let of_taxed_and_sold =
            [barcode(of_taxed), if of_sold == of_taxed { None } else { barcode(of_sold) }];
        Ok(Line {
            number,
            code: code.to_owned(),
            name: plain(text("xProd")),
            barcodes: of_taxed_and_sold,
            item,
            sold,
            taxed,
            cost: self.cost()?,
            lots: self.lots.iter().map(|lot| lot_part(lot, number, warnings)).collect::<Result<_, _>>()?,
        })
    }

    /// The money of the line: goods less discount, and all that makes them dearer.
    fn cost(&self) -> Result<Amount, Problem> {
        let of_product = |name: &'static str| match self.product.get(name).map_or("", String::as_str) {
            "" => Ok(0),
            text => money(name, text),
        };
        if !self.product.contains_key("vProd") {
            return Err(Problem::Missing("o valor"));
        }
        let mut cost = of_product("vProd")?;
        for name in CHARGES {
            cost += of_product(name)?;
        }
        for (name, text) in &self.taxes {
            cost += money(name, text)?;
        }
        cost -= of_product("vDesc")?;
        if cost < 0 {
            return Err(Problem::CostBelowZero);
        }
        Amount::total_from_centavos(cost).map_err(|_| Problem::TooDear)
    }
}

fn lot_part(
    lot: &HashMap<String, String>,
    number: u32,
    warnings: &mut Vec<String>,
) -> Result<LotPart, Problem> {
    let text = |name: &str| lot.get(name).map_or("", String::as_str);
    let name = plain(text("nLote"));
    let lot: Option<Lot> = match name.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|_| Problem::Text { what: "o lote", text: name.to_owned() })?),
    };
    let expires_on = parse_expiry(text("dVal")).ok();
    if expires_on.is_none() && !text("dVal").is_empty() {
        warnings.push(format!(
            "a validade {} do item {number} não é um dia, e não foi usada",
            Shown(text("dVal"))
        ));
    }
    let ten_thousandths = match text("qLote") {
        "" => 0,
        text => quantity("a quantidade do lote", text)?,
    };
    Ok(LotPart { lot, ten_thousandths, expires_on })
}

fn sold(unit: String, what: &'static str, text: &str) -> Result<Sold, Problem> {
    match quantity(what, text)? {
        0 => Err(Problem::Nothing),
        ten_thousandths => Ok(Sold { unit, ten_thousandths }),
    }
}

fn quantity(what: &'static str, text: &str) -> Result<i64, Problem> {
    number(what, text, QUANTITY_DECIMALS, QUANTITY_MAX)
}

fn money(what: &'static str, text: &str) -> Result<i64, Problem> {
    number(what, text, MONEY_DECIMALS, TOTAL_CENTAVOS_MAX)
}

fn number(what: &'static str, text: &str, decimals: u32, max: i64) -> Result<i64, Problem> {
    if text.starts_with('-') {
        return Err(Problem::Negative { what, text: text.to_owned() });
    }
    let number = fixed(text, decimals).filter(|number| *number <= max);
    number.ok_or_else(|| Problem::NoNumber { what, text: text.to_owned(), decimals })
}

/// A number that is not below zero, in units of its last decimal: `12.5` with two decimals is 1250. Zeros beyond
/// the decimals are none.
fn fixed(text: &str, decimals: u32) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let decimals = decimals as usize;
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || text.ends_with('.') || !is_number(whole) || !is_number(part) {
        return None;
    }
    let (kept, beyond) = part.split_at(part.len().min(decimals));
    if beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    format!("{whole}{kept:0<decimals$}").parse().ok()
}

/// A text without signs that must not be shown, on one line.
fn plain(text: &str) -> String {
    let shown = |sign: char| if is_unsafe_to_show(sign) { ' ' } else { sign };
    let text: String = text.chars().map(shown).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
