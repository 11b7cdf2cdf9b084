//! `label test`: what the label of a scale means.

use std::io::{self, Write};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use serde_json::json;

use super::super::Error;
use super::super::connection::{Connection, connect};
use super::super::output::{note, written};
use crate::catalog::{Amount, Label, LabelContent, LabelMask, LabelMasks, Quantity, Quoted};
use crate::client::{Client, ClientError};
use crate::operation::{ProductReply, Reply, Request};
use crate::refusal::{Code, Refusal};

/// Mostra o que uma etiqueta de balança diz: máscara, código, produto, peso e valor
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti label test 2002126012507\n  hortifruti label test 2002126012507 --label 2CCCCCCPPPPPD"
)]
pub(super) struct Test {
    /// Os 13 dígitos de cada etiqueta
    #[arg(value_name = "ETIQUETA", required = true, display_order = 1)]
    labels: Vec<String>,
    /// Máscara em lugar das de `serve --label`, para experimentar; pode repetir-se
    #[arg(long, value_name = "MASCARA")]
    label: Vec<LabelMask>,
    /// Formato: text (o padrão) ou json
    #[arg(
        long = "format",
        value_name = "FORMATO",
        default_value = "text",
        hide_default_value = true,
        hide_possible_values = true,
        action = ArgAction::Set,
        value_parser = PossibleValuesParser::new(["text", "json"]).map(|word| word == "json")
    )]
    is_json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The meaning of a label in a shop.
struct Meaning<'a> {
    text: &'a str,
    mask: LabelMask,
    label: Label,
    product: ProductReply,
    quantity: Quantity,
    amount: Amount,
}

impl Test {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut client = connect(&self.connection)?;
        let is_trial = !self.label.is_empty();
        let masks = masks(&mut client, self.label)?;
        let meanings = self.labels.iter().map(|text| meaning(&mut client, &masks, text.trim(), is_trial));
        let meanings = meanings.collect::<Result<Vec<_>, _>>()?;
        let text = match self.is_json {
            true => {
                let all: Vec<_> = meanings.iter().map(Meaning::json).collect();
                let one = all.first().filter(|_| all.len() == 1).cloned();
                format!("{}\n", one.unwrap_or_else(|| all.into()))
            }
            false => meanings.iter().map(Meaning::told).collect(),
        };
        written(io::stdout().write_all(text.as_bytes()))?;
        meanings.iter().filter_map(Meaning::unsold).for_each(|why| note(&format!("Aviso: {why}.")));
        Ok(())
    }
}

/// The masks that the command line gives, or else those of the server.
fn masks(client: &mut Client, given: Vec<LabelMask>) -> Result<LabelMasks, Error> {
    let all = match given.is_empty() {
        false => given,
        true => match client.call(&Request::GetStatus)? {
            Reply::Status(status) => status.label_masks,
            _ => Vec::new(),
        },
    };
    if all.is_empty() {
        let what = "este servidor não lê etiquetas de balança, porque foi iniciado sem --label. Nada foi feito; \
                    experimente uma máscara aqui, como --label 2CCCCCCPPPPPD, e inicie o servidor com ela.";
        return Err(Refusal::new(Code::InvalidArgument, what).into());
    }
    let masks = LabelMasks::new(all).map_err(|error| Refusal::invalid("label", error))?;
    Ok(masks)
}

/// The meaning of a label. Under the masks of the server, the server finds the product.
fn meaning<'a>(
    client: &mut Client,
    masks: &LabelMasks,
    text: &'a str,
    is_trial: bool,
) -> Result<Meaning<'a>, Error> {
    let read = masks.read(text).map_err(|error| Refusal::label(&error))?;
    let (Some(label), Some(mask)) = (read, masks.mask_of(text)) else {
        let what =
            format!("{} não é uma etiqueta de balança, que tem 13 dígitos e começa com 2", Quoted(text));
        return Err(Refusal::invalid("name", what).into());
    };
    let name = if is_trial { &label.code.to_string() } else { text };
    let product = match client.call(&Request::GetProduct { name }) {
        Ok(Reply::Product(product)) => product,
        Err(ClientError::Refused(refusal)) if refusal.code == Code::ProductNotFound => {
            return Err(Refusal::label_of_no_product(text, &label).into());
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(anyhow::anyhow!("o servidor não enviou o produto da etiqueta").into()),
    };
    let unit = product.unit.clone().unwrap_or_default();
    let quantity = label.content.quantity(&product.name, &unit, product.price);
    let quantity = quantity.map_err(|error| Refusal::label(&error))?;
    let amount = match label.content {
        LabelContent::Total(total) => total,
        LabelContent::Weight(_) => Amount::of(product.price, quantity),
    };
    Ok(Meaning { text, mask, label, product, quantity, amount })
}

impl Meaning<'_> {
    /// The meaning in two lines for a person.
    fn told(&self) -> String {
        let Self { text, mask, label, product, quantity, amount } = self;
        let says = match label.content {
            LabelContent::Weight(_) => "o peso",
            LabelContent::Total(_) => "o total",
        };
        let unit = product.unit.clone().unwrap_or_default();
        format!(
            "{text}: pela máscara {mask}, código {} e {says}\n{}: {} {unit} · {} · a {}/{unit}\n",
            label.code,
            product.name,
            quantity.with_comma(),
            amount.in_reais(),
            product.price.in_reais()
        )
    }

    /// Why no sale takes the label, if none does.
    fn unsold(&self) -> Option<String> {
        let Self { text, product, quantity, .. } = self;
        let unit = product.unit.as_ref().filter(|unit| !unit.can_hold(*quantity))?;
        let quantity = quantity.with_comma();
        Some(format!(
            "não se vende {quantity} {unit}, e a etiqueta {text} é recusada: confira a máscara e o preço"
        ))
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "label": self.text,
            "mask": self.mask.to_string(),
            "code": self.label.code,
            "holds": if matches!(self.label.content, LabelContent::Weight(_)) { "weight" } else { "total" },
            "name": self.product.name.as_str(),
            "price_centavos": self.product.price.centavos(),
            "unit": self.product.unit.as_ref().map(ToString::to_string),
            "quantity_thousandths": self.quantity.thousandths(),
            "amount_centavos": self.amount.centavos(),
        })
    }
}
