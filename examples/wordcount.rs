//! A service with an IDL of its own (examples/wordcount.thrift) on the same server: bring your own IDL.
//!
//! `cargo run --example wordcount -- 127.0.0.1:0` prints where it listens; SIGTERM or Ctrl-C ends it.

use calculate::config::{Config, Handlers};
use calculate::server::{Server, Shutdown};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

/// What the Thrift compiler wrote: `thrift --gen rs examples/wordcount.thrift`.
#[rustfmt::skip]
mod idl {
    #[allow(clippy::all, clippy::unwrap_used, unreachable_pub)]
    pub mod wordcount;
}
use idl::wordcount::{NothingToCount, WordCountSyncHandler, WordCountSyncProcessor};

/// Counts words, and how many it has counted.
#[derive(Default)]
struct Counter {
    total: AtomicI64,
}

impl WordCountSyncHandler for Counter {
    fn handle_count(&self, lines: Vec<String>) -> thrift::Result<BTreeMap<String, i32>> {
        let mut counts = BTreeMap::new();
        for word in lines.iter().flat_map(|line| line.split_whitespace()) {
            *counts.entry(word.to_owned()).or_insert(0) += 1;
        }
        if counts.is_empty() {
            return Err(NothingToCount::new("there is no word in these lines".into()).into());
        }
        self.total.fetch_add(counts.values().copied().map(i64::from).sum(), Ordering::Relaxed);
        Ok(counts)
    }

    fn handle_reset(&self) -> thrift::Result<()> {
        self.total.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn handle_total(&self) -> thrift::Result<i64> {
        Ok(self.total.load(Ordering::Relaxed))
    }
}

fn main() -> Result<(), calculate::error::Error> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9091".into());
    let server = Server::bind(Config { listen: vec![listen], ..Config::default() })?.service_on(
        Handlers::Inline,
        "WordCount",
        WordCountSyncProcessor::new(Counter::default()),
    );
    server.local_addrs().for_each(|address| println!("listening on {address}"));
    server.serve(Shutdown::on_signals()?)?;
    Ok(())
}
