//! Changes as people say them: `2,5kg Tomate`, `Tomate 2,5kg`, `20cx=440kg Tomate 2800,00`.
//!
//! The shell and the one-shots read them here. A line is cut into its attributes ([`attributes()`]) and its
//! phrases ([`split_phrases`]); a phrase may have several [`Readings`], of which only a catalog knows which
//! is meant. Nothing is guessed: if two readings remain, both are shown.

mod attributes;
mod measure;
mod quotes;

use std::fmt;

pub use attributes::{Attribute, attribute_typed, attributes, refuse_items};
pub use measure::Measure;

use crate::catalog::{Amount, Quoted};
use crate::refusal::Refusal;
use measure::FIELD;
use quotes::{between_quotes, in_quotes, quoted_length};

/// One reading of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The product's name, or a code or a label in its place.
    pub name: String,
    /// The quantity. `None` if the phrase is a name alone, as a scanner types it.
    pub measure: Option<Measure>,
    /// The money at the end of a purchase.
    pub total: Option<Amount>,
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(measure) = &self.measure {
            write!(f, "{measure} de ")?;
        }
        write!(f, "{}", Quoted(&self.name))?;
        self.total.map_or(Ok(()), |total| write!(f, " por R$ {}", total.to_string().replace('.', ",")))
    }
}

/// The readings of a phrase, at least one: the usual one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readings {
    text: String,
    phrases: Vec<Phrase>,
}

impl Readings {
    /// Reads `QUANTITY NAME`, `NAME QUANTITY` or `NAME`. If `may_end_with_total`, money may follow.
    ///
    /// # Errors
    /// If the phrase has no name, or a quantity that cannot be. A quantity has no sign, because the verb
    /// says whether it comes or goes.
    pub fn of(text: &str, may_end_with_total: bool) -> Result<Self, Refusal> {
        let words: Vec<&str> = text.split_whitespace().collect();
        Self::of_words(&words, may_end_with_total)
    }

    /// Reads the words of a phrase. A word with spaces inside is no quantity, but a name.
    ///
    /// # Errors
    /// If [`Readings::of`] would fail.
    pub fn of_words(words: &[&str], may_end_with_total: bool) -> Result<Self, Refusal> {
        let text = words.join(" ");
        let mut found = phrases_of(words, None)?;
        let money = if may_end_with_total { money_at_end(words)? } else { None };
        if let Some((total, before)) = money {
            let with_total = phrases_of(before, Some(total)).unwrap_or_default();
            // A total without a quantity is none.
            found.extend(with_total.into_iter().filter(|phrase| phrase.measure.is_some()));
        }
        if found.iter().any(|phrase| phrase.measure.is_some()) {
            found.retain(|phrase| phrase.measure.is_some());
        }
        found = found.into_iter().flat_map(with_name_unquoted).collect();
        match found.iter().find(|phrase| phrase.measure.as_ref().is_some_and(Measure::is_negative)) {
            Some(Phrase { name, measure: Some(measure), .. }) if found.len() == 1 => {
                let right = measure.to_string();
                let right = right.trim_start_matches(['-', '\u{2212}']);
                let what = format!(
                    "a quantidade vai sem sinal, porque a palavra já diz se entra ou sai: escreva {right} {name}"
                );
                Err(Refusal::invalid(FIELD, what))
            }
            _ => {
                found.retain(|phrase| !phrase.measure.as_ref().is_some_and(Measure::is_negative));
                if found.is_empty() { Err(nameless(&text)) } else { Ok(Self { text, phrases: found }) }
            }
        }
    }

    /// The readings, the usual one first.
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// The reading, if there is only one.
    ///
    /// # Errors
    /// If there are several. The error shows them.
    pub fn only(mut self) -> Result<Phrase, Refusal> {
        match self.phrases.len() {
            1 => Ok(self.phrases.swap_remove(0)),
            _ => Err(self.ambiguous(&self.phrases.iter().collect::<Vec<_>>())),
        }
    }

    /// The reading whose product there is. If the phrase has one reading, or no product of several is there,
    /// the usual one. Of two bare numbers the second is the code: if no product has it, it is a slip, and the other
    /// way round would sell as many as the number of a code.
    ///
    /// # Errors
    /// If the products of several readings are there (the error shows them), or the search fails.
    pub fn among<E: From<Refusal>>(
        self,
        mut is_there: impl FnMut(&str) -> Result<bool, E>,
    ) -> Result<Phrase, E> {
        if self.phrases.len() > 1 {
            let mut found = Vec::new();
            for phrase in &self.phrases {
                if is_there(&phrase.name)? {
                    found.push(phrase);
                }
            }
            match found[..] {
                [] => {}
                [phrase] if phrase != &self.phrases[0] && self.is_of_two_numbers() => {}
                [phrase] => return Ok(phrase.clone()),
                _ => return Err(self.ambiguous(&found).into()),
            }
        }
        let mut phrases = self.phrases;
        Ok(phrases.swap_remove(0))
    }

    fn is_of_two_numbers(&self) -> bool {
        self.phrases.iter().all(|phrase| is_digits(&phrase.name))
    }

    fn ambiguous(&self, phrases: &[&Phrase]) -> Refusal {
        let readings: Vec<String> = phrases.iter().map(|phrase| phrase.to_string()).collect();
        let what = format!(
            "{} tem mais de uma leitura: {}; junte a unidade à quantidade, como 2un",
            Quoted(&self.text),
            readings.join(", ou ")
        );
        Refusal::invalid(FIELD, what)
    }
}

/// The phrases that words may mean.
fn phrases_of(words: &[&str], total: Option<Amount>) -> Result<Vec<Phrase>, Refusal> {
    let phrase =
        |measure: Measure, name: &[&str]| Phrase { name: name.join(" "), measure: Some(measure), total };
    let mut found = Vec::new();
    let mut wrong = None;
    let mut add = |measure: Option<Result<Measure, Refusal>>, name: &[&str]| match measure {
        Some(Ok(measure)) => found.push(phrase(measure, name)),
        Some(Err(refusal)) => wrong = wrong.take().or(Some(refusal)),
        None => {}
    };
    match words {
        [] => return Err(nameless("")),
        [word] => {
            // Digits alone may be a code of the shop.
            if !is_digits(word) && Measure::read(word).is_some() {
                return Err(nameless(word));
            }
        }
        [first, .., last] => {
            let end = words.len() - 1;
            let (first, last) = (Measure::read(first), Measure::read(last));
            let is_marked = |measure: &Option<Result<Measure, Refusal>>| {
                measure.as_ref().is_some_and(|measure| measure.as_ref().is_ok_and(|it| !it.is_plain()))
            };
            let (first_marked, last_marked) = (is_marked(&first), is_marked(&last));
            if end > 1 && !first_marked && !last_marked {
                // `2 kg Tomate`, unless a product is called `kg Tomate`.
                add(with_unit(&first, words[1]), &words[2..]);
                add(with_unit(&Measure::read(words[end - 1]), words[end]), &words[..end - 1]);
            }
            let mut ends = [(first, &words[1..]), (last, &words[..end])];
            // Beside a quantity with its unit, a bare number is part of the name, unless a product is called `Pão 50g`.
            if last_marked && !first_marked {
                ends.reverse();
            }
            for (measure, name) in ends {
                add(measure, name);
            }
        }
    }
    // `7 7` is seven of the code 7, whichever of the two is the code.
    found.dedup();
    match wrong {
        Some(refusal) if found.is_empty() => Err(refusal),
        _ if found.is_empty() => Ok(vec![Phrase { name: words.join(" "), measure: None, total }]),
        _ => Ok(found),
    }
}

/// The phrase, before which it stands without the quotation marks around its name. The marks may be part of a name.
fn with_name_unquoted(phrase: Phrase) -> impl Iterator<Item = Phrase> {
    let name = between_quotes(&phrase.name).map(str::trim).filter(|name| !name.is_empty());
    let unquoted = name.map(|name| Phrase { name: name.to_owned(), ..phrase.clone() });
    unquoted.into_iter().chain([phrase])
}

/// A quantity with the unit that stands as a word beside it.
fn with_unit(measure: &Option<Result<Measure, Refusal>>, unit: &str) -> Option<Result<Measure, Refusal>> {
    measure.as_ref()?.as_ref().ok()?.with_unit(unit)
}

/// The money at the end of a phrase, and the words before it: `2800,00`, `R$ 2800`, `R$2800,50`.
///
/// # Errors
/// If a number stands where money stands, and is none: `2.800,00`.
fn money_at_end<'w, 'a>(words: &'w [&'a str]) -> Result<Option<(Amount, &'w [&'a str])>, Refusal> {
    let Some((last, before)) = words.split_last() else { return Ok(None) };
    let is_symbol = |word: &str| word.eq_ignore_ascii_case("R$");
    let has_symbol = last.get(..2).is_some_and(is_symbol);
    let behind_symbol = before.split_last().filter(|(word, _)| is_symbol(word));
    let has_centavos = last.rsplit_once([',', '.']).is_some_and(|(_, centavos)| centavos.len() == 2);
    if behind_symbol.is_none() && !has_symbol && !has_centavos {
        return Ok(None);
    }
    let number = if has_symbol { &last[2..] } else { last };
    let is_number = number.contains(|char: char| char.is_ascii_digit())
        && number.chars().all(|char| char.is_ascii_digit() || matches!(char, '.' | ','));
    match parse_money(last) {
        Ok(total) => Ok(Some((total, behind_symbol.map_or(before, |(_, before)| before)))),
        Err(refusal) if is_number => Err(refusal),
        Err(_) => Ok(None),
    }
}

/// Reads an amount of money as a person writes it: `2800`, `2800,00`, `R$ 2800,00`.
///
/// # Errors
/// If it is none.
pub fn parse_money(text: &str) -> Result<Amount, Refusal> {
    Amount::parse_total(text).map_err(|error| Refusal::amount(&error))
}

/// Cuts a line into phrases, at each `;`, and at each comma after which a space and a quantity come. A name that
/// holds such a sign stands between quotation marks, or on a line of its own.
pub fn split_phrases(line: &str) -> Vec<&str> {
    let mut phrases = Vec::new();
    let (mut start, mut quoted_end) = (0, 0);
    let mut begins_word = true;
    for (at, sign) in line.char_indices() {
        if begins_word && at >= quoted_end {
            quoted_end = at + quoted_length(&line[at..]);
        }
        let after = &line[at + sign.len_utf8()..];
        let is_border = match sign {
            ';' => true,
            ',' => {
                let next = after.split_whitespace().next().unwrap_or_default();
                after.starts_with([' ', '\t']) && Measure::read(next).is_some()
            }
            _ => false,
        };
        if is_border && at >= quoted_end {
            phrases.push(line[start..at].trim());
            start = at + sign.len_utf8();
        }
        begins_word = sign.is_whitespace() || is_border;
    }
    phrases.push(line[start..].trim());
    phrases.retain(|phrase| !phrase.is_empty());
    phrases
}

/// A name as it is typed in a phrase: between quotation marks if the line would be cut in it without them.
pub fn name_typed(name: &str) -> String {
    let is_cut = name.contains([';', '=']) || split_phrases(name).len() > 1;
    let marked = if is_cut { in_quotes(name) } else { None };
    marked.unwrap_or_else(|| name.to_owned())
}

/// The words of a command line as a line of the shell. A word that holds a sign between phrases or attributes is a
/// name, unless it begins with a quantity or is an attribute.
pub fn line_of_words<S: AsRef<str>>(words: &[S]) -> String {
    let typed = |word: &S| {
        let word = word.as_ref();
        let first = word.split_whitespace().next().unwrap_or_default();
        let is_attribute = first.contains('=');
        if is_attribute || Measure::read(first).is_some() { word.to_owned() } else { name_typed(word) }
    };
    words.iter().map(typed).collect::<Vec<_>>().join(" ")
}

/// Cuts the words of a command line into phrases: a quantity begins one or, if the first word is a name and
/// the last a quantity, ends one. Without any quantity, each word is a label or a code.
///
/// # Errors
/// If a quantity has no name.
pub fn split_words<'w, 'a>(words: &'w [&'a str]) -> Result<Vec<&'w [&'a str]>, Refusal> {
    let is_measure = |word: &&str| Measure::read(word).is_some();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return Err(nameless("")) };
    let places: Vec<usize> = (0..words.len()).filter(|index| is_measure(&words[*index])).collect();
    if places.is_empty() {
        return Ok(words.iter().map(std::slice::from_ref).collect());
    }
    // Two quantities and no more, or a quantity and a code: the reader of the phrase shows both readings.
    if places == [0, words.len() - 1] {
        return Ok(vec![words]);
    }
    let ends = !is_measure(first) && is_measure(last);
    // The code of the shop behind the quantity that begins a phrase, with nothing more in the phrase.
    let is_code = |start: usize, place: usize| {
        place == start + 1
            && is_measure(&words[start])
            && is_digits(words[place])
            && words.get(place + 1).is_none_or(is_measure)
    };
    let mut phrases = Vec::new();
    let mut start = 0;
    for place in places {
        if !ends && is_code(start, place) {
            continue;
        }
        let end = if ends { place + 1 } else { place };
        if end > start {
            phrases.push(&words[start..end]);
            start = end;
        }
    }
    if start < words.len() {
        phrases.push(&words[start..]);
    }
    match phrases.iter().find(|phrase| phrase.len() == 1 && is_measure(&phrase[0])) {
        Some(phrase) if phrases.len() > 1 || !is_digits(phrase[0]) => {
            let what = format!(
                "{} em {} pode ser uma quantidade sem nome ou parte do nome; ponha o nome entre aspas",
                Quoted(phrase[0]),
                Quoted(&words.join(" "))
            );
            Err(Refusal::invalid(FIELD, what))
        }
        _ => Ok(phrases),
    }
}

fn is_digits(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

fn nameless(text: &str) -> Refusal {
    let what = match text {
        "" => "faltam a quantidade e o nome do produto, como 2,5kg Tomate".to_owned(),
        text => format!("falta o nome do produto em {}; escreva como 2,5kg Tomate", Quoted(text)),
    };
    Refusal::invalid("name", what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        match Readings::of(text, true) {
            Ok(readings) => readings.phrases().iter().map(Phrase::to_string).collect(),
            Err(refusal) => vec![format!("Erro: {}", refusal.message.split(". Nada").next().unwrap())],
        }
    }

    #[test]
    fn a_phrase_has_its_quantity_before_or_after_the_name() {
        for (text, expected) in [
            ("2 Maca", &["2 de \"Maca\""][..]),
            ("Maca 2", &["2 de \"Maca\""]),
            (" 2,5kg  Tomate\tsalada ", &["2,5kg de \"Tomate salada\""]),
            ("Tomate salada 2,5kg", &["2,5kg de \"Tomate salada\""]),
            ("2 Alho Tipo 5", &["2 de \"Alho Tipo 5\"", "5 de \"2 Alho Tipo\""]),
            ("2un Alho Tipo 5", &["2un de \"Alho Tipo 5\"", "5 de \"2un Alho Tipo\""]),
            ("Alho Tipo 5 2un", &["2un de \"Alho Tipo 5\""]),
            ("2 Pão 50g", &["50g de \"2 Pão\"", "2 de \"Pão 50g\""]),
            ("2kg Pão 50g", &["2kg de \"Pão 50g\"", "50g de \"2kg Pão\""]),
            ("7 7", &["7 de \"7\""]),
            ("2 \"Kit; festa\"", &["2 de \"Kit; festa\"", "2 de \"\"Kit; festa\"\""]),
            ("'Pão, 3 un' 2", &["2 de \"Pão, 3 un\"", "2 de \"'Pão, 3 un'\""]),
            ("\"\"Aspas\"\"", &["\"\"Aspas\"\"", "\"\"\"Aspas\"\"\""]),
            ("2 kg Tomate", &["2kg de \"Tomate\"", "2 de \"kg Tomate\""]),
            ("Tomate 2 kg", &["2kg de \"Tomate\""]),
            ("2 101", &["2 de \"101\"", "101 de \"2\""]),
            ("7891234567895", &["\"7891234567895\""]),
            ("2 7891234567895", &["2 de \"7891234567895\""]),
            ("101", &["\"101\""]),
            ("Maca", &["\"Maca\""]),
            (
                "20cx=440kg Tomate 2800,00",
                &[
                    "20cx=440kg de \"Tomate 2800,00\"",
                    "2800,00 de \"20cx=440kg Tomate\"",
                    "20cx=440kg de \"Tomate\" por R$ 2800,0",
                ],
            ),
            (
                "20kg Tomate R$ 50",
                &["20kg de \"Tomate R$ 50\"", "50 de \"20kg Tomate R$\"", "20kg de \"Tomate\" por R$ 50,0"],
            ),
            (
                "-2 Maca",
                &[
                    "Erro: a quantidade vai sem sinal, porque a palavra já diz se entra ou sai: escreva 2 Maca",
                ],
            ),
            ("2,5kg", &["Erro: falta o nome do produto em \"2,5kg\"; escreva como 2,5kg Tomate"]),
            ("", &["Erro: faltam a quantidade e o nome do produto, como 2,5kg Tomate"]),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert!(shown("2,5678 Maca")[0].contains("mais de 3 casas decimais"));
        for money in ["2.800,00", "R$2.800,00", "R$ 2.800,00"] {
            let refused = &shown(&format!("20cx=440kg Tomate {money}"))[0];
            assert!(
                refused.starts_with("Erro: ") && refused.contains("sem separador de milhar"),
                "{refused}"
            );
        }
    }

    #[test]
    fn the_catalog_decides_between_readings_and_nothing_is_guessed() {
        let among = |text: &str, names: &[&str]| {
            let readings = Readings::of(text, false).unwrap();
            let phrase = readings.among(|name| Ok::<_, Refusal>(names.contains(&name)));
            phrase.map(|phrase| phrase.to_string()).map_err(|refusal| refusal.message)
        };
        assert_eq!(among("2 Alho Tipo 5", &["Alho Tipo 5"]).unwrap(), "2 de \"Alho Tipo 5\"");
        assert_eq!(among("2 Alho Tipo 5", &["2 Alho Tipo"]).unwrap(), "5 de \"2 Alho Tipo\"");
        assert_eq!(among("2 Alho Tipo 5", &[]).unwrap(), "2 de \"Alho Tipo 5\"");
        assert_eq!(among("2 115", &["2"]).unwrap(), "2 de \"115\"");
        assert_eq!(among("2 115", &["115"]).unwrap(), "2 de \"115\"");
        assert_eq!(among("2 115un", &["2"]).unwrap(), "115un de \"2\"");
        assert_eq!(among("2 Pão 50g", &["Pão 50g", "Pão"]).unwrap(), "2 de \"Pão 50g\"");
        assert_eq!(among("2un Alho Tipo 5", &["Alho Tipo 5"]).unwrap(), "2un de \"Alho Tipo 5\"");
        assert!(among("2 115", &["2", "115"]).is_err());
        let both = among("2 Alho Tipo 5", &["Alho Tipo 5", "2 Alho Tipo"]).unwrap_err();
        for reading in ["2 de \"Alho Tipo 5\"", "5 de \"2 Alho Tipo\"", "como 2un"] {
            assert!(both.contains(reading), "{both}");
        }
        assert_eq!(Readings::of("2 Alho Tipo 5", false).unwrap().only().unwrap_err().message, both);
        assert!(Readings::of("2 Maca", false).unwrap().only().is_ok());
    }

    #[test]
    fn a_line_is_cut_into_phrases() {
        for (line, expected) in [
            ("2 Maca; 1,5kg Caju", &["2 Maca", "1,5kg Caju"][..]),
            ("2 Maca, 1,5kg Caju", &["2 Maca", "1,5kg Caju"]),
            ("2 Uva, sem semente; 3 Pera;", &["2 Uva, sem semente", "3 Pera"]),
            ("2,5 Maca", &["2,5 Maca"]),
            ("1 \"Kit; 3 Uva\"; 2 Pera", &["1 \"Kit; 3 Uva\"", "2 Pera"]),
            ("'Pão, 3 un' 2, 1 Caju;'Kit; a' 1", &["'Pão, 3 un' 2", "1 Caju", "'Kit; a' 1"]),
            ("2 Cano 1/2\"; 3 D'água; 1 \"Uva", &["2 Cano 1/2\"", "3 D'água", "1 \"Uva"]),
            (" ;; ", &[]),
        ] {
            assert_eq!(split_phrases(line), expected, "{line}");
        }
    }

    #[test]
    fn a_name_with_a_sign_is_typed_between_quotation_marks() {
        for (words, expected) in [
            (&["1", "Kit; festa"][..], "1 \"Kit; festa\""),
            (&["Pão, 3 un", "2"], "\"Pão, 3 un\" 2"),
            (&["2", "A id=3"], "2 \"A id=3\""),
            (&["2", "\"A\"; b"], "2 '\"A\"; b'"),
            (&["2", "Uva, sem semente"], "2 Uva, sem semente"),
            (&["1 Maca; 2 Pera"], "1 Maca; 2 Pera"),
            (&["20cx=440kg", "Tomate"], "20cx=440kg Tomate"),
            (&["1", "Maca", "obs=fiado ontem"], "1 Maca obs=fiado ontem"),
        ] {
            let line = line_of_words(words);
            assert_eq!(line, expected);
            assert!(words[0].contains("; 2") || split_phrases(&line).len() == 1, "{line}");
        }
    }

    #[test]
    fn words_of_a_command_line_are_cut_into_phrases() {
        for (words, expected) in [
            (&["2", "Maca", "1,5kg", "Caju"][..], Ok("2 Maca|1,5kg Caju")),
            (&["Maca", "2", "Caju", "1,5kg"], Ok("Maca 2|Caju 1,5kg")),
            (&["2", "Alho", "Tipo", "5"], Ok("2 Alho Tipo 5")),
            (&["2", "Alho Tipo 5"], Ok("2 Alho Tipo 5")),
            (&["2001234005004", "2001235001003"], Ok("2001234005004|2001235001003")),
            (&["2", "7891234567895", "3", "Caju"], Ok("2 7891234567895|3 Caju")),
            (&["101"], Ok("101")),
            (&["2", "7"], Ok("2 7")),
            (&["7", "2un"], Ok("7 2un")),
            (&["1,5kg", "11", "2", "7"], Ok("1,5kg 11|2 7")),
            (&["2", "7", "3", "Caju"], Ok("2 7|3 Caju")),
            (&["7", "7", "11"], Err(())),
            (&["2", "7", "Maca"], Err(())),
            (&["Maca"], Ok("Maca")),
            (&["2", "Maca", "5", "1kg", "Caju"], Err(())),
            (&["2", "Maca", "1kg"], Ok("2 Maca 1kg")),
            (&["2kg"], Err(())),
            (&[], Err(())),
        ] {
            let found = split_words(words);
            let found = found
                .map(|phrases| phrases.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("|"));
            assert_eq!(found.map_err(drop), expected.map(str::to_owned), "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn a_phrase_reads_back_and_both_orders_mean_the_same(
            name in "[A-Za-zçã]{2,8}( [A-Za-z]{3,6}){0,3}",
            quantity in "[1-9][0-9]{0,3}(,[0-9]{1,3})?(kg|un|)",
        ) {
            let before = Readings::of(&format!("{quantity} {name}"), false).unwrap();
            let after = Readings::of(&format!("{name} {quantity}"), false).unwrap();
            // A name such as `kg Maca` has the reading of a unit too.
            prop_assume!(before.phrases().len() == 1 && after.phrases().len() == 1);
            let phrase = before.only().unwrap();
            prop_assert_eq!(&phrase.name, &name);
            prop_assert_eq!(phrase.measure.clone().unwrap().to_string(), quantity);
            prop_assert_eq!(phrase, after.only().unwrap());
        }

        #[test]
        fn a_number_at_both_ends_is_never_guessed(first in 1_u16..1000, name in "[a-z]{3,9}", last in 1_u16..1000) {
            let readings = Readings::of(&format!("{first} {name} {last}"), false).unwrap();
            let shown = readings.only().unwrap_err().message;
            let (before, after) = (format!("{first} de \"{name} {last}\""), format!("{last} de \"{first} {name}\""));
            prop_assert!(shown.contains(&before) && shown.contains(&after));
        }

        #[test]
        fn no_line_panics(line in "\\PC{0,40}|([0-9]{1,13}|kg|R\\$|,|;|=|-| |Maca|cx){0,12}") {
            for phrase in split_phrases(&line) {
                let _ = Readings::of(phrase, true);
            }
            let words: Vec<&str> = line.split(' ').collect();
            let _ = split_words(&words).map(|phrases| phrases.iter().for_each(|words| drop(Readings::of_words(words, true))));
        }
    }
}
