//! What the operator's subcommands have in common: which service in which registry, and a session with it.

use super::fail;
use super::zookeeper::ZooKeeperArgs;
use crate::error::{Blame, Error};
use crate::registry::{Location, Session};
use std::process::ExitCode;
use std::time::Duration;

impl ZooKeeperArgs {
    pub(super) async fn open(&self, service: &Location) -> Result<Session, Error> {
        let (credentials, tls) = (self.credentials()?, self.tls()?);
        Session::open(service, credentials.as_ref(), tls.as_ref(), SESSION_TIMEOUT).await
    }
}

/// Reads which service is spoken of.
pub(super) fn service(text: &str) -> Result<Location, String> {
    Location::parse("registry", text).map_err(|error| error.to_string())
}

/// Runs a subcommand to its end; an error is one line on standard error.
pub(super) fn block_on(work: impl Future<Output = Result<(), Error>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, format_args!("cannot start: {error}")),
    };
    match runtime.block_on(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.blame() == Blame::Setting => fail(2, error),
        Err(error) => fail(1, error),
    }
}

const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
