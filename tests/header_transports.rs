//! THeader and TTHeader: what their headers ask for, what a handler sees of them, and what goes back.

mod support;

use calculate::config::{Config, Handlers};
use calculate::idl::calculate::{CalculateSyncHandler, CalculateSyncProcessor, Number};
use calculate::server::{RequestContext, Server, Shutdown};
use calculate::wire::headers::{key, name};
use calculate::wire::{Envelope, Framing, Limits, Protocol};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;
use support::library::config;
use support::message::*;
use support::program::Program;
use support::{DEADLINE, eventually};
use thrift::OrderedFloat;

/// A frame of TTHeader, written by its specification.
fn ttheader(sequence_id: u32, numbered: &[(u16, &str)], named: &[(&str, &str)], message: &[u8]) -> Vec<u8> {
    let mut header = vec![0, 0];
    let string = |out: &mut Vec<u8>, text: &str| {
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    if !numbered.is_empty() {
        header.push(0x10);
        header.extend_from_slice(&(numbered.len() as u16).to_be_bytes());
        for (key, value) in numbered {
            header.extend_from_slice(&key.to_be_bytes());
            string(&mut header, value);
        }
    }
    if !named.is_empty() {
        header.push(0x01);
        header.extend_from_slice(&(named.len() as u16).to_be_bytes());
        for (name, value) in named {
            string(&mut header, name);
            string(&mut header, value);
        }
    }
    frame_of(0x1000, sequence_id, header, message)
}

/// A frame of THeader with the binary protocol, written by its specification.
fn theader(sequence_id: u32, named: &[(&str, &str)], message: &[u8]) -> Vec<u8> {
    let mut header = vec![0, 0];
    if !named.is_empty() {
        header.extend_from_slice(&[1, named.len() as u8]);
        for text in named.iter().flat_map(|(name, value)| [name, value]) {
            header.push(text.len() as u8);
            header.extend_from_slice(text.as_bytes());
        }
    }
    frame_of(0x0fff, sequence_id, header, message)
}

fn frame_of(magic: u16, sequence_id: u32, mut header: Vec<u8>, message: &[u8]) -> Vec<u8> {
    header.resize(header.len().next_multiple_of(4), 0);
    let mut frame = [&magic.to_be_bytes()[..], &[0, 0], &sequence_id.to_be_bytes()].concat();
    frame.extend_from_slice(&(header.len() as u16 / 4).to_be_bytes());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(message);
    [&(frame.len() as u32).to_be_bytes()[..], &frame].concat()
}

fn call(method: &str, value: f64) -> Vec<u8> {
    message(Protocol::Binary, method.as_bytes(), CALL, 6, &number(Protocol::Binary, value))
}

struct Peer(TcpStream, Framing);

impl Peer {
    fn new(address: SocketAddr, framing: Framing) -> Peer {
        let stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        Peer(stream, framing)
    }

    fn ask(&mut self, frame: &[u8]) -> (Envelope, Reply) {
        self.0.write_all(frame).expect("sent");
        let mut length = [0; 4];
        self.0.read_exact(&mut length).expect("a reply");
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut frame).expect("a whole reply");
        let (envelope, message) = Envelope::open(self.1, &frame, &Limits::default()).expect("an envelope");
        let reply = Reply::read(envelope.protocol, &message).expect("a message");
        (envelope, reply)
    }
}

/// Answers what it knows of the call, as numbers: for `Square` the header "factor" times the number, for `Cal` the
/// seconds that are left.
struct Knowing;

impl CalculateSyncHandler for Knowing {
    fn handle_square(&self, number: Number) -> thrift::Result<Number> {
        let context = RequestContext::current();
        let factor = context.header("factor").map_or("1", |factor| std::str::from_utf8(factor).expect("text"));
        let factor: f64 = factor.parse().expect("a number");
        let peer = context.peer().expect("somebody calls").to_string();
        let encoding = context.encoding().expect("in some encoding").to_string();
        RequestContext::set_reply_header("seen", format!("{peer} {encoding}"));
        Ok(Number::new(OrderedFloat(number.value.into_inner() * factor)))
    }

    fn handle_cal(&self, _: Number) -> thrift::Result<Number> {
        let left = RequestContext::current().deadline().map(|deadline| (deadline - Instant::now()).as_secs_f64());
        Ok(Number::new(OrderedFloat(left.unwrap_or(-1.0))))
    }
}

fn knowing(handlers: Handlers) -> (SocketAddr, Shutdown, std::thread::JoinHandle<()>) {
    let config = Config { handlers, ..config() };
    let server = Server::bind(config).expect("bound").service("Calculate", CalculateSyncProcessor::new(Knowing));
    let (address, shutdown) = (server.local_addr().expect("TCP"), Shutdown::new());
    let told = shutdown.clone();
    let thread = std::thread::spawn(move || assert_eq!(server.serve(told).expect("serves").aborted, 0));
    (address, shutdown, thread)
}

#[test]
fn a_handler_sees_who_calls_with_which_headers_and_sends_some_back() {
    for handlers in [Handlers::Inline, Handlers::Pool] {
        let (address, shutdown, thread) = knowing(handlers);
        let mut tt = Peer::new(address, Framing::TTHeader);
        let own = tt.0.local_addr().expect("an address");
        let (envelope, reply) = tt.ask(&ttheader(9, &[], &[("factor", "3")], &call("Square", 2.0)));
        assert_eq!((envelope.sequence_id, reply.sequence_id, reply.number()), (9, 6, 6.0));
        let seen = String::from_utf8(envelope.headers.get("seen").expect("sent").to_vec()).expect("text");
        assert_eq!(seen.to_lowercase(), format!("{own} ttheader"));
        // Headers hold for their call only.
        let (envelope, reply) = tt.ask(&ttheader(10, &[], &[], &call("Square", 2.0)));
        assert_eq!((envelope.sequence_id, reply.number()), (10, 2.0));

        let mut theader_peer = Peer::new(address, Framing::THeader);
        let (envelope, reply) = theader_peer.ask(&theader(11, &[("factor", "5")], &call("Square", 2.0)));
        assert_eq!((envelope.sequence_id, reply.number()), (11, 10.0));
        assert!(envelope.headers.get("seen").is_some());

        let mut plain = support::peer::Peer::new(address);
        plain.square(1, 7.0);
        assert_eq!(plain.reply().number(), 7.0, "no headers, no factor");
        drop((tt, theader_peer, plain));
        shutdown.begin();
        thread.join().expect("it ends well");
    }
}

#[test]
fn a_deadline_in_the_headers_reaches_the_handler() {
    let (address, shutdown, thread) = knowing(Handlers::Inline);
    let mut tt = Peer::new(address, Framing::TTHeader);
    let left = tt.ask(&ttheader(1, &[(key::RPC_TIMEOUT, "60000")], &[], &call("Cal", 0.0))).1.number();
    assert!((0.0..=60.0).contains(&left), "{left}");
    assert_eq!(tt.ask(&ttheader(2, &[(key::RPC_TIMEOUT, "soon")], &[], &call("Cal", 0.0))).1.number(), -1.0);
    let mut theader_peer = Peer::new(address, Framing::THeader);
    let left = theader_peer.ask(&theader(1, &[(name::CLIENT_TIMEOUT, "60000")], &call("Cal", 0.0))).1.number();
    assert!((0.0..=60.0).contains(&left), "{left}");
    drop((tt, theader_peer));
    shutdown.begin();
    thread.join().expect("it ends well");
}

#[test]
fn headers_route_and_may_not_contradict_the_message() {
    let server = Program::serve(&[]);
    let mut peer = Peer::new(server.address, Framing::TTHeader);
    let good = ttheader(1, &[(key::TO_METHOD, "Square")], &[(name::IDL_SERVICE, "Calculate")], &call("Square", 9.0));
    assert_eq!(peer.ask(&good).1.number(), 3.0);
    let elsewhere = ttheader(2, &[], &[(name::IDL_SERVICE, "Other")], &call("Square", 9.0));
    let (code, text) = peer.ask(&elsewhere).1.exception();
    assert_eq!((code, text.as_str()), (UNKNOWN_METHOD, "no service \"Other\" here; there is Calculate"));
    let contradicts = ttheader(3, &[(key::TO_METHOD, "Cal")], &[], &call("Square", 9.0));
    let (code, text) = peer.ask(&contradicts).1.exception();
    assert_eq!(code, PROTOCOL_ERROR);
    assert_eq!(text, "the headers say the method \"Cal\", the message says \"Square\"");
    assert_eq!(peer.ask(&good).1.number(), 3.0, "the connection lives");
}

#[test]
fn what_cannot_be_opened_is_told_why_and_closed() {
    let server = Program::serve(&[]);
    for (framing, frame, why) in [
        (Framing::THeader, frame_of(0x0fff, 4, vec![0, 1, 3, 0], &call("Square", 9.0)), "snappy"),
        (Framing::TTHeader, frame_of(0x1000, 4, vec![4, 0, 0, 0], &call("Square", 9.0)), "rotobuf"),
    ] {
        let mut peer = Peer::new(server.address, framing);
        let (envelope, reply) = peer.ask(&frame);
        assert_eq!(envelope.sequence_id, 4);
        let (code, text) = reply.exception();
        assert!(code == PROTOCOL_ERROR && text.to_lowercase().contains(&why.to_lowercase()), "{text}");
        assert_eq!(peer.0.read(&mut [0; 4]).expect("an end"), 0);
    }
    let mut lies = Peer::new(server.address, Framing::TTHeader);
    lies.0.write_all(&frame_of(0x1000, 4, vec![0; 4], &[])[..]).expect("sent");
    let mut said = Vec::new();
    lies.0.read_to_end(&mut said).expect("an end");
    eventually("it is logged", || !server.logged("bad message").is_empty());
    support::peer::is_well(server.address);
}

#[test]
fn a_draining_server_tells_ttheader_peers_to_connect_elsewhere() {
    let mut server = Program::serve(&["--workers", "1"]);
    let mut peer = Peer::new(server.address, Framing::TTHeader);
    let frame = ttheader(1, &[], &[], &call("Square", 9.0));
    let (envelope, _) = peer.ask(&frame);
    assert_eq!(envelope.headers.get(name::CONNECTION_READY_TO_RESET), None);
    // Half of a message is in hand when the drain begins.
    peer.0.write_all(&frame[..20]).expect("sent");
    support::peer::is_well(server.address);
    server.terminate();
    eventually("it drains", || !server.logged("draining").is_empty());
    eventually("it stops listening", || TcpStream::connect(server.address).is_err());
    let (envelope, reply) = peer.ask(&frame[20..]);
    assert_eq!(reply.number(), 3.0);
    assert_eq!(envelope.headers.get(name::CONNECTION_READY_TO_RESET), Some(&b"1"[..]));
    assert_eq!(peer.0.read(&mut [0; 4]).expect("an end"), 0);
    assert_eq!(server.exit_code(), Some(0));
}
