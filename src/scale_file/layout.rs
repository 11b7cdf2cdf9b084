//! The layouts of scale files: where each field stands in a record.

use super::text::{ScaleEncoding, decoded, encoded};

/// The place of a field in a record: its first and its last byte, counted from 1 as the makers' tables do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field(pub(super) usize, pub(super) usize);

impl Field {
    /// The bytes of the field.
    pub(super) fn of(self, record: &[u8]) -> &[u8] {
        record.get(self.0 - 1..self.1).unwrap_or_default()
    }

    /// The bytes of the field, to be written.
    pub(super) fn of_mut(self, record: &mut [u8]) -> &mut [u8] {
        record.get_mut(self.0 - 1..self.1).unwrap_or_default()
    }

    pub(super) const fn width(self) -> usize {
        self.1 + 1 - self.0
    }
}

/// How the numbers of a layout are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Digits with zeros before them; a price is in centavos.
    Zeros,
    /// Digits with blanks before them; a price is in reais, with a comma.
    Blanks,
}

/// A layout of records.
#[derive(Debug)]
pub struct Layout {
    /// The name of the layout, for people.
    pub name: &'static str,
    /// The width of a record, in bytes, without the end of its line.
    pub record_bytes: usize,
    pub(super) department: Option<Field>,
    /// The field that says whether a product is weighed, and the bytes for weighed and for counted ones. The first
    /// of each is written.
    pub(super) kind: Field,
    pub(super) weighed: &'static [u8],
    pub(super) counted: &'static [u8],
    pub(super) code: Field,
    pub(super) price: Field,
    pub(super) days: Field,
    pub(super) names: &'static [Field],
    pub(super) numbers: Numbers,
    /// The bytes that stand in every record, each with its place, by which a layout is recognised.
    pub(super) marks: &'static [(usize, &'static str)],
    /// The other bytes that are written, each with its place; anything else is a blank.
    pub(super) rest: &'static [(usize, &'static str)],
    /// The field that says whether the label has the last day, if the layout has one.
    pub(super) prints_days: Option<Field>,
}

/// The fields of Toledo's ITENSMGV, whose later versions are longer at the end.
const ITENSMGV: Layout = Layout {
    name: "",
    record_bytes: 0,
    department: Some(Field(1, 2)),
    kind: Field(3, 3),
    weighed: b"02",
    counted: b"15",
    code: Field(4, 9),
    price: Field(10, 15),
    days: Field(16, 18),
    names: &[Field(19, 43), Field(44, 68)],
    numbers: Numbers::Zeros,
    marks: &[],
    rest: &[],
    prints_days: Some(Field(85, 85)),
};

/// The bytes 69 to 150 of ITENSMGV: the packing date is printed, and nothing else is given.
const ITENSMGV_REST: (usize, &str) =
    (69, "0000000000000000010000000000000000000000000000000000000000000000000000000000000000");

pub(super) static ITENSMGV_1: Layout = Layout { name: "Toledo ITENSMGV V1", record_bytes: 113, ..ITENSMGV };

pub(super) static ITENSMGV_2: Layout =
    Layout { name: "Toledo ITENSMGV V2", record_bytes: 150, rest: &[ITENSMGV_REST], ..ITENSMGV };

pub(super) static ITENSMGV_3: Layout = Layout { name: "Toledo ITENSMGV V3", record_bytes: 246, ..ITENSMGV };

pub(super) static ITENSMGV_4: Layout = Layout {
    name: "Toledo ITENSMGV V4",
    record_bytes: 260,
    names: &[Field(19, 43), Field(44, 68), Field(161, 195), Field(196, 230)],
    marks: &[(157, "|"), (160, "|"), (256, "||"), (259, "||")],
    rest: &[ITENSMGV_REST, (151, "000000|00|"), (231, "0000000000000000000000000||0||")],
    ..ITENSMGV
};

pub(super) static TXITENS: Layout = Layout {
    name: "Toledo TXITENS",
    record_bytes: 320,
    department: Some(Field(1, 2)),
    kind: Field(5, 5),
    weighed: b"0",
    counted: b"1",
    code: Field(6, 11),
    price: Field(12, 17),
    days: Field(18, 20),
    names: &[Field(21, 45), Field(46, 70)],
    numbers: Numbers::Zeros,
    marks: &[],
    rest: &[(3, "00")],
    prints_days: None,
};

pub(super) static CADTXT: Layout = Layout {
    name: "Filizola CADTXT",
    record_bytes: 39,
    department: None,
    kind: Field(7, 7),
    weighed: b"Pp",
    counted: b"Uu",
    code: Field(1, 6),
    price: Field(30, 36),
    days: Field(37, 39),
    names: &[Field(8, 29)],
    numbers: Numbers::Zeros,
    marks: &[],
    rest: &[],
    prints_days: None,
};

pub(super) static URF32: Layout = Layout {
    name: "Urano URF32",
    record_bytes: 43,
    department: None,
    kind: Field(8, 8),
    weighed: b"0",
    counted: b"6",
    code: Field(1, 6),
    price: Field(29, 37),
    days: Field(38, 42),
    names: &[Field(9, 28)],
    numbers: Numbers::Blanks,
    marks: &[(7, "*"), (43, "D")],
    rest: &[],
    prints_days: None,
};

/// The layouts that are read, with products in them.
pub(super) static READ: [&Layout; 7] =
    [&ITENSMGV_1, &ITENSMGV_2, &ITENSMGV_3, &ITENSMGV_4, &TXITENS, &CADTXT, &URF32];

/// Filizola's SETORTXT, which says in which sector of a scale each code of CADTXT is.
pub(super) const SETORTXT_BYTES: usize = 25;
/// The name of the sector.
pub(super) const SETORTXT_SECTOR: Field = Field(1, 12);
/// The code of the product.
pub(super) const SETORTXT_CODE: Field = Field(13, 18);
/// The place of the product in the sector.
pub(super) const SETORTXT_INDEX: Field = Field(19, 22);
/// The key of the scale that sells the product; 000 for none.
pub(super) const SETORTXT_KEY: Field = Field(23, 25);

impl Layout {
    /// Whether this is how a file made from a catalog has a name: in its letters, and cut to its width.
    pub fn is_written_as(&self, name: &str, found: &str) -> bool {
        let width = self.names.iter().map(|field| field.width()).sum();
        [ScaleEncoding::Ascii, ScaleEncoding::Windows1252].into_iter().any(|encoding| {
            let mut written = encoded(name, encoding);
            written.truncate(width);
            let written = decoded(&written);
            written.split_whitespace().eq(found.to_uppercase().split_whitespace())
        })
    }

    /// Whether a record of any length begins, as far as it goes, as one of this layout.
    pub(super) fn begins(&self, record: &[u8]) -> bool {
        let is_number = |field: Field| {
            let bytes = field.of(record);
            !bytes.is_empty()
                && bytes.iter().any(u8::is_ascii_digit)
                && bytes.iter().all(|byte| {
                    byte.is_ascii_digit() || (self.numbers == Numbers::Blanks && matches!(byte, b' ' | b','))
                })
        };
        let is_kind = |byte: &u8| self.weighed.contains(byte) || self.counted.contains(byte);
        let kind = self.kind.of(record);
        !kind.is_empty()
            && kind.iter().all(is_kind)
            && self.department.is_none_or(is_number)
            && is_number(self.code)
            && self.marks.iter().all(|(at, mark)| {
                record
                    .get(at - 1..)
                    .is_none_or(|rest| rest.iter().zip(mark.as_bytes()).all(|(byte, mark)| byte == mark))
            })
    }

    /// Whether a record is one of this layout, perhaps with wrong numbers in it.
    pub(super) fn takes(&self, record: &[u8]) -> bool {
        record.len() == self.record_bytes && self.begins(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_in_their_records_and_do_not_overlap() {
        for layout in READ {
            let mut fields = vec![layout.kind, layout.code, layout.price, layout.days];
            fields.extend(layout.names.iter().chain(&layout.department));
            let mut taken = vec![false; layout.record_bytes];
            for field in fields {
                for byte in field.0..=field.1 {
                    assert!(!std::mem::replace(&mut taken[byte - 1], true), "{} at {byte}", layout.name);
                }
            }
            for (at, text) in layout.marks.iter().chain(layout.rest) {
                assert!(at - 1 + text.len() <= layout.record_bytes, "{}", layout.name);
                assert!(!taken[at - 1..at - 1 + text.len()].contains(&true), "{} at {at}", layout.name);
            }
        }
        assert_eq!(ITENSMGV_REST.1.len(), 150 - 68);
    }
}
