//! Copies of a database in use, the check of a database or a copy, and the way back.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rusqlite::Connection;

use crate::support::{Ended, Server, hortifruti, list, run};

/// Copies made of a server under load.
const COPIES: usize = 5;

/// The last movement of a database that no server uses.
fn last_movement(path: &Path) -> i64 {
    Connection::open(path)
        .unwrap()
        .query_row("SELECT max(sequence) FROM movement", [], |row| row.get(0))
        .unwrap()
}

/// A database that was stopped cleanly, with changes by id and a batch's worth of ledger.
fn stopped_shop() -> Server {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    for number in 0..10 {
        client.ask(&format!("3 Caju -1 id=c{number}"));
    }
    drop(client);
    server.stop();
    server
}

fn verify(folder: &Path, file: &str) -> Ended {
    run(hortifruti(folder).args(["verify", file]), "")
}

#[test]
fn a_check_leaves_no_file_beside_a_database_that_was_stopped() {
    let shop = stopped_shop();
    fs::copy(list("esquema-4.db"), shop.path().join("velho.db")).unwrap();
    let names = || -> BTreeSet<_> {
        fs::read_dir(shop.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let before = names();
    assert_eq!(verify(shop.path(), "hortifruti.db").code, 0);
    assert_eq!(verify(shop.path(), "velho.db").code, 1);
    assert_eq!(run(hortifruti(shop.path()).args(["restore", "nao-ha.db", "--data", "nova.db"]), "").code, 1);
    assert_eq!(names(), before);
    assert_eq!(run(hortifruti(shop.path()).args(["backup", "copia.db"]), "").code, 0);
    assert_eq!(names().len(), before.len() + 1);
}

#[test]
fn a_database_of_postgresql_is_not_copied_here() {
    let folder = tempfile::tempdir().unwrap();
    for args in [["backup", "copia.db"], ["restore", "copia.db"]] {
        let args = [&args[..], &["--data", "postgres://localhost/banco?shop=loja"]].concat();
        let refused = run(hortifruti(folder.path()).args(&args), "");
        assert!(refused.code == 1 && refused.err.contains("use `hortifruti move`"), "{refused:?}");
        assert!(refused.err.contains("endereço do PostgreSQL") && !refused.err.contains("permissões"));
    }
}

#[test]
fn copies_of_a_server_under_load_are_whole_and_of_one_moment() {
    let mut server = Server::start(&[]);
    let (answered, is_over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let load = {
        let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
        let mut client = server.connect();
        std::thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                client.send("3 Caju 1\n".repeat(50));
                for _ in 0..50 {
                    assert!(client.reply().starts_with("Caju: "));
                }
                answered.fetch_add(50, Ordering::SeqCst);
            }
        })
    };
    for number in 0..COPIES {
        let copy = format!("copia-{number}.db");
        let before = answered.load(Ordering::SeqCst);
        let ended = server.run(&["backup", &copy]);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        // The four openings, and what was answered; a last run of 50 may not be told yet.
        let last = last_movement(&server.path().join(&copy)) - 4;
        assert!(last >= before && last <= answered.load(Ordering::SeqCst) + 50, "{last} since {before}");
        assert_eq!(server.run(&["verify"]).code, 0);
        assert_eq!(verify(server.path(), &copy).code, 0);
        let mode = fs::metadata(server.path().join(&copy)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    is_over.store(true, Ordering::SeqCst);
    load.join().unwrap();
    server.stop();
    let names: Vec<_> = fs::read_dir(server.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("copia") && !name.ends_with(".db"))
        .collect();
    assert!(names.is_empty(), "left behind: {names:?}");
}

#[test]
fn a_copy_is_restored_by_copying_it_back() {
    let mut server = Server::start(&[]);
    assert_eq!(server.connect().ask("3 Caju -20 id=a"), "Caju: R$2.0, Estoque: 40");
    assert_eq!(server.run(&["backup", "copia.db"]).code, 0);
    server.connect().ask("3 Caju -5");
    let folder = server.path().to_owned();
    let file = |name: &str| folder.join(name);

    // The log of a killed server is not played into the copy that took its database's place.
    server.kill();
    fs::copy(file("copia.db"), file("hortifruti.db")).unwrap();
    let refused = run(hortifruti(server.path()).args(["serve", "--port", "0"]), "");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("restaurada") && refused.err.contains("hortifruti.db-wal"), "{refused:?}");
    assert_eq!(fs::read(file("copia.db")).unwrap(), fs::read(file("hortifruti.db")).unwrap());

    // As the README says.
    for name in ["hortifruti.db-wal", "hortifruti.db-shm"] {
        fs::remove_file(file(name)).unwrap();
    }
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
    assert_eq!(server.connect().ask("3 Caju -20 id=a"), "Caju: R$2.0, Estoque: 40");
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 39");
    server.stop();
    assert_eq!(verify(server.path(), "hortifruti.db").code, 0);
}

#[test]
fn a_copy_destroys_nothing() {
    let server = Server::start(&[]);
    let file = |name: &str| server.path().join(name);
    fs::write(file("velha.db"), "importante").unwrap();
    Connection::open(file("de-outro.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert_eq!(server.run(&["backup", "copia.db"]).code, 0);
    fs::write(file("alheio"), "importante").unwrap();
    symlink(file("alheio"), file("link.db")).unwrap();
    symlink(file("hortifruti.db"), file("outro-nome.db")).unwrap();
    fs::write(file("em-uso.db-wal"), "registro").unwrap();
    fs::create_dir(file("pasta")).unwrap();
    for (args, why) in [
        (vec!["velha.db"], "é outro arquivo"),
        (vec!["--force", "velha.db"], "é outro arquivo"),
        (vec!["--force", "de-outro.db"], "é outro arquivo"),
        (vec!["copia.db"], "já existe"),
        (vec!["--force", "hortifruti.db"], "próprio banco"),
        (vec!["--force", "hortifruti.db-wal"], "próprio banco"),
        (vec!["--force", "hortifruti.db.lock"], "próprio banco"),
        (vec!["--force", "em-uso.db"], "registro"),
        (vec!["--force", "link.db"], "não é um arquivo"),
        (vec!["--force", "outro-nome.db"], "não é um arquivo"),
        (vec!["--force", "pasta"], "pasta"),
        (vec!["nao/ha.db"], "não existe"),
        (vec!["--data", "nao-ha.db", "nova.db"], "não existe"),
        (vec!["--data", "velha.db", "nova.db"], "não é um arquivo SQLite"),
    ] {
        let ended = server.run(&[&["backup"], args.as_slice()].concat());
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args:?}");
        assert!(ended.err.contains(why), "{args:?}: {}", ended.err);
    }
    assert_eq!(fs::read_to_string(file("velha.db")).unwrap(), "importante");
    assert_eq!(fs::read_to_string(file("alheio")).unwrap(), "importante");
    assert!(!file("nova.db").exists() && !file(".nova.db.hortifruti-tmp").exists());
    // A link to a folder, such as one to another disk, is a folder.
    symlink(file("pasta"), file("outro-disco")).unwrap();
    for args in
        [&["outro-disco/copia.db"][..], &["--force", "outro-disco/copia.db"], &["--keep", "2", "outro-disco"]]
    {
        let ended = server.run(&[&["backup"], args].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
    }
    assert_eq!(fs::read_dir(file("pasta")).unwrap().count(), 2);
    server.connect().ask("3 Caju -1");
    assert_eq!(server.run(&["backup", "--force", "copia.db"]).code, 0);
    assert!(verify(server.path(), "copia.db").out.contains("Movimentos: 5\n"));
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn a_sound_database_is_described_in_four_lines_and_not_changed() {
    let server = stopped_shop();
    let before = fs::read(server.path().join("hortifruti.db")).unwrap();
    let ended = verify(server.path(), "hortifruti.db");
    let told = "hortifruti.db está íntegro.\nProdutos: 4\nMovimentos: 14\nIdentificadores de pedido: 10\n";
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, told, ""));
    assert_eq!(fs::read(server.path().join("hortifruti.db")).unwrap(), before);
}

#[test]
fn every_contradiction_in_a_database_is_found() {
    let server = stopped_shop();
    let path = server.path().join("mal.db");
    for (damage, why) in [
        ("DELETE FROM movement WHERE sequence = 9", "segue o 10"),
        ("UPDATE movement SET balance_thousandths = balance_thousandths + 1 WHERE sequence = 9", "saldo"),
        ("UPDATE movement SET delta_thousandths = -2000 WHERE sequence = 14", "saldo"),
        (
            "UPDATE movement SET delta_thousandths = 0, balance_thousandths = 51000 WHERE sequence = 14",
            "nada",
        ),
        ("UPDATE movement SET product_id = 3 WHERE sequence = 14", "saldo"),
        ("UPDATE movement SET product_id = 9 WHERE sequence = 14", "abertura"),
        ("UPDATE movement SET kind = 'abertura' WHERE sequence = 14", "abre"),
        ("UPDATE movement SET kind = 'roubo' WHERE sequence = 14", "roubo"),
        ("UPDATE movement SET request_id = 'a b' WHERE sequence = 14", "inválido"),
        ("UPDATE balance_forward SET stock_thousandths = 1000 WHERE product_id = 4", "estoque"),
        ("UPDATE forwarded SET sequence = 99", ""),
        ("DELETE FROM product_terms WHERE id = 4", "produto 4"),
        ("DELETE FROM product_terms WHERE id = 2", ""),
        (
            "INSERT INTO product_terms (id, name, key, unit, price_centavos) VALUES (5, 'Uva', 'uva', 'un', 1)",
            "abertura",
        ),
        ("UPDATE product_terms SET name = 'Maçã' WHERE id = 4", "os produtos 1 e 4 têm o mesmo nome"),
        ("UPDATE product_terms SET name = 'Ｍaca' WHERE id = 4", "os produtos 1 e 4 têm o mesmo nome"),
        ("UPDATE product_terms SET name = 'Maca' WHERE id = 4", "os produtos 1 e 4 têm o mesmo nome"),
        ("UPDATE product_terms SET name = 'Uva' WHERE id = 4", "a chave do produto 4"),
        ("UPDATE product_terms SET key = 'uva' WHERE id = 4", "a chave do produto 4"),
        ("UPDATE movement SET request_id = 'c3' WHERE sequence = 14", "gravado duas vezes"),
        ("UPDATE request_index SET through = 9", "índice"),
        ("INSERT INTO request VALUES ('c3', 0, x'02', 14)", "gravado duas vezes"),
        ("INSERT INTO request VALUES ('lote', 0, x'02', 99)", "lote"),
        ("INSERT INTO request VALUES ('lote', 0, x'02', -1)", "lote"),
        ("UPDATE movement SET previous = 3 WHERE sequence = 14", "o anterior do seu produto"),
        ("UPDATE movement SET previous = NULL WHERE sequence = 14", "o anterior do seu produto"),
        ("UPDATE balance_forward SET last_sequence = 1 WHERE product_id = 4", "o último movimento de Caju"),
        ("INSERT INTO document VALUES (14, 2)", "o documento 14"),
        ("INSERT INTO document VALUES (8, 3), (10, 2)", "o documento 10"),
        ("INSERT INTO undo VALUES (13, 14)", "o movimento 14 não desfaz"),
        ("INSERT INTO undo VALUES (13, 99)", "o movimento 99 não desfaz"),
        ("UPDATE movement SET cost_centavos = 5 WHERE sequence = 14", "o movimento 14 não leva do custo"),
        (
            "UPDATE balance_forward SET stock_cost_centavos = 5 WHERE product_id = 4",
            "o custo do estoque de Caju",
        ),
        ("UPDATE movement SET author_id = 9 WHERE sequence = 14", "sem o seu autor"),
        (
            "INSERT INTO movement_detail VALUES (99, 5, NULL, NULL)",
            "o movimento 99 tem detalhes e não existe",
        ),
        ("INSERT INTO movement_detail VALUES (1, 5, NULL, NULL)", "o movimento 1 tem um total ou uma causa"),
        (
            "INSERT INTO movement_detail VALUES (1, NULL, 'maduro', NULL)",
            "o movimento 1 tem um total ou uma causa",
        ),
        ("INSERT INTO movement_detail VALUES (1, NULL, NULL, '')", "em branco"),
        (
            "INSERT INTO purchase (sequence, product_id) VALUES (99, 1)",
            "o movimento 99 está entre as compras",
        ),
        ("INSERT INTO purchase (sequence, product_id) VALUES (1, 1)", "o movimento 1 está entre as compras"),
        ("PRAGMA user_version = 99", "versão mais nova"),
        ("PRAGMA user_version = 2", "versão anterior"),
        ("PRAGMA application_id = 7", "outro programa"),
        ("DROP TABLE forwarded", ""),
    ] {
        fs::copy(server.path().join("hortifruti.db"), &path).unwrap();
        Connection::open(&path)
            .unwrap()
            .execute_batch(&format!("PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = OFF; {damage}"))
            .unwrap();
        let ended = verify(server.path(), "mal.db");
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{damage}");
        assert!(ended.err.starts_with("Erro: a conferência falhou: "), "{}", ended.err);
        assert!(ended.err.contains(why), "{damage}: {}", ended.err);
    }
    let ended = verify(server.path(), "nao-ha.db");
    assert!(ended.code == 1 && ended.err.contains("não existe"), "{ended:?}");
    assert!(!server.path().join("nao-ha.db").exists());
}

#[test]
fn a_dated_copy_makes_the_oldest_of_its_kind_give_way() {
    let server = Server::start(&[]);
    let copies = server.path().join("copias");
    let names = || {
        let mut names: Vec<String> = fs::read_dir(&copies)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let first = server.run(&["backup", "--keep", "3", "copias"]);
    assert_eq!((first.code, first.err.as_str()), (0, ""), "{first:?}");
    let [made] = &names()[..] else { panic!("{:?}", names()) };
    assert!(first.out.starts_with(&format!("Cópia feita e conferida em copias/{made}.\nProdutos: 4\n")));
    // Older copies, and files that only look like some.
    for day in 1..=4 {
        fs::copy(copies.join(made), copies.join(format!("hortifruti-2020-01-0{day}T031500.db"))).unwrap();
    }
    // Copies of a clock that was ahead take the place of none.
    for day in 1..=2 {
        fs::copy(copies.join(made), copies.join(format!("hortifruti-2099-01-0{day}T031500.db"))).unwrap();
    }
    fs::remove_file(copies.join(made)).unwrap();
    fs::write(copies.join("hortifruti-2019-01-01T031500.db"), "importante").unwrap();
    fs::copy(copies.join("hortifruti-2020-01-01T031500.db"), copies.join("filial-2019-01-01T031500.db"))
        .unwrap();
    symlink(copies.join("filial-2019-01-01T031500.db"), copies.join("hortifruti-2018-01-01T031500.db"))
        .unwrap();
    let second = server.run(&["backup", "--keep", "3", "copias"]);
    assert_eq!(second.code, 0, "{second:?}");
    let gone =
        [1, 2].map(|day| format!("Cópia antiga apagada: copias/hortifruti-2020-01-0{day}T031500.db.\n"));
    assert_eq!(second.err, gone.concat());
    let left = names();
    assert_eq!(
        left[..5],
        [
            "filial-2019-01-01T031500.db",
            "hortifruti-2018-01-01T031500.db",
            "hortifruti-2019-01-01T031500.db",
            "hortifruti-2020-01-03T031500.db",
            "hortifruti-2020-01-04T031500.db",
        ]
    );
    assert_eq!(left.len(), 8);

    // A copy that fails takes nothing away.
    let failed = server.run(&["backup", "--keep", "1", "--data", "nao-ha.db", "nova"]);
    assert!(failed.code == 1 && !server.path().join("nova").exists(), "{failed:?}");
    let failed = server.run(&["backup", "--keep", "1", "server_port.txt"]);
    assert!(failed.err.contains("não é uma pasta"), "{failed:?}");
    let failed = server.run(&["backup", "--keep", "1", "--data", "nao-ha.db", "copias"]);
    assert_eq!((failed.code, names()), (1, left), "{failed:?}");
    for args in [&["--keep", "0", "copias"][..], &["--keep", "3", "--force", "copias"]] {
        assert_eq!(server.run(&[&["backup"], args].concat()).code, 2);
    }
}
