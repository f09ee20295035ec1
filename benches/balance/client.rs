//! What a client of several servers costs, in Rust: see measure.py.
//!
//! client cpu CALLERS DIRECT BALANCED ROUNDS CALLS | memory TARGET CLIENTS | changes TARGET

use calculate::client::events::Event;
use calculate::client::{Balance, Client, Options};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::SystemTime;

type Anything = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cpu", callers, direct, balanced, rounds, calls] => {
            cpu(callers.parse()?, [direct, balanced], rounds.parse()?, calls.parse()?).await
        }
        ["memory", target, clients] => memory(target, clients.parse()?).await,
        ["changes", target] => changes(target).await,
        _ => Err("cpu, memory or changes".into()),
    }
}

/// CPU µs a call of so many callers at once, through either client; alternating.
async fn cpu(callers: usize, targets: [&str; 2], rounds: usize, calls: usize) -> Result<(), Anything> {
    let mut spent: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let [direct, balanced] = targets;
    let clients = [("direct", connect(direct).await?), ("balanced", connect(balanced).await?)];
    for round in 0..=rounds {
        for (name, client) in &clients {
            let began = cpu_ns()?;
            let tasks = (0..callers).map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    for _ in 0..calls / callers {
                        client.square(9.0).await.expect("an answer");
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await?;
            }
            let each = (cpu_ns()? - began) / calls as f64 / 1000.0;
            // The first round is for warming up.
            if round > 0 {
                spent.entry(name).or_default().push(each);
            }
        }
    }
    println!("{}", json!(spent));
    Ok(())
}

/// Resident KiB a client that knows its instances, and more for one that is connected to all of them.
async fn memory(target: &str, clients: usize) -> Result<(), Anything> {
    let mut kept = vec![connect(target).await?];
    let before = resident_kib()?;
    for _ in 0..clients {
        kept.push(connect(target).await?);
    }
    let known = resident_kib()?;
    for _ in 0..1000 {
        kept[1].square(9.0).await?;
    }
    let connected = resident_kib()? - known;
    println!("{}", json!({"known_kib": (known - before) / clients as f64, "connected_kib": connected}));
    Ok(())
}

/// Says when it has learnt of an instance: a line with its id, and the time in ns since 1970.
async fn changes(target: &str) -> Result<(), Anything> {
    let tell = |event: &Event| {
        if let Event::InstanceUp(id) = event {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            println!("{id} {}", now.as_nanos());
        }
    };
    let options = Options { events: Some(Arc::new(tell)), ..Options::default() };
    let _client = Client::connect(target.parse()?, options).await?;
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

async fn connect(target: &str) -> Result<Client, Anything> {
    let balance = match target.starts_with("zk:") {
        true => Balance::RoundRobin,
        false => Balance::default(),
    };
    Ok(Client::connect(target.parse()?, Options { balance, ..Options::default() }).await?)
}

/// Of this thread: there is no other that works.
fn cpu_ns() -> Result<f64, Anything> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(told.split(' ').next().ok_or("a number")?.parse()?)
}

fn resident_kib() -> Result<f64, Anything> {
    let told = std::fs::read_to_string("/proc/self/status")?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
