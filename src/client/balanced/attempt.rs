//! One call and its attempts.

use super::super::balance::retry::{Failed, Standing};
use super::super::deadline::Deadline;
use super::super::error::{CalculateError, TransportError};
use super::super::events::Event;
use super::super::message::{Input, Method, Output};
use super::Shared;
use super::state::Handle;
use std::sync::Arc;
use std::time::Duration;

/// What an attempt came to: when to nothing, of what kind that is.
type Attempted<R> = Result<R, (Failed, CalculateError)>;

/// A call on its way.
struct Call<'a, S> {
    shared: &'a Shared,
    method: Method,
    key: Option<&'a [u8]>,
    deadline: Deadline,
    stub: &'a S,
    /// The instances that were tried, in order.
    tried: Vec<String>,
    attempt: u32,
    overloaded: u32,
}

/// Makes a call: an attempt, and others where the first ones failed and may be followed.
pub(super) async fn call<R, S>(
    shared: &Shared,
    method: Method,
    key: Option<&[u8]>,
    deadline: Deadline,
    stub: &S,
) -> Result<R, CalculateError>
where
    S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
{
    shared.counters.calls.add_one();
    let now = shared.now_ms();
    let first = {
        let mut state = shared.lock();
        state.budget().call(now);
        state.pick(now, key, &[])
    };
    let mut call = Call { shared, method, key, deadline, stub, tried: Vec::new(), attempt: 1, overloaded: 0 };
    let mut next = first;
    loop {
        if shared.lock().is_closed() {
            return Err(CalculateError::closed_by_client(&shared.target));
        }
        let Some(handle) = next else { return Err(CalculateError::no_instances(&shared.target, None)) };
        match call.attempt(&handle).await {
            Ok(value) => return Ok(value),
            Err((failed, error)) => next = Some(call.after(&handle, failed, error).await?),
        }
    }
}

impl<S> Call<'_, S> {
    /// One attempt; when it is late, and calls are hedged, a second one beside it.
    async fn attempt<R>(&mut self, handle: &Arc<Handle>) -> Attempted<R>
    where
        S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    {
        self.tried.push(handle.id.clone());
        let limit = self.limit();
        let late = match self.attempt == 1 && self.shared.options.hedge && self.method.idempotent {
            true => self.shared.lock().late(),
            false => None,
        };
        let Some(late) = late else { return self.ask(handle, limit).await };
        let (outcome, other) = self.hedged(handle, limit, late).await;
        if let Some(other) = other {
            self.tried.push(other);
            self.attempt += 1;
        }
        outcome
    }

    /// An attempt that gets a second one beside it when it is late. The first answer wins; who fails leaves it to the
    /// other. Gives who was asked, too.
    async fn hedged<R>(&self, handle: &Handle, limit: Duration, late: Duration) -> (Attempted<R>, Option<String>)
    where
        S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    {
        let first = self.ask(handle, limit);
        tokio::pin!(first);
        tokio::select! {
            outcome = &mut first => return (outcome, None),
            () = tokio::time::sleep(late) => {}
        }
        let Some(other) = self.hedge() else { return (first.await, None) };
        let second = self.ask(&other, limit);
        tokio::pin!(second);
        let gave_up = |outcome: &Attempted<R>| matches!(outcome, Err((failed, _)) if *failed != Failed::Final);
        let outcome = tokio::select! {
            outcome = &mut first => if gave_up(&outcome) { second.await } else { outcome },
            outcome = &mut second => if gave_up(&outcome) { first.await } else { outcome },
        };
        (outcome, Some(other.id.clone()))
    }

    /// Who gets the second copy, if there may be one.
    fn hedge(&self) -> Option<Arc<Handle>> {
        let now = self.shared.now_ms();
        let other = {
            let mut state = self.shared.lock();
            if !state.has_others(&self.tried) || !state.budget().take(now) {
                return None;
            }
            state.pick(now, self.key, &self.tried)?
        };
        self.shared.tell(&Event::Hedge(other.id.clone()));
        Some(other)
    }

    /// Asks one instance, and takes note of how it did.
    async fn ask<R>(&self, handle: &Handle, limit: Duration) -> Attempted<R>
    where
        S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    {
        let shared = self.shared;
        let deadline = self.deadline.at_most(limit);
        let _in_flight = handle.count_call();
        let (outcome, latency) = handle.pool.call(self.method.of_version(handle.version()), deadline, self.stub).await;
        let error = match outcome {
            Ok(value) => {
                shared.lock().answered(&handle.id, shared.now_ms(), latency);
                return Ok(value);
            }
            Err(error) => error,
        };
        let failed = self.kind(&error);
        match failed {
            Failed::Final if error.is_answer() => shared.lock().answered(&handle.id, shared.now_ms(), latency),
            Failed::Final if error.is_deadline() => shared.lock().sample(&handle.id, shared.now_ms(), latency),
            Failed::Final => {}
            Failed::Overloaded => shared.lock().avoid(&handle.id, shared.now_ms()),
            Failed::Connect | Failed::Closed | Failed::AttemptTimeout | Failed::Protocol => {
                shared.failed(handle, latency, &error);
            }
        }
        Err((failed, error))
    }

    fn kind(&self, error: &CalculateError) -> Failed {
        match error {
            CalculateError::Transport(TransportError::ConnectError(..)) => Failed::Connect,
            CalculateError::Transport(TransportError::ConnectionClosed(..)) => match self.shared.lock().is_closed() {
                true => Failed::Final,
                false => Failed::Closed,
            },
            CalculateError::DeadlineExceeded(_) if !self.deadline.is_over() => Failed::AttemptTimeout,
            CalculateError::Overloaded(_) => Failed::Overloaded,
            CalculateError::Protocol(error) if !error.is_local() => Failed::Protocol,
            _ => Failed::Final,
        }
    }

    /// An attempt failed: whom to ask next, after a pause; or that error, when that is no use.
    async fn after(
        &mut self,
        handle: &Handle,
        failed: Failed,
        error: CalculateError,
    ) -> Result<Arc<Handle>, CalculateError> {
        self.overloaded += u32::from(failed == Failed::Overloaded);
        if !self.standing().retries(failed) {
            return Err(error);
        }
        let now = self.shared.now_ms();
        let (granted, pause) = {
            let mut state = self.shared.lock();
            (state.budget().take(now), state.back_off(self.attempt))
        };
        if !granted {
            self.shared.counters.retries_denied.add_one();
            return Err(error);
        }
        if pause >= self.deadline.left() {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        self.attempt += 1;
        self.shared.tell(&Event::Retry(handle.id.clone(), error.to_string()));
        let picked = self.shared.lock().pick(self.shared.now_ms(), self.key, &self.tried);
        picked.ok_or(error)
    }

    fn standing(&self) -> Standing {
        Standing {
            attempt: self.attempt,
            attempts: self.shared.options.attempts,
            idempotent: self.method.idempotent,
            others: self.shared.lock().has_others(&self.tried),
            overloaded: self.overloaded,
        }
    }

    fn limit(&self) -> Duration {
        let left = self.deadline.left();
        if self.attempt >= self.shared.options.attempts || !self.method.idempotent {
            return left;
        }
        let token = self.shared.lock().budget().has_one(self.shared.now_ms());
        self.standing().limit(token, self.shared.options.attempt_timeout, left)
    }
}
