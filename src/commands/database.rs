//! The name of the database in the options of `serve`, `backup`, `restore` and `verify`.

/// The name of the database if no other is given.
pub(super) const DATA_DEFAULT: &str = "hortifruti.db";
