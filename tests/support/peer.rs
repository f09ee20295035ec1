//! The other end of a connection: a socket that says what it is told, and reads with a deadline.

use super::DEADLINE;
use super::message::{FRAMED_BINARY, Reply, square};
use calculate::wire::framing::{Split, Splitter};
use calculate::wire::{Encoding, Limits};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

pub struct Peer<S = TcpStream> {
    pub stream: S,
    encoding: Encoding,
    splitter: Splitter,
    received: Vec<u8>,
    /// What is before it in `received` has been split off.
    position: usize,
}

impl Peer {
    pub fn connect(address: SocketAddr, encoding: Encoding) -> Peer {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("connects");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        stream.set_write_timeout(Some(DEADLINE)).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        Peer::over(stream, encoding)
    }

    /// A peer that speaks framed binary.
    pub fn new(address: SocketAddr) -> Peer {
        Peer::connect(address, FRAMED_BINARY)
    }

    /// Says that nothing more will be sent.
    pub fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Nothing has come, and the connection is there. Only as good as what went before it: ask another connection
    /// something first.
    pub fn is_silent(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("nonblocking");
        let read = self.stream.read(&mut [0; 1024]);
        self.stream.set_nonblocking(false).expect("blocking");
        matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock) && self.received.len() == self.position
    }
}

impl<S: Read + Write> Peer<S> {
    /// A peer at the end of whatever carries bytes.
    pub fn over(stream: S, encoding: Encoding) -> Peer<S> {
        Peer { stream, encoding, splitter: Splitter::new(encoding), received: Vec::new(), position: 0 }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes what is sent");
        self.stream.flush().expect("the server takes what is sent");
    }

    /// Sends what may be refused: by a server that has closed already.
    pub fn offer(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub fn square(&mut self, sequence_id: i32, value: f64) {
        self.send(&square(self.encoding, sequence_id, value));
    }

    /// The next reply.
    pub fn reply(&mut self) -> Reply {
        match self.next_reply() {
            Ok(Some(reply)) => reply,
            Ok(None) => panic!("closed instead of a reply, after {:x?}", self.received),
            Err(error) => panic!("{error} instead of a reply, after {:x?}", self.received),
        }
    }

    /// The next reply; none when the server closes instead.
    pub fn next_reply(&mut self) -> io::Result<Option<Reply>> {
        loop {
            if let Some(reply) = self.split() {
                return Ok(Some(reply));
            }
            let mut buffer = vec![0; 64 * 1024];
            match self.stream.read(&mut buffer)? {
                0 if self.received.is_empty() => return Ok(None),
                0 => panic!("closed in mid-reply, after {:x?}", self.received),
                count => self.received.extend_from_slice(&buffer[..count]),
            }
        }
    }

    fn split(&mut self) -> Option<Reply> {
        let limits = Limits { message_bytes: i32::MAX as usize, string_bytes: i32::MAX as usize, ..Limits::default() };
        let received = &self.received[self.position..];
        match self.splitter.split(received, &limits).expect("replies are messages") {
            Split::Incomplete => {
                self.received.drain(..std::mem::take(&mut self.position));
                None
            }
            Split::Message { message, consumed } => {
                let reply = Reply::read(self.encoding.protocol, &received[message]).expect("a message");
                self.position += consumed;
                Some(reply)
            }
        }
    }

    /// The server closes, and says nothing before it does.
    pub fn closed(&mut self) {
        match self.next_reply() {
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            other => panic!("{other:?} instead of a close"),
        }
    }

    /// A call that is answered shows that all before it were handled.
    pub fn is_served(&mut self) {
        self.square(77, 9.0);
        let reply = self.reply();
        assert_eq!((reply.sequence_id, reply.number()), (77, 3.0));
    }
}

/// Everything the server sends until it closes.
pub fn all_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error} instead of a close, after {bytes:x?}"),
    }
    bytes
}

/// A new connection's call is answered.
pub fn is_well(address: SocketAddr) {
    Peer::new(address).is_served();
}

/// A client that calls all the time, on one connection, while others misbehave.
pub struct Bystander {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<u64>>,
}

impl Bystander {
    pub fn start(address: SocketAddr) -> Bystander {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut peer = Peer::new(address);
            let mut calls = 0;
            while !stopped.load(Ordering::Relaxed) || calls == 0 {
                peer.is_served();
                calls += 1;
                thread::sleep(Duration::from_millis(1));
            }
            calls
        });
        Bystander { stop, thread: Some(thread) }
    }

    /// All its calls were answered.
    pub fn was_served(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let calls = self.thread.take().map(|thread| thread.join().expect("each of the bystander's calls is answered"));
        assert!(calls > Some(0));
    }
}
