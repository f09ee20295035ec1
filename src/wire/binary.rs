//! The binary protocol, strict and not, over a slice and a `Vec`, as generated code wants it.

use super::scope::{Room, Scopes};
use super::types::{binary_code, binary_type, binary_type_of_none};
use super::{Limits, Malformed, Protocol};
use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TMessageIdentifier, TMessageType,
    TOutputProtocol, TSetIdentifier, TStructIdentifier, TType,
};

/// Reads one message's body. It reserves no more than what arrived, checks every type tag and count against the
/// bytes, and refuses a body that does not end where its message ends (W3, W5-W9, W13, W16, W17).
#[derive(Debug)]
pub struct BinaryInput<'a> {
    identifier: Option<TMessageIdentifier>,
    /// What is not read yet.
    rest: &'a [u8],
    body_bytes: usize,
    limits: &'a Limits,
    scopes: Scopes,
}

impl<'a> BinaryInput<'a> {
    /// A reader that has no message: generated code that wants a reply from it gets an error.
    pub fn empty(limits: &'a Limits) -> BinaryInput<'a> {
        let unused = TMessageIdentifier { name: String::new(), message_type: TMessageType::Reply, sequence_number: 0 };
        BinaryInput { identifier: None, ..BinaryInput::new(unused, &[], limits) }
    }

    /// A reader of `body`, a message without its header. `identifier` is what the generated code is told the header
    /// said: the caller has read that already.
    #[inline]
    pub fn new(identifier: TMessageIdentifier, body: &'a [u8], limits: &'a Limits) -> BinaryInput<'a> {
        BinaryInput {
            identifier: Some(identifier),
            rest: body,
            body_bytes: body.len(),
            limits,
            scopes: Scopes::new(limits),
        }
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(ends()),
        }
    }

    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        self.scopes.value(TType::String)?;
        let length = i32::from_be_bytes(self.take()?);
        let length = usize::try_from(length).map_err(|_| Malformed::from("a string of negative length"))?;
        if length > self.limits.string_bytes {
            return Err(format!("a string of {length} bytes; at most {} are taken", self.limits.string_bytes).into());
        }
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(ends)?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn room(&self) -> Room<'a> {
        let (bytes_left, bytes_in_all) = (self.rest.len(), self.body_bytes);
        Room { protocol: Protocol::Binary, limits: self.limits, bytes_left, bytes_in_all }
    }

    #[inline]
    fn elements(&mut self, container: TType) -> Result<(TType, i32), Malformed> {
        self.scopes.value(container)?;
        let [element, a, b, c, d] = self.take()?;
        let count = i32::from_be_bytes([a, b, c, d]);
        let element = match count {
            0 => binary_type_of_none(element)?,
            _ => binary_type(element)?,
        };
        self.scopes.begin_container((element, None), count, self.room())?;
        Ok((element, count))
    }
}

#[cold]
fn ends() -> Malformed {
    "the message ends inside a value".into()
}

impl TInputProtocol for BinaryInput<'_> {
    fn read_message_begin(&mut self) -> thrift::Result<TMessageIdentifier> {
        self.identifier.take().ok_or_else(|| Malformed::from(super::NO_HEADER).into())
    }

    fn read_message_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn read_struct_begin(&mut self) -> thrift::Result<Option<TStructIdentifier>> {
        self.scopes.begin_struct()?;
        Ok(None)
    }

    #[inline]
    fn read_struct_end(&mut self) -> thrift::Result<()> {
        if self.scopes.end() && !self.rest.is_empty() {
            return Err(Malformed::from("bytes after the end of the message's struct").into());
        }
        Ok(())
    }

    #[inline(always)]
    fn read_field_begin(&mut self) -> thrift::Result<TFieldIdentifier> {
        let (field_type, id) = match *self.rest {
            [0, ref rest @ ..] => {
                self.rest = rest;
                return Ok(TFieldIdentifier { name: None, field_type: TType::Stop, id: None });
            }
            [code, high, low, ref rest @ ..] => {
                self.rest = rest;
                (binary_type(code)?, i16::from_be_bytes([high, low]))
            }
            _ => return Err(ends().into()),
        };
        self.scopes.field(field_type);
        Ok(TFieldIdentifier { name: None, field_type, id: Some(id) })
    }

    fn read_field_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn read_bool(&mut self) -> thrift::Result<bool> {
        self.scopes.value(TType::Bool)?;
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Malformed::from("a boolean that is neither 0 nor 1").into()),
        }
    }

    #[inline]
    fn read_bytes(&mut self) -> thrift::Result<Vec<u8>> {
        Ok(self.string()?.to_vec())
    }

    #[inline]
    fn read_i8(&mut self) -> thrift::Result<i8> {
        self.scopes.value(TType::I08)?;
        Ok(i8::from_be_bytes(self.take()?))
    }

    #[inline]
    fn read_i16(&mut self) -> thrift::Result<i16> {
        self.scopes.value(TType::I16)?;
        Ok(i16::from_be_bytes(self.take()?))
    }

    #[inline]
    fn read_i32(&mut self) -> thrift::Result<i32> {
        self.scopes.value(TType::I32)?;
        Ok(i32::from_be_bytes(self.take()?))
    }

    #[inline]
    fn read_i64(&mut self) -> thrift::Result<i64> {
        self.scopes.value(TType::I64)?;
        Ok(i64::from_be_bytes(self.take()?))
    }

    #[inline]
    fn read_double(&mut self) -> thrift::Result<f64> {
        self.scopes.value(TType::Double)?;
        Ok(f64::from_be_bytes(self.take()?))
    }

    #[inline]
    fn read_uuid(&mut self) -> thrift::Result<uuid::Uuid> {
        self.scopes.value(TType::Uuid)?;
        Ok(uuid::Uuid::from_bytes(self.take()?))
    }

    #[inline]
    fn read_string(&mut self) -> thrift::Result<String> {
        Ok(super::utf8(self.string()?)?)
    }

    #[inline]
    fn read_list_begin(&mut self) -> thrift::Result<TListIdentifier> {
        let (element_type, size) = self.elements(TType::List)?;
        Ok(TListIdentifier { element_type, size })
    }

    #[inline]
    fn read_list_end(&mut self) -> thrift::Result<()> {
        self.scopes.end();
        Ok(())
    }

    #[inline]
    fn read_set_begin(&mut self) -> thrift::Result<TSetIdentifier> {
        let (element_type, size) = self.elements(TType::Set)?;
        Ok(TSetIdentifier { element_type, size })
    }

    #[inline]
    fn read_set_end(&mut self) -> thrift::Result<()> {
        self.scopes.end();
        Ok(())
    }

    #[inline]
    fn read_map_begin(&mut self) -> thrift::Result<TMapIdentifier> {
        self.scopes.value(TType::Map)?;
        let [key, value, a, b, c, d] = self.take()?;
        let size = i32::from_be_bytes([a, b, c, d]);
        let (key, value) = match size {
            0 => (binary_type_of_none(key)?, binary_type_of_none(value)?),
            _ => (binary_type(key)?, binary_type(value)?),
        };
        self.scopes.begin_container((key, Some(value)), size, self.room())?;
        Ok(TMapIdentifier { key_type: Some(key), value_type: Some(value), size })
    }

    #[inline]
    fn read_map_end(&mut self) -> thrift::Result<()> {
        self.scopes.end();
        Ok(())
    }

    fn skip_binary(&mut self) -> thrift::Result<()> {
        self.string()?;
        Ok(())
    }

    fn read_byte(&mut self) -> thrift::Result<u8> {
        let [byte] = self.take()?;
        Ok(byte)
    }
}

/// Writes one message at the end of a buffer.
#[derive(Debug)]
pub struct BinaryOutput<'a> {
    out: &'a mut Vec<u8>,
    /// Goes into the header instead of what generated code, which counts for itself, would put there.
    sequence_id: Option<i32>,
    /// [`Protocol::Binary`] or [`Protocol::OldBinary`]: they differ in the message's header.
    protocol: Protocol,
}

impl<'a> BinaryOutput<'a> {
    /// A writer that appends to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>) -> BinaryOutput<'a> {
        BinaryOutput { out, sequence_id: None, protocol: Protocol::Binary }
    }

    /// A writer that appends to `out` and numbers its message `sequence_id`, whatever generated code says.
    pub fn numbered(out: &'a mut Vec<u8>, sequence_id: i32) -> BinaryOutput<'a> {
        BinaryOutput { sequence_id: Some(sequence_id), ..BinaryOutput::new(out) }
    }

    /// The same writer, of messages of `protocol`: strict ones, or the old encoding where that is
    /// [`Protocol::OldBinary`].
    #[inline]
    pub fn with_protocol(self, protocol: Protocol) -> BinaryOutput<'a> {
        BinaryOutput { protocol, ..self }
    }

    /// Writes a message's header; the name may be any bytes.
    #[inline(always)]
    pub fn message_begin(&mut self, name: &[u8], kind: TMessageType, sequence_id: i32) {
        let [a, b, c, d] = (name.len() as i32).to_be_bytes();
        if self.protocol == Protocol::OldBinary {
            self.out.extend_from_slice(&[a, b, c, d]);
            self.out.extend_from_slice(name);
            self.out.push(kind.into());
        } else {
            self.out.extend_from_slice(&[0x80, 0x01, 0x00, kind.into(), a, b, c, d]);
            self.out.extend_from_slice(name);
        }
        self.out.extend_from_slice(&sequence_id.to_be_bytes());
    }

    #[inline]
    fn count(&mut self, count: i32) {
        self.out.extend_from_slice(&count.to_be_bytes());
    }
}

impl TOutputProtocol for BinaryOutput<'_> {
    #[inline(always)]
    fn write_message_begin(&mut self, identifier: &TMessageIdentifier) -> thrift::Result<()> {
        let sequence_id = self.sequence_id.unwrap_or(identifier.sequence_number);
        self.message_begin(identifier.name.as_bytes(), identifier.message_type, sequence_id);
        Ok(())
    }

    fn write_message_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    fn write_struct_begin(&mut self, _: &TStructIdentifier) -> thrift::Result<()> {
        Ok(())
    }

    fn write_struct_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_field_begin(&mut self, field: &TFieldIdentifier) -> thrift::Result<()> {
        let [high, low] = field.id.ok_or_else(|| Malformed::from("a field without an id"))?.to_be_bytes();
        self.out.extend_from_slice(&[binary_code(field.field_type), high, low]);
        Ok(())
    }

    fn write_field_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_field_stop(&mut self) -> thrift::Result<()> {
        self.out.push(0);
        Ok(())
    }

    #[inline]
    fn write_bool(&mut self, value: bool) -> thrift::Result<()> {
        self.out.push(value.into());
        Ok(())
    }

    #[inline]
    fn write_bytes(&mut self, bytes: &[u8]) -> thrift::Result<()> {
        self.count(super::checked_count(bytes.len())?);
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn write_i8(&mut self, value: i8) -> thrift::Result<()> {
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn write_i16(&mut self, value: i16) -> thrift::Result<()> {
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn write_i32(&mut self, value: i32) -> thrift::Result<()> {
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn write_i64(&mut self, value: i64) -> thrift::Result<()> {
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn write_double(&mut self, value: f64) -> thrift::Result<()> {
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn write_uuid(&mut self, value: &uuid::Uuid) -> thrift::Result<()> {
        self.out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    #[inline]
    fn write_string(&mut self, text: &str) -> thrift::Result<()> {
        self.write_bytes(text.as_bytes())
    }

    #[inline]
    fn write_list_begin(&mut self, list: &TListIdentifier) -> thrift::Result<()> {
        self.out.push(binary_code(list.element_type));
        self.count(list.size);
        Ok(())
    }

    fn write_list_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_set_begin(&mut self, set: &TSetIdentifier) -> thrift::Result<()> {
        self.out.push(binary_code(set.element_type));
        self.count(set.size);
        Ok(())
    }

    fn write_set_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_map_begin(&mut self, map: &TMapIdentifier) -> thrift::Result<()> {
        let code = |kind: Option<TType>| binary_code(kind.unwrap_or(TType::Stop));
        self.out.extend_from_slice(&[code(map.key_type), code(map.value_type)]);
        self.count(map.size);
        Ok(())
    }

    fn write_map_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    fn write_byte(&mut self, byte: u8) -> thrift::Result<()> {
        self.out.push(byte);
        Ok(())
    }
}
