//! A connection's bytes, whatever carries them.

use crate::socket::Socket;
use crate::tls::stream::TlsStream;
use std::io;

/// What a connection reads from and writes to.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Waits until there may be something to read, or the end.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.readable().await,
            Stream::Tls(stream) => stream.readable().await,
        }
    }

    /// Waits until there may be room to write.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.writable().await,
            Stream::Tls(stream) => stream.writable().await,
        }
    }

    /// Reads into `received`'s spare room, or more; `WouldBlock` when nothing has come; 0 is the end.
    pub(crate) fn try_read(&self, received: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.try_read(received),
            Stream::Tls(stream) => stream.try_read(received),
        }
    }

    /// As [`try_read`](Stream::try_read), by asking the kernel: the runtime may not have heard yet.
    pub(crate) fn read_now(&self, received: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read_now(received),
            Stream::Tls(stream) => stream.read_now(received),
        }
    }

    /// Takes some of `bytes`; `WouldBlock` when none.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.try_write(bytes),
            Stream::Tls(stream) => stream.try_write(bytes),
        }
    }

    /// Whether bytes that were taken are not sent yet: they wait for the next write, be it of none.
    pub(crate) fn holds_back(&self) -> bool {
        match self {
            Stream::Plain(_) => false,
            Stream::Tls(stream) => stream.holds_back(),
        }
    }

    /// Ends both directions at once, politely under TLS.
    pub(crate) fn shut(&self) {
        match self {
            Stream::Plain(socket) => socket.shut(),
            Stream::Tls(stream) => stream.shut(),
        }
    }

    /// Whether anybody could read it on its way.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Stream::Plain(_))
    }
}
