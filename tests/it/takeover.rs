//! Several servers of one shop in PostgreSQL: one writes, the others stand by, and one of them takes over.

use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tonic::Code;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, GetProductRequest, ImportProductsRequest,
    ListMovementsRequest, ProductDraft, WatchMovementsRequest,
};

use crate::postgres::wire::Wire;
use crate::support::postgres::{Cluster, address, newest, versions};
use crate::support::waiting::{kill, lines, wait_for};
use crate::support::web::Web;
use crate::support::{Connection, PATIENCE, Server};

/// The header of an answer by a server that stands by.
const MARK: &str = "hortifruti-standby";

/// How long a shop may be without a server that writes after its writer was killed: the lease of two seconds, the
/// take-over, and a busy machine.
const KILLED_MAX: Duration = Duration::from_secs(8);

/// The same after the writer has given its lease back.
const STOPPED_MAX: Duration = Duration::from_millis(1500);

/// How long a watcher may stay with a frozen server: the take-over, three of the server's heartbeats, and a busy
/// machine.
const LEFT_MAX: Duration = Duration::from_secs(12);

fn serve(shop: &str) -> Server {
    Server::start(&["--data", shop])
}

/// Waits until a server answers a change, and returns the answer and the time that this took. A server that stands
/// by refuses.
fn first_change(server: &Server, line: &str) -> (String, Duration) {
    let begun_at = Instant::now();
    let answer = wait_for(|| {
        let answer = server.connect().ask(line);
        if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
    });
    (answer, begun_at.elapsed())
}

#[test]
fn a_server_that_stands_by_refuses_and_says_who_writes() {
    for version in versions() {
        let shop = version.new_shop();
        let (writer, standby) = (serve(&shop), serve(&shop));
        let holder = format!("127.0.0.1:{}", writer.port);
        // A standby names the holder once it was seen to renew its lease.
        wait_for(|| {
            let refusal = standby.connect().ask("4");
            if refusal.contains(&holder) { Ok(()) } else { Err(refusal) }
        });
        for line in ["1 Maca", "4", "3 Caju -1", "1 Uva", "3 Uva 1", "desfazer 4", "contar Caju 3"] {
            let refusal = standby.connect().ask(line);
            assert!(
                refusal.starts_with("Erro UNAVAILABLE: este servidor está de reserva"),
                "{line}: {refusal}"
            );
            assert!(refusal.trim_end().ends_with(&format!(" holder={holder}")), "{line}: {refusal}");
        }
        // Clients of ours follow, and change the one shop.
        let ended = standby.run(&["update", "Caju", "-20"]);
        assert_eq!((ended.code, ended.out.as_str()), (0, "Caju: R$2.0, Estoque: 40\n"), "{}", ended.err);
        assert_eq!(writer.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
        let status = standby.run(&["status"]);
        assert!(status.out.contains("de reserva"), "{}", status.out);
    }
}

#[test]
fn a_server_that_stands_by_reads_the_ledger_as_the_one_that_writes() {
    for version in versions() {
        let shop = version.new_shop();
        let (writer, standby) = (serve(&shop), serve(&shop));
        let (mut till, mut office) = (writer.connect(), standby.connect());
        // What was answered is there already, however soon the question comes.
        for sold in 1..=50 {
            till.ask("3 Caju -1 motivo=venda total=2,00");
            let last = office.ask("historico Caju limite=1");
            let stock = format!(" venda Caju -1 saldo {} ", 60 - sold);
            assert!(last.starts_with(&format!("#{} ", 4 + sold)) && last.contains(&stock), "{last}");
            let last_of_all = office.ask("historico limite=1");
            assert_eq!(last, last_of_all);
        }
        writer.run(&["product", "new", "Uva", "8,90", "--unit", "kg"]);
        assert!(office.ask("historico Uva").starts_with("#55 "), "a new product is known");
        assert!(office.ask("historico Goiaba").starts_with("Erro PRODUCT_NOT_FOUND"));
        writer.run(&[
            "buy",
            "10",
            "Caju",
            "--total",
            "5,00",
            "--supplier",
            "Sítio",
            "--expires",
            "2031-02-03",
        ]);
        for args in [
            &["report", "sales"][..],
            &["report", "purchases"],
            &["report", "trace", "sítio"],
            &["report", "expiring", "--days", "3650"],
            &["query", "--low"],
            &["history", "--limit", "100"],
            &["history", "--changes"],
        ] {
            let [here, there] = [&standby, &writer].map(|server| {
                let ended = server.run(&[args, &["--format", "json"]].concat());
                (ended.code, ended.out)
            });
            assert_eq!(here, there, "{args:?}");
            assert_eq!(here.0, 0, "{args:?}");
        }
    }
}

#[test]
fn whoever_takes_over_has_the_stocks_of_products_that_were_created_meanwhile() {
    // Few new products are shown as one change, and many in slices.
    for (version, count) in
        versions().into_iter().flat_map(|version| [1, 128, 129, 3_000].map(|count| (version, count)))
    {
        let shop = version.new_shop();
        let (mut writer, standby) = (serve(&shop), serve(&shop));
        let list = writer.path().join("lista.csv");
        let rows: String =
            (1..=count).map(|number| format!("Produto {number};2,50;3;kg;{number}\n")).collect();
        std::fs::write(&list, format!("nome;preco;estoque;unidade;codigo\n{rows}")).unwrap();
        assert_eq!(writer.run(&["import", list.to_str().unwrap(), "--yes"]).code, 0);
        writer.connect().ask("3 Produto 1 -1");
        writer.kill();
        let (answer, _) = first_change(&standby, &format!("3 Produto {count} 2"));
        let left = if count == 1 { 4 } else { 5 };
        assert_eq!(answer, format!("Produto {count}: R$2.5, Estoque: {left}"));
        assert_eq!(
            standby.connect().ask("1 Produto 1"),
            if count == 1 {
                "Produto 1: R$2.5, Estoque: 4".to_owned()
            } else {
                "Produto 1: R$2.5, Estoque: 2".to_owned()
            }
        );
        let verified = standby.run(&["verify", &shop]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }
}

#[tokio::test]
async fn over_grpc_and_http_the_answers_of_a_server_that_stands_by_are_marked_and_in_text_they_are_equal() {
    let Some(version) = newest() else { return };
    let shop = version.new_shop();
    let (writer, standby) = (serve(&shop), serve(&shop));
    for (server, mark) in [(&standby, Some("true")), (&writer, None)] {
        let mut grpc =
            InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap();
        let page = grpc.list_movements(ListMovementsRequest::default()).await.unwrap();
        assert_eq!(page.metadata().get(MARK).map(|mark| mark.to_str().unwrap()), mark);
        let watch = grpc.watch_movements(WatchMovementsRequest::default()).await.unwrap();
        assert_eq!(watch.metadata().get(MARK).map(|mark| mark.to_str().unwrap()), mark);
        for call in ["ListMovements", "SummarizeMovements"] {
            let answer = Web::connect(server.port).call(call, None, &serde_json::json!({}));
            assert_eq!((answer.status, answer.field(MARK)), (200, mark), "{call}: {answer:?}");
        }
        let report = Web::connect(server.port).ask("GET /report/day", &[], b"");
        assert_eq!((report.status, report.field(MARK)), (200, mark), "{report:?}");
    }
    // A refusal says who writes, and is of no server in particular.
    let mut grpc =
        InventoryServiceClient::connect(format!("http://127.0.0.1:{}", standby.port)).await.unwrap();
    let refused = grpc.get_product(GetProductRequest { name: "Maca".to_owned() }).await.unwrap_err();
    assert_eq!((refused.code(), refused.metadata().get(MARK)), (Code::Unavailable, None));
    // A script reads text from either server alike.
    let [here, there] = [&standby, &writer].map(|server| server.connect().ask("historico"));
    assert_eq!(here, there);
}

#[test]
fn a_watch_of_a_server_that_stands_by_hears_what_the_other_one_writes() {
    for version in versions() {
        let shop = version.new_shop();
        let (mut writer, standby) = (serve(&shop), serve(&shop));
        let mut watch = standby.command(&["watch", "--after", "4", "--format", "json"]);
        let mut watch = watch.stdout(Stdio::piped()).spawn().unwrap();
        let heard = lines(watch.stdout.take().unwrap());
        let next = || heard.recv_timeout(PATIENCE).unwrap();
        for number in 5..=8 {
            writer.connect().ask("3 Caju -1");
            assert!(next().contains(&format!("\"sequence\":{number},")), "{number}");
        }
        // The watch goes on when its server takes over.
        writer.kill();
        first_change(&standby, "3 Caju -1");
        assert!(next().contains("\"sequence\":9,"));
        kill(&mut watch);
    }
}

#[tokio::test]
async fn a_watch_of_a_server_that_catches_up_hears_what_that_of_the_writer_hears() {
    let Some(version) = newest() else { return };
    let shop = version.new_shop();
    let (writer, standby) = (serve(&shop), serve(&shop));
    let mut watches = [&writer, &standby].map(|server| {
        let mut watch = server.command(&["watch", "--after", "4", "--format", "ndjson"]);
        let mut watch = watch.stdout(Stdio::piped()).spawn().unwrap();
        (lines(watch.stdout.take().unwrap()), watch)
    });
    writer.connect().ask("3 Caju -1");
    let next = |(heard, _): &(Receiver<String>, Child)| heard.recv_timeout(PATIENCE).unwrap();
    let mut heard = [&watches[0], &watches[1]].map(|watch| vec![next(watch)]);
    // More than a server that stands by reads in one step, in one transaction and in several; a step cuts a document.
    standby.pause();
    let mut grpc =
        InventoryServiceClient::connect(format!("http://127.0.0.1:{}", writer.port)).await.unwrap();
    let draft =
        |number| ProductDraft { name: format!("P {number}"), unit: "kg".to_owned(), ..Default::default() };
    let products = (0..5_000).map(draft).collect();
    grpc.import_products(ImportProductsRequest { products, ..Default::default() }).await.unwrap();
    let line = AdjustStockRequest { name: "Caju".to_owned(), delta_thousandths: 1000, ..Default::default() };
    for _ in 0..4 {
        let adjustments = vec![line.clone(); 1_000];
        grpc.batch_adjust_stock(BatchAdjustStockRequest { adjustments, ..Default::default() }).await.unwrap();
    }
    assert_eq!(writer.run(&["product", "set", "Maca", "--price", "3,50"]).code, 0);
    writer.connect().ask("3 Pera -1");
    standby.signal("CONT");
    for (heard, watch) in heard.iter_mut().zip(&watches) {
        while !heard.last().unwrap().contains("\"product_name\":\"Pera\"") {
            heard.push(next(watch));
        }
        // The terms may come before or after the movements.
        heard.sort_unstable();
    }
    let [one, other] = &heard;
    assert_eq!((one.len(), one), (3 + 5_000 + 5_000 + 4_000, other));
    watches.iter_mut().for_each(|(_, watch)| kill(watch));
}

#[test]
fn a_server_that_is_cut_off_from_the_database_shows_nothing_of_the_past() {
    let Some(version) = newest() else { return };
    let shop = version.new_shop();
    let wire = Wire::to(version.shared().port);
    let (writer, standby) = (serve(&shop), serve(&wire.address(&shop)));
    assert!(standby.connect().ask("historico limite=1").starts_with("#4 "));
    let mut watch = standby.connect();
    watch.send("acompanhar apos=4\n");
    wire.hold(true);
    writer.connect().ask("3 Caju -1");
    let refusal = standby.connect().ask("historico limite=1");
    assert!(refusal.starts_with("Erro UNAVAILABLE: este servidor está de reserva"), "{refusal}");
    // The watch ends, so that its client goes elsewhere.
    let end = watch.reply();
    assert!(end.lines().last().unwrap().starts_with("Erro UNAVAILABLE: "), "{end}");
    wire.hold(false);
    let last = wait_for(|| {
        let last = standby.connect().ask("historico limite=1");
        if last.starts_with("Erro UNAVAILABLE") { Err(last) } else { Ok(last) }
    });
    assert!(last.starts_with("#5 "), "{last}");
}

#[test]
fn a_watcher_leaves_a_frozen_server_within_seconds() {
    for transport in ["--socket", "--grpc"] {
        let Some(version) = newest() else { return };
        let shop = version.new_shop();
        let (writer, standby) = (serve(&shop), serve(&shop));
        let both = [&writer, &standby].map(|server| format!("127.0.0.1:{}", server.port)).join(",");
        let mut watch =
            standby.command(&["watch", "--after", "4", "--format", "json", transport, "--server", &both]);
        let mut watch = watch.stdout(Stdio::piped()).spawn().unwrap();
        let heard = lines(watch.stdout.take().unwrap());
        writer.connect().ask("3 Caju -1");
        assert!(heard.recv_timeout(PATIENCE).unwrap().contains("\"sequence\":5,"));
        writer.pause();
        let frozen_at = Instant::now();
        first_change(&standby, "3 Caju -1");
        assert!(heard.recv_timeout(PATIENCE).unwrap().contains("\"sequence\":6,"));
        println!("{transport}: heard of the next change after {:?}", frozen_at.elapsed());
        assert!(frozen_at.elapsed() < LEFT_MAX, "{:?}", frozen_at.elapsed());
        kill(&mut watch);
    }
}

#[test]
fn after_the_writer_is_killed_another_server_knows_all_that_it_answered() {
    for version in versions() {
        let shop = version.new_shop();
        let (mut writer, standby) = (serve(&shop), serve(&shop));
        let mut connection = writer.connect();
        for number in 0..20 {
            connection.ask(&format!("3 Caju -1 id=a{number}"));
        }
        // An id that no movement has.
        let counted = connection.ask("contar Pera 15 id=c");
        assert!(!counted.starts_with("Erro"), "{counted}");
        connection.ask("3 Pera -5");
        writer.run(&["product", "rename", "Maca", "Maçã"]);
        writer.run(&["product", "new", "Uva", "8,90", "--unit", "kg", "--code", "7"]);
        writer.kill();
        let (answer, time) = first_change(&standby, "3 Caju -1 id=a19");
        println!("{}: killed, and back after {time:?}", version.name);
        // The change is known by its id, and was answered with this.
        assert_eq!(answer, "Caju: R$2.0, Estoque: 40");
        assert!(time < KILLED_MAX, "{time:?}");
        let mut connection = standby.connect();
        assert_eq!(connection.ask("3 Caju -1 id=b"), "Caju: R$2.0, Estoque: 39");
        assert_eq!(connection.ask("contar Pera 15 id=c"), counted);
        assert_eq!(connection.ask("1 7"), "Uva: R$8.9, Estoque: 0");
        let all = "Maçã: R$3.0, Estoque: 20\nPera: R$5.0, Estoque: 10\nBanana: R$10.0, Estoque: 30\n\
                   Caju: R$2.0, Estoque: 39\nUva: R$8.9, Estoque: 0";
        assert_eq!(connection.ask("4"), all);
    }
}

#[test]
fn a_writer_that_stops_hands_over_without_a_wait() {
    for version in versions() {
        let shop = version.new_shop();
        let mut servers = [serve(&shop), serve(&shop)];
        for round in 0..4 {
            let [writer, standby] = &mut servers;
            let line = format!("3 Caju -1 id=r{round}");
            let (answer, _) = first_change(writer, &line);
            writer.signal("TERM");
            let (again, time) = first_change(standby, &line);
            println!("{}: stopped, and back after {time:?}", version.name);
            assert_eq!(answer, again);
            assert!(time < STOPPED_MAX, "{time:?}");
            assert_eq!(writer.wait_for_end().0, Some(0));
            writer.restart();
            servers.reverse();
        }
    }
}

#[test]
fn a_lease_is_given_back_although_the_engine_refuses_the_notice() {
    // Earlier versions have no limit that is soon reached.
    let Some(version) = newest().filter(|version| version.name == "PostgreSQL 18") else { return };
    let mut cluster = Cluster::new(version);
    cluster.set("max_notify_queue_pages", 64);
    cluster.kill();
    cluster.restart();
    let mut server = serve(&address(&[cluster.port], "postgres", "centro"));
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    // A session that listens, and takes nothing, keeps all notifications.
    let mut listener = cluster.psql("postgres").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(listener.stdin.as_ref().unwrap(), "LISTEN outro; BEGIN; SELECT 'ouve';").unwrap();
    let heard = lines(listener.stdout.take().unwrap());
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "ouve");
    let fill =
        "DO $$ BEGIN FOR number IN 1..100 LOOP PERFORM pg_notify('outro', number || repeat('x', 7900));
                COMMIT; END LOOP; END $$";
    let full = cluster.try_sql("postgres", fill).unwrap_err();
    assert!(full.contains("too many notifications"), "{full}");
    server.stop();
    assert_eq!(cluster.sql("postgres", "SELECT '<' || holder || '>' FROM hortifruti.lease"), "<>");
    kill(&mut listener);
}

#[test]
fn a_frozen_writer_answers_nothing_of_the_past_when_it_goes_on() {
    let Some(version) = newest() else { return };
    let shop = version.new_shop();
    let (frozen, standby) = (serve(&shop), serve(&shop));
    let mut old = frozen.connect();
    assert_eq!(old.ask("3 Caju -20"), "Caju: R$2.0, Estoque: 40");
    frozen.pause();
    let (answer, _) = first_change(&standby, "3 Caju -5");
    assert_eq!(answer, "Caju: R$2.0, Estoque: 35");
    // What the frozen server reads when it goes on lies in the past, and what it writes is fenced.
    for line in ["1 Caju", "4", "3 Caju -40", "3 Caju -1"] {
        old.send(format!("{line}\n"));
    }
    frozen.signal("CONT");
    let mut replies = Vec::new();
    while let Some(reply) = old.try_reply() {
        replies.push(reply);
        if replies.len() == 4 {
            break;
        }
    }
    assert!(replies.iter().all(|reply| reply.starts_with("Erro UNAVAILABLE")), "{replies:?}");
    assert_eq!(standby.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 35");
    // The frozen server stands by now, and knows what it has missed.
    drop(old);
    let holder = format!(" holder=127.0.0.1:{}", standby.port);
    wait_for(|| {
        let refusal = Connection::new(frozen.port).ask("1 Caju");
        if refusal.ends_with(&holder) { Ok(()) } else { Err(refusal) }
    });
    drop(standby);
    assert_eq!(first_change(&frozen, "3 Caju -1").0, "Caju: R$2.0, Estoque: 34");
}

#[test]
fn of_many_servers_that_start_together_one_writes() {
    let Some(version) = newest() else { return };
    let shop = version.new_shop();
    let mut servers: Vec<Server> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| serve(&shop))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    // The examples are there once, and one of the servers answers.
    let answers: Vec<String> = wait_for(|| {
        let answers: Vec<String> = servers.iter().map(|server| server.connect().ask("1 Caju")).collect();
        let written = answers.iter().filter(|answer| answer.starts_with("Caju")).count();
        if written == 1 { Ok(answers) } else { Err(format!("{answers:?}")) }
    });
    let writer = answers.iter().position(|answer| answer == "Caju: R$2.0, Estoque: 60");
    let mut writer = servers.swap_remove(writer.unwrap_or_else(|| panic!("{answers:?}")));
    // The others began without a shop, and know its ids all the same.
    let sold = first_change(&writer, "3 Caju -1 id=v").0;
    writer.kill();
    let again = wait_for(|| {
        let answers = servers.iter().map(|server| server.connect().ask("3 Caju -1 id=v"));
        let mut answers = answers.filter(|answer| !answer.starts_with("Erro UNAVAILABLE"));
        answers.next().ok_or("no server writes")
    });
    assert_eq!(sold, again);
}

#[test]
fn a_shop_is_found_without_regard_to_case_and_accents() {
    let Some(version) = newest() else { return };
    let database = version.shared().database();
    let mut first = serve(&database.shop("S%C3%A3o%20Jos%C3%A9"));
    assert_eq!(first.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    first.stop();
    let other = serve(&database.shop("sao%20jose"));
    assert_eq!(first_change(&other, "3 Caju -1").0, "Caju: R$2.0, Estoque: 58");
    let verified = other.run(&["verify", &database.shop("SAO%20JOSE")]);
    assert!(verified.out.contains("Movimentos: 6\n"), "{verified:?}");
    assert_eq!(database.sql("SELECT name FROM hortifruti.shop"), "São José");
}
