//! Pasted text: each line is a separate command, and control characters do nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers};

/// The editor's handler of keys that may be part of pasted text.
#[derive(Default)]
pub(super) struct Paste {
    /// Whether the editor is between the marks that a terminal puts around pasted text.
    is_on: Arc<AtomicBool>,
    /// Whether the last key ended a line. A line feed right after it belongs to the same line end.
    has_ended_line: AtomicBool,
}

impl Paste {
    /// Whether the editor is between these marks, for as long as the handler lives.
    pub(super) fn is_on(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_on)
    }

    fn key(&self, KeyEvent(code, modifiers): KeyEvent) -> Option<Cmd> {
        let is_control = modifiers.contains(Modifiers::CTRL);
        let is_return = code == KeyCode::Enter || (is_control && code == KeyCode::Char('M'));
        let follows_return = self.has_ended_line.swap(is_return, Ordering::Relaxed);
        let is_on = self.is_on.load(Ordering::Relaxed);
        match code {
            KeyCode::BracketedPasteStart | KeyCode::BracketedPasteEnd => {
                self.is_on.store(code == KeyCode::BracketedPasteStart, Ordering::Relaxed);
                Some(Cmd::Noop)
            }
            KeyCode::Char('J') if is_control && follows_return => Some(Cmd::Noop),
            _ if !is_on => None,
            _ if is_return => Some(Cmd::AcceptLine),
            KeyCode::Char('J') if is_control => Some(Cmd::AcceptLine),
            // Ctrl-C leaves the paste if the mark at its end is lost.
            KeyCode::Char('C') if is_control => {
                self.is_on.store(false, Ordering::Relaxed);
                None
            }
            KeyCode::Tab => Some(Cmd::Insert(1, " ".to_owned())),
            KeyCode::Char(_) if modifiers.is_empty() => None,
            _ => Some(Cmd::Noop),
        }
    }
}

impl ConditionalEventHandler for Paste {
    fn handle(&self, event: &Event, _: u16, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.key(*event.get(0)?)
    }
}
