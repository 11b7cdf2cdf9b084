//! Operations: everything that a client can ask for, over any transport.
//!
//! [`OPERATIONS`] is the one table of them. The gRPC router, access control, the limits of messages, the text
//! protocol, the shell with its menu, help and completion, and the names in metrics read that table, so an
//! operation without a row does not exist. The request, the reply and the text forms of an operation are in
//! its own file below; [`Request`] and [`Reply`] bring them together.

mod adjust_stock;
mod attribute;
mod batch_adjust_stock;
mod change_reply;
mod count_stock;
pub mod doubtful;
mod form;
mod get_product;
mod get_status;
mod import_products;
mod last_movement;
mod leave;
mod list_expiring_stock;
mod list_low_stock;
mod list_movements;
mod list_product_changes;
mod list_products;
mod merge_products;
mod message_limit;
mod movement_filters;
mod movement_reply;
mod period;
mod permission;
pub mod phrase;
mod product_reply;
mod summarize_movements;
pub mod terms_text;
mod trace_purchases;
mod undo_import;
mod undo_movement;
mod update_product;
mod watch_movements;
mod words;

use std::fmt;

use crate::catalog::{Key, Quoted, RequestId};
use crate::refusal::{Code, Refusal};

pub use adjust_stock::{AdjustRequest, Adjusted};
pub use attribute::{Attribute, attribute};
pub use batch_adjust_stock::BatchRequest;
pub use change_reply::ChangeReply;
pub use count_stock::{COUNTED_FIELD, CountRequest, CountedName};
pub use form::{Argument, Form};
pub use get_status::{LeaseStatus, ServerRole, StatusReply, StoreState, TransportStatus};
pub use import_products::{IMPORT_BYTES_MAX, ImportReply, ImportRequest};
pub use last_movement::{NOTED_AHEAD_MAX, ahead_note, last_movement, last_movement_note};
pub use leave::FAREWELL;
pub use list_expiring_stock::{EXPIRING_DAYS_MAX, ExpiringRequest, ExpiringStock};
pub use list_low_stock::{Basis, LowStock, LowStockRequest, SALES_DAYS, STOCKED_DAYS_MAX};
pub use list_movements::{
    LISTED_MOVEMENTS_DEFAULT, MovementsReply, MovementsRequest, NO_MOVEMENT, PAGE_MOVEMENTS_DEFAULT,
    PAGE_MOVEMENTS_MAX,
};
pub use list_product_changes::{
    PAGE_CHANGES_DEFAULT, PAGE_CHANGES_MAX, ProductChangeReply, ProductChangesReply, ProductChangesRequest,
};
pub use list_products::{NO_PRODUCT, ProductsRequest};
pub use merge_products::MergeRequest;
pub use message_limit::{LargeMessages, MessageLimit};
pub use movement_filters::{MovementFilters, movement_kind};
pub use movement_reply::{MovementDetails, MovementReply};
pub use period::{check_period, days_here, given_period};
pub use permission::Permission;
pub use product_reply::{ProductReply, write_product_line};
pub use summarize_movements::{Grouping, Summary, SummaryRequest};
pub use trace_purchases::{TRACED_MAX, TraceReply, TraceRequest, TracedPurchase};
pub use undo_import::{UndoImportRequest, UndoneImport};
pub use undo_movement::{UndoRequest, Undone, parse_sequence};
pub use update_product::UpdateProductRequest;
pub use watch_movements::{HEARTBEAT_LINE, WatchEvent, WatchRequest};
pub use words::split_word;

/// A row of the table.
pub struct Spec {
    /// The operation of this row.
    pub operation: Operation,
    /// The operation's name: its call in `InventoryService`, and its label in metrics.
    pub name: &'static str,
    /// The least permission with which the operation can be asked for. What a request asks for may need
    /// more: see [`Request::permission`].
    pub permission: Permission,
    /// The limit of the operation's gRPC request message. `None` if the operation has no gRPC call.
    pub message: Option<MessageLimit>,
    /// The forms of the operation as text, each with its reader. Empty if the text protocol and the shell do
    /// not have the operation.
    pub forms: &'static [(&'static Form, ReadForm)],
}

/// Reads the text after the word of a form.
pub type ReadForm = for<'a> fn(&'a str) -> Result<Request<'a>, Refusal>;

/// Makes [`Operation`], [`OPERATIONS`] and [`Request`] from the same rows. Every operation has a request,
/// except those that only a stream of other requests asks for.
macro_rules! operations {
    (
        requests {$(
            $(#[$doc:meta])* $request:ident $({ $($field:tt)* })? $(($($content:tt)*))? => $row:tt
        )+}
        streams {$(
            $(#[$stream_doc:meta])* $stream:ident => $stream_row:tt
        )+}
    ) => {
        /// An operation that a client can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])* $request,)+
            $($(#[$stream_doc])* $stream,)+
        }

        /// Every operation, in the order of [`Operation`].
        pub static OPERATIONS: [Spec; [$(Operation::$request,)+ $(Operation::$stream,)+].len()] = [
            $(operations!(@spec $request $row),)+
            $(operations!(@spec $stream $stream_row),)+
        ];

        /// A request as a client makes it. The request borrows the bytes that were read, so decoding copies
        /// nothing.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Request<'a> {
            $($(#[$doc])* $request $({ $($field)* })? $(($($content)*))?,)+
        }

        impl Request<'_> {
            /// The operation that the request asks for.
            #[inline]
            pub fn operation(&self) -> Operation {
                match self {
                    $(Request::$request { .. } => Operation::$request,)+
                }
            }
        }
    };
    (@spec $operation:ident { $($field:ident: $value:expr),+ $(,)? }) => {
        Spec { operation: Operation::$operation, name: stringify!($operation), $($field: $value),+ }
    };
}

operations! {
    requests {
        /// One product, by name.
        GetProduct { name: &'a str } => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[(&get_product::FORM, |rest| get_product::parse(rest).map(|name| Request::GetProduct { name }))],
        }
        /// A change of one product's stock.
        AdjustStock(AdjustRequest<'a>) => {
            permission: Permission::Sell,
            message: Some(MessageLimit::SMALL),
            forms: &[(&adjust_stock::FORM, |rest| AdjustRequest::parse(rest).map(Request::AdjustStock))],
        }
        /// Every product that is sold, or a choice.
        ListProducts(ProductsRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[
                (&list_products::UP_TO_PRICE, |rest| {
                    let max_price = list_products::parse_up_to_price(rest)?;
                    Ok(Request::ListProducts(ProductsRequest::up_to(Some(max_price))))
                }),
                (&list_products::ALL, |rest| {
                    list_products::parse_all(rest).map(|()| Request::ListProducts(ProductsRequest::default()))
                }),
            ],
        }
        /// Several changes of stock, all or none.
        BatchAdjustStock(BatchRequest<'a>) => {
            permission: Permission::Sell,
            message: Some(batch_adjust_stock::MESSAGE),
            forms: &[],
        }
        /// A price list.
        ImportProducts(ImportRequest) => {
            permission: Permission::Write,
            message: Some(import_products::MESSAGE),
            forms: &[],
        }
        /// Counted stocks, all or none.
        CountStock(CountRequest<'a>) => {
            permission: Permission::Count,
            message: Some(count_stock::MESSAGE),
            forms: &[(&count_stock::FORM, |rest| CountRequest::parse(rest).map(Request::CountStock))],
        }
        /// The opposite of a movement.
        UndoMovement(UndoRequest) => {
            permission: Permission::Sell,
            message: Some(MessageLimit::SMALL),
            forms: &[(&undo_movement::FORM, |rest| UndoRequest::parse(rest).map(Request::UndoMovement))],
        }
        /// Movements, newest first.
        ListMovements(MovementsRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[(&list_movements::FORM, |rest| MovementsRequest::parse(rest).map(Request::ListMovements))],
        }
        /// Movements as they become durable. The reply is a stream of [`WatchEvent`]s.
        WatchMovements(WatchRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[(&watch_movements::FORM, |rest| WatchRequest::parse(rest).map(Request::WatchMovements))],
        }
        /// Other terms of a product.
        UpdateProduct(UpdateProductRequest<'a>) => {
            permission: Permission::Write,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// The past changes of terms, newest first.
        ListProductChanges(ProductChangesRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// Two products that become one.
        MergeProducts(MergeRequest<'a>) => {
            permission: Permission::Write,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// The opposite of an import.
        UndoImport(UndoImportRequest) => {
            permission: Permission::Write,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// The end of the examples of a new shop that never moved.
        ClearExamples { request_id: Option<RequestId> } => {
            permission: Permission::Write,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// Totals of a period, by kind, product or day.
        SummarizeMovements(SummaryRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// Products that run out, and what to buy.
        ListLowStock(LowStockRequest) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// The rests of purchases that expire soon.
        ListExpiringStock(ExpiringRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// Purchases of a supplier or a lot, and what is left of each.
        TracePurchases(TraceRequest<'a>) => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// The state of the server.
        GetStatus => {
            permission: Permission::Read,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
        /// The end of the conversation.
        Leave => {
            permission: Permission::Read,
            message: None,
            forms: &[(&leave::FORM, |rest| leave::parse(rest).map(|()| Request::Leave))],
        }
    }
    streams {
        /// Independent changes of stock, as a stream. The limit holds for each message of the stream.
        StreamAdjustStock => {
            permission: Permission::Sell,
            message: Some(MessageLimit::SMALL),
            forms: &[],
        }
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

// Every line of the text protocol becomes a request, which is moved a few times.
const _: () = assert!(size_of::<Request<'static>>() <= 96);

/// An answer to a request that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The product asked for.
    Product(ProductReply),
    /// The products asked for, in catalog order.
    Products(Vec<ProductReply>),
    /// One change of a stock.
    Change(ChangeReply),
    /// The changes of several stocks that were made together, in order.
    Changes(Vec<ChangeReply>),
    /// The effect of an import.
    Imported(ImportReply),
    /// The movements asked for, newest first.
    Movements(MovementsReply),
    /// The changes of terms asked for, newest first.
    ProductChanges(ProductChangesReply),
    /// The totals asked for.
    Summaries(Vec<Summary>),
    /// The products that run out, in catalog order.
    LowStock(Vec<LowStock>),
    /// The rests of purchases, the first to expire first.
    Expiring(Vec<ExpiringStock>),
    /// The purchases asked for, newest first.
    Traced(TraceReply),
    /// The state of the server.
    Status(Box<StatusReply>),
    /// The server's goodbye.
    Farewell,
}

impl Reply {
    /// The number of rows of the reply.
    pub fn row_count(&self) -> usize {
        match self {
            Reply::Products(products) => products.len(),
            Reply::Changes(changes) => changes.len(),
            Reply::Movements(page) => page.movements.len(),
            Reply::Summaries(totals) => totals.len(),
            Reply::LowStock(low) => low.len(),
            Reply::Expiring(expiring) => expiring.len(),
            Reply::Traced(page) => page.purchases.len(),
            Reply::ProductChanges(page) => page.changes.len(),
            Reply::Product(_)
            | Reply::Change(_)
            | Reply::Imported(_)
            | Reply::Status(_)
            | Reply::Farewell => 1,
        }
    }
}

impl<'a> Request<'a> {
    /// The permission that this request needs: that of its operation, or more.
    #[inline]
    pub fn permission(&self) -> Permission {
        match self {
            Request::AdjustStock(adjust) => adjust.permission(),
            Request::BatchAdjustStock(batch) => batch.permission(),
            Request::CountStock(count) => count.permission(),
            request => request.operation().spec().permission,
        }
    }

    /// The place of the request id, which is the idempotency key, if the request is a change: a change that
    /// is repeated under its id is made once.
    pub fn request_id_mut(&mut self) -> Option<&mut Option<RequestId>> {
        match self {
            Request::AdjustStock(adjust) => Some(&mut adjust.request_id),
            Request::BatchAdjustStock(batch) => Some(&mut batch.request_id),
            Request::ImportProducts(import) => (!import.is_dry_run).then_some(&mut import.request_id),
            Request::CountStock(count) => Some(&mut count.request_id),
            Request::UndoMovement(undo) => Some(&mut undo.request_id),
            Request::UpdateProduct(update) => Some(&mut update.request_id),
            Request::MergeProducts(merge) => Some(&mut merge.request_id),
            Request::UndoImport(undo) => Some(&mut undo.request_id),
            Request::ClearExamples { request_id } => Some(request_id),
            Request::GetProduct { .. }
            | Request::ListProducts(_)
            | Request::ListProductChanges(_)
            | Request::ListMovements(_)
            | Request::WatchMovements(_)
            | Request::SummarizeMovements(_)
            | Request::ListLowStock(_)
            | Request::ListExpiringStock(_)
            | Request::TracePurchases(_)
            | Request::GetStatus
            | Request::Leave => None,
        }
    }

    /// Reads a line of the text protocol, without its line end.
    ///
    /// # Errors
    /// If the first word is no command of the protocol (`UNKNOWN_COMMAND`), or if the arguments are missing
    /// or wrong (`INVALID_ARGUMENT`).
    pub fn parse(line: &'a str) -> Result<Self, Refusal> {
        let (word, rest) = split_word(line);
        let mut forms = OPERATIONS.iter().flat_map(|spec| spec.forms);
        let (_, read) = forms.find(|(form, _)| form.word == word).ok_or_else(|| unknown_command(line))?;
        read(rest.trim_matches([' ', '\t']))
    }
}

impl fmt::Display for Request<'_> {
    /// Writes the request as a line of the text protocol. A request that has no such line is named only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::GetProduct { name } => get_product::write(f, name),
            Request::ListProducts(products) => products.fmt(f),
            Request::AdjustStock(adjust) => adjust.fmt(f),
            Request::BatchAdjustStock(batch) => batch.fmt(f),
            Request::ImportProducts(import) => import.fmt(f),
            Request::CountStock(count) => count.fmt(f),
            Request::UndoMovement(undo) => undo.fmt(f),
            Request::ListMovements(movements) => movements.fmt(f),
            Request::WatchMovements(watch) => watch.fmt(f),
            Request::UpdateProduct(update) => update.fmt(f),
            Request::ListProductChanges(changes) => changes.fmt(f),
            Request::MergeProducts(merge) => merge.fmt(f),
            Request::UndoImport(undo) => undo.fmt(f),
            Request::ClearExamples { .. } => f.write_str("retirada dos exemplos"),
            Request::SummarizeMovements(summary) => summary.fmt(f),
            Request::ListLowStock(low) => low.fmt(f),
            Request::ListExpiringStock(expiring) => expiring.fmt(f),
            Request::TracePurchases(trace) => trace.fmt(f),
            Request::GetStatus => f.write_str("GetStatus"),
            Request::Leave => leave::write(f),
        }
    }
}

/// Every form with its operation, in the order of the table.
fn forms() -> impl Iterator<Item = (Operation, &'static Form)> {
    OPERATIONS.iter().flat_map(|spec| spec.forms.iter().map(|(form, _)| (spec.operation, *form)))
}

/// The form that the shell knows by this word, without regard to case or accents, and its operation.
pub fn form_by_word(word: &str) -> Option<(Operation, &'static Form)> {
    let word = Key::fold(word);
    forms().find(|(_, form)| form.words().any(|own| own == word.as_str()))
}

/// Every form, in the order of its words: digits first.
pub fn sorted_forms() -> Vec<&'static Form> {
    let mut sorted: Vec<_> = forms().map(|(_, form)| form).collect();
    sorted.sort_by_key(|form| form.word);
    sorted
}

/// The forms that the original had, in the order of its menu.
pub fn menu() -> Vec<&'static Form> {
    sorted_forms().into_iter().filter(|form| form.menu.is_some()).collect()
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

    /// Compares what a line is read as, written back as a line, or the code of its refusal.
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
            for (form, _) in spec.forms {
                assert!(form.attribute_names().all(|name| attribute(name).is_some()), "{}", form.attributes);
                assert!(form_by_word(split_word(form.example).0).unwrap().1.word == form.word);
                for word in form.words() {
                    let (operation, found) = form_by_word(word).unwrap();
                    assert_eq!((operation, found.word), (spec.operation, form.word), "{word}");
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
