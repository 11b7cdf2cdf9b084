//! `hoje`, `ontem`, `fechamento`, `vendas`, `perdas` and the other reports.

use super::super::desk::{Desk, Stopped};
use super::said::{Said, Verb};
use crate::catalog::{Key, Quoted};
use crate::operation::{
    Argument, Form, Grouping, days_here, given_period, last_movement, last_movement_note,
};
use crate::refusal::{Code, Refusal};
use crate::render::{Format, render_sheet};
use crate::report::{Report, What};
use crate::terminal;

/// The attributes of a report of any period.
const ATTRIBUTES: &str = "[desde=DIA] [ate=DIA] [por=GRUPO]";

const fn report(word: &'static str, help: &'static str, example: &'static str) -> Verb {
    let arguments = &[Argument::OptionalDay];
    let form = Form { word, shell_words: &[], arguments, attributes: ATTRIBUTES, menu: None, help, example };
    Verb { form, run }
}

const fn day(word: &'static str, help: &'static str, example: &'static str) -> Verb {
    let form = Form { word, shell_words: &[], arguments: &[], attributes: "", menu: None, help, example };
    Verb { form, run }
}

pub(super) const TODAY: Verb = day("hoje", "o fechamento de hoje", "hoje");
pub(super) const YESTERDAY: Verb = day("ontem", "o fechamento de ontem", "ontem");
pub(super) const CLOSING: Verb =
    report("fechamento", "vendas, compras, perdas, custo e margem de um dia", "fechamento 29/11/2026");
pub(super) const SALES: Verb = report("vendas", "o que se vendeu", "vendas ontem");
pub(super) const LOSSES: Verb =
    report("perdas", "o que se perdeu, o pior primeiro", "perdas desde=01/11/2026 por=causa");
pub(super) const PURCHASES: Verb = report("compras", "o que se comprou", "compras por=fornecedor");
pub(super) const MARGINS: Verb = report("margens", "as margens dos últimos 30 dias", "margens por=categoria");
pub(super) const ABC: Verb =
    report("abc", "os produtos pela parte que têm nas vendas", "abc desde=01/11/2026");
pub(super) const COUNTS: Verb = report("contagens", "as sobras e faltas das contagens", "contagens hoje");

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let days = days_here()?;
    let what = match verb.form.word {
        "vendas" => What::Sales,
        "perdas" => What::Losses,
        "compras" => What::Purchases,
        "margens" => What::Margins,
        "abc" => What::Abc,
        "contagens" => What::Counts,
        _ => What::Day,
    };
    let mut report = match verb.form.word {
        "ontem" => Report::of_yesterday(what, days.clone()),
        _ => Report::of_usual_period(what, days.clone()),
    };
    let (mut since, mut until) = (said.get("desde"), said.get("ate"));
    if !said.text.is_empty() {
        if verb.form.arguments.is_empty() {
            let what = format!("{} não leva argumentos, mas veio {}", verb.form.word, Quoted(said.text));
            return Err(Refusal::invalid("command", what).into());
        }
        if since.is_some() || until.is_some() {
            let what =
                format!("{} é um dia, e desde= ou ate= um período; diga só um deles", Quoted(said.text));
            return Err(Refusal::invalid("start_time", what).into());
        }
        (since, until) = (Some(said.text), Some(said.text));
    }
    if since.is_some() || until.is_some() {
        (report.since, report.until) = given_period(since, until, &days)?;
    }
    if let Some(by) = said.get("por") {
        report.by = Some(grouping(by).filter(|by| report.can_be_by(*by)).ok_or_else(|| {
            let what = format!("{} não se agrupa por {}", verb.form.word, Quoted(by));
            Refusal::invalid("group_by", what)
        })?);
    }
    show(desk, &report)
}

/// Asks for a report and shows it.
pub(super) fn show(desk: &mut dyn Desk, report: &Report) -> Result<(), Stopped> {
    let requests = report.requests();
    let replies = requests.iter().map(|request| desk.ask(request)).collect::<Result<Vec<_>, _>>()?;
    let Some(sheet) = report.sheet(replies) else {
        return Err(
            Refusal::new(Code::Internal, "o servidor respondeu outra coisa. Nada foi alterado.").into()
        );
    };
    let width = terminal::size().filter(|_| desk.is_person()).map(|(_, columns)| columns);
    let mut text = Vec::new();
    render_sheet(&mut text, &sheet, Format::Text, width)?;
    desk.show_text(&String::from_utf8_lossy(&text))?;
    if let Some(ahead) = desk.ask(&last_movement()).ok().as_ref().and_then(last_movement_note) {
        desk.tell(&ahead)?;
    }
    Ok(())
}

fn grouping(word: &str) -> Option<Grouping> {
    let key = Key::fold(word);
    Grouping::WORDS.iter().find(|(_, own, _)| *own == key.as_str()).map(|(.., grouping)| *grouping)
}
