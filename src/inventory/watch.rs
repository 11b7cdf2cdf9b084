//! Watches: the movements after one of them, then each new one once it is durable.

mod old;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::recent::{Encoding, Next, Position, Segment, Watching};
use super::{Session, read};
use crate::catalog::ProductId;
use crate::metrics::Counted;
use crate::operation::{WatchEvent, WatchRequest};
use crate::refusal::{Code, Refusal};

/// The silence after which a watcher gets a heartbeat. Clients and proxies end connections that are silent for
/// a minute or more.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(15);

/// The silence before a heartbeat of a server beside which others can serve the shop. A watcher of a frozen server moves
/// to another one after three heartbeats, and a change of the writer takes two seconds.
const HEARTBEAT_BESIDE_OTHERS: Duration = Duration::from_secs(1);

/// The most bytes of a delivery, unless one event is longer: a frame of HTTP/2. The client takes a delivery
/// before the next one is prepared, so a slow client holds no more than one.
const DELIVERY_BYTES_MAX: usize = 16 * 1024;

/// The most events that are skipped in one turn because they are of other products.
const SKIPPED_MAX: usize = 1024;

/// A client that watches the shop, from one position on.
pub struct Watch {
    session: Session,
    _watching: (Watching, Counted),
    /// The only product to include.
    product: Option<ProductId>,
    /// The position up to which all events are delivered.
    seen: Position,
    /// The serial number of the next event, if that is one of the recent ones.
    next_serial: Option<u64>,
    /// The number of the movement after which the watch ends.
    end: Option<i64>,
    heartbeat_after: Duration,
    /// Whether a heartbeat comes before all else, so that the client knows from the beginning how often they come.
    begins: bool,
    /// The time of the last delivery.
    delivered_at: Instant,
}

impl Session {
    /// Begins to watch. With an idle limit, the heartbeats come more often than it.
    ///
    /// # Errors
    /// If no product has the name, the first movement is not known yet, there are too many watchers, or the
    /// store cannot be read.
    pub async fn watch(&self, request: WatchRequest<'_>, idle: Option<Duration>) -> Result<Watch, Refusal> {
        self.note_read();
        let product = match request.name {
            Some(name) => Some(self.find_at_present(name, |product| product.id).await?),
            None => None,
        };
        let watching = self.inventory.recent.begin().ok_or_else(too_many)?;
        let watching = (watching, self.metrics().watchers.one_more());
        let last = self.present().await?;
        let sequence = request.begin(last.sequence)?;
        let change = match request.after {
            None => last.change,
            Some(after) => self.last_change_before(after, last).await?,
        };
        let has_others = !self.inventory.lease.is_for_ever();
        let heartbeat_after = if has_others { HEARTBEAT_BESIDE_OTHERS } else { HEARTBEAT_AFTER };
        Ok(Watch {
            session: self.clone(),
            _watching: watching,
            product,
            seen: Position { sequence, change },
            next_serial: None,
            end: None,
            heartbeat_after: idle.map_or(heartbeat_after, |idle| heartbeat_after.min(idle / 2)),
            begins: has_others,
            delivered_at: Instant::now(),
        })
    }
}

impl Watch {
    /// Ends the watch after the last movement of this moment.
    pub fn end_here(&mut self) {
        let last = self.session.inventory.last_sequence();
        self.end.get_or_insert(last);
    }

    /// Waits for the next events, or for the time of a heartbeat, and appends at least one in this encoding.
    /// Returns whether the watch goes on. If the caller stops waiting, nothing is lost.
    ///
    /// # Errors
    /// If the store cannot be read, or this server does not hear of all changes any more (`UNAVAILABLE`).
    pub async fn next(&mut self, encoding: &Encoding, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let length = out.len();
        if std::mem::take(&mut self.begins) {
            self.beat(encoding, out);
            return Ok(true);
        }
        let recent = Arc::clone(&self.session.inventory.recent);
        let mut news = pin!(recent.news());
        let mut is_awaited = false;
        loop {
            let is_behind = match recent.after(self.seen, self.next_serial) {
                Next::Event(..) => {
                    let turn = recent.live.turn().await;
                    self.deliver(encoding, out);
                    recent.live.spend_delivery(out.len() - length);
                    drop(turn);
                    true
                }
                Next::AtEnd(serial) => {
                    self.next_serial = Some(serial);
                    false
                }
                Next::Unknown => {
                    self.next_serial = None;
                    let last = Position::of(&read(&self.session.inventory.catalog));
                    let is_behind = !last.is_within(self.seen);
                    if is_behind {
                        self.deliver_old(last, encoding, out).await?;
                    }
                    is_behind
                }
            };
            if out.len() > length {
                self.delivered_at = Instant::now();
                return Ok(true);
            }
            if is_behind {
                // All events of this turn were of other products.
                tokio::task::yield_now().await;
            } else if self.end.is_some_and(|end| end <= self.seen.sequence) {
                return Ok(false);
            } else if !is_awaited {
                // Events that are added from now on end the wait, and those before are found by another look.
                is_awaited = true;
                news.as_mut().enable();
            } else {
                tokio::select! {
                    () = news.as_mut() => {}
                    () = tokio::time::sleep_until(self.delivered_at + self.heartbeat_after) => {
                        if !self.session.inventory.lease.is_current() {
                            return Err(self.session.standing_by());
                        }
                        self.beat(encoding, out);
                        return Ok(true);
                    }
                }
                news.set(recent.news());
                is_awaited = false;
            }
        }
    }

    /// Appends a heartbeat.
    fn beat(&mut self, encoding: &Encoding, out: &mut Vec<u8>) {
        (encoding.write)(&WatchEvent::Heartbeat(self.seen.sequence), out);
        self.delivered_at = Instant::now();
    }

    /// Appends the next recent events.
    fn deliver(&mut self, encoding: &Encoding, out: &mut Vec<u8>) {
        let recent = Arc::clone(&self.session.inventory.recent);
        let mut skipped = 0;
        while let Next::Event(segment, first) = recent.after(self.seen, self.next_serial) {
            let serial = segment.serial + first as u64;
            let taken = self.take(&segment, first, encoding, out);
            self.next_serial = Some(serial + taken as u64);
            skipped += taken;
            if first + taken < segment.events.len() || (out.is_empty() && skipped >= SKIPPED_MAX) {
                return;
            }
        }
    }

    /// Appends events of a segment from this one on, as many as fit. Returns the number of events that the
    /// watcher has seen now.
    fn take(&mut self, segment: &Segment, first: usize, encoding: &Encoding, out: &mut Vec<u8>) -> usize {
        for (index, recorded) in segment.events.iter().enumerate().skip(first) {
            let is_wanted = self.product.is_none_or(|product| product == recorded.product);
            if is_wanted && !recorded.is_seen_at(self.seen) {
                let bytes = segment.bytes(index, encoding);
                if !out.is_empty() && out.len() + bytes.len() > DELIVERY_BYTES_MAX {
                    return index - first;
                }
                out.extend_from_slice(bytes);
            }
            self.seen = self.seen.and(recorded.after);
        }
        segment.events.len() - first
    }
}

fn too_many() -> Refusal {
    let what =
        "o servidor já tem o máximo de acompanhamentos. Nada foi alterado; tente de novo daqui a pouco.";
    Refusal::new(Code::ResourceExhausted, what)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, open, shop};
    use super::*;
    use crate::catalog::original_products;
    use crate::store::sqlite::SqliteStore;

    /// Events as words.
    const WORDS: Encoding = Encoding { place: 0, write: write_word };

    fn write_word(event: &WatchEvent, out: &mut Vec<u8>) {
        let word = match event {
            WatchEvent::Movement(movement) => format!("#{} ", movement.sequence),
            WatchEvent::Product(product) => format!("{} ", product.name),
            WatchEvent::Heartbeat(sequence) => format!(".{sequence} "),
        };
        out.extend_from_slice(word.as_bytes());
    }

    async fn next(watch: &mut Watch) -> String {
        let mut out = Vec::new();
        assert!(watch.next(&WORDS, &mut out).await.unwrap());
        String::from_utf8(out).unwrap()
    }

    fn request(after: Option<i64>) -> WatchRequest<'static> {
        WatchRequest { name: None, after }
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_comes_after_a_silence_and_says_how_far_the_watch_is() {
        let (session, _committer) = shop();
        let mut watch = session.watch(request(None), None).await.unwrap();
        let start = Instant::now();
        assert_eq!((next(&mut watch).await, start.elapsed()), (".4 ".to_owned(), HEARTBEAT_AFTER));
        let mut hurried = session.watch(request(Some(4)), Some(Duration::from_secs(2))).await.unwrap();
        let start = Instant::now();
        assert_eq!(next(&mut hurried).await, ".4 ");
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_watch_goes_from_the_ledger_to_the_recent_events_and_back() {
        let (session, _committer) = shop();
        let mut watch = session.watch(request(Some(0)), None).await.unwrap();
        assert_eq!(next(&mut watch).await, "Maca #1 Pera #2 Banana #3 Caju #4 ");
        for sequence in 5..8 {
            session.adjust(asked("Caju 1")).await.unwrap();
            assert_eq!(next(&mut watch).await, format!("#{sequence} "));
        }
        // Events that are lost from memory are in the ledger.
        for sequence in 8..11 {
            session.adjust(asked("Caju 1")).await.unwrap();
            session.inventory.recent.forget();
            assert_eq!(next(&mut watch).await, format!("#{sequence} "));
        }
        // A wait that is given up loses nothing.
        for sequence in 11..30 {
            let mut out = Vec::new();
            {
                let mut waiting = pin!(watch.next(&WORDS, &mut out));
                let given_up = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
                });
                assert!(given_up.await);
            }
            assert!(out.is_empty());
            session.adjust(asked("Caju 1")).await.unwrap();
            assert_eq!(next(&mut watch).await, format!("#{sequence} "));
        }
        watch.end_here();
        assert_eq!(watch.next(&WORDS, &mut Vec::new()).await, Ok(false));
    }

    #[tokio::test]
    async fn watchers_that_are_equally_far_behind_share_a_page() {
        let (session, _committer) = open(SqliteStore::in_memory().unwrap(), &original_products());
        for _ in 0..300 {
            session.adjust(asked("Caju 1")).await.unwrap();
        }
        let mut all = Vec::new();
        for _ in 0..10 {
            all.push(session.watch(request(Some(0)), None).await.unwrap());
        }
        let mut first = session.watch(request(Some(0)), None).await.unwrap();
        next(&mut first).await;
        let page = session.inventory.recent.page(1).unwrap();
        for watch in &mut all {
            next(watch).await;
            assert!(Arc::ptr_eq(&page, &session.inventory.recent.page(1).unwrap()));
            let mut seen = watch.seen.sequence;
            while seen < 304 {
                next(watch).await;
                seen = watch.seen.sequence;
            }
        }
    }
}
