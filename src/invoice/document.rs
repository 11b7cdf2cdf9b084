//! An invoice, as far as the shop needs it, and its limits.

use jiff::civil::Date;

use crate::catalog::{Amount, Barcode, InvoiceKey, Lot, Quoted, Supplier, SupplierItem, unit_of_word};

/// The largest file, in bytes: eight times what the tax offices take.
pub const INVOICE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most elements that stand within each other. Those of the layout are twelve.
pub const INVOICE_DEPTH_MAX: usize = 32;

/// The most lines of an invoice, as its layout says.
pub const INVOICE_LINES_MAX: usize = 990;

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub key: InvoiceKey,
    /// The number and the series, as people name the invoice.
    pub number: u32,
    pub series: u32,
    /// The day on which it was issued, if it says so.
    pub issued_on: Option<Date>,
    pub supplier: Supplier,
    /// The registration (CNPJ or CPF) of the supplier.
    pub supplier_id: String,
    /// The registration of the shop that bought, if the invoice names one.
    pub recipient_id: Option<String>,
    pub lines: Vec<Line>,
    /// The total of the invoice, if it says so.
    pub total: Option<Amount>,
    /// Oddities that a person should see, as sentences without a period.
    pub warnings: Vec<String>,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number of the line on the invoice.
    pub number: u32,
    /// The supplier's code of the product.
    pub code: String,
    /// The supplier's name of the product.
    pub name: String,
    /// The barcodes of the unit that is taxed, which is the smaller one, and of the unit that is sold.
    pub barcodes: [Option<Barcode>; 2],
    /// The code, the unit and the supplier together.
    pub item: SupplierItem,
    /// The quantity and the unit in which the line is sold.
    pub sold: Sold,
    /// The goods in the unit in which they are taxed.
    pub taxed: Option<Sold>,
    /// The money of the line: goods, freight and taxes that are cost.
    pub cost: Amount,
    pub lots: Vec<LotPart>,
}

/// A quantity of a supplier's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    pub unit: String,
    /// The quantity in ten-thousandths, above zero.
    pub ten_thousandths: i64,
}

/// The part of a line that is of one lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotPart {
    pub lot: Option<Lot>,
    /// The quantity in ten-thousandths of the unit in which the line is sold, or of that in which it is taxed.
    pub ten_thousandths: i64,
    pub expires_on: Option<Date>,
}

impl Sold {
    /// The quantity and the unit as people read them: `2,5 CX`.
    pub fn shown(&self) -> String {
        format!("{} {}", shown(self.ten_thousandths), self.unit)
    }
}

impl Line {
    /// The line as the invoice has it, in words.
    pub fn told(&self) -> String {
        format!("item {}: {}, {}, {}", self.number, self.name, self.sold.shown(), self.cost.in_reais())
    }

    /// The lot and the expiry of the line as one: the names of all its lots, and the first day on which one expires.
    pub fn lot_and_expiry(&self) -> (Option<Lot>, Option<Date>) {
        let names: Vec<&str> = self.lots.iter().filter_map(|lot| lot.lot.as_ref()).map(Lot::as_str).collect();
        // Names that are too long together are the first one.
        let lot = names.join(", ").parse().ok().or_else(|| self.lots.iter().find_map(|lot| lot.lot.clone()));
        (lot, self.lots.iter().filter_map(|lot| lot.expires_on).min())
    }

    /// The quantity as a person types it, as far as the invoice says it: `30cx=600kg`, `30cx=`, `35,5kg`.
    pub fn typed(&self) -> String {
        let typed = |sold: &Sold| {
            let (unit, _) = unit_of_word(&sold.unit)?;
            Some(format!("{}{unit}", shown(sold.ten_thousandths)))
        };
        let (sold, taxed) = (typed(&self.sold), self.taxed.as_ref().and_then(typed));
        let is_box = sold
            .as_deref()
            .is_some_and(|sold| !["kg", "l", "un", "dz"].iter().any(|unit| sold.ends_with(unit)));
        match (sold, taxed) {
            (Some(sold), Some(taxed)) if is_box && sold != taxed => format!("{sold}={taxed}"),
            (Some(sold), _) if is_box => format!("{sold}="),
            (Some(sold), _) | (None, Some(sold)) => sold,
            (None, None) => shown(self.sold.ten_thousandths),
        }
    }
}

impl Invoice {
    /// The invoice as people call it.
    pub fn told(&self) -> String {
        format!("a nota {} de {}", self.number, Quoted(self.supplier.as_str()))
    }

    /// The money of all lines.
    pub fn cost(&self) -> i64 {
        self.lines.iter().map(|line| line.cost.centavos()).fold(0, i64::saturating_add)
    }
}

/// A quantity of an invoice as people read it: `2,3456`.
pub(super) fn shown(ten_thousandths: i64) -> String {
    let (whole, part) = (ten_thousandths / 10_000, ten_thousandths % 10_000);
    let part = format!("{part:04}");
    match part.trim_end_matches('0') {
        "" => whole.to_string(),
        part => format!("{whole},{part}"),
    }
}
