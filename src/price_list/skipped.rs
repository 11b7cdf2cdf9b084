//! The rows of a list that are no products: titles, sections, totals, repeated headers, prices that are not given.

use super::columns::Columns;
use super::field::Field;
use super::headings::Heading;
use super::record::Record;
use super::sections::{SECTIONS, has_section, is_section, without_number};
use crate::catalog::{Category, Key, counted};

/// The sections that a note names; the others are counted.
const SECTIONS_NAMED_MAX: usize = 8;

/// The first words of rows that sum up others, folded.
const TOTALS: [&str; 7] = ["total", "totais", "subtotal", "sub-total", "soma", "somatorio", "media"];

/// The words that follow those of [`TOTALS`] in rows that sum up others, folded, beside those of sections. A row with
/// another word, such as `Total Flex`, has the name of a product.
const TOTALED: [&str; 34] = [
    "bruto",
    "caixas",
    "compra",
    "compras",
    "da",
    "das",
    "de",
    "dia",
    "do",
    "dos",
    "em",
    "estoque",
    "final",
    "geral",
    "itens",
    "kg",
    "liquido",
    "lista",
    "loja",
    "mes",
    "nota",
    "para",
    "parcial",
    "pedido",
    "por",
    "preco",
    "precos",
    "produtos",
    "quantidade",
    "r",
    "unidades",
    "valor",
    "venda",
    "vendas",
];

/// First words of the remarks below a list, folded.
const REMARKS: [&str; 22] = [
    "obs",
    "observacao",
    "observacoes",
    "nota",
    "notas",
    "fonte",
    "validade",
    "valido",
    "condicao",
    "condicoes",
    "pagamento",
    "frete",
    "pedido",
    "pedidos",
    "prazo",
    "entrega",
    "telefone",
    "fone",
    "whatsapp",
    "contato",
    "atualizado",
    "precos",
];

/// The counts of the rows that were skipped.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    titles: usize,
    headers: usize,
    totals: usize,
    remarks: usize,
    withdrawn: usize,
    pub(super) unpriced: usize,
    pub(super) repeated: usize,
    sections: Vec<String>,
}

/// A row that is no product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoProduct {
    Section(Category),
    Total,
    Header,
    Remark,
    /// A product that is not sold any more.
    Withdrawn,
}

/// Says whether a row is no product. `has_lower_case` says whether names of the list have small letters, and
/// `stands_apart` whether the row begins the list or stands below an empty row or a title. Only what stands apart
/// may be a section for its capitals, or for one word of several: elsewhere it may as well be a product that has no
/// price today.
pub(super) fn no_product(
    row: &Record,
    header: &Record,
    columns: &Columns,
    has_lower_case: bool,
    stands_apart: bool,
) -> Option<NoProduct> {
    if columns.is_exported {
        return None;
    }
    let cell = |field: Field| columns.place(field).and_then(|place| row.get(place)).map_or("", str::trim);
    if row.len() == header.len()
        && row.iter().zip(header.iter()).all(|(own, other)| own.trim() == other.trim())
    {
        return Some(NoProduct::Header);
    }
    if columns.are_withdrawn(row) {
        return Some(NoProduct::Withdrawn);
    }
    let filled = || (0..row.len()).filter(|place| !row.is_blank_at(*place));
    let text_at = |place: usize| row.get(place).unwrap_or_default().trim();
    // A total stands in the place of a name, or in a row without one.
    let total = filled().find(|place| is_total(text_at(*place)));
    let is_named = cell(Field::Name).chars().any(char::is_alphabetic);
    let is_priced = !cell(Field::Price).is_empty();
    if total.is_some_and(|place| !is_named || columns.place(Field::Name) == Some(place))
        && cell(Field::Unit).is_empty()
        && !(is_priced && has_name_of_product(cell(Field::Name)))
    {
        return Some(NoProduct::Total);
    }
    // Lists below each other repeat the header, with the section in the place of the names' heading.
    let price = columns.place(Field::Price).and_then(|place| header.get(place)).map_or("", str::trim);
    if cell(Field::Price) == price
        && Heading::of(cell(Field::Name)).is_section()
        && let Ok(section) = Category::parse(cell(Field::Name))
    {
        return Some(NoProduct::Section(section));
    }
    let mut lone = filled();
    let (Some(place), None) = (lone.next(), lone.next()) else { return None };
    let text = without_number(text_at(place));
    let is_capital = || !text.chars().any(char::is_lowercase) && text.chars().any(char::is_alphabetic);
    let is_section = is_section(text)
        || text.ends_with(':')
        || (stands_apart && (has_section(text) || (has_lower_case && is_capital())));
    if is_section {
        return Category::parse(text.trim_end_matches(':')).ok().map(NoProduct::Section);
    }
    let is_apart = ![Field::Name, Field::Price].iter().any(|field| columns.place(*field) == Some(place));
    (is_remark(text) || (is_apart && text.contains(' '))).then_some(NoProduct::Remark)
}

/// Whether a lone text is no name: `* Preços sujeitos a alteração`, `Frete: CIF`.
fn is_remark(text: &str) -> bool {
    let folded = Key::fold(text);
    let first = folded.as_str().split(|character: char| !character.is_alphanumeric()).next();
    text.starts_with('*')
        || (first.is_some_and(|first| REMARKS.contains(&first)) && text.contains([' ', ':']))
}

fn is_total(text: &str) -> bool {
    let folded = Key::fold(text);
    let first = folded.as_str().split([' ', ':', '(']).next().unwrap_or_default();
    TOTALS.contains(&first)
}

/// Whether a name that begins as a total goes on as that of a product.
fn has_name_of_product(name: &str) -> bool {
    let folded = Key::fold(name);
    let mut words = folded.as_str().split([' ', '(']).filter(|word| !word.is_empty());
    let ends = words.next().is_none_or(|first| first.ends_with(':'));
    let second = words.next().map(|word| word.trim_matches(|it: char| !it.is_alphanumeric()));
    let is_other = |word: &str| {
        !word.is_empty()
            && !word.starts_with(|first: char| first.is_ascii_digit())
            && !TOTALED.contains(&word)
            && !SECTIONS.contains(&word)
    };
    !ends && second.is_some_and(is_other)
}

impl Skipped {
    /// The counts of a list that begins below so many titles.
    pub(super) fn below(titles: usize) -> Self {
        Self { titles, ..Self::default() }
    }

    /// Counts a row that is no product.
    pub(super) fn note_row(&mut self, row: &NoProduct) {
        match row {
            NoProduct::Header => self.headers += 1,
            NoProduct::Total => self.totals += 1,
            NoProduct::Remark => self.remarks += 1,
            NoProduct::Withdrawn => self.withdrawn += 1,
            NoProduct::Section(section) => self.sections.push(section.to_string()),
        }
    }

    /// A note for the user, if a row was skipped.
    pub(super) fn note(&self) -> Option<String> {
        let Self { titles, headers, totals, remarks, withdrawn, unpriced, repeated, sections } = self;
        let mut parts = Vec::new();
        for (count, one, more) in [
            (*titles, "de título", "de título"),
            (sections.len(), "de seção", "de seção"),
            (*totals, "de total", "de total"),
            (*headers, "de cabeçalho repetido", "de cabeçalho repetido"),
            (*remarks, "de observação", "de observação"),
            (*withdrawn, "de produto inativo", "de produtos inativos"),
            (*unpriced, "sem preço", "sem preço"),
            (*repeated, "repetida e igual", "repetidas e iguais"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {}", if count == 1 { one } else { more }));
            }
        }
        if parts.is_empty() {
            return None;
        }
        let count = titles + sections.len() + totals + headers + remarks + withdrawn + unpriced + repeated;
        let skipped = counted(count, "linha não entrou", "linhas não entraram");
        let named = sections.iter().take(SECTIONS_NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
        let more = if sections.len() > SECTIONS_NAMED_MAX { ", …" } else { "" };
        let categories = match sections.len() {
            0 => String::new(),
            1 => format!("; a seção é a categoria dos produtos abaixo dela: {named}"),
            _ => format!("; cada seção é a categoria dos produtos abaixo dela: {named}{more}"),
        };
        Some(format!("{skipped}: {}{categories}", parts.join(", ")))
    }
}
