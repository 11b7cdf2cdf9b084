//! Changes as bytes, for a client that keeps what it sends until the answer has come.

use prost::Message;

use super::adjust::{adjust_message, batch_message};
use super::count_stock::count_message;
use super::import::import_message;
use super::requests::RequestMessage as _;
use super::terms::{merge_message, update_message};
use super::undo_movement::undo_message;
use super::v1;
use crate::operation::{Operation, Request};
use crate::refusal::Refusal;

/// Makes [`StoredChange`] from one row for each operation: its message, and what writes that.
macro_rules! stored_changes {
    ($($operation:ident: $message:ident, $write:ident;)+) => {
        /// A change as its message in `inventory.proto`, which holds all of the request.
        #[derive(Debug, Clone, PartialEq)]
        pub enum StoredChange {
            $(#[doc = concat!("A request of the operation `", stringify!($operation), "`.")] $operation(v1::$message),)+
        }

        impl StoredChange {
            /// The change of a request. `None` if the request changes nothing, or is not kept in this way.
            pub fn of(request: &Request<'_>) -> Option<Self> {
                match request {
                    $(Request::$operation(request) => Some(StoredChange::$operation($write(request))),)+
                    _ => None,
                }
            }

            /// Reads the bytes of a change of the operation with this name.
            pub fn decode(operation: &str, bytes: &[u8]) -> Option<Self> {
                match Operation::by_name(operation)? {
                    $(Operation::$operation => v1::$message::decode(bytes).ok().map(StoredChange::$operation),)+
                    _ => None,
                }
            }

            /// The name of the change's operation, and its bytes.
            pub fn encode(&self) -> (&'static str, Vec<u8>) {
                match self {
                    $(StoredChange::$operation(message) => {
                        (Operation::$operation.spec().name, message.encode_to_vec())
                    })+
                }
            }

            /// The request.
            ///
            /// # Errors
            /// If a field is wrong (`INVALID_ARGUMENT`).
            pub fn request(&self) -> Result<Request<'_>, Refusal> {
                match self {
                    $(StoredChange::$operation(message) => message.request(),)+
                }
            }
        }
    };
}

stored_changes! {
    AdjustStock: AdjustStockRequest, adjust_message;
    BatchAdjustStock: BatchAdjustStockRequest, batch_message;
    CountStock: CountStockRequest, count_message;
    UndoMovement: UndoMovementRequest, undo_message;
    ImportProducts: ImportProductsRequest, import_message;
    UpdateProduct: UpdateProductRequest, update_message;
    MergeProducts: MergeProductsRequest, merge_message;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Kind;
    use crate::operation::{AdjustRequest, BatchRequest};

    #[test]
    fn a_change_reads_back_as_it_was_stored() {
        let adjust = |name| AdjustRequest { kind: Kind::Sale, ..AdjustRequest::of_units(name, -2) };
        let batch = BatchRequest {
            adjustments: vec![adjust("Maçã"), adjust("Caju")],
            request_id: Some("balcao-17".parse().unwrap()),
        };
        let requests = ["3 Caju -2,5 motivo=venda id=a", "contar Caju 57 id=b", "desfazer 812 id=c"];
        let requests = requests.map(|line| Request::parse(line).unwrap());
        for request in requests.into_iter().chain([Request::BatchAdjustStock(batch)]) {
            let (operation, bytes) = StoredChange::of(&request).unwrap().encode();
            let stored = StoredChange::decode(operation, &bytes).unwrap();
            assert_eq!(stored.request().unwrap(), request);
        }
        assert_eq!(StoredChange::of(&Request::Leave), None);
        assert_eq!(StoredChange::decode("ListProducts", &[]), None);
        assert_eq!(StoredChange::decode("UndoMovement", &[0xFF]), None);
    }
}
