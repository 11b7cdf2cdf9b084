//! `man`: the manual pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};

use super::Error;
use crate::io_error::describe;
use crate::private_file::AtomicFile;

/// The words by which a page of this program is known.
const TITLE: &[u8] = b".TH hortifruti";

/// Escreve as páginas de manual, uma para cada comando
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti man ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Pasta das páginas, criada se não existe
    #[arg(value_name = "PASTA", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self, program: Command) -> Result<(), Error> {
        let mut program = program.disable_help_subcommand(true);
        program.build();
        let made = fs::create_dir_all(&self.folder).map_err(|error| not_written(&self.folder, &error));
        Ok(made.and_then(|()| self.write(&program))?)
    }

    /// Writes the page of a command, and those of its subcommands.
    fn write(&self, command: &Command) -> anyhow::Result<()> {
        command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .try_for_each(|command| self.write(command))?;
        let page = clap_mangen::Man::new(command.clone());
        let path = self.folder.join(page.get_filename());
        let mut text = Vec::new();
        let written = page.render(&mut text).and_then(|()| AtomicFile::write_shared(&path, &text, is_page));
        written.map_err(|error| not_written(&path, &error))
    }
}

/// Whether a file that begins so is a page of this program.
fn is_page(head: &[u8]) -> bool {
    head.windows(TITLE.len()).any(|words| words == TITLE)
}

fn not_written(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "as páginas de manual não foram escritas, ou não todas: {}: {}. Confira a pasta e as permissões",
        path.display(),
        describe(error)
    )
}
