//! What connections share: all of a server's, and all of one worker's.

use super::access::Access;
use super::buffered::Buffered;
use super::dispatch::Services;
use super::pool::Pool;
use super::rejects::Rejects;
use super::tls::Tls;
use crate::config::Config;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// What all workers of a server share; nothing in it is written on the path of a call.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) services: Services,
    pub(super) pool: Option<Pool>,
    /// Set unless TLS is off.
    pub(super) tls: Option<Tls>,
    /// Set when there is an access list.
    pub(super) access: Option<Access>,
    pub(super) rejects: Rejects,
    /// What all connections hold together.
    pub(super) buffered: Arc<Buffered>,
}

/// What a worker's connections share. They never run at the same time, and none holds a borrow while it waits.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) shared: Arc<Shared>,
    /// What one read gave. It is used before the connection that read waits for anything: an idle one owns no buffer.
    pub(super) input: RefCell<Box<[u8]>>,
    pub(super) draining: Cell<bool>,
    /// Wakes every connection when the drain begins.
    pub(super) drain: Notify,
    /// Its connections; also the acceptor counts by it.
    pub(super) connections: Arc<AtomicUsize>,
    /// Told when the last connection has ended.
    pub(super) last_ended: Notify,
}

/// A connection's place in the counts; its drop gives it back.
pub(super) struct Open {
    pub(super) local: Rc<Local>,
    /// Its place in the connection limit.
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.local.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.local.last_ended.notify_one();
        }
    }
}

impl Local {
    pub(super) fn new(shared: Arc<Shared>, connections: Arc<AtomicUsize>) -> Local {
        Local {
            shared,
            input: RefCell::new(vec![0; INPUT_BYTES].into_boxed_slice()),
            draining: Cell::new(false),
            drain: Notify::new(),
            connections,
            last_ended: Notify::new(),
        }
    }

    /// Waits for the drain, which may have begun.
    pub(super) async fn drain_begins(&self) {
        let begins = self.drain.notified();
        if !self.draining.get() {
            begins.await;
        }
    }

    /// Tells every connection, present and to come, that the server drains; again is as once.
    pub(super) fn begin_drain(&self) {
        if !self.draining.replace(true) {
            self.drain.notify_waiters();
        }
    }
}

/// One read takes at most this much.
const INPUT_BYTES: usize = 64 * 1024;
