//! What the tests share: servers to talk to, sockets to talk with, messages to say.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod fake;
pub mod gates;
pub mod golden;
#[allow(clippy::all, clippy::unwrap_used)]
#[rustfmt::skip]
pub mod idl {
    pub mod wire;
}
pub mod library;
pub mod log;
pub mod message;
pub mod peer;
pub mod program;
pub mod random;
pub mod storm;
pub mod tls;
pub mod zookeeper;

use std::time::{Duration, Instant};

/// How long anything that must happen may take on a machine that is busy with other things.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until the outside world is as it should be.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "after {DEADLINE:?} still not so: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
