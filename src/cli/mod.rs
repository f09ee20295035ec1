//! The program's subcommands, one file each.

mod call;
mod load;
mod method;
mod serve;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
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
    Serve(serve::Serve),
    Call(call::Call),
    Load(load::Load),
}

/// Runs what the command line asks for. Exit codes: 0 done, 1 not done (one line on standard error says why), 2 wrong
/// usage.
pub fn run() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    match Program::parse_from(std::env::args_os().map(minus_infinity)).command {
        Command::Serve(serve) => serve.run(),
        Command::Call(call) => call.run(),
        Command::Load(load) => load.run(),
    }
}

/// To clap `-inf` is a flag, and `-1e999`, which is the same number, is none.
fn minus_infinity(argument: OsString) -> OsString {
    let is_it = argument.to_str().is_some_and(|text| ["-inf", "-infinity"].contains(&text.to_lowercase().as_str()));
    if is_it { "-1e999".into() } else { argument }
}

/// One line on standard error, and the exit code that goes with it.
fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    eprintln!("calculate: {message}");
    ExitCode::from(code)
}

/// A time-out as it is typed: seconds, with decimals.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    match std::time::Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be a number of seconds above 0".into()),
    }
}
