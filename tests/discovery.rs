//! A client that finds its servers in a real ZooKeeper, whatever becomes of that.

mod support;

use calculate::client::events::Event;
use calculate::client::{Options, blocking::Client};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::eventually;
use support::program::Program;
use support::zookeeper::{Tree, ZooKeeper};
use zookeeper_client::CreateMode;

fn serve(tree: &Tree, more: &[&str]) -> Program {
    let (url, base) = (tree.url(), ["--lame-duck", "0.1", "--register"]);
    Program::serve(&[&base[..], &[&url], more].concat())
}

/// A client's options, with the events that it told.
fn options(cache: &str) -> (Options, Arc<Mutex<Vec<Event>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let events = Arc::new(move |event: &Event| telling.lock().expect("no panic").push(event.clone()));
    let cache_file = std::env::temp_dir().join(format!("calculate-discovery-{}-{cache}", std::process::id()));
    let _ = std::fs::remove_file(&cache_file);
    (Options { events: Some(events), cache_file: Some(cache_file), ..Options::default() }, told)
}

fn connect(tree: &Tree, options: Options) -> Client {
    Client::connect(tree.service().parse().expect("a target"), options).expect("connects")
}

fn is_served(client: &Client) {
    assert_eq!(client.square(9.0).expect("answered"), 3.0);
}

fn instances(client: &Client, count: u64) {
    eventually(&format!("{count} instances are known"), || client.counts().instances == count);
}

#[test]
fn servers_that_come_and_go_are_known_and_no_call_is_lost() {
    let tree = ZooKeeper::shared().tree();
    let mut servers = vec![serve(&tree, &[]), serve(&tree, &[])];
    eventually("both are registered", || tree.ids().len() == 2);
    let client = connect(&tree, options("come").0);
    instances(&client, 2);
    servers.push(serve(&tree, &[]));
    instances(&client, 3);
    let mut drained = servers.remove(0);
    drained.terminate();
    while drained.lives() {
        is_served(&client);
    }
    assert_eq!(drained.exit_code(), Some(0));
    for _ in 0..100 {
        is_served(&client);
    }
    instances(&client, 2);
    assert_eq!(client.counts().failures, 0);
}

#[test]
fn an_instance_that_the_operator_disabled_gets_no_call() {
    let tree = ZooKeeper::shared().tree();
    let servers = [serve(&tree, &["--instance-id", "one"]), serve(&tree, &["--instance-id", "two"])];
    eventually("both are registered", || tree.ids().len() == 2);
    let client = connect(&tree, options("disabled").0);
    instances(&client, 2);
    let offline = support::program::PROGRAM;
    let done = std::process::Command::new(offline).args(["offline", "one", "--registry", &tree.service()]).output();
    assert!(done.expect("it runs").status.success());
    eventually("its node says so", || tree.instance("one").is_some_and(|(instance, _)| !instance.enabled));
    // With the other one gone there is nobody whom it may call.
    let [_one, mut two] = servers;
    two.signal(rustix::process::Signal::KILL);
    two.exit_code();
    eventually("nobody is called", || client.square(9.0).is_err());
}

#[test]
fn the_list_outlives_its_registry_in_memory_and_on_the_disk() {
    let zookeeper = ZooKeeper::start();
    let tree = zookeeper.tree();
    let servers = [serve(&tree, &[]), serve(&tree, &[])];
    eventually("both are registered", || tree.ids().len() == 2);
    let (kept, told) = options("outlives");
    let file: PathBuf = kept.cache_file.clone().expect("a file");
    let client = connect(&tree, kept.clone());
    instances(&client, 2);
    eventually("the list is on the disk", || file.exists());
    drop(zookeeper);
    eventually("the client says that its list may be old", || {
        is_served(&client);
        told.lock().expect("no panic").contains(&Event::ListStale)
    });
    assert_eq!(client.counts().instances, 2);
    let cold = connect(&tree, kept);
    is_served(&cold);
    assert_eq!((client.counts().failures, cold.counts().failures), (0, 0));
    drop(servers);
    let _ = std::fs::remove_file(file);
}

#[test]
fn nodes_that_are_no_instances_are_skipped_and_hurt_nobody() {
    let tree = ZooKeeper::shared().tree();
    let _server = serve(&tree, &[]);
    eventually("it is registered", || tree.ids().len() == 1);
    let hostile: [(&str, &[u8]); 4] = [
        ("broken", b"{\"address\":"),
        ("foreign", b"not JSON at all"),
        ("typed", br#"["javax.naming.InitialContext",{"address":"127.0.0.1","port":1}]"#),
        ("huge", &[b' '; 70_000]),
    ];
    for (name, content) in hostile {
        tree.create(&format!("calculate/{name}"), content, CreateMode::Persistent);
    }
    let (options, told) = options("hostile");
    let client = connect(&tree, options);
    is_served(&client);
    instances(&client, 1);
    let skipped = || told.lock().expect("no panic").iter().filter(|e| matches!(e, Event::NodeSkipped(..))).count();
    eventually("each was told", || skipped() == 4);
}

#[test]
fn without_registry_and_without_a_list_the_error_says_so() {
    let (kept, _) = options("nothing");
    let kept = Options { timeout: Duration::from_millis(1500), ..kept };
    let target = "zk://127.0.0.1:1/services/calculate".parse().expect("a target");
    let error = Client::connect(target, kept).expect_err("nobody is known");
    assert!(error.to_string().contains("cannot reach the registry at 127.0.0.1:1"), "{error}");
}
