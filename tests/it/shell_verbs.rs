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
        ("vender 0 Caju", "zero"),
        ("vender 2,5 Caju", "Caju"),
        ("vender 61 Caju", "há 60 e a venda pede 61"),
        ("vender 2 Caju; 19 Maca", "há 18 e a venda pede 19"),
        ("vender 10 Maca; 9 Maca", "há 8 e a venda pede 9"),
        ("vender 2 Caju confrma=sim", "você quis dizer confirma=?"),
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
    let item = |number: u8| format!("Item {number} (QTD NOME; Enter termina, - tira o último):");
    terminal.wait_for(&item(1));
    terminal.send("2 mac\t\r");
    terminal.wait_for_text("2 un Maca · R$ 6,00 · total R$ 6,00 (1 item)");
    terminal.wait_for(&item(2));
    // A wrong line is told, and the sale goes on.
    terminal.send("2 kiwi\r");
    terminal.wait_for_text("Erro: nenhum produto se chama");
    terminal.wait_for(&item(2));
    // A name alone is asked for its quantity, and a number with two readings for the one that is meant.
    terminal.send("banana\r");
    terminal.wait_for("Quanto de Banana (há 30 un)?");
    terminal.send("1.000\r");
    terminal.wait_for_text("Você quer dizer 1000 ou 1?");
    terminal.send("1\r");
    terminal.wait_for_text("1 un Banana · R$ 10,00 · total R$ 16,00 (2 itens)");
    terminal.wait_for(&item(3));
    terminal.send("-\r");
    terminal.wait_for_text("Tirado: 1 banana. ");
    terminal.wait_for(&item(2));
    terminal.send("5 Caju\r");
    terminal.wait_for(&item(3));
    terminal.send("\r");
    terminal.wait_for("Total R$ 16,00. Enter vende, n volta:");
    terminal.send("n\r");
    terminal.wait_for(&item(3));
    terminal.send("\r");
    terminal.wait_for("Total R$ 16,00. Enter vende, n volta:");
    terminal.send("\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Total: R$ 16,00"), "{shown}");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 55");
    // Ctrl-C and a sale without items sell nothing.
    for keys in ["1 Caju\r\u{3}", "\r"] {
        terminal.send("vender\r");
        terminal.wait_for(&item(1));
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
