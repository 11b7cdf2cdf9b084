//! What a keeper types with a slip, or in a way that only the catalog can read, and how it is mended.

use crate::support::{Server, make_token, run};
use crate::terminal::Terminal;

#[test]
fn a_sale_that_is_refused_is_still_there() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("vender\r");
    terminal.wait_for_item(1);
    terminal.send("2 maca\r");
    // Each item is checked before the next.
    for wrong in ["0,5 caju", "0 caju"] {
        terminal.wait_for_item(2);
        terminal.send(&format!("{wrong}\r"));
        terminal.wait_for_text("Erro: quantidade inválida");
    }
    terminal.wait_for_item(2);
    terminal.send("3 caju\r");
    terminal.wait_for_item(3);
    // Another till sells what is in the basket of this one.
    assert_eq!(server.connect().ask("3 Caju -58 motivo=venda"), "Caju: R$2.0, Estoque: 2");
    terminal.send("\r");
    terminal.wait_for("Total R$ 12,00. Enter vende, n volta:");
    terminal.send("\r");
    terminal.wait_for_text("Erro: estoque insuficiente de \"Caju\"");
    terminal.wait_for_text("A venda continua: 3 un Caju · R$ 6,00 · total R$ 12,00 (2 itens)");
    terminal.wait_for_item(3);
    terminal.send("-\r");
    terminal.wait_for_item(2);
    terminal.send("\r");
    terminal.wait_for("Total R$ 6,00. Enter vende, n volta:");
    terminal.send("\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Maca: \u{2212}2 un · R$ 6,00 · restam 18 un"), "{shown}");
}

#[test]
fn a_name_may_end_with_a_quantity() {
    let server = Server::start(&[]);
    let list = "nome;preco;estoque;unidade\nPão 50g;1;100;un\nÁgua 1,5l;3;60;un\nAlho Tipo 5;16;9;kg\n";
    run(&mut server.command(&["import", "-"]), list);
    let mut terminal = Terminal::open(&server, &[], &[]);
    for (line, told) in [
        ("vender 2 pão 50g", "Pão 50g: \u{2212}2 un"),
        ("vender pão 50g 2", "Pão 50g: \u{2212}2 un"),
        ("comprar 10 água 1,5l 20,00", "Água 1,5l: +10 un · R$ 20,00"),
        ("perder 1 pão 50g causa=avaria", "Pão 50g: \u{2212}1 un"),
        ("contar 90 pão 50g", "restam 90 un"),
        ("contar água 1,5l 50", "restam 50 un"),
        ("contar 8kg alho tipo 5", "restam 8 kg"),
        ("contar 5 alho tipo 5", "restam 5 kg"),
        ("contar alho tipo 5 4", "restam 4 kg"),
    ] {
        let shown = terminal.ask(line);
        assert!(shown.contains(told), "{line}: {shown}");
    }
    let sold = server.run(&["sell", "1", "Pão 50g", "2", "Água 1,5l"]);
    assert!(
        sold.out.contains("Pão 50g: \u{2212}1 un") && sold.out.contains("Água 1,5l: \u{2212}2 un"),
        "{sold:?}"
    );
    // The name alone.
    terminal.send("perder pão 50g causa=avaria\r");
    terminal.wait_for("Quanto de Pão 50g (há 89 un)?");
    terminal.send("2\r");
    assert!(terminal.wait_for_prompt().contains("Pão 50g: \u{2212}2 un"));
    let nameless = server.run(&["sell", "Pão 50g"]);
    assert!(nameless.code == 2 && nameless.err.contains("falta a quantidade de Pão 50g"), "{nameless:?}");
    // Both numbers are the code.
    assert_eq!(server.run(&["product", "set", "Água 1,5l", "--code", "7"]).code, 0);
    assert!(server.run(&["sell", "7", "7"]).out.contains("Água 1,5l: \u{2212}7 un"));
}

#[test]
fn a_wrong_count_is_asked_again() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("contar\r");
    for name in ["kiwi", "caju"] {
        terminal.wait_for("Digite o nome do produto:");
        terminal.send(&format!("{name}\r"));
    }
    for wrong in ["9,5", "9kg", "nove"] {
        terminal.wait_for("Digite a quantidade contada (Caju tem 60 un):");
        terminal.send(&format!("{wrong}\r"));
        terminal.wait_for_text("Erro: ");
    }
    terminal.wait_for("Digite a quantidade contada (Caju tem 60 un):");
    terminal.send("9un\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("restam 9 un"), "{shown}");
}

#[test]
fn a_new_product_with_the_code_of_another_is_refused_as_a_change_would_be() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["product", "set", "Caju", "--code", "7"]).code, 0);
    let refused = server.run(&["product", "new", "Kiwi", "4", "--code", "7", "--format", "json"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.err.contains("CODE_TAKEN") && refused.err.contains("\\\"Caju\\\""), "{}", refused.err);
    let piped = run(&mut server.command(&["shell"]), "novo Kiwi 4 codigo=7\n");
    assert_eq!((piped.code, piped.out.as_str()), (4, ""), "{}", piped.err);
}

#[test]
fn boxes_are_remembered_beside_a_note() {
    let server = Server::start(&[]);
    let bought = |args: &[&str]| {
        let ended = server.run(&[&["buy"], args].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.out
    };
    bought(&["5cx=110un", "Caju", "--total", "110", "--note", "veio molhado"]);
    assert!(server.run(&["history", "Caju", "--format", "json"]).out.contains("\"5cx=110un; veio molhado\""));
    assert!(bought(&["2cx", "Caju", "--total", "44"]).contains("+44 un"));
    bought(&["1cx", "Caju", "--total", "22", "--note", "maduro"]);
    assert_eq!(server.run(&["product", "set", "Caju", "--minimum", "240", "--target", "270"]).code, 0);
    let low = server.run(&["report", "low", "--format", "csv"]).out;
    assert!(low.contains("\nCaju,236,240,270,,44,un,2,alvo\n"), "{low}");
}

#[test]
fn who_may_only_count_puts_the_quantity_first_too() {
    let folder = tempfile::tempdir().unwrap();
    make_token(folder.path(), "contagem", "contagem");
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let mut shell = server.command(&["shell", "--token-file", "contagem"]);
    let ended = run(&mut shell, "contar 58 Caju\ncontar Pera 14\ncontar 3un Maca\n");
    assert_eq!(ended.out, "Caju: R$2.0, Estoque: 58\nPera: R$5.0, Estoque: 14\n", "{}", ended.err);
    assert!(ended.err.contains("conte sem a unidade, e não 3un"), "{}", ended.err);
}

#[test]
fn a_refused_undo_names_what_uses_the_stock_now() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for line in ["3 Caju 10 motivo=compra", "3 Caju -1 motivo=venda", "desfazer 6", "3 Caju -69 motivo=venda"]
    {
        assert!(connection.ask(line).starts_with("Caju: "), "{line}");
    }
    let refused = connection.ask("desfazer 5");
    assert!(refused.contains("a entrada foi usada depois por #8 (venda -69)."), "{refused}");
}

#[test]
fn names_that_are_left_out_are_said() {
    let server = Server::start(&[]);
    let of = |count: usize| {
        let rows: String = (1..=count).map(|number| format!("Tomate {number},1,1\n")).collect();
        run(&mut server.command(&["import", "-"]), &format!("nome,preco,estoque\n{rows}"));
        server.connect().ask("1 tomate")
    };
    assert!(of(10).ends_with("Tomate 10."));
    assert!(of(11).ends_with("; e outros."));
}

#[test]
fn a_name_with_a_sign_that_cuts_a_line_stands_between_quotation_marks() {
    let server = Server::start(&[]);
    let list =
        "nome;preco;estoque;unidade\n\"Kit; 2 uvas\";30;50;un\n\"Pão, 3 un\";4;50;un\nA id=3;1;50;un\n";
    let made = run(&mut server.command(&["import", "-"]), list);
    assert_eq!(made.code, 0, "{made:?}");
    for (args, told) in [
        (
            &["sell", "1", "Kit; 2 uvas", "2", "Maca"][..],
            &["Kit; 2 uvas: \u{2212}1 un", "Maca: \u{2212}2 un"][..],
        ),
        (&["sell", "Pão, 3 un", "2"], &["Pão, 3 un: \u{2212}2 un"]),
        (&["buy", "5", "Kit; 2 uvas", "--total", "60"], &["Kit; 2 uvas: +5 un"]),
        (&["buy", "5", "A id=3", "--total", "5"], &["A id=3: +5 un"]),
        (&["waste", "1", "Kit; 2 uvas", "--cause", "avaria"], &["Kit; 2 uvas: \u{2212}1 un"]),
        (&["waste", "1 Pera; 2 Maca", "--cause", "avaria"], &["Pera: \u{2212}1 un", "Maca: \u{2212}2 un"]),
        (&["sell", "1", "Kit; 2 uvas", "--outbox", "saida.fila"], &["Kit; 2 uvas: \u{2212}1 un"]),
    ] {
        let ended = server.run(args);
        assert!(ended.code == 0 && told.iter().all(|line| ended.out.contains(line)), "{args:?}: {ended:?}");
    }
    let mut terminal = Terminal::open(&server, &[], &[]);
    for (line, told) in [
        ("vender 1 \"kit; 2 uvas\"; 2 maca", "Kit; 2 uvas: \u{2212}1 un"),
        ("vender 'Pão, 3 un' 2, 1 pera", "Pão, 3 un: \u{2212}2 un"),
        ("comprar 2 \"A id=3\" total=2", "A id=3: +2 un"),
        ("perder 1 \"Kit; 2 uvas\" causa=maduro", "Kit; 2 uvas: \u{2212}1 un"),
        // The line that is advised is one that can be typed.
        ("vender 1 pão", "Se for esse, escreva: 1 \"Pão, 3 un\""),
    ] {
        let shown = terminal.ask(line);
        assert!(shown.contains(told), "{line}: {shown}");
    }
}

#[test]
fn a_day_and_a_period_are_not_both_taken() {
    let server = Server::start(&[]);
    for line in ["vendas hoje desde=ontem", "fechamento ontem ate=hoje"] {
        let ended = run(&mut server.command(&["shell"]), &format!("{line}\n"));
        assert!(ended.code == 2 && ended.err.contains("diga só um deles"), "{line}: {ended:?}");
    }
}

#[test]
fn what_a_change_of_terms_leaves_or_takes_away_is_said() {
    let server = Server::start(&[]);
    let unit = server.run(&["product", "set", "Maca", "--unit", "kg"]);
    let told = "a unidade de Maca passou de un para kg, e o número do estoque ficou: 20.";
    assert!(unit.code == 0 && unit.err.contains(told), "{unit:?}");
    // Nothing changed, so nothing is said.
    assert_eq!(server.run(&["product", "set", "Maca", "--unit", "kg"]).err, "");
    let shown = run(&mut server.command(&["shell"]), "mudar Maca unidade=un\n");
    assert!(shown.err.contains("a unidade de Maca passou de kg para un"), "{shown:?}");
    for (name, code) in [("Maca", "7"), ("Pera", "8"), ("Banana", "9")] {
        server.run(&["product", "set", name, "--code", code]);
    }
    let merged = server.run(&["product", "merge", "Maca", "Pera"]);
    assert!(
        merged.code == 0 && merged.err.contains("o código 7 fica sem produto, porque Pera tem o 8"),
        "{merged:?}"
    );
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("unir banana para caju\r");
    terminal.wait_for("Banana passa todo para Caju, e se aposenta. É isso mesmo? (s/n)");
    terminal.send("n\r");
    terminal.wait_for_prompt();
    assert!(terminal.ask("contar banana 0").contains("restam 0 un"));
    let shown = terminal.ask("unir banana para caju confirma=sim");
    assert!(
        shown.contains("Banana: aposentado, sem estoque a passar; os códigos dele são de Caju"),
        "{shown}"
    );
    assert!(!shown.contains("contado"), "{shown}");
}

#[test]
fn a_count_and_an_update_take_a_quantity_with_its_unit() {
    let server = Server::start(&[]);
    run(&mut server.command(&["import", "-"]), "nome;preco;estoque;unidade\nTomate;8;10;kg\n");
    for (args, told) in [
        (&["update", "Tomate", "-500g"][..], "Tomate: R$8.0, Estoque: 9.5\n"),
        (&["update", "Tomate", "+0,5kg"], "Tomate: R$8.0, Estoque: 10\n"),
        (&["count", "Tomate", "2500g"], "Tomate: R$8.0, Estoque: 2.5\n"),
        (&["count", "Caju", "57un"], "Caju: R$2.0, Estoque: 57\n"),
    ] {
        let ended = server.run(args);
        assert_eq!((ended.code, ended.out.as_str()), (0, told), "{args:?}: {ended:?}");
    }
    for (args, told) in [
        (&["update", "Caju", "-2kg"][..], "Caju se conta em un, e não em kg"),
        (&["update", "Caju", "-2un", "--socket"], "não diz a unidade do produto. Nada foi alterado"),
        (&["update", "Caju", "-2un", "--socket", "--request-id", "r1"], "não diz a unidade do produto"),
        (&["count", "Caju", "2kg"], "kg"),
        (&["count", "Tomate", "1.500kg"], "1500 ou 1,5"),
        (&["update", "Tomate", "1.500kg"], "1500 ou 1,5"),
        (&["count", "Tomate", "2cx=5kg"], "não é um número"),
    ] {
        let ended = server.run(args);
        assert!(ended.code == 2 && ended.err.contains(told), "{args:?}: {ended:?}");
    }
}
