//! A plain epoll loop on one thread: level-triggered, and for each readable connection one `recv` into a
//! buffer that all share and one `send`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What is done with the bytes that a connection sent.
pub trait Answer {
    /// What is kept between two reads of one connection.
    type State: Default;

    /// The bytes that answer `input`, which may be none; `None` closes the connection.
    fn answer<'a>(&'a mut self, state: &mut Self::State, input: &'a [u8]) -> Option<&'a [u8]>;
}

/// Serves `listener`, which must be non-blocking, until the process ends or epoll or accept fails.
pub fn serve<A: Answer>(listener: TcpListener, mut answer: A) -> io::Result<()> {
    let epoll = Epoll::new()?;
    epoll.add(listener.as_raw_fd(), READABLE)?;
    let mut connections = Connections::<A::State>::default();
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
    let mut buffer = vec![0; READ_BYTES_MAX];
    loop {
        for event in epoll.wait(&mut events)? {
            let fd = event.u64 as RawFd;
            if fd == listener.as_raw_fd() {
                accept(&listener, &epoll, &mut connections)?;
                continue;
            }
            let Some(connection) = connections.at(fd) else {
                continue;
            };
            let waited = connection.waits_for_peer();
            let alive = if waited { connection.flush() } else { connection.turn(&mut answer, &mut buffer) };
            if alive.is_err() {
                connections.close(fd);
            } else if connection.waits_for_peer() != waited {
                let interest = if waited { READABLE } else { WRITABLE };
                epoll.modify(fd, interest)?;
            }
        }
    }
}

/// The longest read, in bytes.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Events taken from the kernel at a time.
const EVENTS_MAX: usize = 1024;
const READABLE: u32 = libc::EPOLLIN as u32;
const WRITABLE: u32 = libc::EPOLLOUT as u32;

fn accept<S: Default>(listener: &TcpListener, epoll: &Epoll, connections: &mut Connections<S>) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        epoll.add(stream.as_raw_fd(), READABLE)?;
        connections.open(stream);
    }
}

struct Connection<S> {
    stream: TcpStream,
    /// What the peer has yet to take. While there is any, nothing is read from the peer.
    pending: Vec<u8>,
    state: S,
}

impl<S> Connection<S> {
    fn waits_for_peer(&self) -> bool {
        !self.pending.is_empty()
    }

    /// One read and one write. An error, which the peer's end of stream is too, means: close.
    #[inline]
    fn turn<A: Answer<State = S>>(&mut self, answer: &mut A, buffer: &mut [u8]) -> io::Result<()> {
        let read = match self.stream.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) => return unless_transient(error),
        };
        let Some(reply) = answer.answer(&mut self.state, &buffer[..read]) else {
            return Err(ErrorKind::InvalidData.into());
        };
        if reply.is_empty() {
            return Ok(());
        }
        let sent = self.send(reply)?;
        if sent < reply.len() {
            self.pending.extend_from_slice(&reply[sent..]);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let sent = self.send(&pending)?;
        self.pending.extend_from_slice(&pending[sent..]);
        Ok(())
    }

    /// How much the kernel took, in one write.
    #[inline]
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Ok(sent) => Ok(sent),
            Err(error) => unless_transient(error).map(|()| 0),
        }
    }
}

fn unless_transient(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
        _ => Err(error),
    }
}

/// The open connections, by descriptor.
#[derive(Default)]
struct Connections<S> {
    slots: Vec<Option<Connection<S>>>,
}

impl<S: Default> Connections<S> {
    fn open(&mut self, stream: TcpStream) {
        let slot = stream.as_raw_fd() as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        self.slots[slot] = Some(Connection { stream, pending: Vec::new(), state: S::default() });
    }

    #[inline]
    fn at(&mut self, fd: RawFd) -> Option<&mut Connection<S>> {
        self.slots.get_mut(fd as usize)?.as_mut()
    }

    /// Closes the descriptor, which takes it out of epoll's set too.
    fn close(&mut self, fd: RawFd) {
        self.slots[fd as usize] = None;
    }
}

struct Epoll(OwnedFd);

impl Epoll {
    fn new() -> io::Result<Epoll> {
        // SAFETY: the descriptor is new and nobody else's.
        unsafe {
            let fd = check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?;
            Ok(Epoll(OwnedFd::from_raw_fd(fd)))
        }
    }

    fn add(&self, fd: RawFd, interest: u32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, interest)
    }

    fn modify(&self, fd: RawFd, interest: u32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, interest)
    }

    fn control(&self, operation: i32, fd: RawFd, interest: u32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest, u64: fd as u64 };
        // SAFETY: `event` lives for the call.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd, &mut event) })?;
        Ok(())
    }

    #[inline]
    fn wait<'a>(&self, events: &'a mut [libc::epoll_event]) -> io::Result<&'a [libc::epoll_event]> {
        let (first, len) = (events.as_mut_ptr(), events.len() as i32);
        // SAFETY: the kernel writes at most `len` events from `first` on.
        match check(unsafe { libc::epoll_wait(self.0.as_raw_fd(), first, len, -1) }) {
            Ok(count) => Ok(&events[..count as usize]),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(&[]),
            Err(error) => Err(error),
        }
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
