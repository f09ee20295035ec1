//! A socket under TLS: what rustls makes of bytes, moved to and from the socket.

use super::Tls;
use super::fault::{Known, TlsFault};
use crate::socket::Socket;
use std::io::{self, IoSlice, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_rustls::rustls;
use tokio_rustls::rustls::ClientConnection;
use tokio_rustls::rustls::pki_types::ServerName;

/// A connection under TLS. Like its socket it does all by reference: whoever closes it is not who reads and writes.
#[derive(Debug)]
pub(crate) struct TlsStream {
    socket: Socket,
    session: Mutex<Session>,
}

#[derive(Debug)]
struct Session {
    connection: ClientConnection,
    /// What the server's certificate must be for.
    name: String,
    /// The client has a certificate to show.
    has_certificate: bool,
    /// The server has sent something.
    begun: bool,
    /// What came off the socket in one read.
    records: Vec<u8>,
    /// The socket has no more for us: its end came, or TLS's, or TLS failed.
    ended: bool,
}

impl TlsStream {
    /// Makes the handshake. The caller sees to its time.
    ///
    /// # Errors
    /// A [`TlsFault`].
    pub(crate) async fn handshake(socket: Socket, tls: &Tls, name: ServerName<'static>) -> io::Result<TlsStream> {
        let session = Session {
            name: name.to_str().into_owned(),
            connection: tls.begin(name).map_err(io::Error::other)?,
            has_certificate: tls.has_certificate(),
            begun: false,
            records: Vec::with_capacity(RECORDS_BYTES),
            ended: false,
        };
        let stream = TlsStream { socket, session: Mutex::new(session) };
        match stream.shake().await {
            Ok(()) => Ok(stream),
            Err(error) if TlsFault::inside(&error).is_some_and(|fault| fault.is_refusal) => {
                // The server is told what is wrong with it.
                let _ = stream.try_write(&[]);
                Err(error)
            }
            Err(error) => Err(TlsFault::hung_up(error, stream.lock().begun).into()),
        }
    }

    async fn shake(&self) -> io::Result<()> {
        let mut unasked = Vec::new();
        loop {
            if self.holds_back() {
                self.socket.writable().await?;
                if let Err(error) = unless_blocked(self.try_write(&[])) {
                    // The server may have said why it takes no more.
                    return Err(unless_blocked(self.read_now(&mut unasked)).err().unwrap_or(error));
                }
            } else if self.is_handshaking() {
                self.socket.readable().await?;
                if unless_blocked(self.try_read(&mut unasked))? == Some(0) {
                    return Err(cut());
                }
            } else if unasked.is_empty() {
                return Ok(());
            } else {
                return Err(TlsFault::spoke_first().into());
            }
        }
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        // A socket is readable until a read was blocked: so what rustls has, its end included, is not waited for.
        self.socket.readable().await
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Reads; see [`Socket::try_read`].
    ///
    /// # Errors
    /// Also a [`TlsFault`].
    pub(crate) fn try_read(&self, received: &mut Vec<u8>) -> io::Result<usize> {
        self.read(received, Socket::try_read)
    }

    /// Reads by asking the kernel; see [`Socket::read_now`].
    pub(crate) fn read_now(&self, received: &mut Vec<u8>) -> io::Result<usize> {
        self.read(received, Socket::read_now)
    }

    /// Takes some of `bytes`; `WouldBlock` when none. What it took may be [held back](TlsStream::holds_back).
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut session = self.lock();
        let connection = &mut session.connection;
        send(connection, &mut Sink(&self.socket))?;
        let taken = connection.writer().write(bytes)?;
        unless_blocked(send(connection, &mut Sink(&self.socket)))?;
        Ok(taken)
    }

    /// Whether bytes that were taken wait for the next write, be it of none.
    pub(crate) fn holds_back(&self) -> bool {
        self.lock().connection.wants_write()
    }

    /// Ends TLS with a close_notify, if the socket takes it, and then the connection.
    pub(crate) fn shut(&self) {
        let Session { connection, records, .. } = &mut *self.lock();
        connection.send_close_notify();
        let _ = send(connection, &mut SinkNow(&self.socket));
        // What is left unread would make the kernel end the connection with a reset.
        records.clear();
        let _ = self.socket.read_now(records);
        self.socket.shut();
    }

    fn read(&self, received: &mut Vec<u8>, ask: fn(&Socket, &mut Vec<u8>) -> io::Result<usize>) -> io::Result<usize> {
        /// A peer may go on without saying anything: others are to have their turn.
        const MOST_READS: usize = 16;
        let session = &mut *self.lock();
        let before = received.len();
        for _ in 0..MOST_READS {
            session.records.clear();
            if !session.ended {
                let count = ask(&self.socket, &mut session.records)?;
                session.begun |= count > 0;
                session.ended = count == 0;
            }
            let fed = session.feed(received);
            session.ended |= !matches!(fed, Ok(false));
            let count = received.len() - before;
            if count > 0 {
                // If it ended, the next read says why.
                return Ok(count);
            }
            match fed? {
                true => return Ok(0),
                false if session.ended => return Err(cut()),
                false => {}
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn is_handshaking(&self) -> bool {
        self.lock().connection.is_handshaking()
    }

    fn lock(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Gives what was read to rustls, none for the end, and what that makes of it to `received`. Says whether the server
    /// has ended TLS. What it says at its end, it says again when it is asked again.
    fn feed(&mut self, received: &mut Vec<u8>) -> io::Result<bool> {
        let mut records = &self.records[..];
        loop {
            let count = self.connection.read_tls(&mut records)?;
            let state = self.connection.process_new_packets().map_err(|error| self.fault(error))?;
            let plain = state.plaintext_bytes_to_read() as u64;
            self.connection.reader().take(plain).read_to_end(received)?;
            if count == 0 || records.is_empty() {
                return Ok(state.peer_has_closed());
            }
        }
    }

    fn fault(&self, error: rustls::Error) -> TlsFault {
        if !self.connection.is_handshaking() {
            return TlsFault::broken(error, self.has_certificate);
        }
        let greeted = self.connection.protocol_version().is_some();
        TlsFault::handshake(error, &Known { name: &self.name, greeted, has_certificate: self.has_certificate })
    }
}

fn send(connection: &mut ClientConnection, socket: &mut impl Write) -> io::Result<()> {
    while connection.wants_write() {
        if connection.write_tls(socket)? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

fn unless_blocked<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, TlsFault::cut())
}

/// As many records as fit are read at once; one is at most 16 KiB and its header.
const RECORDS_BYTES: usize = 17 * 1024;

/// A socket as rustls writes to it.
struct Sink<'a>(&'a Socket);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same, where no runtime may run any more.
struct SinkNow<'a>(&'a Socket);

impl Write for SinkNow<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_now(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
