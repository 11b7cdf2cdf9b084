//! Lines of the text protocol, written and read by hand.

use hortifruti::operation::Operation;

use super::Transport;
use super::shop::{Change, Client, Kind, Movement, Product, Refused};
use crate::support::{Connection, Server};

pub(super) const NO_FORM: &str = "the text protocol has no form for it";

pub(super) static TRANSPORT: Transport = Transport {
    name: "text",
    cannot: &[
        (Operation::BatchAdjustStock, NO_FORM),
        (Operation::ImportProducts, NO_FORM),
        (Operation::UpdateProduct, NO_FORM),
        (Operation::ListProductChanges, NO_FORM),
        (Operation::MergeProducts, NO_FORM),
        (Operation::UndoImport, NO_FORM),
        (Operation::ClearExamples, NO_FORM),
        (Operation::SummarizeMovements, NO_FORM),
        (Operation::ListLowStock, NO_FORM),
        (Operation::ListExpiringStock, NO_FORM),
        (Operation::TracePurchases, NO_FORM),
    ],
    is_slow: false,
    open: |server: &Server| Box::new(Text { connection: server.connect(), port: server.port, secret: None }),
};

struct Text {
    connection: Connection,
    port: u16,
    secret: Option<String>,
}

impl Text {
    fn product(&mut self, line: &str) -> Result<Product, Refused> {
        answer(&self.connection.ask(line)).map(product)
    }
}

impl Client for Text {
    fn get_product(&mut self, name: &str) -> Result<Product, Refused> {
        self.product(&format!("1 {name}"))
    }

    fn list_products(&mut self, max_price_centavos: Option<i64>) -> Result<Vec<Product>, Refused> {
        let line = max_price_centavos.map_or("4".to_owned(), |max| format!("2 {}", price(max)));
        let reply = self.connection.ask(&line);
        let reply = answer(&reply)?;
        let is_empty = reply == "Nenhum produto encontrado.";
        Ok(if is_empty { Vec::new() } else { reply.lines().map(product).collect() })
    }

    fn adjust_stock(&mut self, change: &Change) -> Result<Product, Refused> {
        self.product(&line(change))
    }

    fn list_movements(&mut self, name: &str, limit: usize) -> Result<Vec<Movement>, Refused> {
        let reply = self.connection.ask(&format!("historico {name} limite={limit}"));
        let reply = answer(&reply)?;
        let is_empty = reply == "Nenhum movimento encontrado.";
        Ok(if is_empty { Vec::new() } else { reply.lines().map(movement).collect() })
    }

    /// Pipelined lines.
    fn stream_adjust_stock(&mut self, changes: &[Change]) -> Vec<Result<Product, Refused>> {
        let lines: String = changes.iter().map(|change| line(change) + "\n").collect();
        self.connection.send(lines);
        changes.iter().map(|_| answer(&self.connection.reply()).map(product)).collect()
    }

    fn count_stock(
        &mut self,
        name: &str,
        counted_thousandths: i64,
        request_id: &str,
    ) -> Result<Product, Refused> {
        let id = if request_id.is_empty() { String::new() } else { format!(" id={request_id}") };
        self.product(&format!("contar {name} {}{id}", quantity(counted_thousandths)))
    }

    fn undo_movement(&mut self, sequence: i64, request_id: &str) -> Result<Vec<Product>, Refused> {
        let id = if request_id.is_empty() { String::new() } else { format!(" id={request_id}") };
        let reply = self.connection.ask(&format!("desfazer {sequence}{id}"));
        Ok(answer(&reply)?.lines().map(product).collect())
    }

    fn present_token(&mut self, secret: &str) {
        present(&mut self.connection, secret);
        self.secret = Some(secret.to_owned());
    }

    /// On a connection of its own, because the reply has no end.
    fn watch_movements(&mut self, name: &str, after: i64, count: usize) -> Result<Vec<Movement>, Refused> {
        let mut watch = Connection::new(self.port);
        if let Some(secret) = &self.secret {
            present(&mut watch, secret);
        }
        watch.send(format!("acompanhar {name} apos={after}\n"));
        let mut come = String::new();
        while !come.starts_with("Erro ") && come.matches('\n').count() < count {
            come += &watch.receive(4096);
            // A heartbeat is a line of its own; a server of several begins with one.
            come = come.split_inclusive('\n').filter(|line| *line != ".\n").collect();
        }
        let movements = answer(come.trim_end())?.lines().map(movement).collect::<Vec<_>>();
        assert_eq!(movements.len(), count, "{come}");
        Ok(movements)
    }
}

fn present(connection: &mut Connection, secret: &str) {
    assert!(connection.ask(&format!("token {secret}")).starts_with("Token aceito: "));
}

fn line(change: &Change) -> String {
    let mut line = format!("3 {} {}", change.name, quantity(change.delta_thousandths));
    if change.kind != Kind::Adjustment {
        line += &format!(" motivo={}", kind_word(change.kind));
    }
    if let Some(centavos) = change.total_centavos {
        line += &format!(" total={}", price(centavos));
    }
    if let Some(word) = change.cause {
        line += &format!(" causa={word}");
    }
    if !change.request_id.is_empty() {
        line += &format!(" id={}", change.request_id);
    }
    line
}

fn answer(reply: &str) -> Result<&str, Refused> {
    let Some(error) = reply.strip_prefix("Erro ") else { return Ok(reply) };
    let (code, message) = error.split_once(": ").unwrap();
    Err(Refused { codes: vec![code.to_owned()], message: message.to_owned(), rows: Vec::new() })
}

/// Reads a product line.
fn product(line: &str) -> Product {
    let (rest, stock) = line.rsplit_once(", Estoque: ").unwrap_or_else(|| panic!("{line}"));
    let (name, price) = rest.rsplit_once(": R$").unwrap_or_else(|| panic!("{line}"));
    Product::new(name, scaled(price, 2), scaled(stock, 3))
}

/// Reads a movement line, in which the name may have several words.
fn movement(line: &str) -> Movement {
    let words: Vec<&str> = line.split(' ').collect();
    let [sequence, _, kind, name @ .., delta, "saldo", balance, amount] = &words[..] else {
        panic!("{line}")
    };
    Movement {
        sequence: sequence.strip_prefix('#').unwrap().parse().unwrap(),
        kind: (*kind).to_owned(),
        product_name: name.join(" "),
        delta_thousandths: scaled(delta, 3),
        balance_thousandths: scaled(balance, 3),
        amount_centavos: scaled(amount.strip_prefix("R$").unwrap(), 2),
    }
}

/// Reads a decimal number as an integer of so many decimals.
fn scaled(number: &str, decimals: usize) -> i64 {
    let (units, fraction) = number.split_once('.').unwrap_or((number, ""));
    assert!(fraction.len() <= decimals, "{number}");
    format!("{units}{fraction:0<decimals$}").parse().unwrap()
}

/// The word of a kind of movement.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Adjustment => "ajuste",
        Kind::Purchase => "compra",
        Kind::Sale => "venda",
        Kind::Waste => "perda",
    }
}

/// A price as people write it.
pub(super) fn price(centavos: i64) -> String {
    format!("{},{:02}", centavos / 100, centavos % 100)
}

/// A quantity as people write it, with a comma, which has one reading.
pub(super) fn quantity(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let (units, fraction) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
    if fraction == 0 { format!("{sign}{units}") } else { format!("{sign}{units},{fraction:03}") }
}
