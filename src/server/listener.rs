//! Where connections come from: a TCP address, or a unix socket.

use super::peer::Address;
use super::stream::Socket;
use crate::error::Error;
use rustix::net::{SocketAddrAny, SocketFlags};
use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A socket that listens. A unix socket's file goes with it.
#[derive(Debug)]
pub(super) struct Listener {
    socket: socket2::Socket,
    address: LocalAddr,
}

/// The same socket, known to a runtime.
#[derive(Debug)]
pub(super) enum Waiting {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// Where a server listens: the real port where port 0 was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalAddr {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A unix socket's file.
    Unix(PathBuf),
}

impl Listener {
    /// Takes an address: `HOST:PORT`, `[IPv6]:PORT` or `unix:/path`.
    pub(super) fn bind(address: &str) -> Result<Listener, Error> {
        match address.strip_prefix("unix:") {
            Some(path) => bind_unix(Path::new(path)),
            None => bind_tcp(address),
        }
    }

    pub(super) fn address(&self) -> &LocalAddr {
        &self.address
    }

    /// Waits for connections with this thread's runtime.
    pub(super) fn wait(&self) -> io::Result<Waiting> {
        let socket = self.socket.try_clone()?;
        Ok(match self.address {
            LocalAddr::Tcp(_) => Waiting::Tcp(tokio::net::TcpListener::from_std(socket.into())?),
            LocalAddr::Unix(_) => {
                let listener = std::os::unix::net::UnixListener::from(OwnedFd::from(socket));
                Waiting::Unix(tokio::net::UnixListener::from_std(listener)?)
            }
        })
    }

    /// The next connection, if one waits: it does not block.
    pub(super) fn accept(&self) -> io::Result<(OwnedFd, Address)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, address) = rustix::net::acceptfrom_with(&self.socket, flags)?;
        let address = match self.address {
            LocalAddr::Tcp(_) => Address::Tcp(tcp_address(address)?),
            LocalAddr::Unix(_) => Address::unix(&socket),
        };
        Ok((socket, address))
    }

    /// An accepted socket, made ready for this thread's runtime.
    pub(super) fn adopt(socket: OwnedFd, address: &Address) -> io::Result<Socket> {
        match address {
            Address::Tcp(_) => {
                let stream = std::net::TcpStream::from(socket);
                stream.set_nodelay(true)?;
                Ok(Socket::Tcp(tokio::net::TcpStream::from_std(stream)?))
            }
            Address::Unix { .. } => Ok(Socket::Unix(tokio::net::UnixStream::from_std(socket.into())?)),
        }
    }
}

impl Waiting {
    /// The next connection. Cancel-safe.
    pub(super) async fn accept(&self) -> io::Result<(OwnedFd, Address)> {
        match self {
            Waiting::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((stream.into_std()?.into(), Address::Tcp(address)))
            }
            Waiting::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let socket = OwnedFd::from(stream.into_std()?);
                let address = Address::unix(&socket);
                Ok((socket, address))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let LocalAddr::Unix(path) = &self.address {
            let _ = fs::remove_file(path);
        }
    }
}

impl LocalAddr {
    /// The TCP address, where it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            LocalAddr::Tcp(address) => Some(*address),
            LocalAddr::Unix(_) => None,
        }
    }
}

impl fmt::Display for LocalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalAddr::Tcp(address) => address.fmt(f),
            LocalAddr::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn bind_tcp(address: &str) -> Result<Listener, Error> {
    let wrong = |why: &str| {
        Error::setting(format!("cannot listen on {address:?}: {why}; write HOST:PORT, [IPv6]:PORT or unix:/path"))
    };
    if !address.contains(':') {
        return Err(wrong("no port"));
    }
    let resolved = address.to_socket_addrs().map_err(|error| wrong(&error.to_string()))?.next();
    let resolved = resolved.ok_or_else(|| wrong("no such host"))?;
    let bind = || {
        let socket = socket2::Socket::new(socket2::Domain::for_address(resolved), socket2::Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&resolved.into())?;
        socket.listen(BACKLOG)?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidData)?;
        Ok(Listener { socket, address: LocalAddr::Tcp(address) })
    };
    bind().map_err(|source| Error::machine(format!("cannot listen on {resolved}"), source))
}

fn bind_unix(path: &Path) -> Result<Listener, Error> {
    if path.as_os_str().is_empty() {
        return Err(Error::setting("cannot listen on \"unix:\": no path; write unix:/path"));
    }
    let bind = || {
        remove_stale(path)?;
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        let listener = Listener { socket, address: LocalAddr::Unix(path.to_owned()) };
        listener.socket.listen(BACKLOG)?;
        Ok(listener)
    };
    bind().map_err(|source| Error::machine(format!("cannot listen on unix:{}", path.display()), source))
}

/// Removes the socket of a server that was killed: one that nobody listens on. Nothing else is ever removed.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name, which is no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there")),
    }
}

fn tcp_address(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    let address = address.and_then(|address| SocketAddr::try_from(address).ok());
    address.ok_or_else(|| io::Error::new(io::ErrorKind::ConnectionAborted, "a connection without an address"))
}

const BACKLOG: i32 = 4096;
