//! Replies to operations that are called by value.

use prost::Message;

use super::adjust::change_message;
use super::import::import_response;
use super::low_stock::low_stock_response;
use super::movements::movements_response;
use super::products::product_message;
use super::purchases::{expiring_response, traced_response};
use super::server_status::status_response;
use super::summaries::summaries_response;
use super::terms::product_changes_response;
use super::undo_import::undo_import_response;
use super::v1;
use crate::operation::Reply;

/// Writes a reply as the message of its call.
pub fn write_reply(reply: &Reply, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = match reply {
        Reply::Product(product) => {
            v1::GetProductResponse { product: Some(product_message(product)) }.encode(out)
        }
        Reply::Products(products) => {
            let products = products.iter().map(product_message).collect();
            v1::ListProductsResponse { products, next_page_token: String::new() }.encode(out)
        }
        Reply::Change(change) => change_message(change).encode(out),
        // All calls that make several changes share this message layout.
        Reply::Changes(changes) => {
            v1::BatchAdjustStockResponse { results: changes.iter().map(change_message).collect() }.encode(out)
        }
        Reply::Imported(reply) => match reply.undone {
            Some(undone) => undo_import_response(reply, undone).encode(out),
            None => import_response(reply).encode(out),
        },
        Reply::ProductChanges(page) => product_changes_response(page).encode(out),
        Reply::LowStock(low) => low_stock_response(low).encode(out),
        Reply::Expiring(expiring) => expiring_response(expiring).encode(out),
        Reply::Traced(page) => traced_response(page).encode(out),
        Reply::Summaries(summaries) => summaries_response(summaries).encode(out),
        Reply::Movements(page) => movements_response(page).encode(out),
        Reply::Status(status) => status_response(status).encode(out),
        // No gRPC call has this reply.
        Reply::Farewell => Ok(()),
    };
}
