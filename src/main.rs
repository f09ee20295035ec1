//! The program `calculate`.

use calculate::cli;
use std::process::ExitCode;

/// Generated code makes about six small allocations a call; see ARCHITECTURE.md for what this is worth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
