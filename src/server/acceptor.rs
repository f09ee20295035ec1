//! Accepts connections for as long as the server serves. No error ends it.

use super::dispatch::Services;
use super::pool::Pool;
use super::rejects::{Reason, Rejects};
use super::shared::Shared;
use super::shutdown::{Outcome, Phase, Shutdown};
use super::worker::{Accepted, Handle};
use crate::config::Config;
use crate::error::Error;
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Starts the workers, accepts until the shutdown begins, then drains.
pub(super) fn run(
    config: Config,
    listener: TcpListener,
    services: Services,
    shutdown: Shutdown,
) -> Result<Outcome, Error> {
    let pool = match services.want_pool() {
        true => Some(Pool::start(config.pool_threads, config.pool_queue, config.limits)?),
        false => None,
    };
    let (connections, drain_timeout, drained_pool) = (config.connections, config.drain_timeout, pool.clone());
    log::info!("serving {} on {}: {config}", services.names(), config.listen);
    let shared = Arc::new(Shared { config, services, pool, rejects: Rejects::default() });
    let workers = (0..shared.config.workers)
        .map(|index| Handle::start(index, shared.clone(), shutdown.phases()))
        .collect::<Result<Vec<_>, _>>()?;
    let counters: Vec<_> = workers.iter().map(Handle::counter).collect();
    let cannot = |source| Error::machine("cannot start accepting", source);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    runtime.block_on(async {
        let acceptor = Acceptor {
            listener: tokio::net::TcpListener::from_std(listener).map_err(cannot)?,
            permits: Arc::new(Semaphore::new(connections)),
            reserve: File::open(RESERVE).ok(),
            workers,
            shared,
        };
        acceptor.accept(shutdown.phases()).await;
        Ok(drain(&counters, drained_pool, drain_timeout, &shutdown).await)
    })
}

struct Acceptor {
    listener: tokio::net::TcpListener,
    /// The connection limit; a permit goes with each socket and comes back with its end.
    permits: Arc<Semaphore>,
    /// A descriptor to give up when there are no others, so that a peer can be turned away instead of left waiting.
    reserve: Option<File>,
    workers: Vec<Handle>,
    shared: Arc<Shared>,
}

impl Acceptor {
    /// Accepts until the shutdown begins. The listener and the workers' handles go with it.
    async fn accept(mut self, mut phases: watch::Receiver<Phase>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = phases.wait_for(|phase| *phase >= Phase::Draining) => break,
                accepted = self.next() => accepted,
            };
            match accepted {
                Ok(accepted) => self.give(accepted),
                Err(error) => self.fail(error).await,
            }
        }
        self.give_backlog();
    }

    async fn next(&self) -> io::Result<Accepted> {
        let permit = self.permit().await;
        let (stream, peer) = self.listener.accept().await?;
        Ok(Accepted { stream: stream.into_std()?, peer, permit })
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return permit;
        }
        let most = self.shared.config.connections;
        self.rejects().record(Reason::Full, None, format_args!("all {most} are taken; others wait to be accepted"));
        match self.permits.clone().acquire_owned().await {
            Ok(permit) => permit,
            Err(_) => unreachable!("the semaphore is never closed"),
        }
    }

    fn give(&self, accepted: Accepted) {
        if let Some(fewest) = self.workers.iter().min_by_key(|worker| worker.connections()) {
            fewest.give(accepted);
        }
    }

    /// Connections that are complete in the kernel's backlog are served too: their peers may have sent calls.
    fn give_backlog(&self) {
        let listener = socket2::SockRef::from(&self.listener);
        while let Ok(permit) = self.permits.clone().try_acquire_owned() {
            let Ok((socket, address)) = listener.accept() else { break };
            let (Some(peer), Ok(())) = (address.as_socket(), socket.set_nonblocking(true)) else { continue };
            self.give(Accepted { stream: socket.into(), peer, permit });
        }
    }

    /// An accept failed: with what belongs to one connection nothing is lost, without descriptors or memory there is
    /// no use in trying again at once.
    async fn fail(&mut self, error: io::Error) {
        const PAUSE: Duration = Duration::from_millis(100);
        self.rejects().record(Reason::Accept, None, &error);
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            return;
        }
        self.reserve = None;
        if let Ok((socket, _)) = socket2::SockRef::from(&self.listener).accept() {
            drop(socket);
        }
        self.reserve = File::open(RESERVE).ok();
        tokio::time::sleep(PAUSE).await;
    }

    fn rejects(&self) -> &Rejects {
        &self.shared.rejects
    }
}

/// Waits until all connections have ended, and all calls of those that were lost, or the time is up: then the rest
/// are cut.
async fn drain(counters: &[Arc<AtomicUsize>], pool: Option<Pool>, timeout: Duration, shutdown: &Shutdown) -> Outcome {
    const LOOK: Duration = Duration::from_millis(2);
    let open = || counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum::<usize>();
    let unfinished = || pool.as_ref().map_or(0, Pool::unfinished);
    let ended = async {
        while open() + unfinished() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    let aborted = match tokio::time::timeout(timeout, ended).await {
        Ok(()) => 0,
        Err(_) => open(),
    };
    shutdown.enter(Phase::Aborting);
    Outcome { aborted }
}

const RESERVE: &str = "/dev/null";
