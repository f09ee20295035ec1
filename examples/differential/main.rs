//! Reads whatever bytes it is given with this library's protocols and says what they mean, for `fuzz/differential/run.py`,
//! which asks Apache's libraries the same.
//!
//! A case on standard input is a length (4 bytes, big-endian), a letter and bytes: `b`, `c`, `o` and a message in the
//! binary, the compact and the non-strict binary protocol; `B`, `C` and a struct `Everything` of
//! `tests/support/wire.thrift`. The answer is a length and a text: `ok` and what it means, after a struct also what it is
//! written as again, in both protocols, in hexadecimal; or `no` and why not.

mod describe;
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used, dead_code)]
#[rustfmt::skip]
#[path = "../../tests/support/idl/wire.rs"]
mod wire;

use calculate::wire::binary::{BinaryInput, BinaryOutput};
use calculate::wire::compact::{CompactInput, CompactOutput};
use calculate::wire::message::Header;
use calculate::wire::{Limits, Protocol};
use std::io::{self, BufReader, BufWriter, Read, Write};
use thrift::protocol::TInputProtocol;
use wire::Everything;

fn main() -> io::Result<()> {
    let (mut input, mut output) = (BufReader::new(io::stdin().lock()), BufWriter::new(io::stdout().lock()));
    let mut length = [0; 4];
    while input.read_exact(&mut length).is_ok() {
        let mut case = vec![0; u32::from_be_bytes(length) as usize];
        input.read_exact(&mut case)?;
        let answer = match answer(&case) {
            Ok(meaning) => format!("ok {meaning}"),
            Err(error) => format!("no {}", text(&error)),
        };
        output.write_all(&(answer.len() as u32).to_be_bytes())?;
        output.write_all(answer.as_bytes())?;
        output.flush()?;
    }
    Ok(())
}

fn answer(case: &[u8]) -> thrift::Result<String> {
    let (letter, bytes) = case.split_first().ok_or("an empty case")?;
    match letter {
        b'b' => message(Protocol::Binary, bytes),
        b'c' => message(Protocol::Compact, bytes),
        b'o' => message(Protocol::OldBinary, bytes),
        b'B' => everything(Protocol::Binary, bytes),
        b'C' => everything(Protocol::Compact, bytes),
        _ => Err("an unknown letter".into()),
    }
}

fn message(protocol: Protocol, bytes: &[u8]) -> thrift::Result<String> {
    let header = Header::read(protocol, bytes)?;
    let identifier = header.identifier()?;
    let name: String = header.name.iter().map(|byte| format!("{byte:02x}")).collect();
    let kind: u8 = identifier.message_type.into();
    std::str::from_utf8(header.name).map_err(|_| "a method name that is not UTF-8")?;
    let body = walk(protocol, &bytes[header.body_offset..], describe::Order::AsSent)?;
    Ok(format!("{name} {kind} {} {body}", header.sequence_id))
}

fn walk(protocol: Protocol, body: &[u8], order: describe::Order) -> thrift::Result<String> {
    let (limits, mut out) = (Limits::default(), String::new());
    let mut input: Box<dyn TInputProtocol> = match protocol {
        Protocol::Binary | Protocol::OldBinary => Box::new(BinaryInput::new(body, &limits)),
        Protocol::Compact => Box::new(CompactInput::new(body, &limits)),
    };
    describe::read_struct(&mut *input, order, &mut out)?;
    Ok(out)
}

fn everything(protocol: Protocol, bytes: &[u8]) -> thrift::Result<String> {
    let limits = Limits::default();
    let read = match protocol {
        Protocol::Binary | Protocol::OldBinary => {
            Everything::read_from_in_protocol(&mut BinaryInput::new(bytes, &limits))
        }
        Protocol::Compact => Everything::read_from_in_protocol(&mut CompactInput::new(bytes, &limits)),
    }?;
    let (mut binary, mut compact) = (Vec::new(), Vec::new());
    read.write_to_out_protocol(&mut BinaryOutput::new(&mut binary))?;
    read.write_to_out_protocol(&mut CompactOutput::new(&mut compact))?;
    let meaning = walk(Protocol::Binary, &binary, describe::Order::Sorted)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(format!("{meaning} {} {}", hex(&binary), hex(&compact)))
}

fn text(error: &thrift::Error) -> String {
    match error {
        thrift::Error::Protocol(error) => error.message.clone(),
        thrift::Error::Transport(error) => error.message.clone(),
        thrift::Error::Application(error) => error.message.clone(),
        thrift::Error::User(error) => error.to_string(),
    }
}
