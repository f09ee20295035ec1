//! The binary protocol, strict and not, over a slice and a `Vec`, as generated code wants it.

mod input;
mod output;

pub use input::BinaryInput;
pub use output::BinaryOutput;
