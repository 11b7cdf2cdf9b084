//! `service`: the service of Windows that starts the server with the machine.

use std::ffi::OsString;
use std::io::{self, ErrorKind};

use clap::{Args, Subcommand};

use super::Error;
use super::output::note;
use crate::io_error::describe;
use crate::platform::installed_service;
use crate::port_file;

/// The option of `serve` that names the port file.
const PORT_FILE: &str = "--port-file";

/// O servidor como serviço do Windows: começa com a máquina
#[derive(Debug, Args)]
pub(super) struct Service {
    #[command(subcommand)]
    command: ServiceCommand,
}

#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Instala e inicia o serviço; repetido, troca o programa e as opções dele
    Install(Install),
    /// Inicia o serviço
    #[command(after_help = "Exemplo:\n  hortifruti service start")]
    Start,
    /// Para o serviço, como Ctrl-C para um servidor
    #[command(after_help = "Exemplo:\n  hortifruti service stop")]
    Stop,
    /// Para e remove o serviço; os dados da loja ficam
    #[command(after_help = "Exemplo:\n  hortifruti service remove")]
    Remove,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti service install\n  hortifruti service install -- --port 9000 --empty"
)]
struct Install {
    /// Opções de serve, depois de --; os arquivos ficam em %ProgramData%\hortifruti
    #[arg(value_name = "OPCAO", last = true)]
    options: Vec<OsString>,
}

impl Service {
    /// Runs the subcommand of `program`, the whole command line.
    pub(super) fn run(self, program: clap::Command) -> Result<(), Error> {
        match self.command {
            ServiceCommand::Install(install) => install.run(program),
            ServiceCommand::Start => start("Serviço iniciado."),
            ServiceCommand::Stop => {
                if !installed_service::stop().map_err(failed)? {
                    return Err(anyhow::anyhow!(
                        "o serviço foi avisado, e ainda espera por clientes. Ele para sozinho; veja com: sc query hortifruti"
                    )
                    .into());
                }
                note("Serviço parado.");
                Ok(())
            }
            ServiceCommand::Remove => {
                let folder = installed_service::remove().map_err(failed)?;
                note(&format!("Serviço removido. Os dados da loja ficam em {}.", folder.display()));
                Ok(())
            }
        }
    }
}

impl Install {
    fn run(self, program: clap::Command) -> Result<(), Error> {
        let options = with_port_file(self.options);
        // The options are checked now, because nobody sees what the service says.
        let words = ["hortifruti", "serve"].into_iter().map(OsString::from).chain(options.iter().cloned());
        program.try_get_matches_from(words)?;
        let folder = installed_service::install(&options).map_err(failed)?;
        start(&format!("Serviço instalado e iniciado. Os dados da loja ficam em {}.", folder.display()))
    }
}

/// Options of `serve` with a port file that clients of every user find, if no other is given.
fn with_port_file(mut options: Vec<OsString>) -> Vec<OsString> {
    let is_given = |option: &OsString| {
        let option = option.to_string_lossy();
        option == PORT_FILE || option.starts_with(&format!("{PORT_FILE}="))
    };
    if !options.iter().any(is_given) {
        options.extend([PORT_FILE.into(), port_file::of_service().into()]);
    }
    options
}

fn start(done: &str) -> Result<(), Error> {
    if !installed_service::start().map_err(failed)? {
        return Err(anyhow::anyhow!(
            "o serviço não começou a atender. O motivo está no Visualizador de Eventos (eventvwr), em Logs do Windows, \
             Aplicativo, com a fonte hortifruti; depois, hortifruti service start"
        )
        .into());
    }
    note(done);
    Ok(())
}

/// The error of a step that the system refused.
fn failed(error: io::Error) -> Error {
    let text = match error.kind() {
        ErrorKind::Unsupported => error.to_string(),
        ErrorKind::PermissionDenied => {
            "só um administrador pode mudar serviços. Nada foi feito; abra o cmd com \"Executar como administrador\" e \
             repita"
                .to_owned()
        }
        ErrorKind::NotFound if error.raw_os_error().is_none() => {
            "o serviço hortifruti não está instalado. Nada foi feito; instale-o com: hortifruti service install".to_owned()
        }
        _ => format!(
            "o Windows recusou: {}. Confira o serviço com: sc query hortifruti, e repita",
            describe(&error)
        ),
    };
    anyhow::anyhow!(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_find_the_service_unless_another_port_file_is_given() {
        let of = |words: &str| with_port_file(words.split_whitespace().map(OsString::from).collect());
        assert_eq!(of("--empty")[1..], [OsString::from(PORT_FILE), port_file::of_service().into()]);
        for given in ["--port-file a.txt", "--port-file=a.txt --empty"] {
            assert_eq!(of(given).len(), 2, "{given}");
        }
    }
}
