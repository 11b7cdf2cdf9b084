//! The errors of the command line in Portuguese, because clap describes them in English.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::catalog::Quoted;

/// Describes the error of the command line, and names the command that shows its help.
pub(super) fn describe(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
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
        ErrorKind::MissingRequiredArgument => format!("falta {argument}"),
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            format!("{argument} não pode ser usado com {other}")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("falta o valor de {argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match context(ContextKind::ValidValue) {
            Some(valid) => format!("valor inválido para {argument}: {}; use {valid}", Quoted(&value)),
            None => format!("valor inválido para {argument}: {}", Quoted(&value)),
        },
        ErrorKind::TooManyValues => format!("{} sobra", Quoted(&value)),
        ErrorKind::InvalidUtf8 => "um argumento não é UTF-8".to_owned(),
        _ => "linha de comando inválida".to_owned(),
    };
    let suggestion =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
            .into_iter()
            .find_map(context)
            .map_or(String::new(), |suggestion| format!(" Você quis dizer {suggestion}?"));
    format!("{what}. Nada foi feito.{suggestion} Veja `hortifruti --help`.")
}
