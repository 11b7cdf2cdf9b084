//! `undo`: undoes a movement with its document, or an import.

mod of_import;

use clap::Args;

use self::of_import::tell_kept;
use super::Error;
use super::change::ChangeOptions;
use crate::operation::{Request, UndoRequest, parse_sequence};

/// Desfaz um movimento, com o documento inteiro dele, ou uma importação
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti undo 812\n  hortifruti undo 812 --single\n  hortifruti undo --import\n  hortifruti undo --import 2026-11-30T09:41:07-03:00"
)]
pub(super) struct Undo {
    /// Número do movimento, como 812
    #[arg(value_name = "NUMERO", required_unless_present = "import", conflicts_with = "import")]
    sequence: Option<String>,
    /// Desfaz a última importação, ou a deste momento, como `history --changes` o mostra: os preços e o cadastro voltam
    /// ao que eram, e os produtos que ela criou são aposentados
    #[arg(long, value_name = "QUANDO", num_args = 0..=1, conflicts_with = "single")]
    import: Option<Option<String>>,
    /// Desfaz só este movimento, e não os outros do mesmo documento
    #[arg(long)]
    single: bool,
    #[command(flatten)]
    options: ChangeOptions,
}

impl Undo {
    pub(super) fn run(self) -> Result<(), Error> {
        let request_id = self.options.request_id()?;
        if let Some(when) = &self.import {
            let request = of_import::request(when.as_deref(), request_id)?;
            let reply = self.options.send(&request)?;
            tell_kept(&reply);
            return self.options.print(&reply);
        }
        let sequence = parse_sequence(&self.sequence.unwrap_or_default())?;
        let request = Request::UndoMovement(UndoRequest::of(sequence, self.single, request_id));
        self.options.print(&self.options.send(&request)?)
    }
}
