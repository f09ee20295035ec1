//! The golden messages that Apache's Python library wrote, and the frames of header transports, of which CloudWeGo's
//! Go library wrote some: see idl/vectors/generate.py.

use calculate::wire::{Framing, Protocol};

#[derive(Clone, Debug)]
pub struct Golden {
    pub name: String,
    pub protocol: Protocol,
    /// CALL, REPLY, DECLARED or EXCEPTION.
    pub kind: String,
    pub method: String,
    pub sequence_id: i32,
    pub value: Option<f64>,
    pub message: Option<String>,
    pub code: Option<i32>,
    /// Without a frame.
    pub bytes: Vec<u8>,
}

/// All of them.
pub fn messages() -> Vec<Golden> {
    let files = [include_str!("../../idl/vectors/messages.tsv"), include_str!("../../idl/vectors/old.tsv")];
    files.into_iter().flat_map(rows).map(parse).collect()
}

#[derive(Clone, Debug)]
pub struct GoldenFrame {
    pub name: String,
    pub framing: Framing,
    pub protocol: Protocol,
    pub zlib: bool,
    /// The message has a frame of its own inside.
    pub inner_frame: bool,
    pub named: Vec<(Vec<u8>, Vec<u8>)>,
    pub numbered: Vec<(u16, Vec<u8>)>,
    pub sequence_id: i32,
    pub message: Vec<u8>,
    /// With its length.
    pub frame: Vec<u8>,
}

/// The frames of both header transports.
pub fn frames() -> Vec<GoldenFrame> {
    let files = [include_str!("../../idl/vectors/theader.tsv"), include_str!("../../idl/vectors/ttheader.tsv")];
    files.into_iter().flat_map(rows).map(parse_frame).collect()
}

fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn parse_frame(line: &str) -> GoldenFrame {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, transport, protocol, transforms, inner, headers, sequence_id, message, frame] = columns[..] else {
        panic!("nine columns in {line:?}");
    };
    let (numbered, named): (Vec<&str>, Vec<&str>) =
        given(headers).into_iter().flat_map(|headers| headers.split(',')).partition(|header| header.starts_with('#'));
    let pair =
        |header: &str| header.split_once('=').map(|(key, value)| (key.to_owned(), unhex(value))).expect("a pair");
    GoldenFrame {
        name: name.into(),
        framing: if transport == "theader" { Framing::THeader } else { Framing::TTHeader },
        protocol: parse_protocol(protocol),
        zlib: transforms == "zlib",
        inner_frame: inner == "framed",
        named: named.into_iter().map(pair).map(|(name, value)| (unhex(&name), value)).collect(),
        numbered: numbered
            .into_iter()
            .map(pair)
            .map(|(key, value)| (key[1..].parse().expect("a key"), value))
            .collect(),
        sequence_id: sequence_id.parse().expect("a number"),
        message: unhex(message),
        frame: unhex(frame),
    }
}

fn parse_protocol(name: &str) -> Protocol {
    match name {
        "binary" => Protocol::Binary,
        "compact" => Protocol::Compact,
        "old" => Protocol::OldBinary,
        other => panic!("no protocol {other}"),
    }
}

fn parse(line: &str) -> Golden {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, protocol, kind, method, sequence_id, value, message, code, bytes] = columns[..] else {
        panic!("nine columns in {line:?}");
    };
    Golden {
        name: name.into(),
        protocol: parse_protocol(protocol),
        kind: kind.into(),
        method: method.into(),
        sequence_id: sequence_id.parse().expect("a number"),
        value: given(value).map(|value| f64::from_bits(u64::from_str_radix(value, 16).expect("hexadecimal"))),
        message: given(message).map(unescape),
        code: given(code).map(|code| code.parse().expect("a number")),
        bytes: unhex(bytes),
    }
}

fn given(column: &str) -> Option<&str> {
    (column != "-").then_some(column)
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal");
    text.as_bytes().chunks(2).map(byte).collect()
}

/// Python's "unicode_escape".
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        out.push_str(&rest[..start]);
        let digits = match rest.as_bytes()[start + 1] {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => panic!("an escape \\{}", other as char),
        };
        let (code, after) = rest[start + 2..].split_at(digits);
        out.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a character"));
        rest = after;
    }
    out + rest
}
