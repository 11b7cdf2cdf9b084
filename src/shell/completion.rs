//! Completion by Tab: a pure function of the line, the cursor and the names.

use super::menu::HELP_WORDS;
use crate::catalog::Key;
use crate::operation::{Argument, Form, form_by_word, sorted_forms};

/// Most names offered together: about two screens.
const OFFERED_MAX: usize = 100;

/// The kind of text that may stand at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A whole command.
    Command,
    /// A product's name alone.
    Name,
    /// Nothing that can be completed.
    Nothing,
}

/// The start of the completed text, and the texts that can stand there. Names are found without regard to
/// case or accents. If no name begins with the typed text, the names that contain it are offered.
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
        Expected::Command => {
            let Some((word, rest)) = text.split_once([' ', '\t']) else {
                return (start, matching_commands(text));
            };
            let name = rest.trim_start();
            match form_by_word(word).and_then(|(_, form)| form.arguments.first()) {
                Some(Argument::Name | Argument::OptionalName) => {
                    (cursor - name.len(), matching_names(name, names))
                }
                _ => (cursor, Vec::new()),
            }
        }
    }
}

fn matching_commands(typed: &str) -> Vec<String> {
    let typed = Key::fold(typed);
    sorted_forms()
        .into_iter()
        .flat_map(Form::offered_words)
        .chain([HELP_WORDS[0]])
        .filter(|word| word.starts_with(typed.as_str()))
        .map(|word| format!("{word} "))
        .collect()
}

fn matching_names(typed: &str, names: &[String]) -> Vec<String> {
    let typed = Key::fold(typed);
    let (mut begin, mut hold) = (Vec::new(), Vec::new());
    for name in names {
        let key = Key::fold(name);
        if key.as_str().starts_with(typed.as_str()) {
            begin.push(format!("{name} "));
        } else if key.as_str().contains(typed.as_str()) {
            hold.push(format!("{name} "));
        }
    }
    // Only then: Tab must complete the text, not offer names that merely contain it.
    if begin.is_empty() {
        begin = hold;
    }
    begin.truncate(OFFERED_MAX);
    begin
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(expected: Expected, line: &str, start: usize, offered: &[&str]) {
        let names = ["Maca", "Pera", "MARACUJÁ AZEDO A", "ALHO NACIONAL TIPO 5"].map(str::to_owned);
        let (at, found) = complete(expected, line, line.len(), &names);
        let found: Vec<&str> = found.iter().map(|candidate| candidate.trim_end()).collect();
        assert_eq!((at, &found[..]), (start, offered), "{line:?}");
    }

    #[test]
    fn commands_by_number_and_word() {
        let (_, all) = complete(Expected::Command, "", 0, &[]);
        let of_menu = ["1 ", "consultar ", "2 ", "ate ", "3 ", "atualizar ", "4 ", "listar ", "5 ", "sair "];
        assert_eq!(
            (&all[..of_menu.len()], all.last().unwrap().as_str()),
            (&of_menu.map(str::to_owned)[..], "ajuda ")
        );
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
        check(Expected::Command, "1 ", 2, &["Maca", "Pera", "MARACUJÁ AZEDO A", "ALHO NACIONAL TIPO 5"]);
        check(Expected::Command, "2 ma", 4, &[]);
        check(Expected::Command, "4 ", 2, &[]);
        check(Expected::Name, "per", 0, &["Pera"]);
        check(Expected::Nothing, "per", 3, &[]);
    }
    #[test]
    fn a_space_after_the_name_is_part_of_it() {
        check(Expected::Command, "1 maracujá ", 2, &["MARACUJÁ AZEDO A"]);
        check(Expected::Command, "1 ç ", 2, &[]);
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
