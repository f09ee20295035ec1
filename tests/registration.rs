//! A server in a registry: there when it serves, there again whatever became of its node, gone before it drains.

mod support;

use calculate::wire::Protocol;
use rustix::process::Signal;
use std::net::TcpListener;
use std::process::Command;
use support::eventually;
use support::message::{CALL, FRAMED_BINARY, framed_message, number};
use support::peer::{Peer, is_well};
use support::program::{PROGRAM, Program};
use support::tls;
use support::zookeeper::{Tree, ZooKeeper};
use zookeeper_client::{CreateMode, Error};

#[test]
fn a_server_that_serves_is_registered_as_it_was_started() {
    let tree = ZooKeeper::shared().tree();
    let server = serve(&tree, &["--group", "blue", "--zone", "a", "--weight", "50", "--service-version", "1,2"]);
    let (instance, stat) = tree.registered();
    is_well(server.address);
    assert_ne!(stat.ephemeral_owner, 0, "it goes with the server");
    assert_eq!(instance.endpoint(), server.address.to_string());
    assert_eq!(instance.id, server.address.to_string().replace(':', "-"));
    assert_eq!((instance.name.as_str(), instance.ssl_port, instance.enabled), ("calculate", None, true));
    assert_eq!((instance.group.as_str(), instance.zone.as_str(), instance.weight), ("blue", "a", 50));
    assert_eq!(instance.versions, [1, 2]);
    assert_eq!(instance.encodings, "framed,unframed,theader,ttheader");
    assert!(instance.idl.starts_with("sha256:") && instance.idl.len() == 7 + 64);
    assert_eq!(server.logged("registered").len(), 1);
    let json = String::from_utf8(tree.get(&format!("calculate/{}", instance.id)).expect("there").0).expect("text");
    for written in [r#""sslPort":null"#, r#""serviceType":"DYNAMIC""#, r#""version":"1,2""#, r#""weight":"50""#] {
        assert!(json.contains(written), "{json}");
    }
}

#[test]
fn each_version_has_a_name_of_its_own() {
    let server = Program::serve(&["--service-version", "1,2"]);
    let mut peer = Peer::new(server.address);
    let call = |name| framed_message(FRAMED_BINARY, name, CALL, 1, &number(Protocol::Binary, 9.0));
    for name in ["Square", "Calculate:Square", "Calculate.v2:Square"] {
        peer.send(&call(name));
        assert_eq!(peer.reply().number(), 3.0, "{name}");
    }
    peer.send(&call("Calculate.v3:Square"));
    assert_eq!(peer.reply().exception().0, 1, "an unknown method");
}

#[test]
fn the_port_for_tls_is_told_apart() {
    for (mode, plain, encrypted) in [("allow", true, true), ("require", false, true)] {
        let tree = ZooKeeper::shared().tree();
        let flags = tls::flags(mode, "server");
        let server = serve(&tree, &flags.iter().map(String::as_str).collect::<Vec<_>>());
        let (instance, _) = tree.registered();
        let port = server.address.port();
        assert_eq!((instance.port, instance.ssl_port), (plain.then_some(port), encrypted.then_some(port)), "{mode}");
    }
}

#[test]
fn a_server_that_cannot_serve_is_never_registered() {
    let tree = ZooKeeper::shared().tree();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = Program::to_end(Command::new(PROGRAM).args(["serve", "--listen", &address, "--register", &tree.url()]));
    assert_eq!(ended.code, Some(1));
    assert!(tree.ids().is_empty() && tree.get("calculate").is_none());
}

#[test]
fn what_cannot_be_registered_is_exit_code_2_and_one_line() {
    let cases: [(&[&str], &str); 7] = [
        (&["--register", "127.0.0.1:2181"], "zk://HOST:PORT"),
        (&["--register", "zk://127.0.0.1:1/x", "--listen", "0.0.0.0:0"], "--advertise HOST:PORT"),
        (&["--register", "zk://127.0.0.1:1/x", "--advertise", "nowhere"], "advertise is \"nowhere\""),
        (&["--register", "zk://127.0.0.1:1/x", "--instance-id", "a/b"], "instance-id is \"a/b\""),
        (&["--register", "zk://127.0.0.1:1/x", "--weight", "10001"], "weight is 10001"),
        (&["--register", "zk://127.0.0.1:1/x", "--service-version", "2,1"], "service-version"),
        (&["--register", "zk://127.0.0.1:1/x", "--zk-auth", "nobody"], "user:password"),
    ];
    for (arguments, says) in cases {
        let mut command = Command::new(PROGRAM);
        let ended = Program::to_end(command.arg("serve").args(arguments).env("CALCULATE_LISTEN", "127.0.0.1:0"));
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn an_expired_session_and_a_deleted_node_bring_it_back_once() {
    let (zookeeper, tree) = (ZooKeeper::shared(), ZooKeeper::shared().tree());
    let server = serve(&tree, &[]);
    let (first, mut stat) = tree.registered();
    for _ in 0..3 {
        zookeeper.expire(stat.ephemeral_owner);
        stat = back_with_another_node(&tree, stat.czxid);
    }
    for _ in 0..3 {
        tree.delete(&format!("calculate/{}", first.id)).expect("it is there");
        stat = back_with_another_node(&tree, stat.czxid);
    }
    let (last, _) = tree.registered();
    assert_eq!(last, first, "it is the same registration");
    assert_eq!(server.logged("again, as its node was gone").len(), 6);
    assert_eq!(server.logged(" ERROR ").len(), 0);
    is_well(server.address);
}

#[test]
fn what_others_write_into_its_node_does_not_stay() {
    let tree = ZooKeeper::shared().tree();
    let _server = serve(&tree, &[]);
    let (first, _) = tree.registered();
    tree.set(&format!("calculate/{}", first.id), b"rubbish").expect("it is there");
    eventually("it is as it was", || {
        let (content, _) = tree.get(&format!("calculate/{}", first.id)).expect("there");
        content == first.to_json()
    });
}

#[test]
fn a_server_that_was_paused_comes_back() {
    let tree = ZooKeeper::shared().tree();
    let server = serve(&tree, &["--zk-session-timeout", "0.5"]);
    let (first, stat) = tree.registered();
    server.signal(Signal::STOP);
    eventually("its session has run out", || tree.ids().is_empty());
    server.signal(Signal::CONT);
    back_with_another_node(&tree, stat.czxid);
    assert_eq!(tree.registered().0, first);
    is_well(server.address);
}

#[test]
fn a_server_that_was_killed_goes_when_its_session_has_run_out() {
    let tree = ZooKeeper::shared().tree();
    let server = serve(&tree, &["--zk-session-timeout", "0.5"]);
    tree.registered();
    server.signal(Signal::KILL);
    eventually("its session has run out", || tree.ids().is_empty());
}

#[test]
fn a_server_that_was_killed_and_starts_again_replaces_its_node_in_one_step() {
    let tree = ZooKeeper::shared().tree();
    let mut killed = serve(&tree, &["--zk-session-timeout", "4"]);
    let (first, stat) = tree.registered();
    killed.signal(Signal::KILL);
    assert_eq!(killed.exit_code(), None);
    let again = serve(&tree, &["--listen", &killed.address.to_string()]);
    back_with_another_node(&tree, stat.czxid);
    let (second, _) = tree.registered();
    assert_eq!(second.id, first.id);
    assert!(second.registered_ms >= first.registered_ms);
    assert_eq!(again.logged(" ERROR ").len(), 0, "it did not wait for the old node's end");
}

#[test]
fn without_a_registry_at_the_start_it_serves_and_says_so_once() {
    let zookeeper = ZooKeeper::start();
    let tree = zookeeper.tree();
    zookeeper.tell("stop");
    // In its place somebody who hangs up, so that the tries can be counted.
    let hangs_up = TcpListener::bind(&zookeeper.address).expect("its port is free");
    let server = serve(&tree, &[]);
    for _ in 0..4 {
        drop(hangs_up.accept().expect("a try"));
    }
    is_well(server.address);
    assert_eq!(server.logged("serving, but not registered: cannot reach the registry").len(), 1, "{:?}", server.log());
    drop(hangs_up);
    zookeeper.tell("start");
    tree.registered();
    assert_eq!(server.logged("serving, but not registered").len(), 1);
}

#[test]
fn a_registry_that_was_away_and_comes_back_with_nothing_has_it_again() {
    let zookeeper = ZooKeeper::start();
    let tree = zookeeper.tree();
    let server = serve(&tree, &[]);
    let (first, _) = tree.registered();
    zookeeper.tell("stop");
    eventually("it notices", || server.logged("the registry does not answer").len() == 1);
    is_well(server.address);
    zookeeper.tell("clear");
    assert_eq!(tree.registered().0, first);
    is_well(server.address);
}

#[test]
fn a_registry_that_was_away_for_a_moment_finds_the_node_as_it_was() {
    let zookeeper = ZooKeeper::start();
    let tree = zookeeper.tree();
    let server = serve(&tree, &["--zk-session-timeout", "4"]);
    let (first, _) = tree.registered();
    zookeeper.tell("stop");
    zookeeper.tell("start");
    assert_eq!(tree.registered().0, first);
    // The session goes on: what is done with the node is noticed.
    tree.delete(&format!("calculate/{}", first.id)).expect("it is there");
    assert_eq!(tree.registered().0, first);
    assert_eq!(server.logged(" ERROR ").len(), 0);
}

#[test]
fn an_ensemble_that_loses_its_leader_goes_on_with_the_registration() {
    let zookeeper = ZooKeeper::of_nodes(3);
    let tree = zookeeper.tree();
    let mut server = serve(&tree, &["--lame-duck", "0"]);
    let (first, _) = tree.registered();
    for _ in 0..3 {
        let leader = zookeeper.tell("leader").replace("leader ", "");
        zookeeper.tell(&format!("stop {leader}"));
        assert_eq!(tree.registered().0, first);
        is_well(server.address);
        // The session has moved to another node, or another session has been opened: what is done is noticed.
        tree.delete(&format!("calculate/{}", first.id)).expect("it is there");
        assert_eq!(tree.registered().0, first);
        zookeeper.tell(&format!("start {leader}"));
    }
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    eventually("it has left", || tree.ids().is_empty());
}

#[test]
fn it_leaves_the_registry_and_then_serves_until_clients_have_learnt_of_it() {
    let tree = ZooKeeper::shared().tree();
    let mut server = serve(&tree, &["--lame-duck", "600s"]);
    tree.registered();
    let mut early = Peer::new(server.address);
    early.is_served();
    server.terminate();
    eventually("it has left", || tree.ids().is_empty());
    // Those it knows, and those that come with an old list.
    early.is_served();
    is_well(server.address);
    assert!(server.lives());
    server.signal(Signal::INT);
    assert_eq!(server.exit_code(), Some(1), "a second signal does not wait");
}

#[test]
fn it_leaves_waits_and_drains_in_this_order() {
    let tree = ZooKeeper::shared().tree();
    let mut server = serve(&tree, &["--lame-duck", "0.1"]);
    tree.registered();
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    assert!(tree.ids().is_empty());
    let log = server.log();
    let at = |text: &str| log.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {log:?}"));
    let order = [at("SIGTERM"), at("has left the registry"), at("serving for 100ms more"), at("drained")];
    assert!(order.is_sorted(), "{log:?}");
}

#[test]
fn a_registry_that_is_away_does_not_hold_up_the_end() {
    let zookeeper = ZooKeeper::start();
    let tree = zookeeper.tree();
    let mut server = serve(&tree, &["--lame-duck", "0"]);
    tree.registered();
    zookeeper.tell("stop");
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    assert_eq!(server.logged("may still be in the registry").len(), 1);
    // One that was never registered has nobody to wait for.
    let mut server = serve(&tree, &["--lame-duck", "600"]);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn of_two_servers_with_one_id_the_second_says_so_and_waits() {
    let tree = ZooKeeper::shared().tree();
    let mut first = serve(&tree, &["--instance-id", "one", "--lame-duck", "0"]);
    let (registered, stat) = tree.registered();
    let second = serve(&tree, &["--instance-id", "one"]);
    let place = first.address.to_string();
    eventually("the second says so", || !second.logged(" ERROR ").is_empty());
    let error = second.logged(" ERROR ").concat();
    for says in ["not registered: the id \"one\"", &place, "--instance-id"] {
        assert!(error.contains(says), "{error}");
    }
    is_well(second.address);
    let (still, same) = tree.registered();
    assert_eq!((still, same.mzxid), (registered, stat.mzxid), "nothing was done to the first one's node");
    first.terminate();
    assert_eq!(first.exit_code(), Some(0));
    eventually("the second has the id", || {
        tree.instance("one").is_some_and(|(instance, _)| instance.endpoint() == second.address.to_string())
    });
    assert_eq!(second.logged(" ERROR ").len(), 1);
}

#[test]
fn of_two_servers_that_claim_one_place_the_later_has_it_and_they_do_not_take_turns() {
    let tree = ZooKeeper::shared().tree();
    let place = ["--instance-id", "one", "--advertise", "service.example:80"];
    let first = serve(&tree, &place);
    let (earlier, stat) = tree.registered();
    let second = serve(&tree, &place);
    let yields = "a later server that says it is at service.example:80";
    eventually("the first gives way", || !first.logged(yields).is_empty());
    let (later, taken) = tree.registered();
    assert!(taken.czxid > stat.czxid && later.registered_ms > earlier.registered_ms);
    // Whichever of them is faster now, the later has it in the end.
    tree.delete("calculate/one").expect("it is there");
    eventually("the second has it again", || {
        tree.instance("one").is_some_and(|(found, stat)| found == later && stat.czxid > taken.czxid)
    });
    assert_eq!((first.logged(" ERROR ").len(), second.logged(" ERROR ").len()), (1, 0));
}

#[test]
fn a_node_that_stays_is_somebody_elses() {
    let tree = ZooKeeper::shared().tree();
    tree.create("calculate/one", b"{}", CreateMode::Persistent);
    let server = serve(&tree, &["--instance-id", "one"]);
    eventually("it says so", || !server.logged("a node that no session owns").is_empty());
    tree.delete("calculate/one").expect("it is there");
    eventually("it has the id", || tree.instance("one").is_some());
}

#[test]
fn with_credentials_others_may_only_read() {
    let tree = ZooKeeper::shared().tree();
    let _server = serve(&tree, &["--instance-id", "one", "--zk-auth", "calculate:secret"]);
    let (_, stat) = tree.registered();
    assert_eq!(tree.set("calculate/one", b"{}"), Err(Error::NoAuth));
    assert_eq!(tree.delete("calculate/one"), Err(Error::NoAuth));
    assert_eq!(tree.registered().1.mzxid, stat.mzxid);
    let stranger = serve(&tree, &["--instance-id", "two"]);
    eventually("it says so", || !stranger.logged("not allowed; is zk-auth that of whoever made it?").is_empty());
    is_well(stranger.address);
    let friend = serve(&tree, &["--instance-id", "three", "--zk-auth", "calculate:secret"]);
    eventually("it is registered", || tree.ids() == ["one", "three"]);
    is_well(friend.address);
}

#[test]
fn an_idl_that_breaks_the_registered_version_ends_the_server_and_others_go_on() {
    let tree = ZooKeeper::shared().tree();
    let idl = include_str!("../idl/calculate.thrift");
    let older = idl.replace("  Number Cal(1: Number number)\n", "");
    let newer = idl.replace("Number Cal(1: Number number)", "Number Cal(1: Number number)\n  void More()");
    let other = idl.replace("Number Cal(1: Number number)", "double Cal(1: Number number)");

    tree.create(".idl/calculate/1", older.as_bytes(), CreateMode::Persistent);
    let first = serve(&tree, &["--instance-id", "one"]);
    let (instance, _) = tree.registered();
    assert_eq!(tree.get(".idl/calculate/1").expect("there").0, idl.as_bytes(), "the newest is kept");
    assert!(tree.get(&format!(".idl/calculate/1/{}", instance.idl)).is_some());

    // One that was in use before may be used again, after another has taken its place.
    tree.set(".idl/calculate/1", newer.as_bytes()).expect("there");
    let back = serve(&tree, &["--instance-id", "two"]);
    eventually("it is registered", || tree.ids() == ["one", "two"]);
    assert_eq!(back.logged(" ERROR ").len(), 0);
    assert_eq!(tree.get(".idl/calculate/1").expect("there").0, newer.as_bytes(), "the newest is kept");

    tree.delete(&format!(".idl/calculate/1/{}", instance.idl)).expect("there");
    tree.set(".idl/calculate/1", other.as_bytes()).expect("there");
    let mut refused = serve(&tree, &["--instance-id", "three"]);
    assert_eq!(refused.exit_code(), Some(1));
    let error = refused.logged(" ERROR ").concat();
    assert!(error.contains("method Calculate.Cal: returned double, returns Number"), "{error}");
    assert!(error.contains("another --service-version"), "{error}");
    assert_eq!(tree.ids(), ["one", "two"]);
    is_well(first.address);

    let another = serve(&tree, &["--instance-id", "three", "--service-version", "2"]);
    eventually("it is registered", || tree.ids() == ["one", "three", "two"]);
    is_well(another.address);
}

#[test]
fn an_emptied_registry_is_told_everything_again() {
    let tree = ZooKeeper::shared().tree();
    let server = serve(&tree, &["--instance-id", "one"]);
    let (instance, stat) = tree.registered();
    let used = format!(".idl/calculate/1/{}", instance.idl);
    tree.delete(&used).expect("there");
    tree.delete(".idl/calculate/1").expect("there");
    tree.delete("calculate/one").expect("there");
    back_with_another_node(&tree, stat.czxid);
    eventually("the IDL is there again", || tree.get(&used).is_some());
    assert_eq!(tree.get(".idl/calculate/1").expect("there").0, include_bytes!("../idl/calculate.thrift"));
    is_well(server.address);
}

fn serve(tree: &Tree, arguments: &[&str]) -> Program {
    let mut all = vec!["--register", &*Box::leak(tree.url().into_boxed_str())];
    all.extend(arguments);
    Program::serve(&all)
}

/// Waits until the one instance has a node that was created after the one of that transaction.
fn back_with_another_node(tree: &Tree, czxid: i64) -> zookeeper_client::Stat {
    let mut stat = None;
    eventually("it is registered again", || {
        let (_, found) = tree.registered();
        stat = (found.czxid > czxid).then_some(found);
        stat.is_some()
    });
    stat.expect("it is")
}
