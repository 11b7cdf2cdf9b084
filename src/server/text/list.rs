//! Lists, which may take several turns to write.

use std::io;
use std::ops::ControlFlow;

use super::Conversation;
use super::buffers::WRITE_BYTES;
use crate::inventory::{Listing, Stopped};
use crate::operation::Operation;
use crate::wire::text;

impl Conversation<'_> {
    /// Writes a list, in turns. If the list cannot be finished, its last line is the refusal.
    pub(super) async fn write_list(&mut self, mut listing: Listing) -> io::Result<()> {
        let mut turn = self.service.long_work.begin();
        let mut is_empty = true;
        loop {
            let replies = self.pipeline.next_answer();
            let turn_end = replies.len() + turn.bytes();
            let stopped = listing.visit(|product| {
                is_empty = false;
                text::write_list_line(replies, &product);
                if replies.len() >= turn_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match stopped {
                Ok(Stopped::AtEnd) => {
                    text::write_list_end(replies, is_empty);
                    self.turn.count(Some(Operation::ListProducts), None);
                    break;
                }
                Ok(Stopped::AsAsked | Stopped::InTurn) => {}
                Err(refusal) => {
                    text::write_refusal(replies, &refusal);
                    self.turn.count(Some(Operation::ListProducts), Some(refusal.code));
                    break;
                }
            }
            if self.pipeline.ready_bytes() >= WRITE_BYTES {
                turn.end().await;
                self.send_ready().await?;
            }
            turn.next().await;
        }
        turn.end().await;
        Ok(())
    }
}
