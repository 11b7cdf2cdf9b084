//! `vender`: a sale of one product, or of several as one document.

use std::time::SystemTime;

use super::super::desk::{Desk, Stopped};
use super::super::report::report;
use super::super::source::Expected;
use super::items::{Item, check_quantity, check_typed, item, read_phrase, request};
use super::said::{Said, Verb};
use crate::catalog::{Amount, Details, Kind, Note, Price, Quantity, RequestId, TermsField, counted};
use crate::client::{ClientError, ConnectionError};
use crate::operation::phrase::{attribute_typed, split_phrases};
use crate::operation::{
    Argument, Form, PAGE_CHANGES_MAX, ProductChangeReply, ProductChangesRequest, Reply, Request,
};
use crate::refusal::{Code, Refusal};

/// Most lines of a sale: a long receipt.
const ITEMS_MAX: usize = 200;

pub(super) const VERB: Verb = Verb {
    form: Form {
        word: "vender",
        shell_words: &[],
        arguments: &[Argument::Phrases],
        attributes: "[obs=TEXTO] [confirma=sim] [id=PEDIDO]",
        menu: None,
        help: "venda, de um ou de vários produtos; sozinha, pergunta",
        example: "vender 2,5kg Tomate; 3 Alface",
    },
    run,
};

/// Refuses a sale of more lines than a sale may have.
///
/// # Errors
/// If there are more.
pub fn check_item_count(count: usize) -> Result<(), Refusal> {
    if count <= ITEMS_MAX {
        return Ok(());
    }
    let what =
        format!("uma venda tem no máximo {ITEMS_MAX} itens. Nada foi feito; faça o resto noutra venda.");
    Err(Refusal::new(Code::ResourceExhausted, what))
}

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (request_id, is_meant) = (said.request_id()?, said.is_meant());
    let note = said.get("obs").map(str::parse::<Note>).transpose();
    let note = note.map_err(|error| Refusal::detail("note", &error))?;
    let mut sale = Sale::default();
    if said.text.is_empty() {
        return dialogue(desk, &mut sale, note.as_ref(), request_id);
    }
    for phrase in split_phrases(said.text) {
        sale.add(desk, phrase, is_meant, request_id.is_some())?;
    }
    sale.make(desk, note.as_ref(), request_id)
}

/// Asks for the items and makes the sale. A person whose sale is refused has it still, and may take off or add an item.
fn dialogue(
    desk: &mut dyn Desk,
    sale: &mut Sale,
    note: Option<&Note>,
    request_id: Option<RequestId>,
) -> Result<(), Stopped> {
    loop {
        fill(desk, sale)?;
        match sale.make(desk, note, request_id.clone()) {
            Err(Stopped::Failed(error)) if desk.is_person() && was_not_made(&error) => {
                report(&error);
                desk.tell(&format!("A venda continua: {}", sale.told()))?;
            }
            made => return made,
        }
    }
}

/// Whether a sale that failed is known not to be made.
fn was_not_made(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(refusal) => refusal.code != Code::Internal,
        ClientError::Connection(error) => !matches!(error, ConnectionError::InDoubt { .. }),
    }
}

/// Gives an item the money of the price that was in force at a time before now. A label has its own money, or its
/// scale's price. The text protocol does not give past prices.
fn price_at(desk: &mut dyn Desk, item: &mut Item, at: SystemTime) -> Result<(), Stopped> {
    let name = Some(item.product.name.as_str());
    let mut asked = ProductChangesRequest { name, before: None, count_max: PAGE_CHANGES_MAX };
    let mut then = None;
    loop {
        let page = match desk.ask(&Request::ListProductChanges(asked.clone())) {
            Ok(Reply::ProductChanges(page)) => page,
            Err(error @ ClientError::Connection(_)) => return Err(error.into()),
            Ok(_) | Err(ClientError::Refused(_)) => return Ok(()),
        };
        let is_later = |change: &&ProductChangeReply| change.recorded_at.is_some_and(|time| time > at);
        let later = page.changes.iter().take_while(is_later);
        then =
            later.filter(|change| change.field == TermsField::Price).last().map(|it| it.old.clone()).or(then);
        match page.next_page_token.filter(|_| page.changes.last().as_ref().is_some_and(is_later)) {
            Some(token) => asked = asked.at_page(&token)?,
            None => break,
        }
    }
    let price =
        then.and_then(|old| old.parse().ok()).and_then(|centavos| Price::from_centavos(centavos).ok());
    if let Some(price) = price {
        item.amount = Some(Amount::of(price, item.quantity));
        desk.tell(&format!("{}: ao preço de então, {}.", item.product.name, price.in_reais()))?;
    }
    Ok(())
}

/// Asks for the items, one a line, until an empty line ends the sale.
fn fill(desk: &mut dyn Desk, sale: &mut Sale) -> Result<(), Stopped> {
    loop {
        let prompt = format!("Item {} (QTD NOME; Enter termina, - tira o último): ", sale.items.len() + 1);
        let line = match desk.question(prompt, Expected::Phrase) {
            // The end of a pipe ends the sale too.
            Err(Stopped::End) if !desk.is_person() => String::new(),
            Err(Stopped::Dropped) => return desk.drop_command(),
            line => line?,
        };
        match line.as_str() {
            "" if sale.items.is_empty() || !desk.is_person() => return Ok(()),
            "" => {
                if sale.is_confirmed(desk)? {
                    return Ok(());
                }
            }
            "-" => match sale.items.pop() {
                Some(item) => desk.tell(&format!("Tirado: {}. {}", item.line(), sale.told()))?,
                None => desk.tell("A venda está vazia.")?,
            },
            line => match sale.add(desk, line, false, false) {
                Ok(()) => desk.tell(&sale.told())?,
                // A wrong line is reported, and the sale goes on.
                Err(Stopped::Failed(error)) if desk.is_person() => report(&error),
                Err(Stopped::Dropped) => {}
                Err(stopped) => return Err(stopped),
            },
        }
    }
}

/// A sale that is being made.
#[derive(Default)]
struct Sale {
    items: Vec<Item>,
}

impl Sale {
    /// Adds the item of a phrase. A code alone, as a scanner types it, is one piece. What `may_be_made` was perhaps
    /// sold by the same request before, so the stock of now says nothing about it.
    fn add(
        &mut self,
        desk: &mut dyn Desk,
        text: &str,
        is_meant: bool,
        may_be_made: bool,
    ) -> Result<(), Stopped> {
        check_item_count(self.items.len() + 1)?;
        let (phrase, product) = read_phrase(desk, text, false, may_be_made)?;
        let item = item(desk, phrase, product)?;
        if item.is_label() {
            self.items.push(item);
            return Ok(());
        }
        let Item { product, quantity, .. } = &item;
        let quantity = *quantity;
        if !may_be_made {
            check_typed(product, quantity).map_err(Refusal::from)?;
        }
        let sold = self.items.iter().filter(|item| item.product.name == product.name);
        let sold: i64 = sold.map(|item| item.quantity.thousandths()).sum();
        let left = Quantity::from_thousandths(product.stock.thousandths().saturating_sub(sold));
        let left = left.unwrap_or(Quantity::ZERO);
        if quantity > left && !may_be_made {
            let what = format!(
                "estoque insuficiente de {}: há {} e a venda pede {}",
                product.name,
                left.with_comma(),
                quantity.with_comma()
            );
            return Err(Refusal::insufficient_stock(&what, left, quantity).into());
        }
        check_quantity(desk, product, quantity, Kind::Sale, is_meant)?;
        self.items.push(item);
        Ok(())
    }

    /// Makes the sale.
    fn make(
        &mut self,
        desk: &mut dyn Desk,
        note: Option<&Note>,
        request_id: Option<RequestId>,
    ) -> Result<(), Stopped> {
        if self.items.is_empty() {
            return desk.drop_command();
        }
        if let Some(at) = desk.sold_at() {
            for item in self.items.iter_mut().filter(|item| !item.is_label()) {
                price_at(desk, item, at)?;
            }
        }
        let mut line = self.line();
        if let Some(note) = note {
            line += &format!(" {}", attribute_typed("obs", note.as_str()));
        }
        desk.make(&request(&self.items, Kind::Sale, Details::of_note(note), request_id), &line)
    }

    /// The sale in the words for a person: `2 itens, R$ 25,00`.
    fn told(&self) -> String {
        let last = self.items.last().map_or(String::new(), |item| {
            if item.is_label() {
                return format!("{}, pela etiqueta · ", item.product.name);
            }
            let unit = item.product.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
            let amount = Amount::of(item.product.price, item.quantity).in_reais();
            format!("{}{unit} {} · {amount} · ", item.quantity.with_comma(), item.product.name)
        });
        let items = counted(self.items.len(), "item", "itens");
        format!("{last}total {} ({items})", self.total_told())
    }

    /// The total, and how many labels come to it: the server knows what they say.
    fn total_told(&self) -> String {
        let total = self.total().in_reais();
        match self.items.iter().filter(|item| item.is_label()).count() {
            0 => total.to_string(),
            count => format!("{total} e {}", counted(count, "etiqueta", "etiquetas")),
        }
    }

    fn total(&self) -> Amount {
        let amounts = self.items.iter().map(|item| Amount::of(item.product.price, item.quantity).centavos());
        Amount::from_centavos(amounts.fold(0, i64::saturating_add)).unwrap_or_default()
    }

    /// Asks whether the sale is to be made as it is.
    fn is_confirmed(&self, desk: &mut dyn Desk) -> Result<bool, Stopped> {
        loop {
            let prompt = format!("Total {}. Enter vende, n volta: ", self.total_told());
            let answer = desk.question(prompt, Expected::Nothing)?;
            match answer.to_lowercase().as_str() {
                "" | "s" | "sim" => return Ok(true),
                "n" | "nao" | "não" => return Ok(false),
                _ => {}
            }
        }
    }

    /// The line that makes the same sale.
    fn line(&self) -> String {
        let items: Vec<String> = self.items.iter().map(Item::line).collect();
        format!("{} {}", VERB.form.word, items.join("; "))
    }
}
