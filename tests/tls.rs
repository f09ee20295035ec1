//! Encryption: which connections are, what ends a handshake, and certificates that change under way.

mod support;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::message::*;
use support::peer::{Bystander, Peer, is_well};
use support::program::{PROGRAM, Program};
use support::tls::{Client, TlsPeer, certificate, flags, key, pem};
use support::{DEADLINE, eventually};
use tokio_rustls::rustls::SupportedProtocolVersion;
use tokio_rustls::rustls::version::{TLS12, TLS13};

const ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
const ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];

/// `calculate serve` with TLS and further arguments.
fn serve(mode: &str, more: &[&str]) -> Program {
    let flags = flags(mode, "server");
    Program::serve(&[&flags.iter().map(String::as_str).collect::<Vec<_>>(), more].concat())
}

fn connect(server: &Program) -> TlsPeer {
    Client::default().connect(server.address, FRAMED_BINARY).expect("a handshake")
}

#[test]
fn every_encoding_is_answered_in_both_versions_and_beside_plain_connections() {
    let server = serve("allow", &[]);
    for encoding in ENCODINGS {
        for versions in [ONLY_12, ONLY_13] {
            let client = Client { versions, ..Client::default() };
            let mut peer = client.connect(server.address, encoding).expect("a handshake");
            peer.is_served();
            peer.is_served();
        }
        Peer::connect(server.address, encoding).is_served();
    }
}

/// RFC 8446, 4.6.3: the client asks for new keys in both directions.
#[test]
fn new_keys_in_the_middle_of_a_connection_lose_nothing() {
    let server = serve("require", &[]);
    let client = Client { versions: ONLY_13, ..Client::default() };
    let mut peer = client.connect(server.address, FRAMED_BINARY).expect("a handshake");
    for round in 0..20 {
        for number in 0..3 {
            peer.square(number, 9.0);
        }
        peer.stream.conn.refresh_traffic_keys().expect("TLS 1.3 has new keys");
        peer.square(3, 16.0);
        for number in 0..4 {
            let reply = peer.reply();
            assert_eq!(reply.sequence_id, number, "round {round}");
            assert_eq!(reply.number(), if number < 3 { 3.0 } else { 4.0 });
        }
    }
}

#[test]
fn a_plain_connection_to_a_port_that_requires_tls_is_closed_and_logged() {
    let server = serve("require", &[]);
    let mut plain = Peer::new(server.address);
    plain.square(1, 9.0);
    plain.closed();
    connect(&server).is_served();
    eventually("it is logged", || !server.logged("no TLS: the first byte starts no TLS handshake").is_empty());
}

#[test]
fn a_tls_connection_to_a_plain_port_is_closed_and_logged() {
    let server = Program::serve(&[]);
    let error = Client::default().connect(server.address, FRAMED_BINARY).err().expect("no handshake");
    assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error}");
    eventually("it is logged", || !server.logged("the first bytes are TLS").is_empty());
    is_well(server.address);
}

#[test]
fn a_client_that_must_show_a_certificate_is_served_with_one_of_the_right_authority_only() {
    let ca = pem("ca");
    let server = serve("require", &["--tls-client-ca", ca.to_str().expect("UTF-8")]);
    for versions in [ONLY_12, ONLY_13] {
        let client = |certificate| Client { versions, certificate, ..Client::default() };
        client(Some("alice")).connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
        for certificate in [None, Some("stranger")] {
            // Under TLS 1.3 the client has done its part before it hears of it.
            if let Ok(mut peer) = client(certificate).connect(server.address, FRAMED_BINARY) {
                peer.offer(&square(FRAMED_BINARY, 1, 9.0));
                let error = peer.next_reply().expect_err("an alert");
                assert!(error.to_string().contains("alert"), "{error}");
            }
        }
    }
    eventually("both are logged", || !server.logged("TLS handshake").is_empty());
}

#[test]
fn a_client_that_may_show_a_certificate_is_served_without_but_not_with_a_wrong_one() {
    let ca = pem("ca");
    let server = serve("allow", &["--tls-client-ca", ca.to_str().expect("UTF-8"), "--tls-client-auth", "request"]);
    connect(&server).is_served();
    Client::showing("bob").connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    if let Ok(mut stranger) = Client::showing("stranger").connect(server.address, FRAMED_BINARY) {
        stranger.offer(&square(FRAMED_BINARY, 1, 9.0));
        assert!(stranger.next_reply().is_err());
    }
}

#[test]
fn handshakes_that_stop_half_way_are_cut_at_their_deadline_and_hold_nobody_up() {
    for mode in ["allow", "require"] {
        let server = serve(mode, &["--tls-handshake-timeout", "0.5", "--workers", "1"]);
        // The start of a ClientHello, whose rest does not come.
        let mut stalled: Vec<TcpStream> = (0..50)
            .map(|_| {
                let mut stream = TcpStream::connect(server.address).expect("connects");
                stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).expect("sent");
                stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
                stream
            })
            .collect();
        connect(&server).is_served();
        for stream in &mut stalled {
            let read = stream.read(&mut [0; 16]);
            assert!(matches!(read, Ok(0)) || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
        }
        eventually("it is logged", || !server.logged("TLS handshake: not done after 0.5 s").is_empty());
    }
}

#[test]
fn handshakes_over_their_limit_wait_for_a_place() {
    let server = serve("require", &["--tls-handshake-timeout", "2", "--max-handshakes", "1"]);
    let mut holds = TcpStream::connect(server.address).expect("connects");
    holds.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).expect("sent");
    let address = server.address;
    let waits = std::thread::spawn(move || {
        Client::default().connect(address, FRAMED_BINARY).expect("a handshake").is_served();
    });
    // Its place is free when it is gone.
    drop(holds);
    waits.join().expect("served");
}

#[test]
fn what_is_no_handshake_is_answered_with_an_alert_and_ends() {
    let server = serve("require", &[]);
    let mut peer = TcpStream::connect(server.address).expect("connects");
    peer.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    peer.write_all(&[0x16, 0x03, 0x01, 0x00, 0x08, 0x01, 0x00, 0x00, 0x04, 0xff, 0xff, 0xff, 0xff]).expect("sent");
    let mut said = Vec::new();
    let _ = peer.read_to_end(&mut said);
    assert_eq!(said.first(), Some(&0x15), "an alert: {said:x?}");
    connect(&server).is_served();
}

#[test]
fn replies_larger_than_every_buffer_arrive_whole_and_in_order() {
    let server = serve("require", &["--workers", "1"]);
    let mut peer = connect(&server);
    let calls: Vec<u8> = (0..20_000).flat_map(|id| square(FRAMED_BINARY, id, f64::from(id) * f64::from(id))).collect();
    let mut writer = std::thread::scope(|scope| {
        // One TLS connection cannot be written and read by two threads: in turns, then.
        scope
            .spawn(|| {
                for (calls, first) in calls.chunks(calls.len() / 20).zip((0..).step_by(1000)) {
                    peer.send(calls);
                    for id in first..first + 1000 {
                        let reply = peer.reply();
                        assert_eq!((reply.sequence_id, reply.number()), (id, f64::from(id)));
                    }
                }
                peer
            })
            .join()
            .expect("all are answered")
    });
    writer.is_served();
}

#[test]
fn a_peer_that_does_not_read_is_cut_and_costs_others_nothing() {
    let server = serve("require", &["--workers", "1", "--write-timeout", "0.5"]);
    let mut deaf = connect(&server);
    let calls: Vec<u8> = (0..1000).flat_map(|id| square(FRAMED_BINARY, id, 4.0)).collect();
    deaf.stream.sock.set_write_timeout(Some(std::time::Duration::from_millis(500))).expect("a time-out");
    while deaf.stream.write_all(&calls).is_ok() {}
    eventually("it is cut", || !server.logged("slow reader").is_empty());
    connect(&server).is_served();
}

#[test]
fn the_end_is_told_and_what_was_asked_before_is_answered() {
    let mut server = serve("require", &[]);
    let mut idle = connect(&server);
    idle.is_served();
    let mut asks = connect(&server);
    asks.is_served();
    for id in 0..100 {
        asks.square(id, 4.0);
    }
    // A call that is answered shows that those before it have arrived.
    assert_eq!(asks.reply().sequence_id, 0);
    server.terminate();
    for id in 1..100 {
        assert_eq!(asks.reply().sequence_id, id);
    }
    for mut peer in [idle, asks] {
        // Without a close_notify this would be an unexpected end of file.
        assert_eq!(peer.stream.read(&mut [0; 16]).expect("a close_notify"), 0);
    }
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_changed_certificate_is_shown_to_new_connections_and_the_old_ones_live() {
    let folder = Folder::new("renewal");
    let server = folder.serve("server");
    let mut old = connect(&server);
    assert_eq!(old.server_certificate(), certificate("server"));
    let bystander = Bystander::start(server.address);
    folder.install("renewed");
    eventually("the new one is shown", || connect(&server).server_certificate() == certificate("renewed"));
    old.is_served();
    assert_eq!(server.logged("certificates read anew").len(), 1);

    fs::write(folder.certificate(), "no certificate at all").expect("written");
    eventually("it is said", || !server.logged("certificates not read anew").is_empty());
    assert!(server.logged("tls-certificate: ")[0].contains("it does not hold certificates in PEM form"));
    assert_eq!(connect(&server).server_certificate(), certificate("renewed"), "the last good one stays");
    old.is_served();
    bystander.was_served();
}

#[test]
fn a_hang_up_reads_the_certificates_at_once() {
    let folder = Folder::new("hang-up");
    let server = folder.serve("server");
    server.signal(rustix::process::Signal::HUP);
    eventually("it is read", || !server.logged("certificates read anew").is_empty());
    connect(&server).is_served();
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let (server, ca) = (pem("server"), pem("ca"));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let cases: [(&[&str], &str); 6] = [
        (&["--tls", "allow"], "tls needs tls-certificate, a PEM file"),
        (&["--tls-certificate", &text(&server)], "tls-certificate has no use while tls is off"),
        (
            &["--tls", "allow", "--tls-certificate", &text(&server), "--tls-key", &text(&key("alice"))],
            "the key is not that of the certificate",
        ),
        (
            &["--tls", "allow", "--tls-certificate", &text(&key("server")), "--tls-key", &text(&key("server"))],
            "it does not hold certificates in PEM form",
        ),
        (
            &["--tls", "allow", "--tls-certificate", &text(&server), "--tls-key", &text(&ca)],
            "it does not hold a private key in PEM form",
        ),
        (
            &["--tls", "allow", "--tls-certificate", "/nowhere.pem", "--tls-key", "/nowhere.key"],
            "/nowhere.pem: it cannot be read (no such file",
        ),
    ];
    for (arguments, why) in cases {
        let ended = Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", "127.0.0.1:0"]).args(arguments));
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(why), "{arguments:?}: {}", ended.stderr);
    }
}

/// A folder with a certificate that changes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("calculate-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn certificate(&self) -> PathBuf {
        self.0.join("server.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.join("server.key")
    }

    /// Puts a certificate in place as a careful operator does: whole at once.
    fn install(&self, name: &str) {
        for (from, to) in [(key(name), self.key()), (pem(name), self.certificate())] {
            let new = self.0.join("new");
            fs::copy(from, &new).expect("copied");
            fs::rename(new, to).expect("renamed");
        }
    }

    fn serve(&self, name: &str) -> Program {
        self.install(name);
        let (certificate, key) = (self.certificate(), self.key());
        let text = |path: &'_ PathBuf| path.to_str().expect("UTF-8").to_owned();
        Program::serve(&["--tls", "allow", "--tls-certificate", &text(&certificate), "--tls-key", &text(&key)])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
