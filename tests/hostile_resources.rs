//! A server that has no descriptor, or no memory, left: it refuses, and lives.

mod support;

use calculate::config::{Config, Handlers};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use support::gates::Gates;
use support::library::{Library, config};
use support::log::is_clean;
use support::message::*;
use support::peer::{Bystander, Peer, is_well};
use support::program::{PROGRAM, Program};
use support::{DEADLINE, eventually};

#[test]
fn out_of_descriptors_it_rests_and_is_back_within_a_second_on_every_listener() {
    let path = std::env::temp_dir().join(format!("calculate-hostile-{}.sock", std::process::id()));
    let mut command = Command::new("sh");
    let script = "ulimit -n 64; exec \"$0\" serve --workers 1 --listen 127.0.0.1:0 --listen \"$1\"";
    command.args(["-c", script, PROGRAM, &format!("unix:{}", path.display())]);
    let mut server = Program::run(&mut command);
    let calls_by_tcp = |server: &Program| calls(Peer::new(server.address));
    let calls_by_unix = |path: &PathBuf| calls(Peer::over(connect(path), FRAMED_BINARY));
    assert!(calls_by_tcp(&server) && calls_by_unix(&path));
    let mut quickest = DEADLINE;
    for _ in 0..3 {
        let taken: Vec<Peer> = (0..80).map(|_| Peer::new(server.address)).collect();
        let waiting: Vec<UnixStream> = (0..20).map(|_| connect(&path)).collect();
        eventually("there are none left", || server.descriptors() >= 63);
        let (start, ticks, lines) = (Instant::now(), server.cpu_ticks(), server.log().len());
        // Nothing to wait for: only a while in which a busy loop, and a line at each turn of it, would show.
        thread::sleep(Duration::from_secs(3));
        let seconds = start.elapsed().as_secs_f64();
        let (used, said) = (server.cpu_ticks() - ticks, server.log().len() - lines);
        assert!(used as f64 <= 5.0 * seconds, "{used} ticks of 10 ms in {seconds} s are more than 5 %");
        assert!(said as f64 <= seconds + 1.0, "{said} lines in {seconds} s");
        drop((taken, waiting));
        let relief = Instant::now();
        eventually("TCP is back", || calls_by_tcp(&server));
        eventually("the unix socket is back", || calls_by_unix(&path));
        quickest = quickest.min(relief.elapsed());
    }
    assert!(quickest < Duration::from_secs(1), "{quickest:?} at best");
    assert!(!server.logged("cannot accept").is_empty());
    server.log().iter().for_each(|line| is_clean(line));
    assert!(server.lives());
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn an_access_list_that_changes_while_there_are_no_descriptors_is_read_when_there_are() {
    let list = std::env::temp_dir().join(format!("calculate-hostile-list-{}", std::process::id()));
    std::fs::write(&list, "allow * *\n").expect("written");
    let mut command = Command::new("sh");
    let script = "ulimit -n 64; exec \"$0\" serve --workers 1 --access \"$1\"";
    command.args(["-c", script, PROGRAM, list.to_str().expect("UTF-8")]);
    let server = Program::run(&mut command);
    let mut peer = Peer::new(server.address);
    peer.is_served();
    let taken: Vec<Peer> = (0..80).map(|_| Peer::new(server.address)).collect();
    eventually("there are none left", || server.descriptors() >= 63);
    std::fs::write(&list, "deny * *\n").expect("written");
    eventually("it is said", || !server.logged("the access list not read anew").is_empty());
    drop(taken);
    eventually("the new list holds", || {
        peer.square(1, 9.0);
        peer.reply().kind == EXCEPTION
    });
    assert_eq!(server.logged("the access list not read anew").len(), 1, "said once, however often it is tried");
    let _ = std::fs::remove_file(list);
}

#[test]
fn unfinished_messages_are_refused_before_memory_is_out() {
    const LARGE: usize = 16_000_000;
    // Sixty such messages would need twice what the process may have.
    let mut command = Command::new("sh");
    let script = "ulimit -v 600000; exec \"$0\" serve --workers 2 --max-buffered-bytes 100000000";
    command.args(["-c", script, PROGRAM]);
    let mut server = Program::run(&mut command);
    let bystander = Bystander::start(server.address);
    for encoding in [FRAMED_BINARY, UNFRAMED_COMPACT] {
        let text = args(encoding.protocol, |out| {
            out.write_field_begin(&field(thrift::protocol::TType::String, 9))?;
            out.write_bytes(&vec![b'x'; LARGE])
        });
        let call = framed_message(encoding, "Square", CALL, 7, &text);
        let mut peers = Vec::new();
        for _ in 0..60 {
            let mut peer = Peer::connect(server.address, encoding);
            // Whoever is refused hears of it while it still sends.
            peer.offer(&call[..LARGE - 1000]);
            peers.push(peer);
        }
        eventually("some are refused", || !server.logged("no room").is_empty());
        let (mut answered, mut refused) = (0, 0);
        for mut peer in peers {
            peer.offer(&call[LARGE - 1000..]);
            match peer.next_reply() {
                Ok(Some(reply)) if reply.exception().0 == PROTOCOL_ERROR => answered += 1,
                Ok(Some(reply)) => {
                    let (code, text) = reply.exception();
                    assert_eq!((code, reply.sequence_id), (OVERLOADED, 7), "{text}");
                    assert!(text.contains("holds all that it may of unfinished calls"), "{text}");
                    is_clean(&text);
                    refused += 1;
                }
                // The kernel's reset may overtake the words, as the peer still sent.
                _ => refused += 1,
            }
        }
        assert!(answered >= 4 && refused >= 40, "{answered} answered, {refused} refused, {encoding}");
        // All of it was given back: the largest message is taken again.
        let mut peer = Peer::connect(server.address, encoding);
        peer.send(&call);
        assert_eq!(peer.reply().exception().0, PROTOCOL_ERROR);
    }
    bystander.was_served();
    assert!(server.lives());
    server.log().iter().for_each(|line| is_clean(line));
    is_well(server.address);
}

#[test]
fn without_a_bound_that_fits_the_machine_large_allocations_that_fail_are_refused_too() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 600000; exec \"$0\" serve --workers 2", PROGRAM]);
    let mut server = Program::run(&mut command);
    is_well(server.address);
    let start = [&16_000_000_u32.to_be_bytes()[..], &square(FRAMED_BINARY, 7, 9.0)[4..30]].concat();
    let large = [start, vec![0; 15_900_000]].concat();
    let peers: Vec<Peer> = (0..60)
        .map(|_| {
            let mut peer = Peer::new(server.address);
            peer.offer(&large);
            peer
        })
        .collect();
    eventually("some are refused", || !server.logged("no room").is_empty());
    drop(peers);
    eventually("all is well again", || calls(Peer::new(server.address)));
    assert!(server.lives());
}

#[test]
fn replies_that_nobody_takes_are_bounded_over_all_connections() {
    let server = Program::serve(&["--max-buffered-bytes", "5000000", "--workers", "2"]);
    let bystander = Bystander::start(server.address);
    let before = server.rss_kib();
    let calls = square(FRAMED_BINARY, 1, 9.0).repeat(1000);
    let mut deaf: Vec<Peer> = (0..60).map(|_| Peer::new(server.address)).collect();
    for peer in &mut deaf {
        socket2::SockRef::from(&peer.stream).set_recv_buffer_size(4096).expect("a small buffer");
        peer.stream.set_write_timeout(Some(Duration::from_millis(20))).expect("a time-out");
    }
    eventually("some are cut", || {
        // Each may leave a megabyte unread: all together may not.
        deaf.retain_mut(|peer| match peer.stream.write(&calls) {
            Ok(_) => true,
            Err(error) => matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        });
        !server.logged("no room: all connections together hold 5000000 bytes").is_empty()
    });
    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown < 40 << 10, "{grown} KiB more");
    bystander.was_served();
    drop(deaf);
    is_well(server.address);
}

#[test]
fn what_waits_for_the_pool_is_bounded_over_all_connections_and_may_outlive_them() {
    let gates = Gates::new();
    let config = Config { buffered_bytes: 2_000_000, pool_threads: 1, ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let sleep = |id| framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, id, &i32_args(FRAMED_BINARY.protocol, id));
    for gate in [1, 2] {
        let mut first = Peer::new(server.address);
        first.send(&sleep(gate));
        gates.have_begun(gate as usize);
        // A few calls of 300 KB find room; a small one does in any case.
        let mut waiting = Vec::new();
        while waiting.len() < 20 && !is_refused(server.address, &mut waiting) {}
        let mut small = Peer::new(server.address);
        small.send(&fail(10));
        if gate == 1 {
            gates.open(gate);
            let answered = |peer: &mut Peer| match peer.reply().exception() {
                (INTERNAL_ERROR, _) => true,
                (code, text) => {
                    assert!(code == OVERLOADED && text.contains("unfinished calls"), "{code}: {text}");
                    false
                }
            };
            let count = waiting.iter_mut().map(answered).filter(|answered| *answered).count();
            assert!((3..=6).contains(&count), "{count} of 300 KB were let in, where 2 MB may be");
        } else {
            // Their connections go: what the pool has of theirs stays counted until it is done with.
            drop(waiting);
            eventually("they are gone", || is_refused(server.address, &mut Vec::new()));
            gates.open(gate);
        }
        assert_eq!(first.reply().i32(), gate);
        assert_eq!(small.reply().exception().0, INTERNAL_ERROR);
    }
    eventually("there is room again", || !is_refused(server.address, &mut Vec::new()));
}

/// Whether a call of 300 KB is refused for want of room. One that waits, or is answered otherwise, goes to `waiting`.
fn is_refused(address: SocketAddr, waiting: &mut Vec<Peer>) -> bool {
    let mut peer = Peer::new(address);
    peer.send(&fail(300_000));
    peer.stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out");
    let refused = matches!(peer.next_reply(), Ok(Some(reply)) if reply.exception().0 == OVERLOADED);
    peer.stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    if !refused {
        waiting.push(peer);
    }
    refused
}

/// A call of so many bytes, which the pool answers with an internal error.
fn fail(length: usize) -> Vec<u8> {
    let text = text_args(FRAMED_BINARY.protocol, &"x".repeat(length));
    framed_message(FRAMED_BINARY, "Wire:Fail", CALL, 5, &text)
}

/// A call on it is answered soon.
fn calls<S: Read + Write>(mut peer: Peer<S>) -> bool {
    peer.offer(&square(FRAMED_BINARY, 1, 9.0));
    matches!(peer.next_reply(), Ok(Some(reply)) if reply.number() == 3.0)
}

fn connect(path: &PathBuf) -> UnixStream {
    let stream = UnixStream::connect(path).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a time-out");
    stream
}
