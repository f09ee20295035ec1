//! Wakes at a time to the microsecond: tokio's timers know milliseconds only, and their lateness would be measured.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// A timer of the kernel's.
#[derive(Debug)]
pub(super) struct Pacer {
    timer: AsyncFd<OwnedFd>,
    /// What it is set to: setting it anew for each reply that comes meanwhile is dear.
    set_to: Option<Instant>,
}

impl Pacer {
    #[expect(deprecated, reason = "its successor is unsafe; an OwnedFd that nobody closes early is what both ask for")]
    pub(super) fn new() -> io::Result<Pacer> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Pacer { timer: AsyncFd::new(timer)?, set_to: None })
    }

    /// Waits until `due`, not at all when that is past.
    pub(super) async fn until(&mut self, due: Instant) -> io::Result<()> {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        if self.set_to != Some(due) {
            let value = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
            self.set_to = Some(due);
        }
        // It fires once and is set anew before it is to fire again, so nobody needs to read from it.
        while Instant::now() < due {
            self.timer.readable().await?.clear_ready();
        }
        self.set_to = None;
        Ok(())
    }
}
