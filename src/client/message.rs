//! Calls into bytes and replies into values, with the generated code on memory buffers.
//!
//! The generated client's methods send and receive in one go. A *stub* is a closure that makes one of them on the
//! protocols it is given: `|input, output| CalculateSyncClient::new(input, output).square(number.clone())`. It runs
//! twice: once to encode, on an input that has no reply, and once to decode, on an output that is thrown away.

use super::error::CalculateError;
use crate::wire::binary::{BinaryInput, BinaryOutput};
use crate::wire::compact::{CompactInput, CompactOutput};
use crate::wire::framing::{begin_frame, end_frame};
use crate::wire::message::{Header, Kind};
use crate::wire::{Encoding, Exception, ExceptionCode, Limits, NO_HEADER, Protocol};
use std::sync::Arc;
use thrift::Result as ThriftResult;
use thrift::protocol::{TInputProtocol, TMessageIdentifier, TMessageType, TOutputProtocol};

/// What a stub reads from.
pub type Input<'a> = Box<dyn TInputProtocol + 'a>;

/// What a stub writes to.
pub type Output<'a> = Box<dyn TOutputProtocol + 'a>;

/// Appends the call that `stub` makes, numbered `sequence_id`.
pub(super) fn encode<R>(
    encoding: Encoding,
    sequence_id: i32,
    stub: &impl Fn(Input<'_>, Output<'_>) -> ThriftResult<R>,
    out: &mut Vec<u8>,
) -> Result<(), CalculateError> {
    let limits = Limits::default();
    let start = begin_frame(encoding.framing, out);
    let outcome = match encoding.protocol {
        Protocol::Binary => {
            stub(Box::new(BinaryInput::empty(&limits)), Box::new(BinaryOutput::numbered(out, sequence_id)))
        }
        Protocol::Compact => {
            stub(Box::new(CompactInput::empty(&limits)), Box::new(CompactOutput::numbered(out, sequence_id)))
        }
    };
    match outcome {
        // A oneway call expects no reply, any other fails where it expects one: by then it is written.
        Ok(_) => {}
        Err(thrift::Error::Protocol(error)) if error.message == NO_HEADER => {}
        Err(error) => {
            out.truncate(start);
            return Err(CalculateError::protocol("this program", format_args!("the call cannot be encoded: {error}")));
        }
    }
    end_frame(encoding.framing, start, out);
    Ok(())
}

/// The value that `message`, a reply whose header was checked against the call, holds for `stub`.
pub(super) fn decode<R>(
    server: &str,
    encoding: Encoding,
    limits: &Limits,
    message: &[u8],
    stub: &impl Fn(Input<'_>, Output<'_>) -> ThriftResult<R>,
) -> Result<R, CalculateError> {
    let header =
        Header::read(encoding.protocol, message).map_err(|malformed| CalculateError::protocol(server, malformed))?;
    let body = &message[header.body_offset..];
    if header.kind == Kind::Exception {
        let exception = decode_exception(encoding.protocol, limits, body);
        return Err(match exception {
            Ok(exception) => CalculateError::exception(server, exception),
            Err(error) => CalculateError::protocol(server, in_words(&error)),
        });
    }
    let name = std::str::from_utf8(header.name).unwrap_or_default();
    // A generated client numbers its first call 1, and ours makes only one.
    let identifier = TMessageIdentifier::new(name, TMessageType::Reply, 1);
    let mut unused = Vec::new();
    let decoded = match encoding.protocol {
        Protocol::Binary => {
            stub(Box::new(BinaryInput::new(identifier, body, limits)), Box::new(BinaryOutput::new(&mut unused)))
        }
        Protocol::Compact => {
            stub(Box::new(CompactInput::new(identifier, body, limits)), Box::new(CompactOutput::new(&mut unused)))
        }
    };
    decoded.map_err(|error| match error {
        thrift::Error::User(declared) => CalculateError::Declared(Arc::from(declared)),
        thrift::Error::Application(error) => {
            CalculateError::exception(server, Exception::new(ExceptionCode(error.kind as i32), error.message))
        }
        error => CalculateError::protocol(server, in_words(&error)),
    })
}

fn decode_exception(protocol: Protocol, limits: &Limits, body: &[u8]) -> ThriftResult<Exception> {
    let unused = TMessageIdentifier::new("", TMessageType::Exception, 0);
    match protocol {
        Protocol::Binary => Exception::read(&mut BinaryInput::new(unused, body, limits)),
        Protocol::Compact => Exception::read(&mut CompactInput::new(unused, body, limits)),
    }
}

fn in_words(error: &thrift::Error) -> String {
    match error {
        thrift::Error::Protocol(error) => error.message.clone(),
        error => error.to_string(),
    }
}
