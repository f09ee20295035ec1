//! Who is at the other end of a connection.

use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// The other end of a connection, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; behind a proxy that may say so, the one that the proxy gave.
    pub address: Address,
    /// The proxy's own address, where there is one.
    pub proxy: Option<SocketAddr>,
    /// What its TLS handshake showed; none on a plain connection.
    pub tls: Option<TlsSession>,
}

/// Where a peer connects from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A unix socket, with the process's credentials as the kernel vouches for them.
    Unix {
        /// The user.
        uid: u32,
        /// The process; 0 where it is not known.
        pid: i32,
    },
}

/// What a TLS handshake agreed on, and showed of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSession {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The peer's certificate, verified; none when it showed none.
    pub identity: Option<Identity>,
}

/// What a verified certificate says of its holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The subject alternative names: DNS names, URIs (SPIFFE ids), e-mail addresses, IP addresses, as text.
    pub names: Vec<String>,
}

impl Peer {
    pub(super) fn new(address: Address) -> Peer {
        Peer { address, proxy: None, tls: None }
    }

    /// The verified certificate's holder.
    pub fn identity(&self) -> Option<&Identity> {
        self.tls.as_ref()?.identity.as_ref()
    }
}

impl Address {
    /// The address of whoever holds the other end of this unix socket.
    pub(super) fn unix(socket: &OwnedFd) -> Address {
        match rustix::net::sockopt::socket_peercred(socket) {
            Ok(credentials) => Address::Unix {
                uid: credentials.uid.as_raw(),
                pid: rustix::process::Pid::as_raw(Some(credentials.pid)),
            },
            // Nobody's user: no rule gives it anything.
            Err(_) => Address::Unix { uid: u32::MAX, pid: 0 },
        }
    }

    /// Whether it is a TCP address in one of these ranges.
    pub(super) fn is_in(&self, ranges: &[IpNet]) -> bool {
        self.ip().is_some_and(|ip| ranges.iter().any(|range| range.contains(&ip)))
    }

    /// The IP address; an IPv4 one that came by IPv6 as IPv4.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match self {
            Address::Tcp(address) => Some(address.ip().to_canonical()),
            Address::Unix { .. } => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix { uid, pid } => write!(f, "unix user {uid}, process {pid}"),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match self.proxy {
            Some(proxy) => write!(f, " by proxy {proxy}"),
            None => Ok(()),
        }
    }
}
