//! One connection of the load: sends calls, checks replies, takes times.

use super::pacer::Pacer;
use super::report::Tally;
use super::script::{LENGTH, Script};
use crate::client::address::Address;
use crate::client::deadline::Deadline;
use crate::client::dial::dial;
use crate::client::stream::Stream;
use crate::client::{CalculateError, Tls};
use crate::wire::framing::{Split, Splitter};
use crate::wire::message::{Header, Kind};
use crate::wire::{Limits, Malformed};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// What one connection is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Calls in flight, closed loop.
    pub(super) depth: usize,
    /// When the first call is due.
    pub(super) first_due: Instant,
    /// The time from one call's being due to the next's: open loop.
    pub(super) interval: Option<Duration>,
    /// Replies that come before it are not counted.
    pub(super) counts_from: Instant,
    /// No call is made, and no reply counted, after it.
    pub(super) end: Instant,
    /// Stop after this many calls.
    pub(super) calls: Option<u64>,
}

pub(super) async fn connect(target: &Address, tls: Option<&Tls>) -> Result<Stream, CalculateError> {
    dial(target, tls, Deadline::after(PATIENCE)).await
}

/// Runs the plan. Gives the connection back, to be held or closed.
pub(super) async fn run(stream: Stream, script: Rc<Script>, plan: Plan, tally: Rc<RefCell<Tally>>) -> Stream {
    let mut connection = Connection {
        stream,
        splitter: Splitter::new(script.encoding),
        script,
        plan,
        sent: 0,
        replied: 0,
        waiting: VecDeque::new(),
        received: Vec::new(),
        tally,
    };
    let deadline = plan.end + PATIENCE;
    match timeout_at(deadline, connection.exchange()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => connection.fail(&error.to_string()),
        Err(_) => connection.fail(NO_ANSWER),
    }
    connection.stream
}

/// Connecting may take this long, and so may the replies to what is in flight at the end; then they have failed.
const PATIENCE: Duration = Duration::from_secs(5);

const NO_ANSWER: &str = "the server did not answer in time";

struct Connection {
    stream: Stream,
    script: Rc<Script>,
    splitter: Splitter,
    plan: Plan,
    sent: u64,
    replied: u64,
    /// Calls in flight, oldest first, as runs of calls with one time: when they were sent, or were due.
    waiting: VecDeque<(Instant, u64)>,
    /// What came and is not a whole reply yet.
    received: Vec<u8>,
    /// All connections count in it; each borrows it for the moment.
    tally: Rc<RefCell<Tally>>,
}

impl Connection {
    fn in_flight(&self) -> u64 {
        self.sent - self.replied
    }

    /// The connection is no more.
    fn fail(&self, why: &str) {
        self.tally.borrow_mut().fail(self.in_flight().max(1), why);
    }

    async fn exchange(&mut self) -> io::Result<()> {
        match self.plan.interval {
            Some(interval) => self.open_loop(interval).await,
            None => self.closed_loop().await,
        }
    }

    /// As many calls as were answered are made.
    async fn closed_loop(&mut self) -> io::Result<()> {
        let mut free = self.plan.depth as u64;
        loop {
            let now = Instant::now();
            let left = self.plan.calls.map_or(u64::MAX, |calls| calls - self.sent);
            let count = if now < self.plan.end { free.min(left) } else { 0 };
            if count > 0 {
                self.waiting.push_back((now, count));
            }
            self.send(count).await?;
            if self.in_flight() == 0 {
                return Ok(());
            }
            match self.plan.calls {
                None => self.stream.readable().await?,
                Some(_) => {
                    timeout(PATIENCE, self.stream.readable()).await.map_err(|_| io::Error::other(NO_ANSWER))??
                }
            }
            free = self.receive()?;
        }
    }

    /// Calls are made when they are due, however many are in flight (up to the script's length).
    async fn open_loop(&mut self, interval: Duration) -> io::Result<()> {
        let mut pacer = Pacer::new()?;
        let mut due = self.plan.first_due;
        while due < self.plan.end || self.in_flight() > 0 {
            let now = Instant::now();
            let mut count = 0;
            while due <= now && due < self.plan.end && self.in_flight() + count < LENGTH as u64 {
                self.waiting.push_back((due, 1));
                count += 1;
                due += interval;
            }
            self.send(count).await?;
            let sends = due < self.plan.end && self.in_flight() < LENGTH as u64;
            tokio::select! {
                waited = pacer.until(due), if sends => waited?,
                readable = self.stream.readable(), if self.in_flight() > 0 => {
                    readable?;
                    self.receive()?;
                }
            }
        }
        Ok(())
    }

    /// Sends the next `count` calls, which are in `waiting` already.
    async fn send(&mut self, count: u64) -> io::Result<()> {
        let mut left = count as usize;
        while left > 0 {
            let from = self.sent as usize % LENGTH;
            let to = LENGTH.min(from + left);
            let script = self.script.clone();
            let mut calls = script.calls.messages(from, to);
            while !calls.is_empty() || self.stream.holds_back() {
                match self.stream.try_write(calls) {
                    Ok(taken) => calls = &calls[taken..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stream.writable().await?,
                    // What has come may say why.
                    Err(error) => return Err(self.receive().err().unwrap_or(error)),
                }
            }
            self.sent += (to - from) as u64;
            left -= to - from;
        }
        Ok(())
    }

    /// Reads once, if there is something to read. Gives the number of replies.
    fn receive(&mut self) -> io::Result<u64> {
        const MOST: usize = 64 * 1024;
        self.received.reserve(MOST);
        match self.stream.try_read(&mut self.received) {
            Ok(0) => return Err(self.ended("the server closed the connection")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(self.ended(error)),
        }
        let now = Instant::now();
        let before = self.replied;
        let script = self.script.clone();
        let mut consumed = 0;
        while consumed < self.received.len() && self.in_flight() > 0 {
            let index = self.replied as usize % LENGTH;
            let come = &self.received[consumed..];
            let right = script.replies.from(index);
            let (count, length) = script.replies.whole(index, come.len().min(right.len()));
            let count = (count as u64).min(self.in_flight());
            if count > 0 && come[..length] == right[..length] {
                self.count(now, count, Ok(()));
                consumed += length;
            } else {
                match self.one_reply(consumed, index).map_err(io::Error::other)? {
                    Some((length, verdict)) => {
                        self.count(now, 1, verdict);
                        consumed += length;
                    }
                    None => break,
                }
            }
        }
        self.received.drain(..consumed);
        Ok(self.replied - before)
    }

    /// The connection ended. A server that wants TLS may tell a plain client nothing.
    fn ended(&self, how: impl fmt::Display) -> io::Error {
        let nothing_came = self.replied == 0 && self.received.is_empty();
        io::Error::other(match nothing_came && self.stream.is_plain() {
            true => format!("{how}; if the server wants TLS, connect with TLS"),
            false => how.to_string(),
        })
    }

    /// The reply at `consumed`, which may be incomplete or not be what it should.
    fn one_reply(&mut self, consumed: usize, index: usize) -> Result<Option<(usize, Verdict)>, Malformed> {
        let come = &self.received[consumed..];
        let (message, length) = match self.splitter.split(come, &Limits::default())? {
            Split::Incomplete => return Ok(None),
            Split::Message { message, consumed } => (&come[message], consumed),
        };
        if come[..length] == *self.script.replies.messages(index, index + 1) {
            return Ok(Some((length, Ok(()))));
        }
        let header = Header::read(self.script.encoding.protocol, message)?;
        let verdict = match header.kind() {
            Kind::Exception => Err(Wrong::Refused),
            _ => Err(Wrong::Answer),
        };
        Ok(Some((length, verdict)))
    }

    fn count(&mut self, now: Instant, count: u64, verdict: Verdict) {
        self.replied += count;
        let tally = &mut *self.tally.borrow_mut();
        let counts = now >= self.plan.counts_from && now < self.plan.end + PATIENCE;
        let in_time = now < self.plan.end || self.plan.interval.is_some();
        let mut left = count;
        while let Some((time, run)) = self.waiting.front_mut().filter(|_| left > 0) {
            let these = left.min(*run);
            if verdict.is_ok() && counts && in_time {
                tally.succeed(now, now - *time, these);
            }
            left -= these;
            *run -= these;
            if *run == 0 {
                self.waiting.pop_front();
            }
        }
        match verdict {
            Ok(()) => {}
            Err(Wrong::Refused) => tally.fail(count, "the server answered with an exception"),
            Err(Wrong::Answer) => tally.wrong(count),
        }
    }
}

/// Whether a reply is right.
type Verdict = Result<(), Wrong>;

/// What is not right with a reply.
enum Wrong {
    /// It is an exception.
    Refused,
    /// It is another call's, or a wrong number.
    Answer,
}
