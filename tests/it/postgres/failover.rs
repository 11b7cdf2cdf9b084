//! What becomes of answers if an engine goes, or gives up waiting for its standby.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::wire::Wire;
use crate::support::postgres::{Cluster, Version, address, newest, versions};
use crate::support::waiting::wait_for;
use crate::support::{Server, hortifruti, run};

/// A primary with a standby, and the database of both.
fn pair(version: &'static Version) -> (Cluster, Cluster) {
    let primary = Cluster::new(version);
    let standby = primary.standby("b");
    (primary, standby)
}

fn serve(primary: &Cluster, standby: &Cluster) -> Server {
    Server::start(&["--data", &address(&[primary.port, standby.port], "lojas", "centro")])
}

#[test]
fn a_standby_that_is_promoted_has_all_that_was_answered() {
    for version in versions() {
        let (mut primary, standby) = pair(version);
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let mut server = serve(&primary, &standby);
        let mut till = server.connect();
        for sold in 1..=10 {
            assert_eq!(
                till.ask(&format!("3 Caju -1 id=v{sold}")),
                format!("Caju: R$2.0, Estoque: {}", 60 - sold)
            );
        }
        primary.kill();
        standby.promote();
        // The server asks the other engine by itself, and no client sees more than a pause.
        let since = Instant::now();
        assert_eq!(till.ask("3 Caju -1 id=v11"), "Caju: R$2.0, Estoque: 49");
        println!("{}: answered after {:?}", version.name, since.elapsed());
        assert_eq!(till.ask("3 Caju -1 id=v10"), "Caju: R$2.0, Estoque: 50");
        server.stop();
        let verified = server.run(&["verify", server.data().unwrap()]);
        assert_eq!(verified.code, 0, "{}", verified.err);
    }
}

#[test]
fn an_engine_that_lost_answered_changes_is_found_out() {
    for version in versions() {
        let mut primary = Cluster::new(version);
        let replication = Wire::to(primary.port);
        let standby = primary.standby_by(replication.port, "b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let server = serve(&primary, &standby);
        let mut till = server.connect();
        till.ask("3 Caju -1");
        let last = primary.sql("postgres", "SELECT pg_current_wal_lsn()");
        wait_for(|| {
            match standby.sql("postgres", &format!("SELECT pg_last_wal_replay_lsn() >= '{last}'")).as_str() {
                "t" => Ok(()),
                _ => Err("the standby is behind"),
            }
        });
        // From here on the standby gets nothing, and nobody waits for it.
        replication.hold(true);
        for _ in 0..5 {
            assert!(till.ask("3 Caju -1").starts_with("Caju: "));
        }
        primary.kill();
        standby.promote();
        // What was on its way then is nowhere, but the engine is not the one to say so. If the keeper of the lease has
        // found the other engine first, nothing was sent.
        let unknown = till.ask("3 Caju -1");
        let is_refused =
            ["Erro OUTCOME_UNKNOWN: ", "Erro UNAVAILABLE: "].iter().any(|it| unknown.starts_with(it));
        assert!(is_refused, "{unknown}");
        for _ in 0..3 {
            let refused = till.ask("3 Caju -1");
            assert!(refused.starts_with("Erro UNAVAILABLE: "), "{refused}");
        }
        // The server shows what it has answered.
        assert_eq!(till.ask("1 Caju"), "Caju: R$2.0, Estoque: 54");
    }
}

#[test]
fn every_server_that_knows_of_lost_changes_waits_to_be_started_again() {
    let Some(version) = newest() else { return };
    let mut primary = Cluster::new(version);
    let replication = Wire::to(primary.port);
    let standby = primary.standby_by(replication.port, "b");
    primary.sql("postgres", "CREATE DATABASE lojas");
    let (mut writer, mut other) = (serve(&primary, &standby), serve(&primary, &standby));
    writer.connect().ask("3 Caju -1");
    wait_for(|| match standby.try_sql("lojas", "SELECT max(last) FROM hortifruti.journal").as_deref() {
        Ok("5") => Ok(()),
        found => Err(format!("{found:?}")),
    });
    replication.hold(true);
    for _ in 0..3 {
        writer.connect().ask("3 Caju -1");
    }
    assert!(other.connect().ask("historico limite=1").starts_with("#8 "));
    primary.kill();
    standby.promote();
    writer.kill();
    // The other one takes the lease over, knows of changes that are not there, and says so.
    let lost = wait_for(|| {
        let refusal = other.connect().ask("3 Caju -1");
        if refusal.contains("perdeu mudanças confirmadas") { Ok(refusal) } else { Err(refusal) }
    });
    assert!(lost.contains("até ser iniciado de novo"), "{lost}");
    for line in ["1 Caju", "historico limite=1"] {
        let refusal = other.connect().ask(line);
        assert!(refusal.starts_with("Erro UNAVAILABLE: o banco de dados perdeu"), "{line}: {refusal}");
    }
    writer.restart();
    assert!(
        writer.connect().ask("3 Caju -1").starts_with("Erro UNAVAILABLE: "),
        "the other one has the lease"
    );
    // Once all are started again, somebody has decided.
    other.stop();
    other.restart();
    let answer = wait_for(|| {
        let answer = writer.connect().ask("3 Caju -1");
        if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
    });
    assert_eq!(answer, "Caju: R$2.0, Estoque: 58");
    assert!(other.connect().ask("historico limite=1").starts_with("#6 "));
}

#[test]
fn a_server_that_stands_by_leaves_a_primary_that_is_silent() {
    for version in versions() {
        let (primary, standby) = pair(version);
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let mut writer = serve(&primary, &standby);
        let other = serve(&primary, &standby);
        assert_eq!(writer.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
        primary.freeze(true);
        standby.promote();
        writer.kill();
        let since = Instant::now();
        let answer = wait_for(|| {
            let answer = other.connect().ask("3 Caju -1");
            if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
        });
        println!("{}: answered after {:?}", version.name, since.elapsed());
        assert_eq!(answer, "Caju: R$2.0, Estoque: 58");
        primary.freeze(false);
    }
}

#[test]
fn a_cancelled_wait_for_the_standby_is_no_success() {
    for version in versions() {
        let (primary, standby) = pair(version);
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        wait_for(|| {
            let found = standby.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'lojas'");
            if found == "1" { Ok(()) } else { Err("the standby is behind") }
        });
        let server = serve(&primary, &standby);
        for (round, end) in ["pg_cancel_backend", "pg_terminate_backend"].into_iter().enumerate() {
            standby.freeze(true);
            let sale = format!("3 Caju -1 id=v{round}\n");
            let mut till = server.connect();
            till.send(&sale);
            let cancel = format!(
                "SELECT count({end}(pid)) FROM pg_stat_activity WHERE datname = 'lojas' AND wait_event = 'SyncRep'"
            );
            wait_for(|| match primary.sql("postgres", &cancel).as_str() {
                "0" => Err("no commit waits for the standby"),
                _ => Ok(()),
            });
            // The change is visible in the engine, and no standby has it.
            assert!(!till.is_answered_within(Duration::from_millis(300)), "{end}");
            standby.freeze(false);
            assert_eq!(till.reply(), format!("Caju: R$2.0, Estoque: {}", 59 - round), "{end}");
            // The standby has the log of the change, and may not have replayed it yet.
            let received = standby.sql("postgres", "SELECT pg_last_wal_receive_lsn()");
            let is_replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{received}'");
            wait_for(|| match standby.sql("postgres", &is_replayed).as_str() {
                "t" => Ok(()),
                _ => Err("the standby still replays"),
            });
            let on_standby =
                format!("SELECT count(*) FROM hortifruti.movement WHERE request_id = 'v{round}'");
            assert_eq!(standby.sql("lojas", &on_standby), "1", "{end}");
        }
    }
}

#[test]
fn a_commit_that_still_runs_is_waited_for() {
    for version in versions() {
        let primary = Cluster::new(version);
        let replication = Wire::to(primary.port);
        let _standby = primary.standby_by(replication.port, "b");
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let mut server = Server::start(&["--data", &address(&[primary.port], "lojas", "centro")]);
        let mut till = server.connect();
        assert_eq!(till.ask("3 Caju -1 id=v1"), "Caju: R$2.0, Estoque: 59");
        // The server gives up waiting, but the engine goes on with the commit.
        replication.hold(true);
        till.send("3 Caju -1 id=v2\n");
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'lojas' AND wait_event_type = 'Lock'
                     AND (query LIKE 'UPDATE lease SET epoch = greatest%' OR query LIKE '%INSERT INTO journal%')";
        wait_for(|| match primary.sql("postgres", waits).as_str() {
            "0" => Err("nothing waits for the commit"),
            _ => Ok(()),
        });
        replication.hold(false);
        assert_eq!(till.reply(), "Caju: R$2.0, Estoque: 58", "{}", version.name);
        assert_eq!(till.ask("3 Caju -1 id=v3"), "Caju: R$2.0, Estoque: 57");
        server.stop();
        let verified = server.run(&["verify", server.data().unwrap()]);
        assert_eq!(verified.code, 0, "{}", verified.err);
    }
}

#[test]
fn a_deposed_primary_that_comes_back_is_left_alone() {
    for version in versions() {
        let (primary, standby) = pair(version);
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let wire = Wire::to(primary.port);
        let server = Server::start(&["--data", &address(&[wire.port, standby.port], "lojas", "centro")]);
        let mut till = server.connect();
        assert_eq!(till.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
        wire.hold(true);
        standby.promote();
        assert_eq!(till.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 58", "{}", version.name);
        // The primary that was takes changes, and is the first host of the address.
        primary.set("synchronous_standby_names", "");
        wire.hold(false);
        for left in [57, 56] {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lojas'";
            standby.sql("postgres", end);
            let sale = format!("3 Caju -1 id=v{left}");
            assert_eq!(till.ask(&sale), format!("Caju: R$2.0, Estoque: {left}"), "{}", version.name);
        }
        let sold = "SELECT count(*) FROM hortifruti.movement WHERE request_id IN ('v57', 'v56')";
        assert_eq!((primary.sql("lojas", sold), standby.sql("lojas", sold)), ("0".into(), "2".into()));
        // The primary that was answers first, and is not checked.
        let slower = Wire::to(standby.port);
        let verified = server.run(&["verify", &address(&[primary.port, slower.port], "lojas", "centro")]);
        assert!(verified.out.contains("Movimentos: 8\n"), "{}: {verified:?}", version.name);
    }
}

#[test]
fn a_missing_standby_is_waited_for_and_named() {
    for version in versions() {
        let cluster = Cluster::new(version);
        let (used, empty) = (cluster.database(), cluster.database());
        Server::start(&["--data", &used.shop("primeira")]).stop();
        cluster.set("synchronous_standby_names", "b");
        wait_for(|| match cluster.sql("postgres", "SHOW synchronous_standby_names").as_str() {
            "b" => Ok(()),
            now => Err(format!("the setting is {now:?}")),
        });
        let mut source = Server::start(&[]);
        source.stop();
        let shop = empty.shop("centro");
        let serve = ["serve", "--port", "0", "--data", &shop];
        for args in [&serve[..], &["move", "hortifruti.db", &used.shop("centro")]] {
            let ended = source.run(args);
            assert!(ended.err.contains("talvez espere por uma cópia síncrona (b)"), "{args:?}: {ended:?}");
        }
        // A shop that is there has a server as soon as the standby is.
        let folder = tempfile::tempdir().unwrap();
        let waiting = Server::start_logged_in(folder, &["--data", &used.shop("primeira")]);
        waiting.log("talvez espere por uma cópia síncrona (b)");
        let refused = waiting.connect().ask("3 Caju -1");
        assert!(refused.starts_with("Erro UNAVAILABLE: este servidor está de reserva"), "{refused}");
        cluster.set("synchronous_standby_names", "");
        let answer = wait_for(|| {
            let answer = waiting.connect().ask("3 Caju -1");
            if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
        });
        assert_eq!(answer, "Caju: R$2.0, Estoque: 59");
        let server = Server::start(&["--data", &shop]);
        assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    }
}

#[test]
fn the_lease_and_the_changes_of_a_server_are_on_one_engine() {
    for version in versions() {
        let (primary, standby) = pair(version);
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE DATABASE lojas");
        let server = serve(&primary, &standby);
        let mut till = server.connect();
        assert_eq!(till.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
        // Nobody has ended the primary that was, and it takes changes by itself. Only the keeper of the lease has to
        // connect again.
        standby.promote();
        primary.set("synchronous_standby_names", "");
        let beat = "SELECT beat FROM hortifruti.lease";
        let before = standby.sql("lojas", beat);
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = 'lojas' AND query LIKE 'UPDATE lease SET beat%'";
        wait_for(|| match primary.sql("postgres", end).as_str() {
            "0" => Err("the lease is not renewed"),
            _ => Ok(()),
        });
        wait_for(|| match standby.sql("lojas", beat) {
            beat if beat != before => Ok(()),
            beat => Err(format!("the lease is still at {beat}")),
        });
        assert_eq!(till.ask("3 Caju -1 id=v2"), "Caju: R$2.0, Estoque: 58", "{}", version.name);
        let sold = "SELECT count(*) FROM hortifruti.movement WHERE request_id = 'v2'";
        assert_eq!((primary.sql("lojas", sold), standby.sql("lojas", sold)), ("0".into(), "1".into()));
    }
}

#[test]
fn a_server_that_is_cut_off_answers_no_reads() {
    for version in versions() {
        let wire = Wire::to(version.shared().port);
        let shop = version.new_shop();
        let server = Server::start(&["--data", &wire.address(&shop)]);
        let mut till = server.connect();
        assert_eq!(till.ask("3 Caju -20"), "Caju: R$2.0, Estoque: 40");
        let other = Server::start(&["--data", &shop]);
        wire.hold(true);
        let mut other = other.connect();
        wait_for(|| {
            let answer = other.ask("3 Caju -5 id=v1");
            if answer == "Caju: R$2.0, Estoque: 35" { Ok(()) } else { Err(answer) }
        });
        for question in ["1 Caju", "4", "1 Caju"] {
            let refused = till.ask(question);
            assert!(refused.starts_with("Erro UNAVAILABLE: "), "{}: {question}: {refused}", version.name);
        }
        wire.hold(false);
    }
}

/// Statements of the lease that the server gives up before the sessions are counted: one a second.
const GIVEN_UP: u64 = 10;

/// Sessions that two servers have at most on an engine that waits for its standby: those that do their work, and some
/// whose wait PostgreSQL ends for no client that has gone.
const SESSIONS_MAX: usize = 24;

#[test]
fn statements_that_are_given_up_leave_no_sessions_behind() {
    let Some(version) = newest() else { return };
    let cluster = Cluster::new(version);
    let shop = address(&[cluster.port], "postgres", "centro");
    let (writer, other) = (Server::start(&["--data", &shop]), Server::start(&["--data", &shop]));
    assert_eq!(writer.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    cluster.set("synchronous_standby_names", "nenhum");
    writer.connect().send("3 Caju -1 id=v\n");
    wait_for(|| {
        // What the other server confirms for its readers waits too.
        other.connect().ask("historico limite=1");
        let status: Value = serde_json::from_str(&writer.run(&["status", "--format", "json"]).out).unwrap();
        match status["lease"]["reconnections"].as_u64() {
            Some(GIVEN_UP..) => Ok(()),
            _ => Err(status),
        }
    });
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    wait_for(|| match cluster.sql("postgres", sessions).parse::<usize>().unwrap() {
        ..=SESSIONS_MAX => Ok(()),
        count => Err(format!("{count} sessions")),
    });
}

#[test]
fn a_standby_alone_takes_no_changes() {
    for version in versions() {
        let (_primary, standby) = pair(version);
        let folder = tempfile::tempdir().unwrap();
        let mut command = hortifruti(folder.path());
        command.args(["serve", "--port", "0", "--data", &address(&[standby.port], "postgres", "centro")]);
        let ended = run(&mut command, "");
        assert_ne!(ended.code, 0, "{}: {ended:?}", version.name);
    }
}
