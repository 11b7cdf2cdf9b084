//! The formats of a reply.

/// The format in which a reply is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for each product, as in the text protocol.
    Text,
    /// A table with aligned columns.
    Table,
    /// JSON: an object for one product, otherwise an array.
    Json,
    /// JSON with an object in each line.
    Ndjson,
    /// CSV that `import` can read.
    Csv,
}
