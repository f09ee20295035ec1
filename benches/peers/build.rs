//! Compiles the service's IDL for Volo, and its gRPC likeness for tonic. Neither needs a compiler from outside crates.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    volo_build::Builder::thrift().add_service("../../idl/calculate.thrift").write()?;

    println!("cargo:rerun-if-changed=proto/calculate.proto");
    let descriptors = protox::compile(["proto/calculate.proto"], ["proto"])?;
    tonic_prost_build::configure().build_client(false).compile_fds(descriptors)?;
    Ok(())
}
