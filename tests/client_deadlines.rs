//! A call ends by its deadline, and what comes later is never another call's answer.

mod support;

use calculate::client::{CalculateError, Client, Options, Target, blocking};
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::fake::*;
use support::message::*;

const SHORT: Duration = Duration::from_millis(50);
/// Long enough for another call's reply to come meanwhile, also on a busy machine.
const LONGER: Duration = Duration::from_millis(800);

#[tokio::test]
async fn a_late_reply_is_dropped_and_the_connection_goes_on() {
    // Apache's Python client gives every later call the answer of the call before it.
    let server = Fake::serve(vec![script(|client| {
        let calls = client.calls(2);
        client.answer(&calls[0]);
        let third = client.call();
        client.answer(&calls[1]);
        client.answer(&third);
        while let Some(call) = client.next_call() {
            client.answer(&call);
        }
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let impatient = client.with_timeout(LONGER);
    let (first, late) = tokio::join!(client.square(1.0), impatient.square(2.0));
    assert_eq!(first.expect("an answer"), 1.0);
    assert!(late.expect_err("no answer").is_deadline());
    for n in [3.0, 4.0, 5.0] {
        assert_eq!(client.square(n).await.expect("an answer"), n);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_dropped_call_is_abandoned_and_its_late_reply_is_dropped() {
    let server = Fake::serve(vec![script(|client| {
        let calls = client.calls(2);
        client.answer(&calls[0]);
        let third = client.call();
        client.answer(&calls[1]);
        client.answer(&third);
        client.wait();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    {
        let (first, dropped) = (client.square(1.0), client.square(2.0));
        tokio::pin!(first, dropped);
        let answer = tokio::select! {
            biased;
            answer = &mut first => answer,
            _ = &mut dropped => panic!("it is not answered"),
        };
        assert_eq!(answer.expect("an answer"), 1.0);
    }
    assert_eq!(client.square(3.0).await.expect("an answer"), 3.0);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_time_out_in_silence_gives_the_next_call_a_new_connection() {
    let server = Fake::serve(vec![silent(), echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let error = client.with_timeout(SHORT).square(1.0).await.expect_err("no answer");
    let text =
        format!("{} did not answer Square within 0.05 s; is it busy, or is the time-out too short?", server.address);
    assert!(error.is_deadline());
    assert_eq!(error.to_string(), text);
    for n in [2.0, 3.0] {
        assert_eq!(client.square(n).await.expect("an answer"), n);
    }
    assert_eq!(server.connections(), 2);
    // Nobody waits on the first any more: the client has closed it.
    server.has_closed(0);
}

#[tokio::test]
async fn a_time_out_around_the_call_works_like_its_own() {
    let server = Fake::serve(vec![silent(), echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    assert!(tokio::time::timeout(SHORT, client.square(1.0)).await.is_err());
    assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn calls_on_a_retired_connection_are_answered_while_new_ones_go_to_another() {
    let (tell, told) = mpsc::channel();
    let server = Fake::serve(vec![
        script(move |client| {
            let calls = client.calls(2);
            told.recv().expect("the other connection's call came");
            client.answer(&calls[0]);
            client.wait();
        }),
        script(move |client| {
            let call = client.call();
            tell.send(()).expect("the other script waits");
            client.answer(&call);
            client.wait();
        }),
    ]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let impatient = client.with_timeout(SHORT);
    let patient = client.with_timeout(support::DEADLINE);
    let others = async {
        assert!(impatient.square(2.0).await.expect_err("no answer").is_deadline());
        assert_eq!(patient.square(3.0).await.expect("an answer"), 3.0);
    };
    let (first, ()) = tokio::join!(patient.square(1.0), others);
    assert_eq!(first.expect("an answer"), 1.0);
    assert_eq!(server.connections(), 2);
    server.has_closed(0);
}

#[tokio::test]
async fn bytes_that_trickle_in_do_not_extend_the_deadline() {
    let (_stop, stopped) = mpsc::channel::<()>();
    let server = Fake::serve(vec![script(move |client| {
        let call = client.call();
        for byte in answer(FRAMED_BINARY, &call, 1.0) {
            if stopped.recv_timeout(SHORT) != Err(mpsc::RecvTimeoutError::Timeout) {
                return;
            }
            client.send(&[byte]);
        }
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    assert!(client.with_timeout(SHORT * 4).square(1.0).await.expect_err("no answer").is_deadline());
}

#[tokio::test]
async fn a_server_that_does_not_read_holds_no_caller_and_no_connection() {
    use support::idl::wire::{TWireSyncClient, WireSyncClient};
    let (stop, stopped) = mpsc::channel::<()>();
    let server = Fake::serve(vec![
        script(move |_| {
            let _ = stopped.recv_timeout(support::DEADLINE);
        }),
        echo(),
    ]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let text = "x".repeat(12_000_000);
    let impatient = client.with_timeout(SHORT);
    let note = impatient.call("Note", |input, output| WireSyncClient::new(input, output).note(text.clone()));
    assert!(note.await.expect_err("it is not taken").is_deadline());
    assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
    assert_eq!(server.connections(), 2);
    drop(stop);
}

#[test]
fn a_blocking_call_ends_by_its_deadline_too() {
    let server = Fake::serve(vec![silent(), echo()]);
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    assert!(client.with_timeout(SHORT).square(1.0).expect_err("no answer").is_deadline());
    assert_eq!(client.square(2.0).expect("an answer"), 2.0);
    assert_eq!(server.connections(), 2);
}

#[test]
fn threads_with_time_outs_never_get_another_calls_answer() {
    // Every third call is answered only when the next one has come.
    let late = || {
        script(|client| {
            let mut kept = None;
            let mut count = 0;
            while let Some(call) = client.next_call() {
                count += 1;
                if count % 3 == 0 {
                    kept.replace(call);
                    continue;
                }
                client.answer(&call);
                if let Some(kept) = kept.take() {
                    client.answer(&kept);
                }
            }
        })
    };
    let server = Fake::serve((0..1000).map(|_| late()).collect());
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = client.with_timeout(Duration::from_millis(5));
            scope.spawn(move || {
                for n in (0..100).map(|n| f64::from(thread * 1000 + n)) {
                    match client.square(n) {
                        Ok(answer) => assert_eq!(answer, n),
                        Err(error) => assert!(error.is_deadline(), "{error}"),
                    }
                }
            });
        }
    });
}

#[tokio::test]
async fn connecting_is_within_the_deadline() {
    let (address, _held) = full_backlog();
    let target: Target = address.to_string().parse().expect("a target");
    let began = Instant::now();
    let options = Options { timeout: SHORT, ..Options::default() };
    let error = Client::connect(target, options).await.expect_err("nobody accepts");
    assert!(matches!(error, CalculateError::DeadlineExceeded(_)), "{error:?}");
    let text = format!("no connection to {address} within 0.05 s; is it running, and is this its address?");
    assert_eq!(error.to_string(), text);
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_time_out_may_be_as_long_as_anything() {
    let server = Fake::serve(vec![echo()]);
    let options = Options { timeout: Duration::MAX, ..Options::default() };
    let client = Client::connect(server.target(), options).await.expect("a server");
    assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
}

/// A server that never accepts, and whose queue of connections is full.
fn full_backlog() -> (SocketAddr, Vec<Box<dyn std::any::Any>>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().expect("an address").into()).expect("a free port");
    listener.listen(0).expect("it listens");
    let address = listener.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
    let mut held: Vec<Box<dyn std::any::Any>> = vec![Box::new(listener)];
    while let Ok(filler) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        held.push(Box::new(filler));
    }
    (address, held)
}
