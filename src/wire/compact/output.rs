//! Writes values in the compact protocol.

use crate::wire::Malformed;
use crate::wire::field_ids::FieldIds;
use crate::wire::types::compact_code;
use crate::wire::varint::{self, zigzag};
use thrift::protocol::{
    TFieldIdentifier, TListIdentifier, TMapIdentifier, TMessageIdentifier, TMessageType, TOutputProtocol,
    TSetIdentifier, TStructIdentifier, TType,
};

/// Writes one message at the end of a buffer.
#[derive(Debug)]
pub struct CompactOutput<'a> {
    out: &'a mut Vec<u8>,
    /// Goes into the header instead of what generated code, which counts for itself, would put there.
    sequence_id: Option<i32>,
    ids: FieldIds,
    /// A boolean field's id, whose header waits for the value that it carries.
    bool_field: Option<i16>,
}

impl<'a> CompactOutput<'a> {
    /// A writer that appends to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>) -> CompactOutput<'a> {
        CompactOutput { out, sequence_id: None, ids: FieldIds::default(), bool_field: None }
    }

    /// A writer that appends to `out` and numbers its message `sequence_id`, whatever generated code says.
    pub fn numbered(out: &'a mut Vec<u8>, sequence_id: i32) -> CompactOutput<'a> {
        CompactOutput { sequence_id: Some(sequence_id), ..CompactOutput::new(out) }
    }

    /// Writes a message's header; the name may be any bytes.
    #[inline(always)]
    pub fn message_begin(&mut self, name: &[u8], kind: TMessageType, sequence_id: i32) {
        let kind: u8 = kind.into();
        self.out.extend_from_slice(&[0x82, kind << 5 | 1]);
        varint::write(self.out, u64::from(sequence_id as u32));
        varint::write(self.out, name.len() as u64);
        self.out.extend_from_slice(name);
    }

    #[inline]
    fn field_header(&mut self, code: u8, id: i16) {
        match id.checked_sub(self.ids.last) {
            Some(delta @ 1..=15) => self.out.push((delta as u8) << 4 | code),
            _ => {
                self.out.push(code);
                varint::write(self.out, zigzag(id.into()));
            }
        }
        self.ids.last = id;
    }

    #[inline]
    fn elements(&mut self, element: TType, count: i32) {
        let code = compact_code(element);
        match count {
            0..15 => self.out.push((count as u8) << 4 | code),
            _ => {
                self.out.push(0xf0 | code);
                varint::write(self.out, count as u64);
            }
        }
    }
}

impl TOutputProtocol for CompactOutput<'_> {
    #[inline(always)]
    fn write_message_begin(&mut self, identifier: &TMessageIdentifier) -> thrift::Result<()> {
        let sequence_id = self.sequence_id.unwrap_or(identifier.sequence_number);
        self.message_begin(identifier.name.as_bytes(), identifier.message_type, sequence_id);
        Ok(())
    }

    fn write_message_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_struct_begin(&mut self, _: &TStructIdentifier) -> thrift::Result<()> {
        self.ids.begin_struct();
        Ok(())
    }

    #[inline]
    fn write_struct_end(&mut self) -> thrift::Result<()> {
        self.ids.end_struct();
        Ok(())
    }

    #[inline]
    fn write_field_begin(&mut self, field: &TFieldIdentifier) -> thrift::Result<()> {
        let id = field.id.ok_or_else(|| Malformed::from("a field without an id"))?;
        match field.field_type {
            TType::Bool => self.bool_field = Some(id),
            kind => self.field_header(compact_code(kind), id),
        }
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
        let code = if value { 1 } else { 2 };
        match self.bool_field.take() {
            Some(id) => self.field_header(code, id),
            None => self.out.push(code),
        }
        Ok(())
    }

    #[inline]
    fn write_bytes(&mut self, bytes: &[u8]) -> thrift::Result<()> {
        varint::write(self.out, crate::wire::checked_count(bytes.len())? as u64);
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
        varint::write(self.out, zigzag(value.into()));
        Ok(())
    }

    #[inline]
    fn write_i32(&mut self, value: i32) -> thrift::Result<()> {
        varint::write(self.out, zigzag(value.into()));
        Ok(())
    }

    #[inline]
    fn write_i64(&mut self, value: i64) -> thrift::Result<()> {
        varint::write(self.out, zigzag(value));
        Ok(())
    }

    #[inline]
    fn write_double(&mut self, value: f64) -> thrift::Result<()> {
        self.out.extend_from_slice(&value.to_le_bytes());
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
        self.elements(list.element_type, list.size);
        Ok(())
    }

    fn write_list_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_set_begin(&mut self, set: &TSetIdentifier) -> thrift::Result<()> {
        self.elements(set.element_type, set.size);
        Ok(())
    }

    fn write_set_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn write_map_begin(&mut self, map: &TMapIdentifier) -> thrift::Result<()> {
        varint::write(self.out, map.size as u64);
        if map.size > 0 {
            let code = |kind: Option<TType>| compact_code(kind.unwrap_or(TType::Stop));
            self.out.push(code(map.key_type) << 4 | code(map.value_type));
        }
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
