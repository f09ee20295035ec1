//! One call and its attempts.

use super::super::balance::retry::{Failed, Standing};
use super::super::deadline::Deadline;
use super::super::error::{CalculateError, TransportError};
use super::super::events::Event;
use super::super::message::{Input, Method, Output};
use super::Shared;
use super::state::{Handle, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What an attempt came to: when to nothing, of what kind that is.
type Attempted<R> = Result<R, (Failed, CalculateError)>;

/// A call on its way.
struct Call<'a, S> {
    shared: &'a Shared,
    method: Method,
    key: Option<&'a [u8]>,
    deadline: Deadline,
    stub: &'a S,
    /// Those that earlier attempts, or a second copy, have asked.
    tried: Vec<String>,
    attempt: u32,
    overloaded: u32,
}

/// One attempt of a call.
struct Attempt {
    handle: Arc<Handle>,
    began: Instant,
    /// How long it may take.
    limit: Duration,
    /// After how long it gets a second one beside it; only a first attempt may.
    late: Option<Duration>,
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
    let mut call = Call { shared, method, key, deadline, stub, tried: Vec::new(), attempt: 1, overloaded: 0 };
    let mut attempt = call.first()?;
    loop {
        match call.attempt(&attempt).await {
            Ok(value) => return Ok(value),
            Err((failed, error)) => attempt = call.after(&attempt, failed, error).await?,
        }
    }
}

impl<S> Call<'_, S> {
    fn first(&self) -> Result<Attempt, CalculateError> {
        let now = self.deadline.began();
        let now_ms = self.shared.ms_at(now);
        let mut state = self.shared.lock();
        state.budget().call(now_ms);
        let picked = state.pick(now_ms, self.key, &[]);
        let late = match self.shared.options.hedge && self.method.idempotent {
            true => state.late(),
            false => None,
        };
        self.attempt_at(&mut state, picked, now, late)
    }

    /// The attempt that begins now, where there is somebody for it.
    fn attempt_at(
        &self,
        state: &mut State,
        picked: Option<Arc<Handle>>,
        now: Instant,
        late: Option<Duration>,
    ) -> Result<Attempt, CalculateError> {
        let target = &self.shared.target;
        if state.is_closed() {
            return Err(CalculateError::closed_by_client(target));
        }
        let Some(handle) = picked else { return Err(CalculateError::no_instances(target, None)) };
        let limit = self.limit(state, &handle.id, now);
        Ok(Attempt { handle, began: now, limit, late })
    }

    /// How long an attempt may take that begins now.
    fn limit(&self, state: &mut State, id: &str, now: Instant) -> Duration {
        let left = self.deadline.left_at(now);
        if self.attempt >= self.shared.options.attempts || !self.method.idempotent {
            return left;
        }
        let token = state.budget().has_one(self.shared.ms_at(now));
        self.standing(state, id).limit(token, self.shared.options.attempt_timeout, left)
    }

    /// One attempt; when it is late, and calls are hedged, a second one beside it.
    async fn attempt<R>(&mut self, attempt: &Attempt) -> Attempted<R>
    where
        S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    {
        let Some(late) = attempt.late else { return self.ask(&attempt.handle, attempt.began, attempt.limit).await };
        let (outcome, other) = self.hedged(attempt, late).await;
        if let Some(other) = other {
            self.tried.push(other);
            self.attempt += 1;
        }
        outcome
    }

    /// An attempt that gets a second one beside it when it is late. The first answer wins; who fails leaves it to the
    /// other. Gives who was asked, too.
    async fn hedged<R>(&self, attempt: &Attempt, late: Duration) -> (Attempted<R>, Option<String>)
    where
        S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    {
        let first = self.ask(&attempt.handle, attempt.began, attempt.limit);
        tokio::pin!(first);
        tokio::select! {
            outcome = &mut first => return (outcome, None),
            () = tokio::time::sleep(late) => {}
        }
        let Some(other) = self.hedge(&attempt.handle.id) else { return (first.await, None) };
        let second = self.ask(&other, Instant::now(), attempt.limit);
        tokio::pin!(second);
        let gave_up = |outcome: &Attempted<R>| matches!(outcome, Err((failed, _)) if *failed != Failed::Final);
        let outcome = tokio::select! {
            outcome = &mut first => if gave_up(&outcome) { second.await } else { outcome },
            outcome = &mut second => if gave_up(&outcome) { first.await } else { outcome },
        };
        (outcome, Some(other.id.clone()))
    }

    /// Who gets the second copy, if there may be one, when the first one has asked `asked`.
    fn hedge(&self, asked: &str) -> Option<Arc<Handle>> {
        let now = self.shared.now_ms();
        let other = {
            let mut state = self.shared.lock();
            if !self.has_others(&state, asked) || !state.budget().take(now) {
                return None;
            }
            state.pick(now, self.key, &[asked.to_owned()])?
        };
        self.shared.tell(&Event::Hedge(other.id.clone()));
        Some(other)
    }

    /// Asks one instance, and takes note of how it did.
    async fn ask<R>(&self, handle: &Handle, now: Instant, limit: Duration) -> Attempted<R>
    where
        S: Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    {
        let shared = self.shared;
        let deadline = self.deadline.at_most(limit, now);
        let _in_flight = handle.count_call();
        let (outcome, began) = handle.pool.call(self.method.of_version(handle.version()), deadline, self.stub).await;
        let now = Instant::now();
        let (now_ms, latency) = (shared.ms_at(now), now.saturating_duration_since(began));
        let error = match outcome {
            Ok(value) => {
                shared.lock().answered(&handle.id, now_ms, latency);
                return Ok(value);
            }
            Err(error) => error,
        };
        let failed = self.kind(&error);
        match failed {
            Failed::Final if error.is_answer() => shared.lock().answered(&handle.id, now_ms, latency),
            Failed::Final if error.is_deadline() => shared.lock().sample(&handle.id, now_ms, latency),
            Failed::Final => {}
            Failed::Overloaded => shared.lock().avoid(&handle.id, now_ms),
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

    /// An attempt failed: the next one, after a pause; or that error, when that is no use.
    async fn after(
        &mut self,
        attempt: &Attempt,
        failed: Failed,
        error: CalculateError,
    ) -> Result<Attempt, CalculateError> {
        let shared = self.shared;
        let id = &attempt.handle.id;
        self.overloaded += u32::from(failed == Failed::Overloaded);
        let now = shared.now_ms();
        let (granted, pause) = {
            let mut state = shared.lock();
            if !self.standing(&state, id).retries(failed) {
                return Err(error);
            }
            (state.budget().take(now), state.back_off(self.attempt))
        };
        if !granted {
            shared.counters.retries_denied.add_one();
            return Err(error);
        }
        if pause >= self.deadline.left() {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        self.attempt += 1;
        self.tried.push(id.clone());
        shared.tell(&Event::Retry(id.clone(), error.to_string()));
        let now = Instant::now();
        let mut state = shared.lock();
        let Some(picked) = state.pick(shared.ms_at(now), self.key, &self.tried) else { return Err(error) };
        self.attempt_at(&mut state, Some(picked), now, None)
    }

    /// Where the call stands while its attempt asks `asked`, or has asked it.
    fn standing(&self, state: &State, asked: &str) -> Standing {
        Standing {
            attempt: self.attempt,
            attempts: self.shared.options.attempts,
            idempotent: self.method.idempotent,
            others: self.has_others(state, asked),
            overloaded: self.overloaded,
        }
    }

    fn has_others(&self, state: &State, asked: &str) -> bool {
        state.has_others(|id| id == asked || self.tried.iter().any(|tried| tried == id))
    }
}
