//! What a client calls through: the connection of the moment, replaced when it can no longer be used.

use super::connection::Connection;
use super::deadline::Deadline;
use super::error::CalculateError;
use super::message::{Input, Output};
use super::options::Options;
use super::session::Failure;
use super::target::Target;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The connections to one server: one that takes calls, and retired ones that have calls in flight.
#[derive(Debug)]
pub(super) struct Connections {
    server: String,
    target: Target,
    options: Options,
    state: Mutex<State>,
    /// Held while connecting, so that a lost connection is replaced once and not by every caller.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    current: Arc<Connection>,
    /// Those before it, as long as their callers hold them.
    retired: Vec<Weak<Connection>>,
    closed: bool,
}

impl Connections {
    pub(super) async fn connect(
        target: Target,
        options: Options,
        deadline: Deadline,
    ) -> Result<Connections, CalculateError> {
        let current = Arc::new(Connection::connect(&target, &options, deadline).await?);
        let state = Mutex::new(State { current, retired: Vec::new(), closed: false });
        Ok(Connections { server: target.to_string(), target, options, state, connecting: Default::default() })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Makes a call. It is made on another connection only if nothing of it was sent on the one before.
    pub(super) async fn call<R>(
        &self,
        method: &'static str,
        deadline: Deadline,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        const MOST_ATTEMPTS: usize = 3;
        for _ in 0..MOST_ATTEMPTS {
            let connection = self.connection(deadline).await?;
            match connection.call(method, deadline, &stub).await {
                Ok(value) => return Ok(value),
                Err(Failure::Unsent) => {}
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
        self.open()?;
        Err(CalculateError::closed_at_once(&self.server))
    }

    /// Closes all; calls in flight fail with ConnectionClosed, as do later ones. May be repeated.
    pub(super) fn close(&self) {
        let error = CalculateError::closed_by_client(&self.server);
        let mut state = self.lock();
        state.closed = true;
        state.current.close(&error);
        state.retired.iter().filter_map(Weak::upgrade).for_each(|connection| connection.close(&error));
    }

    /// The connection that takes calls, made anew where the old one was lost or retired.
    async fn connection(&self, deadline: Deadline) -> Result<Arc<Connection>, CalculateError> {
        if let Some(connection) = self.open()? {
            return Ok(connection);
        }
        let Some(_connecting) = deadline.limit(self.connecting.lock()).await else {
            return Err(CalculateError::no_time_to_connect(&self.server, deadline));
        };
        if let Some(connection) = self.open()? {
            return Ok(connection);
        }
        let connection = Arc::new(Connection::connect(&self.target, &self.options, deadline).await?);
        self.replace(connection.clone())?;
        Ok(connection)
    }

    /// The connection of the moment, if it takes calls.
    fn open(&self) -> Result<Option<Arc<Connection>>, CalculateError> {
        let state = self.lock();
        if state.closed {
            return Err(CalculateError::closed_by_client(&self.server));
        }
        Ok(Some(&state.current).filter(|connection| connection.is_open()).cloned())
    }

    fn replace(&self, connection: Arc<Connection>) -> Result<(), CalculateError> {
        let mut state = self.lock();
        if state.closed {
            return Err(CalculateError::closed_by_client(&self.server));
        }
        let former = std::mem::replace(&mut state.current, connection);
        state.retired.retain(|retired| retired.strong_count() > 0);
        state.retired.push(Arc::downgrade(&former));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
