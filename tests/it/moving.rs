//! `move`: a shop goes from a file to PostgreSQL and back with all that it holds, or not at all.

use std::fs;
use std::path::Path;

use crate::support::postgres::{Version, shop_of, versions};
use crate::support::{Ended, Server, hortifruti, run};

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
