//! The service through one library, on one connection.

use crate::Arguments;
use crate::apache::Apache;
use crate::idl::conformance::{Conflict, NotFound, Nothing, TConformanceOtherSyncClient};
use crate::idl::conformance_uuid::TConformanceUuidSyncClient;
use crate::ours::Ours;
use std::error::Error;
use std::fmt;
use thrift::protocol::TInputProtocol;

/// One of the two libraries.
pub(crate) enum Caller {
    Ours(Box<Ours>),
    Apache(Box<Apache>),
}

/// What went wrong with a case.
pub(crate) enum Fault {
    /// The server answered with a TApplicationException of this type.
    Application(i32),
    /// An exception that the IDL declares, in words.
    Declared(String),
    /// The library does not have the encoding.
    Unsupported(String),
    /// Anything else.
    Other(String),
}

impl Caller {
    pub(crate) fn connect(arguments: &Arguments) -> Result<Caller, Fault> {
        match arguments.runtime.as_str() {
            "calculate" => Ok(Caller::Ours(Box::new(Ours::connect(arguments)?))),
            _ => Ok(Caller::Apache(Box::new(Apache::connect(arguments)?))),
        }
    }

    /// Makes the call that `stub` makes on a generated client; `method` is its name on the wire.
    pub(crate) fn call<R>(
        &mut self,
        method: &'static str,
        stub: impl Fn(&mut dyn TConformanceUuidSyncClient) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        match self {
            Caller::Ours(ours) => ours.call(method, stub),
            Caller::Apache(apache) => Ok(stub(&mut apache.service)?),
        }
    }

    /// As `call`, with the service as a program of another day sees it.
    pub(crate) fn call_other<R>(
        &mut self,
        method: &'static str,
        stub: impl Fn(&mut dyn TConformanceOtherSyncClient) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        match self {
            Caller::Ours(ours) => ours.call_other(method, stub),
            Caller::Apache(apache) => Ok(stub(&mut apache.other)?),
        }
    }

    /// What reads a struct in the binary protocol.
    pub(crate) fn decode<R>(
        &self,
        bytes: &[u8],
        read: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<R>,
    ) -> Result<R, Fault> {
        match self {
            Caller::Ours(_) => Ours::decode(bytes, read),
            Caller::Apache(_) => Apache::decode(bytes, read),
        }
    }

    /// Checks that replies carry their calls' sequence ids.
    pub(crate) fn sequence_ids(&mut self) -> Result<(), Fault> {
        match self {
            Caller::Ours(ours) => ours.sequence_ids(),
            Caller::Apache(apache) => apache.sequence_ids(),
        }
    }
}

impl Fault {
    /// A declared exception in the words of the vectors.
    pub(crate) fn declared(exception: &(dyn Error + 'static)) -> Fault {
        if let Some(NotFound { name }) = exception.downcast_ref() {
            return Fault::Declared(format!("NotFound \"{name}\""));
        }
        if let Some(Conflict { code, reason: Some(reason), where_: Some(at) }) = exception.downcast_ref() {
            return Fault::Declared(format!("Conflict {code} with {reason} at (1:{},2:{})", at.x, at.y));
        }
        match exception.is::<Nothing>() {
            true => Fault::Declared("Nothing".into()),
            false => Fault::Other(exception.to_string()),
        }
    }
}

impl From<thrift::Error> for Fault {
    fn from(error: thrift::Error) -> Fault {
        match error {
            thrift::Error::User(exception) => Fault::declared(&*exception),
            thrift::Error::Application(exception) => Fault::Application(exception.kind as i32),
            other => Fault::Other(format!("{other:?}")),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Application(code) => write!(f, "TApplicationException {code}"),
            Fault::Declared(text) | Fault::Unsupported(text) | Fault::Other(text) => f.write_str(text),
        }
    }
}
