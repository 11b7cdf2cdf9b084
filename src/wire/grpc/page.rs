//! Pages of the catalog, and the tokens that lead from one to the next.

use super::v1;
use crate::catalog::{Price, ProductId};
use crate::refusal::Refusal;

/// The products on a page if the client gives no size.
const PAGE_PRODUCTS_DEFAULT: usize = 100;

/// The most products on a page: some tens of kilobytes.
pub const PAGE_PRODUCTS_MAX: usize = 1000;

/// A page of the catalog, as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The highest price. `None` for all products.
    pub max_price: Option<Price>,
    /// The most products of the page.
    pub size: usize,
    /// The last product of the page before.
    pub after: Option<ProductId>,
}

/// The version of the page tokens.
const PAGE_TOKEN_PREFIX: &str = "v1:";

impl Page {
    /// A page with all products up to a price.
    pub fn whole(max_price: Option<Price>) -> Self {
        Self { max_price, size: usize::MAX, after: None }
    }

    /// The page that a message asks for.
    ///
    /// # Errors
    /// If the size is negative or too large, or the token was not given by a server of ours for the same
    /// price (`INVALID_ARGUMENT`).
    pub fn from_message(message: &v1::ListProductsRequest) -> Result<Self, Refusal> {
        let max_price = message
            .max_price_centavos
            .map(Price::from_centavos)
            .transpose()
            .map_err(|error| Refusal::price("max_price_centavos", &error))?;
        let size = match usize::try_from(message.page_size) {
            Ok(0) => PAGE_PRODUCTS_DEFAULT,
            Ok(size) => size.min(PAGE_PRODUCTS_MAX),
            Err(_) => {
                let what = format!("page_size é {}; use de 1 a {PAGE_PRODUCTS_MAX}", message.page_size);
                return Err(Refusal::invalid("page_size", what));
            }
        };
        let mut page = Self { max_price, size, after: None };
        if !message.page_token.is_empty() {
            let after = message
                .page_token
                .strip_prefix(PAGE_TOKEN_PREFIX)
                .and_then(|token| token.split(':').next())
                .and_then(|id| id.parse().ok())
                .and_then(ProductId::from_number)
                .filter(|after| page.token(*after) == message.page_token);
            let wrong = || {
                let what = "page_token não é desta lista; use o next_page_token da página anterior, com o mesmo preço";
                Refusal::invalid("page_token", what)
            };
            page.after = Some(after.ok_or_else(wrong)?);
        }
        Ok(page)
    }

    /// The token of the page after the one that ends with this product.
    pub fn token(&self, last: ProductId) -> String {
        let price = self.max_price.map_or(String::new(), |price| price.centavos().to_string());
        format!("{PAGE_TOKEN_PREFIX}{}:{price}", last.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    #[test]
    fn a_page_token_belongs_to_its_list() {
        let message = |token: &str, max_price_centavos| v1::ListProductsRequest {
            max_price_centavos,
            page_size: 2,
            page_token: token.to_owned(),
        };
        let first = Page::from_message(&message("", Some(800))).unwrap();
        let token = first.token(ProductId::from_number(7).unwrap());
        let second = Page::from_message(&message(&token, Some(800))).unwrap();
        assert_eq!(second, Page { after: ProductId::from_number(7), ..first });
        for (token, price) in [
            (token.as_str(), None),
            (token.as_str(), Some(801)),
            ("x", None),
            ("v1:0:", None),
            ("v1:-1:", None),
            ("v1:07:800", Some(800)),
        ] {
            assert_eq!(Page::from_message(&message(token, price)).unwrap_err().code, Code::InvalidArgument);
        }
    }
}
