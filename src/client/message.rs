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
use crate::wire::message::{Header, Identifier, Kind};
use crate::wire::{Exception, Limits, NO_HEADER, Protocol};
use thrift::Result as ThriftResult;
use thrift::protocol::{TInputProtocol, TMessageType, TMultiplexedOutputProtocol, TOutputProtocol};

/// A method as it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    pub(super) name: &'static str,
    pub(super) idempotent: bool,
    service: Option<&'static str>,
    version: Option<u64>,
}

impl Method {
    /// A method by its name on the wire, that must not be carried out twice.
    pub const fn new(name: &'static str) -> Method {
        Method { name, idempotent: false, service: None, version: None }
    }

    /// It may be carried out twice: then a call whose answer was lost is made again, elsewhere.
    pub const fn idempotent(self) -> Method {
        Method { idempotent: true, ..self }
    }

    /// It belongs to this service. An instance that hosts several versions of it is asked for the one that the target asks
    /// for: version 2 of Calculate is the service Calculate.v2 of a multiplexed server.
    pub const fn of(self, service: &'static str) -> Method {
        Method { service: Some(service), ..self }
    }

    /// The same of a version of its service; none: by its plain name.
    pub(super) fn of_version(self, version: Option<u64>) -> Method {
        Method { version, ..self }
    }

    /// The service that a multiplexed server is asked for.
    fn service(&self) -> Option<String> {
        Some(format!("{}.v{}", self.service?, self.version?))
    }
}

/// A method that must not be carried out twice.
impl From<&'static str> for Method {
    fn from(name: &'static str) -> Method {
        Method::new(name)
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
    called: Method,
    sequence_id: i32,
    stub: &impl Fn(Input<'_>, Output<'_>) -> ThriftResult<R>,
) -> Result<(Vec<u8>, Option<R>), CalculateError> {
    let method = called.name;
    if options.framing.is_header() {
        return Err(CalculateError::cannot_send(method, "this client does not speak header transports"));
    }
    let limits = Limits::default();
    let mut call = Vec::new();
    let start = begin_frame(options.framing, &mut call);
    let outcome = match options.protocol {
        protocol @ (Protocol::Binary | Protocol::OldBinary) => {
            let output = BinaryOutput::numbered(&mut call, sequence_id).with_protocol(protocol);
            stub(Box::new(BinaryInput::new(&[], &limits)), to_service(called, output))
        }
        Protocol::Compact => {
            let output = CompactOutput::numbered(&mut call, sequence_id);
            stub(Box::new(CompactInput::new(&[], &limits)), to_service(called, output))
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

/// Writes the method's name with that of the service before it, where a version is asked for.
fn to_service<'a>(method: Method, output: impl TOutputProtocol + 'a) -> Output<'a> {
    match method.service() {
        Some(service) => Box::new(TMultiplexedOutputProtocol::new(&service, output)),
        None => Box::new(output),
    }
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
    if header.kind() == Kind::Exception {
        let exception = decode_exception(options.protocol, limits, body);
        return Err(match exception {
            Ok(exception) => CalculateError::exception(server, method, exception),
            Err(error) => CalculateError::protocol(server, in_words(&error)),
        });
    }
    // A generated client numbers its first call 1, and ours makes only one.
    let identifier = Identifier { name: method, message_type: TMessageType::Reply, sequence_number: 1 };
    let mut unused = Vec::new();
    let decoded = match options.protocol {
        Protocol::Binary | Protocol::OldBinary => {
            stub(Box::new(BinaryInput::of_message(&identifier, body, limits)), Box::new(BinaryOutput::new(&mut unused)))
        }
        Protocol::Compact => stub(
            Box::new(CompactInput::of_message(&identifier, body, limits)),
            Box::new(CompactOutput::new(&mut unused)),
        ),
    };
    decoded.map_err(|error| match error {
        thrift::Error::User(exception) => CalculateError::declared(exception),
        error => CalculateError::protocol(server, in_words(&error)),
    })
}

fn decode_exception(protocol: Protocol, limits: &Limits, body: &[u8]) -> ThriftResult<Exception> {
    match protocol {
        Protocol::Binary | Protocol::OldBinary => Exception::read(&mut BinaryInput::new(body, limits)),
        Protocol::Compact => Exception::read(&mut CompactInput::new(body, limits)),
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
