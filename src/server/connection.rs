//! One connection: its socket, its deadlines, and its end.

use super::close::{Close, LINGER};
use super::conversation::{Conversation, Ending};
use super::peer::Peer;
use super::rejects::Reason;
use super::shared::Local;
use super::stream::Stream;
use super::tls_fault;
use super::unsent::Unsent;
use crate::config::Config;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// A peer's conversation, and what its socket and the clock say of it.
pub(super) struct Connection<'a> {
    local: &'a Local,
    conversation: Conversation<'a>,
    /// When the message that is not whole yet began to arrive.
    message_began: Option<Instant>,
    last_active: Instant,
    unsent: Unsent,
    /// The peer sends no more; what it sent is still answered.
    end_of_stream: bool,
    /// Set when the server drains.
    last_words: Option<LastWords>,
}

/// What a draining server still owes a connection: the calls that had arrived, in whole or in part, when the drain
/// began. A peer that goes on calling cannot hold the drain up.
#[derive(Clone, Copy, Debug)]
struct LastWords {
    /// Bytes that had arrived at the socket and are not read yet.
    unread: u64,
    /// Bytes of those that are read and not handled. When both are 0 the message that the last of them was in has been
    /// handled.
    owed: u64,
}

enum Event {
    Read(io::Result<usize>),
    Writable(io::Result<()>),
    Replies,
    Timer,
    Drain,
    More,
}

impl<'a> Connection<'a> {
    pub(super) fn new(local: &'a Local, peer: Peer) -> Connection<'a> {
        Connection {
            local,
            conversation: Conversation::new(&local.shared, peer),
            message_began: None,
            last_active: Instant::now(),
            unsent: Unsent::default(),
            end_of_stream: false,
            last_words: None,
        }
    }

    /// Serves until the peer ends the connection, breaks a rule, or the server drains.
    /// Says how to [`close`] it. By reference, as an async function keeps what it is given twice.
    pub(super) async fn run(&mut self, stream: &mut Stream) -> Close {
        let ending = self.serve(stream).await;
        if let Err(ending) = ending {
            self.local.shared.rejects.record(ending.reason, Some(self.conversation.peer()), &ending.detail);
        }
        let quiet = !self.conversation.has_begun() || self.last_active.elapsed() > LINGER;
        match self.end_of_stream || (self.last_words.is_some() && quiet) {
            true => Close::AtOnce,
            false => Close::Linger,
        }
    }

    async fn serve(&mut self, stream: &mut Stream) -> Result<(), Ending> {
        let local = self.local;
        let timer = tokio::time::sleep_until(self.deadline().unwrap_or_else(far_future));
        let drain = local.drain.notified();
        tokio::pin!(timer, drain);
        if local.draining.get() {
            self.begin_drain(stream);
        }
        let mut ready = Vec::new();
        // Whether the timer and the drain have been asked, and will wake this task, since either last changed.
        let mut armed = false;
        loop {
            if let Some(end) = self.end() {
                return end;
            }
            match self.deadline() {
                Some(deadline) if deadline < timer.deadline() => {
                    timer.as_mut().reset(deadline);
                    armed = false;
                }
                _ => {}
            }
            let (reads, more) = (self.reads(), self.conversation.has_more() && self.has_room());
            let awaits = !self.conversation.in_flight.is_empty();
            let in_flight = &mut self.conversation.in_flight;
            // Between one call and the next there are only bytes to wait for: asking all the others each time, too,
            // is a tenth of what a lone call costs.
            let only_reads = reads && !awaits && self.unsent.is_empty() && !local.draining.get();
            let read = match only_reads && armed && self.last_active < timer.deadline() {
                true => read_or_wake(stream, local).await,
                false => None,
            };
            let event = match read {
                Some(read) => Event::Read(read),
                None => tokio::select! {
                    biased;
                    event = io_event(stream, local, reads, !self.unsent.is_empty()), if reads || !self.unsent.is_empty() => event,
                    () = in_flight.next_replies(&mut ready), if awaits => Event::Replies,
                    () = tokio::task::yield_now(), if more => Event::More,
                    () = &mut timer => Event::Timer,
                    () = &mut drain, if self.last_words.is_none() => Event::Drain,
                    () = all_asked(&mut armed) => unreachable!("it is never ready"),
                },
            };
            if !reads && let Some(began) = &mut self.message_began {
                // A message that we do not read on has all its time before it.
                *began = Instant::now();
            }
            match event {
                Event::Read(Ok(0)) => self.end_of_stream = true,
                Event::Read(Ok(count)) => {
                    self.arrived(stream, count);
                    let replies = self.received(count);
                    others_first().await;
                    self.send(stream, &replies)?;
                }
                Event::Read(Err(error)) => return Err(self.socket_error(error)),
                Event::Writable(Ok(())) => self.write(stream)?,
                Event::Writable(Err(error)) => return Err(self.socket_error(error)),
                Event::Replies => {
                    self.send(stream, &ready)?;
                    ready = Vec::new();
                    self.last_active = Instant::now();
                }
                Event::More => {
                    let replies = self.go_on();
                    self.send(stream, &replies)?;
                }
                Event::Timer => {
                    self.check_deadlines(&mut timer)?;
                    armed = false;
                }
                Event::Drain => self.begin_drain(stream),
            }
        }
    }

    fn begin_drain(&mut self, stream: &mut Stream) {
        // What was read before is not to be counted again.
        stream.arrived(0);
        self.conversation.begin_drain();
        self.last_words = Some(LastWords { unread: stream.unread(), owed: self.conversation.unhandled() as u64 });
    }

    /// A read gave `count` bytes: so many of those that had arrived when the drain began are not unread any more.
    fn arrived(&mut self, stream: &mut Stream, count: usize) {
        let Some(last) = &mut self.last_words else { return };
        let off_the_socket = stream.arrived(count).min(last.unread);
        // Under TLS there are fewer bytes in a read than came off the socket for it.
        if off_the_socket > 0 {
            last.owed += off_the_socket.min(count as u64);
            last.unread -= off_the_socket;
        }
    }

    /// Whether this is the end, and which.
    fn end(&mut self) -> Option<Result<(), Ending>> {
        if !self.conversation.in_flight.is_empty() || !self.unsent.is_empty() {
            return None;
        }
        if let Some(ending) = self.conversation.take_doom() {
            return Some(Err(ending));
        }
        let drained = self.last_words.is_some_and(|last| last.unread == 0 && last.owed == 0);
        (!self.conversation.has_more() && (self.end_of_stream || drained)).then_some(Ok(()))
    }

    /// Whether to read on: not from a peer that leaves its replies unread or has all the calls in flight it may have.
    fn reads(&self) -> bool {
        !self.conversation.has_more() && !self.end_of_stream && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.conversation.has_room(self.unsent.byte_count())
    }

    fn config(&self) -> &'a Config {
        &self.local.shared.config
    }

    /// `count` bytes are in the worker's input buffer. Gives the replies to them.
    fn received(&mut self, count: usize) -> Vec<u8> {
        let mut replies = Vec::with_capacity(FIRST_REPLY_BYTES);
        let input = &self.local.input.borrow()[..count];
        let consumed = self.conversation.hear(input, self.unsent.byte_count(), &mut replies);
        self.turn_over(consumed);
        replies
    }

    /// Handles what an earlier turn left. Gives the replies to it.
    fn go_on(&mut self) -> Vec<u8> {
        let mut replies = Vec::with_capacity(FIRST_REPLY_BYTES);
        let consumed = self.conversation.go_on(self.unsent.byte_count(), &mut replies);
        self.turn_over(consumed);
        replies
    }

    /// `consumed` bytes were handled in this turn.
    fn turn_over(&mut self, consumed: usize) {
        self.last_active = Instant::now();
        if self.conversation.unhandled() == 0 {
            self.message_began = None;
        } else if consumed > 0 || self.message_began.is_none() {
            self.message_began = Some(self.last_active);
        }
        if let Some(last) = &mut self.last_words {
            last.owed = last.owed.saturating_sub(consumed as u64);
        }
    }

    /// Sends what was replied, behind what is still unsent; what the peer does not take now, waits.
    fn send(&mut self, stream: &mut Stream, replies: &[u8]) -> Result<(), Ending> {
        if replies.is_empty() {
            return Ok(());
        }
        let mut sent = 0;
        if self.unsent.is_empty() {
            sent = self.try_write(stream, replies)?;
        }
        if sent < replies.len() {
            let rest = &replies[sent..];
            if !self.conversation.hold(self.unsent.byte_count() + rest.len()) {
                return Err(self.conversation.no_room());
            }
            self.unsent.push(rest, self.last_active, self.config().write_timeout);
        } else {
            self.let_go();
        }
        self.unsent.hold(stream.holds_back(), self.last_active, self.config().write_timeout);
        Ok(())
    }

    /// Less may be held than was.
    fn let_go(&mut self) {
        if self.conversation.holds() {
            let _less = self.conversation.hold(self.unsent.byte_count());
        }
    }

    /// There is room: for what is unsent, if anything is that TLS does not hold.
    fn write(&mut self, stream: &mut Stream) -> Result<(), Ending> {
        let (now, timeout) = (Instant::now(), self.config().write_timeout);
        if self.unsent.byte_count() > 0 {
            let count = self.try_write(stream, self.unsent.waiting())?;
            self.unsent.took(count, now, timeout);
            self.let_go();
        }
        self.unsent.hold(stream.holds_back(), now, timeout);
        Ok(())
    }

    fn try_write(&self, stream: &mut Stream, bytes: &[u8]) -> Result<usize, Ending> {
        match stream.try_write(bytes) {
            Ok(0) => Err(Ending::new(Reason::Socket, "the socket takes nothing")),
            Ok(count) => Ok(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(self.socket_error(error)),
        }
    }

    fn socket_error(&self, error: io::Error) -> Ending {
        Ending::new(Reason::Socket, tls_fault::of_connection(&error))
    }

    /// The next time at which the peer may have run out of time. None while the pool works for it.
    fn deadline(&self) -> Option<Instant> {
        let config = self.config();
        let message = match self.reads() {
            true => self.message_began.map(|began| began + config.message_timeout),
            false => None,
        };
        let reply = self.unsent.deadline();
        match (message, reply) {
            (Some(message), Some(reply)) => Some(message.min(reply)),
            (None, None) if self.conversation.in_flight.is_empty() => Some(self.last_active + config.idle_timeout),
            (one, other) => one.or(other),
        }
    }

    /// The timer went off. It is set by the nearest deadline, which may have moved away since.
    fn check_deadlines(&self, timer: &mut Pin<&mut tokio::time::Sleep>) -> Result<(), Ending> {
        let Some(deadline) = self.deadline() else {
            timer.as_mut().reset(far_future());
            return Ok(());
        };
        if Instant::now() < deadline {
            timer.as_mut().reset(deadline);
            return Ok(());
        }
        let config = self.config();
        let seconds = |timeout: Duration| timeout.as_secs_f64();
        Err(if self.unsent.deadline() == Some(deadline) {
            let unread = self.unsent.byte_count();
            let text = format!("{unread} bytes of replies not taken in {} s", seconds(config.write_timeout));
            Ending::new(Reason::SlowReader, text)
        } else if self.message_began.is_some() {
            let text = format!(
                "{} bytes, not whole after {} s",
                self.conversation.unhandled(),
                seconds(config.message_timeout)
            );
            Ending::new(Reason::SlowMessage, text)
        } else {
            Ending::new(Reason::Idle, format!("no call for {} s", seconds(config.idle_timeout)))
        })
    }
}

/// Waits for bytes, where `reads`, and reads them into the worker's buffer, or for room to write, where `writes`. The
/// caller uses the bytes before it waits for anything: until then no other connection runs.
async fn io_event(stream: &mut Stream, local: &Local, reads: bool, writes: bool) -> Event {
    poll_fn(|context| {
        if reads && let Poll::Ready(read) = stream.poll_read(context, &mut local.input.borrow_mut()) {
            return Poll::Ready(Event::Read(read));
        }
        match writes {
            true => stream.poll_writable(context).map(Event::Writable),
            false => Poll::Pending,
        }
    })
    .await
}

/// Waits for bytes and reads them, but gives `None` when the task was woken by something else.
async fn read_or_wake(stream: &mut Stream, local: &Local) -> Option<io::Result<usize>> {
    let mut woken = false;
    poll_fn(|context| match stream.poll_read(context, &mut local.input.borrow_mut()) {
        Poll::Ready(read) => Poll::Ready(Some(read)),
        Poll::Pending if std::mem::replace(&mut woken, true) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Goes to the end of the worker's queue: what has arrived on other connections is handled before it is over. Replies
/// that are sent together find their reader awake; sent one by one, each may have to wake it.
async fn others_first() {
    let mut first = true;
    poll_fn(|context| match std::mem::take(&mut first) {
        true => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        false => Poll::Ready(()),
    })
    .await
}

/// The last to be asked: by then all others have been.
async fn all_asked(armed: &mut bool) {
    poll_fn(|_| {
        *armed = true;
        Poll::Pending
    })
    .await
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(366 * 24 * 3600)
}

/// Room for the replies of most turns; they grow beyond it where they must.
const FIRST_REPLY_BYTES: usize = 1024;
