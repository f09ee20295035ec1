//! The compact protocol over a slice and a `Vec`, as generated code wants it.

mod input;
mod output;

pub use input::CompactInput;
pub use output::CompactOutput;
