//! One connection of a client, over the crate's own client core: questions out, answers in, and nothing
//! that looks for the server or repeats a question in between.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tonic_types::StatusExt;

use hortifruti::catalog::{Kind, Price, Quantity};
use hortifruti::client::{self, ConnectOptions, Service, TextConnection};
use hortifruti::operation::{
    AdjustRequest, ChangeReply, CountRequest, CountedName, ProductReply, ProductsRequest, Reply, Request,
    UndoRequest,
};
use hortifruti::wire::Protocol;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, AdjustStockResponse, BatchAdjustStockRequest, GetProductRequest,
    ImportProductsRequest, ListProductsRequest, Product, ProductDraft, StreamAdjustStockRequest,
    StreamAdjustStockResponse,
};
use hortifruti::wire::grpc::{adjust_message, count_message, undo_message};
use hortifruti::wire::text::{read_reply, write_request};

use super::{Answer, Asked, Counted, Line, Made, PRODUCTS, Stock, Way, product_named};

/// An answer, or the need to ask again.
pub(crate) enum Heard {
    Answer(Answer),
    /// `UNAVAILABLE` or `OUTCOME_UNKNOWN`: to be asked again.
    AskAgain,
}

pub(crate) enum Connection {
    Text {
        connection: TextConnection,
        asked: VecDeque<(usize, Asked)>,
    },
    Calls {
        service: Service,
        calls: JoinSet<(usize, Option<Heard>)>,
    },
    Stream {
        requests: mpsc::Sender<StreamAdjustStockRequest>,
        answers: Streaming<StreamAdjustStockResponse>,
        asked: VecDeque<(usize, Asked)>,
    },
}

impl Connection {
    /// Connects; `None` if no server answers.
    pub(crate) async fn open(way: Way, port: u16) -> Option<Self> {
        let protocol = Some(if way == Way::Text { Protocol::Text } else { Protocol::Http2 });
        let options = ConnectOptions { protocol, ..ConnectOptions::default() };
        let mut service =
            match client::Connection::connect(&format!("127.0.0.1:{port}"), &options).await.ok()? {
                client::Connection::Text(connection) => {
                    return Some(Connection::Text { connection, asked: VecDeque::new() });
                }
                client::Connection::Grpc(connection) => connection.service(),
            };
        if way == Way::Calls {
            return Some(Connection::Calls { service, calls: JoinSet::new() });
        }
        let (requests, stream) = mpsc::channel(1);
        let answers = service.stream_adjust_stock(ReceiverStream::new(stream)).await.ok()?.into_inner();
        Some(Connection::Stream { requests, answers, asked: VecDeque::new() })
    }

    /// Sends a question. Returns whether the connection holds.
    pub(crate) async fn ask(&mut self, number: usize, question: &Asked) -> bool {
        match self {
            Connection::Text { connection, asked } => {
                asked.push_back((number, question.clone()));
                let line = write_request(&request(question)).expect("a question is a line");
                connection.send(&line).await.is_ok()
            }
            Connection::Calls { service, calls } => {
                let (service, question) = (service.clone(), question.clone());
                calls.spawn(async move { (number, call(service, &question).await) });
                true
            }
            Connection::Stream { requests, asked, .. } => {
                asked.push_back((number, question.clone()));
                let Asked::Change { id, lines } = question else { panic!("{question:?} on a stream") };
                let request = StreamAdjustStockRequest { adjustment: Some(adjustment(id, &lines[0])) };
                requests.send(request).await.is_ok()
            }
        }
    }

    /// Waits for an answer, and returns it with its question's number; `None` at the end of the
    /// connection.
    pub(crate) async fn hear(&mut self) -> Option<(usize, Heard)> {
        match self {
            Connection::Text { connection, asked } => {
                let reply = connection.receive().await.ok()?;
                let (number, question) = asked.pop_front().expect("a reply only to what was asked");
                Some((number, read(&question, reply)))
            }
            Connection::Calls { calls, .. } => {
                let (number, heard) = calls.join_next().await?.expect("a call does not panic");
                Some((number, heard?))
            }
            Connection::Stream { answers, asked, .. } => {
                let answer = answers.message().await.ok()??;
                let (number, question) = asked.pop_front().expect("an answer only to what was asked");
                let heard = match answer.result {
                    Some(StreamResult::Adjusted(adjusted)) => made(&[adjusted]),
                    Some(StreamResult::Refused(refused)) => {
                        refusal(&question, &refused.reason, &refused.message)
                    }
                    None => other("an answer without a result"),
                };
                Some((number, heard))
            }
        }
    }
}

fn other(what: impl Into<String>) -> Heard {
    Heard::Answer(Answer::Other(what.into()))
}

/// The answer in a refusal, from its words, which are the same in all ways.
fn refusal(question: &Asked, code: &str, message: &str) -> Heard {
    let product = || product_named(message.split('"').nth(1)?);
    let number_after = |word: &str| {
        let (_, rest) = message.split_once(word)?;
        rest.split(|it: char| !it.is_ascii_digit()).next()?.parse::<i64>().ok()
    };
    let answer = match code {
        "INSUFFICIENT_STOCK" => product()
            .zip(number_after(": há ").or_else(|| number_after(", e agora há só ")))
            .map(|(product, units)| Answer::Insufficient { product, available: units * 1000 }),
        "PRODUCT_NOT_FOUND" => product().map(Answer::NoProduct),
        "MOVEMENT_NOT_FOUND" => number_after("não há movimento #").map(Answer::NoMovement),
        "INVALID_ARGUMENT" if matches!(question, Asked::Count { .. }) => number_after("não há movimento #")
            .or_else(|| number_after("foi criado depois do movimento #"))
            .map(Answer::NoMovement),
        "RESOURCE_EXHAUSTED" => number_after("movimentos depois do #").map(Answer::TooFarBack),
        "ALREADY_UNDONE" => number_after("já foi desfeito pelo #")
            .or_else(|| number_after(" desfaz o #"))
            .map(Answer::AlreadyUndone),
        "UNAVAILABLE" | "OUTCOME_UNKNOWN" => return Heard::AskAgain,
        _ => None,
    };
    answer.map_or_else(|| other(format!("{code}: {message}")), Heard::Answer)
}

// --- text -----------------------------------------------------------------------------

fn request(question: &Asked) -> Request<'_> {
    match question {
        Asked::Find(product) => Request::GetProduct { name: PRODUCTS[*product].0 },
        Asked::List(max_price) => Request::ListProducts(ProductsRequest::up_to(
            max_price.map(|centavos| Price::from_centavos(centavos).unwrap()),
        )),
        Asked::Change { id, lines } => {
            let [line] = &lines[..] else { panic!("text has no batches") };
            Request::AdjustStock(adjust(id, line))
        }
        Asked::Undo { id, sequence, is_single } => {
            Request::UndoMovement(undo(id.as_deref(), *sequence, *is_single))
        }
        Asked::Count { id, lines } => Request::CountStock(count(id, lines)),
        Asked::Import { .. } => panic!("text has no imports"),
    }
}

fn undo(id: Option<&str>, sequence: i64, is_single: bool) -> UndoRequest {
    UndoRequest::of(sequence, is_single, id.map(|id| id.parse().unwrap()))
}

fn count(id: &str, lines: &[Counted]) -> CountRequest<'static> {
    let counts = lines.iter().map(|line| CountedName {
        name: PRODUCTS[line.product].0,
        counted: Quantity::from_thousandths(line.counted).unwrap(),
        at_sequence: line.at_sequence,
        unit: None,
    });
    CountRequest {
        counts: counts.collect(),
        request_id: Some(id.parse().unwrap()),
        is_blind: false,
        note: None,
    }
}

/// A change; a line of a batch has no id of its own.
fn adjust<'p>(id: &str, line: &Line) -> AdjustRequest<'p> {
    AdjustRequest {
        name: PRODUCTS[line.product].0,
        delta: Quantity::from_thousandths(line.delta).unwrap(),
        kind: Kind::default(),
        request_id: Some(id).filter(|id| !id.is_empty()).map(|id| id.parse().unwrap()),
        details: None,
    }
}

/// The answer in a reply of text.
pub(super) fn read(question: &Asked, reply: &str) -> Heard {
    let lines: Vec<&str> = reply.lines().collect();
    let products = match read_reply(&request(question), &lines) {
        Ok(Ok(Reply::Product(product) | Reply::Change(ChangeReply { product, .. }))) => vec![product],
        Ok(Ok(Reply::Products(products))) => products,
        Ok(Ok(Reply::Changes(changes))) => changes.into_iter().map(|change| change.product).collect(),
        Ok(Err(refused)) => return refusal(question, refused.code.as_str(), &refused.message),
        _ => return other(reply),
    };
    let stock = |product: &ProductReply| {
        let balance = product.stock.thousandths();
        product_named(product.name.as_str()).map(|product| Stock { product, balance })
    };
    let Some(seen) = products.iter().map(stock).collect::<Option<Vec<Stock>>>() else { return other(reply) };
    let made =
        |Stock { product, balance }: &Stock| Made { product: *product, balance: *balance, sequence: None };
    Heard::Answer(if question.is_change() {
        Answer::Made(seen.iter().map(made).collect())
    } else {
        Answer::Seen(seen)
    })
}

// --- gRPC -----------------------------------------------------------------------------

/// Makes one call; `None` if the connection broke, and not if the server refused.
async fn call(mut service: Service, question: &Asked) -> Option<Heard> {
    let heard = match question {
        Asked::Find(product) => {
            let request = GetProductRequest { name: PRODUCTS[*product].0.to_owned() };
            let found = service.get_product(request).await;
            found.map(|found| seen(found.into_inner().product.as_slice()))
        }
        Asked::List(max_price_centavos) => {
            let request = ListProductsRequest {
                max_price_centavos: *max_price_centavos,
                ..ListProductsRequest::default()
            };
            service.list_products(request).await.map(|listed| seen(&listed.into_inner().products))
        }
        Asked::Change { id, lines } if lines.len() == 1 => {
            let adjusted = service.adjust_stock(adjustment(id, &lines[0])).await;
            adjusted.map(|adjusted| made(&[adjusted.into_inner()]))
        }
        Asked::Change { id, lines } => {
            let adjustments = lines.iter().map(|line| adjustment("", line)).collect();
            let request = BatchAdjustStockRequest { adjustments, request_id: id.clone() };
            service.batch_adjust_stock(request).await.map(|adjusted| made(&adjusted.into_inner().results))
        }
        Asked::Undo { id, sequence, is_single } => {
            let request = undo_message(&undo(id.as_deref(), *sequence, *is_single));
            service.undo_movement(request).await.map(|undone| made(&undone.into_inner().results))
        }
        Asked::Count { id, lines } => {
            let request = count_message(&count(id, lines));
            service.count_stock(request).await.map(|counted| made(&counted.into_inner().results))
        }
        Asked::Import { id, lines } => {
            let product = |line: &Line| ProductDraft {
                name: PRODUCTS[line.product].0.to_owned(),
                price_centavos: PRODUCTS[line.product].1,
                unit: "un".to_owned(),
                opening_stock_thousandths: line.delta,
                ..ProductDraft::default()
            };
            let products = lines.iter().map(product).collect();
            let request = ImportProductsRequest { products, request_id: id.clone(), ..Default::default() };
            service.import_products(request).await.map(|imported| {
                let counts = imported.into_inner();
                match counts.updated_count {
                    0 => Heard::Answer(Answer::Imported {
                        created: counts.created_count.into(),
                        unchanged: counts.unchanged_count.into(),
                    }),
                    _ => other(format!("{counts:?}")),
                }
            })
        }
    };
    heard.or_else(|status| refused(question, &status).ok_or(())).ok()
}

fn adjustment(id: &str, line: &Line) -> AdjustStockRequest {
    adjust_message(&adjust(id, line))
}

/// The refusal in a status; `None` if the server did not make the status.
fn refused(question: &Asked, status: &Status) -> Option<Heard> {
    let info = status.get_details_error_info()?;
    Some(refusal(question, &info.reason, status.message()))
}

fn seen(products: &[Product]) -> Heard {
    let stock = |product: &Product| {
        let balance = product.stock_thousandths;
        product_named(&product.name).map(|product| Stock { product, balance })
    };
    match products.iter().map(stock).collect() {
        Some(seen) => Heard::Answer(Answer::Seen(seen)),
        None => other(format!("{products:?}")),
    }
}

fn made(responses: &[AdjustStockResponse]) -> Heard {
    let made = responses.iter().map(|response| {
        let (product, movement) = (response.product.as_ref()?, response.movement.as_ref());
        // A count has no movement if nothing differs.
        let is_one = movement.is_none_or(|it| {
            it.balance_thousandths == product.stock_thousandths && it.product_name == product.name
        });
        is_one.then_some(Made {
            product: product_named(&product.name)?,
            balance: product.stock_thousandths,
            sequence: Some(movement.map_or(0, |movement| movement.sequence)),
        })
    });
    match made.collect() {
        Some(made) => Heard::Answer(Answer::Made(made)),
        None => other(format!("{responses:?}")),
    }
}
