//! Completion by Tab: a pure function of the line, the cursor and the names.

use super::source::Expected;
use super::words::{Word, forms};
use crate::catalog::{Key, unit_of_word};
use crate::operation::phrase::{Measure, name_typed};
use crate::operation::{Argument, Form, attribute};

/// The most names that are offered together: about two screens.
const OFFERED_MAX: usize = 100;

/// The start of the completed text, and the texts that can stand there. Names are found without regard to
/// case or accents: those that begin with the typed text, then those in which each typed word begins a word,
/// and if there are none, those that contain the text.
pub(super) fn complete(
    expected: Expected,
    line: &str,
    cursor: usize,
    names: &[String],
) -> (usize, Vec<String>) {
    let Some(typed) = line.get(..cursor) else { return (cursor, Vec::new()) };
    let text = typed.trim_start();
    let start = cursor - text.len();
    match expected {
        Expected::Nothing => (cursor, Vec::new()),
        Expected::Name => (start, matching_names(text, names)),
        Expected::Reason => (start, values_from(text, &values_of("motivo"))),
        Expected::Phrase => {
            let name = name_of_phrase(text, names);
            (cursor - name.len(), as_typed(matching_names(name, names)))
        }
        Expected::Command => {
            let Some((word, rest)) = text.split_once([' ', '\t']) else {
                return (start, matching_commands(text));
            };
            let offered = Word::of(word).map(|word| after_word(word.form(), rest, names));
            let (typed, offered) = offered.unwrap_or_default();
            (cursor - typed.len(), offered)
        }
    }
}

/// The part of a command's arguments that is completed, and what can stand there.
fn after_word<'r>(form: &Form, rest: &'r str, names: &[String]) -> (&'r str, Vec<String>) {
    let word_start = rest.rfind([' ', '\t']).map_or(0, |at| at + 1);
    let (before, word) = rest.split_at(word_start);
    if form.is_attribute(word) {
        let (name, typed) = word.split_once('=').unwrap_or_default();
        return (typed, values_from(typed, &values_of(name)));
    }
    let attributes = attributes_from(form, rest, word);
    if rest.split([' ', '\t']).any(|word| form.is_attribute(word)) {
        return (word, attributes);
    }
    let name = match form.arguments.first() {
        Some(Argument::Name | Argument::OptionalName) => rest.trim_start(),
        // The last of several.
        Some(Argument::Phrases) => name_of_phrase(rest.rsplit(';').next().unwrap_or_default(), names),
        Some(Argument::Phrase) => name_of_phrase(rest, names),
        Some(Argument::OptionalDay) if before.trim().is_empty() => {
            let mut offered = values_from(word, &["hoje", "ontem"]);
            offered.extend(attributes);
            return (word, offered);
        }
        Some(Argument::OptionalCommand) => return (rest.trim_start(), matching_commands(rest.trim_start())),
        _ => return (word, if before.trim().is_empty() { Vec::new() } else { attributes }),
    };
    let is_whole =
        |own: &String| !name.is_empty() && Key::fold(own).as_str() == Key::fold(name.trim_end()).as_str();
    // Behind a whole name and a space, its attributes stand beside longer names.
    let is_behind_name = word.is_empty() && names.iter().any(is_whole);
    match matching_names(name, names) {
        found if is_behind_name && found.len() <= 1 => (word, attributes),
        found if found.is_empty() && !before.trim().is_empty() => (word, attributes),
        found if matches!(form.arguments, [Argument::Phrase | Argument::Phrases]) => (name, as_typed(found)),
        found => (name, found),
    }
}

/// The part of a phrase in which its name stands, behind the quantity and, if no name begins so, the unit.
fn name_of_phrase<'p>(phrase: &'p str, names: &[String]) -> &'p str {
    let phrase = phrase.trim_start();
    let name = match phrase.split_once([' ', '\t']) {
        Some((first, name)) if Measure::read(first).is_some() => name.trim_start(),
        _ => return phrase,
    };
    match name.split_once([' ', '\t']) {
        Some((unit, behind)) if unit_of_word(unit).is_some() && matching_names(name, names).is_empty() => {
            behind.trim_start()
        }
        _ => name,
    }
}

/// The attributes of a form that are not on the line and begin like the word at its end.
fn attributes_from(form: &Form, rest: &str, word: &str) -> Vec<String> {
    let typed = Key::fold(word);
    let is_missing = |name: &&str| !rest.split([' ', '\t']).any(|word| word.starts_with(&format!("{name}=")));
    let begins = |name: &&str| name.starts_with(typed.as_str());
    form.attribute_names().filter(is_missing).filter(begins).map(|name| format!("{name}=")).collect()
}

/// The values that an attribute takes, if there is a list of them.
fn values_of(name: &str) -> Vec<&'static str> {
    attribute(name).map(|attribute| (attribute.values)()).unwrap_or_default()
}

fn values_from(typed: &str, values: &[&str]) -> Vec<String> {
    let typed = Key::fold(typed);
    let begin = values.iter().filter(|value| value.starts_with(typed.as_str()));
    begin.map(|value| format!("{value} ")).collect()
}

fn matching_commands(typed: &str) -> Vec<String> {
    let typed = Key::fold(typed);
    let words = forms().into_iter().flat_map(Form::offered_words);
    words.filter(|word| word.starts_with(typed.as_str())).map(|word| format!("{word} ")).collect()
}

/// Whether each typed word begins another word of a name.
fn begins_words(key: &str, typed: &str) -> bool {
    let mut words: Vec<&str> = key.split(' ').collect();
    typed.split(' ').filter(|typed| !typed.is_empty()).all(|typed| {
        let place = words.iter().position(|word| word.starts_with(typed));
        place.map(|place| words.swap_remove(place)).is_some()
    })
}

fn matching_names(typed: &str, names: &[String]) -> Vec<String> {
    let typed = Key::fold(typed);
    let (mut begin, mut words, mut hold) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let key = Key::fold(name);
        let (key, typed) = (key.as_str(), typed.as_str());
        if key.starts_with(typed) {
            begin.push(format!("{name} "));
        } else if begins_words(key, typed) {
            words.push(format!("{name} "));
        } else if key.contains(typed) {
            hold.push(format!("{name} "));
        }
    }
    begin.append(&mut words);
    // Names that only contain the text are offered only if nothing else is, because Tab must complete the text.
    if begin.is_empty() {
        begin = hold;
    }
    begin.truncate(OFFERED_MAX);
    begin
}

/// The offered names as a phrase has them.
fn as_typed(names: Vec<String>) -> Vec<String> {
    names.iter().map(|name| format!("{} ", name_typed(name.trim_end()))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(expected: Expected, line: &str, start: usize, offered: &[&str]) {
        let names = [
            "Maca",
            "Pera",
            "MARACUJÁ AZEDO A",
            "ALHO NACIONAL TIPO 5",
            "Salada tomate",
            "Tomate italiano",
            "Kit; festa",
        ];
        let names = names.map(str::to_owned);
        let (at, found) = complete(expected, line, line.len(), &names);
        let found: Vec<&str> = found.iter().map(|candidate| candidate.trim_end()).collect();
        assert_eq!((at, &found[..]), (start, offered), "{line:?}");
    }

    #[test]
    fn commands_by_number_and_word() {
        let (_, all) = complete(Expected::Command, "", 0, &[]);
        let of_menu = ["1 ", "consultar ", "2 ", "ate ", "3 ", "atualizar ", "4 ", "listar ", "5 ", "sair "];
        assert_eq!(all[..of_menu.len()], of_menu);
        assert!(["ajuda ", "historico ", "vender "].iter().all(|word| all.iter().any(|own| own == word)));
        check(Expected::Command, "at", 0, &["ate", "atualizar"]);
        check(Expected::Command, "AT", 0, &["ate", "atualizar"]);
        check(Expected::Command, "3", 0, &["3"]);
        check(Expected::Command, " lis", 1, &["listar"]);
        check(Expected::Command, "xyz", 0, &[]);
    }

    #[test]
    fn names_after_the_commands_that_take_one() {
        check(Expected::Command, "1 ma", 2, &["Maca", "MARACUJÁ AZEDO A"]);
        check(Expected::Command, "1 maracuja az", 2, &["MARACUJÁ AZEDO A"]);
        check(Expected::Command, "atualizar alho nac", 10, &["ALHO NACIONAL TIPO 5"]);
        check(Expected::Command, "3  azedo", 3, &["MARACUJÁ AZEDO A"]);
        check(Expected::Command, "1 ma", 2, &["Maca", "MARACUJÁ AZEDO A"]);
        check(Expected::Command, "2 ma", 2, &[]);
        check(Expected::Command, "4 ", 2, &[]);
        check(Expected::Name, "per", 0, &["Pera"]);
        check(Expected::Nothing, "per", 3, &[]);
    }

    #[test]
    fn a_name_is_completed_by_any_of_its_words() {
        check(Expected::Command, "1 tom", 2, &["Tomate italiano", "Salada tomate"]);
        check(Expected::Command, "1 nac alh", 2, &["ALHO NACIONAL TIPO 5"]);
        check(Expected::Command, "1 ital", 2, &["Tomate italiano"]);
        check(Expected::Command, "1 cujá", 2, &["MARACUJÁ AZEDO A"]);
    }

    #[test]
    fn attributes_and_their_values() {
        check(Expected::Command, "3 Maca -2 mo", 10, &["motivo="]);
        check(Expected::Command, "3 Maca -2 ", 10, &["id=", "motivo=", "total=", "causa="]);
        check(
            Expected::Command,
            "3 Maca -2 motivo=",
            17,
            &["ajuste", "compra", "venda", "perda", "contagem"],
        );
        check(Expected::Command, "3 Maca -2 motivo=Co", 17, &["compra", "contagem"]);
        check(Expected::Command, "3 Maca -2 motivo=venda ", 23, &["id=", "total=", "causa="]);
        check(Expected::Command, "3 Maca -2 causa=de", 16, &["degustacao", "devolucao"]);
        check(
            Expected::Command,
            "historico Maca ",
            15,
            &["motivo=", "desde=", "ate=", "autor=", "limite=", "antes="],
        );
        check(Expected::Command, "vender 2,5kg tom", 13, &["Tomate italiano", "Salada tomate"]);
        check(Expected::Command, "vender 2 Maca; 3 pe", 17, &["Pera"]);
        check(Expected::Phrase, "2 per", 2, &["Pera"]);
        check(Expected::Phrase, "2 kit", 2, &["\"Kit; festa\""]);
        check(Expected::Command, "vender 2 Maca; 3 fest", 17, &["\"Kit; festa\""]);
        check(Expected::Command, "1 kit", 2, &["Kit; festa"]);
        check(Expected::Phrase, "2 kg per", 5, &["Pera"]);
        check(Expected::Reason, "co", 0, &["compra", "contagem"]);
        check(Expected::Command, "vender 2 Maca co", 14, &["confirma="]);
        check(Expected::Command, "vender 2 Maca ma", 14, &[]);
        check(Expected::Command, "ajuda con", 6, &["consultar", "contagens", "contar"]);
        check(Expected::Command, "vendas on", 7, &["ontem"]);
    }

    #[test]
    fn a_space_after_the_name_is_part_of_it() {
        check(Expected::Command, "1 maracujá ", 2, &["MARACUJÁ AZEDO A"]);
        check(Expected::Command, "1 ç ", 5, &[]);
    }

    proptest! {
        #[test]
        fn what_is_completed_begins_at_a_character(before in "[ \\t\u{A0}]{0,2}[13ç]?[ \\tçãa]{0,6}", after in "[ça]{0,2}") {
            let line = format!("{before}{after}");
            for expected in [Expected::Command, Expected::Name, Expected::Nothing] {
                let (start, _) = complete(expected, &line, before.len(), &["Maçã".to_owned()]);
                prop_assert!(before.get(start..).is_some());
            }
        }
    }
}
