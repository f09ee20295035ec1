//! Which calls of a connection are unanswered, and which reply is whose. No I/O.

use super::error::CalculateError;
use crate::wire::framing::{Split, Splitter};
use crate::wire::message::{Header, Kind};
use crate::wire::{Encoding, Limits, Malformed, printable};
use std::collections::{HashMap, HashSet};
use tokio::sync::oneshot;

/// A call's reply, as its message's bytes, or why there is none.
pub(super) type Outcome = Result<Vec<u8>, CalculateError>;

/// The calls of one connection.
#[derive(Debug)]
pub(super) struct Session {
    splitter: Splitter,
    limits: Limits,
    last_id: i32,
    pending: HashMap<i32, Pending>,
    /// Calls whose callers have gone: their replies are dropped when they come.
    abandoned: HashSet<i32>,
    /// Bytes that have arrived so far.
    received: u64,
    retired: bool,
}

#[derive(Debug)]
struct Pending {
    method: &'static str,
    /// The caller holds the other end.
    reply: oneshot::Sender<Outcome>,
    /// What had arrived when the call was made: if nothing has since, the connection may be dead.
    received_before: u64,
}

impl Session {
    pub(super) fn new(encoding: Encoding, limits: Limits) -> Session {
        Session {
            splitter: Splitter::new(encoding),
            limits,
            last_id: 0,
            pending: HashMap::new(),
            abandoned: HashSet::new(),
            received: 0,
            retired: false,
        }
    }

    /// Numbers a call: positive, wrapping, and not a number that is still in use.
    pub(super) fn begin(&mut self, method: &'static str) -> (i32, oneshot::Receiver<Outcome>) {
        loop {
            self.last_id = if self.last_id == i32::MAX { 1 } else { self.last_id + 1 };
            if !self.pending.contains_key(&self.last_id) && !self.abandoned.contains(&self.last_id) {
                break;
            }
        }
        let (reply, receiver) = oneshot::channel();
        self.pending.insert(self.last_id, Pending { method, reply, received_before: self.received });
        (self.last_id, receiver)
    }

    /// The caller of `id` has gone, at its deadline or before, if it was unanswered still. When nothing has arrived
    /// since it called, the connection may be dead.
    pub(super) fn abandon(&mut self, id: i32) {
        const MOST_ABANDONED: usize = 1024;
        let Some(pending) = self.pending.remove(&id) else { return };
        self.abandoned.insert(id);
        let silent = pending.received_before == self.received;
        self.retired |= silent || self.abandoned.len() > MOST_ABANDONED;
    }

    /// No new call belongs on this connection.
    pub(super) fn is_retired(&self) -> bool {
        self.retired
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Gives the replies at the front of `bytes` to their callers and says how many bytes they were. `arrived` of
    /// them are new.
    ///
    /// # Errors
    /// The bytes are no replies to what was asked: the connection cannot be trusted any more.
    pub(super) fn receive(&mut self, bytes: &[u8], arrived: usize) -> Result<usize, Malformed> {
        self.received += arrived as u64;
        let mut consumed = 0;
        while let Split::Message { message, consumed: length } =
            self.splitter.split(&bytes[consumed..], &self.limits)?
        {
            let message = &bytes[consumed..][message];
            self.reply(message)?;
            consumed += length;
            if consumed == bytes.len() {
                break;
            }
        }
        Ok(consumed)
    }

    fn reply(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let header = Header::read(self.splitter.encoding().protocol, message)?;
        if !matches!(header.kind, Kind::Reply | Kind::Exception) {
            return Err("a message that is neither a reply nor an exception".into());
        }
        let id = header.sequence_id;
        if self.abandoned.remove(&id) {
            return Ok(());
        }
        match self.pending.remove(&id) {
            Some(pending) if pending.method.as_bytes() == header.name => {
                // The caller may just have gone.
                let _ = pending.reply.send(Ok(message.to_vec()));
                Ok(())
            }
            Some(pending) => {
                Err(format!("a reply to {} for a call of {}", printable(header.name), pending.method).into())
            }
            None => Err(format!("a reply numbered {id}, which no call is").into()),
        }
    }

    /// Fails every unanswered call.
    pub(super) fn fail_all(&mut self, error: &CalculateError) {
        for (_, pending) in self.pending.drain() {
            let _ = pending.reply.send(Err(error.clone()));
        }
    }
}
