//! The Rust client over unix sockets: the same calls, the same errors.

mod support;

use calculate::client::error::TransportError;
use calculate::client::{CalculateError, Client, Options, blocking};
use socket2::{Domain, SockAddr, Socket, Type};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use support::fake::*;
use support::message::ENCODINGS;
use support::program::{Ended, PROGRAM, Program};

#[tokio::test]
async fn tasks_that_share_a_client_get_their_own_answers() {
    let server = Fake::on_unix(vec![echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let calls: Vec<_> = (0..64)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.square(f64::from(n)).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.expect("no panic").expect("an answer"), n as f64);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn threads_share_a_blocking_client() {
    let server = Fake::on_unix(vec![echo()]);
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in (0..200).map(|n| f64::from(thread * 200 + n)) {
                    assert_eq!(client.square(n).expect("an answer"), n);
                }
            });
        }
    });
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_unseen() {
    let once = || {
        script(|client| {
            let call = client.call();
            client.answer(&call);
        })
    };
    let server = Fake::on_unix((0..10).map(|_| once()).collect());
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    for index in 0..10 {
        assert_eq!(client.square(index as f64).await.expect("an answer"), index as f64);
        server.has_closed(index);
    }
    assert_eq!(server.connections(), 10);
}

#[tokio::test]
async fn a_server_that_ends_in_a_call_is_named_and_the_next_call_finds_another() {
    let server = Fake::on_unix(vec![script(|client| drop(client.call())), echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let error = client.square(1.0).await.expect_err("it ends");
    assert!(matches!(error, CalculateError::Transport(TransportError::ConnectionClosed(..))), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{} closed the connection", server.address)), "{error}");
    assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
}

#[test]
fn closing_fails_what_is_in_flight() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Fake::on_unix(vec![script(move |client| {
        client.call();
        tell.send(()).expect("the test waits");
        client.wait();
    })]);
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    thread::scope(|scope| {
        let call = scope.spawn(|| client.square(1.0));
        told.recv().expect("the call has come");
        client.close();
        let error = call.join().expect("no panic").expect_err("it is closed");
        assert_eq!(error.to_string(), format!("this client of {} was closed", server.address));
    });
    server.has_closed(0);
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_one_line_that_says_what_to_do() {
    let path = socket_path();
    let connect = || Client::connect(target(&path), Options::default());
    let error = connect().await.expect_err("nobody is there");
    assert!(matches!(error, CalculateError::Transport(TransportError::ConnectError(_, Some(_)))), "{error:?}");
    let text =
        |why| format!("cannot connect to unix:{} ({why}); is it running, and is this its address?", path.display());
    assert_eq!(error.to_string(), text("no such file or directory"));
    // A server that was killed leaves its socket.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a free path"));
    assert_eq!(connect().await.expect_err("nobody listens").to_string(), text("connection refused"));
    std::fs::remove_file(&path).expect("ours");
}

#[tokio::test]
async fn a_full_backlog_is_waited_for_as_long_as_the_deadline_lets() {
    let path = socket_path();
    let listener = listen(&path);
    let _waiting = fill_backlog(&path);
    let connect = |timeout| Client::connect(target(&path), Options { timeout, ..Options::default() });
    let error = connect(Duration::from_millis(50)).await.expect_err("the backlog is full");
    assert!(error.is_deadline(), "{error:?}");
    assert!(error.to_string().starts_with("no connection to unix:"), "{error}");
    let accept = tokio::task::spawn_blocking(move || (listener.accept().expect("a connection"), listener));
    let (connected, _accepted) = tokio::join!(connect(Duration::from_secs(20)), accept);
    connected.expect("there is room again");
    std::fs::remove_file(&path).expect("ours");
}

#[tokio::test]
async fn closing_ends_the_wait_for_a_connection() {
    let path = socket_path();
    let listener = listen(&path);
    let options = Options { timeout: Duration::from_secs(60), ..Options::default() };
    let client = Client::connect(target(&path), options).await.expect("it is accepted");
    drop(listener.accept().expect("the client"));
    let _waiting = fill_backlog(&path);
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.square(9.0).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.close();
    let ended = tokio::time::timeout(Duration::from_secs(20), call).await.expect("long before its deadline");
    let error = ended.expect("no panic").expect_err("it is closed");
    assert_eq!(error.to_string(), format!("this client of unix:{} was closed", path.display()));
    std::fs::remove_file(&path).expect("ours");
}

fn listen(path: &Path) -> Socket {
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    listener.bind(&SockAddr::unix(path).expect("a path")).expect("a free path");
    listener.listen(1).expect("it listens");
    listener
}

/// As many that wait to be accepted as there can be.
fn fill_backlog(path: &Path) -> Vec<Socket> {
    let mut waiting = Vec::new();
    loop {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        socket.set_nonblocking(true).expect("not blocking");
        match socket.connect(&SockAddr::unix(path).expect("a path")) {
            Ok(()) => waiting.push(socket),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                return waiting;
            }
        }
    }
}

#[tokio::test]
async fn the_real_server_answers_every_encoding() {
    let (_server, name) = serve();
    for encoding in ENCODINGS {
        let options = Options { framing: encoding.framing, protocol: encoding.protocol, ..Options::default() };
        let client = Client::connect(name.parse().expect("a target"), options).await.expect("a server");
        assert_eq!(client.square(9.0).await.expect("a root"), 3.0);
        let error = client.square(-4.0).await.expect_err("out of the domain");
        assert!(error.to_string().ends_with(&format!("refused by {name})")), "{error}");
    }
}

#[test]
fn the_program_calls_and_loads_over_it() {
    let (_server, name) = serve();
    let ended = run(&["call", "square", "9", "--server", &name]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "3.0\n", ""));
    let loads =
        [&["--calls", "50"][..], &["--duration", "0.2", "--warmup", "0.1"], &["--rate", "500", "--duration", "0.2"]];
    for arguments in loads {
        let ended = run(&[&["load", "--server", &name, "--connections", "2"], arguments].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    }
}

#[test]
fn the_program_says_which_socket_it_misses() {
    let name = format!("unix:{}", socket_path().display());
    for arguments in [&["call", "9", "--server", &name][..], &["load", "--server", &name]] {
        let ended = run(arguments);
        let text = format!(
            "calculate: cannot connect to {name} (no such file or directory); is it running, and is this its address?\n"
        );
        assert_eq!((ended.code, ended.stderr), (Some(1), text));
    }
}

fn run(arguments: &[&str]) -> Ended {
    Program::to_end(Command::new(PROGRAM).args(arguments))
}

fn target(path: &std::path::Path) -> calculate::client::Target {
    format!("unix:{}", path.display()).parse().expect("a target")
}

/// The real server, and its socket's name.
fn serve() -> (Program, String) {
    let name = format!("unix:{}", socket_path().display());
    (Program::serve(&["--listen", "127.0.0.1:0", "--listen", &name]), name)
}
