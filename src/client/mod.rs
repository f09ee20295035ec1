//! The Rust client: one design with the Python and the Java one (see ARCHITECTURE.md).
//!
//! [`calculate`] is the face, and the only room that names the IDL's methods; [`connection`] is shared and pipelined;
//! [`message`] turns calls into bytes and replies into values with the generated code; [`target`] says where to
//! connect, [`options`] how; [`error`] what can go wrong; [`blocking`] is the door for programs without tokio.

pub mod blocking;
pub mod calculate;
pub mod connection;
pub mod error;
pub mod message;
pub mod options;
mod session;
pub mod target;

pub use calculate::Client;
pub use connection::Connection;
pub use error::CalculateError;
pub use options::Options;
pub use target::Target;
