//! Rows that a superuser has altered past the guards of the database: `verify` finds what contradicts the rest.

use crate::support::postgres::newest;
use crate::support::{Server, make_token};

/// Changes whose movements have every column, as one client makes them.
const CHANGES: [&str; 6] = [
    "3 Caju -20 id=c5 motivo=venda total=35,00",
    "3 Pera 7 id=c6 motivo=compra total=14,00",
    "3 Maca -1 id=c7 motivo=perda causa=maduro",
    "contar Banana 28 id=c8",
    "3 Pera -2 id=c9 motivo=venda total=12,00",
    "desfazer 5 id=c10",
];

/// Changes of several rows, and of terms: the movements 11 and 12 are one document, and 13 is a purchase.
const ONE_SHOTS: [&[&str]; 4] = [
    &["sell", "2", "Caju", "1", "Pera"],
    &["buy", "5", "Maca", "--total", "20,00", "--supplier", "Sítio", "--lot", "A-7"],
    &["product", "set", "Caju", "--price", "2,50"],
    &["product", "rename", "Pera", "Pera Williams"],
];

/// An alteration: the table, the statement, and the words by which it is found.
const ALTERATIONS: [(&str, &str, &str); 34] = [
    ("journal", "DELETE FROM journal WHERE first = 7", "ao movimento 6 segue o 8"),
    ("journal", "UPDATE journal SET first = 17, last = 17 WHERE first = 13", "os movimentos acabam no 12"),
    ("journal", "UPDATE journal SET products = '{1}' WHERE first = 9", "o movimento 9 "),
    ("journal", "UPDATE journal SET products = '{9}' WHERE first = 9", "o movimento 9 "),
    ("journal", "UPDATE journal SET kinds = '{0}' WHERE first = 5", "um total ou uma causa"),
    ("journal", "UPDATE journal SET kinds = '{1}' WHERE first = 8", "o movimento 8 abre um produto"),
    ("journal", "UPDATE journal SET kinds = '{2}' WHERE first = 10", "o movimento 10 "),
    (
        "journal",
        "UPDATE journal SET deltas = '{-3000}' WHERE first = 9",
        "o movimento 9 tem um saldo diferente",
    ),
    (
        "journal",
        "UPDATE journal SET balances = '{1000}' WHERE first = 9",
        "o movimento 9 tem um saldo diferente",
    ),
    ("journal", "UPDATE journal SET prices = '{201}' WHERE first = 5", "o movimento 10 não desfaz"),
    ("journal", "UPDATE journal SET prices = '{201}' WHERE first = 10", "o movimento 10 não desfaz"),
    (
        "journal",
        "UPDATE journal SET previous = '{2}' WHERE first = 9",
        "o movimento 9 não aponta para o anterior",
    ),
    ("journal", "UPDATE journal SET costs = '{-399}' WHERE first = 9", "custo"),
    ("journal", "UPDATE journal SET costs = NULL WHERE first = 9", "custo"),
    ("journal", "UPDATE journal SET costs = '{1999}' WHERE first = 13", "custo"),
    (
        "journal",
        "UPDATE journal SET authors = '{99}' WHERE first = 9",
        "há um movimento sem o seu autor, o 99",
    ),
    ("journal", "UPDATE journal SET request_ids = '{c6}' WHERE first = 9", "foi gravado duas vezes"),
    ("journal", "UPDATE journal SET amounts = '{100}' WHERE first = 7", "um total ou uma causa"),
    ("journal", "UPDATE journal SET loss_reasons = '{2}' WHERE first = 9", "um total ou uma causa"),
    ("journal", "UPDATE journal SET recorded_at = now() WHERE first = 6", "é uma compra de outra hora"),
    ("journal", "UPDATE journal SET document_counts = '{4}' WHERE first = 11", "o documento 11 "),
    ("journal", "UPDATE journal SET document_offsets = '{2}' WHERE first = 11", "o documento 13 "),
    ("author", "DELETE FROM author", "sem o seu autor"),
    ("purchase", "UPDATE purchase SET bought = bought + 1 WHERE sequence = 6", "de outra quantidade"),
    ("purchase", "UPDATE purchase SET product = 1 WHERE sequence = 6", "é uma compra de outro produto"),
    ("purchase", "DELETE FROM purchase WHERE sequence = 6", "é uma compra e não está entre elas"),
    ("undo", "UPDATE undo SET undone = 9", "o movimento 10 não desfaz"),
    ("undo", "UPDATE undo SET by_sequence = 11", "não desfaz"),
    ("request", "UPDATE request SET after_sequence = 99", "não tem os seus movimentos"),
    ("product_terms", "UPDATE product_terms SET price = 251 WHERE id = 4", "o cadastro de Caju"),
    ("product_terms", "UPDATE product_terms SET name = 'Pêssego' WHERE id = 2", "o cadastro de Pêssego"),
    (
        "product_change",
        "UPDATE product_change SET new_value = '251' WHERE field = 'price_centavos'",
        "o cadastro de Caju",
    ),
    ("product_change", "UPDATE product_change SET author = 99", "sem o seu autor, o 99"),
    ("product_change", "UPDATE product_change SET number = number + 5", "falta a mudança de cadastro 1"),
];

#[test]
fn an_altered_row_is_found_by_what_it_contradicts() {
    let Some(version) = newest() else { return };
    let database = version.shared().database();
    let (folder, address) = (tempfile::tempdir().unwrap(), database.shop("centro"));
    let secret = make_token(folder.path(), "gerente", "escrita");
    let mut server = Server::start_in(folder, &["--token-file", "tokens"]);
    let mut till = server.connect();
    till.ask(&format!("token {secret}"));
    for change in CHANGES {
        let answer = till.ask(change);
        assert!(!answer.starts_with("Erro"), "{change}: {answer}");
    }
    for args in ONE_SHOTS {
        let ended = server.run(&[args, &["--token-file", "gerente"]].concat());
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.err);
    }
    server.stop();
    // A move writes the balances too, which a server brings forward from time to time.
    let moved = server.run(&["move", "hortifruti.db", &address]);
    assert_eq!(moved.code, 0, "{}", moved.err);
    let verified = || server.run(&["verify", &address]);
    assert_eq!(verified().code, 0);
    let alter = |statement: &str| {
        database.sql(&format!(
            "SET search_path = hortifruti; SET session_replication_role = replica; {statement}"
        ))
    };
    alter("CREATE SCHEMA kept");
    for (table, statement, words) in ALTERATIONS {
        alter(&format!("DROP TABLE IF EXISTS kept.{table}; CREATE TABLE kept.{table} AS TABLE {table}"));
        alter(statement);
        let found = verified();
        assert_eq!(found.code, 1, "{statement}: {}", found.out);
        assert!(found.err.contains(words), "{statement}: {}", found.err);
        alter(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept.{table}"));
    }
    let whole = verified();
    assert_eq!(whole.code, 0, "{}", whole.err);
}
