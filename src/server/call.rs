//! One request, and the ways to answer it.

use super::context;
use super::enveloped::Enveloped;
use crate::wire::headers::{key, name};
use crate::wire::message::{ENDS_INSIDE, Header, Kind};
use crate::wire::{Encoding, Exception, ExceptionCode, Headers, Malformed, printable};

/// One request, whole.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) encoding: Encoding,
    pub(super) message: &'a [u8],
    pub(super) header: &'a Header<'a>,
    /// What a header transport put round it.
    pub(super) envelope: Option<&'a Enveloped>,
}

impl<'a> Call<'a> {
    /// Reads a message's header, and does with the call what is to be done. The header stays where it was written: to
    /// copy what was written a moment ago would be to wait for it.
    #[inline]
    pub(super) fn read<R>(
        encoding: Encoding,
        message: &[u8],
        envelope: Option<&Enveloped>,
        then: impl FnOnce(&Call<'_>) -> R,
    ) -> Result<R, Malformed> {
        match &Header::read_start(encoding.protocol, message) {
            Ok(Some(header)) => Ok(then(&Call { encoding, message, header, envelope })),
            Ok(None) => Err(ENDS_INSIDE.into()),
            Err(malformed) => Err(malformed.clone()),
        }
    }

    /// What keeping the request takes.
    pub(super) fn byte_count(&self) -> usize {
        self.message.len() + self.envelope.map_or(0, |enveloped| enveloped.envelope.headers.byte_count())
    }

    /// The service that is asked for: by the method's name ("Calculate:Square") or by a header of TTHeader.
    pub(super) fn service(&self) -> Option<&'a [u8]> {
        let by_header = || self.envelope?.envelope.headers.get(name::IDL_SERVICE);
        self.header.service().or_else(by_header)
    }

    /// Checks that the headers ask for what the message does: somebody on the way may have believed them.
    pub(super) fn check_headers(&self) -> Result<(), Exception> {
        let named = self.envelope.and_then(|enveloped| enveloped.envelope.headers.int(key::TO_METHOD));
        match named {
            Some(named) if named != self.header.method() && named != self.header.name => {
                let (named, called) = (printable(named), printable(self.header.name));
                let text = format!("the headers say the method {named}, the message says {called}");
                Err(Exception::new(ExceptionCode::PROTOCOL_ERROR, text))
            }
            _ => Ok(()),
        }
    }

    /// Appends an exception as the reply: nothing to a oneway call.
    pub(super) fn refuse(&self, exception: &Exception, out: &mut Vec<u8>) {
        if self.header.kind() == Kind::Oneway {
            return;
        }
        let write = |out: &mut Vec<u8>| {
            exception.write(self.encoding, self.header.method(), self.header.sequence_id, out);
        };
        match self.envelope {
            None => write(out),
            Some(enveloped) => enveloped.close(Headers::new(), write, out),
        }
    }

    /// Appends what `write` writes, in the envelope that the call came in. Nothing is sent where it writes nothing.
    pub(super) fn reply(&self, write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
        let Some(enveloped) = self.envelope else { return write(out) };
        let mut message = Vec::new();
        let headers = context::with_envelope(enveloped, || write(&mut message));
        if !message.is_empty() {
            enveloped.close(headers, |out| out.append(&mut message), out);
        }
    }
}
