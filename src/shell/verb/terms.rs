//! `preco`, `novo`, `mudar`, `renomear`, `aposentar`, `reativar` and `unir`: what a product is.

use super::super::desk::{Desk, Stopped};
use super::super::report::report;
use super::super::source::Expected;
use super::said::{Said, Verb};
use crate::catalog::{Name, Price, ProductDraft, Quantity, Quoted, RequestId, TermsUpdate, in_reais};
use crate::client::ClientError;
use crate::operation::doubtful::odd_price;
use crate::operation::phrase::attribute_typed;
use crate::operation::terms_text::{Pricing, TermsText};
use crate::operation::{
    Argument, Form, ImportRequest, MergeRequest, ProductReply, Request, UpdateProductRequest,
};
use crate::refusal::Refusal;
use crate::render::{code_note, margin_told, unit_note};

/// The attributes of what a product is, beside its name and price.
const TERMS: &str = "[unidade=UNIDADE] [codigo=CODIGO] [barras=CODIGOS] [categoria=CATEGORIA] [minimo=QTD] [alvo=QTD] [dura=DIAS] [id=PEDIDO]";

/// The word between two names.
const TO: &str = " para ";

const fn verb(
    word: &'static str,
    arguments: &'static [Argument],
    attributes: &'static str,
    help: &'static str,
    example: &'static str,
    run: fn(&mut dyn Desk, &Verb, &str) -> Result<(), Stopped>,
) -> Verb {
    Verb { form: Form { word, shell_words: &[], arguments, attributes, menu: None, help, example }, run }
}

pub(super) const PRICE: Verb = verb(
    "preco",
    &[Argument::Name, Argument::OptionalPrice],
    "[margem=PORCENTO] [markup=PORCENTO] [confirma=sim] [id=PEDIDO]",
    "preço novo, ou o que dá a margem sobre o custo",
    "preco Tomate 8,90",
    set_price,
);
pub(super) const NEW: Verb = verb(
    "novo",
    &[Argument::NewName, Argument::Price],
    TERMS,
    "cadastra um produto, sem estoque",
    "novo Uva Itália 12,90 unidade=kg codigo=123 categoria=frutas",
    create,
);
pub(super) const SET: Verb = verb(
    "mudar",
    &[Argument::Name],
    TERMS,
    "muda unidade, códigos, categoria, mínimo e mais",
    "mudar Alface minimo=10 alvo=40 dura=3",
    set_terms,
);
pub(super) const RENAME: Verb = verb(
    "renomear",
    &[Argument::Name, Argument::ToNewName],
    "[id=PEDIDO]",
    "dá outro nome; a história fica",
    "renomear Maca para Maçã Fuji",
    rename,
);
pub(super) const RETIRE: Verb = verb(
    "aposentar",
    &[Argument::Name],
    "[id=PEDIDO]",
    "tira das listas; não se vende nem se compra mais",
    "aposentar Caju",
    retire,
);
pub(super) const RESTORE: Verb =
    verb("reativar", &[Argument::Name], "[id=PEDIDO]", "devolve um aposentado", "reativar Caju", restore);
pub(super) const MERGE: Verb = verb(
    "unir",
    &[Argument::Name, Argument::ToName],
    "[confirma=sim] [id=PEDIDO]",
    "passa estoque e códigos a outro, e aposenta o primeiro",
    "unir Tomate Italiano (2) para Tomate Italiano",
    merge,
);

fn set_price(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (request_id, is_meant) = (said.request_id()?, said.is_meant());
    let pricing = match (said.get("margem"), said.get("markup")) {
        (Some(_), Some(_)) => {
            let what = "margem= e markup= dão preços diferentes; diga um dos dois";
            return Err(Refusal::invalid("price_centavos", what).into());
        }
        (margin, markup) => margin.map(Pricing::Margin).or(markup.map(Pricing::Markup)),
    };
    let (name, price) = match pricing {
        Some(_) => (said.text.to_owned(), None),
        None => {
            split_price(said.text).map_or((said.text.to_owned(), None), |(name, price)| (name, Some(price)))
        }
    };
    let name = asked_name(desk, verb, name)?;
    let price = match (pricing, price) {
        // The request may be made already, and the product have another name since.
        (None, Some(price)) if request_id.is_some() => price?,
        (pricing, price) => {
            let product = desk.product_named(&name)?;
            let price = match (pricing, price) {
                (Some(pricing), _) => pricing.price_of(&product)?,
                (None, Some(price)) => price?,
                (None, None) => asked_price(desk, &product)?,
            };
            if let Some(odd) = odd_price(&product, price) {
                desk.confirm(&odd, is_meant)?;
            }
            price
        }
    };
    let update = TermsUpdate { price: Some(price), ..TermsUpdate::default() };
    let line = format!(
        "{} {name} {}",
        verb.form.word,
        in_reais(price.centavos()).to_string().replace(['.', ' '], "")
    );
    update_product(desk, &name, update, request_id, &line)?;
    // The margin beside the new price, if the cost is known.
    if let Some(told) = desk.product_named(&name).ok().as_ref().and_then(margin_told) {
        desk.tell(&told)?;
    }
    Ok(())
}

/// Splits a text that ends with money: `Tomate 8,90`, `Tomate R$ 8,90`. `None` if it does not.
fn split_price(text: &str) -> Option<(String, Result<Price, Refusal>)> {
    let (before, last) = text.rsplit_once([' ', '\t'])?;
    let is_number = last.trim_start_matches(['R', 'r', '$', '-']).starts_with(|c: char| c.is_ascii_digit());
    let name = before.trim_end();
    let without_symbol = name.strip_suffix("R$").or(name.strip_suffix("r$"));
    let name = without_symbol.filter(|name| name.ends_with([' ', '\t'])).unwrap_or(name).trim_end();
    let price = last.parse().map_err(|error| Refusal::price("price_centavos", &error));
    is_number.then(|| (name.to_owned(), price))
}

fn asked_name(desk: &mut dyn Desk, verb: &Verb, name: String) -> Result<String, Stopped> {
    if !name.is_empty() {
        return Ok(name);
    }
    if !desk.is_person() {
        let what = format!("falta o nome do produto: o comando é {}", verb.form.usage());
        return Err(Refusal::invalid("name", what).into());
    }
    let expected = if verb.form.word == NEW.form.word { Expected::Nothing } else { Expected::Name };
    let name = desk.question("Digite o nome do produto: ".to_owned(), expected)?;
    if name.is_empty() { desk.drop_command() } else { Ok(name) }
}

fn asked_price(desk: &mut dyn Desk, product: &ProductReply) -> Result<Price, Stopped> {
    let known = margin_told(product)
        .unwrap_or_else(|| format!("{}: preço {}", product.name, product.price.in_reais()));
    if desk.is_person() {
        desk.tell(&known)?;
    }
    price_from_question(desk, "Preço novo: ")
}

fn price_from_question(desk: &mut dyn Desk, prompt: &str) -> Result<Price, Stopped> {
    if !desk.is_person() {
        return Err(Refusal::invalid("price_centavos", "falta o preço, como 8,90").into());
    }
    loop {
        let answer = desk.question(prompt.to_owned(), Expected::Nothing)?;
        if answer.is_empty() {
            return desk.drop_command();
        }
        match answer.parse() {
            Ok(price) => return Ok(price),
            Err(error) => report(&Refusal::price("price_centavos", &error)),
        }
    }
}

fn terms<'a>(said: &Said<'a>) -> TermsText<'a> {
    let barcodes = said.get("barras").map(|codes| match codes {
        // Takes all away.
        "" => vec![""],
        codes => codes.split([' ', ',', ';']).filter(|code| !code.is_empty()).collect(),
    });
    TermsText {
        unit: said.get("unidade"),
        code: said.get("codigo"),
        barcodes: barcodes.unwrap_or_default(),
        category: said.get("categoria"),
        minimum: said.get("minimo"),
        target: said.get("alvo"),
        shelf_life_days: said.get("dura"),
    }
}

/// The attributes as they were said, for the line that asks for the same. The id is not one of them.
fn said_again(said: &Said<'_>) -> String {
    let words = said.pairs().filter(|(name, _)| *name != "id");
    words.map(|(name, value)| format!(" {}", attribute_typed(name, value))).collect()
}

fn create(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (unit, terms) = terms(&said).draft()?;
    let (name, price) =
        split_price(said.text).map_or((said.text.to_owned(), None), |(name, price)| (name, Some(price)));
    let name = asked_name(desk, verb, name)?;
    let name = Name::parse(&name).map_err(|error| Refusal::name(&error))?;
    let price = match price {
        Some(price) => price?,
        None => price_from_question(desk, &format!("Preço de uma unidade de {}: ", Quoted(name.as_str())))?,
    };
    let line = format!("{} {name} {}{}", verb.form.word, price, said_again(&said));
    let row = ProductDraft { name: name.clone(), price, unit, opening_stock: Quantity::ZERO, terms };
    let import = ImportRequest::of_new(row, said.request_id()?);
    desk.make(&Request::ImportProducts(import), &line).map_err(of_one_row)
}

/// A refusal of a list with one row says what is wrong with that row.
fn of_one_row(stopped: Stopped) -> Stopped {
    match stopped {
        Stopped::Failed(ClientError::Refused(refusal)) if refusal.rows.len() == 1 => {
            let what = refusal.rows.into_iter().next().map_or(refusal.message, |(_, what)| what);
            Refusal::new(refusal.code, format!("{what}. Nada foi alterado; corrija e tente de novo.")).into()
        }
        stopped => stopped,
    }
}

fn set_terms(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let update = terms(&said).update()?;
    let name = asked_name(desk, verb, said.text.to_owned())?;
    if update == TermsUpdate::default() {
        let what = format!("falta dizer o que muda: o comando é {}", verb.form.usage());
        return Err(Refusal::invalid("update_mask", what).into());
    }
    let line = format!("{} {name}{}", verb.form.word, said_again(&said));
    let unit = update.unit.clone().and_then(|unit| unit_note(&desk.product_named(&name).ok()?, &unit));
    update_product(desk, &name, update, said.request_id()?, &line)?;
    if let Some(note) = unit {
        desk.tell(&note)?;
    }
    Ok(())
}

fn rename(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (name, new) = two_names(desk, verb, said.text, "Digite o nome novo: ", Expected::Nothing)?;
    let parsed = Name::parse(&new).map_err(|error| Refusal::name(&error))?;
    let update = TermsUpdate { name: Some(parsed), ..TermsUpdate::default() };
    let line = format!("{} {name}{TO}{new}", verb.form.word);
    update_product(desk, &name, update, said.request_id()?, &line)
}

/// The names before and after `para`. If a name holds that word itself, the products that are there decide.
fn two_names(
    desk: &mut dyn Desk,
    verb: &Verb,
    text: &str,
    question: &str,
    expected: Expected,
) -> Result<(String, String), Stopped> {
    let places: Vec<usize> = text.match_indices(TO).map(|(at, _)| at).collect();
    let parts = |at: usize| (text[..at].trim().to_owned(), text[at + TO.len()..].trim().to_owned());
    match places[..] {
        [] => {
            let name = asked_name(desk, verb, text.to_owned())?;
            desk.product_named(&name)?;
            if !desk.is_person() {
                let what = format!("falta o segundo nome: o comando é {}", verb.form.usage());
                return Err(Refusal::invalid("name", what).into());
            }
            let new = desk.question(question.to_owned(), expected)?;
            if new.is_empty() { desk.drop_command() } else { Ok((name, new)) }
        }
        [at] => Ok(parts(at)),
        _ => {
            for at in places {
                let (name, new) = parts(at);
                if desk.has_product(&name)? {
                    return Ok((name, new));
                }
            }
            let what = format!("não há produto antes de para em {}", Quoted(text));
            Err(Refusal::invalid("name", what).into())
        }
    }
}

fn retire(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    set_discontinued(desk, verb, rest, true)
}

fn restore(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    set_discontinued(desk, verb, rest, false)
}

fn set_discontinued(
    desk: &mut dyn Desk,
    verb: &Verb,
    rest: &str,
    is_discontinued: bool,
) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let name = asked_name(desk, verb, said.text.to_owned())?;
    let update = TermsUpdate { is_discontinued: Some(is_discontinued), ..TermsUpdate::default() };
    update_product(desk, &name, update, said.request_id()?, &format!("{} {name}", verb.form.word))?;
    desk.tell(match is_discontinued {
        true => "Aposentado: está fora das listas, e a história fica. Para voltar atrás: reativar",
        false => "De volta às listas.",
    })?;
    Ok(())
}

fn merge(desk: &mut dyn Desk, verb: &Verb, rest: &str) -> Result<(), Stopped> {
    let said = Said::of(verb, rest)?;
    let (from, into) = two_names(desk, verb, said.text, "Digite o nome do que fica: ", Expected::Name)?;
    let products = desk.product_named(&from).ok().zip(desk.product_named(&into).ok());
    // The server refuses a product that is not there, or is merged into itself, and nobody is asked before.
    let products = products.filter(|(gone, kept)| gone.name != kept.name);
    let code_lost = products.as_ref().and_then(|(gone, kept)| code_note(gone, kept));
    if let Some((gone, kept)) = products.filter(|_| desk.is_person() && said.get("id").is_none()) {
        let odd = format!("{} passa todo para {}, e se aposenta", gone.name, kept.name);
        desk.confirm(&odd, said.is_meant())?;
    }
    let line = format!("{} {from}{TO}{into}", verb.form.word);
    let request = MergeRequest { from: &from, into: &into, request_id: said.request_id()? };
    desk.make(&Request::MergeProducts(request), &line)?;
    if let Some(lost) = code_lost {
        desk.tell(&format!("Aviso: {lost}."))?;
    }
    Ok(())
}

fn update_product(
    desk: &mut dyn Desk,
    name: &str,
    update: TermsUpdate,
    request_id: Option<RequestId>,
    line: &str,
) -> Result<(), Stopped> {
    desk.make(
        &Request::UpdateProduct(UpdateProductRequest { name, update: Box::new(update), request_id }),
        line,
    )
}
