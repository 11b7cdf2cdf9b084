//! Why a file cannot be booked as an invoice.

use crate::catalog::{Quoted, Shown};

use super::document::{INVOICE_BYTES_MAX, INVOICE_DEPTH_MAX, INVOICE_LINES_MAX};

/// Why a file is no invoice, or one that must not be booked. Nothing was booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    #[error(
        "o arquivo tem mais de {INVOICE_BYTES_MAX} bytes, e nenhuma nota é tão grande. Nada foi lançado; confira o arquivo"
    )]
    TooLong,
    #[error("o arquivo não é um XML inteiro ({0}). Nada foi lançado; baixe a nota de novo")]
    NotXml(String),
    #[error(
        "o arquivo tem uma DTD ou uma entidade própria, e nota nenhuma tem. Nada foi lançado; não confie nesse arquivo"
    )]
    Entities,
    #[error(
        "o arquivo tem elementos dentro de elementos além de {INVOICE_DEPTH_MAX} níveis. Nada foi lançado; não é uma nota"
    )]
    TooDeep,
    #[error("o arquivo é {}, e não uma NF-e. Nada foi lançado; use o XML da nota, com <nfeProc> ou <NFe> no início", Quoted(.0))]
    OtherKind(String),
    #[error("o arquivo tem mais de uma nota. Nada foi lançado; separe uma nota por arquivo")]
    Several,
    #[error("a nota tem mais de {INVOICE_LINES_MAX} itens. Nada foi lançado; confira o arquivo")]
    TooManyLines,
    #[error("o arquivo é o cancelamento da nota {}, e não a nota. Nada foi lançado; se ela já foi lançada, desfaça-a com hortifruti undo", Shown(.0))]
    Cancelled(String),
    #[error("a nota não foi autorizada: a situação dela é {}. Nada foi lançado; peça ao fornecedor a nota autorizada", Quoted(.0))]
    NotAuthorized(String),
    #[error("a nota é {0}. Nada foi lançado; lance à mão o que tiver entrado")]
    NotAPurchase(&'static str),
    #[error("a chave {} não é a de uma nota: o dígito verificador não confere, ou foi alterada. Nada foi lançado; baixe a nota de novo", Quoted(.0))]
    Key(String),
    #[error(
        "a chave não confere com {0} da nota: o arquivo foi alterado. Nada foi lançado; baixe a nota de novo"
    )]
    KeyOfOther(&'static str),
    #[error("a nota é para {}, e não para {}. Nada foi lançado; é a nota de outra loja", .recipient.as_deref().map_or("ninguém".to_owned(), |it| Shown(it).to_string()), Shown(.shop))]
    OtherShop { recipient: Option<String>, shop: String },
    #[error("falta {0} na nota. Nada foi lançado; baixe a nota de novo")]
    Missing(&'static str),
    #[error("{what} da nota, {}, não pode ser. Nada foi lançado; confira o arquivo", Quoted(.text))]
    Field { what: &'static str, text: String },
    #[error("item {number}: {problem}. Nada foi lançado; confira o arquivo, ou lance a nota à mão")]
    Line { number: u32, problem: Problem },
}

/// The fault of a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("falta {0}")]
    Missing(&'static str),
    #[error("{what} é {}, que não é um número (casas decimais: até {decimals})", Quoted(.text))]
    NoNumber { what: &'static str, text: String, decimals: u32 },
    #[error("{what} é {}, abaixo de zero", Quoted(.text))]
    Negative { what: &'static str, text: String },
    #[error("a quantidade é zero")]
    Nothing,
    #[error("o custo fica abaixo de zero, porque o desconto é maior que o valor")]
    CostBelowZero,
    #[error("o valor passa do limite de uma compra")]
    TooDear,
    #[error("{what} {} não pode ser", Quoted(.text))]
    Text { what: &'static str, text: String },
    #[error("há outro item com este número")]
    Twice,
}
