//! Goes through the rows of idl/vectors/conformance.tsv with Volo's client, unmodified, and prints what came of each.

mod cases;
mod describe;

include!(concat!(env!("OUT_DIR"), "/volo_gen.rs"));
pub(crate) use volo_gen::idl;

use cases::Caller;
use std::collections::HashMap;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments: HashMap<&str, &str> = words.chunks_exact(2).map(|pair| (&*pair[0], &*pair[1])).collect();
    let authority = arguments.get("--tls-ca").copied();
    let Some(caller) = Caller::new(arguments["--server"], arguments["--encoding"], authority) else {
        eprintln!("Volo does not speak it");
        return ExitCode::from(3);
    };
    let vectors = std::fs::read_to_string(arguments["--vectors"]).expect("the vectors");
    for row in vectors.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [kind, name, value, text] = columns[..] else { panic!("four columns") };
        match caller.run(kind, name, value, text).await {
            Ok(()) => println!("{kind}/{name}\tpass"),
            Err(fault) => {
                let reason: String = fault.0.replace(char::is_whitespace, " ").chars().take(300).collect();
                println!("{kind}/{name}\tFAIL\t{reason}");
            }
        }
    }
    ExitCode::SUCCESS
}
