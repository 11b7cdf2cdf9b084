//! The bars of a code: EAN-13 or EAN-8 for a barcode that has their digits, Code 128 for any other code.

use barcoders::sym::code128::Code128;
use barcoders::sym::ean8::EAN8;
use barcoders::sym::ean13::EAN13;
use pdf_writer::Content;

use super::letters::{MM, width, write};
use crate::catalog::{Barcode, ShopCode};

/// The width of a module: the nominal one, and the smallest that scanners and printers of 203 dpi stand.
const MODULE: f32 = 0.33 * MM;
const MODULE_MIN: f32 = 0.25 * MM;

/// Blank modules on each side of the bars, as both symbologies want them.
const QUIET_MODULES: usize = 11;

/// The size of the digits below the bars.
const DIGITS: f32 = 7.0;

/// The code of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelCode {
    Barcode(Barcode),
    Shop(ShopCode),
}

/// A code, as dark and light modules.
pub(super) struct Bars {
    text: String,
    modules: Vec<u8>,
}

impl Bars {
    /// The bars of a code. `None` if it is one that the library does not take.
    pub(super) fn of(code: LabelCode) -> Option<Self> {
        let text = match code {
            LabelCode::Barcode(barcode) => barcode.to_string(),
            LabelCode::Shop(code) => code.number().to_string(),
        };
        let modules = match (code, text.len()) {
            (LabelCode::Barcode(_), 13) => EAN13::new(&text).ok()?.encode(),
            // A GTIN-12 is the EAN-13 that a zero begins.
            (LabelCode::Barcode(_), 12) => EAN13::new(format!("0{text}")).ok()?.encode(),
            (LabelCode::Barcode(_), 8) => EAN8::new(&text).ok()?.encode(),
            // Set C has two digits a sign, set B one.
            (_, digits) if digits % 2 == 0 => Code128::new(format!("\u{106}{text}")).ok()?.encode(),
            _ => Code128::new(format!("\u{181}{text}")).ok()?.encode(),
        };
        Some(Self { text, modules })
    }

    /// Draws the bars above their digits, as wide as scanners like it, and in the middle of the room.
    pub(super) fn draw(&self, content: &mut Content, left: f32, bottom: f32, room: f32, height: f32) {
        let count = (self.modules.len() + 2 * QUIET_MODULES) as f32;
        // A code too long for the room keeps the width of its modules, and its blank sides reach into the edge.
        let module = (room / count).clamp(MODULE_MIN, MODULE);
        let start = left + (room - self.modules.len() as f32 * module) / 2.0;
        let base = bottom + DIGITS;
        let mut at = 0;
        for bar in self.modules.chunk_by(|one, next| one == next) {
            if bar[0] == 1 {
                content.rect(start + at as f32 * module, base, bar.len() as f32 * module, height - DIGITS);
            }
            at += bar.len();
        }
        content.fill_nonzero();
        let middle = left + (room - width(&self.text) * DIGITS) / 2.0;
        write(content, &self.text, middle, bottom, DIGITS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_product_has_bars() {
        let barcode = |text| Bars::of(LabelCode::Barcode(Barcode::parse(text).unwrap())).unwrap();
        assert_eq!(barcode("7891000100103").modules.len(), 95);
        assert_eq!(barcode("036000291452").modules.len(), 95);
        assert_eq!(barcode("96385074").modules.len(), 67);
        for text in ["17891000100100", "4011", "94011"] {
            assert!(barcode(text).modules.len() > 50, "{text}");
        }
        for number in [1, 2126, 999_999] {
            assert!(Bars::of(LabelCode::Shop(ShopCode::from_number(number).unwrap())).is_some());
        }
    }
}
