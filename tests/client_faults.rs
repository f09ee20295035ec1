//! Whatever bytes come, a call ends with a right answer or a CalculateError, and a connection that was at fault is
//! closed.

mod support;

use calculate::client::error::TransportError;
use calculate::client::{CalculateError, Client, Options};
use calculate::idl::calculate::{CalculateSyncClient, Number, TCalculateSyncClient};
use calculate::wire::{Encoding, Framing, Protocol};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use support::fake::*;
use support::golden::{Golden, messages};
use support::message::*;
use thrift::OrderedFloat;

/// How a call of Square ends that is answered with what `reply` makes of it. The next call is made on a new connection.
async fn ask(reply: impl Fn(&Reply) -> Vec<u8> + Send + 'static) -> CalculateError {
    let wrong = script(move |client| {
        let call = client.call();
        client.send(&reply(&call));
        client.wait();
    });
    let server = Fake::serve(vec![wrong, echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    let error = client.square(9.0).await.expect_err("what came is no reply");
    server.has_closed(0);
    assert_eq!(client.square(3.0).await.expect("an answer"), 3.0);
    assert_eq!(server.connections(), 2);
    error
}

/// As `ask`, for what must be a ProtocolError.
async fn is_refused(reply: impl Fn(&Reply) -> Vec<u8> + Send + 'static) -> String {
    let error = ask(reply).await;
    assert!(matches!(error, CalculateError::Protocol(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("127.0.0.1:") && !text.contains(char::is_control), "{text}");
    text
}

fn reply(call: &Reply, name: &str, kind: u8, sequence_id: i32) -> Vec<u8> {
    framed_message(FRAMED_BINARY, name, kind, sequence_id, &result(call.protocol, 3.0))
}

#[tokio::test]
async fn an_unknown_sequence_id_is_refused() {
    for offset in [-1, 7] {
        let text = is_refused(move |call| reply(call, "Square", REPLY, call.sequence_id + offset)).await;
        assert!(text.contains("which no call is"), "{text}");
    }
}

#[tokio::test]
async fn another_methods_reply_is_refused() {
    let text = is_refused(|call| reply(call, "Cal", REPLY, call.sequence_id)).await;
    assert!(text.contains("a reply to \"Cal\" for a call of Square"), "{text}");
}

#[tokio::test]
async fn a_message_that_is_no_reply_is_refused() {
    for kind in [CALL, ONEWAY, 0, 7] {
        is_refused(move |call| reply(call, "Square", kind, call.sequence_id)).await;
    }
}

#[tokio::test]
async fn a_second_reply_to_a_call_closes_the_connection() {
    let twice = script(|client| {
        let call = client.call();
        let answer = answer(FRAMED_BINARY, &call, 9.0);
        client.send(&[&answer[..], &answer].concat());
        client.wait();
    });
    let server = Fake::serve(vec![twice, echo()]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    assert_eq!(client.square(9.0).await.expect("the first answer"), 9.0);
    server.has_closed(0);
    assert_eq!(client.square(3.0).await.expect("an answer"), 3.0);
}

#[tokio::test]
async fn a_frame_out_of_bounds_is_refused_at_its_head() {
    for length in [0, 16_384_001, i32::MAX, i32::MIN, -1] {
        is_refused(move |_| length.to_be_bytes().to_vec()).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_decode_is_refused() {
    let body = |body: &'static [u8]| {
        is_refused(move |call| framed_message(FRAMED_BINARY, "Square", REPLY, call.sequence_id, body))
    };
    body(&[]).await;
    body(&[0x0c, 0, 0, 0x04, 0, 1]).await;
    body(&[0x7f, 0, 0]).await;
    // A string of 2 GiB.
    body(&[0x0b, 0, 5, 0x7f, 0xff, 0xff, 0xff]).await;
    // Neither a result nor an exception; a result without its value.
    assert!(body(&[0]).await.contains("Square"));
    body(&[0x0c, 0, 0, 0, 0]).await;
}

#[tokio::test]
async fn bytes_after_the_reply_in_its_frame_are_refused() {
    is_refused(|call| {
        let whole = message(call.protocol, b"Square", REPLY, call.sequence_id, &result(call.protocol, 3.0));
        framed(&[&whole[..], &[0]].concat())
    })
    .await;
    is_refused(|call| {
        let whole = message(call.protocol, b"Square", REPLY, call.sequence_id, &result(call.protocol, 3.0));
        framed(&[&whole[..], &whole].concat())
    })
    .await;
}

#[tokio::test]
async fn a_web_server_is_told_apart() {
    let text = is_refused(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    assert!(text.ends_with("is it a Thrift server of this protocol?"), "{text}");
}

type Fault = fn(&Reply) -> Vec<u8>;

#[tokio::test]
async fn a_fault_fails_its_call_with_protocol_error_and_the_others_with_connection_closed() {
    let undecodable = |call: &Reply| framed_message(FRAMED_BINARY, "Square", REPLY, call.sequence_id, &[1]);
    let misnamed = |call: &Reply| reply(call, "Cal", REPLY, call.sequence_id);
    let too_long = |_: &Reply| i32::MAX.to_be_bytes().to_vec();
    // What cannot be told whose it is fails the oldest.
    let cases: [(usize, Fault); 3] = [(1, undecodable), (1, misnamed), (0, too_long)];
    for (culprit, fault) in cases {
        let server = Fake::serve(vec![script(move |client| {
            let calls = client.calls(3);
            client.send(&fault(&calls[1]));
            client.wait();
        })]);
        let client = Client::connect(server.target(), Options::default()).await.expect("a server");
        let (a, b, c) = tokio::join!(client.square(0.0), client.square(1.0), client.square(2.0));
        for (index, outcome) in [a, b, c].into_iter().enumerate() {
            match outcome.expect_err("the connection was at fault") {
                CalculateError::Protocol(_) if index == culprit => {}
                CalculateError::Transport(TransportError::ConnectionClosed(text, _)) if index != culprit => {
                    assert!(text.contains("closed after a fault"), "{text}");
                }
                error => panic!("call {index}: {error:?}"),
            }
        }
    }
}

/// Golden replies of each shape, numbered as a new client numbers its first call.
fn shapes() -> Vec<(Golden, Vec<u8>)> {
    const LONGEST: usize = 100;
    let kinds = HashMap::from([("REPLY", REPLY), ("DECLARED", REPLY), ("EXCEPTION", EXCEPTION)]);
    let mut seen = Vec::new();
    let mut shapes = Vec::new();
    for golden in messages() {
        let Some(kind) = kinds.get(&golden.kind[..]) else { continue };
        let shape = (golden.protocol, golden.kind.clone(), golden.bytes.len());
        if golden.bytes.len() > LONGEST || seen.contains(&shape) {
            continue;
        }
        seen.push(shape);
        let header = calculate::wire::message::Header::read(golden.protocol, &golden.bytes).expect("a header");
        let body = &golden.bytes[header.body_offset..];
        let bytes = message(golden.protocol, golden.method.as_bytes(), *kind, 1, body);
        shapes.push((golden, bytes));
    }
    assert!(shapes.len() >= 8, "{}", shapes.len());
    shapes
}

/// Calls once on a connection of its own for each of `replies`, which is what the server then says before it ends.
async fn outcomes(encoding: Encoding, method: &'static str, replies: Vec<Vec<u8>>) -> Vec<Result<f64, CalculateError>> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let target: calculate::client::Target =
        listener.local_addr().expect("an address").to_string().parse().expect("a target");
    let count = replies.len();
    let (go_on, next) = mpsc::channel::<()>();
    let server = thread::spawn(move || {
        for reply in replies {
            let (mut stream, _) = listener.accept().expect("a connection");
            let _ = stream.read(&mut [0; 1024]).expect("a call");
            let _ = stream.write_all(&reply);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            // The client has read it all: a close before that may discard some.
            let _ = next.recv_timeout(support::DEADLINE);
        }
    });
    let options = Options {
        framing: encoding.framing,
        protocol: encoding.protocol,
        timeout: support::DEADLINE,
        ..Options::default()
    };
    let mut outcomes = Vec::with_capacity(count);
    for _ in 0..count {
        let client = Client::connect(target.clone(), options.clone()).await.expect("a server");
        let number = Number::new(OrderedFloat(1.0));
        let outcome = client
            .call(method, |input, output| {
                let mut client = CalculateSyncClient::new(input, output);
                if method == "Cal" { client.cal(number.clone()) } else { client.square(number.clone()) }
            })
            .await;
        outcomes.push(outcome.map(|number| number.value.into_inner()));
        go_on.send(()).expect("the server waits");
    }
    server.join().expect("no panic");
    outcomes
}

fn encodings(protocol: Protocol) -> [Encoding; 2] {
    [Framing::Framed, Framing::Unframed].map(|framing| Encoding { framing, protocol })
}

fn method(golden: &Golden) -> &'static str {
    if golden.method == "Cal" { "Cal" } else { "Square" }
}

#[tokio::test]
async fn a_prefix_of_a_reply_ends_with_connection_closed() {
    for (golden, bytes) in shapes() {
        for encoding in encodings(golden.protocol) {
            let whole = frame(encoding, &bytes);
            let prefixes: Vec<_> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
            for (length, outcome) in outcomes(encoding, method(&golden), prefixes).await.into_iter().enumerate() {
                let closed = matches!(outcome, Err(CalculateError::Transport(TransportError::ConnectionClosed(..))));
                assert!(closed, "{} cut to {length}: {outcome:?}", golden.name);
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_gives_an_error_or_what_apache_reads() {
    // Property: never a hang, never a panic, never an answer whose id, name and value are not in the bytes.
    for (golden, bytes) in shapes() {
        for encoding in encodings(golden.protocol) {
            let flipped: Vec<Vec<u8>> = (0..bytes.len() * 8)
                .map(|bit| {
                    let mut flipped = bytes.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    flipped
                })
                .collect();
            let said = flipped.iter().map(|bytes| frame(encoding, bytes)).collect();
            let outcomes = outcomes(encoding, method(&golden), said).await;
            for (bytes, outcome) in flipped.iter().zip(outcomes) {
                match outcome {
                    Ok(value) => {
                        let read = Reply::read(golden.protocol, bytes).expect("what we took, Apache reads");
                        assert_eq!((read.name.as_str(), read.sequence_id), (method(&golden), 1), "{}", golden.name);
                        assert_eq!(read.number().to_bits(), value.to_bits(), "{}", golden.name);
                    }
                    Err(error) => assert!(!error.is_deadline(), "{}: {bytes:x?}: {error}", golden.name),
                }
            }
        }
    }
}
