//! A connection's bytes, whatever carries them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// A socket of one of the kinds that are listened on.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What a connection reads from and writes to.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Counted>>),
}

/// A socket under TLS: what arrived is counted, as what TLS makes of it says nothing of that.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) socket: Socket,
    /// Bytes that were read since [`Stream::arrived`] asked last.
    arrived: u64,
}

impl Stream {
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, input: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(input);
        match self {
            Stream::Plain(socket) => ready!(socket.poll_read(context, &mut buffer))?,
            Stream::Tls(stream) => match ready!(Pin::new(stream).poll_read(context, &mut buffer)) {
                // Many clients end without a close_notify. Messages say how long they are: nothing can be cut unseen.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                read => read?,
            },
        }
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Writes what can be written now: `WouldBlock` when nothing can. Under TLS some of what was taken may be held back
    /// until [`Stream::poll_writable`] has sent it.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(Socket::Tcp(stream)) => stream.try_write(bytes),
            Stream::Plain(Socket::Unix(stream)) => stream.try_write(bytes),
            Stream::Tls(stream) => {
                // Whoever wants to be woken asks `poll_writable`.
                let mut nobody = Context::from_waker(Waker::noop());
                match Pin::new(stream).poll_write(&mut nobody, bytes) {
                    Poll::Ready(written) => written,
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            }
        }
    }

    /// Ready when there is room to write and nothing is held back.
    pub(super) fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(Socket::Tcp(stream)) => stream.poll_write_ready(context),
            Stream::Plain(Socket::Unix(stream)) => stream.poll_write_ready(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Whether bytes that were taken are held back.
    pub(super) fn holds_back(&self) -> bool {
        match self {
            Stream::Plain(_) => false,
            Stream::Tls(stream) => stream.get_ref().1.wants_write(),
        }
    }

    /// Bytes that the peer has sent and nobody has read.
    pub(super) fn unread(&self) -> u64 {
        // An error here means that the socket is dead: nothing is owed to it, and the next read or write says why.
        match self {
            Stream::Plain(socket) => socket.unread(),
            Stream::Tls(stream) => stream.get_ref().0.socket.unread(),
        }
    }

    /// Bytes that came off the socket since this was asked last, when a read gave `count`.
    pub(super) fn arrived(&mut self, count: usize) -> u64 {
        match self {
            Stream::Plain(_) => count as u64,
            Stream::Tls(stream) => std::mem::take(&mut stream.get_mut().0.arrived),
        }
    }
}

impl Counted {
    pub(super) fn new(socket: Socket) -> Counted {
        Counted { socket, arrived: 0 }
    }
}

impl Socket {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Socket::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }

    fn unread(&self) -> u64 {
        let unread = match self {
            Socket::Tcp(stream) => rustix::io::ioctl_fionread(stream),
            Socket::Unix(stream) => rustix::io::ioctl_fionread(stream),
        };
        unread.unwrap_or(0)
    }

    /// Waits for the peer's first byte, which stays to be read. `None` when it ended without one.
    pub(super) async fn first_byte(&self) -> io::Result<Option<u8>> {
        loop {
            let mut first = [0];
            let peeked = match self {
                Socket::Tcp(stream) => {
                    stream.readable().await?;
                    stream.try_io(Interest::READABLE, || peek(stream.as_fd(), &mut first))
                }
                Socket::Unix(stream) => {
                    stream.readable().await?;
                    stream.try_io(Interest::READABLE, || peek(stream.as_fd(), &mut first))
                }
            };
            match peeked {
                Ok(count) => return Ok((count > 0).then_some(first[0])),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn peek(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<usize> {
    let (_, count) = rustix::net::recv(socket, bytes, rustix::net::RecvFlags::PEEK)?;
    Ok(count)
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Socket::poll_read(self.get_mut(), context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Socket::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let counted = self.get_mut();
        let before = buffer.filled().len();
        ready!(counted.socket.poll_read(context, buffer))?;
        counted.arrived += (buffer.filled().len() - before) as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_writable(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
