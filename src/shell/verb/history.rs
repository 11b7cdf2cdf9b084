//! `historico`: the movements, newest first.

use super::super::desk::{Desk, Stopped};
use super::said::{Said, Verb};
use crate::operation::{
    Argument, Form, MovementFilters, MovementsRequest, ProductChangesRequest, Reply, Request,
};

/// The changes of what a product is that are shown below its movements: a glance.
const TERMS_CHANGES_SHOWN_MAX: usize = 5;

pub(super) const VERB: Verb = Verb {
    form: Form {
        word: "historico",
        shell_words: &[],
        arguments: &[Argument::OptionalName],
        attributes: "[motivo=MOTIVO] [desde=DIA] [ate=DIA] [autor=TOKEN] [limite=N] [antes=NUMERO]",
        menu: None,
        help: "os movimentos, do último para trás",
        example: "historico Caju motivo=perda desde=ontem",
    },
    run,
};

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let filters = MovementFilters {
        kind: said.get("motivo"),
        author: said.get("autor"),
        since: said.get("desde"),
        until: said.get("ate"),
    };
    let asked = MovementsRequest::of_page(said.text, said.get("limite"), said.get("antes"))?;
    let request = if filters.is_given() { filters.on(asked)? } else { asked };
    let reply = desk.ask(&Request::ListMovements(request.clone()))?;
    desk.show(&reply)?;
    if !desk.is_person() {
        return Ok(());
    }
    if let Reply::Movements(page) = &reply
        && page.next_page_token.is_some()
    {
        desk.tell("Há mais: limite=N mostra N, e antes=NUMERO os de antes deste.")?;
    }
    match request.name.filter(|_| !filters.is_given()) {
        Some(name) => show_terms_changes(desk, name),
        None => Ok(()),
    }
}

/// Shows the last changes of what a product is, below its movements. The text protocol does not give them.
fn show_terms_changes(desk: &mut dyn Desk, name: &str) -> Result<(), Stopped> {
    let request =
        ProductChangesRequest { name: Some(name), before: None, count_max: TERMS_CHANGES_SHOWN_MAX };
    let Ok(Reply::ProductChanges(page)) = desk.ask(&Request::ListProductChanges(request)) else {
        return Ok(());
    };
    if page.changes.is_empty() {
        return Ok(());
    }
    let has_more = page.next_page_token.is_some();
    desk.tell("Mudanças do cadastro:")?;
    desk.show(&Reply::ProductChanges(page))?;
    if has_more {
        desk.tell("As de antes: hortifruti history NOME --changes")?;
    }
    Ok(())
}
