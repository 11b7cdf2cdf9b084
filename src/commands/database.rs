//! The name of the database in the options of `serve`, `backup`, `restore` and `verify`.

/// The database if no other is named.
pub(super) const DATA_DEFAULT: &str = "hortifruti.db";
