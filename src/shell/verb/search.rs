//! `buscar`: products by any words of their names.

use super::super::desk::{Desk, Stopped};
use super::super::source::Expected;
use super::said::{Said, Verb};
use crate::operation::{Argument, Form, ProductsRequest, Request};

pub(super) const VERB: Verb = Verb {
    form: Form {
        word: "buscar",
        shell_words: &[],
        arguments: &[Argument::Text],
        attributes: "[categoria=CATEGORIA]",
        menu: None,
        help: "os produtos cujos nomes têm estas palavras",
        example: "buscar tom ita",
    },
    run,
};

fn run(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let category = said.get("categoria").unwrap_or_default();
    let search = match said.text {
        "" if category.is_empty() && desk.is_person() => {
            desk.question("O que procurar: ".to_owned(), Expected::Nothing)?
        }
        text => text.to_owned(),
    };
    if search.is_empty() && category.is_empty() {
        return desk.drop_command();
    }
    let request = ProductsRequest { search: &search, category, ..ProductsRequest::default() };
    let found = desk.ask(&Request::ListProducts(request))?;
    Ok(desk.show(&found)?)
}
