//! The example serves an IDL of its own, and our client calls it through that IDL's generated stubs.

mod support;

#[rustfmt::skip]
#[allow(clippy::all, clippy::unwrap_used, unreachable_pub, missing_docs, dead_code)]
#[path = "../examples/idl/wordcount.rs"]
mod wordcount;

use calculate::client::{CalculateError, Client, Options};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::message::ENCODINGS;
use support::program::{PROGRAM, Program};
use wordcount::{NothingToCount, TWordCountSyncClient, WordCountSyncClient};

/// The example's program. `cargo test` has built it; `cargo test --test example` has not.
fn example() -> PathBuf {
    let folder = Path::new(PROGRAM).parent().expect("a folder");
    let target = folder.parent().expect("the target folder");
    // Its folder has its profile's name, but for one.
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a profile's folder");
    let profile = if name == "debug" { "dev" } else { name };
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--locked", "--example", "wordcount", "--profile", profile, "--target-dir"])
        .arg(target);
    // What cargo says of this package to its tests, crates like ring take for a change of their own, and are built anew.
    for (name, _) in std::env::vars_os() {
        let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|name| told.iter().any(|prefix| name.starts_with(prefix))) {
            build.env_remove(name);
        }
    }
    assert!(build.status().expect("cargo runs").success());
    folder.join("examples").join("wordcount")
}

#[tokio::test]
async fn the_example_is_called_through_its_own_idl() {
    let server = Program::run(Command::new(example()).arg("127.0.0.1:0"));
    for encoding in ENCODINGS {
        let options = Options { framing: encoding.framing, protocol: encoding.protocol, ..Options::default() };
        let target = server.address.to_string().parse().expect("a target");
        let client = Client::connect(target, options).await.expect("a server");

        let lines = vec!["to be or".to_string(), "not to be".to_string()];
        let count = client.call("Count", |input, output| WordCountSyncClient::new(input, output).count(lines.clone()));
        let counts = count.await.expect("counts");
        let expected = [("be", 2), ("not", 1), ("or", 1), ("to", 2)];
        assert_eq!(counts, BTreeMap::from(expected.map(|(word, count)| (word.to_string(), count))));
        assert_eq!(total(&client).await, 6);

        let count = client.call("Count", |input, output| WordCountSyncClient::new(input, output).count(Vec::new()));
        let CalculateError::Declared(declared) = count.await.expect_err("there are no words") else {
            panic!("another error");
        };
        let nothing = declared.exception.downcast_ref::<NothingToCount>().expect("what the IDL declares");
        assert_eq!(nothing.message, "there is no word in these lines");

        // Calls of one connection are handled in their order, so it is done when the next is answered.
        let reset = client.call("Reset", |input, output| WordCountSyncClient::new(input, output).reset());
        reset.await.expect("it is sent");
        assert_eq!(total(&client).await, 0);

        let error = client.square(9.0).await.expect_err("it has no such method");
        assert!(error.to_string().contains("(code 1, unknown method)"), "{error}");
    }
}

async fn total(client: &Client) -> i64 {
    let total = client.call("Total", |input, output| WordCountSyncClient::new(input, output).total());
    total.await.expect("a total")
}
