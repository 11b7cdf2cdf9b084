//! The output of a subcommand: data goes to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use anyhow::anyhow;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::Error;
use crate::client::Client;
use crate::io_error::describe;
use crate::local_time::unknown_zone;
use crate::operation::{Reply, last_movement, last_movement_note};
use crate::render::{Format, Sheet, change_lines, render, render_for_person, workbook};

/// The error of a reply to a change that could not be printed.
const MADE: &str = "a mudança foi feita, não a repita: só a resposta não pôde ser escrita";

/// The file name that means standard input or output.
pub(super) const STANDARD: &str = "-";

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Formato: text (o padrão), table, json, ndjson ou csv
    #[arg(long, value_name = "FORMATO", value_enum, default_value_t = Format::Text, hide_default_value = true, hide_possible_values = true)]
    pub(super) format: Format,
}

/// The format of a table that may also be a workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SheetFormat {
    Shown(Format),
    Xlsx,
}

#[derive(Debug, Args)]
pub(super) struct SheetOutput {
    /// Formato: text (o padrão), table, json, ndjson, csv ou xlsx (com `> ARQUIVO`)
    #[arg(long, value_name = "FORMATO", value_enum, default_value_t = SheetFormat::Shown(Format::Text), hide_default_value = true, hide_possible_values = true)]
    pub(super) format: SheetFormat,
}

impl ValueEnum for SheetFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Shown(Format::Text),
            Self::Shown(Format::Table),
            Self::Shown(Format::Json),
            Self::Shown(Format::Ndjson),
            Self::Shown(Format::Csv),
            Self::Xlsx,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Shown(format) => format.to_possible_value(),
            Self::Xlsx => Some(PossibleValue::new("xlsx")),
        }
    }
}

/// Refuses a workbook on a terminal.
pub(super) fn check_no_terminal() -> Result<(), Error> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Error::Usage(
        "uma planilha não se mostra no terminal. Nada foi escrito; guarde-a num arquivo, como > tabela.xlsx"
            .to_owned(),
    ))
}

/// Writes a sheet as a workbook to standard output.
pub(super) fn print_workbook(sheet: &Sheet) -> Result<(), Error> {
    let bytes = workbook(sheet).map_err(|error| anyhow!("{error}. Nada foi escrito"))?;
    let mut out = io::stdout().lock();
    written(out.write_all(&bytes).and_then(|()| out.flush()))
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Format::Text, Format::Table, Format::Json, Format::Ndjson, Format::Csv]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Format::Text => "text",
            Format::Table => "table",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
        }))
    }
}

pub(super) fn print(reply: &Reply, format: Format) -> Result<(), Error> {
    written(rendered(reply, format))
}

/// Prints the reply to a change. If that fails, the error says that the change was made.
pub(super) fn print_made(reply: &Reply, format: Format) -> Result<(), Error> {
    change_lines(reply).iter().for_each(|line| note(line));
    written_or(rendered(reply, format), MADE)
}

/// Prints the reply to a word of the shell, as the shell does. If that fails, the error says that the change was made.
pub(super) fn print_for_person(reply: &Reply, format: Format) -> Result<(), Error> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let shown = match format {
        Format::Text => render_for_person(&mut out, reply),
        format => render(&mut out, reply, format),
    };
    written_or(shown.and_then(|()| out.flush()), MADE)
}

fn rendered(reply: &Reply, format: Format) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    render(&mut out, reply, format).and_then(|()| out.flush())
}

pub(super) fn written(result: io::Result<()>) -> Result<(), Error> {
    written_or(result, "a saída não pôde ser escrita")
}

/// Turns a failed write into an error. A closed output, as by `head`, is no failure.
pub(super) fn written_or(result: io::Result<()>, failure: &'static str) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.map_err(|error| anyhow!("{failure}: {}", describe(&error)))?),
    }
}

/// Writes a note to standard error. If standard error is closed, the note is dropped.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says that the last movement lies in the future, if the server shows movements and it does.
pub(super) fn note_last_movement(client: &mut Client) {
    if let Some(ahead) = client.call(&last_movement()).ok().as_ref().and_then(last_movement_note) {
        note(&ahead);
    }
}

/// Says that the times of this process are those of UTC because its time zone does not exist.
pub(super) fn note_unknown_zone() {
    if let Some(error) = unknown_zone() {
        note(&format!("Aviso: {error}. As horas são as de UTC."));
    }
}
