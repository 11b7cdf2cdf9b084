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
use hortifruti::operation::{AdjustRequest, ChangeReply, ProductReply, Reply, Request};
use hortifruti::wire::Protocol;
use hortifruti::wire::grpc::adjust_message;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, AdjustStockResponse, BatchAdjustStockRequest, GetProductRequest, ListProductsRequest,
    Product, StreamAdjustStockRequest, StreamAdjustStockResponse,
};
use hortifruti::wire::text::{read_reply, write_request};

use super::{Answer, Asked, Line, Made, PRODUCTS, Way};

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
        let protocol = Some(if way == Way::Text { Protocol::Text } else { Protocol::Grpc });
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
                        refusal(question.products()[0], &refused.reason, &refused.message)
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

/// A refusal of a change of this product.
fn refusal(product: usize, code: &str, message: &str) -> Heard {
    let available = || message.split_once(": há ")?.1.split(' ').next()?.parse::<i64>().ok();
    match (code, available()) {
        ("INSUFFICIENT_STOCK", Some(units)) => {
            Heard::Answer(Answer::Insufficient { product, available: units * 1000 })
        }
        ("UNAVAILABLE" | "OUTCOME_UNKNOWN", _) => Heard::AskAgain,
        _ => other(format!("{code}: {message}")),
    }
}

// --- text -----------------------------------------------------------------------------

fn request(question: &Asked) -> Request<'_> {
    match question {
        Asked::Find(product) => Request::GetProduct { name: PRODUCTS[*product].0 },
        Asked::List(max_price) => Request::ListProducts {
            max_price: max_price.map(|centavos| Price::from_centavos(centavos).unwrap()),
        },
        Asked::Change { id, lines } => {
            let [line] = &lines[..] else { panic!("text has no batches") };
            Request::AdjustStock(adjust(id, line))
        }
    }
}

/// A change; a line of a batch has no id of its own.
fn adjust<'p>(id: &str, line: &Line) -> AdjustRequest<'p> {
    AdjustRequest {
        name: PRODUCTS[line.product].0,
        delta: Quantity::from_thousandths(line.delta).unwrap(),
        kind: Kind::default(),
        request_id: Some(id).filter(|id| !id.is_empty()).map(|id| id.parse().unwrap()),
    }
}

fn read(question: &Asked, reply: &str) -> Heard {
    let lines: Vec<&str> = reply.lines().collect();
    let products = match read_reply(&request(question), &lines) {
        Ok(Ok(Reply::Product(product) | Reply::Change(ChangeReply { product, .. }))) => vec![product],
        Ok(Ok(Reply::Products(products))) => products,
        Ok(Err(refused)) => return refusal(question.products()[0], refused.code.as_str(), &refused.message),
        _ => return other(reply),
    };
    let expected = question.products();
    let is_asked =
        |(product, expected): (&ProductReply, &usize)| product.name.as_str() == PRODUCTS[*expected].0;
    if products.len() != expected.len() || !products.iter().zip(&expected).all(is_asked) {
        return other(reply);
    }
    let balances = products.iter().map(|product| product.stock.thousandths());
    Heard::Answer(match question {
        Asked::Change { .. } => {
            Answer::Made(balances.map(|balance| Made { balance, sequence: None }).collect())
        }
        Asked::Find(_) | Asked::List(_) => Answer::Seen(balances.collect()),
    })
}

// --- gRPC -----------------------------------------------------------------------------

/// Makes one call; `None` if the connection broke, and not if the server refused.
async fn call(mut service: Service, question: &Asked) -> Option<Heard> {
    let heard = match question {
        Asked::Find(product) => {
            let request = GetProductRequest { name: PRODUCTS[*product].0.to_owned() };
            let found = service.get_product(request).await;
            found.map(|found| seen(question, found.into_inner().product.as_slice()))
        }
        Asked::List(max_price_centavos) => {
            let request = ListProductsRequest {
                max_price_centavos: *max_price_centavos,
                ..ListProductsRequest::default()
            };
            service.list_products(request).await.map(|listed| seen(question, &listed.into_inner().products))
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
    };
    heard.or_else(|status| refused(question, &status).ok_or(())).ok()
}

fn adjustment(id: &str, line: &Line) -> AdjustStockRequest {
    adjust_message(&adjust(id, line))
}

/// The refusal in a status; `None` if the server did not make the status.
fn refused(question: &Asked, status: &Status) -> Option<Heard> {
    let info = status.get_details_error_info()?;
    let line = info.metadata.get("index").map_or(Some(0), |index| index.parse().ok());
    let product = question.products().get(line?).copied()?;
    Some(refusal(product, &info.reason, status.message()))
}

fn seen(question: &Asked, products: &[Product]) -> Heard {
    let expected = question.products();
    let is_asked = products.len() == expected.len()
        && products.iter().zip(expected).all(|(product, expected)| product.name == PRODUCTS[expected].0);
    if !is_asked {
        return other(format!("{products:?}"));
    }
    Heard::Answer(Answer::Seen(products.iter().map(|product| product.stock_thousandths).collect()))
}

fn made(responses: &[AdjustStockResponse]) -> Heard {
    let made = responses.iter().map(|response| {
        let (product, movement) = (response.product.as_ref()?, response.movement.as_ref()?);
        let is_one = product.stock_thousandths == movement.balance_thousandths;
        is_one.then_some(Made { balance: movement.balance_thousandths, sequence: Some(movement.sequence) })
    });
    match made.collect() {
        Some(made) => Heard::Answer(Answer::Made(made)),
        None => other(format!("{responses:?}")),
    }
}
