//! Validated settings and limits of a server. Every default stands in [`Config::default`] and is tested there.

mod registration;

pub use registration::{Credentials, Registration};

use crate::error::Error;
use crate::wire;
use ipnet::IpNet;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Where a service's handlers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handlers {
    /// On the worker that read the call: for handlers that only compute. No hand-off, no queue.
    Inline,
    /// On a bounded pool of threads: for handlers that block.
    Pool,
}

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never: a TLS handshake is turned away.
    Off,
    /// As the peer likes: its first byte tells.
    Allow,
    /// Always: plain connections are turned away.
    Require,
}

/// What is asked of a TLS peer beside its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate.
    Off,
    /// A certificate if it has one; one that does not verify ends the handshake.
    Request,
    /// A certificate that the client CA signed.
    Require,
}

/// TLS 1.2 and 1.3, in front of every encoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// Default: off.
    pub mode: TlsMode,
    /// The server's certificate and what links it to its CA, PEM; needed unless the mode is off. It is read anew when the
    /// file changes.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, PEM (PKCS#8, SEC1 or PKCS#1); may be the same file.
    pub key: Option<PathBuf>,
    /// Who signs clients' certificates, PEM.
    pub client_ca: Option<PathBuf>,
    /// Default: require when there is a client CA.
    pub client_auth: Option<ClientAuth>,
    /// A handshake must be done in this time; with TLS required it begins with the connection. Default 10 s.
    pub handshake_timeout: Duration,
    /// Handshakes in progress at a time; others wait, within their time. Default 1,024.
    pub handshakes: usize,
}

impl Tls {
    /// What is asked of clients.
    pub fn client_auth(&self) -> ClientAuth {
        match (self.client_auth, &self.client_ca) {
            (Some(auth), _) => auth,
            (None, Some(_)) => ClientAuth::Require,
            (None, None) => ClientAuth::Off,
        }
    }
}

/// All that can be set of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where to listen: `HOST:PORT`, `[IPv6]:PORT` (port 0 takes a free one), `unix:/path`; at least one.
    pub listen: Vec<String>,
    /// Encryption. Default: off.
    pub tls: Tls,
    /// Who may call what: a file in the form that [`crate::server::access`] describes, read anew when it changes. Default:
    /// everybody everything.
    pub access: Option<PathBuf>,
    /// Peers in these ranges may put a PROXY protocol v2 header before what they send, whose address is believed. Default: none.
    pub proxy_protocol: Vec<IpNet>,
    /// Worker threads, each with a runtime of its own and its share of the connections. Default: the cores.
    pub workers: usize,
    /// Where handlers run, for services that do not say it themselves. Default: inline.
    pub handlers: Handlers,
    /// Threads of the handler pool. Default 16.
    pub pool_threads: usize,
    /// Calls that may wait for a pool thread; one more is answered "overloaded". Default 1,024.
    pub pool_queue: usize,
    /// Bounds on one message: see [`wire::Limits`].
    pub limits: wire::Limits,
    /// Connections at a time; further ones wait to be accepted. Default 20,000.
    pub connections: usize,
    /// Calls of one connection that may be unanswered; the connection is not read from while it has that many.
    /// Default 1,024.
    pub in_flight: usize,
    /// Bytes of replies that a peer may leave unread before it is not read from. Default 1 MiB.
    pub unread_reply_bytes: usize,
    /// Bytes of unfinished requests and untaken replies that all connections together may hold; one that would need more
    /// is refused. Default 1 GiB.
    pub buffered_bytes: usize,
    /// Messages of one connection that are handled before another's turn. Default 128.
    pub messages_per_turn: usize,
    /// A connection without a call for this long is closed. Default 600 s.
    pub idle_timeout: Duration,
    /// A message must be whole this long after its first byte. Default 30 s.
    pub message_timeout: Duration,
    /// A peer must take a reply within this time. Default 30 s.
    pub write_timeout: Duration,
    /// How long a shutdown waits for what is in flight. Default 30 s.
    pub drain_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: vec!["127.0.0.1:9090".into()],
            tls: Tls {
                mode: TlsMode::Off,
                certificate: None,
                key: None,
                client_ca: None,
                client_auth: None,
                handshake_timeout: Duration::from_secs(10),
                handshakes: 1024,
            },
            access: None,
            proxy_protocol: Vec::new(),
            workers: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            handlers: Handlers::Inline,
            pool_threads: 16,
            pool_queue: 1024,
            limits: wire::Limits::default(),
            connections: 20_000,
            in_flight: 1024,
            unread_reply_bytes: 1024 * 1024,
            buffered_bytes: 1024 * 1024 * 1024,
            messages_per_turn: 128,
            idle_timeout: Duration::from_secs(600),
            message_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// Names the first setting that is out of range, and the range.
    pub fn validate(&self) -> Result<(), Error> {
        const MOST: usize = i32::MAX as usize;
        let limits = &self.limits;
        if self.listen.is_empty() {
            return Err(Error::setting("listen is empty; it must name at least one address"));
        }
        self.tls.validate()?;
        within("workers", self.workers, 1, 1024)?;
        within("pool-threads", self.pool_threads, 1, 65_536)?;
        within("pool-queue", self.pool_queue, 0, MOST)?;
        within("max-message-bytes", limits.message_bytes, 64, MOST)?;
        within("max-string-bytes", limits.string_bytes, 0, MOST)?;
        within("max-container-items", limits.container_items, 0, MOST)?;
        within("max-depth", limits.depth, 2, wire::MAX_DEPTH)?;
        within("max-connections", self.connections, 1, 10_000_000)?;
        within("max-in-flight", self.in_flight, 1, MOST)?;
        within("max-unread-reply-bytes", self.unread_reply_bytes, 1, MOST)?;
        within("max-buffered-bytes", self.buffered_bytes, 65_536, isize::MAX as usize)?;
        within("messages-per-turn", self.messages_per_turn, 1, MOST)?;
        positive("idle-timeout", self.idle_timeout)?;
        positive("message-timeout", self.message_timeout)?;
        positive("write-timeout", self.write_timeout)?;
        positive("drain-timeout", self.drain_timeout)
    }
}

impl Tls {
    fn validate(&self) -> Result<(), Error> {
        let files =
            [("tls-certificate", &self.certificate), ("tls-key", &self.key), ("tls-client-ca", &self.client_ca)];
        let given = files.iter().find(|(_, file)| file.is_some());
        if let (TlsMode::Off, Some((name, _))) = (self.mode, given) {
            return Err(Error::setting(format!("{name} has no use while tls is off; set tls to allow or require")));
        }
        let missing = files[..2].iter().find(|(_, file)| file.is_none());
        if let (TlsMode::Allow | TlsMode::Require, Some((name, _))) = (self.mode, missing) {
            return Err(Error::setting(format!("tls needs {name}, a PEM file")));
        }
        if self.client_auth() != ClientAuth::Off && self.client_ca.is_none() {
            return Err(Error::setting("tls-client-auth needs tls-client-ca, who signs the clients' certificates"));
        }
        within("max-handshakes", self.handshakes, 1, 1_000_000)?;
        positive("tls-handshake-timeout", self.handshake_timeout)
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            TlsMode::Off => return f.write_str("tls=off"),
            TlsMode::Allow => "allow",
            TlsMode::Require => "require",
        };
        let auth = match self.client_auth() {
            ClientAuth::Off => "off",
            ClientAuth::Request => "request",
            ClientAuth::Require => "require",
        };
        write!(f, "tls={mode} tls-client-auth={auth} ")?;
        write!(f, "tls-handshake-timeout={:?} max-handshakes={}", self.handshake_timeout, self.handshakes)
    }
}

/// All settings, as `name=value` with the names of the flags: what the log says at the start.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers = match self.handlers {
            Handlers::Inline => "inline",
            Handlers::Pool => "pool",
        };
        write!(f, "{} ", self.tls)?;
        if let Some(access) = &self.access {
            write!(f, "access={} ", access.display())?;
        }
        for range in &self.proxy_protocol {
            write!(f, "proxy-protocol={range} ")?;
        }
        write!(f, "workers={} handlers={handlers} ", self.workers)?;
        write!(f, "pool-threads={} pool-queue={} ", self.pool_threads, self.pool_queue)?;
        write!(f, "max-connections={} max-in-flight={} ", self.connections, self.in_flight)?;
        write!(f, "max-unread-reply-bytes={} max-buffered-bytes={} ", self.unread_reply_bytes, self.buffered_bytes)?;
        write!(f, "messages-per-turn={} ", self.messages_per_turn)?;
        let limits = &self.limits;
        write!(f, "max-message-bytes={} max-string-bytes={} ", limits.message_bytes, limits.string_bytes)?;
        write!(f, "max-container-items={} max-depth={} ", limits.container_items, limits.depth)?;
        write!(f, "idle-timeout={:?} message-timeout={:?} ", self.idle_timeout, self.message_timeout)?;
        write!(f, "write-timeout={:?} drain-timeout={:?}", self.write_timeout, self.drain_timeout)
    }
}

fn within(name: &str, value: usize, least: usize, most: usize) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::setting(format!("{name} is {value}; it must be from {least} to {most}")))
}

fn positive(name: &str, value: Duration) -> Result<(), Error> {
    if value > Duration::ZERO && value <= LONGEST {
        return Ok(());
    }
    Err(Error::setting(format!(
        "{name} is {} s; it must be more than 0 and at most {} s",
        value.as_secs_f64(),
        LONGEST.as_secs()
    )))
}

/// Time-outs beyond a year are taken for mistakes, and keep clear of the clock's overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_are_those_documented() {
        let config = Config::default();
        config.validate().expect("valid");
        assert_eq!(config.listen, ["127.0.0.1:9090"]);
        assert_eq!((config.tls.mode, config.tls.client_auth()), (TlsMode::Off, ClientAuth::Off));
        assert_eq!((config.tls.handshake_timeout, config.tls.handshakes), (Duration::from_secs(10), 1024));
        assert_eq!((config.access, config.proxy_protocol), (None, vec![]));
        assert_eq!(config.handlers, Handlers::Inline);
        assert_eq!((config.pool_threads, config.pool_queue), (16, 1024));
        assert_eq!((config.connections, config.in_flight), (20_000, 1024));
        assert_eq!((config.unread_reply_bytes, config.messages_per_turn), (1 << 20, 128));
        assert_eq!(config.buffered_bytes, 1 << 30);
        assert_eq!(config.idle_timeout, Duration::from_secs(600));
        for timeout in [config.message_timeout, config.write_timeout, config.drain_timeout] {
            assert_eq!(timeout, Duration::from_secs(30));
        }
        let limits = config.limits;
        assert_eq!((limits.message_bytes, limits.string_bytes), (16_384_000, 16_384_000));
        assert_eq!((limits.container_items, limits.depth), (1_000_000, 64));
    }

    #[test]
    fn tls_says_what_it_lacks() {
        let said = |tls: Tls| Config { tls, ..Config::default() }.validate().expect_err("lacks").to_string();
        let off = Config::default().tls;
        let half = Tls { certificate: Some("a.pem".into()), ..off.clone() };
        assert_eq!(said(half.clone()), "tls-certificate has no use while tls is off; set tls to allow or require");
        assert_eq!(said(Tls { mode: TlsMode::Allow, ..half.clone() }), "tls needs tls-key, a PEM file");
        let asks =
            Tls { mode: TlsMode::Require, key: Some("a.key".into()), client_auth: Some(ClientAuth::Request), ..half };
        assert_eq!(said(asks), "tls-client-auth needs tls-client-ca, who signs the clients' certificates");
    }

    #[test]
    fn a_setting_out_of_range_is_named_with_its_range() {
        let config = Config { workers: 0, ..Config::default() };
        assert_eq!(config.validate().expect_err("0").to_string(), "workers is 0; it must be from 1 to 1024");
        let config = Config { idle_timeout: Duration::ZERO, ..Config::default() };
        let text = config.validate().expect_err("0").to_string();
        assert_eq!(text, "idle-timeout is 0 s; it must be more than 0 and at most 31622400 s");
    }
}
