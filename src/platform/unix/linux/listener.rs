//! The process that listens on a port of this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The lists of the sockets of TCP (proc_net_tcp(5)).
const SOCKETS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The state of a socket that listens, as the lists show it.
const LISTENING: &str = "0A";

/// The time between two looks at a process that is to end.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A process of this program.
pub(crate) struct Listener {
    pub(crate) number: u32,
    folder: PathBuf,
}

/// The process of this program that listens on a port. `None` if there is none, or the caller may not look at it.
pub(crate) fn listener(port: u16) -> io::Result<Option<Listener>> {
    let lists = SOCKETS.map(|list| fs::read_to_string(list).unwrap_or_default());
    let sockets: Vec<PathBuf> = lists.iter().flat_map(|list| listening(list, port)).collect();
    let own = program(Path::new("/proc/self"));
    for entry in fs::read_dir("/proc")?.flatten() {
        let (folder, number) = (entry.path(), entry.file_name().to_str().and_then(|name| name.parse().ok()));
        let Some(number) = number.filter(|_| program(&folder) == own) else { continue };
        // The descriptors of another user's process are hidden.
        let Ok(descriptors) = fs::read_dir(folder.join("fd")) else { continue };
        let mut open = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        if open.any(|file| sockets.contains(&file)) {
            return Ok(Some(Listener { number, folder }));
        }
    }
    Ok(None)
}

impl Listener {
    /// Waits for the end of the process. Returns whether that was within this time.
    pub(crate) fn has_ended_within(&self, wait: Duration) -> bool {
        let give_up = Instant::now() + wait;
        // A process that has ended, and whose parent has not looked yet, has no program.
        while program(&self.folder).is_some() {
            if Instant::now() >= give_up {
                return false;
            }
            sleep(LOOK_EVERY);
        }
        true
    }
}

/// The name of the file of a process's program, whose path another installation may have changed since.
fn program(process: &Path) -> Option<String> {
    let program = fs::read_link(process.join("exe")).ok()?;
    let name = program.file_name()?.to_str()?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name).to_owned())
}

/// The sockets that listen on a port, as links of descriptors name them. A line of a list is like
/// `0: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 123 1 …`.
fn listening(list: &str, port: u16) -> Vec<PathBuf> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, own, _, LISTENING, _, _, _, _, _, number, ..] = fields[..] else { return None };
        let own = u16::from_str_radix(own.rsplit(':').next()?, 16).ok()?;
        (own == port).then(|| PathBuf::from(format!("socket:[{number}]")))
    };
    list.lines().filter_map(socket).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn sockets_that_listen_stand_in_the_list() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 123 1 0 100 0\n\
            \x20  1: 0100007F:1F92 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 124 1 0 20 4\n\
            \x20  2: 00000000:1F93 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 125 1 0 100 0\n";
        assert_eq!(listening(list, 8082), [PathBuf::from("socket:[123]")]);
        assert!(listening(list, 8084).is_empty());
    }

    #[test]
    fn a_process_is_found_by_its_port() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let found = listener(port).unwrap().unwrap();
        assert_eq!(found.number, std::process::id());
        assert!(!found.has_ended_within(Duration::ZERO));
        drop(socket);
        assert!(listener(port).unwrap().is_none());
    }
}
