//! The program `calculate`.

mod allocator;

use calculate::cli;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    cli::run()
}
