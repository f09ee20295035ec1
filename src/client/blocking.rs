//! The door for programs without tokio.

use super::calculate;
use super::error::CalculateError;
use super::options::Options;
use super::target::Target;
use std::io;
use std::sync::Arc;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A client of Calculate whose calls block. Clones share one connection; threads may share a client.
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
        let runtime = Runtime::start().map_err(|error| CalculateError::connect(&server, error))?;
        let client = runtime.handle.block_on(calculate::Client::connect(target, options))?;
        Ok(Client { client, runtime: Arc::new(runtime) })
    }

    /// The principal square ROOT of `number` (not its square: that is [`cal`](Client::cal)).
    ///
    /// # Errors
    /// As [`calculate::Client::square`].
    pub fn square(&self, number: f64) -> Result<f64, CalculateError> {
        self.runtime.handle.block_on(self.client.square(number))
    }

    /// The square of `number`.
    ///
    /// # Errors
    /// As [`calculate::Client::cal`].
    pub fn cal(&self, number: f64) -> Result<f64, CalculateError> {
        self.runtime.handle.block_on(self.client.cal(number))
    }
}

/// A runtime on a thread of its own; its drop ends the thread.
#[derive(Debug)]
struct Runtime {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Runtime {
    fn start() -> io::Result<Runtime> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            let _ = runtime.block_on(stopped);
        };
        thread::Builder::new().name("calculate-client".into()).spawn(run)?;
        Ok(Runtime { handle, _stop: stop })
    }
}
