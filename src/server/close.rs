//! How a connection ends: at once, or so that its last words arrive.

use super::shared::Local;
use super::stream::Stream;
use std::future::poll_fn;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// Its peer has ended it, or is owed nothing.
    AtOnce,
    /// We end it: bytes that are left unread would make the kernel answer with a reset, which can overtake our last
    /// reply. So it is shut for writing and then read on, for a while.
    Linger,
}

/// Ends a connection. A TLS peer is told so (close_notify) either way.
pub(super) async fn close(mut stream: Stream, local: &Local, how: Close) {
    if how == Close::Linger {
        let _ = tokio::time::timeout(LINGER, Box::pin(shut_and_discard(&mut stream, local))).await;
    } else if matches!(stream, Stream::Tls(_)) {
        let _ = tokio::time::timeout(LINGER, stream.shutdown()).await;
    }
}

/// Shuts for writing, and reads until the peer ends the connection too.
async fn shut_and_discard(stream: &mut Stream, local: &Local) -> io::Result<()> {
    stream.shutdown().await?;
    while poll_fn(|context| stream.poll_read(context, &mut local.input.borrow_mut())).await? > 0 {}
    Ok(())
}

/// How long a connection that we end may go on sending before it is cut.
pub(super) const LINGER: Duration = Duration::from_secs(1);
