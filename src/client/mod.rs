//! The Rust client: one design with the Python and the Java one (see ARCHITECTURE.md).
//!
//! [`calculate`] is the face, and the only room that names the IDL's methods. To many servers it goes by `balanced`, which
//! learns of them from `resolve` (which asks the `source` that the target names), chooses by [`balance`] and keeps a `pool`
//! for each; to one it goes straight: `connections` replaces what was lost, `connection` is shared and pipelined, `session`
//! knows whose reply is whose, `dial` makes its `stream`, a socket that may be under [`tls`](crate::tls); [`message`] turns
//! calls into bytes and replies into values with the generated code; [`target`] says where to connect, [`options`] how;
//! [`error`] what can go wrong; [`blocking`] is the door for programs without tokio.

pub(crate) mod address;
pub mod balance;
mod balanced;
pub mod blocking;
pub mod calculate;
mod connection;
mod connections;
pub(crate) mod deadline;
pub(crate) mod dial;
pub mod error;
pub mod events;
pub mod message;
pub mod options;
mod pool;
mod resolve;
mod session;
mod source;
pub(crate) mod stream;
pub mod target;

pub use crate::tls::Tls;
pub use balance::Balance;
pub use calculate::Client;
pub use error::CalculateError;
pub use message::Method;
pub use options::Options;
pub use target::Target;
