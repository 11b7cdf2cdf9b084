//! The shell's own words: `vender` and the others, at a terminal and from a pipe.

use crate::proxy::Proxy;
use crate::support::waiting::wait_until;
use crate::support::{Server, run};
use crate::terminal::Terminal;

/// What stands behind every change that can be undone.
const UNDO_HINT: &str = "Para voltar atrás: desfazer";

#[test]
fn a_sale_of_one_or_of_several_is_one_document() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    let shown = terminal.ask("vender 2 maca");
    assert!(shown.contains("Maca: \u{2212}2 un · R$ 6,00 · restam 18 un · #5\n"), "{shown}");
    assert!(shown.contains(UNDO_HINT), "{shown}");
    let shown = terminal.ask("vender 3un Caju; Pera 1, 2 banana");
    for line in [
        "Caju: \u{2212}3 un · R$ 6,00 · restam 57 un · #6\n",
        "Pera: \u{2212}1 un · R$ 5,00 · restam 14 un · #7\n",
        "Banana: \u{2212}2 un · R$ 20,00 · restam 28 un · #8\n",
        "Total: R$ 31,00\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    // One undo for all of it.
    terminal.send("desfazer\r");
    terminal.wait_for_text("Enter desfaz a última mudança:");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Total: R$ 31,00"));
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    for (wrong, told) in [
        ("vender 2", "nenhum produto se chama \"2\""),
        ("vender 2,5kg", "falta o nome do produto"),
        ("vender 2 Kiwi", "nenhum produto se chama \"Kiwi\""),
        ("vender -2 Caju", "vai sem sinal"),
        ("vender 2kg Caju", "Caju se conta em un, e não em kg"),
        ("vender 0 Caju", "não muda o estoque"),
        ("vender 2,5 Caju", "Caju"),
        ("vender 61 Caju", "há 60 e a venda pede 61"),
        ("vender 2 Caju; 19 Maca", "há 18 e a venda pede 19"),
        ("vender 10 Maca; 9 Maca", "há 8 e a venda pede 9"),
        ("vender 2 Caju confrma=sim", "você quis dizer confirma=?"),
        ("comprar 20cx=440kg Caju 2.800,00", "sem separador de milhar"),
        ("unir Caju para caju", "não pode ser unido com ele mesmo"),
        ("vender 2 Caju obs=fiado; 3 Pera", "\"3 Pera\" vem depois de obs=, e não seria lançado"),
        ("perder 2 Caju causa=maduro, 3 Pera", "não seria lançado"),
        ("comprar 2 Caju total=4 fornecedor=Zé; Pera 3", "escreva entre aspas: fornecedor=\"Zé; Pera 3\""),
    ] {
        let shown = terminal.ask(wrong);
        assert!(shown.contains("Erro: ") && shown.contains(told), "{wrong}: {shown}");
    }
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
}

#[test]
fn the_word_alone_asks_for_items_until_an_empty_line() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("vender\r");
    terminal.wait_for_item(1);
    terminal.send("2 mac\t\r");
    terminal.wait_for_text("2 un Maca · R$ 6,00 · total R$ 6,00 (1 item)");
    terminal.wait_for_item(2);
    // A wrong line is told, and the sale goes on.
    terminal.send("2 kiwi\r");
    terminal.wait_for_text("Erro: nenhum produto se chama");
    terminal.wait_for_item(2);
    // A name alone is asked for its quantity, and a number with two readings for the one that is meant.
    terminal.send("banana\r");
    terminal.wait_for("Quanto de Banana (há 30 un)?");
    terminal.send("1.000\r");
    terminal.wait_for_text("Você quer dizer 1000 ou 1?");
    terminal.send("1\r");
    terminal.wait_for_text("1 un Banana · R$ 10,00 · total R$ 16,00 (2 itens)");
    terminal.wait_for_item(3);
    terminal.send("-\r");
    terminal.wait_for_text("Tirado: 1 banana. ");
    terminal.wait_for_item(2);
    terminal.send("5 Caju\r");
    terminal.wait_for_item(3);
    terminal.send("\r");
    terminal.wait_for("Total R$ 16,00. Enter vende, n volta:");
    terminal.send("n\r");
    terminal.wait_for_item(3);
    terminal.send("\r");
    terminal.wait_for("Total R$ 16,00. Enter vende, n volta:");
    terminal.send("\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Total: R$ 16,00"), "{shown}");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 55");
    // Ctrl-C and a sale without items sell nothing.
    for keys in ["1 Caju\r\u{3}", "\r"] {
        terminal.send("vender\r");
        terminal.wait_for_item(1);
        terminal.send(keys);
        assert!(terminal.wait_for_prompt().contains("Nada foi enviado."));
    }
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 55");
}

#[test]
fn what_looks_like_a_slip_is_asked_back() {
    let server = Server::start(&[]);
    run(
        &mut server.command(&["import", "-"]),
        "nome,preco,estoque\nUva,5,500\nAlho Tipo 5,1,9\n2 Alho Tipo,1,9\n",
    );
    let mut terminal = Terminal::open(&server, &[], &[]);
    for _ in 0..5 {
        terminal.ask("vender 2 Uva");
    }
    terminal.send("vender 20 Uva\r");
    terminal.wait_for("20 un de Uva: o costume é 2 un. É isso mesmo? (s/n)");
    terminal.send("n\r");
    assert!(terminal.wait_for_prompt().contains("Nada foi enviado."));
    terminal.send("vender 40 Caju\r");
    terminal.wait_for("40 un de Caju: é mais da metade do estoque, de 60 un. É isso mesmo? (s/n)");
    terminal.send("s\r");
    assert!(terminal.wait_for_prompt().contains("restam 20 un"));
    assert!(terminal.ask("vender 20 Uva confirma=sim").contains("restam 470 un"));
    // Two readings, both of products that are there.
    let shown = terminal.ask("vender 2 Alho Tipo 5");
    assert!(shown.contains("2 de \"Alho Tipo 5\", ou 5 de \"2 Alho Tipo\""), "{shown}");
    assert!(terminal.ask("vender 2un Alho Tipo 5").contains("Alho Tipo 5: \u{2212}2 un"));
    // Behind a pipe nobody is asked.
    let piped = run(&mut server.command(&["shell"]), "vender 400 Uva\nvender 400 Uva confirma=sim\n");
    assert_eq!((piped.code, piped.out.as_str()), (2, "Uva: R$5.0, Estoque: 70\n"), "{}", piped.err);
    assert!(piped.err.contains("Parece engano, e nada foi feito"), "{}", piped.err);
}

#[test]
fn a_pipe_sells_line_by_line_too() {
    let server = Server::start(&[]);
    let piped =
        run(&mut server.command(&["shell"]), "vender\n2 Caju\n1 Pera\n\nvender 1 Caju\nvender\n3 Maca\n");
    let stocks = "Caju: R$2.0, Estoque: 58\nPera: R$5.0, Estoque: 14\nCaju: R$2.0, Estoque: 57\nMaca: R$3.0, Estoque: 17\n";
    assert_eq!((piped.code, piped.out.as_str()), (0, stocks), "{}", piped.err);
}

#[test]
fn a_sale_in_doubt_is_finished_once_by_the_next_shell_and_by_the_same_line() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let args = ["--grpc", "--server", &proxy.address];
    let mut terminal = Terminal::open(&server, &args, &[]);
    terminal.wait_for_prompt();
    // The name is looked up first, and the answer to the change is lost.
    proxy.swallow_after(1, "caju");
    terminal.send("vender 20 caju; 2 pera\r");
    wait_until("the sale", || server.connect().ask("1 Caju") == "Caju: R$2.0, Estoque: 40");
    terminal.kill();
    proxy.pass();
    let mut next = Terminal::open(&server, &args, &[]);
    next.wait_for_text("Em dúvida desde o shell anterior: vender 20 caju; 2 pera");
    next.wait_for_text("A mudança em dúvida foi feita: vender 20 caju; 2 pera → Caju: \u{2212}20 un");
    next.ask("");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
}

/// A shop in which a tomato is sold by the kilogram.
fn shop_with_tomatoes() -> Server {
    let server = Server::start(&[]);
    run(&mut server.command(&["import", "-"]), "nome;preco;estoque;unidade\nTomate italiano;8,90;0;kg\n");
    server
}

#[test]
fn a_purchase_has_its_cost_and_its_origin() {
    let server = shop_with_tomatoes();
    let mut terminal = Terminal::open(&server, &[], &[]);
    let shown = terminal.ask(
        "comprar 20cx=440kg tomate italiano total=2800 fornecedor=Sítio Boa Vista lote=L-12 validade=31/12/2099",
    );
    assert!(shown.contains("Tomate italiano: +440 kg · R$ 2.800,00 · restam 440 kg · #6\n"), "{shown}");
    assert!(shown.contains(UNDO_HINT), "{shown}");
    // Boxes hold what they held, and money may stand at the end.
    let shown = terminal.ask("comprar 2cx Tomate italiano R$ 300,00");
    assert!(shown.contains("Tomate italiano: +44 kg · R$ 300,00 · restam 484 kg · #7\n"), "{shown}");
    // What is missing is asked.
    terminal.send("comprar\r");
    terminal.wait_for("O que chegou (QTD NOME):");
    terminal.send("10 kg tomate it\t\r");
    terminal.wait_for("Quanto custaram ao todo 10 kg de Tomate italiano, em R$ (Enter: não sei)?");
    terminal.send("2.80,0\r");
    terminal.wait_for_text("Erro: total inválido");
    terminal.send("65,50\r");
    assert!(terminal.wait_for_prompt().contains("+10 kg · R$ 65,50 · restam 494 kg · #8"));
    // What looks like a slip is asked back.
    for (line, question) in [
        (
            "comprar 10 tomate italiano total=655",
            "R$ 65,50 por kg de Tomate italiano: a compra de antes custou R$ 6,55",
        ),
        ("comprar 10 tomate italiano total=66 validade=1/1/2020", "a validade 01/01/2020 já passou"),
    ] {
        terminal.send(&format!("{line}\r"));
        terminal.wait_for(&format!("{question}. É isso mesmo? (s/n)"));
        terminal.send("\r");
        assert!(terminal.wait_for_prompt().contains("Nada foi enviado."));
    }
    for (wrong, told) in [
        ("comprar 10 tomate italiano total=1.000", "total"),
        ("comprar 10 tomate italiano total=66 validade=31/2", "não é um dia"),
        ("comprar 10cx Caju total=66", "Caju se conta em un, e não em cx"),
        ("comprar 10 Caju total=66 fornecedor=", "sem valor"),
    ] {
        let shown = terminal.ask(wrong);
        assert!(shown.contains("Erro: ") && shown.contains(told), "{wrong}: {shown}");
    }
    let movements = server.run(&["history", "Tomate italiano", "--format", "json"]).out;
    for part in ["Sítio Boa Vista", "L-12", "2099-12-31", "20cx=440kg", "2cx=44kg"] {
        assert!(movements.contains(part), "{movements}");
    }
    // Behind a pipe nobody is asked for the total, and the purchase has none.
    let piped =
        run(&mut server.command(&["shell"]), "comprar 1kg Tomate italiano\ncomprar 9 Caju total=900\n");
    assert_eq!(
        (piped.code, piped.out.as_str()),
        (2, "Tomate italiano: R$8.9, Estoque: 495\n"),
        "{}",
        piped.err
    );
    assert!(piped.err.contains("confirma=sim"), "{}", piped.err);
}

#[test]
fn a_loss_has_its_reason() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    let shown = terminal.ask("perder 2 Maca causa=maduro");
    assert!(shown.contains("Maca: \u{2212}2 un · R$ 6,00 · restam 18 un · #5\n"), "{shown}");
    terminal.send("perder 1 Maca; 2 Pera\r");
    terminal.wait_for_text(
        "1 vencido, 2 maduro, 3 avaria, 4 peso, 5 furto, 6 consumo, 7 doação, 8 degustação, 9 devolução",
    );
    terminal.wait_for("Número ou palavra:");
    terminal.send("0\r");
    terminal.wait_for("Número ou palavra:");
    terminal.send("3\r");
    assert!(terminal.wait_for_prompt().contains("Total: R$ 13,00"));
    terminal.send("perder 1 Caju ca\tma\t\r");
    assert!(terminal.wait_for_prompt().contains("Caju: \u{2212}1 un · R$ 2,00 · restam 59 un · #8"));
    assert!(terminal.ask("perder 1 Caju causa=roubo").contains("causa \"roubo\" desconhecida"));
    let movements = server.run(&["history", "--kind", "perda", "--format", "json"]).out;
    assert_eq!(
        (movements.matches("maduro").count(), movements.matches("avaria").count()),
        (2, 2),
        "{movements}"
    );
    let piped = run(&mut server.command(&["shell"]), "perder 1 Caju\nperder 1 Caju causa=Doação\n");
    assert_eq!((piped.code, piped.out.as_str()), (2, "Caju: R$2.0, Estoque: 58\n"), "{}", piped.err);
}

#[test]
fn reports_of_a_day_and_of_a_period() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.ask("vender 2 Maca; 3 Caju");
    terminal.ask("perder 1 Pera causa=furto");
    for word in ["hoje", "fechamento", "fechamento hoje"] {
        let shown = terminal.ask(word);
        assert!(shown.contains(" 12,00"), "{word}: {shown}");
    }
    assert!(!terminal.ask("ontem").contains(" 12,00"));
    let shown = terminal.ask("vendas");
    assert!(shown.contains("Maca") && shown.contains("Caju") && shown.contains(" 6,00"), "{shown}");
    assert!(terminal.ask("perdas desde=hoje por=causa").contains("furto"));
    for word in ["compras", "margens", "abc", "contagens", "vendas ontem", "vendas desde=ontem ate=hoje"] {
        let shown = terminal.ask(word);
        assert!(!shown.contains("Erro: "), "{word}: {shown}");
    }
    terminal.ask("comprar 8 Banana total=16,00 fornecedor=\"Sítio do Zé\" confirma=sim");
    assert!(terminal.ask("rastrear ze").contains("16,00"));
    terminal.ask("vender 57 Caju confirma=sim");
    for (word, told) in [
        ("acabando", "A comprar: até o alvo"),
        ("acabando 30", "Maca"),
        ("acabando", "Caju"),
        ("vencendo", "Nada vence nesse prazo."),
        ("vencendo 2", "Vence em até 2 dias"),
        ("rastrear ceagesp", "Nenhuma compra de um fornecedor"),
    ] {
        let shown = terminal.ask(word);
        assert!(shown.contains(told), "{word}: {shown}");
    }
    for (wrong, told) in [
        ("acabando logo", "não é um número de dias"),
        ("vencendo 9999", "de 0 a 3650"),
        ("vendas amanhã", "não é uma data"),
        ("perdas por=cor", "não se agrupa por"),
        ("hoje ontem", "não leva argumentos"),
        ("abc por=dia", "não se agrupa por"),
    ] {
        let shown = terminal.ask(wrong);
        assert!(shown.contains("Erro: ") && shown.contains(told), "{wrong}: {shown}");
    }
    let piped = run(&mut server.command(&["shell"]), "vendas\n");
    assert!(piped.code == 0 && piped.out.contains("Caju"), "{} {}", piped.out, piped.err);
}

#[test]
fn a_count_reads_a_quantity_as_people_say_it() {
    let server = shop_with_tomatoes();
    let mut terminal = Terminal::open(&server, &[], &[]);
    assert!(terminal.ask("contar 57 Caju").contains("Caju: \u{2212}3 un · R$ 6,00 · restam 57 un"));
    assert!(terminal.ask("contar Tomate italiano 12,5kg").contains("restam 12,5 kg"));
    assert!(terminal.ask("contar 900g tomate italiano").contains("restam 0,9 kg"));
    assert!(terminal.ask("contar 2kg Caju").contains("Caju se conta em un, e não em kg"));
    assert!(terminal.ask("contar Kiwi").contains("Erro: "));
    // Digits alone are a code, or nothing.
    assert!(terminal.ask("7891234567895").contains("não é um comando nem o código de um produto"));
}

#[test]
fn what_a_product_is_changes_by_a_word_each() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    let shown = terminal
        .ask("novo Uva Itália 12,90 unidade=kg codigo=123 barras=7891000100103 categoria=frutas minimo=10");
    assert!(shown.contains("Uva Itália: cadastrado · R$ 12,90/kg · há 0 kg\n"), "{shown}");
    assert!(!shown.contains("criado"), "{shown}");
    assert!(terminal.ask("123").contains("Uva Itália: R$ 12,90/kg · há 0 kg"));
    assert!(terminal.ask("7891000100103").contains("Uva Itália"));
    assert!(terminal.ask("novo Uva Italia 9,90").contains("já existe o produto \"Uva Itália\""));
    terminal.ask("comprar 10kg 123 total=60");
    // A price, and how it follows from the cost; both are shown.
    let shown = terminal.ask("preco uva italia 10");
    assert!(shown.contains("R$ 10,00/kg") && shown.contains("margem 40%"), "{shown}");
    let shown = terminal.ask("preco uva italia margem=50");
    assert!(shown.contains("R$ 12,00/kg") && shown.contains("markup 100%"), "{shown}");
    let both = terminal.ask("preco uva italia margem=40 markup=50 confirma=sim");
    assert!(both.contains("diga um dos dois"), "{both}");
    assert!(terminal.ask("preco uva italia markup=50 confirma=sim").contains("R$ 9,00/kg"));
    terminal.send("preco uva italia 900\r");
    terminal.wait_for("Uva Itália passa de R$ 9,00 para R$ 900,00. É isso mesmo? (s/n)");
    terminal.send("n\r");
    assert!(terminal.wait_for_prompt().contains("Nada foi enviado."));
    terminal.send("preco Caju\r");
    terminal.wait_for("Preço novo:");
    terminal.send("2,50\r");
    assert!(terminal.wait_for_prompt().contains("R$ 2,50"));
    assert!(terminal.ask("preco Caju margem=40").contains("o custo de \"Caju\" não é conhecido"));
    // Other terms, names, and the end.
    assert!(!terminal.ask("mudar Caju minimo=100 alvo=200").contains("Erro: "));
    assert!(terminal.ask("acabando").contains("Caju"));
    assert!(terminal.ask("mudar Caju").contains("falta dizer o que muda"));
    assert!(terminal.ask("renomear Maca para Maçã Fuji").contains("Maçã Fuji"));
    assert!(terminal.ask("renomear Pera para Caju").contains("Erro: "));
    assert!(terminal.ask("aposentar Pera").contains("Aposentado"));
    assert!(terminal.ask("vender 1 Pera").contains("Erro: "));
    assert!(!terminal.ask("4").contains("Pera"));
    assert!(terminal.ask("reativar Pera").contains("De volta às listas."));
    terminal.send("unir Pera para Banana\r");
    terminal.wait_for("Pera passa todo para Banana, e se aposenta. É isso mesmo? (s/n)");
    terminal.send("s\r");
    terminal.wait_for_prompt();
    assert_eq!(server.connect().ask("1 Banana"), "Banana: R$10.0, Estoque: 45");
    // Words in any order, and nothing found.
    let shown = terminal.ask("buscar ita uv");
    assert!(shown.contains("Uva Itália") && shown.contains("R$ 9,00") && shown.contains("kg"), "{shown}");
    assert!(terminal.ask("buscar categoria=frutas").contains("Uva Itália"));
    assert!(terminal.ask("buscar xyz").contains("Nenhum produto encontrado."));
    let lines = "novo Alho 2 id=novo-1\nnovo Alho 2 id=novo-1\npreco Caju 3\nbuscar caju\npreco Caju 300\nnovo Alho 9 id=novo-2\n";
    let piped = run(&mut server.command(&["shell"]), lines);
    assert_eq!(
        (piped.code, piped.out.as_str()),
        (
            2,
            "Alho: R$2.0, Estoque: 0\nAlho: R$2.0, Estoque: 0\nCaju: R$3.0, Estoque: 60\nCaju: R$3.0, Estoque: 60\n"
        ),
        "{}",
        piped.err
    );
    assert!(piped.err.contains("já existe o produto \"Alho\""), "{}", piped.err);
}

#[test]
fn labels_and_codes_stand_in_a_sale() {
    let server = Server::start(&["--label", "2CCCCCCPPPPPD"]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.ask("novo Tomate 8,90 unidade=kg codigo=1234");
    terminal.ask("novo Suco 5 barras=7891000100103");
    terminal.ask("comprar 10kg Tomate total=50");
    terminal.ask("comprar 10 Suco total=30");
    terminal.send("vender\r");
    terminal.wait_for_item(1);
    terminal.send("2001234015004\r");
    terminal.wait_for_text("Tomate, pela etiqueta · total R$ 0,00 e 1 etiqueta (1 item)");
    terminal.send("7891000100103\r");
    terminal.wait_for_text("1 un Suco · R$ 5,00 · total R$ 5,00 e 1 etiqueta (2 itens)");
    terminal.wait_for_item(3);
    terminal.send("\r");
    terminal.wait_for_text("Enter vende, n volta:");
    terminal.send("\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Tomate: \u{2212}1,5 kg · R$ 13,35 · restam 8,5 kg"), "{shown}");
    assert!(shown.contains("Suco: \u{2212}1 un · R$ 5,00 · restam 9 un"), "{shown}");
    assert!(terminal.ask("vender 2 7891000100103").contains("restam 7 un"));
}

#[test]
fn a_count_without_its_quantity_is_asked_for_it_and_an_opening_is_undone_only_if_meant() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("contar Caju\r");
    terminal.wait_for("Quanto de Caju (há 60 un)?");
    terminal.send("57\r");
    assert!(terminal.wait_for_prompt().contains("restam 57 un · #5"));
    terminal.send("desfazer 3\r");
    terminal.wait_for_text("#3 é o estoque com que Banana começou");
    terminal.send("n\r");
    terminal.wait_for_prompt();
    assert_eq!(server.connect().ask("1 Banana"), "Banana: R$10.0, Estoque: 30");
    let undone = terminal.ask("desfazer 5");
    assert!(undone.contains("restam 60 un · #6"), "{undone}");
    let history = terminal.ask("historico Caju");
    assert!(
        history.contains("contagem, estorno de #5") && history.contains("contagem, estorno em #6"),
        "{history}"
    );
    let table = server.run(&["history", "--format", "table", "--limit", "2"]).out;
    assert!(
        table.contains("contagem, estorno de #5") && table.contains("contagem, estorno em #6"),
        "{table}"
    );
}
