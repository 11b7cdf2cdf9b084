//! The messages that say a whole request, each in one call.

use prost::Message;

use super::adjust::{adjust_request, batch_request};
use super::count_stock::count_request;
use super::import::import_request;
use super::low_stock::low_stock_request;
use super::movements::movements_request;
use super::purchases::{expiring_request, trace_request};
use super::summaries::summary_request;
use super::terms::{clear_examples_request, merge_request, product_changes_request, update_request};
use super::undo_import::undo_import_request;
use super::undo_movement::undo_request;
use super::v1;
use crate::operation::Request;
use crate::refusal::Refusal;

/// A message that says a whole request.
pub trait RequestMessage: Message + Default + 'static {
    /// Reads the request.
    ///
    /// # Errors
    /// If a field is wrong (`INVALID_ARGUMENT`).
    fn request(&self) -> Result<Request<'_>, Refusal>;
}

/// Makes the requests of messages, by what reads each.
macro_rules! request_messages {
    ($($message:ident: $read:expr, $operation:expr;)+) => {
        $(impl RequestMessage for v1::$message {
            fn request(&self) -> Result<Request<'_>, Refusal> {
                $read(self).map($operation)
            }
        })+
    };
}

request_messages! {
    AdjustStockRequest: adjust_request, Request::AdjustStock;
    BatchAdjustStockRequest: batch_request, Request::BatchAdjustStock;
    ImportProductsRequest: import_request, Request::ImportProducts;
    CountStockRequest: count_request, Request::CountStock;
    UndoMovementRequest: undo_request, Request::UndoMovement;
    UpdateProductRequest: update_request, Request::UpdateProduct;
    ListProductChangesRequest: product_changes_request, Request::ListProductChanges;
    MergeProductsRequest: merge_request, Request::MergeProducts;
    UndoImportRequest: undo_import_request, Request::UndoImport;
    ClearExamplesRequest: clear_examples_request, |request_id| Request::ClearExamples { request_id };
    ListMovementsRequest: movements_request, Request::ListMovements;
    SummarizeMovementsRequest: summary_request, Request::SummarizeMovements;
    ListLowStockRequest: low_stock_request, Request::ListLowStock;
    ListExpiringStockRequest: expiring_request, Request::ListExpiringStock;
    TracePurchasesRequest: trace_request, Request::TracePurchases;
}

impl RequestMessage for v1::GetStatusRequest {
    fn request(&self) -> Result<Request<'_>, Refusal> {
        Ok(Request::GetStatus)
    }
}
