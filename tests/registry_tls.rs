//! TLS to ZooKeeper: of servers that register, of operators and of clients; and what each is told when it cannot be.

mod support;

use calculate::client::{Options, Tls, blocking::Client};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use support::eventually;
use support::peer::is_well;
use support::program::{Ended, PROGRAM, Program};
use support::tls::{key, pem};
use support::zookeeper::{Tree, ZooKeeper};

#[test]
fn a_server_registers_an_operator_orders_and_clients_find_it_over_tls() {
    let tree = open().tree();
    let ca = file(pem("ca"));
    let url = tree.secure_url("localhost");
    let server = Program::serve(&["--register", &url, "--instance-id", "one", "--zk-tls-ca", &ca]);
    tree.registered();
    is_well(server.address);

    let told = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        let registry = format!("{url}/calculate");
        command.args(arguments).env("CALCULATE_REGISTRY", registry).env("CALCULATE_ZK_TLS_CA", &ca);
        Program::to_end(&mut command).stdout
    };
    assert!(told(&["instances"]).contains(&server.address.to_string()));
    assert_eq!(told(&["weight", "one", "7"]), "one has weight 7\n");
    assert_eq!(tree.registered().0.weight, 7);

    let called = call(&format!("{url}/calculate"), &["--zk-tls-ca", &ca]);
    assert_eq!((called.stdout.as_str(), called.code), ("3.0\n", Some(0)), "{}", called.stderr);
    let client = connect(&tree, Some(Tls::with_ca(&ca).expect("authorities")));
    assert_eq!(client.expect("connects").square(9.0).expect("answered"), 3.0);
}

#[test]
fn a_registry_that_wants_certificates_is_shown_them() {
    let tree = closed().tree();
    let (ca, certificate, key) = (file(pem("ca")), file(pem("alice")), file(key("alice")));
    let flags = ["--zk-tls-ca", &ca, "--zk-tls-certificate", &certificate, "--zk-tls-key", &key];
    let url = tree.secure_url("127.0.0.1");
    let _server = Program::serve(&[&["--register", &url, "--instance-id", "one"], &flags[..]].concat());
    tree.registered();
    let listed = calculate(&["instances", &format!("{url}/calculate")], &flags);
    assert!(listed.stdout.contains("one "), "{listed:?}");
    let tls = Tls::with_ca(&ca).and_then(|tls| tls.certificate(&certificate, &key)).expect("files");
    assert_eq!(connect(&tree, Some(tls)).expect("connects").square(9.0).expect("answered"), 3.0);
}

#[test]
fn a_server_without_its_registry_serves_and_says_what_is_wrong_with_tls() {
    let tree = closed().tree();
    let server = Program::serve(&["--register", &tree.secure_url("localhost"), "--zk-tls-ca", &file(pem("ca"))]);
    eventually("it says so", || !server.logged("serving, but not registered").is_empty());
    let said = server.logged("serving, but not registered").remove(0);
    assert!(said.contains("wants a client certificate and none was given; give certificate and key"), "{said}");
    is_well(server.address);
}

#[test]
fn each_fault_is_told_with_what_to_do_about_it() {
    let ca = file(pem("ca"));
    let (stranger, strangers_key) = (file(pem("stranger")), file(key("stranger")));
    let [trusting, strange] = [["--zk-tls-ca", &ca], ["--zk-tls-ca", &file(pem("strange-ca"))]];
    let (expired, elsewhere) = (ZooKeeper::with_tls("expired", "none"), ZooKeeper::with_tls("elsewhere", "none"));
    let of = |zookeeper: &ZooKeeper| zookeeper.tree().secure_url("localhost");
    let plain = open().tree().url();
    let shown = [&trusting[..], &["--zk-tls-certificate", &stranger, "--zk-tls-key", &strangers_key]].concat();
    let cases: [(String, &[&str], &str); 8] = [
        (of(&expired), &trusting, "its certificate has expired; the server needs a new one"),
        (of(&elsewhere), &trusting, "is for elsewhere.test, not for localhost; correct the address\n"),
        (
            of(open()),
            &strange,
            "signed by an authority that is not trusted; if it should be, give the authority's file",
        ),
        (of(open()), &["--zk-tls"], "signed by an authority that is not trusted"),
        (of(closed()), &trusting, "it wants a client certificate and none was given; give certificate and key\n"),
        (of(closed()), &shown, "it refused the client certificate (certificate unknown); is it valid, and from an"),
        (of(open()), &[], "cannot reach the registry at localhost:"),
        (plain, &trusting, "so it may not speak TLS; for a plain port, leave zk-tls out\n"),
    ];
    for (url, flags, why) in cases {
        let ended = calculate(&["instances", &format!("{url}/calculate")], flags);
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{flags:?}: {ended:?}");
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
    let without = calculate(&["instances", &format!("{}/calculate", of(open()))], &[]);
    assert!(without.stderr.contains("does ZooKeeper run there, and without TLS?"), "{}", without.stderr);
}

#[test]
fn a_client_is_told_why_its_registry_is_not_spoken_to() {
    let tree = closed().tree();
    let tls = Tls::with_ca(pem("ca")).expect("authorities");
    let error = connect(&tree, Some(tls)).map(drop).expect_err("refused").to_string();
    assert!(error.contains("cannot speak TLS with the registry at localhost:"), "{error}");
    assert!(error.contains("it wants a client certificate and none was given"), "{error}");
    let named = Tls::with_ca(pem("ca")).and_then(|tls| tls.server_name("zookeeper")).expect("a name");
    let error = connect(&tree, Some(named)).map(drop).expect_err("refused").to_string();
    assert!(
        error.contains("zk-tls: a registry's certificate must be for its host; leave the server name out"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_right_is_wrong_usage() {
    let (alice, key) = (file(pem("alice")), file(key("alice")));
    let cases: [(&str, &[&str], &str); 8] = [
        ("localhost", &["--zk-tls-certificate", &alice], "--zk-tls-key"),
        ("localhost", &["--zk-tls-key", &key], "--zk-tls-certificate"),
        (
            "localhost",
            &["--zk-tls-ca", "/nowhere"],
            "zk-tls: the ca file \"/nowhere\": it cannot be read (no such file",
        ),
        ("localhost", &["--zk-tls-ca", &key], "it does not hold certificates in PEM form"),
        ("localhost", &["--zk-tls-certificate", &alice, "--zk-tls-key", &alice], "it does not hold a private key"),
        (
            "localhost",
            &["--zk-tls-certificate", &alice, "--zk-tls-key", &file(self::key("bob"))],
            "it is not the key of",
        ),
        ("[fe80::1%1]", &["--zk-tls"], "the registry's host \"fe80::1%1\" is neither a DNS name nor an IP address"),
        ("a..b", &["--zk-tls"], "the registry's host \"a..b\" is neither a DNS name nor an IP address"),
    ];
    for (host, flags, why) in cases {
        let url = format!("zk://{host}:1/x");
        let serve = calculate(&["serve", "--listen", "127.0.0.1:0", "--register", &url], flags);
        let order = calculate(&["offline", "one", "--registry", &format!("{url}/calculate")], flags);
        for ended in [serve, order] {
            assert_eq!(ended.code, Some(2), "{flags:?}: {ended:?}");
            assert!(ended.stderr.contains(why), "{}", ended.stderr);
        }
    }
    let call = call("zk://localhost:1/x/calculate", &["--zk-tls-ca", "/nowhere"]);
    assert_eq!(call.code, Some(2), "{call:?}");
}

#[test]
fn an_ipv6_address_is_a_name_too() {
    let ended = calculate(&["instances", "zk://[::1]:1/x/calculate", "--zk-tls-ca", &file(pem("ca"))], &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stderr, "calculate: cannot reach the registry at [::1]:1 by TLS: does ZooKeeper run there?\n");
}

#[test]
fn a_new_session_is_opened_with_what_the_files_hold_then() {
    let zookeeper = ZooKeeper::with_tls("server", "need");
    let tree = zookeeper.tree();
    let folder = std::env::temp_dir().join(format!("calculate-registry-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let files = [folder.join("own.pem"), folder.join("own.key")];
    let become_ = |name| {
        std::fs::copy(pem(name), &files[0]).expect("copied");
        std::fs::copy(key(name), &files[1]).expect("copied");
    };
    become_("alice");
    let (ca, [certificate, own_key]) = (file(pem("ca")), files.clone().map(file));
    let flags = ["--zk-tls-ca", &ca, "--zk-tls-certificate", &certificate, "--zk-tls-key", &own_key];
    let server = Program::serve(&[&["--register", &tree.secure_url("localhost")], &flags[..]].concat());
    let (_, stat) = tree.registered();
    std::fs::write(&files[0], "rubbish").expect("written");
    zookeeper.expire(stat.ephemeral_owner);
    eventually("it says what is wrong", || !server.logged("it does not hold certificates in PEM form").is_empty());
    is_well(server.address);
    become_("bob");
    eventually("it is there again", || tree.ids().len() == 1);
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// One that anybody may speak to.
fn open() -> &'static ZooKeeper {
    static OPEN: OnceLock<ZooKeeper> = OnceLock::new();
    OPEN.get_or_init(|| ZooKeeper::with_tls("server", "none"))
}

/// One that wants certificates.
fn closed() -> &'static ZooKeeper {
    static CLOSED: OnceLock<ZooKeeper> = OnceLock::new();
    CLOSED.get_or_init(|| ZooKeeper::with_tls("server", "need"))
}

fn connect(tree: &Tree, zk_tls: Option<Tls>) -> Result<Client, calculate::client::CalculateError> {
    let target = format!("{}/calculate", tree.secure_url("localhost"));
    let timeout = std::time::Duration::from_secs(2);
    Client::connect(target.parse().expect("a target"), Options { zk_tls, timeout, ..Options::default() })
}

fn call(server: &str, flags: &[&str]) -> Ended {
    calculate(&["call", "square", "9", "--server", server], flags)
}

fn calculate(arguments: &[&str], flags: &[&str]) -> Ended {
    Program::to_end(Command::new(PROGRAM).args(arguments).args(flags))
}

fn file(path: PathBuf) -> String {
    path.to_str().expect("text").to_owned()
}
