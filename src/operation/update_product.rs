//! `UpdateProduct`: a product gets other terms.

use std::fmt;

use crate::catalog::{RequestId, TermsUpdate};

/// Other terms of a product, as a client asks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateProductRequest<'a> {
    /// The product's name or one of its codes.
    pub name: &'a str,
    /// The new terms.
    pub update: Box<TermsUpdate>,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
}

impl fmt::Display for UpdateProductRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cadastro de {}", self.name)
    }
}
