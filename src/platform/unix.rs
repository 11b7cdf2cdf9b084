//! Unix. The means of Linux alone stand in `linux`; `other` has the same functions for other systems.

pub(crate) mod advice;
pub(crate) mod files;
pub(crate) mod installed_service;
pub(crate) mod locks;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod service;
pub(crate) mod signals;
pub(crate) mod sockets;
mod stat;
pub(crate) mod stop;
pub(crate) mod terminal;
pub(crate) mod timer;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as kernel;
#[cfg(not(target_os = "linux"))]
use other as kernel;
