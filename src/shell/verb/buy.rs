//! `comprar`: goods come in, with what was paid, from whom, and until when they keep.

use super::super::desk::{Desk, Stopped};
use super::super::report::report;
use super::super::source::Expected;
use super::items::{Item, check_quantity, item, last_movements, read_phrase, request};
use super::said::{Said, Verb};
use crate::catalog::{Amount, Details, Kind, Note, Purchase, Quantity, in_reais};
use crate::local_time::{parse_near_day, today};
use crate::operation::doubtful::odd_cost;
use crate::operation::phrase::{Measure, Phrase, attribute_typed, parse_money};
use crate::operation::{Argument, Form, MovementReply, ProductReply, days_here};
use crate::refusal::Refusal;

pub(super) const VERB: Verb = Verb {
    form: Form {
        word: "comprar",
        shell_words: &[],
        arguments: &[Argument::Phrase],
        attributes: "[total=VALOR] [fornecedor=NOME] [lote=LOTE] [validade=DIA] [obs=TEXTO] [confirma=sim] [id=PEDIDO]",
        menu: None,
        help: "compra: entra no estoque, com o que custou",
        example: "comprar 20cx=440kg Tomate total=2800 fornecedor=Sítio Boa Vista validade=5/12",
    },
    run,
};

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (request_id, is_meant) = (said.request_id()?, said.is_meant());
    let total = said.get("total").map(parse_money).transpose()?;
    let purchase = purchase(&said)?;
    let text = match said.text {
        "" if desk.is_person() => desk.question("O que chegou (QTD NOME): ".to_owned(), Expected::Phrase)?,
        text => text.to_owned(),
    };
    if text.is_empty() && desk.is_person() {
        return desk.drop_command();
    }
    let (phrase, product) = read_phrase(desk, &text, total.is_none(), request_id.is_some())?;
    let bought = last_movements(desk, &product, Kind::Purchase);
    let total = total.or(phrase.total);
    let measure = phrase.measure.map(|measure| in_boxes(measure, &product, &bought));
    let boxes = measure.as_ref().and_then(|measure| measure.note().map(str::to_owned));
    let item = item(desk, Phrase { measure, ..phrase }, product)?;
    let Item { product, quantity, .. } = &item;
    check_quantity(desk, product, *quantity, Kind::Purchase, is_meant)?;
    let total = match total {
        None if desk.is_person() => asked_total(desk, &item)?,
        total => total,
    };
    if let Some(total) = total
        && let Some(odd) = odd_cost(product, *quantity, total, usual_cost(product, &bought))
    {
        desk.confirm(&odd, is_meant)?;
    }
    if let Some(day) = purchase.expires_on.filter(|day| *day < today()) {
        let odd = format!("a validade {:02}/{:02}/{} já passou", day.day(), day.month(), day.year());
        desk.confirm(&odd, is_meant)?;
    }
    let note = Measure::noted(boxes.as_deref(), said.get("obs"))?;
    let line = line(&item, total, &purchase, note.as_ref());
    let details = Details { amount: total, note, purchase: Some(purchase), loss_reason: None };
    desk.make(&request(&[item], Kind::Purchase, details.boxed(), request_id), &line)
}

fn purchase(said: &Said<'_>) -> Result<Purchase, Refusal> {
    let supplier = said.get("fornecedor").map(str::parse).transpose();
    let lot = said.get("lote").map(str::parse).transpose();
    let day = said.get("validade").map(|text| {
        let today = days_here()?.today();
        parse_near_day(text, today).map_err(|error| {
            Refusal::invalid("expires_on", format!("a validade {} {error}", crate::catalog::Quoted(text)))
        })
    });
    Ok(Purchase {
        supplier: supplier.map_err(|error| Refusal::detail("supplier", &error))?,
        lot: lot.map_err(|error| Refusal::detail("lot", &error))?,
        expires_on: day.transpose()?,
        ..Purchase::default()
    })
}

/// Boxes of a product that is not counted in boxes hold what they held at the last purchase in boxes.
fn in_boxes(measure: Measure, product: &ProductReply, bought: &[MovementReply]) -> Measure {
    let unit = product.unit.as_ref().map(|unit| unit.as_str());
    if measure.unit().is_none() || measure.unit() == unit || measure.note().is_some() {
        return measure;
    }
    let notes =
        bought.iter().filter_map(|movement| movement.details.as_ref()?.details.as_ref()?.note.as_ref());
    notes.filter_map(Measure::of_note).find_map(|earlier| measure.as_boxes_of(&earlier)).unwrap_or(measure)
}

/// The quantity and the cost of the last purchase whose cost is known, or else of the stock.
fn usual_cost(product: &ProductReply, bought: &[MovementReply]) -> Option<(Quantity, Amount)> {
    let last = bought.iter().find_map(|movement| {
        let details = movement.details.as_ref()?;
        let cost = details.cost.filter(|_| details.undone_by == 0 && details.undoes == 0)?;
        // A purchase gives a stock of unknown cost its own cost per unit, so its cost may be more than was paid.
        let paid = cost.centavos().min(movement.amount.centavos());
        Some((movement.delta, Amount::from_centavos(paid)?))
    });
    let stock = || Some((product.stock, Amount::from_centavos(product.stock_cost?.centavos()?)?));
    last.or_else(stock).filter(|(quantity, total)| quantity.thousandths() > 0 && total.centavos() > 0)
}

fn asked_total(desk: &mut dyn Desk, item: &Item) -> Result<Option<Amount>, Stopped> {
    let Item { product, quantity, .. } = item;
    loop {
        let unit = product.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
        let bought = match item.is_label() {
            true => format!("custou ao todo o que a etiqueta de {} diz", product.name),
            false => format!("custaram ao todo {}{unit} de {}", quantity.with_comma(), product.name),
        };
        let prompt = format!("Quanto {bought}, em R$ (Enter: não sei)? ");
        let answer = desk.question(prompt, Expected::Nothing)?;
        if answer.is_empty() {
            return Ok(None);
        }
        match parse_money(&answer) {
            Ok(total) => return Ok(Some(total)),
            Err(refusal) => report(&refusal),
        }
    }
}

/// The line that makes the same purchase.
fn line(item: &Item, total: Option<Amount>, purchase: &Purchase, note: Option<&Note>) -> String {
    let mut line = format!("{} {}", VERB.form.word, item.line());
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line.push_str(&format!(" {}", attribute_typed(name, &value)));
        }
    };
    add("total", total.map(|total| in_reais(total.centavos()).to_string().replace(['.', ' '], "")));
    add("fornecedor", purchase.supplier.as_ref().map(ToString::to_string));
    add("lote", purchase.lot.as_ref().map(ToString::to_string));
    add("validade", purchase.expires_on.map(|day| day.to_string()));
    add("obs", note.map(ToString::to_string));
    line
}
