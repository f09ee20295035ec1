//! A lost connection fails what was in flight, repeats nothing, and is replaced by the next call.

mod support;

use calculate::client::error::TransportError;
use calculate::client::{CalculateError, Client, Options, blocking};
use std::net::TcpListener;
use std::time::Duration;
use support::fake::*;

fn is_closed(error: &CalculateError) -> bool {
    matches!(error, CalculateError::Transport(TransportError::ConnectionClosed(..)))
}

fn answer_once() -> Script {
    script(|client| {
        let call = client.call();
        client.answer(&call);
    })
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_unseen() {
    let server = Fake::serve((0..20).map(|_| answer_once()).collect());
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    for index in 0..20 {
        // The runtime has not turned since the server closed: only the kernel knows.
        assert_eq!(client.square(index as f64).await.expect("an answer"), index as f64);
        server.has_closed(index);
    }
    assert_eq!(server.connections(), 20);
}

#[test]
fn a_blocking_clients_connection_is_replaced_unseen_too() {
    let server = Fake::serve((0..20).map(|_| answer_once()).collect());
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    for index in 0..20 {
        assert_eq!(client.square(index as f64).expect("an answer"), index as f64);
        server.has_closed(index);
    }
    assert_eq!(server.connections(), 20);
}

#[tokio::test]
async fn a_server_that_ends_in_a_call_fails_all_in_flight_and_nothing_is_sent_twice() {
    let read_and_end = || script(|client| drop(client.calls(8)));
    let read_and_reset = || {
        script(|client| {
            client.calls(8);
            client.socket.set_linger(Some(Duration::ZERO)).expect("linger");
        })
    };
    for end in [read_and_end(), read_and_reset()] {
        let counted = script(|client| {
            let calls = client.calls(1);
            assert_eq!(argument(&calls[0]), 100.0, "what was lost is not sent again");
            client.answer(&calls[0]);
            assert!(client.next_call().is_none());
        });
        let server = Fake::serve(vec![end, counted]);
        let client = Client::connect(server.target(), Options::default()).await.expect("a server");
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let client = client.clone();
                tokio::spawn(async move { client.square(f64::from(n)).await })
            })
            .collect();
        for call in calls {
            let error = call.await.expect("no panic").expect_err("the connection ended");
            assert!(is_closed(&error), "{error:?}");
            assert!(error.to_string().contains(&server.address.to_string()), "{error}");
            assert!(error.to_string().contains("; the call may have been carried out"), "{error}");
        }
        assert_eq!(client.square(100.0).await.expect("an answer"), 100.0);
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_server_that_closes_every_connection_at_once_is_not_tried_for_ever() {
    let server = Fake::serve(Vec::new());
    let client = Client::connect(server.target(), Options::default()).await.expect("it accepts");
    for _ in 0..5 {
        let error = client.square(1.0).await.expect_err("it closes");
        assert!(is_closed(&error), "{error:?}");
    }
    assert!(server.connections() <= 20, "{}", server.connections());
}

#[tokio::test]
async fn a_refused_connection_is_one_line_that_says_what_to_do() {
    let address = unused_address();
    let target = address.parse().expect("a target");
    let error = Client::connect(target, Options::default()).await.expect_err("nobody is there");
    assert!(matches!(error, CalculateError::Transport(TransportError::ConnectError(_, Some(_)))), "{error:?}");
    let text = format!("cannot connect to {address} (connection refused); is it running, and is this its address?");
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_again() {
    let server = Fake::serve(vec![answer_once()]);
    let (address, target) = (server.address.clone(), server.target());
    let client = Client::connect(target, Options::default()).await.expect("a server");
    assert_eq!(client.square(1.0).await.expect("an answer"), 1.0);
    drop(server);
    let error = client.square(2.0).await.expect_err("nobody is there");
    assert!(matches!(error, CalculateError::Transport(TransportError::ConnectError(..))), "{error:?}");
    let again = Fake::on(TcpListener::bind(address).expect("the port is free again"), vec![echo()]);
    assert_eq!(client.square(3.0).await.expect("an answer"), 3.0);
    drop(again);
}

#[tokio::test]
async fn closing_fails_what_is_in_flight_and_all_that_comes_later() {
    let server = Fake::serve(vec![silent()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let clone = client.clone();
    let closing = async {
        tokio::task::yield_now().await;
        client.close();
        client.close();
    };
    let (in_flight, ()) = tokio::join!(clone.square(1.0), closing);
    for error in [in_flight, clone.square(2.0).await].map(|answer| answer.expect_err("it is closed")) {
        assert!(is_closed(&error), "{error:?}");
        assert_eq!(error.to_string(), format!("this client of {} was closed", server.address));
    }
    server.has_closed(0);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn closing_reaches_retired_connections() {
    let server = Fake::serve(vec![silent(), echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let closing = async {
        let impatient = client.with_timeout(Duration::from_millis(50));
        assert!(impatient.square(2.0).await.expect_err("no answer").is_deadline());
        assert_eq!(client.square(3.0).await.expect("an answer"), 3.0);
        client.close();
    };
    let (in_flight, ()) = tokio::join!(client.square(1.0), closing);
    assert!(is_closed(&in_flight.expect_err("it is closed")));
    server.has_closed(0);
}

#[test]
fn a_blocking_client_closes_from_another_thread_and_when_it_is_dropped() {
    let (tell, told) = std::sync::mpsc::channel();
    let waiting = script(move |client| {
        client.call();
        tell.send(()).expect("the test waits");
        client.wait();
    });
    let server = Fake::serve(vec![waiting, silent()]);
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    std::thread::scope(|scope| {
        let call = scope.spawn(|| client.square(1.0));
        told.recv().expect("the call has come");
        client.close();
        assert!(is_closed(&call.join().expect("no panic").expect_err("it is closed")));
    });
    assert!(is_closed(&client.square(2.0).expect_err("it is closed")));
    server.has_closed(0);
    drop(blocking::Client::connect(server.target(), Options::default()).expect("a server"));
    server.has_closed(1);
}

#[test]
fn a_client_outlives_the_runtime_that_made_its_connection() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Fake::serve(vec![echo(), echo()]);
    let client = runtime().block_on(Client::connect(server.target(), Options::default())).expect("a server");
    assert_eq!(runtime().block_on(client.square(2.0)).expect("an answer"), 2.0);
    assert_eq!(server.connections(), 2);
}

fn unused_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_watches_an_idle_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let target = format!("127.0.0.1:{port}").parse().expect("a target");
    let _client = Client::connect(target, Options::default()).await.expect("a server");
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's sockets");
    let timers: Vec<&str> = sockets
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|cells| cells[2].ends_with(&format!(":{port:04X}")) && cells[3] == "01") // established
        .map(|cells| cells[5])
        .collect();
    // 2 is the timer of keepalive; it counts hundredths of a second.
    let [timer] = timers[..] else { panic!("{timers:?}") };
    let left = u32::from_str_radix(timer.strip_prefix("02:").expect(timer), 16).expect(timer);
    assert!((1000..=1500).contains(&left), "{timer}");
}
