//! Errors of the operating system in Portuguese.

use std::io::{Error, ErrorKind};

use crate::platform::advice::{FILE_LIMIT, without_kind};

/// Describes an error to a person. A rare error of the system keeps its words behind ours.
pub fn describe(error: &Error) -> String {
    let what = match error.kind() {
        ErrorKind::NotFound => "não existe",
        ErrorKind::PermissionDenied => "sem permissão",
        ErrorKind::ConnectionRefused => "conexão recusada",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "conexão interrompida",
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => "o outro lado encerrou a conexão",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "o tempo de espera acabou",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "a rede não leva até lá",
        ErrorKind::NetworkDown => "a rede está desligada",
        ErrorKind::AddrInUse => "o endereço já está em uso",
        ErrorKind::AddrNotAvailable => "o endereço não é desta máquina",
        ErrorKind::StorageFull => "o disco está cheio",
        ErrorKind::QuotaExceeded => "o espaço que este usuário pode ocupar no disco acabou",
        ErrorKind::FileTooLarge => {
            return format!("o arquivo passaria do maior tamanho permitido ({FILE_LIMIT})");
        }
        ErrorKind::ReadOnlyFilesystem => "o disco só permite leitura",
        ErrorKind::IsADirectory => "é uma pasta",
        ErrorKind::InvalidFilename => "o nome é longo demais",
        ErrorKind::NotADirectory => "uma parte do caminho não é uma pasta",
        _ if is_of_lookup(error) => "o nome da máquina não foi encontrado",
        // The error of another module has words of its own.
        _ if error.get_ref().is_some() => return error.to_string(),
        ErrorKind::AlreadyExists => "já existe",
        ErrorKind::OutOfMemory => "falta memória",
        _ => match error.raw_os_error().and_then(without_kind) {
            Some(what) => what,
            None => return format!("o sistema não o permitiu ({error})"),
        },
    };
    what.to_owned()
}

/// Whether the lookup of a machine's name failed. The standard library has no kind for that.
fn is_of_lookup(error: &Error) -> bool {
    const HOST_NOT_FOUND_OF_WINDOWS: i32 = 11001;
    error.raw_os_error() == Some(HOST_NOT_FOUND_OF_WINDOWS)
        || error.to_string().starts_with("failed to lookup address information")
}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs;

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn no_error_of_the_system_is_english_alone() {
        for code in 1..=133 {
            let error = Error::from_raw_os_error(code);
            let told = describe(&error);
            assert!(told != error.to_string(), "{code}: {told}");
        }
        assert_eq!(describe(&Error::from_raw_os_error(24)), "há arquivos abertos demais (ulimit -n)");
        let ours = Error::new(ErrorKind::AlreadyExists, "é um link simbólico");
        assert_eq!(describe(&ours), "é um link simbólico");
    }

    #[test]
    fn a_name_that_no_machine_has_is_described() {
        // No part of a name has so many letters, so no other machine is asked.
        let error = (&*"x".repeat(300), 80).to_socket_addrs().unwrap_err();
        assert_eq!(describe(&error), "o nome da máquina não foi encontrado", "{error}");
    }
}
