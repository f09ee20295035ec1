//! The bounded thread pool for handlers that block.

use super::buffered::Held;
use super::call::Call;
use super::context::Turn;
use super::dispatch::Service;
use super::enveloped::Enveloped;
use super::peer::Peer;
use crate::error::Error;
use crate::wire::message::Kind;
use crate::wire::{Encoding, Exception, ExceptionCode, Limits};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;
use tokio::sync::oneshot;

/// What a connection waits on: the bytes of the reply, none where none is due, and that they are held.
pub(super) type Reply = oneshot::Receiver<(Vec<u8>, Held)>;

/// Threads that run handlers. Dropping the last handle lets them finish what is queued, and ends them.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    handle: Arc<Handle>,
}

/// The handle's drop ends the threads; they hold only `Shared`.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    not_empty: Condvar,
    capacity: usize,
    limits: Limits,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that run a job, so do not wait for one.
    busy: usize,
    closed: bool,
}

/// A request in the pool's keeping.
#[derive(Debug)]
struct Job {
    service: Service,
    peer: Arc<Peer>,
    encoding: Encoding,
    message: Vec<u8>,
    envelope: Option<Enveloped>,
    /// First the request, then its reply. The connection may be gone before either.
    held: Held,
    /// The connection holds the other end; it is closed when the connection is gone.
    reply: oneshot::Sender<(Vec<u8>, Held)>,
}

impl Pool {
    /// Starts `threads` threads with room for `capacity` calls that wait for one of them.
    pub(super) fn start(threads: usize, capacity: usize, limits: Limits) -> Result<Pool, Error> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            not_empty: Condvar::new(),
            capacity: capacity + threads,
            limits,
        });
        let pool = Pool { handle: Arc::new(Handle { shared: shared.clone() }) };
        for index in 0..threads {
            let shared = shared.clone();
            thread::Builder::new()
                .name(format!("handler-{index}"))
                .spawn(move || shared.run())
                .map_err(|source| Error::machine(format!("cannot start pool thread {index}"), source))?;
        }
        Ok(pool)
    }

    /// Hands a call over. `None` when the queue is full: then nothing was begun.
    pub(super) fn submit(&self, service: &Service, call: &Call<'_>, peer: Arc<Peer>, held: Held) -> Option<Reply> {
        let shared = &self.handle.shared;
        let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.jobs.len() + queue.busy >= shared.capacity {
            return None;
        }
        let (reply, receiver) = oneshot::channel();
        queue.jobs.push_back(Job {
            service: service.clone(),
            peer,
            encoding: call.encoding,
            message: call.message.to_vec(),
            envelope: call.envelope.cloned(),
            held,
            reply,
        });
        drop(queue);
        shared.not_empty.notify_one();
        Some(receiver)
    }

    /// Calls that wait for a thread or have one.
    pub(super) fn unfinished(&self) -> usize {
        let queue = self.handle.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs.len() + queue.busy
    }
}

impl Shared {
    fn run(&self) {
        while let Some(job) = self.next() {
            job.run(&self.limits);
            self.queue.lock().unwrap_or_else(PoisonError::into_inner).busy -= 1;
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                queue.busy += 1;
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self.not_empty.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Job {
    fn run(mut self, limits: &Limits) {
        let nobody_waits = self.reply.is_closed();
        let answered = Call::read(self.encoding, &self.message, self.envelope.as_ref(), |call| {
            // The sender of a oneway call may well be gone.
            if nobody_waits && call.header.kind() != Kind::Oneway {
                return None;
            }
            let _turn = Turn::begin(self.peer.clone(), Some(self.encoding));
            let mut out = Vec::new();
            match self.envelope.as_ref().and_then(|enveloped| enveloped.deadline) {
                Some(deadline) if deadline <= Instant::now() => {
                    let text = "the caller's time was up before a thread of the pool was free";
                    call.refuse(&Exception::new(ExceptionCode::TIMEOUT, text), &mut out);
                }
                _ => self.service.answer(call, limits, &mut out),
            }
            if !self.held.set(out.len()) {
                // Not "overloaded": that says that nothing was done.
                let text =
                    "done, but there is no room for the reply: the server holds all that it may of unfinished calls";
                out.clear();
                call.refuse(&Exception::new(ExceptionCode::INTERNAL_ERROR, text), &mut out);
            }
            Some(out)
        });
        // The header was read before: it was the connection that put the call here.
        if let Ok(Some(out)) = answered {
            // The connection may be gone by now: then nobody wants the reply.
            let _ = self.reply.send((out, self.held));
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.not_empty.notify_all();
    }
}
