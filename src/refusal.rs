//! Refusals: why a request was not carried out, with a code for programs and a sentence for people.

mod standby;
mod stock;
mod terms;

use std::fmt;

use crate::catalog::{
    Amount, AmountError, BATCH_LINES_MAX, COUNT_LINES_MAX, DetailError, IMPORT_ROWS_MAX, KindError, Label,
    LabelError, LossReasonError, Movement, NameError, PriceError, Quantity, QuantityError, Quoted, RequestId,
    RequestIdError, UndoError, UnitError, counted,
};
pub use standby::HOLDER;

/// Why a request was refused: the one table of errors. Each wire, and `main`, map it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// No product has this name or its key.
    ProductNotFound,
    /// No movement has this sequence number.
    MovementNotFound,
    /// The stock would go below zero.
    InsufficientStock,
    /// The movement is already undone, or is itself an undo.
    AlreadyUndone,
    /// Another product has the name.
    NameTaken,
    /// Another product has the code.
    CodeTaken,
    /// The product of a sale or a purchase is no longer sold.
    Discontinued,
    /// A number, name, unit, page or other value is invalid.
    InvalidArgument,
    /// The text is no command, or the called method does not exist.
    UnknownCommand,
    /// A request id was used again with other content.
    RequestIdReused,
    /// The balance would pass its limit.
    OutOfRange,
    /// The client has shown no token or a wrong one, or its token does not permit the operation.
    Unauthenticated,
    /// The client's deadline passed before the work began.
    DeadlineExceeded,
    /// A limit of the server was reached.
    ResourceExhausted,
    /// The store refuses writes, the server is stopping, or no server answers.
    Unavailable,
    /// The outcome is unknown: the change may have been made.
    OutcomeUnknown,
    /// The program has a defect.
    Internal,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Code; 17] = [
        Code::ProductNotFound,
        Code::MovementNotFound,
        Code::InsufficientStock,
        Code::AlreadyUndone,
        Code::NameTaken,
        Code::CodeTaken,
        Code::Discontinued,
        Code::InvalidArgument,
        Code::UnknownCommand,
        Code::RequestIdReused,
        Code::OutOfRange,
        Code::Unauthenticated,
        Code::DeadlineExceeded,
        Code::ResourceExhausted,
        Code::Unavailable,
        Code::OutcomeUnknown,
        Code::Internal,
    ];

    /// The stable word for programs: in the text protocol, and as `ErrorInfo.reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::ProductNotFound => "PRODUCT_NOT_FOUND",
            Code::MovementNotFound => "MOVEMENT_NOT_FOUND",
            Code::InsufficientStock => "INSUFFICIENT_STOCK",
            Code::AlreadyUndone => "ALREADY_UNDONE",
            Code::NameTaken => "NAME_TAKEN",
            Code::CodeTaken => "CODE_TAKEN",
            Code::Discontinued => "DISCONTINUED",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::UnknownCommand => "UNKNOWN_COMMAND",
            Code::RequestIdReused => "REQUEST_ID_REUSED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::Unavailable => "UNAVAILABLE",
            Code::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Code::Internal => "INTERNAL",
        }
    }

    /// The code with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// A refusal: the answer to a request that changed nothing. Only if the code is `OUTCOME_UNKNOWN` may the
/// change have been made. The connection stays open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The code, for programs.
    pub code: Code,
    /// One line of Portuguese, for people.
    pub message: String,
    /// Keys and values for programs that need more than the code, as `google.rpc.ErrorInfo` carries it.
    pub metadata: Vec<(&'static str, String)>,
    /// The bad rows of a price list, by index, as `google.rpc.BadRequest` carries them.
    pub rows: Vec<(usize, String)>,
    /// The number of bad rows of the price list. A wire may carry fewer rows.
    pub row_count: usize,
}

/// The key, in the metadata, of the protocols that a server without gRPC serves.
pub const SERVED: &str = "served";

/// The key of [`Refusal::row_count`] in the metadata.
pub const ROW_COUNT: &str = "row_count";

/// Every key of the metadata, by which a client reads them.
pub const METADATA_KEYS: [&str; 10] = [
    SERVED,
    HOLDER,
    "field",
    "index",
    ROW_COUNT,
    "nearest_names",
    "taken_by",
    "role",
    "available_thousandths",
    "requested_thousandths",
];

impl Refusal {
    /// A refusal without metadata.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), metadata: Vec::new(), rows: Vec::new(), row_count: 0 }
    }

    /// An invalid value in this field of `inventory.proto`.
    pub fn invalid(field: &'static str, what: impl fmt::Display) -> Self {
        let message = format!("{what}. Nada foi alterado; corrija e envie de novo.");
        Self { metadata: vec![("field", field.to_owned())], ..Self::new(Code::InvalidArgument, message) }
    }

    /// A time zone that does not exist.
    pub fn no_time_zone(name: &str) -> Self {
        let what = format!("não há fuso horário {}; use um nome como America/Sao_Paulo", Quoted(name));
        Self::invalid("time_zone", what)
    }

    /// A number of days beyond the limit.
    pub fn days(days_max: u32) -> Self {
        Self::invalid("days", format!("use de 0 a {days_max} dias"))
    }

    /// An invalid price.
    pub fn price(field: &'static str, error: &PriceError) -> Self {
        Self::invalid(field, error)
    }

    /// An invalid quantity.
    pub fn quantity(field: &'static str, error: &QuantityError) -> Self {
        Self::invalid(field, error)
    }

    /// A quantity with two readings in this field, from a client that cannot be asked which one is meant.
    pub fn two_readings(field: &'static str, text: &str, thousands: Quantity, units: Quantity) -> Self {
        let units = units.with_comma();
        let message = format!(
            "a quantidade {} tem duas leituras, {thousands} e {units}. Nada foi alterado; escreva {thousands} ou {units}.",
            Quoted(text.trim())
        );
        let metadata = vec![("field", field.to_owned())];
        Self { metadata, ..Self::new(Code::InvalidArgument, message) }
    }

    /// An invalid name.
    pub fn name(error: &NameError) -> Self {
        Self::invalid("name", error)
    }

    /// An invalid unit.
    pub fn unit(error: &UnitError) -> Self {
        Self::invalid("unit", error)
    }

    /// An invalid request id.
    pub fn request_id(error: &RequestIdError) -> Self {
        Self::invalid("request_id", error)
    }

    /// A total that cannot be.
    pub fn amount(error: &AmountError) -> Self {
        Self::invalid("amount_centavos", error)
    }

    /// A reason of a loss that cannot be.
    pub fn loss_reason(error: &LossReasonError) -> Self {
        Self::invalid("loss_reason", error)
    }

    /// A text or a date of a movement's details that cannot be.
    pub fn detail(field: &'static str, error: &DetailError) -> Self {
        Self::invalid(field, error)
    }

    /// A kind of movement that no client may request.
    pub fn kind(error: &KindError) -> Self {
        Self::invalid("kind", error)
    }

    /// A name that no product has, of which no similar ones are known.
    pub fn product_not_found(name: &str) -> Self {
        let what =
            format!("nenhum produto se chama {}. Nada foi alterado; veja a lista de todos.", Quoted(name));
        Self::new(Code::ProductNotFound, what)
    }

    /// A label of a scale that cannot be used in the place of a name.
    pub fn label(error: &LabelError) -> Self {
        Self::invalid("name", error)
    }

    /// A change by a label that says neither whether it takes nor whether it brings.
    pub fn label_without_sign() -> Self {
        Self::invalid(
            "kind",
            "a etiqueta diz quanto, e o motivo diz se entra ou sai; use motivo=venda, perda ou compra",
        )
    }

    /// A sale by a label with another total than the label's.
    pub fn other_total_than_label(total: Amount, asked: Amount) -> Self {
        let what = format!("a etiqueta diz o total R${total}, e foi pedido o total R${asked}");
        Self::invalid("amount_centavos", what)
    }

    /// A label with a code that no product has.
    pub fn label_of_no_product(text: &str, label: &Label) -> Self {
        let what = format!(
            "nenhum produto tem o código {}, o da etiqueta {}. Nada foi alterado; dê o código ao produto, ou confira a \
             máscara de --label.",
            label.code,
            Quoted(text.trim())
        );
        Self::new(Code::ProductNotFound, what)
    }

    /// A price list with bad rows, given by index.
    pub fn bad_rows(rows: Vec<(usize, String)>) -> Self {
        let first = rows
            .first()
            .map_or(String::new(), |(index, what)| format!(" A primeira é a {}: {what}.", index + 1));
        let count = rows.len();
        let what = format!(
            "a lista tem {}.{first} Nada foi importado; corrija e envie a lista de novo.",
            counted(count, "linha inválida", "linhas inválidas")
        );
        Self {
            metadata: vec![("field", "products".to_owned()), (ROW_COUNT, count.to_string())],
            rows,
            row_count: count,
            ..Self::new(Code::InvalidArgument, what)
        }
    }

    /// A call whose deadline passed before its work began.
    pub fn too_late() -> Self {
        let what = "o prazo do pedido acabou antes de ele começar. Nada foi feito; \
                    envie-o de novo com um prazo maior.";
        Self::new(Code::DeadlineExceeded, what)
    }

    /// A message of more bytes than the server takes.
    pub fn message_too_large(bytes_max: usize) -> Self {
        let what =
            format!("a mensagem tem mais de {bytes_max} bytes. Nada foi feito; divida o pedido em vários.");
        Self::new(Code::ResourceExhausted, what)
    }

    /// An import of no rows, or of too many.
    pub fn import_size(count: usize) -> Self {
        Self::invalid(
            "products",
            format!("a lista tem {count} produtos; o limite é de 1 a {IMPORT_ROWS_MAX}"),
        )
    }

    /// A batch of no changes, or of too many.
    pub fn batch_size(count: usize) -> Self {
        Self::invalid(
            "adjustments",
            format!("o lote tem {count} mudanças; o limite é de 1 a {BATCH_LINES_MAX}"),
        )
    }

    /// A count of no products, or of too many.
    pub fn count_size(count: usize) -> Self {
        let what = format!("a contagem tem {count} produtos; o limite é de 1 a {COUNT_LINES_MAX}");
        Self::invalid("counts", what)
    }

    /// A message that did not arrive in time.
    pub fn message_too_slow(seconds_max: u64) -> Self {
        let what = format!(
            "a mensagem não chegou inteira em {seconds_max} segundos. Nada foi feito; envie-a de novo, ou divida o pedido em vários."
        );
        Self::new(Code::ResourceExhausted, what)
    }

    /// A gRPC call to a server that serves no gRPC, but HTTP, and perhaps text.
    pub fn no_grpc(has_text: bool) -> Self {
        let (served, how) = match has_text {
            true => ("só HTTP e o protocolo de texto", "use --socket"),
            false => ("só HTTP", "use um navegador ou o protocolo Connect"),
        };
        let what = format!(
            "este servidor atende {served}. Nada foi feito; {how}, ou inicie o servidor também com --grpc."
        );
        let served = if has_text { "http text" } else { "http" };
        Self { metadata: vec![(SERVED, served.to_owned())], ..Self::new(Code::UnknownCommand, what) }
    }

    /// A request whose end did not arrive.
    pub fn cut() -> Self {
        Self::invalid("message", "o pedido foi cortado antes do fim")
    }

    /// A connection for which there is no room.
    pub fn no_room() -> Self {
        let what = "o servidor já tem o máximo de conexões, no total ou deste endereço. \
                    Nada foi feito; feche outras conexões ou tente de novo daqui a pouco.";
        Self::new(Code::ResourceExhausted, what)
    }

    /// A list whose moment the server no longer keeps, so that the rest cannot be read.
    pub fn list_too_old() -> Self {
        let what = "a lista não chegou ao fim: desde que ela começou, os produtos mudaram mais vezes do que o \
                    servidor guarda. Nada foi alterado; peça a lista de novo e leia-a sem parar.";
        Self::new(Code::ResourceExhausted, what)
    }

    /// The changes of a stream that a stopping server does not make.
    pub fn stopping() -> Self {
        let what = "o servidor está parando. As mudanças sem resposta não foram feitas; envie-as de novo \
                    daqui a pouco.";
        Self::new(Code::Unavailable, what)
    }

    /// The end of a watch, because the server stops.
    pub fn watch_stopping() -> Self {
        let what = "o servidor está parando, e o acompanhamento terminou. Nada se perdeu; continue daqui a pouco, a \
                    partir do último movimento recebido.";
        Self::new(Code::Unavailable, what)
    }

    /// The end of a watch at the client's deadline.
    pub fn watch_too_long() -> Self {
        let what = "o prazo do pedido acabou, e o acompanhamento terminou. Nada se perdeu; continue a \
                    partir do último movimento recebido.";
        Self::new(Code::DeadlineExceeded, what)
    }

    /// Adds the index of the change that was refused, if it was one of several.
    pub fn at(mut self, index: usize) -> Self {
        self.metadata.push(("index", index.to_string()));
        self
    }

    /// A movement that is not in the ledger.
    pub fn movement_not_found(sequence: i64) -> Self {
        let what =
            format!("não há movimento #{sequence}. Nada foi alterado; veja os movimentos no histórico.");
        Self::new(Code::MovementNotFound, what)
    }

    /// An undo that is refused. `later` are the later movements that took away the stock that the movement
    /// added.
    pub fn undo(error: UndoError, later: &[Movement]) -> Self {
        let code = match error {
            UndoError::AlreadyUndone { .. } | UndoError::IsUndo { .. } => Code::AlreadyUndone,
            UndoError::ChangedNothing { .. } => Code::InvalidArgument,
            UndoError::Refused { error, movement } => {
                let refusal = Self::from(error.clone());
                let movement = movement.sequence;
                let used: Vec<String> = later
                    .iter()
                    .map(|it| format!("#{} ({} {})", it.sequence, it.kind.word(), it.delta))
                    .collect();
                let used = if used.is_empty() {
                    String::new()
                } else {
                    format!("; a entrada foi usada depois por {}", used.join(", "))
                };
                let what = format!(
                    "o movimento #{movement} não pode ser desfeito: {error}{used}. Nada foi alterado; corrija antes \
                     os movimentos posteriores, ou conte o estoque."
                );
                return Self { message: what, ..refusal };
            }
        };
        Self::new(code, format!("{error}. Nada foi alterado; para corrigir o estoque, conte-o."))
    }

    /// An undo of what is not the seller's own sale.
    pub fn undo_of_others(sequence: i64) -> Self {
        let what = format!(
            "este token é de venda, que só desfaz as próprias vendas, e o movimento #{sequence} não é uma delas. Nada foi \
             alterado; use um de escrita."
        );
        Self::new(Code::Unauthenticated, what)
    }

    /// An undo of one of the two movements of a merge, which would leave the stock in both products or in none.
    pub fn undo_of_half_a_merge(sequence: i64) -> Self {
        let what = format!(
            "o movimento #{sequence} é metade de uma união, que só se desfaz inteira. Nada foi alterado; desfaça-o com o \
             documento todo."
        );
        Self { metadata: vec![("field", "single".to_owned())], ..Self::new(Code::InvalidArgument, what) }
    }

    /// A request id that was used before with other content.
    pub fn request_id_reused(request_id: &RequestId) -> Self {
        Self {
            metadata: vec![("field", "request_id".to_owned())],
            ..Self::new(
                Code::RequestIdReused,
                format!(
                    "o identificador de pedido {} já foi usado com outro conteúdo, e o pedido daquela vez está feito. \
                     Nada foi alterado agora; para outra mudança, use um novo.",
                    Quoted(request_id.as_str())
                ),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn a_code_is_found_by_its_word() {
        assert!(Code::ALL.into_iter().all(|code| Code::parse(code.as_str()) == Some(code)));
    }
}
