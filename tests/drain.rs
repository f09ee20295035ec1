//! A server that is told to end: what arrived before is answered, and nothing else holds it up.

mod support;

use calculate::config::{Config, Handlers};
use calculate::wire::Protocol;
use rustix::process::Signal;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use support::eventually;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::Peer;
use support::program::Program;

#[test]
fn either_signal_closes_idle_connections_and_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Program::serve(&[]);
        let mut idle: Vec<Peer> = (0..20).map(|_| Peer::new(server.address)).collect();
        for peer in &mut idle[..10] {
            peer.is_served();
        }
        server.signal(signal);
        for peer in &mut idle {
            peer.closed();
        }
        // The peers still hold their ends.
        assert_eq!(server.exit_code(), Some(0));
        assert_eq!(server.logged("draining").len(), 1);
        assert_eq!(server.logged("drained").len(), 1);
    }
}

#[test]
fn calls_in_the_pool_are_answered_and_nobody_else_is_let_in() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Pool, &gates);
    let mut peers: Vec<Peer> = (0..4).map(|_| Peer::new(server.address)).collect();
    let mut idle = Peer::new(server.address);
    idle.is_served();
    for (peer, id) in peers.iter_mut().zip(1..) {
        peer.send(&sleep(id));
    }
    gates.have_begun(4);
    server.shutdown.begin();
    idle.closed();
    stops_listening(server.address);
    assert!(!server.has_ended() && peers.iter_mut().all(Peer::is_silent));
    gates.open_all();
    for (peer, id) in peers.iter_mut().zip(1..) {
        assert_eq!(peer.reply().i32(), id);
        peer.closed();
    }
    assert_eq!(server.outcome().aborted, 0);
}

#[test]
fn calls_in_the_socket_buffer_are_answered() {
    let gates = Gates::new();
    let server = Library::serve(Config { workers: 1, ..config() }, Handlers::Inline, &gates);
    let mut accepted = Peer::new(server.address);
    accepted.is_served();
    let mut holds = hold_the_worker(&server, &gates);
    // The worker has its hands full: neither connection is read from, and the second is not even known to it.
    let calls: Vec<u8> = (0..300).flat_map(|id| square(FRAMED_BINARY, id, 4.0)).collect();
    accepted.send(&calls);
    let mut unknown = Peer::new(server.address);
    unknown.send(&calls);
    server.shutdown.begin();
    stops_listening(server.address);
    gates.open(1);
    assert_eq!(holds.reply().i32(), 1);
    for mut peer in [accepted, unknown] {
        for id in 0..300 {
            assert_eq!(peer.reply().sequence_id, id);
        }
        peer.closed();
    }
    assert_eq!(server.outcome().aborted, 0);
}

#[test]
fn a_half_arrived_message_may_arrive_in_full() {
    for encoding in ENCODINGS {
        for whole in [0, 1, 200] {
            let gates = Gates::new();
            let server = Library::serve(Config { workers: 1, ..config() }, Handlers::Inline, &gates);
            let mut peer = Peer::connect(server.address, encoding);
            let mut idle = Peer::new(server.address);
            idle.is_served();
            let mut holds = hold_the_worker(&server, &gates);
            let calls: Vec<u8> = (0..=whole).flat_map(|id| square(encoding, id, 4.0)).collect();
            let (before, after) = calls.split_at(calls.len() - 10);
            peer.send(before);
            server.shutdown.begin();
            stops_listening(server.address);
            gates.open(1);
            assert_eq!(holds.reply().i32(), 1);
            for id in 0..whole {
                assert_eq!(peer.reply().sequence_id, id);
            }
            idle.closed();
            assert!(!server.has_ended() && peer.is_silent(), "{encoding}: half a message after {whole} whole ones");
            peer.send(after);
            assert_eq!(peer.reply().sequence_id, whole);
            peer.closed();
            drop((peer, idle, holds));
            assert_eq!(server.outcome().aborted, 0);
        }
    }
}

#[test]
fn a_server_at_its_connection_limit_drains() {
    let mut server = Program::serve(&["--max-connections", "1"]);
    let mut only = Peer::new(server.address);
    only.is_served();
    let mut waits = Peer::new(server.address);
    waits.square(1, 9.0);
    eventually("it waits for a place", || !server.logged("connection limit").is_empty());
    server.terminate();
    only.closed();
    waits.closed();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn clients_that_go_on_calling_do_not_hold_the_drain() {
    let mut server = Program::serve(&[]);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for together in [1, 10, 1000] {
            let (address, answered) = (server.address, &answered);
            scope.spawn(move || {
                let mut peer = Peer::new(address);
                let calls = square(FRAMED_BINARY, 0, 9.0).repeat(together);
                while peer.stream.write_all(&calls).is_ok() {
                    for _ in 0..together {
                        match peer.next_reply() {
                            Ok(Some(reply)) => assert_eq!(reply.number(), 3.0),
                            _ => return,
                        }
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        eventually("they are busy", || answered.load(Ordering::Relaxed) > 100);
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
    });
}

#[test]
fn a_client_that_only_sends_does_not_hold_the_drain() {
    let mut server = Program::serve(&[]);
    let address = server.address;
    let calls = square(FRAMED_BINARY, 0, 9.0).repeat(1000);
    let notes = framed_message(FRAMED_BINARY, "Nothing", ONEWAY, 0, &[0]).repeat(1000);
    let started = AtomicUsize::new(0);
    thread::scope(|scope| {
        for endless in [calls, notes] {
            let started = &started;
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).expect("connects");
                while stream.write_all(&endless).is_ok() {
                    started.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        eventually("they send", || started.load(Ordering::Relaxed) > 10);
        server.terminate();
        // The one that reads none of its replies costs the whole of the drain's time, or of its own.
        assert!(server.exit_code().is_some());
    });
}

#[test]
fn past_the_drain_timeout_the_exit_code_is_1_and_the_log_says_how_many_were_cut() {
    let mut server = Program::serve(&["--drain-timeout", "0.3"]);
    let call = square(FRAMED_BINARY, 1, 9.0);
    let mut halves: Vec<Peer> = (0..3).map(|_| Peer::new(server.address)).collect();
    for peer in &mut halves {
        peer.is_served();
        peer.send(&call[..call.len() - 1]);
    }
    server.terminate();
    assert_eq!(server.exit_code(), Some(1));
    let log = server.log();
    assert!(log.last().is_some_and(|last| last.contains("connections cut: 3")), "{log:?}");
}

#[test]
fn past_the_drain_timeout_a_library_is_told_how_many_were_cut() {
    let gates = Gates::new();
    let config = Config { drain_timeout: Duration::from_millis(100), ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let mut peers: Vec<Peer> = (0..2).map(|_| Peer::new(server.address)).collect();
    for peer in &mut peers {
        peer.send(&sleep(1));
    }
    gates.have_begun(2);
    server.shutdown.begin();
    for peer in &mut peers {
        peer.closed();
    }
    assert_eq!(server.outcome().aborted, 2);
    gates.open_all();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for second in [Signal::TERM, Signal::INT] {
        let mut server = Program::serve(&["--drain-timeout", "600"]);
        let mut half = Peer::new(server.address);
        half.is_served();
        half.send(&[0]);
        server.terminate();
        eventually("it drains", || !server.logged("draining").is_empty());
        assert!(server.lives());
        server.signal(second);
        assert_eq!(server.exit_code(), Some(1));
    }
}

#[test]
fn connections_of_a_worker_that_was_busy_when_the_drain_began_are_closed() {
    // The end of the acceptor and the beginning of the drain reach such a worker together, in either order.
    for _ in 0..10 {
        let gates = Gates::new();
        let server = Library::serve(Config { workers: 1, ..config() }, Handlers::Inline, &gates);
        let mut idle = Peer::new(server.address);
        idle.is_served();
        let mut holds = hold_the_worker(&server, &gates);
        server.shutdown.begin();
        stops_listening(server.address);
        gates.open(1);
        assert_eq!(holds.reply().i32(), 1);
        holds.closed();
        idle.closed();
        drop((holds, idle));
        assert_eq!(server.outcome().aborted, 0);
    }
}

#[test]
fn a_oneway_call_in_the_pool_is_run_before_the_end() {
    let gates = Gates::new();
    let server = Library::serve(Config { pool_threads: 1, ..config() }, Handlers::Pool, &gates);
    let mut waits = Peer::new(server.address);
    waits.send(&sleep(1));
    gates.have_begun(1);
    let mut notes = Peer::new(server.address);
    notes.send(&framed_message(FRAMED_BINARY, "Wire:Note", ONEWAY, 1, &text_args(Protocol::Binary, "kept")));
    drop(notes);
    server.shutdown.begin();
    stops_listening(server.address);
    gates.open(1);
    assert_eq!(waits.reply().i32(), 1);
    drop(waits);
    assert_eq!(server.outcome().aborted, 0);
    assert_eq!(gates.notes(), ["kept"]);
}

#[test]
fn a_call_in_the_pool_whose_connection_died_is_finished_before_the_end() {
    let gates = Gates::new();
    let server = Library::serve(config(), Handlers::Pool, &gates);
    let mut dies = Peer::new(server.address);
    dies.send(&sleep(1));
    gates.have_begun(1);
    socket2::SockRef::from(&dies.stream).set_linger(Some(Duration::ZERO)).expect("no linger");
    drop(dies);
    server.shutdown.begin();
    let (address, opened) = (server.address, gates.clone());
    let opens = thread::spawn(move || {
        stops_listening(address);
        opened.open(1);
    });
    assert_eq!(server.outcome().aborted, 0);
    assert_eq!(gates.done(), [1], "the end waits for the handler");
    opens.join().expect("it stopped listening");
}

/// Makes a server of one worker wait for gate 1.
fn hold_the_worker(server: &Library, gates: &Gates) -> Peer {
    let mut holds = Peer::new(server.address);
    holds.send(&sleep(1));
    gates.have_begun(1);
    holds
}

fn stops_listening(address: SocketAddr) {
    eventually("it stops listening", || TcpStream::connect(address).is_err());
}

fn sleep(gate: i32) -> Vec<u8> {
    framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, gate, &i32_args(Protocol::Binary, gate))
}
