//! The task of a balanced channel: takes in lists, probes those that failed, tends connections, keeps the list on disk.

use super::super::events::Event;
use super::super::resolve::{Update, cache};
use super::{Shared, probe};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

/// Runs until the channel is gone.
pub(super) async fn run(channel: Weak<Shared>, mut updates: UnboundedReceiver<Update>) {
    let mut kept = Kept::default();
    let mut tended = Instant::now();
    loop {
        let Some(shared) = channel.upgrade() else { return };
        let pause = pause(&shared);
        let update = tokio::select! {
            update = updates.recv() => match update {
                Some(update) => Some(update),
                // There is nothing more to learn: the list is as it was typed.
                None => {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = shared.wake.notified() => {}
                    }
                    None
                }
            },
            () = tokio::time::sleep(pause) => None,
            () = shared.wake.notified() => None,
        };
        let now = shared.now_ms();
        let read = matches!(update, Some(Update::Read(_)));
        let events = match update {
            Some(update) => shared.lock().update(update, now),
            None => shared.lock().tick(now),
        };
        shared.counters.instances.set(shared.lock().count());
        events.iter().for_each(|event| shared.tell(event));
        shared.listed.notify_waiters();
        kept.changed |= read;
        kept.keep(&shared).await;
        probe_due(&shared, &channel);
        if tended.elapsed() >= LOOK {
            tended = Instant::now();
            for handle in shared.lock().handles() {
                handle.pool.tend();
            }
        }
    }
}

/// How long there is nothing to do.
fn pause(shared: &Shared) -> Duration {
    let state = shared.lock();
    let now = shared.now_ms();
    let due = state.next_look_ms().map(|due| Duration::from_millis(due.saturating_sub(now)));
    let held = state.holds_back().then_some(HELD_LOOK);
    [due, held].into_iter().flatten().fold(LOOK, Duration::min)
}

fn probe_due(shared: &Arc<Shared>, channel: &Weak<Shared>) {
    for handle in shared.lock().take_due(shared.now_ms()) {
        let channel = channel.clone();
        tokio::spawn(async move {
            let well = probe::is_well(&handle).await;
            let Some(shared) = channel.upgrade() else { return };
            let returned = shared.lock().probed(&handle.id, shared.now_ms(), well);
            if returned {
                shared.tell(&Event::InstanceReturned(handle.id.clone()));
            }
            shared.wake.notify_one();
        });
    }
}

/// The list on the disk.
#[derive(Debug, Default)]
struct Kept {
    changed: bool,
    written: Option<Instant>,
}

impl Kept {
    /// Writes the list, at most once a second.
    async fn keep(&mut self, shared: &Arc<Shared>) {
        const INTERVAL: Duration = Duration::from_secs(1);
        let due = self.written.is_none_or(|written| written.elapsed() >= INTERVAL);
        let Some(file) = shared.options.cache_file.clone().filter(|_| self.changed && due) else { return };
        (self.changed, self.written) = (false, Some(Instant::now()));
        let (target, instances) = (shared.target.clone(), shared.lock().instances());
        let written =
            tokio::task::spawn_blocking(move || cache::write(&file, &target, &instances).map_err(|e| (file, e)));
        if let Ok(Err((file, error))) = written.await {
            log::debug!("{}: the list is not kept in {}: {error}", shared.target, file.display());
        }
    }
}

const LOOK: Duration = Duration::from_secs(1);
const HELD_LOOK: Duration = Duration::from_millis(100);
