//! The formats of a reply.

/// The format in which a reply is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One line a product, as in the text protocol.
    Text,
    /// Aligned columns.
    Table,
    /// One object for one product, else an array.
    Json,
    /// An object a line.
    Ndjson,
    /// A price list that `import` reads.
    Csv,
}
