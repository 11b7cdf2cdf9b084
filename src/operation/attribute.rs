//! The attributes of forms: what each means, and the values that it takes.

use super::summarize_movements::Grouping;
use crate::catalog::{Kind, LossReason};

/// An attribute that may follow the arguments of a form.
pub struct Attribute {
    /// The name before the `=`.
    pub name: &'static str,
    /// The meaning, for the shell's help.
    pub meaning: &'static str,
    /// The values, if there is a list of them.
    pub values: fn() -> Vec<&'static str>,
}

/// Every attribute of the forms.
static ATTRIBUTES: &[Attribute] = &[
    Attribute { name: "antes", meaning: "só os movimentos antes deste número", values: Vec::new },
    Attribute { name: "ate", meaning: "até este dia, inclusive, ou antes deste momento", values: days },
    Attribute { name: "causa", meaning: "por que se perdeu, em uma perda", values: loss_reasons },
    Attribute { name: "confirma", meaning: "faz o que parece engano, sem perguntar", values: || vec!["sim"] },
    Attribute { name: "desde", meaning: "desde este dia ou momento", values: days },
    Attribute { name: "fornecedor", meaning: "quem vendeu à loja", values: Vec::new },
    Attribute {
        name: "id",
        meaning: "identificador do pedido; repetido, não é feito outra vez",
        values: Vec::new,
    },
    Attribute { name: "limite", meaning: "quantos movimentos, de 1 a 1000", values: Vec::new },
    Attribute { name: "lote", meaning: "o lote do fornecedor", values: Vec::new },
    Attribute { name: "motivo", meaning: "por que o estoque muda", values: kinds },
    Attribute { name: "obs", meaning: "um texto livre, de até 200 caracteres", values: Vec::new },
    Attribute { name: "por", meaning: "por que se soma", values: groupings },
    Attribute { name: "total", meaning: "quanto se pagou ou recebeu ao todo, em reais", values: Vec::new },
    Attribute { name: "validade", meaning: "até quando dura, como 5/12 ou 05/12/2026", values: Vec::new },
];

fn days() -> Vec<&'static str> {
    vec!["hoje", "ontem"]
}

fn groupings() -> Vec<&'static str> {
    Grouping::WORDS.into_iter().map(|(word, _)| word).collect()
}

fn kinds() -> Vec<&'static str> {
    Kind::REQUESTABLE.into_iter().map(Kind::word).collect()
}

fn loss_reasons() -> Vec<&'static str> {
    LossReason::ALL.into_iter().map(LossReason::word).collect()
}

/// The attribute with this name.
pub fn attribute(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}
