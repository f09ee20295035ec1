//! Makes a connection, within a deadline.

use super::address::Address;
use super::deadline::Deadline;
use super::error::CalculateError;
use super::stream::Stream;
use crate::socket::Socket;
use crate::tls::Tls;
use crate::tls::stream::TlsStream;
use rustix::net::sockopt;
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// Connects, with a handshake where `tls` is given.
///
/// # Errors
/// ConnectError, or DeadlineExceeded.
pub(crate) async fn dial(target: &Address, tls: Option<&Tls>, deadline: Deadline) -> Result<Stream, CalculateError> {
    let server = target.to_string();
    let wrong = |error| CalculateError::connect(&server, error);
    let tls = match tls {
        Some(tls) => {
            let name = tls.name_of(target, target.host()).map_err(CalculateError::no_tls)?;
            Some((tls, name))
        }
        None => None,
    };
    let Some(connected) = deadline.limit(connect(target)).await else {
        return Err(CalculateError::no_time_to_connect(&server, deadline));
    };
    let socket = connected.map_err(wrong)?;
    let Some((tls, name)) = tls else { return Ok(Stream::Plain(socket)) };
    match deadline.limit(TlsStream::handshake(socket, tls, name)).await {
        Some(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Some(Err(error)) => Err(CalculateError::handshake(&server, error)),
        None => Err(CalculateError::no_time_for_handshake(&server, deadline)),
    }
}

async fn connect(address: &Address) -> io::Result<Socket> {
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(Socket::Tcp(stream))
        }
        Address::Unix { path } => connect_unix(path).await.map(Socket::Unix),
    }
}

/// Has the kernel find out, while nobody calls, that a server has gone without a word, after half a minute at most: a
/// quarter of a minute without traffic, then a probe every 5 s, of which none of three is answered. Until then these keep a
/// firewall from forgetting the connection. The same in every language.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(15))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(5))?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    Ok(())
}

/// Where TCP waits for room in the server's backlog, a unix socket refuses at once: so it is asked again.
async fn connect_unix(path: &str) -> io::Result<UnixStream> {
    const PAUSE: Duration = Duration::from_millis(5);
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(PAUSE).await,
            connected => return connected,
        }
    }
}
