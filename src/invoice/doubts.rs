//! Slips in a line, such as a wrong content of a box.

use super::document::Line;
use super::matching::Match;
use super::purchase::Purchased;
use crate::catalog::{Amount, Lot, Quantity};
use crate::local_time::{today, told_date};
use crate::operation::doubtful::odd_cost;

/// Says why a line is odd, in sentences without a period.
pub fn doubts(line: &Line, of: &Match, purchased: &[Purchased]) -> Vec<String> {
    let mut odd = Vec::new();
    let product = &of.product;
    if let Some(other) = of.other_content(line) {
        let booked: i64 = purchased.iter().map(|part| part.quantity.thousandths()).sum();
        let booked = Quantity::from_thousandths(booked).unwrap_or(other);
        odd.push(format!(
            "item {}: são {} de {} pelo que se sabe de antes, e a nota diz {}",
            line.number,
            booked.with_comma(),
            product.name,
            other.with_comma()
        ));
    }
    let usual = product.stock_cost.and_then(|cost| Amount::from_centavos(cost.centavos()?));
    let usual = usual.map(|cost| (product.stock, cost));
    let usual = usual.filter(|(stock, cost)| stock.thousandths() > 0 && cost.centavos() > 0);
    let of_part = |part: &Purchased| odd_cost(product, part.quantity, part.cost, usual);
    odd.extend(purchased.first().and_then(of_part).map(|what| format!("item {}: {what}", line.number)));
    let names: Vec<&str> = line.lots.iter().filter_map(|lot| lot.lot.as_ref()).map(Lot::as_str).collect();
    if let ([part], [first, _, ..]) = (purchased, &names[..]) {
        let kept = part.details.purchase.as_ref().and_then(|purchase| purchase.lot.as_ref());
        if kept.is_none_or(|kept| kept.as_str() != names.join(", ")) {
            odd.push(format!("item {}: os lotes não cabem juntos, e só {first} é guardado", line.number));
        }
    }
    let day = purchased.iter().filter_map(|part| part.details.purchase.as_ref()?.expires_on).min();
    if let Some(day) = day.filter(|day| *day < today()) {
        odd.push(format!("item {}: a validade {} já passou", line.number, told_date(day)));
    }
    odd
}
