//! Header transports: what is accepted, what is refused and why, and that a reply is as its request.

use super::super::MAX_HEADERS;
use super::*;
use crate::wire::headers::{key, name};

const BINARY: &[u8] = b"\x80\x01\x00\x01\x00\x00\x00\x06Square\x00\x00\x00\x07\x00";
const COMPACT: &[u8] = b"\x82\x21\x07\x06Square\x00";

/// A frame without its length.
fn frame(framing: Framing, header: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = header.len().next_multiple_of(4);
    let words = (padded as u16 / 4).to_be_bytes();
    let start = [&magic(framing)[..], &[0, 1, 0, 0, 0, 9], &words, header].concat();
    [&start[..], &vec![0; padded - header.len()], message].concat()
}

fn theader(header: &[u8], message: &[u8]) -> Vec<u8> {
    frame(Framing::THeader, header, message)
}

fn ttheader(header: &[u8], message: &[u8]) -> Vec<u8> {
    frame(Framing::TTHeader, header, message)
}

fn open(frame: &[u8]) -> Result<(Envelope, Vec<u8>), String> {
    let framing = if frame.starts_with(&[0x10]) { Framing::TTHeader } else { Framing::THeader };
    let opened = Envelope::open(framing, frame, &Limits::default());
    opened.map(|(envelope, message)| (envelope, message.into_owned())).map_err(|error| error.to_string())
}

fn deflated(message: &[u8], times: usize) -> Vec<u8> {
    (0..times).fold(message.to_vec(), |message, _| {
        let mut out = Vec::new();
        zlib::deflate(&message, &mut out);
        out
    })
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

#[test]
fn headers_and_message_are_taken_out() {
    let (envelope, message) = open(&theader(b"\x00\x00\x01\x02\x01a\x02bc\x00\x01d", BINARY)).expect("a frame");
    assert_eq!(message, BINARY);
    assert_eq!((envelope.protocol, envelope.sequence_id), (Protocol::Binary, 9));
    assert_eq!(envelope.headers.iter().collect::<Vec<_>>(), [(&b"a"[..], &b"bc"[..]), (b"", b"d")]);

    let numbered = b"\x10\x00\x02\x00\x09\x00\x06Square\x00\x0c\x00\x03500";
    let sections = [b"\x00\x00\x01\x00\x01\x00\x03isn\x00\x04Calc\x00", &numbered[..], b"\x11\x00\x01t"].concat();
    let (envelope, message) = open(&ttheader(&sections, COMPACT)).expect("a frame");
    assert_eq!(message, COMPACT);
    assert_eq!((envelope.protocol, envelope.sequence_id), (Protocol::Compact, 9));
    assert_eq!(envelope.headers.get(name::IDL_SERVICE), Some(&b"Calc"[..]));
    assert_eq!(envelope.headers.get(name::ACL_TOKEN), Some(&b"t"[..]));
    assert_eq!(envelope.headers.int(key::TO_METHOD), Some(&b"Square"[..]));
    assert_eq!(envelope.headers.int(key::RPC_TIMEOUT), Some(&b"500"[..]));
    assert_eq!(envelope.headers.int(key::LOG_ID), None);
}

#[test]
fn a_reply_is_as_its_request() {
    let frames = [
        theader(b"\x00\x00", BINARY),
        theader(b"\x02\x00", COMPACT),
        theader(b"\x00\x01\x01", &deflated(BINARY, 1)),
        theader(b"\x02\x01\x01\x01\x01\x01k\x01v", &deflated(COMPACT, 1)),
        ttheader(b"\x00\x00", BINARY),
        ttheader(b"\x02\x00", COMPACT),
        // Volo says "binary" before compact messages.
        ttheader(b"\x00\x00", COMPACT),
        ttheader(b"\x00\x00", &framed(BINARY)),
        ttheader(b"\x00\x01\x01", &deflated(BINARY, 1)),
        ttheader(b"\x02\x01\x01", &deflated(&framed(COMPACT), 1)),
    ];
    for frame in frames {
        let (envelope, message) = open(&frame).expect("a frame");
        let mut out = b"before".to_vec();
        envelope.close(&message, &envelope.headers, &mut out);
        assert_eq!(&out[6..], framed(&frame), "{envelope:?}");

        let mut headers = Headers::new();
        headers.insert(name::CONNECTION_READY_TO_RESET, b"1").expect("room");
        headers.insert_int(key::MESSAGE_TYPE, b"2").expect("room");
        let mut out = Vec::new();
        envelope.close(b"\x80\x01reply", &headers, &mut out);
        let (reply, message) = Envelope::open(envelope.framing, &out[4..], &Limits::default()).expect("a reply");
        assert_eq!(&message[..], b"\x80\x01reply");
        assert_eq!(reply.headers.get("crrst"), Some(&b"1"[..]));
        let numbered = envelope.framing == Framing::TTHeader;
        assert_eq!(reply.headers.int(22), numbered.then_some(&b"2"[..]), "THeader has no numbered headers");
        let protocol = reply.protocol;
        assert_eq!(Envelope { headers: envelope.headers.clone(), protocol: envelope.protocol, ..reply }, envelope);
        assert!(protocol == Protocol::Binary || envelope.framing == Framing::THeader);
    }
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let long = |start: &[u8], entry: &[u8], count: usize| [start, &entry.repeat(count)].concat();
    let cases: [(Vec<u8>, &str); 31] = [
        (vec![0x0f, 0xff, 0, 0, 0, 0], "a header frame of fewer than 10 bytes"),
        (vec![0x0f, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0], "a frame without its header transport's magic number"),
        (theader(b"\x00\x00", b"")[..11].to_vec(), "a header longer than its frame"),
        ([&theader(b"", b"")[..8], &[0xff, 0xff]].concat(), "headers of 262140 bytes; at most 65536 are taken"),
        (theader(b"", BINARY), "a header that ends inside a value"),
        (theader(b"\x01\x00", BINARY), "a protocol in THeader that is not spoken here; binary (0) and compact (2) are"),
        (
            theader(b"\x80\x80\x04\x00", BINARY),
            "a protocol in THeader that is not spoken here; binary (0) and compact (2) are",
        ),
        (
            theader(b"\x00\x01\x02\x00", BINARY),
            "the transform HMAC (2), which is not spoken here; zlib (1) is, or none",
        ),
        (theader(b"\x00\x01\x03", BINARY), "the transform Snappy (3), which is not spoken here; zlib (1) is, or none"),
        (
            theader(b"\x00\x01\x05", BINARY),
            "the transform Zstandard (5), which is not spoken here; zlib (1) is, or none",
        ),
        (theader(b"\x00\x01\x63", BINARY), "an unknown transform, 99; zlib (1) is taken, or none"),
        (theader(b"\x00\xff\xff\xff\xff\x0f\x00\x00", BINARY), "a header that ends inside a value"),
        (theader(b"\x00\x05\x01\x01\x01\x01\x01", BINARY), "a message that is deflated more than 4 times"),
        (theader(b"\x00\x00\x01\xff\xff\xff\xff\x0f", BINARY), "a header that ends inside a value"),
        (theader(b"\x00\x00\x01\xff\xff\xff\xff\x1f", BINARY), "a varint of more than 32 bits"),
        (theader(b"\x00\x00\x01\x80\x80\x80\x80\x80\x80\x00", BINARY), "a varint without an end"),
        (theader(b"\x00\x00\x01\x01\x05ab\x00", BINARY), "a header that ends inside a value"),
        (theader(b"\x00\x00\x01\x01\xff\xff\xff\xff\x0fa\x00", BINARY), "a header that ends inside a value"),
        (theader(&long(b"\x00\x00\x01\x81\x08", b"\x00\x00", 1025), BINARY), "more than 1024 headers"),
        (theader(b"\x00\x01\x01", BINARY), "not zlib data"),
        (theader(b"\x00\x01\x01", &deflated(BINARY, 1)[..9]), "zlib data that ends early"),
        (theader(b"\x00\x02\x01\x01", &deflated(BINARY, 1)), "not zlib data"),
        (
            ttheader(b"\x03\x00", BINARY),
            "fbthrift's compact protocol (3) in TTHeader, which is not spoken here; binary (0) and compact (2) are",
        ),
        (
            ttheader(b"\x04\x00", BINARY),
            "Protobuf (4) in TTHeader, which is not spoken here; binary (0) and compact (2) are",
        ),
        (ttheader(b"\x63\x00", BINARY), "an unknown protocol, 99, in a TTHeader header"),
        (
            ttheader(b"\x00\x00", b"\x00\x00\x00\x06\x90\x01\x00\x00\x00\x00"),
            "a Protobuf message, which is not spoken here; Thrift is",
        ),
        (ttheader(b"\x00\x00", b""), "a TTHeader frame without a message"),
        (
            ttheader(b"\x00\x00", b"\x00\x00\x00\x07\x80\x01\x00\x01\x00\x00"),
            "a frame inside a frame that is not as long as its place",
        ),
        (ttheader(b"\x00\x00\x02\x00", BINARY), "a section of unknown kind 2 in a TTHeader header"),
        (ttheader(&long(b"\x00\x00\x10\x04\x01", b"\x00\x00\x00\x00", 1025), BINARY), "more than 1024 headers"),
        (ttheader(b"\x00\x00\x01\xff\xff\x00\x00\x00\x00", BINARY), "a header that ends inside a value"),
    ];
    for (frame, text) in cases {
        assert_eq!(open(&frame).expect_err(text), text);
    }
    let mut stream = ttheader(b"\x00\x00", BINARY);
    stream[3] = 0b11;
    assert_eq!(
        open(&stream).expect_err("a stream"),
        "a stream over TTHeader, which is not spoken here; plain calls are"
    );
}

#[test]
fn a_message_is_within_bounds_deflated_or_not() {
    let message = [BINARY, &[0; 1000]].concat();
    let limits = |message_bytes| Limits { message_bytes, ..Limits::default() };
    let frames = [
        theader(b"\x00\x00", &message),
        theader(b"\x00\x01\x01", &deflated(&message, 1)),
        theader(b"\x00\x04\x01\x01\x01\x01", &deflated(&message, 4)),
        ttheader(b"\x00\x00", &framed(&message)),
        ttheader(b"\x00\x01\x01", &deflated(&framed(&message), 1)),
    ];
    for frame in frames {
        let framing = if frame[0] == 0x10 { Framing::TTHeader } else { Framing::THeader };
        let (_, whole) = Envelope::open(framing, &frame, &limits(message.len())).expect("as long as is allowed");
        assert_eq!(whole, message);
        Envelope::open(framing, &frame, &limits(message.len() - 1)).expect_err("longer than is allowed");
    }
}

#[test]
fn padding_of_any_length_and_sections_of_later_kinds_are_passed_over() {
    for padding in [0, 1, 4, 7, 400] {
        let header = [&b"\x00\x00\x01\x01\x01a\x01b"[..], &vec![0; padding]].concat();
        let (envelope, message) = open(&theader(&header, BINARY)).expect("a frame");
        assert_eq!((envelope.headers.get("a"), &message[..]), (Some(&b"b"[..]), BINARY));
        let header = [&b"\x00\x00"[..], &vec![0; padding], b"\x01\x00\x01\x00\x01a\x00\x01b"].concat();
        let (envelope, message) = open(&ttheader(&header, BINARY)).expect("a frame");
        assert_eq!((envelope.headers.get("a"), &message[..]), (Some(&b"b"[..]), BINARY));
    }
    let (envelope, message) = open(&theader(b"\x00\x00\x01\x01\x01a\x01b\x09\xff\xff", BINARY)).expect("a frame");
    assert_eq!((envelope.headers.len(), &message[..]), (1, BINARY));
}

#[test]
fn the_last_of_two_headers_counts_and_a_persistent_one_gives_way() {
    let (envelope, _) = open(&theader(b"\x00\x00\x01\x02\x01a\x01b\x01a\x01c", BINARY)).expect("a frame");
    assert_eq!(envelope.headers.get("a"), Some(&b"c"[..]));
    let (envelope, _) =
        open(&ttheader(b"\x00\x00\x10\x00\x02\x00\x03\x00\x01b\x00\x03\x00\x01c", BINARY)).expect("a frame");
    assert_eq!(envelope.headers.int(key::FROM_SERVICE), Some(&b"c"[..]));
    for sections in [
        &b"\x00\x00\x01\x01\x01a\x01b\x02\x02\x01a\x01p\x01q\x01r"[..],
        b"\x00\x00\x02\x02\x01a\x01p\x01q\x01r\x01\x01\x01a\x01b",
    ] {
        let (envelope, _) = open(&theader(sections, BINARY)).expect("a frame");
        assert_eq!(envelope.headers.get("a"), Some(&b"b"[..]));
        assert_eq!(envelope.headers.get("q"), Some(&b"r"[..]), "a persistent one");
    }
}

#[test]
fn a_refused_frame_can_be_answered() {
    let frame = theader(b"\x00\x01\x03", BINARY);
    let envelope = Envelope::for_refusal(Framing::THeader, &frame).expect("the start is there");
    let mut out = Vec::new();
    envelope.close(BINARY, &Headers::new(), &mut out);
    let (reply, message) = open(&out[4..]).expect("a frame");
    assert_eq!((reply.sequence_id, &message[..]), (9, BINARY));
    assert_eq!(Envelope::for_refusal(Framing::TTHeader, &frame), None);
    assert_eq!(Envelope::for_refusal(Framing::THeader, &frame[..9]), None);
}

#[test]
fn every_prefix_and_every_flipped_bit_is_read_or_refused() {
    let sections = b"\x00\x00\x01\x00\x01\x00\x03isn\x00\x04Calc\x10\x00\x02\x00\x09\x00\x06Square\x00\x0c\x00\x03500";
    let frames = [
        theader(b"\x00\x00\x01\x02\x01a\x02bc\x00\x01d\x02\x01\x01p\x01q", BINARY),
        theader(b"\x00\x02\x01\x01\x01\x02\x01a\x02bc\x00\x01d", &deflated(BINARY, 2)),
        ttheader(sections, &framed(COMPACT)),
        ttheader(b"\x00\x01\x01", &deflated(&framed(BINARY), 1)),
    ];
    for frame in frames {
        for cut in 0..frame.len() {
            bounded(&frame[..cut]);
        }
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            bounded(&flipped);
        }
    }
}

/// Whatever is accepted owns no more than what arrived, and closes to what opens to the same.
fn bounded(frame: &[u8]) {
    let Ok((envelope, message)) = open(frame) else { return };
    let owned: usize = envelope.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(owned <= frame.len() && envelope.headers.len() <= MAX_HEADERS);
    let mut out = Vec::new();
    envelope.close(&message, &envelope.headers, &mut out);
    assert_eq!(open(&out[4..]), Ok((envelope, message)));
}

#[test]
fn a_message_that_is_deflated_again_and_again_to_become_many_times_its_length_is_refused() {
    // Once is as long as zlib can make it, and that is taken.
    let zeros = [BINARY, &vec![0; 10_000_000]].concat();
    let once = deflated(&zeros, 1);
    assert!(zeros.len() > 100 * once.len(), "{} bytes", once.len());
    assert_eq!(open(&ttheader(b"\x00\x01\x01", &once)).map(|(_, message)| message.len()), Ok(zeros.len()));
    for times in 2..=4 {
        let bomb = deflated(&zeros, times);
        let header = [&[0, times as u8][..], &vec![1; times]].concat();
        for frame in [ttheader(&header, &bomb), theader(&header, &bomb)] {
            let error = open(&frame).expect_err("a bomb");
            assert!(error.starts_with("zlib data of more than "), "{error}");
        }
        // Small messages may be deflated as often as anybody likes.
        assert!(open(&ttheader(&header, &deflated(BINARY, times))).is_ok());
    }
}
