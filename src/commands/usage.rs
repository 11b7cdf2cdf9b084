//! The errors of the command line in Portuguese, because clap describes them in English.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::catalog::{Key, Quoted};

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
