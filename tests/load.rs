//! `calculate load`: what it reports, and that it finds what is wrong.

mod support;

use serde_json::Value;
use std::process::Command;
use support::fake::*;
use support::message::*;
use support::program::{Ended, PROGRAM, Program};

fn load(server: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.args(["load", "--server", server]).args(arguments);
    let ended = Program::to_end(&mut command);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended
}

/// The JSON report; and it is clean when the exit code says so.
fn report(ended: &Ended) -> Value {
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error} in {ended:?}"));
    let keys: Vec<&str> = report.as_object().expect("an object").keys().map(String::as_str).collect();
    for key in ["calls", "calls_per_second", "connections", "failed", "first_failure", "latency_us", "seconds", "wrong"]
    {
        assert!(keys.contains(&key), "{keys:?}");
    }
    for key in ["p50", "p90", "p99", "p99.9", "p99.99", "max"] {
        assert!(report["latency_us"][key].is_number(), "{report}");
    }
    report
}

fn clean(ended: &Ended) -> Value {
    let report = report(ended);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{report}");
    assert_eq!((&report["failed"], &report["wrong"], &report["first_failure"]), (&0.into(), &0.into(), &Value::Null));
    report
}

/// It ends with exit code 1 and one line that has `text` in it.
fn faulty(ended: &Ended, text: &str) -> Value {
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("calculate: ") && ended.stderr.contains(text), "{}", ended.stderr);
    report(ended)
}

#[test]
fn a_number_of_calls_is_made_on_each_connection() {
    let server = Program::serve(&[]);
    let ended = load(&server.address.to_string(), &["--calls", "5", "--connections", "3", "--json"]);
    let report = clean(&ended);
    assert_eq!((&report["calls"], &report["connections"]), (&15.into(), &3.into()));
}

#[test]
fn both_loops_are_clean_in_every_encoding() {
    let server = Program::serve(&[]);
    for encoding in [["binary", "framed"], ["binary", "unframed"], ["compact", "framed"], ["compact", "unframed"]] {
        let spoken = ["--protocol", encoding[0], "--framing", encoding[1]];
        let common = ["--connections", "4", "--duration", "0.2", "--warmup", "0.1", "--json"];
        for own in [&["--depth", "4096"][..], &["--depth", "1", "--method", "cal"], &["--rate", "500"]] {
            let ended = load(&server.address.to_string(), &[&spoken[..], &common, own].concat());
            assert!(clean(&ended)["calls"].as_u64() > Some(0), "{ended:?}");
        }
    }
}

#[test]
fn the_open_loop_makes_as_many_calls_as_it_is_told() {
    let server = Program::serve(&[]);
    let arguments = ["--rate", "1000", "--connections", "7", "--duration", "1", "--warmup", "0.2", "--json"];
    let calls = clean(&load(&server.address.to_string(), &arguments))["calls"].as_u64().expect("a number");
    assert!((800..=1200).contains(&calls), "{calls}");
}

#[test]
fn the_report_tells_of_every_interval() {
    let server = Program::serve(&[]);
    let address = server.address.to_string();
    let arguments = ["--rate", "1000", "--duration", "1", "--warmup", "0.1", "--json", "--interval", "0.2"];
    let report = clean(&load(&address, &arguments));
    let intervals = report["intervals"].as_array().expect("a list");
    assert!((3..=5).contains(&intervals.len()), "{report}");
    for each in intervals {
        assert!(each["calls"].as_u64() > Some(0) && each["latency_us"]["p99"].as_f64() > Some(0.0), "{report}");
    }
    let ended = load(&address, &["--json", "--interval", "0.001"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("must be at least 0.01 seconds"), "{}", ended.stderr);
}

#[test]
fn the_report_can_be_read_by_people() {
    let server = Program::serve(&[]);
    let ended = load(&server.address.to_string(), &["--calls", "5", "--connections", "2"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for line in ["calls                10   in ", "failed                0", "wrong                 0", "p99.99"] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    assert!(ended.stdout.ends_with("µs\n"));
}

/// Answers right but for the call of index `wrong`.
fn wrong_at(wrong: usize) -> Script {
    script(move |client| {
        let mut index = 0;
        while let Some(call) = client.next_call() {
            let root = argument(&call).sqrt();
            client.send(&answer(FRAMED_BINARY, &call, if index == wrong { root + 1.0 } else { root }));
            index += 1;
        }
    })
}

#[test]
fn one_wrong_number_is_found() {
    let server = Fake::serve(vec![wrong_at(3)]);
    let ended = load(&server.address.to_string(), &["--calls", "6", "--connections", "1", "--json"]);
    let report = faulty(&ended, "1 answers are wrong");
    assert_eq!((&report["wrong"], &report["failed"], &report["calls"]), (&1.into(), &0.into(), &5.into()));
}

#[test]
fn another_calls_reply_is_found() {
    let server = Fake::serve(vec![script(|client| {
        let calls = client.calls(2);
        for call in calls.iter().rev() {
            client.send(&answer(FRAMED_BINARY, call, argument(call).sqrt()));
        }
        client.wait();
    })]);
    let arguments = ["--connections", "1", "--depth", "2", "--duration", "0.2", "--warmup", "0.001", "--json"];
    assert_eq!(faulty(&load(&server.address.to_string(), &arguments), "2 answers are wrong")["wrong"], 2);
}

#[test]
fn an_exception_is_a_failure() {
    let server = Fake::serve(vec![script(|client| {
        while let Some(call) = client.next_call() {
            client.send(&exception(&call, 11, "queue full"));
        }
    })]);
    let ended = load(&server.address.to_string(), &["--calls", "2", "--connections", "1", "--json"]);
    assert_eq!(faulty(&ended, "the server answered with an exception")["failed"], 2);
}

#[test]
fn a_server_that_dies_midway_is_one_line_and_exit_code_1() {
    let dying = || {
        script(|client| {
            for _ in 0..3 {
                let call = client.call();
                client.send(&answer(FRAMED_BINARY, &call, argument(&call).sqrt()));
            }
            client.call();
        })
    };
    let server = Fake::serve(vec![dying(), dying()]);
    let ended = load(&server.address.to_string(), &["--calls", "10", "--connections", "2", "--json"]);
    let report = faulty(&ended, "2 calls failed, the first as the server closed the connection");
    assert_eq!((&report["failed"], &report["calls"]), (&2.into(), &6.into()));
}

#[test]
fn a_server_that_is_silent_is_not_waited_for_longer_than_five_seconds() {
    // Once an hour.
    let server = Fake::serve(vec![silent()]);
    let ended = load(&server.address.to_string(), &["--calls", "2", "--connections", "1", "--json"]);
    assert_eq!(faulty(&ended, "the server did not answer in time")["failed"], 1);
}

#[test]
fn what_cannot_be_loaded_is_one_line_and_exit_code_1() {
    let ended = load("127.0.0.1:1", &["--calls", "1"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let text =
        "calculate: cannot connect to 127.0.0.1:1 (connection refused); is it running, and is this its address?\n";
    assert_eq!(ended.stderr, text);
}

#[test]
fn wrong_usage_exits_with_2() {
    let wrong = [
        ["--connections", "0"],
        ["--depth", "0"],
        ["--depth", "4097"],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--duration", "0"],
        ["--duration", "1e19"],
        ["--calls", "0"],
        ["--method", "root"],
        ["--protocol", "json"],
    ];
    for arguments in wrong {
        let ended = load("127.0.0.1:1", &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(arguments[0]), "{}", ended.stderr);
    }
}

#[test]
fn several_servers_are_wrong_usage() {
    let ended = load("127.0.0.1:1,127.0.0.1:2", &["--calls", "1"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.starts_with("calculate: load takes one server, HOST:PORT or unix:/path"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_has_gone_ends_it_without_a_word() {
    let server = Program::serve(&[]);
    let line = "\"$0\" load --server \"$1\" --calls 5 | true";
    let mut command = Command::new("bash");
    command.args(["-c", line, PROGRAM, &server.address.to_string()]);
    assert_eq!(Program::to_end(&mut command).stderr, "");
}
