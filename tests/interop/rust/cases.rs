//! What the rows of idl/vectors/conformance.tsv ask for.

use crate::caller::{Caller, Fault};
use crate::describe::Describe;
use crate::idl::conformance::{Choice, Colour, Defaults, Everything, Outcome, Point};
use crate::idl::conformance_uuid::Identified;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;
use thrift::OrderedFloat;
use thrift::protocol::TSerializable;

type Case = Result<(), Fault>;

/// One row.
pub(crate) fn run(caller: &mut Caller, kind: &str, name: &str, value: &str, text: &str) -> Case {
    match kind {
        "bool" => echo(value, |value| caller.call("EchoBool", |service| service.echo_bool(value))),
        "i8" => echo(value, |value| caller.call("EchoI8", |service| service.echo_i8(value))),
        "i16" => echo(value, |value| caller.call("EchoI16", |service| service.echo_i16(value))),
        "i32" => echo(value, |value| caller.call("EchoI32", |service| service.echo_i32(value))),
        "i64" => echo(value, |value| caller.call("EchoI64", |service| service.echo_i64(value))),
        "uuid" => echo(value, |value| caller.call("EchoUuid", |service| service.echo_uuid(value))),
        "double" => double(caller, value),
        "string" => string(caller, value, text),
        "binary" => binary(caller, value, text),
        "choice" => choice(caller, value, text),
        "everything" => everything(caller, name, value, text),
        "identified" => identified(caller, value, text),
        "arguments" => arguments(caller, text),
        "defaults" => defaults(caller, text),
        "newer" => newer(caller, text),
        "older" => older(caller, text),
        "risk" => risk(caller, name, text),
        "risk_void" => risk_void(caller, name, text),
        "call" => call(caller, name),
        "struct_keys" => struct_keys(caller, text),
        "lists_in_set" => lists_in_set(caller, name, text),
        _ => Err(Fault::Other("an unknown kind of case".into())),
    }
}

fn expect<T: PartialEq + Debug>(what: &str, got: T, wanted: T) -> Case {
    match got == wanted {
        true => Ok(()),
        false => Err(Fault::Other(format!("{what}: {got:?}, not {wanted:?}"))),
    }
}

fn echo<T: FromStr + PartialEq + Copy + Debug>(value: &str, call: impl FnOnce(T) -> Result<T, Fault>) -> Case {
    let value: T = value.parse().map_err(|_| Fault::Other("no value".into()))?;
    expect("echo", call(value)?, value)
}

fn double(caller: &mut Caller, bits: &str) -> Case {
    let bits = u64::from_str_radix(bits, 16).map_err(|error| Fault::Other(error.to_string()))?;
    let value = OrderedFloat(f64::from_bits(bits));
    let answer = caller.call("EchoDouble", |service| service.echo_double(value))?;
    expect("echo", answer.describe(), value.describe())
}

fn string(caller: &mut Caller, value: &str, text: &str) -> Case {
    let value = String::from_utf8(hex(value)).map_err(|error| Fault::Other(error.to_string()))?;
    let answer = caller.call("DescribeText", |service| service.describe_text(value.clone()))?;
    expect("describe", answer.as_str(), text)?;
    expect("echo", caller.call("EchoString", |service| service.echo_string(value.clone()))?, value)
}

fn binary(caller: &mut Caller, length: &str, text: &str) -> Case {
    let length: usize = length.parse().map_err(|_| Fault::Other("no length".into()))?;
    let value: Vec<u8> = (0..length).map(|i| (31 * i + length) as u8).collect();
    let answer = caller.call("DescribeBinary", |service| service.describe_binary(value.clone()))?;
    expect("describe", answer.as_str(), text)?;
    expect("echo", caller.call("EchoBinary", |service| service.echo_binary(value.clone()))? == value, true)
}

fn choice(caller: &mut Caller, value: &str, text: &str) -> Case {
    let value = caller.decode(&hex(value), Choice::read_from_in_protocol)?;
    expect("own decoding", value.describe().as_str(), text)?;
    let answer = caller.call("EchoChoice", |service| service.echo_choice(value.clone()))?;
    expect("echo", answer.describe().as_str(), text)
}

fn everything(caller: &mut Caller, name: &str, value: &str, text: &str) -> Case {
    let value = caller.decode(&hex(value), Everything::read_from_in_protocol)?;
    expect("own decoding", value.describe().as_str(), text)?;
    let answer = caller.call("DescribeEverything", |service| service.describe_everything(value.clone()))?;
    expect("describe", answer.as_str(), text)?;
    let answer = caller.call("EchoEverything", |service| service.echo_everything(value.clone()))?;
    expect("echo", answer.describe().as_str(), text)?;
    expect("compose", compose(caller, name)?.describe().as_str(), text)
}

fn compose(caller: &mut Caller, name: &str) -> Result<Everything, Fault> {
    caller.call("Compose", |service| service.compose(name.into()))
}

fn identified(caller: &mut Caller, value: &str, text: &str) -> Case {
    let value = caller.decode(&hex(value), Identified::read_from_in_protocol)?;
    expect("own decoding", value.describe().as_str(), text)?;
    let answer = caller.call("DescribeIdentified", |service| service.describe_identified(value.clone()))?;
    expect("describe", answer.as_str(), text)?;
    let answer = caller.call("EchoIdentified", |service| service.echo_identified(value.clone()))?;
    expect("echo", answer.describe().as_str(), text)
}

fn arguments(caller: &mut Caller, text: &str) -> Case {
    let answer = caller.call("DescribeScalars", |service| {
        service.describe_scalars(-5, 70_000, -300, OrderedFloat(1.5), Colour::VIOLET, true, -(1 << 40))
    })?;
    expect("describe", answer.as_str(), text)
}

fn defaults(caller: &mut Caller, text: &str) -> Case {
    // Generated Rust has no other way to leave fields out but to read a struct without them.
    const ONLY_NUMBER: &str = "0800010000000700";
    let value = caller.decode(&hex(ONLY_NUMBER), Defaults::read_from_in_protocol)?;
    let answer = caller.call("DescribeDefaults", |service| service.describe_defaults(value.clone()))?;
    expect("describe", answer.as_str(), text)
}

fn newer(caller: &mut Caller, text: &str) -> Case {
    let full = compose(caller, "full")?;
    let answer = caller.call_other("DescribeNarrow", |service| service.describe_narrow(full.clone()))?;
    expect("describe", answer.as_str(), text)
}

fn older(caller: &mut Caller, text: &str) -> Case {
    let narrow = caller.call_other("Compose", |service| service.compose("full".into()))?;
    expect("compose", narrow.describe().as_str(), text)
}

fn outcome(name: &str) -> Outcome {
    match name {
        "not_found" => Outcome::NOT_FOUND,
        "conflict" => Outcome::CONFLICT,
        "nothing" => Outcome::NOTHING,
        "undeclared" => Outcome::UNDECLARED,
        _ => Outcome::VALUE,
    }
}

fn risk(caller: &mut Caller, name: &str, text: &str) -> Case {
    let came = words(caller.call("Risk", |service| service.risk(outcome(name))))?;
    expect("outcome", came.as_str(), text)?;
    ping(caller)
}

fn risk_void(caller: &mut Caller, name: &str, text: &str) -> Case {
    let came = caller.call("RiskVoid", |service| service.risk_void(outcome(name)));
    expect("outcome", words(came.map(|()| "-".into()))?.as_str(), text)?;
    ping(caller)
}

fn words(outcome: Result<String, Fault>) -> Result<String, Fault> {
    match outcome {
        Err(fault @ (Fault::Application(_) | Fault::Declared(_))) => Ok(fault.to_string()),
        other => other,
    }
}

fn ping(caller: &mut Caller) -> Case {
    caller.call("Ping", |service| service.ping())
}

fn call(caller: &mut Caller, name: &str) -> Case {
    match name {
        "ping" => ping(caller),
        "oneway" => oneway(caller),
        "unknown_method" => unknown_method(caller),
        "sequence_ids" => caller.sequence_ids(),
        _ => Err(Fault::Other("an unknown case".into())),
    }
}

fn oneway(caller: &mut Caller) -> Case {
    let owner = format!("{:?}-{}", std::time::SystemTime::now(), std::process::id()).replace(": ", "-");
    for count in 1..=3 {
        caller.call("Note", |service| service.note(format!("{owner}: note {count} · нота")))?;
        let notes = caller.call("Notes", |service| service.notes(owner.clone()))?;
        expect("notes", notes, format!("{count} note {count} · нота"))?;
    }
    Ok(())
}

fn unknown_method(caller: &mut Caller) -> Case {
    for _ in 0..3 {
        match caller.call_other("Missing", |service| service.missing(1)) {
            Err(Fault::Application(1)) => ping(caller)?,
            Err(fault) => return Err(fault),
            Ok(answer) => return Err(Fault::Other(format!("an answer, {answer}"))),
        }
    }
    Ok(())
}

fn struct_keys(caller: &mut Caller, text: &str) -> Case {
    let value = BTreeMap::from([(Point::new(1, 2), "one".to_string()), (Point::new(-1, i32::MAX), "two".into())]);
    let answer = caller.call("DescribeStructKeys", |service| service.describe_struct_keys(value.clone()))?;
    expect("describe", answer.as_str(), text)?;
    let answer = caller.call("EchoStructKeys", |service| service.echo_struct_keys(value.clone()))?;
    expect("echo", answer.describe().as_str(), text)
}

fn lists_in_set(caller: &mut Caller, name: &str, text: &str) -> Case {
    let value = BTreeSet::from([vec![], vec![1, 2], vec![-3]]);
    let answer = match name {
        "describe" => caller.call("DescribeListsInSet", |service| service.describe_lists_in_set(value.clone()))?,
        _ => caller.call("EchoListsInSet", |service| service.echo_lists_in_set(value.clone()))?.describe(),
    };
    expect(name, answer.as_str(), text)
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len() / 2).map(|i| &digits[2 * i..2 * i + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}
