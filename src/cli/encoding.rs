//! How the client subcommands are told what to speak.

use crate::wire::{Encoding, Framing, Protocol};
use clap::{Args, ValueEnum};

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct EncodingArgs {
    /// How values become bytes
    #[arg(long, default_value = "binary")]
    protocol: ProtocolArg,
    /// How messages are told apart
    #[arg(long, default_value = "framed")]
    framing: FramingArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProtocolArg {
    Binary,
    Compact,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FramingArg {
    Framed,
    Unframed,
}

impl EncodingArgs {
    pub(super) fn encoding(self) -> Encoding {
        Encoding {
            framing: match self.framing {
                FramingArg::Framed => Framing::Framed,
                FramingArg::Unframed => Framing::Unframed,
            },
            protocol: match self.protocol {
                ProtocolArg::Binary => Protocol::Binary,
                ProtocolArg::Compact => Protocol::Compact,
            },
        }
    }
}
