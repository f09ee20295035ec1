//! Reads values in the binary protocol.

use crate::wire::message::Identifier;
use crate::wire::scope::{Room, Scopes};
use crate::wire::types::{binary_type, binary_type_of_none};
use crate::wire::{Limits, Malformed, Protocol};
use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TMessageIdentifier, TSetIdentifier,
    TStructIdentifier, TType,
};

/// Reads one message's body. It reserves no more than what arrived, checks every type tag and count against the
/// bytes, and refuses a body that does not end where its message ends (W3, W5-W9, W13, W16, W17).
#[derive(Debug)]
pub struct BinaryInput<'a> {
    identifier: Option<&'a Identifier<'a>>,
    /// What is not read yet.
    rest: &'a [u8],
    body_bytes: usize,
    limits: &'a Limits,
    scopes: Scopes,
}

impl<'a> BinaryInput<'a> {
    /// A reader of `body` alone: generated code that asks it for the message's header gets an error.
    #[inline]
    pub fn new(body: &'a [u8], limits: &'a Limits) -> BinaryInput<'a> {
        BinaryInput { identifier: None, rest: body, body_bytes: body.len(), limits, scopes: Scopes::new(limits) }
    }

    /// A reader of `body`, a message without its header. `identifier` is what the generated code is told the header
    /// said: the caller has read that already.
    #[inline]
    pub fn of_message(identifier: &'a Identifier<'a>, body: &'a [u8], limits: &'a Limits) -> BinaryInput<'a> {
        BinaryInput { identifier: Some(identifier), ..BinaryInput::new(body, limits) }
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
        let identifier = self.identifier.take().ok_or_else(|| Malformed::from(crate::wire::NO_HEADER))?;
        Ok(identifier.to_thrift())
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
