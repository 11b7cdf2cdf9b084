//! One connection under load: keeps operations in flight, in closed or open loop, and
//! counts what comes back.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use super::timer::Timer;
use super::{Mix, Options, Way, histogram};
use crate::access::Secret;
use crate::catalog::Sentence;
use crate::client::{self, Broken, Failure, Patience, ShowToken, Stream};
use crate::io_error::describe;
use crate::tls::for_grpc;
use crate::wire::grpc;
use crate::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use crate::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use crate::wire::grpc::v1::{
    AdjustStockRequest, GetProductRequest, StreamAdjustStockRequest, StreamAdjustStockResponse,
};
use crate::wire::text;

/// How long after the end of a turn its late operations still begin. A stall of the server
/// at the end counts as much as one before it; a server that cannot keep up gets no more.
const LATE_MAX: Duration = Duration::from_secs(1);

/// What one connection is to do.
pub(super) struct Load {
    /// The products to ask for.
    pub(super) names: Rc<[String]>,
    pub(super) mix: Mix,
    pub(super) in_flight_max: usize,
    /// When to begin.
    pub(super) first: Instant,
    /// How often to begin an operation; `None` begins one for each that ends.
    pub(super) every: Option<Duration>,
    /// Operations that were to begin before this moment begin; none that were to begin later.
    pub(super) end: Instant,
    pub(super) seed: u64,
}

/// What came of it.
pub(super) struct Tally {
    /// Nanoseconds from the intended start to the answer.
    pub(super) latency: Histogram<u64>,
    /// Bytes sent and received.
    pub(super) bytes: u64,
    /// Units added to each product, by its place in the list.
    pub(super) added: HashMap<usize, i64>,
    /// Operations of an open loop that could not begin: the answers did not keep up.
    pub(super) not_begun: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { latency: histogram(), bytes: 0, added: HashMap::new(), not_begun: 0 }
    }

    pub(super) fn merge(&mut self, other: Self) {
        // Both have the same bounds, so adding cannot fail.
        let _ = self.latency.add(&other.latency);
        self.bytes += other.bytes;
        self.not_begun += other.not_begun;
        for (product, units) in other.added {
            *self.added.entry(product).or_default() += units;
        }
    }

    fn answered(&mut self, operation: &Operation) {
        let nanoseconds = u64::try_from(operation.intended.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.latency.saturating_record(nanoseconds.max(1));
        if operation.is_write {
            *self.added.entry(operation.product).or_default() += 1;
        }
    }
}

/// One operation in flight.
#[derive(Clone, Copy)]
struct Operation {
    intended: Instant,
    product: usize,
    is_write: bool,
}

/// What gRPC is called on.
type Service = InventoryServiceClient<InterceptedService<Channel, ShowToken>>;

/// A connection.
pub(super) struct Lane {
    link: Link,
    /// Bytes sent and received on it, with what TLS adds to them.
    bytes: Arc<AtomicU64>,
}

enum Link {
    Socket(Box<dyn Stream>),
    Grpc { service: Box<Service>, stream: Option<Box<ChangeStream>> },
}

impl Lane {
    pub(super) async fn open(way: Way, options: &Options) -> anyhow::Result<Self> {
        let Options { address, manner, .. } = options;
        let stream = client::open(address, manner, &Patience::of_program()).map_err(Failure::from)?;
        stream.set_nonblocking(true)?;
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Counted { stream: TcpStream::from_std(stream)?, bytes: Arc::clone(&bytes) };
        let connection: Box<dyn Stream> = match &manner.tls {
            None => Box::new(counted),
            Some(config) => {
                let config = if way == Way::Socket { Arc::clone(config) } else { for_grpc(config) };
                Box::new(client::shake_hands(counted, address, config).await.map_err(Failure::from)?)
            }
        };
        let link = if way == Way::Socket {
            Link::socket(connection, manner.token.as_ref()).await?
        } else {
            Link::grpc(connection, way, options).await?
        };
        // What the beginning of the connection took belongs to no operation.
        bytes.store(0, Ordering::Relaxed);
        Ok(Self { link, bytes })
    }

    /// Keeps the load on until its end, and waits for what is then in flight.
    pub(super) async fn drive(self, load: Load) -> anyhow::Result<Tally> {
        let mut pace = Pace::new(load)?;
        let mut tally = match self.link {
            Link::Socket(connection) => drive_socket(connection, &mut pace).await?,
            Link::Grpc { service, stream } => drive_grpc(*service, stream, &mut pace).await?,
        };
        tally.bytes = self.bytes.load(Ordering::Relaxed);
        tally.not_begun = pace.not_begun();
        Ok(tally)
    }
}

impl Link {
    async fn socket(mut connection: Box<dyn Stream>, token: Option<&Secret>) -> anyhow::Result<Self> {
        if let Some(token) = token {
            send(&mut connection, &text::write_token(token.reveal())).await?;
            let mut reply = Vec::new();
            while !reply.ends_with(b"\n\n") {
                if connection.read_buf(&mut reply).await.map_err(|error| lost(&error))? == 0 {
                    return Err(lost(&io::ErrorKind::UnexpectedEof.into()));
                }
            }
            text::read_token_reply(&String::from_utf8_lossy(&reply)).map_err(Failure::from)?;
        }
        Ok(Link::Socket(connection))
    }

    async fn grpc(connection: Box<dyn Stream>, way: Way, options: &Options) -> anyhow::Result<Self> {
        let mut connection = Some(TokioIo::new(connection));
        let connector = tower::service_fn(move |_| {
            let connection = connection.take().ok_or(io::ErrorKind::NotConnected.into());
            std::future::ready::<io::Result<_>>(connection)
        });
        let channel = Endpoint::from_shared(format!("http://{}", options.address))?
            .connect_with_connector(connector)
            .await?;
        let mut service = InventoryServiceClient::with_interceptor(channel, ShowToken::of(&options.manner));
        let stream = match way {
            Way::Stream => Some(Box::new(ChangeStream::open(&mut service, options.pipeline).await?)),
            _ => None,
        };
        Ok(Link::Grpc { service: Box::new(service), stream })
    }
}

/// Says which operation begins next, and when.
struct Pace {
    load: Load,
    due: Instant,
    /// Of an open loop.
    timer: Option<Timer>,
    in_flight: usize,
    random: u64,
}

impl Pace {
    fn new(load: Load) -> io::Result<Self> {
        Ok(Self {
            due: load.first,
            timer: load.every.map(|_| Timer::new()).transpose()?,
            in_flight: 0,
            random: load.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            load,
        })
    }

    /// Whether there is an operation to begin, now or later.
    fn has_more(&self, now: Instant) -> bool {
        match self.load.every {
            None => now < self.load.end,
            Some(_) => self.due < self.load.end && now < self.load.end + LATE_MAX,
        }
    }

    /// An operation that is to begin now.
    fn next(&mut self) -> Option<Operation> {
        let now = Instant::now();
        if self.in_flight >= self.load.in_flight_max || !self.has_more(now) {
            return None;
        }
        let intended = match self.load.every {
            None => now,
            Some(_) if self.due > now => return None,
            // What is late keeps the time at which it was meant to begin: a server that
            // stalls must not make its own latency look better (coordinated omission).
            Some(every) => {
                let intended = self.due;
                self.due += every;
                intended
            }
        };
        self.in_flight += 1;
        let product = self.draw(self.load.names.len() as u64) as usize;
        let is_write = self.draw(100) < u64::from(self.load.mix.write);
        Some(Operation { intended, product, is_write })
    }

    /// A number below `limit`, from a xorshift generator: any will do, and this costs nothing.
    fn draw(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % limit
    }

    fn answered(&mut self) {
        self.in_flight -= 1;
    }

    fn is_over(&self) -> bool {
        let now = Instant::now();
        self.in_flight == 0 && now >= self.load.end && !self.has_more(now)
    }

    /// Operations that were to begin before the end, and did not.
    fn not_begun(&self) -> u64 {
        let left = self.load.end.saturating_duration_since(self.due);
        self.load.every.map_or(0, |every| left.as_nanos().div_ceil(every.as_nanos().max(1)) as u64)
    }

    /// Is ready when the next operation may begin by time alone.
    async fn due(&self) -> io::Result<()> {
        match &self.timer {
            Some(timer) if self.in_flight < self.load.in_flight_max && self.has_more(Instant::now()) => {
                timer.sleep_until(self.due).await?;
            }
            _ if self.in_flight == 0 => tokio::time::sleep_until(self.load.end.into()).await,
            _ => std::future::pending().await,
        }
        Ok(())
    }

    fn name(&self, operation: &Operation) -> &str {
        &self.load.names[operation.product]
    }
}

async fn send(connection: &mut Box<dyn Stream>, text: &str) -> anyhow::Result<()> {
    connection.write_all(text.as_bytes()).await.map_err(|error| lost(&error))?;
    connection.flush().await.map_err(|error| lost(&error))
}

/// The connection is gone.
fn lost(error: &io::Error) -> anyhow::Error {
    Failure::from(Broken::Lost(describe(error))).into()
}

/// A call or a stream ended with this.
fn failed(status: &Status) -> anyhow::Error {
    match grpc::refusal(status) {
        Some(refusal) => Failure::from(refusal).into(),
        // tonic's own words for it are "transport error".
        None => lost(&io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn drive_socket(mut connection: Box<dyn Stream>, pace: &mut Pace) -> anyhow::Result<Tally> {
    let mut tally = Tally::new();
    let mut in_flight: VecDeque<Operation> = VecDeque::new();
    let mut commands = String::new();
    let mut replies = Vec::with_capacity(64 * 1024);
    while !pace.is_over() {
        commands.clear();
        while let Some(operation) = pace.next() {
            let name = pace.name(&operation);
            match operation.is_write {
                true => commands.extend(["3 ", name, " 1\n"]),
                false => commands.extend(["1 ", name, "\n"]),
            }
            in_flight.push_back(operation);
        }
        if !commands.is_empty() {
            send(&mut connection, &commands).await?;
        }
        tokio::select! {
            biased;
            read = connection.read_buf(&mut replies) => {
                if read.map_err(|error| lost(&error))? == 0 {
                    return Err(lost(&io::ErrorKind::UnexpectedEof.into()));
                }
            }
            due = pace.due() => {
                due?;
                continue;
            }
        }
        let mut start = 0;
        while let Some(end) = memchr::memmem::find(&replies[start..], b"\n\n") {
            if replies[start..].starts_with(b"Erro ") {
                let said = String::from_utf8_lossy(&replies[start..start + end]);
                bail!("o servidor recusou: {}", Sentence(&said));
            }
            start += end + 2;
            let operation = in_flight.pop_front().context("uma resposta a mais")?;
            tally.answered(&operation);
            pace.answered();
        }
        replies.drain(..start);
    }
    Ok(tally)
}

async fn drive_grpc(
    service: Service,
    mut stream: Option<Box<ChangeStream>>,
    pace: &mut Pace,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::new();
    let mut calls: JoinSet<Result<Operation, Status>> = JoinSet::new();
    while !pace.is_over() {
        while let Some(operation) = pace.next() {
            let name = pace.name(&operation).to_owned();
            match &mut stream {
                Some(stream) if operation.is_write => stream.send(name, operation).await?,
                _ => {
                    let service = service.clone();
                    calls.spawn(call(service, name, operation));
                }
            }
        }
        let operation = tokio::select! {
            biased;
            Some(ended) = calls.join_next() => ended?.map_err(|status| failed(&status))?,
            answered = answered(&mut stream) => answered?,
            due = pace.due() => {
                due?;
                continue;
            }
        };
        tally.answered(&operation);
        pace.answered();
    }
    Ok(tally)
}

async fn call(mut service: Service, name: String, operation: Operation) -> Result<Operation, Status> {
    if operation.is_write {
        service.adjust_stock(add_one(name)).await?;
    } else {
        service.get_product(GetProductRequest { name }).await?;
    }
    Ok(operation)
}

fn add_one(name: String) -> AdjustStockRequest {
    AdjustStockRequest { name, delta_thousandths: 1000, ..AdjustStockRequest::default() }
}

/// Changes in flight on a stream; answers come in order.
struct ChangeStream {
    requests: mpsc::Sender<StreamAdjustStockRequest>,
    answers: Streaming<StreamAdjustStockResponse>,
    in_flight: VecDeque<Operation>,
}

impl ChangeStream {
    async fn open(service: &mut Service, in_flight_max: usize) -> anyhow::Result<Self> {
        let (requests, sent) = mpsc::channel(in_flight_max);
        let answered = service.stream_adjust_stock(ReceiverStream::new(sent)).await;
        let answers = answered.map_err(|status| failed(&status))?.into_inner();
        Ok(Self { requests, answers, in_flight: VecDeque::new() })
    }

    async fn send(&mut self, name: String, operation: Operation) -> anyhow::Result<()> {
        self.in_flight.push_back(operation);
        let request = StreamAdjustStockRequest { adjustment: Some(add_one(name)) };
        // Nobody takes it any more.
        self.requests.send(request).await.map_err(|_| lost(&io::ErrorKind::UnexpectedEof.into()))
    }
}

/// The next change that a stream has answered; never, where there is none in flight.
async fn answered(stream: &mut Option<Box<ChangeStream>>) -> anyhow::Result<Operation> {
    let Some(stream) = stream.as_mut().filter(|stream| !stream.in_flight.is_empty()) else {
        return std::future::pending().await;
    };
    let message = stream.answers.message().await.map_err(|status| failed(&status))?;
    match message.and_then(|answer| answer.result) {
        Some(StreamResult::Adjusted(_)) => stream.in_flight.pop_front().context("uma resposta a mais"),
        Some(StreamResult::Refused(refused)) => bail!("o servidor recusou: {}", refused.message),
        None => Err(lost(&io::ErrorKind::UnexpectedEof.into())),
    }
}

/// A connection that counts its bytes.
struct Counted {
    stream: TcpStream,
    bytes: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.bytes.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        poll
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(length)) = &poll {
            self.bytes.fetch_add(*length as u64, Ordering::Relaxed);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
