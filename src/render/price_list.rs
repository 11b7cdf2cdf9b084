//! The catalog as a price list, which `import` reads: the price, the stock, the unit and the other terms.

use std::io::{self, Write};

use super::cells::text_cell;
use crate::catalog::{Barcode, Category, Quantity, ShopCode, Terms, Unit};
use crate::operation::ProductReply;

/// The columns that every list of products as CSV has. Lists of earlier builds had no others.
pub(super) const COLUMNS: [&str; 4] = ["nome", "preco", "estoque", "unidade"];

/// The columns of the other terms.
const TERMS_COLUMNS: [&str; 6] =
    ["codigo", "codigos_de_barras", "categoria", "minimo", "alvo", "validade_dias"];

/// Whether a file with this beginning is a price list that this program wrote.
pub fn is_price_list(head: &[u8]) -> bool {
    let (earlier, own) = (COLUMNS.join(",") + "\n", header() + "\n");
    [earlier, own].iter().any(|header| head.starts_with(header.as_bytes()))
}

fn header() -> String {
    [&COLUMNS[..], &TERMS_COLUMNS].concat().join(",")
}

/// Writes products as a price list. A term that a product does not have is an empty cell.
///
/// # Errors
/// If the output fails.
pub fn render_price_list<'a>(
    out: &mut impl Write,
    products: impl IntoIterator<Item = &'a ProductReply>,
) -> io::Result<()> {
    writeln!(out, "{}", header())?;
    for product in products {
        first_cells(out, product)?;
        let terms = product.terms.as_deref().unwrap_or(Terms::NONE);
        let code = terms.code.map_or(String::new(), |code| ShopCode::to_string(&code));
        // Spaces, which no spreadsheet takes for the delimiter or for a part of a number.
        let barcodes = terms.barcodes.iter().map(Barcode::to_string).collect::<Vec<_>>().join(" ");
        let category = text_cell(terms.category.as_ref().map_or("", Category::as_str));
        let limit = |quantity: Quantity| some_or_empty(quantity, Quantity::ZERO);
        let (minimum, target) = (limit(terms.minimum), limit(terms.target));
        let days = some_or_empty(terms.shelf_life_days, 0);
        writeln!(out, ",{code},{barcodes},{category},{minimum},{target},{days}")?;
    }
    Ok(())
}

fn some_or_empty<T: PartialEq + ToString>(value: T, none: T) -> String {
    if value == none { String::new() } else { value.to_string() }
}

/// Writes the cells of [`COLUMNS`].
pub(super) fn first_cells(out: &mut impl Write, product: &ProductReply) -> io::Result<()> {
    let unit = product.unit.as_ref().map_or("", Unit::as_str);
    let (name, unit) = (text_cell(product.name.as_str()), text_cell(unit));
    write!(out, "{name},{},{},{unit}", product.price, product.stock)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::Name;

    #[test]
    fn a_list_has_every_term() {
        let product = |name: &str, terms: Option<Terms>| ProductReply {
            name: Name::parse(name).unwrap(),
            price: "3,5".parse().unwrap(),
            stock: "1,25".parse().unwrap(),
            unit: Unit::parse("kg").ok(),
            stock_cost: None,
            terms: terms.map(Arc::new),
            is_discontinued: false,
        };
        let terms = Terms {
            code: ShopCode::parse("12").ok(),
            barcodes: ["4011", "7891000100103"].map(|text| Barcode::parse(text).unwrap()).to_vec(),
            category: Category::parse("secas; \"finas\", de época").ok(),
            minimum: Quantity::from_units(5),
            target: "9,5".parse().unwrap(),
            shelf_life_days: 3,
        };
        let formula = Terms { category: Category::parse("=1+1").ok(), ..Terms::default() };
        let products = [product("Maçã", Some(terms)), product("Uva", None), product("Figo", Some(formula))];
        let mut out = Vec::new();
        render_price_list(&mut out, &products).unwrap();
        assert_eq!(
            String::from_utf8(out.clone()).unwrap(),
            "nome,preco,estoque,unidade,codigo,codigos_de_barras,categoria,minimo,alvo,validade_dias\n\
             Maçã,3.5,1.25,kg,12,4011 7891000100103,\"secas; \"\"finas\"\", de época\",5,9.5,3\n\
             Uva,3.5,1.25,kg,,,,,,\nFigo,3.5,1.25,kg,,,'=1+1,,,\n"
        );
        assert!(is_price_list(&out) && is_price_list(b"nome,preco,estoque,unidade\nUva,1.0,2,kg\n"));
        assert!(!is_price_list(b"nome,preco,estoque,unidade,cor\n") && !is_price_list(b"nome,preco\n"));
    }
}
