//! `3` alone: a person is asked for the name, the quantity and the reason, and each answer is checked before
//! the next question.

use super::super::desk::{Desk, Stopped};
use super::super::entry::Entry;
use super::super::report::report;
use super::super::source::{Expected, Question};
use super::items::{check_typed, quantity};
use crate::catalog::{AdjustmentError, Key, Kind, Quantity, nearest_word};
use crate::client::ClientError;
use crate::operation::phrase::Measure;
use crate::operation::{Argument, ProductReply};
use crate::refusal::{Code, Refusal};
use crate::render::product_told;

/// The word of the original's change of a stock.
pub(in crate::shell) const CHANGE: &str = "3";

/// The text after `3`, for which a person is asked. Pasted lines are taken as they are, because more of them may
/// wait than the questions need, and none of them answers a question that the original did not put.
pub(in crate::shell) fn asked_change(desk: &mut dyn Desk) -> Result<String, Stopped> {
    let (name, product) = loop {
        let name = asked(desk, Question::Argument(Argument::Name))?;
        if desk.is_pasted() {
            return Ok(format!("{name} {}", asked(desk, Question::Argument(Argument::Quantity))?));
        }
        match desk.product_named(&name) {
            Ok(product) => break (name, product),
            Err(stopped) => report_wrong(stopped)?,
        }
    };
    desk.tell(&product_told(&product))?;
    let delta = loop {
        let answer = asked(desk, Question::Argument(Argument::Quantity))?;
        if desk.is_pasted() {
            return Ok(format!("{name} {answer}"));
        }
        match read_delta(desk, &answer, &name, &product) {
            Ok(delta) => break delta,
            Err(stopped) => report_wrong(stopped)?,
        }
    };
    let reason = asked_reason(desk, &product, delta)?;
    let reason = reason.map_or(String::new(), |kind| format!(" motivo={}", kind.word()));
    Ok(format!("{name} {}{reason}", delta.with_comma()))
}

/// The answer to a question. An empty one drops the command.
pub(super) fn asked(desk: &mut dyn Desk, question: Question) -> Result<String, Stopped> {
    match desk.answer(question)? {
        answer if answer.is_empty() => desk.drop_command(),
        answer => Ok(answer),
    }
}

/// Reports what is wrong with an answer, so that the question comes again.
///
/// # Errors
/// If another answer would not help.
pub(super) fn report_wrong(stopped: Stopped) -> Result<(), Stopped> {
    match stopped {
        Stopped::Failed(ClientError::Refused(refusal))
            if matches!(
                refusal.code,
                Code::ProductNotFound | Code::InvalidArgument | Code::InsufficientStock
            ) =>
        {
            report(&refusal);
            Ok(())
        }
        stopped => Err(stopped),
    }
}

/// Reads a quantity with its sign, and checks it against the product that was shown.
fn read_delta(
    desk: &mut dyn Desk,
    answer: &str,
    name: &str,
    product: &ProductReply,
) -> Result<Quantity, Stopped> {
    let delta = match Measure::read(answer) {
        Some(measure) => quantity(desk, Some(measure?), product)?,
        None => answer.parse().map_err(|error| Refusal::quantity("delta_thousandths", &error))?,
    };
    let is_named = Key::fold(name) == product.name.key();
    check(product, delta, is_named).map_err(|error| Refusal::from(error).into()).map(|()| delta)
}

/// Checks a change as the server will. The label of a scale, which is no name, says itself how much it is.
fn check(product: &ProductReply, delta: Quantity, is_named: bool) -> Result<(), AdjustmentError> {
    if delta == Quantity::ZERO && !is_named {
        return Ok(());
    }
    check_typed(product, delta)?;
    let Some(unit) = product.unit.clone() else { return Ok(()) };
    let (name, available) = (product.name.to_string(), product.stock);
    if available.thousandths() + delta.thousandths() < 0 {
        let requested = delta.opposite();
        return Err(AdjustmentError::Insufficient { name, unit, available, requested });
    }
    Ok(())
}

/// Asks for the reason; `None` if the answer leaves the usual one. A command in its place does so too, and comes
/// next: the lines of a terminal that marks no pasted text go on as they would without the question.
fn asked_reason(
    desk: &mut dyn Desk,
    product: &ProductReply,
    delta: Quantity,
) -> Result<Option<Kind>, Stopped> {
    let prompt = prompt(delta);
    loop {
        let answer = desk.question(prompt.clone(), Expected::Reason)?;
        match answer.strip_prefix("motivo=").unwrap_or(&answer).parse::<Kind>() {
            Ok(kind) if fits(kind, delta) => return Ok(Some(kind)),
            Ok(kind) => {
                let name = product.name.to_string();
                report(&Refusal::from(AdjustmentError::WrongSign { name, kind, delta }));
            }
            Err(_) if answer.is_empty() => return Ok(None),
            Err(_) if is_command(&answer) => {
                desk.put_back(answer);
                return Ok(None);
            }
            Err(error) => report(&Refusal::kind(&error)),
        }
    }
}

/// The question for the reason of a change, with those that its sign allows.
fn prompt(delta: Quantity) -> String {
    let kinds = Kind::REQUESTABLE.into_iter().filter(|kind| fits(*kind, delta));
    let words: Vec<&str> = kinds.map(Kind::word).collect();
    let (last, words) = words.split_last().expect("an adjustment may have any sign");
    format!("Motivo: {} ou {last} (Enter: {}): ", words.join(", "), Kind::Adjustment.word())
}

/// Whether a change of this kind may have the sign of this one.
fn fits(kind: Kind, delta: Quantity) -> bool {
    !(delta < Quantity::ZERO && kind.brings() || delta > Quantity::ZERO && kind.takes())
}

/// Whether an answer is a command, and no reason with a slip in it, as `perdas` for `perda`.
fn is_command(answer: &str) -> bool {
    if nearest_word(answer, Kind::REQUESTABLE.map(Kind::word)).is_some() && !answer.contains([' ', '\t']) {
        return false;
    }
    !matches!(Entry::of(answer), Entry::Unknown(_) | Entry::Nothing | Entry::Help(_))
}

#[cfg(test)]
mod tests {
    use super::super::super::words::Word;
    use super::*;

    #[test]
    fn no_reason_is_a_command_and_a_slip_is_none() {
        for kind in Kind::REQUESTABLE {
            assert!(Word::of(kind.word()).is_none(), "{kind:?}");
        }
        for command in ["1 Pera", "4", "sair", "listar", "consultar caju", "vendas ontem", "7891234567895"] {
            assert!(is_command(command), "{command}");
        }
        for slip in ["perdas", "vendas", "compras", "perder", "vender", "comprar", "contar", "roubo", "ajuda"]
        {
            assert!(!is_command(slip), "{slip}");
        }
    }

    #[test]
    fn only_reasons_of_the_right_sign_are_offered() {
        let offered = |units| prompt(Quantity::from_units(units));
        assert_eq!(offered(-20), "Motivo: ajuste, venda, perda ou contagem (Enter: ajuste): ");
        assert_eq!(offered(5), "Motivo: ajuste, compra ou contagem (Enter: ajuste): ");
        assert_eq!(offered(0), "Motivo: ajuste, compra, venda, perda ou contagem (Enter: ajuste): ");
    }
}
