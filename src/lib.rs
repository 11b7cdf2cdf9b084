//! hortifruti keeps the stock of a produce shop in one executable, and serves it over plain
//! TCP text, gRPC and HTTP, to a shell, to scripts and to other programs.
//!
//! This page is the map. A request travels down the list, and its reply back up:
//!
//! 1. [`commands`] is the command line: a file for each subcommand, with its options and its code. Only this
//!    module puts the parts together, and names concrete stores and transports.
//! 2. [`shell`], [`report`], [`render`], [`price_list`], [`invoice`] and [`shelf_label`] face people and files;
//!    [`scale_file`] has the files of shop scales.
//! 3. [`bench`](mod@bench) measures text and gRPC; [`panel`] holds the files of the shop's page.
//! 4. [`client`] speaks to a server, which it finds by its [`port_file`]; [`io_error`] describes failures of
//!    the system. [`tls`] reads certificates for both sides, [`access`] says who may do what.
//!    [`private_file`] makes files that only their owner can read, [`progress_bar`] shows the progress of
//!    long work, [`terminal`] knows what a terminal can show, and [`again`] writes a command so that it can
//!    be pasted. `platform` has all that differs between operating systems.
//! 5. [`wire`] is bytes and text for both sides: no I/O.
//! 6. [`server`] accepts connections. A transport is: decode, ask the inventory, encode.
//!    Text and gRPC are siblings and do not know each other; HTTP carries gRPC, and its calls become gRPC's.
//! 7. [`operation`] has the requests and replies of all transports, [`refusal`] the reasons for refusing a
//!    request, and [`local_time`] the times that people read and write. [`metrics`] counts what a server does.
//! 8. [`inventory`] is the only interface to the stock: reads use the published catalog, changes go through
//!    the group commit.
//! 9. [`store`] makes changes durable.
//! 10. [`catalog`] holds the products and the rules of a change, and knows nothing of disk
//!     or network.
//!
//! The code never has a transport that uses a store, a rule of a change outside the catalog, a price or a
//! quantity in floating point, an answer before its change is on disk.

// A build that leaves a part out keeps what only that part uses.
#![cfg_attr(
    not(all(feature = "bench", feature = "http", feature = "postgres", feature = "shell")),
    allow(dead_code, unused_imports)
)]

pub mod access;
pub mod again;
#[cfg(feature = "bench")]
pub mod bench;
pub mod catalog;
pub mod client;
pub mod commands;
pub mod inventory;
pub mod invoice;
pub mod io_error;
pub mod local_time;
pub mod metrics;
pub mod operation;
#[cfg(feature = "http")]
pub mod panel;
mod platform;
pub mod port_file;
pub mod price_list;
pub mod private_file;
pub mod progress_bar;
pub mod refusal;
pub mod render;
pub mod report;
pub mod scale_file;
pub mod server;
pub mod shelf_label;
pub mod shell;
pub mod store;
pub mod terminal;
pub mod tls;
pub mod wire;
