//! Oneway calls: never a reply, whatever becomes of them.

mod support;

use calculate::config::Handlers;
use calculate::wire::Protocol;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::Peer;

#[test]
fn w11_a_oneway_call_is_never_answered() {
    for handlers in [Handlers::Inline, Handlers::Pool] {
        let gates = Gates::new();
        let server = Library::serve(config(), handlers, &gates);
        for encoding in ENCODINGS {
            let protocol = encoding.protocol;
            let mut peer = Peer::connect(server.address, encoding);
            let none = args(protocol, |_| Ok(()));
            let oneway = [
                ("Wire:Note", text_args(protocol, "kept")),
                // Its handler fails, or panics.
                ("Wire:Note", text_args(protocol, "fail")),
                ("Wire:Note", text_args(protocol, "panic")),
                // Arguments that are missing, or of the wrong type.
                ("Wire:Note", none.clone()),
                ("Wire:Note", i32_args(protocol, 5)),
                // Nobody knows the method, or the service.
                ("Wire:Notes", none.clone()),
                ("Wires:Note", none.clone()),
                ("Cube", number(protocol, 2.0)),
                // Methods that have an answer, but not for this caller.
                ("Square", number(protocol, 9.0)),
                ("Square", number(protocol, -9.0)),
                ("Wire:Ping", none.clone()),
                ("Wire:Panic", none.clone()),
                ("Wire:Fail", text_args(protocol, "why")),
                ("Wire:Echo", i32_args(protocol, 5)),
            ];
            for (method, body) in &oneway {
                peer.send(&framed_message(encoding, method, ONEWAY, 5, body));
                // The first reply is the next call's.
                peer.is_served();
            }
            let all = oneway.iter().flat_map(|(method, body)| framed_message(encoding, method, ONEWAY, 5, body));
            peer.send(&all.collect::<Vec<u8>>());
            peer.is_served();
            peer.finish();
            peer.closed();
        }
        support::eventually("all notes are kept", || gates.notes().len() == 2 * ENCODINGS.len());
    }
}

#[test]
fn a_oneway_method_that_is_called_is_run_and_has_no_answer() {
    // Old compilers' clients send oneway methods as calls, and expect nothing.
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    let mut peer = Peer::new(server.address);
    peer.send(&framed_message(FRAMED_BINARY, "Wire:Note", CALL, 5, &text_args(Protocol::Binary, "kept")));
    peer.is_served();
    assert_eq!(gates.notes(), ["kept"]);
}

#[test]
fn a_oneway_method_that_is_called_and_fails_is_answered() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Inline, &gates);
    for (text, code) in [("fail", INTERNAL_ERROR), ("panic", INTERNAL_ERROR)] {
        let mut peer = Peer::new(server.address);
        peer.send(&framed_message(FRAMED_BINARY, "Wire:Note", CALL, 5, &text_args(Protocol::Binary, text)));
        assert_eq!(peer.reply().exception().0, code);
        peer.is_served();
    }
}

#[test]
fn a_oneway_message_that_is_too_long_closes_without_a_word() {
    let gates = Gates::new();
    let limits = calculate::wire::Limits { message_bytes: 1000, ..Default::default() };
    let server = Library::serve(calculate::config::Config { limits, ..config() }, Handlers::Inline, &gates);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let long = text_args(encoding.protocol, &"x".repeat(2000));
        peer.send(&framed_message(encoding, "Wire:Note", ONEWAY, 5, &long));
        peer.closed();
    }
    assert_eq!(gates.notes(), Vec::<String>::new());
}
