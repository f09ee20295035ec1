//! Calls into bytes and replies into values, with the generated code on memory buffers.
//!
//! The generated client's methods send and receive in one go. A *stub* is a closure that makes one of them on the
//! protocols it is given: `|input, output| CalculateSyncClient::new(input, output).square(number.clone())`. It runs
//! twice: once to encode, on an input that has no reply, and once to decode, on an output that is thrown away.

use super::error::CalculateError;
use super::options::Options;
use crate::wire::binary::{BinaryInput, BinaryOutput};
use crate::wire::compact::{CompactInput, CompactOutput};
use crate::wire::framing::{begin_frame, end_frame};
use crate::wire::message::{Header, Kind};
use crate::wire::{Exception, Limits, NO_HEADER, Protocol};
use thrift::Result as ThriftResult;
use thrift::protocol::{TInputProtocol, TMessageIdentifier, TMessageType, TOutputProtocol};

/// A method as it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it may be carried out twice: then a call whose answer was lost is made again, elsewhere.
    pub idempotent: bool,
}

/// A method that must not be carried out twice.
impl From<&'static str> for Method {
    fn from(name: &'static str) -> Method {
        Method { name, idempotent: false }
    }
}

/// What a stub reads from.
pub type Input<'a> = Box<dyn TInputProtocol + 'a>;

/// What a stub writes to.
pub type Output<'a> = Box<dyn TOutputProtocol + 'a>;

/// The call that `stub` makes, numbered `sequence_id`, as it travels; and what `stub` returned, where it asked for no
/// reply: a oneway call.
///
/// # Errors
/// The call cannot be encoded, or is over the limit.
pub(super) fn encode<R>(
    options: &Options,
    method: &str,
    sequence_id: i32,
    stub: &impl Fn(Input<'_>, Output<'_>) -> ThriftResult<R>,
) -> Result<(Vec<u8>, Option<R>), CalculateError> {
    if options.framing.is_header() {
        return Err(CalculateError::cannot_send(method, "this client does not speak header transports"));
    }
    let limits = Limits::default();
    let mut call = Vec::new();
    let start = begin_frame(options.framing, &mut call);
    let outcome = match options.protocol {
        protocol @ (Protocol::Binary | Protocol::OldBinary) => {
            let output = BinaryOutput::numbered(&mut call, sequence_id).with_protocol(protocol);
            stub(Box::new(BinaryInput::empty(&limits)), Box::new(output))
        }
        Protocol::Compact => {
            stub(Box::new(CompactInput::empty(&limits)), Box::new(CompactOutput::numbered(&mut call, sequence_id)))
        }
    };
    let oneway = match outcome {
        Ok(value) => Some(value),
        // It failed where it expected its reply: by then the call is written.
        Err(thrift::Error::Protocol(error)) if error.message == NO_HEADER => None,
        Err(error) => return Err(CalculateError::cannot_send(method, in_words(&error))),
    };
    let (length, most) = (call.len() - start, options.max_message_bytes);
    if length > most {
        let why = format!("it takes {length} bytes; max_message_bytes is {most}");
        return Err(CalculateError::cannot_send(method, why));
    }
    end_frame(options.framing, start, &mut call);
    Ok((call, oneway))
}

/// The value that `message`, a reply whose header was checked against the call, holds for `stub`.
///
/// # Errors
/// What the server answered instead; ProtocolError where the message is no right reply.
pub(super) fn decode<R>(
    server: &str,
    options: &Options,
    method: &str,
    message: &[u8],
    stub: &impl Fn(Input<'_>, Output<'_>) -> ThriftResult<R>,
) -> Result<R, CalculateError> {
    let limits = &options.limits();
    let header =
        Header::read(options.protocol, message).map_err(|malformed| CalculateError::protocol(server, malformed))?;
    let body = &message[header.body_offset..];
    if header.kind == Kind::Exception {
        let exception = decode_exception(options.protocol, limits, body);
        return Err(match exception {
            Ok(exception) => CalculateError::exception(server, method, exception),
            Err(error) => CalculateError::protocol(server, in_words(&error)),
        });
    }
    // A generated client numbers its first call 1, and ours makes only one.
    let identifier = TMessageIdentifier::new(method, TMessageType::Reply, 1);
    let mut unused = Vec::new();
    let decoded = match options.protocol {
        Protocol::Binary | Protocol::OldBinary => {
            stub(Box::new(BinaryInput::new(identifier, body, limits)), Box::new(BinaryOutput::new(&mut unused)))
        }
        Protocol::Compact => {
            stub(Box::new(CompactInput::new(identifier, body, limits)), Box::new(CompactOutput::new(&mut unused)))
        }
    };
    decoded.map_err(|error| match error {
        thrift::Error::User(exception) => CalculateError::declared(exception),
        error => CalculateError::protocol(server, in_words(&error)),
    })
}

fn decode_exception(protocol: Protocol, limits: &Limits, body: &[u8]) -> ThriftResult<Exception> {
    let unused = TMessageIdentifier::new("", TMessageType::Exception, 0);
    match protocol {
        Protocol::Binary | Protocol::OldBinary => Exception::read(&mut BinaryInput::new(unused, body, limits)),
        Protocol::Compact => Exception::read(&mut CompactInput::new(unused, body, limits)),
    }
}

fn in_words(error: &thrift::Error) -> String {
    match error {
        thrift::Error::Protocol(error) => error.message.clone(),
        // A reply that holds neither a result nor an exception.
        thrift::Error::Application(error) => error.message.clone(),
        error => error.to_string(),
    }
}
