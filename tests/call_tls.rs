//! `calculate call` and `calculate load` under TLS, as a user runs them.

mod support;

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use support::fake::*;
use support::program::{Ended, PROGRAM, Program};
use support::tls::{flags, key, pem, server, server_for_known_clients};
use tokio_rustls::rustls::ALL_VERSIONS;
use tokio_rustls::rustls::version::{TLS12, TLS13};

/// The real server, under TLS only.
fn serve(certificate: &str, more: &[&str]) -> (Program, String) {
    let flags = flags("require", certificate);
    let server = Program::serve(&[&flags.iter().map(String::as_str).collect::<Vec<_>>(), more].concat());
    let address = server.address.to_string();
    (server, address)
}

fn run(arguments: &[&str]) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    Program::to_end(&mut command)
}

/// Calls and loads `server` with the flags; each ends with `code` and one line that has `text` in it.
fn both_fail(server: &str, flags: &[&str], code: i32, text: &str) {
    for subcommand in [&["call", "9"][..], &["load", "--calls", "1", "--connections", "1"]] {
        let ended = run(&[subcommand, &["--server", server], flags].concat());
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(code), 1), "{}", ended.stderr);
        assert!(ended.stderr.starts_with("calculate: ") && ended.stderr.contains(text), "{}", ended.stderr);
    }
}

fn file(path: PathBuf) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

fn ca() -> String {
    file(pem("ca"))
}

fn is_nine(ended: &Ended) {
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "3.0\n", ""));
}

#[test]
fn a_call_is_made_with_the_authority_of_a_file_or_of_the_system() {
    let (_server, address) = serve("server", &[]);
    is_nine(&run(&["call", "9", "--server", &address, "--tls-ca", &ca()]));
    is_nine(&run(&["call", "9", "--server", &address, "--tls", "--tls-ca", &ca()]));
    for subcommand in [&["call", "9"][..], &["load", "--calls", "1", "--connections", "1"]] {
        let arguments = [subcommand, &["--tls", "--server", &address]].concat();
        let ended = Program::to_end(Command::new(PROGRAM).args(arguments).env("SSL_CERT_FILE", ca()));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    }
}

#[test]
fn without_a_usable_authority_there_is_no_call() {
    let (_server, address) = serve("server", &[]);
    let missing = file(socket_path());
    let mut command = Command::new(PROGRAM);
    command
        .args(["call", "9", "--tls", "--server", &address])
        .env("SSL_CERT_FILE", &missing)
        .env_remove("SSL_CERT_DIR");
    let ended = Program::to_end(&mut command);
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("calculate: tls: the system trusts no authority ("), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("); give a file of some (ca)\n"), "{}", ended.stderr);
    let strange = file(pem("strange-ca"));
    both_fail(
        &address,
        &["--tls-ca", &strange],
        1,
        "with TLS: its certificate is signed by an authority that is not trusted; if",
    );
}

#[test]
fn every_flag_alone_turns_it_on() {
    // The plain server closes what begins a handshake; it would answer a plain call.
    let plain = Program::serve(&[]);
    let address = plain.address.to_string();
    let (certificate, private_key) = (file(pem("alice")), file(key("alice")));
    let ca = ca();
    let alone: [&[&str]; 4] = [
        &["--tls"],
        &["--tls-ca", &ca],
        &["--tls-certificate", &certificate, "--tls-key", &private_key],
        &["--tls-server-name", "localhost"],
    ];
    for flags in alone {
        let arguments = [&["call", "9", "--server", &address], flags].concat();
        let ended = Program::to_end(Command::new(PROGRAM).args(arguments).env("SSL_CERT_FILE", &ca));
        assert_eq!(ended.code, Some(1), "{flags:?}: {}", ended.stdout);
        assert!(
            ended.stderr.contains("with TLS: it closed the connection as TLS began, so it may not speak TLS; for"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_client_certificate_is_shown() {
    let ca = ca();
    let (_server, address) = serve("server", &["--tls-client-ca", &ca]);
    let shown = |name: &str| {
        ["--tls-ca", &ca, "--tls-certificate", &file(pem(name)), "--tls-key", &file(key(name))].map(str::to_owned)
    };
    let alice = shown("alice");
    let alice: Vec<&str> = alice.iter().map(String::as_str).collect();
    is_nine(&run(&[&["call", "9", "--server", &address][..], &alice].concat()));
    let ended = run(&[&["load", "--calls", "5", "--connections", "2", "--server", &address][..], &alice].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    both_fail(&address, &["--tls-ca", &ca], 1, "it wants a client certificate");
    let stranger = shown("stranger");
    let stranger: Vec<&str> = stranger.iter().map(String::as_str).collect();
    both_fail(&address, &stranger, 1, "it refused the client certificate");
}

#[test]
fn the_name_is_checked_and_can_be_given() {
    let (_server, address) = serve("elsewhere", &[]);
    both_fail(&address, &["--tls-ca", &ca()], 1, "its certificate is for elsewhere.test, not for 127.0.0.1; correct");
    is_nine(&run(&["call", "9", "--server", &address, "--tls-ca", &ca(), "--tls-server-name", "elsewhere.test"]));
}

#[test]
fn over_a_unix_socket_the_name_must_be_given() {
    let name = format!("unix:{}", socket_path().display());
    let (_server, _) = serve("server", &["--listen", "127.0.0.1:0", "--listen", &name]);
    both_fail(&name, &["--tls-ca", &ca()], 2, "has no host that the certificate could be for; give the server name");
    let with_name = ["--server", &name, "--tls-ca", &ca(), "--tls-server-name", "localhost"];
    is_nine(&run(&[&["call", "9"][..], &with_name].concat()));
    let ended = run(&[&["load", "--calls", "5", "--connections", "2"][..], &with_name].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
}

#[test]
fn wrong_usage_exits_with_2() {
    let address = "127.0.0.1:1";
    let (certificate, private_key) = (file(pem("alice")), file(key("alice")));
    for (given, missing) in
        [(["--tls-certificate", &certificate], "--tls-key"), (["--tls-key", &private_key], "--tls-certificate")]
    {
        for subcommand in [&["call", "9"][..], &["load"]] {
            let ended = run(&[subcommand, &["--server", address], &given].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
            assert!(ended.stderr.contains(missing), "{}", ended.stderr);
        }
    }
    both_fail(
        address,
        &["--tls-ca", "missing.pem"],
        2,
        "tls: the ca file \"missing.pem\": it cannot be read (no such file or directory)",
    );
    both_fail(address, &["--tls-ca", &private_key], 2, "it does not hold certificates in PEM form");
    let others_key = file(key("bob"));
    both_fail(
        address,
        &["--tls-ca", &ca(), "--tls-certificate", &certificate, "--tls-key", &others_key],
        2,
        "it is not the key of the certificate in ",
    );
    both_fail(
        address,
        &["--tls-ca", &ca(), "--tls-server-name", "two words"],
        2,
        "the server name \"two words\" is neither a DNS name nor an IP address",
    );
}

#[test]
fn an_expired_certificate_is_one_line_and_exit_code_1() {
    let (_server, address) = serve("expired", &[]);
    let text = format!("cannot connect to {address} with TLS: its certificate has expired; the server needs a new one");
    both_fail(&address, &["--tls-ca", &ca()], 1, &text);
}

#[test]
fn a_plain_call_of_a_port_that_requires_tls_is_told_so() {
    let (_server, address) = serve("server", &[]);
    both_fail(&address, &[], 1, "; if the server wants TLS, connect with TLS");
}

#[test]
fn without_numbers_it_asks_under_tls_too() {
    let (_server, address) = serve("server", &[]);
    let mut command = Command::new(PROGRAM);
    command.args(["call", "--server", &address, "--tls-ca", &ca()]);
    let ended = Program::to_end_typed(&mut command, "9\n16\n");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "3.0\n4.0\n", ""));
}

#[test]
fn both_loops_of_the_load_are_clean_in_every_encoding() {
    let (_server, address) = serve("server", &[]);
    for encoding in [["binary", "framed"], ["binary", "unframed"], ["compact", "framed"], ["compact", "unframed"]] {
        for own in [&["--depth", "4096"][..], &["--depth", "1"], &["--rate", "500"]] {
            let common = ["load", "--server", &address, "--tls-ca", &ca(), "--json", "--connections", "4"];
            let spoken = ["--protocol", encoding[0], "--framing", encoding[1], "--duration", "0.2", "--warmup", "0.1"];
            let ended = run(&[&common[..], &spoken, own].concat());
            let report: Value =
                serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error} in {ended:?}"));
            assert_eq!((ended.code, &report["failed"], &report["wrong"]), (Some(0), &0.into(), &0.into()), "{report}");
            assert!(report["calls"].as_u64() > Some(0), "{report}");
        }
    }
}

#[test]
fn a_server_that_cuts_the_load_is_one_line_and_exit_code_1() {
    for versions in [&[&TLS12], &[&TLS13]] {
        let cutting = || {
            script(|client| {
                client.calls(3);
                client.cut();
            })
        };
        let server = Fake::encrypted(server("server", versions), vec![cutting()]);
        let arguments = [
            "load",
            "--server",
            &server.address,
            "--tls-ca",
            &ca(),
            "--connections",
            "1",
            "--depth",
            "3",
            "--duration",
            "1",
        ];
        let ended = run(&arguments);
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{}", ended.stderr);
        let text = "3 calls failed, the first as cut off without a TLS close_notify";
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
    }
    let server = Fake::encrypted(server_for_known_clients(ALL_VERSIONS), vec![silent()]);
    let ended = run(&["load", "--server", &server.address, "--tls-ca", &ca(), "--connections", "1", "--calls", "1"]);
    let text =
        "1 calls failed, the first as it wants a client certificate and none was given; give certificate and key\n";
    assert!(ended.stderr.ends_with(text), "{}", ended.stderr);
}
