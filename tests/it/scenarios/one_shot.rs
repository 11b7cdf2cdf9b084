//! One-shots: a process for each question, over either protocol, with JSON on its standard output.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::RecvTimeoutError;

use hortifruti::operation::Operation;
use serde_json::Value;

use super::Transport;
use super::shop::{
    Change, Client, Counts, Draft, DraftTerms, Movement, Product, Refused, Terms, UndoneImport,
};
use super::text::{NO_FORM, kind_word, price, quantity};
use crate::support::waiting::{kill, lines};
use crate::support::{Ended, PATIENCE, Server, finished, hortifruti, run_bytes};

const NO_BATCH: (Operation, &str) = (Operation::BatchAdjustStock, "no command makes several changes");
const NO_STREAM: (Operation, &str) = (Operation::StreamAdjustStock, "a process asks one thing");

pub(super) static OVER_GRPC: Transport = Transport {
    name: "one-shots over gRPC",
    cannot: &[NO_BATCH, NO_STREAM],
    is_slow: true,
    open: |server| OneShot::open(server, "--grpc"),
};

pub(super) static OVER_TEXT: Transport = Transport {
    name: "one-shots over text",
    cannot: &[
        NO_BATCH,
        NO_STREAM,
        (Operation::ImportProducts, NO_FORM),
        (Operation::UpdateProduct, NO_FORM),
        (Operation::ListProductChanges, NO_FORM),
        (Operation::MergeProducts, NO_FORM),
        (Operation::UndoImport, NO_FORM),
        (Operation::ClearExamples, NO_FORM),
        (Operation::SummarizeMovements, NO_FORM),
        (Operation::ListLowStock, NO_FORM),
        (Operation::ListExpiringStock, NO_FORM),
        (Operation::TracePurchases, NO_FORM),
    ],
    is_slow: true,
    open: |server| OneShot::open(server, "--socket"),
};

/// The exit codes of refusals (DESIGN §5).
const EXITS: [(i32, &[&str]); 5] = [
    (2, &["INVALID_ARGUMENT", "UNKNOWN_COMMAND"]),
    (3, &["PRODUCT_NOT_FOUND", "MOVEMENT_NOT_FOUND"]),
    (
        4,
        &[
            "INSUFFICIENT_STOCK",
            "ALREADY_UNDONE",
            "REQUEST_ID_REUSED",
            "OUT_OF_RANGE",
            "NAME_TAKEN",
            "CODE_TAKEN",
            "DISCONTINUED",
        ],
    ),
    (5, &["RESOURCE_EXHAUSTED", "UNAVAILABLE", "OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED"]),
    (6, &["UNAUTHENTICATED"]),
];

struct OneShot {
    folder: PathBuf,
    /// The option that chooses the protocol.
    protocol: &'static str,
    /// The token of the client, if it has one.
    secret: Option<String>,
}

impl OneShot {
    fn open(server: &Server, protocol: &'static str) -> Box<dyn Client> {
        Box::new(Self { folder: server.path().to_owned(), protocol, secret: None })
    }

    /// Runs a one-shot, and returns what it printed.
    fn run(&self, args: &[&str], input: &[u8]) -> Result<String, Refused> {
        let mut command = hortifruti(&self.folder);
        command.envs(self.secret.iter().map(|secret| ("HORTIFRUTI_TOKEN", secret)));
        let ended = run_bytes(command.args(args).arg(self.protocol), input);
        if ended.code == 0 { Ok(ended.out) } else { Err(refusal(&ended)) }
    }

    fn json(&self, args: &[&str]) -> Result<Value, Refused> {
        let out = self.run(&[args, &["--format", "json"]].concat(), b"")?;
        Ok(serde_json::from_str(&out).unwrap())
    }
}

impl Client for OneShot {
    fn get_product(&mut self, name: &str) -> Result<Product, Refused> {
        self.json(&["query", name]).map(|json| product(&json))
    }

    fn list_products(&mut self, max_price_centavos: Option<i64>) -> Result<Vec<Product>, Refused> {
        let max = max_price_centavos.map(price);
        let args: Vec<&str> = match &max {
            Some(max) => vec!["query", "--max-price", max],
            None => vec!["query"],
        };
        self.json(&args).map(|json| json.as_array().unwrap().iter().map(product).collect())
    }

    fn adjust_stock(&mut self, change: &Change) -> Result<Product, Refused> {
        let delta = quantity(change.delta_thousandths);
        let mut args = vec!["update", &change.name, &delta, "--reason", kind_word(change.kind)];
        let total = change.total_centavos.map(price);
        if let Some(total) = &total {
            args.extend(["--total", total]);
        }
        if let Some(cause) = change.cause {
            args.extend(["--cause", cause]);
        }
        if !change.request_id.is_empty() {
            args.extend(["--request-id", &change.request_id]);
        }
        self.json(&args).map(|json| product(&json))
    }

    fn list_movements(&mut self, name: &str, limit: usize) -> Result<Vec<Movement>, Refused> {
        let limit = limit.to_string();
        let mut args = vec!["history", "--limit", &limit];
        args.extend(Some(name).filter(|name| !name.is_empty()));
        self.json(&args).map(|json| json.as_array().unwrap().iter().map(movement).collect())
    }

    fn watch_movements(&mut self, name: &str, after: i64, count: usize) -> Result<Vec<Movement>, Refused> {
        let mut command = hortifruti(&self.folder);
        command.envs(self.secret.iter().map(|secret| ("HORTIFRUTI_TOKEN", secret)));
        command.args(["watch", "--format", "json", "--after", &after.to_string(), self.protocol]);
        if !name.is_empty() {
            command.args(["--product", name]);
        }
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let printed = lines(child.stdout.take().unwrap());
        let mut movements = Vec::new();
        while movements.len() < count {
            match printed.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let event: Value = serde_json::from_str(&line).unwrap();
                    movements.extend(event.get("sequence").map(|_| movement(&event)));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(refusal(&finished(child))),
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        kill(&mut child);
        assert_eq!(movements.len(), count, "{movements:?}");
        Ok(movements)
    }

    fn import_products(
        &mut self,
        drafts: &[Draft],
        is_dry_run: bool,
        request_id: &str,
    ) -> Result<Counts, Refused> {
        let mut list = csv::Writer::from_writer(Vec::new());
        // Lists of earlier builds have no other columns.
        let has_terms = drafts.iter().any(|draft| draft.terms != DraftTerms::default());
        let columns = if has_terms { 10 } else { 4 };
        let header = [
            "nome",
            "preco",
            "estoque",
            "unidade",
            "codigo",
            "codigos_de_barras",
            "categoria",
            "minimo",
            "alvo",
            "validade_dias",
        ];
        list.write_record(&header[..columns]).unwrap();
        for draft in drafts {
            let terms = draft.terms;
            let row = [
                draft.name.clone(),
                price(draft.price_centavos),
                quantity(draft.stock_thousandths),
                draft.unit.to_owned(),
                Some(terms.code).filter(|code| *code != 0).map_or(String::new(), |code| code.to_string()),
                terms.barcodes.join(" "),
                terms.category.to_owned(),
                terms.minimum_thousandths.map_or(String::new(), quantity),
                terms.target_thousandths.map_or(String::new(), quantity),
                terms.shelf_life_days.map_or(String::new(), |days| days.to_string()),
            ];
            list.write_record(&row[..columns]).unwrap();
        }
        let mut args = vec!["import", "-", "--yes"];
        if is_dry_run {
            args.push("--dry-run");
        }
        if !request_id.is_empty() {
            args.extend(["--request-id", request_id]);
        }
        let out = self.run(&args, &list.into_inner().unwrap())?;
        let words: Vec<&str> = out.lines().last().unwrap().split(' ').collect();
        let ["criado," | "criados,", "atualizado," | "atualizados,", "sem", "mudança."] =
            [words[1], words[3], words[5], words[6]]
        else {
            panic!("{out}")
        };
        let [created, updated, unchanged] =
            [words[0], words[2], words[4]].map(|count| count.parse().unwrap());
        Ok(Counts { created, updated, unchanged })
    }

    fn count_stock(
        &mut self,
        name: &str,
        counted_thousandths: i64,
        request_id: &str,
    ) -> Result<Product, Refused> {
        let counted = quantity(counted_thousandths);
        let mut args = vec!["count", name, &counted];
        if !request_id.is_empty() {
            args.extend(["--request-id", request_id]);
        }
        self.json(&args).map(|json| product(&json[0]))
    }

    fn undo_movement(&mut self, sequence: i64, request_id: &str) -> Result<Vec<Product>, Refused> {
        let sequence = sequence.to_string();
        let mut args = vec!["undo", &sequence];
        if !request_id.is_empty() {
            args.extend(["--request-id", request_id]);
        }
        self.json(&args).map(|json| json.as_array().unwrap().iter().map(product).collect())
    }

    fn present_token(&mut self, secret: &str) {
        self.secret = Some(secret.to_owned());
    }

    fn update_product(&mut self, name: &str, terms: &Terms, request_id: &str) -> Result<Product, Refused> {
        let mut args: Vec<String> = match (terms.name, terms.is_discontinued) {
            (Some(new), _) => vec!["rename".into(), name.into(), new.into()],
            (None, Some(true)) => vec!["retire".into(), name.into()],
            (None, Some(false)) => vec!["restore".into(), name.into()],
            (None, None) => vec!["set".into(), name.into()],
        };
        let options = [
            ("--price", terms.price_centavos.map(price)),
            ("--code", terms.code.map(|code| code.to_string())),
            ("--minimum", terms.minimum_thousandths.map(quantity)),
            ("--target", terms.target_thousandths.map(quantity)),
            ("--shelf-life", terms.shelf_life_days.map(|days| days.to_string())),
            ("--request-id", Some(request_id.to_owned()).filter(|id| !id.is_empty())),
        ];
        for (option, value) in options {
            args.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        let args: Vec<&str> = std::iter::once("product").chain(args.iter().map(String::as_str)).collect();
        self.json(&args).map(|json| product(&json))
    }

    fn list_product_changes(&mut self, name: &str) -> Result<Vec<(String, String, String)>, Refused> {
        let json = self.json(&["history", name, "--changes"])?;
        let change = |it: &Value| {
            let [field, old, new] =
                ["field", "old_value", "new_value"].map(|key| it[key].as_str().unwrap().to_owned());
            (field, old, new)
        };
        Ok(json.as_array().unwrap().iter().map(change).collect())
    }

    fn merge_products(&mut self, from: &str, into: &str, request_id: &str) -> Result<Vec<Product>, Refused> {
        let mut args = vec!["product", "merge", from, into];
        if !request_id.is_empty() {
            args.extend(["--request-id", request_id]);
        }
        self.json(&args).map(|json| json.as_array().unwrap().iter().map(product).collect())
    }

    fn undo_import(&mut self, request_id: &str) -> Result<UndoneImport, Refused> {
        let mut args = vec!["undo", "--import"];
        if !request_id.is_empty() {
            args.extend(["--request-id", request_id]);
        }
        let undone = self.json(&args)?;
        let count = |name: &str| usize::try_from(undone[name].as_u64().unwrap()).unwrap();
        Ok(UndoneImport {
            restored: count("restored_count"),
            retired: count("retired_count"),
            kept: count("kept_count"),
        })
    }

    fn clear_examples(&mut self, request_id: &str) -> Result<Vec<Product>, Refused> {
        let mut args = vec!["product", "clear-examples"];
        if !request_id.is_empty() {
            args.extend(["--request-id", request_id]);
        }
        self.json(&args).map(|json| json.as_array().unwrap().iter().map(product).collect())
    }

    fn summarize_sales(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        self.report(&["sales", "--since", "2000-01-01"], "amount_centavos")
    }

    fn list_low_stock(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        self.report(&["low"], "to_buy_thousandths")
    }

    fn list_expiring_stock(&mut self, days: i32) -> Result<Vec<(String, i64)>, Refused> {
        self.report(&["expiring", "--days", &days.to_string()], "left_thousandths")
    }

    fn trace_purchases(&mut self, words: &str) -> Result<Vec<(i64, i64)>, Refused> {
        let json = self.json(&["report", "trace", words])?;
        let rows = json["rows"].as_array().unwrap().iter();
        Ok(rows.map(|row| (number(row, "sequence"), number(row, "left_thousandths"))).collect())
    }
}

impl OneShot {
    /// The product and a figure of each row of a report; 0 for one that nobody knows.
    fn report(&self, args: &[&str], figure: &str) -> Result<Vec<(String, i64)>, Refused> {
        let json = self.json(&[&["report"], args].concat())?;
        let rows = json["rows"].as_array().unwrap().iter();
        let known = |row: &Value| if row[figure].is_null() { 0 } else { number(row, figure) };
        Ok(rows.map(|row| (row["product"].as_str().unwrap().to_owned(), known(row))).collect())
    }
}

fn number(json: &Value, field: &str) -> i64 {
    json[field].as_i64().unwrap_or_else(|| panic!("{json}"))
}

fn refusal(ended: &Ended) -> Refused {
    let (_, codes) =
        EXITS.iter().find(|(exit, _)| *exit == ended.code).unwrap_or_else(|| panic!("{ended:?}"));
    assert!(ended.out.is_empty(), "{ended:?}");
    let last = ended.err.lines().last().unwrap_or_default();
    if let Ok(json) = serde_json::from_str::<Value>(last) {
        let text = |key: &str| json["error"][key].as_str().unwrap_or_else(|| panic!("{json}")).to_owned();
        assert!(codes.contains(&text("code").as_str()), "{ended:?}");
        return Refused { codes: vec![text("code")], message: text("message"), rows: Vec::new() };
    }
    // Warnings may come before it.
    let (_, message) = ended.err.split_once("Erro: ").unwrap_or_else(|| panic!("{ended:?}"));
    // The message names lines of the file, the first of which has the names of the columns.
    let line = |text: &str| text.split_once(": ").and_then(|(line, _)| line.parse::<usize>().ok());
    let rows = message.split("linha ").skip(1).filter_map(line).map(|line| line - 2).collect();
    let codes = codes.iter().map(|code| (*code).to_owned()).collect();
    Refused { codes, message: message.trim_end().to_owned(), rows }
}

fn movement(json: &Value) -> Movement {
    let number = |field: &str| json[field].as_i64().unwrap_or_else(|| panic!("{json}"));
    let text = |field: &str| json[field].as_str().unwrap_or_else(|| panic!("{json}")).to_owned();
    Movement {
        sequence: number("sequence"),
        kind: text("kind"),
        product_name: text("product_name"),
        delta_thousandths: number("delta_thousandths"),
        balance_thousandths: number("balance_thousandths"),
        amount_centavos: number("amount_centavos"),
    }
}

fn product(json: &Value) -> Product {
    let number = |field: &str| json[field].as_i64().unwrap_or_else(|| panic!("{json}"));
    let name = json["name"].as_str().unwrap_or_else(|| panic!("{json}"));
    Product::new(name, number("price_centavos"), number("stock_thousandths"))
}
