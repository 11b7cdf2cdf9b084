//! `status`: the state of the server.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Error;
use super::connection::{Connection, connect};
use super::output::{note_last_movement, note_unknown_zone, print};
use crate::operation::{Reply, Request, StoreState};
use crate::refusal::{Code, Refusal};
use crate::render::Format;

/// Mostra como está o servidor: banco de dados, conexões, fila, gravações
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti status\n  hortifruti status --format json\n\nO código de saída é 0 se o servidor recebe mudanças, e 5 se não."
)]
pub(super) struct Status {
    /// Formato: text (o padrão) ou json
    #[arg(
        long,
        value_name = "FORMATO",
        default_value = "text",
        hide_default_value = true,
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(["text", "json"]).map(|word| format(&word))
    )]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

fn format(word: &str) -> Format {
    if word == "json" { Format::Json } else { Format::Text }
}

impl Status {
    pub(super) fn run(self) -> Result<(), Error> {
        note_unknown_zone();
        let mut client = connect(&self.connection)?;
        let reply = client.call(&Request::GetStatus)?;
        print(&reply, self.format)?;
        match &reply {
            Reply::Status(status) if status.store == StoreState::Open => {
                note_last_movement(&mut client);
                Ok(())
            }
            Reply::Status(status) if status.store == StoreState::StandsBy => {
                let holder = status.lease.as_ref().and_then(|lease| lease.holder.as_deref());
                Err(Refusal::standing_by(holder).into())
            }
            _ => {
                let what = "o servidor não recebe mudanças agora. Veja o log do servidor.";
                Err(Refusal::new(Code::Unavailable, what).into())
            }
        }
    }
}
