//! The client's face: the IDL's methods as functions. The only room of the client that names a type of the IDL.

use super::connections::Connections;
use super::deadline::Deadline;
use super::error::{CalculateError, one_line};
use super::message::{Input, Output};
use super::options::Options;
use super::target::Target;
use crate::idl::calculate::{CalculateSyncClient, DomainError, Number, TCalculateSyncClient};
use ordered_float::OrderedFloat;
use std::sync::Arc;
use std::time::Duration;

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
    connections: Arc<Connections>,
    /// A call's time, by [`Client::with_timeout`] for this clone only.
    timeout: Duration,
}

impl Client {
    /// Connects, within the options' time-out. Must be called inside a tokio runtime, which then drives the connection.
    ///
    /// # Errors
    /// ConnectError, or DeadlineExceeded.
    pub async fn connect(target: Target, options: Options) -> Result<Client, CalculateError> {
        let timeout = options.timeout;
        let connections = Connections::connect(target, options, Deadline::after(timeout)).await?;
        Ok(Client { connections: Arc::new(connections), timeout })
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
            .map_err(|error| self.in_words(error))
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

    /// Any method of any generated client: see [`message`](super::message) for what a stub is. `method` is its name on
    /// the wire. A oneway call is over when it was sent. Dropping the future abandons the call.
    ///
    /// # Errors
    /// See [`CalculateError`].
    pub async fn call<R>(
        &self,
        method: &'static str,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        self.connections.call(method, Deadline::after(self.timeout), stub).await
    }

    /// This client, on the same connection, with another time-out for its calls.
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { connections: self.connections.clone(), timeout }
    }

    /// Closes this client and its clones: calls in flight fail with ConnectionClosed, as do later ones.
    pub fn close(&self) {
        self.connections.close();
    }

    /// A DomainError says which one it is: what the generated type prints is its name.
    fn in_words(&self, error: CalculateError) -> CalculateError {
        let text = error.domain_error().map(|DomainError { message, value }| {
            format!("{} (value {:?}, refused by {})", one_line(message), value.into_inner(), self.connections.server())
        });
        match text {
            Some(text) => error.with_declared_text(text),
            None => error,
        }
    }
}

impl CalculateError {
    /// The IDL's DomainError, where it is one.
    pub fn domain_error(&self) -> Option<&DomainError> {
        match self {
            CalculateError::Declared(declared) => declared.exception.downcast_ref(),
            _ => None,
        }
    }
}
