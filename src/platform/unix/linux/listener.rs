//! The process that listens on a port of this machine.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The lists of the sockets of TCP (proc_net_tcp(5)).
const SOCKETS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The state of a socket that listens, as the lists show it.
const LISTENING: &str = "0A";

/// A process, held by a descriptor: another one that gets its number later is not taken for it (pidfd_open(2), Linux
/// 5.3).
pub(crate) struct Listener(OwnedFd);

/// The process of this program that listens at an address, or at `localhost`. `None` if there is none, or the caller
/// may not look at it.
///
/// # Errors
/// If the system has no descriptors of processes ([`ErrorKind::Unsupported`]).
pub(crate) fn listener(ip: Option<IpAddr>, port: u16) -> io::Result<Option<Listener>> {
    let lists = SOCKETS.map(|list| fs::read_to_string(list).unwrap_or_default());
    let sockets: Vec<PathBuf> = lists.iter().flat_map(|list| listening(list, ip, port)).collect();
    let own = program(Path::new("/proc/self"));
    for entry in fs::read_dir("/proc")?.flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(number) = number.and_then(Pid::from_raw) else { continue };
        // Held from before the first look: if the number goes to another process meanwhile, nobody gets a signal.
        let Some(process) = Listener::of(number)? else { continue };
        let folder = entry.path();
        if program(&folder) != own {
            continue;
        }
        // The descriptors of another user's process are hidden.
        let Ok(descriptors) = fs::read_dir(folder.join("fd")) else { continue };
        let mut open = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        if open.any(|file| sockets.contains(&file)) {
            return Ok(Some(process));
        }
    }
    Ok(None)
}

impl Listener {
    /// The process that has this number now, if any.
    fn of(number: Pid) -> io::Result<Option<Self>> {
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(process) => Ok(Some(Self(process))),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks the process to end, as SIGTERM does.
    ///
    /// # Errors
    /// If it has ended ([`ErrorKind::NotFound`]).
    pub(crate) fn end(&self) -> io::Result<()> {
        pidfd_send_signal(&self.0, Signal::TERM).map_err(|error| match error {
            Errno::SRCH => ErrorKind::NotFound.into(),
            _ => error.into(),
        })
    }

    /// Waits for the end of the process. Returns whether that was within this time.
    pub(crate) fn has_ended_within(&self, wait: Duration) -> bool {
        let wait = Timespec::try_from(wait).ok();
        // A process that has ended can be read, also if its parent has not looked yet.
        let mut end = [PollFd::new(&self.0, PollFlags::IN)];
        retry_on_intr(|| poll(&mut end, wait.as_ref())).is_ok_and(|ended| ended > 0)
    }
}

/// The name of the file of a process's program, whose path another installation may have changed since.
fn program(process: &Path) -> Option<String> {
    let program = fs::read_link(process.join("exe")).ok()?;
    let name = program.file_name()?.to_str()?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name).to_owned())
}

/// The sockets that listen at an address, or at `localhost`, as links of descriptors name them. A line of a list is
/// like `0: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 123 1 …`.
fn listening(list: &str, ip: Option<IpAddr>, port: u16) -> Vec<PathBuf> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, own, _, LISTENING, _, _, _, _, _, number, ..] = fields[..] else { return None };
        let (own_ip, own_port) = own.split_once(':')?;
        let own_ip = address(own_ip)?;
        let is_there = own_ip.is_unspecified() || own_ip == ip.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let is_asked = is_there && u16::from_str_radix(own_port, 16) == Ok(port);
        is_asked.then(|| PathBuf::from(format!("socket:[{number}]")))
    };
    list.lines().filter_map(socket).collect()
}

/// An address in a list: its words of four bytes, each as a number of this processor.
fn address(digits: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(digits.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    if digits.len() == 8 {
        return Some(word(0)?.into());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?];
    let bytes: [u8; 16] = words.concat().try_into().ok()?;
    Some(IpAddr::from(bytes).to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn sockets_that_listen_stand_in_the_list() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 123 1 0 100 0\n\
            \x20  1: 0100007F:1F92 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 124 1 0 20 4\n\
            \x20  2: 00000000:1F93 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 125 1 0 100 0\n\
            \x20  3: 0200007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 126 1 0 100 0\n\
            \x20  4: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 \
            00:00000000 00000000     0        0 127 1 0 100 0\n";
        let found = |ip: Option<&str>, port| listening(list, ip.map(|ip| ip.parse().unwrap()), port);
        let socket = |number: u32| [PathBuf::from(format!("socket:[{number}]"))];
        assert_eq!(found(None, 8082), socket(123));
        assert_eq!(found(Some("127.0.0.2"), 8082), socket(126));
        assert_eq!(found(Some("::1"), 8082), socket(127));
        assert_eq!(found(Some("127.0.0.3"), 8083), socket(125));
        assert!(found(Some("127.0.0.3"), 8082).is_empty());
        assert!(found(None, 8084).is_empty());
    }

    #[test]
    fn a_process_is_found_by_its_port() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(!listener(None, port).unwrap().unwrap().has_ended_within(Duration::ZERO));
        drop(socket);
        assert!(listener(None, port).unwrap().is_none());
    }

    #[test]
    fn a_process_is_asked_to_end_and_awaited() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Listener::of(Pid::from_child(&child)).unwrap().unwrap();
        assert!(!process.has_ended_within(Duration::ZERO));
        process.end().unwrap();
        assert!(process.has_ended_within(Duration::from_secs(30)));
        assert_eq!(child.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
        // The number is free now, and whoever has it next gets no signal.
        assert_eq!(process.end().unwrap_err().kind(), ErrorKind::NotFound);
        assert!(process.has_ended_within(Duration::ZERO));
    }
}
