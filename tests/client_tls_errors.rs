//! What the Rust client says when there is no TLS with a server: which check failed, and what to do.

mod support;

use calculate::client::error::TransportError;
use calculate::client::{CalculateError, Client, Options, Target, Tls};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use std::fs;
use std::path::PathBuf;
use support::fake::*;
use support::program::Program;
use support::tls::{flags, key, pem, server, server_builder, server_for_known_clients};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ALL_VERSIONS, ServerConfig};

fn trusting() -> Tls {
    Tls::with_ca(pem("ca")).expect("make certs")
}

fn showing(name: &str) -> Tls {
    trusting().certificate(pem(name), key(name)).expect("make certs")
}

async fn connect(target: Target, tls: Tls) -> Result<Client, CalculateError> {
    Client::connect(target, Options { tls: Some(tls), ..Options::default() }).await
}

/// There is no connection, for the reason `why` and with the advice that belongs to it; the cause is kept.
async fn is_refused(target: Target, tls: Tls, why: &str) {
    let error = connect(target.clone(), tls).await.expect_err("no TLS");
    assert_eq!(error.to_string(), format!("cannot connect to {target} with TLS: {why}"));
    assert!(matches!(error, CalculateError::Transport(TransportError::ConnectError(_, Some(_)))), "{error:?}");
}

/// The real server, under TLS, with a certificate of `make certs`.
fn serve(mode: &str, certificate: &str, more: &[&str]) -> (Program, Target) {
    let flags = flags(mode, certificate);
    let server = Program::serve(&[&flags.iter().map(String::as_str).collect::<Vec<_>>(), more].concat());
    let target = server.address.to_string().parse().expect("a target");
    (server, target)
}

#[tokio::test]
async fn a_certificate_that_is_not_to_be_trusted_is_told_by_what_is_wrong_with_it() {
    let why = [
        ("expired", "its certificate has expired; the server needs a new one (or is this machine's clock wrong?)"),
        (
            "strange-server",
            "its certificate is signed by an authority that is not trusted; if it should be, give the authority's file (ca)",
        ),
        (
            "elsewhere",
            "its certificate is for elsewhere.test, not for 127.0.0.1; correct the address, or give the server name",
        ),
    ];
    for (certificate, why) in why {
        let (_server, target) = serve("require", certificate, &[]);
        is_refused(target, trusting(), why).await;
        for versions in [&[&TLS12], &[&TLS13]] {
            let server = Fake::encrypted(server(certificate, versions), vec![silent()]);
            is_refused(server.target(), trusting(), why).await;
        }
    }
    let (_server, target) = serve("require", "server", &[]);
    let why = "its certificate is for localhost, 127.0.0.1, ::1, not for example.test; \
               correct the address, or give the server name";
    is_refused(target, trusting().server_name("example.test").expect("a name"), why).await;
}

#[tokio::test]
async fn certificates_that_are_wrong_in_rarer_ways_are_told_too() {
    let cases: [(Change, &str); 5] = [
        (
            |params| params.not_before = OffsetDateTime::now_utc() + Duration::days(1),
            "its certificate is not valid yet; is this machine's clock right?",
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "its certificate is not made for servers; the server needs another one",
        ),
        (
            |params| params.subject_alt_names.clear(),
            "its certificate is for another name, not for 127.0.0.1; correct the address, or give the server name",
        ),
        (
            |params| {
                params.subject_alt_names =
                    (0..3).map(|n| SanType::DnsName(format!("n{n}.test").try_into().expect("ASCII"))).collect();
            },
            "its certificate is for n0.test, n1.test, n2.test, not for 127.0.0.1; \
             correct the address, or give the server name",
        ),
        (
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            "its certificate is that of an authority; the server needs one of its own, signed by it",
        ),
    ];
    for (change, why) in cases {
        let authority = Authority::new();
        let server = Fake::encrypted(authority.server(change), vec![silent()]);
        is_refused(server.target(), authority.trusted(), why).await;
    }
    let authority = Authority::new();
    let server = Fake::encrypted(authority.server(|_| ()), vec![echo()]);
    let client = connect(server.target(), authority.trusted()).await.expect("as it should be, it is trusted");
    assert_eq!(client.square(2.0).await.expect("an answer"), 2.0);
}

#[tokio::test]
async fn an_authority_that_was_made_anew_under_its_name_is_another() {
    let server = Fake::encrypted(Authority::new().server(|_| ()), vec![silent()]);
    let why = "its certificate is signed by an authority that is not trusted; \
               if it should be, give the authority's file (ca)";
    is_refused(server.target(), Authority::new().trusted(), why).await;
}

#[tokio::test]
async fn a_port_without_tls_is_told_as_far_as_it_can_be() {
    let plain = Program::serve(&[]);
    let target = plain.address.to_string().parse().expect("a target");
    let closed =
        "it closed the connection as TLS began, so it may not speak TLS; for a plain Thrift port, connect without TLS";
    is_refused(target, trusting(), closed).await;
    let talkative = |said: &'static [u8]| {
        Fake::serve(vec![script(move |client| {
            client.send(said);
            let _ = client.end();
        })])
    };
    let plain = "it does not speak TLS; for a plain Thrift port, connect without TLS";
    for said in [&b"\0\0\0\x10\x80\x01\0\x03"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x80\x01\0\x03\0\0\0\0"] {
        is_refused(talkative(said).target(), trusting(), plain).await;
    }
    let closing = Fake::serve(vec![script(|_| ())]);
    is_refused(closing.target(), trusting(), closed).await;
}

#[tokio::test]
async fn a_server_with_no_version_or_cipher_in_common_is_told() {
    // As older and stricter servers say it.
    for (alert, name) in [(40, "handshake failure"), (70, "protocol version"), (71, "insufficient security")] {
        let server = Fake::serve(vec![script(move |client| {
            client.send(&[0x15, 3, 1, 0, 2, 2, alert]);
            let _ = client.end();
        })]);
        let why = format!("no TLS version or cipher in common ({name}); this client speaks TLS 1.2 and 1.3");
        is_refused(server.target(), trusting(), &why).await;
    }
}

#[tokio::test]
async fn a_server_that_chooses_an_old_version_is_told() {
    // A ServerHello of TLS 1.1, cipher 0x002f, without extensions.
    let hello = [&[0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let server = Fake::serve(vec![script(move |client| {
        client.send(&hello);
        let _ = client.end();
    })]);
    let error = connect(server.target(), trusting()).await.expect_err("no TLS").to_string();
    let address = &server.address;
    assert!(
        error.starts_with(&format!("cannot connect to {address} with TLS: no TLS version or cipher in common (")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_midway_is_told_apart_from_one_that_does_not_speak_tls() {
    let server = Fake::serve(vec![script(|client| client.send(&[0x16, 3, 3, 0, 42, 2, 0]))]);
    is_refused(server.target(), trusting(), "it closed the connection during the TLS handshake").await;
}

#[tokio::test]
async fn other_alerts_keep_their_names() {
    for (alert, why) in [
        (80, "the handshake failed (internal error)"),
        (112, "it has no certificate for 127.0.0.1; correct the address, or give the server name"),
    ] {
        let server = Fake::serve(vec![script(move |client| {
            client.send(&[0x15, 3, 3, 0, 2, 2, alert]);
            let _ = client.end();
        })]);
        is_refused(server.target(), trusting(), why).await;
    }
}

const WANTED: &str = "it wants a client certificate and none was given; give certificate and key";

const REFUSED: &str = "it refused the client certificate (unknown ca); is it valid, and from an authority it trusts?";

#[tokio::test]
async fn a_client_certificate_that_is_wanted_or_refused_under_tls_1_2_is_told_when_connecting() {
    for (tls, why) in [(trusting(), WANTED), (showing("stranger"), REFUSED)] {
        let server = Fake::encrypted(server_for_known_clients(&[&TLS12]), vec![silent()]);
        is_refused(server.target(), tls, why).await;
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_wanted_or_refused_under_tls_1_3_is_told_by_the_call() {
    let ca = pem("ca");
    let (_server, target) = serve("require", "server", &["--tls-client-ca", ca.to_str().expect("UTF-8")]);
    for (tls, why) in [(trusting(), WANTED), (showing("stranger"), REFUSED)] {
        // Often enough to meet the alert before, while and after the call is sent.
        for _ in 0..20 {
            let client = connect(target.clone(), tls.clone()).await.expect("the server says no later");
            for _ in 0..2 {
                let error = client.square(9.0).await.expect_err("it says no");
                assert!(
                    matches!(error, CalculateError::Transport(TransportError::ConnectionClosed(_, Some(_)))),
                    "{error:?}"
                );
                assert_eq!(error.to_string(), format!("{target} closed the connection: {why}"));
            }
        }
    }
}

#[tokio::test]
async fn a_plain_client_of_a_port_that_requires_tls_is_asked_whether_it_wants_that() {
    let (_server, target) = serve("require", "server", &[]);
    for _ in 0..20 {
        let client = Client::connect(target.clone(), Options::default()).await.expect("it accepts");
        let error = client.square(9.0).await.expect_err("it wants TLS");
        assert!(matches!(error, CalculateError::Transport(TransportError::ConnectionClosed(..))), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&target.to_string()) && text.contains("the call may have been carried out"), "{text}");
        assert!(text.ends_with("; if the server wants TLS, connect with TLS"), "{text}");
    }
}

#[tokio::test]
async fn a_plain_client_that_is_answered_by_an_alert_is_told_what_it_is() {
    let server = Fake::serve(vec![script(|client| {
        client.call();
        client.send(&[0x15, 3, 1, 0, 2, 2, 70]);
        let _ = client.end();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("it accepts");
    let error = client.square(9.0).await.expect_err("it wants TLS");
    let text = format!("{} closed the connection, as it wants TLS; connect with TLS", server.address);
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_server_that_answered_before_is_not_suspected_of_wanting_tls() {
    let server = Fake::serve(vec![script(|client| {
        let call = client.call();
        client.answer(&call);
        client.call();
    })]);
    let client = Client::connect(server.target(), Options::default()).await.expect("a server");
    assert_eq!(client.square(1.0).await.expect("an answer"), 1.0);
    let error = client.square(2.0).await.expect_err("it ends");
    assert!(!error.to_string().contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_before_it_is_asked_is_refused() {
    let server = Fake::encrypted(
        server("server", &[&TLS12]),
        vec![script(|client| {
            client.send(b"220 welcome");
            let _ = client.end();
        })],
    );
    // It comes with the handshake's end or after it.
    let outcome = connect(server.target(), trusting()).await;
    let error = match outcome {
        Err(error) => error,
        Ok(client) => client.square(1.0).await.expect_err("that was no reply"),
    };
    assert!(error.to_string().contains(&server.address), "{error}");
}

#[tokio::test]
async fn a_name_that_cannot_be_checked_is_refused_before_anything_is_sent() {
    let server = Fake::encrypted_on_unix(server("server", ALL_VERSIONS), vec![silent()]);
    let texts = [
        (
            server.target(),
            format!("tls: {} has no host that the certificate could be for; give the server name", server.address),
        ),
        ("a..b:9090".parse().expect("a target"), no_name("a..b")),
    ];
    for (target, text) in texts {
        let error = connect(target, trusting()).await.expect_err("no name");
        assert!(matches!(error, CalculateError::Transport(TransportError::ConnectError(_, Some(_)))), "{error:?}");
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(server.connections(), 0);
}

fn no_name(name: &str) -> String {
    format!("tls: the server name {name:?} is neither a DNS name nor an IP address; write it without port and brackets")
}

#[test]
fn files_that_are_not_what_they_should_be_are_named_with_what_is_wrong() {
    let folder = Folder::new();
    let missing = folder.0.join("missing.pem");
    let words = folder.file("words.pem", "hello");
    let empty = folder.file("empty.pem", "");
    let cut = folder.file("cut.pem", &fs::read_to_string(pem("ca")).expect("make certs")[..200]);
    let garbled = folder.file("garbled.pem", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    let no_certificate = folder.file("no.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let locked =
        folder.file("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let old_locked = folder.file(
        "old.key",
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n",
    );
    let no_key = folder.file("no.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let (alice, alices_key) = (pem("alice"), key("alice"));

    for (file, why) in [
        (&missing, "it cannot be read (no such file or directory)"),
        (&folder.0, "it cannot be read (is a directory)"),
        (&words, "it does not hold certificates in PEM form"),
        (&empty, "it does not hold certificates in PEM form"),
        (&alices_key, "it does not hold certificates in PEM form"),
        (&cut, "it does not hold certificates in PEM form"),
        (&garbled, "it does not hold certificates in PEM form"),
    ] {
        let error = Tls::with_ca(file).expect_err("no authority").to_string();
        assert_eq!(error, format!("tls: the ca file {file:?}: {why}"));
        let error = trusting().certificate(file, &alices_key).expect_err("no certificate").to_string();
        assert_eq!(error, format!("tls: the certificate file {file:?}: {why}"));
    }
    let error = Tls::with_ca(&no_certificate).expect_err("no authority").to_string();
    assert_eq!(error, format!("tls: the ca file {no_certificate:?}: it holds a certificate that is broken"));
    let error = trusting().certificate(&no_certificate, &alices_key).expect_err("no certificate").to_string();
    assert_eq!(error, format!("tls: the certificate file {no_certificate:?}: it holds a certificate that is broken"));
    let not_its_key = format!("it is not the key of the certificate in {alice:?}");
    for (file, why) in [
        (&missing, "it cannot be read (no such file or directory)"),
        (&words, "it does not hold a private key in PEM form"),
        (&alice, "it does not hold a private key in PEM form"),
        (&locked, "it is encrypted; decrypt it, as with 'openssl pkey'"),
        (&old_locked, "it is encrypted; decrypt it, as with 'openssl pkey'"),
        (&key("bob"), &not_its_key),
    ] {
        let error = trusting().certificate(&alice, file).expect_err("no key").to_string();
        assert_eq!(error, format!("tls: the key file {file:?}: {why}"));
    }
    let error = trusting().certificate(&alice, &no_key).expect_err("no key").to_string();
    assert!(error.starts_with(&format!("tls: the key file {no_key:?}: it cannot be used (")), "{error}");
}

#[test]
fn what_is_no_name_is_refused_when_it_is_given() {
    for name in ["", "two words", "a..b", "-"] {
        assert_eq!(trusting().server_name(name).expect_err(name).to_string(), no_name(name));
    }
    for name in ["localhost", "127.0.0.1", "::1", "a.b-c.test"] {
        trusting().server_name(name).expect(name);
    }
}

#[test]
fn what_is_printed_of_it_holds_no_key() {
    let printed = format!("{:?}", Options { tls: Some(showing("alice")), ..Options::default() });
    assert!(printed.contains("Tls { authorities: 1, certificate: true, server_name: None }"), "{printed}");
}

/// What is other than it should be with a certificate.
type Change = fn(&mut CertificateParams);

/// An authority of the test's own, always of one name.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: Folder,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "one of the tests' authorities");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let folder = Folder::new();
        folder.file("ca.pem", &params.self_signed(&key).expect("a certificate").pem());
        Authority { issuer: Issuer::new(params, key), folder }
    }

    fn trusted(&self) -> Tls {
        Tls::with_ca(self.folder.0.join("ca.pem")).expect("it was written")
    }

    /// A server for 127.0.0.1 whose certificate is signed after `change`.
    fn server(&self, change: Change) -> ServerConfig {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        server_builder(ALL_VERSIONS).with_no_client_auth().with_single_cert(chain, key.into()).expect("a pair")
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let folder = socket_path().with_extension("folder");
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, content).expect("it is written");
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
