//! A steady load from Rust, as `make chaos` makes it: calls until its standard input ends, then says how they went as one
//! line of JSON. `cargo run --example caller -- TARGET CALLS_A_SECOND`

use calculate::client::{Client, Options, Target};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How the calls went.
#[derive(Default)]
struct Counts {
    calls: u64,
    failed: u64,
    wrong: u64,
    slowest: Duration,
    errors: Vec<String>,
}

const CALLERS: u32 = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target: Target = arguments.next().ok_or("which target?")?.parse()?;
    let rate: f64 = arguments.next().ok_or("how many calls a second?")?.parse()?;
    let client = Client::connect(target, Options::default()).await?;
    let (counts, over) = (Arc::new(Mutex::new(Counts::default())), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|first| {
            let pause = Duration::from_secs_f64(f64::from(CALLERS) / rate);
            tokio::spawn(call(client.clone(), first, pause, counts.clone(), over.clone()))
        })
        .collect();
    println!("calling");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await?;
    }
    let counts = counts.lock().map_err(|_| "a caller panicked")?;
    let line = serde_json::json!({
        "calls": counts.calls, "failed": counts.failed, "wrong": counts.wrong,
        "slowest_ms": counts.slowest.as_secs_f64() * 1000.0, "errors": counts.errors,
    });
    println!("{line}");
    Ok(())
}

async fn call(client: Client, first: u32, pause: Duration, counts: Arc<Mutex<Counts>>, over: Arc<AtomicBool>) {
    let mut number = first;
    let mut pace = tokio::time::interval(pause);
    while !over.load(Ordering::Relaxed) {
        pace.tick().await;
        number = number % 1_000_000 + 4;
        let began = Instant::now();
        let answer = client.square(f64::from(number) * f64::from(number)).await;
        let Ok(mut counts) = counts.lock() else { return };
        counts.calls += 1;
        counts.slowest = counts.slowest.max(began.elapsed());
        match answer {
            Ok(root) if root == f64::from(number) => {}
            Ok(_) => counts.wrong += 1,
            Err(error) => {
                counts.failed += 1;
                if counts.errors.len() < 3 {
                    counts.errors.push(error.to_string());
                }
            }
        }
    }
}
