-- Version 1: the shops of a database, in a schema of their own.
--
-- A released migration is never changed. Names are qualified inside functions, so that no search_path of a
-- session changes what they mean.

CREATE TABLE shop (
    id    int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  text COLLATE "C" NOT NULL UNIQUE
);

-- One row for each shop: the server that writes. A commit locks the row FOR KEY SHARE, which waits for nothing
-- but a change of the epoch: the unique key makes that change conflict, and a beat does not.
CREATE TABLE lease (
    shop     int4 PRIMARY KEY REFERENCES shop,
    epoch    int8 NOT NULL,
    beat     int8 NOT NULL DEFAULT 0,
    holder   text NOT NULL DEFAULT '',
    address  text NOT NULL DEFAULT '',
    UNIQUE (shop, epoch)
) WITH (fillfactor = 10);

CREATE FUNCTION fence(of_shop int4, of_epoch int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM hortifruti.lease WHERE shop = of_shop AND epoch = of_epoch FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'epoch % of shop % is not the present one', of_epoch, of_shop USING ERRCODE = 'HF001';
    END IF;
END $$;

-- The ledger: a row for each commit, or some for a large one, with an array for each column of its movements.
-- The movement `first` is the first element of each array. A column that no movement of the commit has is NULL as
-- a whole.
-- kinds: 0 ajuste, 1 abertura, 2 compra, 3 venda, 4 perda, 5 contagem. loss_reasons: 0 vencido, 1 maduro,
-- 2 avaria, 3 peso, 4 furto, 5 consumo, 6 doacao, 7 degustacao, 8 devolucao. A document is of several movements,
-- the first of which has this place in the row, from 0 on.
CREATE TABLE journal (
    shop              int4 NOT NULL,
    first             int8 NOT NULL,
    last              int8 NOT NULL,
    epoch             int8 NOT NULL,
    recorded_at       timestamptz NOT NULL,
    products          int4[] NOT NULL,
    kinds             int2[] NOT NULL,
    deltas            int8[] NOT NULL,
    balances          int8[] NOT NULL CHECK (0 <= ALL (balances)),
    prices            int8[] NOT NULL,
    previous          int8[] NOT NULL,
    costs             int8[],
    authors           int4[],
    request_ids       text[],
    amounts           int8[],
    loss_reasons      int2[],
    notes             text[],
    document_offsets  int4[],
    document_counts   int4[],
    PRIMARY KEY (shop, first)
);

-- An engine that is built without lz4 compresses the arrays by its default.
DO $$
DECLARE
    of_column name;
BEGIN
    IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
        FOR of_column IN
            SELECT attname FROM pg_attribute
            WHERE attrelid = 'hortifruti.journal'::regclass AND attnum > 0 AND attndims > 0
        LOOP
            EXECUTE format('ALTER TABLE hortifruti.journal ALTER COLUMN %I SET COMPRESSION lz4', of_column);
        END LOOP;
    END IF;
END $$;

-- Binds every program: a row of the journal is only appended, by the holder of the present epoch, right after
-- the last movement, and its columns are of one length. The lengths are compared here and not by a CHECK, whose
-- long expression the engine reads anew for each statement: a sixth of the time of a small commit.
CREATE FUNCTION journal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movements int8;
    ends_at int8;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'the ledger is only appended to' USING ERRCODE = 'HF003';
    END IF;
    movements := NEW.last - NEW.first + 1;
    IF cardinality(NEW.products) <> movements OR cardinality(NEW.kinds) <> movements
        OR cardinality(NEW.deltas) <> movements OR cardinality(NEW.balances) <> movements
        OR cardinality(NEW.prices) <> movements OR cardinality(NEW.previous) <> movements
        OR cardinality(NEW.costs) <> movements OR cardinality(NEW.authors) <> movements
        OR cardinality(NEW.request_ids) <> movements OR cardinality(NEW.amounts) <> movements
        OR cardinality(NEW.loss_reasons) <> movements OR cardinality(NEW.notes) <> movements
        OR cardinality(NEW.document_offsets) <> cardinality(NEW.document_counts) THEN
        RAISE EXCEPTION 'the columns of a row of the ledger are not of one length'
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM 1 FROM hortifruti.lease WHERE shop = NEW.shop AND epoch = NEW.epoch FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'epoch % of shop % is not the present one', NEW.epoch, NEW.shop USING ERRCODE = 'HF001';
    END IF;
    SELECT last INTO ends_at FROM hortifruti.journal WHERE shop = NEW.shop ORDER BY shop DESC, first DESC LIMIT 1;
    IF coalesce(ends_at, 0) <> NEW.first - 1 THEN
        RAISE EXCEPTION 'the ledger ends at %, not at %', coalesce(ends_at, 0), NEW.first - 1
            USING ERRCODE = 'HF002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_guard();
CREATE TRIGGER guard_all BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_guard();

-- The names of the authors of movements and of changes of terms.
CREATE TABLE author (
    shop  int4 NOT NULL,
    id    int4 NOT NULL,
    name  text COLLATE "C" NOT NULL,
    PRIMARY KEY (shop, id),
    UNIQUE (shop, name)
);

-- One row for each movement of kind compra that added stock.
CREATE TABLE purchase (
    shop          int4 NOT NULL,
    sequence      int8 NOT NULL,
    product       int4 NOT NULL,
    recorded_at   timestamptz NOT NULL,
    bought        int8 NOT NULL CHECK (bought > 0),
    supplier      text COLLATE "C",
    supplier_key  text COLLATE "C",
    lot           text COLLATE "C",
    expires_on    date,
    invoice       text COLLATE "C",
    item          text COLLATE "C",
    pack          int8 CHECK (pack > 0),
    PRIMARY KEY (shop, sequence)
);
CREATE INDEX purchase_by_product ON purchase (shop, product, sequence);
CREATE INDEX purchase_by_supplier ON purchase (shop, supplier_key, sequence) WHERE supplier_key IS NOT NULL;
CREATE INDEX purchase_by_lot ON purchase (shop, lot, sequence) WHERE lot IS NOT NULL;
CREATE INDEX purchase_by_invoice ON purchase (shop, invoice, sequence) WHERE invoice IS NOT NULL;
CREATE INDEX purchase_by_item ON purchase (shop, item, sequence) WHERE item IS NOT NULL;

CREATE TABLE undo (
    shop         int4 NOT NULL,
    undone       int8 NOT NULL,
    by_sequence  int8 NOT NULL,
    PRIMARY KEY (shop, undone),
    UNIQUE (shop, by_sequence)
);

-- The requests with an id, except single adjustments, whose movement has the id.
CREATE TABLE request (
    shop            int4 NOT NULL,
    request_id      text COLLATE "C" NOT NULL,
    digest          int8 NOT NULL,
    result          bytea NOT NULL,
    after_sequence  int8 NOT NULL,
    PRIMARY KEY (shop, request_id)
);
CREATE INDEX request_by_sequence ON request (shop, after_sequence);

-- The index of the ids of movements and requests: sorted runs of 16 bytes for each id, its hash and its place. The
-- runs have the ids of all movements up to `through`; later ones are read from the journal.
CREATE TABLE request_index (
    shop     int4 PRIMARY KEY REFERENCES shop,
    seed     bytea NOT NULL,
    through  int8 NOT NULL
);

CREATE TABLE request_run (
    shop          int4 NOT NULL,
    number        int8 NOT NULL,
    filter        bytea NOT NULL,
    group_filter  bytea,
    PRIMARY KEY (shop, number)
);
-- Filters cannot be compressed.
ALTER TABLE request_run ALTER COLUMN filter SET STORAGE EXTERNAL, ALTER COLUMN group_filter SET STORAGE EXTERNAL;

CREATE TABLE request_chunk (
    shop        int4 NOT NULL,
    run         int8 NOT NULL,
    first_hash  int8 NOT NULL,
    entries     bytea NOT NULL
);
CREATE INDEX request_chunk_by_hash ON request_chunk (shop, run, first_hash);

-- The products without their balances. One transaction may exchange the names of two products, so names are
-- compared at its end. It may also move a code from one product to another, so no index has the codes.
CREATE TABLE product_terms (
    shop             int4 NOT NULL,
    id               int4 NOT NULL,
    name             text COLLATE "C" NOT NULL,
    unit             text COLLATE "C" NOT NULL,
    price            int8 NOT NULL CHECK (price >= 0),
    discontinued     bool NOT NULL,
    example          bool NOT NULL,
    code             int4 CHECK (code BETWEEN 1 AND 999999),
    barcodes         text[] NOT NULL,
    category         text COLLATE "C",
    minimum          int8 NOT NULL CHECK (minimum >= 0),
    target           int8 NOT NULL CHECK (target >= 0),
    shelf_life_days  int4 NOT NULL CHECK (shelf_life_days >= 0),
    PRIMARY KEY (shop, id),
    UNIQUE (shop, name) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX product_terms_example ON product_terms (shop, id) WHERE example;

CREATE TABLE product_change (
    shop         int4 NOT NULL,
    number       int8 NOT NULL,
    product      int4 NOT NULL,
    field        text NOT NULL,
    old_value    text NOT NULL,
    new_value    text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    author       int4,
    PRIMARY KEY (shop, number)
);
CREATE INDEX product_change_by_product ON product_change (shop, product, number);

-- The balances of products, brought forward from the ledger: all movements up to `forwarded` are in them.
CREATE TABLE balance_forward (
    shop           int4 NOT NULL,
    product        int4 NOT NULL,
    stock          int8 NOT NULL CHECK (stock >= 0),
    last_sequence  int8 NOT NULL,
    stock_cost     int8,
    PRIMARY KEY (shop, product)
) WITH (fillfactor = 70);

CREATE TABLE forwarded (
    shop      int4 PRIMARY KEY REFERENCES shop,
    sequence  int8 NOT NULL
);

-- For people and other programs: the ledger, and the products with their present stock.
CREATE VIEW movement AS
SELECT shop, first + place - 1 AS sequence, product,
       (ARRAY['ajuste', 'abertura', 'compra', 'venda', 'perda', 'contagem'])[kind + 1] AS kind,
       delta AS delta_thousandths, balance AS balance_thousandths, price AS price_centavos, recorded_at,
       costs[place] AS cost_centavos,
       (SELECT name FROM author WHERE author.shop = journal.shop AND author.id = authors[place]) AS author,
       request_ids[place] AS request_id, nullif(each.previous, 0) AS previous, amounts[place] AS amount_centavos,
       (ARRAY['vencido', 'maduro', 'avaria', 'peso', 'furto', 'consumo', 'doacao', 'degustacao', 'devolucao'])
           [loss_reasons[place] + 1] AS loss_reason,
       notes[place] AS note
FROM journal, unnest(products, kinds, deltas, balances, prices, previous)
     WITH ORDINALITY AS each (product, kind, delta, balance, price, previous, place);

CREATE VIEW product AS
WITH moved AS (
    SELECT DISTINCT ON (shop, product) shop, product, balance_thousandths
    FROM movement JOIN forwarded USING (shop) WHERE movement.sequence > forwarded.sequence
    ORDER BY shop, product, movement.sequence DESC
)
SELECT terms.shop, terms.id, name, unit, price AS price_centavos,
       coalesce(moved.balance_thousandths, stock, 0) AS stock_thousandths,
       code, barcodes, category, minimum AS minimum_thousandths, target AS target_thousandths, shelf_life_days,
       discontinued
FROM product_terms AS terms
LEFT JOIN balance_forward ON balance_forward.shop = terms.shop AND balance_forward.product = terms.id
LEFT JOIN moved ON moved.shop = terms.shop AND moved.product = terms.id;
