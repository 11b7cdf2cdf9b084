//! The console of this process.

use std::env;
use std::io;
use std::sync::LazyLock;

use winapi_util::console;
use winsafe::{MultiByteToWideChar, co};

/// The mode of a console that obeys control sequences.
const VIRTUAL_TERMINAL_PROCESSING: u32 = 4;

/// The rows and columns of the window that shows standard output; `None` if there is none.
pub(crate) fn size() -> Option<(usize, usize)> {
    let window = console::screen_buffer_info(io::stdout()).ok()?.window_rect();
    let length = |from: i16, to: i16| usize::try_from(i32::from(to) - i32::from(from) + 1).ok();
    let (rows, columns) = (length(window.top, window.bottom)?, length(window.left, window.right)?);
    (rows > 0 && columns > 0).then_some((rows, columns))
}

/// Whether nobody reads standard output any more, which only a write finds out.
pub(crate) fn is_output_closed() -> bool {
    false
}

/// Whether the console obeys control sequences, which it is asked to do at the first question. In the terminals of
/// other systems' programs, which are pipes here, `TERM` says it.
pub(crate) fn takes_controls() -> bool {
    static OBEYS: LazyLock<bool> = LazyLock::new(|| match console::mode(io::stdout()) {
        Ok(mode) => console::set_mode(io::stdout(), mode | VIRTUAL_TERMINAL_PROCESSING).is_ok(),
        Err(_) => env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb"),
    });
    *OBEYS
}

/// The text of bytes from a pipe that are not UTF-8. Commands of cmd.exe write pipes in the OEM code page of the system,
/// which is 850 in Brazil.
pub(crate) fn piped_text(bytes: &[u8]) -> Option<String> {
    let text = MultiByteToWideChar(co::CP::OEMCP, co::MBC::ERR_INVALID_CHARS, bytes).ok()?;
    String::from_utf16(&text).ok()
}

/// Whether single keys can be read: no, so long answers are shown whole, and the window scrolls.
pub(crate) fn awaits_key() -> bool {
    false
}

/// The keyboard, of which no single keys are read.
pub(crate) struct Keyboard;

impl Keyboard {
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn key(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_pipe_of_cmd_are_letters() {
        // The code pages 437, of the United States, and 850 have the same bytes for these letters.
        assert_eq!(piped_text(b"P\x88ra \x82\x87").unwrap(), "Pêra éç");
        assert_eq!(piped_text(b""), None);
    }
}
