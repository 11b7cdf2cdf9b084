//! No text for people says `1 produtos`: a count that may be one is written by `catalog::counted`.

use std::collections::BTreeSet;
use std::fs;

use super::visit;
use crate::support::project;

/// Counts with a plural that are never one: they passed a limit, or are one themselves.
const NEVER_ONE: [(&str, &str); 34] = [
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
    ("price_list/error.rs", "{0} colunas"),
    ("price_list/sheet.rs", "{} colunas"),
    ("price_list/workbook/error.rs", "{0} partes"),
    ("refusal.rs", "{bytes_max} bytes"),
    ("refusal.rs", "{count} mudanças"),
    ("refusal.rs", "{count} produtos"),
    ("refusal.rs", "{days_max} dias"),
    ("refusal.rs", "{seconds_max} segundos"),
    ("refusal/terms.rs", "{count} partes"),
    ("render/imported.rs", "{part_count} partes"),
    ("render/status.rs", "{bytes} bytes"),
    ("render/workbook.rs", "{0} linhas"),
    ("scale_file/read.rs", "{days} dias"),
    ("scale_file/read.rs", "{expected} bytes"),
    ("scale_file/write.rs", "{width} caracteres"),
    ("server/grpc/gzip.rs", "{count_max} partes"),
    ("wire/grpc/terms.rs", "{} códigos"),
    ("wire/grpc/terms.rs", "{days} dias"),
];

/// Counts with a plural whose sentence for one stands beside them, because more of it differs.
const ONE_IS_APART: [(&str, &str); 4] = [
    ("commands/import/left.rs", "{count} produtos"),
    ("render/status.rs", "{count} cópias"),
    ("render/status.rs", "{days} dias"),
    ("report/expiring.rs", "{days} dias"),
];

/// The counts before a plural in the texts of a file, but for constants: `{count} produtos`. A word such as
/// `linha(s)`, which leaves the number to the reader, is one of them.
fn plurals(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for line in lines {
        let texts = line.split('"').skip(1).step_by(2);
        found.extend(
            texts.flat_map(|text| text.split(' ')).filter(|it| it.contains("(s)")).map(str::to_owned),
        );
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
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    visit(&source, &mut |path| {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        let plurals = plurals(&fs::read_to_string(path).unwrap()).into_iter();
        found.extend(plurals.map(|plural| (name.clone(), plural)));
    });
    let known = NEVER_ONE.iter().chain(&ONE_IS_APART);
    let known: BTreeSet<_> =
        known.map(|(file, plural)| (String::from(*file), String::from(*plural))).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "write these with `catalog::counted`, or say here why none is one: {new:?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}");
}

#[test]
fn plurals_are_found() {
    let code = "\
// {count} produtos
write(\"{count} produtos e {} linhas, {time} ms de {LIMIT_MAX} bytes, {name} do dia\")
write(\"na(s) linha {line}\", length(s))
if is { \"a\" } else { \"b\" }
#[cfg(test)]
mod tests {
    \"{count} dias\"
";
    assert_eq!(plurals(code), ["{count} produtos", "{} linhas", "na(s)"]);
}
