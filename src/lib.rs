//! hortifruti keeps the stock of a produce shop in one executable, and serves it over plain
//! TCP text and over gRPC, to a shell, to scripts and to other programs.
//!
//! This page is the map. A request travels down the list, and its reply back up:
//!
//! 1. [`commands`] is the command line: each subcommand's options and what it does, in one file.
//!    Only here the parts are put together, and concrete stores and transports named.
//! 2. [`shell`], [`render`] and [`price_list`] face people and files.
//! 3. [`bench`](mod@bench) measures both transports.
//! 4. [`client`] speaks to a server ([`io_error`] describes what failed); [`port_file`] is how it finds one.
//!    [`tls`] reads certificates for both sides, [`access`] says who may do what.
//!    [`private_file`] is how a file is made that is nobody else's to read, and [`progress_bar`] the
//!    bar for what takes a while; [`terminal`] says what can be shown there, and [`again`] how
//!    a command is written to be pasted.
//! 5. [`wire`] is bytes and text for both sides: no I/O.
//! 6. [`server`] accepts connections. A transport is: decode, ask the inventory, encode.
//!    The two transports are siblings and do not know each other.
//! 7. [`operation`] is what is asked and answered, whatever the transport; [`refusal`] why it is
//!    refused; [`local_time`] the times that people read and write.
//! 8. [`inventory`] is the one door to the stock: reads look at the published catalog,
//!    changes pass the group commit.
//! 9. [`store`] makes changes durable.
//! 10. [`catalog`] holds the products and the rules of a change, and knows nothing of disk
//!     or network.
//!
//! Never: a transport that touches a store, a rule of a change outside the catalog, a price
//! or a quantity in floating point, an answer before its change is on disk.

pub mod access;
pub mod again;
pub mod bench;
pub mod catalog;
pub mod client;
pub mod commands;
pub mod inventory;
pub mod io_error;
pub mod local_time;
pub mod operation;
pub mod port_file;
pub mod price_list;
pub mod private_file;
pub mod progress_bar;
pub mod refusal;
pub mod render;
pub mod server;
pub mod shell;
pub mod store;
pub mod terminal;
pub mod tls;
pub mod wire;
