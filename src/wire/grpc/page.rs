//! Pages of the catalog, and the tokens that lead from one to the next.

use super::v1;
use crate::catalog::{Digest, Price, ProductId, Selection};
use crate::operation::ProductsRequest;
use crate::refusal::Refusal;

/// The products on a page if the client gives no size.
const PAGE_PRODUCTS_DEFAULT: usize = 100;

/// The most products on a page: some tens of kilobytes.
pub const PAGE_PRODUCTS_MAX: usize = 1000;

/// A page of the catalog, as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The highest price. `None` for all products.
    pub selection: Selection,
    /// A digest of what is asked for beyond a price, which a page token holds. `None` if nothing is.
    pub filters: Option<u64>,
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
        Self { selection: Selection::up_to(max_price), filters: None, size: usize::MAX, after: None }
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
        let request = products_request(message, max_price);
        let filters = request.is_filtered().then(|| filters_digest(&request));
        let mut page = Self { selection: request.selection()?, filters, size, after: None };
        if !message.page_token.is_empty() {
            let after = message
                .page_token
                .strip_prefix(PAGE_TOKEN_PREFIX)
                .and_then(|token| token.split(':').next())
                .and_then(|id| id.parse().ok())
                .and_then(ProductId::from_number)
                .filter(|after| page.token(*after) == message.page_token);
            let wrong = || {
                let what = "page_token não é desta lista; use o next_page_token da página anterior, com os mesmos filtros";
                Refusal::invalid("page_token", what)
            };
            page.after = Some(after.ok_or_else(wrong)?);
        }
        Ok(page)
    }

    /// The token of the page after the one that ends with this product.
    pub fn token(&self, last: ProductId) -> String {
        let price = self.selection.max_price.map_or(String::new(), |price| price.centavos().to_string());
        let filters = self.filters.map_or(String::new(), |filters| format!(":{filters:016x}"));
        format!("{PAGE_TOKEN_PREFIX}{}:{price}{filters}", last.number())
    }

    /// The page as the console shows it.
    pub fn request(&self) -> ProductsRequest<'static> {
        ProductsRequest::up_to(self.selection.max_price)
    }
}

fn products_request(message: &v1::ListProductsRequest, max_price: Option<Price>) -> ProductsRequest<'_> {
    ProductsRequest {
        max_price,
        search: &message.search,
        category: &message.category,
        is_low_only: message.low_only,
        has_discontinued: message.include_discontinued,
    }
}

/// The message that asks for products, from the first page on.
pub fn products_message(request: &ProductsRequest<'_>) -> v1::ListProductsRequest {
    v1::ListProductsRequest {
        max_price_centavos: request.max_price.map(|price| price.centavos()),
        page_size: PAGE_PRODUCTS_MAX as i32,
        page_token: String::new(),
        search: request.search.to_owned(),
        category: request.category.to_owned(),
        low_only: request.is_low_only,
        include_discontinued: request.has_discontinued,
    }
}

fn filters_digest(request: &ProductsRequest<'_>) -> u64 {
    let mut digest = Digest::of("produtos");
    digest.feed(request.search.as_bytes());
    digest.feed(request.category.as_bytes());
    digest.feed(&[u8::from(request.is_low_only), u8::from(request.has_discontinued)]);
    digest.value()
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
            ..v1::ListProductsRequest::default()
        };
        let first = Page::from_message(&message("", Some(800))).unwrap();
        let token = first.token(ProductId::from_number(7).unwrap());
        let second = Page::from_message(&message(&token, Some(800))).unwrap();
        let searched = v1::ListProductsRequest { search: "uva".to_owned(), ..message(&token, Some(800)) };
        assert_eq!(Page::from_message(&searched).unwrap_err().code, Code::InvalidArgument);
        let long = v1::ListProductsRequest { search: "a ".repeat(17), ..message("", None) };
        assert_eq!(Page::from_message(&long).unwrap_err().metadata[0].1, "search");
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
