//! What is asked and what is answered, on every transport alike: the table of the five
//! commands, [`Request`] and [`Reply`].

use std::fmt;

use crate::catalog::{
    ImportCounts, Kind, Name, Price, Product, ProductDraft, Quantity, Quoted, RequestId, Unit,
};
use crate::refusal::Refusal;

/// One of the five commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `1`: one product by name.
    Find,
    /// `2`: products up to a price.
    ListUpTo,
    /// `3`: change a stock.
    Adjust,
    /// `4`: every product.
    ListAll,
    /// `5`: leave.
    Leave,
}

/// How a command is written and explained.
pub struct CommandForm {
    /// Which one.
    pub command: Command,
    /// The digit that the text protocol knows it by.
    pub digit: &'static str,
    /// The words that the shell knows it by, the first of them offered by completion.
    pub words: &'static [&'static str],
    /// What it does, as the original's menu says it.
    pub label: &'static str,
    /// How to write it.
    pub usage: &'static str,
}

/// The five commands, in the order of the original's menu.
pub const COMMANDS: [CommandForm; 5] = [
    CommandForm {
        command: Command::Find,
        digit: "1",
        words: &["consultar"],
        label: "Consultar produto (NOME)",
        usage: "1 NOME",
    },
    CommandForm {
        command: Command::ListUpTo,
        digit: "2",
        words: &["ate", "até"],
        label: "Consultar produtos (PRECO MAXIMO)",
        usage: "2 PRECO_MAXIMO",
    },
    CommandForm {
        command: Command::Adjust,
        digit: "3",
        words: &["atualizar"],
        label: "Atualizar estoque",
        usage: "3 NOME QUANTIDADE [id=PEDIDO] [motivo=MOTIVO]",
    },
    CommandForm {
        command: Command::ListAll,
        digit: "4",
        words: &["listar"],
        label: "Listar todos os produtos",
        usage: "4",
    },
    CommandForm { command: Command::Leave, digit: "5", words: &["sair"], label: "Sair", usage: "5" },
];

impl Command {
    /// The command that the text protocol knows by this digit.
    pub fn from_digit(digit: &str) -> Option<Self> {
        COMMANDS.iter().find(|form| form.digit == digit).map(|form| form.command)
    }

    /// The command that the shell knows by this digit or word, without regard to case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        COMMANDS
            .iter()
            .find(|form| form.digit == word || form.words.contains(&word.as_str()))
            .map(|form| form.command)
    }

    /// How it is written and explained.
    pub fn form(self) -> &'static CommandForm {
        &COMMANDS[self as usize]
    }
}

/// What a client asks. It borrows what was read, so that decoding copies nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// One product by name.
    Find { name: &'a str },
    /// Every product, or those up to a price.
    List { max_price: Option<Price> },
    /// A change of stock.
    Adjust(AdjustRequest<'a>),
    /// A price list. It has no form in the text protocol.
    Import(ImportRequest),
    /// The end of the conversation.
    Leave,
}

/// A change of stock as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustRequest<'a> {
    /// Whose stock.
    pub name: &'a str,
    /// By how much.
    pub delta: Quantity,
    /// Why.
    pub kind: Kind,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
}

/// Changes of stock that are asked for together: all of them or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRequest<'a> {
    /// The changes; ids of their own are not looked at.
    pub adjustments: Vec<AdjustRequest<'a>>,
    /// The client's id for all of them.
    pub request_id: Option<RequestId>,
}

/// A price list as it is asked to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// The rows that can be read, in order.
    pub rows: Vec<ProductDraft>,
    /// Those that cannot, by their place among all: with any of them nothing is imported,
    /// and the others are only looked at.
    pub bad_rows: Vec<(usize, String)>,
    /// Whether only to say what would be done.
    pub is_dry_run: bool,
    /// The client's id for the import.
    pub request_id: Option<RequestId>,
}

impl fmt::Display for ImportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "import ({} produtos{})", self.rows.len(), if self.is_dry_run { ", ensaio" } else { "" })
    }
}

impl<'a> Request<'a> {
    /// Reads a line of the text protocol, without its line end.
    ///
    /// # Errors
    /// `UNKNOWN_COMMAND` where it is none of the five, `INVALID_ARGUMENT` where what
    /// follows does not fit the command.
    pub fn parse(line: &'a str) -> Result<Self, Refusal> {
        let (word, rest) = split_word(line);
        match Command::from_digit(word) {
            Some(command) => Self::of(command, rest),
            None => Err(Refusal::unknown_command(line)),
        }
    }

    /// A command with what was written after it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where that does not fit the command.
    pub fn of(command: Command, rest: &'a str) -> Result<Self, Refusal> {
        let rest = rest.trim_matches([' ', '\t']);
        match command {
            Command::Find if rest.is_empty() => Err(missing("name", "o nome do produto", command)),
            Command::Find => Ok(Request::Find { name: rest }),
            Command::ListUpTo if rest.is_empty() => {
                Err(missing("max_price_centavos", "o preço máximo", command))
            }
            Command::ListUpTo => {
                let max_price = rest.parse().map_err(|error| Refusal::price("max_price_centavos", &error))?;
                Ok(Request::List { max_price: Some(max_price) })
            }
            Command::Adjust => AdjustRequest::parse(rest).map(Request::Adjust),
            Command::ListAll | Command::Leave if !rest.is_empty() => Err(Refusal::invalid(
                "command",
                format!("o comando {} não leva argumentos, mas veio {}", command.form().digit, Quoted(rest)),
            )),
            Command::ListAll => Ok(Request::List { max_price: None }),
            Command::Leave => Ok(Request::Leave),
        }
    }
}

impl fmt::Display for Request<'_> {
    /// The line of the text protocol that asks the same; an import, which has none, by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Find { name } => write!(f, "1 {name}"),
            Request::List { max_price: Some(price) } => write!(f, "2 {price}"),
            Request::List { max_price: None } => f.write_str("4"),
            Request::Adjust(adjust) => adjust.fmt(f),
            Request::Import(import) => import.fmt(f),
            Request::Leave => f.write_str("5"),
        }
    }
}

impl<'a> AdjustRequest<'a> {
    /// An adjustment by whole units, as the original's contract asks for it.
    pub fn of_units(name: &'a str, units: i32) -> Self {
        Self { name, delta: Quantity::from_units(units), kind: Kind::default(), request_id: None }
    }

    /// Reads `NAME DELTA [id=REQUEST_ID] [motivo=KIND]`: the last word before the
    /// attributes is the delta, all before it the name.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, naming the field.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let missing = |field, what| missing(field, what, Command::Adjust);
        let mut rest = text;
        let mut request_id = None;
        let mut kind = None;
        let delta_word = loop {
            let (before, word) = split_last_word(rest);
            if let Some(value) = word.strip_prefix("id=") {
                let value: RequestId = value.parse().map_err(|error| Refusal::request_id(&error))?;
                if request_id.replace(value).is_some() {
                    return Err(Refusal::invalid("request_id", "o atributo id= aparece duas vezes"));
                }
            } else if let Some(value) = word.strip_prefix("motivo=") {
                let value: Kind = value.parse().map_err(|error| Refusal::kind(&error))?;
                if kind.replace(value).is_some() {
                    return Err(Refusal::invalid("kind", "o atributo motivo= aparece duas vezes"));
                }
            } else {
                rest = before;
                break word;
            }
            rest = before;
        };
        if delta_word.is_empty() {
            return Err(missing("name", "o nome do produto e a quantidade"));
        }
        if rest.is_empty() {
            // One word alone: a quantity without a name, or a name without a quantity.
            return Err(match delta_word.parse::<Quantity>() {
                Ok(_) => missing("name", "o nome do produto"),
                Err(_) => missing("delta_thousandths", "a quantidade"),
            });
        }
        let delta: Quantity =
            delta_word.parse().map_err(|error| Refusal::quantity("delta_thousandths", &error))?;
        Ok(Self { name: rest, delta, kind: kind.unwrap_or_default(), request_id })
    }
}

impl fmt::Display for AdjustRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3 {} {}", self.name, self.delta)?;
        if let Some(request_id) = &self.request_id {
            write!(f, " id={request_id}")?;
        }
        if self.kind != Kind::default() {
            write!(f, " motivo={}", self.kind.word())?;
        }
        Ok(())
    }
}

/// A value that is not there.
fn missing(field: &'static str, what: &str, command: Command) -> Refusal {
    Refusal::invalid(field, format!("falta {what}: o comando é {}", command.form().usage))
}

/// The first word of a line, and what follows it.
pub fn split_word(line: &str) -> (&str, &str) {
    let line = line.trim_matches([' ', '\t']);
    line.split_once([' ', '\t']).unwrap_or((line, ""))
}

/// What comes before the last word of a line, and that word.
fn split_last_word(line: &str) -> (&str, &str) {
    let line = line.trim_matches([' ', '\t']);
    let (before, word) = line.rsplit_once([' ', '\t']).unwrap_or(("", line));
    (before.trim_end_matches([' ', '\t']), word)
}

/// A product as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductReply {
    /// The name.
    pub name: Name,
    /// The price of one unit.
    pub price: Price,
    /// The stock.
    pub stock: Quantity,
    /// The unit; the text protocol's product line does not tell it.
    pub unit: Option<Unit>,
}

impl From<&Product> for ProductReply {
    fn from(product: &Product) -> Self {
        Self {
            name: product.name.clone(),
            price: product.price,
            stock: product.stock,
            unit: Some(product.unit.clone()),
        }
    }
}

impl fmt::Display for ProductReply {
    /// The product line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_product_line(f, &self.name, self.price, self.stock)
    }
}

/// Writes the original's line for a product: `Maca: R$3.0, Estoque: 20`.
///
/// # Errors
/// Only those of the writer.
pub fn write_product_line(
    out: &mut impl fmt::Write,
    name: &Name,
    price: Price,
    stock: Quantity,
) -> fmt::Result {
    out.write_str(name.as_str())?;
    out.write_str(": R$")?;
    price.write(out)?;
    out.write_str(", Estoque: ")?;
    stock.write(out)
}

/// What a list without products says.
pub const NO_PRODUCT: &str = "Nenhum produto encontrado.";

/// What the server says to who leaves.
pub const FAREWELL: &str = "Até logo.";

/// What a client is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The product asked for, or as the change left it.
    Product(ProductReply),
    /// The products asked for, in catalog order.
    Products(Vec<ProductReply>),
    /// What an import did.
    Imported(ImportCounts),
    /// The server said goodbye.
    Farewell,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{COMMANDS, Command, Request};

    /// What a line means, written back as the protocol writes it, or the code it is refused with.
    fn check(line: &str, expected: &str) {
        let answer = match Request::parse(line) {
            Ok(request) => request.to_string(),
            Err(refusal) => refusal.code.as_str().to_owned(),
        };
        assert_eq!(answer, expected, "{line:?}");
    }

    #[test]
    fn the_five_commands() {
        check("1 Maca", "1 Maca");
        check("  1\t ALHO NACIONAL TIPO 5 ", "1 ALHO NACIONAL TIPO 5");
        check("2 8", "2 8.0");
        check("2 R$ 3,50", "2 3.5");
        check("3 Caju -20", "3 Caju -20");
        check("3 ALHO NACIONAL TIPO 5 -2", "3 ALHO NACIONAL TIPO 5 -2");
        check("3 Caju +5 motivo=compra id=a-1", "3 Caju 5 id=a-1 motivo=compra");
        check("3 Caju 5 motivo=ajuste", "3 Caju 5");
        check("4", "4");
        check(" 4 ", "4");
        check("5", "5");
    }

    #[test]
    fn what_is_none_of_them() {
        for line in ["", " ", "6", "listar", "4x", "11 Maca", "\0", "4\0", "GET / HTTP/1.1"] {
            check(line, "UNKNOWN_COMMAND");
        }
        for line in [
            "1",
            "1 ",
            "2",
            "2 abc",
            "2 -1",
            "2 1.234",
            "2 1e9",
            "2 NaN",
            "3",
            "3 Caju",
            "3 5",
            "3 Caju abc",
            "3 Caju NaN",
            "3 Caju 5 id=",
            "3 Caju 5 motivo=roubo",
            "3 Caju 5 motivo=abertura",
            "3 Caju 5 id=a id=b",
            "3 Caju 5 motivo=venda motivo=venda",
            "3 id=a",
            "4 tudo",
            "5 já",
            "3 Caju 1234567890123456789012345678901234567890",
        ] {
            check(line, "INVALID_ARGUMENT");
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_the_commands() {
        for form in &COMMANDS {
            assert_eq!(form.command.form().digit, form.digit);
            assert_eq!(Command::from_digit(form.digit), Some(form.command));
            assert!(form.words.iter().all(|word| Command::from_word(word) == Some(form.command)));
        }
    }

    proptest! {
        #[test]
        fn a_request_reads_back_as_it_was_written(line in "[1-5][ \t]\\PC{0,40}") {
            if let Ok(request) = Request::parse(&line) {
                let written = request.to_string();
                let again = Request::parse(&written).unwrap();
                prop_assert_eq!(again.to_string(), written.clone());
            }
        }
    }
}
