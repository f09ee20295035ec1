//! The client's face: the IDL's methods as functions. The only room of the client that names a type of the IDL.

use super::balanced::Balanced;
use super::connections::Connections;
use super::deadline::Deadline;
use super::error::CalculateError;
use super::events::Counts;
use super::message::{Input, Method, Output};
use super::options::Options;
use super::resolve;
use super::target::{Kind, Target};
use crate::idl::calculate::{CalculateSyncClient, DomainError, Number, TCalculateSyncClient};
use crate::one_line::one_line;
use ordered_float::OrderedFloat;
use std::sync::Arc;
use std::time::Duration;

/// A client of Calculate. Clones share its connections, which are made anew when they were lost.
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
    channel: Arc<Channel>,
    /// Which instance gets this clone's calls where they are balanced by a key.
    key: Option<Arc<[u8]>>,
    /// A call's time, by [`Client::with_timeout`] for this clone only.
    timeout: Duration,
}

/// What calls go through.
#[derive(Debug)]
enum Channel {
    /// One server.
    Direct(Box<Connections>),
    /// Many.
    Balanced(Balanced),
}

impl Client {
    /// Connects, within the options' time-out: to the one server, or to one of many when it is known which there are. Must
    /// be called inside a tokio runtime, which then drives the connections.
    ///
    /// # Errors
    /// ConnectError, or DeadlineExceeded.
    pub async fn connect(target: Target, options: Options) -> Result<Client, CalculateError> {
        let timeout = options.timeout;
        let deadline = Deadline::after(timeout);
        let channel = match target.kind() {
            Kind::One(address) => {
                Channel::Direct(Box::new(Connections::connect(address.clone(), options, deadline).await?))
            }
            Kind::Many(source) => {
                let (text, source) = (target.to_string(), source.clone());
                let options = Options { cache_file: resolve::cache_file(&source, &options), ..options };
                Channel::Balanced(Balanced::connect(text, source, options, deadline).await?)
            }
        };
        Ok(Client { channel: Arc::new(channel), key: None, timeout })
    }

    /// The principal square ROOT of `number` (not its square: that is [`cal`](Client::cal)), IEEE 754 squareRoot.
    ///
    /// # Errors
    /// DomainError for a negative number; otherwise see [`CalculateError`].
    pub async fn square(&self, number: f64) -> Result<f64, CalculateError> {
        let number = Number::new(OrderedFloat(number));
        self.call(SQUARE, |input, output| CalculateSyncClient::new(input, output).square(number.clone()))
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
        self.call(CAL, |input, output| CalculateSyncClient::new(input, output).cal(number.clone()))
            .await
            .map(|number| number.value.into_inner())
    }

    /// Any method of any generated client: see [`message`](super::message) for what a stub is. `method` is its name on
    /// the wire, or a [`Method`] that may be carried out twice. A oneway call is over when it was sent. Dropping the future abandons the call.
    ///
    /// # Errors
    /// See [`CalculateError`].
    pub async fn call<R>(
        &self,
        method: impl Into<Method>,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        let (method, deadline) = (method.into(), Deadline::after(self.timeout));
        match &*self.channel {
            Channel::Direct(connections) => connections.call(method, deadline, &stub).await.0,
            Channel::Balanced(balanced) => balanced.call(method, self.key.as_deref(), deadline, stub).await,
        }
    }

    /// This client, on the same connections, with another time-out for its calls.
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { timeout, ..self.clone() }
    }

    /// This client, on the same connections, whose calls go to the instance that this key belongs to, where they are
    /// balanced by a key ([`Balance::Hash`](super::Balance)).
    pub fn with_key(&self, key: impl AsRef<[u8]>) -> Client {
        Client { key: Some(key.as_ref().into()), ..self.clone() }
    }

    /// What this client and its clones did so far; all 0 to one server.
    pub fn counts(&self) -> Counts {
        match &*self.channel {
            Channel::Direct(_) => Counts::default(),
            Channel::Balanced(balanced) => balanced.counts(),
        }
    }

    /// Closes this client and its clones: calls in flight fail with ConnectionClosed, as do later ones.
    pub fn close(&self) {
        match &*self.channel {
            Channel::Direct(connections) => connections.close(),
            Channel::Balanced(balanced) => balanced.close(),
        }
    }

    fn server(&self) -> &str {
        match &*self.channel {
            Channel::Direct(connections) => connections.server(),
            Channel::Balanced(balanced) => balanced.target(),
        }
    }

    /// A DomainError says which one it is: what the generated type prints is its name.
    fn in_words(&self, error: CalculateError) -> CalculateError {
        let text = error.domain_error().map(|DomainError { message, value }| {
            format!("{} (value {:?}, refused by {})", one_line(message), value.into_inner(), self.server())
        });
        match text {
            Some(text) => error.with_declared_text(text),
            None => error,
        }
    }
}

/// Both only compute: they may be carried out twice.
const SQUARE: Method = Method::new("Square").of("Calculate").idempotent();
const CAL: Method = Method::new("Cal").of("Calculate").idempotent();

impl CalculateError {
    /// The IDL's DomainError, where it is one.
    pub fn domain_error(&self) -> Option<&DomainError> {
        match self {
            CalculateError::Declared(declared) => declared.exception.downcast_ref(),
            _ => None,
        }
    }
}
