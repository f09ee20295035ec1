//! What must hold for any bytes at all. The fuzz targets call these, and so does `tests/corpus.rs` over the corpus.
#![allow(dead_code, unreachable_pub)]

#[allow(clippy::all, clippy::unwrap_used, unreachable_pub)]
#[rustfmt::skip]
#[path = "../tests/support/idl/wire.rs"]
mod wire_idl;

use calculate::config::Config;
use calculate::idl::calculate::CalculateSyncProcessor;
use calculate::server::{AccessList, Address, Identity, Peer, Server, TlsSession};
use calculate::service::Calculator;
use calculate::wire::binary::{BinaryInput, BinaryOutput};
use calculate::wire::compact::{CompactInput, CompactOutput};
use calculate::wire::encoding::{Detected, detect as detect_encoding};
use calculate::wire::framing::{Split, Splitter};
use calculate::wire::headers::name::ACL_TOKEN;
use calculate::wire::message::Header;
use calculate::wire::skip::Skip;
use calculate::wire::{Envelope, Framing, Headers, Limits, MAX_HEADERS, Protocol};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use thrift::protocol::{TInputProtocol, TOutputProtocol};
use wire_idl::Everything;

/// Detection never panics, what it once decided more bytes do not change, and eight bytes always decide.
pub fn detect(bytes: &[u8]) {
    let mut decided = None;
    for end in 0..=bytes.len().min(16) {
        let now = detect_encoding(&bytes[..end]);
        if let Some(before) = decided {
            assert_eq!(before, now, "changed its mind at {end}");
        } else if now != Detected::Undecided {
            decided = Some(now);
        }
        assert!(end < 8 || decided.is_some(), "undecided after {end} bytes");
    }
}

/// The binary protocol, strict and not: see [`protocol`].
pub fn binary(bytes: &[u8]) {
    protocol(Protocol::Binary, bytes);
    protocol(Protocol::OldBinary, bytes);
}

/// The compact protocol: see [`protocol`].
pub fn compact(bytes: &[u8]) {
    protocol(Protocol::Compact, bytes);
}

/// Nothing panics and nothing is reserved that did not arrive. What decodes, encodes and decodes to the same value.
/// What decodes, the skip walks over to the same end; and it finds the same end however the bytes are cut.
fn protocol(protocol: Protocol, bytes: &[u8]) {
    let limits = small();
    let whole = Skip::new(protocol).advance(bytes, &limits);
    let mut pieces = Skip::new(protocol);
    let mut pieced = Ok(None);
    for end in 0..=bytes.len() {
        pieced = pieces.advance(&bytes[..end], &limits);
        if !matches!(pieced, Ok(None)) {
            break;
        }
    }
    assert_eq!(whole.is_err(), pieced.is_err(), "{whole:?} whole, {pieced:?} in pieces");
    if let (Ok(whole), Ok(pieced)) = (&whole, &pieced) {
        assert_eq!(whole, pieced);
    }
    let Ok(header) = Header::read(protocol, bytes) else { return };
    let body = &bytes[header.body_offset..];
    let Ok(value) = decode(protocol, body, &limits) else { return };
    assert_eq!(whole, Ok(Some(bytes.len())), "it decodes to the last byte");
    let again = encode(protocol, &value);
    let decoded = decode(protocol, &again, &small()).expect("what we wrote, we read");
    assert_eq!(encode(protocol, &decoded), again);
}

/// THeader: see [`envelope`].
pub fn theader(bytes: &[u8]) {
    envelope(Framing::THeader, bytes);
}

/// TTHeader: see [`envelope`].
pub fn ttheader(bytes: &[u8]) {
    envelope(Framing::TTHeader, bytes);
}

/// A frame, `bytes` without its length, is opened without a panic. What is accepted is within every bound, and its
/// headers are bytes that arrived. What is closed again opens to the same, by its headers' keys as well, and what is
/// refused can be answered if it was a frame of this transport at all.
fn envelope(framing: Framing, bytes: &[u8]) {
    let limits = small();
    let (envelope, message) = match Envelope::open(framing, bytes, &limits) {
        Ok(opened) => opened,
        Err(_) => {
            if let Some(envelope) = Envelope::for_refusal(framing, bytes) {
                let reply = closed(&envelope, b"\x80\x01", &Headers::new());
                Envelope::open(framing, &reply, &limits).expect("a refusal can be opened");
            }
            return;
        }
    };
    assert!(message.len() <= limits.message_bytes);
    let headers = &envelope.headers;
    assert!(headers.len() <= MAX_HEADERS);
    // The one name that does not come from the wire.
    let acl = headers.iter().filter(|(name, _)| *name == ACL_TOKEN.as_bytes()).count() * ACL_TOKEN.len();
    let named: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let numbered: usize = headers.ints().map(|(_, value)| 2 + value.len()).sum();
    assert!(named + numbered <= bytes.len() + acl);
    for (name, _) in headers.iter() {
        let last = headers.iter().filter(|header| header.0 == name).last();
        let Ok(name) = std::str::from_utf8(name) else { continue };
        assert_eq!(headers.get(name), last.map(|(_, value)| value));
    }
    let again = closed(&envelope, &message, headers);
    let opened = Envelope::open(framing, &again, &limits).expect("what we closed, we open");
    assert_eq!(opened, (envelope, message));
}

fn closed(envelope: &Envelope, message: &[u8], headers: &Headers) -> Vec<u8> {
    let mut out = Vec::new();
    envelope.close(message, headers, &mut out);
    let length = out.drain(..4).fold(0, |length, byte| length << 8 | usize::from(byte));
    assert_eq!(length, out.len());
    out
}

/// Whatever a peer sends, in one piece or in many, the server's replies are the same, and each is a whole message of the
/// peer's encoding. Only the last word to a peer that is turned away depends on the pieces: a message over a limit is
/// refused as soon as that is known, in words if its header came along with that.
pub fn reply(bytes: &[u8]) {
    let server = server();
    let (replies, closed) = server.converse(&[bytes]);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_same(&server.converse(&single), &(replies.clone(), closed));
    let odd: Vec<&[u8]> = bytes.chunks(7).collect();
    assert_same(&server.converse(&odd), &(replies.clone(), closed));
    let Detected::Encoding(encoding) = detect_encoding(bytes) else { return };
    let (mut splitter, mut rest) = (Splitter::new(encoding), &replies[..]);
    while !rest.is_empty() {
        match splitter.split(rest, &Limits::default()) {
            Ok(Split::Message { message, consumed }) => {
                let message = &rest[message];
                let (protocol, message) = match encoding.framing.is_header() {
                    true => Envelope::open(encoding.framing, message, &Limits::default())
                        .map(|(envelope, message)| (envelope.protocol, message))
                        .expect("a reply has the envelope of its call"),
                    false => (encoding.protocol, Cow::Borrowed(message)),
                };
                Header::read(protocol, &message).expect("a reply has a header");
                rest = &rest[consumed..];
            }
            other => panic!("a reply is {other:?}"),
        }
    }
}

/// Reading an access list never panics, and what is wrong is said in one line that names a line of the list. A list that
/// is taken says the same every time and in any order: a call is permitted when a rule alone permits it and none alone
/// denies it. So a denial always wins, wherever it stands.
pub fn access(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let list = match AccessList::parse(&text) {
        Ok(list) => Arc::new(list),
        Err(error) => {
            assert_eq!(AccessList::parse(&text), Err(error.clone()));
            let line = error.strip_prefix("line ").and_then(|rest| rest.split_once(':')).expect("a line's number").0;
            assert!((1..=text.lines().count()).contains(&line.parse().expect("a number")), "{error}");
            assert!(!error.contains(char::is_control) && error.len() < 1000, "{error:?}");
            return;
        }
    };
    assert_eq!(AccessList::parse(&text), Ok((*list).clone()));
    let backwards = text.lines().rev().map(|line| format!("{line}\n")).collect::<String>();
    let backwards = Arc::new(AccessList::parse(&backwards).expect("the same rules"));
    let rule = |text: &str| AccessList::parse(text).ok().filter(|rule| !rule.is_empty()).map(Arc::new);
    let alone: Vec<_> = text.lines().filter_map(rule).collect();
    let denied: Vec<_> = text.lines().filter_map(|line| rule(&format!("allow * *\n{line}"))).collect();
    assert_eq!(alone.len(), list.len());
    for peer in peers() {
        for (service, method) in [("Calculate", &b"Square"[..]), ("Calculate", b"*"), ("a.b", b"c"), ("", b"\xff")] {
            let permits = |list: &Arc<AccessList>| list.clone().grants(&peer).permit(service, method);
            let expected = alone.iter().any(permits) && denied.iter().all(permits);
            assert_eq!((permits(&list), permits(&backwards)), (expected, expected), "{peer} {service} {method:x?}");
        }
    }
}

fn peers() -> [Peer; 4] {
    let tcp = |address: &str| Address::Tcp(address.parse().expect("an address"));
    let identity = Identity { common_name: Some("bob".into()), names: vec!["a.b".into(), "spiffe://a/b".into()] };
    let tls = Some(TlsSession { version: "TLSv1.3", identity: Some(identity) });
    let plain = |address| Peer { address, proxy: None, tls: None };
    [
        plain(tcp("10.1.2.3:4")),
        plain(tcp("[::ffff:10.1.2.3]:4")),
        plain(Address::Unix { uid: 0, pid: 1 }),
        Peer { address: tcp("[2001:db8::1]:5"), proxy: None, tls },
    ]
}

fn assert_same(pieced: &(Vec<u8>, bool), whole: &(Vec<u8>, bool)) {
    assert_eq!(pieced.1, whole.1, "closed or not");
    if whole.1 {
        assert!(whole.0.starts_with(&pieced.0), "{pieced:x?} is not the start of {whole:x?}");
    } else {
        assert_eq!(pieced.0, whole.0);
    }
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let config = Config { listen: vec!["127.0.0.1:0".into()], limits: small(), ..Config::default() };
        let server = Server::bind(config).expect("a free port");
        server.service("Calculate", CalculateSyncProcessor::new(Calculator))
    })
}

fn small() -> Limits {
    Limits { message_bytes: 1 << 20, string_bytes: 1 << 16, container_items: 1 << 16, depth: 32 }
}

fn decode(protocol: Protocol, body: &[u8], limits: &Limits) -> thrift::Result<Everything> {
    match protocol {
        Protocol::Binary | Protocol::OldBinary => read(&mut BinaryInput::new(body, limits)),
        Protocol::Compact => read(&mut CompactInput::new(body, limits)),
    }
}

fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Everything> {
    Everything::read_from_in_protocol(input)
}

fn encode(protocol: Protocol, value: &Everything) -> Vec<u8> {
    let mut out = Vec::new();
    let written = match protocol {
        Protocol::Binary | Protocol::OldBinary => write(value, &mut BinaryOutput::new(&mut out)),
        Protocol::Compact => write(value, &mut CompactOutput::new(&mut out)),
    };
    written.expect("a Vec takes everything");
    out
}

fn write(value: &Everything, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
    value.write_to_out_protocol(output)
}
