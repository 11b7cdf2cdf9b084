//! The words of an advice that names a command of the system.

use std::ffi::OsString;
use std::path::Path;

use jiff::Timestamp;

/// The limit of the size of a file.
pub(crate) const FILE_LIMIT: &str = "o do disco; um disco FAT32 guarda até 4 GB num arquivo";

/// The advice after a write that the disk refused.
pub(crate) const CHECK_DISK: &str = "Confira o disco";

/// The way to raise the limit of open files, which Windows does not have.
pub(crate) const RAISE_OPEN_FILES: &str = "use fewer connections";

/// The way in which a running server reads its files again.
pub(crate) const RELOAD: &str = "um servidor que já roda relê o arquivo em alguns segundos";

/// Describes an error of the system for which the standard library has no kind.
pub(crate) fn without_kind(code: i32) -> Option<&'static str> {
    const TOO_MANY_OPEN_FILES: i32 = 4;
    const IO_DEVICE: i32 = 1117;
    Some(match code {
        TOO_MANY_OPEN_FILES => "há arquivos abertos demais",
        IO_DEVICE => "o disco falhou",
        _ => return None,
    })
}

/// The advice for a file that others can read.
pub(crate) fn make_private(path: &Path) -> String {
    format!("feche o arquivo com: icacls \"{}\" /inheritance:r /grant:r \"%USERNAME%:F\"", path.display())
}

/// The command of PowerShell that sets the time of a file. `time` is in nanoseconds since 1970.
pub(crate) fn set_time(path: &Path, time: i128) -> String {
    let path = path.display().to_string().replace('\'', "''");
    let time = Timestamp::from_nanosecond(time).unwrap_or_default();
    format!("(Get-Item -LiteralPath '{path}').LastWriteTimeUtc = [datetime]'{time}'.ToUniversalTime()")
}

/// A word of a command line, quoted if cmd.exe or PowerShell would take it for something else.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || r"-_./:\+@".contains(one);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    // A program reads `\"` as a quote, and backslashes before a quote in pairs.
    let mut quoted = String::from('"');
    let mut backslashes = 0;
    for one in word.chars() {
        match one {
            '\\' => backslashes += 1,
            '"' => {
                quoted.push_str(&r"\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(one);
    }
    quoted + &r"\".repeat(backslashes) + "\""
}

/// The environment variables before a command: none, because cmd.exe sets variables for a whole window, in which
/// the command is pasted.
pub(crate) fn with_variables(_: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_line() {
        for (word, expected) in [
            ("--data", "--data"),
            (r"C:\loja\hortifruti.db", r"C:\loja\hortifruti.db"),
            ("", "\"\""),
            ("Maca Gala", "\"Maca Gala\""),
            (r"C:\minha loja\", r#""C:\minha loja\\""#),
            (r#"7" \"#, r#""7\" \\""#),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_time_has_its_fraction() {
        let command = set_time(Path::new(r"C:\d'água.db"), 1_764_415_267_123_456_700);
        assert!(command.contains("'C:\\d''água.db'") && command.contains("11:21:07.1234567Z"), "{command}");
    }
}
