//! The effects of an import that may surprise a person, said after it.

use super::super::output::note;
use crate::catalog::{Quoted, counted};
use crate::price_list::{Catalog, PriceList};

/// The effects that may surprise a person: stocks and terms that an import does not change, and units that it
/// changes.
#[derive(Default)]
pub(super) struct Left {
    stocks: usize,
    first_stock: String,
    units: usize,
    first_unit: String,
    terms: usize,
    first_term: String,
}

impl Left {
    pub(super) fn of(catalog: &Catalog, list: &PriceList) -> Self {
        let mut left = Self::default();
        for difference in catalog.differences(list) {
            let name = Quoted(difference.name().as_str());
            if let Some((stock, listed)) = difference.stock_left().filter(|_| !list.is_counted) {
                left.stocks += 1;
                if left.stocks == 1 {
                    let (stock, listed) = (stock.with_comma(), listed.with_comma());
                    left.first_stock = format!("{name}, com {stock} (na lista, {listed})");
                }
            }
            if let Some((old, new)) = difference.units() {
                left.units += 1;
                if left.units == 1 {
                    left.first_unit = format!("{name}, de {old} para {new}");
                }
            }
        }
        let mut kept = catalog.kept(list);
        if let Some(first) = kept.next() {
            left.first_term = first.to_string();
            left.terms = 1 + kept.count();
        }
        left
    }

    /// Reports these stocks, units and terms, after an import or a dry run.
    pub(super) fn tell(&self, is_made: bool) {
        let (changed, kept) = if is_made { ("mudou", "não muda") } else { ("mudaria", "não mudaria") };
        match self.units {
            0 => {}
            1 => note(&format!(
                "Aviso: a unidade de 1 produto {changed}, sem mudar o número do estoque: {}.",
                self.first_unit
            )),
            count => note(&format!(
                "Aviso: a unidade de {count} produtos {changed}, sem mudar o número do estoque; o primeiro é {}.",
                self.first_unit
            )),
        }
        if self.terms > 0 {
            let cells = counted(self.terms, "célula vazia não tira", "células vazias não tiram");
            note(&format!(
                "Aviso: {cells} nada do cadastro, e fica o que havia, como {}; para tirar, use `hortifruti product set`.",
                self.first_term
            ));
        }
        let next = "para mudá-lo, use --count, ou `hortifruti update`";
        match self.stocks {
            0 => {}
            1 => note(&format!(
                "Aviso: o import {kept} o estoque de 1 produto que já existe: {}; {next}.",
                self.first_stock
            )),
            count => note(&format!(
                "Aviso: o import {kept} o estoque de {count} produtos que já existem e na lista têm outro; \
                 o primeiro é {}; {next}.",
                self.first_stock
            )),
        }
    }
}
