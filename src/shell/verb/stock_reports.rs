//! `acabando`, `vencendo` and `rastrear`: reports of the stock of now.

use super::super::desk::{Desk, Stopped};
use super::reports::show;
use super::said::{Said, Verb};
use crate::catalog::Quoted;
use crate::operation::{Argument, Form, days_here};
use crate::refusal::Refusal;
use crate::report::{Report, What};

const fn stock(
    word: &'static str,
    arguments: &'static [Argument],
    help: &'static str,
    example: &'static str,
) -> Verb {
    let form = Form { word, shell_words: &[], arguments, attributes: "", menu: None, help, example };
    Verb { form, run }
}

pub(super) const LOW: Verb =
    stock("acabando", &[Argument::OptionalDays], "o que está acabando, e quanto comprar", "acabando 3");
pub(super) const EXPIRING: Verb =
    stock("vencendo", &[Argument::OptionalDays], "o que vence até amanhã, ou em tantos dias", "vencendo 2");
pub(super) const TRACE: Verb = stock(
    "rastrear",
    &[Argument::Origin],
    "quem vendeu o quê, quando, e quanto resta",
    "rastrear Sítio do Zé",
);

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let what = match verb.form.word {
        "acabando" => What::Low,
        "vencendo" => What::Expiring,
        _ => What::Trace,
    };
    let mut report = Report::of_usual_period(what, days_here()?);
    match what {
        What::Trace if said.text.is_empty() => {
            return Err(Refusal::invalid("words", "diga o fornecedor ou o lote: rastrear Sítio do Zé").into());
        }
        What::Trace => said.text.clone_into(&mut report.words),
        _ if said.text.is_empty() => {}
        _ => {
            report.days_ahead = Some(said.text.parse().map_err(|_| {
                Refusal::invalid("days", format!("{} não é um número de dias", Quoted(said.text)))
            })?);
        }
    }
    show(desk, &report)
}
