//! `perder`: goods are lost, for a reason.

use super::super::desk::{Desk, Stopped};
use super::super::source::Expected;
use super::items::{Item, check_quantity, item, read_phrase, request};
use super::said::{Said, Verb};
use crate::catalog::{Details, Kind, LossReason, Note};
use crate::operation::phrase::{attribute_typed, split_phrases};
use crate::operation::{Argument, Form};
use crate::refusal::Refusal;

pub(super) const VERB: Verb = Verb {
    form: Form {
        word: "perder",
        shell_words: &[],
        arguments: &[Argument::Phrase],
        attributes: "[causa=CAUSA] [obs=TEXTO] [confirma=sim] [id=PEDIDO]",
        menu: None,
        help: "perda, com a sua causa",
        example: "perder 2,5kg Tomate causa=maduro",
    },
    run,
};

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (request_id, is_meant) = (said.request_id()?, said.is_meant());
    let reason = said.get("causa").map(|text| text.parse::<LossReason>()).transpose();
    let reason = reason.map_err(|error| Refusal::loss_reason(&error))?;
    let note = said.get("obs").map(|text| text.parse::<Note>()).transpose();
    let note = note.map_err(|error| Refusal::detail("note", &error))?;
    let text = match said.text {
        "" if desk.is_person() => {
            desk.question("O que se perdeu (QTD NOME): ".to_owned(), Expected::Phrase)?
        }
        text => text.to_owned(),
    };
    let mut items = Vec::new();
    for text in split_phrases(&text) {
        let (phrase, product) = read_phrase(desk, text, false, request_id.is_some())?;
        let item = item(desk, phrase, product)?;
        check_quantity(desk, &item.product, item.quantity, Kind::Waste, is_meant)?;
        items.push(item);
    }
    if items.is_empty() {
        if desk.is_person() {
            return desk.drop_command();
        }
        return Err(Refusal::invalid("name", "faltam a quantidade e o nome do que se perdeu").into());
    }
    let reason = match reason {
        Some(reason) => reason,
        None => asked_reason(desk)?,
    };
    let lines: Vec<String> = items.iter().map(Item::line).collect();
    let note_said =
        note.as_ref().map_or(String::new(), |note| format!(" {}", attribute_typed("obs", note.as_str())));
    let line = format!("{} {} causa={}{note_said}", verb.form.word, lines.join("; "), reason.word());
    let details = Details { loss_reason: Some(reason), note, ..Details::default() };
    desk.make(&request(&items, Kind::Waste, details.boxed(), request_id), &line)
}

/// Asks a person for the reason, by its number or its word.
fn asked_reason(desk: &mut dyn Desk) -> Result<LossReason, Stopped> {
    let reasons = LossReason::ALL.iter().enumerate();
    let listed: Vec<String> =
        reasons.map(|(index, reason)| format!("{} {}", index + 1, reason.shown())).collect();
    if !desk.is_person() {
        let what = "falta a causa da perda, como causa=maduro";
        return Err(Refusal::invalid("loss_reason", what).into());
    }
    desk.tell(&format!("Por que se perdeu? {}", listed.join(", ")))?;
    loop {
        let answer = desk.question("Número ou palavra: ".to_owned(), Expected::Nothing)?;
        if answer.is_empty() {
            return desk.drop_command();
        }
        let by_number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let by_number = by_number.and_then(|index| LossReason::ALL.get(index).copied());
        if let Some(reason) = by_number.or_else(|| answer.parse().ok()) {
            return Ok(reason);
        }
    }
}
