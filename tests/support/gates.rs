//! Handlers that wait until a test lets them go on.

use super::eventually;
use super::idl::wire::{Everything, Refused, WireSyncHandler, WireSyncProcessor};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The test's end of a [`Gated`] service.
#[derive(Clone, Default)]
pub struct Gates {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What handlers were called with, in the order in which they began.
    begun: Vec<i32>,
    done: Vec<i32>,
    notes: Vec<String>,
    echoes: usize,
    open: BTreeSet<i32>,
    all_open: bool,
}

impl Gates {
    pub fn new() -> Gates {
        Gates::default()
    }

    /// A processor of the Wire service: `Sleep(n)` waits until gate n is opened, and answers n; `Sleep(0)` does not
    /// wait. `Note("fail")` fails, `Note("panic")` panics, any other is kept.
    pub fn processor(&self) -> WireSyncProcessor<Gated> {
        WireSyncProcessor::new(Gated { gates: self.clone() })
    }

    pub fn open(&self, gate: i32) {
        self.state().open.insert(gate);
        self.shared.changed.notify_all();
    }

    pub fn open_all(&self) {
        self.state().all_open = true;
        self.shared.changed.notify_all();
    }

    /// The gates at which handlers arrived so far.
    pub fn begun(&self) -> Vec<i32> {
        self.state().begun.clone()
    }

    /// The gates that handlers went through.
    pub fn done(&self) -> Vec<i32> {
        self.state().done.clone()
    }

    /// Waits until `count` handlers have begun.
    pub fn have_begun(&self, count: usize) {
        eventually(&format!("{count} handlers have begun"), || self.begun().len() >= count);
    }

    pub fn notes(&self) -> Vec<String> {
        self.state().notes.clone()
    }

    pub fn echoes(&self) -> usize {
        self.state().echoes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Wire service behind gates.
pub struct Gated {
    gates: Gates,
}

impl WireSyncHandler for Gated {
    fn handle_echo(&self, everything: Everything) -> thrift::Result<Everything> {
        self.gates.state().echoes += 1;
        match everything.text.as_deref() {
            Some("refuse") => Err(Refused::new("as asked".into()).into()),
            _ => Ok(everything),
        }
    }

    fn handle_ping(&self) -> thrift::Result<()> {
        Ok(())
    }

    fn handle_note(&self, text: String) -> thrift::Result<()> {
        match text.as_str() {
            "fail" => return Err("a note that fails".into()),
            "panic" => panic!("a note that panics"),
            _ => self.gates.state().notes.push(text),
        }
        Ok(())
    }

    fn handle_sleep(&self, gate: i32) -> thrift::Result<i32> {
        let mut state = self.gates.state();
        state.begun.push(gate);
        while gate != 0 && !state.all_open && !state.open.contains(&gate) {
            state = self.gates.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.done.push(gate);
        Ok(gate)
    }

    fn handle_panic(&self) -> thrift::Result<()> {
        panic!("on purpose")
    }

    fn handle_fail(&self, why: String) -> thrift::Result<()> {
        Err(why.into())
    }
}
