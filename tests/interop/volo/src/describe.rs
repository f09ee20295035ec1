//! A value in words, the same in every language; examples/conformance/describe.rs has the grammar.

use crate::idl::{Choice, Chosen, Colour, Containers, Everything, Narrow, Optionals, Point, Scalars, Tree};
use pilota::{AHashMap, AHashSet, Bytes, FastStr};

/// What can be put into words.
pub(crate) trait Describe {
    /// The words.
    fn describe(&self) -> String;
}

impl Describe for bool {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for i8 {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for i16 {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for i32 {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for i64 {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for Colour {
    fn describe(&self) -> String {
        self.inner().to_string()
    }
}

impl Describe for f64 {
    fn describe(&self) -> String {
        if self.is_nan() { "nan".into() } else { format!("{:016x}", self.to_bits()) }
    }
}

impl Describe for FastStr {
    fn describe(&self) -> String {
        bytes(self.as_bytes())
    }
}

impl Describe for Bytes {
    fn describe(&self) -> String {
        bytes(self)
    }
}

impl<T: Describe> Describe for Vec<T> {
    fn describe(&self) -> String {
        format!("[{}]", self.iter().map(T::describe).collect::<Vec<_>>().join(","))
    }
}

impl<T: Describe> Describe for AHashSet<T> {
    fn describe(&self) -> String {
        sorted(self.iter().map(T::describe))
    }
}

impl<K: Describe, V: Describe> Describe for AHashMap<K, V> {
    fn describe(&self) -> String {
        sorted(self.iter().map(|(key, value)| format!("{}={}", key.describe(), value.describe())))
    }
}

/// A struct's words: each field's id and value, where it has one.
macro_rules! describe_struct {
    ($name:ident: $($id:literal $field:ident),+) => {
        impl Describe for $name {
            fn describe(&self) -> String {
                let fields = [$(present(&self.$field).map(|words| format!("{}:{words}", $id))),+];
                format!("({})", fields.into_iter().flatten().collect::<Vec<_>>().join(","))
            }
        }
    };
}

describe_struct!(Point: 1 x, 2 y);
describe_struct!(Scalars: 1 flag, 2 tiny, 3 small, 4 medium, 5 large, 6 real, 7 text, 8 blob, 9 colour);
describe_struct!(Optionals: 1 flag, 2 tiny, 3 small, 4 medium, 5 large, 6 real, 7 text, 8 blob, 9 colour, 10 point, 11 numbers);
describe_struct!(Containers: 1 flags, 2 numbers, 3 table, 4 matrix, 5 nested, 6 tables, 7 maps, 8 points, 9 blobs, 10 colours, 11 words);
describe_struct!(Tree: 1 value, 2 children);
describe_struct!(Chosen: 1 choice);
describe_struct!(Everything: 1 scalars, 2 containers, 3 tree, 4 choices, 20 extras, 300 far, 1000 farthest);
describe_struct!(Narrow: 1000 farthest);

impl Describe for Choice {
    fn describe(&self) -> String {
        match self {
            Choice::Flag(flag) => format!("(1:{})", flag.describe()),
            Choice::Large(large) => format!("(2:{})", large.describe()),
            Choice::Text(text) => format!("(3:{})", text.describe()),
            Choice::Numbers(numbers) => format!("(4:{})", numbers.describe()),
            Choice::Point(point) => format!("(5:{})", point.describe()),
        }
    }
}

/// A field, which the Rust generator makes an `Option` unless it is required.
trait Field {
    fn words(&self) -> Option<String>;
}

impl<T: Describe> Field for T {
    fn words(&self) -> Option<String> {
        Some(self.describe())
    }
}

impl<T: Describe> Field for Option<T> {
    fn words(&self) -> Option<String> {
        self.as_ref().map(T::describe)
    }
}

fn present(field: &impl Field) -> Option<String> {
    field.words()
}

fn sorted(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<_> = words.collect();
    words.sort();
    format!("{{{}}}", words.join(","))
}

fn bytes(bytes: &[u8]) -> String {
    const MOST_IN_FULL: usize = 32;
    if bytes.len() > MOST_IN_FULL {
        return format!("\"{}#{:08x}\"", bytes.len(), adler32(bytes));
    }
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}
