//! Header transports whose frames lie, zlib bombs, and PROXY headers that lie.

mod support;

use calculate::wire::{Envelope, Framing, Limits, Protocol};
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::log::is_clean;
use support::message::*;
use support::peer::{Bystander, Peer, all_of, is_well};
use support::program::Program;
use support::random::Random;
use support::storm::storm;
use support::{DEADLINE, eventually};

const FRAMINGS: [Framing; 2] = [Framing::THeader, Framing::TTHeader];

#[test]
fn bombs_are_refused_or_paid_for_in_turns_and_others_are_served_between() {
    let server = Program::serve(&["--workers", "1"]);
    is_well(server.address);
    let before = server.rss_kib();
    for framing in FRAMINGS {
        // As much as zlib can do in one go: 15 KB become 16 MB, which is within the limits.
        let largest = deflated(&large_call(15_900_000), 1);
        // Both work on 64 of them; the one worker is the bystander's as well.
        const BOMBS: usize = 64;
        let frame = envelope(framing, 1, &largest);
        let mut bomber = connect(&server);
        let answered = AtomicUsize::new(0);
        let calls = std::thread::scope(|scope| {
            let bombing = scope.spawn(|| {
                bomber.write_all(&frame.repeat(BOMBS)).expect("sent");
                for _ in 0..BOMBS {
                    let (_, reply) = read_envelope(&mut bomber, framing);
                    assert_eq!(reply.exception().0, PROTOCOL_ERROR, "Square has no such arguments");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut peer = Peer::new(server.address);
            let mut calls = 0;
            while !bombing.is_finished() {
                peer.is_served();
                calls += usize::from(answered.load(Ordering::Relaxed) > 0);
            }
            calls
        });
        assert!(calls >= BOMBS / 2, "{calls} calls were answered while {BOMBS} bombs were");
        for bomb in [
            // One byte too many, nothing but zeros, and 200 bytes that would become 16 MB.
            envelope(framing, 1, &deflated(&large_call(16_400_000), 1)),
            envelope(framing, 1, &deflated(&vec![0; 100_000_000], 1)),
            envelope(framing, 2, &deflated(&large_call(15_900_000), 2)),
            envelope(framing, 3, &deflated(&large_call(15_900_000), 3)),
            envelope(framing, 4, &deflated(&large_call(15_900_000), 4)),
            envelope(framing, 5, &deflated(&large_call(10), 5)),
        ] {
            let mut peer = connect(&server);
            peer.write_all(&bomb.repeat(20)).expect("sent");
            let (_, reply) = read_envelope(&mut peer, framing);
            let (code, text) = reply.exception();
            assert_eq!(code, PROTOCOL_ERROR, "{text}");
            assert!(text.contains("zlib") || text.contains("deflated"), "{text}");
            all_of(&mut peer);
        }
    }
    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown < 100 << 10, "{grown} KiB more, where each bomb is 16 MB");
    is_well(server.address);
}

#[test]
fn counts_and_lengths_that_lie_are_refused_and_reserve_nothing() {
    let mut server = Program::serve(&[]);
    is_well(server.address);
    let before = server.rss_kib();
    let bystander = Bystander::start(server.address);
    let huge: [&[u8]; 5] = [
        b"\xff\xff\xff\xff\x0f",
        b"\xff\xff\xff\xff\x07",
        b"\x80\x80\x80\x80\x08",
        b"\xff\xff\xff\xff\xff\x01",
        b"\xff\xff\x03",
    ];
    for lie in huge {
        let (start, end): (&[u8], &[u8]) = (&[0], &[1, b'k', 1, b'v']);
        for header in [
            // Transforms, sections of headers, persistent ones, a key's length, a value's, and the protocol.
            [start, lie, end].concat(),
            [start, &[0, 1], lie, end].concat(),
            [start, &[0, 2], lie, end].concat(),
            [start, &[0, 1, 1], lie, b"k"].concat(),
            [start, &[0, 1, 1, 1, b'k'], lie, b"v"].concat(),
            [lie, &[0]].concat(),
        ] {
            refused(&server, Framing::THeader, &frame_of(Framing::THeader, &header, &call()));
        }
    }
    for header in [
        // Transforms, named headers, numbered ones, a token, a key's length, a value's, and a kind that is none.
        &[0, 255, 1][..],
        &[0, 0, 0x01, 0xff, 0xff, 0, 1, b'k', 0, 1, b'v'],
        &[0, 0, 0x10, 0xff, 0xff, 0, 1, 0, 1, b'v'],
        &[0, 0, 0x11, 0xff, 0xff, b't'],
        &[0, 0, 0x01, 0, 1, 0xff, 0xff, b'k', 0, 1, b'v'],
        &[0, 0, 0x01, 0, 1, 0, 1, b'k', 0xff, 0xff, b'v'],
        &[0, 0, 0x77],
        &[0x55, 0],
    ] {
        refused(&server, Framing::TTHeader, &frame_of(Framing::TTHeader, header, &call()));
    }
    for framing in FRAMINGS {
        let good = frame_of(framing, &[0, 0], &call());
        // The header's length in words, which is beyond its frame, or eats the message.
        for words in [2, 3, 0x7fff, 0xffff_u16] {
            let mut frame = good.clone();
            frame[12..14].copy_from_slice(&words.to_be_bytes());
            refused(&server, framing, &frame);
        }
        // No message at all, and a frame that ends in its fixed part.
        refused(&server, framing, &frame_of(framing, &[0, 0], b""));
        for length in 2..10_u32 {
            let mut peer = connect(&server);
            peer.write_all(&[&length.to_be_bytes(), &good[4..4 + length as usize]].concat()).expect("sent");
            let _ = peer.shutdown(std::net::Shutdown::Write);
            assert!(all_of(&mut peer).is_empty());
        }
        // A frame inside the frame, of another length than its place.
        let inner = frame_of(framing, &[0, 0], &[&[0, 0, 0, 99][..], &call()].concat());
        refused(&server, framing, &inner);
    }
    bystander.was_served();
    assert!(server.lives());
    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
    server.log().iter().for_each(|line| is_clean(line));
}

#[test]
fn every_byte_of_a_frame_may_be_wrong() {
    let mut random = Random::new(20_261_124);
    let frames: Vec<Vec<u8>> = FRAMINGS
        .iter()
        .flat_map(|&framing| {
            let header: &[u8] = match framing {
                Framing::THeader => b"\x00\x01\x01\x01\x02\x01k\x01v\x0eclient_timeout\x0499999\x02\x01\x01p\x01q",
                _ => b"\x00\x01\x01\x01\x00\x01\x00\x03isn\x00\x09Calculate\x10\x00\x01\x00\x0c\x00\x05\x399999",
            };
            [frame_of(framing, header, &deflated(&call(), 1)), frame_of(framing, &[0, 0], &call())]
        })
        .collect();
    let mut wrong = Vec::new();
    for frame in &frames {
        for at in 4..frame.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff, random.bytes(1)[0]] {
                let mut changed = frame.clone();
                changed[at] = byte;
                wrong.push(changed);
            }
        }
    }
    let mut server = Program::serve(&[]);
    let bystander = Bystander::start(server.address);
    storm(server.address, &wrong, |input, output| {
        assert!(output.len() < 1000, "{output:x?} to {input:x?}");
    });
    bystander.was_served();
    assert!(server.lives());
    server.log().iter().for_each(|line| is_clean(line));
}

#[test]
fn proxy_headers_that_lie_end_their_own_connection_or_change_nothing() {
    let server = Program::serve(&["--proxy-protocol", "127.0.0.0/8"]);
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let addresses = [127, 0, 0, 1, 127, 0, 0, 1, 0, 80, 0, 80];
    let header = |command: u8, family: u8, length: u16, rest: &[u8]| {
        [&signature[..], &[command, family], &length.to_be_bytes(), rest].concat()
    };
    let good = header(0x21, 0x11, 12, &addresses);
    // What a header may say beside addresses is read over, whatever it says.
    let harmless = [
        header(0x20, 0x00, 0, &[]),
        header(0x20, 0xff, 3, b"xyz"),
        header(0x21, 0x00, 0, &[]),
        header(0x21, 0x31, 4, b"unix"),
        header(0x21, 0xf1, 12, &addresses),
        header(0x21, 0x11, 20, &[&addresses[..], b"\x04\xff\xff\x00\x00\x01\x02\x03"].concat()),
        header(0x21, 0x11, 4096, &[&addresses[..], &vec![0xff; 4084]].concat()),
        header(0x21, 0x11, 12, &[0; 12]),
    ];
    for first in harmless {
        let mut peer = Peer::new(server.address);
        peer.send(&first);
        peer.is_served();
    }
    let broken = [
        // Shorter than its addresses, longer than is taken, of no known version or command.
        header(0x21, 0x11, 11, &addresses),
        header(0x21, 0x21, 35, &[0; 35]),
        header(0x21, 0x11, 4097, &[0; 4097]),
        header(0x21, 0x11, 0xffff, &addresses),
        header(0x22, 0x11, 12, &addresses),
        header(0x31, 0x11, 12, &addresses),
        // Two of them, and one whose length leaves half of its addresses to be the first call.
        [&good[..], &good].concat(),
        header(0x20, 0x11, 4, &addresses),
        b"PROXY TCP4 127.0.0.1 127.0.0.1 80 80\r\n".to_vec(),
        b"\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec(),
    ];
    for first in broken {
        let mut peer = Peer::new(server.address);
        peer.offer(&first);
        peer.offer(&square(FRAMED_BINARY, 1, 9.0));
        peer.finish();
        peer.closed();
    }
    // One that comes after a call, where it is believed no more.
    let mut late = Peer::new(server.address);
    late.is_served();
    late.offer(&good);
    late.closed();
    // One that promises more than comes is cut: a proxy writes it at once.
    let mut slow = Peer::new(server.address);
    slow.send(&header(0x21, 0x11, 4096, &addresses));
    slow.closed();
    eventually("it is logged", || !server.logged("PROXY header").is_empty());
    server.log().iter().for_each(|line| is_clean(line));
    is_well(server.address);
}

/// The frame is refused with an exception in an envelope of its kind that has its number; then the connection ends, or
/// goes on.
fn refused(server: &Program, framing: Framing, frame: &[u8]) {
    let mut peer = connect(server);
    peer.write_all(frame).expect("sent");
    let (envelope, reply) = read_envelope(&mut peer, framing);
    let (code, text) = reply.exception();
    assert_eq!((envelope.sequence_id, code), (9, PROTOCOL_ERROR), "{text} to {frame:x?}");
    is_clean(&text);
    peer.shutdown(std::net::Shutdown::Write).expect("shut");
    assert!(all_of(&mut peer).is_empty());
}

fn connect(server: &Program) -> TcpStream {
    let stream = TcpStream::connect(server.address).expect("connects");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream
}

fn read_envelope(stream: &mut TcpStream, framing: Framing) -> (Envelope, Reply) {
    let mut length = [0; 4];
    std::io::Read::read_exact(stream, &mut length).expect("a reply");
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    std::io::Read::read_exact(stream, &mut frame).expect("all of it");
    let (envelope, message) = Envelope::open(framing, &frame, &Limits::default()).expect("an envelope");
    let reply = Reply::read(envelope.protocol, &message).expect("a message");
    (envelope, reply)
}

fn call() -> Vec<u8> {
    message(Protocol::Binary, b"Square", CALL, 6, &number(Protocol::Binary, 9.0))
}

/// A call of about `length` bytes, all of them alike: a text that is no argument of Square.
fn large_call(length: usize) -> Vec<u8> {
    let text = [&[11, 0, 33][..], &(length as u32).to_be_bytes(), &vec![0; length], &[0]].concat();
    message(Protocol::Binary, b"Square", CALL, 6, &text)
}

fn deflated(bytes: &[u8], times: usize) -> Vec<u8> {
    (0..times).fold(bytes.to_vec(), |bytes, _| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    })
}

/// A frame with a message that is deflated so many times.
fn envelope(framing: Framing, times: u8, message: &[u8]) -> Vec<u8> {
    frame_of(framing, &[&[0, times][..], &vec![1; times.into()]].concat(), message)
}

/// A frame with the number 9, padded as it must be.
fn frame_of(framing: Framing, header: &[u8], message: &[u8]) -> Vec<u8> {
    let magic: [u8; 2] = if framing == Framing::THeader { [0x0f, 0xff] } else { [0x10, 0x00] };
    let padded = header.len().next_multiple_of(4);
    let words = (padded as u16 / 4).to_be_bytes();
    let padding = vec![0; padded - header.len()];
    let frame = [&magic[..], &[0, 0, 0, 0, 0, 9], &words, header, &padding, message].concat();
    [&(frame.len() as u32).to_be_bytes()[..], &frame].concat()
}
