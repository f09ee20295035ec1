//! A connected socket of one of the kinds that a target names.

use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use tokio::net::{TcpStream, UnixStream};

/// A connected socket. All is done by reference, as whoever closes it is not who reads and writes.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.readable().await,
            Socket::Unix(stream) => stream.readable().await,
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.writable().await,
            Socket::Unix(stream) => stream.writable().await,
        }
    }

    /// Reads into `received`'s spare room, `WouldBlock` when nothing has come; 0 is the end.
    pub(crate) fn try_read(&self, received: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.try_read_buf(received),
            Socket::Unix(stream) => stream.try_read_buf(received),
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.try_write(bytes),
            Socket::Unix(stream) => stream.try_write(bytes),
        }
    }

    /// As [`try_write`](Socket::try_write), of several parts.
    pub(crate) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.try_write_vectored(parts),
            Socket::Unix(stream) => stream.try_write_vectored(parts),
        }
    }

    /// As [`try_read`](Socket::try_read), by asking the kernel: the runtime may not have heard yet, or not run any more.
    pub(crate) fn read_now(&self, received: &mut Vec<u8>) -> io::Result<usize> {
        let spare = rustix::buffer::spare_capacity(received);
        let (arrived, _) = recv(self, spare, RecvFlags::DONTWAIT)?;
        Ok(arrived)
    }

    /// As [`try_write`](Socket::try_write), by asking the kernel.
    pub(crate) fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }

    /// Ends both directions at once.
    pub(crate) fn shut(&self) {
        // It may be shut, or lost, already.
        let _ = shutdown(self, Shutdown::Both);
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }
}
