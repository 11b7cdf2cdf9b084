//! The refusals of names and codes, and of changes of what a product is.

use super::{Code, Refusal};
use crate::catalog::{
    CodeTaken, IMPORT_PARTS_MAX, MergeError, Movement, Name, NearNames, Product, Quoted, UpdateError,
    WITH_ALL_WORDS_MAX, counted,
};

impl Refusal {
    /// An undo of an import that created a product which these movements used since.
    pub fn import_used(name: &str, used: &[Movement]) -> Self {
        let used: Vec<String> =
            used.iter().map(|it| format!("#{} ({} {})", it.sequence, it.kind.word(), it.delta)).collect();
        let what = format!(
            "a importação não pode ser desfeita: o produto {}, que ela criou, foi usado depois por {}. Nada foi alterado; \
             desfaça antes esses movimentos, ou aposente os produtos que não servem.",
            Quoted(name),
            used.join(", ")
        );
        Self::new(Code::InsufficientStock, what)
    }

    /// A request for a new product, of a name that this one has.
    pub fn product_exists(product: &Product) -> Self {
        let name = product.name.as_str();
        let state = if product.flags.is_discontinued() { ", que está aposentado" } else { "" };
        let what = format!(
            "já existe o produto {}{state}. Nada foi alterado; mude-o, em lugar de criá-lo, ou escolha outro nome.",
            Quoted(name)
        );
        taken(Code::NameTaken, ("name", name), what)
    }

    /// A request that continues an import that was not made.
    pub fn no_import_to_continue() -> Self {
        let what = "continues_request_id não é o pedido de uma importação que foi feita";
        Self::invalid("continues_request_id", what)
    }

    /// An import in too many requests.
    pub fn import_parts() -> Self {
        let what = format!("a lista já veio em {IMPORT_PARTS_MAX} pedidos, que é o limite");
        Self::invalid("continues_request_id", what)
    }

    /// This refusal of the undo of a part of an import, after the undo of other parts.
    pub fn between_parts(mut self, undone: usize, count: usize) -> Self {
        let undone = counted(undone, "já foi desfeita, e fica assim", "já foram desfeitas, e ficam assim");
        self.message += &format!(
            " Das {count} partes em que a lista foi importada, {undone}; o mesmo comando, depois, desfaz só o resto."
        );
        self
    }

    /// A name that no product has, with names that are near it.
    pub fn product_near(name: &str, near: &NearNames) -> Self {
        let (names, hint) = match near {
            NearNames::Similar(names) if names.is_empty() => return Self::product_not_found(name),
            NearNames::Similar(names) => (names, "os mais parecidos"),
            // Nobody guesses which of them was meant.
            NearNames::WithAllWords(names) => (names, "escreva o nome inteiro; com essas palavras há"),
        };
        let others = if names.len() > WITH_ALL_WORDS_MAX { "; e outros" } else { "" };
        let names: Vec<&str> = names.iter().take(WITH_ALL_WORDS_MAX).map(Name::as_str).collect();
        let message = format!(
            "nenhum produto se chama {}. Nada foi alterado; {hint}: {}{others}.",
            Quoted(name),
            names.join("; ")
        );
        // No name has a line end.
        let metadata = vec![("nearest_names", names.join("\n"))];
        Self { metadata, ..Self::new(Code::ProductNotFound, message) }
    }
}

impl From<UpdateError> for Refusal {
    fn from(error: UpdateError) -> Self {
        match &error {
            UpdateError::NameTaken { other, .. } => taken(
                Code::NameTaken,
                ("name", other),
                format!("{error}. Nada foi alterado; escolha outro nome, ou una os dois produtos."),
            ),
            UpdateError::CodeTaken(taken) => Self::from(taken.clone()),
            UpdateError::Name(_) => Self::invalid("name", error),
            UpdateError::Limits(_) => Self::invalid("target_thousandths", error),
            UpdateError::Fraction { .. } => {
                let what = format!("{error}. Nada foi alterado; conte o estoque antes, em números inteiros.");
                Self {
                    metadata: vec![("field", "unit".to_owned())],
                    ..Self::new(Code::InvalidArgument, what)
                }
            }
        }
    }
}

impl From<CodeTaken> for Refusal {
    fn from(error: CodeTaken) -> Self {
        let what = format!("{error}. Nada foi alterado; use outro código, ou tire-o antes daquele produto.");
        taken(Code::CodeTaken, ("code", &error.other), what)
    }
}

/// The refusal of a name or a code that another product has.
fn taken(code: Code, (field, other): (&str, &str), message: String) -> Refusal {
    let metadata = vec![("field", field.to_owned()), ("taken_by", other.to_owned())];
    Refusal { metadata, ..Refusal::new(code, message) }
}

impl From<MergeError> for Refusal {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::IntoItself(_) | MergeError::Units { .. } => Self::invalid("into_name", error),
            MergeError::Discontinued(_) => {
                let what =
                    format!("{error}. Nada foi alterado; devolva-o antes à venda, ou una ao contrário.");
                Self::new(Code::Discontinued, what)
            }
            MergeError::Adjustment(error) => Self::from(error),
        }
    }
}
