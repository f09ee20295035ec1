//! How a server is told to end, and how it ended.

use crate::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells a server to end, or to read its files anew. Clones tell the same server.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: Arc<watch::Sender<Phase>>,
    /// How often the server was told to read its files.
    reloads: Arc<watch::Sender<u64>>,
}

/// Where a server is in its life; it only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Accepting and answering.
    Serving,
    /// Answering what is in flight.
    Draining,
    /// Giving up what is left.
    Aborting,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Connections that were cut because the drain's time was up.
    pub aborted: usize,
}

impl Shutdown {
    /// A shutdown that [`Shutdown::begin`] begins.
    pub fn new() -> Shutdown {
        Shutdown { phase: Arc::new(watch::Sender::new(Phase::Serving)), reloads: Arc::new(watch::Sender::new(0)) }
    }

    /// A shutdown that SIGTERM or SIGINT begins. A second signal ends the process at once, with exit code 1. SIGHUP is
    /// [`Shutdown::reload`].
    ///
    /// # Errors
    /// The signals cannot be caught.
    pub fn on_signals() -> Result<Shutdown, Error> {
        Shutdown::on_signals_after(|| {})
    }

    /// As [`Shutdown::on_signals`], with something to be done between the first signal and the shutdown's begin. It has a
    /// thread of its own and may take its time: the server serves meanwhile, and a second signal does not wait for it.
    ///
    /// # Errors
    /// The signals cannot be caught.
    pub fn on_signals_after(first_do: impl FnOnce() + Send + 'static) -> Result<Shutdown, Error> {
        let shutdown = Shutdown::new();
        let told = shutdown.clone();
        let cannot = |source| Error::machine("cannot catch signals", source);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let (mut terminate, mut interrupt, mut hang_up) = {
            let _inside = runtime.enter();
            let caught = |kind| signal(kind).map_err(cannot);
            (caught(SignalKind::terminate())?, caught(SignalKind::interrupt())?, caught(SignalKind::hangup())?)
        };
        let listen = async move {
            let mut first_do = Some(first_do);
            loop {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                    _ = hang_up.recv() => {
                        told.reload();
                        continue;
                    }
                };
                let Some(first_do) = first_do.take() else {
                    log::warn!("{name} again: ending at once");
                    std::process::exit(1);
                };
                log::info!("{name}: draining; a second signal ends the process at once");
                let told = told.clone();
                tokio::task::spawn_blocking(move || {
                    // Whatever becomes of it, the shutdown begins.
                    let _ = catch_unwind(AssertUnwindSafe(first_do));
                    told.begin();
                });
            }
        };
        let run = move || runtime.block_on(listen);
        thread::Builder::new().name("signals".into()).spawn(run).map_err(cannot)?;
        Ok(shutdown)
    }

    /// Begins the shutdown; again is as once.
    pub fn begin(&self) {
        self.enter(Phase::Draining);
    }

    /// Has the server read its certificates and its access list anew. Connections keep what they have.
    pub fn reload(&self) {
        self.reloads.send_modify(|count| *count += 1);
    }

    pub(super) fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    pub(super) fn enter(&self, next: Phase) {
        self.phase.send_if_modified(|phase| {
            let forward = next > *phase;
            *phase = next.max(*phase);
            forward
        });
    }

    pub(super) fn has_begun(&self) -> bool {
        *self.phase.borrow() > Phase::Serving
    }

    pub(super) fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown::new()
    }
}
