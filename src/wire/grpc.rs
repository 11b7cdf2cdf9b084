//! gRPC: the generated code, and the conversions between its messages and ours, in both
//! directions.

mod adjust;
mod encode;
mod fields;
mod import;
mod legacy;
mod page;
mod products;
mod status;

pub use adjust::{
    adjust_message, adjust_request, batch_message, batch_request, change_message, change_reply,
    write_stream_answer,
};
pub use import::{import_counts, import_message, import_request, import_response};
pub use legacy::{original_product, original_status, price_from_float, product_line, write_original_product};
pub use page::{PAGE_PRODUCTS_MAX, Page};
pub use products::{WriteProduct, product_message, product_reply, write_product};
pub use status::{refusal, status};

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
