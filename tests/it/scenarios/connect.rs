//! Calls of the Connect protocol with JSON, as a program without any library makes them.

use serde_json::{Map, Value, json};

use super::Transport;
use super::shop::{Change, Client, Counts, Draft, Kind, Movement, Product, Refused, Terms, UndoneImport};
use crate::support::Server;
use crate::support::web::{Answer, Web, envelope, envelopes, path};

pub(super) static TRANSPORT: Transport = Transport {
    name: "Connect",
    cannot: &[],
    is_slow: false,
    open: |server| Box::new(Connect::open(server)),
};

/// The products of a page: few, so that lists have several pages.
const PAGE_SIZE: usize = 3;

/// The reasons of losses, by their words.
const LOSS_REASONS: [(&str, &str); 9] = [
    ("vencido", "EXPIRED"),
    ("maduro", "OVERRIPE"),
    ("avaria", "DAMAGED"),
    ("peso", "WEIGHT"),
    ("furto", "THEFT"),
    ("consumo", "OWN_USE"),
    ("doacao", "DONATED"),
    ("degustacao", "TASTING"),
    ("devolucao", "RETURNED"),
];

struct Connect {
    web: Web,
    port: u16,
    secret: Option<String>,
}

impl Connect {
    fn open(server: &Server) -> Self {
        Self { web: Web::connect(server.port), port: server.port, secret: None }
    }

    fn call(&mut self, name: &str, message: &Value) -> Result<Value, Refused> {
        let answer = self.web.call(name, self.secret.as_deref(), message);
        if answer.status == 200 { Ok(answer.json()) } else { Err(refusal(&answer)) }
    }

    /// All rows of a list, page by page.
    fn pages(
        &mut self,
        name: &str,
        rows: &str,
        message: &Value,
        limit: usize,
    ) -> Result<Vec<Value>, Refused> {
        let mut all: Vec<Value> = Vec::new();
        let mut page_token = json!("");
        while all.len() < limit {
            // Large pages once a list is known to be long.
            let page_size = if all.len() < 10 { PAGE_SIZE } else { 1000 };
            let mut message = message.clone();
            message["pageSize"] = page_size.min(limit - all.len()).into();
            message["pageToken"] = page_token;
            let page = self.call(name, &message)?;
            all.extend(list(&page, rows));
            page_token = page["nextPageToken"].clone();
            if page_token.is_null() {
                break;
            }
        }
        Ok(all)
    }
}

impl Client for Connect {
    fn get_product(&mut self, name: &str) -> Result<Product, Refused> {
        Ok(product(&self.call("GetProduct", &json!({ "name": name }))?["product"]))
    }

    fn list_products(&mut self, max_price_centavos: Option<i64>) -> Result<Vec<Product>, Refused> {
        let message = json!({ "maxPriceCentavos": max_price_centavos });
        Ok(self.pages("ListProducts", "products", &message, usize::MAX)?.iter().map(product).collect())
    }

    fn adjust_stock(&mut self, change: &Change) -> Result<Product, Refused> {
        let answer = self.call("AdjustStock", &adjustment(change))?;
        assert_eq!(answer["movement"]["balanceThousandths"], answer["product"]["stockThousandths"]);
        Ok(product(&answer["product"]))
    }

    fn list_movements(&mut self, name: &str, limit: usize) -> Result<Vec<Movement>, Refused> {
        let message = json!({ "productName": name });
        Ok(self.pages("ListMovements", "movements", &message, limit)?.iter().map(movement).collect())
    }

    /// On a connection of its own, because the answer has no end.
    fn watch_movements(&mut self, name: &str, after: i64, count: usize) -> Result<Vec<Movement>, Refused> {
        let asked = envelope(json!({ "productName": name, "afterSequence": after }).to_string().as_bytes());
        let bearer = self.secret.as_ref().map(|secret| format!("Authorization: Bearer {secret}\r\n"));
        let head = format!(
            "{} HTTP/1.1\r\nHost: localhost\r\n{}Content-Type: application/connect+json\r\nContent-Length: {}\r\n\r\n",
            path("WatchMovements"),
            bearer.unwrap_or_default(),
            asked.len()
        );
        let mut web = Web::connect(self.port);
        web.send([head.as_bytes(), &asked].concat());
        assert_eq!(web.head().unwrap().status, 200);
        let mut movements = Vec::new();
        while movements.len() < count {
            for (flags, message) in envelopes(&web.chunk().expect("another event")) {
                let event: Value = serde_json::from_slice(&message).unwrap();
                if flags == 2 {
                    return Err(refused(&event["error"]));
                }
                movements.extend(event.get("movement").map(movement));
            }
        }
        assert_eq!(movements.len(), count, "{movements:?}");
        Ok(movements)
    }

    fn stream_adjust_stock(&mut self, changes: &[Change]) -> Vec<Result<Product, Refused>> {
        let messages = changes.iter().map(|change| json!({ "adjustment": adjustment(change) }).to_string());
        let body: Vec<u8> = messages.flat_map(|message| envelope(message.as_bytes())).collect();
        let bearer = self.secret.as_ref().map(|secret| format!("Bearer {secret}"));
        let mut fields = vec![("Content-Type", "application/connect+json")];
        fields.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let answer = Web::connect(self.port).ask(&path("StreamAdjustStock"), &fields, &body);
        let mut messages = envelopes(&answer.body);
        assert_eq!(messages.pop(), Some((2, b"{}".to_vec())));
        assert_eq!(messages.len(), changes.len());
        let result = |(_, message): (u8, Vec<u8>)| {
            let message: Value = serde_json::from_slice(&message).unwrap();
            match message.get("refused") {
                Some(refused) => Err(Refused {
                    codes: vec![text(&refused["reason"])],
                    message: text(&refused["message"]),
                    rows: Vec::new(),
                }),
                None => Ok(product(&message["adjusted"]["product"])),
            }
        };
        messages.into_iter().map(result).collect()
    }

    fn batch_adjust_stock(&mut self, changes: &[Change], request_id: &str) -> Result<Vec<Product>, Refused> {
        let adjustments: Vec<Value> = changes.iter().map(adjustment).collect();
        let message = json!({ "adjustments": adjustments, "requestId": request_id });
        Ok(results(&self.call("BatchAdjustStock", &message)?))
    }

    fn import_products(
        &mut self,
        drafts: &[Draft],
        is_dry_run: bool,
        request_id: &str,
    ) -> Result<Counts, Refused> {
        let draft = |draft: &Draft| {
            json!({
                "name": draft.name,
                "priceCentavos": draft.price_centavos.to_string(),
                "unit": draft.unit,
                "openingStockThousandths": draft.stock_thousandths,
                "code": draft.terms.code,
                "barcodes": draft.terms.barcodes,
                "category": draft.terms.category,
                "minimumThousandths": draft.terms.minimum_thousandths,
                "targetThousandths": draft.terms.target_thousandths,
                "shelfLifeDays": draft.terms.shelf_life_days,
            })
        };
        let products: Vec<Value> = drafts.iter().map(draft).collect();
        let message = json!({ "products": products, "dryRun": is_dry_run, "requestId": request_id });
        let counts = self.call("ImportProducts", &message)?;
        let count = |name: &str| usize::try_from(number(&counts[name])).unwrap();
        Ok(Counts {
            created: count("createdCount"),
            updated: count("updatedCount"),
            unchanged: count("unchangedCount"),
        })
    }

    fn count_stock(
        &mut self,
        name: &str,
        counted_thousandths: i64,
        request_id: &str,
    ) -> Result<Product, Refused> {
        let counts = json!([{ "name": name, "countedThousandths": counted_thousandths }]);
        let answer = self.call("CountStock", &json!({ "counts": counts, "requestId": request_id }))?;
        Ok(results(&answer).remove(0))
    }

    fn undo_movement(&mut self, sequence: i64, request_id: &str) -> Result<Vec<Product>, Refused> {
        let message = json!({ "sequence": sequence.to_string(), "requestId": request_id });
        Ok(results(&self.call("UndoMovement", &message)?))
    }

    fn present_token(&mut self, secret: &str) {
        self.secret = Some(secret.to_owned());
    }

    fn update_product(&mut self, name: &str, terms: &Terms, request_id: &str) -> Result<Product, Refused> {
        let named = [
            ("name", terms.name.map(Value::from)),
            ("priceCentavos", terms.price_centavos.map(Value::from)),
            ("code", terms.code.map(Value::from)),
            ("minimumThousandths", terms.minimum_thousandths.map(Value::from)),
            ("targetThousandths", terms.target_thousandths.map(Value::from)),
            ("shelfLifeDays", terms.shelf_life_days.map(Value::from)),
            ("discontinued", terms.is_discontinued.map(Value::from)),
        ];
        let new: Map<String, Value> =
            named.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect();
        let mask = new.keys().cloned().collect::<Vec<_>>().join(",");
        let message = json!({ "name": name, "product": new, "updateMask": mask, "requestId": request_id });
        Ok(product(&self.call("UpdateProduct", &message)?["product"]))
    }

    fn list_product_changes(&mut self, name: &str) -> Result<Vec<(String, String, String)>, Refused> {
        let answer = self.call("ListProductChanges", &json!({ "name": name }))?;
        let change = |row: &Value| (text(&row["field"]), text(&row["oldValue"]), text(&row["newValue"]));
        Ok(list(&answer, "changes").iter().map(change).collect())
    }

    fn merge_products(&mut self, from: &str, into: &str, request_id: &str) -> Result<Vec<Product>, Refused> {
        let message = json!({ "fromName": from, "intoName": into, "requestId": request_id });
        Ok(results(&self.call("MergeProducts", &message)?))
    }

    fn undo_import(&mut self, request_id: &str) -> Result<UndoneImport, Refused> {
        let undone = self.call("UndoImport", &json!({ "requestId": request_id }))?;
        let count = |name: &str| usize::try_from(number(&undone[name])).unwrap();
        Ok(UndoneImport {
            restored: count("restoredCount"),
            retired: count("retiredCount"),
            kept: count("keptCount"),
        })
    }

    fn clear_examples(&mut self, request_id: &str) -> Result<Vec<Product>, Refused> {
        Ok(results(&self.call("ClearExamples", &json!({ "requestId": request_id }))?))
    }

    fn summarize_sales(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        let message = json!({ "groupBy": "SUMMARY_GROUP_PRODUCT", "kind": "MOVEMENT_KIND_SALE" });
        let answer = self.call("SummarizeMovements", &message)?;
        let total = |row: &Value| (text(&row["group"]), number(&row["amountCentavos"]));
        Ok(list(&answer, "summaries").iter().map(total).collect())
    }

    fn list_low_stock(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        let answer = self.call("ListLowStock", &json!({}))?;
        let low = |row: &Value| (text(&row["productName"]), number(&row["toBuyThousandths"]));
        Ok(list(&answer, "products").iter().map(low).collect())
    }

    fn list_expiring_stock(&mut self, days: i32) -> Result<Vec<(String, i64)>, Refused> {
        let answer = self.call("ListExpiringStock", &json!({ "days": days }))?;
        let rest = |row: &Value| (text(&row["productName"]), number(&row["leftThousandths"]));
        Ok(list(&answer, "stocks").iter().map(rest).collect())
    }

    fn trace_purchases(&mut self, words: &str) -> Result<Vec<(i64, i64)>, Refused> {
        let answer = self.call("TracePurchases", &json!({ "words": words }))?;
        let purchase = |row: &Value| (number(&row["sequence"]), number(&row["leftThousandths"]));
        Ok(list(&answer, "purchases").iter().map(purchase).collect())
    }
}

fn refusal(answer: &Answer) -> Refused {
    refused(&answer.json())
}

fn refused(error: &Value) -> Refused {
    let details = list(error, "details");
    assert_eq!(details[0]["type"], "google.rpc.ErrorInfo", "{error}");
    let rows = details.get(1).map(|bad| list(&bad["debug"], "fieldViolations")).unwrap_or_default();
    let row = |row: &Value| text(&row["field"]).strip_prefix("products[")?.strip_suffix(']')?.parse().ok();
    Refused {
        codes: vec![text(&details[0]["debug"]["reason"])],
        message: text(&error["message"]),
        rows: rows.iter().filter_map(row).collect(),
    }
}

/// The rows of a field, which is not there if there are none.
fn list(message: &Value, field: &str) -> Vec<Value> {
    message[field].as_array().cloned().unwrap_or_default()
}

/// A text, which is not there if it is empty.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A number, which is not there if it is zero, and a text if it has 64 bits.
fn number(value: &Value) -> i64 {
    match value {
        Value::Null => 0,
        Value::String(digits) => digits.parse().unwrap(),
        number => number.as_i64().unwrap(),
    }
}

fn product(product: &Value) -> Product {
    Product::new(
        product["name"].as_str().expect("a product"),
        number(&product["priceCentavos"]),
        number(&product["stockThousandths"]),
    )
}

fn results(answer: &Value) -> Vec<Product> {
    list(answer, "results").iter().map(|result| product(&result["product"])).collect()
}

fn movement(movement: &Value) -> Movement {
    let kind = match movement["kind"].as_str().unwrap() {
        "MOVEMENT_KIND_ADJUSTMENT" => "ajuste",
        "MOVEMENT_KIND_OPENING" => "abertura",
        "MOVEMENT_KIND_PURCHASE" => "compra",
        "MOVEMENT_KIND_SALE" => "venda",
        "MOVEMENT_KIND_WASTE" => "perda",
        "MOVEMENT_KIND_COUNT" => "contagem",
        other => panic!("{other}"),
    };
    Movement {
        sequence: number(&movement["sequence"]),
        kind: kind.to_owned(),
        product_name: text(&movement["productName"]),
        delta_thousandths: number(&movement["deltaThousandths"]),
        balance_thousandths: number(&movement["balanceThousandths"]),
        amount_centavos: number(&movement["amountCentavos"]),
    }
}

fn adjustment(change: &Change) -> Value {
    let kind = match change.kind {
        Kind::Adjustment => "MOVEMENT_KIND_ADJUSTMENT",
        Kind::Purchase => "MOVEMENT_KIND_PURCHASE",
        Kind::Sale => "MOVEMENT_KIND_SALE",
        Kind::Waste => "MOVEMENT_KIND_WASTE",
    };
    let mut message = json!({
        "name": change.name,
        "deltaThousandths": change.delta_thousandths.to_string(),
        "requestId": change.request_id,
        "kind": kind,
    });
    if let Some(total) = change.total_centavos {
        message["amountCentavos"] = total.to_string().into();
    }
    if let Some(cause) = change.cause {
        let known = LOSS_REASONS.iter().find(|(word, _)| *word == cause);
        // Another word is a number of no reason.
        message["lossReason"] =
            known.map_or(Value::from(99), |(_, reason)| format!("LOSS_REASON_{reason}").into());
    }
    message
}
