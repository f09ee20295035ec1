//! One connection: its socket, its deadlines, and its end.

use super::conversation::{Conversation, Ending};
use super::rejects::Reason;
use super::shared::Local;
use super::unsent::Unsent;
use crate::config::Config;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A peer's conversation, and what its socket and the clock say of it.
pub(super) struct Connection<'a> {
    local: &'a Local,
    peer: SocketAddr,
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
    /// Bytes that had arrived and are not handled yet: in the tail, or not even read. At 0 the message that the last
    /// of them was in has been handled.
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
    pub(super) fn new(local: &'a Local, peer: SocketAddr) -> Connection<'a> {
        Connection {
            local,
            peer,
            conversation: Conversation::new(&local.shared.config, &local.shared.services, local.shared.pool.as_ref()),
            message_began: None,
            last_active: Instant::now(),
            unsent: Unsent::default(),
            end_of_stream: false,
            last_words: None,
        }
    }

    /// Serves until the peer ends the connection, breaks a rule, or the server drains.
    /// Gives how long its end may take: see [`linger`]. By reference, as an async function keeps what it is given twice.
    pub(super) async fn run(&mut self, stream: &mut TcpStream) -> Option<Duration> {
        let ending = self.serve(stream).await;
        if let Err(ending) = ending {
            self.local.shared.rejects.record(ending.reason, Some(self.peer), &ending.detail);
        }
        let quiet = !self.conversation.has_begun() || self.last_active.elapsed() > LINGER;
        let at_once = self.end_of_stream || (self.last_words.is_some() && quiet);
        (!at_once).then_some(LINGER)
    }

    async fn serve(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
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
            let (mut reader, writer) = stream.split();
            // Between one call and the next there are only bytes to wait for: asking all the others each time, too,
            // is a tenth of what a lone call costs.
            let only_reads = reads && !awaits && self.unsent.is_empty() && !local.draining.get();
            let read = match only_reads && armed && self.last_active < timer.deadline() {
                true => read_or_wake(&mut reader, local).await,
                false => None,
            };
            let event = match read {
                Some(read) => Event::Read(read),
                None => tokio::select! {
                    biased;
                    read = read_some(&mut reader, local), if reads => Event::Read(read),
                    writable = writer.writable(), if !self.unsent.is_empty() => Event::Writable(writable),
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

    fn begin_drain(&mut self, stream: &TcpStream) {
        // An error here means that the socket is dead: nothing is owed to it, and the next read or write says why.
        let unread = rustix::io::ioctl_fionread(stream).unwrap_or(0);
        self.last_words = Some(LastWords { owed: self.conversation.unhandled() as u64 + unread });
    }

    /// Whether this is the end, and which.
    fn end(&mut self) -> Option<Result<(), Ending>> {
        if !self.conversation.in_flight.is_empty() || !self.unsent.is_empty() {
            return None;
        }
        if let Some(ending) = self.conversation.take_doom() {
            return Some(Err(ending));
        }
        let drained = self.last_words.is_some_and(|last| last.owed == 0);
        (!self.conversation.has_more() && (self.end_of_stream || drained)).then_some(Ok(()))
    }

    /// Whether to read on: not from a peer that leaves its replies unread or has all the calls in flight it may have.
    fn reads(&self) -> bool {
        !self.conversation.has_more() && !self.end_of_stream && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.conversation.has_room(self.unsent.len())
    }

    fn config(&self) -> &'a Config {
        &self.local.shared.config
    }

    /// `count` bytes are in the worker's input buffer. Gives the replies to them.
    fn received(&mut self, count: usize) -> Vec<u8> {
        let mut replies = Vec::with_capacity(FIRST_REPLY_BYTES);
        let input = &self.local.input.borrow()[..count];
        let consumed = self.conversation.hear(input, self.unsent.len(), &mut replies);
        self.turn_over(consumed);
        replies
    }

    /// Handles what an earlier turn left. Gives the replies to it.
    fn go_on(&mut self) -> Vec<u8> {
        let mut replies = Vec::with_capacity(FIRST_REPLY_BYTES);
        let consumed = self.conversation.go_on(self.unsent.len(), &mut replies);
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
    fn send(&mut self, stream: &mut TcpStream, replies: &[u8]) -> Result<(), Ending> {
        if replies.is_empty() {
            return Ok(());
        }
        let mut sent = 0;
        if self.unsent.is_empty() {
            sent = self.try_write(stream, replies)?;
        }
        if sent < replies.len() {
            self.unsent.push(&replies[sent..], self.last_active, self.config().write_timeout);
        }
        Ok(())
    }

    fn write(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        let count = self.try_write(stream, self.unsent.waiting())?;
        self.unsent.took(count, Instant::now(), self.config().write_timeout);
        Ok(())
    }

    fn try_write(&self, stream: &TcpStream, bytes: &[u8]) -> Result<usize, Ending> {
        match stream.try_write(bytes) {
            Ok(0) => Err(Ending::new(Reason::Socket, "the socket takes nothing")),
            Ok(count) => Ok(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(self.socket_error(error)),
        }
    }

    fn socket_error(&self, error: io::Error) -> Ending {
        Ending::new(Reason::Socket, error.to_string())
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
            let unread = self.unsent.len();
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

/// Waits for bytes and reads them into the worker's buffer. The caller uses them before it waits for anything: until
/// then no other connection runs.
async fn read_some(reader: &mut (impl AsyncRead + Unpin), local: &Local) -> io::Result<usize> {
    poll_fn(|context| {
        let input = &mut *local.input.borrow_mut();
        poll_read(reader, context, input)
    })
    .await
}

/// As [`read_some`], but gives `None` when the task was woken by something else.
async fn read_or_wake(reader: &mut (impl AsyncRead + Unpin), local: &Local) -> Option<io::Result<usize>> {
    let mut woken = false;
    poll_fn(|context| {
        let input = &mut *local.input.borrow_mut();
        match poll_read(reader, context, input) {
            Poll::Ready(read) => Poll::Ready(Some(read)),
            Poll::Pending if std::mem::replace(&mut woken, true) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
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

fn poll_read(
    reader: &mut (impl AsyncRead + Unpin),
    context: &mut Context<'_>,
    input: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(input);
    ready!(Pin::new(reader).poll_read(context, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// Ends a connection whose peer has not ended it, and reads on for `time` at most: bytes that are left unread would make
/// the kernel answer with a reset, which can overtake our last reply.
pub(super) async fn linger(stream: &mut TcpStream, local: &Local, time: Duration) {
    if stream.shutdown().await.is_ok() {
        let _ = tokio::time::timeout(time, discard(stream, local)).await;
    }
}

/// Reads until the peer ends the connection too.
async fn discard(stream: &mut TcpStream, local: &Local) -> io::Result<()> {
    while read_some(stream, local).await? > 0 {}
    Ok(())
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(366 * 24 * 3600)
}

/// How long a connection that we end may go on sending before it is cut.
const LINGER: Duration = Duration::from_secs(1);

/// Room for the replies of most turns; they grow beyond it where they must.
const FIRST_REPLY_BYTES: usize = 1024;
