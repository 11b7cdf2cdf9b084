//! The words of an advice that names a command of the system.

use std::ffi::OsString;
use std::path::Path;

use nix::errno::Errno;

/// The limit of the size of a file, beside that of the disk.
pub(crate) const FILE_LIMIT: &str = "ulimit -f, ou o do disco";

/// The advice after a write that the disk refused.
pub(crate) const CHECK_DISK: &str = "Confira o disco e o limite (ulimit -f)";

/// The way to raise the limit of open files.
pub(crate) const RAISE_OPEN_FILES: &str = "raise it with ulimit -n";

/// The way in which a running server reads its files again.
pub(crate) const RELOAD: &str = "um servidor que já roda relê o arquivo com SIGHUP";

/// Describes an error of the system for which the standard library has no kind.
pub(crate) fn without_kind(code: i32) -> Option<&'static str> {
    Some(match Errno::from_raw(code) {
        Errno::EMFILE | Errno::ENFILE => "há arquivos abertos demais (ulimit -n)",
        Errno::EIO => "o disco falhou",
        _ => return None,
    })
}

/// The advice for a file that others can read.
pub(crate) fn make_private(path: &Path) -> String {
    format!("feche o arquivo com: chmod 600 {}", path.display())
}

/// The command that sets the time of a file. `time` is in nanoseconds since 1970.
pub(crate) fn set_time(path: &Path, time: i128) -> String {
    let (seconds, rest) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
    format!("touch -d @{seconds}.{rest:09} {}", quoted(&path.display().to_string()))
}

/// A word of a command line, quoted if a shell would take it for something else.
pub(crate) fn quoted(word: &str) -> String {
    // A word with a NUL, which no argument has, is shown empty rather than wrong.
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), Into::into)
}

/// The environment variables before a command, which then hold for this command only.
pub(crate) fn with_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let set = |(name, value): (OsString, OsString)| {
        format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy()))
    };
    let mut words: Vec<String> = variables.map(set).collect();
    words.sort();
    words
}
