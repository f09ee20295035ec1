//! The Rust client under TLS: right answers, whoever shares the connection, and connections that end as they should.

mod support;

use calculate::client::error::TransportError;
use calculate::client::{CalculateError, Client, Options, Target, Tls, blocking};
use calculate::config::{self, Config, Handlers, TlsMode};
use std::io::ErrorKind;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::fake::*;
use support::gates::Gates;
use support::idl::wire::{Everything, TWireSyncClient, WireSyncClient};
use support::library::{self, Library};
use support::message::{ENCODINGS, FRAMED_BINARY};
use support::program::Program;
use support::tls::{certificate, flags, key, pem, server, server_for_known_clients};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ALL_VERSIONS, ProtocolVersion, SupportedProtocolVersion};

const EACH_VERSION: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

fn trusting() -> Tls {
    Tls::with_ca(pem("ca")).expect("make certs")
}

fn with(tls: Tls) -> Options {
    Options { tls: Some(tls), ..Options::default() }
}

fn encrypted() -> Options {
    with(trusting())
}

/// The real server, under TLS only, with further arguments.
fn serve(more: &[&str]) -> Program {
    let flags = flags("require", "server");
    Program::serve(&[&flags.iter().map(String::as_str).collect::<Vec<_>>(), more].concat())
}

fn target(text: impl ToString) -> Target {
    text.to_string().parse().expect("a target")
}

fn is_closed(error: &CalculateError) -> bool {
    matches!(error, CalculateError::Transport(TransportError::ConnectionClosed(..)))
}

#[tokio::test]
async fn the_real_server_is_called_in_every_encoding_by_name_and_by_address() {
    let server = serve(&[]);
    let by_name = format!("localhost:{}", server.address.port());
    for encoding in ENCODINGS {
        for name in [server.address.to_string(), by_name.clone()] {
            let options = Options { framing: encoding.framing, protocol: encoding.protocol, ..encrypted() };
            let client = Client::connect(target(&name), options).await.expect("a server");
            assert_eq!(client.square(9.0).await.expect("a root"), 3.0);
            assert_eq!(client.cal(9.0).await.expect("a square"), 81.0);
            let error = client.square(-4.0).await.expect_err("out of the domain");
            assert!(error.to_string().ends_with(&format!("refused by {name})")), "{error}");
        }
    }
}

#[tokio::test]
async fn an_ipv6_address_is_checked_against_the_certificates_addresses() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // A machine without IPv6.
    }
    let server = serve(&["--listen", "[::1]:0"]);
    let client = Client::connect(target(server.address), encrypted()).await.expect("a server");
    assert_eq!(client.square(9.0).await.expect("a root"), 3.0);
}

#[tokio::test]
async fn both_versions_are_spoken() {
    for versions in EACH_VERSION {
        let (tell, told) = mpsc::channel();
        let spoken = script(move |client| {
            while let Some(call) = client.next_call() {
                let version = client.tls.as_ref().and_then(|stream| stream.conn.protocol_version());
                tell.send(version).expect("the test waits");
                client.answer(&call);
            }
        });
        let server = Fake::encrypted(server("server", versions), vec![spoken]);
        let client = Client::connect(server.target(), encrypted()).await.expect("a server");
        assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
        let version = if versions[0] == &TLS12 { ProtocolVersion::TLSv1_2 } else { ProtocolVersion::TLSv1_3 };
        assert_eq!(told.recv().expect("a version"), Some(version));
    }
}

#[tokio::test]
async fn the_certificate_that_a_client_shows_is_seen_by_the_server() {
    let alice = || trusting().certificate(pem("alice"), key("alice")).expect("make certs");
    for versions in EACH_VERSION {
        let (tell, told) = mpsc::channel();
        let seen = script(move |client| {
            while let Some(call) = client.next_call() {
                let shown = client.tls.as_ref().and_then(|stream| stream.conn.peer_certificates());
                tell.send(shown.map(|chain| chain[0].to_vec())).expect("the test waits");
                client.answer(&call);
            }
        });
        let server = Fake::encrypted(server_for_known_clients(versions), vec![seen]);
        let client = Client::connect(server.target(), with(alice())).await.expect("a server");
        assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
        assert_eq!(told.recv().expect("a certificate"), Some(certificate("alice")));
    }
    let ca = pem("ca");
    let server = serve(&["--tls-client-ca", ca.to_str().expect("UTF-8")]);
    let client = Client::connect(target(server.address), with(alice())).await.expect("a server");
    assert_eq!(client.square(9.0).await.expect("a root"), 3.0);
}

#[tokio::test]
async fn another_name_can_be_asked_for_also_over_a_unix_socket() {
    let elsewhere = || trusting().server_name("elsewhere.test").expect("a name");
    for server in [
        Fake::encrypted(server("elsewhere", ALL_VERSIONS), vec![echo()]),
        Fake::encrypted_on_unix(server("elsewhere", ALL_VERSIONS), vec![echo()]),
    ] {
        let client = Client::connect(server.target(), with(elsewhere())).await.expect("a server");
        assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
    }
    let name = format!("unix:{}", socket_path().display());
    let _server = serve(&["--listen", "127.0.0.1:0", "--listen", &name]);
    let localhost = trusting().server_name("localhost").expect("a name");
    let client = Client::connect(target(&name), with(localhost)).await.expect("a server");
    assert_eq!(client.square(9.0).await.expect("a root"), 3.0);
}

#[tokio::test]
async fn tasks_that_share_a_client_get_their_own_answers() {
    let server = serve(&[]);
    let client = Client::connect(target(server.address), encrypted()).await.expect("a server");
    let calls: Vec<_> = (0..64)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for n in (0..50).map(|n| f64::from(task * 50 + n)) {
                    assert_eq!(client.square(n * n).await.expect("a root"), n);
                }
            })
        })
        .collect();
    for call in calls {
        call.await.expect("every answer is right");
    }
}

#[test]
fn threads_share_a_blocking_client() {
    let server = serve(&[]);
    let client = blocking::Client::connect(target(server.address), encrypted()).expect("a server");
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in (0..500).map(|n| f64::from(thread * 500 + n)) {
                    assert_eq!(client.square(n * n).expect("a root"), n);
                }
            });
        }
    });
}

#[tokio::test]
async fn answers_come_in_any_order_on_one_connection() {
    let backwards = script(|client| {
        let calls = client.calls(64);
        for call in calls.iter().rev() {
            client.answer(call);
        }
        client.wait();
    });
    let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![backwards]);
    let client = Client::connect(server.target(), encrypted()).await.expect("a server");
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

#[tokio::test]
async fn messages_of_megabytes_go_both_ways_beside_each_other() {
    let gates = Gates::new();
    let tls = config::Tls {
        mode: TlsMode::Require,
        certificate: Some(pem("server")),
        key: Some(key("server")),
        ..Config::default().tls
    };
    let server = Library::start(Config { tls, ..library::config() }, &gates, |server| {
        server.service_on(Handlers::Inline, "Wire", gates.processor())
    });
    let options = Options { timeout: Duration::from_secs(20), ..encrypted() };
    let client = Client::connect(target(server.address), options).await.expect("a server");
    let calls: Vec<_> = [0, 1, 100_000, 3_000_000, 9_000_000]
        .map(|length| {
            let client = client.clone();
            tokio::spawn(async move {
                let blob: Vec<u8> = (0..length).map(|n: u32| (n / 7 + length) as u8).collect();
                let everything = Everything { blob: Some(blob.clone()), ..Everything::default() };
                let echo =
                    client.call("Echo", |input, output| WireSyncClient::new(input, output).echo(everything.clone()));
                assert!(echo.await.expect("an echo").blob == Some(blob), "{length} bytes");
            })
        })
        .into_iter()
        .collect();
    for call in calls {
        call.await.expect("every echo is right");
    }
}

/// Answers one call and ends the connection as `end` does.
fn once(end: fn(&mut Conversation)) -> Script {
    script(move |client| {
        let call = client.call();
        client.answer(&call);
        end(client);
    })
}

/// Ends of a connection that nobody waits on.
const ENDS: [fn(&mut Conversation); 2] = [Conversation::end_tls, Conversation::cut];

#[tokio::test]
async fn a_connection_that_was_ended_or_cut_while_idle_is_replaced_unseen() {
    for versions in EACH_VERSION {
        for end in ENDS {
            let server = Fake::encrypted(server("server", versions), (0..10).map(|_| once(end)).collect());
            let client = Client::connect(server.target(), encrypted()).await.expect("a server");
            for index in 0..10 {
                assert_eq!(client.square(index as f64).await.expect("an answer"), index as f64);
                server.has_closed(index);
            }
            assert_eq!(server.connections(), 10);
        }
    }
}

#[test]
fn a_blocking_clients_connection_is_replaced_unseen_too() {
    for end in ENDS {
        let server = Fake::encrypted(server("server", ALL_VERSIONS), (0..10).map(|_| once(end)).collect());
        let client = blocking::Client::connect(server.target(), encrypted()).expect("a server");
        for index in 0..10 {
            assert_eq!(client.square(index as f64).expect("an answer"), index as f64);
            server.has_closed(index);
        }
        assert_eq!(server.connections(), 10);
    }
}

#[tokio::test]
async fn the_end_of_tls_is_the_end_of_the_connection_though_the_socket_stays() {
    let (tell, told) = mpsc::channel();
    let lingering = script(move |client| {
        let call = client.call();
        client.answer(&call);
        client.end_tls();
        tell.send(()).expect("the test waits");
        client.wait();
    });
    let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![lingering, echo()]);
    let client = Client::connect(server.target(), encrypted()).await.expect("a server");
    assert_eq!(client.square(1.0).await.expect("an answer"), 1.0);
    told.recv().expect("TLS has ended");
    assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn the_end_of_tls_right_behind_a_reply_is_not_overlooked() {
    let ending = script(|client| {
        let calls = client.calls(2);
        client.send_last(&answer(FRAMED_BINARY, &calls[0], 1.0));
        client.wait();
    });
    let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![ending]);
    let client = Client::connect(server.target(), encrypted()).await.expect("a server");
    let (first, second) = tokio::join!(client.square(1.0), client.square(2.0));
    assert_eq!(first.expect("an answer"), 1.0);
    assert!(is_closed(&second.expect_err("TLS has ended")));
}

#[tokio::test]
async fn a_call_that_only_tls_has_taken_is_sent_when_there_is_room() {
    // Once in these, the last call is the one that fills what the kernel takes.
    for count in 1..=40 {
        let (tell, told) = mpsc::channel();
        let slow = script(move |client| {
            let first = client.call();
            told.recv().expect("all calls are made");
            let others = client.calls(count);
            for call in [first].iter().chain(&others) {
                client.send(&exception(call, 6, "read"));
            }
            client.wait();
        });
        let server = Fake::encrypted_on_unix(server("server", ALL_VERSIONS), vec![slow]);
        let localhost = trusting().server_name("localhost").expect("a name");
        let client = Client::connect(server.target(), with(localhost)).await.expect("a server");
        let mut calls = Vec::new();
        for length in std::iter::once(1).chain(std::iter::repeat_n(16_000, count)) {
            let client = client.clone();
            let blob = vec![7; length];
            calls.push(tokio::spawn(async move {
                let everything = Everything { blob: Some(blob), ..Everything::default() };
                client.call("Echo", |input, output| WireSyncClient::new(input, output).echo(everything.clone())).await
            }));
            // Each is to leave in a write of its own.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        tell.send(()).expect("the server waits");
        for call in calls {
            let error = call.await.expect("no panic").expect_err("an exception");
            assert!(matches!(error, CalculateError::Application(_)), "{count} calls: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_ends_in_a_call_fails_all_in_flight_and_nothing_is_sent_twice() {
    for (end, words) in [
        (Conversation::end_tls as fn(&mut Conversation), "closed the connection before it answered"),
        (Conversation::cut, "was lost (cut off without a TLS close_notify)"),
    ] {
        let ending = script(move |client| {
            client.calls(8);
            end(client);
        });
        let counted = script(|client| {
            let call = client.call();
            assert_eq!(argument(&call), 100.0, "what was lost is not sent again");
            client.answer(&call);
            assert!(client.next_call().is_none());
        });
        let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![ending, counted]);
        let client = Client::connect(server.target(), encrypted()).await.expect("a server");
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let client = client.clone();
                tokio::spawn(async move { client.square(f64::from(n)).await })
            })
            .collect();
        for call in calls {
            let error = call.await.expect("no panic").expect_err("the connection ended");
            assert!(is_closed(&error), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(words) && text.contains(&server.address), "{text}");
            assert!(text.ends_with("; the call may have been carried out"), "{text}");
        }
        assert_eq!(client.square(100.0).await.expect("an answer"), 100.0);
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn replies_that_came_before_the_end_are_delivered() {
    let server = Fake::encrypted(
        server("server", ALL_VERSIONS),
        vec![script(|client| {
            for call in client.calls(8) {
                client.answer(&call);
            }
            client.cut();
        })],
    );
    let client = Client::connect(server.target(), encrypted()).await.expect("a server");
    let calls: Vec<_> = (0..8)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.square(f64::from(n)).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.expect("no panic").expect("an answer"), n as f64);
    }
}

/// Tells how the client ended the connection.
fn told_the_end(calls: usize) -> (Script, mpsc::Receiver<Result<(), ErrorKind>>) {
    let (tell, told) = mpsc::channel();
    let script = script(move |client| {
        for call in client.calls(calls) {
            client.answer(&call);
        }
        tell.send(client.end().map_err(|error| error.kind())).expect("the test waits");
    });
    (script, told)
}

#[tokio::test]
async fn closing_tells_the_server_that_tls_ends() {
    for versions in EACH_VERSION {
        for calls in [0, 1] {
            let (ending, end) = told_the_end(calls);
            let server = Fake::encrypted(server("server", versions), vec![ending]);
            let client = Client::connect(server.target(), encrypted()).await.expect("a server");
            for n in (0..calls).map(|n| n as f64) {
                assert_eq!(client.square(n).await.expect("an answer"), n);
            }
            client.close();
            assert_eq!(end.recv().expect("an end"), Ok(()), "{calls} calls");
            assert!(is_closed(&client.square(2.0).await.expect_err("it is closed")));
        }
    }
}

#[test]
fn dropping_a_blocking_client_tells_the_server_that_tls_ends() {
    for calls in [0, 1] {
        let (ending, end) = told_the_end(calls);
        let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![ending]);
        let client = blocking::Client::connect(server.target(), encrypted()).expect("a server");
        for n in (0..calls).map(|n| n as f64) {
            assert_eq!(client.square(n).expect("an answer"), n);
        }
        drop(client);
        assert_eq!(end.recv().expect("an end"), Ok(()), "{calls} calls");
    }
}

#[test]
fn a_blocking_client_closes_from_another_thread() {
    let (tell, told) = mpsc::channel();
    let (tell_end, told_end) = mpsc::channel();
    let waiting = script(move |client| {
        client.call();
        tell.send(()).expect("the test waits");
        tell_end.send(client.end().is_ok()).expect("the test waits");
    });
    let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![waiting]);
    let client = blocking::Client::connect(server.target(), encrypted()).expect("a server");
    thread::scope(|scope| {
        let call = scope.spawn(|| client.square(1.0));
        told.recv().expect("the call has come");
        client.close();
        assert!(is_closed(&call.join().expect("no panic").expect_err("it is closed")));
    });
    assert!(told_end.recv().expect("an end"), "with a close_notify");
}

#[tokio::test]
async fn a_handshake_that_stalls_is_over_with_the_calls_deadline() {
    // It accepts, reads, and never says a word: what a plain server that waits for the rest of a message does.
    let stalled = || Fake::serve(vec![script(|client| drop(client.end()))]);
    let server = stalled();
    let options = Options { timeout: Duration::from_millis(100), ..encrypted() };
    let error = Client::connect(server.target(), options.clone()).await.expect_err("no handshake");
    assert!(error.is_deadline(), "{error:?}");
    let text = format!("no TLS handshake with {} within 0.1 s; is it busy, and does it speak TLS?", server.address);
    assert_eq!(error.to_string(), text);
    // The client has gone.
    server.has_closed(0);
    let server = stalled();
    let target = server.target();
    let blocking = thread::spawn(move || blocking::Client::connect(target, options).map(drop));
    assert!(blocking.join().expect("no panic").expect_err("no handshake").is_deadline());
}

#[tokio::test]
async fn a_call_that_connects_anew_has_one_deadline_for_the_handshake_too() {
    let server = Fake::encrypted(server("server", ALL_VERSIONS), vec![once(Conversation::end_tls), stuck(), echo()]);
    let client = Client::connect(server.target(), encrypted()).await.expect("a server");
    assert_eq!(client.square(1.0).await.expect("an answer"), 1.0);
    server.has_closed(0);
    let impatient = client.with_timeout(Duration::from_millis(100));
    let error = impatient.square(2.0).await.expect_err("no handshake");
    assert!(error.is_deadline(), "{error:?}");
    assert!(error.to_string().starts_with("no TLS handshake with "), "{error}");
    assert_eq!(client.square(3.0).await.expect("an answer"), 3.0);
    assert_eq!(server.connections(), 3);
}

/// Reads what comes and makes no handshake of it.
fn stuck() -> Script {
    script(|client| {
        client.tls = None;
        let _ = client.end();
    })
}
