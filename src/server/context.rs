//! What a handler may know of the call that it answers, beside its arguments.

use super::enveloped::Enveloped;
use super::peer::Peer;
use crate::wire::{Encoding, Envelope, Headers};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

/// The call that this thread is answering: who made it, in which encoding, with which headers. Headers come with the
/// header transports, THeader and TTHeader; other clients send none.
///
/// ```no_run
/// use calculate::server::RequestContext;
///
/// let context = RequestContext::current();
/// if let Some(trace) = context.header("trace-id") {
///     RequestContext::set_reply_header("trace-id", trace);
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    peer: Option<Arc<Peer>>,
    encoding: Option<Encoding>,
    envelope: Option<Arc<Envelope>>,
    deadline: Option<Instant>,
}

thread_local! {
    static CURRENT: RefCell<RequestContext> = RefCell::default();
    static REPLY: RefCell<Headers> = RefCell::default();
}

impl RequestContext {
    /// The call that this thread is answering; an empty context where it answers none.
    pub fn current() -> RequestContext {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Who made the call.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }

    /// How the call was encoded; the reply will be, too.
    pub fn encoding(&self) -> Option<Encoding> {
        self.encoding
    }

    /// A header that the peer sent.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()?.get(name)
    }

    /// All headers that the peer sent.
    pub fn headers(&self) -> Option<&Headers> {
        self.envelope.as_ref().map(|envelope| &envelope.headers)
    }

    /// When the caller gives up, if its headers say so: an answer after that is of no use.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sends a header with the reply; one of the same name is replaced. Where the encoding has none it is dropped, as it
    /// is where there are too many of them.
    pub fn set_reply_header(name: &str, value: impl AsRef<[u8]>) {
        if CURRENT.with_borrow(|current| current.envelope.is_some()) {
            let kept = REPLY.with_borrow_mut(|reply| reply.insert(name, value.as_ref()));
            if let Err(error) = kept {
                log::warn!("a reply header is dropped: {error}");
            }
        }
    }
}

/// While it lives, this thread answers calls of one peer.
#[derive(Debug)]
pub(super) struct Turn;

impl Turn {
    pub(super) fn begin(peer: Arc<Peer>, encoding: Option<Encoding>) -> Turn {
        CURRENT.with_borrow_mut(|current| {
            current.peer = Some(peer);
            current.encoding = encoding;
        });
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        CURRENT.take();
    }
}

/// Says how the calls to come in this turn are encoded.
pub(super) fn set_encoding(encoding: Encoding) {
    CURRENT.with_borrow_mut(|current| current.encoding = Some(encoding));
}

/// Runs `answer` with what came in the call's envelope. Gives the headers that the handler wants with the reply.
pub(super) fn with_envelope(enveloped: &Enveloped, answer: impl FnOnce()) -> Headers {
    CURRENT.with_borrow_mut(|current| {
        current.envelope = Some(enveloped.envelope.clone());
        current.deadline = enveloped.deadline;
    });
    answer();
    CURRENT.with_borrow_mut(|current| {
        current.envelope = None;
        current.deadline = None;
    });
    REPLY.take()
}
