//! Whatever a peer sends: the server lives, others are served meanwhile, and the peer gets an exception of the right
//! type where a reply is possible, and otherwise a close.

mod support;

use calculate::config::Handlers;
use calculate::wire::framing::{Split, Splitter};
use calculate::wire::message::{Header, Kind};
use calculate::wire::{Encoding, Envelope, Framing, Limits, Protocol};
use std::thread;
use support::gates::Gates;
use support::golden;
use support::library::{Library, config};
use support::message::*;
use support::peer::{Bystander, Peer, is_well};
use support::program::Program;
use support::random::Random;
use support::storm::storm;
use thrift::protocol::TType;

#[test]
fn every_prefix_of_every_message_is_survived() {
    let inputs: Vec<Vec<u8>> = golden_messages()
        .into_iter()
        .flat_map(|message| (0..message.len()).map(move |cut| message[..cut].to_vec()).collect::<Vec<_>>())
        .collect();
    survives(&inputs, |input, output| assert!(output.is_empty(), "{output:x?} to {input:x?}, which is no message yet"));
}

#[test]
fn every_flip_of_one_bit_of_every_message_is_survived() {
    let flip = |message: &Vec<u8>, bit: usize| {
        let mut flipped = message.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    };
    let inputs: Vec<Vec<u8>> = golden_messages()
        .iter()
        .flat_map(|message| (0..message.len() * 8).map(move |bit| flip(message, bit)))
        .collect();
    survives(&inputs, |input, output| {
        assert!(count_replies(input, output) <= 1, "one message has no two replies: {output:x?} to {input:x?}");
    });
}

#[test]
fn ten_thousand_random_strings_are_survived() {
    let mut random = Random::new(20_260_401);
    let starts: [&[u8]; 6] =
        [&[], &[0x80, 1, 0, 1], &[0x82, 0x21], &[0, 0, 0, 60, 0x80, 1, 0, 1], &[0, 0, 0, 60, 0x82, 0x21], &[0, 0]];
    let inputs: Vec<Vec<u8>> = (0..10_000)
        .map(|index| {
            let length = random.below(200);
            [starts[index % starts.len()], &random.bytes(length)].concat()
        })
        .collect();
    survives(&inputs, |input, output| {
        count_replies(input, output);
    });
}

#[test]
fn a_frame_length_out_of_bounds_closes_the_connection() {
    let mut server = Program::serve(&["--max-message-bytes", "1000"]);
    let bystander = Bystander::start(server.address);
    for protocol in [Protocol::Binary, Protocol::Compact] {
        let encoding = Encoding { framing: Framing::Framed, protocol };
        let call = square(encoding, 1, 9.0);
        for length in [0, -1, i32::MIN, i32::MAX, 1001] {
            let frame = [&length.to_be_bytes(), &call[4..8]].concat();
            // As the first message and as a later one.
            let mut first = Peer::connect(server.address, encoding);
            first.send(&frame);
            first.closed();
            let mut later = Peer::connect(server.address, encoding);
            later.is_served();
            later.send(&frame);
            later.closed();
        }
    }
    bystander.was_served();
    assert!(server.lives());
}

#[test]
fn a_message_too_long_is_told_so_before_the_close() {
    let server = Program::serve(&["--max-message-bytes", "1000"]);
    for encoding in ENCODINGS {
        let long = text_args(encoding.protocol, &"x".repeat(2000));
        let mut peer = Peer::connect(server.address, encoding);
        peer.send(&framed_message(encoding, "Square", CALL, 5, &long));
        let (code, text) = peer.reply().exception();
        assert_eq!(code, PROTOCOL_ERROR, "{encoding}");
        assert!(text.contains("1000"), "it names the limit: {text}");
        peer.closed();
    }
}

#[test]
fn a_struct_nested_too_deep_is_a_protocol_error() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    let bystander = Bystander::start(server.address);
    for encoding in ENCODINGS {
        for levels in [64, 1000, 100_000] {
            // As a field that nobody knows, and as the tree that Echo knows.
            let unknown = nested_structs(encoding.protocol, levels);
            refused(&server, encoding, "Square", &unknown, "deep");
            let tree = nested_trees(encoding.protocol, levels);
            refused(&server, encoding, "Wire:Echo", &tree, "deep");
        }
        let mut peer = Peer::connect(server.address, encoding);
        peer.send(&framed_message(encoding, "Wire:Echo", CALL, 1, &nested_trees(encoding.protocol, 30)));
        assert!(peer.reply().everything().tree.is_some(), "30 trees and lists in one another are within the limit");
    }
    bystander.was_served();
}

#[test]
fn a_container_that_claims_more_items_than_there_are_is_a_protocol_error() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    let bystander = Bystander::start(server.address);
    for encoding in ENCODINGS {
        for count in counts(encoding, [i32::MAX, 1_000_001, -1], 900_000) {
            let (known, unknown) =
                (containers(encoding.protocol, count, true), containers(encoding.protocol, count, false));
            for body in known {
                refused(&server, encoding, "Wire:Echo", &body, "");
            }
            for body in unknown {
                refused(&server, encoding, "Square", &body, "");
            }
        }
    }
    assert_eq!(gates.echoes(), 0);
    bystander.was_served();
}

#[test]
fn a_string_that_claims_more_bytes_than_there_are_is_a_protocol_error() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    for encoding in ENCODINGS {
        for length in counts(encoding, [i32::MAX, 16_384_001, -1], 16_000_000) {
            for (method, id) in [("Wire:Note", 1), ("Square", 33)] {
                let mut body = match encoding.protocol {
                    Protocol::Binary | Protocol::OldBinary => [&[11, 0, id], &length.to_be_bytes()[..]].concat(),
                    Protocol::Compact => {
                        let mut body = vec![0x08, id << 1];
                        varint(&mut body, length as u32);
                        body
                    }
                };
                body.extend_from_slice(b"short\0");
                if method == "Square" {
                    refused(&server, encoding, method, &body, "");
                } else {
                    let mut peer = Peer::connect(server.address, encoding);
                    peer.send(&framed_message(encoding, method, ONEWAY, 1, &body));
                    peer.finish();
                    peer.closed();
                }
            }
        }
    }
    assert_eq!(gates.notes(), Vec::<String>::new());
    is_well(server.address);
}

#[test]
fn what_other_libraries_read_in_different_ways_is_a_protocol_error() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    let binary: [(&[u8], &str); 4] = [
        (&[2, 0, 1, 2], "a boolean that is neither 0 nor 1"),
        (&[15, 0, 11, 0x42, 0, 0, 0, 0], "unknown type code 66"),
        (&[13, 0, 13, 11, 17, 0, 0, 0, 0], "unknown type code 17"),
        (&[6, 0, 13, 0, 5], "a value of type i16 where map belongs"),
    ];
    let compact: [(&[u8], &str); 5] = [
        (&[0x34, 0x82, 0x80, 0x80, 0x00], "a varint without an end"),
        (&[0x34, 0x80, 0x80, 0x04], "a varint of more than 16 bits"),
        (&[0x04, 0x80, 0x80, 0x04, 0x02], "a varint of more than 16 bits"),
        (&[0xb9, 0x0e], "unknown type code 14"),
        (&[0xd4, 0x02], "a value of type i16 where map belongs"),
    ];
    for (encoding, start, fields) in
        [(FRAMED_BINARY, &[12, 0, 1][..], &binary[..]), (FRAMED_COMPACT, &[0x1c], &compact)]
    {
        for (field, why) in fields {
            refused(&server, encoding, "Wire:Echo", &[start, field, &[0, 0]].concat(), why);
        }
    }
    // Writers that do not know what an empty list would hold say STOP or VOID.
    for (encoding, empty) in
        [(FRAMED_BINARY, &[12, 0, 1, 15, 0, 11, 1, 0, 0, 0, 0, 0, 0][..]), (FRAMED_COMPACT, &[0x1c, 0xb9, 0x00, 0, 0])]
    {
        let mut peer = Peer::connect(server.address, encoding);
        peer.send(&framed_message(encoding, "Wire:Echo", CALL, 1, empty));
        assert_eq!(peer.reply().everything().flags, Some(Vec::new()), "{encoding}");
    }
}

#[test]
fn a_message_that_is_no_call_is_an_invalid_message_type() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let kinds: &[u8] = match encoding.protocol {
            Protocol::Binary | Protocol::OldBinary => &[REPLY, EXCEPTION, 0, 5, 255],
            Protocol::Compact => &[REPLY, EXCEPTION, 0, 5, 7],
        };
        for &kind in kinds {
            peer.send(&framed_message(encoding, "Square", kind, 8, &number(encoding.protocol, 9.0)));
            let reply = peer.reply();
            assert_eq!((reply.name.as_str(), reply.sequence_id), ("Square", 8));
            assert_eq!(reply.exception().0, INVALID_MESSAGE_TYPE, "{encoding}, type {kind}");
        }
        peer.is_served();
    }
}

#[test]
fn an_unknown_method_is_an_exception_and_the_next_call_is_answered() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let bodies = [
            args(encoding.protocol, |_| Ok(())),
            number(encoding.protocol, 9.0),
            nested_structs(encoding.protocol, 20),
        ];
        for (body, sequence_id) in bodies.iter().zip(10..) {
            peer.send(&framed_message(encoding, "Cube", CALL, sequence_id, body));
            let reply = peer.reply();
            assert_eq!((reply.name.as_str(), reply.sequence_id), ("Cube", sequence_id));
            assert_eq!(reply.exception(), (UNKNOWN_METHOD, "Calculate has no method \"Cube\"".into()));
            peer.is_served();
        }
    }
}

#[test]
fn arguments_of_the_wrong_type_or_missing_are_a_protocol_error_and_the_next_call_is_answered() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let bodies = [
            args(encoding.protocol, |_| Ok(())),
            i32_args(encoding.protocol, 4),
            text_args(encoding.protocol, "nine"),
            args(encoding.protocol, |out| {
                out.write_field_begin(&field(TType::Struct, 1))?;
                out.write_field_begin(&field(TType::I64, 1))?;
                out.write_i64(9)?;
                out.write_field_stop()
            }),
        ];
        for body in bodies {
            peer.send(&framed_message(encoding, "Square", CALL, 3, &body));
            let (code, text) = peer.reply().exception();
            assert_eq!(code, PROTOCOL_ERROR, "{encoding}");
            assert!(!text.contains("ProtocolError") && !text.is_empty(), "{text}");
            peer.is_served();
        }
    }
}

#[test]
fn w08_a_second_message_in_one_frame_is_not_run() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    for encoding in [FRAMED_BINARY, FRAMED_COMPACT] {
        let protocol = encoding.protocol;
        let everything = support::idl::wire::Everything { medium: Some(5), ..Default::default() };
        let second = message(protocol, b"Wire:Echo", CALL, 2, &echo_args(protocol, &everything));
        let firsts = [
            (message(protocol, b"Square", CALL, 1, &number(protocol, 9.0)), PROTOCOL_ERROR),
            (message(protocol, b"Wire:Echo", CALL, 1, &echo_args(protocol, &everything)), PROTOCOL_ERROR),
            (message(protocol, b"Cube", CALL, 1, &number(protocol, 9.0)), UNKNOWN_METHOD),
        ];
        for (first, code) in firsts {
            let mut peer = Peer::connect(server.address, encoding);
            peer.send(&frame(encoding, &[first, second.clone()].concat()));
            let reply = peer.reply();
            assert_eq!((reply.sequence_id, reply.exception().0), (1, code));
            // The next reply is the next frame's.
            peer.is_served();
        }
    }
    assert_eq!(gates.echoes(), 0);
}

#[test]
fn a_call_that_arrives_one_byte_at_a_time_is_answered() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        for sequence_id in 0..3 {
            for byte in square(encoding, sequence_id, 16.0) {
                peer.send(&[byte]);
            }
            let reply = peer.reply();
            assert_eq!((reply.sequence_id, reply.number()), (sequence_id, 4.0), "{encoding}");
        }
    }
}

#[test]
fn a_client_that_never_reads_does_not_keep_others_from_being_served() {
    let mut server = Program::serve(&["--workers", "1", "--write-timeout", "1"]);
    let bystander = Bystander::start(server.address);
    let calls: Vec<u8> = (0..1000).flat_map(|id| square(FRAMED_BINARY, id, 9.0)).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut peer = Peer::new(server.address);
                // Ends when the server, whose patience is at its end, has closed.
                while std::io::Write::write_all(&mut peer.stream, &calls).is_ok() {}
            });
        }
    });
    bystander.was_served();
    assert!(server.lives());
    assert!(!server.logged("slow reader").is_empty());
}

/// Sends a call that must be refused as a protocol error whose text has `why` in it; then the connection goes on, or,
/// where the end of the message cannot be known, is closed.
fn refused(server: &Library, encoding: Encoding, method: &str, body: &[u8], why: &str) {
    let mut peer = Peer::connect(server.address, encoding);
    peer.send(&framed_message(encoding, method, CALL, 6, body));
    let reply = peer.reply();
    let (code, text) = reply.exception();
    assert_eq!((reply.sequence_id, code), (6, PROTOCOL_ERROR), "{encoding} {method}: {reply:?}");
    assert!(text.contains(why), "{text}");
    match encoding.framing {
        Framing::Framed => peer.is_served(),
        _ => peer.closed(),
    }
}

/// What to claim: `impossible` counts, and one that is within the limits, which shows in a frame only: what else there
/// is of an unframed message may be on its way.
fn counts(encoding: Encoding, impossible: [i32; 3], possible: i32) -> Vec<i32> {
    let possible = (encoding.framing == Framing::Framed).then_some(possible);
    impossible.into_iter().chain(possible).collect()
}

/// Struct in struct, as field 9.
fn nested_structs(protocol: Protocol, levels: usize) -> Vec<u8> {
    let header: &[u8] = match protocol {
        Protocol::Binary | Protocol::OldBinary => &[12, 0, 9],
        Protocol::Compact => &[0x9c],
    };
    [header.repeat(levels), vec![0; levels + 1]].concat()
}

/// Echo's arguments: a tree in a list in a tree …
fn nested_trees(protocol: Protocol, levels: usize) -> Vec<u8> {
    let (start, level): (&[u8], &[u8]) = match protocol {
        // Echo's argument 1, a struct; its field 14, a tree; field 2 of that, a list of one struct.
        Protocol::Binary | Protocol::OldBinary => (&[12, 0, 1, 12, 0, 14], &[15, 0, 2, 12, 0, 0, 0, 1]),
        Protocol::Compact => (&[0x1c, 0xec], &[0x29, 0x1c]),
    };
    [start.to_vec(), level.repeat(levels), vec![0; levels + 3]].concat()
}

/// Argument structs with a list, a set or a map that claims `count` items and has none: as a field of Echo's argument,
/// or as one that nobody knows.
fn containers(protocol: Protocol, count: i32, known: bool) -> Vec<Vec<u8>> {
    let count_bytes = match protocol {
        Protocol::Binary | Protocol::OldBinary => count.to_be_bytes().to_vec(),
        Protocol::Compact => {
            let mut bytes = Vec::new();
            varint(&mut bytes, count as u32);
            bytes
        }
    };
    let outer: &[u8] = match (known, protocol) {
        (false, _) => &[],
        (true, Protocol::Binary | Protocol::OldBinary) => &[12, 0, 1],
        (true, Protocol::Compact) => &[0x1c],
    };
    // Fields 11, 12 and 13, and what goes before and after the count.
    let starts: [(&[u8], &[u8]); 4] = match protocol {
        Protocol::Binary | Protocol::OldBinary => {
            [(&[15, 0, 11, 2], &[]), (&[15, 0, 11, 12], &[]), (&[14, 0, 12, 8], &[]), (&[13, 0, 13, 11, 15], &[])]
        }
        Protocol::Compact => [(&[0xb9, 0xf1], &[]), (&[0xb9, 0xfc], &[]), (&[0xca, 0xf5], &[]), (&[0xdb], &[0x89])],
    };
    starts.map(|(before, after)| [outer, before, &count_bytes, after, &[0, 0, 0]].concat()).to_vec()
}

/// All golden messages, framed and unframed.
fn golden_messages() -> Vec<Vec<u8>> {
    let messages = golden::messages();
    let framings = [Framing::Framed, Framing::Unframed];
    let encoded = |golden: &golden::Golden| {
        framings.map(|framing| frame(Encoding { framing, protocol: golden.protocol }, &golden.bytes))
    };
    messages.iter().flat_map(encoded).collect()
}

/// Sends all of them, each on a connection of its own, while another client is served.
fn survives(inputs: &[Vec<u8>], check: impl Fn(&[u8], &[u8]) + Sync) {
    let mut server = Program::serve(&[]);
    let bystander = Bystander::start(server.address);
    storm(server.address, inputs, check);
    bystander.was_served();
    assert!(server.lives());
    assert!(server.log().len() < 200, "a line a second and a reason, not one a connection");
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

/// How many replies `output` is; that it is whole replies is asserted.
fn count_replies(input: &[u8], output: &[u8]) -> usize {
    if output.starts_with(b"HTTP/1.1 400 ") {
        return 1;
    }
    // A flip of one bit makes some messages the start of a header transport's.
    let enveloped = [Framing::THeader, Framing::TTHeader].map(|framing| count_enveloped(framing, output));
    let counts = ENCODINGS.map(|encoding| count_replies_in(encoding, output));
    let count = counts.into_iter().chain(enveloped).flatten().next();
    count.unwrap_or_else(|| panic!("these are no replies: {output:x?} to {input:x?}"))
}

fn count_enveloped(framing: Framing, mut output: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !output.is_empty() {
        let encoding = Encoding { framing, protocol: Protocol::Binary };
        let split = Splitter::new(encoding).split(output, &Limits::default());
        let Ok(Split::Message { message, consumed }) = split else { return None };
        Envelope::open(framing, &output[message], &Limits::default()).ok()?;
        output = &output[consumed..];
        count += 1;
    }
    Some(count)
}

fn count_replies_in(encoding: Encoding, mut output: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !output.is_empty() {
        let split = Splitter::new(encoding).split(output, &Limits::default());
        let Ok(Split::Message { message, consumed }) = split else { return None };
        let header = Header::read(encoding.protocol, &output[message]).ok()?;
        if !matches!(header.kind(), Kind::Reply | Kind::Exception) {
            return None;
        }
        output = &output[consumed..];
        count += 1;
    }
    Some(count)
}
