//! Other programs in the database: what the engine refuses to every program, and what closes the store.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use crate::support::postgres::{Cluster, Version, address, shop_of, versions};
use crate::support::waiting::{lines, wait_for};
use crate::support::{FOUR_PRODUCTS, PATIENCE, Server, finished, hortifruti, run};

/// A shop with a server.
struct Shop {
    version: &'static Version,
    address: String,
    server: Server,
}

/// A session of psql in a transaction.
struct Session {
    program: Child,
    input: ChildStdin,
}

impl Session {
    fn commit(mut self) {
        self.input.write_all(b"COMMIT;\n").unwrap();
        drop(self.input);
        assert_eq!(finished(self.program).code, 0);
    }
}

fn shops() -> impl Iterator<Item = Shop> {
    versions().into_iter().map(|version| {
        println!("{}", version.name);
        let address = version.new_shop();
        let server = Server::start(&["--data", &address]);
        Shop { version, address, server }
    })
}

impl Shop {
    fn database(&self) -> &str {
        let (base, _) = self.address.split_once('?').unwrap();
        base.rsplit('/').next().unwrap()
    }

    /// Runs a statement about this shop, whose number it calls `own`.
    fn sql(&self, statement: &str) -> Result<String, String> {
        self.version.shared().try_sql(self.database(), &self.of_shop(statement))
    }

    fn of_shop(&self, statement: &str) -> String {
        let own = format!("(SELECT id FROM hortifruti.shop WHERE name = '{}')", shop_of(&self.address));
        format!("SET search_path = hortifruti;\n{}", statement.replace("own", &own))
    }

    /// The state of an error that the engine must give.
    fn refused(&self, statement: &str) -> String {
        let error = self.sql(statement).expect_err(statement);
        error.split("ERROR:  ").nth(1).unwrap_or(&error).split(':').next().unwrap().to_owned()
    }

    /// A session that has run a statement, and not committed it.
    fn begin(&self, statement: &str) -> Session {
        let mut session = self.version.shared().psql(self.database());
        let mut session =
            session.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = session.stdin.take().unwrap();
        let output = lines(session.stdout.take().unwrap());
        let begin = format!("BEGIN;\n{statement};\nSELECT 'begun';\n");
        input.write_all(self.of_shop(&begin).as_bytes()).unwrap();
        assert_eq!(output.recv_timeout(PATIENCE).unwrap(), "begun");
        Session { program: session, input }
    }

    fn ledger(&self) -> String {
        self.sql("SELECT * FROM journal WHERE shop = own ORDER BY first").unwrap()
    }

    /// Asserts that no change is made any more, and that products can be read.
    fn assert_closed(&self, sign: &str) {
        let before = self.ledger();
        for _ in 0..3 {
            let refused = self.server.connect().ask("3 Caju -1");
            assert!(refused.starts_with("Erro UNAVAILABLE: ") && refused.contains(sign), "{refused}");
        }
        assert_eq!(self.server.connect().ask("4"), FOUR_PRODUCTS);
        assert_eq!(self.ledger(), before);
    }
}

/// A row of one movement of Caju, after this many others and in an epoch that is so much later.
fn row(after: &str, epoch: &str, delta: i64, balance: i64) -> String {
    format!(
        "INSERT INTO journal (shop, first, last, epoch, recorded_at, products, kinds, deltas, balances, prices, previous)
         SELECT shop, last + 1 + {after}, last + 1 + {after}, epoch + {epoch}, now(), '{{4}}', '{{0}}',
                '{{{delta}}}', '{{{balance}}}', '{{200}}', '{{4}}'
         FROM (SELECT max(last) AS last FROM journal WHERE shop = own) AS ends, lease WHERE shop = own"
    )
}

#[test]
fn the_engine_refuses_every_program_what_no_ledger_may_have() {
    for shop in shops() {
        let before = shop.ledger();
        for (statement, state) in [
            (row("0", "0", -1000, -1000), "23514"),
            (row("1", "0", -1000, 59_000), "HF002"),
            (row("-1", "0", -1000, 59_000), "HF002"),
            (row("0", "1", -1000, 59_000), "HF001"),
            (row("0", "-1", -1000, 59_000), "HF001"),
            (row("0", "0", -1000, 59_000).replace("'{4}', '{0}'", "'{4,4}', '{0}'"), "23514"),
            ("UPDATE journal SET balances = '{1}' WHERE shop = own".to_owned(), "HF003"),
            ("DELETE FROM journal WHERE shop = own".to_owned(), "HF003"),
            ("TRUNCATE journal".to_owned(), "HF003"),
        ] {
            assert_eq!(shop.refused(&statement), state, "{statement}");
        }
        assert_eq!(shop.ledger(), before);
        assert_eq!(shop.server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    }
}

#[test]
fn of_two_commits_at_one_place_one_is_stored() {
    for shop in shops() {
        // The guard of the second does not see the first, which is not committed yet and has another end.
        let one = row("0", "0", -1000, 59_000);
        let two = ["4", "0", "-1000", "59000", "200"].into_iter().fold(one.clone(), |row, value| {
            row.replace(&format!("'{{{value}}}'"), &format!("'{{{value},{value}}}'"))
        });
        let two = two.replace("last + 1 + 0, epoch", "last + 2, epoch");
        let session = shop.begin(&two);
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO journal%' AND pid <> pg_backend_pid()";
        let (version, database, one) = (shop.version, shop.database().to_owned(), shop.of_shop(&one));
        let second = std::thread::spawn(move || version.shared().try_sql(&database, &one));
        wait_for(|| match shop.sql(waits).unwrap().as_str() {
            "0" if !second.is_finished() => Err("the second does not wait for the first"),
            _ => Ok(()),
        });
        session.commit();
        let error = second.join().unwrap().expect_err("the journal has two commits at one place");
        assert!(error.contains("23505"), "{error}");
    }
}

#[test]
fn a_movement_of_another_program_closes_the_store() {
    for shop in shops() {
        shop.sql(&row("0", "0", -1000, 59_000)).unwrap();
        shop.assert_closed("");
    }
}

#[test]
fn a_ledger_that_lost_its_end_closes_the_store() {
    for shop in shops() {
        shop.server.connect().ask("3 Pera 1");
        shop.server.connect().ask("3 Pera -1");
        let delete = "SET session_replication_role = replica;
            DELETE FROM journal WHERE shop = own AND first = (SELECT max(first) FROM journal WHERE shop = own)";
        shop.sql(delete).unwrap();
        shop.assert_closed("");
    }
}

#[test]
fn a_session_whose_end_is_unknown_is_waited_for_and_then_fenced() {
    for shop in shops() {
        // A commit that runs on in the engine after its server has lost the connection.
        let session = shop.begin(&row("0", "0", -1000, 59_000));
        // Another server takes the shop over meanwhile, and waits for that commit.
        let version = shop.version;
        let (database, seize) = (
            shop.database().to_owned(),
            shop.of_shop("UPDATE lease SET epoch = epoch + 1, holder = 'outro' WHERE shop = own"),
        );
        let seizing = std::thread::spawn(move || version.shared().sql(&database, &seize));
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%outro%'
            AND datname = current_database() AND pid <> pg_backend_pid()";
        wait_for(|| match shop.sql(waits).unwrap().as_str() {
            "1" => Ok(()),
            count => Err(format!("{count} sessions wait")),
        });
        session.commit();
        seizing.join().unwrap();
        // Nothing of the epoch before is stored from now on.
        assert_eq!(shop.refused(&row("0", "-1", -1000, 58_000)), "HF001");
        let refused = shop.server.connect().ask("3 Caju -1");
        assert!(refused.starts_with("Erro UNAVAILABLE: "), "{refused}");
    }
}

#[test]
fn a_database_whose_commits_are_not_kept_is_refused() {
    for version in versions() {
        let cluster = Cluster::new(version);
        let database = cluster.database();
        for (setting, value) in [("fsync", "off"), ("full_page_writes", "off")] {
            cluster.set(setting, value);
            wait_for(|| {
                let now = cluster.sql("postgres", &format!("SHOW {setting}"));
                if now == value { Ok(()) } else { Err(format!("{setting} is {now}")) }
            });
            let folder = tempfile::tempdir().unwrap();
            let mut command = hortifruti(folder.path());
            command.args(["serve", "--port", "0", "--data", &database.shop("centro")]);
            let ended = run(&mut command, "");
            assert!(ended.code != 0 && ended.err.contains(setting), "{}: {ended:?}", version.name);
            cluster.set(setting, "on");
        }
        let server = Server::start(&["--data", &database.shop("centro")]);
        assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    }
}

#[test]
fn a_database_that_lacks_characters_or_is_of_another_program_is_refused() {
    for version in versions() {
        let cluster = Cluster::new(version);
        let folder = tempfile::tempdir().unwrap();
        let refused = |database: &str| {
            let shop = address(&[cluster.port], database, "centro");
            let mut command = hortifruti(folder.path());
            let ended = run(command.args(["serve", "--port", "0", "--data", &shop]), "");
            assert_eq!(ended.code, 1, "{}: {ended:?}", version.name);
            ended.err
        };
        cluster.sql("postgres", "CREATE DATABASE estreito ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        let said = refused("estreito");
        assert!(said.contains("LATIN1") && said.contains("--encoding=UTF8"), "{said}");
        let database = cluster.database();
        database.sql("CREATE SCHEMA hortifruti; CREATE TABLE hortifruti.shop (numero int4)");
        let said = refused(&database.name);
        assert!(said.contains("tabelas de outro programa (relation \"shop\" already exists)"), "{said}");
    }
}
