//! The tables that a store keeps for the index.

use std::ops::Range;

/// The fault of a stored value of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Malformed(pub(in crate::store) &'static str);

/// A stored run as a table has it.
pub(in crate::store) struct StoredRun<'r> {
    pub(in crate::store) number: i64,
    pub(in crate::store) filter: &'r [u8],
    /// The filter of the group that ends with the run.
    pub(in crate::store) group_filter: Option<&'r [u8]>,
}

/// Called with the index of a wanted hash, and a chunk that may have it.
pub(in crate::store) type OnFound<'f> = dyn FnMut(usize, &[u8]) -> Result<(), Malformed> + 'f;

/// The reads of the tables of an index.
pub(in crate::store) trait IdTables {
    /// Why a table cannot be read.
    type Error: From<Malformed>;

    /// Calls `each` with the stored runs from this number on, in the order of their numbers.
    fn runs(
        &mut self,
        from: usize,
        each: &mut dyn FnMut(&StoredRun<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Self::Error>;

    /// Calls `each` with the chunks of some runs.
    fn chunks(
        &mut self,
        runs: Range<usize>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Self::Error>;

    /// Looks for hashes, each in a run. Calls `each` with the index of a hash and a chunk that may have it: those that
    /// begin with it, and the last one that begins with a lower hash.
    fn chunks_with(&mut self, wanted: &[(usize, i64)], each: &mut OnFound<'_>) -> Result<(), Self::Error>;

    /// Calls `each` with every id after this movement, and its place.
    fn ids_after(&mut self, through: i64, each: &mut dyn FnMut(&str, i64)) -> Result<(), Self::Error>;
}
