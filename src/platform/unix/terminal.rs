//! The terminal of this process.

use std::env;
use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// Bytes of a key: an arrow with all its modifiers fits.
const KEY_BYTES: usize = 8;

/// The rows and columns of the terminal that shows standard output; `None` if it is no terminal, or does not say.
pub(crate) fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some((usize::from(size.ws_row), usize::from(size.ws_col)))
}

/// Whether nobody reads standard output any more. A write would fail, but there may be nothing to write for a
/// long time.
pub(crate) fn is_output_closed() -> bool {
    let out = io::stdout();
    // The errors are reported also if no event is asked for.
    let mut output = [PollFd::new(&out, PollFlags::empty())];
    poll(&mut output, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// Whether the terminal obeys control sequences. By the convention of terminfo, `dumb` obeys none. A terminal
/// without a name is taken for one that obeys none.
pub(crate) fn takes_controls() -> bool {
    env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// The text of bytes from a pipe that are not UTF-8: none, because every program of the system writes UTF-8.
pub(crate) fn piped_text(_: &[u8]) -> Option<String> {
    None
}

/// Whether single keys can be read, and none waits to be read.
pub(crate) fn awaits_key() -> bool {
    !is_typed_ahead()
}

/// Whether keys wait to be read.
fn is_typed_ahead() -> bool {
    let stdin = io::stdin();
    let mut keyboard = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut keyboard, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// The keyboard in a mode in which each key is read immediately and none is shown. Dropping it restores the
/// former mode.
pub(crate) struct Keyboard(Termios);

impl Keyboard {
    pub(crate) fn open() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        Ok(Self(before))
    }

    /// The bytes of one key; none at the end of the input. They are read past the buffer of standard input, in
    /// which the keys of the next command would be lost.
    pub(crate) fn key(&self) -> io::Result<Vec<u8>> {
        let mut bytes = [0; KEY_BYTES];
        let mut length =
            rustix::io::retry_on_intr(|| rustix::io::read(io::stdin().as_fd(), &mut bytes[..1]))?;
        // The rest of an arrow comes in one piece with its beginning.
        while bytes[0] == b'\x1b' && (1..KEY_BYTES).contains(&length) && is_typed_ahead() {
            let end = length + 1;
            length +=
                rustix::io::retry_on_intr(|| rustix::io::read(io::stdin().as_fd(), &mut bytes[length..end]))?;
            if bytes[length - 1].is_ascii_alphabetic() || bytes[length - 1] == b'~' {
                break;
            }
        }
        Ok(bytes[..length].to_vec())
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
