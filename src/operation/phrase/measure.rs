//! A quantity as people write it: `2`, `2,5kg`, `350g`, `20cx=440kg`.

use std::fmt;

use crate::catalog::{Note, Quantity, Quoted, Unit, unit_of_word};
use crate::refusal::Refusal;

/// The sign between the boxes and the rest of a purchase's note.
const NOTE_BREAK: char = ';';

/// The shortest barcode, in digits. A longer word of digits alone is a code, and no quantity.
const CODE_DIGITS_MIN: usize = 8;

/// A quantity, perhaps with its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The quantity as it was written.
    text: String,
    quantity: Quantity,
    /// The quantity that a Brazilian reads in a number such as `1.000`, if that is another one.
    thousands: Option<Quantity>,
    unit: Option<&'static str>,
    /// The number of boxes, of a quantity that was bought in boxes.
    boxes: Option<Quantity>,
}

impl Measure {
    /// Reads a word. `None` if it is no quantity at all, but part of a name, or a code.
    pub fn read(word: &str) -> Option<Result<Self, Refusal>> {
        if let Some((boxes, held)) = word.split_once('=') {
            let (boxes, held) = (Self::read_plain(boxes)?, Self::read_plain(held)?);
            return Some(boxes.and_then(|boxes| Self::of_boxes(word, &boxes, held?)));
        }
        Self::read_plain(word)
    }

    /// Reads a quantity with its unit, such as `2,5kg`. `None` if it has none, or is no quantity.
    pub fn with_own_unit(word: &str) -> Option<Self> {
        Self::read_plain(word)?.ok().filter(|measure| measure.unit.is_some())
    }

    fn read_plain(word: &str) -> Option<Result<Self, Refusal>> {
        let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | '-' | '\u{2212}');
        let number = &word[..word.find(|c| !is_of_number(c)).unwrap_or(word.len())];
        let is_code = word.len() >= CODE_DIGITS_MIN && word.bytes().all(|byte| byte.is_ascii_digit());
        let begins =
            number.trim_start_matches(['+', '-', '\u{2212}']).starts_with(|c: char| c.is_ascii_digit());
        if !begins || is_code {
            return None;
        }
        let (unit, parts) = match &word[number.len()..] {
            "" => (None, 1),
            unit => unit_of_word(unit).map(|(unit, parts)| (Some(unit), parts))?,
        };
        let quantity = number.parse().map_err(|error| Refusal::quantity(FIELD, &error));
        Some(quantity.and_then(|quantity| {
            let whole = |quantity: Quantity| quantity.divided(parts).ok_or_else(|| too_fine(word));
            let thousands =
                Quantity::two_readings(number).map(|(thousands, _)| whole(thousands)).transpose()?;
            let (text, boxes) = (word.to_owned(), None);
            // A number too fine in one reading has only the other.
            match (whole(quantity), thousands) {
                (Ok(quantity), thousands) => Ok(Self { text, quantity, thousands, unit, boxes }),
                (Err(_), Some(quantity)) => Ok(Self { text, quantity, thousands: None, unit, boxes }),
                (Err(error), None) => Err(error),
            }
        }))
    }

    /// The boxes that the note of a purchase begins with: `20cx=440kg; as de cima molhadas`.
    pub fn of_note(note: &Note) -> Option<Self> {
        let measure = Self::read(note.as_str().split([' ', NOTE_BREAK]).next()?)?.ok()?;
        measure.boxes.is_some().then_some(measure)
    }

    /// The note of a purchase: the boxes, if it was of boxes, and what the person notes.
    ///
    /// # Errors
    /// If both together are too long.
    pub fn noted(boxes: Option<&str>, said: Option<&str>) -> Result<Option<Note>, Refusal> {
        let parts: Vec<&str> = boxes.into_iter().chain(said).collect();
        let note = parts.join(&format!("{NOTE_BREAK} "));
        if parts.is_empty() {
            Ok(None)
        } else {
            note.parse().map(Some).map_err(|error| Refusal::detail("note", &error))
        }
    }

    /// Reads `20cx=440kg`.
    fn of_boxes(word: &str, boxes: &Self, held: Self) -> Result<Self, Refusal> {
        let count = boxes.certain()?;
        if boxes.unit.is_none() || count <= Quantity::ZERO || count.has_fraction() {
            let what = format!("{} não diz quantas caixas são; escreva como 20cx=440kg", Quoted(word));
            return Err(Refusal::invalid(FIELD, what));
        }
        Ok(Self { text: word.to_owned(), boxes: Some(count), ..held })
    }

    /// The quantity, if the number has one reading.
    ///
    /// # Errors
    /// If it is written as `1.000`, which is a thousand to a Brazilian and one to a program.
    pub fn certain(&self) -> Result<Quantity, Refusal> {
        match self.thousands {
            Some(thousands) => Err(Refusal::two_readings(FIELD, &self.text, thousands, self.quantity)),
            None => Ok(self.quantity),
        }
    }

    /// The two readings of a number such as `1.000`: a thousand, and one.
    pub fn two_readings(&self) -> Option<(Quantity, Quantity)> {
        self.thousands.map(|thousands| (thousands, self.quantity))
    }

    /// The measure with one of its two readings.
    pub fn meaning(self, quantity: Quantity) -> Self {
        Self { quantity, thousands: None, ..self }
    }

    /// The quantity in the unit of the product with this name.
    ///
    /// # Errors
    /// If the measure has two readings, or is in another unit.
    pub fn in_unit(&self, name: &str, unit: &Unit) -> Result<Quantity, Refusal> {
        let quantity = self.certain()?;
        let (own, parts) = unit_of_word(unit.as_str()).unwrap_or((unit.as_str(), 1));
        match self.unit {
            Some(other) if other != own => {
                let what = format!("{name} se conta em {unit}, e não em {other}: {}", Quoted(&self.text));
                Err(Refusal::invalid(FIELD, what))
            }
            // The product is counted in grams, and the measure in kilograms.
            Some(_) if parts > 1 => {
                let thousandths = quantity.thousandths().saturating_mul(i64::from(parts));
                Quantity::from_thousandths(thousandths).map_err(|error| Refusal::quantity(FIELD, &error))
            }
            _ => Ok(quantity),
        }
    }

    /// The content of one box, half a thousandth up, of a quantity that was bought in boxes.
    pub fn box_size(&self) -> Option<Quantity> {
        let held = i128::from(self.certain().ok()?.thousandths());
        let boxes = i128::from(self.boxes?.thousandths());
        let size = (2 * 1000 * held + boxes) / (2 * boxes);
        Quantity::from_thousandths(i64::try_from(size).ok()?).ok()
    }

    /// The unit that was written with the number.
    pub fn unit(&self) -> Option<&'static str> {
        self.unit
    }

    /// The note of a purchase in boxes: `20cx=440kg`.
    pub fn note(&self) -> Option<&str> {
        self.boxes.map(|_| self.text.as_str())
    }

    /// A number of boxes, as what they hold if boxes are as they were at an earlier purchase. `None` if that
    /// cannot be said in thousandths, or this is no number of boxes of that purchase.
    pub fn as_boxes_of(&self, earlier: &Self) -> Option<Self> {
        let (boxes, count) = (earlier.boxes?, self.certain().ok()?);
        let label = |text: &str| {
            let boxes = text.split('=').next().unwrap_or_default();
            unit_of_word(boxes.trim_start_matches(|c: char| !c.is_alphabetic())).map(|(unit, _)| unit)
        };
        if self.boxes.is_some() || self.unit.is_none() || label(&earlier.text) != self.unit {
            return None;
        }
        let held = i128::from(earlier.quantity.thousandths()) * i128::from(count.thousandths());
        let boxes = i128::from(boxes.thousandths());
        let quantity = (held % boxes == 0).then_some(held / boxes)?;
        let quantity = Quantity::from_thousandths(i64::try_from(quantity).ok()?).ok()?;
        let text = format!("{}={}{}", self.text, quantity.with_comma(), earlier.unit.unwrap_or_default());
        Some(Self { text, quantity, thousands: None, unit: earlier.unit, boxes: Some(count) })
    }

    /// Whether only this word of a phrase can be the quantity: it carries a unit.
    pub(super) fn is_plain(&self) -> bool {
        self.unit.is_none() && self.boxes.is_none()
    }

    /// The measure with a unit that stands as a word of its own.
    pub(super) fn with_unit(&self, word: &str) -> Option<Result<Self, Refusal>> {
        let is_unit = self.is_plain() && unit_of_word(word).is_some();
        is_unit.then(|| Self::read_plain(&format!("{}{word}", self.text))).flatten()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.quantity < Quantity::ZERO
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The field of a quantity in `inventory.proto`.
pub(super) const FIELD: &str = "delta_thousandths";

fn too_fine(word: &str) -> Refusal {
    Refusal::invalid(FIELD, format!("{} tem menos de um milésimo da unidade", Quoted(word)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Price;

    fn read(word: &str) -> Option<Result<String, String>> {
        let measure = Measure::read(word)?;
        let shown = |measure: Measure| {
            let unit = measure.unit.unwrap_or("-");
            let boxes = measure.boxes.map_or(String::new(), |boxes| format!(" em {boxes}"));
            let thousands = measure.thousands.map_or(String::new(), |other| format!(" ou {other}"));
            format!("{}{thousands} {unit}{boxes}", measure.quantity)
        };
        Some(measure.map(shown).map_err(|refusal| refusal.message))
    }

    #[test]
    fn a_quantity_may_carry_its_unit() {
        for (word, expected) in [
            ("2", "2 -"),
            ("2,5kg", "2.5 kg"),
            ("2.5KG", "2.5 kg"),
            ("350g", "0.35 kg"),
            ("1.000g", "0.001 ou 1 kg"),
            ("1.500g", "1.5 kg"),
            ("500ml", "0.5 l"),
            ("3dúzias", "3 dz"),
            ("2maços", "2 maço"),
            ("1.000", "1 ou 1000 -"),
            ("1.000kg", "1 ou 1000 kg"),
            ("\u{2212}2", "-2 -"),
            ("20cx=440kg", "440 kg em 20"),
            ("20caixas=440", "440 - em 20"),
        ] {
            assert_eq!(read(word), Some(Ok(expected.to_owned())), "{word}");
        }
        for word in ["", "kg", "7up", "2x", "Maca", "A2", "-", "7891234567895", "20cx=", "=440kg", "a=b"] {
            assert_eq!(read(word), None, "{word}");
        }
        for word in ["2,5678kg", "1,5g", "5.", "1.000.000", "20=440kg", "0cx=1kg", "1,5cx=3kg", "1.000cx=9kg"]
        {
            assert!(matches!(read(word), Some(Err(_))), "{word}");
        }
    }

    /// The panel reads numbers by itself, and its tests read the same list.
    #[test]
    fn typed_numbers_are_what_the_panel_reads_too() {
        let rows = include_str!("../../../tests/data/typed-numbers.csv").lines();
        let mut count = 0;
        for line in rows.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let [kind, text, expected] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let value = match (kind, Measure::read(text)) {
                ("money", _) => text.parse().ok().map(|price: Price| price.centavos().to_string()),
                (_, Some(Ok(Measure { quantity, thousands, .. }))) => {
                    let readings = thousands.into_iter().chain([quantity]);
                    let readings: Vec<String> = readings.map(|q| q.thousandths().to_string()).collect();
                    Some(readings.join(" "))
                }
                _ => None,
            };
            assert_eq!(value.as_deref().unwrap_or("-"), expected, "{line}");
            count += 1;
        }
        assert!(count >= 50, "{count}");
    }

    #[test]
    fn a_measure_is_of_the_products_unit() {
        let kg = Unit::parse("Kilo").unwrap();
        let measure = |word| Measure::read(word).unwrap().unwrap();
        for word in ["2", "2kg", "2000g", "2quilos"] {
            assert_eq!(measure(word).in_unit("Caju", &kg), Ok("2".parse().unwrap()), "{word}");
        }
        let refusal = measure("2un").in_unit("Caju", &kg).unwrap_err();
        assert!(refusal.message.starts_with("Caju se conta em kg, e não em un: \"2un\"."), "{refusal}");
        let grams = Unit::parse("g").unwrap();
        for (word, quantity) in [("200", "200"), ("200g", "200"), ("0,2kg", "200")] {
            assert_eq!(measure(word).in_unit("Caju", &grams), Ok(quantity.parse().unwrap()), "{word}");
        }
        assert!(measure("1.000").in_unit("Caju", &kg).is_err());
        assert_eq!(
            measure("1.000").meaning(Quantity::from_units(1000)).in_unit("Caju", &kg),
            Ok("1000".parse().unwrap())
        );
    }

    #[test]
    fn boxes_hold_what_they_held_before() {
        let measure = |word| Measure::read(word).unwrap().unwrap();
        let earlier = measure("20cx=440kg");
        let bought = measure("5cx").as_boxes_of(&earlier).unwrap();
        assert_eq!((bought.note(), bought.quantity), (Some("5cx=110kg"), Quantity::from_units(110)));
        assert_eq!(measure(&bought.text), bought);
        for other in ["5", "5kg", "5sacos", "5cx=1kg"] {
            assert_eq!(measure(other).as_boxes_of(&earlier), None, "{other}");
        }
        assert_eq!(measure("5cx").as_boxes_of(&measure("7cx=1kg")), None);
        assert_eq!(measure("5cx").as_boxes_of(&measure("440kg")), None);
    }

    proptest! {
        #[test]
        fn what_is_written_with_its_unit_reads_back(
            thousandths in 1_i64..=10_000_000,
            unit in prop::sample::select(vec!["", "kg", "un", "Kgs", "dúzia"]),
        ) {
            let quantity = Quantity::from_thousandths(thousandths).unwrap();
            let word = format!("{}{unit}", quantity.with_comma());
            if word.len() < CODE_DIGITS_MIN || !word.bytes().all(|byte| byte.is_ascii_digit()) {
                let measure = Measure::read(&word).unwrap().unwrap();
                prop_assert_eq!(measure.certain(), Ok(quantity));
                prop_assert_eq!(measure.unit.is_some(), !unit.is_empty());
            }
        }

        #[test]
        fn a_number_with_two_readings_is_never_certain(whole in 1_u32..1000, last in 0_u32..1000, unit in "(|kg|un)") {
            let word = format!("{whole}.{last:03}{unit}");
            prop_assert!(Measure::read(&word).unwrap().unwrap().certain().is_err());
        }

        #[test]
        fn no_word_panics(word in "\\PC{0,24}|[0-9.,+-]{0,8}(=|g|kg|cx|cx=|)[0-9.,]{0,8}(kg|g|)") {
            let _ = Measure::read(&word);
        }
    }
}
