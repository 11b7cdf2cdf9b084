//! The key by which a name is found: the name in lower case, without accents and invisible characters,
//! and with one character for those that look alike (`’` and `'`, `–` and `-`, `Ａ` and `A`, `ª` and `a`).
//!
//! A key must not change from one release to the next, because databases keep it. Therefore the table of
//! signs is in this file, and all else follows from decompositions that Unicode never changes.

use smol_str::{SmolStr, SmolStrBuilder};
use unicode_normalization::char::{decompose_canonical, decompose_compatible, is_combining_mark};

use super::name_chars::{NAME_CHARS_MAX, is_invisible};

/// The key of a name: `maca`, `MAÇÃ` and `Ｍaca` have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(SmolStr);

impl Key {
    /// Calls `use_key` with the key of a plain name: one that [`fold_plain`] can fold. `None` for any other
    /// name.
    pub(super) fn with_plain<T>(text: &str, use_key: impl FnOnce(&[u8]) -> T) -> Option<T> {
        fold_plain(text, &mut [0; NAME_CHARS_MAX]).map(use_key)
    }

    /// Folds any text: decomposes each character (NFKD), changes the case (to lower, to upper and to lower
    /// case again, so that `ẞ`, `ß` and `SS` become the same), replaces signs that look alike and drops
    /// accents.
    pub fn fold(text: &str) -> Self {
        let mut plain = [0; NAME_CHARS_MAX];
        if let Some(key) = fold_plain(text, &mut plain) {
            return Self(key.iter().copied().map(char::from).collect());
        }
        let mut folded = SmolStrBuilder::new();
        for character in text.chars() {
            decompose(character, |part| {
                let cases = part.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
                cases.map(fold_sign).filter(|c| !is_ignored(*c)).for_each(|c| folded.push(c));
            });
        }
        Self(folded.finish())
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Calls `use_part` with each letter and mark of a character's compatible decomposition. An accent that
/// stands alone (`¨`, `¸`) is decomposed canonically only, because its key would otherwise be empty.
fn decompose(character: char, use_part: impl FnMut(char)) {
    let (mut has_mark, mut has_more) = (false, false);
    decompose_compatible(character, |part| {
        let is_mark = is_combining_mark(part);
        has_mark |= is_mark;
        has_more |= !is_mark && part != ' ';
    });
    if has_mark && !has_more {
        decompose_canonical(character, use_part);
    } else {
        decompose_compatible(character, use_part);
    }
}

/// Whether a character is an accent, or means nothing in a name.
fn is_ignored(character: char) -> bool {
    is_combining_mark(character) || is_invisible(character)
}

fn fold_ascii(byte: u8) -> u8 {
    if byte == b'`' { b'\'' } else { byte.to_ascii_lowercase() }
}

/// The sign on the keyboard that a character looks like, after Unicode's list of confusables (UTS #39).
/// Phones, word processors and web pages put such characters in place of those on the keyboard.
fn fold_sign(character: char) -> char {
    match character {
        '`'
        | '´'
        | 'ʹ'
        | 'ʻ'..='ʿ'
        | 'ˈ'
        | 'ˊ'
        | 'ˋ'
        | '˴'
        | '΄'
        | '՚'
        | '՛'
        | '՝'
        | '׳'
        | 'ߴ'
        | 'ߵ'
        | '᾽'
        | '᾿'
        | '῾'
        | '‘'
        | '’'
        | '‛'
        | '′'
        | '‵'
        | '⳿'
        | 'ꞌ' => '\'',
        '“' | '”' | '„' | '‟' | '″' | '‶' | '〃' | '״' | '˝' | 'ʺ' | 'ˮ' | '˶' => '"',
        '‐'..='―' | '−' | '⁃' | '˗' | '➖' | '⸺' | '⸻' | '─' | '━' | 'ー' | '֊' | '־' | '᠆' | '۔' => {
            '-'
        }
        '⁄' | '∕' | '╱' | '⟋' | '⧸' | '⁁' => '/',
        '∖' | '╲' | '⟍' | '⧵' | '⧹' => '\\',
        '∗' | '⁎' | '٭' => '*',
        '×' | '✕' | '✖' | '⨯' | '╳' => 'x',
        // The degree sign stands for the ordinal: `1°` for `1º`.
        '°' | '˚' | '∘' | '◦' => 'o',
        '•' | '‧' | '∙' | '⋅' | '・' | '⸱' | '᛫' => '·',
        '‚' | '¸' | '٫' | '،' | '؍' => ',',
        '։' | '׃' | 'ː' | '˸' | '⁚' | '∶' | '꞉' => ':',
        '➕' | '᛭' => '+',
        'ˆ' | '˄' => '^',
        '˜' | '∼' | '⁓' | '〜' | '῀' => '~',
        '‹' | '˂' | '❮' => '<',
        '›' | '˃' | '❯' => '>',
        '❨' | '❲' | '〔' => '(',
        '❩' | '❳' | '〕' => ')',
        '∣' | '│' | '┃' | '⏽' | 'ǀ' => '|',
        'ǃ' => '!',
        'ˉ' | '‾' | '▔' => '¯',
        other => other,
    }
}

/// The letters that the characters from `À` (U+00C0) to `ÿ` (U+00FF) fold to, among them the accented
/// letters of Portuguese. A space stands for each character that this table leaves to [`Key::fold`]:
/// signs, `ß`, and letters that are not a plain letter with an accent.
const LATIN_FOLDED: &[u8; 64] = b"aaaaaa ceeeeiiii nooooo  uuuuy  aaaaaa ceeeeiiii nooooo  uuuuy y";

/// The key of a text that `Name::parse` would not change, made of printable ASCII and composed Latin
/// letters: no space at either end and no double space. `None` for any other text. Names with accents are
/// common in a market, and [`Key::fold`] takes ten times as long without this path.
pub(super) fn fold_plain<'k>(text: &str, folded: &'k mut [u8; NAME_CHARS_MAX]) -> Option<&'k [u8]> {
    let mut length = 0;
    let mut previous = b' ';
    for character in text.chars() {
        let byte = match character {
            ' '..='~' => fold_ascii(character as u8),
            'À'..='ÿ' => match LATIN_FOLDED[character as usize - 'À' as usize] {
                b' ' => return None,
                letter => letter,
            },
            _ => return None,
        };
        if byte == b' ' && previous == b' ' {
            return None;
        }
        *folded.get_mut(length)? = byte;
        length += 1;
        previous = byte;
    }
    if previous == b' ' {
        return None;
    }
    Some(&folded[..length])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::super::name::Name;
    use super::*;

    #[test]
    fn one_product_however_it_is_written() {
        for (name, others) in [
            (
                "Maca",
                &["maca", "MAÇÃ", " maçã ", "mac\u{327}a\u{303}", "ma\u{200B}ca", "Ｍａｃａ", "𝐌aca", "ⓜacª"]
                    [..],
            ),
            ("STRASSE", &["straße", "STRAẞE"]),
            (
                "Caqui d'água",
                &["Caqui d’água", "CAQUI D‘AGUA", "caqui d´agua", "caqui d`agua", "caqui dʼagua"],
            ),
            (
                "Batata-doce",
                &["Batata‐doce", "Batata‑doce", "Batata–doce", "Batata—doce", "Batata−doce", "Batata－doce"],
            ),
            ("Abacaxi 1a", &["Abacaxi 1ª", "ABACAXI 1ᵃ", "Abacaxi １a"]),
            ("Uva no 1o", &["Uva nº 1º", "UVA N° 1°", "Uva № 1˚"]),
            ("Ovo 10x15", &["Ovo 10×15", "Ovo １０X１５"]),
            ("Melancia 1/2", &["Melancia ½", "Melancia 1⁄2", "Melancia 1∕2"]),
            ("Caixa m2", &["Caixa m²", "CAIXA M₂"]),
            ("Filé \"extra\"", &["Filé “extra”", "file „extra‟"]),
            ("Couve fina", &["Couve ﬁna", "couve\u{A0}fina"]),
            ("Sal... 5 kg", &["Sal… 5 ㎏"]),
        ] {
            let key = Key::of(name).unwrap();
            for other in others {
                assert_eq!(Key::of(other), Ok(key.clone()), "{other}");
                assert_eq!(Key::with(other, <[u8]>::to_vec), Ok(key.as_str().into()), "{other}");
            }
        }
        for (one, other) in [
            ("Maca", "Maca 1"),
            ("Maca", "Maca'"),
            ("Batata-doce", "Batata doce"),
            ("Batata-doce", "Batatadoce"),
            ("Tipo 1", "Tipo l"),
            ("Uva 1,5", "Uva 1.5"),
        ] {
            assert_ne!(Key::of(one), Key::of(other), "{one} {other}");
        }
    }

    /// Every character of Unicode's first three planes, which contain all letters and signs.
    fn characters() -> impl Iterator<Item = char> {
        ('\0'..'\u{33480}').filter(|character| !character.is_control())
    }

    #[test]
    fn every_character_has_one_key() {
        for character in characters() {
            let key = Key::fold(&character.to_string());
            assert_eq!(Key::fold(key.as_str()), key, "{character:?}");
            assert_eq!(Key::fold(&character.to_uppercase().to_string()), key, "{character:?}");
            assert_eq!(Key::fold(&character.to_lowercase().to_string()), key, "{character:?}");
            assert!(!key.as_str().contains(char::is_control), "{character:?}");
        }
    }

    #[test]
    fn no_name_of_an_earlier_build_has_become_empty() {
        // The key as it was made up to databases of version 5.
        let old_key = |character: char| -> String {
            let cases = character.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
            cases.nfd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).collect()
        };
        for character in characters() {
            let key = Key::fold(&character.to_string());
            assert_eq!(key.as_str().trim().is_empty(), old_key(character).trim().is_empty(), "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn plain_names_fold_as_all_do(text in "[ -~À-ÿ]{0,70}") {
            let key = Name::parse(&text).map(|name| name.key().as_str().into());
            prop_assert_eq!(Key::with(&text, <[u8]>::to_vec), key);
        }

        #[test]
        fn a_name_is_its_own_name_and_has_one_key(text in "\\PC{1,40}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
                prop_assert_eq!(Key::of(&text), Ok(name.key()));
                prop_assert_eq!(Key::with(&text, <[u8]>::to_vec), Ok(name.key().as_str().into()));
                prop_assert_eq!(Key::fold(name.key().as_str()), name.key());
            } else {
                prop_assert!(Key::of(&text).is_err());
            }
        }
    }
}
