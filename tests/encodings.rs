//! What one port tells from the first bytes, and what it says to those that it does not serve.

mod support;

use calculate::wire::{Encoding, Framing};
use std::io::Write;
use std::time::Duration;
use support::eventually;
use support::message::*;
use support::peer::{Peer, all_of, is_well};
use support::program::Program;
use support::storm::storm;

#[test]
fn each_connection_has_the_encoding_of_its_first_bytes() {
    let server = Program::serve(&["--workers", "1"]);
    let mut peers: Vec<Peer> =
        (0..20).map(|index| Peer::connect(server.address, ENCODINGS[index % ENCODINGS.len()])).collect();
    for _ in 0..3 {
        peers.iter_mut().for_each(Peer::is_served);
    }
}

#[test]
fn a_connection_that_changes_its_encoding_is_closed() {
    let server = Program::serve(&[]);
    for first in ENCODINGS {
        for then in ENCODINGS.into_iter().filter(|then| *then != first) {
            let mut peer = Peer::connect(server.address, first);
            peer.is_served();
            // So long that it is whole, whatever its first bytes are taken for.
            let call = message(then.protocol, b"Square", CALL, 1, &number(then.protocol, 9.0));
            peer.offer(&frame(then, &call));
            peer.finish();
            peer.closed();
        }
    }
    is_well(server.address);
}

#[test]
fn http_is_told_in_its_own_words_what_the_port_speaks() {
    let server = Program::serve(&[]);
    for method in ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"] {
        let mut peer = Peer::new(server.address);
        let request = format!("{method} /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        peer.send(request.as_bytes());
        let answer = String::from_utf8(all_of(&mut peer.stream)).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        assert!(head.contains("Connection: close"));
        assert_eq!(body.trim_end().lines().count(), 1, "one paragraph");
        for word in ["Apache Thrift", "binary", "compact", "framed", "unframed"] {
            assert!(body.contains(word), "{body}");
        }
    }
    eventually("it is logged", || !server.logged("HTTP/1, which this port does not speak").is_empty());
}

#[test]
fn an_http_request_with_a_body_is_answered_and_not_reset() {
    let server = Program::serve(&[]);
    let mut peer = Peer::new(server.address);
    peer.offer(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n");
    peer.offer(&[b'x'; 500_000]);
    let answer = all_of(&mut peer.stream);
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
}

#[test]
fn what_is_known_by_sight_is_closed_and_named_in_the_log() {
    let foreign: [(&[u8], &str); 2] =
        [(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], "TLS"), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2")];
    for (first, name) in foreign {
        let server = Program::serve(&[]);
        let mut peer = Peer::new(server.address);
        peer.send(first);
        peer.closed();
        let line = format!("not a Thrift client: the first bytes are {name}, which this port does not speak; 1 so far");
        eventually("it is logged", || server.logged(&line).len() == 1);
    }
}

#[test]
fn w15_a_thousand_bad_connections_are_few_lines_and_the_count_is_right() {
    let server = Program::serve(&[]);
    storm(server.address, &vec![vec![0x16, 3, 1, 0]; 1000], |_, output| assert!(output.is_empty()));
    // One more in a while, until a line says how many there were.
    let mut sent = 1000;
    let total = |line: &String| {
        let (before, _) = line.split_once(" so far").expect("a count");
        before.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).expect("a number")
    };
    eventually("a line says that there were all", || {
        let mut peer = Peer::new(server.address);
        peer.send(&[0x16, 3, 1, 0]);
        peer.closed();
        sent += 1;
        std::thread::sleep(Duration::from_millis(20));
        server.logged("not a Thrift client").last().map(total) >= Some(1001)
    });
    let lines = server.logged("not a Thrift client");
    assert!(lines.len() <= 5, "{lines:?}");
    let (last, before) = lines.split_last().expect("lines");
    let unlogged = total(last) - before.last().map_or(0, total) - 1;
    assert!(total(last) <= sent);
    assert!(last.contains(&format!("({unlogged} more like it since the last line)")), "{lines:?}");
}

#[test]
fn bytes_that_are_nothing_known_are_closed_and_logged_without_control_characters() {
    let server = Program::serve(&[]);
    for first in [&b"\xff\x1b[31mred\n"[..], b"SSH-2.0-x\r\n", &[0x81, 0, 0, 0], &[0, 0, 0, 9, 1, 2, 3, 4], &[0; 8]] {
        let mut peer = Peer::new(server.address);
        peer.offer(first);
        peer.finish();
        peer.closed();
    }
    eventually("it is logged", || !server.logged("no encoding that this port speaks").is_empty());
    assert!(server.log().iter().all(|line| !line.contains('\x1b')));
    is_well(server.address);
}

#[test]
fn a_call_may_come_with_its_length_first_and_the_rest_later() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS.into_iter().filter(|Encoding { framing, .. }| *framing == Framing::Framed) {
        let mut peer = Peer::connect(server.address, encoding);
        let call = square(encoding, 1, 9.0);
        peer.send(&call[..4]);
        is_well(server.address);
        peer.stream.write_all(&call[4..]).expect("the rest");
        assert_eq!(peer.reply().number(), 3.0);
    }
}
