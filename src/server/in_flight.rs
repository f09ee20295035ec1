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
}

#[derive(Debug)]
enum Pending {
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

    /// A call that the pool will answer.
    pub(super) fn push_waiting(&mut self, reply: Reply) {
        self.calls.push_back(Pending::Waiting(reply));
    }

    /// A reply that must wait for those before it.
    pub(super) fn push_ready(&mut self, reply: Vec<u8>) {
        self.calls.push_back(Pending::Ready(reply));
    }

    /// Waits until the oldest call is answered, then moves all replies whose turn it is to the end of `out`.
    /// Cancel-safe: until it returns nothing has moved.
    pub(super) async fn next_replies(&mut self, out: &mut Vec<u8>) {
        poll_fn(|context| {
            let mut moved = false;
            while let Some(oldest) = self.calls.front_mut() {
                let reply = match oldest {
                    Pending::Ready(reply) => std::mem::take(reply),
                    Pending::Waiting(waiting) => match Pin::new(waiting).poll(context) {
                        // A sender that is dropped without a word had nothing to send: a oneway call.
                        Poll::Ready(reply) => reply.unwrap_or_default(),
                        Poll::Pending => break,
                    },
                };
                out.extend_from_slice(&reply);
                self.calls.pop_front();
                moved = true;
            }
            if moved { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
