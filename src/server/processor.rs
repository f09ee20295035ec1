//! Generated code, from a call's header and body to its reply.

use super::call::Call;
use crate::wire::binary::{BinaryInput, BinaryOutput};
use crate::wire::compact::{CompactInput, CompactOutput};
use crate::wire::message::Identifier;
use crate::wire::{Limits, Malformed, Protocol};
use thrift::protocol::{TInputProtocol, TOutputProtocol};
use thrift::server::TProcessor;

/// What is generated for a service, `…SyncProcessor`; it is called from many threads at a time.
///
/// Every `TProcessor`, what the Thrift compiler writes, is one. Where `idl/generic.sed` has gone over the compiler's
/// output it is one directly, and knows the protocols' types: a call costs a third less.
pub trait Processor: Send + Sync + 'static {
    /// Reads the arguments of a call from `input`, runs its handler, writes the reply to `output`. The call's header is
    /// `message`; who asks `input` for it, too, gets the same.
    ///
    /// # Errors
    /// The reply cannot be written. All other errors are replies.
    fn process(
        &self,
        message: &Identifier<'_>,
        input: &mut impl TInputProtocol,
        output: &mut impl TOutputProtocol,
    ) -> thrift::Result<()>;
}

impl<P: TProcessor + Send + Sync + 'static> Processor for P {
    fn process(
        &self,
        _: &Identifier<'_>,
        input: &mut impl TInputProtocol,
        output: &mut impl TOutputProtocol,
    ) -> thrift::Result<()> {
        TProcessor::process(self, input, output)
    }
}

/// What generated code does when a call is over: as `thrift::server::handle_process_result`, which writes the exceptions
/// that the method's own code has not written, but without making a text of the method's name for the calls that need none.
///
/// # Errors
/// The exception cannot be written.
#[inline]
pub fn handle_process_result(
    message: &Identifier<'_>,
    result: thrift::Result<()>,
    output: &mut impl TOutputProtocol,
) -> thrift::Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => write_error(message, error, output),
    }
}

#[cold]
fn write_error(message: &Identifier<'_>, error: thrift::Error, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
    thrift::server::handle_process_result(&message.to_thrift(), Err(error), output)
}

/// A processor of whatever type. This is the one indirect call of a message: all that is below it is direct.
pub(super) trait AnyProcessor: Send + Sync {
    /// Runs the processor on a call and appends the reply.
    ///
    /// # Errors
    /// The header is none that generated code can be told of, so nothing was run.
    fn process_any(&self, call: &Call<'_>, limits: &Limits, out: &mut Vec<u8>)
    -> Result<thrift::Result<()>, Malformed>;
}

impl<P: Processor> AnyProcessor for P {
    fn process_any(
        &self,
        call: &Call<'_>,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<thrift::Result<()>, Malformed> {
        let identifier = call.header.identifier()?;
        let body = &call.message[call.header.body_offset..];
        Ok(process_body(self, call.encoding.protocol, (&identifier, body), limits, out))
    }
}

/// Runs a processor on a message's header and body, and appends the reply, in the same protocol.
///
/// # Errors
/// As [`Processor::process`].
#[inline]
pub(crate) fn process_body(
    processor: &impl Processor,
    protocol: Protocol,
    (identifier, body): (&Identifier<'_>, &[u8]),
    limits: &Limits,
    out: &mut Vec<u8>,
) -> thrift::Result<()> {
    match protocol {
        Protocol::Binary | Protocol::OldBinary => processor.process(
            identifier,
            &mut BinaryInput::of_message(identifier, body, limits),
            &mut BinaryOutput::new(out).with_protocol(protocol),
        ),
        Protocol::Compact => {
            let mut input = CompactInput::of_message(identifier, body, limits);
            processor.process(identifier, &mut input, &mut CompactOutput::new(out))
        }
    }
}
