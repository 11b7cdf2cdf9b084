//! The wholesale market's real price lists, over both transports and from the shell.

use std::fs;

use crate::support::{FIRST_LIST, NEXT_LIST, Server, list, run};

fn shop_with_both_lists() -> Server {
    let server = Server::start(&["--empty"]);
    let first = list(FIRST_LIST);
    let dry = server.run(&["import", first.to_str().unwrap(), "--dry-run"]);
    assert_eq!((dry.code, dry.out.as_str()), (0, "445 criados, 0 atualizados, 0 sem mudança.\n"));
    assert_eq!(server.connect().ask("4"), "Nenhum produto encontrado.");
    let created = server.run(&["import", first.to_str().unwrap()]);
    assert_eq!(created.out, "445 criados, 0 atualizados, 0 sem mudança.\n", "{}", created.err);
    let updated = server.run(&["import", list(NEXT_LIST).to_str().unwrap()]);
    assert_eq!(updated.out, "22 criados, 404 atualizados, 18 sem mudança.\n", "{}", updated.err);
    server
}

/// Names and stocks of the products after both lists.
fn names(server: &Server) -> Vec<(String, String)> {
    let exported = server.run(&["export"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let mut reader = csv::Reader::from_reader(exported.out.as_bytes());
    reader.records().map(|row| row.unwrap()).map(|row| (row[0].to_owned(), row[2].to_owned())).collect()
}

#[test]
fn every_product_is_found_and_changed_over_both_transports() {
    let server = shop_with_both_lists();
    let products = names(&server);
    assert_eq!(products.len(), 467);
    let mut connection = server.connect();
    for (name, stock) in &products {
        // Without accents, in the other case.
        let typed: String = name.to_lowercase().chars().map(without_accent).collect();
        let found = connection.ask(&format!("1 {typed}"));
        assert!(found.starts_with(&format!("{name}: R$")), "{typed}: {found}");
        assert!(found.ends_with(&format!(", Estoque: {stock}")), "{typed}: {found}");
        let changed = connection.ask(&format!("3 {typed} +2"));
        let expected = stock.parse::<f64>().unwrap() + 2.0;
        assert!(changed.ends_with(&format!(", Estoque: {expected}")), "{typed}: {changed}");
    }
    for (name, stock) in products.iter().step_by(20) {
        let changed = server.run(&["update", "--grpc", name, "-2"]);
        assert!(changed.out.ends_with(&format!(", Estoque: {stock}\n")), "{name}: {changed:?}");
        let found = server.run(&["query", "--grpc", name]);
        assert_eq!(found.out, changed.out);
        assert_eq!(server.run(&["query", "--socket", name]).out, changed.out);
    }
}

fn without_accent(character: char) -> char {
    match character {
        'á' | 'à' | 'â' | 'ã' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' => 'u',
        'ç' => 'c',
        other => other,
    }
}

#[test]
fn lists_up_to_a_price_agree_on_every_transport() {
    let server = shop_with_both_lists();
    let text = server.connect().ask("2 3,50");
    assert!(text.lines().count() > 20);
    for transport in ["--socket", "--grpc"] {
        let listed = server.run(&["query", "--max-price", "3,50", transport]);
        assert_eq!(listed.out.trim_end(), text);
    }
    let shell = run(server.command(&["shell"]).stdin(std::process::Stdio::piped()), "ate 3.5\n");
    assert_eq!(shell.out.trim_end(), text);
}

#[test]
fn names_that_end_in_digits_and_names_half_remembered() {
    let server = shop_with_both_lists();
    let mut connection = server.connect();
    assert_eq!(connection.ask("3 ALHO NACIONAL TIPO 5 -2"), "ALHO NACIONAL TIPO 5: R$15.87, Estoque: 40");
    assert_eq!(connection.ask("1 alho nacional tipo 6"), "ALHO NACIONAL TIPO 6: R$17.99, Estoque: 79");
    let found = server.run(&["query", "maracuja azedo super"]);
    assert!(found.out.starts_with("MARACUJÁ AZEDO SUPER: R$"), "{found:?}");
    let half = server.run(&["query", "maracuja azedo"]);
    assert_eq!(half.code, 3);
    for name in ["MARACUJÁ AZEDO 3A", "MARACUJÁ AZEDO 4A", "MARACUJÁ AZEDO SUPER"] {
        assert!(half.err.contains(name), "{}", half.err);
    }
    let shell = run(&mut server.command(&["shell"]), "3 ALHO NACIONAL TIPO 5 -2\n1 alho descascado\n");
    assert_eq!(
        shell.out,
        "ALHO NACIONAL TIPO 5: R$15.87, Estoque: 38\nALHO DESCASCADO: R$18.46, Estoque: 5\n"
    );
}

#[test]
fn export_writes_what_import_reads() {
    let server = shop_with_both_lists();
    let exported = server.run(&["export"]).out;
    let other = Server::start(&["--empty"]);
    let copy = other.path().join("copia.csv");
    fs::write(&copy, &exported).unwrap();
    assert_eq!(other.run(&["import", "copia.csv"]).out, "467 criados, 0 atualizados, 0 sem mudança.\n");
    assert_eq!(other.run(&["export"]).out, exported);
    assert_eq!(
        run(&mut other.command(&["import", "-"]), &exported).out,
        "0 criados, 0 atualizados, 467 sem mudança.\n"
    );
}

#[test]
fn a_bad_list_changes_nothing_and_tells_each_line() {
    let server = Server::start(&[]);
    let path = server.path().join("lista.csv");
    fs::write(&path, "nome;preco;estoque;unidade\nUva;9,90;1;cx\n\nFigo;abc;1;un\nuva;1;1;un\n").unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("linha 4: ") && refused.err.contains("linha 5: "), "{}", refused.err);
    // What only the server knows: Caju is sold by the piece, and this would leave it half a kilo.
    fs::write(&path, "nome;preco;estoque;unidade\nUva;9,90;1;cx\n\nLima;1;0,5;un\n").unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("linha 4: "), "{}", refused.err);
    // What the file tells and what the server knows, at once.
    fs::write(&path, "nome;preco;estoque\nUva;1;1,5\nFigo;x;1\nLima;1;2,5\nUva;1;1\n").unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2);
    for line in ["linha 2: ", "linha 3: ", "linha 4: ", "linha 5: ", "4 linha(s)"] {
        assert!(refused.err.contains(line), "{line}: {}", refused.err);
    }
    // Far more bad rows than a status carries: all are counted, and the first are told.
    let rows: String = (0..2000).map(|index| format!("Produto {index};1;0,5;un\n")).collect();
    fs::write(&path, format!("nome;preco;estoque;unidade\n{rows}")).unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("linha 2: ") && refused.err.contains("2000 linha(s)"), "{}", refused.err);
    assert_eq!(server.connect().ask("4"), crate::support::FOUR_PRODUCTS);
}
