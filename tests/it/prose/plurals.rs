//! No text for people says `1 produtos`: a count that may be one is written by `catalog::counted`.

use std::fs;

use super::visit;
use crate::support::project;

/// Counts with a plural that are never one: they passed a limit, or are one themselves.
const NEVER_ONE: [(&str, &str); 25] = [
    ("bench.rs", "{} milésimos"),
    ("catalog/amount.rs", "{0} centavos"),
    ("catalog/decimal.rs", "{decimals_max} casas"),
    ("catalog/details.rs", "{length} caracteres"),
    ("catalog/label.rs", "{0} máscaras"),
    ("catalog/name.rs", "{length} caracteres"),
    ("catalog/price.rs", "{0} centavos"),
    ("catalog/quantity.rs", "{0} milésimos"),
    ("catalog/rules/adjust.rs", "{} centavos"),
    ("catalog/rules/count.rs", "{} centavos"),
    ("catalog/terms.rs", "{length} caracteres"),
    ("commands/count.rs", "{} produtos"),
    ("inventory/low_stock.rs", "{} produtos"),
    ("inventory/summaries.rs", "{count} movimentos"),
    ("operation/list_products.rs", "{} palavras"),
    ("price_list/error.rs", "{0} produtos"),
    ("price_list/sheet.rs", "{} colunas"),
    ("refusal.rs", "{bytes_max} bytes"),
    ("refusal.rs", "{count} mudanças"),
    ("refusal.rs", "{count} produtos"),
    ("refusal.rs", "{seconds_max} segundos"),
    ("render/status.rs", "{bytes} bytes"),
    ("server/grpc/gzip.rs", "{count_max} partes"),
    ("wire/grpc/terms.rs", "{} códigos"),
    ("wire/grpc/terms.rs", "{days} dias"),
];

/// Counts with a plural whose sentence for one stands beside them, because more of it differs.
const ONE_IS_APART: [(&str, &str); 3] = [
    ("commands/import/left.rs", "{count} produtos"),
    ("render/status.rs", "{days} dias"),
    ("report/expiring.rs", "{days} dias"),
];

/// The counts before a plural in the texts of a file, but for constants: `{count} produtos`.
fn plurals(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for line in lines {
        for (at, _) in line.match_indices("} ") {
            let Some((_, count)) = line[..at].rsplit_once('{') else { continue };
            let rest = &line[at + 2..];
            let word = &rest[..rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())];
            let is_constant = count.contains(char::is_uppercase) && !count.contains(char::is_lowercase);
            // Units such as `ms` are no plurals.
            if !count.contains(' ') && !is_constant && word.ends_with('s') && word.chars().count() > 2 {
                found.push(format!("{{{count}}} {word}"));
            }
        }
    }
    found
}

#[test]
fn a_count_that_may_be_one_has_its_singular() {
    let source = project().join("src");
    let mut found: Vec<(String, String)> = Vec::new();
    visit(&source, &mut |path| {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        let plurals = plurals(&fs::read_to_string(path).unwrap()).into_iter();
        found.extend(plurals.map(|plural| (name.clone(), plural)));
    });
    found.sort();
    found.dedup();
    let mut known: Vec<(String, String)> = NEVER_ONE
        .iter()
        .chain(&ONE_IS_APART)
        .map(|(file, plural)| ((*file).into(), (*plural).into()))
        .collect();
    known.sort();
    assert_eq!(found, known, "write the others with `catalog::counted`");
}

#[test]
fn plurals_are_found() {
    let code = "\
// {count} produtos
write(\"{count} produtos e {} linhas, {time} ms de {LIMIT_MAX} bytes, {name} do dia\")
if is { \"a\" } else { \"b\" }
#[cfg(test)]
mod tests {
    \"{count} dias\"
";
    assert_eq!(plurals(code), ["{count} produtos", "{} linhas"]);
}
