//! Reads values in the compact protocol.

use crate::wire::field_ids::FieldIds;
use crate::wire::message::Identifier;
use crate::wire::scope::{Room, Scopes};
use crate::wire::types::{compact_type, compact_type_of_none};
use crate::wire::varint::{self, Varint, unzigzag};
use crate::wire::{Limits, Malformed, Protocol};
use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TMessageIdentifier, TSetIdentifier,
    TStructIdentifier, TType,
};

/// Reads one message's body, with the same promises as [`BinaryInput`](crate::wire::binary::BinaryInput).
#[derive(Debug)]
pub struct CompactInput<'a> {
    identifier: Option<&'a Identifier<'a>>,
    bytes: &'a [u8],
    position: usize,
    limits: &'a Limits,
    scopes: Scopes,
    ids: FieldIds,
    /// A boolean field's value stands in the field's header.
    field_bool: Option<bool>,
}

impl<'a> CompactInput<'a> {
    /// A reader of `body` alone: generated code that asks it for the message's header gets an error.
    #[inline]
    pub fn new(body: &'a [u8], limits: &'a Limits) -> CompactInput<'a> {
        CompactInput {
            identifier: None,
            bytes: body,
            position: 0,
            limits,
            scopes: Scopes::new(limits),
            ids: FieldIds::default(),
            field_bool: None,
        }
    }

    /// A reader of `body`, a message without its header. `identifier` is what the generated code is told the header
    /// said: the caller has read that already.
    #[inline]
    pub fn of_message(identifier: &'a Identifier<'a>, body: &'a [u8], limits: &'a Limits) -> CompactInput<'a> {
        CompactInput { identifier: Some(identifier), ..CompactInput::new(body, limits) }
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
    fn varint<T>(&mut self, read: impl Fn(&[u8]) -> Varint<T>) -> Result<T, Malformed> {
        let (value, length) = read(self.rest())?.ok_or_else(ends)?;
        self.position += length;
        Ok(value)
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(unzigzag(self.varint(varint::read_u16)?.into()) as i16)
    }

    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        self.scopes.value(TType::String)?;
        let length = self.varint(varint::read_u32)? as usize;
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
            15 => checked_size(self.varint(varint::read_u32)?)?,
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
        let identifier = self.identifier.take().ok_or_else(|| Malformed::from(crate::wire::NO_HEADER))?;
        Ok(identifier.to_thrift())
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
        Ok(unzigzag(self.varint(varint::read_u32)?.into()) as i32)
    }

    #[inline]
    fn read_i64(&mut self) -> thrift::Result<i64> {
        self.scopes.value(TType::I64)?;
        Ok(unzigzag(self.varint(varint::read_u64)?))
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
        Ok(crate::wire::utf8(self.string()?)?)
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
        let size = checked_size(self.varint(varint::read_u32)?)?;
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
