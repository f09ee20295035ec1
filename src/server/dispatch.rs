//! From a message to its reply: which service, and what its processor made of it.

use super::call::Call;
use super::processor::AnyProcessor;
use crate::config::Handlers;
use crate::one_line::one_line;
use crate::wire::binary::BinaryInput;
use crate::wire::compact::CompactInput;
use crate::wire::framing::{begin_frame, end_frame};
use crate::wire::message::{Header, Kind};
use crate::wire::{Exception, ExceptionCode, Limits, Protocol, printable};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A name, a processor, and where its handlers run.
#[derive(Clone)]
pub(super) struct Service {
    name: String,
    handlers: Handlers,
    processor: Arc<dyn AnyProcessor>,
}

/// The services of a server, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(super) struct Services {
    all: Vec<Service>,
}

impl Services {
    /// Adds a service; one of the same name is replaced.
    pub(super) fn add(&mut self, service: Service) {
        match self.all.iter_mut().find(|known| known.name == service.name) {
            Some(known) => *known = service,
            None => self.all.push(service),
        }
    }

    /// Whether any of them wants the pool.
    pub(super) fn want_pool(&self) -> bool {
        self.all.iter().any(|service| service.handlers == Handlers::Pool)
    }

    /// The names, for the log.
    pub(super) fn names(&self) -> String {
        self.all.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Who answers this message, if it is a request at all.
    pub(super) fn route(&self, call: &Call<'_>) -> Result<&Service, Exception> {
        match call.header.kind() {
            Kind::Call | Kind::Oneway => {}
            Kind::Reply | Kind::Exception | Kind::Unknown(_) => {
                let text = "a server takes calls and oneway calls; this message is neither";
                return Err(Exception::new(ExceptionCode::INVALID_MESSAGE_TYPE, text));
            }
        }
        call.check_headers()?;
        let wanted = call.service();
        let found = match wanted {
            Some(name) => self.all.iter().find(|service| service.name.as_bytes() == name),
            None => self.all.first(),
        };
        found.ok_or_else(|| {
            let wanted = printable(wanted.unwrap_or_default());
            let text = format!("no service {wanted} here; there is {}", self.names());
            Exception::new(ExceptionCode::UNKNOWN_METHOD, text)
        })
    }
}

impl Service {
    pub(super) fn new(name: &str, handlers: Handlers, processor: Arc<dyn AnyProcessor>) -> Service {
        Service { name: name.into(), handlers, processor }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn handlers(&self) -> Handlers {
        self.handlers
    }

    /// Runs the processor on `message` and appends the reply to `out`: nothing where none is due.
    pub(super) fn answer(&self, call: &Call<'_>, limits: &Limits, out: &mut Vec<u8>) {
        call.reply(|out| self.write_answer(call, limits, out), out);
    }

    fn write_answer(&self, call: &Call<'_>, limits: &Limits, out: &mut Vec<u8>) {
        let start = begin_frame(call.encoding.framing, out);
        let body_start = out.len();
        let exception = match self.process(call, limits, out) {
            Ok(()) => self.own_words(call, &out[body_start..], limits),
            Err(exception) => Some(exception),
        };
        if call.header.kind() == Kind::Oneway || (exception.is_none() && out.len() == body_start) {
            out.truncate(start);
        } else if let Some(exception) = exception {
            out.truncate(start);
            exception.write(call.encoding, call.header.method(), call.header.sequence_id, out);
        } else {
            end_frame(call.encoding.framing, start, out);
        }
    }

    fn process(&self, call: &Call<'_>, limits: &Limits, out: &mut Vec<u8>) -> Result<(), Exception> {
        match catch_unwind(AssertUnwindSafe(|| self.processor.process_any(call, limits, out))) {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(self.cannot_write(call, &error)),
            Ok(Err(malformed)) => Err(Exception::new(ExceptionCode::PROTOCOL_ERROR, malformed.to_string())),
            Err(panic) => Err(self.panicked(call, &*panic)),
        }
    }

    #[cold]
    fn cannot_write(&self, call: &Call<'_>, error: &thrift::Error) -> Exception {
        let method = printable(call.header.name);
        log::error!("{}: the reply to {method} cannot be written: {}", self.name, one_line(&error.to_string()));
        Exception::new(ExceptionCode::INTERNAL_ERROR, "the reply cannot be written")
    }

    #[cold]
    fn panicked(&self, call: &Call<'_>, panic: &(dyn std::any::Any + Send)) -> Exception {
        let method = printable(call.header.name);
        log::error!("{}: {method} panicked: {}", self.name, one_line(panic_text(panic)));
        Exception::new(ExceptionCode::INTERNAL_ERROR, "the handler panicked; the server's log says more")
    }

    /// What to send instead of `reply`: generated code gives its own errors as Rust's Debug output and with no type
    /// (W12), as it does a handler's undeclared ones, and knows no bound on a reply.
    fn own_words(&self, call: &Call<'_>, reply: &[u8], limits: &Limits) -> Option<Exception> {
        if reply.len() > limits.message_bytes {
            let text = format!("the reply has {} bytes; at most {} are sent", reply.len(), limits.message_bytes);
            return Some(Exception::new(ExceptionCode::INTERNAL_ERROR, text));
        }
        let kind = match call.encoding.protocol {
            Protocol::Binary => reply.get(3).copied(),
            Protocol::Compact => reply.get(1).map(|byte| byte >> 5),
            // Behind the name, which has its length before it and is the method's that was called.
            Protocol::OldBinary => reply.get(4 + call.header.method().len()).copied(),
        };
        match kind.map(Kind::from_code) {
            Some(Kind::Exception) => self.own_exception(call, reply, limits),
            _ => None,
        }
    }

    fn own_exception(&self, call: &Call<'_>, reply: &[u8], limits: &Limits) -> Option<Exception> {
        let said = read_exception(call.encoding.protocol, reply, limits)?;
        if said.code == ExceptionCode::UNKNOWN_METHOD {
            let text = format!("{} has no method {}", self.name, printable(call.header.method()));
            return Some(Exception::new(ExceptionCode::UNKNOWN_METHOD, text));
        }
        if said.code != ExceptionCode::UNKNOWN {
            return None;
        }
        Some(match debug_text(&said.message) {
            Some(text) => Exception::new(ExceptionCode::PROTOCOL_ERROR, text),
            None => Exception::new(ExceptionCode::INTERNAL_ERROR, said.message),
        })
    }
}

/// The text in the Debug output of a `thrift::ProtocolError`: arguments that could not be read.
fn debug_text(debug_output: &str) -> Option<&str> {
    let (_, text) = debug_output.strip_prefix("ProtocolError { kind: ")?.split_once("message: \"")?;
    Some(text.trim_end_matches("\" }"))
}

fn read_exception(protocol: Protocol, reply: &[u8], limits: &Limits) -> Option<Exception> {
    let header = Header::read(protocol, reply).ok()?;
    let body = &reply[header.body_offset..];
    let said = match protocol {
        Protocol::Binary | Protocol::OldBinary => Exception::read(&mut BinaryInput::new(body, limits)),
        Protocol::Compact => Exception::read(&mut CompactInput::new(body, limits)),
    };
    said.ok()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name, self.handlers)
    }
}
