//! One connection, shared by any number of callers: calls that are made together leave in one write, replies are
//! matched by sequence id, and any transport or protocol error closes it.

use super::address::Address;
use super::deadline::Deadline;
use super::dial::dial;
use super::error::CalculateError;
use super::message::{self, Input, Method, Output};
use super::options::Options;
use super::session::{Failure, Fault, Outcome, Session};
use super::stream::Stream;
use crate::tls::fault::TlsFault;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// A connection to one server. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

/// What callers share with the task that reads and writes.
#[derive(Debug)]
struct Shared {
    server: String,
    options: Options,
    stream: Stream,
    session: Mutex<Session>,
    /// Tells the task that there is something to send, or nothing more to come.
    wake: Notify,
}

impl Connection {
    /// Connects. Must be called inside a tokio runtime, which then drives the connection.
    ///
    /// # Errors
    /// ConnectError, or DeadlineExceeded.
    pub(super) async fn connect(
        target: &Address,
        options: &Options,
        deadline: Deadline,
    ) -> Result<Connection, CalculateError> {
        let stream = dial(target, options.tls.as_ref(), deadline).await?;
        let session = Mutex::new(Session::new(options.encoding(), options.limits()));
        let (server, options) = (target.to_string(), options.clone());
        let shared = Arc::new(Shared { server, options, stream, session, wake: Notify::new() });
        tokio::spawn(Driver { shared: shared.clone() }.run());
        Ok(Connection { shared })
    }

    /// Whether a new call may be put on it.
    pub(super) fn is_open(&self) -> bool {
        self.shared.lock().is_open()
    }

    /// Makes a call and waits for its reply. `stub` calls one method of a generated client: see [`message`]. `method`
    /// is the method's name on the wire. Dropping the future abandons the call.
    pub(super) async fn call<R>(
        &self,
        method: Method,
        deadline: Deadline,
        stub: &impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, Failure> {
        let shared = &*self.shared;
        let id = shared.lock().next_id();
        let (call, oneway) = message::encode(&shared.options, method, id, stub)?;
        let method = method.name;
        let reply = shared.begin(id, method, call, oneway.is_some())?;
        let _interest = Interest { shared, id };
        let message = match deadline.limit(reply).await {
            None => return Err(CalculateError::no_answer(&shared.server, method, deadline).into()),
            Some(Err(_)) => return Err(CalculateError::closed_by_client(&shared.server).into()),
            Some(Ok(outcome)) => outcome?,
        };
        match oneway {
            Some(value) => Ok(value),
            None => Ok(message::decode(&shared.server, &shared.options, method, &message, stub)
                .inspect_err(|error| shared.end_on_protocol_error(error))?),
        }
    }

    /// Closes: every call in flight fails with `error`.
    pub(super) fn close(&self, error: &CalculateError) {
        self.shared.end(error);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close(&CalculateError::closed_by_client(&self.shared.server));
    }
}

/// A caller's interest in its reply; its drop gives it up.
struct Interest<'a> {
    shared: &'a Shared,
    id: i32,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        let over = {
            let mut session = self.shared.lock();
            session.abandon(self.id);
            session.is_over()
        };
        if over {
            self.shared.wake.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(
        &self,
        id: i32,
        method: &'static str,
        call: Vec<u8>,
        oneway: bool,
    ) -> Result<oneshot::Receiver<Outcome>, Failure> {
        let reply = self.lock().begin(id, method, call, oneway);
        self.wake.notify_one();
        reply
    }

    fn end(&self, error: &CalculateError) {
        self.lock().end(error);
        self.hang_up();
    }

    /// The server has ended the connection, or left it.
    fn end_closed(&self) {
        self.end(&self.guessed(CalculateError::closed_by_server(&self.server)));
    }

    fn end_lost(&self, error: io::Error) {
        let is_refusal = TlsFault::inside(&error).is_some_and(|fault| fault.is_refusal);
        let error = CalculateError::lost(&self.server, error);
        match is_refusal {
            true => self.end_refused(&error),
            false => self.end(&self.guessed(error)),
        }
    }

    /// A server that wants TLS may tell a plain client nothing.
    fn guessed(&self, error: CalculateError) -> CalculateError {
        match self.stream.is_plain() && !self.lock().has_received() {
            true => error.may_want_tls(),
            false => error,
        }
    }

    fn end_refused(&self, error: &CalculateError) {
        self.lock().end_refused(error);
        self.hang_up();
    }

    fn end_faulty(&self, fault: &Fault) {
        let error = CalculateError::protocol(&self.server, &fault.malformed);
        let for_others = CalculateError::closed_by_fault(&self.server, &error);
        self.lock().end_faulty(fault, error, &for_others);
        self.hang_up();
    }

    fn end_on_protocol_error(&self, error: &CalculateError) {
        if matches!(error, CalculateError::Protocol(_)) {
            self.end(&CalculateError::closed_by_fault(&self.server, error));
        }
    }

    /// Closes the socket for both sides at once, also where the task cannot run at the moment.
    fn hang_up(&self) {
        self.stream.shut();
        self.wake.notify_one();
    }
}

/// The task that reads and writes. However it ends, so does the connection.
struct Driver {
    shared: Arc<Shared>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end_closed();
    }
}

impl Driver {
    async fn run(self) {
        match self.exchange().await {
            Ok(()) => {}
            Err(End::Lost(error)) => self.shared.end_lost(error),
            Err(End::WantsTls) => self.shared.end_refused(&CalculateError::wants_tls(&self.shared.server)),
            Err(End::Faulty(fault)) => self.shared.end_faulty(&fault),
        }
    }

    /// Reads and writes until the connection is over or the server has closed it.
    async fn exchange(&self) -> Result<(), End> {
        let Shared { stream, wake, .. } = &*self.shared;
        let (mut unsent, mut sent) = (Vec::new(), 0);
        let mut received = Vec::new();
        loop {
            let idle = {
                let session = self.shared.lock();
                if session.is_over() {
                    return Ok(());
                }
                session.was_idle()
            };
            if idle && !self.look(&mut received)? {
                return Ok(());
            }
            let mut sends = sent < unsent.len() || stream.holds_back();
            if !sends {
                unsent = self.shared.lock().take_unsent();
                sent = 0;
                sends = !unsent.is_empty();
            }
            tokio::select! {
                readable = stream.readable() => {
                    readable.map_err(End::Lost)?;
                    make_room(&mut received);
                    match none_if_blocked(stream.try_read(&mut received))? {
                        Some(0) => return Ok(()),
                        Some(arrived) => self.receive(&mut received, arrived)?,
                        None => {}
                    }
                }
                writable = stream.writable(), if sends => {
                    writable.map_err(End::Lost)?;
                    match none_if_blocked(stream.try_write(&unsent[sent..])) {
                        Ok(count) => sent += count.unwrap_or(0),
                        Err(end) => {
                            // What has come may say why, and be the last replies.
                            self.look(&mut received)?;
                            return Err(end);
                        }
                    }
                }
                () = wake.notified() => {}
            }
        }
    }

    /// Looks whether the server has closed, by asking the kernel: the runtime may not have heard of it. `false` if so.
    fn look(&self, received: &mut Vec<u8>) -> Result<bool, End> {
        loop {
            make_room(received);
            match none_if_blocked(self.shared.stream.read_now(received))? {
                None => return Ok(true),
                Some(0) => return Ok(false),
                Some(arrived) => self.receive(received, arrived)?,
            }
        }
    }

    fn receive(&self, received: &mut Vec<u8>, arrived: usize) -> Result<(), End> {
        match self.shared.lock().receive(received, arrived) {
            Ok(consumed) => drop(received.drain(..consumed)),
            Err(_) if self.shared.stream.is_plain() && is_tls_alert(received) => return Err(End::WantsTls),
            Err(fault) => return Err(End::Faulty(fault)),
        }
        Ok(())
    }
}

/// Why a connection ended, other than by an orderly close.
enum End {
    /// The socket failed.
    Lost(io::Error),
    /// What came is not what was asked for.
    Faulty(Fault),
    /// What came is TLS.
    WantsTls,
}

/// Room for one read; what a long reply took is given back.
fn make_room(received: &mut Vec<u8>) {
    const READ_BYTES: usize = 16 * 1024;
    if received.is_empty() {
        received.shrink_to(2 * READ_BYTES);
    }
    received.reserve(READ_BYTES);
}

/// What a server that wants TLS may say to a client that does not speak it: an alert's record, of any version.
fn is_tls_alert(received: &[u8]) -> bool {
    matches!(received, [0x15, 0x03, 0..=4, 0, 2, ..])
}

fn none_if_blocked(outcome: io::Result<usize>) -> Result<Option<usize>, End> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(End::Lost(error)),
    }
}
