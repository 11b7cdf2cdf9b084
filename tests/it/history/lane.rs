//! One connection of a client: questions out, answers in, and nothing of this crate's own
//! clients in between.

use std::collections::VecDeque;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, AdjustStockResponse, BatchAdjustStockRequest, GetProductRequest, ListProductsRequest,
    Product, StreamAdjustStockRequest, StreamAdjustStockResponse,
};

use super::{Answer, Asked, Line, Made, PRODUCTS, Way};

/// What came back.
pub(crate) enum Heard {
    Answer(Answer),
    /// `UNAVAILABLE` or `OUTCOME_UNKNOWN`: to be asked again.
    AskAgain,
}

pub(crate) enum Lane {
    Text {
        connection: BufReader<TcpStream>,
        asked: VecDeque<(usize, Asked)>,
    },
    Calls {
        service: InventoryServiceClient<Channel>,
        calls: JoinSet<(usize, Option<Heard>)>,
    },
    Stream {
        requests: mpsc::Sender<StreamAdjustStockRequest>,
        answers: Streaming<StreamAdjustStockResponse>,
        asked: VecDeque<(usize, Asked)>,
    },
}

impl Lane {
    /// Nothing where no server answers.
    pub(crate) async fn open(way: Way, port: u16) -> Option<Self> {
        if way == Way::Text {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
            stream.set_nodelay(true).ok()?;
            return Some(Lane::Text { connection: BufReader::new(stream), asked: VecDeque::new() });
        }
        let mut service = InventoryServiceClient::connect(format!("http://127.0.0.1:{port}")).await.ok()?;
        if way == Way::Calls {
            return Some(Lane::Calls { service, calls: JoinSet::new() });
        }
        let (requests, stream) = mpsc::channel(1);
        let answers = service.stream_adjust_stock(ReceiverStream::new(stream)).await.ok()?.into_inner();
        Some(Lane::Stream { requests, answers, asked: VecDeque::new() })
    }

    /// Sends a question. Returns whether the connection holds.
    pub(crate) async fn ask(&mut self, number: usize, question: &Asked) -> bool {
        match self {
            Lane::Text { connection, asked } => {
                asked.push_back((number, question.clone()));
                connection.write_all(command(question).as_bytes()).await.is_ok()
            }
            Lane::Calls { service, calls } => {
                let (service, question) = (service.clone(), question.clone());
                calls.spawn(async move { (number, call(service, &question).await) });
                true
            }
            Lane::Stream { requests, asked, .. } => {
                asked.push_back((number, question.clone()));
                let Asked::Change { id, lines } = question else { panic!("{question:?} on a stream") };
                let request = StreamAdjustStockRequest { adjustment: Some(adjustment(id, &lines[0])) };
                requests.send(request).await.is_ok()
            }
        }
    }

    /// Waits for an answer, and gives it with its question's number; nothing at the end of
    /// the connection.
    pub(crate) async fn hear(&mut self) -> Option<(usize, Heard)> {
        match self {
            Lane::Text { connection, asked } => {
                let mut reply = String::new();
                while !reply.ends_with("\n\n") {
                    if connection.read_line(&mut reply).await.ok()? == 0 {
                        return None;
                    }
                }
                let (number, question) = asked.pop_front().expect("a reply only to what was asked");
                Some((number, read_reply(&question, reply.trim_end())))
            }
            Lane::Calls { calls, .. } => {
                let (number, heard) = calls.join_next().await?.expect("a call does not panic");
                Some((number, heard?))
            }
            Lane::Stream { answers, asked, .. } => {
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

fn command(question: &Asked) -> String {
    match question {
        Asked::Find(product) => format!("1 {}\n", PRODUCTS[*product].0),
        Asked::List(Some(centavos)) => format!("2 {}.{:02}\n", centavos / 100, centavos % 100),
        Asked::List(None) => "4\n".to_owned(),
        Asked::Change { id, lines } => {
            let [Line { product, delta }] = lines[..] else { panic!("text has no batches") };
            format!("3 {} {} id={id}\n", PRODUCTS[product].0, delta / 1000)
        }
    }
}

fn read_reply(question: &Asked, reply: &str) -> Heard {
    let products = question.products();
    if let Some((code, message)) = reply.strip_prefix("Erro ").and_then(|error| error.split_once(": ")) {
        return refusal(products[0], code, message);
    }
    let names = products.iter().map(|product| PRODUCTS[*product].0);
    let balances: Option<Vec<i64>> = names
        .zip(reply.lines())
        .map(|(name, line)| {
            let stock = line.strip_prefix(name)?.strip_prefix(": R$")?.split_once(", Estoque: ")?.1;
            Some(stock.parse::<i64>().ok()? * 1000)
        })
        .collect();
    match (question, balances) {
        (_, Some(balances)) if reply.lines().count() != balances.len() => other(reply),
        (Asked::Change { .. }, Some(balances)) if balances.len() == 1 => {
            Heard::Answer(Answer::Made(vec![Made { balance: balances[0], sequence: None }]))
        }
        (Asked::Find(_) | Asked::List(_), Some(balances)) => Heard::Answer(Answer::Seen(balances)),
        _ => other(reply),
    }
}

// --- gRPC -----------------------------------------------------------------------------

/// One call; nothing where the connection broke, and not the server refused.
async fn call(mut service: InventoryServiceClient<Channel>, question: &Asked) -> Option<Heard> {
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
    AdjustStockRequest {
        name: PRODUCTS[line.product].0.to_owned(),
        delta_thousandths: line.delta,
        request_id: id.to_owned(),
        ..AdjustStockRequest::default()
    }
}

/// What the server refused; nothing where the status is not of its making.
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
