//! Suggestions for a name that is not in the catalog: the names most like it.

use super::key::Key;
use super::name::Name;
use super::products::Products;

/// Most names offered: as many as fit on a line or two.
const NEAREST_MAX: usize = 5;

/// Most names offered that have all typed words: a screen's part.
pub const WITH_ALL_WORDS_MAX: usize = 10;

/// Most products looked at, so that a wrong name in a huge catalog costs a few milliseconds.
const SCANNED_MAX: usize = 5_000;

/// Products looked at in one turn, after which other work goes first: a tenth of a millisecond.
const SCANNED_IN_TURN: usize = 64;

/// Least likeness that is worth offering, from 0 (nothing in common) to 1 (the same).
const LIKENESS_MIN: f64 = 0.6;

/// Least likeness at which a word is taken for a slip in writing another one, from 0 to 1: a letter left out or
/// two letters swapped.
const SLIP_LIKENESS_MIN: f64 = 0.83;

/// The word that a person most likely meant to write, if one of these is near enough.
pub fn nearest_word<'w>(typed: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let key = Key::fold(typed);
    let rated = words.into_iter().map(|word| (strsim::jaro_winkler(word, key.as_str()), word));
    let (likeness, word) = rated.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (likeness >= SLIP_LIKENESS_MIN).then_some(word)
}

/// Names that are near a wrong one, the most alike first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NearNames {
    /// The names that hold all words of the wrong one: one more than [`WITH_ALL_WORDS_MAX`] if there are more.
    WithAllWords(Vec<Name>),
    /// The names that are spelt alike, perhaps none.
    Similar(Vec<Name>),
}

/// A search for some names, the most alike first. Names that contain every typed word come before
/// names that are only spelt alike, because people type the part that they remember: `maracuja azedo`
/// for `MARACUJÁ AZEDO A`.
pub struct Search {
    key: Key,
    /// How many products have been looked at.
    scanned: usize,
    found: Vec<(f64, Name)>,
}

impl Search {
    /// A search for names like this one, which has not yet looked at any product.
    pub fn new(name: &str) -> Self {
        Self { key: Key::fold(name), scanned: 0, found: Vec::new() }
    }

    /// Looks at the next few of these products. Returns whether products are left.
    pub fn go_on(&mut self, products: &Products) -> bool {
        let key = self.key.as_str();
        let end = products.len().min(SCANNED_MAX);
        let next = self.scanned..end.min(self.scanned + SCANNED_IN_TURN);
        self.scanned = next.end;
        let shown = next.filter_map(|index| products.at(index));
        for product in shown.filter(|product| !product.flags.is_discontinued()) {
            let candidate = product.name.key();
            let likeness = strsim::jaro_winkler(candidate.as_str(), key);
            let mut words = key.split(' ').filter(|word| !word.is_empty()).peekable();
            let holds_all = words.peek().is_some() && words.all(|word| candidate.as_str().contains(word));
            let score = if holds_all { 1.0 + likeness } else { likeness };
            if score >= LIKENESS_MIN {
                // Equally alike names stay in the order of creation.
                let place = self.found.partition_point(|(other, _)| *other >= score);
                self.found.insert(place, (score, product.name.clone()));
                self.found.truncate(WITH_ALL_WORDS_MAX + 1);
            }
        }
        self.scanned < end
    }

    /// The names found: only those with all words, if there are any.
    pub fn names(self) -> NearNames {
        let with_all = self.found.iter().take_while(|(score, _)| *score >= 1.0).count();
        let names = self.found.into_iter().map(|(_, name)| name);
        match with_all {
            0 => NearNames::Similar(names.take(NEAREST_MAX).collect()),
            count => NearNames::WithAllWords(names.take(count).collect()),
        }
    }
}
