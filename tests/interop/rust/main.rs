//! Goes through the rows of idl/vectors/conformance.tsv with this project's Rust client (`calculate`) or with Apache's
//! own Rust library (`apache`), and prints what came of each.

mod apache;
mod caller;
mod cases;
#[path = "../../../examples/conformance/describe.rs"]
mod describe;
mod ours;

/// What the Thrift compiler wrote.
#[rustfmt::skip]
#[allow(missing_docs)]
#[path = "../../../examples/conformance/idl"]
mod idl {
    #[allow(clippy::all, clippy::unwrap_used, unreachable_pub)]
    pub mod conformance;
    #[allow(clippy::all, clippy::unwrap_used, unreachable_pub)]
    pub mod conformance_uuid;
}

use caller::{Caller, Fault};
use clap::Parser;
use std::fs;
use std::process::ExitCode;

/// Go through the vectors
#[derive(Debug, Parser)]
struct Arguments {
    /// HOST:PORT of the conformance server
    #[arg(long)]
    server: String,
    /// framed-binary, unframed-compact, …
    #[arg(long)]
    encoding: String,
    /// idl/vectors/conformance.tsv
    #[arg(long)]
    vectors: String,
    /// The authority that signed the server's certificate
    #[arg(long)]
    tls_ca: Option<String>,
    /// Whose library makes the calls
    #[arg(long)]
    runtime: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut caller = match Caller::connect(&arguments) {
        Ok(caller) => caller,
        Err(Fault::Unsupported(why)) => {
            eprintln!("{why}");
            return ExitCode::from(3);
        }
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::FAILURE;
        }
    };
    let vectors = fs::read_to_string(&arguments.vectors).expect("the vectors");
    for row in vectors.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [kind, name, value, text] = columns[..] else { panic!("four columns") };
        match cases::run(&mut caller, kind, name, value, text) {
            Ok(()) => println!("{kind}/{name}\tpass"),
            Err(fault) => {
                let reason: String = fault.to_string().replace(char::is_whitespace, " ").chars().take(300).collect();
                println!("{kind}/{name}\tFAIL\t{reason}");
                caller = Caller::connect(&arguments).unwrap_or_else(|fault| panic!("{fault}"));
            }
        }
    }
    ExitCode::SUCCESS
}
