//! The weaknesses of the stock Rust runtime that this server must not have. Where each is pinned:
//!
//! | # | where |
//! |---|---|
//! | W1 | here |
//! | W2 | drain.rs, limits.rs |
//! | W3 | here |
//! | W4 | memory.rs |
//! | W5 | limits.rs |
//! | W6 | here |
//! | W7 | bad_input.rs: `an_unknown_method_…`, `arguments_of_the_wrong_type_…` |
//! | W8 | bad_input.rs |
//! | W9 | bad_input.rs: `arguments_of_the_wrong_type_…` |
//! | W10 | bad_input.rs: `a_message_that_is_no_call_…`; oneway.rs |
//! | W11 | oneway.rs |
//! | W12, W13 | here |
//! | W14 | descriptors.rs |
//! | W15 | encodings.rs |
//! | W16 | bad_input.rs: `a_container_that_claims_…` |
//! | W17 | bad_input.rs: `a_string_that_claims_…` |
//! | W18 | pipelining.rs |
//! | W20 | no TLS here yet; a TLS client is turned away in encodings.rs |
//! | W21 | pool.rs |
//! | W22 | here |

mod support;

use calculate::config::{Config, Handlers};
use calculate::wire::Protocol;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::{Peer, is_well};
use support::program::Program;

#[test]
fn w01_more_idle_clients_than_workers_keep_nobody_waiting() {
    let server = Program::serve(&["--workers", "1", "--handlers", "pool", "--pool-threads", "1"]);
    let mut idle: Vec<Peer> = (0..200).map(|_| Peer::new(server.address)).collect();
    is_well(server.address);
    for peer in &mut idle {
        peer.is_served();
    }
}

#[test]
fn w03_a_frame_that_claims_16_mb_reserves_nothing() {
    let server = Program::serve(&[]);
    is_well(server.address);
    let before = server.rss_kib();
    let claim = [&16_384_000i32.to_be_bytes()[..], &[0x80, 1, 0, 1, 0, 0, 0, 6], b"Square"].concat();
    let mut claiming: Vec<Peer> = (0..200).map(|_| Peer::new(server.address)).collect();
    for peer in &mut claiming {
        peer.is_served();
        peer.send(&claim);
    }
    for peer in &mut claiming {
        is_well(server.address);
        assert!(peer.is_silent());
    }
    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB for 200 claims of 16 MB");
}

#[test]
fn w06_the_bound_on_a_message_is_no_bound_on_a_connection() {
    let server = Program::serve(&["--max-message-bytes", "200"]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        for _ in 0..100 {
            peer.is_served();
        }
    }
}

#[test]
fn w12_no_reply_shows_the_insides_of_the_server() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    for encoding in ENCODINGS {
        let protocol = encoding.protocol;
        let none = args(protocol, |_| Ok(()));
        let bad = [
            ("Cube", number(protocol, 1.0)),
            ("Cubes:Cube", number(protocol, 1.0)),
            ("Square", none.clone()),
            ("Square", i32_args(protocol, 1)),
            ("Wire:Panic", none),
            ("Wire:Sleep", text_args(protocol, "\u{fffd}")),
        ];
        let mut peer = Peer::connect(server.address, encoding);
        for (method, body) in bad {
            peer.send(&framed_message(encoding, method, CALL, 1, &body));
            let (code, text) = peer.reply().exception();
            assert!(code > UNKNOWN && !text.is_empty(), "{method}: {code} {text}");
            for inside in ["Error", "kind", "{", "InvalidData", "src/", "::"] {
                assert!(!text.contains(inside), "{method}: {text}");
            }
        }
    }
}

#[test]
fn w12_a_handlers_own_error_is_an_internal_error() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        peer.send(&framed_message(encoding, "Wire:Fail", CALL, 1, &text_args(encoding.protocol, "no disk")));
        let (code, text) = peer.reply().exception();
        assert_eq!(code, INTERNAL_ERROR, "{text}");
        peer.is_served();
    }
}

#[test]
fn w13_calls_nested_too_deep_do_not_use_up_the_depth() {
    let server = Program::serve(&["--max-depth", "5"]);
    for encoding in [FRAMED_BINARY, FRAMED_COMPACT] {
        let deep = match encoding.protocol {
            Protocol::Binary | Protocol::OldBinary => [[12, 0, 9].repeat(10), vec![0; 11]].concat(),
            Protocol::Compact => [[0x9c].repeat(10), vec![0; 11]].concat(),
        };
        let mut peer = Peer::connect(server.address, encoding);
        for _ in 0..1000 {
            peer.send(&framed_message(encoding, "Square", CALL, 1, &deep));
            assert_eq!(peer.reply().exception().0, PROTOCOL_ERROR);
        }
        peer.is_served();
    }
}

#[test]
fn w22_a_method_name_that_is_not_utf8_is_answered() {
    let gates = Gates::new();
    let server = Library::serve(Config { workers: 1, ..config() }, Handlers::Inline, &gates);
    for encoding in [FRAMED_BINARY, FRAMED_COMPACT] {
        for name in [&b"Squ\xffre"[..], b"Wire:\xc3\x28", b"\xff:Square"] {
            let mut peer = Peer::connect(server.address, encoding);
            let call = message(encoding.protocol, name, CALL, 9, &number(encoding.protocol, 9.0));
            peer.send(&frame(encoding, &call));
            peer.finish();
            let reply = support::peer::all_of(&mut peer.stream);
            let header = calculate::wire::message::Header::read(encoding.protocol, &reply[4..]).expect("a reply");
            assert_eq!((header.sequence_id, header.kind()), (9, calculate::wire::message::Kind::Exception));
            assert!(name.ends_with(header.name));
        }
    }
}
