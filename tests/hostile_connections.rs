//! Peers that come in thousands, and peers that reset their connection, in whatever state it is.

mod support;

use calculate::config::{Config, Handlers, Tls, TlsMode};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, Type};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;
use support::eventually;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::{Bystander, Peer, is_well};
use support::program::Program;
use support::tls::{Client, key, pem};

const FLOOD: usize = 10_000;

#[test]
fn ten_thousand_connects_at_once_are_survived_with_and_without_a_limit() {
    // Where the machine allows fewer descriptors, the older ones make room.
    let most = (descriptors() as usize).saturating_sub(1000).min(FLOOD + 1);
    for limit in [None, Some("300")] {
        let mut server = match limit {
            None => Program::serve(&[]),
            Some(limit) => Program::serve(&["--max-connections", limit]),
        };
        let callers = [(); 3].map(|()| after_a_call(server.address));
        let before = server.descriptors() - callers.len();
        drop(callers);
        eventually("the first callers are gone", || server.descriptors() == before);
        let bystander = Bystander::start(server.address);
        let mut flood = Vec::new();
        for index in 0..FLOOD {
            flood.push(begin_to_connect(server.address, index));
            if flood.len() == most {
                flood.drain(..most / 2);
            }
        }
        let let_in = limit.map_or(flood.len(), |_| 299);
        eventually("those are let in that may be", || server.descriptors() >= before + let_in);
        drop(flood);
        eventually("they are gone", || server.descriptors() <= before + 1);
        bystander.was_served();
        is_well(server.address);
        assert!(server.lives());
        assert_eq!(!server.logged("connection limit").is_empty(), limit.is_some());
        assert!(server.log().len() < 100, "a line a second and a reason, not one a connection");
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
    }
}

#[test]
fn a_reset_in_any_state_ends_its_own_connection_only() {
    let calls = square(FRAMED_BINARY, 1, 9.0).repeat(2000);
    let call = square(FRAMED_BINARY, 1, 9.0);
    let states: [(&str, &dyn Fn(SocketAddr) -> Peer); 6] = [
        ("after connecting", &Peer::new),
        ("after a call", &after_a_call),
        ("in the first bytes", &|address| said(address, &call[..3])),
        ("in mid-frame", &|address| said(address, &call[..20])),
        ("with replies unread", &|address| said(address, &calls)),
        ("when it is about to be closed", &|address| said(address, &[0, 0, 0, 0])),
    ];
    let mut server = Program::serve(&[]);
    (0..3).for_each(|_| is_well(server.address));
    let before = server.descriptors();
    let bystander = Bystander::start(server.address);
    for (state, bring) in states {
        let peers: Vec<Peer> = (0..50).map(|_| bring(server.address)).collect();
        peers.into_iter().for_each(|peer| reset(&peer.stream));
        eventually(&format!("all that were reset {state} are gone"), || server.descriptors() <= before + 1);
    }
    bystander.was_served();
    assert!(server.lives());
    assert!(server.log().len() < 100, "{} lines", server.log().len());
}

#[test]
fn a_reset_in_a_handshake_ends_its_own_connection_only() {
    let arguments = support::tls::flags("allow", "server");
    let server = Program::serve(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    Client::default().connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    let before = server.descriptors();
    for hello in [&[0x16][..], &[0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3], &[0x16, 3, 1, 0, 2, 1, 0, 0x15, 3, 3, 0, 2]] {
        let peers: Vec<Peer> = (0..50).map(|_| said(server.address, hello)).collect();
        peers.into_iter().for_each(|peer| reset(&peer.stream));
    }
    // With a reply in TLS's own buffers, and in the middle of a record.
    let calls = square(FRAMED_BINARY, 1, 9.0).repeat(20_000);
    for _ in 0..5 {
        let mut deaf = Client::default().connect(server.address, FRAMED_BINARY).expect("a handshake");
        deaf.stream.sock.set_write_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        let _ = deaf.stream.write_all(&calls);
        let _ = deaf.stream.sock.write_all(&[0x17, 3, 3, 0x40, 0, 1, 2, 3]);
        reset(&deaf.stream.sock);
    }
    eventually("all are gone", || server.descriptors() <= before);
    Client::default().connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    is_well(server.address);
}

#[test]
fn a_reset_while_the_pool_works_costs_nothing_but_its_call() {
    let gates = Gates::new();
    let server = Library::serve(Config { pool_queue: 4, pool_threads: 2, ..config() }, Handlers::Pool, &gates);
    let sleep = |id| framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, id, &i32_args(FRAMED_BINARY.protocol, id));
    let peers: Vec<Peer> = (1..=6).map(|id| said(server.address, &sleep(id))).collect();
    gates.have_begun(2);
    peers.into_iter().for_each(|peer| reset(&peer.stream));
    let bystander = Bystander::start(server.address);
    gates.open_all();
    bystander.was_served();
    // The queue is free again: more calls than it has places are answered, one after the other.
    let mut peer = Peer::new(server.address);
    for _ in 0..20 {
        peer.send(&sleep(0));
        assert_eq!(peer.reply().i32(), 0);
    }
}

#[test]
fn a_reset_in_the_middle_of_a_drain_does_not_hold_it_up() {
    let gates = Gates::new();
    let tls = Tls { mode: TlsMode::Allow, certificate: Some(pem("server")), key: Some(key("server")), ..config().tls };
    let server = Library::serve(Config { tls, ..config() }, Handlers::Pool, &gates);
    let call = square(FRAMED_BINARY, 1, 9.0);
    let sleep = framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, 1, &i32_args(FRAMED_BINARY.protocol, 1));
    let mut half: Vec<Peer> = (0..20).map(|_| Peer::new(server.address)).collect();
    half.iter_mut().for_each(Peer::is_served);
    let in_the_pool: Vec<Peer> = (0..5).map(|_| said(server.address, &sleep)).collect();
    let shaking: Vec<Peer> = (0..5).map(|_| said(server.address, &[0x16, 3, 1, 2, 0, 1])).collect();
    gates.have_begun(5);
    half.iter_mut().for_each(|peer| peer.send(&call[..20]));
    is_well(server.address);
    server.shutdown.begin();
    eventually("it stops listening", || TcpStream::connect(server.address).is_err());
    for peer in half.iter().chain(&in_the_pool).chain(&shaking) {
        reset(&peer.stream);
    }
    drop((half, in_the_pool, shaking));
    gates.open_all();
    assert_eq!(server.outcome().aborted, 0);
}

/// A connection on which a call was answered.
fn after_a_call(address: SocketAddr) -> Peer {
    let mut peer = Peer::new(address);
    peer.is_served();
    peer
}

/// A connection on which something was said.
fn said(address: SocketAddr, bytes: &[u8]) -> Peer {
    let mut peer = Peer::new(address);
    peer.offer(bytes);
    peer
}

/// What follows a close is a reset, not an end of stream.
fn reset(stream: &TcpStream) {
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).expect("no linger");
}

/// Connects without waiting for it; when it is dropped it is reset, so that no port stays taken.
fn begin_to_connect(address: SocketAddr, index: usize) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let source = Ipv4Addr::new(127, 9, (index / 250) as u8, 1 + (index % 250) as u8);
    socket.bind(&SocketAddrV4::new(source, 0).into()).expect("a source");
    socket.set_nonblocking(true).expect("nonblocking");
    socket.set_linger(Some(Duration::ZERO)).expect("no linger");
    // It is under way, or done.
    let _ = socket.connect(&address.into());
    socket
}

/// How many descriptors this process may have: as many as the hard limit says.
fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    limit.maximum.unwrap_or(FLOOD as u64 * 2)
}
