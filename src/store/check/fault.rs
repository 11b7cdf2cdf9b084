//! Why a store does not pass a check.

use crate::store::error::StoreError;

/// Why a store did not pass the check.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The first contradiction in the content.
    #[error("{0}")]
    Content(String),
    /// The store cannot be read.
    #[error(transparent)]
    Unreadable(#[from] StoreError),
}

impl Fault {
    /// The fault that this text describes.
    pub(crate) fn of(reason: impl Into<String>) -> Self {
        Self::Content(reason.into())
    }

    /// The error of the store. `corrupt` makes one of a contradiction.
    pub(crate) fn into_error(self, corrupt: impl FnOnce(String) -> StoreError) -> StoreError {
        match self {
            Self::Content(reason) => corrupt(reason),
            Self::Unreadable(error) => error,
        }
    }
}
