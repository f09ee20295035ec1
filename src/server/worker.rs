//! A worker: one OS thread, one current-thread runtime, and the connections that were given to it.

use super::close::close;
use super::connection::Connection;
use super::handshake;
use super::peer::Address;
use super::shared::{Local, Open, Shared};
use super::shutdown::Phase;
use crate::error::Error;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

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
    pub(super) socket: OwnedFd,
    pub(super) address: Address,
    /// Its place in the connection limit.
    pub(super) permit: OwnedSemaphorePermit,
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
    let Accepted { socket, address, permit } = accepted;
    tokio::task::spawn_local(serve(Open { local: local.clone(), _permit: permit }, socket, address));
}

/// A connection, from its first byte to its end. Most of what an idle connection takes is this future.
#[expect(clippy::manual_async_fn, reason = "an async fn keeps what it is given by value twice")]
fn serve(open: Open, socket: OwnedFd, address: Address) -> impl Future<Output = ()> {
    async move {
        let local = &*open.local;
        // Not a match round it all: what it is on would be kept as long as the connection is.
        let (mut stream, peer) = match handshake::begin(socket, address, local).await {
            Ok(Some(begun)) => begun,
            // The peer left before it said a word.
            Ok(None) => return,
            Err((address, ending)) => {
                return local.shared.rejects.record(ending.reason, Some(&address), &ending.detail);
            }
        };
        let ended = Connection::new(local, peer).run(&mut stream).await;
        close(stream, local, ended).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F>(_: fn(Open, OwnedFd, Address) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_is_less_than_a_kibibyte_with_what_its_task_takes() {
        assert!(size(serve) <= 912, "{}", size(serve));
    }
}
