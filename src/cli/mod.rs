//! The program's subcommands, one file each.

mod call;
mod encoding;
mod idl;
mod instances;
mod load;
mod method;
mod order;
mod registry;
mod serve;
mod tls;
mod zookeeper;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// A Thrift service for production. Square is the SQUARE ROOT; Cal is the square.
#[derive(Debug, Parser)]
#[command(name = "calculate", version, propagate_version = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Call(call::Call),
    Load(load::Load),
    Instances(instances::Instances),
    Offline(order::Offline),
    Online(order::Online),
    Weight(order::Weight),
    Idl(idl::Idl),
}

/// Runs what the command line asks for. Exit codes: 0 done, 1 not done (one line on standard error says why), 2 wrong
/// usage.
pub fn run() -> ExitCode {
    log_to_stderr();
    match Program::parse_from(std::env::args_os().map(number_no_flag)).command {
        Command::Serve(serve) => serve.run(),
        Command::Call(call) => call.run(),
        Command::Load(load) => load.run(),
        Command::Instances(instances) => instances.run(),
        Command::Offline(offline) => offline.run(),
        Command::Online(online) => online.run(),
        Command::Weight(weight) => weight.run(),
        Command::Idl(idl) => idl.run(),
    }
}

/// Logs from "info" on, or what `RUST_LOG` says. Of rustls errors only, unless `RUST_LOG` names it: it warns of each peer
/// that asks for an IP address by name, and a peer can do that as often as it likes.
fn log_to_stderr() {
    let mut log = env_logger::Builder::new();
    log.filter_level(log::LevelFilter::Info)
        .filter_module("rustls", log::LevelFilter::Error)
        .parse_default_env()
        .init();
}

/// To clap `-inf`, `-nan` and `-.5` are flags; this gives the same numbers in forms that are none.
fn number_no_flag(argument: OsString) -> OsString {
    let text = argument.to_str().unwrap_or_default().to_lowercase();
    match text.strip_prefix('-') {
        Some("inf" | "infinity") => "-1e999".into(),
        Some("nan") => "nan".into(),
        Some(rest) if rest.starts_with('.') => format!("-0{rest}").into(),
        _ => argument,
    }
}

/// One line on standard error, and the exit code that goes with it.
fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    eprintln!("calculate: {message}");
    ExitCode::from(code)
}

/// Prints a line on standard output, now. Ends the program, with exit code 1, when whoever read it has gone.
fn say(line: impl std::fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_err() {
        std::process::exit(1);
    }
}

/// A time as it is typed: seconds, with decimals, and with an `s` or without.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    const MOST: f64 = 1e9;
    match text.strip_suffix('s').unwrap_or(text).parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= MOST => Ok(std::time::Duration::from_secs_f64(seconds)),
        Ok(_) => Err(format!("must be above 0, and at most {MOST:e} seconds")),
        Err(_) => Err("not a number of seconds".into()),
    }
}
