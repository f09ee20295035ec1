//! Whether an IDL can take another's place while both are in use.
//!
//! Compatible is what old callers and new servers, and new callers and old servers, read alike: further methods,
//! optional fields, enum values, types and services may be added, and anything but a method, a service, a type or an enum
//! value may be renamed. Files that an IDL includes are not followed: check them, too.

mod schema;
pub(super) mod stored;

use schema::{Enum, Fields, Method, Schema, Service, Struct};
use std::collections::BTreeMap;

/// Compares two IDLs' texts, and names all that the new one breaks, in the order of the names: none, and it is compatible.
///
/// # Errors
/// A text is no IDL; says which, and where it is wrong.
pub fn differences(old: &str, new: &str) -> Result<Vec<String>, InvalidIdl> {
    let invalid = |which| move |why| InvalidIdl { which, why };
    let old = Schema::parse(old).map_err(invalid(Which::Old))?;
    let new = Schema::parse(new).map_err(invalid(Which::New))?;
    let mut found = Vec::new();
    for (name, (old, new)) in both(&old.structs, &new.structs) {
        compare_structs(name, old, new, &mut found);
    }
    for (name, (old, new)) in both(&old.enums, &new.enums) {
        match new {
            Some(new) => compare_enums(name, old, new, &mut found),
            None => found.push(format!("enum {name}: removed")),
        }
    }
    for (name, (old, new)) in both(&old.services, &new.services) {
        match new {
            Some(new) => compare_services(name, old, new, &mut found),
            None => found.push(format!("service {name}: removed")),
        }
    }
    Ok(found)
}

/// A text that is no IDL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIdl {
    /// Which of the two.
    pub which: Which,
    /// Where it is wrong, and what there is.
    pub why: String,
}

/// One of two IDLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one in use.
    Old,
    /// The one that is to take its place.
    New,
}

/// Each old declaration, and the new one of its name.
fn both<'a, T>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a str, (&'a T, Option<&'a T>))> {
    old.iter().map(|(name, declared)| (name.as_str(), (declared, new.get(name))))
}

fn compare_structs(name: &str, old: &Struct, new: Option<&Struct>, found: &mut Vec<String>) {
    let place = format!("{} {name}", old.kind);
    match new {
        None => found.push(format!("{place}: removed")),
        Some(new) if new.kind != old.kind => {
            found.push(format!(
                "{place}: was {} {}, is {} {}",
                article(old.kind),
                old.kind,
                article(new.kind),
                new.kind
            ));
        }
        Some(new) => compare_fields(&place, "field", &old.fields, &new.fields, found),
    }
}

fn article(kind: &str) -> &'static str {
    if kind == "exception" { "an" } else { "a" }
}

/// `what` is what the fields are here: fields, arguments or exceptions.
fn compare_fields(place: &str, what: &str, old: &Fields, new: &Fields, found: &mut Vec<String>) {
    for (id, field) in old {
        let name = &field.name;
        let moved = || new.iter().find(|(_, new)| new.name == *name).map(|(id, _)| id);
        match (new.get(id), moved()) {
            (None, Some(now)) => found.push(format!("{place}: {what} {name} had the id {id}, has {now}")),
            (None, None) => found.push(format!("{place}: {what} {id} ({name}) removed")),
            // Two that changed places: as many differences as fields, each by its own name.
            (Some(new), Some(now)) if new.name != *name && now != id => {
                found.push(format!("{place}: {what} {name} had the id {id}, has {now}"));
            }
            (Some(new), _) if new.r#type != field.r#type => {
                found.push(format!("{place}: {what} {id} ({name}) was {}, is {}", field.r#type, new.r#type));
            }
            (Some(new), _) if new.required && !field.required => {
                found.push(format!("{place}: {what} {id} ({name}) was not required, is"));
            }
            (Some(new), _) if !new.required && field.required => {
                found.push(format!("{place}: {what} {id} ({name}) was required, is not"));
            }
            _ => {}
        }
    }
    let known = |name: &str| old.values().any(|field| field.name == name);
    for (id, field) in new.iter().filter(|(id, field)| field.required && !old.contains_key(id) && !known(&field.name)) {
        found.push(format!("{place}: {what} {id} ({}) is new and required", field.name));
    }
}

fn compare_enums(name: &str, old: &Enum, new: &Enum, found: &mut Vec<String>) {
    for (value, number) in old {
        match new.get(value) {
            None => found.push(format!("enum {name}: value {value} ({number}) removed")),
            Some(now) if now != number => found.push(format!("enum {name}: value {value} was {number}, is {now}")),
            Some(_) => {}
        }
    }
}

fn compare_services(name: &str, old: &Service, new: &Service, found: &mut Vec<String>) {
    // A parent in another file is known by its name only.
    if let Some(parent) = old.extends.as_ref().filter(|parent| parent.contains('.') && new.extends != old.extends) {
        found.push(format!("service {name}: no longer extends {parent}"));
    }
    for (method, (old, new)) in both(&old.methods, &new.methods) {
        let place = format!("method {name}.{method}");
        match new {
            Some(new) => compare_methods(&place, old, new, found),
            None => found.push(format!("{place}: removed")),
        }
    }
}

fn compare_methods(place: &str, old: &Method, new: &Method, found: &mut Vec<String>) {
    match (old.oneway, new.oneway) {
        (true, false) => found.push(format!("{place}: was oneway, is not")),
        (false, true) => found.push(format!("{place}: was not oneway, is")),
        _ => {}
    }
    if old.result != new.result {
        found.push(format!("{place}: returned {}, returns {}", old.result, new.result));
    }
    compare_fields(place, "argument", &old.arguments, &new.arguments, found);
    compare_fields(place, "exception", &old.exceptions, &new.exceptions, found);
}

#[cfg(test)]
mod tests;
