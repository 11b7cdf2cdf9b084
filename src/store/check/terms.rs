//! The changes of terms.

use std::collections::HashMap;

use super::fault::Fault;
use super::moment::{Moment, Rows};
use crate::catalog::{Catalog, ProductId, TermsField};

/// Checks that the changes of terms have no gap, that each follows from the previous one, and that they lead to
/// the present products.
pub(super) fn check_changes(moment: &mut dyn Moment, catalog: &Catalog) -> Result<(), Fault> {
    let mut values: HashMap<(ProductId, TermsField), String> = HashMap::new();
    let (mut changes, mut number) = (Rows::of_changes(), 0);
    while let Some(change) = changes.next(moment)? {
        number += 1;
        if change.number != number {
            return Err(Fault::of(format!("falta a mudança de cadastro {number}")));
        }
        let before = values.insert((change.product, change.field), change.new);
        if before.is_some_and(|before| before != change.old) {
            let what = format!("a mudança de cadastro {number} não segue a anterior do seu produto");
            return Err(Fault::of(what));
        }
    }
    for ((id, field), value) in values {
        let product = catalog.products().get(id).map(|product| catalog.products().view(product));
        let Some(product) = product else {
            let id = id.number();
            return Err(Fault::of(format!("há mudanças do cadastro do produto {id}, que não existe")));
        };
        if field.value(product.product, product.terms) != value {
            let (name, field) = (&product.name, field.name());
            return Err(Fault::of(format!("o cadastro de {name} não é o da sua última mudança ({field})")));
        }
    }
    Ok(())
}
