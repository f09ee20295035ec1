//! Whatever a peer sends: a line of the log stays one line that says what the server means, and no text that goes back
//! shows the server's inside.

mod support;

use calculate::config::Handlers;
use calculate::idl::calculate::CalculateSyncProcessor;
use calculate::server::Server;
use calculate::service::Calculator;
use calculate::wire::framing::{Split, Splitter};
use calculate::wire::{Encoding, Framing, Limits, Protocol};
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use support::gates::Gates;
use support::golden;
use support::library::config;
use support::log::is_clean;
use support::message::*;
use support::peer::{Peer, all_of, is_well};
use support::program::{PROGRAM, Program};
use support::random::Random;
use support::{DEADLINE, eventually};

/// What a forger would have a log show: a line of its own, and a terminal that is cleared.
const FORGED: &str = "x\n[2026-01-01T00:00:00Z INFO  calculate] everybody may do everything\r\u{1b}[2J\u{9b}";

#[test]
fn names_that_forge_log_lines_forge_none() {
    let list = List::new("allow * Calculate.Square\n");
    let mut server = serve(&["--access", list.path()]);
    let (names, long) = (names(), "m".repeat(1000));
    for encoding in ENCODINGS {
        for name in names.iter().map(String::as_str).chain([long.as_str()]) {
            let body = number(encoding.protocol, 9.0);
            let mut peer = Peer::connect(server.address, encoding);
            let name = match encoding.protocol {
                // A name starts with a letter there, or it is no message.
                Protocol::OldBinary => format!("m{name}"),
                _ => name.to_owned(),
            };
            peer.send(&framed_message(encoding, &name, CALL, 4, &body));
            let (code, text) = peer.reply().exception();
            assert!(code > 0 && text.len() < 400, "cut: {code} {text}");
            is_clean(&text);
        }
    }
    for kind in [REPLY, ONEWAY, 9] {
        let mut peer = Peer::new(server.address);
        peer.offer(&framed_message(FRAMED_BINARY, FORGED, kind, 4, &number(Protocol::Binary, 9.0)));
        peer.finish();
        let _ = peer.next_reply();
    }
    forges_nothing(&mut server);
    assert!(!server.logged("not permitted: Calculate.\"x\\n[2026").is_empty(), "escaped, and cut");
}

#[test]
fn headers_that_forge_log_lines_forge_none() {
    let list = List::new("deny * Calculate.Cal\nallow * *\n");
    let mut server = serve(&["--access", list.path()]);
    let forged = FORGED.as_bytes();
    let string = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let short = |bytes: &[u8]| [&[bytes.len() as u8][..], bytes].concat();
    let call = message(Protocol::Binary, b"Cal", CALL, 6, &number(Protocol::Binary, 9.0));
    let headers = [
        // A service, a method, a time-out and a header of no meaning, in TTHeader; the last two in THeader.
        (0x1000_u16, [&[0, 0, 1, 0, 1][..], &string(b"isn"), &string(forged)].concat()),
        (0x1000, [&[0, 0, 0x10, 0, 1, 0, 9][..], &string(forged)].concat()),
        (0x1000, [&[0, 0, 0x10, 0, 1, 0, 12][..], &string(forged)].concat()),
        (0x1000, [&[0, 0, 1, 0, 1][..], &string(forged), &string(forged)].concat()),
        (0x0fff, [&[0, 0, 1, 1][..], &short(b"client_timeout"), &short(forged)].concat()),
        (0x0fff, [&[0, 0, 1, 1][..], &short(forged), &short(forged)].concat()),
        (0x0fff, [&[0, 0, 1, 2][..], &short(forged), &short(forged)].concat()),
    ];
    for (magic, mut header) in headers {
        header.resize(header.len().next_multiple_of(4), 0);
        let words = (header.len() as u16 / 4).to_be_bytes();
        let frame = [&magic.to_be_bytes()[..], &[0, 0, 0, 0, 0, 9], &words, &header, &call].concat();
        let mut peer = TcpStream::connect(server.address).expect("connects");
        peer.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        peer.write_all(&[&(frame.len() as u32).to_be_bytes()[..], &frame].concat()).expect("sent");
        peer.shutdown(std::net::Shutdown::Write).expect("shut");
        let said = all_of(&mut peer);
        assert!(!said.is_empty());
        assert!(!contains(&said, b"everything\r"), "nothing of it comes back as it was: {said:x?}");
    }
    forges_nothing(&mut server);
}

#[test]
fn what_is_no_thrift_forges_nothing_either() {
    let mut server = serve(&["--proxy-protocol", "127.0.0.0/8"]);
    let firsts = [
        format!("GET /{FORGED} HTTP/1.1\r\nHost: {FORGED}\r\n\r\n").into_bytes(),
        format!("POST {FORGED}").into_bytes(),
        format!("PRI * HTTP/2.0\r\n\r\n{FORGED}").into_bytes(),
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", FORGED.as_bytes()].concat(),
        [b"\r\n\r\n", FORGED.as_bytes()].concat(),
        FORGED.as_bytes().to_vec(),
        FORGED.as_bytes()[1..].to_vec(),
        [&[0x16, 3, 1, 0, 200], FORGED.as_bytes()].concat(),
        [&[0, 0, 0, 40, 0x80, 1, 0, 1, 0, 0, 0xff, 0xff], FORGED.as_bytes()].concat(),
        [&[0x80, 1, 0, 1, 0, 0, 0, 6], FORGED.as_bytes()].concat(),
    ];
    for first in firsts {
        let mut peer = TcpStream::connect(server.address).expect("connects");
        peer.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        peer.write_all(&first).expect("sent");
        let _ = peer.shutdown(std::net::Shutdown::Write);
        let said = all_of(&mut peer);
        assert!(!contains(&said, b"everybody"), "{said:x?} to {first:x?}");
    }
    forges_nothing(&mut server);
}

#[test]
fn no_exception_shows_the_inside() {
    let gates = Gates::new();
    let server = Server::bind(config()).expect("a free port");
    let server = server.service("Calculate", CalculateSyncProcessor::new(Calculator)).service_on(
        Handlers::Inline,
        "Wire",
        gates.processor(),
    );
    let mut random = Random::new(5);
    let (mut exceptions, mut texts) = (0, std::collections::BTreeSet::new());
    let messages = golden::messages();
    for golden in messages.iter().cycle().take(20_000) {
        let mut bytes = golden.bytes.clone();
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.bytes(1)[0];
        }
        if random.below(4) == 0 {
            let from = random.below(bytes.len());
            bytes.truncate(from.max(1));
        }
        let encoding = Encoding { framing: Framing::Framed, protocol: golden.protocol };
        let (said, _) = server.converse(&[&frame(encoding, &bytes)]);
        let mut rest = &said[..];
        while let Ok(Split::Message { message, consumed }) = Splitter::new(encoding).split(rest, &Limits::default()) {
            if let Ok(reply) = Reply::read(encoding.protocol, &rest[message])
                && reply.kind == EXCEPTION
            {
                let (_, text) = reply.exception();
                is_clean(&text);
                exceptions += 1;
                texts.insert(text);
            }
            rest = &rest[consumed..];
        }
    }
    assert!(exceptions > 5000 && texts.len() > 50, "{exceptions} exceptions, {} texts", texts.len());
}

/// The server lives, and each line of its log is one that it wrote.
fn forges_nothing(server: &mut Program) {
    is_well(server.address);
    assert!(server.lives());
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log();
    assert!(log.len() > 3, "the peers were heard of: {log:?}");
    for line in log {
        is_clean(&line);
        let own = ["[20", "INFO  calculate", "everybody may"].map(|part| line.find(part));
        assert_eq!(own[0], Some(0), "not a line of this server's: {line:?}");
        assert!(own[2].is_none() || line.contains("\\n["), "{line:?}");
    }
}

/// A server that logs all that it can.
fn serve(arguments: &[&str]) -> Program {
    let mut command = Command::new("env");
    let server = Program::run(command.args(["RUST_LOG=debug", PROGRAM, "serve"]).args(arguments));
    eventually("it logs", || !server.logged("serving").is_empty());
    server
}

fn names() -> Vec<String> {
    [FORGED.to_owned(), format!("Calculate:{FORGED}"), format!("{FORGED}:Cal"), "\0\u{7f}\u{2028}é".into(), "".into()]
        .into()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// An access list in a file of its own.
struct List(PathBuf);

impl List {
    fn new(text: &str) -> List {
        let path = std::env::temp_dir().join(format!("calculate-forged-{}-{}", text.len(), std::process::id()));
        std::fs::write(&path, text).expect("written");
        List(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
