//! One connection: bytes in, calls out; replies in, bytes out.

use super::dispatch::Call;
use super::in_flight::InFlight;
use super::rejects::Reason;
use super::unsent::Unsent;
use super::worker::{Buffers, Local};
use crate::config::{Config, Handlers};
use crate::wire::encoding::{Detected, Foreign, detect};
use crate::wire::framing::{Split, Splitter, message_start};
use crate::wire::message::Kind;
use crate::wire::{Encoding, Exception, ExceptionCode, Malformed, printable};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The state of a connection. What is large is empty, and owns no memory, while the connection is idle.
pub(super) struct Connection<'a> {
    local: &'a Local,
    peer: SocketAddr,
    /// Set once, by the first bytes.
    splitter: Option<Splitter>,
    /// Bytes that arrived and were not handled: an incomplete message, and whole ones while `more` is set.
    tail: Vec<u8>,
    /// The tail may start with a whole message: its turn was over, or the peer was not reading.
    more: bool,
    /// When the message at the front of the tail began to arrive, while it is incomplete.
    message_began: Option<Instant>,
    last_active: Instant,
    in_flight: InFlight,
    unsent: Unsent,
    /// The peer sends no more; what it sent is still answered.
    end_of_stream: bool,
    /// Nothing more is read or handled; replies so far are sent, then it ends for this reason.
    doomed: Option<Ending>,
    /// Set when the server drains.
    last_words: Option<LastWords>,
}

/// What a draining server still owes a connection: the calls that had arrived, in whole or in part, when the drain
/// began. A peer that goes on calling cannot hold the drain up.
#[derive(Clone, Copy, Debug)]
struct LastWords {
    /// Bytes that had arrived and are not read yet.
    unread: u64,
    /// They are read, and the message that they ended in has been handled.
    heard: bool,
}

/// Why a connection ends before its peer ends it.
#[derive(Clone, Debug)]
struct Ending {
    reason: Reason,
    detail: String,
}

impl Ending {
    fn new(reason: Reason, detail: impl Into<String>) -> Ending {
        Ending { reason, detail: detail.into() }
    }
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
            splitter: None,
            tail: Vec::new(),
            more: false,
            message_began: None,
            last_active: Instant::now(),
            in_flight: InFlight::default(),
            unsent: Unsent::default(),
            end_of_stream: false,
            doomed: None,
            last_words: None,
        }
    }

    /// Serves until the peer ends the connection, breaks a rule, or the server drains.
    pub(super) async fn run(mut self, mut stream: TcpStream) {
        let ending = self.serve(&mut stream).await;
        if let Err(ending) = ending {
            self.local.shared.rejects.record(ending.reason, Some(self.peer), &ending.detail);
        }
        let quiet = self.splitter.is_none() || self.last_active.elapsed() > LINGER;
        if self.end_of_stream || (self.last_words.is_some() && quiet) {
            return;
        }
        // Bytes that are left unread would make the kernel answer with a reset, which can overtake our last reply.
        let local = self.local;
        drop(self);
        if stream.shutdown().await.is_ok() {
            let _ = tokio::time::timeout(LINGER, discard(&mut stream, local)).await;
        }
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
        loop {
            if let Some(end) = self.end() {
                return end;
            }
            match self.deadline() {
                Some(deadline) if deadline < timer.deadline() => timer.as_mut().reset(deadline),
                _ => {}
            }
            let (reads, more) = (self.reads(), self.more && self.has_room());
            let (mut reader, writer) = stream.split();
            let event = tokio::select! {
                biased;
                read = read_some(&mut reader, local), if reads => Event::Read(read),
                writable = writer.writable(), if !self.unsent.is_empty() => Event::Writable(writable),
                () = self.in_flight.next_replies(&mut ready), if !self.in_flight.is_empty() => Event::Replies,
                () = tokio::task::yield_now(), if more => Event::More,
                () = &mut timer => Event::Timer,
                () = &mut drain, if self.last_words.is_none() => Event::Drain,
            };
            match event {
                Event::Read(Ok(0)) => self.end_of_stream = true,
                Event::Read(Ok(count)) => self.received(count, stream)?,
                Event::Read(Err(error)) => return Err(self.socket_error(error)),
                Event::Writable(Ok(())) => self.write(stream)?,
                Event::Writable(Err(error)) => return Err(self.socket_error(error)),
                Event::Replies => {
                    self.send(stream, &ready)?;
                    ready = Vec::new();
                    self.last_active = Instant::now();
                }
                Event::More => self.go_on(stream)?,
                Event::Timer => self.check_deadlines(&mut timer)?,
                Event::Drain => self.begin_drain(stream),
            }
        }
    }

    fn begin_drain(&mut self, stream: &TcpStream) {
        // An error here means that the socket is dead: nothing is owed to it, and the next read or write says why.
        let unread = rustix::io::ioctl_fionread(stream).unwrap_or(0);
        self.last_words = Some(LastWords { unread, heard: false });
    }

    /// Whether this is the end, and which.
    fn end(&mut self) -> Option<Result<(), Ending>> {
        if !self.in_flight.is_empty() || !self.unsent.is_empty() {
            return None;
        }
        if let Some(ending) = self.doomed.take() {
            return Some(Err(ending));
        }
        let drained = self.last_words.is_some_and(|last| last.heard || (last.unread == 0 && self.tail.is_empty()));
        (!self.more && (self.end_of_stream || drained)).then_some(Ok(()))
    }

    /// Whether to read on: not from a peer that leaves its replies unread or has all the calls in flight it may have.
    fn reads(&self) -> bool {
        !self.more && !self.end_of_stream && self.has_room()
    }

    fn has_room(&self) -> bool {
        let config = self.config();
        self.doomed.is_none()
            && self.unsent.len() < config.unread_reply_bytes
            && self.in_flight.len() < config.in_flight
    }

    fn config(&self) -> &'a Config {
        &self.local.shared.config
    }

    /// `count` bytes are in the worker's input buffer.
    fn received(&mut self, count: usize, stream: &mut TcpStream) -> Result<(), Ending> {
        if let Some(last) = &mut self.last_words {
            last.unread = last.unread.saturating_sub(count as u64);
        }
        let buffers = &mut *self.local.buffers.borrow_mut();
        let Buffers { input, output } = buffers;
        let input = &input[..count];
        if self.tail.is_empty() {
            let consumed = self.handle(input, output);
            self.keep(&input[consumed..], consumed);
        } else {
            let mut tail = std::mem::take(&mut self.tail);
            tail.extend_from_slice(input);
            self.handle_tail(tail, output);
        }
        self.turn_over(output, stream)
    }

    /// Handles what was left in the tail.
    fn go_on(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        let output = &mut self.local.buffers.borrow_mut().output;
        let tail = std::mem::take(&mut self.tail);
        self.handle_tail(tail, output);
        self.turn_over(output, stream)
    }

    fn handle_tail(&mut self, mut tail: Vec<u8>, output: &mut Vec<u8>) {
        let consumed = self.handle(&tail, output);
        if consumed == tail.len() {
            self.message_began = None;
            return;
        }
        tail.drain(..consumed);
        self.tail = tail;
        self.began(consumed);
    }

    fn keep(&mut self, rest: &[u8], consumed: usize) {
        if !rest.is_empty() {
            self.tail.extend_from_slice(rest);
            self.began(consumed);
        }
    }

    /// An incomplete message is at the front of the tail; it is a new one if others were consumed before it.
    fn began(&mut self, consumed: usize) {
        if consumed > 0 || self.message_began.is_none() {
            self.message_began = Some(Instant::now());
        }
    }

    fn turn_over(&mut self, output: &mut Vec<u8>, stream: &mut TcpStream) -> Result<(), Ending> {
        self.last_active = Instant::now();
        let sent = self.send(stream, output);
        if output.capacity() > KEPT_OUTPUT_BYTES {
            *output = Vec::new();
        }
        output.clear();
        sent
    }

    /// Handles the whole messages at the front of `bytes` and says how many bytes they were.
    fn handle(&mut self, bytes: &[u8], output: &mut Vec<u8>) -> usize {
        self.more = false;
        let mut consumed = 0;
        let mut left_in_turn = self.config().messages_per_turn;
        while self.doomed.is_none() && consumed < bytes.len() {
            if left_in_turn == 0 || !self.has_room() || output.len() >= self.config().unread_reply_bytes {
                self.more = true;
                break;
            }
            left_in_turn -= 1;
            match self.next_message(&bytes[consumed..], output) {
                Ok(Some(length)) => consumed += length,
                Ok(None) => break,
                Err(ending) => self.doomed = Some(ending),
            }
        }
        if let Some(last) = &mut self.last_words {
            last.heard |= last.unread == 0 && consumed > 0;
        }
        if self.doomed.is_some() { bytes.len() } else { consumed }
    }

    /// Handles the message at the front of `bytes`, if it is whole.
    fn next_message(&mut self, bytes: &[u8], output: &mut Vec<u8>) -> Result<Option<usize>, Ending> {
        let malformed = |malformed: Malformed| {
            let start = printable(&bytes[..bytes.len().min(16)]);
            Ending::new(Reason::Malformed, format!("{malformed} (the bytes start {start})"))
        };
        let splitter = match &mut self.splitter {
            Some(splitter) => splitter,
            None => match detect(bytes) {
                Detected::Encoding(encoding) => self.splitter.insert(Splitter::new(encoding)),
                Detected::Undecided => return Ok(None),
                Detected::Foreign(foreign) => return Err(turn_away(foreign, output)),
                Detected::Unknown => return Err(malformed("no encoding that this port speaks".into())),
            },
        };
        let encoding = splitter.encoding();
        match splitter.split(bytes, &self.local.shared.config.limits) {
            Ok(Split::Incomplete) => Ok(None),
            Ok(Split::Message { message, consumed }) => {
                let call = Call::read(encoding, &bytes[message]).map_err(malformed)?;
                self.call(&call, output);
                Ok(Some(consumed))
            }
            Err(error) => {
                self.refuse_unread(encoding, message_start(encoding.framing, bytes), &error, output);
                Err(malformed(error))
            }
        }
    }

    /// The message that starts with `start` has no end that could be found, so its connection has none either. Its
    /// caller is told, if the header is there.
    fn refuse_unread(&mut self, encoding: Encoding, start: &[u8], error: &Malformed, output: &mut Vec<u8>) {
        if let Ok(call) = Call::read(encoding, start)
            && call.header.kind == Kind::Call
        {
            let exception = Exception::new(ExceptionCode::PROTOCOL_ERROR, error.to_string());
            self.reply(output, |out| call.refuse(&exception, out));
        }
    }

    /// Answers a call, or sees to it that it will be.
    fn call(&mut self, call: &Call<'_>, output: &mut Vec<u8>) {
        let shared = &*self.local.shared;
        let service = match shared.services.route(&call.header) {
            Ok(service) => service,
            Err(exception) => return self.reply(output, |out| call.refuse(&exception, out)),
        };
        match (service.handlers(), &shared.pool) {
            (Handlers::Pool, Some(pool)) => match pool.submit(service, call) {
                Some(reply) => self.in_flight.push_waiting(reply),
                None => {
                    let text = "overloaded: the server's queue is full; try another instance, or later";
                    let exception = Exception::new(ExceptionCode::OVERLOADED, text);
                    self.reply(output, |out| call.refuse(&exception, out));
                }
            },
            _ => self.reply(output, |out| service.answer(call, &shared.config.limits, out)),
        }
    }

    /// Puts a reply in its place: behind those that are still awaited, or straight into this turn's output.
    fn reply(&mut self, output: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.in_flight.is_empty() {
            return write(output);
        }
        let mut reply = Vec::new();
        write(&mut reply);
        self.in_flight.push_ready(reply);
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
        let message = match self.more || self.doomed.is_some() {
            true => None,
            false => self.message_began.map(|began| began + config.message_timeout),
        };
        let reply = self.unsent.deadline();
        match (message, reply) {
            (Some(message), Some(reply)) => Some(message.min(reply)),
            (None, None) if self.in_flight.is_empty() => Some(self.last_active + config.idle_timeout),
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
            let text = format!("{} bytes, not whole after {} s", self.tail.len(), seconds(config.message_timeout));
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
        let input = &mut *local.buffers.borrow_mut().input;
        poll_read(reader, context, input)
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

/// Reads until the peer ends the connection too.
async fn discard(stream: &mut TcpStream, local: &Local) -> io::Result<()> {
    while read_some(stream, local).await? > 0 {}
    Ok(())
}

/// Tells HTTP in its own words what this port is; the others would not understand.
fn turn_away(foreign: Foreign, output: &mut Vec<u8>) -> Ending {
    if foreign == Foreign::Http {
        const TEXT: &str = "This port speaks Apache Thrift: the strict binary or the compact protocol, framed or \
                            unframed, over plain TCP. It does not speak HTTP; call it with a Thrift client.\n";
        let length = TEXT.len();
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        output.extend_from_slice(head.as_bytes());
        output.extend_from_slice(TEXT.as_bytes());
    }
    Ending::new(Reason::Foreign, format!("the first bytes are {foreign}, which this port does not speak"))
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(366 * 24 * 3600)
}

/// How long a connection that we end may go on sending before it is cut.
const LINGER: Duration = Duration::from_secs(1);

/// An output buffer that one large reply made larger is given back.
const KEPT_OUTPUT_BYTES: usize = 256 * 1024;
