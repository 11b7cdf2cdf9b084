//! `desfazer`: undoes a movement, with its document or alone.

use super::super::desk::{Desk, Stopped};
use super::super::source::Question;
use super::said::{Said, Verb};
use crate::catalog::{Key, Kind, Quoted};
use crate::operation::{
    Argument, Form, MovementReply, MovementsRequest, Reply, Request, UndoRequest, parse_sequence,
};
use crate::refusal::Refusal;

pub(super) const VERB: Verb = Verb {
    form: Form {
        word: "desfazer",
        shell_words: &[],
        arguments: &[Argument::Movement],
        attributes: "[so=sim] [id=PEDIDO]",
        menu: None,
        help: "estorna um movimento, com o documento inteiro dele",
        example: "desfazer 812 so=sim",
    },
    run,
};

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (request_id, is_single) = (said.request_id()?, is_single(&said)?);
    let sequence = match said.text {
        "" => asked_sequence(desk, verb)?,
        text => parse_sequence(text)?,
    };
    if desk.is_person() {
        confirm_opening(desk, sequence)?;
    }
    let alone = if is_single { " so=sim" } else { "" };
    let line = format!("{} {sequence}{alone}", verb.form.word);
    desk.make(&Request::UndoMovement(UndoRequest::of(sequence, is_single, request_id)), &line)
}

/// Whether the line asks for the movement alone. A slip would undo the whole document.
fn is_single(said: &Said<'_>) -> Result<bool, Refusal> {
    let Some(value) = said.get("so") else { return Ok(false) };
    match Key::fold(value).as_str() {
        "sim" => Ok(true),
        "nao" => Ok(false),
        _ => Err(Refusal::invalid("single", format!("{} não é sim nem não; escreva so=sim", Quoted(value)))),
    }
}

/// The movement to undo, if the line names none: that of the last change, which a person confirms with Enter.
fn asked_sequence(desk: &mut dyn Desk, verb: &Verb) -> Result<i64, Stopped> {
    let last = desk.last_change();
    if !desk.is_person() {
        let what = format!("falta o número do movimento: o comando é {}", verb.form.usage());
        return Ok(last.map(|(sequence, _)| sequence).ok_or_else(|| Refusal::invalid("sequence", what))?);
    }
    let (sequence, question) = match last {
        Some((sequence, told)) => (Some(sequence), Question::LastChange(told)),
        None => (None, Question::Argument(Argument::Movement)),
    };
    match (desk.answer(question)?, sequence) {
        (answer, Some(sequence)) if answer.is_empty() => Ok(sequence),
        (answer, None) if answer.is_empty() => desk.drop_command(),
        (answer, _) => Ok(parse_sequence(&answer)?),
    }
}

/// Asks whether the stock with which a product began is to be undone, because an undo stays.
fn confirm_opening(desk: &mut dyn Desk, sequence: i64) -> Result<(), Stopped> {
    let before = sequence.checked_add(1);
    let asked = MovementsRequest { before, count_max: 1, ..MovementsRequest::default() };
    let Ok(Reply::Movements(page)) = desk.ask(&Request::ListMovements(asked)) else { return Ok(()) };
    let is_opening = |it: &&MovementReply| it.sequence == sequence && it.kind == Kind::Opening;
    let Some(opening) = page.movements.first().filter(is_opening) else { return Ok(()) };
    let name = &opening.product_name;
    let odd = format!("#{sequence} é o estoque com que {name} começou, e um estorno não se desfaz");
    desk.confirm(&odd, false)
}
