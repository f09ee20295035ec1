//! Messages, said and read with Apache's own protocols: nothing of ours checks itself.

use calculate::wire::{Encoding, Framing, Protocol};
use thrift::OrderedFloat;
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TCompactInputProtocol, TCompactOutputProtocol, TFieldIdentifier,
    TInputProtocol, TMessageType, TOutputProtocol, TStructIdentifier, TType,
};

pub const CALL: u8 = 1;
pub const REPLY: u8 = 2;
pub const EXCEPTION: u8 = 3;
pub const ONEWAY: u8 = 4;

pub const UNKNOWN: i32 = 0;
pub const UNKNOWN_METHOD: i32 = 1;
pub const INVALID_MESSAGE_TYPE: i32 = 2;
pub const INTERNAL_ERROR: i32 = 6;
pub const PROTOCOL_ERROR: i32 = 7;
pub const OVERLOADED: i32 = 11;

pub const FRAMED_BINARY: Encoding = Encoding { framing: Framing::Framed, protocol: Protocol::Binary };
pub const FRAMED_COMPACT: Encoding = Encoding { framing: Framing::Framed, protocol: Protocol::Compact };
pub const UNFRAMED_BINARY: Encoding = Encoding { framing: Framing::Unframed, protocol: Protocol::Binary };
pub const UNFRAMED_COMPACT: Encoding = Encoding { framing: Framing::Unframed, protocol: Protocol::Compact };
pub const FRAMED_OLD: Encoding = Encoding { framing: Framing::Framed, protocol: Protocol::OldBinary };
pub const UNFRAMED_OLD: Encoding = Encoding { framing: Framing::Unframed, protocol: Protocol::OldBinary };
pub const ENCODINGS: [Encoding; 6] =
    [FRAMED_BINARY, FRAMED_COMPACT, FRAMED_OLD, UNFRAMED_BINARY, UNFRAMED_COMPACT, UNFRAMED_OLD];

/// A message without a frame, of whatever kind and name.
pub fn message(protocol: Protocol, name: &[u8], kind: u8, sequence_id: i32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match protocol {
        Protocol::Binary => {
            out.extend_from_slice(&[0x80, 0x01, 0x00, kind]);
            out.extend_from_slice(&(name.len() as i32).to_be_bytes());
            out.extend_from_slice(name);
            out.extend_from_slice(&sequence_id.to_be_bytes());
        }
        Protocol::OldBinary => {
            out.extend_from_slice(&(name.len() as i32).to_be_bytes());
            out.extend_from_slice(name);
            out.push(kind);
            out.extend_from_slice(&sequence_id.to_be_bytes());
        }
        Protocol::Compact => {
            out.extend_from_slice(&[0x82, kind << 5 | 1]);
            varint(&mut out, sequence_id as u32);
            varint(&mut out, name.len() as u32);
            out.extend_from_slice(name);
        }
    }
    out.extend_from_slice(body);
    out
}

/// `message` as it travels.
pub fn frame(encoding: Encoding, message: &[u8]) -> Vec<u8> {
    match encoding.framing {
        Framing::Framed => [&(message.len() as u32).to_be_bytes(), message].concat(),
        Framing::Unframed => message.to_vec(),
        Framing::THeader | Framing::TTHeader => panic!("a header transport's frames are more than a length"),
    }
}

/// A message as it travels.
pub fn framed_message(encoding: Encoding, name: &str, kind: u8, sequence_id: i32, body: &[u8]) -> Vec<u8> {
    frame(encoding, &message(encoding.protocol, name.as_bytes(), kind, sequence_id, body))
}

/// A call of `Square` as it travels.
pub fn square(encoding: Encoding, sequence_id: i32, value: f64) -> Vec<u8> {
    framed_message(encoding, "Square", CALL, sequence_id, &number(encoding.protocol, value))
}

/// The arguments of `Square` and `Cal`.
pub fn number(protocol: Protocol, value: f64) -> Vec<u8> {
    let number = calculate::idl::calculate::Number::new(OrderedFloat(value));
    args(protocol, |out| {
        out.write_field_begin(&field(TType::Struct, 1))?;
        number.write_to_out_protocol(out)
    })
}

/// An argument struct with one field, number 1.
pub fn i32_args(protocol: Protocol, value: i32) -> Vec<u8> {
    args(protocol, |out| {
        out.write_field_begin(&field(TType::I32, 1))?;
        out.write_i32(value)
    })
}

/// An argument struct with one field, number 1.
pub fn text_args(protocol: Protocol, text: &str) -> Vec<u8> {
    args(protocol, |out| {
        out.write_field_begin(&field(TType::String, 1))?;
        out.write_string(text)
    })
}

/// The arguments of `Echo`.
pub fn echo_args(protocol: Protocol, everything: &super::idl::wire::Everything) -> Vec<u8> {
    args(protocol, |out| {
        out.write_field_begin(&field(TType::Struct, 1))?;
        everything.write_to_out_protocol(out)
    })
}

/// A struct with the fields that `fields` writes.
pub fn args(protocol: Protocol, fields: impl FnOnce(&mut dyn TOutputProtocol) -> thrift::Result<()>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let whole = |out: &mut dyn TOutputProtocol| {
        out.write_struct_begin(&TStructIdentifier::new("args"))?;
        fields(out)?;
        out.write_field_stop()?;
        out.write_struct_end()
    };
    match protocol {
        Protocol::Binary => whole(&mut TBinaryOutputProtocol::new(&mut bytes, true)),
        Protocol::OldBinary => whole(&mut TBinaryOutputProtocol::new(&mut bytes, false)),
        Protocol::Compact => whole(&mut TCompactOutputProtocol::new(&mut bytes)),
    }
    .expect("memory takes it");
    bytes
}

pub fn field(field_type: TType, id: i16) -> TFieldIdentifier {
    TFieldIdentifier { name: None, field_type, id: Some(id) }
}

/// A message that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub protocol: Protocol,
    pub name: String,
    pub kind: u8,
    pub sequence_id: i32,
    /// All of it, without a frame.
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn read(protocol: Protocol, bytes: &[u8]) -> thrift::Result<Reply> {
        let header = decode(protocol, bytes, |input| input.read_message_begin())?;
        let kind = match header.message_type {
            TMessageType::Call => CALL,
            TMessageType::Reply => REPLY,
            TMessageType::Exception => EXCEPTION,
            TMessageType::OneWay => ONEWAY,
        };
        let (name, sequence_id) = (header.name, header.sequence_number);
        Ok(Reply { protocol, name, kind, sequence_id, bytes: bytes.to_vec() })
    }

    /// Reads the result struct.
    pub fn decode<T>(&self, read: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<T>) -> T {
        let decoded = decode(self.protocol, &self.bytes, |input| {
            input.read_message_begin()?;
            read(input)
        });
        decoded.unwrap_or_else(|error| panic!("{error:?} in {self:?}"))
    }

    /// The value of a reply that carries a Number.
    pub fn number(&self) -> f64 {
        assert_eq!(self.kind, REPLY, "{self:?}: {:?}", self.exception());
        self.decode(|input| {
            input.read_struct_begin()?;
            assert_eq!(input.read_field_begin()?.id, Some(0), "a result, not a declared exception");
            Ok(calculate::idl::calculate::Number::read_from_in_protocol(input)?.value.into_inner())
        })
    }

    /// The value of a reply that carries an i32.
    pub fn i32(&self) -> i32 {
        assert_eq!(self.kind, REPLY, "{self:?}");
        self.decode(|input| {
            input.read_struct_begin()?;
            assert_eq!(input.read_field_begin()?.id, Some(0));
            input.read_i32()
        })
    }

    /// What a reply to `Echo` carries.
    pub fn everything(&self) -> super::idl::wire::Everything {
        assert_eq!(self.kind, REPLY, "{self:?}");
        self.decode(|input| {
            input.read_struct_begin()?;
            assert_eq!(input.read_field_begin()?.id, Some(0));
            super::idl::wire::Everything::read_from_in_protocol(input)
        })
    }

    /// Type and text of a TApplicationException; type -1 for any other reply.
    pub fn exception(&self) -> (i32, String) {
        if self.kind != EXCEPTION {
            return (-1, String::new());
        }
        self.decode(|input| {
            let (mut code, mut text) = (-1, String::new());
            input.read_struct_begin()?;
            loop {
                let field = input.read_field_begin()?;
                match (field.field_type, field.id) {
                    (TType::Stop, _) => return Ok((code, text)),
                    (TType::String, Some(1)) => text = input.read_string()?,
                    (TType::I32, Some(2)) => code = input.read_i32()?,
                    other => panic!("a TApplicationException has no field {other:?}"),
                }
            }
        })
    }
}

fn decode<T>(
    protocol: Protocol,
    bytes: &[u8],
    read: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<T>,
) -> thrift::Result<T> {
    match protocol {
        Protocol::Binary => read(&mut TBinaryInputProtocol::new(bytes, true)),
        Protocol::OldBinary => read(&mut TBinaryInputProtocol::new(bytes, false)),
        Protocol::Compact => read(&mut TCompactInputProtocol::new(bytes)),
    }
}

/// An unsigned varint.
pub fn varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
