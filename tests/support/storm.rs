//! Very many connections, each of which says one thing.

use super::DEADLINE;
use super::peer::all_of;
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpStream};
use std::thread;

/// Says each of `inputs` on a connection of its own, ends that connection's sending, reads what comes back until the
/// server closes, and shows both to `check`.
pub fn storm(address: SocketAddr, inputs: &[Vec<u8>], check: impl Fn(&[u8], &[u8]) + Sync) {
    const THREADS: usize = 2;
    let share = inputs.len().div_ceil(THREADS).max(1);
    thread::scope(|scope| {
        for (index, inputs) in inputs.chunks(share).enumerate() {
            let check = &check;
            scope.spawn(move || say_all(address, inputs, index as u8, check));
        }
    });
}

fn say_all(address: SocketAddr, inputs: &[Vec<u8>], thread: u8, check: impl Fn(&[u8], &[u8])) {
    const TOGETHER: usize = 64;
    for (index, inputs) in inputs.chunks(TOGETHER).enumerate() {
        // A closed connection keeps its port for a minute: many sources have ports enough.
        let source = Ipv4Addr::new(127, 1 + thread, (index / 250) as u8, 1 + (index % 250) as u8);
        let mut streams: Vec<TcpStream> = inputs.iter().map(|input| say(address, source, input)).collect();
        for (stream, input) in streams.iter_mut().zip(inputs) {
            check(input, &all_of(stream));
        }
    }
}

fn say(address: SocketAddr, source: Ipv4Addr, input: &[u8]) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddrV4::new(source, 0).into()).expect("a source");
    socket.connect(&address.into()).expect("connects");
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    // The server may have closed already.
    let _ = stream.write_all(input);
    let _ = stream.shutdown(Shutdown::Write);
    stream
}
