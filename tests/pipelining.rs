//! Many calls of one connection on their way at a time.

mod support;

use calculate::config::{Config, Handlers};
use socket2::SockRef;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use support::eventually;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::{Bystander, Peer, is_well};
use support::program::Program;

#[test]
fn calls_of_one_write_are_answered_in_order() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let calls: Vec<u8> = (0..1000).flat_map(|id| square(encoding, id, f64::from(id * id))).collect();
        peer.send(&calls);
        for id in 0..1000 {
            let reply = peer.reply();
            assert_eq!((reply.sequence_id, reply.number()), (id, f64::from(id)), "{encoding}");
        }
        peer.finish();
        peer.closed();
    }
}

#[test]
fn calls_that_are_cut_anywhere_are_answered_in_order() {
    let server = Program::serve(&["--messages-per-turn", "3"]);
    for encoding in ENCODINGS {
        let calls: Vec<u8> = (0..100).flat_map(|id| square(encoding, id, f64::from(id * id))).collect();
        for piece in [1, 7, 31, 40, 100, 1000] {
            let mut peer = Peer::connect(server.address, encoding);
            for bytes in calls.chunks(piece) {
                peer.send(bytes);
            }
            for id in 0..100 {
                assert_eq!(peer.reply().number(), f64::from(id), "{encoding} in pieces of {piece}");
            }
        }
    }
}

#[test]
fn w18_a_reply_is_one_write() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        peer.square(0, 9.0);
        let expected = frame(encoding, &peer.reply().bytes);
        for _ in 0..50 {
            peer.square(0, 9.0);
            let mut buffer = [0; 1000];
            let count = peer.stream.read(&mut buffer).expect("a reply");
            assert_eq!(buffer[..count], expected);
        }
    }
}

#[test]
fn a_connection_with_100_000_calls_does_not_keep_another_waiting() {
    const CALLS: i32 = 100_000;
    let server = Program::serve(&["--workers", "1"]);
    let mut busy = Peer::new(server.address);
    let mut sending = busy.stream.try_clone().expect("a second handle");
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(move || {
            let calls: Vec<u8> = (0..CALLS).flat_map(|id| square(FRAMED_BINARY, id, 9.0)).collect();
            sending.write_all(&calls).expect("the server takes them");
        });
        scope.spawn(|| {
            for id in 0..CALLS {
                assert_eq!(busy.reply().sequence_id, id);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        eventually("the first of them is answered", || answered.load(Ordering::Relaxed) > 0);
        is_well(server.address);
        assert!(answered.load(Ordering::Relaxed) < CALLS as usize, "another's call waited for all of them");
    });
    assert_eq!(answered.load(Ordering::Relaxed), CALLS as usize);
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from_and_loses_nothing() {
    const KERNEL_BUFFERS: usize = 64 << 20;
    for encoding in [FRAMED_BINARY, UNFRAMED_COMPACT] {
        let server = Program::serve(&["--workers", "1"]);
        let bystander = Bystander::start(server.address);
        is_well(server.address);
        let before = server.rss_kib();
        let mut peer = Peer::connect(server.address, encoding);
        SockRef::from(&peer.stream).set_recv_buffer_size(32 << 10).expect("a small buffer");
        peer.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a time-out");
        // A method that nobody knows is named in its answer: long answers for little work.
        let (method, none) = ("x".repeat(1000), args(encoding.protocol, |_| Ok(())));
        let batch: Vec<u8> = (0..100).flat_map(|id| framed_message(encoding, &method, CALL, id, &none)).collect();
        let (mut sent, mut next) = (0, 0);
        while let Ok(count) = peer.stream.write(&batch[next..]) {
            sent += count;
            next = (next + count) % batch.len();
            assert!(sent < KERNEL_BUFFERS, "the server goes on reading from a peer that reads no reply");
        }
        let grown = server.rss_kib().saturating_sub(before);
        assert!(grown < 16 << 10, "{grown} KiB for the replies that one peer does not read");
        bystander.was_served();
        // It reads after all: while it sends the rest of the batch, as both directions are full.
        let mut sending = peer.stream.try_clone().expect("a second handle");
        sending.set_write_timeout(None).expect("no time-out");
        let rest = &batch[next..];
        thread::scope(|scope| {
            scope.spawn(move || sending.write_all(rest).expect("the server reads again"));
            for _ in 0..(sent + rest.len()) / batch.len() {
                for id in 0..100 {
                    let reply = peer.reply();
                    assert_eq!((reply.sequence_id, reply.exception().0), (id, UNKNOWN_METHOD), "{encoding}");
                    assert_eq!(reply.name, method);
                }
            }
        });
        peer.is_served();
    }
}

#[test]
fn no_more_calls_run_than_may_be_in_flight() {
    let gates = Gates::new();
    let server = Library::serve(Config { in_flight: 4, ..config() }, Handlers::Pool, &gates);
    let mut peer = Peer::new(server.address);
    let sleep = |id| framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, id, &i32_args(FRAMED_BINARY.protocol, id));
    let calls: Vec<u8> = (1..=10).flat_map(sleep).collect();
    peer.send(&calls);
    gates.have_begun(4);
    is_well(server.address);
    assert!(peer.is_silent());
    assert_eq!(gates.begun().len(), 4);
    for id in 1..=10 {
        gates.open(id);
        let reply = peer.reply();
        assert_eq!((reply.sequence_id, reply.i32()), (id, id));
    }
    peer.is_served();
}
