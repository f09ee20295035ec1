//! What a handler may know of the call that it answers, beside its arguments.

use super::peer::Peer;
use crate::wire::Encoding;
use std::cell::RefCell;
use std::sync::Arc;

/// The call that this thread is answering: who made it, in which encoding.
///
/// ```no_run
/// use calculate::server::RequestContext;
///
/// let context = RequestContext::current();
/// let caller = context.peer().and_then(|peer| peer.identity());
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    peer: Option<Arc<Peer>>,
    encoding: Option<Encoding>,
}

thread_local! {
    static CURRENT: RefCell<RequestContext> = RefCell::default();
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
}

/// While it lives, this thread answers calls of one peer.
#[derive(Debug)]
pub(super) struct Turn;

impl Turn {
    pub(super) fn begin(peer: Arc<Peer>, encoding: Option<Encoding>) -> Turn {
        CURRENT.with_borrow_mut(|current| *current = RequestContext { peer: Some(peer), encoding });
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        CURRENT.take();
    }
}
