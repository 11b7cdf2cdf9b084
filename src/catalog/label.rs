//! Labels of scales: barcodes of 13 digits that begin with 2 and contain the code of a product with its weight
//! or its price.
//!
//! A label itself does not show which of the two it contains, nor how long the code is. The shop configures
//! that by masks.

use std::fmt;
use std::str::FromStr;

use super::amount::Amount;
use super::counted::counted;
use super::gtin::check_digit;
use super::name::Name;
use super::price::Price;
use super::product::Unit;
use super::quantity::Quantity;
use super::quoted::Quoted;

/// Digits of a label: an EAN-13.
const DIGITS: usize = 13;

/// The unit of the weights on labels.
const KILOGRAM: &str = "kg";

/// Most masks of a shop. One digit behind the 2 distinguishes ten masks, and no shop has as many kinds of
/// labels.
pub const LABEL_MASKS_MAX: usize = 10;

/// The meaning of the digits of a label: `2CCCCCCPPPPPD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelMask([Place; DIGITS]);

/// The meaning of one digit of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The digit must be this one.
    Literal(u8),
    Code,
    Weight,
    Total,
    Check,
    Skipped,
}

/// Why a text is no valid mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    #[error(
        "a máscara {} tem {}, e uma etiqueta tem {DIGITS} dígitos",
        Quoted(.mask),
        counted(.length.to_owned(), "caractere", "caracteres")
    )]
    Length { mask: String, length: usize },
    #[error("a máscara {} tem {character:?}; use só dígitos e letras", Quoted(.mask))]
    Character { mask: String, character: char },
    #[error("a máscara {} não começa com 2, como toda etiqueta de balança", Quoted(.0))]
    Start(String),
    #[error("a máscara {} não tem o dígito verificador D no fim, e só lá", Quoted(.0))]
    Check(String),
    #[error("a máscara {} não tem o código do produto (C)", Quoted(.0))]
    NoCode(String),
    #[error("a máscara {} não tem o peso (P) nem o total (T)", Quoted(.0))]
    NoValue(String),
    #[error("a máscara {} tem o peso (P) e o total (T), e uma etiqueta só tem um dos dois", Quoted(.0))]
    TwoValues(String),
    #[error("as máscaras {0} e {1} leem as mesmas etiquetas; os dígitos fixos têm de distingui-las")]
    Ambiguous(LabelMask, LabelMask),
    #[error("são {0} máscaras, e o limite é de {LABEL_MASKS_MAX}")]
    TooMany(usize),
}

impl FromStr for LabelMask {
    type Err = MaskError;

    /// Reads a mask in the notation of other tills: a digit stands for itself, `C` for the code, `P` for
    /// grams, `T` for centavos, `D` for the check digit, and any other letter for a digit that is skipped.
    fn from_str(text: &str) -> Result<Self, MaskError> {
        let mask = text.trim().to_uppercase();
        let mut places = [Place::Skipped; DIGITS];
        let length = mask.chars().count();
        if length != DIGITS {
            return Err(MaskError::Length { mask, length });
        }
        for (place, character) in places.iter_mut().zip(mask.chars()) {
            *place = match character {
                '0'..='9' => Place::Literal(character as u8 - b'0'),
                'C' => Place::Code,
                'P' => Place::Weight,
                'T' => Place::Total,
                'D' => Place::Check,
                'A'..='Z' => Place::Skipped,
                character => return Err(MaskError::Character { mask, character }),
            };
        }
        let has = |place| places.contains(&place);
        match (has(Place::Weight), has(Place::Total)) {
            _ if places[0] != Place::Literal(2) => Err(MaskError::Start(mask)),
            _ if places.iter().position(|place| *place == Place::Check) != Some(DIGITS - 1) => {
                Err(MaskError::Check(mask))
            }
            _ if !has(Place::Code) => Err(MaskError::NoCode(mask)),
            (false, false) => Err(MaskError::NoValue(mask)),
            (true, true) => Err(MaskError::TwoValues(mask)),
            _ => Ok(Self(places)),
        }
    }
}

impl fmt::Display for LabelMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|place| match place {
            Place::Literal(digit) => write!(f, "{digit}"),
            Place::Code => f.write_str("C"),
            Place::Weight => f.write_str("P"),
            Place::Total => f.write_str("T"),
            Place::Check => f.write_str("D"),
            Place::Skipped => f.write_str("X"),
        })
    }
}

impl LabelMask {
    /// Whether the label has the literal digits of this mask.
    fn fits(&self, digits: &[u8; DIGITS]) -> bool {
        self.0.iter().zip(digits).all(|(place, digit)| match place {
            Place::Literal(literal) => literal == digit,
            _ => true,
        })
    }

    /// Whether no label fits both masks.
    fn is_apart_from(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| match (one, other) {
            (Place::Literal(one), Place::Literal(other)) => one != other,
            _ => false,
        })
    }

    /// The number that the digits at these places form, from the left.
    fn number(&self, digits: &[u8; DIGITS], wanted: Place) -> i64 {
        let digits = self.0.iter().zip(digits).filter(|(place, _)| **place == wanted);
        digits.fold(0, |number, (_, digit)| 10 * number + i64::from(*digit))
    }

    fn read(&self, digits: &[u8; DIGITS]) -> Label {
        let (weight, total) = (self.number(digits, Place::Weight), self.number(digits, Place::Total));
        let content = match self.0.contains(&Place::Weight) {
            true => Quantity::from_thousandths(weight).map(LabelContent::Weight).ok(),
            false => Amount::from_centavos(total).map(LabelContent::Total),
        };
        let content = content.expect("twelve digits are within the limits of both");
        Label { code: self.number(digits, Place::Code).unsigned_abs(), content }
    }
}

/// The masks of a shop, of which no two read the same label.
#[derive(Debug, Clone, Default)]
pub struct LabelMasks(Vec<LabelMask>);

impl LabelMasks {
    /// # Errors
    /// If two of the masks read the same label, or there are more than [`LABEL_MASKS_MAX`].
    pub fn new(masks: Vec<LabelMask>) -> Result<Self, MaskError> {
        if masks.len() > LABEL_MASKS_MAX {
            return Err(MaskError::TooMany(masks.len()));
        }
        for (index, one) in masks.iter().enumerate() {
            if let Some(other) = masks[index + 1..].iter().find(|other| !one.is_apart_from(other)) {
                return Err(MaskError::Ambiguous(*one, *other));
            }
        }
        Ok(Self(masks))
    }

    /// The masks.
    pub fn all(&self) -> &[LabelMask] {
        &self.0
    }

    /// Reads a label. `None` if the text is no label, or the shop has no masks.
    ///
    /// # Errors
    /// If the text looks like a label, but its check digit is wrong or no mask fits.
    pub fn read(&self, text: &str) -> Result<Option<Label>, LabelError> {
        let Some(digits) = digits(text.trim()).filter(|_| !self.0.is_empty()) else { return Ok(None) };
        let (last, before) = (digits[DIGITS - 1], &digits[..DIGITS - 1]);
        let expected = check_digit(before);
        if last != expected {
            return Err(LabelError::CheckDigit { label: text.trim().to_owned(), last, expected });
        }
        let mask = self.mask_of(text).ok_or_else(|| LabelError::NoMask(text.trim().to_owned()))?;
        Ok(Some(mask.read(&digits)))
    }

    /// The mask that reads a label.
    pub fn mask_of(&self, text: &str) -> Option<LabelMask> {
        let digits = digits(text.trim())?;
        self.0.iter().find(|mask| mask.fits(&digits)).copied()
    }
}

/// The digits of an EAN-13 that begins with 2.
fn digits(text: &str) -> Option<[u8; DIGITS]> {
    let bytes: [u8; DIGITS] = text.as_bytes().try_into().ok()?;
    let is_label = bytes[0] == b'2' && bytes.iter().all(u8::is_ascii_digit);
    is_label.then(|| bytes.map(|byte| byte - b'0'))
}

/// The content of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The shop's code of the product.
    pub code: u64,
    /// The weight or the price of the goods.
    pub content: LabelContent,
}

/// The weight or the price on a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelContent {
    /// The weight, in kilograms.
    Weight(Quantity),
    /// The price that the label shows to the customer.
    Total(Amount),
}

impl LabelContent {
    /// The quantity in the bag of a product of this name and unit: the weight, or what the total comes to at
    /// this price.
    ///
    /// # Errors
    /// If the label has a weight and the product is not weighed, the label has a total and the product no
    /// price, or nothing is in the bag.
    pub fn quantity(self, name: &Name, unit: &Unit, price: Price) -> Result<Quantity, LabelError> {
        if matches!(self, LabelContent::Weight(_)) && unit.meant() != KILOGRAM {
            return Err(LabelError::NotWeighed { name: name.to_string(), unit: unit.clone() });
        }
        let quantity = self.quantity_at(price).ok_or_else(|| LabelError::NoPrice(name.to_string()))?;
        if quantity == Quantity::ZERO { Err(LabelError::Nothing(name.to_string())) } else { Ok(quantity) }
    }

    /// The weight, or what the total comes to at this price. `None` if a total has no price to divide it.
    pub(super) fn quantity_at(self, price: Price) -> Option<Quantity> {
        match self {
            LabelContent::Weight(weight) => Some(weight),
            LabelContent::Total(total) => quantity_of_total(total, price),
        }
    }
}

/// Why a label cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// The check digit is wrong, so the label was misread or mistyped.
    #[error(
        "a etiqueta {} tem o dígito verificador errado: termina em {last}, e deveria terminar em {expected}; \
         leia-a de novo",
        Quoted(.label)
    )]
    CheckDigit { label: String, last: u8, expected: u8 },
    /// No mask of the server fits the label.
    #[error("nenhuma máscara de --label do servidor lê a etiqueta {}", Quoted(.0))]
    NoMask(String),
    /// A weight of something that is not sold by weight.
    #[error("a etiqueta diz o peso, e {} é vendido por {unit}, não por kg", Quoted(.name))]
    NotWeighed { name: String, unit: Unit },
    /// A total that no price divides.
    #[error("a etiqueta só diz o total, e {} está sem preço; dê um preço ao produto", Quoted(.0))]
    NoPrice(String),
    /// An empty bag.
    #[error("a etiqueta de {} não diz quantidade nenhuma", Quoted(.0))]
    Nothing(String),
}

/// The quantity that costs this total at a price, rounded half up to a thousandth. `None` if the price is
/// zero, or the quantity too large.
pub fn quantity_of_total(total: Amount, price: Price) -> Option<Quantity> {
    let (total, price) = (i128::from(total.centavos()), i128::from(price.centavos()));
    if price == 0 {
        return None;
    }
    let thousandths = (2 * 1000 * total + price) / (2 * price);
    i64::try_from(thousandths).ok().and_then(|thousandths| Quantity::from_thousandths(thousandths).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masks(masks: &[&str]) -> LabelMasks {
        LabelMasks::new(masks.iter().map(|mask| mask.parse().unwrap()).collect()).unwrap()
    }

    fn weight(thousandths: i64) -> LabelContent {
        LabelContent::Weight(Quantity::from_thousandths(thousandths).unwrap())
    }

    fn total(centavos: i64) -> LabelContent {
        LabelContent::Total(Amount::from_centavos(centavos).unwrap())
    }

    #[test]
    fn published_labels_are_read_by_their_masks() {
        let vectors = include_str!("../../tests/data/scales/labels.csv");
        let (mut read, mut refused) = (0, 0);
        for line in vectors.lines().skip(1) {
            let cells: Vec<&str> = line.splitn(6, ',').collect();
            let [mask, ean, code, kind, value, _] = cells[..] else { panic!("{line}") };
            if ean == "INVALID" {
                let found = masks(&["2CCCCCCTTTTTD"]).read(mask);
                let expected = LabelError::CheckDigit { label: mask.to_owned(), last: 6, expected: 7 };
                assert_eq!(found, Err(expected), "{line}");
                refused += 1;
                continue;
            }
            let value = value.parse().unwrap();
            let content = match kind {
                "peso_g" => weight(value),
                "total_centavos" => total(value),
                _ => panic!("{line}"),
            };
            let label = Label { code: code.parse().unwrap(), content };
            assert_eq!(masks(&[mask]).read(ean), Ok(Some(label)), "{line}");
            read += 1;
        }
        assert_eq!((read, refused), (9, 1));
    }

    #[test]
    fn what_is_no_mask_is_refused_with_its_reason() {
        for (mask, told) in [
            ("2CCCCCCPPPPD", "tem 12 caracteres, e uma etiqueta tem 13 dígitos"),
            ("2CCCCCCPPPPPPD", "tem 14 caracteres"),
            ("", "tem 0 caracteres"),
            ("2CCCCCC-PPPPD", "tem '-'; use só dígitos e letras"),
            ("7CCCCCCPPPPPD", "não começa com 2"),
            ("CCCCCCCPPPPPD", "não começa com 2"),
            ("2CCCCCCPPPPPP", "não tem o dígito verificador D no fim"),
            ("2CCCCCDPPPPPD", "não tem o dígito verificador D no fim, e só lá"),
            ("2XXXXXXPPPPPD", "não tem o código"),
            ("2CCCCCCXXXXXD", "não tem o peso (P) nem o total (T)"),
            ("2CCCCCCPPTTTD", "tem o peso (P) e o total (T)"),
        ] {
            let error = mask.parse::<LabelMask>().unwrap_err();
            assert!(error.to_string().contains(told), "{mask}: {error}");
        }
        for (mask, shown) in [(" 2ccccccpppppd\n", "2CCCCCCPPPPPD"), ("2CCCCCVTTTTTD", "2CCCCCXTTTTTD")] {
            assert_eq!(mask.parse::<LabelMask>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn masks_are_distinguished_by_their_literal_digits() {
        let both = masks(&["21CCCCCPPPPPD", "23CCCCCTTTTTD"]);
        let label = |content| Ok(Some(Label { code: 12_345, content }));
        assert_eq!(both.read("2112345015002"), label(weight(1_500)));
        assert_eq!(both.read(&printed("231234501500")), label(total(1_500)));
        let other = printed("221234501500");
        assert_eq!(both.read(&other), Err(LabelError::NoMask(other.clone())));
        let new = |texts: &[&str]| LabelMasks::new(texts.iter().map(|mask| mask.parse().unwrap()).collect());
        for pair in [
            ["2CCCCCCPPPPPD", "2CCCCCCTTTTTD"],
            ["2CCCCCCPPPPPD", "23CCCCCTTTTTD"],
            ["20CCCCCPPPPPD", "20CCCCCPPPPPD"],
            ["2CCCC0PPPPPPD", "21CCCCCPPPPPD"],
        ] {
            let error = new(&pair).unwrap_err().to_string();
            assert!(error.contains("leem as mesmas etiquetas"), "{error}");
        }
        let masks: Vec<String> = (0..=10).map(|number| format!("2{number:02}CCCCPPPPPD")).collect();
        let masks: Vec<&str> = masks.iter().map(String::as_str).collect();
        assert!(new(&masks[1..]).is_ok());
        assert!(matches!(new(&masks), Err(MaskError::TooMany(11))));
    }

    #[test]
    fn other_codes_are_no_labels() {
        let none = LabelMasks::default();
        assert_eq!(none.read("2010085025049"), Ok(None));
        assert_eq!(none.read("2010085025040"), Ok(None));
        let masks = masks(&["2CCCCCCPPPPPD"]);
        for text in ["", "Maca", "7891000100103", "201008502504", "20100850250499", "2010085o25049", "２"] {
            assert_eq!(masks.read(text), Ok(None), "{text}");
        }
        assert!(masks.read(" 2010085025049 ").unwrap().is_some());
    }

    /// The label that a scale prints.
    fn printed(start: &str) -> String {
        let digits: Vec<u8> = start.bytes().map(|byte| byte.wrapping_sub(b'0') % 10).collect();
        format!("{start}{}", check_digit(&digits))
    }

    #[test]
    fn a_total_without_a_price_has_no_quantity() {
        let total = Amount::from_centavos(500).unwrap();
        assert_eq!(quantity_of_total(total, Price::from_centavos(0).unwrap()), None);
    }

    #[test]
    fn the_quantity_of_a_bag_depends_on_the_product() {
        let quantity = |content: LabelContent, unit: &str, centavos| {
            let (name, unit) = (Name::parse("Banana").unwrap(), Unit::parse(unit).unwrap());
            let quantity = content.quantity(&name, &unit, Price::from_centavos(centavos).unwrap());
            quantity.map(Quantity::thousandths).map_err(|error| error.to_string())
        };
        assert_eq!(quantity(weight(1_250), "kg", 0), Ok(1_250));
        assert_eq!(quantity(total(1_000), "kg", 699), Ok(1_431));
        assert_eq!(quantity(total(1_398), "un", 699), Ok(2_000));
        for (content, unit, price, told) in [
            (weight(1_250), "un", 699, "é vendido por un, não por kg"),
            (total(1_000), "kg", 0, "está sem preço"),
            (weight(0), "kg", 699, "não diz quantidade nenhuma"),
            (total(0), "kg", 699, "não diz quantidade nenhuma"),
            (total(1), "kg", 100_000_000, "não diz quantidade nenhuma"),
        ] {
            let error = quantity(content, unit, price).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    proptest! {
        /// Whatever is typed, and whatever the mask: an error or a label, and a mask reads back as it is shown.
        #[test]
        fn no_text_is_too_odd(mask in "2[0-9CPTXcx]{11}D|\\PC{0,14}", text in "2[0-9]{11,13}|\\PC{0,14}") {
            if let Ok(mask) = mask.parse::<LabelMask>() {
                prop_assert_eq!(mask.to_string().parse(), Ok(mask));
                let masks = LabelMasks::new(vec![mask]).unwrap();
                let _ = masks.read(&text);
                if let Ok(Some(label)) = masks.read(&printed(&text.chars().take(12).collect::<String>())) {
                    prop_assert!(label.code < 1_000_000_000_000);
                }
            }
        }

        #[test]
        fn a_weight_is_read_as_it_was_printed(code in 1_u64..=999_999, grams in 0_i64..=99_999) {
            let label = masks(&["2CCCCCCPPPPPD"]).read(&printed(&format!("2{code:06}{grams:05}")));
            prop_assert_eq!(label, Ok(Some(Label { code, content: weight(grams) })));
        }

        /// A scale prints half-up(weight × price). Of the weight that is read back from that total the money
        /// is the same total again, unless a gram costs more than a centavo: then the weight itself is.
        #[test]
        fn a_total_comes_back_from_its_quantity(grams in 1_i64..=99_999, centavos in 1_i64..=100_000) {
            let (weight, price) =
                (Quantity::from_thousandths(grams).unwrap(), Price::from_centavos(centavos).unwrap());
            let total = Amount::of(price, weight);
            let found = quantity_of_total(total, price).unwrap();
            if centavos <= 1000 {
                prop_assert_eq!(Amount::of(price, found), total);
            } else {
                prop_assert_eq!(found, weight);
            }
            // Half up: no other gram is nearer to the total.
            let distance = (1000 * total.centavos() - found.thousandths() * centavos).abs();
            prop_assert!(2 * distance <= centavos);
        }
    }
}
