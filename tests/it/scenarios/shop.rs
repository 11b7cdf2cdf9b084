//! The shop that a scenario runs over: a server, and a client of one transport with typed answers.

use std::ops::{Deref, DerefMut};

use hortifruti::operation::Operation;
use tempfile::TempDir;

use super::{Store, TRANSPORTS, Transport, grpc};
use crate::support::waiting::wait_for;
use crate::support::{Server, list, make_token};

/// What tokens permit.
pub(super) const ROLES: [&str; 4] = ["leitura", "contagem", "venda", "escrita"];

/// A product as a transport shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) price_centavos: i64,
    pub(super) stock_thousandths: i64,
}

impl Product {
    pub(super) fn new(name: &str, price_centavos: i64, stock_thousandths: i64) -> Self {
        Self { name: name.to_owned(), price_centavos, stock_thousandths }
    }
}

/// The reason of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Adjustment,
    Purchase,
    Sale,
    Waste,
}

/// A row of the ledger as a transport shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) sequence: i64,
    /// The word of the kind.
    pub(super) kind: String,
    pub(super) product_name: String,
    pub(super) delta_thousandths: i64,
    pub(super) balance_thousandths: i64,
    pub(super) amount_centavos: i64,
}

/// A change of one product's stock.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) name: String,
    pub(super) delta_thousandths: i64,
    pub(super) kind: Kind,
    /// Empty if the client gives none.
    pub(super) request_id: String,
    pub(super) total_centavos: Option<i64>,
    /// The word of the reason of a loss, or another word.
    pub(super) cause: Option<&'static str>,
}

impl Change {
    pub(super) fn new(name: &str, delta_thousandths: i64) -> Self {
        Self {
            name: name.to_owned(),
            delta_thousandths,
            kind: Kind::Adjustment,
            request_id: String::new(),
            total_centavos: None,
            cause: None,
        }
    }

    pub(super) fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn total(self, centavos: i64) -> Self {
        Self { total_centavos: Some(centavos), ..self }
    }

    pub(super) fn cause(self, word: &'static str) -> Self {
        Self { cause: Some(word), ..self }
    }

    pub(super) fn id(self, request_id: &str) -> Self {
        Self { request_id: request_id.to_owned(), ..self }
    }
}

/// A row of a price list.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) price_centavos: i64,
    pub(super) unit: &'static str,
    /// The stock of a product that the list creates.
    pub(super) stock_thousandths: i64,
    pub(super) terms: DraftTerms,
}

/// The other terms of a row of a price list, as far as the row has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DraftTerms {
    /// 0 for none.
    pub(super) code: i32,
    pub(super) barcodes: &'static [&'static str],
    /// Empty for none.
    pub(super) category: &'static str,
    pub(super) minimum_thousandths: Option<i64>,
    pub(super) target_thousandths: Option<i64>,
    pub(super) shelf_life_days: Option<i32>,
}

impl Draft {
    pub(super) fn new(name: &str, price_centavos: i64, unit: &'static str, stock_thousandths: i64) -> Self {
        let terms = DraftTerms::default();
        Self { name: name.to_owned(), price_centavos, unit, stock_thousandths, terms }
    }

    pub(super) fn terms(self, terms: DraftTerms) -> Self {
        Self { terms, ..self }
    }
}

/// New terms of a product; `None` leaves a term as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) name: Option<&'static str>,
    pub(super) price_centavos: Option<i64>,
    pub(super) code: Option<i32>,
    pub(super) minimum_thousandths: Option<i64>,
    pub(super) target_thousandths: Option<i64>,
    pub(super) shelf_life_days: Option<i32>,
    pub(super) is_discontinued: Option<bool>,
}

/// The counts of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) created: usize,
    pub(super) updated: usize,
    pub(super) unchanged: usize,
}

/// The counts of the undo of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UndoneImport {
    pub(super) restored: usize,
    pub(super) retired: usize,
    pub(super) kept: usize,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The code; several if the transport has one sign for them.
    pub(super) codes: Vec<String>,
    pub(super) message: String,
    /// The bad rows of a price list, by index.
    pub(super) rows: Vec<usize>,
}

/// A client of one transport. The method of an operation that some transport lacks has a body, which is
/// called only if the transport leaves the operation out of its `cannot`.
pub(super) trait Client: Send {
    fn get_product(&mut self, name: &str) -> Result<Product, Refused>;

    fn list_products(&mut self, max_price_centavos: Option<i64>) -> Result<Vec<Product>, Refused>;

    fn adjust_stock(&mut self, change: &Change) -> Result<Product, Refused>;

    /// The last movements, newest first; an empty name asks for those of all products.
    fn list_movements(&mut self, name: &str, limit: usize) -> Result<Vec<Movement>, Refused>;

    /// The first movements after this number, in order, as a watcher gets them, who waits for so many. An empty
    /// name asks for those of all products.
    fn watch_movements(&mut self, name: &str, after: i64, count: usize) -> Result<Vec<Movement>, Refused>;

    /// Changes that are on their way together, each on its own.
    fn stream_adjust_stock(&mut self, _changes: &[Change]) -> Vec<Result<Product, Refused>> {
        unwritten(Operation::StreamAdjustStock)
    }

    fn batch_adjust_stock(
        &mut self,
        _changes: &[Change],
        _request_id: &str,
    ) -> Result<Vec<Product>, Refused> {
        unwritten(Operation::BatchAdjustStock)
    }

    /// An empty request id is none; a dry run changes nothing.
    fn import_products(
        &mut self,
        _drafts: &[Draft],
        _is_dry_run: bool,
        _request_id: &str,
    ) -> Result<Counts, Refused> {
        unwritten(Operation::ImportProducts)
    }

    /// Sets a stock to what was counted. An empty request id is none.
    fn count_stock(
        &mut self,
        name: &str,
        counted_thousandths: i64,
        request_id: &str,
    ) -> Result<Product, Refused>;

    /// Undoes a movement, with its whole document. An empty request id is none.
    fn undo_movement(&mut self, sequence: i64, request_id: &str) -> Result<Vec<Product>, Refused>;

    /// Asks as the owner of a token from now on.
    fn present_token(&mut self, secret: &str);

    /// Gives a product other terms. An empty request id is none.
    fn update_product(&mut self, _name: &str, _terms: &Terms, _request_id: &str) -> Result<Product, Refused> {
        unwritten(Operation::UpdateProduct)
    }

    /// The changes of a product's terms, newest first: field, old value, new value.
    fn list_product_changes(&mut self, _name: &str) -> Result<Vec<(String, String, String)>, Refused> {
        unwritten(Operation::ListProductChanges)
    }

    /// Moves the stock of a product to another one. An empty request id is none.
    fn merge_products(
        &mut self,
        _from: &str,
        _into: &str,
        _request_id: &str,
    ) -> Result<Vec<Product>, Refused> {
        unwritten(Operation::MergeProducts)
    }

    /// Undoes the last import. An empty request id is none.
    fn undo_import(&mut self, _request_id: &str) -> Result<UndoneImport, Refused> {
        unwritten(Operation::UndoImport)
    }

    /// Clears the examples. An empty request id is none.
    fn clear_examples(&mut self, _request_id: &str) -> Result<Vec<Product>, Refused> {
        unwritten(Operation::ClearExamples)
    }

    /// The money of the sales of each product.
    fn summarize_sales(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        unwritten(Operation::SummarizeMovements)
    }

    /// The products that run out, and what to buy of each, in thousandths.
    fn list_low_stock(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        unwritten(Operation::ListLowStock)
    }

    /// The products that expire in so many days, and what is left of each purchase, in thousandths.
    fn list_expiring_stock(&mut self, _days: i32) -> Result<Vec<(String, i64)>, Refused> {
        unwritten(Operation::ListExpiringStock)
    }

    /// The numbers of the purchases from a supplier or of a lot, and what is left of each, in thousandths.
    fn trace_purchases(&mut self, _words: &str) -> Result<Vec<(i64, i64)>, Refused> {
        unwritten(Operation::TracePurchases)
    }
}

fn unwritten(operation: Operation) -> ! {
    panic!("this transport neither asks for {operation:?} nor says that it cannot")
}

impl dyn Client {
    /// The stock of a product, in thousandths.
    pub(super) fn stock(&mut self, name: &str) -> i64 {
        self.get_product(name).unwrap().stock_thousandths
    }

    pub(super) fn products(&mut self) -> Vec<Product> {
        self.list_products(None).unwrap()
    }

    /// Makes a change that must be made.
    pub(super) fn change(&mut self, name: &str, delta_thousandths: i64) -> Product {
        self.adjust_stock(&Change::new(name, delta_thousandths)).unwrap()
    }
}

/// Asserts that an answer is a refusal with this code, and returns the refusal.
#[track_caller]
pub(super) fn refused<T: std::fmt::Debug>(answer: Result<T, Refused>, code: &str) -> Refused {
    let refused = answer.expect_err(code);
    assert!(refused.codes.iter().any(|own| own == code), "not {code}: {refused:?}");
    assert!(refused.message.contains("Nada foi "), "{refused:?}");
    refused
}

/// A server with its client. Dereferences to the client.
pub(super) struct Shop {
    server: Server,
    client: Box<dyn Client>,
    transport: &'static Transport,
    store: &'static Store,
}

impl Shop {
    /// Starts a server with these options beside those of the store.
    pub(super) fn open(transport: &'static Transport, store: &'static Store, options: &[&str]) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), transport, store, options)
    }

    /// Another shop over the same transport and store, with these options of `serve`.
    pub(super) fn another(&self, options: &[&str]) -> Self {
        Self::open(self.transport, self.store, options)
    }

    /// Another shop over the same transport and store, with a token for each role, called as the role.
    pub(super) fn with_roles(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for role in ROLES {
            make_token(folder.path(), role, role);
        }
        Self::open_in(folder, self.transport, self.store, &["--token-file", "tokens"])
    }

    fn open_in(
        folder: TempDir,
        transport: &'static Transport,
        store: &'static Store,
        options: &[&str],
    ) -> Self {
        let place = (store.new_shop)();
        let data = place.as_ref().map_or(Vec::new(), |place| vec!["--data", place]);
        let server = Server::start_in(folder, &[&data, options].concat());
        let client = (transport.open)(&server);
        Self { server, client, transport, store }
    }

    /// A client with the token of a role.
    pub(super) fn colleague_of_role(&self, role: &str) -> Box<dyn Client> {
        let mut client = self.colleague();
        let secret = std::fs::read_to_string(self.server.path().join(role)).unwrap();
        client.present_token(secret.trim_end());
        client
    }

    /// Runs a one-shot over the protocol that the server speaks best.
    pub(super) fn run(&self, args: &[&str]) {
        let ended = self.server.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    }

    /// Puts products into the shop, over a transport that can.
    pub(super) fn arrange(&self, drafts: &[Draft]) {
        (grpc::TRANSPORT.open)(&self.server).import_products(drafts, false, "").unwrap();
    }

    /// Makes changes together, over a transport that can.
    pub(super) fn arrange_batch(&self, changes: &[Change]) {
        (grpc::TRANSPORT.open)(&self.server).batch_adjust_stock(changes, "").unwrap();
    }

    /// Imports one of the real price lists.
    pub(super) fn import_file(&self, name: &str) {
        let imported = self.server.run(&["import", list(name).to_str().unwrap()]);
        assert_eq!(imported.code, 0, "{}", imported.err);
    }

    /// One more client of the same transport.
    pub(super) fn colleague(&self) -> Box<dyn Client> {
        (self.transport.open)(&self.server)
    }

    /// A client of each transport that can ask for this operation, by name.
    pub(super) fn clients(&self, operation: Operation) -> Vec<(&'static str, Box<dyn Client>)> {
        let able = TRANSPORTS.iter().filter(|transport| transport.can(operation));
        able.map(|transport| (transport.name, (transport.open)(&self.server))).collect()
    }

    /// Whether each question takes long, so that a scenario asks fewer.
    pub(super) fn is_slow(&self) -> bool {
        self.transport.is_slow
    }

    /// Kills the server and starts it again.
    pub(super) fn crash(&mut self) {
        self.server.kill();
        self.start_again();
    }

    /// Stops the server and starts it again.
    pub(super) fn close_and_open(&mut self) {
        self.server.stop();
        self.start_again();
    }

    /// Closes the shop and checks that what the store keeps is sound.
    pub(super) fn verify(mut self) {
        if self.store.is_durable {
            self.server.stop();
            let place = self.server.data().map(str::to_owned);
            let verified =
                self.server.run(&["verify"].into_iter().chain(place.as_deref()).collect::<Vec<_>>());
            assert_eq!(verified.code, 0, "{}", verified.err);
        }
    }

    /// Starts the server again, and waits until it writes: in PostgreSQL it stands by while the lease of a killed
    /// server lasts.
    fn start_again(&mut self) {
        self.server.restart();
        wait_for(|| {
            let status = self.server.run(&["status"]);
            if status.out.contains("de reserva") { Err(status.out) } else { Ok(()) }
        });
        self.client = (self.transport.open)(&self.server);
    }
}

impl Deref for Shop {
    type Target = dyn Client;

    fn deref(&self) -> &Self::Target {
        &*self.client
    }
}

impl DerefMut for Shop {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.client
    }
}

/// The products of a new shop.
pub(super) fn four_products() -> Vec<Product> {
    vec![
        Product::new("Maca", 300, 20_000),
        Product::new("Pera", 500, 15_000),
        Product::new("Banana", 1000, 30_000),
        Product::new("Caju", 200, 60_000),
    ]
}
