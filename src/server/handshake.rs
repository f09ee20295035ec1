//! What comes before a connection's first message: whose it is behind a proxy, and encryption.

use super::conversation::Ending;
use super::listener::Listener;
use super::peer::{Address, Peer};
use super::rejects::Reason;
use super::shared::Local;
use super::stream::{Socket, Stream};
use super::tls::Tls;
use super::tls_fault;
use crate::config::TlsMode;
use crate::wire::proxy::{self, Prefix};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// Makes an accepted socket a stream with somebody at its other end. `None` where that ended without a fault: the peer
/// left, or the server drains.
pub(super) async fn begin(
    socket: OwnedFd,
    address: Address,
    local: &Local,
) -> Result<Option<(Stream, Peer)>, (Address, Ending)> {
    let failed = |error: io::Error| Ending::new(Reason::Socket, error.to_string());
    let socket = match Listener::adopt(socket, &address) {
        Ok(socket) => socket,
        Err(error) => return Err((address, failed(error))),
    };
    let shared = &*local.shared;
    if shared.tls.is_none() && !address.is_in(&shared.config.proxy_protocol) {
        return Ok(Some((Stream::Plain(socket), Peer::new(address))));
    }
    let mut peer = Peer::new(address);
    // Boxed: most connections never need the room.
    match Box::pin(prepare(socket, &mut peer, local)).await {
        Ok(stream) => Ok(stream.map(|stream| (stream, peer))),
        Err(ending) => Err((peer.address, ending)),
    }
}

async fn prepare(mut socket: Socket, peer: &mut Peer, local: &Local) -> Result<Option<Stream>, Ending> {
    let shared = &*local.shared;
    let mode = shared.tls.as_ref().map_or(TlsMode::Off, |tls| tls.settings().mode);
    // Where TLS is required there is nothing to wait for; elsewhere a connection may be idle before its first call.
    let patience = match (mode, &shared.tls) {
        (TlsMode::Require, Some(tls)) => tls.settings().handshake_timeout,
        _ => shared.config.idle_timeout,
    };
    let began = Instant::now();
    let Some(mut first) = first_byte(&socket, patience, local).await? else { return Ok(None) };
    if first == proxy::FIRST_BYTE && peer.address.is_in(&shared.config.proxy_protocol) {
        let source = timeout(PROXY_HEADER_TIME, read_proxy_header(&mut socket)).await;
        let late = || Ending::new(Reason::Proxy, format!("not whole after {} s", PROXY_HEADER_TIME.as_secs()));
        believe(peer, source.map_err(|_| late())??);
        if mode == TlsMode::Off {
            return Ok(Some(Stream::Plain(socket)));
        }
        match first_byte(&socket, patience, local).await? {
            Some(byte) => first = byte,
            None => return Ok(None),
        }
    }
    match (&shared.tls, first) {
        (Some(tls), TLS_HANDSHAKE) => {
            let from = if mode == TlsMode::Require { began } else { Instant::now() };
            tokio::select! {
                encrypted = encrypt(socket, peer, tls, from) => encrypted.map(Some),
                // Nothing was asked yet.
                () = local.drain_begins() => Ok(None),
            }
        }
        (Some(_), _) if mode == TlsMode::Require => {
            // In the only words that a plain Thrift client may show its user: the end of the stream.
            let _ = socket.shutdown().await;
            Err(Ending::new(Reason::NotTls, "the first byte starts no TLS handshake, which this port requires"))
        }
        _ => Ok(Some(Stream::Plain(socket))),
    }
}

/// `None` also when the server drains and nothing has come.
async fn first_byte(socket: &Socket, patience: Duration, local: &Local) -> Result<Option<u8>, Ending> {
    let first = timeout(patience, async {
        tokio::select! {
            biased;
            first = socket.first_byte() => first,
            () = local.drain_begins() => Ok(None),
        }
    });
    match first.await {
        Ok(Ok(first)) => Ok(first),
        Ok(Err(error)) => Err(Ending::new(Reason::Socket, error.to_string())),
        Err(_) => Err(Ending::new(Reason::Idle, format!("not a byte for {} s", patience.as_secs_f64()))),
    }
}

async fn encrypt(socket: Socket, peer: &mut Peer, tls: &Tls, from: Instant) -> Result<Stream, Ending> {
    let limit = tls.settings().handshake_timeout;
    let shaken = timeout_at(from + limit, async {
        let _place = tls.handshakes.acquire().await;
        tls.accept(socket).await
    });
    match shaken.await {
        Ok(Ok((stream, session))) => {
            peer.tls = Some(session);
            Ok(Stream::Tls(Box::new(stream)))
        }
        Ok(Err(error)) => Err(Ending::new(Reason::Handshake, tls_fault::of_handshake(&error))),
        Err(_) => Err(Ending::new(Reason::Handshake, format!("not done after {} s", limit.as_secs_f64()))),
    }
}

/// The peer is whom the proxy says it is.
fn believe(peer: &mut Peer, source: Option<SocketAddr>) {
    if let (Some(source), Address::Tcp(proxy)) = (source, &peer.address) {
        peer.proxy = Some(*proxy);
        peer.address = Address::Tcp(source);
    }
}

async fn read_proxy_header(socket: &mut Socket) -> Result<Option<SocketAddr>, Ending> {
    let cut = |error: io::Error| Ending::new(Reason::Proxy, error.to_string());
    let malformed = |malformed: crate::wire::Malformed| Ending::new(Reason::Proxy, malformed.to_string());
    let mut prefix = [0; proxy::PREFIX_BYTES];
    socket.read_exact(&mut prefix).await.map_err(cut)?;
    let prefix = Prefix::read(&prefix).map_err(malformed)?;
    let mut rest = vec![0; prefix.rest_bytes];
    socket.read_exact(&mut rest).await.map_err(cut)?;
    prefix.source(&rest).map_err(malformed)
}

/// The content type of a TLS record that starts a handshake: as the first byte of a frame's length it would mean 350 MB.
const TLS_HANDSHAKE: u8 = 0x16;

/// A proxy writes its header at once.
const PROXY_HEADER_TIME: Duration = Duration::from_secs(5);
