//! Compiles hortifruti's contract for the stream client, and the smallest one that does the
//! same for the bare server.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=../../proto");
    let ours = protox::compile(["../../proto/hortifruti/v1/inventory.proto"], ["../../proto"])?;
    tonic_prost_build::configure().build_server(false).compile_fds(ours)?;
    let bare = protox::compile(["proto/shop.proto"], ["proto"])?;
    tonic_prost_build::configure().build_client(false).compile_fds(bare)?;
    Ok(())
}
