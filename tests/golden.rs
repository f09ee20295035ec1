//! The golden messages, which Apache's Python library wrote: we read them right, write them byte for byte, and the
//! running server answers each call with exactly the reply that Apache would read.

mod support;

use calculate::config::Handlers;
use calculate::idl::calculate::{CalculateSyncProcessor, DomainError, Number};
use calculate::server::Server;
use calculate::service::Calculator;
use calculate::wire::binary::{BinaryInput, BinaryOutput};
use calculate::wire::compact::{CompactInput, CompactOutput};
use calculate::wire::message::Header;
use calculate::wire::{Encoding, Exception, ExceptionCode, Framing, Limits, Protocol};
use std::io::Read;
use support::gates::Gates;
use support::golden::{Golden, messages};
use support::idl::wire::{Choice, Colour, Everything, Tree};
use support::library::{Library, config};
use support::message::*;
use support::peer::Peer;
use support::program::Program;
use thrift::OrderedFloat;
use thrift::protocol::{TInputProtocol, TMessageIdentifier, TMessageType, TOutputProtocol, TStructIdentifier, TType};

#[test]
fn each_message_is_read_right() {
    for golden in messages() {
        let header = Header::read(golden.protocol, &golden.bytes).expect("a header");
        assert_eq!(
            (header.name, header.sequence_id),
            (golden.method.as_bytes(), golden.sequence_id),
            "{}",
            golden.name
        );
        let identifier = header.identifier().expect("a method");
        assert_eq!(identifier.message_type, message_type(&golden), "{}", golden.name);
        let (body, limits) = (&golden.bytes[header.body_offset..], Limits::default());
        let said = match golden.protocol {
            Protocol::Binary | Protocol::OldBinary => {
                Said::read(&golden, &mut BinaryInput::of_message(&identifier, body, &limits))
            }
            Protocol::Compact => Said::read(&golden, &mut CompactInput::of_message(&identifier, body, &limits)),
        };
        assert_eq!(said.expect("a body"), Said::of(&golden), "{}", golden.name);
    }
}

#[test]
fn each_message_is_written_byte_for_byte() {
    for golden in messages() {
        let mut out = Vec::new();
        let written = match golden.protocol {
            Protocol::Binary | Protocol::OldBinary => {
                Said::of(&golden).write(&golden, &mut BinaryOutput::new(&mut out).with_protocol(golden.protocol))
            }
            Protocol::Compact => Said::of(&golden).write(&golden, &mut CompactOutput::new(&mut out)),
        };
        written.expect("a message");
        assert_eq!(out, golden.bytes, "{}", golden.name);
    }
}

#[test]
fn our_own_exceptions_are_written_byte_for_byte() {
    for golden in messages().iter().filter(|golden| golden.kind == "EXCEPTION") {
        let (code, text) = (golden.code.expect("a code"), golden.message.clone().expect("a text"));
        for framing in [Framing::Framed, Framing::Unframed] {
            let encoding = Encoding { framing, protocol: golden.protocol };
            let mut out = Vec::new();
            let exception = Exception::new(ExceptionCode(code), text.clone());
            exception.write(encoding, golden.method.as_bytes(), golden.sequence_id, &mut out);
            assert_eq!(out, frame(encoding, &golden.bytes), "{}", golden.name);
        }
    }
}

#[test]
fn the_server_answers_each_call_with_the_golden_reply() {
    let server = Program::serve(&[]);
    let all = messages();
    let mut golden_replies = 0;
    for call in all.iter().filter(|golden| golden.kind == "CALL") {
        let expected = expected_reply(call);
        // Where the vectors hold this very reply, ours is theirs.
        let theirs = all.iter().filter(|golden| golden.kind == "REPLY" && golden.bytes == expected);
        golden_replies += theirs.count();
        for framing in [Framing::Framed, Framing::Unframed] {
            let encoding = Encoding { framing, protocol: call.protocol };
            let mut peer = Peer::connect(server.address, encoding);
            for _ in 0..2 {
                peer.send(&frame(encoding, &call.bytes));
                let expected = frame(encoding, &expected);
                let mut reply = vec![0; expected.len()];
                peer.stream.read_exact(&mut reply).expect("a reply as long as the golden one");
                assert_eq!(reply, expected, "{}", call.name);
            }
            peer.finish();
            peer.closed();
        }
    }
    assert!(golden_replies >= 20, "only {golden_replies} replies were compared to Apache's");
}

#[test]
fn services_are_reached_by_their_names_and_the_first_also_without() {
    let gates = Gates::new();
    let server = Library::start(config(), &gates, |server: Server| {
        server
            .service("Calculate", CalculateSyncProcessor::new(Calculator))
            .service_on(Handlers::Inline, "Wire", gates.processor())
            .service_on(Handlers::Pool, "Pooled", gates.processor())
    });
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let none = args(encoding.protocol, |_| Ok(()));
        for method in ["Square", "Calculate:Square"] {
            peer.send(&framed_message(encoding, method, CALL, 1, &number(encoding.protocol, 9.0)));
            let reply = peer.reply();
            assert_eq!((reply.name.as_str(), reply.number()), ("Square", 3.0));
        }
        for method in ["Wire:Ping", "Pooled:Ping"] {
            peer.send(&framed_message(encoding, method, CALL, 2, &none));
            let reply = peer.reply();
            assert_eq!((reply.name.as_str(), reply.kind), ("Ping", REPLY));
        }
        for (method, says) in [
            ("Ping", "Calculate has no method \"Ping\""),
            ("Wire:Square", "Wire has no method \"Square\""),
            ("Wires:Ping", "no service \"Wires\" here; there is Calculate, Wire, Pooled"),
            (":Ping", "no service \"\" here; there is Calculate, Wire, Pooled"),
            ("wire:Ping", "no service \"wire\" here; there is Calculate, Wire, Pooled"),
        ] {
            peer.send(&framed_message(encoding, method, CALL, 3, &none));
            let reply = peer.reply();
            assert_eq!(reply.exception(), (UNKNOWN_METHOD, says.into()), "{encoding}");
        }
        peer.is_served();
    }
}

#[test]
fn every_shape_of_value_comes_back_as_it_went() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        for everything in shapes() {
            let call = message(encoding.protocol, b"Wire:Echo", CALL, 1, &echo_args(encoding.protocol, &everything));
            peer.send(&frame(encoding, &call));
            assert_eq!(peer.reply().everything(), everything, "{encoding}");
        }
        let refuse = Everything { text: Some("refuse".into()), ..Everything::default() };
        peer.send(&framed_message(encoding, "Wire:Echo", CALL, 1, &echo_args(encoding.protocol, &refuse)));
        let reply = peer.reply();
        assert_eq!(reply.kind, REPLY, "a declared exception is a reply");
        let (id, why) = reply.decode(|input| {
            input.read_struct_begin()?;
            let id = input.read_field_begin()?.id;
            Ok((id, support::idl::wire::Refused::read_from_in_protocol(input)?.why))
        });
        assert_eq!((id, why.as_str()), (Some(1), "as asked"));
    }
}

/// What a message says.
#[derive(Debug)]
enum Said {
    Value(f64),
    Declared(f64, String),
    Exception(i32, String),
}

impl PartialEq for Said {
    fn eq(&self, other: &Said) -> bool {
        match (self, other) {
            (Said::Value(one), Said::Value(two)) => one.to_bits() == two.to_bits(),
            (Said::Declared(one, text), Said::Declared(two, other)) => one.to_bits() == two.to_bits() && text == other,
            (Said::Exception(one, text), Said::Exception(two, other)) => one == two && text == other,
            _ => false,
        }
    }
}

impl Said {
    fn of(golden: &Golden) -> Said {
        let value = || golden.value.expect("a value");
        let text = || golden.message.clone().expect("a text");
        match golden.kind.as_str() {
            "CALL" | "REPLY" => Said::Value(value()),
            "DECLARED" => Said::Declared(value(), text()),
            _ => Said::Exception(golden.code.expect("a code"), text()),
        }
    }

    /// Reads a body as the generated code does: field by field, to the message's end.
    fn read(golden: &Golden, input: &mut dyn TInputProtocol) -> thrift::Result<Said> {
        input.read_message_begin()?;
        if golden.kind == "EXCEPTION" {
            let error = thrift::Error::read_application_error_from_in_protocol(input)?;
            // The thrift crate has no name for types above 10.
            let code = if golden.code == Some(11) { 11 } else { error.kind as i32 };
            return Ok(Said::Exception(code, error.message));
        }
        input.read_struct_begin()?;
        let field = input.read_field_begin()?;
        assert_eq!((field.field_type, field.id), (TType::Struct, Some(field_id(golden))));
        let said = match golden.kind.as_str() {
            "DECLARED" => {
                let error = DomainError::read_from_in_protocol(input)?;
                Said::Declared(error.value.into_inner(), error.message)
            }
            _ => Said::Value(Number::read_from_in_protocol(input)?.value.into_inner()),
        };
        assert_eq!(input.read_field_begin()?.field_type, TType::Stop);
        input.read_struct_end()?;
        Ok(said)
    }

    fn write(&self, golden: &Golden, out: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        let identifier = TMessageIdentifier::new(golden.method.clone(), message_type(golden), golden.sequence_id);
        out.write_message_begin(&identifier)?;
        out.write_struct_begin(&TStructIdentifier::new("body"))?;
        match self {
            Said::Value(value) => {
                out.write_field_begin(&field(TType::Struct, field_id(golden)))?;
                Number::new(OrderedFloat(*value)).write_to_out_protocol(out)?;
            }
            Said::Declared(value, text) => {
                out.write_field_begin(&field(TType::Struct, field_id(golden)))?;
                DomainError::new(text.clone(), OrderedFloat(*value)).write_to_out_protocol(out)?;
            }
            Said::Exception(code, text) => {
                out.write_field_begin(&field(TType::String, 1))?;
                out.write_string(text)?;
                out.write_field_begin(&field(TType::I32, 2))?;
                out.write_i32(*code)?;
            }
        }
        out.write_field_stop()?;
        out.write_struct_end()
    }
}

/// The number of the one field of a call's arguments or of a reply's result.
fn field_id(golden: &Golden) -> i16 {
    match golden.kind.as_str() {
        "REPLY" => 0,
        _ => 1,
    }
}

fn message_type(golden: &Golden) -> TMessageType {
    match golden.kind.as_str() {
        "CALL" => TMessageType::Call,
        "EXCEPTION" => TMessageType::Exception,
        _ => TMessageType::Reply,
    }
}

/// The reply to a golden call, written by Apache's Rust library.
fn expected_reply(call: &Golden) -> Vec<u8> {
    let (value, protocol) = (call.value.expect("a value"), call.protocol);
    let method = call.method.rsplit(':').next().expect("a name");
    let result = match method {
        "Square" if value < 0.0 => {
            let text = format!("Square is the square root, which no negative number has; got {value}");
            args(protocol, |out| {
                out.write_field_begin(&field(TType::Struct, 1))?;
                DomainError::new(text, OrderedFloat(value)).write_to_out_protocol(out)
            })
        }
        _ => {
            let result = if method == "Square" { value.sqrt() } else { value * value };
            args(protocol, |out| {
                out.write_field_begin(&field(TType::Struct, 0))?;
                Number::new(OrderedFloat(result)).write_to_out_protocol(out)
            })
        }
    };
    message(protocol, method.as_bytes(), REPLY, call.sequence_id, &result)
}

/// Values at the edges of their types, and containers of none, few and many.
fn shapes() -> Vec<Everything> {
    let leaf = |value| Box::new(Tree { value: Some(value), children: None });
    let tree = Tree { value: Some(-1), children: Some(vec![leaf(i32::MIN), leaf(i32::MAX)]) };
    let with = |count: usize| Everything {
        flag: Some(count == 0),
        tiny: Some(if count == 0 { i8::MIN } else { i8::MAX }),
        short_: Some(if count == 0 { i16::MIN } else { i16::MAX }),
        medium: Some(if count == 0 { i32::MIN } else { i32::MAX }),
        long_: Some(if count == 0 { i64::MIN } else { i64::MAX }),
        real: Some(OrderedFloat(if count == 0 { f64::NEG_INFINITY } else { f64::MIN_POSITIVE })),
        text: Some("€🙂\0".repeat(count)),
        blob: Some((0..count).map(|byte| byte as u8).collect()),
        colour: Some(if count == 0 { Colour::RED } else { Colour(77) }),
        choice: Some(if count == 0 { Choice::Whole(-1) } else { Choice::Text("of two".into()) }),
        flags: Some((0..count).map(|index| index % 3 == 0).collect()),
        numbers: Some((0..count as i32).map(|number| number * 1000 - 7).collect()),
        table: Some((0..count).map(|key| (key.to_string(), (0..key as i64 % 20).collect())).collect()),
        tree: Some(tree.clone()),
        id: Some(uuid::Uuid::from_u128(u128::MAX - count as u128)),
        far: Some(vec![tree.clone(); count]),
    };
    [Everything::default()].into_iter().chain([0, 1, 14, 15, 16, 1000].map(with)).collect()
}
