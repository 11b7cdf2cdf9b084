//! The differences between operating systems. No other module has a `cfg` of a system, except
//! `store::postgres::local`, whose engine has sockets of a kind that only Unix has.
//!
//! The modules of each system have the same functions. A function for which a system has no means reports that in
//! its result.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    advice, files, installed_service, locks, log, machine, service, signals, sockets, stop, terminal, timer,
};
