//! A server that says exactly what a test wants, on a thread for each connection.

use super::DEADLINE;
use super::message::{EXCEPTION, FRAMED_BINARY, REPLY, Reply, args, field, frame, framed_message};
use calculate::client::Target;
use calculate::idl::calculate::{DomainError, Number};
use calculate::wire::framing::{Split, Splitter};
use calculate::wire::{Encoding, Limits, Protocol};
use socket2::{SockAddr, Socket};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use thrift::OrderedFloat;
use thrift::protocol::TType;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What is said on one connection; its end closes the connection.
pub type Script = Box<dyn FnMut(&mut Conversation) + Send>;

/// Serves the first connection by the first script, and so on; further connections by none: they are closed at once.
pub struct Fake {
    /// As a client is told it: `HOST:PORT` or `unix:/path`.
    pub address: String,
    listener: Arc<Socket>,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    connections: AtomicUsize,
    sockets: Mutex<Vec<Socket>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The server's end of one connection.
pub struct Conversation {
    pub socket: Socket,
    /// The same under TLS, which the first read or write begins.
    pub tls: Option<Box<StreamOwned<ServerConnection, Socket>>>,
    encoding: Encoding,
    splitter: Splitter,
    received: Vec<u8>,
}

impl Fake {
    pub fn serve(scripts: Vec<Script>) -> Fake {
        Fake::speaking(FRAMED_BINARY, scripts)
    }

    pub fn speaking(encoding: Encoding, scripts: Vec<Script>) -> Fake {
        Fake::start(free_port(), encoding, None, scripts)
    }

    pub fn on(listener: TcpListener, scripts: Vec<Script>) -> Fake {
        Fake::start(listener.into(), FRAMED_BINARY, None, scripts)
    }

    /// On a unix socket.
    pub fn on_unix(scripts: Vec<Script>) -> Fake {
        Fake::start(free_path(), FRAMED_BINARY, None, scripts)
    }

    /// Under TLS.
    pub fn encrypted(tls: ServerConfig, scripts: Vec<Script>) -> Fake {
        Fake::start(free_port(), FRAMED_BINARY, Some(Arc::new(tls)), scripts)
    }

    /// Under TLS on a unix socket.
    pub fn encrypted_on_unix(tls: ServerConfig, scripts: Vec<Script>) -> Fake {
        Fake::start(free_path(), FRAMED_BINARY, Some(Arc::new(tls)), scripts)
    }

    fn start(listener: Socket, encoding: Encoding, tls: Option<Arc<ServerConfig>>, scripts: Vec<Script>) -> Fake {
        let address = in_words(&listener.local_addr().expect("an address"));
        let (listener, shared) = (Arc::new(listener), Arc::new(Shared::default()));
        let (listening, accepting) = (listener.clone(), shared.clone());
        let acceptor = thread::spawn(move || accepting.accept(&listening, encoding, tls.as_ref(), scripts));
        Fake { address, listener, shared, acceptor: Some(acceptor) }
    }

    pub fn target(&self) -> Target {
        self.address.parse().expect("a target")
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until the script of connection `index` has ended, and its socket is closed.
    pub fn has_closed(&self, index: usize) {
        super::eventually("the script has ended", || {
            lock(&self.shared.threads).get(index).is_some_and(JoinHandle::is_finished)
        });
    }
}

impl Shared {
    fn accept(&self, listener: &Socket, encoding: Encoding, tls: Option<&Arc<ServerConfig>>, scripts: Vec<Script>) {
        let mut scripts = scripts.into_iter();
        loop {
            let accepted = listener.accept();
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let (socket, peer) = accepted.expect("a connection");
            self.connections.fetch_add(1, Ordering::SeqCst);
            let Some(mut script) = scripts.next() else { continue };
            socket.set_read_timeout(Some(DEADLINE)).expect("a time-out");
            if !peer.is_unix() {
                socket.set_tcp_nodelay(true).expect("no delay");
            }
            lock(&self.sockets).push(socket.try_clone().expect("a second handle"));
            let tls = tls.map(|config| {
                let connection = ServerConnection::new(config.clone()).expect("a server");
                Box::new(StreamOwned::new(connection, socket.try_clone().expect("a second handle")))
            });
            let mut conversation =
                Conversation { socket, tls, encoding, splitter: Splitter::new(encoding), received: Vec::new() };
            let run = move || {
                script(&mut conversation);
                conversation.end_tls();
                let _ = conversation.socket.shutdown(Shutdown::Both);
            };
            lock(&self.threads).push(thread::spawn(run));
        }
    }
}

impl Drop for Fake {
    /// A script that failed fails the test.
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // This wakes the acceptor.
        let _ = self.listener.shutdown(Shutdown::Both);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for socket in lock(&self.shared.sockets).iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        let ended: Vec<_> = lock(&self.shared.threads).drain(..).map(JoinHandle::join).collect();
        if let Some(path) = self.address.strip_prefix("unix:") {
            let _ = std::fs::remove_file(path);
        }
        if !thread::panicking() {
            assert!(ended.iter().all(Result::is_ok), "a script failed: see above");
        }
    }
}

fn free_port() -> Socket {
    TcpListener::bind("127.0.0.1:0").expect("a free port").into()
}

fn free_path() -> Socket {
    UnixListener::bind(socket_path()).expect("a free path").into()
}

/// A path for a socket that nobody else has.
pub fn socket_path() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("calculate-test-{}-{number}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn in_words(address: &SockAddr) -> String {
    match (address.as_socket(), address.as_pathname()) {
        (Some(address), _) => address.to_string(),
        (None, Some(path)) => format!("unix:{}", path.display()),
        (None, None) => panic!("no address: {address:?}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Conversation {
    /// The next call; `None` when the client has closed.
    pub fn next_call(&mut self) -> Option<Reply> {
        loop {
            if !self.received.is_empty() {
                let split = self.splitter.split(&self.received, &Limits::default()).expect("calls are messages");
                if let Split::Message { message, consumed } = split {
                    let call = Reply::read(self.encoding.protocol, &self.received[message]).expect("a message");
                    self.received.drain(..consumed);
                    return Some(call);
                }
            }
            let mut buffer = [0; 64 * 1024];
            match self.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
            }
        }
    }

    pub fn call(&mut self) -> Reply {
        self.next_call().expect("a call")
    }

    pub fn calls(&mut self, count: usize) -> Vec<Reply> {
        (0..count).map(|_| self.call()).collect()
    }

    /// Sends what the client may not want any more.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = match &mut self.tls {
            Some(stream) => stream.write_all(bytes),
            None => self.socket.write_all(bytes),
        };
    }

    /// Reads what is left, and how that ends: under TLS an end without close_notify is `UnexpectedEof`.
    pub fn end(&mut self) -> io::Result<()> {
        while self.read(&mut [0; 1024])? > 0 {}
        Ok(())
    }

    /// Ends TLS as it should, and leaves the socket as it is.
    pub fn end_tls(&mut self) {
        if let Some(stream) = &mut self.tls {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }

    /// Sends `bytes` and the end of TLS in one write, and leaves the socket as it is.
    pub fn send_last(&mut self, bytes: &[u8]) {
        let stream = self.tls.as_mut().expect("under TLS");
        stream.conn.writer().write_all(bytes).expect("memory takes it");
        self.end_tls();
    }

    /// Ends the connection as a server does that is killed.
    pub fn cut(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(stream) => stream.read(buffer),
            None => self.socket.read(buffer),
        }
    }

    /// Answers with the number that the call brought.
    pub fn answer(&mut self, call: &Reply) {
        self.send(&answer(self.encoding, call, argument(call)));
    }

    /// Reads until the client closes.
    pub fn wait(&mut self) {
        while self.next_call().is_some() {}
    }
}

/// A script.
pub fn script(script: impl FnMut(&mut Conversation) + Send + 'static) -> Script {
    Box::new(script)
}

/// Answers each call with the number that it brought.
pub fn echo() -> Script {
    script(|client| {
        while let Some(call) = client.next_call() {
            client.answer(&call);
        }
    })
}

/// Reads and never answers.
pub fn silent() -> Script {
    script(Conversation::wait)
}

/// The number that a call brought.
pub fn argument(call: &Reply) -> f64 {
    call.decode(|input| {
        input.read_struct_begin()?;
        input.read_field_begin()?;
        Ok(Number::read_from_in_protocol(input)?.value.into_inner())
    })
}

/// The body of a reply.
pub fn result(protocol: Protocol, value: f64) -> Vec<u8> {
    args(protocol, |out| {
        out.write_field_begin(&field(TType::Struct, 0))?;
        Number::new(OrderedFloat(value)).write_to_out_protocol(out)
    })
}

/// A reply to `call` as it travels.
pub fn answer(encoding: Encoding, call: &Reply, value: f64) -> Vec<u8> {
    framed_message(encoding, &call.name, REPLY, call.sequence_id, &result(encoding.protocol, value))
}

/// A framed binary DomainError.
pub fn domain_error(call: &Reply, text: &str) -> Vec<u8> {
    let error = DomainError::new(text.into(), OrderedFloat(argument(call)));
    let body = args(Protocol::Binary, |out| {
        out.write_field_begin(&field(TType::Struct, 1))?;
        error.write_to_out_protocol(out)
    });
    framed_message(FRAMED_BINARY, &call.name, REPLY, call.sequence_id, &body)
}

/// A framed binary TApplicationException.
pub fn exception(call: &Reply, code: i32, text: &str) -> Vec<u8> {
    let body = args(Protocol::Binary, |out| {
        out.write_field_begin(&field(TType::String, 1))?;
        out.write_string(text)?;
        out.write_field_begin(&field(TType::I32, 2))?;
        out.write_i32(code)
    });
    framed_message(FRAMED_BINARY, &call.name, EXCEPTION, call.sequence_id, &body)
}

/// A framed binary message with `bytes` for all of it.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    frame(FRAMED_BINARY, bytes)
}
