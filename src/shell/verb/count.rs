//! `contar` alone, for which a person is asked, and with a quantity before the name, with its unit or without any,
//! which the text protocol does not read.

use super::super::desk::{Desk, Stopped};
use super::super::source::Question;
use super::change::{asked, report_wrong};
use super::items::{check_typed, quantity, read_phrase};
use crate::catalog::Quantity;
use crate::client::ClientError;
use crate::operation::phrase::{Measure, Phrase, Readings, attributes};
use crate::operation::{Argument, COUNTED_FIELD, CountRequest, ProductReply};
use crate::refusal::{Code, Refusal};

/// The text after `contar`, for which a person is asked. A wrong answer is asked again.
pub(in crate::shell) fn asked_count(desk: &mut dyn Desk) -> Result<String, Stopped> {
    let (name, product) = loop {
        let name = asked(desk, Question::Argument(Argument::Name))?;
        match desk.product_named(&name) {
            Ok(product) => break (name, product),
            // A person who may only count sees no stock.
            Err(Stopped::Failed(ClientError::Refused(refusal))) if refusal.code == Code::Unauthenticated => {
                return Ok(format!("{name} {}", asked(desk, Question::Argument(Argument::Counted))?));
            }
            Err(stopped) => report_wrong(stopped)?,
        }
    };
    loop {
        let answer = asked(desk, Question::Counted(product.clone()))?;
        match read_count(desk, &answer, &product) {
            Ok(counted) => return Ok(format!("{name} {}", counted.with_comma())),
            Err(stopped) => report_wrong(stopped)?,
        }
    }
}

/// Reads a counted quantity, and checks it against the product that was shown.
fn read_count(desk: &mut dyn Desk, answer: &str, product: &ProductReply) -> Result<Quantity, Stopped> {
    let counted = match Measure::read(answer) {
        Some(measure) => quantity(desk, Some(measure?), product)?,
        None => answer.parse().map_err(|error| Refusal::quantity(COUNTED_FIELD, &error))?,
    };
    if counted != Quantity::ZERO {
        check_typed(product, counted).map_err(Refusal::from)?;
    }
    Ok(counted)
}

/// The text after `contar` as the text protocol reads it.
pub(in crate::shell) fn counted_line(desk: &mut dyn Desk, rest: String) -> Result<String, Stopped> {
    let (text, said) = attributes(&rest, &["id"])?;
    let readings = Readings::of(text, false);
    let readings = readings.as_ref().map_or(&[][..], Readings::phrases);
    // The products decide about a name with a number at its other end, as in a sale. Of two bare numbers the first is
    // the code, as in the text protocol.
    let is_between = readings.len() > 1 && text.split_whitespace().count() > 2;
    if !is_between && CountRequest::parse(&rest).is_ok() {
        return Ok(rest);
    }
    let has_quantity = !readings.is_empty() && readings.iter().all(|phrase| phrase.measure.is_some());
    if !has_quantity && (!desk.is_person() || text.is_empty()) {
        return Ok(rest);
    }
    let id = said.first().map_or(String::new(), |(name, value)| format!(" {name}={value}"));
    let (phrase, product) = match read_phrase(desk, text, false, !said.is_empty()) {
        // A person who may only count sees no product.
        Err(Stopped::Failed(ClientError::Refused(refusal))) if refusal.code == Code::Unauthenticated => {
            return match readings {
                [Phrase { name, measure: Some(measure), .. }] if measure.unit().is_none() => {
                    Ok(format!("{name} {}{id}", measure.certain()?))
                }
                [Phrase { name, measure: Some(measure), .. }] => {
                    let what = format!(
                        "este token não vê em que unidade {name} se conta: conte sem a unidade, e não {measure}"
                    );
                    Err(Refusal::invalid(COUNTED_FIELD, what).into())
                }
                // The text protocol reads the last word, and refuses one that is no quantity.
                _ => Ok(rest),
            };
        }
        found => found?,
    };
    let counted = quantity(desk, phrase.measure, &product)?;
    Ok(format!("{} {counted}{id}", phrase.name))
}
