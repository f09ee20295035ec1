//! The Rust client's calls: right answers, whoever shares the connection, and each kind of refusal told apart.

mod support;

use calculate::client::{CalculateError, Client, Options, Target, blocking};
use calculate::wire::ExceptionCode;
use calculate::wire::framing::{Split, Splitter};
use calculate::wire::{Encoding, Limits};
use std::io::Read;
use std::thread;
use support::fake::*;
use support::message::*;
use support::program::Program;

fn options(encoding: Encoding) -> Options {
    Options { framing: encoding.framing, protocol: encoding.protocol, ..Options::default() }
}

fn target(server: &Program) -> Target {
    server.address.to_string().parse().expect("a target")
}

#[tokio::test]
async fn square_and_cal_are_right_in_every_encoding() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let client = Client::connect(target(&server), options(encoding)).await.expect("a server");
        for (value, root) in [(9.0, 3.0), (2.25, 1.5), (0.0, 0.0), (f64::INFINITY, f64::INFINITY), (1e-300, 1e-150)] {
            assert_eq!(client.square(value).await.expect("a root"), root);
            assert_eq!(client.cal(value).await.expect("a square"), value * value);
        }
        assert_eq!(client.square(-0.0).await.expect("a root").to_bits(), (-0.0f64).to_bits());
        assert!(client.square(f64::NAN).await.expect("a root").is_nan());
    }
}

#[tokio::test]
async fn a_domain_error_says_which_number_was_refused_by_whom_and_the_connection_goes_on() {
    let server = Program::serve(&[]);
    for encoding in ENCODINGS {
        let client = Client::connect(target(&server), options(encoding)).await.expect("a server");
        let error = client.square(-4.0).await.expect_err("out of the domain");
        let domain = error.domain_error().expect("a DomainError");
        assert_eq!(domain.value.into_inner(), -4.0);
        assert_eq!(error.to_string(), format!("{} (value -4.0, refused by {})", domain.message, server.address));
        assert_eq!(client.square(4.0).await.expect("a root"), 2.0);
    }
}

#[tokio::test]
async fn an_unknown_method_is_an_application_error_with_code_1() {
    use support::idl::wire::{TWireSyncClient, WireSyncClient};
    let server = Program::serve(&[]);
    let client = Client::connect(target(&server), Options::default()).await.expect("a server");
    let error = client.call("Ping", |input, output| WireSyncClient::new(input, output).ping()).await;
    let CalculateError::Application(error) = error.expect_err("no such method") else { panic!("another error") };
    assert_eq!((error.code, error.server), (ExceptionCode::UNKNOWN_METHOD, server.address.to_string()));
    assert_eq!(client.square(4.0).await.expect("a root"), 2.0);
}

#[tokio::test]
async fn exceptions_keep_their_numbers_and_overloaded_is_told_apart() {
    let server = Fake::serve(vec![script(|client| {
        for (code, text) in [(6, "boom"), (77, ""), (-3, "two\nlines"), (11, "queue full"), (11, "")] {
            let call = client.call();
            client.send(&exception(&call, code, text));
        }
        client.wait();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let address = &server.address;
    let texts = [
        (6, "boom", format!("{address} answered with an error: boom (code 6, internal error)")),
        (77, "", format!("{address} answered with an error:  (code 77, unassigned code)")),
        (-3, "two\nlines", format!("{address} answered with an error: two\\nlines (code -3, unassigned code)")),
    ];
    for (code, message, text) in texts {
        let error = client.square(1.0).await.expect_err("an exception");
        assert_eq!(error.to_string(), text);
        let CalculateError::Application(error) = error else { panic!("{error:?}") };
        assert_eq!((error.code.0, error.message.as_str()), (code, message));
    }
    for reason in [" (queue full)", ""] {
        let error = client.square(1.0).await.expect_err("an exception");
        assert!(matches!(error, CalculateError::Overloaded(_)), "{error:?}");
        let text = format!("{address} is overloaded and did not carry out Square{reason}; try again later");
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_servers_text_cannot_break_the_line() {
    let server = Fake::serve(vec![script(|client| {
        let call = client.call();
        client.send(&domain_error(&call, "no\n\x1b[31mroot\r"));
        client.wait();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let error = client.square(-4.0).await.expect_err("an exception");
    assert_eq!(error.domain_error().expect("a DomainError").message, "no\n\x1b[31mroot\r");
    assert!(!error.to_string().contains(char::is_control), "{error}");
}

/// Answers 64 calls, the last first.
fn backwards() -> Script {
    script(|client| {
        let calls = client.calls(64);
        let all: Vec<u8> = calls.iter().rev().flat_map(|call| answer(FRAMED_BINARY, call, argument(call))).collect();
        client.send(&all);
        client.wait();
    })
}

#[tokio::test]
async fn tasks_that_share_a_client_get_their_own_answers_in_any_order() {
    let server = Fake::serve(vec![backwards()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let calls: Vec<_> = (0..64).map(f64::from).map(|n| (n, spawn_square(&client, n))).collect();
    for (n, call) in calls {
        assert_eq!(call.await.expect("no panic").expect("an answer"), n);
    }
}

#[test]
fn threads_that_share_a_blocking_client_get_their_own_answers_in_any_order() {
    let server = Fake::serve(vec![backwards()]);
    let client = blocking::Client::connect(server.target(), Options::default()).expect("a server");
    thread::scope(|scope| {
        for n in (0..64).map(f64::from) {
            let client = client.clone();
            scope.spawn(move || assert_eq!(client.square(n).expect("an answer"), n));
        }
    });
    assert_eq!(server.connections(), 1);
}

#[test]
fn threads_call_the_real_server_through_one_blocking_client() {
    let server = Program::serve(&[]);
    let client = blocking::Client::connect(target(&server), Options::default()).expect("a server");
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
async fn calls_that_are_made_together_leave_in_one_write() {
    let server = Fake::serve(vec![script(|client| {
        let mut buffer = vec![0; 64 * 1024];
        let count = client.socket.read(&mut buffer).expect("calls");
        let mut rest = &buffer[..count];
        let mut splitter = Splitter::new(FRAMED_BINARY);
        let mut answers = Vec::new();
        while !rest.is_empty() {
            let split = splitter.split(rest, &Limits::default()).expect("a call");
            let Split::Message { message, consumed } = split else { panic!("whole calls only") };
            let call = Reply::read(FRAMED_BINARY.protocol, &rest[message]).expect("a call");
            answers.push(answer(FRAMED_BINARY, &call, argument(&call)));
            rest = &rest[consumed..];
        }
        assert_eq!(answers.len(), 64);
        client.send(&answers.concat());
        client.wait();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let calls: Vec<_> = (0..64).map(|n| spawn_square(&client, f64::from(n))).collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.expect("no panic").expect("an answer"), n as f64);
    }
}

#[tokio::test]
async fn replies_are_found_however_they_are_cut() {
    for encoding in ENCODINGS {
        let server = Fake::speaking(
            encoding,
            vec![script(move |client| {
                let mut size = 1;
                while let Some(first) = client.next_call() {
                    let calls = [first, client.call(), client.call()];
                    let replies: Vec<u8> =
                        calls.iter().flat_map(|call| answer(encoding, call, argument(call))).collect();
                    replies.chunks(size).for_each(|chunk| client.send(chunk));
                    size += 1;
                }
            })],
        );
        let client = Client::connect(server.target(), options(encoding)).await.expect("a server");
        for _ in 0..150 {
            let (a, b, c) = tokio::join!(client.square(1.0), client.cal(2.0), client.square(3.0));
            assert_eq!([a, b, c].map(|answer| answer.expect("an answer")), [1.0, 2.0, 3.0]);
        }
    }
}

#[tokio::test]
async fn a_oneway_call_is_over_when_it_was_sent() {
    use support::idl::wire::{TWireSyncClient, WireSyncClient};
    let server = Fake::serve(vec![script(|client| {
        let note = client.call();
        assert_eq!((note.name.as_str(), note.kind), ("Note", ONEWAY));
        let call = client.call();
        client.answer(&call);
        client.wait();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let note = client.call("Note", |input, output| WireSyncClient::new(input, output).note("hello".into()));
    note.await.expect("it is sent");
    assert_eq!(client.square(5.0).await.expect("an answer"), 5.0);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_call_over_the_limit_is_refused_before_it_is_sent() {
    use support::idl::wire::{TWireSyncClient, WireSyncClient};
    let server = Fake::serve(vec![echo()]);
    let options = Options { max_message_bytes: 100, ..Options::default() };
    let client = Client::connect(server.target(), options).await.expect("a server");
    let note = client.call("Note", |input, output| WireSyncClient::new(input, output).note("x".repeat(100)));
    let error = note.await.expect_err("it is too long");
    assert!(matches!(error, CalculateError::Protocol(_)), "{error:?}");
    assert!(error.to_string().contains("max_message_bytes is 100"), "{error}");
    assert_eq!(client.square(5.0).await.expect("an answer"), 5.0);
    assert_eq!(server.connections(), 1);
}

fn spawn_square(client: &Client, number: f64) -> tokio::task::JoinHandle<Result<f64, CalculateError>> {
    let client = client.clone();
    tokio::spawn(async move { client.square(number).await })
}
