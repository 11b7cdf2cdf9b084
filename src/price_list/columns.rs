//! The columns of a price list, found by their names in the header.

use std::collections::HashSet;
use std::ops::Range;

use super::error::PriceListError;
use super::field::Field;
use super::headings::Heading;
use super::limits::COLUMNS_MAX;
use super::record::Record;
use super::withdrawn::Says;
use crate::catalog::{Category, Key, Quoted, Unit};

/// The columns that a note names as not read; the others are counted.
const UNREAD_NAMED_MAX: usize = 8;

/// The heading that says that a field is not to be read, in the place of a column's name.
const NOT_READ: &str = "-";

/// The columns that are read, each with its place, in the order of the file.
#[derive(Debug)]
pub(super) struct Columns {
    read: Vec<(Field, usize)>,
    /// The places of the columns whose texts are the end of the name.
    pub(super) grades: Vec<usize>,
    /// The columns that say whether a product is still sold.
    withdrawn: Vec<(usize, Says)>,
    /// The units that headings name, as `Preço (R$/kg)` and `Estoque (kg)` do.
    units: Vec<(Field, Unit)>,
    /// Whether the column of units only says how products are packed.
    pub(super) is_packing: bool,
    /// Whether the column of units only says whether a product is weighed.
    pub(super) is_kind: bool,
    /// The section that the heading of the names is, if it is one.
    pub(super) section: Option<Category>,
    /// Whether the names stand in a column that is called so, or that the user named.
    pub(super) is_name_certain: bool,
    /// Whether the header is that of `export`, whose rows are products and nothing else.
    pub(super) is_exported: bool,
    /// The number of all columns.
    pub(super) count: usize,
}

impl Columns {
    /// Finds the columns by their names in the header, or by the names that the user gives. If several may be
    /// those of a field, the one with the better name is taken.
    ///
    /// # Errors
    /// If there are too many columns, two have one name, or the name or the price is missing.
    pub(super) fn of(header: &Record, given: &[(Field, String)]) -> Result<Self, PriceListError> {
        if header.len() > COLUMNS_MAX {
            return Err(PriceListError::TooManyColumns(header.len()));
        }
        let headings: Vec<Heading> = header.iter().map(Heading::of).collect();
        let mut read: Vec<(Field, usize)> = Vec::new();
        for (field, name) in given.iter().filter(|(_, name)| name != NOT_READ) {
            let wanted = Heading::of(name);
            let place = headings.iter().position(|heading| *heading == wanted);
            let place = place.ok_or_else(|| PriceListError::NoColumn {
                field: field.heading(),
                name: name.clone(),
                header: shown(header),
            })?;
            if headings.iter().skip(place + 1).any(|heading| *heading == wanted) {
                return Err(PriceListError::RepeatedColumn(name.clone()));
            }
            read.push((*field, place));
        }
        let has_range = headings.iter().any(Heading::is_of_range);
        for field in Field::ALL {
            if given.iter().any(|(known, _)| *known == field) {
                continue;
            }
            // Beside the highest price of a market, the lowest one is no stock.
            if field == Field::Minimum && has_range {
                continue;
            }
            let ranked = headings.iter().enumerate().filter(|(place, heading)| {
                let is_weight = field == Field::Price && heading.is_bare_kilo() && !has_range;
                !is_weight && !is_read(&read, *place)
            });
            let ranked = ranked.filter_map(|(place, heading)| Some((heading.rank(field)?, place)));
            let Some((_, place)) = ranked.min() else { continue };
            let is_same = |it: &Heading| it.words == headings[place].words && it.rank(field).is_some();
            if headings.iter().skip(place + 1).any(is_same) {
                return Err(PriceListError::RepeatedColumn(
                    header.get(place).unwrap_or_default().trim().to_owned(),
                ));
            }
            read.push((field, place));
        }
        read.sort_by_key(|(_, place)| *place);
        let place_of = |field: Field| read.iter().find(|(own, _)| *own == field).map(|(_, place)| *place);
        for field in [Field::Name, Field::Price] {
            if place_of(field).is_none() {
                return Err(PriceListError::MissingColumn { column: field.heading(), header: shown(header) });
            }
        }
        let grades =
            (0..headings.len()).filter(|place| headings[*place].is_grade() && !is_read(&read, *place));
        let grades = grades.collect();
        // Beside a market's prices, a state is that of the market.
        let says = |place: usize| Says::of(&headings[place]).filter(|it| *it != Says::State || !has_range);
        let withdrawn = (0..headings.len()).filter(|place| !is_read(&read, *place));
        let withdrawn = withdrawn.filter_map(|place| Some((place, says(place)?))).collect();
        let units = read.iter().filter_map(|(field, place)| Some((*field, headings[*place].unit()?)));
        let units = units.collect();
        // Beside a market's price of the kilo, whatever a product is sold in is its packing.
        let is_packing = place_of(Field::Unit).is_some_and(|place| headings[place].is_packing())
            || place_of(Field::Price).is_some_and(|place| headings[place].is_bare_kilo());
        let is_kind = place_of(Field::Unit).is_some_and(|place| headings[place].is_kind());
        let name = place_of(Field::Name).filter(|place| headings[*place].is_section());
        let section = name.and_then(|place| Category::parse(header.get(place)?.trim()).ok());
        let is_exported = header.iter().eq(Field::ALL.map(Field::heading));
        let is_name_certain = given.iter().any(|(field, _)| *field == Field::Name)
            || place_of(Field::Name).is_some_and(|place| headings[place].words == Field::Name.heading());
        let count = header.len();
        Ok(Self {
            read,
            grades,
            withdrawn,
            units,
            is_packing,
            is_kind,
            section,
            is_name_certain,
            is_exported,
            count,
        })
    }

    /// The places of the lists that stand side by side under one header: the parts of it that have the same headings
    /// in the same order, with any empty columns between. None if there is only one.
    pub(super) fn side_by_side(header: &Record) -> Vec<Range<usize>> {
        let headings: Vec<Heading> = header.iter().take(COLUMNS_MAX).map(Heading::of).collect();
        let named: Vec<usize> = (0..headings.len()).filter(|place| !header.is_blank_at(*place)).collect();
        let is_same = |one: usize, other: usize| {
            let (one, other) = (&headings[named[one]], &headings[named[other]]);
            one.words == other.words || (one.is_section() && other.is_section())
        };
        let parts = |size: &usize| {
            named.len().is_multiple_of(*size) && (*size..named.len()).all(|it| is_same(it, it - size))
        };
        // A list has a name and a price at least.
        let Some(size) = (2..named.len()).find(parts) else { return Vec::new() };
        let starts: Vec<usize> = named.iter().step_by(size).copied().collect();
        // Whatever stands behind the last heading is seen as too much for the last list.
        let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
        starts.iter().zip(ends).map(|(start, end)| *start..end).collect()
    }

    /// The fields that are read, each with its place.
    pub(super) fn places(&self) -> impl Iterator<Item = (Field, usize)> {
        self.read.iter().copied()
    }

    /// The place of a column, if the list has it.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        self.read.iter().find(|(own, _)| *own == field).map(|(_, place)| *place)
    }

    /// Whether a row says that its product is not sold any more.
    pub(super) fn are_withdrawn(&self, row: &Record) -> bool {
        self.withdrawn.iter().any(|(place, says)| says.is_withdrawn(row.get(*place).unwrap_or_default()))
    }

    /// Whether each category stands only beside the first of its products, as cells are saved that were merged: in a
    /// column before the names, none twice, beside the first product, and beside half of all at most.
    pub(super) fn are_grouped(&self, rows: impl Iterator<Item = Record>) -> bool {
        let (Some(category), Some(name)) = (self.place(Field::Category), self.place(Field::Name)) else {
            return false;
        };
        if category > name || self.is_exported {
            return false;
        }
        let (mut seen, mut without) = (HashSet::new(), 0);
        for row in rows.filter(|row| !row.is_blank_at(name)) {
            if !row.is_blank_at(category) {
                if !seen.insert(Key::fold(row.get(category).unwrap_or_default().trim())) {
                    return false;
                }
            } else if seen.is_empty() {
                return false;
            } else {
                without += 1;
            }
        }
        without >= seen.len().max(1)
    }

    /// The category of a row with a product, if it has one.
    pub(super) fn category(&self, row: &Record) -> Option<Category> {
        row.get(self.place(Field::Name)?).filter(|name| !name.trim().is_empty())?;
        Category::parse(row.get(self.place(Field::Category)?)?.trim()).ok()
    }

    /// A note that the empty cells of the categories are read as those above them.
    pub(super) fn grouped_note(&self, header: &Record) -> String {
        let heading = self.place(Field::Category).and_then(|place| header.get(place)).unwrap_or_default();
        let heading = Quoted(heading.trim());
        format!("a coluna {heading} só tem a primeira linha de cada grupo, e vale para as linhas abaixo dela")
    }

    /// The unit that the heading of a field names.
    pub(super) fn unit(&self, field: Field) -> Option<&Unit> {
        self.units.iter().find(|(own, _)| *own == field).map(|(_, unit)| unit)
    }

    /// The columns that are read, in the order of the file, each with its heading.
    pub(super) fn read_from(&self, header: &Record) -> Vec<(Field, String)> {
        let heading = |place: usize| header.get(place).unwrap_or_default().trim().to_owned();
        self.read.iter().map(|(field, place)| (*field, heading(*place))).collect()
    }

    /// A note on the columns that are not read, if there are some.
    pub(super) fn unread(&self, header: &Record) -> Option<String> {
        let mut unread = header.iter().enumerate().filter(|(place, heading)| {
            let is_used = self.grades.contains(place) || self.withdrawn.iter().any(|(it, _)| it == place);
            !self.are_read(*place) && !is_used && !heading.trim().is_empty()
        });
        let named: Vec<String> = unread
            .by_ref()
            .take(UNREAD_NAMED_MAX)
            .map(|(_, heading)| Quoted(heading.trim()).to_string())
            .collect();
        match (named.len(), unread.count()) {
            (0, _) => None,
            (1, _) => Some(format!("a coluna {} não foi lida", named[0])),
            (_, 0) => Some(format!("as colunas {} não foram lidas", named.join(", "))),
            (_, more) => Some(format!("as colunas {} e mais {more} não foram lidas", named.join(", "))),
        }
    }

    /// The columns of numbers that may have decimals.
    pub(super) fn decimals(&self) -> impl Iterator<Item = usize> {
        self.read.iter().filter(|(field, _)| field.is_decimal()).map(|(_, place)| *place)
    }

    /// Whether the column at this place is read.
    pub(super) fn are_read(&self, place: usize) -> bool {
        is_read(&self.read, place)
    }
}

fn is_read(read: &[(Field, usize)], place: usize) -> bool {
    read.iter().any(|(_, own)| *own == place)
}

/// A header in a message.
fn shown(header: &Record) -> String {
    Quoted(header.iter().take(COLUMNS_MAX).collect::<Vec<_>>().join(" ").trim()).to_string()
}

/// How many columns of a row have names that are known, which says how much the row is a header.
pub(super) fn known_columns(row: &Record) -> usize {
    let is_known = |cell: &&str| Field::ALL.into_iter().any(|field| Heading::of(cell).rank(field).is_some());
    row.iter().take(COLUMNS_MAX).filter(is_known).count()
}

#[cfg(test)]
mod tests {
    use super::super::read;

    fn categories(text: &str) -> Vec<String> {
        let list = read(text.as_bytes()).unwrap();
        let category =
            |row: &crate::catalog::ProductDraft| row.terms.category.as_ref().map(ToString::to_string);
        list.rows.iter().map(|row| category(row).unwrap_or_default()).collect()
    }

    #[test]
    fn a_category_that_stands_beside_its_first_product_is_that_of_the_others() {
        let text = "Seção;Produto;Preço\nFRUTAS;Uva;9\n;Pera;8\n;;\n;Kiwi;7\nFOLHAS;Rúcula;s/c\n;Alface;3\n";
        assert_eq!(categories(text), ["FRUTAS", "FRUTAS", "FRUTAS", "FOLHAS"]);
        let note =
            "a coluna \"Seção\" só tem a primeira linha de cada grupo, e vale para as linhas abaixo dela";
        assert!(read(text.as_bytes()).unwrap().notes.contains(&note.to_owned()));
        // Elsewhere an empty cell is a product without a category.
        for text in [
            "Produto;Seção;Preço\nUva;FRUTAS;9\nCarvão;;8\nPera;FOLHAS;7\nSal;;1\n",
            "Seção;Produto;Preço\nFRUTAS;Uva;9\n;Carvão;8\nFRUTAS;Pera;7\n;Sal;1\n",
            "Seção;Produto;Preço\n;Carvão;8\nFRUTAS;Pera;7\n;Sal;1\n",
            "Seção;Produto;Preço\nFRUTAS;Uva;9\nFOLHAS;Couve;8\n;Sal;1\n",
        ] {
            assert!(categories(text).contains(&String::new()), "{text}");
        }
    }
}
