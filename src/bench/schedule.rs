//! The schedule of a connection: the next operation and its time, in a closed loop or in an open one.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::mix::Mix;
use crate::catalog::Name;
use crate::operation::{AdjustRequest, Request};
use crate::platform::timer::Timer;
use crate::refusal::Refusal;
use crate::wire::text;

/// The time after the end of a turn in which its late operations still begin, so that a stall of the server
/// at the end counts like any other stall. A server that cannot keep up gets no more time.
const LATE_MAX: Duration = Duration::from_secs(1);

/// A product that operations ask for, with the lines that ask for it.
pub(super) struct Product {
    pub(super) name: String,
    pub(super) find_line: String,
    pub(super) add_line: String,
}

impl Product {
    pub(super) fn new(name: &Name) -> Result<Self, Refusal> {
        let name = name.to_string();
        let find_line = text::write_request(&Request::GetProduct { name: &name })?;
        let add_line = text::write_request(&Request::AdjustStock(add_one(&name)))?;
        Ok(Self { name, find_line, add_line })
    }
}

/// The change that every write asks for.
pub(super) fn add_one(name: &str) -> AdjustRequest<'_> {
    AdjustRequest::of_units(name, 1)
}

/// The work of one connection.
pub(super) struct Load {
    /// The products to ask for.
    pub(super) products: Rc<[Product]>,
    pub(super) mix: Mix,
    pub(super) in_flight_max: usize,
    /// The time at which the first operation begins.
    pub(super) first: Instant,
    /// The time between two starts of an open loop. In a closed loop, each answer starts the next operation.
    pub(super) every: Option<Duration>,
    /// The end of the turn: operations that are planned for a later time do not begin.
    pub(super) end: Instant,
    pub(super) seed: u64,
}

/// An operation in flight.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    /// The time at which the operation was planned to begin.
    pub(super) intended: Instant,
    /// The product's place in the list.
    pub(super) product: usize,
    pub(super) is_write: bool,
}

/// The operations of one connection.
pub(super) struct Schedule {
    load: Load,
    due: Instant,
    /// The timer of an open loop.
    timer: Option<Timer>,
    in_flight: usize,
    random: u64,
}

impl Schedule {
    pub(super) fn new(load: Load) -> io::Result<Self> {
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
    pub(super) fn next(&mut self) -> Option<Operation> {
        let now = Instant::now();
        if self.in_flight >= self.load.in_flight_max || !self.has_more(now) {
            return None;
        }
        let intended = match self.load.every {
            None => now,
            Some(_) if self.due > now => return None,
            // A late operation keeps its planned time: a server that stalls must not make its own latency
            // look better (coordinated omission).
            Some(every) => {
                let intended = self.due;
                self.due += every;
                intended
            }
        };
        self.in_flight += 1;
        let product = self.draw(self.load.products.len() as u64) as usize;
        let is_write = self.draw(100) < u64::from(self.load.mix.write);
        Some(Operation { intended, product, is_write })
    }

    /// A random number below `limit`, from a xorshift generator, the cheapest that is good enough.
    fn draw(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % limit
    }

    pub(super) fn answered(&mut self) {
        self.in_flight -= 1;
    }

    pub(super) fn is_over(&self) -> bool {
        let now = Instant::now();
        self.in_flight == 0 && now >= self.load.end && !self.has_more(now)
    }

    /// The operations that were planned before the end and did not begin.
    pub(super) fn not_begun(&self) -> u64 {
        let left = self.load.end.saturating_duration_since(self.due);
        self.load.every.map_or(0, |every| left.as_nanos().div_ceil(every.as_nanos().max(1)) as u64)
    }

    /// Waits until the next operation may begin by time alone.
    pub(super) async fn due(&self) -> io::Result<()> {
        match &self.timer {
            Some(timer) if self.in_flight < self.load.in_flight_max && self.has_more(Instant::now()) => {
                timer.sleep_until(self.due).await?;
            }
            _ if self.in_flight == 0 => tokio::time::sleep_until(self.load.end.into()).await,
            _ => std::future::pending().await,
        }
        Ok(())
    }

    pub(super) fn product(&self, operation: &Operation) -> &Product {
        &self.load.products[operation.product]
    }
}
