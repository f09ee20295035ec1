//! `calculate call`, as a user runs it.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use support::fake::*;
use support::program::{Ended, PROGRAM, Program};

/// Runs `calculate call` with `arguments`, and `typed` on its standard input.
fn call(server: &str, arguments: &[&str], typed: &str) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.arg("call").args(arguments).env("CALCULATE_SERVER", server);
    let ended = Program::to_end_typed(&mut command, typed);
    for word in ["panicked", "backtrace", "src/"] {
        assert!(!ended.stderr.contains(word), "{}", ended.stderr);
    }
    ended
}

fn prints(server: &Program, arguments: &[&str], printed: &str) {
    let ended = call(&server.address.to_string(), arguments, "");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), printed, ""), "{arguments:?}");
}

/// It ends with `code` and one line on standard error that has `text` in it.
fn fails(ended: &Ended, code: i32, text: &str) {
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(code), 1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("calculate: ") && ended.stderr.contains(text), "{}", ended.stderr);
}

#[test]
fn a_result_is_printed_on_a_line() {
    let server = Program::serve(&[]);
    prints(&server, &["square", "9"], "3.0\n");
    prints(&server, &["cal", "9"], "81.0\n");
    prints(&server, &["9"], "3.0\n");
    prints(&server, &["--method", "cal", "3"], "9.0\n");
    prints(&server, &["9", "16", "2.25"], "3.0\n4.0\n1.5\n");
    prints(&server, &["cal", "-4", "-.5", "-1e3"], "16.0\n0.25\n1000000.0\n");
}

#[test]
fn each_encoding_can_be_spoken() {
    let server = Program::serve(&[]);
    for protocol in ["binary", "compact"] {
        for framing in ["framed", "unframed"] {
            prints(&server, &["9", "--protocol", protocol, "--framing", framing], "3.0\n");
        }
    }
}

#[test]
fn every_kind_of_number_is_understood() {
    let server = Program::serve(&[]);
    for (number, root) in
        [("inf", "inf"), ("1e400", "inf"), ("nan", "nan"), ("-nan", "nan"), ("-0", "-0.0"), ("1e300", "1e+150")]
    {
        prints(&server, &[number], &format!("{root}\n"));
    }
    for (number, square) in
        [("-inf", "inf"), ("-INFINITY", "inf"), ("-0.0", "0.0"), ("-1e400", "inf"), ("1e-9", "1e-18")]
    {
        prints(&server, &["cal", number], &format!("{square}\n"));
    }
}

#[test]
fn a_number_out_of_the_domain_is_one_line_and_exit_code_1() {
    let server = Program::serve(&[]);
    let address = server.address.to_string();
    for number in ["-4", "-inf", "-1e9", "-.5"] {
        let ended = call(&address, &[number], "");
        fails(&ended, 1, "no negative number has");
        assert!(ended.stderr.contains(&address), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    let ended = call(&address, &["4", "-4", "9"], "");
    fails(&ended, 1, "no negative number has");
    assert_eq!(ended.stdout, "2.0\n", "what came before the failure is printed");
}

#[test]
fn what_is_no_number_is_one_line_and_exit_code_2() {
    for arguments in [&["nine"][..], &["9", "x"], &["Square", "9"], &[""]] {
        fails(&call("127.0.0.1:1", arguments, ""), 2, "is not a number; see 'calculate call --help'");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_a_wrong_server_is_shown_the_forms() {
    for server in ["nowhere", "localhost:0", "::1:9090", "host:port", "http://host:80", "unix:calculate.sock"] {
        let ended = call("127.0.0.1:1", &["9", "--server", server], "");
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("write HOST:PORT, [IPv6]:PORT, unix:/path, "), "{}", ended.stderr);
    }
    for arguments in [
        ["--timeout", "0"],
        ["--timeout", "-1"],
        ["--timeout", "soon"],
        ["--timeout", "1e19"],
        ["--timeout", "inf"],
        ["--timeout", "nan"],
        ["--method", "root"],
        ["--protocol", "json"],
    ] {
        let ended = call("127.0.0.1:1", &[&["9"][..], &arguments].concat(), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(arguments[0]), "{}", ended.stderr);
    }
}

#[test]
fn an_unreachable_server_is_one_line_and_exit_code_1() {
    let ended = call("127.0.0.1:1", &["9"], "");
    fails(&ended, 1, "cannot connect to 127.0.0.1:1 (connection refused); is it running, and is this its address?");
}

#[test]
fn a_time_out_is_one_line_and_exit_code_1() {
    let server = Fake::serve(vec![silent()]);
    let ended = call(&server.address.to_string(), &["9", "--timeout", "0.1"], "");
    fails(&ended, 1, "did not answer Square within 0.1 s");
}

#[test]
fn an_overloaded_server_is_one_line_and_exit_code_1() {
    let server = Fake::serve(vec![script(|client| {
        let call = client.call();
        client.send(&exception(&call, 11, "full"));
        client.wait();
    })]);
    fails(
        &call(&server.address.to_string(), &["9"], ""),
        1,
        "is overloaded and did not carry out Square (full); try again",
    );
}

#[test]
fn a_server_that_hangs_up_is_one_line_and_exit_code_1() {
    let server = Fake::serve(vec![script(|client| drop(client.call()))]);
    fails(&call(&server.address.to_string(), &["9"], ""), 1, "closed the connection before it answered");
}

#[test]
fn without_numbers_it_asks_until_something_else_is_typed() {
    let server = Program::serve(&[]);
    for end in ["", "stop\n16\n", "\n16\n"] {
        let ended = call(&server.address.to_string(), &[], &format!("9\n-4\n 4 \n{end}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "3.0\n2.0\n"), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "the DomainError: {}", ended.stderr);
    }
    let ended = call(&server.address.to_string(), &["cal"], "9\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "81.0\n"));
}

#[test]
fn results_are_shown_as_they_come() {
    let server = Program::serve(&[]);
    let mut command = Command::new(PROGRAM);
    command.args(["call", "--server", &server.address.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    for (typed, printed) in [("9\n", "3.0\n"), ("16\n", "4.0\n")] {
        stdin.write_all(typed.as_bytes()).expect("it reads");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        assert_eq!(line, printed);
    }
    drop(stdin);
    assert!(child.wait().expect("a child of ours").success());
}

#[test]
fn a_reader_that_has_gone_ends_it_without_a_word() {
    // Once a panic: "failed printing to stdout: Broken pipe".
    let server = Program::serve(&[]);
    let line = "\"$0\" call --server \"$1\" 9 16 25 36 49 | true; echo ${PIPESTATUS[0]}";
    let mut command = Command::new("bash");
    command.args(["-c", line, PROGRAM, &server.address.to_string()]);
    let ended = Program::to_end(&mut command);
    assert_eq!(ended.stderr, "");
    assert!(["0\n", "1\n"].contains(&ended.stdout.as_str()), "{}", ended.stdout);
}
