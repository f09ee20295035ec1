//! What of an IDL's text matters to those who exchange messages: no comments, no defaults, typedefs resolved.

use pilota_thrift_parser::{self as parser, Attribute, FileParser, FileSource, Item, Ty};
use std::collections::BTreeMap;

/// The declarations of one IDL file by their names. Includes are not followed: what they declare is known by name only.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) structs: BTreeMap<String, Struct>,
    pub(super) enums: BTreeMap<String, Enum>,
    pub(super) services: BTreeMap<String, Service>,
}

/// A struct, a union or an exception.
#[derive(Debug)]
pub(super) struct Struct {
    /// `struct`, `union` or `exception`.
    pub(super) kind: &'static str,
    pub(super) fields: Fields,
}

/// Fields by id.
pub(super) type Fields = BTreeMap<i32, Field>;

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) r#type: String,
    pub(super) required: bool,
}

/// Values by name.
pub(super) type Enum = BTreeMap<String, i64>;

#[derive(Debug)]
pub(super) struct Service {
    pub(super) extends: Option<String>,
    /// Those of a service of the same file that it extends are among them.
    pub(super) methods: BTreeMap<String, Method>,
}

#[derive(Clone, Debug)]
pub(super) struct Method {
    pub(super) oneway: bool,
    pub(super) result: String,
    pub(super) arguments: Fields,
    pub(super) exceptions: Fields,
}

impl Schema {
    /// Reads an IDL's text.
    ///
    /// # Errors
    /// Says at which line the text is no IDL, or that it is longer or nests deeper than is read.
    pub(super) fn parse(text: &str) -> Result<Schema, String> {
        within_bounds(text)?;
        let file = FileParser::new(FileSource::new(text)).parse().map_err(|error| syntax(&error))?;
        let mut schema = Schema::default();
        let types = typedefs(&file.items);
        for item in &file.items {
            schema.add(item, &types);
        }
        schema.inherit();
        Ok(schema)
    }

    fn add(&mut self, item: &Item, types: &Typedefs<'_>) {
        let mut add_struct = |kind, declared: &parser::StructLike| {
            let fields = fields(&declared.fields, types, |field| field.attribute == Attribute::Required);
            self.structs.insert(declared.name.to_string(), Struct { kind, fields });
        };
        match item {
            Item::Struct(declared) => add_struct("struct", declared),
            Item::Union(declared) => add_struct("union", declared),
            Item::Exception(declared) => add_struct("exception", declared),
            Item::Enum(declared) => {
                self.enums.insert(declared.name.to_string(), values(declared));
            }
            Item::Service(declared) => {
                self.services.insert(declared.name.to_string(), service(declared, types));
            }
            _ => {}
        }
    }

    /// Gives each service the methods of those that it extends, as far as they are in this file.
    fn inherit(&mut self) {
        let own: BTreeMap<String, (Option<String>, BTreeMap<String, Method>)> = self
            .services
            .iter()
            .map(|(name, service)| (name.clone(), (service.extends.clone(), service.methods.clone())))
            .collect();
        for service in self.services.values_mut() {
            let mut parent = service.extends.clone();
            // A service that extends itself, round some corners, ends after as many steps as there are services.
            for _ in 0..own.len() {
                let Some((next, methods)) = parent.as_ref().and_then(|name| own.get(name)) else { break };
                for (name, method) in methods {
                    service.methods.entry(name.clone()).or_insert_with(|| method.clone());
                }
                parent = next.clone();
            }
        }
    }
}

/// The parser goes down one call a level, and reads what others stored: so both are bounded.
fn within_bounds(text: &str) -> Result<(), String> {
    const LONGEST: usize = 512 * 1024;
    const DEEPEST: usize = 64;
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut depth = 0usize;
    let mut rest = text;
    while let Some(at) = rest.find(['<', '[', '{', '(', '>', ']', '}', ')', '/', '#', '"', '\'']) {
        let (found, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = match found {
            b'<' | b'[' | b'{' | b'(' => {
                depth += 1;
                after
            }
            b'>' | b']' | b'}' | b')' => {
                depth = depth.saturating_sub(1);
                after
            }
            b'#' => beyond(after, "\n"),
            b'/' if after.starts_with('/') => beyond(after, "\n"),
            b'/' if after.starts_with('*') => beyond(after, "*/"),
            b'"' => beyond(after, "\""),
            b'\'' => beyond(after, "'"),
            _ => after,
        };
        if depth > DEEPEST {
            return Err(format!("it has more than {DEEPEST} open brackets"));
        }
    }
    Ok(())
}

/// What follows a comment or a string.
fn beyond<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, after)| after)
}

/// The parser's first complaint, on one line.
fn syntax(error: &parser::Error) -> String {
    let text = match error {
        parser::Error::Syntax { summary, .. } => summary.as_str(),
        other => return other.to_string(),
    };
    let text = text.split_once(" at line ").map_or(text, |(_, place)| place);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it is no IDL");
    format!("line {}", line.trim_start_matches("Failed to parse thrift file: "))
}

type Typedefs<'a> = BTreeMap<&'a str, &'a parser::Type>;

fn typedefs(items: &[Item]) -> Typedefs<'_> {
    let mut types = Typedefs::new();
    for item in items {
        if let Item::Typedef(typedef) = item {
            types.insert(typedef.alias.as_str(), &typedef.r#type);
        }
    }
    types
}

fn fields(declared: &[parser::Field], types: &Typedefs<'_>, required: impl Fn(&parser::Field) -> bool) -> Fields {
    let field = |field: &parser::Field| {
        let read =
            Field { name: field.name.to_string(), r#type: spelt(&field.ty, types, 0), required: required(field) };
        (field.id, read)
    };
    declared.iter().map(field).collect()
}

/// A value without a number has that of the one before it plus 1.
fn values(declared: &parser::Enum) -> Enum {
    let mut next = 0;
    let mut values = Enum::new();
    for value in &declared.values {
        let number = value.value.as_ref().map_or(next, |number| number.0);
        next = number.wrapping_add(1);
        values.insert(value.name.to_string(), number);
    }
    values
}

fn service(declared: &parser::Service, types: &Typedefs<'_>) -> Service {
    let method = |function: &parser::Function| {
        let method = Method {
            oneway: function.oneway,
            result: spelt(&function.result_type, types, 0),
            // Generated Rust insists on every argument that is not optional; so does the parser's reading of it.
            arguments: fields(&function.arguments, types, |field| field.attribute != Attribute::Optional),
            exceptions: fields(&function.throws, types, |_| false),
        };
        (function.name.to_string(), method)
    };
    Service { extends: declared.extends.as_ref().map(path), methods: declared.functions.iter().map(method).collect() }
}

/// A type as text, with typedefs put in; `depth` ends a typedef of itself.
fn spelt(declared: &parser::Type, types: &Typedefs<'_>, depth: usize) -> String {
    const DEEPEST: usize = 64;
    let inner = |inner: &parser::Type| spelt(inner, types, depth + 1);
    match &declared.0 {
        Ty::String => "string".into(),
        Ty::Void => "void".into(),
        Ty::Byte | Ty::I8 => "i8".into(),
        Ty::Bool => "bool".into(),
        Ty::Binary => "binary".into(),
        Ty::I16 => "i16".into(),
        Ty::I32 => "i32".into(),
        Ty::I64 => "i64".into(),
        Ty::Double => "double".into(),
        Ty::Uuid => "uuid".into(),
        Ty::List { value, .. } => format!("list<{}>", inner(value)),
        Ty::Set { value, .. } => format!("set<{}>", inner(value)),
        Ty::Map { key, value, .. } => format!("map<{},{}>", inner(key), inner(value)),
        Ty::Path(name) => match types.get(path(name).as_str()) {
            Some(aliased) if depth < DEEPEST => spelt(aliased, types, depth + 1),
            _ => path(name),
        },
    }
}

fn path(path: &parser::Path) -> String {
    path.segments.iter().map(|segment| segment.as_str()).collect::<Vec<_>>().join(".")
}
