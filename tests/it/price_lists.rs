//! Price lists as files: the wholesale market's real ones, bad ones, and those that look wrong.

use std::fs;

use crate::support::{FIRST_LIST, FOUR_PRODUCTS, NEXT_LIST, Server, list, run, run_bytes};
use crate::terminal::Terminal;

fn shop_with_both_lists() -> Server {
    let server = Server::start(&["--empty"]);
    let first = list(FIRST_LIST);
    let dry = server.run(&["import", first.to_str().unwrap(), "--dry-run"]);
    assert_eq!((dry.code, dry.out.lines().count()), (0, 446), "{}", dry.err);
    assert!(dry.out.starts_with("ALHO DESCASCADO: novo, R$ 17,17, 5 kg\n"), "{}", dry.out);
    assert!(dry.out.ends_with("\n445 criados, 0 atualizados, 0 sem mudança.\n"), "{}", dry.out);
    assert_eq!(server.connect().ask("4"), "Nenhum produto encontrado.");
    let created = server.run(&["import", first.to_str().unwrap()]);
    assert_eq!(created.out, "445 criados, 0 atualizados, 0 sem mudança.\n", "{}", created.err);
    let updated = server.run(&["import", list(NEXT_LIST).to_str().unwrap()]);
    assert_eq!(updated.out, "22 criados, 404 atualizados, 18 sem mudança.\n", "{}", updated.err);
    assert!(updated.err.contains("não muda o estoque de 406 produtos"), "{}", updated.err);
    server
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
fn units_are_read_in_their_usual_spellings() {
    let server = Server::start(&["--empty"]);
    let list =
        "nome;preco;estoque;unidade\nUva;9;1,5;Kilo\nOvo;12;0,5;duzia\nLeite;5;0,25;LTS\nLimão;1;3;UN.\n";
    assert_eq!(run(&mut server.command(&["import", "-"]), list).code, 0);
    let units = "Uva,9.0,1.5,kg\nOvo,12.0,0.5,dz\nLeite,5.0,0.25,l\nLimão,1.0,3,un\n";
    assert!(server.run(&["export"]).out.ends_with(units));
    let made = server.run(&["product", "new", "Couve", "3", "--unit", "MACO", "--format", "json"]);
    assert!(made.out.contains("\"unit\":\"maço\""), "{made:?}");
}

#[test]
fn a_bad_list_changes_nothing_and_names_each_line() {
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
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
}

/// A list in which one line is ten times as dear as it is meant to be.
const DEAR: &str =
    "nome;preco;estoque;unidade\nCaju;20,00;1;un\nMaca;3,10;20;un\nPera;5;15;cx\nLima;1,5;2;kg\n";

const DEAR_CHANGES: &str = "\
Caju: R$ 2,00 → R$ 20,00, o estoque fica 60 (na lista, 1) ⚠ preço × 10
Maca: R$ 3,00 → R$ 3,10
Pera: un → cx
Lima: novo, R$ 1,50, 2 kg
";

#[test]
fn a_dry_run_shows_each_change_and_what_looks_wrong() {
    let server = Server::start(&[]);
    let dry = run(&mut server.command(&["import", "-", "--dry-run"]), DEAR);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!(dry.out, format!("{DEAR_CHANGES}1 criado, 3 atualizados, 0 sem mudança.\n"));
    for told in [
        "1 linha parece errada",
        "\"Pera\", de un para cx",
        "\"Caju\", com 60 (na lista, 1)",
        "hortifruti update",
    ] {
        assert!(dry.err.contains(told), "{told}: {}", dry.err);
    }
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    // What changes nothing is counted, and a stock that differs is told.
    let same = run(
        &mut server.command(&["import", "-", "--dry-run"]),
        "nome;preco;estoque\nMaca;3;20\nPera;5;1\nCaju;2;\n",
    );
    assert_eq!(same.out, "Pera: o estoque fica 15 (na lista, 1)\n0 criados, 0 atualizados, 3 sem mudança.\n");
}

#[test]
fn a_script_imports_what_looks_wrong_only_if_it_says_so() {
    let server = Server::start(&[]);
    for list in [
        DEAR,
        "nome;preco\nCaju;0,20\n",
        "nome;preco\nCaju;0\n",
        "nome;preco\nLima;0\n",
        "nome;preco\nMaÃ§Ã£;3,50\n",
        "nome;preco\nLim?o;3,50\n",
    ] {
        let refused = run(&mut server.command(&["import", "-"]), list);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{list}: {}", refused.err);
        assert!(refused.err.contains("\nlinha 2: ") && refused.err.contains('⚠'), "{}", refused.err);
        assert!(
            refused.err.ends_with("Nada foi importado; corrija a lista, ou importe assim mesmo com --yes.\n")
        );
    }
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    let made = run(&mut server.command(&["import", "-", "--yes"]), DEAR);
    assert_eq!(
        (made.code, made.out.as_str()),
        (0, "1 criado, 3 atualizados, 0 sem mudança.\n"),
        "{}",
        made.err
    );
    assert!(made.err.contains("linha 2: Caju: R$ 2,00 → R$ 20,00"), "{}", made.err);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$20.0, Estoque: 60");
}

#[test]
fn a_person_is_asked_about_what_looks_wrong() {
    let server = Server::start(&[]);
    fs::write(server.path().join("lista.csv"), DEAR).unwrap();
    let mut terminal = Terminal::run(server.path(), 200, &["import", "lista.csv"]);
    terminal.wait_for("Importar assim mesmo? [s/N]");
    assert!(terminal.screen().contains("linha 2: Caju: R$ 2,00 → R$ 20,00"), "{}", terminal.screen());
    terminal.send("n\r");
    terminal.wait_for_text("Nada foi importado");
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    let mut terminal = Terminal::run(server.path(), 200, &["import", "lista.csv"]);
    terminal.wait_for("Importar assim mesmo? [s/N]");
    terminal.send("s\r");
    terminal.wait_for_end();
    assert!(terminal.screen().contains("1 criado, 3 atualizados, 0 sem mudança."), "{}", terminal.screen());
    // The same list again changes nothing, and nothing looks wrong.
    let mut terminal = Terminal::run(server.path(), 200, &["import", "lista.csv"]);
    terminal.wait_for_end();
    assert!(terminal.screen().contains("0 criados, 0 atualizados, 4 sem mudança."), "{}", terminal.screen());
}

#[test]
fn a_file_that_is_no_list_is_named_and_changes_nothing() {
    let server = Server::start(&[]);
    for (bytes, told) in [
        (
            &b"nome;preco\nMa\xC3\xA7\xC3\xA3;3\nLim\xE3o;1\n"[..],
            "em UTF-8 na(s) linha(s) 2, e em outra codificação na(s) linha(s) 3",
        ),
        (b"nome;preco\nMa\xC3\xA7\xC3", "cortado"),
        (b"PK\x03\x04\x14\0\x06\0xl/workbook.xml", "Excel (xlsx)"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "(ods)"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "(xls)"),
        (b"%PDF-1.7", "PDF"),
        (b"<html><table><tr><td>nome</td></tr></table></html>", "HTML"),
        (b"nome;preco;estoque\nUva;3;1.000\n", "linha 2: o estoque \"1.000\" tem duas leituras, 1000 e 1"),
    ] {
        let refused = run_bytes(&mut server.command(&["import", "-"]), bytes);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
        assert!(
            refused.err.contains(told) && refused.err.contains("Nada foi importado"),
            "{told}: {}",
            refused.err
        );
    }
    assert_eq!(
        server.run(&["import", "."]).err,
        "Erro: não foi possível ler .: é uma pasta. Nada foi importado; confira o nome do arquivo\n"
    );
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
}

#[test]
fn a_catalog_of_any_size_is_exported_and_imported() {
    let server = Server::start(&["--empty"]);
    let rows: String =
        (0..12_345).map(|index| format!("Produto {index},{index}.5,{index}.125,kg\n")).collect();
    let list = format!("nome,preco,estoque,unidade\n{rows}");
    let created = "12345 criados, 0 atualizados, 0 sem mudança.\n";
    assert_eq!(run(&mut server.command(&["import", "-"]), &list).out, created);
    let exported = server.run(&["export"]).out;
    assert_eq!(exported, list);
    let other = Server::start(&["--empty"]);
    assert_eq!(run(&mut other.command(&["import", "-"]), &exported).out, created);
    assert_eq!(other.run(&["export"]).out, exported);
    // A bad row in the last part: none of the others is imported either.
    let refused = run(
        &mut other.command(&["import", "-"]),
        &exported.replace("Produto 1,1.5", "Outro,3.5").replace("12344.125,kg", "12344.125,cx"),
    );
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("linha 12346: "), "{}", refused.err);
    assert!(other.connect().ask("1 Outro").starts_with("Erro PRODUCT_NOT_FOUND"));
}
