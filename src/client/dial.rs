//! Makes a connection, within a deadline.

use super::deadline::Deadline;
use super::error::CalculateError;
use super::socket::Socket;
use super::target::{Address, Target};
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// Connects.
///
/// # Errors
/// ConnectError, or DeadlineExceeded.
pub(crate) async fn dial(target: &Target, deadline: Deadline) -> Result<Socket, CalculateError> {
    match deadline.limit(connect(target.address())).await {
        Some(Ok(socket)) => Ok(socket),
        Some(Err(error)) => Err(CalculateError::connect(&target.to_string(), error)),
        None => Err(CalculateError::no_time_to_connect(&target.to_string(), deadline)),
    }
}

async fn connect(address: &Address) -> io::Result<Socket> {
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Ok(Socket::Tcp(stream))
        }
        Address::Unix { path } => connect_unix(path).await.map(Socket::Unix),
    }
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
