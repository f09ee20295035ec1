//! What can go wrong with a call. The same names in Rust, Python and Java.

use crate::wire::{Exception, ExceptionCode, printable};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Why a call gave no result. One line says what happened, with which server, and what to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CalculateError {
    /// The connection could not be made, or was lost.
    Transport(TransportError),
    /// The call's one deadline, over connecting, sending and waiting, passed. The server may have run the call.
    DeadlineExceeded(String),
    /// The server refused the call before it began, as it has too many: it may be tried again, elsewhere or later.
    Overloaded(String),
    /// The server answered with a TApplicationException.
    Application(ApplicationError),
    /// The server's bytes are not Thrift's, or are over a limit. The connection is closed.
    Protocol(ProtocolError),
    /// An exception that the IDL declares, as its generated type. See
    /// [`domain_error`](CalculateError::domain_error).
    Declared(Arc<dyn Error + Send + Sync>),
}

/// The connection could not be made, or was lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection could be made: the call was not sent.
    ConnectError(String, Option<Arc<io::Error>>),
    /// The connection ended before the reply: the server may have run the call.
    ConnectionClosed(String, Option<Arc<io::Error>>),
}

/// The server answered with a TApplicationException.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationError {
    /// Its type, as in Apache's `TApplicationException`: 1 is an unknown method, 6 an internal error, 7 a protocol error.
    pub code: ExceptionCode,
    /// The server's text.
    pub message: String,
}

/// The server's bytes are not Thrift's, or are over a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    /// What is wrong with them.
    pub message: String,
}

impl CalculateError {
    pub(super) fn connect(server: &str, error: io::Error) -> CalculateError {
        let text = format!("cannot connect to {server}: {}; is the server running?", in_words(&error));
        TransportError::ConnectError(text, Some(Arc::new(error))).into()
    }

    pub(super) fn closed(text: impl Into<String>) -> CalculateError {
        TransportError::ConnectionClosed(text.into(), None).into()
    }

    pub(super) fn lost(server: &str, error: io::Error) -> CalculateError {
        let text = format!("the connection to {server} was lost: {}", in_words(&error));
        TransportError::ConnectionClosed(text, Some(Arc::new(error))).into()
    }

    pub(super) fn protocol(server: &str, what: impl fmt::Display) -> CalculateError {
        CalculateError::Protocol(ProtocolError { message: format!("{server} sent what is no reply: {what}") })
    }

    /// What a TApplicationException means to the caller.
    pub(super) fn exception(server: &str, exception: Exception) -> CalculateError {
        let text = format!("{server} answered {}", printable_text(&exception.message));
        match exception.code {
            ExceptionCode::OVERLOADED => CalculateError::Overloaded(text),
            code => CalculateError::Application(ApplicationError { code, message: text }),
        }
    }

    /// Whether the call's deadline passed.
    pub fn is_deadline(&self) -> bool {
        matches!(self, CalculateError::DeadlineExceeded(_))
    }
}

/// The words of the operating system, without Rust's "(os error N)".
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

/// A server's text on one line: control characters are escaped.
fn printable_text(text: &str) -> String {
    if text.chars().any(char::is_control) { printable(text.as_bytes()) } else { format!("\"{text}\"") }
}

impl fmt::Display for CalculateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CalculateError::Transport(error) => error.fmt(f),
            CalculateError::DeadlineExceeded(text) | CalculateError::Overloaded(text) => f.write_str(text),
            CalculateError::Application(error) => error.fmt(f),
            CalculateError::Protocol(error) => error.fmt(f),
            CalculateError::Declared(error) => error.fmt(f),
        }
    }
}

impl Error for CalculateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CalculateError::Transport(error) => Some(error),
            CalculateError::Application(error) => Some(error),
            CalculateError::Protocol(error) => Some(error),
            CalculateError::Declared(error) => Some(&**error),
            CalculateError::DeadlineExceeded(_) | CalculateError::Overloaded(_) => None,
        }
    }
}

impl From<TransportError> for CalculateError {
    fn from(error: TransportError) -> Self {
        CalculateError::Transport(error)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::ConnectError(text, _) | TransportError::ConnectionClosed(text, _) => f.write_str(text),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TransportError::ConnectError(_, source) | TransportError::ConnectionClosed(_, source) => {
                source.as_ref().map(|source| &**source as _)
            }
        }
    }
}

impl fmt::Display for ApplicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (TApplicationException {})", self.message, self.code.0)
    }
}

impl Error for ApplicationError {}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ProtocolError {}
