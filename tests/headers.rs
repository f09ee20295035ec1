//! The golden frames of header transports: what others wrote we open right, and what we write is what they would.

mod support;

use calculate::wire::framing::{FRAME_HEADER_BYTES, Split, Splitter};
use calculate::wire::{Encoding, Envelope, Headers, Limits, Protocol};
use std::collections::BTreeMap;
use support::golden::{GoldenFrame, frames};

#[test]
fn each_frame_is_found_and_opened_right() {
    for golden in frames() {
        let (envelope, message) = open(&golden);
        assert_eq!(message, golden.message, "{}", golden.name);
        assert_eq!(envelope.sequence_id, golden.sequence_id as u32, "{}", golden.name);
        assert_eq!(envelope.protocol, golden.protocol, "{}", golden.name);
        let named: BTreeMap<&[u8], &[u8]> = envelope.headers.iter().collect();
        assert_eq!(
            named,
            golden.named.iter().map(|(name, value)| (&name[..], &value[..])).collect(),
            "{}",
            golden.name
        );
        let numbered: BTreeMap<u16, &[u8]> = envelope.headers.ints().collect();
        assert_eq!(
            numbered,
            golden.numbered.iter().map(|(key, value)| (*key, &value[..])).collect(),
            "{}",
            golden.name
        );
    }
}

#[test]
fn each_header_is_found_by_its_key() {
    for golden in frames() {
        let (envelope, _) = open(&golden);
        for (name, value) in &golden.named {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            assert_eq!(envelope.headers.get(name), Some(&value[..]), "{}", golden.name);
        }
        for (key, value) in &golden.numbered {
            assert_eq!(envelope.headers.int(*key), Some(&value[..]), "{}", golden.name);
        }
        assert_eq!((envelope.headers.get("no such"), envelope.headers.int(999)), (None, None));
    }
}

#[test]
fn each_frame_is_closed_byte_for_byte() {
    let mut compared = 0;
    for golden in frames() {
        let (envelope, message) = open(&golden);
        let mut out = Vec::new();
        envelope.close(&message, &envelope.headers, &mut out);
        // Deflaters differ, and the ACL section is written as an ordinary header.
        if golden.zlib || golden.name.contains("acl") {
            assert_eq!(open(&GoldenFrame { frame: out, ..golden }), (envelope, message));
        } else {
            assert_eq!(out, golden.frame, "{}", golden.name);
            compared += 1;
        }
    }
    assert!(compared >= 30, "only {compared}");
}

#[test]
fn an_inner_frame_and_flags_are_sent_back() {
    for golden in frames().into_iter().filter(|golden| !golden.zlib && golden.named.is_empty()) {
        let (envelope, _) = open(&golden);
        let mut out = Vec::new();
        envelope.close(b"\x80\x01 a reply", &Headers::new(), &mut out);
        assert_eq!(out[6..8], golden.frame[6..8], "the flags of {}", golden.name);
        let end: &[u8] = if golden.inner_frame { b"\0\0\0\x0a\x80\x01 a reply" } else { b"\0\0\x80\x01 a reply" };
        assert!(out.ends_with(end), "{}: {out:x?}", golden.name);
    }
}

#[test]
fn no_prefix_of_a_frame_is_taken_for_the_whole_and_no_flipped_bit_harms() {
    for golden in frames() {
        let frame = &golden.frame[FRAME_HEADER_BYTES..];
        let header_end = 10 + 4 * usize::from(u16::from_be_bytes([frame[8], frame[9]]));
        for cut in 0..frame.len() {
            match Envelope::open(golden.framing, &frame[..cut], &Limits::default()) {
                Err(_) => {}
                // The frame's length is for its reader to see to; the message shows by itself that it is cut.
                Ok((_, message)) => {
                    assert!(cut >= header_end && !golden.zlib && !golden.inner_frame, "{} cut at {cut}", golden.name);
                    assert_eq!(message, &frame[header_end..cut]);
                }
            }
        }
        for bit in 0..frame.len().min(400) * 8 {
            let mut flipped = frame.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok((envelope, message)) = Envelope::open(golden.framing, &flipped, &Limits::default()) else {
                continue;
            };
            let bytes: usize = envelope.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            assert!(bytes <= frame.len(), "{bytes} bytes of headers in {}", frame.len());
            let mut out = Vec::new();
            envelope.close(&message, &envelope.headers, &mut out);
            let again = Envelope::open(golden.framing, &out[FRAME_HEADER_BYTES..], &Limits::default());
            assert_eq!(again, Ok((envelope.clone(), message.clone())));
        }
    }
}

fn open(golden: &GoldenFrame) -> (Envelope, Vec<u8>) {
    let limits = Limits::default();
    let mut splitter = Splitter::new(Encoding { framing: golden.framing, protocol: Protocol::Binary });
    let split = splitter.split(&golden.frame, &limits).expect("within bounds");
    let Split::Message { message, consumed } = split else { panic!("{} is whole", golden.name) };
    assert_eq!(consumed, golden.frame.len());
    let (envelope, message) = Envelope::open(golden.framing, &golden.frame[message], &limits).expect("a frame");
    (envelope, message.into_owned())
}
