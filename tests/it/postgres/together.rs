//! Servers of one shop that start at the same moment: one of them writes, and the others say which.

use crate::support::postgres::Version;
use crate::support::waiting::wait_for;
use crate::support::{FOUR_PRODUCTS, Server};

/// Starts two servers together so many times: on an empty database, and on a shop that is there already.
pub(crate) fn start_together(version: &'static Version, times: usize) {
    for round in 0..times {
        let database = version.shared().database();
        let shop = database.shop("centro");
        let start = || Server::start(&["--data", &shop]);
        let mut sold = 0;
        let mut sell = |server: &Server| {
            sold += 1;
            let answer = server.connect().ask(&format!("3 Caju -1 id=v{sold}"));
            assert_eq!(answer, format!("Caju: R$2.0, Estoque: {}", 60 - sold), "round {round}");
        };
        if round % 2 == 1 {
            let mut before = start();
            sell(&before);
            before.stop();
        }
        let mut servers: [Server; 2] = std::thread::scope(|scope| {
            [scope.spawn(start), scope.spawn(start)].map(|starting| starting.join().unwrap())
        });
        let writer = wait_for(|| {
            let answers = servers.each_ref().map(|server| server.connect().ask("1 Caju"));
            match answers.each_ref().map(|answer| answer.starts_with("Caju: ")) {
                [true, false] => Ok(0),
                [false, true] => Ok(1),
                _ => Err(format!("{answers:?}")),
            }
        });
        sell(&servers[writer]);
        let holder = format!(" holder=127.0.0.1:{}", servers[writer].port);
        wait_for(|| {
            let refused = servers[1 - writer].connect().ask("3 Caju -1");
            assert!(refused.starts_with("Erro UNAVAILABLE: "), "{refused}");
            // The other server finds out a moment later who writes.
            if refused.ends_with(&holder) { Ok(()) } else { Err(refused) }
        });
        // The one that stands by takes over, and has all.
        servers[writer].stop();
        wait_for(|| {
            let answer = servers[1 - writer].connect().ask("1 Caju");
            if answer.starts_with("Caju: ") { Ok(()) } else { Err(answer) }
        });
        sell(&servers[1 - writer]);
        servers[1 - writer].stop();
        let movements = "SELECT count(*), count(DISTINCT sequence), max(sequence) FROM hortifruti.movement";
        let count = FOUR_PRODUCTS.lines().count() + sold;
        assert_eq!(database.sql(movements), format!("{count}|{count}|{count}"), "round {round}");
        let verified = servers[writer].run(&["verify", &shop]);
        assert_eq!(verified.code, 0, "{}", verified.err);
    }
}
