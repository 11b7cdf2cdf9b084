//! SIGKILL under load: nothing that was answered is lost, and nothing is made twice.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Connection, Server};

/// Kills in one run.
const KILLS: usize = 20;

/// Connections that change stocks all the time.
const WRITERS: usize = 8;

/// Answered changes between two kills, at least.
const ANSWERS_PER_KILL: usize = 200;

#[test]
fn a_killed_server_lost_nothing_that_it_answered() {
    let mut server = Server::start(&[]);
    let mut answered: HashSet<String> = HashSet::new();
    for round in 0..KILLS {
        let seen = Mutex::new(HashSet::new());
        let unanswered = Mutex::new(Vec::new());
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (seen, unanswered, count, port) = (&seen, &unanswered, &count, server.port);
                scope.spawn(move || {
                    let mut connection = Connection::new(port);
                    for change in 0.. {
                        let id = format!("{round}-{writer}-{change}");
                        let line = format!("3 {} 1 id={id}", ["Maca", "Pera", "Banana", "Caju"][writer % 4]);
                        connection.send_until_closed(format!("{line}\n"));
                        match connection.try_reply() {
                            Some(reply) => {
                                assert!(reply.contains("Estoque: "), "{reply}");
                                seen.lock().unwrap().insert(id);
                                count.fetch_add(1, Ordering::Relaxed);
                            }
                            None => return unanswered.lock().unwrap().push(line),
                        }
                    }
                });
            }
            while count.load(Ordering::Relaxed) < ANSWERS_PER_KILL {
                std::thread::yield_now();
            }
            server.signal("KILL");
        });
        server.wait();
        server.restart();
        // Whoever got no answer asks again, with the same id.
        let mut connection = server.connect();
        for line in unanswered.into_inner().unwrap() {
            let reply = connection.ask(&line);
            assert!(reply.contains("Estoque: "), "{reply}");
            seen.lock().unwrap().insert(line.split_once("id=").unwrap().1.to_owned());
        }
        answered.extend(seen.into_inner().unwrap());
    }
    let listed = server.connect().ask("4");
    server.stop();
    check_ledger(&server, &answered, &listed);
}

/// The ledger holds exactly the changes that were answered, without gaps, and the stocks
/// are their sums.
fn check_ledger(server: &Server, answered: &HashSet<String>, listed: &str) {
    let database = rusqlite::Connection::open(server.path().join("hortifruti.db")).unwrap();
    let one = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut ids = database.prepare("SELECT request_id FROM movement WHERE request_id IS NOT NULL").unwrap();
    let ids: HashSet<String> = ids.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(&ids, answered);
    assert_eq!(one("SELECT count(*) FROM movement"), one("SELECT max(sequence) FROM movement"));
    assert_eq!(one("SELECT count(*) FROM movement"), 4 + answered.len() as i64);
    let mut stocks = database
        .prepare(
            "SELECT name, sum(delta_thousandths) FROM movement JOIN product ON product.id = product_id
             GROUP BY product.id ORDER BY product.id",
        )
        .unwrap();
    let stocks: Vec<(String, i64)> =
        stocks.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for ((name, sum), line) in stocks.iter().zip(listed.lines()) {
        assert!(line.starts_with(name.as_str()), "{line}");
        assert!(line.ends_with(&format!("Estoque: {}", sum / 1000)), "{line}: {sum}");
    }
}
