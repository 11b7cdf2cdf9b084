//! The load files of shop scales: Toledo (ITENSMGV, TXITENS), Filizola (CADTXT with SETORTXT) and Urano (URF32).
//!
//! A file has records of a fixed width, one a line, in Windows-1252 or its ASCII part. `layout` is the table of
//! the fields, by which `read` and `write` work.

mod item;
mod layout;
mod read;
mod sectors;
mod text;
mod write;

pub use item::{DEPARTMENTS, Item};
pub use layout::Layout;
pub use read::{Record, ScaleFile, ScaleFileError, is_scale_file, read};
pub use sectors::{SECTORS_FILE, Sectors, read_sectors};
pub use text::ScaleEncoding;
pub use write::{LeftOut, ScaleFormat, Unfit, Written, write, write_what_fits};
