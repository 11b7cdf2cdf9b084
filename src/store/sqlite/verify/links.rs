//! Checks the links between movements: documents and undos.

use rusqlite::Connection;

use crate::catalog::Undo;

/// Reads all undos, in the order of the undoing movements.
pub(super) fn undos(moment: &Connection) -> rusqlite::Result<Vec<Undo>> {
    let mut undos = moment.prepare("SELECT undone, by_sequence FROM undo ORDER BY by_sequence")?;
    undos.query_map([], |row| Ok(Undo { undone: row.get(0)?, by: row.get(1)? }))?.collect()
}

/// Checks the documents and undos of a ledger whose last movement is `last`. The inner error describes the
/// first fault.
pub(super) fn check(moment: &Connection, last: i64) -> rusqlite::Result<Result<(), String>> {
    let mut documents =
        moment.prepare("SELECT first_sequence, count FROM document ORDER BY first_sequence")?;
    let mut documents = documents.query([])?;
    let mut free = 1;
    while let Some(row) = documents.next()? {
        let (first, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        let end = first.saturating_add(count);
        if first < free || end > last + 1 {
            return Ok(Err(format!("o documento {first} não tem os seus movimentos")));
        }
        free = end;
    }
    // An undo is the opposite of the undone movement, of the same product, and is not undone itself.
    let astray: Option<i64> = moment.query_row(
        "SELECT min(undo.by_sequence) FROM undo
         LEFT JOIN movement AS undone ON undone.sequence = undo.undone
         LEFT JOIN movement AS by ON by.sequence = undo.by_sequence
         WHERE NOT coalesce(
             by.sequence > undone.sequence AND by.product_id = undone.product_id AND by.kind = undone.kind
                 AND by.delta_thousandths = -undone.delta_thousandths
                 AND by.price_centavos = undone.price_centavos
                 AND NOT EXISTS (SELECT 1 FROM undo AS other WHERE other.by_sequence = undo.undone),
             0)",
        [],
        |row| row.get(0),
    )?;
    Ok(astray.map_or(Ok(()), |by| Err(format!("o movimento {by} não desfaz o que diz desfazer"))))
}
