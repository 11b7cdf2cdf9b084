//! One test binary: the real executable, real sockets, a real database file, a real
//! terminal. Modules by behaviour.

// A test says what it expects by `unwrap`, and how much it tried by `println!`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod architecture;
mod backup;
mod bad_input;
mod bench;
mod clock;
mod completions;
mod costs;
mod counts;
mod crash;
mod disk;
mod earlier_versions;
mod faults;
mod file_limit;
mod files;
mod fuzz;
mod grpc;
mod history;
mod hostile;
mod http2;
mod in_doubt;
mod labels;
mod long_log;
mod movements;
mod network;
mod odd_calls;
mod one_shots;
mod one_writer;
mod original_clients;
mod port_file;
mod power_loss;
mod price_lists;
mod prose;
mod proxy;
mod readme;
mod reports;
mod restore;
mod rewritten;
mod roles;
mod scenarios;
mod serve;
mod shell;
mod shell_verbs;
mod silence;
mod stop;
mod strangers;
mod support;
mod sweep;
mod terminal;
mod terms;
mod text_protocol;
mod undo;
mod waits;
