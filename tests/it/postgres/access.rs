//! Who is let into the database: TLS, passwords, and a server whose role may not change the tables.

use std::path::Path;

use crate::network::Authority;
use crate::support::postgres::{Cluster, Version, versions};
use crate::support::waiting::wait_for;
use crate::support::{Ended, Server, hortifruti, keep, project, run};

/// The database and the roles of the documents, with their passwords.
const ROLES: &str = "CREATE ROLE dona LOGIN PASSWORD 'da:dona';
    CREATE ROLE hortifruti LOGIN PASSWORD 'da\\loja';
    CREATE DATABASE loja";

/// The lines of a file of passwords, with what is escaped there.
const RIGHT: &str =
    "outro:5432:loja:hortifruti:nenhuma\n*:*:loja:dona:da\\:dona\nlocalhost:*:loja:hortifruti:da\\\\loja\n";
const WRONG: &str = "*:*:*:*:errada\n";

fn cluster(version: &'static Version) -> Cluster {
    println!("{}", version.name);
    let cluster = Cluster::new(version);
    cluster.sql("postgres", ROLES);
    cluster
}

/// The address of the shop for a role.
fn url(cluster: &Cluster, role: &str, host: &str, options: &str) -> String {
    format!("postgres://{role}@{host}:{}/loja?shop=centro&{options}", cluster.port)
}

/// Starts a server that must not come up.
fn refused(folder: &Path, url: &str, password: Option<&str>) -> String {
    let mut command = hortifruti(folder);
    command.args(["serve", "--port", "0", "--data", url]);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let ended = run(&mut command, "");
    assert_ne!(ended.code, 0, "{url}");
    assert!(!ended.err.contains("da:dona") && !ended.err.contains("errada"), "{}", ended.err);
    ended.err
}

fn verify(folder: &Path, url: &str, password: &str) -> Ended {
    run(hortifruti(folder).args(["verify", url]).env("PGPASSWORD", password), "")
}

#[test]
fn only_a_certificate_of_the_right_authority_and_name_is_taken() {
    for version in versions() {
        let cluster = cluster(version);
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("autoridade"));
        let path = folder.path();
        authority.write(path, "ca.pem");
        Authority::new("outra").write(path, "outra.pem");
        let tls =
            |authority: &str| format!("sslmode=verify-full&sslrootcert={}", path.join(authority).display());
        cluster.sql("postgres", "GRANT CREATE ON DATABASE loja TO hortifruti");
        let said = refused(path, &url(&cluster, "hortifruti", "localhost", &tls("ca.pem")), None);
        assert!(said.contains("o banco não usa TLS"), "{said}");
        authority.issue(path, "banco", &["localhost"], |_| {});
        if !cluster.use_tls(path, "banco") {
            println!("{} is built without TLS", version.name);
            continue;
        }
        // From here on the engine takes nothing that is not encrypted.
        cluster.admit("hostssl loja hortifruti 127.0.0.1/32 trust");
        for (host, options, words) in [
            ("localhost", tls("outra.pem"), "autoridade que assinou o certificado do banco é desconhecida"),
            ("localhost", tls("outra.pem"), "sslrootcert="),
            ("127.0.0.1", tls("ca.pem"), "o certificado do banco não é de 127.0.0.1, e sim de localhost"),
            ("localhost", "sslmode=disable".to_owned(), "no encryption"),
        ] {
            let said = refused(path, &url(&cluster, "hortifruti", host, &options), None);
            assert!(said.contains(words), "{host} {options}: {said}");
        }
        let right = url(&cluster, "hortifruti", "localhost", &tls("ca.pem"));
        let server = Server::start(&["--data", &right]);
        assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
        let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE usename = 'hortifruti'";
        assert_eq!(cluster.sql("postgres", encrypted), "t");
        drop(server);
    }
}

#[test]
fn a_password_comes_from_the_environment_or_a_file_and_a_wrong_one_is_refused() {
    for version in versions() {
        let cluster = cluster(version);
        cluster.admit("host loja hortifruti 127.0.0.1/32 scram-sha-256");
        cluster.sql("postgres", "GRANT CREATE ON DATABASE loja TO hortifruti");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        keep(&path.join("certas"), RIGHT);
        keep(&path.join("outras"), WRONG);
        let with = |options: &str| url(&cluster, "hortifruti", "localhost", options);
        let passfile = |name: &str| with(&format!("passfile={}", path.join(name).display()));
        for (url, password, words) in [
            (with(""), None, "o banco pede uma senha; use a variável PGPASSWORD"),
            (with(""), Some("errada"), "o banco recusou o usuário ou a senha"),
            (passfile("outras"), None, "o banco recusou o usuário ou a senha"),
            // The variable comes before the file.
            (passfile("certas"), Some("errada"), "o banco recusou o usuário ou a senha"),
            (passfile("nenhum"), None, "o arquivo de senhas"),
        ] {
            let said = refused(path, &url, password);
            assert!(said.contains(words), "{url}: {said}");
        }
        let server = Server::start(&["--data", &passfile("certas")]);
        assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
        let verified = verify(path, &with(""), r"da\loja");
        assert_eq!(verified.code, 0, "{}", verified.err);
    }
}

/// The statements of the document that let a role serve the shop.
fn documented_grants() -> String {
    let page = std::fs::read_to_string(project().join("docs/postgres.md")).unwrap();
    let from = page.find("GRANT USAGE ON SCHEMA").expect("the grants in docs/postgres.md");
    page[from..].split("```").next().unwrap().to_owned()
}

#[test]
fn a_role_that_may_not_change_the_tables_serves_the_shop() {
    for version in versions() {
        let cluster = cluster(version);
        let own = |role: &str| url(&cluster, role, "127.0.0.1", "sslmode=disable");
        cluster.sql("postgres", "GRANT CREATE ON DATABASE loja TO dona");
        let folder = tempfile::tempdir().unwrap();
        // The tables are the owner's affair.
        let said = refused(folder.path(), &own("hortifruti"), None);
        assert!(said.contains("inicie o servidor uma vez com o usuário dono do banco"), "{said}");
        let mut first = Server::start(&["--data", &own("dona")]);
        first.stop();
        cluster.sql("loja", &documented_grants());
        let (mut server, standby) =
            (Server::start(&["--data", &own("hortifruti")]), Server::start(&["--data", &own("hortifruti")]));
        for args in [
            &["sell", "2", "Caju", "1", "Pera"][..],
            &["buy", "5", "Maca", "--total", "20,00", "--supplier", "Sítio", "--lot", "A-7"],
            &["product", "new", "Uva", "8,90", "--code", "7"],
            &["product", "set", "Caju", "--price", "2,50"],
            &["product", "rename", "Pera", "Pera Williams"],
            &["count", "Banana", "28"],
            &["undo", "7"],
            &["product", "clear-examples"],
            &["report", "sales"],
            &["status"],
        ] {
            let ended = server.run(args);
            assert_eq!(ended.code, 0, "{args:?}: {}", ended.err);
        }
        for (statement, state) in [
            ("ALTER TABLE journal ADD COLUMN outra int4", "42501"),
            ("ALTER TABLE journal DISABLE TRIGGER guard", "42501"),
            ("SET session_replication_role = replica", "42501"),
            ("DROP TABLE journal", "42501"),
            ("TRUNCATE journal", "42501"),
            ("DELETE FROM journal", "42501"),
            ("UPDATE journal SET recorded_at = now()", "42501"),
            ("DELETE FROM purchase", "42501"),
            ("DELETE FROM request", "42501"),
            ("DELETE FROM undo", "42501"),
            ("DELETE FROM author", "42501"),
            ("DELETE FROM product_change", "42501"),
            ("DELETE FROM product_terms", "42501"),
            ("UPDATE product_change SET new_value = ''", "42501"),
            ("UPDATE schema_version SET version = 0", "42501"),
            ("INSERT INTO schema_version VALUES (99)", "42501"),
            ("CREATE TABLE outra (numero int4)", "42501"),
            (
                "CREATE OR REPLACE FUNCTION fence(of_shop int4, of_epoch int8) RETURNS void LANGUAGE sql AS ''",
                "42501",
            ),
            ("DROP SCHEMA hortifruti CASCADE", "42501"),
        ] {
            let asked = format!("SET ROLE hortifruti; SET search_path = hortifruti; {statement}");
            let error = cluster.try_sql("loja", &asked).expect_err(statement);
            assert!(error.contains(&format!("ERROR:  {state}: ")), "{statement}: {error}");
        }
        // The role also takes the lease over, and gives it back.
        server.stop();
        wait_for(|| {
            let answer = standby.connect().ask("3 Caju -1");
            if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
        });
        let verified = standby.run(&["verify", &own("hortifruti")]);
        assert_eq!(verified.code, 0, "{}", verified.err);
        // Without the right to take it, the log says so once, although a look at the lease succeeds each time.
        cluster.sql("loja", "REVOKE UPDATE ON hortifruti.lease FROM hortifruti");
        let idle = Server::start_logged_in(tempfile::tempdir().unwrap(), &["--data", &own("hortifruti")]);
        drop(standby);
        let refusal = "the lease of the shop cannot be kept now";
        idle.log(refusal);
        // The engine counts what it refuses.
        let refused = || {
            let counted = "SELECT xact_rollback FROM pg_stat_database WHERE datname = 'loja'";
            cluster.sql("loja", counted).parse::<u64>().unwrap()
        };
        let before = refused();
        wait_for(|| if refused() >= before + 5 { Ok(()) } else { Err("too few tries were refused") });
        cluster.sql("loja", "GRANT UPDATE ON hortifruti.lease TO hortifruti");
        wait_for(|| {
            let answer = idle.connect().ask("3 Caju -1");
            if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
        });
        assert_eq!(idle.log(refusal).matches(refusal).count(), 1, "{}", version.name);
        // Nor is a change that the engine refuses said for each client that tries.
        cluster.sql("loja", "REVOKE INSERT ON hortifruti.journal FROM hortifruti");
        for _ in 0..3 {
            let answer = idle.connect().ask("3 Caju -1");
            assert!(answer.starts_with("Erro UNAVAILABLE: o banco de dados recusou"), "{answer}");
        }
        let refusal = "the store refuses changes";
        assert_eq!(idle.log(refusal).matches(refusal).count(), 1, "{}", version.name);
    }
}
