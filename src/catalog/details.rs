//! Details that few movements have: an amount of money of their own, the reason of a loss, a note, and the
//! origin of bought produce.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;

use super::amount::Amount;
use super::quantity::Quantity;
use super::quoted::{Quoted, is_unsafe_to_show};

/// Longest note, in characters: two lines of a receipt.
pub const NOTE_CHARS_MAX: usize = 200;

/// Longest name of a supplier, in characters: that of an invoice (NF-e, `xNome`) has 60.
pub const SUPPLIER_CHARS_MAX: usize = 64;

/// Longest lot, in characters: that of an invoice (NF-e, `nLote`) has 20.
pub const LOT_CHARS_MAX: usize = 40;

/// Longest key of an invoice, in characters: that of an NF-e has 44.
pub const INVOICE_CHARS_MAX: usize = 44;

/// Longest name of a supplier's item, in characters: the registration of a supplier has 14, a code on an NF-e (`cProd`)
/// 60, a unit (`uCom`) 6, and two signs stand between them.
pub const ITEM_CHARS_MAX: usize = 82;

/// Longest text that is read as a detail, in bytes: no [`NOTE_CHARS_MAX`] characters take more, however they
/// are composed.
const DETAIL_BYTES_MAX: usize = 4096;

/// The details of one movement, at least one of which is present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The money of the whole movement. `None` for price times quantity.
    pub amount: Option<Amount>,
    /// The reason of a loss.
    pub loss_reason: Option<LossReason>,
    /// Free text of the client.
    pub note: Option<Note>,
    /// The origin of bought produce, and its expiry.
    pub purchase: Option<Purchase>,
}

impl Details {
    /// The details in a box, or `None` if there are none.
    pub fn boxed(self) -> Option<Box<Self>> {
        let purchase = self.purchase.filter(|purchase| *purchase != Purchase::default());
        let details = Self { purchase, ..self };
        (details != Self::default()).then(|| Box::new(details))
    }

    /// The details of a movement that has a note and nothing else.
    pub fn of_note(note: Option<&Note>) -> Option<Box<Self>> {
        note.map(|note| Box::new(Self { note: Some(note.clone()), ..Self::default() }))
    }
}

/// The reason of a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossReason {
    /// `vencido`: past its date.
    Expired,
    /// `maduro`: too ripe to be sold.
    Overripe,
    /// `avaria`: bruised or broken.
    Damaged,
    /// `peso`: dried out.
    Weight,
    /// `furto`: stolen.
    Theft,
    /// `consumo`: used in the shop.
    OwnUse,
    /// `doacao`: given away.
    Donated,
    /// `degustacao`: tasted.
    Tasting,
    /// `devolucao`: back to the supplier.
    Returned,
}

impl LossReason {
    /// Every reason, in the order in which they are offered.
    pub const ALL: [LossReason; 9] = [
        LossReason::Expired,
        LossReason::Overripe,
        LossReason::Damaged,
        LossReason::Weight,
        LossReason::Theft,
        LossReason::OwnUse,
        LossReason::Donated,
        LossReason::Tasting,
        LossReason::Returned,
    ];

    /// The Portuguese word that people, the text protocol and the database use.
    pub fn word(self) -> &'static str {
        match self {
            LossReason::Expired => "vencido",
            LossReason::Overripe => "maduro",
            LossReason::Damaged => "avaria",
            LossReason::Weight => "peso",
            LossReason::Theft => "furto",
            LossReason::OwnUse => "consumo",
            LossReason::Donated => "doacao",
            LossReason::Tasting => "degustacao",
            LossReason::Returned => "devolucao",
        }
    }

    /// The word as people read it, with its accents.
    pub fn shown(self) -> &'static str {
        match self {
            LossReason::Donated => "doação",
            LossReason::Tasting => "degustação",
            LossReason::Returned => "devolução",
            reason => reason.word(),
        }
    }

    /// The reason with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// A word that is no reason of a loss.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "causa {} desconhecida; use vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao",
    Quoted(.0)
)]
pub struct LossReasonError(pub String);

impl FromStr for LossReason {
    type Err = LossReasonError;

    /// Reads the word without regard to case or accents: `doação` is `doacao`.
    fn from_str(text: &str) -> Result<Self, LossReasonError> {
        let plain = |character: &char| character.is_ascii();
        let word: String = text.nfd().filter(plain).collect::<String>().to_ascii_lowercase();
        Self::from_word(&word).ok_or_else(|| LossReasonError(text.to_owned()))
    }
}

/// The origin of bought produce, and its expiry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purchase {
    /// The name of the supplier.
    pub supplier: Option<Supplier>,
    /// The supplier's lot.
    pub lot: Option<Lot>,
    /// The last day on which the produce can be sold. `None` for the day that follows from the shelf life.
    pub expires_on: Option<Date>,
    /// The invoice of the purchase.
    pub invoice: Option<InvoiceKey>,
    /// The supplier's own name of the product. The next invoice that has it is of the same product.
    pub item: Option<SupplierItem>,
    /// The content of one of the supplier's units, such as 20 kg in a box, in the product's unit.
    pub pack: Option<Quantity>,
}

/// Why a text of the details is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailError {
    /// The text is too long.
    #[error("{what} {} tem {length} caracteres; o limite é {chars_max}", Quoted(.text))]
    TooLong { what: &'static str, text: String, length: usize, chars_max: usize },
    /// The text has a character that must not be shown.
    #[error("{what} {} tem um caractere de controle", Quoted(.text))]
    Control { what: &'static str, text: String },
    /// The text has no visible character.
    #[error("{what} está em branco")]
    Empty { what: &'static str },
    /// The text is no day of the calendar.
    #[error("validade {} inválida; escreva uma data como 2026-12-05", Quoted(.0))]
    NoDate(String),
}

/// Reads a day as ISO 8601 writes it: `2026-12-05`.
///
/// # Errors
/// If the text is no day of the calendar.
pub fn parse_expiry(text: &str) -> Result<Date, DetailError> {
    // The library also reads other forms, with a time or without hyphens.
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    date.ok_or_else(|| DetailError::NoDate(text.to_owned()))
}

/// Makes a type for a text of limited length.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $chars_max:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = DetailError;

            fn from_str(text: &str) -> Result<Self, DetailError> {
                clean(text, $what, $chars_max).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// Free text on a movement: NFC, trimmed, 1 to [`NOTE_CHARS_MAX`] characters.
    Note: "a observação", NOTE_CHARS_MAX;
    /// The name of a supplier: NFC, trimmed, 1 to [`SUPPLIER_CHARS_MAX`] characters.
    Supplier: "o fornecedor", SUPPLIER_CHARS_MAX;
    /// A lot as the supplier names it: NFC, trimmed, 1 to [`LOT_CHARS_MAX`] characters.
    Lot: "o lote", LOT_CHARS_MAX;
    /// The key of an invoice (NF-e): NFC, trimmed, 1 to [`INVOICE_CHARS_MAX`] characters.
    InvoiceKey: "a chave da nota", INVOICE_CHARS_MAX;
    /// A product as a supplier names it on invoices, with the supplier's registration and unit:
    /// `12345678000195/01/CX`. NFC, trimmed, 1 to [`ITEM_CHARS_MAX`] characters.
    SupplierItem: "o item do fornecedor", ITEM_CHARS_MAX;
}

/// Normalises and checks a text.
fn clean(text: &str, what: &'static str, chars_max: usize) -> Result<Box<str>, DetailError> {
    let text = text.trim();
    let too_long = |length| DetailError::TooLong { what, text: text.to_owned(), length, chars_max };
    if text.len() > DETAIL_BYTES_MAX {
        return Err(too_long(text.chars().count()));
    }
    let clean: String = text.nfc().collect();
    let length = clean.chars().count();
    if length == 0 {
        Err(DetailError::Empty { what })
    } else if length > chars_max {
        Err(too_long(length))
    } else if clean.chars().any(is_unsafe_to_show) {
        Err(DetailError::Control { what, text: clean })
    } else {
        Ok(clean.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_a_limit() {
        assert_eq!(" Sítio  do Zé ".parse::<Supplier>().unwrap().as_str(), "Sítio  do Zé");
        assert_eq!("Zé".nfd().collect::<String>().parse::<Supplier>().unwrap().as_str(), "Zé");
        assert_eq!("ç".repeat(NOTE_CHARS_MAX).parse::<Note>().unwrap().as_str().chars().count(), 200);
        for text in [&"x".repeat(300), &"x".repeat(SUPPLIER_CHARS_MAX + 1), "", " ", "a\u{202E}b", "a\nb"] {
            text.parse::<Supplier>().unwrap_err();
        }
        let error = "x".repeat(300).parse::<Supplier>().unwrap_err().to_string();
        assert!(error.contains("tem 300 caracteres; o limite é 64"), "{error}");
    }

    #[test]
    fn a_reason_is_found_by_its_word() {
        for reason in LossReason::ALL {
            assert_eq!(reason.word().parse(), Ok(reason));
            assert_eq!(reason.shown().parse(), Ok(reason));
        }
        assert_eq!("Doação".parse(), Ok(LossReason::Donated));
        for word in ["", "roubo", "venc"] {
            let error = word.parse::<LossReason>().unwrap_err().to_string();
            assert!(LossReason::ALL.iter().all(|reason| error.contains(reason.word())), "{error}");
        }
    }

    #[test]
    fn an_expiry_is_a_day_of_the_calendar() {
        assert_eq!(parse_expiry("2026-12-05").unwrap().to_string(), "2026-12-05");
        for text in ["", "amanhã", "2026-02-30", "20261205", "2026-12-05T10:00", "05/12/2026", "2026-1-5"] {
            parse_expiry(text).unwrap_err();
        }
    }

    #[test]
    fn details_without_content_are_none() {
        assert_eq!(Details { purchase: Some(Purchase::default()), ..Details::default() }.boxed(), None);
        let details = Details { amount: Some(Amount::default()), ..Details::default() };
        assert_eq!(details.clone().boxed().as_deref(), Some(&details));
    }
}
