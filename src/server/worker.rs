//! A worker: one OS thread, one current-thread runtime, and the connections that were given to it.

use super::connection::{Connection, linger};
use super::dispatch::Services;
use super::pool::Pool;
use super::rejects::{Reason, Rejects};
use super::shutdown::Phase;
use crate::config::Config;
use crate::error::Error;
use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, watch};

/// What all workers of a server share; nothing in it is written on the path of a call.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) services: Services,
    pub(super) pool: Option<Pool>,
    pub(super) rejects: Rejects,
}

/// The acceptor's end of a worker.
#[derive(Debug)]
pub(super) struct Handle {
    sockets: mpsc::UnboundedSender<Accepted>,
    /// Connections given to the worker and not ended.
    connections: Arc<AtomicUsize>,
}

/// A socket on its way to a worker.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// Its place in the connection limit.
    pub(super) permit: OwnedSemaphorePermit,
}

/// What a worker's connections share. They never run at the same time, and none holds a borrow while it waits.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) shared: Arc<Shared>,
    pub(super) buffers: RefCell<Buffers>,
    pub(super) draining: Cell<bool>,
    /// Wakes every connection when the drain begins.
    pub(super) drain: Notify,
    connections: Arc<AtomicUsize>,
    /// Told when the last connection has ended.
    last_ended: Notify,
}

/// Buffers that are used within one turn of one connection: an idle connection owns none.
#[derive(Debug)]
pub(super) struct Buffers {
    /// What one read gave.
    pub(super) input: Box<[u8]>,
    /// The replies to it.
    pub(super) output: Vec<u8>,
}

impl Handle {
    /// Starts a worker thread. It ends when the server is draining, this handle is gone and all connections have ended.
    pub(super) fn start(index: usize, shared: Arc<Shared>, phases: watch::Receiver<Phase>) -> Result<Handle, Error> {
        let cannot = |source| Error::machine(format!("cannot start worker {index}"), source);
        let (sockets, incoming) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let (started, outcome) = std::sync::mpsc::sync_channel(1);
        let run = move || match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => {
                let _ = started.send(Ok(()));
                runtime.block_on(run(Rc::new(Local::new(shared, counted)), incoming, phases));
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        };
        thread::Builder::new().name(format!("worker-{index}")).spawn(run).map_err(cannot)?;
        outcome.recv().unwrap_or_else(|_| Err(std::io::Error::other("it ended"))).map_err(cannot)?;
        Ok(Handle { sockets, connections })
    }

    /// How many connections it has.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// A count of its connections that outlives the handle.
    pub(super) fn counter(&self) -> Arc<AtomicUsize> {
        self.connections.clone()
    }

    /// Gives it a connection.
    pub(super) fn give(&self, accepted: Accepted) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        if self.sockets.send(accepted).is_err() {
            self.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Local {
    fn new(shared: Arc<Shared>, connections: Arc<AtomicUsize>) -> Local {
        let input = vec![0; INPUT_BYTES].into_boxed_slice();
        Local {
            shared,
            buffers: RefCell::new(Buffers { input, output: Vec::new() }),
            draining: Cell::new(false),
            drain: Notify::new(),
            connections,
            last_ended: Notify::new(),
        }
    }

    /// Tells every connection, present and to come, that the server drains; again is as once.
    fn begin_drain(&self) {
        if !self.draining.replace(true) {
            self.drain.notify_waiters();
        }
    }
}

/// One read takes at most this much.
const INPUT_BYTES: usize = 64 * 1024;

async fn run(local: Rc<Local>, mut sockets: mpsc::UnboundedReceiver<Accepted>, mut phases: watch::Receiver<Phase>) {
    loop {
        tokio::select! {
            accepted = sockets.recv() => match accepted {
                Some(accepted) => begin(&local, accepted),
                None => break,
            },
            _ = phases.wait_for(|phase| *phase >= Phase::Draining), if !local.draining.get() => local.begin_drain(),
        }
    }
    // The acceptor lets go when the drain begins: that may be the first that is heard of it here.
    local.begin_drain();
    while local.connections.load(Ordering::Relaxed) > 0 {
        tokio::select! {
            () = local.last_ended.notified() => {}
            _ = phases.wait_for(|phase| *phase >= Phase::Aborting) => return,
        }
    }
}

fn begin(local: &Rc<Local>, accepted: Accepted) {
    let Accepted { stream, peer, permit } = accepted;
    let open = Open { local: local.clone(), _permit: permit };
    let prepared = stream.set_nodelay(true).and_then(|()| tokio::net::TcpStream::from_std(stream));
    match prepared {
        Ok(mut stream) => {
            tokio::task::spawn_local(async move {
                let local = &*open.local;
                let lingers = Connection::new(local, peer).run(&mut stream).await;
                if let Some(time) = lingers {
                    Box::pin(linger(&mut stream, local, time)).await;
                }
            });
        }
        Err(error) => local.shared.rejects.record(Reason::Socket, Some(peer), error),
    }
}

/// A connection's place in the counts; its drop gives it back.
struct Open {
    local: Rc<Local>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.local.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.local.last_ended.notify_one();
        }
    }
}
