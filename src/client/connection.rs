//! One connection, shared by any number of callers: calls that are made together leave in one write, replies are
//! matched by sequence id, and any transport or protocol error closes it.

use super::error::CalculateError;
use super::message::{self, Input, Output};
use super::options::Options;
use super::session::{Outcome, Session};
use super::target::Target;
use crate::wire::Limits;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

/// A connection to one server. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    shared: Arc<Shared>,
}

/// What callers share with the task that reads and writes.
#[derive(Debug)]
struct Shared {
    server: String,
    options: Options,
    limits: Limits,
    state: Mutex<State>,
    /// Tells the task that there is something to send, or nothing more to come.
    wake: Notify,
}

#[derive(Debug)]
struct State {
    session: Session,
    /// Encoded calls that the task has not taken yet.
    out: Vec<u8>,
    /// Why the connection is no more.
    closed: Option<CalculateError>,
}

impl Connection {
    /// Connects, at the latest by `deadline`. Must be called inside a tokio runtime, which then drives the connection.
    ///
    /// # Errors
    /// ConnectError, or DeadlineExceeded.
    pub async fn connect(target: &Target, options: Options, deadline: Instant) -> Result<Connection, CalculateError> {
        let server = target.to_string();
        let connecting = TcpStream::connect((target.host(), target.port()));
        let stream = match timeout_at(deadline, connecting).await {
            Ok(connected) => connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)),
            Err(_) => return Err(CalculateError::DeadlineExceeded(format!("connecting to {server} took too long"))),
        };
        let stream = stream.map_err(|error| CalculateError::connect(&server, error))?;
        let limits = options.limits();
        let state = State { session: Session::new(options.encoding(), limits), out: Vec::new(), closed: None };
        let shared = Arc::new(Shared { server, options, limits, state: Mutex::new(state), wake: Notify::new() });
        tokio::spawn(shared.clone().drive(stream));
        Ok(Connection { shared })
    }

    /// Whether a new call may be put on it.
    pub fn is_open(&self) -> bool {
        let state = self.shared.lock();
        state.closed.is_none() && !state.session.is_retired()
    }

    /// Makes a call and waits for its reply until `deadline`. `stub` calls one method of a generated client: see
    /// [`message`]. `method` is the method's name on the wire. Dropping the future abandons the call.
    ///
    /// # Errors
    /// Every [`CalculateError`] but ConnectError.
    pub async fn call<R>(
        &self,
        method: &'static str,
        deadline: Instant,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        let began = Instant::now();
        let shared = &*self.shared;
        let (id, reply) = shared.begin(method)?;
        let _interest = Interest { shared, id };
        let mut call = Vec::new();
        message::encode(shared.options.encoding(), id, &stub, &mut call)?;
        shared.send(&call);
        match timeout_at(deadline, reply).await {
            Ok(Ok(outcome)) => {
                message::decode(&shared.server, shared.options.encoding(), &shared.limits, &outcome?, &stub)
                    .inspect_err(|error| shared.close_on_protocol_error(error))
            }
            Ok(Err(_)) => Err(CalculateError::closed(format!("the connection to {} is closed", shared.server))),
            Err(_) => {
                let waited = began.elapsed().as_millis();
                let text = format!("{} did not answer {method} in time: {waited} ms passed", shared.server);
                Err(CalculateError::DeadlineExceeded(text))
            }
        }
    }

    /// Fails what is in flight with ConnectionClosed, and closes.
    pub fn close(&self) {
        self.shared.close(CalculateError::closed(format!("the connection to {} was closed here", self.shared.server)));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

/// A caller's interest in its reply; its drop gives it up.
struct Interest<'a> {
    shared: &'a Shared,
    id: i32,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        let retired = {
            let session = &mut self.shared.lock().session;
            session.abandon(self.id);
            session.is_retired()
        };
        if retired {
            self.shared.wake.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, method: &'static str) -> Result<(i32, oneshot::Receiver<Outcome>), CalculateError> {
        let mut state = self.lock();
        match &state.closed {
            Some(error) => Err(error.clone()),
            None => Ok(state.session.begin(method)),
        }
    }

    fn send(&self, call: &[u8]) {
        self.lock().out.extend_from_slice(call);
        self.wake.notify_one();
    }

    fn close(&self, error: CalculateError) {
        let mut state = self.lock();
        state.session.fail_all(&error);
        state.closed.get_or_insert(error);
        drop(state);
        self.wake.notify_one();
    }

    fn close_on_protocol_error(&self, error: &CalculateError) {
        if matches!(error, CalculateError::Protocol(_)) {
            self.close(CalculateError::closed(format!("the connection was closed after an error: {error}")));
        }
    }

    /// Reads and writes until the connection ends, then fails what is unanswered.
    async fn drive(self: Arc<Self>, stream: TcpStream) {
        let error = match self.exchange(&stream).await {
            Ok(()) => CalculateError::closed(format!("{} closed the connection before it answered", self.server)),
            Err(End::Lost(error)) => CalculateError::lost(&self.server, error),
            Err(End::Wrong(error)) => error,
        };
        self.close(error);
    }

    async fn exchange(&self, stream: &TcpStream) -> Result<(), End> {
        let (mut unsent, mut sent) = (Vec::new(), 0);
        let mut received = Vec::new();
        loop {
            if self.is_over() {
                return Ok(());
            }
            if sent == unsent.len() {
                unsent = std::mem::take(&mut self.lock().out);
                sent = 0;
            }
            let writes = sent < unsent.len();
            tokio::select! {
                readable = stream.readable() => {
                    readable.map_err(End::Lost)?;
                    if !self.read(stream, &mut received)? {
                        return Ok(());
                    }
                }
                writable = stream.writable(), if writes => {
                    writable.map_err(End::Lost)?;
                    sent += none_if_blocked(stream.try_write(&unsent[sent..]))?.unwrap_or(0);
                }
                () = self.wake.notified(), if !writes => {}
            }
        }
    }

    fn is_over(&self) -> bool {
        let state = self.lock();
        state.closed.is_some() || (state.session.is_retired() && !state.session.has_pending())
    }

    /// Reads what is there and hands it out. `false` at the end of the stream.
    fn read(&self, stream: &TcpStream, received: &mut Vec<u8>) -> Result<bool, End> {
        let before = received.len();
        match none_if_blocked(stream.try_read_buf(received))? {
            None => return Ok(true),
            Some(0) => return Ok(false),
            Some(_) => {}
        }
        let outcome = self.lock().session.receive(received, received.len() - before);
        let consumed = outcome.map_err(|malformed| End::Wrong(CalculateError::protocol(&self.server, malformed)))?;
        received.drain(..consumed);
        Ok(true)
    }
}

/// Why a connection ended, other than by an orderly close.
enum End {
    /// The socket failed.
    Lost(io::Error),
    /// What came is not what was asked for.
    Wrong(CalculateError),
}

fn none_if_blocked(outcome: io::Result<usize>) -> Result<Option<usize>, End> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(End::Lost(error)),
    }
}
