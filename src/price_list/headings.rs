//! The names that columns have in Brazilian lists.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::field::Field;
use super::sections::is_section;
use crate::catalog::{Key, Unit, unit_of_word};

/// A heading, reduced to its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// The words, folded, without brackets, currency and signs.
    pub(super) words: String,
    /// The words as [`normal`] spells them.
    normal: String,
    /// The folded texts in brackets.
    brackets: Vec<String>,
    /// Whether the heading names the currency.
    has_currency: bool,
}

impl Heading {
    pub(super) fn of(text: &str) -> Self {
        let mut brackets = Vec::new();
        let mut outside = String::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once(['(', '[']) {
            outside.push_str(before);
            outside.push(' ');
            let (bracket, after) = inside.split_once([')', ']']).unwrap_or((inside, ""));
            brackets.push(folded(bracket));
            rest = after;
        }
        outside.push_str(rest);
        let mut words = folded(&outside);
        let has_currency =
            words.split(' ').any(|word| word == "r$") || brackets.iter().any(|text| text.contains("r$"));
        words = words.split(' ').filter(|word| *word != "r$").collect::<Vec<_>>().join(" ");
        Self { normal: normal(&words), words, brackets, has_currency }
    }

    /// The place of the heading among the names of a field: the lower, the more a column of that name is the one.
    pub(super) fn rank(&self, field: Field) -> Option<usize> {
        let words = self.words.as_str();
        // `R$ un` and `Estoque (R$)` are money.
        if self.has_currency && field != Field::Price {
            return None;
        }
        if matches!(field, Field::Price | Field::Stock) && (self.is_of_other_size() || self.is_foreign()) {
            return None;
        }
        if let Some((_, rank)) = RANKS.get(&self.normal).filter(|(known, _)| *known == field) {
            return Some(*rank);
        }
        let is_of_unit = || words.is_empty() || unit_of_word(&self.normal).is_some();
        if field == Field::Price && self.has_currency && is_of_unit() {
            return Some(names(field).len());
        }
        if field == Field::Name && self.is_section() {
            return Some(names(field).len());
        }
        if field == Field::ShelfLife && words == "validade" && self.brackets.iter().any(|text| text == "dias")
        {
            return Some(0);
        }
        None
    }

    /// Whether the heading names a section, as `Frutas` above the names of fruit.
    pub(super) fn is_section(&self) -> bool {
        self.brackets.is_empty() && is_section(&self.words)
    }

    /// Whether the column says whether a product is weighed.
    pub(super) fn is_kind(&self) -> bool {
        KINDS.contains(&self.words.as_str())
    }

    /// Whether the column is one end of a range of prices, or its middle, as a market's table has them.
    pub(super) fn is_of_range(&self) -> bool {
        RANGE.contains(&self.words.as_str())
    }

    /// The unit that a heading such as `Preço (R$/kg)`, `Preço do quilo` or `Estoque (kg)` names. A price of a piece
    /// is said of any unit, and so is a text that names several, as `(kg/un)`.
    pub(super) fn unit(&self) -> Option<Unit> {
        let all = self.brackets.iter().map(String::as_str).chain([self.words.as_str()]);
        let last = all.filter_map(|text| {
            let mut words = text.rsplit(' ');
            let last = unit_of_word(words.next()?)?;
            words.next().and_then(unit_of_word).is_none().then_some(last)
        });
        let mut whole = last.filter(|(unit, parts)| *parts == 1 && *unit != "un");
        Unit::parse(whole.next()?.0).ok()
    }

    /// Whether the column has numbers of something else than one of its unit, as `Preço (100 g)`, `Estoque (g)` and
    /// `R$ 20 kg`.
    fn is_of_other_size(&self) -> bool {
        let is_other = |text: &String| {
            let is_digit = |it: char| it.is_ascii_digit() || it == ',';
            let mut words = text.rsplit(' ');
            let last = words.next().unwrap_or_default();
            let word = last.trim_start_matches(is_digit);
            let before = words.next().filter(|before| before.chars().all(is_digit)).unwrap_or_default();
            let size = [before, &last[..last.len() - word.len()]].concat();
            unit_of_word(word).is_some_and(|(_, parts)| parts > 1 || !matches!(size.as_str(), "" | "1"))
        };
        self.brackets.iter().chain([&self.words]).any(is_other)
    }

    /// Whether the column has money of another country.
    fn is_foreign(&self) -> bool {
        let words = self.brackets.iter().chain([&self.words]).flat_map(|text| text.split(' '));
        words.into_iter().any(|word| matches!(word, "us$" | "u$" | "usd" | "eur" | "€"))
    }

    /// Whether the heading is a kilogram and nothing else: a price beside the range of a market's prices, and
    /// elsewhere as often a weight.
    pub(super) fn is_bare_kilo(&self) -> bool {
        self.normal == "quilo"
            && !self.has_currency
            && !self.brackets.iter().any(|text| text.contains("preco"))
    }

    /// Whether the column says how a product is packed, and not how its price is meant.
    pub(super) fn is_packing(&self) -> bool {
        PACKINGS.contains(&self.words.as_str())
    }

    /// Whether the column may have the numbers of the rows as well as names.
    pub(super) fn is_item(&self) -> bool {
        matches!(self.words.as_str(), "item" | "itens")
    }

    /// Whether the column has the grade of a product, which belongs to its name.
    pub(super) fn is_grade(&self) -> bool {
        matches!(self.words.as_str(), "classificacao" | "variedade" | "cultivar")
    }
}

/// Every name of a column with its field and its place among the names of that, by its [`normal`] form.
static RANKS: LazyLock<HashMap<String, (Field, usize)>> = LazyLock::new(|| {
    let mut ranks = HashMap::new();
    for field in Field::ALL {
        for (rank, name) in names(field).iter().enumerate() {
            ranks.entry(normal(name)).or_insert((field, rank));
        }
    }
    ranks
});

/// The words of a heading without those that only join others, and with one spelling for each.
fn normal(words: &str) -> String {
    let is_alone = !words.contains(' ');
    let spelt = |word| match word {
        "cod" | "codigos" => "codigo",
        "desc" | "descr" | "descricoes" => "descricao",
        "prod" | "produtos" => "produto",
        "mercadorias" => "mercadoria",
        "itens" => "item",
        "qtd" | "qtde" | "qtdade" | "qt" | "quant" => "quantidade",
        "vlr" | "vl" | "valores" => "valor",
        "prc" | "precos" => "preco",
        "unit" | "unitaria" => "unitario",
        "estq" => "estoque",
        "und" | "unid" | "uni" | "un" | "unidades" => "unidade",
        "emb" => "embalagem",
        "categ" | "categorias" => "categoria",
        "depto" | "dept" => "departamento",
        "barra" => "barras",
        "kg" | "kilo" | "kilos" | "quilos" => "quilo",
        // Alone, these stand for something else, such as a state.
        "pr" if !is_alone => "preco",
        "est" if !is_alone => "estoque",
        "v" | "vr" if !is_alone => "valor",
        word => word,
    };
    let joins = |word: &&str| {
        matches!(*word, "de" | "do" | "da" | "dos" | "das" | "em" | "por" | "p" | "para" | "no" | "na")
    };
    // At the end, as in `Preço por`, they say that what is named there is another column.
    let last = words.split(' ').count() - 1;
    let kept = words.split(' ').enumerate().filter(|(place, word)| *place == last || !joins(word));
    kept.map(|(_, word)| spelt(word)).collect::<Vec<_>>().join(" ")
}

/// The names of columns that say whether a product is weighed.
const KINDS: [&str; 10] = [
    "tipo de venda",
    "tipo venda",
    "tp venda",
    "forma de venda",
    "modo de venda",
    "p u",
    "peso unidade",
    "peso un",
    "pesavel",
    "pesado",
];

/// The names of columns of units, the ones that say how a product is sold or packed last.
static UNITS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let units = [
        "unidade",
        "unidade de medida",
        "unidade medida",
        "unidade de venda",
        "unid medida",
        "unid med",
        "un medida",
        "u medida",
        "u m",
        "um",
        "un",
        "und",
        "unid",
        "uni",
        "medida",
        "vendido por",
        "preco por",
        "valor por",
        "venda por",
        "unidades",
        "unidade de comercializacao",
        "unidade comercial",
        "kg un",
        "un kg",
        "sigla da unidade",
        "tipo de unidade",
    ];
    [&units[..], &KINDS, &["embalagem", "emb", "apresentacao", "tipo de embalagem"]].concat()
});

/// The headings of ranges of prices.
const RANGE: [&str; 13] = [
    "maximo",
    "max",
    "preco maximo",
    "maior",
    "menor",
    "m c",
    "mc",
    "mais comum",
    "comum",
    "modal",
    "moda",
    "medio",
    "frequente",
];

/// The words of a text, folded, with one space between them.
fn folded(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let mut was_lower = false;
    for character in text.chars() {
        if was_lower && character.is_uppercase() {
            spaced.push(' ');
        }
        was_lower = character.is_lowercase();
        let is_between = matches!(character, '.' | '/' | '-' | '–' | ':' | '_' | '*' | '#');
        spaced.push(if is_between { ' ' } else { character });
    }
    // A currency that touches the next word is a word of its own.
    let folded = Key::fold(&spaced).as_str().replace("r$", " r$ ");
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names of columns that say how a product is packed.
const PACKINGS: [&str; 7] =
    ["embalagem", "emb", "apresentacao", "tipo embalagem", "tipo de embalagem", "uni peso", "unid peso"];

/// The names of the columns of a field, the best first.
fn names(field: Field) -> &'static [&'static str] {
    match field {
        Field::Name => &[
            "nome",
            "nome do produto",
            "nome produto",
            "produto",
            "produtos",
            "descricao do produto",
            "descricao dos produtos",
            "descricao produto",
            "desc produto",
            "especificacao do produto",
            "descricao do item",
            "nome do item",
            "descricao completa",
            "descricao do material",
            "descricao da mercadoria",
            "nome da mercadoria",
            "especificacao dos generos",
            "genero alimenticio",
            "generos alimenticios",
            "produto descricao",
            "descricao",
            "mercadoria",
            "mercadorias",
            "especificacao",
            "discriminacao",
            "denominacao",
            "descritivo",
            "descricao resumida",
            "descricao reduzida",
            "material",
            "artigo",
            "itens",
            "item",
        ],
        Field::Price => &[
            "preco de venda",
            "preco venda",
            "valor de venda",
            "valor venda",
            "pr venda",
            "prc venda",
            "pv",
            "vl venda",
            "vlr venda",
            "preco unitario de venda",
            "preco de venda unitario",
            "valor unitario de venda",
            "preco de venda ao consumidor",
            "preco ao consumidor",
            "preco venda 1",
            "preco venda1",
            "preco varejo",
            "preco de varejo",
            "preco final",
            "preco do quilo",
            "preco por quilo",
            "preco quilo",
            "preco do kg",
            "preco por kg",
            "preco kg",
            "valor kg",
            "valor do kg",
            "valor por kg",
            "quilo",
            "preco",
            "precos",
            "preco atual",
            "preco normal",
            "preco a vista",
            "preco unitario",
            "preco unit",
            "pr unitario",
            "pr unit",
            "valor unitario",
            "valor unit",
            "vl unitario",
            "vl unit",
            "vlr unitario",
            "vlr unit",
            "preco por unidade",
            "preco de tabela",
            "preco tabela",
            "unitario",
            "preco mais comum",
            "preco comum",
            "mais comum",
            "comum",
            "preco modal",
            "modal",
            "m c",
            "mc",
            "preco medio",
            "valor medio",
            "medio",
            "varejo",
            "venda",
            "valor",
            "vlr",
            "vl",
        ],
        Field::Stock => &[
            "estoque",
            "estoque atual",
            "estoque disponivel",
            "estoque fisico",
            "quantidade disponivel",
            "quantidade em estoque",
            "qtd em estoque",
            "qtde em estoque",
            "quantidade estoque",
            "qtd estoque",
            "qtde estoque",
            "quant estoque",
            "saldo em estoque",
            "saldo estoque",
            "saldo atual",
            "saldo",
            "estq",
            "quantidade atual",
            "quantidade",
            "quant",
            "qtd",
            "qtde",
            "qt",
        ],
        Field::Unit => &UNITS,
        Field::Code => &[
            "codigo",
            "codigo interno",
            "cod interno",
            "codigo da balanca",
            "codigo balanca",
            "cod balanca",
            "codigo do produto",
            "codigo produto",
            "cod do produto",
            "cod produto",
            "cod prod",
            "codigo do item",
            "cod",
            "plu",
        ],
        Field::Barcodes => &[
            "codigos de barras",
            "codigo de barras",
            "codigo de barra",
            "codigo barras",
            "cod de barras",
            "cod barras",
            "cod barra",
            "ean",
            "gtin",
            "ean gtin",
            "gtin ean",
            "ean13",
            "ean 13",
            "codigo ean",
            "barras",
        ],
        Field::Category => &[
            "categoria",
            "categorias",
            "categoria do produto",
            "secao",
            "setor",
            "grupo",
            "grupo de produtos",
            "grupo de produto",
            "departamento",
            "depto",
            "dept",
            "familia",
            "familia de produtos",
            "familia de produto",
            "linha",
            "subgrupo",
            "sub grupo",
        ],
        Field::Minimum => &[
            "minimo",
            "estoque minimo",
            "quantidade minima",
            "qtd minima",
            "qtde minima",
            "est minimo",
            "est min",
            "estq min",
        ],
        Field::Target => &["alvo", "estoque ideal", "estoque alvo"],
        Field::ShelfLife => &[
            "validade dias",
            "validade em dias",
            "dias de validade",
            "dias validade",
            "prazo de validade em dias",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Field> {
        Field::ALL.into_iter().filter(|field| Heading::of(text).rank(*field).is_some()).collect()
    }

    #[test]
    fn columns_are_known_by_their_usual_names() {
        for (field, texts) in [
            (
                Field::Name,
                &[
                    "NOME",
                    "Frutas",
                    "Legumes e Verduras",
                    "Prod.",
                    "Produto",
                    "Descrição",
                    "Descrição do Produto:",
                    "nomeProduto",
                    "Item",
                ][..],
            ),
            (
                Field::Price,
                &[
                    "Preço",
                    "PREÇO (R$)",
                    "Preço R$",
                    "R$/kg",
                    "Preço de venda",
                    "Valor",
                    "Pr. Venda",
                    "Vlr. Unit.",
                    "R$",
                    "Preço p/ Kg",
                    "Vl. Unitário",
                ],
            ),
            (Field::Stock, &["Estoque", "Qtd", "Qtde.", "QTDE. ESTOQUE", "Saldo"]),
            (
                Field::Unit,
                &["UN", "Und.", "Unid.", "U.M.", "unidadeMedida", "Und. venda", "Unid. Med.", "Kg/Un", "P/U"],
            ),
            (Field::Code, &["Código", "Cód.", "codigo_produto", "PLU"]),
            (Field::Barcodes, &["Cód. Barras", "EAN/GTIN", "codigos_de_barras"]),
            (Field::Category, &["Seção", "Grupo", "Depto."]),
            (Field::ShelfLife, &["Validade (dias)", "validade_dias"]),
        ] {
            for text in texts {
                assert_eq!(found(text), [field], "{text}");
            }
        }
        for text in [
            "",
            "NCM",
            "Preço de custo",
            "Valor total",
            "Validade",
            "Observações",
            "Menor",
            "(kg)",
            "PR",
            "Est.",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn each_field_is_known_by_its_own_heading_and_no_name_is_of_two_fields() {
        for field in Field::ALL {
            assert!(Heading::of(field.heading()).rank(field).is_some(), "{field:?}");
            for name in names(field) {
                assert_eq!(found(name), [field], "{name}");
                assert_eq!(RANKS[&normal(name)].0, field, "{name}");
            }
        }
    }

    #[test]
    fn a_heading_names_the_unit_of_its_price() {
        let unit = |text: &str| Heading::of(text).unit().map(|unit| unit.to_string());
        for text in ["R$/kg", "Preço (R$/kg)", "Preço por quilo", "Quilo", "Preço Kg"] {
            assert_eq!(unit(text).as_deref(), Some("kg"), "{text}");
        }
        for text in ["Preço", "Preço (R$)", "Preço por unidade", "Valor unitário"] {
            assert_eq!(unit(text), None, "{text}");
        }
    }
}
