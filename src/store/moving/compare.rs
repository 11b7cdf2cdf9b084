//! Whether two stores hold the same shop.

use std::fmt::Display;

use crate::store::check::{Fault, Moment, Rows};

/// Compares every row of two stores.
pub(super) fn compare(one: &mut dyn Moment, other: &mut dyn Moment) -> Result<(), Fault> {
    if one.catalog()? != other.catalog()? {
        return Err(differs("os produtos"));
    }
    compare_rows(one, other, Rows::of_movements, |row| format!("o movimento {}", row.sequence))?;
    compare_rows(one, other, Rows::of_documents, |row| format!("o documento {}", row.first_sequence))?;
    compare_rows(one, other, Rows::of_undos, |row| format!("o estorno {}", row.by))?;
    compare_rows(one, other, Rows::of_changes, |row| format!("a mudança de cadastro {}", row.number))?;
    compare_requests(one, other)
}

fn compare_rows<T: PartialEq>(
    one: &mut dyn Moment,
    other: &mut dyn Moment,
    rows: fn() -> Rows<T>,
    name: impl Fn(&T) -> String,
) -> Result<(), Fault> {
    let (mut rows_of_one, mut rows_of_other) = (rows(), rows());
    loop {
        match (rows_of_one.next(one)?, rows_of_other.next(other)?) {
            (None, None) => return Ok(()),
            (Some(row), Some(same)) if row == same => {}
            (Some(row), _) | (None, Some(row)) => return Err(differs(name(&row))),
        }
    }
}

fn compare_requests(one: &mut dyn Moment, other: &mut dyn Moment) -> Result<(), Fault> {
    let mut after = String::new();
    loop {
        let (mut requests, mut same) = (one.requests(&after)?, other.requests(&after)?);
        // The stores may read different numbers of rows at a time.
        if !requests.is_empty() && !same.is_empty() {
            let count = requests.len().min(same.len());
            requests.truncate(count);
            same.truncate(count);
        }
        if requests != same {
            return Err(differs("os pedidos"));
        }
        let Some(last) = requests.last() else { return Ok(()) };
        last.record.request_id.as_str().clone_into(&mut after);
    }
}

fn differs(what: impl Display) -> Fault {
    Fault::of(format!("a cópia não é igual à origem ({what})"))
}
