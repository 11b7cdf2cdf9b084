//! Windows, from version 10 on, by the standard library and `winapi-util`: this program has no unsafe code.

pub(crate) mod advice;
pub(crate) mod files;
pub(crate) mod locks;
pub(crate) mod machine;
pub(crate) mod service;
pub(crate) mod signals;
pub(crate) mod sockets;
pub(crate) mod terminal;
pub(crate) mod timer;
