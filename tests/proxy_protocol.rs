//! The PROXY protocol: whose word is believed, and what becomes of a header that is none.

mod support;

use std::fs;
use std::net::SocketAddr;
use support::eventually;
use support::message::*;
use support::peer::{Peer, is_well};
use support::program::Program;
use support::tls::{Client, flags};

/// A header that says `source`, as HAProxy writes it.
fn header(source: SocketAddr) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    match source {
        SocketAddr::V4(source) => {
            bytes.extend_from_slice(&[0x11, 0, 12]);
            bytes.extend_from_slice(&source.ip().octets());
            bytes.extend_from_slice(&[127, 0, 0, 1]);
        }
        SocketAddr::V6(source) => {
            bytes.extend_from_slice(&[0x21, 0, 36]);
            bytes.extend_from_slice(&source.ip().octets());
            bytes.extend_from_slice(&[0; 16]);
        }
    }
    bytes.extend_from_slice(&source.port().to_be_bytes());
    bytes.extend_from_slice(&9090u16.to_be_bytes());
    bytes
}

/// A server that lets only 192.0.2.0/24 and 2001:db8::/32 call, and believes proxies in `trusted`.
fn serve(trusted: &str, more: &[String]) -> (Program, std::path::PathBuf) {
    let list =
        std::env::temp_dir().join(format!("calculate-proxy-{}-{}", trusted.replace(['/', ':'], "-"), more.len()));
    fs::write(&list, "allow addr:192.0.2.0/24 *\nallow addr:2001:db8::/32 *\n").expect("written");
    let file = list.to_str().expect("UTF-8").to_owned();
    let arguments = [&["--access".into(), file, "--proxy-protocol".into(), trusted.into()][..], more].concat();
    (Program::serve(&arguments.iter().map(String::as_str).collect::<Vec<_>>()), list)
}

#[test]
fn the_clients_address_counts_when_a_trusted_proxy_gives_it_and_no_header_is_needed() {
    let (server, list) = serve("127.0.0.0/8", &flags("allow", "server"));
    for source in ["192.0.2.7:5000", "[2001:db8::1]:5000"] {
        let source: SocketAddr = source.parse().expect("an address");
        let mut peer = Peer::new(server.address);
        peer.send(&header(source));
        peer.is_served();

        let mut stream = std::net::TcpStream::connect(server.address).expect("connects");
        std::io::Write::write_all(&mut stream, &header(source)).expect("sent");
        let encrypted = Client::default().over(stream).expect("a handshake behind a header");
        Peer::over(encrypted, FRAMED_COMPACT).is_served();
    }
    for first in [header("198.51.100.1:1".parse().expect("an address")), Vec::new()] {
        let mut peer = Peer::new(server.address);
        peer.send(&first);
        peer.square(1, 9.0);
        assert_eq!(peer.reply().exception().0, 10, "neither that client nor the proxy itself may call");
    }
    eventually("the log names both", || !server.logged("198.51.100.1:1 by proxy 127.0.0.1:").is_empty());
    let _ = fs::remove_file(list);
}

#[test]
fn nobody_elses_word_is_believed() {
    let (server, list) = serve("10.0.0.0/8", &[]);
    let mut peer = Peer::new(server.address);
    peer.offer(&header("192.0.2.7:5000".parse().expect("an address")));
    peer.offer(&square(FRAMED_BINARY, 1, 9.0));
    peer.closed();
    let _ = fs::remove_file(list);
}

#[test]
fn what_is_no_header_ends_its_connection_only() {
    let server = Program::serve(&["--proxy-protocol", "127.0.0.1"]);
    let broken: [&[u8]; 3] = [
        b"\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c000000000000",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x020000",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ];
    for bytes in broken {
        let mut peer = Peer::new(server.address);
        peer.offer(bytes);
        peer.offer(&square(FRAMED_BINARY, 1, 9.0));
        peer.closed();
    }
    let mut half = Peer::new(server.address);
    half.send(b"\r\n\r\n\0\r\nQUIT");
    half.finish();
    half.closed();
    eventually("it is logged", || !server.logged("PROXY header").is_empty());
    is_well(server.address);
}
