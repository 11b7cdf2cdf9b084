//! Errors of the operating system in Portuguese.

use std::io::{Error, ErrorKind};

use crate::platform::advice::FILE_LIMIT;

/// Describes an error to a person. A rare error keeps the words of the system.
pub fn describe(error: &Error) -> String {
    let what = match error.kind() {
        ErrorKind::NotFound => "não existe",
        ErrorKind::PermissionDenied => "sem permissão",
        ErrorKind::ConnectionRefused => "conexão recusada",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "conexão interrompida",
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => "o outro lado encerrou a conexão",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "o tempo de espera acabou",
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
        _ => return error.to_string(),
    };
    what.to_owned()
}
