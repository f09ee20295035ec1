//! What connections cost.

mod support;

use calculate::wire::Protocol;
use support::message::*;
use support::peer::{Peer, is_well};
use support::program::Program;

#[test]
fn w04_a_large_message_leaves_no_large_buffer_behind() {
    const PEERS: i32 = 40;
    const LARGE: usize = 4 << 20;
    for encoding in [FRAMED_BINARY, UNFRAMED_COMPACT] {
        let server = Program::serve(&["--workers", "1"]);
        is_well(server.address);
        let before = server.rss_kib();
        // The text is no argument of Square: it is read, and passed over.
        let large = args(encoding.protocol, |out| {
            out.write_field_begin(&field(thrift::protocol::TType::String, 9))?;
            out.write_bytes(&vec![b'x'; LARGE])
        });
        let call = square(encoding, 2, 9.0);
        let mut peers: Vec<Peer> = (0..PEERS).map(|_| Peer::connect(server.address, encoding)).collect();
        for peer in &mut peers {
            // Half a message behind it, so that there is something to keep.
            peer.send(&[&framed_message(encoding, "Square", CALL, 1, &large), &call[..10]].concat());
            assert_eq!(peer.reply().exception().0, PROTOCOL_ERROR);
        }
        let grown = server.rss_kib().saturating_sub(before);
        assert!(grown < 80 << 10, "{grown} KiB are kept of 160 MiB, {encoding}");
        for peer in &mut peers {
            peer.send(&call[10..]);
            assert_eq!(peer.reply().number(), 3.0);
        }
    }
}

#[test]
fn an_idle_connection_costs_little() {
    const PEERS: u64 = 1000;
    let server = Program::serve(&[]);
    (0..100).for_each(|_| is_well(server.address));
    let before = server.rss_kib();
    let mut peers: Vec<Peer> = (0..PEERS).map(|_| Peer::new(server.address)).collect();
    peers.iter_mut().for_each(Peer::is_served);
    let each = server.rss_kib().saturating_sub(before) * 1024 / PEERS;
    assert!(each < 8 << 10, "{each} bytes for each connection that has made a call and waits");
    peers.iter_mut().for_each(Peer::is_served);
}

#[test]
fn connections_that_end_give_their_memory_back() {
    let server = Program::serve(&[]);
    let call = square(FRAMED_BINARY, 1, 9.0);
    let text = framed_message(FRAMED_BINARY, "Square", CALL, 1, &text_args(Protocol::Binary, &"x".repeat(200_000)));
    let round = || {
        let mut peers: Vec<Peer> = (0..100).map(|_| Peer::new(server.address)).collect();
        for peer in &mut peers {
            peer.send(&[&text[..], &call[..20]].concat());
            assert_eq!(peer.reply().exception().0, PROTOCOL_ERROR);
        }
    };
    (0..3).for_each(|_| round());
    let before = server.rss_kib();
    (0..10).for_each(|_| round());
    let grown = server.rss_kib().saturating_sub(before);
    // What was sent is 200 MB; the allocator gives back what is free when it likes.
    assert!(grown < 64 << 10, "{grown} KiB more after 1,000 connections that came and went");
}
