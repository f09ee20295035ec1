//! `calculate load`.
use clap::Args;
use std::process::ExitCode;

/// Load
#[derive(Debug, Args)]
pub(super) struct Load {}

impl Load {
    pub(super) fn run(self) -> ExitCode {
        super::fail(1, "not yet")
    }
}
