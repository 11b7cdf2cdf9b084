//! `sell`: a sale of one product, or of several as one document.

use clap::Args;

use super::Error;
use super::word::WordOptions;
use crate::operation::phrase::split_words;

/// Vende: um produto, ou vários num só documento
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti sell 2,5kg Tomate\n  hortifruti sell 3 Maca 12 Banana --format json"
)]
pub(super) struct Sell {
    /// Quantidade e nome de cada produto, ou só códigos e etiquetas
    #[arg(value_name = "QUANTIDADE NOME", required = true, num_args = 1.., allow_negative_numbers = true, display_order = 1)]
    items: Vec<String>,
    #[command(flatten)]
    options: WordOptions,
}

impl Sell {
    pub(super) fn run(self) -> Result<(), Error> {
        let words: Vec<&str> = self.items.iter().map(String::as_str).collect();
        let phrases: Vec<String> = split_words(&words)?.iter().map(|phrase| phrase.join(" ")).collect();
        self.options.run("vender", phrases.join("; "), &[])
    }
}
