//! Handlers on the pool: they may block, and nobody else waits for them.

mod support;

use calculate::config::{Config, Handlers};
use calculate::wire::{Encoding, Limits, Protocol};
use socket2::SockRef;
use std::io::Write;
use std::time::Duration;
use support::eventually;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::{Peer, is_well};
use support::program::Program;

#[test]
fn the_program_answers_from_the_pool() {
    let server = Program::serve(&["--handlers", "pool"]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let calls: Vec<u8> = (0..500).flat_map(|id| square(encoding, id, f64::from(id * id))).collect();
        peer.send(&calls);
        for id in 0..500 {
            let reply = peer.reply();
            assert_eq!((reply.sequence_id, reply.number()), (id, f64::from(id)));
        }
    }
}

#[test]
fn calls_of_one_connection_run_in_parallel_and_are_answered_in_order() {
    for encoding in ENCODINGS {
        let gates = Gates::new();
        let server = Library::serve(config(), Handlers::Pool, &gates);
        let mut peer = Peer::connect(server.address, encoding);
        for id in 1..=3 {
            peer.send(&sleep(encoding, id));
        }
        gates.have_begun(3);
        for id in [3, 2] {
            gates.open(id);
        }
        is_well(server.address);
        assert!(peer.is_silent(), "the first call is not answered yet");
        gates.open(1);
        for id in 1..=3 {
            let reply = peer.reply();
            assert_eq!((reply.sequence_id, reply.i32()), (id, id));
        }
    }
}

#[test]
fn inline_and_pool_services_on_one_connection_keep_the_order() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Pool, &gates);
    let mut peer = Peer::new(server.address);
    let unknown = framed_message(FRAMED_BINARY, "Cube", CALL, 4, &number(Protocol::Binary, 1.0));
    let second = framed_message(FRAMED_BINARY, "Wire:Ping", CALL, 3, &args(Protocol::Binary, |_| Ok(())));
    peer.send(&[sleep(FRAMED_BINARY, 1), square(FRAMED_BINARY, 2, 9.0), second, unknown].concat());
    gates.have_begun(1);
    is_well(server.address);
    assert!(peer.is_silent());
    gates.open(1);
    let ids: Vec<i32> = (0..4).map(|_| peer.reply().sequence_id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
}

#[test]
fn a_full_queue_answers_overloaded_at_once() {
    for queue in [0, 1, 5] {
        let gates = Gates::new();
        let config = Config { pool_threads: 1, pool_queue: queue, ..config() };
        let server = Library::start(config, &gates, |server| {
            server.service_on(Handlers::Pool, "Wire", gates.processor()).service_on(
                Handlers::Inline,
                "Inline",
                gates.processor(),
            )
        });
        let most = queue as i32 + 1;
        let mut fills = Peer::new(server.address);
        let calls: Vec<u8> = (1..=most).flat_map(|gate| sleep(FRAMED_BINARY, gate)).collect();
        let note = text_args(Protocol::Binary, "the pool has them");
        fills.send(&[calls, framed_message(FRAMED_BINARY, "Inline:Note", ONEWAY, 0, &note)].concat());
        eventually("the pool has them", || gates.notes().len() == 1);
        let mut refused = Peer::new(server.address);
        for id in 50..53 {
            // A oneway call is refused in silence.
            let note = text_args(Protocol::Binary, "no room");
            refused.send(&framed_message(FRAMED_BINARY, "Wire:Note", ONEWAY, 0, &note));
            refused.send(&sleep(FRAMED_BINARY, id));
            let reply = refused.reply();
            let (code, text) = reply.exception();
            assert_eq!((reply.sequence_id, code), (id, OVERLOADED));
            assert!(text.contains("overloaded"), "{text}");
        }
        // A place in the queue comes back when a call is done.
        gates.open(1);
        assert_eq!(fills.reply().i32(), 1);
        eventually("there is room", || {
            refused.send(&sleep(FRAMED_BINARY, 0));
            gates.open_all();
            refused.reply().kind == REPLY
        });
        for gate in 2..=most {
            assert_eq!(fills.reply().i32(), gate);
        }
        assert_eq!(gates.notes(), ["the pool has them"]);
        assert!(gates.begun().iter().all(|gate| *gate < 50));
    }
}

#[test]
fn w21_a_panic_is_answered_and_its_thread_lives() {
    for handlers in [Handlers::Inline, Handlers::Pool] {
        let gates = Gates::new();
        let server = Library::serve(Config { workers: 1, pool_threads: 1, ..config() }, handlers, &gates);
        for encoding in ENCODINGS {
            let mut peer = Peer::connect(server.address, encoding);
            for id in 0..5 {
                let none = args(encoding.protocol, |_| Ok(()));
                peer.send(&framed_message(encoding, "Wire:Panic", CALL, id, &none));
                let reply = peer.reply();
                assert_eq!((reply.name.as_str(), reply.sequence_id), ("Panic", id));
                let (code, text) = reply.exception();
                assert_eq!(code, INTERNAL_ERROR, "{handlers:?}");
                assert!(!text.contains("on purpose"), "the handler's words are for the log: {text}");
            }
            peer.send(&framed_message(encoding, "Wire:Note", ONEWAY, 6, &text_args(encoding.protocol, "panic")));
            peer.send(&sleep(encoding, 0));
            assert_eq!(peer.reply().i32(), 0, "{handlers:?}");
        }
    }
}

#[test]
fn a_queued_call_whose_connection_has_died_is_not_run() {
    let gates = Gates::new();
    let config = Config { connections: 2, pool_threads: 1, ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let mut first = Peer::new(server.address);
    first.send(&sleep(FRAMED_BINARY, 1));
    gates.have_begun(1);
    let mut dies = Peer::new(server.address);
    dies.send(&[sleep(FRAMED_BINARY, 2), square(FRAMED_BINARY, 3, 9.0)].concat());
    let mut third = Peer::new(server.address);
    reset(dies);
    // The third has a place when the server knows that the second is dead.
    third.is_served();
    gates.open(1);
    assert_eq!(first.reply().i32(), 1);
    third.send(&sleep(FRAMED_BINARY, 0));
    assert_eq!(third.reply().i32(), 0);
    assert!(!gates.begun().contains(&2));
}

#[test]
fn a_queued_oneway_call_is_run_though_its_sender_is_gone() {
    let gates = Gates::new();
    let config = Config { connections: 2, pool_threads: 1, ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let mut first = Peer::new(server.address);
    first.send(&sleep(FRAMED_BINARY, 1));
    gates.have_begun(1);
    let mut gone = Peer::new(server.address);
    gone.is_served();
    gone.send(&framed_message(FRAMED_BINARY, "Wire:Note", ONEWAY, 2, &text_args(Protocol::Binary, "kept")));
    let mut third = Peer::new(server.address);
    reset(gone);
    third.is_served();
    gates.open(1);
    assert_eq!(first.reply().i32(), 1);
    third.send(&sleep(FRAMED_BINARY, 0));
    assert_eq!(third.reply().i32(), 0);
    assert_eq!(gates.notes(), ["kept"]);
}

#[test]
fn calls_that_wait_for_the_pool_hold_few_bytes() {
    const KERNEL_BUFFERS: usize = 32 << 20;
    let gates = Gates::new();
    let limits = Limits { message_bytes: 1 << 20, ..Limits::default() };
    let config = Config { pool_threads: 1, limits, ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let mut peer = Peer::new(server.address);
    peer.send(&sleep(FRAMED_BINARY, 1));
    gates.have_begun(1);
    // Fewer calls than may be in flight, and than the queue has room for.
    let note = text_args(Protocol::Binary, &"x".repeat(100_000));
    let note = framed_message(FRAMED_BINARY, "Wire:Note", ONEWAY, 2, &note);
    peer.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a time-out");
    let (mut sent, mut next) = (0, 0);
    while let Ok(count) = peer.stream.write(&note[next..]) {
        sent += count;
        next = (next + count) % note.len();
        assert!(sent < KERNEL_BUFFERS, "the server goes on reading large calls for a pool that is busy");
    }
    is_well(server.address);
    gates.open(1);
    assert_eq!(peer.reply().i32(), 1);
    peer.stream.set_write_timeout(None).expect("no time-out");
    peer.send(&note[next..]);
    peer.is_served();
    eventually("each note is kept", || gates.notes().len() == (sent + note.len() - next) / note.len());
}

fn sleep(encoding: Encoding, gate: i32) -> Vec<u8> {
    framed_message(encoding, "Wire:Sleep", CALL, gate, &i32_args(encoding.protocol, gate))
}

/// Ends a connection the hard way.
fn reset(peer: Peer) {
    SockRef::from(&peer.stream).set_linger(Some(Duration::ZERO)).expect("no linger");
    drop(peer);
}
