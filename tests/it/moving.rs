//! `move`: a shop goes from a file to PostgreSQL and back with all that it holds, or not at all.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use hortifruti::catalog::{Adjustment, Catalog, Draft, Kind, Quantity, RequestId, original_products};
use hortifruti::store::sqlite::SqliteStore;
use hortifruti::store::{Store as _, Wait};

use crate::postgres::wire::{Cut, Wire};
use crate::support::postgres::{Database, Version, newest, shop_of, versions};
use crate::support::waiting::{kill, lines, wait_for};
use crate::support::{Ended, PATIENCE, Server, hortifruti, run};

/// Changes of every kind that the text protocol has, each with an id.
const CHANGES: [&str; 6] = [
    "3 Caju -20 id=c1 motivo=venda total=35,00",
    "3 Pera 7 id=c2 motivo=compra total=14,00",
    "3 Maca -1 id=c3 motivo=perda causa=maduro",
    "contar Banana 28,000 id=c4",
    "desfazer 5 id=c5",
    "3 Caju 1 id=c6",
];

/// Changes of more than one row, and of terms.
const ONE_SHOTS: [&[&str]; 5] = [
    &["sell", "2", "Caju", "1", "Pera"],
    &[
        "buy",
        "5",
        "Maca",
        "--total",
        "20,00",
        "--supplier",
        "Sítio do Zé",
        "--lot",
        "A-7",
        "--expires",
        "2031-02-03",
    ],
    &["product", "set", "Caju", "--price", "2,50", "--code", "77", "--category", "Frutas", "--minimum", "5"],
    &["product", "rename", "Pera", "Pera Williams"],
    &["product", "clear-examples"],
];

/// The answers to all changes, and what the shop shows.
fn shown(server: &Server) -> Vec<String> {
    let mut client = server.connect();
    let mut shown: Vec<String> = CHANGES.iter().map(|change| client.ask(change)).collect();
    for asked in ["4", "historico limite=100", "historico Caju limite=100"] {
        shown.push(client.ask(asked));
    }
    let reports: [&[&str]; 3] = [
        &["report", "purchases", "--format", "json"],
        &["report", "trace", "zé"],
        &["history", "Caju", "--format", "json"],
    ];
    for args in reports {
        let ended = server.run(args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        shown.push(ended.out);
    }
    shown
}

fn move_shop(folder: &Path, from: &str, to: &str) -> Ended {
    run(hortifruti(folder).args(["move", from, to]), "")
}

fn verify(folder: &Path, data: &str) -> Ended {
    run(hortifruti(folder).args(["verify", data]), "")
}

/// A shop in a file, that was stopped, with what it showed.
fn stopped_shop() -> (Server, Vec<String>) {
    let mut server = Server::start(&[]);
    shown(&server);
    for args in ONE_SHOTS {
        let ended = server.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.err);
    }
    let shown = shown(&server);
    server.stop();
    (server, shown)
}

fn over_every_version(test: impl Fn(&'static Version)) {
    versions().into_iter().for_each(test);
}

#[test]
fn a_shop_goes_to_postgresql_and_back_with_every_row_and_every_answer() {
    over_every_version(|version| {
        let (server, before) = stopped_shop();
        let (folder, url) = (server.path(), version.new_shop());
        let moved = move_shop(folder, "hortifruti.db", &url);
        assert_eq!((moved.code, moved.err.as_str()), (0, ""), "{}", version.name);
        assert!(moved.out.contains("conferida e igual à origem.\n"), "{}", moved.out);
        let mut there = Server::start(&["--data", &url]);
        assert_eq!(shown(&there), before, "{}", version.name);
        there.connect().ask("3 Caju 2 id=depois");
        there.stop();
        let back = move_shop(folder, &url, "de-volta.db");
        assert_eq!((back.code, back.err.as_str()), (0, ""), "{}", version.name);
        let home = tempfile::tempdir().unwrap();
        fs::copy(folder.join("de-volta.db"), home.path().join("hortifruti.db")).unwrap();
        let mut again = Server::start_in(home, &[]);
        assert_eq!(again.connect().ask("3 Caju 2 id=depois"), "Caju: R$2.5, Estoque: 61");
        again.stop();
        // The same counts everywhere, and both sources are as they were.
        let counts =
            |data: &str| verify(folder, data).out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(counts(&url), counts("de-volta.db"));
        assert!(counts(&url)[0].starts_with("Produtos: 4"), "{:?}", counts(&url));
        assert_eq!(verify(folder, "hortifruti.db").code, 0);
    });
}

#[test]
fn a_shop_does_not_go_where_it_is_already_or_while_a_server_uses_it() {
    over_every_version(|version| {
        let (mut server, _) = stopped_shop();
        let url = version.new_shop();
        server.restart();
        let refused = move_shop(server.path(), "hortifruti.db", &url);
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("já está em uso por outro servidor"), "{}", refused.err);
        server.stop();
        assert_eq!(move_shop(server.path(), "hortifruti.db", &url).code, 0);
        let mut there = Server::start(&["--data", &url]);
        let refused = move_shop(server.path(), &url, "copia.db");
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("já está em uso por outro servidor"), "{}", refused.err);
        assert!(there.connect().ask("3 Caju 1").starts_with("Caju: "), "the server goes on");
        there.stop();
        let copy = move_shop(server.path(), &url, "copia.db");
        assert_eq!(copy.code, 0, "{}", copy.err);
        let before = fs::read(server.path().join("copia.db")).unwrap();
        for (from, to, why) in [
            ("hortifruti.db", url.as_str(), "já tem a loja"),
            (url.as_str(), url.as_str(), "já tem a loja"),
            (url.as_str(), "copia.db", "já existe"),
            ("hortifruti.db", "copia.db", "já existe"),
            ("nao-ha.db", "nova.db", "não existe"),
            (&version.new_shop(), "nova.db", "não tem a loja"),
        ] {
            let refused = move_shop(server.path(), from, to);
            assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{from} {to}");
            assert!(refused.err.starts_with("Erro: a loja não foi levada: "), "{}", refused.err);
            assert!(refused.err.contains(why), "{from} {to}: {}", refused.err);
        }
        assert_eq!(fs::read(server.path().join("copia.db")).unwrap(), before);
        assert!(!server.path().join("nova.db").exists());
    });
}

#[test]
fn a_move_that_fails_in_the_middle_leaves_nothing() {
    over_every_version(|version| {
        let (server, _) = stopped_shop();
        let cluster = version.shared();
        let database = cluster.database();
        let url = database.shop("inteira");
        assert_eq!(move_shop(server.path(), "hortifruti.db", &url).code, 0);
        database.sql("ALTER TABLE hortifruti.journal ADD CONSTRAINT cheio CHECK (first < 9) NOT VALID");
        let other = database.shop("metade");
        let failed = move_shop(server.path(), "hortifruti.db", &other);
        assert_eq!(failed.code, 1);
        assert!(failed.err.contains("cheio"), "{}", failed.err);
        let left = "SELECT count(*) FROM hortifruti.shop WHERE name = 'metade'";
        assert_eq!(database.sql(left), "0");
        database.sql("ALTER TABLE hortifruti.journal DROP CONSTRAINT cheio");
        assert_eq!(move_shop(server.path(), "hortifruti.db", &other).code, 0, "{}", shop_of(&other));
        // The other way: the copy has a fault that the check of the source finds.
        database.sql(
            "ALTER TABLE hortifruti.journal DISABLE TRIGGER guard;
             UPDATE hortifruti.journal SET deltas[1] = deltas[1] + 1000 WHERE first = 7;
             ALTER TABLE hortifruti.journal ENABLE TRIGGER guard",
        );
        let failed = move_shop(server.path(), &other, "volta.db");
        assert_eq!(failed.code, 1);
        assert!(failed.err.contains("o movimento 7 tem um saldo diferente"), "{}", failed.err);
        assert!(!server.path().join("volta.db").exists());
    });
}

/// Movements of a larger shop: several parts of a copy.
const MOVEMENTS: i64 = 40_000;

/// Movements of a transaction of the larger shop.
const AT_ONCE: usize = 1000;

/// Makes a shop in a file with many movements, some of them with ids.
fn large_shop(path: &Path) {
    let mut store = SqliteStore::open(path, 8082).unwrap();
    assert!(store.load().unwrap().is_none());
    let mut catalog = Catalog::default();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let mut draft = Draft::new(&catalog, start);
    draft.import(&original_products(), None).unwrap();
    let opening = draft.finish();
    store.create(&opening).unwrap();
    catalog.apply(&opening);
    let products = ["maca", "pera", "banana", "caju"].map(|name| catalog.find(name).unwrap().id);
    for number in 0.. {
        if catalog.last_sequence() >= MOVEMENTS {
            break;
        }
        let mut draft = Draft::new(&catalog, start + Duration::from_secs(60) * number);
        for line in 0..AT_ONCE {
            let request_id: Option<RequestId> =
                (line % 8 == 0).then(|| format!("p-{number}-{line}").parse().unwrap());
            let bought = Adjustment::new(products[line % 4], Quantity::from_units(1), Kind::Adjustment);
            draft.adjust(&Adjustment { request_id, ..bought }).unwrap();
        }
        let transaction = draft.finish();
        store.commit(&transaction, Wait::ForOthers).unwrap();
        catalog.apply(&transaction);
    }
    store.close().unwrap();
}

fn start_move(folder: &Path, from: &str, to: &str) -> Child {
    let mut command = hortifruti(folder);
    command.args(["move", from, to]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The number of rows that a database has of each part of a shop.
fn rows_left(database: &Database<'_>) -> String {
    database.sql(
        "SET search_path = hortifruti;
         SELECT (SELECT count(*) FROM shop), (SELECT count(*) FROM journal), (SELECT count(*) FROM request),
                (SELECT count(*) FROM product_terms), (SELECT count(*) FROM forwarded), (SELECT count(*) FROM author),
                (SELECT count(*) FROM request_run)",
    )
}

/// Makes the tables of a database, and leaves no shop in them.
fn prepare(database: &Database<'_>) {
    Server::start(&["--data", &database.shop("primeira")]).stop();
    let tables =
        "journal, request, request_index, request_run, request_chunk, product_terms, product_change, author,
        balance_forward, forwarded, lease, shop, undo, purchase";
    database.sql(&format!(
        "SET search_path = hortifruti; SET session_replication_role = replica;
         ALTER TABLE journal DISABLE TRIGGER guard_all; TRUNCATE {tables};
         ALTER TABLE journal ENABLE TRIGGER guard_all"
    ));
}

#[test]
fn a_move_that_is_killed_in_the_middle_leaves_nothing_and_starts_again() {
    let Some(version) = newest() else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    large_shop(&folder.join("hortifruti.db"));
    let database = version.shared().database();
    prepare(&database);
    let nothing = rows_left(&database);
    let url = database.shop("grande");
    // A lock stops the move when the whole ledger is copied and not yet committed.
    let mut session = version.shared().psql(&database.name);
    let mut session = session.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = session.stdin.take().unwrap();
    let output = lines(session.stdout.take().unwrap());
    input.write_all(b"BEGIN;\nLOCK TABLE hortifruti.balance_forward;\nSELECT 'locked';\n").unwrap();
    assert_eq!(output.recv_timeout(PATIENCE).unwrap(), "locked");
    let mut moving = start_move(folder, "hortifruti.db", &url);
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = 'hortifruti' AND wait_event_type = 'Lock'";
    wait_for(|| match database.sql(waits).as_str() {
        "1" => Ok(()),
        count => Err(format!("{count} sessions wait")),
    });
    kill(&mut moving);
    drop(input);
    kill(&mut session);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = 'hortifruti'";
    wait_for(|| match database.sql(sessions).as_str() {
        "0" => Ok(()),
        count => Err(format!("{count} sessions are left")),
    });
    assert_eq!(rows_left(&database), nothing);
    let moved = move_shop(folder, "hortifruti.db", &url);
    assert_eq!((moved.code, moved.err.as_str()), (0, ""));
    // Back into a file, which has no name before it is whole.
    let mut moving = start_move(folder, &url, "volta.db");
    wait_for(|| {
        let sizes = fs::read_dir(folder).unwrap().map(|file| {
            let file = file.unwrap();
            let is_of_copy = file.file_name().to_string_lossy().contains("volta.db");
            file.metadata().map_or(0, |it| if is_of_copy { it.len() } else { 0 })
        });
        if sizes.max() > Some(100_000) { Ok(()) } else { Err("the copy has not begun") }
    });
    kill(&mut moving);
    assert!(!folder.join("volta.db").exists());
    let back = move_shop(folder, &url, "volta.db");
    assert_eq!((back.code, back.err.as_str()), (0, ""));
    let counts = |data: &str| verify(folder, data).out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(counts("volta.db"), counts("hortifruti.db"));
    assert_eq!(counts("volta.db"), counts(&url));
}

#[test]
fn a_move_takes_its_time_whatever_time_a_transaction_may_take() {
    let Some(version) = newest() else { return };
    let home = tempfile::tempdir().unwrap();
    let (folder, database) = (home.path(), version.shared().database());
    large_shop(&folder.join("hortifruti.db"));
    for setting in ["transaction_timeout", "statement_timeout", "idle_in_transaction_session_timeout"] {
        // The older engine does not know the first one.
        let _ = database.try_sql(&format!("ALTER DATABASE {} SET {setting} = '50ms'", database.name));
    }
    let shop = database.shop("centro");
    for (from, to) in [("hortifruti.db", &*shop), (&shop, "outra.db")] {
        let moved = move_shop(folder, from, to);
        assert_eq!(moved.code, 0, "{}: {}", version.name, moved.err);
    }
}

#[test]
fn a_move_whose_last_answer_is_lost_says_that_it_may_be_made() {
    over_every_version(|version| {
        let (server, _) = stopped_shop();
        let database = version.shared().database();
        prepare(&database);
        let wire = Wire::to(version.shared().port);
        for (cut, is_made) in [(Cut::Commit(3), false), (Cut::Answer(0), true), (Cut::Answer(7), true)] {
            let url = database.shop(&format!("loja-{cut:?}").replace(['(', ')'], "-"));
            // As a message of its own, with its length before it.
            wire.cut("\u{b}COMMIT\0", cut);
            let moved = move_shop(server.path(), "hortifruti.db", &wire.address(&url));
            assert!(wire.has_cut(), "{cut:?}");
            assert_eq!(moved.code, 1, "{cut:?}: {}", moved.out);
            assert!(
                moved.err.contains("Não se sabe se a loja ficou lá; confira com `hortifruti verify`"),
                "{}",
                moved.err
            );
            let there = verify(server.path(), &url);
            assert_eq!(there.code == 0, is_made, "{cut:?}: {}", there.err);
            let again = move_shop(server.path(), "hortifruti.db", &url);
            assert_eq!(again.code == 0, !is_made, "{cut:?}: {}", again.err);
            assert!(!is_made || again.err.contains("já tem a loja"), "{}", again.err);
            assert_eq!(verify(server.path(), &url).code, 0);
        }
    });
}
