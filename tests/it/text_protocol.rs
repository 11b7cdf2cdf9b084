//! The text protocol, byte for byte.

use crate::support::Server;

#[test]
fn the_five_commands() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send(
        "1 maçã\n2 8\r\n3 caju -20\n3 CAJU +5 motivo=compra id=compra-1\n3 Caju +5 motivo=compra id=compra-1\n\
         2 1,99\n4\n5\n4\n",
    );
    connection.finish();
    let replies = String::from_utf8(connection.rest()).unwrap();
    assert_eq!(
        replies,
        "Maca: R$3.0, Estoque: 20\n\n\
         Maca: R$3.0, Estoque: 20\nPera: R$5.0, Estoque: 15\nCaju: R$2.0, Estoque: 60\n\n\
         Caju: R$2.0, Estoque: 40\n\n\
         Caju: R$2.0, Estoque: 45\n\n\
         Caju: R$2.0, Estoque: 45\n\n\
         Nenhum produto encontrado.\n\n\
         Maca: R$3.0, Estoque: 20\nPera: R$5.0, Estoque: 15\nBanana: R$10.0, Estoque: 30\nCaju: R$2.0, Estoque: 45\n\n\
         Até logo.\n\n"
    );
}

#[test]
fn pipelined_changes_and_reads_are_answered_in_order() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let mut expected = String::new();
    let mut commands = String::new();
    for round in 1..=200 {
        commands.push_str("3 Caju 1\n1 Caju\n3 Caju 1000000000000\n");
        expected.push_str(&format!("Caju: R$2.0, Estoque: {}\n\n", 60 + round).repeat(2));
        expected.push_str("Erro OUT_OF_RANGE: ");
    }
    connection.send(&commands);
    connection.finish();
    let replies = String::from_utf8(connection.rest()).unwrap();
    // Errors are compared up to their code: the message is for people.
    let shortened: String = replies
        .split_inclusive("\n\n")
        .map(|reply| if reply.starts_with("Erro ") { "Erro OUT_OF_RANGE: " } else { reply })
        .collect();
    assert_eq!(shortened, expected);
}

#[test]
fn a_line_cut_by_the_network_is_not_a_command() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    assert_eq!(connection.ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    connection.send("3 Caju -2");
    // Longer than the quiet time that an original client's command takes.
    std::thread::sleep(std::time::Duration::from_millis(150));
    connection.send("0\n");
    assert_eq!(connection.reply(), "Caju: R$2.0, Estoque: 40");
    connection.send("3 Caju -2");
    connection.finish();
    assert!(connection.reply().starts_with("Erro UNKNOWN_COMMAND: "));
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
}

#[test]
fn a_byte_order_mark_before_the_first_command_is_ignored() {
    let server = Server::start(&[]);
    for (sent, expected) in [
        ("\u{FEFF}1 Maca\r\n1 Pera\r\n", "Maca: R$3.0, Estoque: 20\n\nPera: R$5.0, Estoque: 15\n\n"),
        // Without a line end, as some clients send it.
        ("\u{FEFF}3 Caju -1", "Caju: R$2.0, Estoque: 59\n\n"),
    ] {
        let mut connection = server.connect();
        connection.send(sent);
        connection.finish();
        assert_eq!(String::from_utf8(connection.rest()).unwrap(), expected, "{sent:?}");
    }
}
