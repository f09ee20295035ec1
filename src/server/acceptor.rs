//! Accepts connections for as long as the server serves. No error ends it.

use super::listener::{Listener, Waiting};
use super::pool::Pool;
use super::rejects::{Reason, Rejects};
use super::reload;
use super::shared::Shared;
use super::shutdown::{Outcome, Phase, Shutdown};
use super::worker::{Accepted, Handle};
use crate::error::Error;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Starts the workers, accepts until the shutdown begins, then drains. Says when it is `serving`.
pub(super) fn run(
    mut shared: Shared,
    listeners: Vec<Listener>,
    files: reload::Files,
    shutdown: Shutdown,
    serving: impl FnOnce(),
) -> Result<Outcome, Error> {
    let config = &shared.config;
    if shared.services.want_pool() {
        shared.pool = Some(Pool::start(config.pool_threads, config.pool_queue, config.limits)?);
    }
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.address().to_string()).collect();
    log::info!("serving {} on {}: {config}", shared.services.names(), addresses.join(", "));
    let (drain_timeout, pool) = (config.drain_timeout, shared.pool.clone());
    let shared = Arc::new(shared);
    let workers = (0..shared.config.workers)
        .map(|index| Handle::start(index, shared.clone(), shutdown.phases()))
        .collect::<Result<Vec<_>, _>>()?;
    let counters: Vec<_> = workers.iter().map(Handle::counter).collect();
    watch_files(files, &shared, &shutdown)?;
    let cannot = |source| Error::machine("cannot start accepting", source);
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).map_err(cannot)?;
    runtime.block_on(async {
        accept_all(listeners, workers, shared, &shutdown, serving).await.map_err(cannot)?;
        Ok(drain(&counters, pool, drain_timeout, &shutdown).await)
    })
}

/// Accepts on every address until the shutdown begins. The listeners and the workers' handles go with it.
async fn accept_all(
    listeners: Vec<Listener>,
    workers: Vec<Handle>,
    shared: Arc<Shared>,
    shutdown: &Shutdown,
    serving: impl FnOnce(),
) -> io::Result<()> {
    let acceptor = Rc::new(Acceptor {
        permits: Arc::new(Semaphore::new(shared.config.connections)),
        reserve: RefCell::new(File::open(RESERVE).ok()),
        workers,
        shared,
    });
    let mut accepting = Vec::new();
    for listener in listeners {
        let waiting = listener.wait()?;
        accepting.push(tokio::task::spawn_local(acceptor.clone().accept(listener, waiting, shutdown.phases())));
    }
    if !shutdown.has_begun() {
        serving();
    }
    for ended in accepting {
        ended.await?;
    }
    Ok(())
}

/// A thread that reads the files anew that may change under way, where there are any or somebody may ask.
fn watch_files(files: reload::Files, shared: &Arc<Shared>, shutdown: &Shutdown) -> Result<(), Error> {
    let cannot = |source| Error::machine("cannot start watching files", source);
    let (shared, shutdown) = (shared.clone(), shutdown.clone());
    let runtime = Builder::new_current_thread().enable_time().build().map_err(cannot)?;
    let run = move || runtime.block_on(reload::watch(files, shared, shutdown));
    std::thread::Builder::new().name("reload".into()).spawn(run).map_err(cannot)?;
    Ok(())
}

struct Acceptor {
    /// The connection limit; a permit goes with each socket and comes back with its end.
    permits: Arc<Semaphore>,
    /// A descriptor to give up when there are no others, so that a peer can be turned away instead of left waiting.
    reserve: RefCell<Option<File>>,
    workers: Vec<Handle>,
    shared: Arc<Shared>,
}

impl Acceptor {
    /// Accepts on one address until the shutdown begins.
    async fn accept(self: Rc<Self>, listener: Listener, waiting: Waiting, mut phases: watch::Receiver<Phase>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = phases.wait_for(|phase| *phase >= Phase::Draining) => break,
                accepted = self.next(&waiting) => accepted,
            };
            match accepted {
                Ok(accepted) => self.give(accepted),
                Err(error) => self.fail(&listener, error).await,
            }
        }
        self.give_backlog(&listener);
    }

    /// One connection over the limit is taken from the backlog and waits here for its permit: an address that nobody
    /// calls must not hold one.
    async fn next(&self, waiting: &Waiting) -> io::Result<Accepted> {
        let (socket, address) = waiting.accept().await?;
        Ok(Accepted { socket, address, permit: self.permit().await })
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
    fn give_backlog(&self, listener: &Listener) {
        while let Ok(permit) = self.permits.clone().try_acquire_owned() {
            let Ok((socket, address)) = listener.accept() else { break };
            self.give(Accepted { socket, address, permit });
        }
    }

    /// Lets one in with the reserve's descriptor, and closes it, so that it learns where it stands, and whoever waits
    /// behind it, too. Is another descriptor free by now, it is served instead.
    fn turn_away(&self, listener: &Listener) -> Came {
        self.reserve.take();
        let accepted = listener.accept();
        self.reserve.replace(File::open(RESERVE).ok());
        let Ok((socket, address)) = accepted else { return Came::Nobody };
        if self.reserve.borrow().is_some()
            && let Ok(permit) = self.permits.clone().try_acquire_owned()
        {
            self.give(Accepted { socket, address, permit });
            return Came::Served;
        }
        drop(socket);
        self.reserve.replace(File::open(RESERVE).ok());
        Came::TurnedAway
    }

    /// An accept failed: with what belongs to one connection nothing is lost, without descriptors or memory there is
    /// no use in trying again at once.
    async fn fail(&self, listener: &Listener, error: io::Error) {
        // So a thousand a second at most.
        const PAUSE: Duration = Duration::from_millis(100);
        const AT_A_TIME: usize = 100;
        self.rejects().record(Reason::Accept, None, &error);
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            return;
        }
        for _ in 0..AT_A_TIME {
            match self.turn_away(listener) {
                Came::TurnedAway => {}
                Came::Served => return,
                Came::Nobody => break,
            }
        }
        tokio::time::sleep(PAUSE).await;
    }

    fn rejects(&self) -> &Rejects {
        &self.shared.rejects
    }
}

/// What became of who waited first.
enum Came {
    TurnedAway,
    Served,
    Nobody,
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
