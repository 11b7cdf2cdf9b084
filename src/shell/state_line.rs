//! The line above the prompt, which says where the shell is.

use super::in_doubt::Change;

/// The line above the prompt: the server, the shop, and what is in doubt. It is shown when it changes, and
/// before each prompt while a change is in doubt. At the beginning the shell has just said where it is, so a
/// person who uses the original's commands alone sees what the original showed.
pub(super) struct StateLine {
    shop: Option<String>,
    shown: String,
    was_shown: bool,
}

impl StateLine {
    /// The line of a shell that has just connected to this server.
    pub(super) fn new(server: Option<&str>, shop: Option<String>) -> Self {
        let shown = text(server, shop.as_deref(), &[]);
        Self { shop, shown, was_shown: false }
    }

    /// Has the line shown before the next prompt, if it was never shown.
    pub(super) fn show_once(&mut self) {
        if !self.was_shown {
            self.show_again();
        }
    }

    /// Has the line shown before the next prompt.
    pub(super) fn show_again(&mut self) {
        self.shown.clear();
    }

    /// The line, if it is to be shown now.
    pub(super) fn due(&mut self, server: Option<&str>, in_doubt: &[Change]) -> Option<String> {
        let text = text(server, self.shop.as_deref(), in_doubt);
        let is_due = text != self.shown || !in_doubt.is_empty();
        self.shown.clone_from(&text);
        self.was_shown |= is_due;
        is_due.then_some(text)
    }
}

fn text(server: Option<&str>, shop: Option<&str>, in_doubt: &[Change]) -> String {
    let mut parts = vec![server.unwrap_or("sem conexão").to_owned()];
    parts.extend(shop.map(|shop| format!("loja {shop}")));
    match in_doubt {
        [] => {}
        [change] => parts.push(format!("1 em dúvida: {change}")),
        [oldest, ..] => parts.push(format!("{} em dúvida, a mais antiga: {oldest}", in_doubt.len())),
    }
    format!("[{}]", parts.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::super::kept::Record;
    use super::*;

    #[test]
    fn the_line_is_shown_when_it_changes() {
        let mut line = StateLine::new(Some("localhost:1"), Some("frutas".to_owned()));
        assert_eq!(line.due(Some("localhost:1"), &[]), None);
        line.show_again();
        assert_eq!(line.due(Some("localhost:1"), &[]).as_deref(), Some("[localhost:1 · loja frutas]"));
        assert_eq!(line.due(Some("localhost:1"), &[]), None);
        assert_eq!(line.due(None, &[]).as_deref(), Some("[sem conexão · loja frutas]"));
        assert_eq!(line.due(Some("localhost:2"), &[]).as_deref(), Some("[localhost:2 · loja frutas]"));
        let change = Record { shop: String::new(), line: "3 Caju -20 id=a".to_owned(), change: None };
        let change = Change::read(&change).unwrap();
        let told = "[localhost:2 · loja frutas · 1 em dúvida: 3 Caju -20]";
        for _ in 0..2 {
            let shown = line.due(Some("localhost:2"), std::slice::from_ref(&change));
            assert_eq!(shown.as_deref(), Some(told));
        }
        assert!(line.due(Some("localhost:2"), &[]).is_some());
    }
}
