//! The client's face: the IDL's methods as functions. The only room of the client that names a type of the IDL.

use super::connection::Connection;
use super::error::CalculateError;
use super::message::{Input, Output};
use super::options::Options;
use super::target::Target;
use crate::idl::calculate::{CalculateSyncClient, DomainError, Number, TCalculateSyncClient};
use ordered_float::OrderedFloat;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// A client of Calculate. Clones share one connection, which is made anew when it was lost.
///
/// ```no_run
/// # async fn example() -> Result<(), calculate::client::CalculateError> {
/// use calculate::client::{Client, Options};
/// let target = "127.0.0.1:9090".parse().expect("a target");
/// let client = Client::connect(target, Options::default()).await?;
/// assert_eq!(client.square(9.0).await?, 3.0); // Square is the square ROOT
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    /// A call's time, by [`Client::with_timeout`] for this clone only.
    timeout: Duration,
}

#[derive(Debug)]
struct Shared {
    target: Target,
    options: Options,
    current: Mutex<Arc<Connection>>,
}

impl Client {
    /// Connects, within the options' time-out. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// ConnectError, or DeadlineExceeded.
    pub async fn connect(target: Target, options: Options) -> Result<Client, CalculateError> {
        let connection = Connection::connect(&target, options, Instant::now() + options.timeout).await?;
        let current = Mutex::new(Arc::new(connection));
        Ok(Client { shared: Arc::new(Shared { target, options, current }), timeout: options.timeout })
    }

    /// The principal square ROOT of `number` (not its square: that is [`cal`](Client::cal)), IEEE 754 squareRoot.
    ///
    /// # Errors
    /// DomainError for a negative number; otherwise see [`CalculateError`].
    pub async fn square(&self, number: f64) -> Result<f64, CalculateError> {
        let number = Number::new(OrderedFloat(number));
        self.call("Square", |input, output| CalculateSyncClient::new(input, output).square(number.clone()))
            .await
            .map(|number| number.value.into_inner())
    }

    /// The square of `number`.
    ///
    /// # Errors
    /// See [`CalculateError`].
    pub async fn cal(&self, number: f64) -> Result<f64, CalculateError> {
        let number = Number::new(OrderedFloat(number));
        self.call("Cal", |input, output| CalculateSyncClient::new(input, output).cal(number.clone()))
            .await
            .map(|number| number.value.into_inner())
    }

    /// Any method of any generated client: see [`message`](super::message) for what a stub is.
    ///
    /// # Errors
    /// See [`CalculateError`].
    pub async fn call<R>(
        &self,
        method: &'static str,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        let deadline = Instant::now() + self.timeout;
        self.connection(deadline).await?.call(method, deadline, stub).await
    }

    /// This client, on the same connection, with another time-out for its calls.
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { shared: self.shared.clone(), timeout }
    }

    /// The connection, made anew where the old one was lost or is not to be used any more.
    async fn connection(&self, deadline: Instant) -> Result<Arc<Connection>, CalculateError> {
        let Shared { target, options, current } = &*self.shared;
        let mut current = match timeout_at(deadline, current.lock()).await {
            Ok(current) => current,
            Err(_) => return Err(CalculateError::DeadlineExceeded(format!("connecting to {target} took too long"))),
        };
        if !current.is_open() {
            *current = Arc::new(Connection::connect(target, *options, deadline).await?);
        }
        Ok(current.clone())
    }
}

impl CalculateError {
    /// The IDL's DomainError, where it is one.
    pub fn domain_error(&self) -> Option<&DomainError> {
        match self {
            CalculateError::Declared(declared) => declared.downcast_ref(),
            _ => None,
        }
    }
}
