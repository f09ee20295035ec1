//! One client, many servers: what becomes of calls when servers die, stop, refuse or are slow.

mod support;

use calculate::client::events::Event;
use calculate::client::message::{Input, Output};
use calculate::client::{Balance, CalculateError, Client, Options, Target, blocking};
use calculate::idl::calculate::{CalculateSyncClient, Number, TCalculateSyncClient};
use rustix::process::Signal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::eventually;
use support::fake::{Fake, exception, script};
use support::program::Program;
use thrift::OrderedFloat;

fn servers(count: usize) -> Vec<Program> {
    (0..count).map(|_| Program::serve(&["--workers", "1"])).collect()
}

fn target(servers: &[Program]) -> Target {
    let addresses: Vec<String> = servers.iter().map(|server| server.address.to_string()).collect();
    addresses.join(",").parse().expect("a target")
}

/// Events as they were told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    fn options(&self) -> Options {
        let told = self.0.clone();
        let subscriber = move |event: &Event| told.lock().expect("no panic").push(event.clone());
        Options { events: Some(Arc::new(subscriber)), ..Options::default() }
    }

    /// Of a client that calls all in turn. By least load one that was slow a moment ago may not be called for so long that
    /// nobody notices what becomes of it.
    fn options_in_turn(&self) -> Options {
        Options { balance: Balance::RoundRobin, ..self.options() }
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.0.lock().expect("no panic").iter().filter(|event| wanted(event)).count()
    }
}

/// Calls all the time until told to stop. Gives how many calls there were, and panics where one failed.
struct Caller {
    stop: tokio::sync::watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<u64>>,
}

impl Caller {
    fn start(client: &Client, callers: usize) -> Caller {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let tasks = (0..callers).map(|index| {
            let (client, stopped) = (client.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut calls = 0;
                while !*stopped.borrow() {
                    let root = f64::from((index * 1000) as u32 + calls as u32 % 1000);
                    let answer = client.square(root * root).await;
                    assert_eq!(answer.unwrap_or_else(|error| panic!("{error}")), root);
                    calls += 1;
                }
                calls
            })
        });
        Caller { stop, tasks: tasks.collect() }
    }

    async fn stop(self) -> u64 {
        self.stop.send_replace(true);
        let mut calls = 0;
        for task in self.tasks {
            calls += task.await.expect("no call failed");
        }
        calls
    }
}

async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_killed_and_come_back_cost_no_call() {
    let mut servers = servers(3);
    let told = Told::default();
    let client = Client::connect(target(&servers), told.options_in_turn()).await.expect("connects");
    let caller = Caller::start(&client, 4);
    for round in 0..4 {
        let address = servers[round % 3].address.to_string();
        let mut killed = std::mem::replace(&mut servers[round % 3], Program::serve(&[]));
        killed.signal(Signal::KILL);
        elsewhere(move || killed.exit_code()).await;
        let again = address.clone();
        servers[round % 3] = elsewhere(move || Program::serve(&["--listen", &again])).await;
        let told = told.clone();
        let returned = move |event: &Event| matches!(event, Event::InstanceReturned(id) if *id == address);
        elsewhere(move || eventually("it is called again", || told.count(&returned) > 0)).await;
    }
    assert!(caller.stop().await > 100);
    let counts = client.counts();
    assert_eq!((counts.failures, counts.instances), (0, 3));
    assert!(counts.retries > 0 && counts.ejections >= 3, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_answering_costs_no_call_and_is_called_again() {
    let servers = servers(3);
    let told = Told::default();
    let options = Options { attempt_timeout: Duration::from_millis(200), ..told.options_in_turn() };
    let client = Client::connect(target(&servers), options).await.expect("connects");
    let caller = Caller::start(&client, 4);
    let stopped = servers[1].address.to_string();
    servers[1].signal(Signal::STOP);
    let ejected = told.clone();
    let is_it = move |event: &Event| matches!(event, Event::InstanceEjected(id, _) if *id == stopped);
    elsewhere(move || eventually("it is left alone", || ejected.count(&is_it) > 0)).await;
    servers[1].signal(Signal::CONT);
    let returned = told.clone();
    let is_back = |event: &Event| matches!(event, Event::InstanceReturned(_));
    elsewhere(move || eventually("it is called again", || returned.count(is_back) > 0)).await;
    caller.stop().await;
    assert_eq!(client.counts().failures, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_three_that_are_killed_cost_no_call_however_many_there_are() {
    const CALLS: u64 = 20_000;
    let mut servers = servers(3);
    let client = Client::connect(target(&servers), Options::default()).await.expect("connects");
    let caller = Caller::start(&client, 4);
    for mut killed in servers.drain(1..) {
        killed.signal(Signal::KILL);
        elsewhere(move || killed.exit_code()).await;
    }
    let (before, watched) = (client.counts().calls, client.clone());
    elsewhere(move || eventually("there were many calls", || watched.counts().calls > before + CALLS)).await;
    caller.stop().await;
    let counts = client.counts();
    assert_eq!((counts.failures, counts.retries_denied), (0, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_server_costs_no_call() {
    let mut servers = servers(3);
    let client = Client::connect(target(&servers), Options::default()).await.expect("connects");
    let caller = Caller::start(&client, 4);
    let mut drained = servers.remove(0);
    drained.terminate();
    assert_eq!(elsewhere(move || drained.exit_code()).await, Some(0));
    caller.stop().await;
    assert_eq!(client.counts().failures, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_spread_and_each_strategy_uses_all_servers() {
    let servers = servers(3);
    for balance in [Balance::LeastLoaded, Balance::RoundRobin, Balance::Random, Balance::Weighted] {
        let options = Options { balance, ..Options::default() };
        let client = Client::connect(target(&servers), options).await.expect("connects");
        let caller = Caller::start(&client, 2);
        let pids: Vec<u32> = servers.iter().map(Program::id).collect();
        elsewhere(move || {
            eventually("all have a connection of the client's", || {
                pids.iter().all(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|fds| fds.count() > 10))
            });
        })
        .await;
        caller.stop().await;
        client.close();
    }
}

/// A server that answers every call on every connection with an exception of this type, and counts the calls.
fn refusing(code: i32) -> (Fake, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let scripts = (0..20).map(|_| {
        let calls = calls.clone();
        script(move |conversation| {
            while let Some(call) = conversation.next_call() {
                calls.fetch_add(1, Ordering::Relaxed);
                conversation.send(&exception(&call, code, "refused"));
            }
        })
    });
    (Fake::serve(scripts.collect()), calls)
}

fn both(one: impl std::fmt::Display, other: impl std::fmt::Display) -> Target {
    format!("{one},{other}").parse().expect("a target")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_goes_to_the_same_server_and_others_go_elsewhere() {
    let fakes: Vec<_> = (0..4).map(|_| refusing(6)).collect();
    let addresses: Vec<String> = fakes.iter().map(|(fake, _)| fake.target().to_string()).collect();
    let options = Options { balance: Balance::Hash, ..Options::default() };
    let client = Client::connect(addresses.join(",").parse().expect("a target"), options).await.expect("connects");
    let called = || fakes.iter().filter(|(_, calls)| calls.swap(0, Ordering::Relaxed) > 0).count();
    for _ in 0..20 {
        client.with_key("customer-7").square(9.0).await.expect_err("refused");
    }
    assert_eq!(called(), 1);
    for customer in 0..100 {
        client.with_key(format!("customer-{customer}")).square(9.0).await.expect_err("refused");
    }
    assert_eq!(called(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overloaded_server_is_skipped_without_blame() {
    let ((busy, _), free) = (refusing(support::message::OVERLOADED), Program::serve(&[]));
    let options = Options { balance: Balance::RoundRobin, ..Options::default() };
    let client = Client::connect(both(busy.target(), free.address), options).await.expect("connects");
    for _ in 0..8 {
        assert_eq!(client.square(9.0).await.expect("answered elsewhere"), 3.0);
    }
    let counts = client.counts();
    assert!(counts.retries > 0 && counts.ejections == 0, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_may_not_be_carried_out_twice_is_not_made_again() {
    // Takes a call, and ends the connection.
    let cuts = || script(|conversation| drop(conversation.next_call()));
    let fake = Fake::serve((0..20).map(|_| cuts()).collect());
    let free = Program::serve(&[]);
    let options = || Options { balance: Balance::RoundRobin, attempts: 3, ..Options::default() };
    let client = Client::connect(both(fake.target(), free.address), options()).await.expect("connects");
    assert_eq!(client.square(9.0).await.expect("made again"), 3.0);
    assert_eq!(client.square(9.0).await.expect("made again"), 3.0);

    let client = Client::connect(both(fake.target(), free.address), options()).await.expect("connects");
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let square = |input: Input<'_>, output: Output<'_>| {
            CalculateSyncClient::new(input, output).square(Number::new(OrderedFloat(9.0)))
        };
        outcomes.push(client.call("Square", square).await.map(|number| number.value.into_inner()));
    }
    let lost = |outcome: &Result<f64, CalculateError>| matches!(outcome, Err(CalculateError::Transport(_)));
    assert_eq!(outcomes.iter().filter(|outcome| lost(outcome)).count(), 1, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_call_is_sent_to_a_second_server_and_the_first_answer_counts() {
    let servers = servers(2);
    let options = Options { hedge: true, attempt_timeout: Duration::from_secs(10), ..Options::default() };
    let options = Options { timeout: Duration::from_secs(20), balance: Balance::RoundRobin, ..options };
    let client = Client::connect(target(&servers), options).await.expect("connects");
    for _ in 0..200 {
        client.square(9.0).await.expect("answered");
    }
    servers[0].signal(Signal::STOP);
    for _ in 0..2 {
        assert_eq!(client.square(9.0).await.expect("answered by the other"), 3.0);
    }
    assert!(client.counts().hedges > 0);
    assert_eq!(client.counts().retries, 0);
    servers[0].signal(Signal::CONT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_are_gone_the_last_error_says_so_and_the_budget_keeps_calls_few() {
    let servers = servers(2);
    let client = Client::connect(target(&servers), Options::default()).await.expect("connects");
    drop(servers);
    let mut denied = false;
    for _ in 0..200 {
        let error = client.square(9.0).await.expect_err("nobody is there");
        assert!(matches!(error, CalculateError::Transport(_)), "{error}");
        denied |= client.counts().retries_denied > 0;
    }
    assert!(denied, "{:?}", client.counts());
    assert!(client.counts().retries < 150, "{:?}", client.counts());
}

#[test]
fn the_blocking_client_looks_after_many_servers_between_its_calls() {
    let mut servers = servers(2);
    let told = Told::default();
    let client = blocking::Client::connect(target(&servers), told.options()).expect("connects");
    assert_eq!(client.square(9.0).expect("answered"), 3.0);
    let address = servers[0].address.to_string();
    drop(servers.remove(0));
    for _ in 0..50 {
        assert_eq!(client.square(9.0).expect("answered"), 3.0);
    }
    let _back = Program::serve(&["--listen", &address]);
    if client.counts().ejections > 0 {
        // Nobody calls meanwhile.
        let returned = |event: &Event| matches!(event, Event::InstanceReturned(_));
        eventually("it is well again", || told.count(returned) > 0);
    }
    let began = Instant::now();
    client.close();
    assert!(client.square(9.0).is_err() && began.elapsed() < Duration::from_secs(1));
}

#[test]
fn targets_that_name_nobody_are_told_so() {
    let options = || Options { timeout: Duration::from_millis(500), ..Options::default() };
    let connect = |target: &str| blocking::Client::connect(target.parse().expect("a target"), options());
    let error = connect("127.0.0.1:1,127.0.0.1:2").expect_err("nobody listens there");
    assert!(error.to_string().contains("cannot connect to any of the 2 instances"), "{error}");
    let error = connect("dns://nowhere.invalid:1").expect_err("no such name");
    assert!(error.to_string().contains("nowhere.invalid cannot be looked up"), "{error}");
}

#[test]
fn all_addresses_of_a_name_are_called() {
    let server = Program::serve(&[]);
    let target = format!("dns://localhost:{}", server.address.port()).parse().expect("a target");
    let client = blocking::Client::connect(target, Options::default()).expect("connects");
    for _ in 0..10 {
        assert_eq!(client.square(9.0).expect("answered"), 3.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_panics_harms_nobody() {
    let mut servers = servers(2);
    let options = Options { events: Some(Arc::new(|event| panic!("told of {event}"))), ..Options::default() };
    let client = Client::connect(target(&servers), options).await.expect("connects");
    servers.remove(0);
    for _ in 0..20 {
        assert_eq!(client.square(9.0).await.expect("answered by the other"), 3.0);
    }
}
