//! A channel to many instances: a call goes to one of them, and to another when that one fails.
//!
//! [`state`] is what the channel knows and decides, behind one lock that is never held while anything is waited for;
//! [`attempt`] makes a call's attempts; [`upkeep`] is the task that takes in lists, probes, and tends connections.

mod attempt;
mod probe;
mod state;
mod upkeep;

use super::deadline::Deadline;
use super::error::CalculateError;
use super::events::{Counters, Counts, Event, Subscriber};
use super::message::{Input, Method, Output};
use super::options::Options;
use super::resolve;
use super::source::Source;
use state::State;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A channel to many instances. Dropping it ends its tasks and closes its connections.
#[derive(Debug)]
pub(super) struct Balanced {
    shared: Arc<Shared>,
    upkeep: AbortHandle,
    resolver: AbortHandle,
}

/// What callers share with the tasks.
struct Shared {
    /// The target as it was typed.
    target: String,
    options: Options,
    began: Instant,
    state: Mutex<State>,
    counters: Counters,
    subscriber: Option<Subscriber>,
    /// Tells the upkeep that there is something to do before its next look.
    wake: Notify,
    /// Told when the list has changed.
    listed: Notify,
}

impl Balanced {
    /// Learns of the instances and connects to one of them. Must be called inside a tokio runtime, which then drives it.
    ///
    /// # Errors
    /// ConnectError: nobody is known, or none of some can be connected to. DeadlineExceeded.
    pub(super) async fn connect(
        target: String,
        source: Source,
        options: Options,
        deadline: Deadline,
    ) -> Result<Balanced, CalculateError> {
        let state = Mutex::new(State::new(&source, &options));
        let subscriber = options.events.clone();
        let shared = Arc::new(Shared {
            target,
            options,
            began: Instant::now(),
            state,
            counters: Counters::default(),
            subscriber,
            wake: Notify::new(),
            listed: Notify::new(),
        });
        let (updates, incoming) = tokio::sync::mpsc::unbounded_channel();
        let resolver = tokio::spawn(resolve::run(source, shared.options.clone(), updates)).abort_handle();
        let upkeep = tokio::spawn(upkeep::run(Arc::downgrade(&shared), incoming)).abort_handle();
        let balanced = Balanced { shared, upkeep, resolver };
        balanced.first_list(deadline).await?;
        balanced.first_connection(deadline).await?;
        Ok(balanced)
    }

    /// Makes a call. `key` chooses the instance where calls are balanced by a key.
    pub(super) async fn call<R>(
        &self,
        method: Method,
        key: Option<&[u8]>,
        deadline: Deadline,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        let outcome = attempt::call(&self.shared, method, key, deadline, &stub).await;
        if let Err(error) = &outcome
            && !matches!(error, CalculateError::Declared(_))
        {
            self.shared.counters.failures.add_one();
        }
        outcome
    }

    pub(super) fn target(&self) -> &str {
        &self.shared.target
    }

    pub(super) fn counts(&self) -> Counts {
        self.shared.counters.counts()
    }

    /// Closes all connections; calls in flight fail with ConnectionClosed, as do later ones.
    pub(super) fn close(&self) {
        self.upkeep.abort();
        self.resolver.abort();
        let pools = self.shared.lock().close();
        pools.iter().for_each(|handle| handle.pool.close());
    }

    async fn first_list(&self, deadline: Deadline) -> Result<(), CalculateError> {
        let shared = &*self.shared;
        let listed = async {
            loop {
                let changed = shared.listed.notified();
                if !shared.lock().is_empty() {
                    return;
                }
                changed.await;
            }
        };
        match deadline.limit(listed).await {
            Some(()) => Ok(()),
            None => Err(CalculateError::no_instances(&shared.target, shared.lock().complaint())),
        }
    }

    /// A wrong address is told where it was typed.
    async fn first_connection(&self, deadline: Deadline) -> Result<(), CalculateError> {
        let mut tried = Vec::new();
        loop {
            let picked = self.shared.lock().pick(self.shared.now_ms(), None, &tried);
            let Some(handle) = picked else {
                return Err(CalculateError::no_instances(&self.shared.target, None));
            };
            if tried.contains(&handle.id) {
                return Err(CalculateError::none_connects(&self.shared.target, tried.len()));
            }
            match handle.pool.ready(deadline).await {
                Ok(()) => return Ok(()),
                Err(error @ CalculateError::DeadlineExceeded(_)) => return Err(error),
                Err(error) if self.shared.lock().count() == 1 => return Err(error),
                Err(error) => self.shared.failed(&handle, Duration::ZERO, &error),
            }
            tried.push(handle.id.clone());
        }
    }
}

impl Drop for Balanced {
    fn drop(&mut self) {
        self.upkeep.abort();
        self.resolver.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the channel was made.
    fn now_ms(&self) -> u64 {
        self.ms_at(Instant::now())
    }

    fn ms_at(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_millis() as u64
    }

    fn tell(&self, event: &Event) {
        match event {
            Event::InstanceEjected(..) => self.counters.ejections.add_one(),
            Event::Hedge(_) => self.counters.hedges.add_one(),
            Event::Retry(..) => self.counters.retries.add_one(),
            _ => {}
        }
        log::debug!("{}: {event}", self.target);
        if let Some(subscriber) = &self.subscriber
            && catch_unwind(AssertUnwindSafe(|| subscriber(event))).is_err()
        {
            // It may run in the task that keeps the list, without which there is no client.
            log::error!("{}: who was told of {event} panicked", self.target);
        }
    }

    /// An instance failed, after so long: it is left alone for a while, or removed.
    fn failed(&self, handle: &state::Handle, took: Duration, error: &CalculateError) {
        let told = self.lock().failed(&handle.id, self.now_ms(), took, error);
        if let Some(event) = told {
            self.tell(&event);
            self.wake.notify_one();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("target", &self.target).finish_non_exhaustive()
    }
}
