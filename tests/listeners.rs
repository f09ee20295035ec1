//! Several addresses at once: TCP and unix sockets, and what is left when a server ends.

mod support;

use rustix::process::Signal;
use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::DEADLINE;
use support::message::*;
use support::peer::{Peer, is_well};
use support::program::{PROGRAM, Program};
use support::tls::{Client, flags};

fn socket(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("calculate-{name}-{}.sock", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("connects");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream
}

fn serve(path: &Path, more: &[String]) -> Program {
    let unix = format!("unix:{}", path.display());
    let arguments = [&["--listen".into(), "127.0.0.1:0".into(), "--listen".into(), unix][..], more].concat();
    Program::serve(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_unix_socket_is_served_beside_tcp_in_every_encoding_and_encrypted() {
    let path = socket("beside");
    let mut server = serve(&path, &flags("allow", "server"));
    for encoding in ENCODINGS {
        Peer::over(connect(&path), encoding).is_served();
        let encrypted = Client::default().over(connect(&path)).expect("a handshake");
        Peer::over(encrypted, encoding).is_served();
    }
    is_well(server.address);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    assert!(!path.exists(), "its socket goes with it");
}

#[test]
fn every_address_has_its_line_in_order() {
    let path = socket("lines");
    let unix = format!("unix:{}", path.display());
    let arguments = ["serve", "--listen", &unix, "--listen", "127.0.0.1:0", "--drain-timeout", "5"];
    let mut child = Command::new(PROGRAM).args(arguments).stdout(std::process::Stdio::piped()).spawn().expect("starts");
    let stdout = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    let lines: Vec<String> = std::io::BufRead::lines(stdout).take(2).map(|line| line.expect("text")).collect();
    assert_eq!(lines[0], format!("listening on {unix}"));
    assert!(lines[1].starts_with("listening on 127.0.0.1:") && !lines[1].ends_with(":0"));
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
    let _ = fs::remove_file(path);
}

#[test]
fn an_address_that_nobody_calls_takes_no_place_from_the_others() {
    let path = socket("places");
    let server = serve(&path, &["--max-connections".into(), "1".into()]);
    for _ in 0..3 {
        is_well(server.address);
        Peer::over(connect(&path), FRAMED_BINARY).is_served();
    }
}

#[test]
fn the_socket_of_a_server_that_was_killed_is_taken_over_and_nothing_else_is() {
    let path = socket("stale");
    let mut killed = serve(&path, &[]);
    killed.signal(Signal::KILL);
    killed.exit_code();
    assert!(path.exists());
    let server = serve(&path, &[]);
    Peer::over(connect(&path), FRAMED_BINARY).is_served();

    let refused = |path: &Path| {
        let listen = format!("unix:{}", path.display());
        let ended = Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", &listen]));
        assert_eq!(ended.code, Some(1));
        ended.stderr
    };
    assert!(refused(&path).contains("another process listens there"));
    Peer::over(connect(&path), FRAMED_BINARY).is_served();
    drop(server);

    let file = socket("file");
    fs::write(&file, "kept").expect("written");
    assert!(refused(&file).contains("which is no socket"));
    assert_eq!(fs::read_to_string(&file).expect("there"), "kept");
    let _ = fs::remove_file(file);

    let busy = socket("busy");
    let listener = UnixListener::bind(&busy).expect("bound");
    assert!(refused(&busy).contains("another process listens there"));
    drop(listener);
    let _ = fs::remove_file(busy);
    let _ = fs::remove_file(path);
}

#[test]
fn what_is_no_address_is_told_the_forms() {
    for listen in ["9090", "unix:", "nowhere.invalid:1"] {
        let ended = Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", listen]));
        assert_eq!(ended.code, Some(2), "{listen}: {}", ended.stderr);
        assert!(ended.stderr.contains("unix:/path"), "{}", ended.stderr);
    }
}
