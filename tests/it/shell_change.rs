//! `3` alone in the shell: its questions, each answer checked before the next one.

use crate::support::{Server, run};
use crate::terminal::Terminal;

const NAME: &str = "Digite o nome do produto:";
const QUANTITY: &str = "Digite a quantidade (negativa para retirar):";
const REASON_OF_LESS: &str = "Motivo: ajuste, venda, perda ou contagem (Enter: ajuste):";
const REASON_OF_MORE: &str = "Motivo: ajuste, compra ou contagem (Enter: ajuste):";

/// A shop with a product that is sold by the kilogram and has a code, and a shell in it.
fn shop() -> (Server, Terminal) {
    let server = Server::start(&[]);
    let ended = run(&mut server.command(&["import", "-"]), "nome;preco;estoque;unidade\nUva;9,90;10;kg\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(server.run(&["product", "set", "Uva", "--code", "12"]).code, 0);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    (server, terminal)
}

/// The kinds of the last movements of a product, newest first.
fn kinds(server: &Server, name: &str) -> Vec<String> {
    let history = server.run(&["history", name, "--format", "json"]).out;
    let history: Vec<serde_json::Value> = serde_json::from_str(&history).unwrap();
    history.iter().map(|movement| movement["kind"].as_str().unwrap().to_owned()).collect()
}

/// Answers a question, and waits until this is shown and then the next question.
fn answer(terminal: &mut Terminal, question: &str, answer: &str, shown: &str, next: &str) {
    terminal.wait_for(question);
    terminal.send(&format!("{answer}\r"));
    terminal.wait_for_text(shown);
    terminal.wait_for(next);
}

#[test]
fn each_answer_is_checked_before_the_next_question() {
    let (server, mut terminal) = shop();
    terminal.send("3\r");
    for (question, typed, shown, next) in [
        (NAME, "kiwi", "nenhum produto se chama \"kiwi\"", NAME),
        (NAME, "12", "Uva: R$ 9,90/kg · há 10 kg", QUANTITY),
        (QUANTITY, "muito", "quantidade inválida: \"muito\"", QUANTITY),
        (QUANTITY, "-11", "estoque insuficiente de \"Uva\": há 10 kg, foram pedidos 11", QUANTITY),
        (QUANTITY, "-2un", "Uva se conta em kg, e não em un", QUANTITY),
        (
            QUANTITY,
            "-1.500",
            "Você quer dizer -1500 ou -1,5?",
            "Você quer dizer -1500 ou -1,5? Digite um dos dois (vazio ou Ctrl-C desiste):",
        ),
    ] {
        answer(&mut terminal, question, typed, shown, next);
    }
    terminal.send("-1,5\r");
    answer(&mut terminal, REASON_OF_LESS, "roubo", "motivo \"roubo\" desconhecido", REASON_OF_LESS);
    answer(&mut terminal, REASON_OF_LESS, "perdas", "motivo \"perdas\" desconhecido", REASON_OF_LESS);
    answer(&mut terminal, REASON_OF_LESS, "compra", "aumenta o estoque", REASON_OF_LESS);
    terminal.send("pe\t\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Uva: R$9.9, Estoque: 8.5"), "{shown}");
    assert_eq!(kinds(&server, "Uva"), ["perda", "abertura"]);
}

#[test]
fn enter_leaves_the_usual_reason_and_other_pieces_are_refused() {
    let (server, mut terminal) = shop();
    terminal.send("atualizar\r");
    answer(&mut terminal, NAME, "caju", "Caju: R$ 2,00/un · há 60 un", QUANTITY);
    answer(&mut terminal, QUANTITY, "0", "Erro: ", QUANTITY);
    answer(&mut terminal, QUANTITY, "2,5", "só kg e l aceitam frações", QUANTITY);
    answer(&mut terminal, QUANTITY, "5", QUANTITY, REASON_OF_MORE);
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Caju: R$2.0, Estoque: 65"));
    assert_eq!(kinds(&server, "Caju"), ["ajuste", "abertura"]);
    // A reply of the text protocol has no unit, and the server refuses what the shell cannot.
    let mut terminal = Terminal::open(&server, &["--socket"], &[]);
    terminal.wait_for_prompt();
    terminal.send("3\r");
    answer(&mut terminal, NAME, "caju", "Caju: R$ 2,00 · há 65", QUANTITY);
    answer(&mut terminal, QUANTITY, "-2,5", QUANTITY, REASON_OF_LESS);
    terminal.send("venda\r");
    assert!(terminal.wait_for_prompt().contains("só kg e l aceitam frações"));
    assert_eq!(kinds(&server, "Caju"), ["ajuste", "abertura"]);
}

#[test]
fn a_change_is_dropped_at_each_question() {
    let (server, mut terminal) = shop();
    let questions = [(NAME, "caju\r"), (QUANTITY, "-20\r"), (REASON_OF_LESS, "")];
    for last in 0..questions.len() {
        terminal.send("3\r");
        for (question, typed) in &questions[..last] {
            terminal.wait_for(question);
            terminal.send(typed);
        }
        terminal.wait_for(questions[last].0);
        terminal.send("\u{3}");
        terminal.wait_for_prompt();
    }
    for last in [0, 1] {
        terminal.send("3\r");
        for (question, typed) in &questions[..last] {
            terminal.wait_for(question);
            terminal.send(typed);
        }
        terminal.wait_for(questions[last].0);
        terminal.send("\r");
        assert!(terminal.wait_for_prompt().contains("Nada foi enviado."));
    }
    assert_eq!(kinds(&server, "Caju"), ["abertura"]);
}

#[test]
fn pasted_lines_are_a_whole_change_without_a_question_for_its_reason() {
    let (server, mut terminal) = shop();
    for (pasted, typed) in [("3\rCaju\r-20\r", ""), ("3\nCaju\n-20", "\r")] {
        terminal.send(&format!("\u{1b}[200~{pasted}\u{1b}[201~{typed}"));
        let shown = terminal.wait_for_prompt();
        assert!(shown.contains("Caju: R$2.0, Estoque: ") && !shown.contains("Motivo"), "{shown}");
    }
    // The lines that answer the questions.
    terminal.send("3\r");
    terminal.wait_for(NAME);
    terminal.send("\u{1b}[200~Caju\n-5\n\u{1b}[201~");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Caju: R$2.0, Estoque: 15") && !shown.contains("Motivo"), "{shown}");
    // A name that is pasted without a line end is checked like one that is typed.
    terminal.send("3\r");
    terminal.wait_for(NAME);
    terminal.send("\u{1b}[200~kiwi\u{1b}[201~\r");
    terminal.wait_for_text("nenhum produto se chama \"kiwi\"");
    answer(&mut terminal, NAME, "caju", "Caju: R$ 2,00/un · há 15 un", QUANTITY);
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    assert_eq!(kinds(&server, "Caju"), ["ajuste", "ajuste", "ajuste", "abertura"]);
}

#[test]
fn lines_that_wait_in_the_terminal_are_not_swallowed() {
    for variables in [&[][..], &[("TERM", "dumb")]] {
        let server = Server::start(&[]);
        let mut terminal = Terminal::open(&server, &[], variables);
        terminal.wait_for_prompt();
        terminal.send("3\rCaju\r-20\r1 Pera\r3\rMaca\r5\rsair\r");
        terminal.wait_for_end();
        for shown in
            ["Caju: R$2.0, Estoque: 40\n", "Pera: R$5.0, Estoque: 15\n", "Maca: R$3.0, Estoque: 25\n"]
        {
            assert!(terminal.screen().contains(shown), "{}", terminal.screen());
        }
        assert_eq!(kinds(&server, "Caju"), ["ajuste", "abertura"]);
    }
    let server = Server::start(&[]);
    let piped = run(&mut server.command(&["shell"]), "3\nCaju\n-20\n1 Pera\n");
    assert_eq!(
        (piped.code, piped.out.as_str(), piped.err.as_str()),
        (0, "Caju: R$2.0, Estoque: 40\nPera: R$5.0, Estoque: 15\n", "")
    );
}
