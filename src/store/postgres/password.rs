//! The passwords of the engine: the variable `PGPASSWORD`, or a file of lines `host:port:database:user:password`
//! (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::env;
use std::path::{Path, PathBuf};

use crate::io_error::describe;
use crate::platform::{advice, machine};
use crate::private_file;

/// The largest file of passwords that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The passwords of an address.
#[derive(Default)]
pub(super) struct Passwords {
    /// The password for every host.
    own: Option<String>,
    /// The lines of the file.
    lines: Vec<[String; 5]>,
}

impl Passwords {
    /// Finds the passwords in the environment and in a file: this one, that of `PGPASSFILE`, or `~/.pgpass`.
    ///
    /// # Errors
    /// If a named file cannot be read, or others than its owner may read the file.
    pub(super) fn find(file: Option<&Path>) -> Result<Self, String> {
        if let Some(own) = env::var("PGPASSWORD").ok().filter(|own| !own.is_empty()) {
            return Ok(Self { own: Some(own), lines: Vec::new() });
        }
        let named = file.map(Path::to_owned).or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from));
        let path = match named {
            Some(path) => path,
            None => {
                let usual = machine::postgres_passwords().filter(|path| path.exists());
                let Some(usual) = usual else { return Ok(Self::default()) };
                usual
            }
        };
        let read = private_file::open_file_or_pipe(&path).and_then(|mut file| {
            let is_private = private_file::is_private(&file)?;
            Ok((is_private, private_file::read_file_or_pipe(&mut file, FILE_BYTES_MAX + 1)?))
        });
        let (is_private, bytes) = read.map_err(|error| {
            format!("não foi possível ler o arquivo de senhas {}: {}", path.display(), describe(&error))
        })?;
        if !is_private {
            let next = advice::make_private(&path);
            return Err(format!("outros usuários podem ler o arquivo de senhas {}; {next}", path.display()));
        }
        let text = String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= FILE_BYTES_MAX);
        let text = text.ok_or_else(|| format!("{} não é um arquivo de senhas", path.display()))?;
        // Editors of Windows begin a file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        Ok(Self { own: None, lines: text.lines().filter_map(fields).collect() })
    }

    /// The password of a user for a database of a host.
    pub(super) fn of(&self, host: &str, port: u16, database: &str, user: &str) -> Option<&str> {
        let port = port.to_string();
        let asked = [host, &port, database, user];
        let is_of = |line: &&[String; 5]| {
            asked.iter().zip(*line).all(|(asked, field)| field == "*" || field == asked)
        };
        self.own.as_deref().or_else(|| self.lines.iter().find(is_of).map(|[.., password]| password.as_str()))
    }
}

/// The fields of a line. A backslash takes the meaning from a colon or a backslash.
fn fields(line: &str) -> Option<[String; 5]> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields: [String; 5] = Default::default();
    let mut index = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if index < 4 => index += 1,
            '\\' => fields[index].extend(characters.next()),
            other => fields[index].push(other),
        }
    }
    (index == 4).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let lines =
            ["# a:1:b:c:d", "db1:5432:frutas:loja:um", r"*:*:*:loja:do\:is\\", "curta:1", "*:*:*:*:três:3"];
        let passwords = Passwords { own: None, lines: lines.into_iter().filter_map(fields).collect() };
        assert_eq!(passwords.of("db1", 5432, "frutas", "loja"), Some("um"));
        assert_eq!(passwords.of("db2", 5432, "frutas", "loja"), Some(r"do:is\"));
        assert_eq!(passwords.of("db2", 1, "x", "outro"), Some("três:3"));
        assert_eq!(Passwords::default().of("db1", 5432, "frutas", "loja"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("senhas");
        std::fs::write(&path, "*:*:*:*:segredo\n").unwrap();
        for (mode, is_taken) in [(0o600, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let found = Passwords::find(Some(&path));
            assert_eq!(found.is_ok(), is_taken, "{mode:o}");
            if let Err(said) = found {
                assert!(said.contains("chmod 600") && !said.contains("segredo"), "{said}");
            }
        }
    }
}
