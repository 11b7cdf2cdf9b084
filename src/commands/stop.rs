//! `stop`: ends a running server of this machine.

use std::io::ErrorKind;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::connection::PortFile;
use super::output::note;
use crate::io_error::describe;
use crate::platform::stop;
use crate::port_file;

/// The longest wait for the end of the server: several times the default of `--drain-seconds`.
const STOP_WAIT: Duration = Duration::from_secs(60);

/// Para o servidor desta pasta, como Ctrl-C: responde ao que recebeu e termina
#[derive(Debug, Args)]
#[command(after_help = "Exemplos:\n  hortifruti stop\n  hortifruti stop --port-file loja/server_port.txt")]
pub(super) struct Stop {
    #[command(flatten)]
    port_file: PortFile,
}

impl Stop {
    pub(super) fn run(self) -> Result<(), Error> {
        let path = self.port_file.of_client();
        let place = port_file::read(&path).map_err(|error| {
            anyhow::anyhow!("{error}. Nada foi parado; diga onde ele está com --port-file")
        })?;
        if !place.is_of_this_machine() {
            return Err(anyhow::anyhow!(
                "o servidor em {place} é de outra máquina. Nada foi parado; pare-o nela"
            )
            .into());
        }
        let shown = path.display();
        match stop::stop(place.ip(), place.port(), STOP_WAIT) {
            Ok(true) => note(&format!("O servidor em {place} parou.")),
            Ok(false) => {
                return Err(anyhow::anyhow!(
                    "o servidor em {place} foi avisado, e depois de {} s ainda espera por clientes. Ele para depois de \
                     --drain-seconds",
                    STOP_WAIT.as_secs()
                )
                .into());
            }
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::NotFound => format!(
                        "nenhum servidor deste programa, que você possa parar, escuta em {place}, como diz {shown}. Nada \
                         foi parado; ele já parou, ou é de outro usuário"
                    ),
                    ErrorKind::PermissionDenied => format!(
                        "o servidor em {place} é de outro usuário. Nada foi parado; repita como ele, ou como administrador"
                    ),
                    ErrorKind::Unsupported => {
                        "este sistema não diz que processo é o servidor. Nada foi parado; use Ctrl-C no terminal dele, \
                         ou kill"
                            .to_owned()
                    }
                    _ => format!("o servidor em {place} não pôde ser parado: {}", describe(&error)),
                };
                return Err(anyhow::anyhow!("{why}").into());
            }
        }
        Ok(())
    }
}
