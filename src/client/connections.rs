//! What a client calls through: the connection of the moment, replaced when it can no longer be used.

use super::address::Address;
use super::connection::Connection;
use super::deadline::Deadline;
use super::error::CalculateError;
use super::message::{Input, Method, Output};
use super::options::Options;
use super::session::Failure;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The connections to one server: one that takes calls, and retired ones that have calls in flight.
#[derive(Debug)]
pub(super) struct Connections {
    server: String,
    target: Address,
    options: Options,
    state: Mutex<State>,
    /// Held while connecting, so that a lost connection is replaced once and not by every caller.
    connecting: tokio::sync::Mutex<()>,
    /// Told when it closes: nobody connects any more then.
    closing: Notify,
}

#[derive(Debug)]
struct State {
    /// None before the first call, and after one that was retired.
    current: Option<Live>,
    /// Those before it, as long as their callers hold them.
    retired: Vec<Weak<Connection>>,
    closed: bool,
}

/// A connection that takes calls.
#[derive(Debug)]
struct Live {
    connection: Arc<Connection>,
    made: Instant,
    last_used: Instant,
}

impl Connections {
    /// Connections that are made when they are needed.
    pub(super) fn unconnected(target: Address, options: Options) -> Connections {
        let state = Mutex::new(State { current: None, retired: Vec::new(), closed: false });
        Connections {
            server: target.to_string(),
            target,
            options,
            state,
            connecting: Default::default(),
            closing: Notify::new(),
        }
    }

    pub(super) async fn connect(
        target: Address,
        options: Options,
        deadline: Deadline,
    ) -> Result<Connections, CalculateError> {
        let connections = Connections::unconnected(target, options);
        connections.ready(deadline).await?;
        Ok(connections)
    }

    /// Connects, where that has not been done.
    pub(super) async fn ready(&self, deadline: Deadline) -> Result<(), CalculateError> {
        match self.open(Instant::now())? {
            Some(_) => Ok(()),
            None => self.new_connection(deadline).await.map(drop),
        }
    }

    /// Puts no new call on a connection that is older, or has been idle for longer. It ends with its last call.
    pub(super) fn retire_if(&self, greatest_age: Duration, idle: Duration) {
        let mut state = self.lock();
        let is_due = |live: &Live| live.made.elapsed() >= greatest_age || live.last_used.elapsed() >= idle;
        if let Some(live) = state.current.take_if(|live| is_due(live)) {
            state.retire(&live.connection);
        }
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Makes a call. It is made on another connection only if nothing of it was sent on the one before. Gives when the
    /// last attempt began, too: on a connection when it had it, and else to connect.
    pub(super) async fn call<R>(
        &self,
        method: Method,
        deadline: Deadline,
        stub: &impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> (Result<R, CalculateError>, Instant) {
        let mut began = deadline.began();
        let outcome = self.attempts(method, deadline, stub, &mut began).await;
        (outcome, began)
    }

    async fn attempts<R>(
        &self,
        method: Method,
        deadline: Deadline,
        stub: &impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
        began: &mut Instant,
    ) -> Result<R, CalculateError> {
        const MOST_ATTEMPTS: usize = 3;
        for _ in 0..MOST_ATTEMPTS {
            let connection = match self.open(*began)? {
                Some(connection) => connection,
                None => {
                    let connection = self.new_connection(deadline).await?;
                    *began = Instant::now();
                    connection
                }
            };
            match connection.call(method, deadline, stub).await {
                Ok(value) => return Ok(value),
                Err(Failure::Unsent) => *began = Instant::now(),
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
        self.open(*began)?;
        Err(CalculateError::closed_at_once(&self.server))
    }

    /// Closes all; calls in flight fail with ConnectionClosed, as do later ones. May be repeated.
    pub(super) fn close(&self) {
        let error = CalculateError::closed_by_client(&self.server);
        let mut state = self.lock();
        state.closed = true;
        if let Some(live) = &state.current {
            live.connection.close(&error);
        }
        state.retired.iter().filter_map(Weak::upgrade).for_each(|connection| connection.close(&error));
        self.closing.notify_waiters();
    }

    /// A new connection, where the old one was lost or retired. Closing ends the wait for it.
    async fn new_connection(&self, deadline: Deadline) -> Result<Arc<Connection>, CalculateError> {
        let closing = self.closing.notified();
        tokio::pin!(closing);
        // From now on it is heard of; whether it was before is looked at when the connection is to be made.
        closing.as_mut().enable();
        tokio::select! {
            outcome = self.make_connection(deadline) => outcome,
            () = closing => Err(CalculateError::closed_by_client(&self.server)),
        }
    }

    async fn make_connection(&self, deadline: Deadline) -> Result<Arc<Connection>, CalculateError> {
        let Some(_connecting) = deadline.limit(self.connecting.lock()).await else {
            return Err(CalculateError::no_time_to_connect(&self.server, deadline));
        };
        if let Some(connection) = self.open(Instant::now())? {
            return Ok(connection);
        }
        let connection = Arc::new(Connection::connect(&self.target, &self.options, deadline).await?);
        self.replace(connection.clone())?;
        Ok(connection)
    }

    /// The connection of the moment, if it takes calls.
    fn open(&self, now: Instant) -> Result<Option<Arc<Connection>>, CalculateError> {
        let mut state = self.lock();
        if state.closed {
            return Err(CalculateError::closed_by_client(&self.server));
        }
        let Some(live) = state.current.as_mut().filter(|live| live.connection.is_open()) else { return Ok(None) };
        live.last_used = now;
        Ok(Some(live.connection.clone()))
    }

    fn replace(&self, connection: Arc<Connection>) -> Result<(), CalculateError> {
        let mut state = self.lock();
        if state.closed {
            return Err(CalculateError::closed_by_client(&self.server));
        }
        let now = Instant::now();
        if let Some(former) = state.current.replace(Live { connection, made: now, last_used: now }) {
            state.retire(&former.connection);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn retire(&mut self, connection: &Arc<Connection>) {
        self.retired.retain(|retired| retired.strong_count() > 0);
        self.retired.push(Arc::downgrade(connection));
    }
}
