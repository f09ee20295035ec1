//! A connection's calls that are not answered yet, in request order.

use super::pool::Reply;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Replies in the order of their requests, however the pool finishes them: Thrift's generated clients check the next
/// reply's sequence id.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    calls: VecDeque<Pending>,
    /// What `calls` hold: requests that the pool has, replies that wait for their turn.
    bytes: usize,
    /// The part of that which is replies.
    ready_bytes: usize,
}

#[derive(Debug)]
struct Pending {
    bytes: usize,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    /// The pool has it; the other end is in a pool thread's hands or in the pool's queue.
    Waiting(Reply),
    /// Answered, but not its turn.
    Ready(Vec<u8>),
}

impl InFlight {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Bytes of the requests that the pool has, and of the replies that wait for their turn.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the replies that are here and wait for their turn.
    pub(super) fn ready_bytes(&self) -> usize {
        self.ready_bytes
    }

    /// A call of `bytes` bytes that the pool will answer.
    pub(super) fn push_waiting(&mut self, bytes: usize, reply: Reply) {
        self.push(bytes, Answer::Waiting(reply));
    }

    /// A reply that must wait for those before it.
    pub(super) fn push_ready(&mut self, reply: Vec<u8>) {
        self.ready_bytes += reply.len();
        self.push(reply.len(), Answer::Ready(reply));
    }

    fn push(&mut self, bytes: usize, answer: Answer) {
        self.bytes += bytes;
        self.calls.push_back(Pending { bytes, answer });
    }

    /// Waits until the oldest call is answered, then moves all replies whose turn it is to the end of `out`.
    /// Cancel-safe: until it returns nothing has moved.
    pub(super) async fn next_replies(&mut self, out: &mut Vec<u8>) {
        poll_fn(|context| {
            let mut moved = false;
            while let Some(oldest) = self.calls.front_mut() {
                match &mut oldest.answer {
                    Answer::Ready(reply) => {
                        self.ready_bytes -= reply.len();
                        out.append(reply);
                    }
                    Answer::Waiting(waiting) => match Pin::new(waiting).poll(context) {
                        Poll::Ready(Ok((reply, _held))) => out.extend_from_slice(&reply),
                        // A sender that is dropped without a word had nothing to send: a oneway call.
                        Poll::Ready(Err(_)) => {}
                        Poll::Pending => break,
                    },
                }
                self.bytes -= oldest.bytes;
                self.calls.pop_front();
                moved = true;
            }
            if moved { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
