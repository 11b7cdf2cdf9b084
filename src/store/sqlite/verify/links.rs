//! Whether the links between movements hold: documents and undos.

use rusqlite::Connection;

use crate::catalog::Undo;

/// Reads all undos, in the order of the movements that undo.
pub(super) fn undos(moment: &Connection) -> rusqlite::Result<Vec<Undo>> {
    let mut undos = moment.prepare("SELECT undone, by_sequence FROM undo ORDER BY by_sequence")?;
    undos.query_map([], |row| Ok(Undo { undone: row.get(0)?, by: row.get(1)? }))?.collect()
}

/// Says what is wrong with the documents or the undos of a ledger that ends with the movement `last`.
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
    // The opposite of what is undone, once, and of the same product.
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
