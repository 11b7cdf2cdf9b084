//! Errors of the command line, in Portuguese: clap tells them in English.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::catalog::Quoted;

/// What was wrong with the command line, and where to look.
pub(super) fn message(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand
            if context(ContextKind::InvalidSubcommand)
                .is_some_and(|word| word == "help" || word == "ajuda") =>
        {
            return "a ajuda está em `hortifruti --help`, e a de cada comando em `hortifruti COMANDO --help`"
                .to_owned();
        }
        ErrorKind::InvalidSubcommand => {
            let command = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("o comando {} não existe", Quoted(&command))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("a opção {} não existe, ou não leva esse valor", Quoted(&argument))
        }
        ErrorKind::UnknownArgument => {
            format!("{} sobra (um nome com espaços vai entre aspas)", Quoted(&argument))
        }
        ErrorKind::MissingRequiredArgument => format!("falta {argument}"),
        ErrorKind::MissingSubcommand if context(ContextKind::ValidSubcommand).is_some() => {
            format!("falta o comando: {}", context(ContextKind::ValidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "falta o comando: serve, shell, query, update, import, export, backup, restore, verify, token ou bench"
                .to_owned()
        }
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            format!("{argument} não combina com {other}")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("falta o valor de {argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match context(ContextKind::ValidValue) {
            Some(valid) => format!("{} não serve para {argument}; use {valid}", Quoted(&value)),
            None => format!("{} não serve para {argument}", Quoted(&value)),
        },
        ErrorKind::TooManyValues => format!("{} sobra", Quoted(&value)),
        ErrorKind::InvalidUtf8 => "um argumento não é UTF-8".to_owned(),
        _ => "a linha de comando não serve".to_owned(),
    };
    let suggestion =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
            .into_iter()
            .find_map(context)
            .map_or(String::new(), |suggestion| format!(" Você quis dizer {suggestion}?"));
    format!("{what}. Nada foi feito.{suggestion} Veja `hortifruti --help`.")
}
