//! Days and time zones: as people write them, and one zone for all of a report.

use jiff::civil::Date;
use tonic::Code;
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{ListMovementsRequest, SummarizeMovementsRequest};

use crate::support::web::Web;
use crate::support::zone::{self, today};
use crate::support::{Ended, Server, hortifruti, run};

/// The name of a time zone that no system knows.
const NO_ZONE: &str = "America/Sao_Paolo";

/// Runs a command of a client whose `TZ` is this.
fn run_in_zone(server: &Server, time_zone: &str, args: &[&str]) -> Ended {
    run(hortifruti(server.path()).env("TZ", time_zone).args(args), "")
}

fn short(day: Date) -> String {
    format!("{:02}/{:02}/{:02}", day.day(), day.month(), day.year() % 100)
}

#[test]
fn a_year_of_two_digits_is_of_this_century() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["sell", "2", "Maca"]).code, 0);
    let (day, tomorrow) = (short(today()), short(today().tomorrow().unwrap()));
    let rows = |args: &[&str]| {
        let ended = server.run(args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        ended.out.lines().count()
    };
    assert_eq!(rows(&["report", "sales", "--since", &day, "--until", &day, "--format", "csv"]), 2);
    assert_eq!(rows(&["report", "sales", "--since", &tomorrow, "--format", "csv"]), 1);
    assert_eq!(rows(&["history", "--since", &tomorrow, "--format", "csv"]), 1);
    assert_eq!(rows(&["history", "--until", &format!("{tomorrow} 14:30"), "--format", "csv"]), 6);
    let shown = run(hortifruti(server.path()).arg("shell"), &format!("vendas {day}\n"));
    assert!(shown.out.contains(&format!(
        "de {:02}/{:02}/{}",
        today().day(),
        today().month(),
        today().year()
    )));
    for args in [
        &["report", "day", "--since", "29/11/0026"][..],
        &["report", "day", "--until", "0026-11-29"],
        &["history", "--since", "29/11/0026 14:30"],
        &["history", "--since", "0026-11-29T14:30:00Z"],
        &["history", "--since", "29/11/226"],
        &["buy", "1", "Pera", "--total", "5", "--expires", "05/12/0026", "--yes"],
        &["buy", "1", "Pera", "--total", "5", "--expires", "0026-12-05", "--yes"],
    ] {
        let ended = server.run(args);
        assert!(ended.code == 2 && ended.out.is_empty(), "{args:?}: {ended:?}");
        assert!(ended.err.contains("29/11/") || ended.err.contains("05/12/"), "{args:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_period_that_ends_before_it_begins_is_refused() {
    let server = Server::start(&[]);
    let backward = "o período não tem nenhum momento: acaba antes de começar, ou quando começa";
    for args in [
        &["report", "sales", "--since", "2026-11-30", "--until", "2026-11-29"][..],
        &["report", "day", "--since", "2026-11-30T10:00", "--until", "2026-11-30T09:59"],
        &["report", "day", "--since", "2026-11-30T10:00", "--until", "2026-11-30T10:00"],
        &["history", "--since", "hoje", "--until", "ontem"],
    ] {
        let ended = server.run(args);
        assert!(ended.code == 2 && ended.out.is_empty(), "{args:?}: {ended:?}");
        assert!(ended.err.contains(backward), "{args:?}: {ended:?}");
    }
    let shown = run(hortifruti(server.path()).arg("shell"), "vendas desde=hoje ate=ontem\n");
    assert!(shown.code == 2 && shown.err.contains(backward), "{shown:?}");
    let mut web = Web::connect(server.port);
    let answer = web.ask("GET /report/sales?since=2026-11-30&until=2026-11-29", &[], b"");
    assert!(answer.status == 400 && answer.text().contains(backward), "{}", answer.text());
    let mut client =
        InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap();
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let summary =
        SummarizeMovementsRequest { start_time: time(200), end_time: time(100), ..Default::default() };
    let list = ListMovementsRequest { start_time: time(101), end_time: time(100), ..Default::default() };
    for status in [
        client.summarize_movements(summary).await.unwrap_err(),
        client.list_movements(list).await.unwrap_err(),
    ] {
        let info = status.get_details_error_info().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(info.metadata.get("field").map(String::as_str), Some("end_time"));
    }
}

#[test]
fn a_report_has_one_time_zone() {
    let server = Server::start(&[]);
    // A zone in which it is the same hour of the next day.
    let ahead = match zone::time_zone() {
        "<-12>12" => "<+12>-12",
        _ => "<+21>-21",
    };
    let tomorrow = today().tomorrow().unwrap();
    assert_eq!(server.run(&["sell", "2", "Maca"]).code, 0);
    let expires = tomorrow.tomorrow().unwrap();
    assert_eq!(server.run(&["buy", "1", "Pera", "--total", "5", "--expires", &expires.to_string()]).code, 0);
    let out = |ended: Ended| {
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        ended.out
    };
    for options in [
        &["report", "sales", "--since", "hoje", "--by", "day", "--format", "csv"][..],
        &["report", "expiring", "--days", "1", "--format", "csv"],
    ] {
        let there = out(run_in_zone(&server, ahead, options));
        let here = out(server.run(&[options, &["--time-zone", ahead]].concat()));
        assert_eq!(there, here);
        let row = there.lines().nth(1).unwrap_or_default();
        let told = format!("{:02}/{:02}/{},1,Pera,", expires.day(), expires.month(), expires.year());
        assert!(row.starts_with(&tomorrow.to_string()) || row.starts_with(&told), "{options:?}: {there}");
    }
    let shown =
        run(hortifruti(server.path()).env("TZ", ahead).arg("shell"), "vendas hoje por=dia\nvencendo 1\n");
    assert!(shown.out.contains(&tomorrow.to_string()) && shown.out.contains("Pera"), "{shown:?}");
}

#[test]
fn a_time_zone_that_does_not_exist_is_refused_or_named() {
    let server = Server::start_with(vec![("TZ".to_owned(), NO_ZONE.to_owned())], &[]);
    for args in [
        &["report", "day"][..],
        &["report", "expiring"],
        &["history"],
        &["buy", "1", "Pera", "--total", "5", "--expires", "hoje"],
    ] {
        let ended = run_in_zone(&server, NO_ZONE, args);
        assert!(ended.code == 2 && ended.out.is_empty(), "{args:?}: {ended:?}");
        assert!(ended.err.contains(NO_ZONE) && ended.err.contains("TZ"), "{args:?}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{args:?}: {ended:?}");
    }
    let json = run_in_zone(&server, NO_ZONE, &["history", "--format", "json"]);
    assert!(json.code == 2 && json.err.starts_with("{\"error\":"), "{json:?}");
    // A zone that is given for the report alone is enough.
    assert_eq!(run_in_zone(&server, NO_ZONE, &["report", "day", "--time-zone", "America/Sao_Paulo"]).code, 0);
    // The till goes on.
    let sold = run_in_zone(&server, NO_ZONE, &["sell", "2", "Maca"]);
    assert_eq!((sold.code, sold.err.as_str()), (0, ""), "{sold:?}");
    let shell = run(hortifruti(server.path()).env("TZ", NO_ZONE).arg("shell"), "vender 2 Maca\nhoje\n");
    assert!(shell.code == 2 && shell.out.contains("Maca"), "{shell:?}");
    assert!(shell.err.contains(NO_ZONE), "{shell:?}");
}

#[test]
fn a_server_says_that_its_time_zone_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = hortifruti(folder.path());
    child.env("TZ", NO_ZONE).args(["serve", "--port", "0", "--data", ":memory:", "--host", "203.0.113.1"]);
    let ended = run(&mut child, "");
    assert!(ended.err.contains(NO_ZONE) && ended.err.contains("UTC"), "{ended:?}");
}
