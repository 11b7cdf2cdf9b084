//! A message with a list of products, written piece by piece as the client takes it. If messages were written
//! in one piece, a connection that asks for many long lists and takes none of them would hold 180 MB.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Bytes, Frame};
use tokio::sync::oneshot;
use tonic::Status;

use super::progress::Progress;
use super::trailers::trailers;
use crate::inventory::{Listing, Stopped};
use crate::refusal::Refusal;
use crate::server::long_work::{LongWork, TURN_BYTES};
use crate::server::service::Service;
use crate::wire::grpc::{Page, WriteProduct, status};

/// A list of an answer, which becomes its body.
#[derive(Clone)]
pub(super) struct List {
    /// The products that are not written yet, if any, and their number.
    listing: Option<Listing>,
    left: usize,
    write: WriteProduct,
    /// Bytes to write before the next product.
    before: Vec<u8>,
    /// Bytes to write after the last product.
    end: Vec<u8>,
    progress: Progress,
    long_work: LongWork,
}

/// The body of an answer with a list.
pub(super) struct ListBody {
    list: List,
    /// The wait for the next piece's turn, if other requests come first.
    turn: Option<oneshot::Receiver<()>>,
    has_ended: bool,
}

/// The next piece of a list.
pub(super) enum Piece {
    Bytes(Vec<u8>),
    /// No bytes yet, because other requests have their turn first.
    Later,
    End,
}

impl List {
    /// A list with the products of a page. A message begins with its length, so the message is first written
    /// once, in turns, only to be measured. `write_end` writes the token of the next page, if there is one,
    /// after the products.
    ///
    /// # Errors
    /// If too much has changed since the list began (`RESOURCE_EXHAUSTED`).
    pub(super) async fn new(
        service: &Service,
        progress: &Progress,
        page: Page,
        write: WriteProduct,
        write_end: fn(Option<String>, &mut Vec<u8>),
    ) -> Result<Self, Refusal> {
        let listing = service.inventory.list(page.selection.clone(), page.after);
        let mut measured = listing.clone();
        let mut turn = service.long_work.begin();
        let (mut piece, mut length, mut left) = (Vec::new(), 0, page.size);
        let (mut last, mut has_more) = (None, false);
        // A short message is written in the first turn, and kept.
        let mut is_kept = true;
        loop {
            let bytes = turn.bytes();
            let stopped = measured.visit(|product| {
                if left == 0 {
                    has_more = true;
                    return ControlFlow::Break(());
                }
                left -= 1;
                last = Some(product.id);
                write(product, &mut piece);
                if piece.len() >= bytes { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            length += piece.len();
            if has_more || stopped == Stopped::AtEnd {
                break;
            }
            is_kept = false;
            piece.clear();
            turn.next().await;
        }
        turn.end().await;
        let mut end = Vec::new();
        write_end(last.filter(|_| has_more).map(|last| page.token(last)), &mut end);
        length += end.len();
        // The message is not compressed. Its length fits in 32 bits, even with the most products that there
        // can be.
        let mut before = vec![0];
        before.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        let listing = if is_kept {
            before.append(&mut piece);
            None
        } else {
            Some(listing)
        };
        let left = page.size - left;
        let long_work = service.long_work.clone();
        Ok(Self { listing, left, write, before, end, progress: progress.clone(), long_work })
    }

    /// The body of the list. A long body is written in turns, however fast the client takes it.
    pub(super) fn body(self) -> ListBody {
        let turn = self.turn();
        ListBody { list: self, turn, has_ended: false }
    }

    /// The turn in which the next products may be written, if there are any.
    fn turn(&self) -> Option<oneshot::Receiver<()>> {
        self.listing.as_ref().map(|_| self.long_work.turn())
    }

    /// The next piece of the body.
    ///
    /// # Errors
    /// If too much has changed since the list began (`RESOURCE_EXHAUSTED`).
    pub(super) fn next(&mut self) -> Result<Piece, Refusal> {
        let mut piece = std::mem::take(&mut self.before);
        let Self { left, write, .. } = self;
        while let Some(listing) = &mut self.listing {
            let stopped = listing.visit(|product| {
                write(product, &mut piece);
                *left -= 1;
                if *left == 0 || piece.len() >= TURN_BYTES {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            if *left == 0 || stopped == Stopped::AtEnd {
                self.listing = None;
            } else if piece.is_empty() {
                return Ok(Piece::Later);
            } else {
                return Ok(Piece::Bytes(piece));
            }
        }
        piece.append(&mut self.end);
        Ok(if piece.is_empty() { Piece::End } else { Piece::Bytes(piece) })
    }
}

impl hyper::body::Body for ListBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let end = loop {
            if let Some(turn) = &mut self.turn {
                // An error means that the worker ends.
                let _ = ready!(Pin::new(turn).poll(context));
            }
            let next = self.list.next();
            self.turn = self.list.turn();
            match next {
                Ok(Piece::Bytes(piece)) => {
                    self.list.progress.note();
                    return Poll::Ready(Some(Ok(Frame::data(piece.into()))));
                }
                Ok(Piece::Later) => {}
                Ok(Piece::End) => break Status::ok(""),
                // The list may break off inside the message; the trailers carry the status.
                Err(refusal) => break status(refusal),
            }
        };
        self.has_ended = true;
        self.turn = None;
        self.list.listing = None;
        Poll::Ready(Some(Ok(Frame::trailers(trailers(&end)))))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::Ordering;

    use hyper::body::Body as _;
    use tokio::sync::watch;
    use tonic_types::StatusExt as _;

    use super::*;
    use crate::catalog::{Name, Price, ProductDraft, Quantity, TermsDraft};
    use crate::inventory::{Committer, Inventory};
    use crate::server::testing;
    use crate::store::sqlite::SqliteStore;
    use crate::wire::grpc::{write_original_product, write_product};

    /// A service with ten thousand products, of which the last thousand are cheap.
    fn service() -> (Service, Committer, watch::Sender<bool>) {
        let row = |number: i64| ProductDraft {
            name: Name::parse(&format!("PRODUTO {number}")).unwrap(),
            price: Price::from_centavos(if number < 9_000 { 500 } else { 100 }).unwrap(),
            opening_stock: Quantity::ZERO,
            terms: TermsDraft::default(),
            unit: None,
        };
        let rows: Vec<ProductDraft> = (0..10_000).map(row).collect();
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, committer) = Inventory::open(store, &rows).unwrap();
        let (drain, draining) = watch::channel(false);
        (testing::service(&inventory, draining), committer, drain)
    }

    async fn list(service: &Service, page: Page, write: WriteProduct) -> List {
        List::new(service, &Progress::default(), page, write, |_, _| ()).await.unwrap()
    }

    #[tokio::test]
    async fn others_come_first_while_a_long_list_is_measured() {
        let (service, ..) = service();
        let turns = testing::turns();
        let mut list = list(&service, Page::whole(None), write_original_product).await;
        let turns = turns.load(Ordering::Relaxed);
        let mut pieces = Vec::new();
        while let Ok(Piece::Bytes(piece)) = list.next() {
            assert!(piece.len() < 2 * TURN_BYTES);
            pieces.push(piece);
        }
        let length = u32::from_be_bytes(pieces[0][1..5].try_into().unwrap()) as usize;
        assert_eq!(pieces.concat().len() - 5, length);
        assert!(turns >= length / TURN_BYTES / 2, "{turns} turns in {length} bytes");
    }

    #[tokio::test]
    async fn others_come_first_while_long_lists_are_taken() {
        let (service, ..) = service();
        let mut lists = Vec::new();
        for _ in 0..20 {
            lists.push(list(&service, Page::whole(None), write_original_product).await);
        }
        let turns = testing::turns();
        let clients: Vec<_> = lists
            .into_iter()
            .map(|list| {
                tokio::spawn(async move {
                    let mut list = pin!(list.body());
                    let mut frames = 0;
                    while std::future::poll_fn(|context| list.as_mut().poll_frame(context)).await.is_some() {
                        frames += 1;
                    }
                    frames
                })
            })
            .collect();
        let mut frames = 0;
        for client in clients {
            frames += client.await.unwrap();
        }
        let turns = turns.load(Ordering::Relaxed);
        // The last frame of each list is its end.
        assert!(frames > 20 * 10 && turns >= frames - 20, "{turns} turns in {frames} frames");
    }

    #[tokio::test]
    async fn a_page_knows_whether_there_is_another() {
        let (service, ..) = service();
        let max_price = Price::from_centavos(100).ok();
        for (size, token) in [(1, "v1:9001:100"), (999, "v1:9999:100"), (1000, "-")] {
            let page = Page { size, ..Page::whole(max_price) };
            let end = |token: Option<String>, out: &mut Vec<u8>| {
                out.extend_from_slice(token.as_deref().unwrap_or("-").as_bytes());
            };
            let list = List::new(&service, &Progress::default(), page, write_product, end).await.unwrap();
            assert_eq!((list.left, String::from_utf8(list.end).unwrap()), (size, token.to_owned()));
        }
    }

    #[tokio::test]
    async fn a_list_that_is_too_old_ends_with_the_reason() {
        let (service, ..) = service();
        let list = list(&service, Page::whole(None), write_product).await;
        // The list becomes too old after its first piece, and then before it.
        for is_begun in [true, false] {
            let mut list = pin!(list.clone().body());
            let mut frames = Vec::new();
            while let Some(frame) = std::future::poll_fn(|context| list.as_mut().poll_frame(context)).await {
                frames.push(frame.unwrap());
                if is_begun && frames.len() == 1 {
                    service.inventory.forget_snapshots();
                }
            }
            let trailers = frames.pop().unwrap().into_trailers().unwrap();
            let status = Status::from_header_map(&trailers).unwrap();
            assert_eq!(status.code(), tonic::Code::ResourceExhausted);
            assert!(status.message().contains("peça a lista de novo"), "{}", status.message());
            assert_eq!(status.get_error_details().error_info().unwrap().reason, "RESOURCE_EXHAUSTED");
            assert_eq!(frames.len(), usize::from(is_begun));
        }
    }
}
