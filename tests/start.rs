//! How the program starts, and how it says that it cannot.

mod support;

use calculate::config::Config;
use calculate::idl::calculate::CalculateSyncProcessor;
use calculate::server::{Server, Shutdown};
use calculate::service::Calculator;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use support::eventually;
use support::peer::{Peer, is_well};
use support::program::{PROGRAM, Program};

#[test]
fn the_first_line_says_where_it_listens_and_nothing_follows() {
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("text");
    let address = first.strip_prefix("listening on 127.0.0.1:").expect("an address");
    let port: u16 = address.parse().expect("a port");
    assert_ne!(port, 0);
    is_well(([127, 0, 0, 1], port).into());
    child.kill().expect("ours");
    child.wait().expect("ours");
    assert!(lines.next().is_none(), "standard output is one line");
}

#[test]
fn a_server_says_when_it_answers_unless_it_is_to_end() {
    let bind = || {
        let server = Server::bind(Config { listen: vec!["127.0.0.1:0".into()], ..Config::default() });
        server.expect("a free port").service("Calculate", CalculateSyncProcessor::new(Calculator))
    };
    let (server, shutdown) = (bind(), Shutdown::new());
    let (says, told) = mpsc::channel();
    let (address, ends) = (server.local_addr().expect("TCP"), shutdown.clone());
    let thread = thread::spawn(move || server.serve_and(ends, || says.send(()).expect("somebody listens")));
    told.recv().expect("it says so");
    is_well(address);
    shutdown.begin();
    assert_eq!(thread.join().expect("no panic").expect("it serves").aborted, 0);
    assert!(told.recv().is_err(), "once");

    let server = bind();
    assert_eq!(server.serve_and(shutdown, || panic!("it is to end")).expect("it serves").aborted, 0);
}

#[test]
fn each_of_two_servers_on_port_0_has_its_own() {
    let (one, two) = (Program::serve(&[]), Program::serve(&[]));
    assert_ne!(one.address, two.address);
    is_well(one.address);
    is_well(two.address);
}

#[test]
fn it_listens_on_ipv6_and_by_name() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let server = Program::serve(&["--listen", "[::1]:0"]);
        assert!(server.address.is_ipv6());
        is_well(server.address);
    }
    let server = Program::serve(&["--listen", "localhost:0"]);
    is_well(server.address);
}

#[test]
fn an_address_in_use_is_exit_code_1_and_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", &address]));
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout, "");
    let expected = format!("calculate: cannot listen on {address}: Address already in use (os error 98)\n");
    assert_eq!(ended.stderr, expected);
}

#[test]
fn a_server_that_was_killed_leaves_its_address_free() {
    let mut first = Program::serve(&[]);
    let mut peer = Peer::new(first.address);
    peer.is_served();
    let address = first.address.to_string();
    first.signal(rustix::process::Signal::KILL);
    assert_eq!(first.exit_code(), None);
    let second = Program::serve(&["--listen", &address]);
    assert_eq!(second.address, first.address);
    is_well(second.address);
}

#[test]
fn an_address_that_cannot_be_one_is_exit_code_2_and_one_line() {
    for wrong in ["9090", "localhost", "127.0.0.1:port", "127.0.0.1:99999", "no.such.host.invalid:9090", ""] {
        let ended = Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", wrong]));
        assert_eq!(ended.code, Some(2), "{wrong}: {ended:?}");
        assert_eq!(ended.stdout, "");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("{wrong:?}")) && ended.stderr.contains("HOST:PORT"), "{}", ended.stderr);
    }
}

#[test]
fn an_argument_or_subcommand_that_nobody_knows_is_exit_code_2() {
    for wrong in [&["serve", "--nonsense"][..], &["nonsense"], &[], &["serve", "127.0.0.1:0"]] {
        let ended = Program::to_end(Command::new(PROGRAM).args(wrong));
        assert_eq!(ended.code, Some(2), "{wrong:?}");
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty());
    }
}

#[test]
fn help_and_version_are_exit_code_0_on_standard_output() {
    let help = Program::to_end(Command::new(PROGRAM).args(["serve", "--help"]));
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for says in ["--listen", "CALCULATE_LISTEN", "127.0.0.1:9090", "SIGTERM"] {
        assert!(help.stdout.contains(says), "{}", help.stdout);
    }
    let version = Program::to_end(Command::new(PROGRAM).arg("--version"));
    assert_eq!(version.code, Some(0));
    assert_eq!(version.stdout, format!("calculate {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_log_is_one_line_of_settings_and_none_for_a_call() {
    let mut server = Program::serve(&[]);
    let mut peer = Peer::new(server.address);
    (0..100).for_each(|_| peer.is_served());
    peer.finish();
    peer.closed();
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log();
    assert_eq!(log.len(), 3, "settings, the signal, the end: {log:?}");
    for setting in ["max-message-bytes=16384000", "max-connections=20000", "idle-timeout=600s"] {
        assert!(log[0].contains(setting), "{}", log[0]);
    }
}

#[test]
fn it_serves_when_nobody_reads_its_output() {
    // Closed, and a pipe whose reader is gone.
    let port = || TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    for redirection in [">&-", "2>&-", ">&- 2>&-", "| true", "2>&1 | true"] {
        let address = port();
        let line = format!("exec \"$0\" serve --listen {address} {redirection}");
        let line = if redirection.contains('|') { line.replace("exec ", "") } else { line };
        // The shell and what it starts are one process group, which is ended with it.
        let mut child = std::os::unix::process::CommandExt::process_group(
            Command::new("sh").args(["-c", &line, PROGRAM]).stdout(Stdio::null()).stderr(Stdio::null()),
            0,
        )
        .spawn()
        .expect("it starts");
        eventually("it listens", || std::net::TcpStream::connect(address).is_ok());
        is_well(address);
        Peer::new(address).offer(b"\xff\xff\xff\xff");
        is_well(address);
        let group = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).expect("our own group");
        child.wait().expect("ours");
    }
}
