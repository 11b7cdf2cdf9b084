//! A watch on a text connection: lines as events come, until the client says anything more.

use std::io;

use super::Conversation;
use crate::access;
use crate::inventory::Encoding;
use crate::operation::{HEARTBEAT_LINE, Operation, WatchRequest};
use crate::refusal::Refusal;
use crate::server::io::write_all;
use crate::wire::text;

/// Events as lines of the reply.
const LINES: Encoding = Encoding { place: 1, write: text::write_watched };

impl Conversation<'_> {
    /// Answers with the events that come. The client ends the watch by another command or by the end of its
    /// connection; it still gets the events before that moment, and then the empty line that ends the reply.
    /// `is_followed` says that another command has come already. If the server stops or the token is revoked,
    /// the last line is the refusal.
    pub(super) async fn watch(&mut self, request: WatchRequest<'_>, is_followed: bool) -> io::Result<()> {
        let mut watch = match self.session.watch(request, None).await {
            Ok(watch) => watch,
            Err(refusal) => {
                self.refuse(Some(Operation::WatchMovements), refusal);
                return Ok(());
            }
        };
        self.turn.count(Some(Operation::WatchMovements), None);
        self.send().await?;
        if is_followed {
            watch.end_here();
        }
        let mut stopping = Box::pin(self.service.stopping());
        let (mut is_ending, mut has_lines) = (is_followed, false);
        let end = loop {
            let mut lines = Vec::new();
            let next = tokio::select! {
                biased;
                () = &mut stopping => break Some(Refusal::watch_stopping()),
                // An error of the connection is noticed by the next read or write too.
                _ = self.stream.says_more(), if !is_ending => {
                    is_ending = true;
                    watch.end_here();
                    continue;
                }
                next = watch.next(&LINES, &mut lines) => next,
            };
            match next {
                Ok(true) => {}
                Ok(false) => break None,
                Err(refusal) => break Some(refusal),
            }
            if self.authenticator.renew(&mut self.identity) {
                self.sign();
                if let Err(refusal) =
                    access::check(&self.identity, Operation::WatchMovements.spec().permission)
                {
                    break Some(refusal);
                }
            }
            write_all(&mut self.stream, &lines).await?;
            has_lines = true;
            // Writing does not wait while the client takes everything, so the others have their turn.
            tokio::task::yield_now().await;
        };
        self.turn.begin();
        match end {
            Some(refusal) => text::write_refusal(self.pipeline.next_answer(), &refusal),
            None => {
                let replies = self.pipeline.next_answer();
                // A reply has at least one line.
                if !has_lines {
                    replies.push_str(HEARTBEAT_LINE);
                    replies.push('\n');
                }
                replies.push('\n');
            }
        }
        Ok(())
    }
}
