//! The invoice of a supplier (NF-e, XML of layout 4.00): its reader, and the products that its lines are of.
//!
//! Nothing of an invoice is taken on trust but the signs on it: the key is checked by its digit and against the
//! fields that it repeats. The signature is not checked.

mod document;
mod doubts;
mod elements;
mod error;
mod fields;
mod key;
mod matching;
mod purchase;

pub use document::{INVOICE_BYTES_MAX, INVOICE_DEPTH_MAX, INVOICE_LINES_MAX, Invoice, Line, LotPart, Sold};
pub use doubts::doubts;
pub use error::{InvoiceError, Problem};
pub use fields::{check_recipient, is_registration};
pub use matching::{Content, Known, Match, Matching, Standing, booked_request, standing};
pub use purchase::{LineError, Purchased, purchased, request_id};

/// Reads an invoice.
///
/// # Errors
/// If the file is none, or one that must not be booked.
pub fn read(bytes: &[u8]) -> Result<Invoice, InvoiceError> {
    fields::read(&elements::text(bytes)?)
}
