//! The access list: who is refused what, in which words, and that a changed list holds at once.

mod support;

use calculate::config::Config;
use calculate::idl::calculate::CalculateSyncProcessor;
use calculate::service::Calculator;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use support::eventually;
use support::gates::Gates;
use support::library::{Library, config};
use support::message::*;
use support::peer::Peer;
use support::program::{PROGRAM, Program};
use support::tls::{Client, flags, pem};

/// A list in a file of its own.
struct List(PathBuf);

impl List {
    fn new(name: &str, text: &str) -> List {
        let list = List(std::env::temp_dir().join(format!("calculate-access-{name}-{}", std::process::id())));
        list.write(text);
        list
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).expect("written");
    }

    fn flag(&self) -> [String; 2] {
        ["--access".into(), self.0.to_str().expect("UTF-8").into()]
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn serve(list: &List, more: &[String]) -> Program {
    let arguments = [&list.flag()[..], more].concat();
    Program::serve(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

const REFUSED: i32 = 10;

/// What a call is answered with: its number, or the exception's type and text.
fn ask<S: std::io::Read + std::io::Write>(peer: &mut Peer<S>, method: &str) -> Result<f64, (Option<i32>, String)> {
    peer.send(&framed_message(FRAMED_BINARY, method, CALL, 5, &number(FRAMED_BINARY.protocol, 9.0)));
    let reply = peer.reply();
    assert_eq!(reply.sequence_id, 5);
    match reply.kind {
        REPLY => Ok(reply.number()),
        _ => {
            let exception = reply.exception();
            Err((Some(exception.0), exception.1))
        }
    }
}

#[test]
fn a_call_that_no_rule_allows_is_refused_in_words_and_the_connection_lives() {
    let list = List::new("words", "allow addr:127.0.0.0/8 Calculate.Square\n");
    let server = serve(&list, &[]);
    let mut peer = Peer::new(server.address);
    assert_eq!(ask(&mut peer, "Square"), Ok(3.0));
    let (code, text) = ask(&mut peer, "Cal").expect_err("refused");
    assert_eq!(code, Some(REFUSED));
    assert_eq!(text, "permission denied: this client may not call Calculate.\"Cal\"; ask the server's operator");
    assert!(ask(&mut peer, "Calculate:Cal").is_err(), "by its other name neither");
    assert_eq!(ask(&mut peer, "Calculate:Square"), Ok(3.0));
    // What is not there is not told to those who may not call it.
    assert_eq!(ask(&mut peer, "Nothing").expect_err("refused").0, Some(REFUSED));
    eventually("it is logged", || !server.logged("not permitted: Calculate.\"Cal\"").is_empty());
}

#[test]
fn certificates_tell_who_may_what() {
    let list = List::new(
        "certificates",
        "allow cert:spiffe://calculate.test/alice *\nallow cn:bob Calculate.Cal\ndeny cert:alice.clients.test Calculate.Cal\n",
    );
    let ca = pem("ca");
    let mut more = flags("allow", "server");
    more.extend(["--tls-client-ca".into(), ca.to_str().expect("UTF-8").into()]);
    let server = serve(&list, &more);
    let mut alice = Client::showing("alice").connect(server.address, FRAMED_BINARY).expect("a handshake");
    assert_eq!(ask(&mut alice, "Square"), Ok(3.0));
    assert!(ask(&mut alice, "Cal").is_err());
    let mut bob = Client::showing("bob").connect(server.address, FRAMED_BINARY).expect("a handshake");
    assert_eq!(ask(&mut bob, "Cal"), Ok(81.0));
    assert!(ask(&mut bob, "Square").is_err());
    assert!(ask(&mut Peer::new(server.address), "Square").is_err(), "nobody without a certificate");
}

#[test]
fn a_changed_list_holds_for_connections_that_are_there_and_a_broken_one_does_not() {
    let list = List::new("reload", "allow * *\n");
    let server = serve(&list, &[]);
    let mut peer = Peer::new(server.address);
    assert_eq!(ask(&mut peer, "Square"), Ok(3.0));
    list.write("allow * Calculate.Cal\n");
    eventually("the new list holds", || ask(&mut peer, "Square").is_err());
    assert_eq!(ask(&mut peer, "Cal"), Ok(81.0));
    list.write("allow * everything");
    eventually("it is said", || !server.logged("the access list not read anew").is_empty());
    assert!(server.logged("line 1: \"everything\" is no method; write Service.method")[0].contains("stay in force"));
    assert!(ask(&mut peer, "Square").is_err());
    assert_eq!(ask(&mut peer, "Cal"), Ok(81.0));
}

#[test]
fn a_list_that_changes_before_the_server_serves_is_read_anew() {
    let list = List::new("early", "allow * *\n");
    let config = Config { access: Some(list.0.clone()), ..config() };
    let server = Library::start(config, &Gates::new(), |server| {
        list.write("allow * Calculate.Cal\n");
        server.service("Calculate", CalculateSyncProcessor::new(Calculator))
    });
    let mut peer = Peer::new(server.address);
    eventually("the new list holds", || ask(&mut peer, "Square").is_err());
    assert_eq!(ask(&mut peer, "Cal"), Ok(81.0));
}

#[test]
fn a_list_that_cannot_be_read_is_a_reason_not_to_start() {
    let list = List::new("broken", "allow * *\npermit me everything\n");
    for (file, why) in [
        (list.0.as_path(), "line 2: \"permit\" is neither allow nor deny; write allow|deny WHO WHAT"),
        (std::path::Path::new("/nowhere/list"), "access: /nowhere/list: No such file"),
    ] {
        let ended =
            Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", "127.0.0.1:0", "--access"]).arg(file));
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}
