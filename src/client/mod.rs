//! The Rust client: one design with the Python and the Java one (see ARCHITECTURE.md).
//!
//! [`calculate`] is the face, and the only room that names the IDL's methods; `connections` replaces what was lost,
//! `connection` is shared and pipelined, `session` knows whose reply is whose, `dial` makes its `stream`, a `socket` that may be
//! under [`tls`]; [`message`] turns calls into bytes and replies into values with the generated code; [`target`] says where
//! to connect, [`options`] how; [`error`] what can go wrong; [`blocking`] is the door for programs without tokio.

pub mod balance;
pub mod blocking;
pub mod calculate;
mod connection;
mod connections;
pub(crate) mod deadline;
pub(crate) mod dial;
pub mod error;
pub mod message;
pub mod options;
mod session;
pub(crate) mod socket;
pub(crate) mod stream;
pub mod target;
pub mod tls;

pub use calculate::Client;
pub use error::CalculateError;
pub use options::Options;
pub use target::Target;
pub use tls::Tls;
