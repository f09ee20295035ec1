//! Writes values in the binary protocol.

use crate::wire::types::binary_code;
use crate::wire::{Malformed, Protocol};
use thrift::protocol::{
    TFieldIdentifier, TListIdentifier, TMapIdentifier, TMessageIdentifier, TMessageType, TOutputProtocol,
    TSetIdentifier, TStructIdentifier, TType,
};

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
        self.count(crate::wire::checked_count(bytes.len())?);
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
