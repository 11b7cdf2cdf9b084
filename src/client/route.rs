//! The servers of a shop, in the order in which a client tries them.

use std::time::Duration;

use tokio::task::JoinSet;

use super::discover::is_address;
use super::{ConnectOptions, Connection, ConnectionError, Discovery};

/// The time that a server has to answer before the next one is tried beside it. Two machines of one network
/// need far less, and a machine without current answers nothing at all.
const BESIDE_AFTER: Duration = Duration::from_millis(250);

/// The most servers that are avoided: more than any shop has, and a server cannot fill the memory with names.
const AVOIDED_MAX: usize = 16;

/// The servers of a shop, as one client knows them.
pub(super) struct Route {
    discovery: Discovery,
    /// The server that writes for the shop, as another one said.
    holder: Option<String>,
    /// The servers that were of no use, the latest of them last.
    avoided: Vec<String>,
}

impl Route {
    pub(super) fn new(discovery: Discovery) -> Self {
        Self { discovery, holder: None, avoided: Vec::new() }
    }

    /// The addresses to try, the best first.
    ///
    /// # Errors
    /// If no server is known.
    fn addresses(&self) -> Result<Vec<String>, ConnectionError> {
        let mut addresses = match (self.discovery.find(), &self.holder) {
            (Ok(addresses), _) => addresses,
            // The server of the port file may be gone, and the shop be served by another machine.
            (Err(_), Some(_)) => Vec::new(),
            (Err(error), None) => return Err(error),
        };
        addresses.extend(self.holder.clone().filter(|holder| !addresses.contains(holder)));
        // A server that was never avoided comes before the others, and the order is kept otherwise.
        let avoided_at = |address: &String| self.avoided.iter().position(|avoided| avoided == address);
        let is_holder =
            |address: &String| self.holder.as_ref() == Some(address) && self.avoided.last() != Some(address);
        addresses.sort_by_key(|address| (!is_holder(address), avoided_at(address)));
        Ok(addresses)
    }

    /// Whether the shop has several servers.
    pub(super) fn has_several(&self) -> bool {
        self.addresses().is_ok_and(|addresses| addresses.len() > 1)
    }

    /// Whether another server than the one at this address may answer.
    pub(super) fn has_other_than(&self, address: &str) -> bool {
        self.addresses().is_ok_and(|addresses| addresses.iter().any(|other| other != address))
    }

    /// Notes that the server at this address did not answer.
    pub(super) fn note_failure(&mut self, address: &str) {
        self.avoided.retain(|avoided| avoided != address);
        self.avoided.push(address.to_owned());
        if self.avoided.len() > AVOIDED_MAX {
            self.avoided.remove(0);
        }
    }

    /// Notes the refusal of a server that stands by. Returns whether it names another server to ask.
    pub(super) fn note_holder(&mut self, from: &str, holder: &str) -> bool {
        let is_other = is_address(holder) && holder != from;
        self.holder = is_other.then(|| holder.to_owned());
        self.note_failure(from);
        is_other
    }

    /// Connects to the first server that answers. A server that answers late does not hold up the next one.
    ///
    /// # Errors
    /// If none of the servers answers. If one of them cannot be used whatever the others do, its error.
    pub(super) async fn connect(&self, options: &ConnectOptions) -> Result<Connection, ConnectionError> {
        let addresses = self.addresses()?;
        if let [address] = &addresses[..] {
            return Connection::connect(address, options).await;
        }
        let mut rest = addresses.into_iter();
        let mut attempts = JoinSet::new();
        let mut failures = Vec::new();
        loop {
            match rest.next() {
                Some(address) => {
                    let options = options.clone();
                    attempts.spawn(async move {
                        let connected = Connection::connect(&address, &options).await;
                        connected.map_err(|error| (address, error))
                    });
                }
                None if attempts.is_empty() => return Err(none_answers(failures)),
                None => {}
            }
            let next = async {
                match rest.len() {
                    0 => attempts.join_next().await,
                    _ => tokio::time::timeout(BESIDE_AFTER, attempts.join_next()).await.unwrap_or(None),
                }
            };
            match next.await {
                Some(Ok(Ok(connection))) => return Ok(connection),
                Some(Ok(Err(failure))) => failures.push(failure),
                // The attempt is late, and the next one begins beside it.
                Some(Err(_)) | None => {}
            }
        }
    }

    /// The addresses, for reports of a wait.
    ///
    /// # Errors
    /// If no server is known.
    pub(super) fn names(&self) -> Result<String, ConnectionError> {
        Ok(self.addresses()?.join(" ou "))
    }

    /// The error of a connection, with a note if the port file is stale.
    pub(super) fn explain(&self, error: ConnectionError) -> ConnectionError {
        self.discovery.explain(error)
    }
}

/// The error if no server answers.
fn none_answers(mut failures: Vec<(String, ConnectionError)>) -> ConnectionError {
    if let Some(lasting) = failures.iter().position(|(_, error)| !error.may_pass()) {
        return failures.swap_remove(lasting).1;
    }
    let each = failures.iter().map(|(address, error)| match error {
        ConnectionError::Connect { error, .. } => format!("{address} ({})", crate::io_error::describe(error)),
        _ => format!("{address} (não responde)"),
    });
    ConnectionError::NoServer(format!(
        "nenhum destes servidores atende: {}. Nada foi enviado; inicie um deles com `hortifruti serve`",
        each.collect::<Vec<_>>().join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(addresses: &[&str]) -> Route {
        Route::new(Discovery::Addresses(addresses.iter().map(|&address| address.to_owned()).collect()))
    }

    #[test]
    fn every_server_has_its_turn_and_the_holder_comes_first() {
        let mut route = route(&["a:1", "b:1", "c:1"]);
        let order = |route: &Route| route.addresses().unwrap().join(" ");
        assert_eq!(order(&route), "a:1 b:1 c:1");
        route.note_failure("a:1");
        assert_eq!(order(&route), "b:1 c:1 a:1");
        route.note_failure("b:1");
        assert_eq!(order(&route), "c:1 a:1 b:1");
        assert!(route.note_holder("c:1", "b:1"));
        assert_eq!(order(&route), "b:1 a:1 c:1");
        // The holder does not answer: the one that named it may write by now.
        route.note_failure("b:1");
        assert_eq!(order(&route), "a:1 c:1 b:1");
        assert!(route.note_holder("c:1", "d:1"));
        assert_eq!(order(&route), "d:1 a:1 b:1 c:1");
        for nobody in ["", "c:1", "c", "http://c:1/", "c:1\u{1b}", "c d:1"] {
            assert!(!route.note_holder("c:1", nobody), "{nobody:?}");
            assert_eq!(order(&route), "a:1 b:1 c:1");
        }
    }

    #[test]
    fn what_is_avoided_is_bounded() {
        let mut route = route(&["a:1"]);
        for number in 0..100 {
            route.note_holder(&format!("b:{number}"), "c:1");
        }
        assert_eq!(route.avoided.len(), AVOIDED_MAX);
        assert!(route.has_other_than("a:1") && route.has_other_than("c:1"));
    }
}
