//! The reply when there is no other: a TApplicationException.

use super::binary::BinaryOutput;
use super::compact::CompactOutput;
use super::framing::{begin_frame, end_frame};
use super::{Encoding, Protocol};
use thrift::protocol::{TFieldIdentifier, TInputProtocol, TMessageType, TOutputProtocol, TType};

/// What a TApplicationException says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its type.
    pub code: ExceptionCode,
    /// For a person to read: what was wrong, and what to do.
    pub message: String,
}

/// The types of a TApplicationException that a server sends of its own accord. Numbers 0 to 10 are Apache's
/// (`TApplicationException`), 11 is what fbthrift calls LOADSHEDDING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionCode(pub i32);

impl ExceptionCode {
    /// Nothing more is known.
    pub const UNKNOWN: ExceptionCode = ExceptionCode(0);
    /// No service here has such a method.
    pub const UNKNOWN_METHOD: ExceptionCode = ExceptionCode(1);
    /// The message is neither a call nor a oneway call.
    pub const INVALID_MESSAGE_TYPE: ExceptionCode = ExceptionCode(2);
    /// The handler failed in a way that its IDL does not declare.
    pub const INTERNAL_ERROR: ExceptionCode = ExceptionCode(6);
    /// The arguments are not what the IDL says, or are over a limit.
    pub const PROTOCOL_ERROR: ExceptionCode = ExceptionCode(7);
    /// This client may not call this method: the server's access list does not permit it.
    pub const UNSUPPORTED_CLIENT_TYPE: ExceptionCode = ExceptionCode(10);
    /// Too busy: the call was not begun, and may be tried again elsewhere.
    pub const OVERLOADED: ExceptionCode = ExceptionCode(11);
    /// The caller's time was up before the call was begun. The number is fbthrift's.
    pub const TIMEOUT: ExceptionCode = ExceptionCode(12);
}

impl Exception {
    /// An exception with this type and text.
    pub fn new(code: ExceptionCode, message: impl Into<String>) -> Exception {
        Exception { code, message: message.into() }
    }

    /// Appends the whole reply to `out`, framed where the encoding is. `name` is the method's, as bytes: it is sent
    /// back as it came, UTF-8 or not.
    pub fn write(&self, encoding: Encoding, name: &[u8], sequence_id: i32, out: &mut Vec<u8>) {
        let start = begin_frame(encoding.framing, out);
        match encoding.protocol {
            Protocol::Binary | Protocol::OldBinary => {
                let mut output = BinaryOutput::new(out).with_protocol(encoding.protocol);
                output.message_begin(name, TMessageType::Exception, sequence_id);
                self.write_body(&mut output);
            }
            Protocol::Compact => {
                let mut output = CompactOutput::new(out);
                output.message_begin(name, TMessageType::Exception, sequence_id);
                self.write_body(&mut output);
            }
        }
        end_frame(encoding.framing, start, out);
    }

    /// Reads the body of an exception message. The type may be any number: thrift's own reader knows Apache's only.
    ///
    /// # Errors
    /// The bytes are no such struct.
    pub fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Exception> {
        let mut exception = Exception::new(ExceptionCode::UNKNOWN, "");
        input.read_struct_begin()?;
        loop {
            let field = input.read_field_begin()?;
            match (field.field_type, field.id) {
                (TType::Stop, _) => break,
                (TType::String, Some(1)) => exception.message = input.read_string()?,
                (TType::I32, Some(2)) => exception.code = ExceptionCode(input.read_i32()?),
                (kind, _) => input.skip(kind)?,
            }
            input.read_field_end()?;
        }
        input.read_struct_end()?;
        Ok(exception)
    }

    fn write_body(&self, output: &mut dyn TOutputProtocol) {
        let field = |field_type, id| TFieldIdentifier { name: None, field_type, id: Some(id) };
        let written = output
            .write_field_begin(&field(TType::String, 1))
            .and_then(|()| output.write_string(&self.message))
            .and_then(|()| output.write_field_begin(&field(TType::I32, 2)))
            .and_then(|()| output.write_i32(self.code.0))
            .and_then(|()| output.write_field_stop());
        debug_assert!(written.is_ok(), "only a text of more than 2 GiB cannot be written");
    }
}
