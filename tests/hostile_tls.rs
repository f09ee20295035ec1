//! TLS from clients that do not mean it: handshakes that stop anywhere, and certificates with names that are traps.

mod support;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use support::log::is_clean;
use support::message::*;
use support::peer::{Peer, all_of};
use support::program::Program;
use support::tls::{Client, flags, pem};
use support::{DEADLINE, eventually};
use tokio_rustls::rustls::SupportedProtocolVersion;
use tokio_rustls::rustls::version::{TLS12, TLS13};

const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

/// Between one place where a handshake is cut and the next.
const STEP: usize = 20;

#[test]
fn handshakes_that_stop_anywhere_are_cut_at_their_deadline_and_hold_nobody_up() {
    let mut server = serve("require", &["--tls-handshake-timeout", "1"]);
    showing("alice", VERSIONS[1]).connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    let before = server.descriptors();
    for versions in VERSIONS {
        let cuts = cuts(&server, versions);
        assert!(cuts.len() > 30, "both flights of the client are cut: {cuts:?}");
        let mut stalled: Vec<TcpStream> = cuts.iter().map(|&cut| begin(&server, versions, cut)).collect();
        showing("alice", versions).connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
        for stream in &mut stalled {
            all_of(stream);
        }
    }
    eventually("nothing of them is left", || server.descriptors() <= before);
    assert!(!server.logged("TLS handshake: not done after 1 s").is_empty());
    assert!(server.lives());
}

#[test]
fn handshakes_that_end_anywhere_are_forgotten() {
    let mut server = serve("allow", &[]);
    showing("alice", VERSIONS[1]).connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    let before = server.descriptors();
    for versions in VERSIONS {
        for cut in cuts(&server, versions) {
            // By an end of stream, and by a close that the kernel makes a reset, as the server's flight is unread.
            let mut ended = begin(&server, versions, cut);
            ended.shutdown(std::net::Shutdown::Write).expect("shut");
            all_of(&mut ended);
            drop(begin(&server, versions, cut));
        }
    }
    eventually("nothing of them is left", || server.descriptors() <= before);
    showing("alice", VERSIONS[0]).connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    assert!(server.lives());
    assert!(server.log().len() < 60, "a line a second, not one a handshake");
    server.log().iter().for_each(|line| is_clean(line));
}

#[test]
fn an_address_where_a_host_name_belongs_costs_the_log_no_line() {
    let server = serve("require", &[]);
    for _ in 0..10 {
        let mut hello = hello(&server, VERSIONS[1]);
        let name = hello.windows(9).position(|part| part == b"localhost").expect("the name that is asked for");
        hello[name..name + 9].copy_from_slice(b"127.0.0.1");
        let mut stream = connect(&server);
        stream.write_all(&hello).expect("sent");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        assert_eq!(all_of(&mut stream).first(), Some(&0x16), "it goes on with the handshake");
    }
    eventually("their ends are logged", || !server.logged("TLS handshake").is_empty());
    assert!(server.logged("rustls").is_empty(), "{:?}", server.logged("rustls"));
}

#[test]
fn a_handshake_with_any_bit_wrong_is_refused_in_words_that_show_no_inside() {
    let mut server = serve("require", &[]);
    for versions in VERSIONS {
        let length = hello(&server, versions).len();
        for bit in (0..length * 8).step_by(37) {
            let mut broken = hello(&server, versions);
            broken[bit / 8] ^= 1 << (bit % 8);
            let mut stream = connect(&server);
            stream.write_all(&broken).expect("sent");
            let _ = stream.shutdown(std::net::Shutdown::Write);
            all_of(&mut stream);
        }
    }
    showing("alice", VERSIONS[0]).connect(server.address, FRAMED_BINARY).expect("a handshake").is_served();
    assert!(server.lives());
    assert!(!server.logged("TLS handshake").is_empty());
    server.log().iter().for_each(|line| is_clean(line));
}

#[test]
fn certificates_that_are_refused_are_logged_in_words() {
    let server = serve("require", &[]);
    for (shown, why) in [
        ("stranger", "the client's certificate is refused: no authority in tls-client-ca signed it"),
        ("expired", "the client's certificate is refused: it has expired"),
        ("server", "the client's certificate is refused: it is not for clients"),
    ] {
        // A line a second: until this one's turn comes.
        eventually(why, || {
            if let Ok(mut peer) = showing(shown, VERSIONS[1]).connect(server.address, FRAMED_BINARY) {
                let _ = peer.stream.read(&mut [0]);
            }
            !server.logged(why).is_empty()
        });
    }
    server.log().iter().for_each(|line| is_clean(line));
}

#[test]
fn names_in_a_certificate_that_forge_log_lines_forge_none() {
    let folder = Folder::new();
    let forged = "alice\n[2026-01-01T00:00:00Z INFO  calculate] all is permitted\r\u{1b}[2J";
    folder.write_authority_and_client(forged);
    let list = folder.file("list");
    fs::write(&list, "allow cn:alice *\nallow cert:alice.clients.test *\n").expect("written");
    let ca = folder.file("ca.pem");
    let mut arguments = flags("require", "server");
    arguments.extend(["--tls-client-ca", &ca, "--access", &list].map(str::to_owned));
    let server = Program::serve(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    for versions in VERSIONS {
        let client = Client { versions, ..Client::default() };
        let stream = TcpStream::connect(server.address).expect("connects");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        let shown = client.over_showing(stream, &folder.0.join("client.pem"), &folder.0.join("client.key"));
        let mut peer = Peer::over(shown.expect("a handshake"), FRAMED_BINARY);
        peer.square(1, 9.0);
        let (code, text) = peer.reply().exception();
        assert_eq!(code, 10, "neither name is one that the list knows: {text}");
        is_clean(&text);
    }
    eventually("the refusal is logged", || !server.logged("not permitted").is_empty());
    server.log().iter().for_each(|line| is_clean(line));
    assert!(server.logged("all is permitted").iter().all(|line| line.contains("not permitted")));
}

fn serve(mode: &str, more: &[&str]) -> Program {
    let mut arguments = flags(mode, "server");
    arguments.extend(["--tls-client-ca", pem("ca").to_str().expect("UTF-8")].map(str::to_owned));
    Program::serve(&[&arguments.iter().map(String::as_str).collect::<Vec<_>>(), more].concat())
}

fn showing(certificate: &'static str, versions: &'static [&'static SupportedProtocolVersion]) -> Client {
    Client { versions, ..Client::showing(certificate) }
}

fn connect(server: &Program) -> TcpStream {
    let stream = TcpStream::connect(server.address).expect("connects");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream
}

/// Where to cut a handshake: after every [`STEP`] bytes that its client writes.
fn cuts(server: &Program, versions: &'static [&'static SupportedProtocolVersion]) -> Vec<usize> {
    let whole = Cut { stream: connect(server), left: usize::MAX };
    let left = showing("alice", versions).over(whole).expect("a handshake").sock.left;
    (STEP..usize::MAX - left).step_by(STEP).collect()
}

/// A connection whose client has written `cut` bytes of its handshake, and waits.
fn begin(server: &Program, versions: &'static [&'static SupportedProtocolVersion], cut: usize) -> TcpStream {
    let stream = connect(server);
    let kept = stream.try_clone().expect("a second handle");
    // Where the cut is in its last message the client may believe to be done.
    let _ = showing("alice", versions).over(Cut { stream, left: cut });
    kept
}

/// A ClientHello.
fn hello(server: &Program, versions: &'static [&'static SupportedProtocolVersion]) -> Vec<u8> {
    let mut written = Vec::new();
    let recorder = Recorder { written: &mut written };
    assert!(showing("alice", versions).over(recorder).is_err(), "nobody answers");
    assert!(!written.is_empty(), "{}", server.address);
    written
}

/// A stream that stops after some bytes.
struct Cut {
    stream: TcpStream,
    left: usize,
}

impl Read for Cut {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.read(bytes)
    }
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(self.left)];
        if bytes.is_empty() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = self.stream.write(bytes)?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A stream that nobody answers.
struct Recorder<'a> {
    written: &'a mut Vec<u8>,
}

impl Read for Recorder<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl Write for Recorder<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder for an authority of this test's own and what it signs.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let folder = std::env::temp_dir().join(format!("calculate-hostile-tls-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Writes `ca.pem`, `client.pem` and `client.key`: the client's names are all `name`.
    fn write_authority_and_client(&self, name: &str) {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        fs::write(self.file("ca.pem"), authority.self_signed(&key).expect("signed").pem()).expect("written");
        let issuer = Issuer::new(authority, key);
        let mut client = CertificateParams::default();
        client.distinguished_name.push(DnType::CommonName, name);
        client.subject_alt_names =
            vec![SanType::DnsName(name.try_into().expect("ASCII")), SanType::URI(name.try_into().expect("ASCII"))];
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        fs::write(self.file("client.pem"), client.signed_by(&key, &issuer).expect("signed").pem()).expect("written");
        fs::write(self.file("client.key"), key.serialize_pem()).expect("written");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
