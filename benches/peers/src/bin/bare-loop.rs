//! A bare loop round the generated processor, with the protocols of the thrift crate: framed binary.

use std::io;

use calculate_peers::epoll::{self, Answer};
use calculate_peers::idl::CalculateSyncProcessor;
use calculate_peers::{FRAME_BYTES_MAX, Handler};
use thrift::protocol::{TBinaryInputProtocol, TBinaryOutputProtocol};
use thrift::server::TProcessor;

fn main() -> io::Result<()> {
    let calculate = Calculate { processor: CalculateSyncProcessor::new(Handler), replies: Vec::new() };
    epoll::serve(calculate_peers::bind()?, calculate)
}

struct Calculate {
    processor: CalculateSyncProcessor<Handler>,
    /// The framed replies to the read at hand.
    replies: Vec<u8>,
}

impl Answer for Calculate {
    /// The start of a frame whose end has not come.
    type State = Vec<u8>;

    fn answer<'a>(&'a mut self, partial: &mut Vec<u8>, input: &'a [u8]) -> Option<&'a [u8]> {
        self.replies.clear();
        if partial.is_empty() {
            let used = self.process_frames(input)?;
            partial.extend_from_slice(&input[used..]);
        } else {
            partial.extend_from_slice(input);
            let used = self.process_frames(partial)?;
            partial.drain(..used);
        }
        Some(&self.replies)
    }
}

impl Calculate {
    /// Answers the complete frames that `bytes` begins with; how many bytes they are.
    fn process_frames(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut rest = bytes;
        while let Some((header, body)) = rest.split_first_chunk::<HEADER_BYTES>() {
            let length = u32::from_be_bytes(*header) as usize;
            if length > FRAME_BYTES_MAX {
                return None;
            }
            let Some((message, after)) = body.split_at_checked(length) else {
                break;
            };
            self.process(message)?;
            rest = after;
        }
        Some(bytes.len() - rest.len())
    }

    fn process(&mut self, message: &[u8]) -> Option<()> {
        let start = self.replies.len();
        self.replies.extend_from_slice(&[0; HEADER_BYTES]);
        let mut input = TBinaryInputProtocol::new(message, true);
        let mut output = TBinaryOutputProtocol::new(&mut self.replies, true);
        self.processor.process(&mut input, &mut output).ok()?;
        let body = start + HEADER_BYTES;
        let length = (self.replies.len() - body) as u32;
        self.replies[start..body].copy_from_slice(&length.to_be_bytes());
        Some(())
    }
}

const HEADER_BYTES: usize = 4;
