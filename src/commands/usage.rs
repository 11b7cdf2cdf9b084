//! The errors of the command line in Portuguese, because clap describes them in English.

use std::env;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::again::{VARIABLE_PREFIX, is_ours};
use crate::catalog::{Key, Quoted};

/// Describes the error of the command line, and names the command that shows its help.
pub(super) fn describe(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let argument = match variable(&argument, &value) {
        Some(variable) => format!("{variable} ({argument})"),
        None => argument,
    };
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let command = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("o comando {} não existe", Quoted(&command))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("a opção {} não existe, ou não aceita esse valor", Quoted(&argument))
        }
        ErrorKind::UnknownArgument => {
            format!("argumento inesperado: {} (um nome com espaços vai entre aspas)", Quoted(&argument))
        }
        ErrorKind::MissingRequiredArgument if argument.contains(ITEM) => {
            "falta a quantidade e o nome do produto, como 2 Maca".to_owned()
        }
        ErrorKind::MissingRequiredArgument => format!("falta {}", argument.replace("...", "")),
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            format!("{argument} não pode ser usado com {other}")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("falta o valor de {argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match context(ContextKind::ValidValue) {
            Some(valid) => format!("valor inválido para {argument}: {}; use {valid}", Quoted(&value)),
            None => format!("valor inválido para {argument}: {}{}", Quoted(&value), reason(error)),
        },
        ErrorKind::TooManyValues => format!("{} sobra", Quoted(&value)),
        ErrorKind::InvalidUtf8 => format!("não é UTF-8: {}", not_utf8().join(", ")),
        _ => "linha de comando inválida".to_owned(),
    };
    let said = context(ContextKind::InvalidSubcommand).or(Some(value.clone()));
    let translated = said.and_then(|word| in_english(&word, &argument));
    let suggestion = translated.map(str::to_owned).or_else(|| {
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
            .into_iter()
            .find_map(context)
    });
    let suggestion = suggestion.map_or(String::new(), |suggestion| format!(" Você quis dizer {suggestion}?"));
    format!("{what}. Nada foi feito.{suggestion} Veja `hortifruti --help`.")
}

/// The environment variable that gave an option this value.
fn variable(option: &str, value: &str) -> Option<String> {
    let long = option.strip_prefix("--")?.split(' ').next()?;
    let name = format!("{VARIABLE_PREFIX}{}", long.to_uppercase().replace('-', "_"));
    env::var(&name).is_ok_and(|text| text == value).then_some(name)
}

/// The arguments and our environment variables that are not UTF-8.
fn not_utf8() -> Vec<String> {
    let arguments = env::args_os().filter(|argument| argument.to_str().is_none());
    let variables = env::vars_os().filter(|(name, text)| is_ours(name) && text.to_str().is_none());
    let arguments = arguments.map(|argument| Quoted(&argument.to_string_lossy()).to_string());
    arguments.chain(variables.map(|(name, _)| name.to_string_lossy().into_owned())).collect()
}

/// The name of the arguments of `sell`, `buy` and `waste`.
const ITEM: &str = "QUANTIDADE NOME";

/// From this end on, a range is as good as one without an end.
const ENDLESS: u64 = u32::MAX as u64;

/// Says why a value was refused, behind a semicolon. Numbers and addresses are read by others, who speak English.
fn reason(error: &clap::Error) -> String {
    let Some(source) = std::error::Error::source(error) else { return String::new() };
    if let Some(error) = source.downcast_ref::<ParseIntError>() {
        return match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "; use um número menor".to_owned(),
            _ => "; use um número inteiro".to_owned(),
        };
    }
    if source.is::<AddrParseError>() {
        return "; use um endereço IP, como 0.0.0.0".to_owned();
    }
    let text = source.to_string();
    let range = text.rsplit_once(" is not in ").and_then(|(_, range)| range.split_once(".."));
    let Some((first, last)) = range else { return format!("; {text}") };
    match last.trim_start_matches('=').parse::<u64>() {
        Ok(last) if last < ENDLESS => format!("; use de {first} a {last}"),
        _ => format!("; use {first} ou mais"),
    }
}

/// Words of the shell, and what the command line calls them: a report by its kind, anything else a subcommand.
const IN_ENGLISH: [(&str, &str); 32] = [
    ("vender", "sell"),
    ("comprar", "buy"),
    ("perder", "waste"),
    ("contar", "count"),
    ("desfazer", "undo"),
    ("historico", "history"),
    ("consultar", "query"),
    ("listar", "query"),
    ("buscar", "query --search"),
    ("atualizar", "update"),
    ("preco", "product set --price"),
    ("mudar", "product set"),
    ("novo", "product new"),
    ("renomear", "product rename"),
    ("aposentar", "product retire"),
    ("reativar", "product restore"),
    ("unir", "product merge"),
    ("relatorio", "report"),
    ("ajuda", "help"),
    ("hoje", "report day"),
    ("ontem", "report day --since ontem --until ontem"),
    ("fechamento", "report day"),
    ("dia", "report day"),
    ("vendas", "report sales"),
    ("perdas", "report losses"),
    ("compras", "report purchases"),
    ("produtos", "report products"),
    ("margens", "report margins"),
    ("contagens", "report counts"),
    ("vencendo", "report expiring"),
    ("rastrear", "report trace"),
    ("acabando", "report low"),
];

/// The subcommand that a word of the shell means in the place of a subcommand or a report.
fn in_english(word: &str, argument: &str) -> Option<&'static str> {
    if !argument.is_empty() && !argument.contains("RELATORIO") {
        return None;
    }
    let key = Key::fold(word);
    let english = IN_ENGLISH.iter().find(|(own, _)| *own == key.as_str()).map(|(_, english)| *english);
    english.filter(|english| argument.is_empty() || english.starts_with("report "))
}

#[cfg(test)]
mod tests {
    use clap::builder::ArgAction;

    use super::*;

    /// Parts of the sentences with which clap and Rust refuse a value.
    const ENGLISH: [&str; 5] = [" is not in ", "invalid", "number", "found", "error"];

    fn check(command: &clap::Command, path: &[&str]) -> usize {
        let options = command.get_arguments().filter(|option| {
            matches!(option.get_action(), ArgAction::Set | ArgAction::Append) && option.get_long().is_some()
        });
        let mut refused = 0;
        for option in options {
            for value in ["x/\u{2028}", "-1", "99999999999999999999", "1e999"] {
                let long = format!("--{}={value}", option.get_long().unwrap_or_default());
                let args = ["hortifruti"].iter().chain(path).copied().chain([long.as_str()]);
                let Err(error) = crate::commands::command().try_get_matches_from(args) else { continue };
                if error.kind() != ErrorKind::ValueValidation {
                    continue;
                }
                let told = describe(&error);
                assert!(!ENGLISH.iter().any(|word| told.contains(word)), "{path:?} {long}: {told}");
                refused += 1;
            }
        }
        let children = command.get_subcommands();
        refused + children.map(|child| check(child, &[path, &[child.get_name()]].concat())).sum::<usize>()
    }

    #[test]
    fn no_option_says_in_english_why_a_value_is_refused() {
        let refused = check(&crate::commands::command(), &[]);
        assert!(refused > 20, "{refused}");
    }
}
