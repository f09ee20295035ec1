//! One public error of the server and its settings; whose fault it is comes first.

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// Why something could not be done.
#[derive(Debug)]
pub struct Error {
    blame: Blame,
    message: String,
    source: Option<io::Error>,
}

/// Whose fault an [`Error`] is, so who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever chose a setting: the text names the setting and what it may be.
    Setting,
    /// The machine: an address that is taken, no more descriptors, no more threads.
    Machine,
    /// The registry, or whoever wrote what it holds.
    Registry,
}

impl Error {
    pub(crate) fn setting(message: impl Into<String>) -> Error {
        Error { blame: Blame::Setting, message: message.into(), source: None }
    }

    pub(crate) fn machine(message: impl Into<String>, source: io::Error) -> Error {
        Error { blame: Blame::Machine, message: message.into(), source: Some(source) }
    }

    pub(crate) fn registry(message: impl Into<String>) -> Error {
        Error { blame: Blame::Registry, message: message.into(), source: None }
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        self.blame
    }
}

/// The words of the operating system, without Rust's "(os error N)".
pub(crate) fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
