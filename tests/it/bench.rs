//! The bench: it measures every way, writes its reports, and notices a wrong stock.

use std::fs;

use crate::support::{Server, hortifruti, run};

#[test]
fn it_measures_both_transports_and_checks_the_stock() {
    for pace in [&[][..], &["--rate", "500"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = hortifruti(folder.path());
        command.args(["bench", "--duration", "1", "--connections", "3", "--pipeline", "4"]);
        command.args(["--json", "r.json", "--html", "r.html"]).args(pace);
        let ended = run(&mut command, "");
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        assert!(ended.out.contains("= estoque final, em 445 produtos."), "{}", ended.out);
        let json: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(folder.path().join("r.json")).unwrap()).unwrap();
        let ways = json["ways"].as_array().unwrap();
        assert_eq!(ways.len(), 3);
        for way in ways {
            assert!(way["operations"].as_u64().unwrap() > 50, "{way}");
            assert!(way["bytes_per_operation"].as_f64().unwrap() > 20.0, "{way}");
            if !pace.is_empty() {
                // An open loop begins what it was told to, whatever comes back.
                let rate = way["operations_per_second"].as_f64().unwrap();
                assert!(rate < 600.0, "{way}");
            }
        }
        let html = fs::read_to_string(folder.path().join("r.html")).unwrap();
        assert_eq!(html.matches("<svg").count(), 2);
        assert_eq!(html.matches("<polyline").count(), 3);
        assert!(!html.contains("http://") && !html.contains("<script"), "the page stands alone");
    }
}

#[test]
fn it_measures_a_server_that_is_there() {
    let server = Server::start(&[]);
    let address = format!("127.0.0.1:{}", server.port);
    let args = ["bench", "--server", &address, "--duration", "1", "--connections", "2", "--mix", "read=100"];
    let ended = server.run(&args);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("estoque inicial + 0 mudanças"), "{}", ended.out);
    assert_eq!(server.connect().ask("4"), crate::support::FOUR_PRODUCTS);

    let empty = Server::start(&["--empty"]);
    let address = format!("127.0.0.1:{}", empty.port);
    let refused = empty.run(&["bench", "--server", &address]);
    assert!(refused.code != 0 && refused.err.contains("não tem produtos"), "{refused:?}");
    assert_eq!(empty.run(&["bench", "--mix", "tudo"]).code, 2);
}
