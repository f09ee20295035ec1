//! `calculate call`.

use super::encoding::EncodingArgs;
use super::method::{Method, display, number};
use super::tls::TlsArgs;
use super::zookeeper::ZooKeeperArgs;
use super::{fail, say, seconds};
use crate::client::blocking::Client;
use crate::client::{CalculateError, Options, Target};
use crate::wire::Encoding;
use clap::{Args, ValueEnum};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

/// Call a server: `calculate call square 9` prints 3.0, the square ROOT
///
/// Without numbers it asks for them, until something that is not a number is typed.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The server to call: HOST:PORT or unix:/path
    #[arg(long, value_name = "TARGET", env = "CALCULATE_SERVER", default_value = "127.0.0.1:9090")]
    server: Target,
    /// A call's one deadline: connecting, sending and waiting
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    timeout: Duration,
    /// The method to call, unless it is the first argument
    #[arg(long, default_value = "square")]
    method: Method,
    #[command(flatten)]
    encoding: EncodingArgs,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    zookeeper: ZooKeeperArgs,
    /// [square|cal] and the numbers: each result is printed on a line
    #[arg(value_name = "NUMBER", allow_negative_numbers = true)]
    arguments: Vec<String>,
}

impl Call {
    pub(super) fn run(mut self) -> ExitCode {
        if let Some(method) = self.arguments.first().and_then(|first| Method::from_str(first, false).ok()) {
            self.method = method;
            self.arguments.remove(0);
        }
        let mut numbers = Vec::new();
        for text in &self.arguments {
            match number(text) {
                Some(number) => numbers.push(number),
                None => return fail(2, format_args!("{text:?} is not a number; see 'calculate call --help'")),
            }
        }
        let Encoding { framing, protocol } = self.encoding.encoding();
        let tls = match self.tls.tls(&self.server) {
            Ok(tls) => tls,
            Err(error) => return fail(2, error),
        };
        let (zk_auth, zk_tls) = match self.zookeeper.credentials().and_then(|_| self.zookeeper.tls()) {
            Ok(zk_tls) => (self.zookeeper.auth(), zk_tls),
            Err(error) => return fail(2, error),
        };
        let options = Options { timeout: self.timeout, framing, protocol, tls, zk_auth, zk_tls, ..Options::default() };
        let outcome = Client::connect(self.server.clone(), options).and_then(|client| match numbers.is_empty() {
            false => numbers.into_iter().try_for_each(|number| self.print(&client, number)),
            true => self.converse(&client),
        });
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, error),
        }
    }

    fn print(&self, client: &Client, number: f64) -> Result<(), CalculateError> {
        let result = match self.method {
            Method::Square => client.square(number)?,
            Method::Cal => client.cal(number)?,
        };
        say(display(result));
        Ok(())
    }

    /// Asks for numbers until something else is typed; a DomainError is told and does not end it.
    fn converse(&self, client: &Client) -> Result<(), CalculateError> {
        let asks = std::io::stdin().is_terminal();
        loop {
            if asks {
                eprint!("number: ");
            }
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            let Some(number) = read.ok().filter(|&count| count > 0).and_then(|_| number(&line)) else { return Ok(()) };
            match self.print(client, number) {
                Err(error) if error.domain_error().is_some() => eprintln!("calculate: {error}"),
                outcome => outcome?,
            }
        }
    }
}
