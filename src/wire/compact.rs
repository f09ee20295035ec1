//! The compact protocol over a slice and a `Vec`, as generated code wants it.

use super::field_ids::FieldIds;
use super::scope::{Room, Scopes};
use super::types::{compact_code, compact_type, compact_type_of_none};
use super::varint::{self, unzigzag, zigzag};
use super::{Limits, Malformed, Protocol};
use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TMessageIdentifier, TMessageType,
    TOutputProtocol, TSetIdentifier, TStructIdentifier, TType,
};

/// Reads one message's body, with the same promises as [`BinaryInput`](super::binary::BinaryInput).
#[derive(Debug)]
pub struct CompactInput<'a> {
    identifier: Option<TMessageIdentifier>,
    bytes: &'a [u8],
    position: usize,
    limits: &'a Limits,
    scopes: Scopes,
    ids: FieldIds,
    /// A boolean field's value stands in the field's header.
    field_bool: Option<bool>,
}

impl<'a> CompactInput<'a> {
    /// A reader that has no message: generated code that wants a reply from it gets an error.
    pub fn empty(limits: &'a Limits) -> CompactInput<'a> {
        let unused = TMessageIdentifier { name: String::new(), message_type: TMessageType::Reply, sequence_number: 0 };
        CompactInput { identifier: None, ..CompactInput::new(unused, &[], limits) }
    }

    /// A reader of `body`, a message without its header. `identifier` is what the generated code is told the header
    /// said: the caller has read that already.
    #[inline]
    pub fn new(identifier: TMessageIdentifier, body: &'a [u8], limits: &'a Limits) -> CompactInput<'a> {
        CompactInput {
            identifier: Some(identifier),
            bytes: body,
            position: 0,
            limits,
            scopes: Scopes::new(limits),
            ids: FieldIds::default(),
            field_bool: None,
        }
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.rest().first_chunk::<N>().ok_or_else(ends)?;
        self.position += N;
        Ok(*bytes)
    }

    #[inline]
    fn varint_u32(&mut self) -> Result<u32, Malformed> {
        let (value, length) = varint::read_u32(self.rest())?.ok_or_else(ends)?;
        self.position += length;
        Ok(value)
    }

    #[inline]
    fn i64(&mut self) -> Result<i64, Malformed> {
        let (value, length) = varint::read_u64(self.rest())?.ok_or_else(ends)?;
        self.position += length;
        Ok(unzigzag(value))
    }

    #[inline]
    fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(unzigzag(self.varint_u32()?.into()) as i32)
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, Malformed> {
        let (value, length) = varint::read_u16(self.rest())?.ok_or_else(ends)?;
        self.position += length;
        Ok(unzigzag(value.into()) as i16)
    }

    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        self.scopes.value(TType::String)?;
        let length = self.varint_u32()? as usize;
        if length > self.limits.string_bytes {
            return Err(format!("a string of {length} bytes; at most {} are taken", self.limits.string_bytes).into());
        }
        let bytes = self.rest().get(..length).ok_or_else(ends)?;
        self.position += length;
        Ok(bytes)
    }

    #[inline]
    fn room(&self) -> Room<'a> {
        let (bytes_left, bytes_in_all) = (self.bytes.len() - self.position, self.bytes.len());
        Room { protocol: Protocol::Compact, limits: self.limits, bytes_left, bytes_in_all }
    }

    #[inline]
    fn elements(&mut self, container: TType) -> Result<(TType, i32), Malformed> {
        self.scopes.value(container)?;
        let [first] = self.take()?;
        let count = match first >> 4 {
            15 => checked_size(self.varint_u32()?)?,
            short => i32::from(short),
        };
        let element = match count {
            0 => compact_type_of_none(first & 0x0f)?,
            _ => compact_type(first & 0x0f)?,
        };
        self.scopes.begin_container((element, None), count, self.room())?;
        Ok((element, count))
    }
}

#[cold]
fn above_all_ids() -> Malformed {
    "a field id above 32,767".into()
}

fn checked_size(size: u32) -> Result<i32, Malformed> {
    i32::try_from(size).map_err(|_| format!("a container of {size} items").into())
}

#[cold]
fn ends() -> Malformed {
    "the message ends inside a value".into()
}

impl TInputProtocol for CompactInput<'_> {
    fn read_message_begin(&mut self) -> thrift::Result<TMessageIdentifier> {
        self.identifier.take().ok_or_else(|| Malformed::from(super::NO_HEADER).into())
    }

    fn read_message_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn read_struct_begin(&mut self) -> thrift::Result<Option<TStructIdentifier>> {
        self.scopes.begin_struct()?;
        self.ids.begin_struct();
        Ok(None)
    }

    #[inline]
    fn read_struct_end(&mut self) -> thrift::Result<()> {
        self.ids.end_struct();
        if self.scopes.end() && self.position != self.bytes.len() {
            return Err(Malformed::from("bytes after the end of the message's struct").into());
        }
        Ok(())
    }

    #[inline(always)]
    fn read_field_begin(&mut self) -> thrift::Result<TFieldIdentifier> {
        let [first] = self.take()?;
        if first & 0x0f == 0 {
            return Ok(TFieldIdentifier { name: None, field_type: TType::Stop, id: None });
        }
        let field_type = compact_type(first & 0x0f)?;
        let id = match first >> 4 {
            0 => self.i16()?,
            delta => self.ids.last.checked_add(delta.into()).ok_or_else(above_all_ids)?,
        };
        self.ids.last = id;
        self.field_bool = (field_type == TType::Bool).then_some(first & 0x0f == 1);
        self.scopes.field(field_type);
        Ok(TFieldIdentifier { name: None, field_type, id: Some(id) })
    }

    fn read_field_end(&mut self) -> thrift::Result<()> {
        Ok(())
    }

    #[inline]
    fn read_bool(&mut self) -> thrift::Result<bool> {
        self.scopes.value(TType::Bool)?;
        if let Some(value) = self.field_bool.take() {
            return Ok(value);
        }
        match self.take()? {
            [1] => Ok(true),
            [0 | 2] => Ok(false),
            _ => Err(Malformed::from("a boolean that is neither 1 nor 2").into()),
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
        Ok(self.i16()?)
    }

    #[inline]
    fn read_i32(&mut self) -> thrift::Result<i32> {
        self.scopes.value(TType::I32)?;
        Ok(self.i32()?)
    }

    #[inline]
    fn read_i64(&mut self) -> thrift::Result<i64> {
        self.scopes.value(TType::I64)?;
        Ok(self.i64()?)
    }

    #[inline]
    fn read_double(&mut self) -> thrift::Result<f64> {
        self.scopes.value(TType::Double)?;
        Ok(f64::from_le_bytes(self.take()?))
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
        let size = checked_size(self.varint_u32()?)?;
        let (key, value) = match size {
            0 => (TType::Void, TType::Void),
            _ => {
                let [types] = self.take()?;
                (compact_type(types >> 4)?, compact_type(types & 0x0f)?)
            }
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
        varint::write(self.out, super::checked_count(bytes.len())? as u64);
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
