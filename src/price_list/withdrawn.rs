//! Columns by which systems say that a product is not sold any more.

use super::headings::Heading;
use crate::catalog::Key;

/// The names of columns whose *no* says that a product is not sold, folded.
const SOLD: [&str; 5] = ["ativo", "ativa", "produto ativo", "ativo inativo", "publicado"];

/// The names of columns whose *yes* says it, folded.
const WITHDRAWN: [&str; 10] = [
    "inativo",
    "produto inativo",
    "excluido",
    "bloqueado",
    "desativado",
    "descontinuado",
    "fora de linha",
    "fora linha",
    "desabilitado",
    "cancelado",
];

/// The names of columns of states, folded.
const STATES: [&str; 8] = [
    "situacao",
    "situacao do produto",
    "situacao produto",
    "situacao cadastral",
    "sit",
    "status",
    "status do produto",
    "status produto",
];

const NO: [&str; 6] = ["n", "nao", "f", "false", "falso", "0"];
const YES: [&str; 7] = ["s", "sim", "v", "true", "verdadeiro", "1", "x"];

/// The states in which a product is not sold, folded; the letters are those of systems that abbreviate them.
const WITHDRAWN_STATES: [&str; 15] = [
    "i",
    "e",
    "inativo",
    "inativa",
    "excluido",
    "excluida",
    "desativado",
    "desativada",
    "bloqueado",
    "bloqueada",
    "descontinuado",
    "descontinuada",
    "desabilitado",
    "cancelado",
    "fora de linha",
];

/// The meaning of a column about its products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Sold,
    Withdrawn,
    State,
}

impl Says {
    /// The meaning of the column under a heading, if it says whether a product is sold.
    pub(super) fn of(heading: &Heading) -> Option<Self> {
        let words = heading.words.trim_end_matches([' ', '?']);
        let known = [(Self::Sold, &SOLD[..]), (Self::Withdrawn, &WITHDRAWN), (Self::State, &STATES)];
        known.into_iter().find(|(_, names)| names.contains(&words)).map(|(says, _)| says)
    }

    /// Whether a cell of the column says that its product is not sold.
    pub(super) fn is_withdrawn(self, cell: &str) -> bool {
        let folded = Key::fold(cell.trim().trim_end_matches('.'));
        let is_one = |words: &[&str]| words.contains(&folded.as_str());
        match self {
            Self::Sold => is_one(&NO) || is_one(&WITHDRAWN_STATES),
            Self::Withdrawn => is_one(&YES) || is_one(&WITHDRAWN_STATES),
            Self::State => is_one(&WITHDRAWN_STATES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn products_that_are_not_sold_any_more_are_left_out_and_counted() {
        for (heading, sold, withdrawn) in [
            ("Situação", "Ativo", "Inativo"),
            ("Ativo?", "S", "N"),
            ("Ativo (S/N)", "Sim", "não"),
            ("ATIVO", "TRUE", "FALSE"),
            ("Inativo", "N", "S"),
            ("Excluído", "Não", "Sim"),
            ("Status do produto", "A", "I"),
            ("Status", "", "Descontinuado"),
            ("Publicado", "1", "0"),
        ] {
            let text =
                format!("Produto;Preço;{heading}\nUva;9,90;{sold}\nKiwi;abc;{withdrawn}\nRUM;;{sold}\n");
            let list = read(text.as_bytes()).unwrap();
            let names: Vec<&str> = list.rows.iter().map(|row| row.name.as_str()).collect();
            assert_eq!((names, list.bad.len()), (vec!["Uva"], 1), "{text}");
            assert_eq!(list.notes, ["1 linha não entrou: 1 de produto inativo"], "{text}");
        }
        // The state of a market, of a stock, or of nobody knows what is none of a product.
        for text in [
            "Produto;Mín;Comum;Máx;Situação\nUva;8;9;10;E\n",
            "Produto;Preço;Situação\nUva;9;Em falta\n",
            "Produto;Preço;Ativo\nUva;9;\n",
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().rows.len(), 1, "{text}");
        }
    }
}
