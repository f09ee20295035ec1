//! The door for programs without tokio.

use super::calculate;
use super::error::CalculateError;
use super::message::{Input, Method, Output};
use super::options::Options;
use super::target::Target;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;

/// A client of Calculate whose calls block. Clones share one connection; threads may share a client.
///
/// To one server there is no thread behind it: a lone caller reads its reply itself; with several, one of them reads for all and
/// passes that on when its own reply has come. It is not for use inside an asynchronous runtime, where its calls panic.
///
/// ```no_run
/// # fn main() -> Result<(), calculate::client::CalculateError> {
/// use calculate::client::{Options, blocking::Client};
/// let client = Client::connect("127.0.0.1:9090".parse().expect("a target"), Options::default())?;
/// assert_eq!(client.square(9.0)?, 3.0); // Square is the square ROOT
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    client: calculate::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// Connects, within the options' time-out.
    ///
    /// # Errors
    /// ConnectError, or DeadlineExceeded.
    pub fn connect(target: Target, options: Options) -> Result<Client, CalculateError> {
        let server = target.to_string();
        let runtime = Runtime::new(target.one().is_none()).map_err(|error| CalculateError::connect(&server, error))?;
        let client = runtime.block_on(calculate::Client::connect(target, options))?;
        Ok(Client { client, runtime: Arc::new(runtime) })
    }

    /// The principal square ROOT of `number` (not its square: that is [`cal`](Client::cal)).
    ///
    /// # Errors
    /// As [`calculate::Client::square`].
    pub fn square(&self, number: f64) -> Result<f64, CalculateError> {
        self.runtime.block_on(self.client.square(number))
    }

    /// The square of `number`.
    ///
    /// # Errors
    /// As [`calculate::Client::cal`].
    pub fn cal(&self, number: f64) -> Result<f64, CalculateError> {
        self.runtime.block_on(self.client.cal(number))
    }

    /// Any method of any generated client, as [`calculate::Client::call`].
    ///
    /// # Errors
    /// See [`CalculateError`].
    pub fn call<R>(
        &self,
        method: impl Into<Method>,
        stub: impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> Result<R, CalculateError> {
        self.runtime.block_on(self.client.call(method, stub))
    }

    /// This client, on the same connection, with another time-out for its calls.
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { client: self.client.with_timeout(timeout), runtime: self.runtime.clone() }
    }

    /// This client, on the same connections, whose calls go to the instance that this key belongs to: see
    /// [`calculate::Client::with_key`].
    pub fn with_key(&self, key: impl AsRef<[u8]>) -> Client {
        Client { client: self.client.with_key(key), runtime: self.runtime.clone() }
    }

    /// What this client and its clones did so far.
    pub fn counts(&self) -> super::events::Counts {
        self.client.counts()
    }

    /// Closes this client and its clones: calls in flight fail with ConnectionClosed, as do later ones.
    pub fn close(&self) {
        self.client.close();
    }
}

/// Runs the connection in the threads that call.
#[derive(Debug)]
struct Runtime {
    /// Taken by the drop only.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Runtime {
    /// Many instances are looked after between calls, too: that takes a thread.
    fn new(many: bool) -> io::Result<Runtime> {
        let runtime = match many {
            true => {
                Builder::new_multi_thread().worker_threads(1).thread_name("calculate-client").enable_all().build()?
            }
            false => Builder::new_current_thread().enable_all().build()?,
        };
        Ok(Runtime { runtime: Some(runtime) })
    }

    /// One caller's thread drives the connection at a time; tokio passes that on.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().expect("it is there until it is dropped").block_on(future)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // A plain drop waits for look-ups of names, and panics where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
