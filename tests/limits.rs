//! Every limit: reached, and released by success, by an error, and by a connection's death.

mod support;

use calculate::config::{Config, Handlers};
use calculate::wire::{Framing, Limits, Protocol};
use socket2::SockRef;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};
use support::gates::Gates;
use support::idl::wire::{Everything, Tree};
use support::library::{Library, config};
use support::message::*;
use support::peer::{Peer, is_well};
use support::program::{PROGRAM, Program};
use support::{DEADLINE, eventually};

#[test]
fn a_connection_over_the_limit_waits_until_another_ends() {
    let server = Program::serve(&["--max-connections", "2"]);
    let ends: [fn(Peer); 4] = [
        // The peer closes.
        drop,
        // The peer dies.
        |peer| {
            SockRef::from(&peer.stream).set_linger(Some(Duration::ZERO)).expect("no linger");
        },
        // The server closes, as the peer breaks a rule.
        |mut peer| {
            peer.send(&[0, 0, 0, 0]);
            peer.closed();
        },
        // The server closes a peer in mid-message.
        |mut peer| {
            peer.send(&[0, 0, 0, 40]);
            peer.finish();
            peer.closed();
        },
    ];
    let mut first = Peer::new(server.address);
    first.is_served();
    for end in ends {
        let mut second = Peer::new(server.address);
        second.is_served();
        let mut third = Peer::new(server.address);
        third.square(1, 9.0);
        first.is_served();
        second.is_served();
        assert!(third.is_silent(), "it is the third of two");
        end(second);
        assert_eq!(third.reply().number(), 3.0);
        drop(third);
    }
    eventually("it is logged", || !server.logged("connection limit").is_empty());
}

#[test]
fn calls_in_flight_are_released_by_success_by_an_error_and_by_a_panic() {
    let gates = Gates::new();
    let server = Library::serve(Config { in_flight: 1, ..config() }, Handlers::Pool, &gates);
    for encoding in ENCODINGS {
        let mut peer = Peer::connect(server.address, encoding);
        let protocol = encoding.protocol;
        let none = args(protocol, |_| Ok(()));
        let calls = [
            framed_message(encoding, "Wire:Ping", CALL, 0, &none),
            framed_message(encoding, "Wire:Fail", CALL, 1, &text_args(protocol, "no")),
            framed_message(encoding, "Wire:Panic", CALL, 2, &none),
            framed_message(encoding, "Wire:Nothing", CALL, 3, &none),
            framed_message(encoding, "Wire:Fail", CALL, 4, &none),
            framed_message(encoding, "Wire:Sleep", CALL, 5, &i32_args(protocol, 0)),
        ];
        peer.send(&calls.concat());
        for id in 0..6 {
            assert_eq!(peer.reply().sequence_id, id);
        }
    }
}

#[test]
fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    for encoding in ENCODINGS {
        let body =
            |text: &str| echo(encoding.protocol, Everything { text: Some(text.into()), ..Everything::default() });
        let length = |text: &str| message(encoding.protocol, b"Wire:Echo", CALL, 1, &body(text)).len();
        let text = "x".repeat(1000);
        let limits = Limits { message_bytes: length(&text), ..Limits::default() };
        let (gates, config) = (Gates::new(), Config { limits, ..config() });
        let server = Library::serve(config, Handlers::Inline, &gates);
        let mut peer = Peer::connect(server.address, encoding);
        for _ in 0..3 {
            peer.send(&framed_message(encoding, "Wire:Echo", CALL, 1, &body(&text)));
            assert_eq!(peer.reply().everything().text.as_deref(), Some(text.as_str()), "{encoding}");
        }
        peer.send(&framed_message(encoding, "Wire:Echo", CALL, 1, &body(&(text + "x"))));
        assert_eq!(peer.reply().exception().0, PROTOCOL_ERROR, "{encoding}");
        peer.closed();
        is_well(server.address);
    }
}

#[test]
fn a_reply_over_the_message_limit_is_an_internal_error() {
    for encoding in ENCODINGS {
        // The reply to Square is three bytes shorter than the call; an exception's text makes it longer.
        let gates = Gates::new();
        let limits = Limits { message_bytes: 64, ..Limits::default() };
        let server = Library::serve(Config { limits, ..config() }, Handlers::Inline, &gates);
        let mut peer = Peer::connect(server.address, encoding);
        peer.square(1, -1.0);
        let (code, text) = peer.reply().exception();
        assert_eq!(code, INTERNAL_ERROR, "{encoding}");
        assert!(text.contains("64"), "{text}");
        peer.is_served();
    }
}

#[test]
fn a_string_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let limits = Limits { string_bytes: 100, ..Limits::default() };
    check_limit(limits, |items| Everything { text: Some("x".repeat(items)), ..Everything::default() });
    check_limit(limits, |items| Everything { blob: Some(vec![7; items]), ..Everything::default() });
}

#[test]
fn a_container_of_exactly_the_limit_passes_and_one_item_more_does_not() {
    let limits = Limits { container_items: 100, ..Limits::default() };
    let table = |items: usize| (0..items).map(|item| (item.to_string(), vec![1])).collect();
    check_limit(limits, |items| Everything { flags: Some(vec![true; items]), ..Everything::default() });
    check_limit(limits, |items| Everything { far: Some(vec![Tree::default(); items]), ..Everything::default() });
    check_limit(limits, |items| Everything { numbers: Some((0..items as i32).collect()), ..Everything::default() });
    check_limit(limits, |items| Everything { table: Some(table(items)), ..Everything::default() });
}

#[test]
fn a_nesting_of_exactly_the_limit_passes_and_one_level_more_does_not() {
    // Trees in lists, as field 14 of Echo's argument: arguments, Everything and the outermost tree are three levels,
    // each list and tree in it two more.
    let limits = Limits { depth: 41, ..Limits::default() };
    let nest = |inner, _| Tree { value: None, children: Some(vec![Box::new(inner)]) };
    let nested = |pairs| Everything { tree: Some((0..pairs).fold(Tree::default(), nest)), ..Everything::default() };
    check(limits, &nested(19), &nested(20), "41");
    // And one level more only.
    let limits = Limits { depth: 42, ..Limits::default() };
    check(limits, &nested(19), &nested(20), "42");
}

#[test]
fn an_idle_connection_is_closed_and_an_active_one_is_not() {
    let server = Program::serve(&["--idle-timeout", "0.4"]);
    let mut idle: Vec<Peer> = (0..3).map(|_| Peer::new(server.address)).collect();
    idle[1].is_served();
    let mut active = Peer::new(server.address);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1500) {
        active.is_served();
    }
    for peer in &mut idle {
        peer.closed();
    }
    active.is_served();
    assert!(server.logged("idle").iter().any(|line| line.contains("no call for 0.4 s")));
}

#[test]
fn a_call_that_the_pool_works_on_is_not_idle() {
    let gates = Gates::new();
    let config = Config { idle_timeout: Duration::from_millis(100), ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let mut waits = Peer::new(server.address);
    waits.send(&framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, 1, &i32_args(Protocol::Binary, 1)));
    gates.have_begun(1);
    for _ in 0..3 {
        Peer::new(server.address).closed();
    }
    gates.open(1);
    assert_eq!(waits.reply().i32(), 1);
}

#[test]
fn a_message_that_is_not_whole_in_time_ends_its_connection_however_busy_its_sender() {
    let server = Program::serve(&["--message-timeout", "0.4"]);
    for encoding in ENCODINGS {
        let call = square(encoding, 1, 9.0);
        // Silent after a part: of the first bytes, of the header, of the body.
        let mut silent: Vec<Peer> = [1, 3, 12, call.len() - 1]
            .map(|part| {
                let mut peer = Peer::connect(server.address, encoding);
                peer.is_served();
                peer.send(&call[..part]);
                peer
            })
            .into();
        // Never silent for long.
        let mut slow = Peer::connect(server.address, encoding);
        slow.is_served();
        let long = text_args(encoding.protocol, &"x".repeat(10_000));
        let long = framed_message(encoding, "Square", CALL, 1, &long);
        let start = Instant::now();
        for byte in &long {
            if slow.stream.write_all(&[*byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
            assert!(start.elapsed() < DEADLINE, "{encoding}: a byte now and then keeps the connection");
        }
        silent.iter_mut().for_each(Peer::closed);
    }
    assert!(!server.logged("not whole after 0.4 s").is_empty());
}

#[test]
fn a_first_byte_and_no_more_is_a_message_that_is_not_whole_in_time() {
    let server = Program::serve(&["--message-timeout", "0.2"]);
    for first in [0x80, 0x82, 0x00, 0x16, b'G', b'P'] {
        let mut peer = Peer::new(server.address);
        peer.send(&[first]);
        peer.closed();
    }
}

#[test]
fn the_time_of_a_message_that_waits_for_us_is_not_its_senders() {
    // The connection has all the calls in flight it may have, with half a message behind them.
    let gates = Gates::new();
    let config = Config { in_flight: 1, message_timeout: Duration::from_millis(600), ..config() };
    let server = Library::serve(config, Handlers::Pool, &gates);
    let mut waits = Peer::new(server.address);
    let calls = [1, 0]
        .map(|gate| framed_message(FRAMED_BINARY, "Wire:Sleep", CALL, gate, &i32_args(Protocol::Binary, gate)))
        .concat();
    let (before, after) = calls.split_at(calls.len() - 3);
    waits.send(before);
    gates.have_begun(1);
    // Time passes: another runs out of its own.
    let mut slow = Peer::new(server.address);
    slow.send(&[0]);
    slow.closed();
    gates.open(1);
    assert_eq!(waits.reply().i32(), 1);
    // A little more time passes.
    (0..30).for_each(|_| is_well(server.address));
    waits.send(after);
    assert_eq!(waits.reply().i32(), 0);
}

#[test]
fn a_peer_that_does_not_take_its_replies_in_time_is_cut() {
    let mut server = Program::serve(&["--write-timeout", "0.3", "--max-unread-reply-bytes", "100000"]);
    let mut deaf = Peer::new(server.address);
    SockRef::from(&deaf.stream).set_recv_buffer_size(16 << 10).expect("a small buffer");
    let calls = square(FRAMED_BINARY, 1, 9.0).repeat(1000);
    let start = Instant::now();
    while deaf.stream.write_all(&calls).is_ok() {
        assert!(start.elapsed() < DEADLINE);
    }
    eventually("it is logged", || !server.logged("slow reader").is_empty());
    is_well(server.address);
    assert!(server.lives());
}

#[test]
fn a_peer_that_takes_its_replies_slowly_but_in_time_is_not_cut() {
    let server = Program::serve(&["--write-timeout", "5", "--max-unread-reply-bytes", "1000"]);
    let mut slow = Peer::new(server.address);
    SockRef::from(&slow.stream).set_recv_buffer_size(32 << 10).expect("a small buffer");
    let calls: Vec<u8> = (0..5_000).flat_map(|id| square(FRAMED_BINARY, id, 9.0)).collect();
    let mut sending = slow.stream.try_clone().expect("a second handle");
    std::thread::scope(|scope| {
        scope.spawn(move || sending.write_all(&calls).expect("all is taken"));
        for id in 0..5_000 {
            assert_eq!(slow.reply().sequence_id, id);
        }
    });
}

#[test]
fn each_setting_is_a_flag_and_an_environment_variable() {
    for (name, value) in SETTINGS {
        let shown = format!("{name}={value}");
        let by_flag = Program::serve(&[&format!("--{name}"), value]);
        let variable = format!("CALCULATE_{}", name.to_uppercase().replace('-', "_"));
        let by_variable = Program::run(Command::new(PROGRAM).arg("serve").env(&variable, value));
        for server in [&by_flag, &by_variable] {
            eventually("the settings are logged", || !server.logged("serving").is_empty());
            let line = server.logged("serving").concat();
            assert!(line.contains(&shown), "{name}: {line}");
        }
        // A flag wins.
        let both = Program::run(Command::new(PROGRAM).args(["serve", &format!("--{name}"), value]).env(&variable, "7"));
        eventually("the settings are logged", || !both.logged("serving").is_empty());
        assert!(both.logged("serving").concat().contains(&shown), "{name}");
    }
}

#[test]
fn a_setting_out_of_its_range_is_exit_code_2_and_names_the_setting_and_the_range() {
    let wrong = [
        ("workers", "0", "from 1 to 1024"),
        ("workers", "1025", "from 1 to 1024"),
        ("pool-threads", "0", "from 1 to 65536"),
        ("pool-queue", "2147483648", "from 0 to 2147483647"),
        ("max-message-bytes", "63", "from 64 to 2147483647"),
        ("max-string-bytes", "2147483648", "from 0 to 2147483647"),
        ("max-container-items", "2147483648", "from 0 to 2147483647"),
        ("max-depth", "1", "from 2 to 128"),
        ("max-depth", "129", "from 2 to 128"),
        ("max-connections", "0", "from 1 to 10000000"),
        ("max-in-flight", "0", "from 1 to 2147483647"),
        ("max-unread-reply-bytes", "0", "from 1 to 2147483647"),
        ("max-buffered-bytes", "65535", "from 65536 to"),
        ("messages-per-turn", "0", "from 1 to 2147483647"),
        ("idle-timeout", "0", "above 0"),
        ("message-timeout", "-1", "above 0"),
        ("write-timeout", "soon", "seconds"),
        ("drain-timeout", "1e9", "at most 31622400 s"),
        ("workers", "many", "invalid"),
        ("handlers", "both", "inline, pool"),
    ];
    for (name, value, range) in wrong {
        let ended = Program::to_end(Command::new(PROGRAM).args(["serve", &format!("--{name}={value}")]));
        assert_eq!(ended.code, Some(2), "{name} {value}: {ended:?}");
        assert!(ended.stdout.is_empty());
        let says = ended.stderr.lines().take(2).collect::<Vec<_>>().concat();
        assert!(says.contains(name) && says.contains(range), "{says}");
        let variable = format!("CALCULATE_{}", name.to_uppercase().replace('-', "_"));
        let ended = Program::to_end(Command::new(PROGRAM).arg("serve").env(variable, value));
        assert_eq!(ended.code, Some(2), "{name} {value}");
    }
}

/// The settings, and a value that is no default.
const SETTINGS: [(&str, &str); 17] = [
    ("workers", "3"),
    ("handlers", "pool"),
    ("pool-threads", "5"),
    ("pool-queue", "0"),
    ("max-message-bytes", "12345"),
    ("max-string-bytes", "1234"),
    ("max-container-items", "123"),
    ("max-depth", "12"),
    ("max-connections", "321"),
    ("max-in-flight", "21"),
    ("max-unread-reply-bytes", "4321"),
    ("max-buffered-bytes", "654321"),
    ("drain-timeout", "4.5"),
    ("messages-per-turn", "9"),
    ("idle-timeout", "1.5"),
    ("message-timeout", "2.5"),
    ("write-timeout", "3.5"),
];

/// What has 100 of something passes, what has 101 does not.
fn check_limit(limits: Limits, with: impl Fn(usize) -> Everything) {
    check(limits, &with(100), &with(101), "100");
}

/// `passes` passes; `fails` is a protocol error that names the limit, after which the connection goes on where the
/// message's end is known.
fn check(limits: Limits, passes: &Everything, fails: &Everything, limit: &str) {
    let gates = Gates::new();
    let server = Library::serve(Config { limits, ..config() }, Handlers::Inline, &gates);
    for encoding in ENCODINGS {
        let call = |what| framed_message(encoding, "Wire:Echo", CALL, 1, &echo_args(encoding.protocol, what));
        let mut peer = Peer::connect(server.address, encoding);
        for _ in 0..2 {
            peer.send(&call(passes));
            assert_eq!(peer.reply().everything(), *passes, "{encoding}");
        }
        peer.send(&call(fails));
        let (code, text) = peer.reply().exception();
        assert_eq!(code, PROTOCOL_ERROR, "{encoding}: {text}");
        assert!(text.contains(limit), "it names the limit: {text}");
        match encoding.framing {
            Framing::Framed => peer.is_served(),
            _ => peer.closed(),
        }
    }
}

fn echo(protocol: Protocol, everything: Everything) -> Vec<u8> {
    echo_args(protocol, &everything)
}
