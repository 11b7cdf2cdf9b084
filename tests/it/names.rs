//! Names that look alike are one product, and no new product passes for another or for a reply.

use std::fs;

use crate::support::{FOUR_PRODUCTS, Server};

fn import(server: &Server, list: &str) -> crate::support::Ended {
    fs::write(server.path().join("lista.csv"), list).unwrap();
    server.run(&["import", "lista.csv", "--yes"])
}

#[test]
fn names_that_look_alike_are_one_product() {
    let server = Server::start(&[]);
    let created = import(
        &server,
        "nome;preco;estoque\nCaqui d’água;8;9\nBatata–doce;5;9\nAbacaxi 1ª;7;9\nＫｉｗｉ;6;9\nMelão nº 1;3;9\n",
    );
    assert_eq!(created.code, 0, "{created:?}");
    let stored = ["Caqui d’água", "Batata–doce", "Abacaxi 1ª", "Ｋｉｗｉ", "Melão nº 1"];
    let otherwise = [
        ["caqui d'agua", "CAQUI D´ÁGUA", "Caqui d`agua", "Caqui dʼágua"],
        ["batata-doce", "Batata‑doce", "BATATA—DOCE", "batata−doce"],
        ["abacaxi 1a", "Abacaxi 1A", "ABACAXI １ª", "abacaxi\u{a0}1ᵃ"],
        ["kiwi", "KIWI", "ｋｉｗｉ", "𝐊𝐢𝐰𝐢"],
        ["melao no 1", "Melão n° 1", "MELAO № 1", "Melão Nº １"],
    ];
    let mut text = server.connect();
    for (name, others) in stored.into_iter().zip(otherwise) {
        let line = text.ask(&format!("1 {name}"));
        for other in others {
            assert_eq!(text.ask(&format!("1 {other}")), line, "{other}");
            assert_eq!(server.run(&["query", other]).out, format!("{line}\n"), "{other}");
        }
        let answer = text.ask(&format!("3 {} -1", others[1]));
        assert!(answer.starts_with(&format!("{name}: R$")) && answer.ends_with(": 8"), "{answer}");
        // A list in another form gives the same product another price.
        let again = import(&server, &format!("nome;preco\n{};99\n", others[0]));
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(text.ask(&format!("1 {name}")), format!("{name}: R$99.0, Estoque: 8"));
    }
    assert_eq!(text.ask("4").lines().count(), 9);
}

#[test]
fn a_new_product_passes_for_no_other_and_for_no_reply() {
    let server = Server::start(&[]);
    for (name, why) in [
        ("Erro X: y", "começa como uma resposta do servidor"),
        ("ERRO INTERNAL: falhou", "começa como uma resposta do servidor"),
        ("Ｅrrό x", "U+03CC"),
        ("Ｅrró x", "começa como uma resposta do servidor"),
        ("Nenhum produto encontrado.", "começa como uma resposta do servidor"),
        ("Até logo.", "começa como uma resposta do servidor"),
        ("Token aceito: escrita.", "começa como uma resposta do servidor"),
        ("\u{41c}aca", "U+041C"),
        ("M\u{430}ca", "U+0430"),
        ("\u{421}\u{43e}\u{441}\u{43e}", "U+0421"),
        ("Ma\u{3164}ca", "U+3164"),
    ] {
        let refused = import(&server, &format!("nome;preco\nUva;1\n{name};2\n"));
        assert!(
            refused.code == 2 && refused.err.contains("linha 3") && refused.err.contains(why),
            "{refused:?}"
        );
        assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS, "{name}");
    }
}
