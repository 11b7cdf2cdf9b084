//! Products that are given up: one that is merged into another, and the examples of a new shop.

use super::adjust::AdjustmentError;
use super::cost::Costing;
use super::update::TermsUpdate;
use crate::catalog::adjustment::Adjustment;
use crate::catalog::author::Author;
use crate::catalog::details::Details;
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::movement::{Kind, Movement};
use crate::catalog::name::Name;
use crate::catalog::product::{Product, ProductId, Unit};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::Quoted;
use crate::catalog::terms::{BARCODES_MAX, Terms};

/// The beginning of the notes of a merge, before the name of the other product.
pub(super) const MERGE_NOTE_START: &str = "união com ";

/// Why two products are not merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Both are one product.
    #[error("{} não pode ser unido com ele mesmo", Quoted(.0))]
    IntoItself(String),
    /// Stocks in different units have no sum.
    #[error("{} é vendido por {from_unit} e {} por {into_unit}, e por isso não podem ser unidos", Quoted(.from), Quoted(.into))]
    Units { from: String, from_unit: Unit, into: String, into_unit: Unit },
    /// The product that would take the stock is not sold any more.
    #[error("{} está aposentado, e não recebe outro produto", Quoted(.0))]
    Discontinued(String),
    /// The stock cannot be moved.
    #[error(transparent)]
    Adjustment(#[from] AdjustmentError),
}

/// The digest of a merge.
pub fn merge_digest(from: ProductId, into: ProductId) -> u64 {
    let mut digest = Digest::of("união");
    digest.feed(&from.number().to_le_bytes());
    digest.feed(&into.number().to_le_bytes());
    digest.value()
}

/// The digest of the clearing of examples.
pub fn clear_examples_digest() -> u64 {
    Digest::of("exemplos").value()
}

impl Draft<'_> {
    /// Moves the stock and the codes of a product to another one, and retires it. Returns the two movements,
    /// which are one document; none if there is no stock.
    ///
    /// # Errors
    /// If both are the same product or have other units, the second is retired, or its balance would pass the
    /// limit. The draft is then as it was.
    pub fn merge(
        &mut self,
        from: ProductId,
        into: ProductId,
        author: Option<&Author>,
    ) -> Result<Vec<Movement>, MergeError> {
        let (giver, taker) = (self.product(from), self.product(into));
        if from == into {
            return Err(MergeError::IntoItself(giver.name.to_string()));
        }
        if giver.unit != taker.unit {
            let (from, into) = (giver.name.to_string(), taker.name.to_string());
            let (from_unit, into_unit) = (giver.unit, taker.unit);
            return Err(MergeError::Units { from, from_unit, into, into_unit });
        }
        if taker.flags.is_discontinued() {
            return Err(MergeError::Discontinued(taker.name.to_string()));
        }
        let movements = match giver.stock == Quantity::ZERO {
            true => Vec::new(),
            false => self.move_stock(&giver, &taker, author)?,
        };
        self.move_codes(from, into, author);
        Ok(movements)
    }

    /// Moves a whole stock, and exactly what it cost.
    fn move_stock(
        &mut self,
        giver: &Product,
        taker: &Product,
        author: Option<&Author>,
    ) -> Result<Vec<Movement>, AdjustmentError> {
        let adjustment = |product, delta, other: &Name| Adjustment {
            author: author.cloned(),
            details: Details::of_note(format!("{MERGE_NOTE_START}{other}").parse().ok().as_ref()),
            ..Adjustment::new(product, delta, Kind::Adjustment)
        };
        let (balances, first_sequence, count) =
            (self.balances.clone(), self.next_sequence(), self.movements.len());
        let take = adjustment(giver.id, giver.stock.opposite(), &taker.name);
        let taken = self.book(&take, Costing::Average, Some(giver.price))?.clone();
        let bring = adjustment(taker.id, giver.stock, &giver.name);
        match self.book(&bring, Costing::Undo(taken.cost), Some(taker.price)) {
            Ok(brought) => {
                let brought = brought.clone();
                self.note_document(first_sequence);
                Ok(vec![taken, brought])
            }
            Err(error) => {
                self.balances = balances;
                self.movements.truncate(count);
                Err(error)
            }
        }
    }

    /// Gives a product the codes of another one, as far as it can take them, and retires that.
    fn move_codes(&mut self, from: ProductId, into: ProductId, author: Option<&Author>) {
        let (mut giver, given) = (self.product(from), self.other_terms(from).clone());
        giver.flags = giver.flags.with_discontinued(true).with_example(false);
        let left = Terms { code: None, barcodes: Vec::new(), ..given.clone() };
        // First, so that no code is ever two products'.
        self.alter(giver, left, author);
        let (mut taker, mut terms) = (self.product(into), self.other_terms(into).clone());
        taker.flags = taker.flags.with_example(false);
        terms.code = terms.code.or(given.code);
        for barcode in given.barcodes {
            if terms.barcodes.len() < BARCODES_MAX && !terms.barcodes.contains(&barcode) {
                terms.barcodes.push(barcode);
            }
        }
        self.alter(taker, terms, author);
    }

    /// Retires an example under another name, so that its name is free.
    pub fn retire_example(&mut self, id: ProductId, author: Option<&Author>) {
        let Some(name) = self.free_name(id, "exemplo") else { return };
        let update = TermsUpdate { name: Some(name), is_discontinued: Some(true), ..TermsUpdate::default() };
        let (product, terms) = update.applied(self.product(id), self.other_terms(id).clone());
        let flags = product.flags.with_example(false);
        self.alter(Product { flags, ..product }, terms, author);
    }

    /// The examples that nobody has taken for theirs, each with its last movement.
    pub fn examples(&self) -> Vec<(ProductId, i64)> {
        // A first start makes four, as the first products.
        let first = (0..EXAMPLES_MAX).filter_map(ProductId::at_index);
        let products = first.filter(|id| self.catalog.products.get(*id).is_some()).map(|id| self.product(id));
        let examples = products.filter(|it| it.flags.is_example() && !it.flags.is_discontinued());
        examples.map(|product| (product.id, product.last_movement)).collect()
    }
}

/// Most examples: the original's products.
const EXAMPLES_MAX: usize = 4;
