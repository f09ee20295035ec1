//! The address of one server.

use std::fmt;
use std::os::unix::net::SocketAddr;

/// Where one server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        port: u16,
    },
    Unix {
        path: String,
    },
}

impl Address {
    /// What a certificate of it can be for; a unix socket has none.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Address::Tcp { host, .. } => Some(host),
            Address::Unix { .. } => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}

/// The path behind `unix:`.
pub(super) fn unix(path: &str) -> Result<String, &'static str> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains(char::is_control) {
        return Err("the path of a unix socket begins with / and ends with its name");
    }
    match SocketAddr::from_pathname(path) {
        Ok(_) => Ok(path.into()),
        Err(_) => Err("the path is longer than the system takes for a socket"),
    }
}

/// `HOST:PORT` or `[IPv6]:PORT`.
pub(super) fn tcp(text: &str) -> Result<Address, &'static str> {
    let Some((host, port)) = text.rsplit_once(':').filter(|_| !text.ends_with(']')) else {
        return Err("it has no port");
    };
    let host = match (host.strip_prefix('['), host.contains(':')) {
        (Some(rest), _) => match rest.strip_suffix(']') {
            Some(address) if address.contains(':') => address,
            Some(_) => return Err("only an IPv6 address has brackets"),
            None => return Err("the bracket is not closed"),
        },
        (None, true) => return Err("an IPv6 address needs brackets"),
        (None, false) => host,
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c)) {
        return Err("the host is missing or is none");
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if port > 0 && digits => Ok(Address::Tcp { host: host.into(), port }),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}
