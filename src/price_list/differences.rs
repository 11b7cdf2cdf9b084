//! The differences between a list and the catalog: the change that an import would make for each row, and a
//! mark on those that look wrong.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use super::PriceList;
use super::text::looks_garbled;
use crate::catalog::{Key, Name, Price, ProductDraft, Quantity, Quoted, Terms, TermsField, Unit};
use crate::operation::ProductReply;

/// The ratio of old and new price from which on a change looks wrong. A misplaced comma multiplies or
/// divides by ten.
const PRICE_RATIO_MARKED: i64 = 10;

/// The catalog of one moment, by name.
pub struct Catalog {
    products: Vec<ProductReply>,
    by_name: HashMap<Name, usize>,
    /// For each key, the first product whose name has it.
    by_key: HashMap<Key, usize>,
}

impl Catalog {
    /// Indexes the products of a server by name and key.
    pub fn new(products: Vec<ProductReply>) -> Self {
        let by_name = products.iter().enumerate().map(|(place, product)| (product.name.clone(), place));
        let by_key = products.iter().enumerate().rev().map(|(place, product)| (product.name.key(), place));
        Self { by_name: by_name.collect(), by_key: by_key.collect(), products }
    }

    /// The names of the products that have a shop code, by it.
    pub fn names_by_code(&self) -> HashMap<u32, Name> {
        names_by_code(&self.products)
    }

    /// The index of the product that the server finds by this name.
    fn find(&self, name: &Name) -> Option<usize> {
        self.by_name.get(name).or_else(|| self.by_key.get(&name.key())).copied()
    }

    /// The unit of the product of a row, after the row is imported.
    pub fn unit_after(&self, row: &ProductDraft) -> Unit {
        let own = || self.products[self.find(&row.name)?].unit.clone();
        row.unit.clone().or_else(own).unwrap_or_default()
    }

    /// The errors of rows whose product is already in an earlier part of the list, by the index of the row. The server
    /// itself finds repeated rows of one part.
    pub fn repeated(&self, list: &PriceList, parts: &[Range<usize>]) -> Vec<(usize, String)> {
        let mut first_rows = HashMap::new();
        let mut repeated = Vec::new();
        let rows = parts.iter().flat_map(|part| part.clone().map(|index| (index, part.start)));
        for (index, part_start) in rows {
            let row = &list.rows[index];
            let product = self.find(&row.name).ok_or_else(|| row.name.key());
            let first = *first_rows.entry(product).or_insert(index);
            if first < part_start {
                let what = format!("{} já aparece na linha {}", Quoted(row.name.as_str()), list.lines[first]);
                repeated.push((index, what));
            }
        }
        repeated
    }

    /// The change that each row of a list would make, in the order of the list. Rows that change
    /// nothing and give no other stock are left out.
    pub fn differences<'a>(&'a self, list: &'a PriceList) -> impl Iterator<Item = Difference<'a>> {
        list.rows.iter().zip(&list.lines).zip(&list.have_stock).filter_map(|((row, line), has_stock)| {
            let before = self.find(&row.name).map(|place| &self.products[place]);
            let (has_stock, is_counted) = (*has_stock, list.is_counted);
            let difference = Difference { row, line: *line, before, has_stock, is_counted };
            let is_one = difference.is_change() || difference.stock_left().is_some();
            is_one.then_some(difference)
        })
    }

    /// The terms that products keep because the list has an empty cell in the column of each, in the order of
    /// the list.
    pub fn kept<'a>(&'a self, list: &'a PriceList) -> impl Iterator<Item = Kept<'a>> {
        let columns: Vec<TermsField> = list.columns.iter().filter_map(|(field, _)| field.term()).collect();
        list.rows.iter().flat_map(move |row| {
            let product = self.find(&row.name).map(|place| &self.products[place]);
            let terms = product.and_then(|product| product.terms.as_deref()).unwrap_or(Terms::NONE);
            let name = product.map_or(&row.name, |product| &product.name);
            let kept = TermsField::differences(Terms::NONE, terms).into_iter();
            let kept = kept.filter(|(field, ..)| columns.contains(field) && !row.terms.has(*field));
            kept.map(|(field, _, value)| Kept { name, field, value }).collect::<Vec<_>>()
        })
    }
}

/// The names of the products that have a shop code, by it.
pub fn names_by_code(products: &[ProductReply]) -> HashMap<u32, Name> {
    let coded = products.iter().filter_map(|it| Some((it.terms.as_deref()?.code?.number(), it.name.clone())));
    coded.collect()
}

/// A term that a product keeps because the list has an empty cell in its place.
pub struct Kept<'a> {
    name: &'a Name,
    field: TermsField,
    value: String,
}

impl fmt::Display for Kept<'_> {
    /// Writes the term as `código 12 de "Caju"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, field, value } = self;
        write!(f, "{} {} de {}", field.word(), field.shown(value), Quoted(name.as_str()))
    }
}

/// The change that a row of a list would make.
pub struct Difference<'a> {
    /// The line of the file.
    pub line: u64,
    row: &'a ProductDraft,
    /// The product in the catalog, if it exists.
    before: Option<&'a ProductReply>,
    has_stock: bool,
    /// Whether the stock is a count.
    is_counted: bool,
}

/// Why a change looks wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The price is this many times higher.
    Higher(i64),
    /// The price is this many times lower.
    Lower(i64),
    /// The price is zero.
    Free,
    /// The name of a new product, a new unit or a new category looks garbled.
    Garbled,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Higher(times) => write!(f, "preço × {times}"),
            Mark::Lower(times) => write!(f, "preço ÷ {times}"),
            Mark::Free => f.write_str("preço zero"),
            Mark::Garbled => f.write_str("letras trocadas"),
        }
    }
}

impl Difference<'_> {
    /// The product's name in the catalog; for a new product, in the list.
    pub fn name(&self) -> &Name {
        self.before.map_or(&self.row.name, |before| &before.name)
    }

    /// Whether the row creates a product or changes its price, unit or other terms.
    pub fn is_change(&self) -> bool {
        self.before.is_none_or(|before| before.price != self.row.price)
            || self.units().is_some()
            || !self.terms().is_empty()
    }

    /// The terms beyond price and unit that the row gives or changes, with the values before and after.
    fn terms(&self) -> Vec<(TermsField, String, String)> {
        let before = self.before.and_then(|before| before.terms.as_deref()).unwrap_or(Terms::NONE);
        TermsField::differences(before, &self.row.terms.applied(before.clone()))
    }

    /// Why the change looks wrong, if it does.
    pub fn mark(&self) -> Option<Mark> {
        if !self.is_change() {
            return None;
        }
        let new = self.row.price.centavos();
        match self.before {
            _ if self.is_garbled() => Some(Mark::Garbled),
            None => (new == 0).then_some(Mark::Free),
            Some(before) => match before.price.centavos() {
                old if old == new || old == 0 => None,
                _ if new == 0 => Some(Mark::Free),
                old if new / old >= PRICE_RATIO_MARKED => Some(Mark::Higher(new / old)),
                old if old / new >= PRICE_RATIO_MARKED => Some(Mark::Lower(old / new)),
                _ => None,
            },
        }
    }

    /// Whether the text of a new product, a new unit or a new category looks garbled.
    fn is_garbled(&self) -> bool {
        let unit = self.row.unit.as_ref().filter(|_| self.before.is_none() || self.units().is_some());
        let name = Some(self.row.name.as_str()).filter(|_| self.before.is_none());
        let is_texts = name.into_iter().chain(unit.map(Unit::as_str)).any(looks_garbled);
        let is_garbled = |(field, _, new): &(TermsField, String, String)| {
            *field == TermsField::Category && looks_garbled(new)
        };
        is_texts || self.terms().iter().any(is_garbled)
    }

    /// The old and the new unit, if they differ.
    pub fn units(&self) -> Option<(&Unit, &Unit)> {
        let (old, new) = (self.before?.unit.as_ref()?, self.row.unit.as_ref()?);
        (old != new).then_some((old, new))
    }

    /// The stock of an existing product, and the stock in the list, if they differ. An import does not change
    /// the stock of an existing product.
    pub fn stock_left(&self) -> Option<(Quantity, Quantity)> {
        let stock = self.before?.stock;
        (self.has_stock && stock != self.row.opening_stock).then_some((stock, self.row.opening_stock))
    }
}

impl fmt::Display for Difference<'_> {
    /// Writes a line such as `TOMATE CARMEM: R$ 3,00 → R$ 300,00, código — → 12 ⚠ preço × 100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new: Price = self.row.price;
        match self.before {
            None => {
                let unit = self.row.unit.clone().unwrap_or_default();
                let stock = self.row.opening_stock.with_comma();
                write!(f, "{}: novo, {}, {stock} {unit}", self.row.name, new.in_reais())?;
                for (field, _, value) in self.terms() {
                    write!(f, ", {} {}", field.word(), field.shown(&value))?;
                }
            }
            Some(before) => {
                let mut separator = ": ";
                write!(f, "{}", self.name())?;
                if before.price != new {
                    write!(f, "{separator}{} → {}", before.price.in_reais(), new.in_reais())?;
                    separator = ", ";
                }
                if let Some((old, new)) = self.units() {
                    write!(f, "{separator}{old} → {new}")?;
                    separator = ", ";
                }
                for (field, old, new) in self.terms() {
                    let (old, new) = (field.shown(&old), field.shown(&new));
                    write!(f, "{separator}{} {old} → {new}", field.word())?;
                    separator = ", ";
                }
                if let Some((stock, listed)) = self.stock_left() {
                    let (stock, listed) = (stock.with_comma(), listed.with_comma());
                    match self.is_counted {
                        true => write!(f, "{separator}estoque {stock} → {listed}")?,
                        false => write!(f, "{separator}o estoque fica {stock} (na lista, {listed})")?,
                    }
                }
            }
        }
        self.mark().map_or(Ok(()), |mark| write!(f, " ⚠ {mark}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{Barcode, Category, ShopCode};

    #[test]
    fn what_a_list_would_change() {
        let product = |name: &str, price: &str, stock: &str, unit: &str| ProductReply {
            name: Name::parse(name).unwrap(),
            price: price.parse().unwrap(),
            stock: stock.parse().unwrap(),
            unit: Some(Unit::parse(unit).unwrap()),
            stock_cost: None,
            terms: None,
            is_discontinued: false,
        };
        let catalog = Catalog::new(vec![
            product("TOMATE CARMEM", "3", "10", "kg"),
            product("Caqui", "4", "20", "kg"),
            product("Uva", "10", "1,5", "kg"),
            product("Pera", "5", "1", "un"),
            product("Lima", "0", "1", "un"),
            product("Kiwi", "9,99", "0", "un"),
        ]);
        let list = super::super::read(
            "nome;preco;estoque;unidade\ntomate carmem;300,00;10;kg\nCaqui;4;21;cx\nUva;1;;\nPera;0;1;un\n\
            Lima;3;1;un\nKiwi;99,89;0;un\nFigo;1234,5;2,25;kg\nSal;0;;\nMaÃ§Ã£;3;1;un\n"
                .as_bytes(),
        )
        .unwrap();
        let differences: Vec<_> = catalog.differences(&list).collect();
        let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "TOMATE CARMEM: R$ 3,00 → R$ 300,00 ⚠ preço × 100",
                "Caqui: kg → cx, o estoque fica 20 (na lista, 21)",
                "Uva: R$ 10,00 → R$ 1,00 ⚠ preço ÷ 10",
                "Pera: R$ 5,00 → R$ 0,00 ⚠ preço zero",
                "Lima: R$ 0,00 → R$ 3,00",
                "Kiwi: R$ 9,99 → R$ 99,89",
                "Figo: novo, R$ 1.234,50, 2,25 kg",
                "Sal: novo, R$ 0,00, 0 un ⚠ preço zero",
                "MaÃ§Ã£: novo, R$ 3,00, 1 un ⚠ letras trocadas",
            ]
        );
        assert_eq!(differences.iter().filter(|difference| difference.mark().is_some()).count(), 5);
        // Only rows of another part than the first row of their product are found here.
        let repeated = super::super::read("nome;preco\nLimão;1\nUva;1\nlimao;1\nÚVA;1\n".as_bytes()).unwrap();
        let indexes = |parts: &[Range<usize>]| {
            catalog.repeated(&repeated, parts).iter().map(|(index, _)| *index).collect::<Vec<_>>()
        };
        let found = (indexes(&[0..2, 2..4]), indexes(&[0..3, 3..4]), indexes(&[Range { start: 0, end: 4 }]));
        assert_eq!(found, (vec![2, 3], vec![3], vec![]));
        let same = super::super::read(b"nome;preco;estoque;unidade\nUVA;10;1,5;KG\nPera;5;;\n").unwrap();
        assert_eq!(catalog.differences(&same).count(), 0);
    }

    #[test]
    fn a_list_changes_the_terms_that_it_has() {
        let product = |name: &str, terms: Terms| ProductReply {
            name: Name::parse(name).unwrap(),
            price: "3".parse().unwrap(),
            stock: Quantity::ZERO,
            unit: Some(Unit::default()),
            stock_cost: None,
            terms: Some(Arc::new(terms)),
            is_discontinued: false,
        };
        let terms = Terms {
            code: ShopCode::parse("12").ok(),
            barcodes: vec![Barcode::parse("4011").unwrap()],
            category: Category::parse("frutas").ok(),
            minimum: Quantity::from_units(5),
            target: Quantity::ZERO,
            shelf_life_days: 3,
        };
        let catalog = Catalog::new(vec![
            product("Caju", terms.clone()),
            product("Maca", Terms::default()),
            product("Pera", Terms { code: None, barcodes: vec![Barcode::parse("4022").unwrap()], ..terms }),
        ]);
        let list = super::super::read(
            "nome;preco;codigo;codigos_de_barras;categoria;minimo;validade_dias\n\
            caju;3;13;4011 4012;Frutas;0;4\nMaca;3;;;;;\nPera;3;;4022;;;3\n\
            Uva;9,5;7;;MaÃ§Ã£s;2,5;\n"
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(list.bad, []);
        let told: Vec<_> = catalog.differences(&list).map(|it| it.to_string()).collect();
        assert_eq!(
            told,
            [
                "Caju: código 12 → 13, códigos de barras 4011 → 4011,4012, categoria frutas → Frutas, mínimo 5 → 0, \
                 validade 3 dias → 4 dias",
                "Uva: novo, R$ 9,50, 0 un, código 7, categoria MaÃ§Ã£s, mínimo 2,5 ⚠ letras trocadas",
            ]
        );
        let kept: Vec<_> = catalog.kept(&list).map(|it| it.to_string()).collect();
        assert_eq!(kept, ["categoria frutas de \"Pera\"", "mínimo 5 de \"Pera\""]);
        // A column that the list does not have keeps nothing back.
        let prices = super::super::read(b"nome;preco\nPera;3\n").unwrap();
        assert_eq!((catalog.differences(&prices).count(), catalog.kept(&prices).count()), (0, 0));
    }
}
