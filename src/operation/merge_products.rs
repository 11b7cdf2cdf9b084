//! `MergeProducts`: a product's stock and codes become another's, and the product is discontinued.

use std::fmt;

use crate::catalog::RequestId;

/// Two products to merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest<'a> {
    /// The product that is given up.
    pub from: &'a str,
    /// The product that takes its stock and its codes.
    pub into: &'a str,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
}

impl fmt::Display for MergeRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "união de {} com {}", self.from, self.into)
    }
}
