//! What a peer said and what it is owed: bytes in, replies out, without a socket and without a clock.

use super::access::Grants;
use super::buffered::Held;
use super::call::Call;
use super::context::{self, Turn};
use super::dispatch::Service;
use super::enveloped::Enveloped;
use super::in_flight::InFlight;
use super::peer::Peer;
use super::rejects::Reason;
use super::shared::Shared;
use crate::config::Handlers;
use crate::wire::encoding::{Detected, Foreign, detect};
use crate::wire::framing::{Split, Splitter, message_start};
use crate::wire::message::Kind;
use crate::wire::{Encoding, Envelope, Exception, ExceptionCode, Framing, Headers, Malformed, printable};
use std::borrow::Cow;
use std::sync::Arc;

/// One peer's side of a connection. What is large is empty, and owns no memory, while the connection is idle.
pub(super) struct Conversation<'a> {
    shared: &'a Shared,
    peer: Arc<Peer>,
    /// What the access list says of the peer, and of which generation the list was.
    grants: Option<Box<(u64, Grants)>>,
    /// Set once, by the first bytes.
    splitter: Option<Splitter>,
    /// Bytes that arrived and were not handled: an incomplete message, and whole ones while `more` is set.
    tail: Vec<u8>,
    /// Messages that may still be handled before others' turn.
    left_in_turn: usize,
    /// The tail may start with a whole message: its turn was over, or there was no room.
    more: bool,
    /// Calls whose replies are awaited; the connection waits for them.
    pub(super) in_flight: InFlight,
    /// What the tail, replies that wait for their turn, and what the peer has not taken, take of all there is.
    held: Held,
    /// The server drains.
    draining: bool,
    /// Nothing more is heard; replies so far are sent, then the connection ends for this reason.
    /// In a box, as few connections have one.
    doomed: Option<Box<Ending>>,
}

/// Why a connection ends before its peer ends it.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) reason: Reason,
    pub(super) detail: String,
}

impl Ending {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Ending {
        Ending { reason, detail: detail.into() }
    }
}

impl<'a> Conversation<'a> {
    pub(super) fn new(shared: &'a Shared, peer: Peer) -> Conversation<'a> {
        Conversation {
            shared,
            peer: Arc::new(peer),
            grants: None,
            splitter: None,
            tail: Vec::new(),
            left_in_turn: 0,
            more: false,
            in_flight: InFlight::default(),
            held: shared.buffered.nothing(),
            draining: false,
            doomed: None,
        }
    }

    /// Who is at the other end.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The server drains: header transports tell their peers so.
    pub(super) fn begin_drain(&mut self) {
        self.draining = true;
    }

    /// Whether the peer has said enough to be known.
    pub(super) fn has_begun(&self) -> bool {
        self.splitter.is_some()
    }

    /// Whether [`Conversation::go_on`] may have something to do.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Bytes of a message that is not whole yet, and of whole ones while there is more.
    pub(super) fn unhandled(&self) -> usize {
        self.tail.len()
    }

    /// Whether nothing more is heard.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.is_some()
    }

    /// Why nothing more is heard.
    pub(super) fn take_doom(&mut self) -> Option<Ending> {
        self.doomed.take().map(|ending| *ending)
    }

    /// Whether more may be heard from a peer that leaves `unsent` bytes of replies unread.
    pub(super) fn has_room(&self, unsent: usize) -> bool {
        // In flight may be many short calls, or one of the longest.
        let most_in_flight = self.shared.config.limits.message_bytes.max(self.shared.config.unread_reply_bytes);
        self.doomed.is_none()
            && unsent < self.shared.config.unread_reply_bytes
            && self.in_flight.len() < self.shared.config.in_flight
            && self.in_flight.bytes() < most_in_flight
    }

    /// Hears new bytes: at most one turn's messages are handled, and their replies appended to `output`, behind
    /// `unsent` bytes that the peer has not taken. Gives the number of bytes that were handled.
    pub(super) fn hear(&mut self, input: &[u8], unsent: usize, output: &mut Vec<u8>) -> usize {
        if self.tail.is_empty() {
            let consumed = self.handle(input, unsent, output);
            let kept = consumed == input.len() || self.keep(&input[consumed..], unsent, output);
            self.settle(unsent);
            return if kept { consumed } else { input.len() };
        }
        let unhandled = self.tail.len();
        match self.keep(input, unsent, output) {
            true => self.go_on(unsent, output),
            false => unhandled + input.len(),
        }
    }

    /// Puts bytes of a message that is not whole behind those that are here. Where there is no room for them the
    /// connection is doomed, and they are gone.
    fn keep(&mut self, bytes: &[u8], unsent: usize, output: &mut Vec<u8>) -> bool {
        let needed = self.tail.len() + bytes.len();
        if needed > self.tail.capacity() {
            let longest = self.shared.config.limits.envelope_bytes().saturating_add(bytes.len());
            let room = needed.max(longest.min(2 * self.tail.capacity()));
            let reserved = self.held.set(room + self.in_flight.ready_bytes() + unsent)
                && self.tail.try_reserve_exact(room - self.tail.len()).is_ok();
            if !reserved {
                self.give_up(bytes, output);
                return false;
            }
        }
        self.tail.extend_from_slice(bytes);
        true
    }

    /// There is no room for the rest of a message. Its caller is told, if the header is there.
    fn give_up(&mut self, bytes: &[u8], output: &mut Vec<u8>) {
        let begun = std::mem::take(&mut self.tail);
        if let Some(splitter) = &self.splitter {
            let (encoding, bytes) = (splitter.encoding(), if begun.is_empty() { bytes } else { &begun });
            let exception = Exception::new(ExceptionCode::OVERLOADED, NO_ROOM);
            self.refuse_unread(encoding, message_start(encoding.framing, bytes), &exception, output);
        }
        self.doomed = Some(Box::new(self.no_room()));
    }

    /// Says that the peer leaves `unsent` bytes of replies unread. False where there is no room for so many.
    #[must_use]
    pub(super) fn hold(&mut self, unsent: usize) -> bool {
        self.held.set(self.tail.capacity() + self.in_flight.ready_bytes() + unsent)
    }

    /// Whether this connection takes a part of what all may hold together.
    pub(super) fn holds(&self) -> bool {
        self.held.counts()
    }

    /// All connections together hold what they may, and this one would need more.
    pub(super) fn no_room(&self) -> Ending {
        let most = self.shared.config.buffered_bytes;
        Ending::new(Reason::Buffered, format!("all connections together hold {most} bytes, as much as they may"))
    }

    /// Handles what was left.
    pub(super) fn go_on(&mut self, unsent: usize, output: &mut Vec<u8>) -> usize {
        let mut tail = std::mem::take(&mut self.tail);
        let consumed = self.handle(&tail, unsent, output);
        if consumed < tail.len() {
            tail.drain(..consumed);
            // What one large message needed is not kept for the small ones after it (W4).
            if consumed > 0 && tail.capacity() > KEPT_TAIL_BYTES {
                tail.shrink_to(KEPT_TAIL_BYTES);
            }
            self.tail = tail;
        }
        self.settle(unsent);
        consumed
    }

    /// A turn is over: counts what the connection holds now, where that is worth counting.
    fn settle(&mut self, unsent: usize) {
        if (self.holds() || self.in_flight.ready_bytes() > 0) && !self.hold(unsent) {
            self.tail = Vec::new();
            self.doomed = Some(Box::new(self.no_room()));
        }
    }

    /// Handles the whole messages at the front of `bytes` and says how many bytes they were.
    fn handle(&mut self, bytes: &[u8], unsent: usize, output: &mut Vec<u8>) -> usize {
        let _turn = Turn::begin(self.peer.clone(), self.splitter.as_ref().map(Splitter::encoding));
        self.more = false;
        let mut consumed = 0;
        self.left_in_turn = self.shared.config.messages_per_turn;
        while self.doomed.is_none() && consumed < bytes.len() {
            if self.left_in_turn == 0 || !self.has_room(unsent + output.len()) {
                self.more = true;
                break;
            }
            self.left_in_turn -= 1;
            match self.next_message(&bytes[consumed..], output) {
                Ok(Some(length)) => consumed += length,
                Ok(None) => break,
                Err(ending) => self.doomed = Some(Box::new(ending)),
            }
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
                Detected::Encoding(encoding) => {
                    context::set_encoding(encoding);
                    self.splitter.insert(Splitter::new(encoding))
                }
                Detected::Undecided => return Ok(None),
                Detected::Foreign(foreign) => return Err(turn_away(foreign, output)),
                Detected::Unknown => return Err(malformed("no encoding that this port speaks".into())),
            },
        };
        let encoding = splitter.encoding();
        match splitter.split(bytes, &self.shared.config.limits) {
            Ok(Split::Incomplete) => Ok(None),
            Ok(Split::Message { message, consumed }) => {
                let message = &bytes[message];
                match encoding.framing.is_header() {
                    true => self.enveloped(encoding, message, output).map_err(malformed)?,
                    false => Call::read(encoding, message, None, |call| self.call(call, output)).map_err(malformed)?,
                }
                Ok(Some(consumed))
            }
            Err(error) => {
                let exception = Exception::new(ExceptionCode::PROTOCOL_ERROR, error.to_string());
                self.refuse_unread(encoding, message_start(encoding.framing, bytes), &exception, output);
                Err(malformed(error))
            }
        }
    }

    /// Handles the message in a frame of a header transport.
    fn enveloped(&mut self, encoding: Encoding, frame: &[u8], output: &mut Vec<u8>) -> Result<(), Malformed> {
        let handled = self.opened(encoding, frame, output);
        if let Err(error) = &handled {
            let exception = Exception::new(ExceptionCode::PROTOCOL_ERROR, error.to_string());
            self.refuse_unread(encoding, frame, &exception, output);
        }
        handled
    }

    fn opened(&mut self, encoding: Encoding, frame: &[u8], output: &mut Vec<u8>) -> Result<(), Malformed> {
        let (envelope, message) = Envelope::open(encoding.framing, frame, &self.shared.config.limits)?;
        if let Cow::Owned(inflated) = &message {
            // Few bytes may have become many: they count for as many small messages.
            self.left_in_turn = self.left_in_turn.saturating_sub(inflated.len() / INFLATED_MESSAGE_BYTES);
        }
        let encoding = Encoding { protocol: envelope.protocol, ..encoding };
        context::set_encoding(encoding);
        let enveloped = Enveloped::new(envelope, self.draining);
        Call::read(encoding, &message, Some(&enveloped), |call| self.call(call, output))
    }

    /// The message (or envelope) that starts with `start` has no end that could be found, so its connection has none
    /// either, or is no message. Its caller is told, if the header is there.
    fn refuse_unread(&mut self, encoding: Encoding, start: &[u8], exception: &Exception, output: &mut Vec<u8>) {
        if encoding.framing.is_header() {
            let Some(envelope) = Envelope::for_refusal(encoding.framing, start) else { return };
            let mut message = Vec::new();
            let plain = Encoding { framing: Framing::Unframed, protocol: envelope.protocol };
            exception.write(plain, b"", envelope.sequence_id as i32, &mut message);
            return self.reply(output, |out| envelope.close(&message, &Headers::new(), out));
        }
        // Without its header nobody can be told.
        let _ = Call::read(encoding, start, None, |call| {
            if call.header.kind() == Kind::Call {
                self.reply(output, |out| call.refuse(exception, out));
            }
        });
    }

    /// Answers a call, or sees to it that it will be.
    fn call(&mut self, call: &Call<'_>, output: &mut Vec<u8>) {
        let shared = self.shared;
        let service = match shared.services.route(call) {
            Ok(service) => service,
            Err(exception) => return self.reply(output, |out| call.refuse(&exception, out)),
        };
        if shared.access.is_some() && !self.may_call(service, call.header.method()) {
            return self.deny(service, call, output);
        }
        match (service.handlers(), &shared.pool) {
            (Handlers::Pool, Some(pool)) => {
                let mut held = shared.buffered.nothing();
                let room = held.set(call.byte_count());
                match room.then(|| pool.submit(service, call, self.peer.clone(), held)) {
                    Some(Some(reply)) => self.in_flight.push_waiting(call.byte_count(), reply),
                    Some(None) => self.overloaded(call, QUEUE_FULL, output),
                    None => self.overloaded(call, NO_ROOM, output),
                }
            }
            _ => self.reply(output, |out| service.answer(call, &self.shared.config.limits, out)),
        }
    }

    fn overloaded(&mut self, call: &Call<'_>, text: &str, output: &mut Vec<u8>) {
        let exception = Exception::new(ExceptionCode::OVERLOADED, text);
        self.reply(output, |out| call.refuse(&exception, out));
    }

    fn may_call(&mut self, service: &Service, method: &[u8]) -> bool {
        let Some(access) = &self.shared.access else { return true };
        let generation = access.generation();
        let known = self.grants.take().filter(|known| known.0 == generation);
        let known = known.unwrap_or_else(|| Box::new((generation, access.list().grants(&self.peer))));
        let permitted = known.1.permit(service.name(), method);
        self.grants = Some(known);
        permitted
    }

    fn deny(&mut self, service: &Service, call: &Call<'_>, output: &mut Vec<u8>) {
        let what = format!("{}.{}", service.name(), printable(call.header.method()));
        self.shared.rejects.record(Reason::Denied, Some(&*self.peer), &what);
        let text = format!("permission denied: this client may not call {what}; ask the server's operator");
        let exception = Exception::new(ExceptionCode::UNSUPPORTED_CLIENT_TYPE, text);
        self.reply(output, |out| call.refuse(&exception, out));
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
}

/// Tells HTTP in its own words what this port is; the others would not understand.
fn turn_away(foreign: Foreign, output: &mut Vec<u8>) -> Ending {
    if foreign == Foreign::Http {
        const TEXT: &str = "This port speaks Apache Thrift: the binary (strict or not) or the compact protocol, framed, \
                            unframed, in THeader or in TTHeader. It does not speak HTTP; call it with a Thrift client.\n";
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

/// So many inflated bytes cost about what a message costs that came as it is.
const INFLATED_MESSAGE_BYTES: usize = 1024;

const QUEUE_FULL: &str = "overloaded: the server's queue is full; try another instance, or later";

const NO_ROOM: &str =
    "overloaded: the server holds all that it may of unfinished calls; try another instance, or later";

/// A tail that one large message made larger is given back when the message is handled.
const KEPT_TAIL_BYTES: usize = 256 * 1024;
