//! What a stock may become, and who sees it.

use hortifruti::operation::Operation;

use super::shop::{Change, Client, Draft, Kind, Refused, Shop, refused};

super::scenarios! {
    a_change_never_takes_more_than_there_is: [GetProduct, AdjustStock];
    a_kind_fixes_the_sign: [GetProduct, AdjustStock];
    a_total_and_a_cause_go_with_their_kinds: [GetProduct, ListMovements, AdjustStock];
    only_some_units_take_fractions: [GetProduct, AdjustStock];
    a_stock_has_an_upper_limit: [GetProduct, AdjustStock];
    many_clients_at_once_share_one_stock: [GetProduct, AdjustStock];
    a_change_is_seen_over_every_transport_at_once: [GetProduct, AdjustStock];
    changes_that_come_together_are_answered_in_order: [GetProduct, StreamAdjustStock];
}

fn a_change_never_takes_more_than_there_is(shop: &mut Shop) {
    for delta in [-61_000, -1_000_000_000_000_000] {
        let refusal = refused(shop.adjust_stock(&Change::new("Caju", delta)), "INSUFFICIENT_STOCK");
        assert!(refusal.message.contains("60"), "{refusal:?}");
    }
    assert_eq!(shop.stock("Caju"), 60_000);
    assert_eq!(shop.change("Caju", -20_000).stock_thousandths, 40_000);
    assert_eq!(shop.change("Caju", -40_000).stock_thousandths, 0);
    refused(shop.adjust_stock(&Change::new("Caju", -1_000)), "INSUFFICIENT_STOCK");
    assert_eq!(shop.stock("Caju"), 0);
    let bought = Change::new("Caju", 5_000).kind(Kind::Purchase);
    assert_eq!(shop.adjust_stock(&bought).unwrap().stock_thousandths, 5_000);
    // No other product has changed.
    assert_eq!(shop.stock("Maca"), 20_000);
}

fn a_kind_fixes_the_sign(shop: &mut Shop) {
    for (kind, delta, right) in [
        (Kind::Sale, 20_000, "3 Caju -20 motivo=venda"),
        (Kind::Waste, 2_000, "3 Caju -2 motivo=perda"),
        (Kind::Purchase, -5_000, "3 Caju 5 motivo=compra"),
    ] {
        let refusal = refused(shop.adjust_stock(&Change::new("caju", delta).kind(kind)), "INVALID_ARGUMENT");
        assert!(refusal.message.contains(right), "{refusal:?}");
        let right = Change::new("Caju", -delta).kind(kind);
        shop.adjust_stock(&right).unwrap();
    }
    assert_eq!(shop.stock("Caju"), 60_000 - 20_000 - 2_000 + 5_000);
    // An adjustment has either sign.
    assert_eq!(shop.change("Caju", 1_000).stock_thousandths, 44_000);
}

fn a_total_and_a_cause_go_with_their_kinds(shop: &mut Shop) {
    let (sale, bought) = (Change::new("Caju", -2_000).kind(Kind::Sale), Change::new("Caju", 10_000));
    let bought = bought.kind(Kind::Purchase).total(1_755);
    let lost = Change::new("Maca", -1_000).kind(Kind::Waste).cause("maduro");
    for change in [&sale.clone().total(390), &sale, &bought, &bought.clone().total(0), &lost] {
        shop.adjust_stock(change).unwrap();
    }
    let amounts = shop.list_movements("", 5).unwrap().into_iter().map(|it| it.amount_centavos);
    assert_eq!(amounts.collect::<Vec<_>>(), [300, 0, 1_755, 400, 390]);
    for wrong in [
        Change::new("Caju", 1_000).total(100),
        lost.clone().total(100),
        sale.clone().cause("maduro"),
        bought.cause("avaria"),
        lost.cause("sumiu"),
    ] {
        refused(shop.adjust_stock(&wrong), "INVALID_ARGUMENT");
    }
    assert_eq!((shop.stock("Caju"), shop.stock("Maca")), (76_000, 19_000));
}

fn only_some_units_take_fractions(shop: &mut Shop) {
    // Units in other spellings, as lists have them.
    shop.arrange(&[
        Draft::new("Tomate", 599, "KGS", 10_500),
        Draft::new("Leite", 599, "Litro", 10_355),
        Draft::new("Ovo", 1_299, "duzia", 2_500),
    ]);
    assert_eq!(shop.change("Tomate", -1).stock_thousandths, 10_499);
    assert_eq!(shop.change("Leite", -355).stock_thousandths, 10_000);
    assert_eq!(shop.change("Ovo", -1_500).stock_thousandths, 1_000);
    for delta in [-250, -1, 501] {
        let refusal = refused(shop.adjust_stock(&Change::new("Ovo", delta)), "INVALID_ARGUMENT");
        assert!(refusal.message.contains("dz, metades"), "{refusal:?}");
    }
    for delta in [-500, 1, 1_001] {
        refused(shop.adjust_stock(&Change::new("Caju", delta)), "INVALID_ARGUMENT");
    }
    for name in ["Tomate", "Caju"] {
        refused(shop.adjust_stock(&Change::new(name, 0)), "INVALID_ARGUMENT");
    }
    assert_eq!((shop.stock("Tomate"), shop.stock("Caju")), (10_499, 60_000));
}

fn a_stock_has_an_upper_limit(shop: &mut Shop) {
    const MAX: i64 = 1_000_000_000_000_000;
    for delta in [MAX, MAX - 59_000] {
        refused(shop.adjust_stock(&Change::new("Caju", delta)), "OUT_OF_RANGE");
    }
    assert_eq!(shop.change("Caju", MAX - 60_000).stock_thousandths, MAX);
    refused(shop.adjust_stock(&Change::new("Caju", 1_000)), "OUT_OF_RANGE");
    assert_eq!(shop.stock("Caju"), MAX);
    assert_eq!(shop.change("Caju", -MAX).stock_thousandths, 0);
}

fn many_clients_at_once_share_one_stock(shop: &mut Shop) {
    let (clients, tries) = if shop.is_slow() { (4, 6) } else { (20, 30) };
    let taken = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                let mut client = shop.colleague();
                scope.spawn(move || {
                    let taken = (0..tries).filter(|_| takes_three(&mut *client)).count();
                    client.change("Maca", 1_000);
                    taken
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    // Sixty give three away twenty times, and never a fraction more.
    assert_eq!((taken, shop.stock("Caju")), (20, 0));
    assert_eq!(shop.stock("Maca"), 20_000 + clients * 1_000);
}

fn takes_three(client: &mut dyn Client) -> bool {
    let answer = client.adjust_stock(&Change::new("Caju", -3_000));
    let is_made = answer.is_ok();
    if !is_made {
        refused(answer, "INSUFFICIENT_STOCK");
    }
    is_made
}

fn a_change_is_seen_over_every_transport_at_once(shop: &mut Shop) {
    let mut clients = shop.clients(Operation::GetProduct);
    assert_eq!(clients.len(), super::TRANSPORTS.len());
    let mut stock = 60_000;
    for (transport, client) in &mut clients {
        stock -= 2_000;
        assert_eq!(shop.change("Caju", -2_000).stock_thousandths, stock);
        assert_eq!(client.stock("Caju"), stock, "{transport}");
        assert_eq!(client.products()[3].stock_thousandths, stock, "{transport}");
        stock += 1_000;
        assert_eq!(client.change("Caju", 1_000).stock_thousandths, stock, "{transport}");
        assert_eq!(shop.stock("Caju"), stock, "{transport}");
    }
}

fn changes_that_come_together_are_answered_in_order(shop: &mut Shop) {
    let change = |index| match index % 10 {
        9 => Change::new("Caju", -9_000_000).kind(Kind::Sale),
        8 => Change::new("Kiwi", 1_000),
        _ => Change::new("Caju", 1_000).kind(Kind::Purchase).id(&format!("s-{index}")),
    };
    let changes: Vec<Change> = (0..3000).map(change).collect();
    let answers = shop.stream_adjust_stock(&changes);
    let mut stock = 60_000;
    for (index, answer) in answers.iter().enumerate() {
        let code = |refused: &Refused| refused.codes[0].clone();
        let result = answer.as_ref().map(|product| product.stock_thousandths).map_err(code);
        let expected = match index % 10 {
            9 => Err("INSUFFICIENT_STOCK".to_owned()),
            8 => Err("PRODUCT_NOT_FOUND".to_owned()),
            _ => {
                stock += 1_000;
                Ok(stock)
            }
        };
        assert_eq!(result, expected, "{index}");
    }
    assert_eq!(shop.stock("Caju"), stock);
    // When all of them come again, those that were made get their answers, and none is made again.
    let again = shop.stream_adjust_stock(&changes);
    assert!(
        answers.iter().zip(&again).all(|(first, again)| first == again || first.is_err() && again.is_err())
    );
    assert_eq!(shop.stock("Caju"), stock);
}
