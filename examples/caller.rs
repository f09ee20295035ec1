//! A load from Rust, as `make chaos` makes it. `cargo run --example caller -- TARGET [KEY=VALUE]…`; the keys are in
//! [`Settings`]. A line on its standard input asks how the calls went since the line before; its end ends the program.
//! Each answer is one line of JSON.

use calculate::client::events::Event;
use calculate::client::message::Method;
use calculate::client::{CalculateError, Client, Options, Target};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};
use thrift::OrderedFloat;

/// What the Thrift compiler wrote: what a newer client speaks.
#[rustfmt::skip]
#[path = "newer/idl"]
mod idl {
    #[allow(clippy::all, clippy::unwrap_used, dead_code, unreachable_pub)]
    pub mod newer;
}
use idl::newer::{CalculateSyncClient, Number, TCalculateSyncClient};

/// What is asked for on the command line.
#[derive(Clone)]
struct Settings {
    /// Calls a second; 0: as many as can be made.
    rate: f64,
    /// How many call at once.
    callers: u32,
    /// That each call has.
    timeout: Duration,
    ask: Ask,
    /// Who must have computed it, where a newer client asks; empty: anybody.
    by: String,
    /// The numbers that are asked for are above this: a proxy can tell the languages apart.
    above: u32,
    options: Options,
}

/// Which method of which IDL is called.
#[derive(Clone, Copy)]
enum Ask {
    Square,
    NewerSquare,
    Cube,
}

/// How the calls of a while went.
#[derive(Clone, Default)]
struct Window(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    failed: u64,
    wrong: u64,
    took_ms: Vec<f64>,
    errors: BTreeMap<String, String>,
    /// By instance: when attempts failed that were followed by another, in ms since 1970.
    failed_at: BTreeMap<String, Vec<u64>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target: Target = arguments.next().ok_or("which target?")?.parse()?;
    let window = Window::default();
    let settings = settings(arguments, &window)?;
    let client = Client::connect(target, settings.options.clone()).await?.with_timeout(settings.timeout);
    let over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU32::new(0));
    let callers: Vec<_> = (0..settings.callers)
        .map(|_| tokio::spawn(call(client.clone(), settings.clone(), next.clone(), window.clone(), over.clone())))
        .collect();
    println!("calling");
    let marks = window.clone();
    tokio::task::spawn_blocking(move || {
        for _line in std::io::stdin().lock().lines().map_while(Result::ok) {
            println!("{}", marks.take());
        }
    })
    .await?;
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await?;
    }
    println!("{}", window.take());
    Ok(())
}

async fn call(client: Client, settings: Settings, next: Arc<AtomicU32>, window: Window, over: Arc<AtomicBool>) {
    let pause = Duration::from_secs_f64(f64::from(settings.callers) / settings.rate.max(1.0));
    let mut pace = tokio::time::interval(pause);
    while !over.load(Ordering::Relaxed) {
        if settings.rate > 0.0 {
            pace.tick().await;
        }
        // No two calls in flight ask for the same root: an answer that is another call's is seen.
        let number = f64::from(settings.above + next.fetch_add(1, Ordering::Relaxed) % 1_000_000 + 1);
        let began = Instant::now();
        let answer = ask(&client, &settings, number).await;
        window.note(began.elapsed(), number, answer);
    }
}

/// Asks for `number`; gives it where it came from the right server.
async fn ask(client: &Client, settings: &Settings, number: f64) -> Result<f64, CalculateError> {
    let asked = |number: f64| Number::new(OrderedFloat(number), "a newer client".to_owned());
    let answer = match settings.ask {
        Ask::Square => return client.square(number * number).await,
        Ask::NewerSquare => {
            let of = asked(number * number);
            client.call(method("Square"), |i, o| CalculateSyncClient::new(i, o).square(of.clone())).await?
        }
        Ask::Cube => {
            let of = asked(number.powi(3));
            client.call(method("Cube"), |i, o| CalculateSyncClient::new(i, o).cube(of.clone())).await?
        }
    };
    let by_whom = answer.computed_by.unwrap_or_default();
    Ok(if settings.by.is_empty() || by_whom == settings.by { answer.value.into_inner().round() } else { f64::NAN })
}

fn method(name: &'static str) -> Method {
    Method::new(name).of("Calculate").idempotent()
}

impl Window {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, took: Duration, number: f64, answer: Result<f64, CalculateError>) {
        let mut counts = self.lock();
        counts.took_ms.push(took.as_secs_f64() * 1000.0);
        match answer {
            Ok(root) if root == number => {}
            Ok(_) => counts.wrong += 1,
            Err(error) => {
                counts.failed += 1;
                let text = error.to_string();
                let kind = text.split([':', ' ']).next().unwrap_or_default().to_owned();
                counts.errors.entry(kind).or_insert(text);
            }
        }
    }

    fn tell(&self, event: &Event) {
        if let Event::Retry(id, _) = event {
            let now = UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
            self.lock().failed_at.entry(id.clone()).or_default().push(now);
        }
    }

    /// What there was, and begins anew.
    fn take(&self) -> serde_json::Value {
        let mut counts = std::mem::take(&mut *self.lock());
        counts.took_ms.sort_by(f64::total_cmp);
        let took = &counts.took_ms;
        let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).unwrap_or(&0.0);
        json!({
            "calls": took.len(), "failed": counts.failed, "wrong": counts.wrong,
            "p99_ms": at(99), "slowest_ms": at(100),
            "errors": counts.errors.values().collect::<Vec<_>>(),
            "failed_at": counts.failed_at,
        })
    }
}

fn settings(arguments: impl Iterator<Item = String>, window: &Window) -> Result<Settings, Box<dyn std::error::Error>> {
    let told = window.clone();
    let events = Some(Arc::new(move |event: &Event| told.tell(event)) as _);
    let options = Options { events, ..Options::default() };
    let mut settings = Settings {
        rate: 100.0,
        callers: 4,
        timeout: options.timeout,
        ask: Ask::Square,
        by: String::new(),
        above: 0,
        options,
    };
    for argument in arguments {
        let (key, value) = argument.split_once('=').ok_or("KEY=VALUE")?;
        match key {
            "rate" => settings.rate = value.parse()?,
            "callers" => settings.callers = value.parse()?,
            "by" => settings.by = value.to_owned(),
            "ask" => {
                settings.ask = match value {
                    "square" => Ask::Square,
                    "newer_square" => Ask::NewerSquare,
                    "cube" => Ask::Cube,
                    _ => return Err(format!("{value} is no method").into()),
                }
            }
            "above" => settings.above = value.parse()?,
            "timeout" => settings.timeout = Duration::from_secs_f64(value.parse()?),
            "balance" => settings.options.balance = value.parse()?,
            "hedge" => settings.options.hedge = value == "p95",
            // The other languages have two ways to call.
            "style" => {}
            _ => return Err(format!("{key} is no setting").into()),
        }
    }
    Ok(settings)
}
