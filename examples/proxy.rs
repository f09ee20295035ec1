//! Stands between clients and a server, as `make chaos` needs it. `cargo run --example proxy -- HOST:PORT [TIMEOUT_MS]`
//!
//! Without a time-out it only counts calls, by the million to which their roots belong: callers of one language keep to
//! one million. With one it spoils replies (framed binary ones), for clients whose calls have that time:
//!
//! - half of them are delayed, each for itself, so that they come in another order; some of these until after their
//!   calls' deadlines;
//! - most connections end within a reply: at its first byte, its second … in turn, by a close and by a reset in turn;
//! - every eighth takes calls and says nothing any more, some from the beginning.
//!
//! The first line on standard output is "listening on HOST:PORT". A line on standard input asks for the counts since the
//! line before, as one line of JSON.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What was seen and done.
#[derive(Default)]
struct Counts {
    connections: u64,
    /// Calls, by the million of their roots.
    calls: BTreeMap<u64, u64>,
    replies: u64,
    delayed: u64,
    silent: u64,
    /// After how many bytes of a reply a connection was closed, and reset.
    closed_at: BTreeSet<usize>,
    reset_at: BTreeSet<usize>,
    longest_reply: usize,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Nothing is done to it.
    Spared,
    /// So many replies come whole, the next one up to this byte.
    Cut { whole: u64, turn: u64, reset: bool },
    /// So many replies come, then nothing.
    Silent { whole: u64 },
}

struct Proxy {
    upstream: String,
    /// The time that clients' calls have; none: nothing is spoiled.
    timeout: Option<Duration>,
    counts: Mutex<Counts>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let upstream = arguments.next().ok_or("which server?")?;
    let timeout = arguments.next().map(|ms| ms.parse().map(Duration::from_millis)).transpose()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    let proxy = Arc::new(Proxy { upstream, timeout, counts: Mutex::default() });
    let asked = proxy.clone();
    std::thread::spawn(move || {
        for _line in std::io::stdin().lock().lines().map_while(Result::ok) {
            println!("{}", asked.take());
        }
        std::process::exit(0);
    });
    let mut random = Random(1);
    for number in 0.. {
        let (client, _) = listener.accept().await?;
        let fate = proxy.fate(number, &mut random);
        proxy.lock().connections += 1;
        tokio::spawn(serve(proxy.clone(), client, fate, Random(number)));
    }
    Ok(())
}

async fn serve(proxy: Arc<Proxy>, client: TcpStream, fate: Fate, random: Random) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let server = TcpStream::connect(&proxy.upstream).await.ok()?;
    server.set_nodelay(true).ok()?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (replies, incoming) = unbounded_channel();
    tokio::spawn(send(proxy.clone(), to_client, incoming, fate));
    tokio::spawn(receive(proxy.clone(), from_server, replies, random));
    forward(&proxy, from_client, to_server).await
}

/// The client's calls, to the server.
async fn forward(proxy: &Proxy, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Option<()> {
    while let Some(frame) = read_frame(&mut from).await {
        if let Some(million) = million(&frame) {
            *proxy.lock().calls.entry(million).or_default() += 1;
        }
        // A server that has gone away: its connection ends the client's.
        to.write_all(&frame).await.ok()?;
    }
    Some(())
}

/// The server's replies, at once or later.
async fn receive(proxy: Arc<Proxy>, mut from: OwnedReadHalf, to: UnboundedSender<Vec<u8>>, mut random: Random) {
    while let Some(frame) = read_frame(&mut from).await {
        match proxy.delay(&mut random) {
            None => drop(to.send(frame)),
            Some(delay) => {
                let to = to.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    // The connection may have been cut meanwhile.
                    drop(to.send(frame));
                });
            }
        }
    }
}

/// Replies to the client, until the connection's fate has come.
async fn send(
    proxy: Arc<Proxy>,
    mut to: OwnedWriteHalf,
    mut replies: UnboundedReceiver<Vec<u8>>,
    fate: Fate,
) -> Option<()> {
    let mut sent = 0;
    while let Some(frame) = replies.recv().await {
        match fate {
            Fate::Cut { whole, turn, reset } if sent == whole => {
                let offset = turn as usize % frame.len();
                to.write_all(&frame[..offset]).await.ok()?;
                proxy.note_cut(offset, frame.len(), reset);
                return end(to, reset).await;
            }
            Fate::Silent { whole } if sent >= whole => continue,
            _ => to.write_all(&frame).await.ok()?,
        }
        proxy.lock().replies += 1;
        sent += 1;
    }
    end(to, false).await
}

/// Closes: what the client has sent is read to its end elsewhere, so no reset overtakes what was written. Or resets.
async fn end(mut to: OwnedWriteHalf, reset: bool) -> Option<()> {
    if reset {
        // As soon as both halves are gone; the other one is waiting to read, and gets the error.
        socket2::SockRef::from(to.as_ref()).set_linger(Some(Duration::ZERO)).ok()?;
        socket2::SockRef::from(to.as_ref()).shutdown(std::net::Shutdown::Read).ok()?;
        to.forget();
        return Some(());
    }
    to.shutdown().await.ok()
}

impl Proxy {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, number: u64, random: &mut Random) -> Fate {
        const MOST_WHOLE: u64 = 200;
        let whole = random.below(MOST_WHOLE);
        match number % 8 {
            _ if self.timeout.is_none() => Fate::Spared,
            7 => {
                self.lock().silent += 1;
                Fate::Silent { whole: if number % 16 == 7 { 0 } else { whole } }
            }
            eighth => {
                // Of the seven out of eight.
                let turn = number / 8 * 7 + eighth;
                Fate::Cut { whole, turn: turn / 2, reset: turn.is_multiple_of(2) }
            }
        }
    }

    /// How long a reply is held back.
    fn delay(&self, random: &mut Random) -> Option<Duration> {
        const SHORT_US: u64 = 10_000;
        let timeout = self.timeout?;
        if random.below(2) == 0 {
            return None;
        }
        self.lock().delayed += 1;
        Some(match random.below(20) {
            0 => timeout.mul_f64(1.0 + random.below(100) as f64 / 100.0),
            _ => Duration::from_micros(random.below(SHORT_US)),
        })
    }

    fn note_cut(&self, offset: usize, length: usize, reset: bool) {
        let mut counts = self.lock();
        counts.longest_reply = counts.longest_reply.max(length);
        if reset {
            counts.reset_at.insert(offset)
        } else {
            counts.closed_at.insert(offset)
        };
    }

    /// What there was, and begins anew.
    fn take(&self) -> serde_json::Value {
        let counts = std::mem::take(&mut *self.lock());
        json!({
            "connections": counts.connections, "calls": counts.calls, "replies": counts.replies,
            "delayed": counts.delayed, "silent": counts.silent, "closed_at": counts.closed_at,
            "reset_at": counts.reset_at, "longest_reply": counts.longest_reply,
        })
    }
}

/// A frame with its length; none at the end.
async fn read_frame(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    const MOST: usize = 1 << 20;
    let mut length = [0; 4];
    from.read_exact(&mut length).await.ok()?;
    let body = u32::from_be_bytes(length) as usize;
    if body > MOST {
        return None;
    }
    let mut frame = vec![0; 4 + body];
    frame[..4].copy_from_slice(&length);
    from.read_exact(&mut frame[4..]).await.ok()?;
    Some(frame)
}

/// The million to which the root belongs that a call of Square asks for.
fn million(frame: &[u8]) -> Option<u64> {
    const STOPS: usize = 2;
    let ends = frame.len().checked_sub(STOPS)?;
    let number = f64::from_be_bytes(frame.get(ends.checked_sub(8)?..ends)?.try_into().ok()?);
    let is_square = frame.windows(6).any(|bytes| bytes == b"Square");
    is_square.then_some(((number.sqrt() - 1.0) / 1e6) as u64)
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 32) * n) >> 32
    }
}
