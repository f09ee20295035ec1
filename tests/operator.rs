//! What an operator sees of a service and says to its instances, by the program's subcommands.

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use support::eventually;
use support::peer::is_well;
use support::program::{Ended, PROGRAM, Program};
use support::zookeeper::{Tree, ZooKeeper};
use zookeeper_client::CreateMode;

#[test]
fn instances_are_listed_with_what_an_operator_asks_about() {
    let tree = ZooKeeper::shared().tree();
    let one = serve(&tree, "one", &["--zone", "a", "--weight", "50", "--service-version", "1,2"]);
    let two = serve(&tree, "two", &["--group", "blue"]);
    eventually("both are registered", || tree.ids() == ["one", "two"]);
    let listed = calculate(&tree, &["instances", &tree.service()]);
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""));
    let rows: Vec<Vec<&str>> = listed.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "ADDRESS", "VERSION", "GROUP", "ZONE", "WEIGHT", "STATE", "AGE"]);
    let (first, second) = (one.address.to_string(), two.address.to_string());
    assert_eq!(rows[1][..7], ["one", &first, "1,2", "default", "a", "50", "online"]);
    assert_eq!(rows[2][..7], ["two", &second, "1", "blue", "-", "100", "online"]);
    assert!(rows[1][7].ends_with('s'), "{:?}", rows[1]);
    assert_eq!(rows.len(), 3);

    let json = json(&calculate(&tree, &["instances", "--json"]).stdout);
    assert_eq!(json["instances"][0]["id"], "one");
    assert_eq!(json["instances"][0]["port"], one.address.port());
    assert_eq!(json["instances"][0]["versions"], serde_json::json!([1, 2]));
    assert_eq!((&json["instances"][1]["weight"], &json["instances"][1]["state"]), (&100.into(), &"online".into()));
    assert_eq!(json["skipped"], serde_json::json!([]));
}

#[test]
fn nodes_that_are_no_instances_are_named_and_hide_nothing() {
    let tree = ZooKeeper::shared().tree();
    let _one = serve(&tree, "one", &[]);
    eventually("it is registered", || tree.ids() == ["one"]);
    let hostile: [(&str, &[u8], &str); 6] = [
        ("empty", b"", "it is no JSON"),
        ("long", &[b' '; 70_000], "longer than 65536 bytes"),
        ("deep", &[b'['; 60_000], "it is no JSON"),
        ("port", br#"{"address":"h","port":70000}"#, "port is not from 1 to 65535"),
        ("bytes", b"\xff\xfe\x00", "it is no UTF-8"),
        ("escape", br#"{"address":"h","port":1,"payload":{"zone":"\u001b[2J"}}"#, "zone is too long or has control"),
    ];
    for (name, content, _) in hostile {
        tree.create(&format!("calculate/{name}"), content, CreateMode::Persistent);
    }
    let listed = calculate(&tree, &["instances"]);
    assert_eq!(listed.code, Some(0));
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
    assert!(!format!("{}{}", listed.stdout, listed.stderr).contains('\u{1b}'));
    assert_eq!(listed.stderr.lines().count(), hostile.len());
    for (name, _, why) in hostile {
        let said = listed.stderr.lines().find(|line| line.contains(&format!("{name:?}"))).expect(name);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn an_order_is_obeyed_when_the_command_returns() {
    let tree = ZooKeeper::shared().tree();
    let one = serve(&tree, "one", &[]);
    let (first, stat) = tree.registered();
    assert_eq!(done(&tree, &["offline", "one"]), "one is offline\n");
    assert!(!tree.registered().0.enabled);
    is_well(one.address);
    assert_eq!(done(&tree, &["weight", "one", "7"]), "one has weight 7\n");
    let (both, _) = tree.registered();
    assert_eq!((both.enabled, both.weight), (false, 7), "one order does not undo another");
    assert!(calculate(&tree, &["instances"]).stdout.contains("offline"));
    assert_eq!(done(&tree, &["online", "one"]), "one is online\n");
    let (online, same) = tree.registered();
    assert_eq!((online.enabled, online.weight), (true, 7));
    assert_eq!(same.czxid, stat.czxid, "the node was there all the time");
    assert_eq!(one.logged("by order of the operator").len(), 3);
    assert_eq!(done(&tree, &["weight", "one", "100"]), "one has weight 100\n");
    assert_eq!(tree.registered().0, first);
}

#[test]
fn an_order_outlives_sessions_and_with_keep_the_instance() {
    let zookeeper = ZooKeeper::shared();
    let cases: [(&[&[&str]], _, _); 4] = [
        (&[&["offline", "one"], &["weight", "one", "7"]], (false, 7), (true, 100)),
        (&[&["offline", "one", "--keep"], &["weight", "one", "7"]], (false, 7), (false, 100)),
        (&[&["offline", "one"], &["weight", "one", "7", "--keep"]], (false, 7), (true, 7)),
        (&[&["offline", "one", "--keep"], &["online", "one"]], (true, 100), (false, 100)),
    ];
    for (orders, now, after) in cases {
        let tree = zookeeper.tree();
        let mut one = serve(&tree, "one", &["--lame-duck", "0"]);
        let (_, before) = tree.registered();
        for order in orders {
            done(&tree, order);
        }
        zookeeper.expire(before.ephemeral_owner);
        eventually("it is registered again", || tree.registered().1.ephemeral_owner != before.ephemeral_owner);
        let (again, _) = tree.registered();
        assert_eq!((again.enabled, again.weight), now, "{orders:?}, in another session");

        one.terminate();
        assert_eq!(one.exit_code(), Some(0));
        let _restarted = serve(&tree, "one", &[]);
        let (restarted, _) = tree.registered();
        assert_eq!((restarted.enabled, restarted.weight), after, "{orders:?}, after a restart");
    }
}

#[test]
fn an_instance_that_nobody_knows_is_an_error_that_names_those_that_there_are() {
    let tree = ZooKeeper::shared().tree();
    let nothing = calculate(&tree, &["instances"]);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stderr.contains("nothing was ever registered in zk://"), "{}", nothing.stderr);
    let _servers = (serve(&tree, "one", &[]), serve(&tree, "two", &[]));
    eventually("both are registered", || tree.ids() == ["one", "two"]);
    for order in [&["offline", "three"][..], &["online", "three", "--keep"], &["weight", "three", "1"]] {
        let ended = calculate(&tree, order);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(ended.stderr.contains("has no instance \"three\"; there are: one, two"), "{}", ended.stderr);
    }
}

#[test]
fn an_instance_that_does_not_obey_is_said_to_and_does_when_it_hears() {
    let tree = ZooKeeper::shared().tree();
    let one = serve(&tree, "one", &["--zk-session-timeout", "4"]);
    tree.registered();
    // A session of the shortest there is would end before the five seconds: its node stands in for one that hangs.
    tree.create("calculate/deaf", br#"{"address":"h","port":1}"#, CreateMode::Persistent);
    let ended = calculate(&tree, &["offline", "deaf"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("deaf has not obeyed within 5 s"), "{}", ended.stderr);
    is_well(one.address);
}

#[test]
fn a_broken_order_is_skipped_and_what_held_before_holds() {
    let tree = ZooKeeper::shared().tree();
    let one = serve(&tree, "one", &[]);
    tree.registered();
    done(&tree, &["offline", "one"]);
    tree.set(".operator/calculate/one", b"{\"enabled\":\"yes\"}").expect("there");
    eventually("it says so", || !one.logged("skipped, enabled is neither true nor false").is_empty());
    assert!(!tree.registered().0.enabled);
    done(&tree, &["online", "one"]);
    assert!(tree.registered().0.enabled);
    done(&tree, &["offline", "one"]);
    tree.delete(".operator/calculate/one").expect("there");
    eventually("nothing is said any more", || tree.registered().0.enabled);
}

#[test]
fn a_registry_that_is_away_or_wrong_or_refuses_is_one_line() {
    let tree = ZooKeeper::shared().tree();
    let wrong = Program::to_end(Command::new(PROGRAM).args(["offline", "one", "--registry", "127.0.0.1:2181"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("zk://HOST:PORT"), "{}", wrong.stderr);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port");
    let away = Program::to_end(Command::new(PROGRAM).args(["instances", &format!("zk://{nobody}/services/calculate")]));
    assert_eq!(away.code, Some(1));
    assert_eq!(
        away.stderr,
        format!("calculate: cannot reach the registry at {nobody}: does ZooKeeper run there, and without TLS?\n")
    );
    let _one = serve(&tree, "one", &["--zk-auth", "calculate:secret"]);
    tree.registered();
    let refused = calculate(&tree, &["offline", "one"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("not allowed"), "{}", refused.stderr);
    assert_eq!(done(&tree, &["offline", "one", "--zk-auth", "calculate:secret"]), "one is offline\n");
}

#[test]
fn watching_tells_of_every_change() {
    let tree = ZooKeeper::shared().tree();
    let mut watching = Command::new(PROGRAM);
    watching.args(["instances", "--watch", "--json", &tree.service()]).stdout(Stdio::piped());
    let mut child = watching.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || json(&lines.next().expect("a line").expect("text"));
    assert_eq!(next()["instances"], serde_json::json!([]), "nobody has registered yet");
    let _one = serve(&tree, "one", &[]);
    let mut first = next();
    // The service's node may be seen before the instance's.
    while first["instances"] == serde_json::json!([]) {
        first = next();
    }
    assert_eq!(first["instances"][0]["state"], "online");
    done(&tree, &["offline", "one"]);
    assert_eq!(next()["instances"][0]["state"], "offline");
    let two = serve(&tree, "two", &[]);
    assert_eq!(next()["instances"][1]["id"], "two");
    drop(two);
    tree.delete("calculate/two").expect("it was killed, but its session lives");
    assert_eq!(next()["instances"].as_array().map(Vec::len), Some(1));
    child.kill().expect("ours");
    child.wait().expect("ours");
}

fn serve(tree: &Tree, id: &str, arguments: &[&str]) -> Program {
    let url = tree.url();
    Program::serve(&[&["--register", &url, "--instance-id", id], arguments].concat())
}

/// Runs a subcommand for the service of the tree.
fn calculate(tree: &Tree, arguments: &[&str]) -> Ended {
    Program::to_end(Command::new(PROGRAM).args(arguments).env("CALCULATE_REGISTRY", tree.service()))
}

/// Runs one that succeeds, and gives what it prints.
fn done(tree: &Tree, arguments: &[&str]) -> String {
    let ended = calculate(tree, arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
