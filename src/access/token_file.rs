//! The server's file of tokens, and the file with a client's secret.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Role, Secret, Token, Tokens};
use crate::catalog::Author;
use crate::io_error::describe;
use crate::private_file::{self, AtomicFile};

/// Largest file read, in bytes: some thousand tokens.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The longest wait for another process that changes the file, and the time between two tries. A change takes
/// milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file system refused an action.
    #[error("não foi possível {action} o arquivo de token {path}: {}", describe(.error))]
    Io {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// The file.
        path: String,
        /// The system's error.
        error: io::Error,
    },
    /// The path is a symbolic link, and the file behind a link is not the file that was named.
    #[error("{path} é um link simbólico; indique o próprio arquivo")]
    Link {
        /// The file.
        path: String,
    },
    /// A line is not a token.
    #[error(
        "a linha {line} de {path} não é um token (NOME {} sha256:HASH); crie um com `hortifruti token new NOME`",
        Role::ALL.map(Role::word).join("|")
    )]
    BadLine {
        /// The file.
        path: String,
        /// The number of the line, from 1.
        line: usize,
    },
    /// Two tokens have the same name.
    #[error("o nome da linha {line} de {path} já está numa linha anterior; apague uma das duas")]
    NameTwice {
        /// The file.
        path: String,
        /// The number of the line, from 1.
        line: usize,
    },
    /// A token already has this name.
    #[error(
        "{path} já tem um token com esse nome; escolha outro, ou revogue aquele com `hortifruti token revoke`"
    )]
    NameTaken {
        /// The file.
        path: String,
    },
    /// No token has this name.
    #[error(
        "{path} não tem um token com esse nome; veja os nomes com `hortifruti token list --token-file {path}`"
    )]
    NoSuchName {
        /// The file.
        path: String,
    },
    /// The file is not text, or far too long.
    #[error("{path} não é um arquivo de tokens")]
    NotText {
        /// The file.
        path: String,
    },
    /// A client's file does not have exactly one secret.
    #[error("{path} não contém um segredo numa linha só, como `hortifruti token new` o mostra")]
    NoSecret {
        /// The file.
        path: String,
    },
}

/// Reads the tokens of a server. Empty lines, and lines that begin with `#`, are skipped.
///
/// # Errors
/// If the file cannot be read, a line is not a token, or two tokens have the same name.
pub fn read(path: &Path) -> Result<Tokens, TokenFileError> {
    let mut file = private_file::open_file_or_pipe(path).map_err(|error| failed("ler", path, error))?;
    tokens(&read_text(&mut file, path)?, path)
}

/// Reads the secret of a client, and whether only the owner of its file can read it.
///
/// # Errors
/// If the file cannot be read, or holds anything but one secret.
pub fn read_secret(path: &Path) -> Result<(Secret, bool), TokenFileError> {
    let mut file = private_file::open_file_or_pipe(path).map_err(|error| failed("ler", path, error))?;
    let is_private = private_file::is_private(&file).map_err(|error| failed("ler", path, error))?;
    let text = read_text(&mut file, path)?;
    let secret = Secret::parse(text.trim()).ok_or_else(|| TokenFileError::NoSecret { path: shown(path) })?;
    Ok((secret, is_private))
}

/// Adds a token to a server's file. If there is none, creates one that only its owner can read.
///
/// # Errors
/// If the file is a symbolic link, cannot be written, has a line that is not a token, or already has a token
/// of this name.
pub fn append(path: &Path, token: &Token) -> Result<(), TokenFileError> {
    let mut file = open_alone(path, private_file::open_or_create)?;
    let text = read_text(&mut file, path)?;
    if tokens(&text, path)?.has(&token.name) {
        return Err(TokenFileError::NameTaken { path: shown(path) });
    }
    let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.seek(SeekFrom::End(0))
        .and_then(|_| file.write_all(format!("{line_end}{token}\n").as_bytes()))
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            // Removes a half-written line, with which no server would start.
            let _ = file.set_len(text.len() as u64);
            failed("escrever", path, error)
        })
}

/// Takes a token out of a server's file. All other lines stay as they are, and at a crash the file is
/// the one before or the one after. Returns how many tokens are left.
///
/// # Errors
/// If the file is a symbolic link, cannot be written, holds a line that is no token, or lacks the name.
pub fn revoke(path: &Path, name: &Author) -> Result<usize, TokenFileError> {
    let mut file = open_alone(path, private_file::open_to_read)?;
    let text = read_text(&mut file, path)?;
    let count = tokens(&text, path)?.iter().count();
    let is_kept = |line: &&str| Token::parse(line).is_none_or(|token| token.name != *name);
    let kept: String = text.split_inclusive('\n').filter(is_kept).collect();
    if kept.len() == text.len() {
        return Err(TokenFileError::NoSuchName { path: shown(path) });
    }
    let written = AtomicFile::begin_like(path, &file).and_then(|made| {
        made.file().write_all(kept.as_bytes())?;
        made.finish_instead_of(file)
    });
    written.map_err(|error| failed("escrever", path, error))?;
    Ok(count - 1)
}

/// Opens and locks a file of tokens, so that no other process of this program changes it.
fn open_alone(path: &Path, open: fn(&Path) -> io::Result<File>) -> Result<File, TokenFileError> {
    let give_up = Instant::now() + LOCK_WAIT;
    loop {
        if path.is_symlink() {
            return Err(TokenFileError::Link { path: shown(path) });
        }
        let mut file = open(path).map_err(|error| failed("abrir", path, error))?;
        // The file is read before it is locked, because its own program may hold a lock on a file of another
        // kind as long as it runs.
        tokens(&read_text(&mut file, path)?, path)?;
        match private_file::lock(&file, path).and_then(|()| file.rewind()) {
            Ok(()) => return Ok(file),
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(failed("travar", path, error)),
            Err(_) if Instant::now() < give_up => {
                // An open file may be in the way of its replacement.
                drop(file);
                sleep(LOCK_LOOK);
            }
            Err(_) => return Err(failed("travar", path, io::Error::other("outro programa o está usando"))),
        }
    }
}

fn read_text(file: &mut File, path: &Path) -> Result<String, TokenFileError> {
    let content = private_file::read_file_or_pipe(file, FILE_BYTES_MAX + 1);
    let content = content.map_err(|error| failed("ler", path, error))?;
    let is_long = content.len() as u64 > FILE_BYTES_MAX;
    let text = String::from_utf8(content).ok().filter(|_| !is_long);
    text.ok_or_else(|| TokenFileError::NotText { path: shown(path) })
}

fn tokens(text: &str, path: &Path) -> Result<Tokens, TokenFileError> {
    let mut tokens: Vec<Token> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let line_number = index + 1;
        let token = Token::parse(line)
            .ok_or_else(|| TokenFileError::BadLine { path: shown(path), line: line_number })?;
        if tokens.iter().any(|other| other.name == token.name) {
            return Err(TokenFileError::NameTwice { path: shown(path), line: line_number });
        }
        tokens.push(token);
    }
    Ok(Tokens::new(tokens))
}

fn failed(action: &'static str, path: &Path, error: io::Error) -> TokenFileError {
    TokenFileError::Io { action, path: shown(path), error }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Hash, Role};
    use super::*;

    fn token(name: &str) -> Token {
        Token { name: name.parse().unwrap(), role: Role::Read, hash: Hash::of(name) }
    }

    #[test]
    fn tokens_are_added_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        append(&path, &token("um")).unwrap();
        // Comments, blank lines and a missing line end, as an editor may leave them.
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("# da loja\n\n{}", text.trim_end())).unwrap();
        append(&path, &token("dois")).unwrap();
        assert!(matches!(append(&path, &token("dois")), Err(TokenFileError::NameTaken { .. })));
        let tokens = read(&path).unwrap();
        assert!(tokens.has(&"um".parse().unwrap()) && tokens.has(&"dois".parse().unwrap()));
        fs::write(&path, format!("{}\n{}\n", token("um"), token("um"))).unwrap();
        assert!(matches!(read(&path), Err(TokenFileError::NameTwice { line: 2, .. })));
        fs::write(&path, "um leitura segredo\n").unwrap();
        assert!(matches!(read(&path), Err(TokenFileError::BadLine { line: 1, .. })));
        fs::write(&path, [0xff]).unwrap();
        assert!(matches!(read(&path), Err(TokenFileError::NotText { .. })));
    }

    #[test]
    fn a_revoked_token_goes_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let revoke = |name: &str| revoke(&path, &name.parse().unwrap());
        assert!(matches!(revoke("um"), Err(TokenFileError::Io { action: "abrir", .. })));
        let others = format!("# um leitura\r\n\n{}\n{}", token("um-dois"), token("três"));
        fs::write(&path, others.replace("\n\n", &format!("\n\n  {}\n", token("um")))).unwrap();
        assert!(matches!(revoke("nenhum"), Err(TokenFileError::NoSuchName { .. })));
        assert_eq!(revoke("um").unwrap(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), others);
        assert_eq!((revoke("três").unwrap(), revoke("um-dois").unwrap()), (1, 0));
        assert_eq!(fs::read_to_string(&path).unwrap(), "# um leitura\r\n\n");
        fs::write(&path, "um leitura segredo\n").unwrap();
        assert!(matches!(revoke("um"), Err(TokenFileError::BadLine { line: 1, .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn tokens_that_come_and_go_together_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        (0..4).for_each(|number| append(&path, &token(&format!("sai-{number}"))).unwrap());
        std::thread::scope(|scope| {
            for number in 0..4 {
                let path = &path;
                scope.spawn(move || append(path, &token(&format!("entra-{number}"))).unwrap());
                scope.spawn(move || revoke(path, &format!("sai-{number}").parse().unwrap()).unwrap());
            }
        });
        let tokens = read(&path).unwrap();
        let mut names: Vec<String> = tokens.iter().map(|token| token.name.to_string()).collect();
        names.sort();
        assert_eq!(names, (0..4).map(|number| format!("entra-{number}")).collect::<Vec<_>>());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_them_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        append(&path, &token("um")).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        append(&path, &token("dois")).unwrap();
        revoke(&path, &"um".parse().unwrap()).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        let (link, target) = (folder.path().join("link"), folder.path().join("alheio"));
        symlink(&target, &link).unwrap();
        assert!(matches!(append(&link, &token("um")), Err(TokenFileError::Link { .. })));
        assert!(private_file::open_or_create(&link).is_err());
        assert!(!target.exists());
    }

    #[test]
    fn a_clients_file_holds_one_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segredo");
        fs::write(&path, "abc\n").unwrap();
        assert_eq!(read_secret(&path).unwrap().0.reveal(), "abc");
        for content in ["", "\n", "um\ndois\n", "um dois"] {
            fs::write(&path, content).unwrap();
            assert!(matches!(read_secret(&path), Err(TokenFileError::NoSecret { .. })), "{content:?}");
        }
    }
}
