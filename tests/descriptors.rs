//! A server that has no descriptor left.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};
use support::eventually;
use support::peer::{Peer, is_well};
use support::program::{PROGRAM, Program};

#[test]
fn w14_out_of_descriptors_those_who_are_in_are_served_and_the_rest_soon() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" serve --workers 1", PROGRAM]);
    let mut server = Program::run(&mut command);
    let mut served = Vec::new();
    // A peer that comes too late is turned away, or not let in.
    while let Some(peer) = try_serve(&server) {
        served.push(peer);
        assert!(served.len() < 64);
    }
    assert!(served.len() > 20, "{}", served.len());
    let turned_away: Vec<Peer> = (0..30).map(|_| Peer::new(server.address)).collect();
    let (start, ticks, lines) = (Instant::now(), server.cpu_ticks(), server.log().len());
    // Long enough for a busy loop, and for a line at each turn of it, to show.
    while start.elapsed() < Duration::from_secs(2) {
        served.iter_mut().for_each(Peer::is_served);
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = start.elapsed().as_secs_f64();
    let (used, said) = (server.cpu_ticks() - ticks, server.log().len() - lines);
    assert!((used as f64) < 60.0 * seconds, "{used} ticks of 10 ms in {seconds} s");
    assert!(said as f64 <= seconds + 2.0, "{said} lines in {seconds} s");
    assert!(!server.logged("cannot accept").is_empty());
    // One goes: another has its place.
    drop(turned_away);
    drop(served.pop());
    let relief = Instant::now();
    eventually("a new connection is served", || try_serve(&server).is_some());
    assert!(relief.elapsed() < Duration::from_secs(10));
    served.iter_mut().for_each(Peer::is_served);
    drop(served);
    eventually("all is well again", || try_serve(&server).is_some());
    is_well(server.address);
    assert!(server.lives());
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn the_soft_limit_on_descriptors_is_raised_to_the_hard_one() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 32; exec \"$0\" serve --workers 1", PROGRAM]);
    let server = Program::run(&mut command);
    let mut peers: Vec<Peer> = (0..100).map(|_| Peer::new(server.address)).collect();
    peers.iter_mut().for_each(Peer::is_served);
}

/// A new connection whose call is answered, if there is one to be had.
fn try_serve(server: &Program) -> Option<Peer> {
    let mut peer = Peer::new(server.address);
    peer.stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a time-out");
    peer.offer(&support::message::square(support::message::FRAMED_BINARY, 1, 9.0));
    let reply = peer.next_reply().ok().flatten()?;
    assert_eq!(reply.number(), 3.0);
    peer.stream.set_read_timeout(Some(support::DEADLINE)).expect("a time-out");
    Some(peer)
}
