//! The calls that are made, over and over, and the replies that are right.

use crate::cli::method::Method;
use crate::idl::calculate::{CalculateSyncClient, CalculateSyncProcessor, Number, TCalculateSyncClient};
use crate::server::process_body;
use crate::service::Calculator;
use crate::wire::binary::{BinaryInput, BinaryOutput};
use crate::wire::compact::{CompactInput, CompactOutput};
use crate::wire::framing::{begin_frame, end_frame};
use crate::wire::message::Header;
use crate::wire::{Encoding, Limits, Protocol};
use ordered_float::OrderedFloat;
use thrift::protocol::{TInputProtocol, TOutputProtocol};

/// How many different calls there are; a connection has at most so many in flight.
pub(super) const LENGTH: usize = 4096;

/// Encoded calls, each with its own sequence id and number, and the replies to them, back to back. The generated
/// processor wrote the replies, so a reply is checked by comparing bytes.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) encoding: Encoding,
    pub(super) calls: Tape,
    pub(super) replies: Tape,
}

/// Messages back to back.
#[derive(Debug)]
pub(super) struct Tape {
    bytes: Vec<u8>,
    /// Where each message starts, and where the last ends.
    starts: Vec<usize>,
}

impl Script {
    /// Writes the script; an echo server's replies are the calls themselves.
    pub(super) fn write(method: Method, encoding: Encoding, echo: bool) -> Script {
        let mut calls = Tape::new();
        let mut replies = Tape::new();
        for index in 0..LENGTH {
            let call = encode_call(method, encoding.protocol, index as i32 + 1, 0.25 + index as f64);
            let reply = if echo { call.clone() } else { reply_to(encoding.protocol, &call) };
            calls.push(encoding, &call);
            replies.push(encoding, &reply);
        }
        Script { encoding, calls, replies }
    }
}

impl Tape {
    fn new() -> Tape {
        Tape { bytes: Vec::new(), starts: vec![0] }
    }

    fn push(&mut self, encoding: Encoding, message: &[u8]) {
        let start = begin_frame(encoding.framing, &mut self.bytes);
        self.bytes.extend_from_slice(message);
        end_frame(encoding.framing, start, &mut self.bytes);
        self.starts.push(self.bytes.len());
    }

    /// The bytes of messages `from` up to `to`, both at most [`LENGTH`].
    pub(super) fn messages(&self, from: usize, to: usize) -> &[u8] {
        &self.bytes[self.starts[from]..self.starts[to]]
    }

    /// From message `index` to the end of the tape.
    pub(super) fn from(&self, index: usize) -> &[u8] {
        &self.bytes[self.starts[index]..]
    }

    /// How many whole messages, from message `index` on, fit in `bytes`, and their length.
    pub(super) fn whole(&self, index: usize, bytes: usize) -> (usize, usize) {
        let start = self.starts[index];
        let count = self.starts[index + 1..].partition_point(|end| end - start <= bytes);
        (count, self.starts[index + count] - start)
    }
}

fn encode_call(method: Method, protocol: Protocol, sequence_id: i32, value: f64) -> Vec<u8> {
    let mut call = Vec::new();
    let limits = Limits::default();
    let (input, output): (Box<dyn TInputProtocol>, Box<dyn TOutputProtocol + '_>) = match protocol {
        Protocol::Binary | Protocol::OldBinary => {
            let output = BinaryOutput::numbered(&mut call, sequence_id).with_protocol(protocol);
            (Box::new(BinaryInput::new(&[], &limits)), Box::new(output))
        }
        Protocol::Compact => {
            (Box::new(CompactInput::new(&[], &limits)), Box::new(CompactOutput::numbered(&mut call, sequence_id)))
        }
    };
    let number = Number::new(OrderedFloat(value));
    let mut client = CalculateSyncClient::new(input, output);
    // The call is written; the reply that the generated client goes on to ask for is not there.
    let _ = match method {
        Method::Square => client.square(number),
        Method::Cal => client.cal(number),
    };
    drop(client);
    call
}

fn reply_to(protocol: Protocol, call: &[u8]) -> Vec<u8> {
    let limits = Limits::default();
    let processor = CalculateSyncProcessor::new(Calculator);
    let mut reply = Vec::new();
    let header = Header::read(protocol, call).and_then(|header| Ok((header.identifier()?, header.body_offset)));
    let (identifier, body) = header.expect("the call was encoded here");
    let processed = process_body(&processor, protocol, (&identifier, &call[body..]), &limits, &mut reply);
    processed.expect("a Vec takes every reply");
    reply
}
