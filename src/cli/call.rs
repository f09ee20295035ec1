//! `calculate call`.
use clap::Args;
use std::process::ExitCode;

/// Call
#[derive(Debug, Args)]
pub(super) struct Call {}

impl Call {
    pub(super) fn run(self) -> ExitCode {
        super::fail(1, "not yet")
    }
}
