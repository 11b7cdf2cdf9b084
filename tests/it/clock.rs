//! Times in the ledger never go back, whatever the machine's clock says.

use std::fs;

use rusqlite::Connection as Database;

use crate::support::{Server, run};

/// A day in the year 2100, in microseconds since 1970.
const FUTURE_MICROS: i64 = 4_102_444_800_000_000;

/// Times of the movements, in their order.
fn times(server: &Server) -> Vec<i64> {
    let database = Database::open(server.path().join("hortifruti.db")).unwrap();
    let mut times = database.prepare("SELECT recorded_at_micros FROM movement ORDER BY sequence").unwrap();
    times.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn no_movement_is_earlier_than_a_change_of_terms_before_it() {
    let mut server = Server::start(&[]);
    assert_eq!(server.run(&["product", "set", "Caju", "--price", "2,50"]).code, 0);
    server.stop();
    let database = Database::open(server.path().join("hortifruti.db")).unwrap();
    let update = "UPDATE product_change SET recorded_at_micros = ?1";
    assert_eq!(database.execute(update, [FUTURE_MICROS]).unwrap(), 1);
    drop(database);
    let folder = std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap());
    drop(server);

    let server = Server::start_logged_in(folder, &[]);
    server.log("in the future");
    server.connect().ask("3 Caju -1");
    assert_eq!(times(&server).last(), Some(&FUTURE_MICROS));
}

/// Gives a movement of a stopped shop this time.
fn plant(server: &Server, sequence: i64, micros: i64) {
    let database = Database::open(server.path().join("hortifruti.db")).unwrap();
    let update = "UPDATE movement SET recorded_at_micros = ?2 WHERE sequence = ?1";
    assert_eq!(database.execute(update, [sequence, micros]).unwrap(), 1);
}

#[test]
fn no_movement_is_earlier_than_the_one_before_it_across_restarts_too() {
    let mut server = Server::start_logged_in(tempfile::tempdir().unwrap(), &[]);
    server.connect().ask("3 Caju -1");
    assert!(!fs::read_to_string(server.path().join("stderr.txt")).unwrap().contains("clock"));
    server.stop();
    plant(&server, 5, FUTURE_MICROS);
    let folder = std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap());
    drop(server);

    let mut server = Server::start_logged_in(folder, &[]);
    let warned = server.log("in the future");
    assert_eq!(warned.matches("WARN").count(), 1, "{warned}");
    let mut client = server.connect();
    client.ask("3 Caju -1 id=a");
    fs::write(server.path().join("lista.csv"), "nome,preco,estoque,unidade\nUva,9,3,kg\n").unwrap();
    assert_eq!(server.run(&["import", "lista.csv"]).code, 0);
    // Neither a kill nor a stop forgets it.
    server.kill();
    server.restart();
    server.connect().ask("3 Caju -1");
    server.stop();
    server.restart();
    server.connect().ask("3 Caju -1");
    server.stop();
    let times = times(&server);
    assert_eq!(times[4..], [FUTURE_MICROS; 5]);
    assert!(times.is_sorted(), "{times:?}");
    // Nothing wrong is found.
    let verified = server.run(&["verify"]);
    assert_eq!((verified.code, verified.out.lines().count()), (0, 4), "{}", verified.out);
}

#[test]
fn a_last_movement_in_the_future_is_named_where_people_look() {
    let mut server = Server::start_logged_in(tempfile::tempdir().unwrap(), &[]);
    let asked: [&[&str]; 5] = [
        &["report", "day"],
        &["report", "sales", "--format", "csv"],
        &["status"],
        &["report", "low"],
        &["verify"],
    ];
    for arguments in asked {
        assert_eq!(server.run(arguments).err, "", "{arguments:?}");
    }
    server.stop();
    plant(&server, 4, FUTURE_MICROS + 10 * 86_400_000_000);
    server.restart();
    server.connect().ask("3 Caju -1");
    for arguments in asked {
        let ran = server.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        let is_named = ran.err.contains("datado de ") && ran.err.contains("/01/2100 ");
        assert!(is_named && ran.err.matches("no futuro").count() == 1, "{arguments:?}: {}", ran.err);
    }
    let shell = run(&mut server.command(&["shell"]), "hoje\nfechamento\nlistar\n");
    assert_eq!(shell.err.matches("no futuro").count(), 2, "{}", shell.err);
}

#[test]
fn a_ledger_of_a_version_that_followed_the_clock_back_is_whole_and_its_times_are_counted() {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    for _ in 0..3 {
        client.ask("3 Caju -1");
    }
    server.stop();
    plant(&server, 6, 1_000_000);
    let verified = server.run(&["verify"]);
    assert_eq!((verified.code, verified.err.as_str()), (0, ""));
    assert!(verified.out.ends_with(
        "Movimentos com hora anterior à do movimento que vem antes: 1. O relógio foi atrasado enquanto uma \
         versão antiga servia; não falta nada.\n"
    ));
    server.restart();
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 56");
}
