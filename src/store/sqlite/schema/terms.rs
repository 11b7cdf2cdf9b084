//! The migration that adds terms to products: codes, category, limits, and whether they are sold. Every later
//! change of a term is kept.

use rusqlite::Connection;

/// Creates the tables. No unique index enforces that codes are unique, because one transaction may move a code
/// from one product to another.
const EXTEND: &str = "
    ALTER TABLE product_terms ADD COLUMN code INTEGER CHECK (code BETWEEN 1 AND 999999);
    ALTER TABLE product_terms ADD COLUMN category TEXT;
    ALTER TABLE product_terms ADD COLUMN minimum_thousandths INTEGER NOT NULL DEFAULT 0
        CHECK (minimum_thousandths >= 0);
    ALTER TABLE product_terms ADD COLUMN target_thousandths INTEGER NOT NULL DEFAULT 0
        CHECK (target_thousandths >= 0);
    ALTER TABLE product_terms ADD COLUMN shelf_life_days INTEGER NOT NULL DEFAULT 0
        CHECK (shelf_life_days >= 0);
    ALTER TABLE product_terms ADD COLUMN discontinued INTEGER NOT NULL DEFAULT 0 CHECK (discontinued IN (0, 1));
    ALTER TABLE product_terms ADD COLUMN example INTEGER NOT NULL DEFAULT 0 CHECK (example IN (0, 1));

    CREATE TABLE product_barcode (
        product_id  INTEGER NOT NULL REFERENCES product_terms (id),
        place       INTEGER NOT NULL,
        barcode     TEXT NOT NULL,
        PRIMARY KEY (product_id, place)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE product_change (
        number              INTEGER PRIMARY KEY,
        product_id          INTEGER NOT NULL REFERENCES product_terms (id),
        field               TEXT NOT NULL,
        old_value           TEXT NOT NULL,
        new_value           TEXT NOT NULL,
        recorded_at_micros  INTEGER NOT NULL,
        author_id           INTEGER
    ) STRICT;
    CREATE INDEX product_change_by_product ON product_change (product_id);

    DROP VIEW product;
    CREATE VIEW product AS
    WITH moved AS (
        SELECT product_id, balance_thousandths, max(sequence) FROM movement
        WHERE sequence > (SELECT sequence FROM forwarded) GROUP BY product_id
    )
    SELECT id, name, key, unit, price_centavos,
           coalesce(moved.balance_thousandths, stock_thousandths) AS stock_thousandths,
           code, category, minimum_thousandths, target_thousandths, shelf_life_days, discontinued
    FROM product_terms
    LEFT JOIN balance_forward ON balance_forward.product_id = id
    LEFT JOIN moved ON moved.product_id = id;
";

/// Marks the products of a first start by an earlier version as examples, if they still have their names. Their
/// openings differ from those a shop's own products of these names, which came into an empty database.
const MARK_EXAMPLES: &str = "
    WITH example (id, name, price_centavos, opening_thousandths) AS (
        VALUES (1, 'Maca', 300, 20000), (2, 'Pera', 500, 15000),
               (3, 'Banana', 1000, 30000), (4, 'Caju', 200, 60000)
    )
    UPDATE product_terms SET example = 1
    WHERE EXISTS (
        SELECT 1 FROM example JOIN movement ON movement.sequence = example.id
        WHERE example.id = product_terms.id AND example.name = product_terms.name
          AND movement.product_id = example.id AND movement.kind = 'abertura'
          AND movement.delta_thousandths = example.opening_thousandths
          AND movement.price_centavos = example.price_centavos
    );
";

/// Migrates a database to this schema.
pub(super) fn extend(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(EXTEND)?;
    connection.execute_batch(MARK_EXAMPLES)
}
