//! A struct in words, by what its bytes say alone: `{1:i5,2:L<s>[s6162]}`.
//!
//! A letter stands before each value: b y h i l for booleans and integers, d for a double's bits, s for a string's bytes,
//! u for a uuid, L S M for containers with their elements' types, braces for structs.

use thrift::protocol::{TInputProtocol, TType};

/// In which order elements of sets and maps are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they were sent.
    AsSent,
    /// Sorted, for values that went through a language's own set.
    Sorted,
}

/// Reads a struct and appends it in words.
pub(crate) fn read_struct(input: &mut dyn TInputProtocol, order: Order, out: &mut String) -> thrift::Result<()> {
    input.read_struct_begin()?;
    out.push('{');
    let mut first = true;
    loop {
        let field = input.read_field_begin()?;
        if field.field_type == TType::Stop {
            break;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(&format!("{}:", field.id.unwrap_or_default()));
        value(input, field.field_type, order, out)?;
        input.read_field_end()?;
    }
    out.push('}');
    input.read_struct_end()
}

fn value(input: &mut dyn TInputProtocol, kind: TType, order: Order, out: &mut String) -> thrift::Result<()> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let scalar = match kind {
        TType::Bool => format!("b{}", u8::from(input.read_bool()?)),
        TType::I08 => format!("y{}", input.read_i8()?),
        TType::I16 => format!("h{}", input.read_i16()?),
        TType::I32 => format!("i{}", input.read_i32()?),
        TType::I64 => format!("l{}", input.read_i64()?),
        TType::Double => format!("d{:016x}", input.read_double()?.to_bits()),
        TType::String => format!("s{}", hex(&input.read_bytes()?)),
        TType::Uuid => format!("u{}", hex(input.read_uuid()?.as_bytes())),
        TType::Struct => return read_struct(input, order, out),
        TType::List => {
            let list = input.read_list_begin()?;
            let elements = elements(input, list.element_type, list.size, order)?;
            input.read_list_end()?;
            format!("L{}[{}]", type_of(list.element_type, list.size), elements.join(","))
        }
        TType::Set => {
            let set = input.read_set_begin()?;
            let mut elements = elements(input, set.element_type, set.size, order)?;
            input.read_set_end()?;
            sort(&mut elements, order);
            format!("S{}[{}]", type_of(set.element_type, set.size), elements.join(","))
        }
        TType::Map => map(input, order)?,
        TType::Stop | TType::Void | TType::Utf7 => return Err("a value of no type".into()),
    };
    out.push_str(&scalar);
    Ok(())
}

fn elements(input: &mut dyn TInputProtocol, kind: TType, size: i32, order: Order) -> thrift::Result<Vec<String>> {
    let mut elements = Vec::new();
    for _ in 0..size {
        let mut element = String::new();
        value(input, kind, order, &mut element)?;
        elements.push(element);
    }
    Ok(elements)
}

fn map(input: &mut dyn TInputProtocol, order: Order) -> thrift::Result<String> {
    let map = input.read_map_begin()?;
    let (key, of) = (map.key_type.unwrap_or(TType::Void), map.value_type.unwrap_or(TType::Void));
    let mut pairs = Vec::new();
    for _ in 0..map.size {
        let mut pair = String::new();
        value(input, key, order, &mut pair)?;
        pair.push('=');
        value(input, of, order, &mut pair)?;
        pairs.push(pair);
    }
    input.read_map_end()?;
    sort(&mut pairs, order);
    Ok(format!("M{}{}[{}]", type_of(key, map.size), type_of(of, map.size), pairs.join(",")))
}

fn sort(elements: &mut [String], order: Order) {
    if order == Order::Sorted {
        elements.sort();
    }
}

/// The type of a container's elements; one without any has none.
fn type_of(kind: TType, size: i32) -> &'static str {
    match kind {
        _ if size == 0 => "",
        TType::Bool => "<b>",
        TType::I08 => "<y>",
        TType::I16 => "<h>",
        TType::I32 => "<i>",
        TType::I64 => "<l>",
        TType::Double => "<d>",
        TType::String => "<s>",
        TType::Uuid => "<u>",
        TType::Struct => "<{>",
        TType::List => "<L>",
        TType::Set => "<S>",
        TType::Map => "<M>",
        TType::Stop | TType::Void | TType::Utf7 => "<?>",
    }
}
