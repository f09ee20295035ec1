//! `calculate load`: the load tool.
//!
//! [`script`] has the calls and the replies that are right, [`connection`] sends and checks them, [`pacer`] says when a
//! call is due, [`report`] adds up, [`intervals`] by time; [`percentiles`] is what either tells of latencies.

mod connection;
mod intervals;
mod pacer;
mod percentiles;
mod report;
mod script;

use super::encoding::EncodingArgs;
use super::method::Method;
use super::tls::TlsArgs;
use super::{fail, say, seconds};
use crate::client::address::Address;
use crate::client::{Target, Tls};
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use connection::Plan;
use indicatif::{ProgressBar, ProgressStyle};
use report::{Report, Tally};
use script::Script;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// Load a server, check every answer, and report calls/s and latencies
///
/// Closed loop by default: every connection keeps --depth calls in flight. With --rate, open loop: calls are due at a
/// fixed rate, and latency counts from when a call was due, not from when it could be sent. Exit code 1 when any call
/// failed or was answered wrongly.
#[derive(Debug, Args)]
pub(super) struct Load {
    /// The server to load: HOST:PORT or unix:/path
    #[arg(long, value_name = "TARGET", env = "CALCULATE_SERVER", default_value = "127.0.0.1:9090")]
    server: Target,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    connections: usize,
    /// Calls in flight on each connection (closed loop)
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = RangedU64ValueParser::<usize>::new().range(1..=script::LENGTH as u64))]
    depth: usize,
    /// Calls a second over all connections (open loop)
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How long to load
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    duration: Duration,
    /// How long to load before that, without counting
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    warmup: Duration,
    /// Make this many calls on each connection, one after the other, instead of loading for a time
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..), conflicts_with_all = ["rate", "duration", "warmup"])]
    calls: Option<u64>,
    /// Then print "holding" and keep the connections open, idle, for so long
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "calls")]
    hold: Option<Duration>,
    /// The method to call
    #[arg(long, default_value = "square")]
    method: Method,
    #[command(flatten)]
    encoding: EncodingArgs,
    #[command(flatten)]
    tls: TlsArgs,
    /// What is a right answer: the reply, or (to measure an echo server) the call's own bytes
    #[arg(long, default_value = "reply")]
    expect: Expect,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// In it, also report the latencies of every so many seconds, one after the other
    #[arg(long, value_name = "SECONDS", value_parser = interval, requires = "json")]
    interval: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Expect {
    Reply,
    Echo,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e9).contains(&rate) => Ok(rate),
        _ => Err("must be a number of calls a second above 0".into()),
    }
}

/// Long enough for its percentiles to mean something, and for them not to fill the memory.
fn interval(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        interval if interval < Duration::from_millis(10) => Err("must be at least 0.01 seconds".into()),
        interval => Ok(interval),
    }
}

impl Load {
    pub(super) fn run(self) -> ExitCode {
        let Some(server) = self.server.one() else {
            return fail(2, "load takes one server, HOST:PORT or unix:/path: what it measures is that server");
        };
        let tls = match self.tls.tls(&self.server) {
            Ok(tls) => tls,
            Err(error) => return fail(2, error),
        };
        super::serve::allow_descriptors();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
        let outcome = runtime
            .map_err(|error| error.to_string())
            .and_then(|runtime| runtime.block_on(self.load(server, tls.as_ref())));
        match outcome {
            Ok((tally, measured)) => {
                let report = Report { tally: &tally.borrow(), measured, connections: self.connections };
                if self.json {
                    say(report.json())
                } else {
                    say(&report)
                }
                match report.fault() {
                    None => ExitCode::SUCCESS,
                    Some(fault) => fail(1, fault),
                }
            }
            Err(error) => fail(1, error),
        }
    }

    async fn load(&self, server: &Address, tls: Option<&Tls>) -> Result<(Rc<RefCell<Tally>>, Duration), String> {
        let script = Rc::new(Script::write(self.method, self.encoding.encoding(), self.expect == Expect::Echo));
        let mut streams = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            streams.push(connection::connect(server, tls).await.map_err(|error| error.to_string())?);
        }
        let start = Instant::now();
        let (counts_from, end) = match self.calls {
            None => (start + self.warmup, start + self.warmup + self.duration),
            Some(_) => (start, start + Duration::from_secs(3600)),
        };
        let tally = Rc::new(RefCell::new(Tally::new(self.interval)));
        let tasks: Vec<_> = streams
            .into_iter()
            .enumerate()
            .map(|(index, stream)| {
                let plan = self.plan(index, start, counts_from, end);
                tokio::task::spawn_local(connection::run(stream, script.clone(), plan, tally.clone()))
            })
            .collect();
        let progress = self.show_progress(start, end);
        let mut held = Vec::with_capacity(tasks.len());
        for task in tasks {
            held.push(task.await.map_err(|error| error.to_string())?);
        }
        progress.finish_and_clear();
        let measured = if self.calls.is_some() { start.elapsed() } else { self.duration };
        if let Some(hold) = self.hold {
            say("holding");
            tokio::time::sleep(hold).await;
        }
        Ok((tally, measured))
    }

    fn plan(&self, index: usize, start: Instant, counts_from: Instant, end: Instant) -> Plan {
        let interval = self.rate.map(|rate| Duration::from_secs_f64(self.connections as f64 / rate));
        let share = index as f64 / self.connections as f64;
        Plan {
            depth: if self.calls.is_some() { 1 } else { self.depth },
            first_due: start + interval.unwrap_or_default().mul_f64(share),
            interval,
            counts_from,
            end,
            calls: self.calls,
        }
    }

    /// A bar that follows the time, on a terminal only.
    fn show_progress(&self, start: Instant, end: Instant) -> ProgressBar {
        if self.calls.is_some() || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        const TICK: Duration = Duration::from_millis(200);
        let bar = ProgressBar::new((end - start).as_millis() as u64);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent}%") {
            bar.set_style(style);
        }
        let shown = bar.clone();
        tokio::task::spawn_local(async move {
            while Instant::now() < end {
                shown.set_position(start.elapsed().as_millis() as u64);
                tokio::time::sleep(TICK).await;
            }
        });
        bar
    }
}
