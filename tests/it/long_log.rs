//! The log of a database beside programs that read it: it grows as long as one holds an older
//! moment of the database, says who, and gives its room back afterwards.

use std::fs;
use std::process::id;

use rusqlite::Connection as Database;

use crate::support::Server;
use crate::support::waiting::wait_for;

/// The limits of `src/store/sqlite/long_log.rs`.
const KEPT_BYTES_MAX: u64 = 8 * 1024 * 1024;
const WARNED_BYTES: u64 = 64 * 1024 * 1024;

fn log_bytes(server: &Server) -> u64 {
    // The file itself is not opened: to close it would drop the locks of this process's readers.
    fs::metadata(server.path().join("hortifruti.db-wal")).unwrap().len()
}

fn await_short_log(server: &Server) {
    wait_for(|| match log_bytes(server) {
        0..=KEPT_BYTES_MAX => Ok(()),
        bytes => Err(format!("the log keeps {bytes} bytes")),
    });
}

fn open(server: &Server) -> Database {
    Database::open(server.path().join("hortifruti.db")).unwrap()
}

/// Begins to read at this moment. Until the transaction ends, the log cannot begin again.
fn hold(reader: &Database) {
    reader.execute_batch("BEGIN").unwrap();
    let count: i64 = reader.query_row("SELECT count(*) FROM movement", [], |row| row.get(0)).unwrap();
    assert!(count > 0);
}

#[test]
fn a_log_that_a_reader_made_long_is_cut_once_it_has_gone() {
    let mut server = Server::start_logged_in(tempfile::tempdir().unwrap(), &[]);
    let mut client = server.connect();
    let reader = open(&server);
    hold(&reader);
    let mut stock = 60;
    let mut change = |client: &mut crate::support::Connection| {
        stock += 1;
        assert_eq!(client.ask("3 Caju 1"), format!("Caju: R$2.0, Estoque: {stock}"));
    };
    while log_bytes(&server) <= KEPT_BYTES_MAX + 1024 * 1024 {
        change(&mut client);
    }
    // With changes: the next but one begins the log again.
    reader.execute_batch("COMMIT").unwrap();
    change(&mut client);
    change(&mut client);
    await_short_log(&server);
    // Without any.
    hold(&reader);
    while log_bytes(&server) <= KEPT_BYTES_MAX + 1024 * 1024 {
        change(&mut client);
    }
    drop(reader);
    await_short_log(&server);
    change(&mut client);
    let log = server.log("");
    assert!(!log.contains("WARN"), "{log}");
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn who_makes_the_log_too_long_is_named_once_each_time() {
    let mut server = Server::start_logged_in(tempfile::tempdir().unwrap(), &[]);
    let mut client = server.connect();
    let (reader, writer) = (open(&server), open(&server));
    writer.execute_batch("CREATE TABLE large (bytes BLOB)").unwrap();
    let fill = format!("DELETE FROM large; INSERT INTO large VALUES (randomblob({}))", WARNED_BYTES + 4096);
    // Without a reader, however much is written, there is nothing to tell.
    writer.execute_batch(&fill).unwrap();
    client.ask("3 Caju -1");
    for times in 1..=2 {
        await_short_log(&server);
        hold(&reader);
        writer.execute_batch(&fill).unwrap();
        for _ in 0..3 {
            client.ask("3 Caju -1");
        }
        assert!(log_bytes(&server) > WARNED_BYTES);
        let log = server.log("cannot be emptied");
        assert_eq!(log.matches("cannot be emptied").count(), times, "{log}");
        let told = format!("processes=\"{} (", id());
        assert_eq!(log.matches(&told).count(), times, "{told} is not in {log}");
        reader.execute_batch("COMMIT").unwrap();
    }
    await_short_log(&server);
    assert_eq!(client.ask("1 Caju"), "Caju: R$2.0, Estoque: 53");
    drop((reader, writer));
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0);
}
