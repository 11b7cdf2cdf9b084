//! Windows, from version 10 on, by the standard library, `winapi-util`, `windows-service` and `winsafe`: this program
//! has no unsafe code.

pub(crate) mod advice;
pub(crate) mod files;
pub(crate) mod installed_service;
pub(crate) mod locks;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod service;
pub(crate) mod signals;
pub(crate) mod sockets;
pub(crate) mod stop;
pub(crate) mod terminal;
pub(crate) mod timer;

use std::io;

/// An error of `winsafe`, which is a number of the system.
fn system_error(error: winsafe::co::ERROR) -> io::Error {
    io::Error::from_raw_os_error(error.raw().cast_signed())
}
