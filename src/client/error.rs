//! What can go wrong with a call. The same names in Rust, Python and Java.

use super::deadline::Deadline;
use crate::error::in_words;
use crate::one_line::one_line;
use crate::tls::InvalidTls;
use crate::tls::fault::TlsFault;
use crate::wire::{Exception, ExceptionCode};
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
    /// What came is no right reply, or the call itself cannot be sent.
    Protocol(ProtocolError),
    /// An exception that the IDL declares. See [`domain_error`](CalculateError::domain_error).
    Declared(DeclaredError),
}

/// The connection could not be made, or was lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection could be made: the call was not sent.
    ConnectError(String, Option<Arc<io::Error>>),
    /// The connection ended before the reply, which the server may have worked on, or the client was closed.
    ConnectionClosed(String, Option<Arc<io::Error>>),
}

/// The server answered with a TApplicationException.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationError {
    /// Its type, as in Apache's `TApplicationException`: 1 is an unknown method, 6 an internal error, 7 a protocol error.
    pub code: ExceptionCode,
    /// The server's own words, unchanged.
    pub message: String,
    /// The server.
    pub server: String,
}

/// What came is over a limit or no right reply (then the connection was closed), or the call itself cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    /// What is wrong.
    pub message: String,
    /// The call itself cannot be sent: no server is to blame.
    local: bool,
}

impl ProtocolError {
    pub(super) fn is_local(&self) -> bool {
        self.local
    }
}

/// An exception that the IDL declares.
#[derive(Clone, Debug)]
pub struct DeclaredError {
    /// The exception, as its generated type: `downcast_ref` finds it.
    pub exception: Arc<dyn Error + Send + Sync>,
    text: String,
}

impl CalculateError {
    pub(crate) fn connect(server: &str, error: io::Error) -> CalculateError {
        let text = format!("cannot connect to {server} ({}); {WHERE}", in_words(&error));
        TransportError::ConnectError(text, Some(Arc::new(error))).into()
    }

    /// The target and the options do not go together.
    pub(super) fn no_tls(error: InvalidTls) -> CalculateError {
        let text = error.to_string();
        let error = io::Error::new(io::ErrorKind::InvalidInput, error);
        TransportError::ConnectError(text, Some(Arc::new(error))).into()
    }

    pub(super) fn handshake(server: &str, error: io::Error) -> CalculateError {
        let text = format!("cannot connect to {server} with TLS: {error}");
        TransportError::ConnectError(text, Some(Arc::new(error))).into()
    }

    pub(super) fn no_time_for_handshake(server: &str, deadline: Deadline) -> CalculateError {
        let text = format!("no TLS handshake with {server} {deadline}; is it busy, and does it speak TLS?");
        CalculateError::DeadlineExceeded(text)
    }

    pub(super) fn no_time_to_connect(server: &str, deadline: Deadline) -> CalculateError {
        CalculateError::DeadlineExceeded(format!("no connection to {server} {deadline}; {WHERE}"))
    }

    pub(super) fn no_answer(server: &str, method: &str, deadline: Deadline) -> CalculateError {
        let text = format!("{server} did not answer {method} {deadline}; is it busy, or is the time-out too short?");
        CalculateError::DeadlineExceeded(text)
    }

    pub(super) fn lost(server: &str, error: io::Error) -> CalculateError {
        let text = match TlsFault::inside(&error) {
            Some(fault) if fault.is_refusal => format!("{server} closed the connection: {fault}"),
            _ => format!("the connection to {server} was lost ({}); {PERHAPS}", in_words(&error)),
        };
        TransportError::ConnectionClosed(text, Some(Arc::new(error))).into()
    }

    pub(super) fn closed_by_server(server: &str) -> CalculateError {
        CalculateError::closed(format!("{server} closed the connection before it answered; {PERHAPS}"))
    }

    /// The server answered plain Thrift with an alert of TLS.
    pub(super) fn wants_tls(server: &str) -> CalculateError {
        CalculateError::closed(format!("{server} closed the connection, as it wants TLS; connect with TLS"))
    }

    /// The same, for a plain connection that ended before anything had come.
    pub(super) fn may_want_tls(self) -> CalculateError {
        match self {
            CalculateError::Transport(TransportError::ConnectionClosed(text, source)) => {
                let text = format!("{text}; if the server wants TLS, connect with TLS");
                TransportError::ConnectionClosed(text, source).into()
            }
            other => other,
        }
    }

    pub(super) fn closed_at_once(server: &str) -> CalculateError {
        CalculateError::closed(format!(
            "{server} closes every new connection at once; it may be at its limit or stopping: try again later"
        ))
    }

    pub(super) fn closed_by_client(server: &str) -> CalculateError {
        CalculateError::closed(format!("this client of {server} was closed"))
    }

    /// For the calls that were in flight beside the one whose reply was at fault.
    pub(super) fn closed_by_fault(server: &str, fault: &CalculateError) -> CalculateError {
        CalculateError::closed(format!("the connection to {server} was closed after a fault ({fault}); {PERHAPS}"))
    }

    /// A target names nobody who can be called.
    pub(super) fn no_instances(target: &str, why: Option<&str>) -> CalculateError {
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        let text = format!("no instance of {target} is known{why}; is one running and enabled?");
        TransportError::ConnectError(text, None).into()
    }

    pub(super) fn none_connects(target: &str, count: usize) -> CalculateError {
        let text = format!("cannot connect to any of the {count} instances of {target}; {WHERE}");
        TransportError::ConnectError(text, None).into()
    }

    fn closed(text: String) -> CalculateError {
        TransportError::ConnectionClosed(text, None).into()
    }

    pub(super) fn protocol(server: &str, what: impl fmt::Display) -> CalculateError {
        let message = format!("{server} sent what is no reply: {what}; is it a Thrift server of this protocol?");
        CalculateError::Protocol(ProtocolError { message, local: false })
    }

    pub(super) fn cannot_send(method: &str, why: impl fmt::Display) -> CalculateError {
        let message = format!("the call of {method} cannot be sent: {why}");
        CalculateError::Protocol(ProtocolError { message, local: true })
    }

    /// What a TApplicationException means to the caller.
    pub(super) fn exception(server: &str, method: &str, exception: Exception) -> CalculateError {
        let Exception { code, message } = exception;
        if code != ExceptionCode::OVERLOADED {
            return CalculateError::Application(ApplicationError { code, message, server: server.into() });
        }
        let reason = if message.is_empty() { message } else { format!(" ({})", one_line(&message)) };
        CalculateError::Overloaded(format!(
            "{server} is overloaded and did not carry out {method}{reason}; try again later"
        ))
    }

    /// A declared exception, with what its generated type says of itself.
    pub(super) fn declared(exception: Box<dyn Error + Send + Sync>) -> CalculateError {
        let text = exception.to_string();
        CalculateError::Declared(DeclaredError { exception: Arc::from(exception), text })
    }

    /// The same declared exception in better words.
    pub(super) fn with_declared_text(self, text: String) -> CalculateError {
        match self {
            CalculateError::Declared(declared) => CalculateError::Declared(DeclaredError { text, ..declared }),
            other => other,
        }
    }

    /// Whether a server answered: with what the IDL declares or with a TApplicationException.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, CalculateError::Declared(_) | CalculateError::Application(_))
    }

    /// Whether the call's deadline passed.
    pub fn is_deadline(&self) -> bool {
        matches!(self, CalculateError::DeadlineExceeded(_))
    }
}

const WHERE: &str = "is it running, and is this its address?";

const PERHAPS: &str = "the call may have been carried out";

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
            CalculateError::Declared(error) => Some(error),
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
        let ApplicationError { code: ExceptionCode(code), message, server } = self;
        let name = usize::try_from(*code).ok().and_then(|code| CODE_NAMES.get(code)).unwrap_or(&"unassigned code");
        write!(f, "{server} answered with an error: {} (code {code}, {name})", one_line(message))
    }
}

impl Error for ApplicationError {}

/// The names of Apache's codes, in their order.
const CODE_NAMES: [&str; 11] = [
    "unknown error",
    "unknown method",
    "invalid message type",
    "wrong method name",
    "bad sequence id",
    "missing result",
    "internal error",
    "protocol error",
    "invalid transform",
    "invalid protocol",
    "unsupported client type",
];

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ProtocolError {}

impl fmt::Display for DeclaredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for DeclaredError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.exception)
    }
}
