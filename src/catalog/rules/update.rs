//! The rules of `UpdateProduct`: changes of a product's name, price, unit, codes, category and limits, and of
//! whether it is sold.

use crate::catalog::author::Author;
use crate::catalog::code::{Barcode, ShopCode};
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::name::Name;
use crate::catalog::new_name::NewNameError;
use crate::catalog::price::Price;
use crate::catalog::product::{FRACTIONS, Product, ProductId, Unit};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::Quoted;
use crate::catalog::terms::{Category, TargetBelowMinimum, Terms};

/// New terms of a product. A field that is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TermsUpdate {
    pub name: Option<Name>,
    pub price: Option<Price>,
    pub unit: Option<Unit>,
    /// The shop code; `Some(None)` removes it.
    pub code: Option<Option<ShopCode>>,
    /// The barcodes, which replace all present ones.
    pub barcodes: Option<Vec<Barcode>>,
    /// The category; `Some(None)` removes it.
    pub category: Option<Option<Category>>,
    pub minimum: Option<Quantity>,
    pub target: Option<Quantity>,
    pub shelf_life_days: Option<u32>,
    pub is_discontinued: Option<bool>,
}

/// Why an update is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// Another product has the name.
    #[error("o nome {} já é do produto {}{}", Quoted(.name), Quoted(.other), retired(*.is_discontinued))]
    NameTaken { name: String, other: String, is_discontinued: bool },
    /// A name that no product may get.
    #[error(transparent)]
    Name(#[from] NewNameError),
    /// Another product has the code.
    #[error(transparent)]
    CodeTaken(#[from] CodeTaken),
    /// A target below the minimum.
    #[error(transparent)]
    Limits(#[from] TargetBelowMinimum),
    /// A unit that cannot hold the stock.
    #[error(
        "{} tem estoque {stock}, e {FRACTIONS}; a unidade seria {unit}",
        Quoted(.name)
    )]
    Fraction { name: String, unit: Unit, stock: Quantity },
}

/// A code that another product has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("o código {code} já é do produto {}{}", Quoted(.other), retired(*.is_discontinued))]
pub struct CodeTaken {
    pub code: String,
    pub other: String,
    pub is_discontinued: bool,
}

fn retired(is_discontinued: bool) -> &'static str {
    if is_discontinued { ", que está aposentado" } else { "" }
}

/// The digest of an update.
pub fn update_digest(product: ProductId, update: &TermsUpdate) -> u64 {
    let TermsUpdate {
        name,
        price,
        unit,
        code,
        barcodes,
        category,
        minimum,
        target,
        shelf_life_days,
        is_discontinued,
    } = update;
    let mut digest = Digest::of("cadastro");
    digest.feed(&product.number().to_le_bytes());
    let mut feed = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            digest.feed(field.as_bytes());
            digest.feed(value.as_bytes());
        }
    };
    feed("name", name.as_ref().map(Name::to_string));
    feed("price", price.map(|price| price.centavos().to_string()));
    feed("unit", unit.as_ref().map(Unit::to_string));
    feed("code", code.map(|code| code.map_or(String::new(), |code| code.to_string())));
    feed("barcodes", barcodes.as_ref().map(|barcodes| joined(barcodes)));
    let category = category.as_ref();
    feed("category", category.map(|it| it.as_ref().map_or(String::new(), Category::to_string)));
    feed("minimum", minimum.map(|quantity| quantity.thousandths().to_string()));
    feed("target", target.map(|quantity| quantity.thousandths().to_string()));
    feed("shelf_life", shelf_life_days.map(|days| days.to_string()));
    feed("discontinued", is_discontinued.map(|it| it.to_string()));
    digest.value()
}

pub(super) fn joined(barcodes: &[Barcode]) -> String {
    barcodes.iter().map(Barcode::to_string).collect::<Vec<_>>().join(",")
}

impl TermsUpdate {
    /// A product and its other terms after this update.
    pub fn applied(&self, mut product: Product, mut terms: Terms) -> (Product, Terms) {
        fn set<T: Clone>(place: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *place = value.clone();
            }
        }
        set(&mut product.name, self.name.as_ref());
        set(&mut product.price, self.price.as_ref());
        set(&mut product.unit, self.unit.as_ref());
        if let Some(is_discontinued) = self.is_discontinued {
            product.flags = product.flags.with_discontinued(is_discontinued);
        }
        set(&mut terms.code, self.code.as_ref());
        set(&mut terms.barcodes, self.barcodes.as_ref());
        set(&mut terms.category, self.category.as_ref());
        set(&mut terms.minimum, self.minimum.as_ref());
        set(&mut terms.target, self.target.as_ref());
        set(&mut terms.shelf_life_days, self.shelf_life_days.as_ref());
        (product, terms)
    }
}

impl Draft<'_> {
    /// Gives a product other terms. An example that gets other terms is no longer an example.
    ///
    /// # Errors
    /// If the new name or a new code is another product's, no product may have the name, the new target is
    /// below the minimum, or the stock does not fit the new unit. The draft is then unchanged.
    pub fn update(
        &mut self,
        id: ProductId,
        update: &TermsUpdate,
        author: Option<&Author>,
    ) -> Result<(), UpdateError> {
        let (product, terms) = self.updated(id, update)?;
        self.alter(product, terms, author);
        Ok(())
    }

    /// A product and its other terms after an update.
    ///
    /// # Errors
    /// If [`update`](Self::update) would refuse it.
    pub(super) fn updated(
        &self,
        id: ProductId,
        update: &TermsUpdate,
    ) -> Result<(Product, Terms), UpdateError> {
        let (before, terms_before) = (self.product(id), self.other_terms(id));
        let (mut product, terms) = update.applied(before.clone(), terms_before.clone());
        terms.check_limits(terms_before, &product.name)?;
        if product.name != before.name {
            self.check_name(&product)?;
        }
        self.check_codes(Some(id), &terms)?;
        if product.unit != before.unit && !product.unit.can_hold(product.stock) {
            let Product { name, unit, stock, .. } = product;
            return Err(UpdateError::Fraction { name: name.to_string(), unit, stock });
        }
        product.flags = product.flags.with_example(false);
        Ok((product, terms))
    }

    /// Checks the new name of a product.
    ///
    /// # Errors
    /// If another product has the name, or no product may get it.
    pub(super) fn check_name(&self, product: &Product) -> Result<(), UpdateError> {
        let name = &product.name;
        match self.find(name, &name.key()).filter(|other| *other != product.id) {
            Some(other) => {
                let other = self.product(other);
                Err(UpdateError::NameTaken {
                    name: name.to_string(),
                    is_discontinued: other.flags.is_discontinued(),
                    other: other.name.to_string(),
                })
            }
            None => Ok(name.check_new()?),
        }
    }

    /// Checks that no other product has a code of these terms.
    ///
    /// # Errors
    /// If another product has one of the codes.
    pub(super) fn check_codes(&self, own: Option<ProductId>, terms: &Terms) -> Result<(), CodeTaken> {
        let code = terms.code.iter().map(|code| (ShopCode::to_string(code), (*code).into()));
        let barcodes = terms.barcodes.iter().map(|barcode| (Barcode::to_string(barcode), (*barcode).into()));
        for (code, value) in code.chain(barcodes) {
            if let Some(other) = self.find_code(value).filter(|other| Some(*other) != own) {
                let other = self.product(other);
                let is_discontinued = other.flags.is_discontinued();
                return Err(CodeTaken { code, other: other.name.to_string(), is_discontinued });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::{
        Catalog, Cursor, Flags, LargeChange, ProductDraft, Selection, TermsDraft, TermsField,
    };
    use crate::catalog::{Transaction, original_products};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn draft(catalog: &Catalog) -> Draft<'_> {
        Draft::new(catalog, SystemTime::UNIX_EPOCH)
    }

    fn shop() -> Catalog {
        let mut catalog = Catalog::default();
        let mut opening = draft(&catalog);
        opening.import(&original_products(), None).unwrap();
        opening.mark_examples();
        let opening = opening.finish();
        catalog.apply(&opening);
        catalog
    }

    fn id(catalog: &Catalog, name: &str) -> ProductId {
        catalog.id_of(name).unwrap()
    }

    fn update(
        catalog: &mut Catalog,
        product: &str,
        update: &TermsUpdate,
    ) -> Result<Transaction, UpdateError> {
        let mut draft = draft(catalog);
        draft.update(id(catalog, product), update, None)?;
        let transaction = draft.finish();
        catalog.apply(&transaction);
        Ok(transaction)
    }

    fn renamed(to: &str) -> TermsUpdate {
        TermsUpdate { name: Some(name(to)), ..TermsUpdate::default() }
    }

    fn coded(code: i64, barcodes: &[&str]) -> TermsUpdate {
        let barcodes = barcodes.iter().map(|barcode| Barcode::parse(barcode).unwrap()).collect();
        let code = Some(ShopCode::from_number(code).ok());
        TermsUpdate { code, barcodes: Some(barcodes), ..TermsUpdate::default() }
    }

    fn listed(catalog: &Catalog, cursor: &mut Cursor) -> Vec<(String, Flags, Terms)> {
        let mut listed = Vec::new();
        let visited = cursor.visit(catalog, |view| {
            listed.push((view.name.to_string(), view.flags, view.terms.clone()));
            ControlFlow::Continue(())
        });
        visited.unwrap();
        listed
    }

    #[test]
    fn a_renamed_product_is_found_by_its_new_name_only() {
        let mut catalog = shop();
        let caju = id(&catalog, "caju");
        let mut before = catalog.cursor(Selection::default(), None);
        let made = update(&mut catalog, "Caju", &renamed("Cajá-manga")).unwrap();
        assert_eq!(made.changes.len(), 1);
        let change = &made.changes[0];
        assert_eq!((change.number, change.field), (1, TermsField::Name));
        assert_eq!((change.old.as_str(), change.new.as_str()), ("Caju", "Cajá-manga"));
        for found in ["Cajá-manga", "CAJA-MANGA"] {
            assert_eq!(catalog.id_of(found), Some(caju));
        }
        assert_eq!(catalog.id_of("caju"), None);
        // A list that began before the change shows the old state.
        assert_eq!(listed(&catalog, &mut before)[3].0, "Caju");
        assert_eq!(listed(&catalog, &mut catalog.cursor(Selection::default(), None))[3].0, "Cajá-manga");
        // The name is free, and only the spelling of a name may change.
        update(&mut catalog, "Maca", &renamed("Caju")).unwrap();
        update(&mut catalog, "caju", &renamed("CAJU")).unwrap();
        assert_eq!(catalog.find("cajú").unwrap().name.as_str(), "CAJU");
        let taken = update(&mut catalog, "Pera", &renamed("CAJA-MANGA")).unwrap_err();
        assert_eq!(taken.to_string(), "o nome \"CAJA-MANGA\" já é do produto \"Cajá-manga\"");
        assert!(matches!(update(&mut catalog, "Pera", &renamed("Erro X")), Err(UpdateError::Name(_))));
        assert_eq!(update(&mut catalog, "Pera", &renamed("Pera")).unwrap().changes, []);
    }

    #[test]
    fn a_code_is_one_products() {
        let mut catalog = shop();
        let caju = id(&catalog, "caju");
        update(&mut catalog, "caju", &coded(123, &["4011", "614141007349"])).unwrap();
        for code in ["123", "000123", "4011", "0614141007349", " 614141007349 "] {
            assert_eq!(catalog.id_of(code), Some(caju), "{code}");
        }
        assert_eq!(catalog.find("123").unwrap().terms.barcodes.len(), 2);
        for (code, barcodes, taken) in
            [(123, &[][..], "123"), (4011, &[], "4011"), (0, &["0614141007349"], "0614141007349")]
        {
            let refused = update(&mut catalog, "maca", &coded(code, barcodes)).unwrap_err();
            assert_eq!(refused.to_string(), format!("o código {taken} já é do produto \"Caju\""));
        }
        // The code moves to another product in one transaction.
        let mut both = draft(&catalog);
        both.update(caju, &coded(0, &["4011"]), None).unwrap();
        both.update(id(&catalog, "maca"), &coded(123, &[]), None).unwrap();
        assert!(both.update(id(&catalog, "pera"), &coded(123, &[]), None).is_err());
        let transaction = both.finish();
        catalog.apply(&transaction);
        assert_eq!(catalog.find("123").unwrap().name.as_str(), "Maca");
        assert_eq!(catalog.id_of("614141007349"), None);
        // A name wins over a code.
        update(&mut catalog, "pera", &renamed("4011")).unwrap();
        assert_eq!(catalog.find("4011").unwrap().price.to_string(), "5.0");
        assert_eq!(catalog.id_of("04011"), Some(caju));
    }

    #[test]
    fn what_is_not_sold_any_more_is_in_no_list() {
        let mut catalog = shop();
        let mut before = catalog.cursor(Selection::default(), None);
        let retired = TermsUpdate { is_discontinued: Some(true), ..TermsUpdate::default() };
        update(&mut catalog, "pera", &retired).unwrap();
        let names = |selection| {
            let mut cursor = catalog.cursor(selection, None);
            listed(&catalog, &mut cursor).into_iter().map(|(name, ..)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(Selection::default()), ["Maca", "Banana", "Caju"]);
        let all = Selection { has_discontinued: true, ..Selection::default() };
        assert_eq!(names(all), ["Maca", "Pera", "Banana", "Caju"]);
        assert_eq!(listed(&catalog, &mut before).len(), 4);
        assert!(catalog.find("pera").unwrap().flags.is_discontinued());
        let taken = update(&mut catalog, "caju", &renamed("pera")).unwrap_err();
        assert!(taken.to_string().ends_with(", que está aposentado"), "{taken}");
    }

    #[test]
    fn a_stock_must_fit_its_unit() {
        let mut catalog = shop();
        let unit = |label| TermsUpdate { unit: Some(Unit::parse(label).unwrap()), ..TermsUpdate::default() };
        let delta = "0.5".parse().unwrap();
        update(&mut catalog, "caju", &unit("kg")).unwrap();
        let product = id(&catalog, "caju");
        let mut sold = draft(&catalog);
        let kind = crate::catalog::Kind::Adjustment;
        sold.adjust(&crate::catalog::Adjustment::new(product, delta, kind)).unwrap();
        let sold = sold.finish();
        catalog.apply(&sold);
        assert!(matches!(update(&mut catalog, "caju", &unit("cx")), Err(UpdateError::Fraction { .. })));
        assert_eq!(catalog.find("caju").unwrap().unit.as_str(), "kg");
    }

    #[test]
    fn an_example_with_other_terms_is_none_any_more() {
        let mut catalog = shop();
        let is_example = |catalog: &Catalog, name| catalog.find(name).unwrap().flags.is_example();
        assert!(is_example(&catalog, "caju") && is_example(&catalog, "maca"));
        update(&mut catalog, "caju", &coded(1, &[])).unwrap();
        let mut list = draft(&catalog);
        // A price list of the shop with an unchanged price.
        let imported = list.import(&original_products()[..1], None).unwrap();
        assert_eq!(imported.counts.unchanged, 1);
        let list = list.finish();
        catalog.apply(&list);
        assert_eq!(["caju", "maca", "pera"].map(|name| is_example(&catalog, name)), [false, false, true]);
    }

    #[test]
    fn those_that_look_alike_stay_apart_when_one_is_renamed() {
        // Three products of an earlier build with one key.
        let rows = ["Uva–1", "Uva-1", "Uva—1"].into_iter().enumerate();
        let products = rows.map(|(index, text)| Product {
            id: ProductId::at_index(index).unwrap(),
            name: name(text),
            unit: Unit::default(),
            price: Price::from_centavos(100).unwrap(),
            stock: Quantity::ZERO,
            last_movement: 0,
            stock_cost: crate::catalog::StockCost::ZERO,
            flags: Flags::default(),
        });
        let mut catalog = Catalog::load(products.collect(), 0, None).unwrap();
        assert_eq!(catalog.id_of("uva‐1"), ProductId::from_number(1));
        let mut renaming = draft(&catalog);
        renaming.update(ProductId::FIRST, &renamed("Uva 1"), None).unwrap();
        // The other two keep the key.
        assert!(renaming.update(ProductId::FIRST, &renamed("uva‐1"), None).is_err());
        let renaming = renaming.finish();
        catalog.apply(&renaming);
        assert_eq!(catalog.id_of("uva‐1"), ProductId::from_number(2));
        assert_eq!(catalog.id_of("UVA 1"), ProductId::from_number(1));
        assert_eq!(catalog.look_alikes().len(), 1);
        update(&mut catalog, "Uva—1", &renamed("Uva 3")).unwrap();
        assert_eq!((catalog.id_of("Uva—1"), catalog.look_alikes()), (ProductId::from_number(2), &[][..]));
    }

    #[test]
    fn a_price_list_gives_codes_and_says_what_it_changes() {
        let mut catalog = shop();
        update(&mut catalog, "caju", &coded(7, &[])).unwrap();
        let row = |text: &str, code| ProductDraft {
            name: name(text),
            price: Price::from_centavos(350).unwrap(),
            unit: None,
            opening_stock: Quantity::ZERO,
            terms: TermsDraft { code: ShopCode::from_number(code).ok(), ..TermsDraft::default() },
        };
        let mut list = draft(&catalog);
        let errors = list.import(&[row("maca", 7), row("uva", 8), row("kiwi", 8)], None).unwrap_err();
        let told: Vec<_> = errors.iter().map(|(index, error)| (*index, error.to_string())).collect();
        assert_eq!(told[0].0, 0);
        assert_eq!(told[0].1, "\"maca\" não pode ter esse código: o código 7 já é do produto \"Caju\"");
        assert_eq!(told[1], (2, "o código 8 de \"kiwi\" já aparece na lista, em \"uva\"".to_owned()));
        let imported = list.import(&[row("caju", 0), row("maca", 9), row("uva", 8)], None).unwrap();
        let changes: Vec<_> = imported.changes.iter().map(|it| (it.field.name(), it.old.as_str())).collect();
        assert_eq!(changes, [("price_centavos", "200"), ("price_centavos", "300"), ("code", "")]);
        let list = list.finish();
        assert_eq!(list.changes.len(), 3);
        catalog.apply(&list);
        for (code, found) in [("7", "Caju"), ("9", "Maca"), ("8", "uva")] {
            assert_eq!(catalog.find(code).unwrap().name.as_str(), found);
        }
    }

    /// A change of a product's terms: of which product, and what.
    type Step = (usize, u8, usize);

    fn step_update(what: u8, value: usize) -> TermsUpdate {
        const NAMES: [&str; 6] = ["Maca", "Pera", "Uva", "uva", "Kiwi", "Limão"];
        match what {
            0 => renamed(NAMES[value % NAMES.len()]),
            1 => coded((value % 4) as i64, &[]),
            2 => TermsUpdate { is_discontinued: Some(value.is_multiple_of(2)), ..TermsUpdate::default() },
            3 => TermsUpdate { price: Price::from_centavos(value as i64).ok(), ..TermsUpdate::default() },
            _ => TermsUpdate { minimum: Some(Quantity::from_units(value as i32)), ..TermsUpdate::default() },
        }
    }

    proptest! {
        #[test]
        fn lists_and_indexes_stay_right_whatever_is_renamed(
            transactions in prop::collection::vec(
                prop::collection::vec((0_usize..4, 0_u8..5, 0_usize..9), 1..4_usize), 1..8_usize),
            is_large in any::<bool>(),
        ) {
            let mut catalog = shop();
            let all = || Selection { has_discontinued: true, ..Selection::default() };
            let mut cursors = Vec::new();
            for steps in transactions {
                let shown = listed(&catalog, &mut catalog.cursor(all(), None));
                cursors.push((catalog.cursor(all(), None), shown));
                let mut draft = draft(&catalog);
                let steps: Vec<Step> = steps;
                for (product, what, value) in steps {
                    let _ = draft.update(ProductId::at_index(product).unwrap(), &step_update(what, value), None);
                }
                let transaction = draft.finish();
                if is_large {
                    let mut large = LargeChange::new(&catalog, &transaction);
                    while large.go_on(&mut catalog, std::time::Duration::ZERO) {
                        // Each product is found by the name and the codes that it is shown with.
                        check_indexes(&catalog)?;
                    }
                } else {
                    catalog.apply(&transaction);
                }
                check_indexes(&catalog)?;
                let products = catalog.products().iter().map(|product| {
                    Product { flags: Flags::default(), ..product.clone() }
                });
                let terms = catalog.products().iter().map(|product| {
                    (product.id, product.flags, catalog.products().view(product).terms.clone())
                });
                let loaded = Catalog::load(products.collect(), catalog.last_sequence(), catalog.last_recorded_at());
                let last_change = catalog.last_changed_at().map(|at| (catalog.last_change(), at));
                let loaded = loaded.unwrap().with_terms(terms, last_change).unwrap();
                prop_assert!(loaded == catalog);
            }
            for (mut cursor, shown) in cursors {
                prop_assert_eq!(listed(&catalog, &mut cursor), shown);
            }
        }
    }

    fn check_indexes(catalog: &Catalog) -> Result<(), TestCaseError> {
        for product in catalog.products().iter() {
            let own = Some(product.id);
            prop_assert_eq!(catalog.id_of(product.name.as_str()), own);
            prop_assert_eq!(catalog.id_of(&product.name.as_str().to_uppercase()), own);
            let terms = catalog.products().view(product).terms;
            if let Some(code) = terms.code {
                prop_assert_eq!(catalog.id_of(&code.to_string()), own);
            }
        }
        Ok(())
    }
}
