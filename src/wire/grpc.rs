//! gRPC: the generated code, and the conversions between its messages and ours, in both
//! directions.

mod adjust;
mod count_stock;
mod encode;
mod fields;
mod import;
mod legacy;
mod low_stock;
mod movements;
mod page;
mod products;
mod purchases;
mod replies;
mod requests;
mod server_status;
mod short_change;
mod status;
mod stored;
mod summaries;
mod terms;
mod undo_import;
mod undo_movement;
mod watch;

pub use adjust::{
    WriteAdjusted, adjust_message, adjust_request, batch_message, batch_request, change_message,
    change_reply, write_adjusted, write_stream_answer,
};
pub use count_stock::{count_message, count_request};
pub use import::{import_message, import_reply, import_request};
pub use legacy::{
    LegacyCall, original_product, original_status, price_from_float, write_adjusted_line,
    write_original_found, write_original_product,
};
pub use low_stock::{low_stock, low_stock_message, low_stock_request};
pub use movements::{movement_message, movement_reply, movements_message, movements_request};
pub use page::{PAGE_PRODUCTS_MAX, Page, products_message};
pub use products::{
    WriteProduct, product_message, product_reply, write_found, write_list_end, write_product,
};
pub use purchases::{
    expiring_message, expiring_request, expiring_stock, trace_message, trace_request, traced,
};
pub use replies::write_reply;
pub use requests::RequestMessage;
pub use server_status::status_reply;
pub use short_change::short_change;
pub use status::{code, has_text_instead, refusal, status};
pub use stored::StoredChange;
pub use summaries::{summaries, summary_message, summary_request};
pub use terms::{
    clear_examples_message, clear_examples_request, merge_message, merge_request, product_change,
    product_changes_message, product_changes_request, update_message, update_request,
};
pub use undo_import::{undo_import_message, undo_import_reply, undo_import_request};
pub use undo_movement::{undo_message, undo_request};
pub use watch::{watch_message, watch_request, watched, write_watched};

/// The descriptors of both contracts and of what they import, as a `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The name of the exact service, whose calls have the names of operations.
pub const INVENTORY_SERVICE: &str = "hortifruti.v1.InventoryService";

/// The name of the original's service, whose calls are [`LegacyCall`].
pub const PRODUTO_SERVICE: &str = "ProdutoService";

/// The name of gRPC's own service for probes.
pub const HEALTH_SERVICE: &str = "grpc.health.v1.Health";

/// `proto/grpc/health/v1/health.proto`.
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}

/// `proto/hortifruti/v1/inventory.proto`.
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("hortifruti.v1");
}

/// `proto/produtos.proto`, the original's contract, which has no package.
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
pub mod original {
    tonic::include_proto!("_");
}

#[cfg(test)]
mod tests {
    use crate::operation::OPERATIONS;

    use super::*;

    /// The calls that a contract declares.
    fn calls(proto: &str) -> Vec<&str> {
        let declared = proto.lines().filter_map(|line| line.trim().strip_prefix("rpc "));
        declared.map(|call| call.split('(').next().unwrap()).collect()
    }

    #[test]
    fn the_contracts_have_the_calls_of_the_tables() {
        let mut declared = calls(include_str!("../../proto/hortifruti/v1/inventory.proto"));
        let with_call = OPERATIONS.iter().filter(|spec| spec.message.is_some());
        let mut known: Vec<_> = with_call.map(|spec| spec.name).collect();
        declared.sort_unstable();
        known.sort_unstable();
        assert_eq!(declared, known);
        let declared = calls(include_str!("../../proto/produtos.proto"));
        assert_eq!(declared, LegacyCall::ALL.map(LegacyCall::name));
    }
}
