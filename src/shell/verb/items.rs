//! Products with quantities, as the words of the shell read them.

use super::super::desk::{Desk, Stopped};
use super::super::report::report;
use super::super::source::{Expected, Question};
use crate::catalog::{AdjustmentError, Amount, Details, Key, Kind, Name, Price, Quantity, RequestId};
use crate::client::ClientError;
use crate::operation::doubtful::{odd_quantity, usual_quantity};
use crate::operation::phrase::{Measure, Phrase, Readings, name_typed};
use crate::operation::{
    AdjustRequest, BatchRequest, MovementReply, MovementsRequest, ProductReply, Reply, Request,
};
use crate::refusal::{Code, Refusal};

/// Digits of a scale's label.
const LABEL_DIGITS: usize = 13;

/// Movements among which the usual quantity is looked for.
const USUAL_AMONG_MAX: usize = 50;

/// A product, and how much of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The name or the code as it was typed.
    pub(super) name: String,
    pub(super) product: ProductReply,
    pub(super) quantity: Quantity,
    /// The money, if it is not the price times the quantity.
    pub(super) amount: Option<Amount>,
}

impl Item {
    /// Whether a label says how much there is.
    pub(super) fn is_label(&self) -> bool {
        self.quantity == Quantity::ZERO && is_label(&self.name, &self.product)
    }

    /// The item as it is typed: `2,5 Maca`.
    pub(super) fn line(&self) -> String {
        if self.is_label() {
            return self.name.clone();
        }
        format!("{} {}", self.quantity.with_comma(), name_typed(&self.name))
    }
}

/// The change of these items, which is one document. The kind says whether they come or go.
pub(super) fn request(
    items: &[Item],
    kind: Kind,
    details: Option<Box<Details>>,
    request_id: Option<RequestId>,
) -> Request<'_> {
    let adjustment = |item: &'_ Item| AdjustRequest {
        kind,
        // Of a label: nothing, which means what it says.
        delta: if kind == Kind::Purchase { item.quantity } else { item.quantity.opposite() },
        details: match item.amount {
            None => details.clone(),
            amount => Details { amount, ..details.as_deref().cloned().unwrap_or_default() }.boxed(),
        },
        ..AdjustRequest::of_units("", 0)
    };
    let mut adjustments: Vec<AdjustRequest<'_>> =
        items.iter().map(|item| AdjustRequest { name: &item.name, ..adjustment(item) }).collect();
    match adjustments.len() {
        1 => Request::AdjustStock(AdjustRequest { request_id, ..adjustments.swap_remove(0) }),
        _ => Request::BatchAdjustStock(BatchRequest { adjustments, request_id }),
    }
}

/// Whether a text looks like the label of a scale: an EAN-13 that begins with 2.
fn is_like_label(text: &str) -> bool {
    text.len() == LABEL_DIGITS && text.starts_with('2') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text that found a product is the label of a scale, and neither its barcode nor its name.
fn is_label(text: &str, product: &ProductReply) -> bool {
    let is_barcode = product
        .terms
        .as_ref()
        .is_some_and(|terms| terms.barcodes.iter().any(|barcode| barcode.to_string() == text));
    is_like_label(text) && !is_barcode && product.name.as_str() != text
}

/// Reads a phrase, and finds its product. Among several readings, that whose product there is. If the request
/// `may_be_made`, because it has an id, the product may have another name or code since, which only the server finds.
pub(super) fn read_phrase(
    desk: &mut dyn Desk,
    text: &str,
    may_end_with_total: bool,
    may_be_made: bool,
) -> Result<(Phrase, ProductReply), Stopped> {
    let readings = Readings::of(text, may_end_with_total)?;
    let phrase = readings.among(|name| desk.has_product(name))?;
    let product = match desk.product_named(&phrase.name) {
        Err(stopped)
            if may_be_made
                && is_not_found(&stopped)
                && (phrase.measure.is_some() || is_like_label(&phrase.name)) =>
        {
            // The name of what has a label is not known.
            let name = if is_like_label(&phrase.name) { "Etiqueta" } else { &phrase.name };
            let name = Name::parse(name).map_err(|error| Refusal::name(&error))?;
            let price = Price::from_centavos(0).expect("zero is a price");
            let (stock, unit) = (Quantity::ZERO, None);
            ProductReply { name, price, stock, unit, stock_cost: None, terms: None, is_discontinued: false }
        }
        // The name of a product may hold the quantity, as `Pão 50g` does.
        Err(stopped) if phrase.measure.is_some() && is_not_found(&stopped) => {
            match desk.product_named(text) {
                Ok(product) => {
                    return Ok((Phrase { name: text.to_owned(), measure: None, total: None }, product));
                }
                Err(_) => return Err(with_whole_name(stopped, &phrase)),
            }
        }
        found => found?,
    };
    Ok((phrase, product))
}

fn is_not_found(stopped: &Stopped) -> bool {
    matches!(stopped, Stopped::Failed(ClientError::Refused(refusal)) if refusal.code == Code::ProductNotFound)
}

/// Adds the phrase to type if one product alone has the words of the name. Nobody guesses that it is meant.
fn with_whole_name(mut stopped: Stopped, phrase: &Phrase) -> Stopped {
    if let (Stopped::Failed(ClientError::Refused(refusal)), Some(measure)) = (&mut stopped, &phrase.measure) {
        let near = refusal.metadata.iter().find(|(key, _)| *key == "nearest_names").map(|(_, names)| names);
        let (key, name) = (Key::fold(&phrase.name), near.map(|name| (Key::fold(name), name)));
        let has_words = |near: &Key| key.as_str().split(' ').all(|word| near.as_str().contains(word));
        if let Some((near, name)) = name
            && !name.contains('\n')
            && has_words(&near)
        {
            refusal.message += &format!(" Se for esse, escreva: {measure} {}", name_typed(name));
        }
    }
    stopped
}

/// The item of a phrase: what the label of a scale says, one piece of a code alone, as a scanner types it, or the
/// quantity, for which a person is asked if there is none.
pub(super) fn item(desk: &mut dyn Desk, phrase: Phrase, product: ProductReply) -> Result<Item, Stopped> {
    let Phrase { name, measure, .. } = phrase;
    if is_label(&name, &product) {
        if measure.is_some() {
            let what = format!(
                "a etiqueta {name} já diz quanto há de {}; passe-a sem quantidade, uma vez por saquinho",
                product.name
            );
            return Err(Refusal::invalid("delta_thousandths", what).into());
        }
        return Ok(Item { name, product, quantity: Quantity::ZERO, amount: None });
    }
    let is_scanned = measure.is_none() && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_weighed = product.unit.as_ref().is_some_and(|unit| unit.is_weighed());
    let quantity = match is_scanned && !is_weighed {
        true => Quantity::from_units(1),
        false => quantity(desk, measure, &product)?,
    };
    Ok(Item { name, product, quantity, amount: None })
}

/// The quantity of a phrase in the product's unit. A person is asked for one that is missing, and for one of two
/// readings.
pub(super) fn quantity(
    desk: &mut dyn Desk,
    measure: Option<Measure>,
    product: &ProductReply,
) -> Result<Quantity, Stopped> {
    let Some(measure) = measure else { return asked_quantity(desk, product) };
    let measure = certain(desk, measure)?;
    Ok(in_unit(&measure, product)?)
}

fn in_unit(measure: &Measure, product: &ProductReply) -> Result<Quantity, Refusal> {
    match &product.unit {
        Some(unit) => measure.in_unit(product.name.as_str(), unit),
        // The text protocol does not give the unit.
        None => measure.certain(),
    }
}

/// Checks a quantity that a person has just typed as the server will, before more is asked.
///
/// # Errors
/// If it is nothing, or the product's unit has no such part.
pub(super) fn check_typed(product: &ProductReply, quantity: Quantity) -> Result<(), AdjustmentError> {
    if quantity == Quantity::ZERO {
        return Err(AdjustmentError::Zero);
    }
    // The text protocol does not give the unit.
    match product.unit.clone() {
        Some(unit) if !unit.can_hold(quantity) => {
            Err(AdjustmentError::Fraction { name: product.name.to_string(), unit, delta: quantity })
        }
        _ => Ok(()),
    }
}

fn asked_quantity(desk: &mut dyn Desk, product: &ProductReply) -> Result<Quantity, Stopped> {
    let missing = |what: &str| Refusal::invalid("delta_thousandths", format!("{what} de {}", product.name));
    if !desk.is_person() {
        return Err(missing("falta a quantidade").into());
    }
    let unit = product.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
    loop {
        let prompt = format!("Quanto de {} (há {}{unit})? ", product.name, product.stock.with_comma());
        let answer = desk.question(prompt, Expected::Nothing)?;
        let measure = match answer.as_str() {
            "" => return desk.drop_command(),
            answer => Measure::read(answer).unwrap_or_else(|| Err(missing("não é uma quantidade"))),
        };
        let quantity = match measure {
            Ok(measure) => in_unit(&certain(desk, measure)?, product),
            Err(refusal) => Err(refusal),
        };
        match quantity {
            Ok(quantity) => return Ok(quantity),
            Err(refusal) => report(&refusal),
        }
    }
}

/// The measure with one reading: a person is asked which of two is meant.
fn certain(desk: &mut dyn Desk, measure: Measure) -> Result<Measure, Stopped> {
    let Some((thousands, units)) = measure.two_readings().filter(|_| desk.is_person()) else {
        return Ok(measure);
    };
    loop {
        let answer = desk.answer(Question::Reading { thousands, units })?;
        if answer.is_empty() {
            return desk.drop_command();
        }
        let meant = answer.parse().ok().filter(|_| Quantity::two_readings(&answer).is_none());
        if let Some(meant) = meant.filter(|meant| [thousands, units].contains(meant)) {
            return Ok(measure.meaning(meant));
        }
    }
}

/// The last movements of a product of one kind. None if the server does not give them.
pub(super) fn last_movements(desk: &mut dyn Desk, product: &ProductReply, kind: Kind) -> Vec<MovementReply> {
    let request = MovementsRequest {
        name: Some(product.name.as_str()),
        kind: Some(kind),
        count_max: USUAL_AMONG_MAX,
        ..MovementsRequest::default()
    };
    match desk.ask(&Request::ListMovements(request)) {
        Ok(Reply::Movements(page)) => page.movements,
        _ => Vec::new(),
    }
}

/// Asks about a quantity that looks like a slip.
pub(super) fn check_quantity(
    desk: &mut dyn Desk,
    product: &ProductReply,
    quantity: Quantity,
    kind: Kind,
    is_meant: bool,
) -> Result<(), Stopped> {
    let usual = usual_quantity(&last_movements(desk, product, kind));
    match odd_quantity(product, quantity, kind != Kind::Purchase, usual) {
        Some(odd) => desk.confirm(&odd, is_meant),
        None => Ok(()),
    }
}
