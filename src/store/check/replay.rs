//! The replay of the ledger: each movement follows from the previous one of its product, and the last ones lead
//! to the products that a server would show.

use std::collections::HashMap;
use std::time::SystemTime;

use super::fault::Fault;
use super::links::Undos;
use super::moment::{KeptPurchase, Moment, Place, Rows};
use super::progress::{Report, Step};
use crate::catalog::{
    Balance, Catalog, Cost, Kind, Movement, ProductId, Products, Quantity, RequestId, StockCost,
};

/// Movements whose request ids are checked together, after which the progress is reported.
const CHECKED_AT_ONCE: i64 = 1024;

/// The counts of a replay without faults.
#[derive(Default)]
pub(super) struct Replayed {
    /// The count of movements that have a request id.
    pub(super) request_ids: u64,
    pub(super) earlier_movements: u64,
    /// The time of the last movement.
    pub(super) last_time: Option<SystemTime>,
}

/// Replays the whole ledger.
pub(super) fn replay(
    moment: &mut dyn Moment,
    catalog: &Catalog,
    report: Report<'_>,
) -> Result<Replayed, Fault> {
    let (products, last) = (catalog.products(), catalog.last_sequence());
    let (mut movements, mut purchases) = (Rows::of_movements(), Rows::of_purchases());
    let mut undos = Undos::read(moment)?;
    let mut ids: Vec<(RequestId, Place)> = Vec::new();
    let mut balances: HashMap<ProductId, Balance> = HashMap::with_capacity(products.len());
    let (mut sequence, mut time, mut replayed) = (0, SystemTime::UNIX_EPOCH, Replayed::default());
    while let Some(movement) = movements.next(moment)? {
        if movement.sequence != sequence + 1 {
            return Err(Fault::of(format!("ao movimento {sequence} segue o {}", movement.sequence)));
        }
        sequence = movement.sequence;
        let before = balances.get(&movement.product).copied();
        let stock_cost = follow(&movement, before, undos.is_next(sequence))
            .map_err(|reason| Fault::of(format!("o movimento {sequence} {reason}")))?;
        let balance = Balance { stock: movement.balance, last_movement: sequence, stock_cost };
        balances.insert(movement.product, balance);
        undos.visit(&movement)?;
        check_purchase(purchases.next_up_to(moment, sequence)?, &movement)?;
        replayed.earlier_movements += u64::from(movement.recorded_at < time);
        time = movement.recorded_at;
        replayed.last_time = Some(time);
        replayed.request_ids += u64::from(movement.request_id.is_some());
        ids.extend(movement.request_id.map(|request_id| (request_id, Some(sequence))));
        if sequence % CHECKED_AT_ONCE == 0 {
            moment.check_places(&ids)?;
            ids.clear();
            report(Step::Ledger, sequence.unsigned_abs(), last.unsigned_abs());
        }
    }
    moment.check_places(&ids)?;
    undos.end()?;
    if let Some(row) = purchases.next(moment)? {
        return Err(not_bought(row.sequence));
    }
    compare(products, balances)?;
    Ok(replayed)
}

/// The cost of a stock after a movement, which must follow from the product's previous balance.
fn follow(movement: &Movement, before: Option<Balance>, is_undo: bool) -> Result<StockCost, &'static str> {
    match contradiction(movement, before, is_undo) {
        Some(reason) => Err(reason),
        None => cost_after(movement, before, is_undo).ok_or("não leva do custo anterior do estoque ao seu"),
    }
}

/// The contradiction between a movement and its product's previous balance, if there is one.
fn contradiction(movement: &Movement, before: Option<Balance>, is_undo: bool) -> Option<&'static str> {
    let is_opening = movement.kind == Kind::Opening && !is_undo;
    let Balance { stock, last_movement, .. } = before.unwrap_or(Balance::NONE);
    let sum = stock.thousandths().checked_add(movement.delta.thousandths());
    match before {
        None if !is_opening => Some("vem antes da abertura do seu produto"),
        Some(_) if is_opening => Some("abre um produto que já tinha movimentos"),
        _ if sum != Some(movement.balance.thousandths()) => {
            Some("tem um saldo diferente da soma do saldo anterior e da quantidade")
        }
        _ if movement.balance < Quantity::ZERO => Some("deixa o estoque abaixo de zero"),
        _ if !is_opening && movement.delta == Quantity::ZERO => Some("não muda nada"),
        _ if last_movement != movement.previous => Some("não aponta para o anterior do seu produto"),
        _ if has_foreign_details(movement) => Some("tem um total ou uma causa que o seu motivo não tem"),
        _ => None,
    }
}

/// Whether a movement has an amount or a reason of a loss, which movements of its kind never have.
fn has_foreign_details(movement: &Movement) -> bool {
    let Some(details) = &movement.details else { return false };
    let (kind, is_loss) = (movement.kind, movement.kind == Kind::Waste);
    let may_have_amount = matches!(kind, Kind::Purchase | Kind::Sale);
    details.amount.is_some() && !may_have_amount || details.loss_reason.is_some() && !is_loss
}

/// The cost of a stock after a movement; `None` if the movement's cost is wrong. The costs of all movements of a
/// product add up to the cost of its stock, and to zero if that is unknown.
fn cost_after(movement: &Movement, before: Option<Balance>, is_undo: bool) -> Option<StockCost> {
    let before = before.unwrap_or(Balance::NONE);
    let takes = movement.delta < Quantity::ZERO;
    let centavos = movement.cost.map_or(0, Cost::centavos);
    let sum = before.stock_cost.centavos().unwrap_or(0).checked_add(centavos)?;
    let has_sign = if takes { centavos <= 0 } else { centavos >= 0 };
    // A movement without a cost leaves a known cost only if there was no stock.
    let has_cost = movement.cost.is_some() || sum == 0;
    let after = before.stock_cost.after(movement.cost, movement.balance, || takes && is_undo)?;
    (has_sign && has_cost && after.centavos().unwrap_or(0) == sum).then_some(after)
}

/// Compares the balances after the replay with the products that a server would show.
fn compare(products: &Products, mut balances: HashMap<ProductId, Balance>) -> Result<(), Fault> {
    for product in products.iter() {
        let Some(balance) = balances.remove(&product.id) else {
            return Err(Fault::of(format!("{} não tem movimento de abertura", product.name)));
        };
        if balance.stock != product.stock {
            return Err(Fault::of(format!(
                "o estoque de {} é {}, e a soma dos seus movimentos {}",
                product.name, product.stock, balance.stock
            )));
        }
        if balance.last_movement != product.last_movement {
            let (name, last) = (&product.name, product.last_movement);
            return Err(Fault::of(format!("o último movimento de {name} não é o {last}")));
        }
        if balance.stock_cost != product.stock_cost {
            let shown = |cost: StockCost| {
                cost.centavos().map_or("desconhecido".to_owned(), |centavos| centavos.to_string())
            };
            return Err(Fault::of(format!(
                "o custo do estoque de {} é {}, e a soma dos custos dos seus movimentos {}",
                product.name,
                shown(product.stock_cost),
                shown(balance.stock_cost)
            )));
        }
    }
    match balances.into_keys().next() {
        Some(product) => {
            Err(Fault::of(format!("há movimentos do produto {}, que não existe", product.number())))
        }
        None => Ok(()),
    }
}

/// Checks the row of purchases up to a movement: each movement that buys has one, and no other movement.
fn check_purchase(row: Option<KeptPurchase>, movement: &Movement) -> Result<(), Fault> {
    let sequence = movement.sequence;
    let is_purchase = has_purchase_row(movement.kind, movement.delta);
    let reason = match row {
        Some(row) if row.sequence != sequence || !is_purchase => return Err(not_bought(row.sequence)),
        None if is_purchase => "é uma compra e não está entre elas",
        Some(row) if row.product != movement.product => "é uma compra de outro produto",
        Some(row) if row.repeated.is_some_and(|it| it != (movement.recorded_at, movement.delta)) => {
            "é uma compra de outra hora ou de outra quantidade"
        }
        _ => return Ok(()),
    };
    Err(Fault::of(format!("o movimento {sequence} {reason}")))
}

fn not_bought(sequence: i64) -> Fault {
    Fault::of(format!("o movimento {sequence} está entre as compras e não é uma"))
}

/// Whether a store keeps a row beside a movement, by which purchases are found: one for each purchase that added
/// stock.
pub(crate) fn has_purchase_row(kind: Kind, delta: Quantity) -> bool {
    kind == Kind::Purchase && delta > Quantity::ZERO
}
