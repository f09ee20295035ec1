//! Which calls of a connection are unanswered, and which reply is whose. No I/O, no clock.

use super::error::CalculateError;
use crate::wire::framing::{Split, Splitter};
use crate::wire::message::{Header, Kind};
use crate::wire::{Encoding, Limits, Malformed, printable};
use std::collections::{HashMap, HashSet};
use tokio::sync::oneshot;

/// A call's reply, as its message's bytes (none for a oneway call, which was sent), or why there is none.
pub(super) type Outcome = Result<Vec<u8>, Failure>;

/// Why a call has no reply.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The connection took no more calls, or ended before any of this one was sent: it can be made on another.
    Unsent,
    /// The call failed.
    Failed(CalculateError),
}

/// What came and is no reply to what was asked.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) malformed: Malformed,
    /// The call that it was for, where that can be told.
    pub(super) id: Option<i32>,
}

/// The calls of one connection.
#[derive(Debug)]
pub(super) struct Session {
    splitter: Splitter,
    limits: Limits,
    last_id: i32,
    pending: HashMap<i32, Pending>,
    /// Calls whose callers have gone: their replies are dropped when they come. No id is in `pending` too.
    abandoned: HashSet<i32>,
    /// Calls that wait to be sent, oldest first. Each is pending.
    unsent: Vec<Unsent>,
    /// Oneway calls among those that are being sent.
    leaving: Vec<i32>,
    /// Calls begun so far, and how many of them were given out to be sent, or were given up before.
    begun: u64,
    taken: u64,
    /// Bytes that have arrived so far.
    received: u64,
    /// Takes no new call.
    retired: bool,
    ended: bool,
    /// Why the server wants no call from this client: another connection would be no better.
    refused: Option<CalculateError>,
}

#[derive(Debug)]
struct Pending {
    method: &'static str,
    /// The caller holds the other end.
    reply: oneshot::Sender<Outcome>,
    /// How many calls were begun up to and with it.
    ordinal: u64,
    /// What had arrived when the call was made: if nothing has since, the connection may be dead.
    received_before: u64,
}

#[derive(Debug)]
struct Unsent {
    id: i32,
    call: Vec<u8>,
    oneway: bool,
}

impl Session {
    pub(super) fn new(encoding: Encoding, limits: Limits) -> Session {
        Session {
            splitter: Splitter::new(encoding),
            limits,
            last_id: 0,
            pending: HashMap::new(),
            abandoned: HashSet::new(),
            unsent: Vec::new(),
            leaving: Vec::new(),
            begun: 0,
            taken: 0,
            received: 0,
            retired: false,
            ended: false,
            refused: None,
        }
    }

    /// A number for the next call: positive, wrapping, and not one that is still in use.
    pub(super) fn next_id(&mut self) -> i32 {
        loop {
            self.last_id = if self.last_id == i32::MAX { 1 } else { self.last_id + 1 };
            if !self.pending.contains_key(&self.last_id) && !self.abandoned.contains(&self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Queues `call`, encoded and numbered.
    ///
    /// # Errors
    /// Unsent when no new call belongs on this connection; failed when the server wants none.
    pub(super) fn begin(
        &mut self,
        id: i32,
        method: &'static str,
        call: Vec<u8>,
        oneway: bool,
    ) -> Result<oneshot::Receiver<Outcome>, Failure> {
        if let Some(error) = &self.refused {
            return Err(Failure::Failed(error.clone()));
        }
        if self.retired {
            return Err(Failure::Unsent);
        }
        let (reply, receiver) = oneshot::channel();
        self.begun += 1;
        self.pending.insert(id, Pending { method, reply, ordinal: self.begun, received_before: self.received });
        self.unsent.push(Unsent { id, call, oneway });
        Ok(receiver)
    }

    /// All that waits to be sent, as one. What it gave before has left.
    pub(super) fn take_unsent(&mut self) -> Vec<u8> {
        for id in self.leaving.drain(..) {
            match self.pending.remove(&id) {
                Some(pending) => drop(pending.reply.send(Ok(Vec::new()))),
                None => drop(self.abandoned.remove(&id)),
            }
        }
        self.taken = self.begun;
        self.leaving.extend(self.unsent.iter().filter(|unsent| unsent.oneway).map(|unsent| unsent.id));
        if self.unsent.len() == 1 {
            return self.unsent.pop().map(|unsent| unsent.call).unwrap_or_default();
        }
        let all = self.unsent.iter().map(|unsent| &unsent.call[..]).collect::<Vec<_>>().concat();
        self.unsent.clear();
        all
    }

    /// The caller of `id` has gone, if it was unanswered still.
    pub(super) fn abandon(&mut self, id: i32) {
        const MOST_ABANDONED: usize = 1024;
        let Some(pending) = self.pending.remove(&id) else { return };
        if pending.ordinal > self.taken {
            self.unsent.retain(|unsent| unsent.id != id);
        } else {
            self.abandoned.insert(id);
        }
        let silent = pending.received_before == self.received;
        self.retired |= silent || self.abandoned.len() > MOST_ABANDONED;
    }

    /// Whether a new call belongs on this connection.
    pub(super) fn is_open(&self) -> bool {
        !self.retired
    }

    /// Whether anything has arrived.
    pub(super) fn has_received(&self) -> bool {
        self.received > 0
    }

    /// Whether nobody waits for anything on this connection, nor ever will.
    pub(super) fn is_over(&self) -> bool {
        self.ended || (self.retired && self.pending.is_empty())
    }

    /// Whether the next call to be sent would be the only one: the server may have closed meanwhile.
    pub(super) fn was_idle(&self) -> bool {
        !self.unsent.is_empty() && self.unsent.len() == self.pending.len()
    }

    /// Gives the replies at the front of `bytes` to their callers and says how many bytes they were. `arrived` of
    /// them are new.
    ///
    /// # Errors
    /// The bytes are no replies to what was asked: the connection cannot be trusted any more.
    pub(super) fn receive(&mut self, bytes: &[u8], arrived: usize) -> Result<usize, Fault> {
        self.received += arrived as u64;
        let mut consumed = 0;
        while consumed < bytes.len() {
            match self.splitter.split(&bytes[consumed..], &self.limits)? {
                Split::Message { message, consumed: length } => {
                    self.reply(&bytes[consumed..][message])?;
                    consumed += length;
                }
                Split::Incomplete => break,
            }
        }
        Ok(consumed)
    }

    fn reply(&mut self, message: &[u8]) -> Result<(), Fault> {
        let header = Header::read(self.splitter.encoding().protocol, message)?;
        let id = header.sequence_id;
        if self.abandoned.remove(&id) {
            return Ok(());
        }
        let Some(pending) = self.pending.get(&id) else {
            return Err(Malformed::from(format!("a reply numbered {id}, which no call is")).into());
        };
        let fault = |text: String| Fault { malformed: text.into(), id: Some(id) };
        if pending.method.as_bytes() != header.name {
            return Err(fault(format!("a reply to {} for a call of {}", printable(header.name), pending.method)));
        }
        if !matches!(header.kind(), Kind::Reply | Kind::Exception) {
            return Err(fault("a message that is neither a reply nor an exception".into()));
        }
        if pending.ordinal > self.taken {
            return Err(fault(format!("a reply to {}, which was not sent yet", pending.method)));
        }
        if let Some(pending) = self.pending.remove(&id) {
            // The caller may just have gone.
            let _ = pending.reply.send(Ok(message.to_vec()));
        }
        Ok(())
    }

    /// Ends the connection by what came: the call that it was for, or else the oldest, fails with `error`.
    pub(super) fn end_faulty(&mut self, fault: &Fault, error: CalculateError, for_others: &CalculateError) {
        let oldest = || self.pending.iter().min_by_key(|(_, pending)| pending.ordinal).map(|(id, _)| *id);
        let culprit = fault.id.or_else(oldest);
        if let Some(pending) = culprit.and_then(|id| self.pending.remove(&id)) {
            let _ = pending.reply.send(Err(Failure::Failed(error)));
        }
        self.end(for_others);
    }

    /// Ends the connection: every call fails with `error`, sent or not.
    pub(super) fn end_refused(&mut self, error: &CalculateError) {
        self.refused = Some(error.clone());
        self.taken = self.begun;
        self.end(error);
    }

    /// Ends the connection: every call that was sent fails with `error`.
    pub(super) fn end(&mut self, error: &CalculateError) {
        self.retired = true;
        self.ended = true;
        self.unsent.clear();
        for (_, pending) in self.pending.drain() {
            let sent = pending.ordinal <= self.taken;
            let failure = if sent { Failure::Failed(error.clone()) } else { Failure::Unsent };
            let _ = pending.reply.send(Err(failure));
        }
    }
}

impl From<CalculateError> for Failure {
    fn from(error: CalculateError) -> Self {
        Failure::Failed(error)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Fault { malformed, id: None }
    }
}

#[cfg(test)]
mod tests;
