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
    Attribute { name: "alvo", meaning: "até quanto uma compra deve encher o estoque", values: Vec::new },
    Attribute { name: "antes", meaning: "só os movimentos antes deste número", values: Vec::new },
    Attribute { name: "apos", meaning: "só os movimentos depois deste número", values: Vec::new },
    Attribute { name: "ate", meaning: "até este dia, inclusive, ou antes deste momento", values: days },
    Attribute { name: "autor", meaning: "só o que este token pediu", values: Vec::new },
    Attribute { name: "barras", meaning: "os códigos de barras; os de antes saem", values: Vec::new },
    Attribute { name: "categoria", meaning: "como frutas, legumes ou verduras", values: Vec::new },
    Attribute { name: "causa", meaning: "por que se perdeu, em uma perda", values: loss_reasons },
    Attribute { name: "codigo", meaning: "o código da loja, de 1 a 6 dígitos; 0 o tira", values: Vec::new },
    Attribute { name: "confirma", meaning: "faz o que parece engano, sem perguntar", values: || vec!["sim"] },
    Attribute { name: "desde", meaning: "desde este dia ou momento", values: days },
    Attribute { name: "dura", meaning: "dias que uma compra dura", values: Vec::new },
    Attribute { name: "fornecedor", meaning: "quem vendeu à loja", values: Vec::new },
    Attribute {
        name: "id",
        meaning: "identificador do pedido; repetido, não é feito outra vez",
        values: Vec::new,
    },
    Attribute { name: "limite", meaning: "quantos movimentos, de 1 a 1000", values: Vec::new },
    Attribute { name: "lote", meaning: "o lote do fornecedor", values: Vec::new },
    Attribute { name: "margem", meaning: "o que fica do preço, em %", values: Vec::new },
    Attribute { name: "markup", meaning: "o que se põe sobre o custo, em %", values: Vec::new },
    Attribute { name: "minimo", meaning: "abaixo disto, o produto está acabando", values: Vec::new },
    Attribute { name: "motivo", meaning: "por que o estoque muda", values: kinds },
    Attribute { name: "obs", meaning: "um texto livre, de até 200 caracteres", values: Vec::new },
    Attribute { name: "por", meaning: "por que se soma", values: groupings },
    Attribute {
        name: "so",
        meaning: "só este movimento, e não os outros do mesmo documento",
        values: || vec!["sim"],
    },
    Attribute { name: "total", meaning: "quanto se pagou ou recebeu ao todo, em reais", values: Vec::new },
    Attribute { name: "unidade", meaning: "como kg, un, maço ou cx", values: Vec::new },
    Attribute {
        name: "validade",
        meaning: "até quando dura, como 5/12, 05/12/2026 ou amanhã",
        values: Vec::new,
    },
];

fn days() -> Vec<&'static str> {
    vec!["hoje", "ontem"]
}

fn groupings() -> Vec<&'static str> {
    Grouping::WORDS.into_iter().map(|(_, word, _)| word).collect()
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
