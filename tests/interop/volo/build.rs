//! Compiles the IDL for Volo, with its own compiler.

fn main() {
    volo_build::Builder::thrift().add_service("../../../idl/conformance.thrift").write().expect("the IDL compiles");
}
