//! Whether the details of movements are those of movements that can have them.

use rusqlite::Connection;

use crate::store::sqlite::details::details_between;

/// Movements whose details are read together.
const READ_AT_ONCE: i64 = 65_536;

/// The first movement that breaks a rule, as its number, and what then is wrong with it.
const RULES: [(&str, &str); 5] = [
    (
        "SELECT min(sequence) FROM movement_detail WHERE sequence NOT IN (SELECT sequence FROM movement)",
        "tem detalhes e não existe",
    ),
    (
        "SELECT min(sequence) FROM movement JOIN movement_detail USING (sequence)
         WHERE amount_centavos IS NOT NULL AND kind NOT IN ('compra', 'venda')
            OR loss_reason IS NOT NULL AND kind <> 'perda'",
        "tem um total ou uma causa que o seu motivo não tem",
    ),
    (
        "SELECT min(purchase.sequence) FROM purchase LEFT JOIN movement USING (sequence)
         WHERE coalesce(kind <> 'compra' OR delta_thousandths <= 0, 1)",
        "está entre as compras e não é uma",
    ),
    (
        "SELECT min(sequence) FROM movement LEFT JOIN purchase USING (sequence)
         WHERE kind = 'compra' AND delta_thousandths > 0 AND purchase.product_id IS NULL",
        "é uma compra e não está entre elas",
    ),
    (
        "SELECT min(sequence) FROM movement JOIN purchase USING (sequence)
         WHERE movement.product_id <> purchase.product_id",
        "é uma compra de outro produto",
    ),
];

/// Describes the first fault of the details in a ledger that ends with the movement `last`, as the inner error.
pub(super) fn check(moment: &Connection, last: i64) -> rusqlite::Result<Result<(), String>> {
    for (statement, fault) in RULES {
        let found: Option<i64> = moment.query_row(statement, [], |row| row.get(0))?;
        if let Some(sequence) = found {
            return Ok(Err(format!("o movimento {sequence} {fault}")));
        }
    }
    // Each value is one that this program writes.
    let mut first = 1;
    while first <= last {
        details_between(moment, first, first + READ_AT_ONCE - 1)?;
        first += READ_AT_ONCE;
    }
    Ok(Ok(()))
}
