//! `calculate idl check`.

use super::{fail, say};
use crate::registry::idl::{Which, differences};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compare IDLs
#[derive(Debug, Args)]
pub(super) struct Idl {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
}

/// Say whether an IDL can take another's place while both are in use
///
/// Compatible: exit code 0. Otherwise each difference that breaks callers or servers is a line, and the exit code is 1;
/// it is 2 for a file that is no IDL. Files that an IDL includes are not followed: check them, too.
#[derive(Debug, Args)]
struct Check {
    /// The IDL in use
    old: PathBuf,
    /// The IDL that is to take its place
    new: PathBuf,
}

impl Idl {
    pub(super) fn run(self) -> ExitCode {
        let Command::Check(check) = self.command;
        check.run()
    }
}

impl Check {
    fn run(self) -> ExitCode {
        let Check { old, new } = self;
        let (old_text, new_text) = match (read(&old), read(&new)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(error), _) | (_, Err(error)) => return fail(2, error),
        };
        match differences(&old_text, &new_text) {
            Ok(found) if found.is_empty() => {
                say(format_args!("{} is compatible with {}", new.display(), old.display()));
                ExitCode::SUCCESS
            }
            Ok(found) => {
                found.iter().for_each(say);
                fail(1, format_args!("{} is not compatible with {}", new.display(), old.display()))
            }
            Err(invalid) => {
                let file = if invalid.which == Which::Old { old } else { new };
                fail(2, format_args!("{} is no IDL: {}", file.display(), invalid.why))
            }
        }
    }
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}
