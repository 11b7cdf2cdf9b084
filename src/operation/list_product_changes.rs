//! `ListProductChanges`: the past changes of terms, newest first.

use std::fmt;
use std::time::SystemTime;

use crate::catalog::{Author, Name, TermsField};
use crate::refusal::Refusal;

/// Most changes of a page, and changes of a page if a program gives no size.
pub const PAGE_CHANGES_MAX: usize = 1000;
pub const PAGE_CHANGES_DEFAULT: usize = 100;

/// The version of the page tokens. A page token of the products has another one.
const PAGE_TOKEN_PREFIX: &str = "changes-v1:";

/// The changes that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChangesRequest<'a> {
    /// Only changes of the product with this name or code.
    pub name: Option<&'a str>,
    /// Only changes before the one with this number.
    pub before: Option<i64>,
    /// The most changes.
    pub count_max: usize,
}

/// Changes of terms, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChangesReply {
    /// The changes.
    pub changes: Vec<ProductChangeReply>,
    /// The token of the page that follows, if there is one.
    pub next_page_token: Option<String>,
}

/// A change of one field of a product's terms, as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChangeReply {
    /// The product's name today.
    pub product_name: Name,
    /// The field.
    pub field: TermsField,
    /// The value before, as [`ProductChange`](crate::catalog::ProductChange) has it.
    pub old: String,
    /// The value after.
    pub new: String,
    /// When the change was recorded. `None` if it was only rehearsed.
    pub recorded_at: Option<SystemTime>,
    /// The name of the token that asked for the change, if that is known.
    pub author: Option<Author>,
}

impl ProductChangesRequest<'_> {
    /// The token of the page of changes before the one with this number.
    pub fn page_token(&self, before: i64) -> String {
        format!("{PAGE_TOKEN_PREFIX}{before}:{}", self.name.unwrap_or(""))
    }

    /// The request for the page of this token.
    ///
    /// # Errors
    /// If no server of ours gave the token for this request (`INVALID_ARGUMENT`).
    pub fn at_page(mut self, token: &str) -> Result<Self, Refusal> {
        let before = token
            .strip_prefix(PAGE_TOKEN_PREFIX)
            .and_then(|token| token.split(':').next())
            .and_then(|before| before.parse().ok())
            .filter(|before| *before > 0 && self.page_token(*before) == token);
        let wrong = || {
            let what =
                "page_token não é desta lista; use o next_page_token da página anterior, com o mesmo nome";
            Refusal::invalid("page_token", what)
        };
        self.before = Some(before.ok_or_else(wrong)?);
        Ok(self)
    }
}

impl fmt::Display for ProductChangesRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mudanças do cadastro")?;
        self.name.map_or(Ok(()), |name| write!(f, " de {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_belongs_to_its_request() {
        let request = ProductChangesRequest { name: Some("a:b"), before: None, count_max: 1 };
        let token = request.page_token(7);
        assert_eq!(request.clone().at_page(&token).unwrap().before, Some(7));
        let other = ProductChangesRequest { name: None, ..request.clone() };
        for (request, token) in
            [(other, token.as_str()), (request.clone(), "x"), (request, "changes-v1:07:a:b")]
        {
            assert!(request.at_page(token).is_err(), "{token}");
        }
    }
}
