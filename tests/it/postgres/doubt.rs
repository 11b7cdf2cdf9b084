//! A connection to the engine that breaks after any byte of a commit or of its answer. The change is made once, and
//! answered so.

use hortifruti::client::{self, ConnectOptions, Service};
use hortifruti::wire::Protocol;
use hortifruti::wire::grpc::v1::{AdjustStockRequest, Product, UpdateProductRequest};

use super::wire::{Cut, Lengths, Wire};
use crate::support::Server;
use crate::support::postgres::Version;

/// A change whose commit is known by its words, and its answer.
struct Change {
    /// Asks for the change of this number, which carries these words, and asserts that it is made.
    make: fn(&Client, usize, &str),
}

/// The stock before the first sale.
const STOCK: i64 = 60_000;

const CHANGES: [Change; 2] = [
    Change {
        // A movement, whose note the commit carries and no look-up.
        make: |client, number, words| {
            let request = AdjustStockRequest {
                name: "Caju".into(),
                delta_thousandths: 1000,
                request_id: format!("pedido-{number}"),
                note: words.into(),
                ..AdjustStockRequest::default()
            };
            let mut service = client.service.clone();
            let made = client.runtime.block_on(service.adjust_stock(request)).unwrap().into_inner();
            let stock = made.product.unwrap().stock_thousandths;
            assert_eq!(stock, STOCK + 1000 * (number as i64 + 1), "{words}");
        },
    },
    Change {
        // A change of terms, without a movement.
        make: |client, number, words| {
            let request = UpdateProductRequest {
                name: "Pera".into(),
                product: Some(Product { category: words.into(), ..Product::default() }),
                update_mask: Some(prost_types::FieldMask { paths: vec!["category".into()] }),
                request_id: format!("cadastro-{number}"),
            };
            let mut service = client.service.clone();
            let made = client.runtime.block_on(service.update_product(request)).unwrap().into_inner();
            assert_eq!(made.product.unwrap().category, words);
        },
    },
];

struct Client {
    runtime: tokio::runtime::Runtime,
    service: Service,
}

impl Client {
    fn new(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = ConnectOptions { protocol: Some(Protocol::Http2), ..ConnectOptions::default() };
        let address = format!("127.0.0.1:{port}");
        let connection = runtime.block_on(client::Connection::connect(&address, &options)).unwrap();
        let client::Connection::Grpc(connection) = connection else { panic!("no gRPC") };
        Self { service: connection.service(), runtime }
    }
}

/// Breaks the connection after every so many bytes of a commit and of its answer, and returns how many times.
pub(crate) fn break_everywhere(version: &'static Version, of_commit: usize, of_answer: usize) -> usize {
    let wire = Wire::to(version.shared().port);
    let address = version.new_shop();
    let mut server = Server::start(&["--data", &wire.address(&address)]);
    let client = Client::new(server.port);
    let mut cuts = 0;
    for Change { make } in &CHANGES {
        let words = |number: usize| format!("corte {number}");
        // The first commit of a kind also prepares its statement, so the second one is measured.
        make(&client, 0, &words(0));
        let Lengths { commit, answer } = wire.measure(&words(1), || make(&client, 1, &words(1)));
        let places = (0..commit).step_by(of_commit).map(Cut::Commit);
        let places = places.chain((0..=answer).step_by(of_answer).map(Cut::Answer));
        for (number, place) in (2..).zip(places) {
            wire.cut(&words(number), place);
            make(&client, number, &words(number));
            // A connection that broke after a whole answer is found broken by the next commit.
            assert!(wire.has_cut(), "{place:?} of {commit} and {answer} bytes");
            cuts += 1;
            // Asked again, the change is answered as it was made, and not made again.
            if number % 16 == 0 {
                make(&client, number, &words(number));
            }
        }
    }
    server.stop();
    let verified = server.run(&["verify", &address]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    cuts
}
