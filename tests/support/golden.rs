//! The golden messages that Apache's Python library wrote: see idl/vectors/generate.py.

use calculate::wire::Protocol;

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
    let text = include_str!("../../idl/vectors/messages.tsv");
    text.lines().filter(|line| !line.starts_with('#')).map(parse).collect()
}

fn parse(line: &str) -> Golden {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, protocol, kind, method, sequence_id, value, message, code, bytes] = columns[..] else {
        panic!("nine columns in {line:?}");
    };
    Golden {
        name: name.into(),
        protocol: match protocol {
            "binary" => Protocol::Binary,
            "compact" => Protocol::Compact,
            other => panic!("no protocol {other}"),
        },
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
