//! The shell: on a real terminal (a pty), and from a pipe.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{FOUR_PRODUCTS, Server, run};
use crate::terminal::Terminal;

#[test]
fn numbers_ask_words_and_whole_lines_work() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("3\r");
    terminal.wait_for("Digite o nome do produto:");
    terminal.send("caju\r");
    terminal.wait_for("Digite a quantidade (negativa para retirar):");
    terminal.send("-20\r");
    terminal.wait_for("Motivo: ajuste, venda, perda ou contagem (Enter: ajuste):");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Caju: R$2.0, Estoque: 40"));
    assert!(terminal.ask("atualizar Caju 5 motivo=compra").contains("Caju: R$2.0, Estoque: 45"));
    assert!(terminal.ask("ate 2").contains("Caju: R$2.0, Estoque: 45"));
    assert!(terminal.ask("consultar MAÇÃ").contains("Maca: R$3.0, Estoque: 20"));
    assert!(terminal.ask("ajuda").contains("motivo=compra"));
    for wrong in ["xyz", "1 Kiwi", "2 abc", "3 Caju", "3 Caju -999", "4 tudo"] {
        let shown = terminal.ask(wrong);
        assert_eq!(shown.matches("Erro: ").count(), 1, "{wrong}: {shown}");
    }
    assert!(terminal.ask("4").ends_with("Caju: R$2.0, Estoque: 45\n"), "{}", terminal.screen());
    // The state of the shell, which stands above the prompt when it changes.
    let folder = server.path().file_name().unwrap().to_str().unwrap();
    let state = format!("[localhost:{} · loja {folder}]", server.port);
    assert_eq!(terminal.ask("").trim(), state);
    terminal.send("sair\r");
    terminal.wait_for_end();
    assert!(terminal.screen().ends_with("Encerrando o cliente..."));
}

#[test]
fn help_of_one_command_guesses_and_words_to_leave() {
    let server = Server::start(&[]);
    run(&mut server.command(&["import", "-"]), "nome,preco\nSalada tomate,5\n");
    let mut terminal = Terminal::open(&server, &[], &[]);
    let shown = terminal.ask("ajuda contar");
    for part in ["contar NOME QUANTIDADE [id=PEDIDO]", "id=  ", "Exemplo: contar Caju 57"] {
        assert!(shown.contains(part), "{shown}");
    }
    for (wrong, guess) in
        [("contra Caju 3", "`contar`"), ("ajuda hitorico", "`historico`"), ("lista", "`listar`")]
    {
        let shown = terminal.ask(wrong);
        assert!(shown.contains(&format!("Você quis dizer {guess}?")), "{shown}");
    }
    terminal.send("consultar tom\t");
    terminal.wait_for("Digite sua escolha: consultar Salada tomate");
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    terminal.send("3 Pera -1 mot\tper\t");
    terminal.wait_for("Digite sua escolha: 3 Pera -1 motivo=perda");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Pera: R$5.0, Estoque: 14"));
    for leave in ["quit", "exit"] {
        let mut terminal = Terminal::open(&server, &[], &[]);
        terminal.wait_for_prompt();
        terminal.send(&format!("{leave}\r"));
        terminal.wait_for_end();
    }
}

#[test]
fn a_list_longer_than_the_screen_is_shown_a_screen_at_a_time() {
    let server = Server::start(&[]);
    let rows: String = (1..=40).map(|number| format!("Produto {number:02},1\n")).collect();
    run(&mut server.command(&["import", "-"]), &format!("nome,preco\n{rows}"));
    let mut terminal = Terminal::open_low(&server, 20);
    terminal.wait_for("Digite sua escolha:");
    terminal.send("4\r");
    terminal.wait_for("-- mais 25 · espaço: tela · Enter: linha · q: fim --");
    assert!(terminal.screen().contains("Produto 15") && !terminal.screen().contains("Produto 16"));
    terminal.send("\r");
    terminal.wait_for("-- mais 24 · espaço: tela · Enter: linha · q: fim --");
    terminal.send("\u{1b}[B x ");
    // The last page has no more.
    terminal.wait_for_text("Produto 40");
    terminal.wait_for("Digite sua escolha:");
    assert!(!terminal.screen().contains("-- mais"), "{}", terminal.screen());
    terminal.send("4\r");
    terminal.wait_for("-- mais 25 · espaço: tela · Enter: linha · q: fim --");
    terminal.send("q");
    terminal.wait_for("Digite sua escolha:");
    assert!(!terminal.screen().contains("Produto 16"), "{}", terminal.screen());
    // The keys of the shell are as before.
    terminal.send("1 Caju\r");
    terminal.wait_for_text("Caju: R$2.0, Estoque: 60");
    let piped = run(&mut server.command(&["shell"]), "4\n");
    assert_eq!(piped.out.lines().count(), 44);
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("3\rCaju\r-20\r1 Pera\rsair\r");
    terminal.wait_for_end();
    for shown in ["Caju: R$2.0, Estoque: 40", "Pera: R$5.0, Estoque: 15"] {
        assert!(terminal.screen().contains(shown), "{}", terminal.screen());
    }
}

#[test]
fn one_thousand_is_asked_back() {
    const HINT: &str = "Digite um dos dois (vazio ou Ctrl-C desiste):";
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    for (line, question, answers, shown) in [
        ("3 Caju 1.000", "1000 ou 1", &["talvez", "1.000", "2", "1000"][..], "Estoque: 1060"),
        ("3 Caju 1.000 motivo=compra", "1000 ou 1", &["1"], "Estoque: 1061"),
        ("3 Caju -5.000", "-5000 ou -5", &["-5"], "Estoque: 1056"),
        ("3 Caju 5.000", "5000 ou 5", &["5"], "Estoque: 1061"),
        // What is shown has no second reading.
        ("3 Caju 2.500", "2500 ou 2,5", &["2.500", "2,5"], "Erro: "),
        // Ways out.
        ("3 Caju 2.000", "2000 ou 2", &[""], "Nada foi enviado."),
        ("3 Caju 2.000", "2000 ou 2", &["sair"], "Nada foi enviado."),
    ] {
        terminal.send(&format!("{line}\r"));
        for answer in answers {
            terminal.wait_for(&format!("Você quer dizer {question}? {HINT}"));
            terminal.send(&format!("{answer}\r"));
        }
        let after = terminal.wait_for_prompt();
        assert!(after.contains(shown), "{line}: {after}");
    }
    terminal.send("3 Caju 2.000\r");
    terminal.wait_for(&format!("Você quer dizer 2000 ou 2? {HINT}"));
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    // So do the questions for what a number alone needs.
    terminal.send("3\r");
    terminal.wait_for("Digite o nome do produto:");
    assert!(terminal.ask("").contains("Nada foi enviado."));
    assert!(terminal.ask("1 Caju").contains("Estoque: 1061"));
}

#[test]
fn pasted_lines_are_commands_of_their_own() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    // As terminals send line ends, and as files have them; the last line has none.
    for (line_end, stock) in [("\r", 59), ("\n", 58), ("\r\n", 57)] {
        let lines = ["1 Maca", "3", "Caju", "-1", "1\tPera", "1 Banana"].join(line_end);
        terminal.send(&format!("\u{1b}[200~{lines}\u{1b}[201~"));
        terminal.wait_for("Digite sua escolha: 1 Banana");
        let screen = terminal.screen();
        let pasted = screen.rsplit("Digite sua escolha: 1 Maca\n").next().unwrap();
        // A tab in it completes nothing.
        assert_eq!(
            pasted,
            format!(
                "Maca: R$3.0, Estoque: 20\n\
                 Digite sua escolha: 3\n\
                 Digite o nome do produto: Caju\n\
                 Digite a quantidade (negativa para retirar): -1\n\
                 Caju: R$2.0, Estoque: {stock}\n\
                 Digite sua escolha: 1 Pera\n\
                 Pera: R$5.0, Estoque: 15\n\
                 Digite sua escolha: 1 Banana"
            )
        );
        // What has no line end can be edited.
        terminal.catch_up();
        terminal.send("\u{15}1 Pera\r");
        assert!(terminal.wait_for_prompt().contains("Pera: R$5.0, Estoque: 15"));
    }
    // Each of them is in the history.
    let path = server.path().join("state/hortifruti/history");
    let lines = history(&path);
    assert_eq!(lines[..4], ["1 Maca", "3", "1 Pera", "1 Maca"], "{lines:?}");
    // A terminal that marks no paste, and one whose mark is cut off.
    terminal.send("1 Maca\r\n1 Banana\r\n4\r\n");
    terminal.wait_for_text(&FOUR_PRODUCTS.replace("Estoque: 60", "Estoque: 57"));
    assert!(terminal.screen().contains("Banana: R$10.0, Estoque: 30\nDigite sua escolha: 4\n"));
    terminal.wait_for("Digite sua escolha:");
    terminal.catch_up();
    terminal.send("\u{1b}[200~1 Ma");
    // With a hint from the history.
    terminal.wait_for("Digite sua escolha: 1 Maca");
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    terminal.send("1 ban\t");
    terminal.wait_for("Digite sua escolha: 1 Banana");
}

#[test]
fn a_dumb_terminal_gets_no_control_sequences() {
    let server = Server::start(&[]);
    for name in ["dumb", ""] {
        let mut terminal = Terminal::open(&server, &[], &[("TERM", name)]);
        assert!(terminal.ask("xyz").contains("Erro: "));
        assert!(!terminal.sent_bytes().contains("\u{1b}[31m"), "{name:?}");
    }
    let dumb = [("TERM", "dumb")];
    let mut terminal = Terminal::open(&server, &[], &dumb);
    assert!(terminal.ask("4").contains(FOUR_PRODUCTS));
    terminal.send("3 Caju 2.000\r");
    terminal.wait_for("Você quer dizer 2000 ou 2? Digite um dos dois (vazio ou Ctrl-C desiste):");
    assert!(terminal.ask("").contains("Nada foi enviado."));
    terminal.send("5\r");
    terminal.wait_for_end();
    assert!(!terminal.sent_bytes().contains('\u{1b}'), "{:?}", terminal.sent_bytes());
    // There Ctrl-C is a signal, and the way out that the question promises.
    let mut terminal = Terminal::open(&server, &[], &dumb);
    terminal.ask("4");
    terminal.send("3 Caju 2.000\r");
    terminal.wait_for_text("Você quer dizer 2000 ou 2?");
    terminal.send("\u{3}");
    assert_eq!(terminal.wait_for_code(), 130);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    // Nor does a bar that says how far a copy is.
    let mut verify = Terminal::run_with(server.path(), 80, &["backup", "copia.db"], &dumb);
    verify.wait_for_end();
    assert!(!verify.sent_bytes().contains('\u{1b}'), "{:?}", verify.sent_bytes());
}

#[test]
fn tab_completes_and_control_keys_do_what_they_do_elsewhere() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("cons\tban\t");
    terminal.wait_for("Digite sua escolha: consultar Banana");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Banana: R$10.0, Estoque: 30"));
    // Ctrl-C drops the line and nothing else.
    terminal.send("3 Caju -2");
    terminal.wait_for("Digite sua escolha: 3 Caju -2");
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    assert!(terminal.ask("1 caju").contains("Caju: R$2.0, Estoque: 60"));
    // The arrow repeats the last command.
    terminal.send("\u{1b}[A");
    terminal.wait_for("Digite sua escolha: 1 caju");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Caju: R$2.0, Estoque: 60"));
    // A hint from the history stands behind the cursor; the right arrow takes it.
    terminal.send("1 ca");
    terminal.wait_for("Digite sua escolha: 1 caju");
    terminal.send("\u{1b}[C\r");
    assert!(terminal.wait_for_prompt().contains("Caju: R$2.0, Estoque: 60"));
    terminal.send("\u{4}");
    terminal.wait_for_end();
    assert!(terminal.screen().ends_with("Encerrando o cliente..."));
}

#[test]
fn the_history_is_the_owners_alone_and_outlives_the_shell() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    for line in ["1 Maca", "1 Maca", "4", "1 Maca"] {
        terminal.ask(line);
    }
    terminal.send("\u{4}");
    terminal.wait_for_end();
    let path = server.path().join("state/hortifruti/history");
    assert_eq!(history(&path), ["1 Maca", "4", "1 Maca"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("\u{1b}[A\u{1b}[A");
    terminal.wait_for("Digite sua escolha: 4");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains(FOUR_PRODUCTS));
    terminal.ask("2 8");
    // A terminal that is closed takes no command with it.
    drop(terminal);
    assert_eq!(history(&path).last().map(String::as_str), Some("2 8"));
}

fn history(path: &Path) -> Vec<String> {
    let content = fs::read_to_string(path).unwrap();
    content.lines().filter(|line| !line.starts_with("#V2")).map(str::to_owned).collect()
}

#[test]
fn colours_only_on_a_terminal_and_never_with_no_color() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    assert!(terminal.ask("xyz").contains("Erro: "));
    assert!(terminal.sent_bytes().contains("\u{1b}[31mErro: "));
    let mut terminal = Terminal::open(&server, &[], &[("NO_COLOR", "1")]);
    assert!(terminal.ask("xyz").contains("Erro: "));
    assert!(!terminal.sent_bytes().contains("\u{1b}[31m"));
}

#[test]
fn it_finds_a_server_that_comes_back_and_changes_nothing_twice() {
    for transport in ["--socket", "--grpc"] {
        let mut server = Server::start(&[]);
        let mut terminal = Terminal::open(&server, &[transport], &[]);
        assert!(terminal.ask("3 Caju -20").contains("Estoque: 40"));
        server.kill();
        terminal.send("3 Caju -20\r");
        terminal.wait_for_text("Procurando o servidor de novo");
        server.restart();
        assert!(terminal.wait_for_prompt().contains("Caju: R$2.0, Estoque: 20"));
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 20");
    }
}

#[test]
fn control_c_ends_a_wait_and_says_how_to_repeat() {
    for transport in ["--socket", "--grpc"] {
        let mut server = Server::start(&[]);
        let mut terminal = Terminal::open(&server, &[transport], &[]);
        terminal.wait_for_prompt();
        server.pause();
        terminal.send("3 Caju -20\r");
        // Once the line is taken, Ctrl-C is no longer the line editor's.
        terminal.wait_for_text("não responde. A espera continua; Ctrl-C a encerra.");
        terminal.send("\u{3}");
        let shown = terminal.wait_for_prompt();
        assert!(shown.contains("Não se sabe se ela foi feita") && shown.contains("Enter"), "{shown}");
        server.signal("CONT");
        server.kill();
        server.restart();
        assert!(terminal.ask("3 Caju -1").contains("Caju: R$2.0, Estoque: "));
    }
}

#[test]
fn control_d_leaves_from_a_question_too() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("3\r");
    terminal.wait_for("Digite o nome do produto:");
    terminal.send("\u{4}");
    terminal.wait_for_end();
    assert!(terminal.screen().ends_with("Encerrando o cliente..."));
}

#[test]
fn a_pipe_gets_replies_alone_and_the_first_failure_is_the_exit_code() {
    let server = Server::start(&[]);
    let piped = run(&mut server.command(&["shell"]), "4\n\n1\nmaçã\n3 Caju -20\n5\n4\n");
    assert_eq!(
        (piped.code, piped.out, piped.err),
        (0, format!("{FOUR_PRODUCTS}\nMaca: R$3.0, Estoque: 20\nCaju: R$2.0, Estoque: 40\n"), String::new())
    );
    let mut odd = b"\xef\xbb\xbf1 Caju\n1 ma\xe7\xe3\n".to_vec();
    odd.extend_from_slice(b"1 Pera\n");
    let ended = crate::support::run_bytes(&mut server.command(&["shell"]), &odd);
    assert_eq!((ended.code, ended.out.as_str()), (2, "Caju: R$2.0, Estoque: 40\nPera: R$5.0, Estoque: 15\n"));
    let failing = run(&mut server.command(&["shell"]), "3 Caju -99\n1 Kiwi\nxyz\n1 Caju");
    assert_eq!((failing.code, failing.out.as_str()), (4, "Caju: R$2.0, Estoque: 40\n"));
    assert_eq!(failing.err.lines().filter(|line| line.starts_with("Erro: ")).count(), 3, "{}", failing.err);
}

#[test]
fn the_history_of_a_product_has_the_changes_of_its_terms() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    assert!(!terminal.ask("historico Caju").contains("Mudanças"));
    terminal.ask("preco Caju 2,50");
    let shown = terminal.ask("historico Caju");
    assert!(shown.contains("Mudanças do cadastro:"), "{shown}");
    let changed = shown.lines().find(|line| line.contains("Caju: preço R$ 2,00 → R$ 2,50")).unwrap();
    // The time is that of the table above.
    assert_eq!((changed.matches('/').count(), changed.contains('T')), (2, false), "{shown}");
    assert!(!terminal.ask("historico").contains("Mudanças"));
}
