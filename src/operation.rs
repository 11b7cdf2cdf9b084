//! Operations: everything that a client can ask, whatever the transport.
//!
//! [`OPERATIONS`] is the one table of them. The gRPC router, access control, the limits of messages, the
//! text protocol, the shell with its menu, help and completion, and the names in metrics read that table,
//! so an operation without a row does not exist. Each operation has a file below, with its request, its
//! reply and its forms as text; [`Request`] and [`Reply`] bring them together.

mod adjust_stock;
mod batch_adjust_stock;
mod change_reply;
mod form;
mod get_product;
mod import_products;
mod leave;
mod list_products;
mod product_reply;
mod words;

use std::fmt;

use crate::catalog::{ImportCounts, Price, Quoted, RequestId};
use crate::refusal::{Code, Refusal};

pub use adjust_stock::{AdjustRequest, Adjusted};
pub use batch_adjust_stock::BatchRequest;
pub use change_reply::{ChangeReply, MovementReply};
pub use form::{Argument, Form, forms, menu, sorted_forms};
pub use import_products::ImportRequest;
pub use leave::FAREWELL;
pub use list_products::NO_PRODUCT;
pub use product_reply::{ProductReply, write_product_line};
pub use words::split_word;

/// A row of the table.
pub struct Spec {
    /// The operation of this row.
    pub operation: Operation,
    /// The operation's name: its call in `InventoryService`, and its label in metrics.
    pub name: &'static str,
    /// The permission that the operation needs.
    pub permission: Permission,
    /// The limit of the gRPC message that asks for the operation. `None` if no gRPC call does.
    pub message: Option<MessageLimit>,
    /// The lines that ask for the operation. Empty if it has no form in the text protocol and the shell.
    pub forms: &'static [Form],
}

/// A right that a token gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Only operations that change nothing.
    Read,
    /// All operations.
    Write,
}

/// The limit of a gRPC message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLimit {
    /// The bytes of the largest message.
    pub bytes_max: usize,
    /// The limits of large messages, which take long to come and to look at. `None` if none are large.
    pub large: Option<LargeMessages>,
}

/// The limits that keep large messages from holding up others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargeMessages {
    /// The most messages that are read at one time, over all connections. The others wait unread.
    pub at_once_max: usize,
    /// The bytes of the largest message that a worker looks at itself, and not the side thread.
    pub worker_bytes_max: usize,
}

impl MessageLimit {
    /// The limit of most messages: a name as long as it may be written, and a request id.
    const SMALL: MessageLimit = MessageLimit { bytes_max: 16 * 1024, large: None };
}

/// Makes [`Operation`] and [`OPERATIONS`] from the same rows.
macro_rules! operations {
    ($($(#[$doc:meta])* $operation:ident { $($field:ident: $value:expr),+ $(,)? })+) => {
        /// One operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])* $operation,)+
        }

        /// Every operation, in the order of [`Operation`].
        pub static OPERATIONS: [Spec; [$(Operation::$operation),+].len()] = [
            $(Spec { operation: Operation::$operation, name: stringify!($operation), $($field: $value),+ },)+
        ];
    };
}

operations! {
    /// One product, by name.
    GetProduct {
        permission: Permission::Read,
        message: Some(MessageLimit::SMALL),
        forms: &get_product::FORMS,
    }
    /// A change of one product's stock.
    AdjustStock {
        permission: Permission::Write,
        message: Some(MessageLimit::SMALL),
        forms: &adjust_stock::FORMS,
    }
    /// Every product, or those up to a price.
    ListProducts {
        permission: Permission::Read,
        message: Some(MessageLimit::SMALL),
        forms: &list_products::FORMS,
    }
    /// Several changes of stock, all or none.
    BatchAdjustStock {
        permission: Permission::Write,
        message: Some(batch_adjust_stock::MESSAGE),
        forms: &[],
    }
    /// Changes of stock, each on its own, as a stream. The limit holds for each message.
    StreamAdjustStock {
        permission: Permission::Write,
        message: Some(MessageLimit::SMALL),
        forms: &[],
    }
    /// A price list.
    ImportProducts {
        permission: Permission::Write,
        message: Some(import_products::MESSAGE),
        forms: &[],
    }
    /// The end of the conversation.
    Leave {
        permission: Permission::Read,
        message: None,
        forms: &leave::FORMS,
    }
}

impl Operation {
    /// The operation's row of the table.
    #[inline]
    pub fn spec(self) -> &'static Spec {
        &OPERATIONS[self as usize]
    }

    /// The operation with this name, if there is one.
    pub fn by_name(name: &str) -> Option<Self> {
        OPERATIONS.iter().find(|spec| spec.name == name).map(|spec| spec.operation)
    }
}

/// A request as a client makes it. It borrows the bytes that were read, so that decoding copies nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// One product by name.
    GetProduct { name: &'a str },
    /// Every product, or those up to a price.
    ListProducts { max_price: Option<Price> },
    /// A change of stock.
    AdjustStock(AdjustRequest<'a>),
    /// Several changes of stock, all or none.
    BatchAdjustStock(BatchRequest<'a>),
    /// A price list.
    ImportProducts(ImportRequest),
    /// The end of the conversation.
    Leave,
}

/// An answer to a request that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The product asked for, or as the change left it.
    Product(ProductReply),
    /// The products asked for, in catalog order.
    Products(Vec<ProductReply>),
    /// The changes of a batch, in order.
    Batch(Vec<ChangeReply>),
    /// The counts of an import.
    Imported(ImportCounts),
    /// The server's goodbye.
    Farewell,
}

impl<'a> Request<'a> {
    /// The operation that is asked for.
    #[inline]
    pub fn operation(&self) -> Operation {
        match self {
            Request::GetProduct { .. } => Operation::GetProduct,
            Request::ListProducts { .. } => Operation::ListProducts,
            Request::AdjustStock(_) => Operation::AdjustStock,
            Request::BatchAdjustStock(_) => Operation::BatchAdjustStock,
            Request::ImportProducts(_) => Operation::ImportProducts,
            Request::Leave => Operation::Leave,
        }
    }

    /// The place of the request's id, if the request is a change: a change that is repeated under its id
    /// is made once.
    pub fn request_id_mut(&mut self) -> Option<&mut Option<RequestId>> {
        match self {
            Request::AdjustStock(adjust) => Some(&mut adjust.request_id),
            Request::BatchAdjustStock(batch) => Some(&mut batch.request_id),
            Request::ImportProducts(import) => (!import.is_dry_run).then_some(&mut import.request_id),
            Request::GetProduct { .. } | Request::ListProducts { .. } | Request::Leave => None,
        }
    }

    /// Reads a line of the text protocol, without its line end.
    ///
    /// # Errors
    /// If the line begins with no word of the protocol (`UNKNOWN_COMMAND`), or if what follows the word
    /// does not fit it (`INVALID_ARGUMENT`).
    pub fn parse(line: &'a str) -> Result<Self, Refusal> {
        let (word, rest) = split_word(line);
        let form = forms().find(|form| form.word == word).ok_or_else(|| unknown_command(line))?;
        form.parse(rest)
    }
}

impl fmt::Display for Request<'_> {
    /// Writes the line of the text protocol that asks the same, and a request that has none by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::GetProduct { name } => get_product::write(f, name),
            Request::ListProducts { max_price } => list_products::write(f, *max_price),
            Request::AdjustStock(adjust) => adjust.fmt(f),
            Request::BatchAdjustStock(batch) => batch.fmt(f),
            Request::ImportProducts(import) => import.fmt(f),
            Request::Leave => leave::write(f),
        }
    }
}

/// The refusal of a line that begins with no known word.
pub fn unknown_command(line: &str) -> Refusal {
    let usages: Vec<String> = menu().iter().map(|form| form.short_usage()).collect();
    let (last, others) = usages.split_last().expect("the menu is not empty");
    let what =
        format!("{} não é um comando. Nada foi feito; use {} ou {last}.", Quoted(line), others.join(", "));
    Refusal::new(Code::UnknownCommand, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a line means, written back as the protocol writes it, or the code it is refused with.
    fn check(line: &str, expected: &str) {
        let answer = match Request::parse(line) {
            Ok(request) => request.to_string(),
            Err(refusal) => refusal.code.as_str().to_owned(),
        };
        assert_eq!(answer, expected, "{line:?}");
    }

    #[test]
    fn the_five_commands() {
        check("1 Maca", "1 Maca");
        check("  1\t ALHO NACIONAL TIPO 5 ", "1 ALHO NACIONAL TIPO 5");
        check("2 8", "2 8.0");
        check("2 R$ 3,50", "2 3.5");
        check("3 Caju -20", "3 Caju -20");
        check("3 ALHO NACIONAL TIPO 5 -2", "3 ALHO NACIONAL TIPO 5 -2");
        check("3 Caju +5 motivo=compra id=a-1", "3 Caju 5 id=a-1 motivo=compra");
        check("3 Caju 5 motivo=ajuste", "3 Caju 5");
        check("4", "4");
        check(" 4 ", "4");
        check("5", "5");
    }

    #[test]
    fn what_is_none_of_them() {
        for line in ["", " ", "6", "listar", "4x", "11 Maca", "\0", "4\0", "GET / HTTP/1.1"] {
            check(line, "UNKNOWN_COMMAND");
        }
        for line in [
            "1",
            "1 ",
            "2",
            "2 abc",
            "2 -1",
            "2 1.234",
            "2 1e9",
            "2 NaN",
            "3",
            "3 Caju",
            "3 5",
            "3 Caju abc",
            "3 Caju NaN",
            "3 Caju 5 id=",
            "3 Caju 5 motivo=roubo",
            "3 Caju 5 motivo=abertura",
            "3 Caju 5 id=a id=b",
            "3 Caju 5 motivo=venda motivo=venda",
            "3 id=a",
            "4 tudo",
            "5 já",
            "3 Caju 1234567890123456789012345678901234567890",
        ] {
            check(line, "INVALID_ARGUMENT");
        }
    }

    #[test]
    fn each_operation_is_found_by_its_row_its_name_and_its_words() {
        for spec in &OPERATIONS {
            assert_eq!(spec.operation.spec().name, spec.name);
            assert_eq!(Operation::by_name(spec.name), Some(spec.operation));
            for form in spec.forms {
                assert_eq!(form.operation, spec.operation, "{}", form.word);
                for word in form.words() {
                    let found = Form::by_word(word).unwrap();
                    assert_eq!((found.operation, found.word), (form.operation, form.word), "{word}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_request_reads_back_as_it_was_written(line in "[1-5][ \t]\\PC{0,40}") {
            if let Ok(request) = Request::parse(&line) {
                let written = request.to_string();
                let again = Request::parse(&written).unwrap();
                prop_assert_eq!(again.to_string(), written.clone());
            }
        }
    }
}
