//! The vectors of discovery and balancing that all languages read: `idl/vectors/*.tsv`; their comments say what each
//! column is.

use calculate::client::balance::hash::{Load, Ring, hash64, points};
use calculate::client::balance::health::{Health, Verdict};
use calculate::client::balance::instance::{Instance, VersionRange};
use calculate::client::balance::latency::{Latency, class};
use calculate::client::balance::list::{Change, List};
use calculate::client::balance::members::{Members, Wanted};
use calculate::client::balance::pick::Picker;
use calculate::client::balance::random::Random;
use calculate::client::balance::retry::{Budget, Failed, Latencies, Standing, back_off};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The rows of a file, each cut into its columns.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows: Vec<Vec<&str>> =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() > 10, "a file of vectors");
    rows
}

/// `key=value` pairs.
fn fields(text: &str, separator: char) -> BTreeMap<&str, &str> {
    text.split(separator).filter_map(|pair| pair.split_once('=')).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is a number"))
}

fn unhex(text: &str) -> Vec<u8> {
    let text = if text == "-" { "" } else { text };
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

#[test]
fn hashes_rings_and_keys_are_as_in_every_language() {
    for row in rows(include_str!("../idl/vectors/hash.tsv")) {
        let [name, kind, instances, key, expected] = row[..] else { panic!("five columns in {row:?}") };
        let mut loads = BTreeMap::new();
        for instance in instances.split(' ').filter(|text| *text != "-") {
            let (id, rest) = instance.split_once(';').expect("an id and more");
            let rest = fields(rest, ';');
            let in_flight = rest.get("in_flight").map_or(0, |calls| number(calls));
            loads.insert(id, Load { weight: number(rest["weight"]), in_flight });
        }
        let (ids, loads): (Vec<&str>, Vec<Load>) = loads.into_iter().unzip();
        let ring = Ring::new(ids.iter().copied().zip(loads.iter().map(|load| load.weight)));
        let found = match kind {
            "hash" => format!("{:016x}", hash64(&unhex(key))),
            "points" => points(loads[0].weight).to_string(),
            "ring" => {
                let points = ring.places().map(|(point, place)| format!("{point:016x}={}", ids[place]));
                points.collect::<Vec<_>>().join(" ")
            }
            "pick" => ids[ring.pick(&unhex(key), ids.len(), |place| loads[place]).expect("somebody")].to_owned(),
            other => panic!("no kind {other}"),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn latencies_are_averaged_as_in_every_language() {
    for row in rows(include_str!("../idl/vectors/latency.tsv")) {
        let [name, samples, at, expected, expected_class] = row[..] else { panic!("five columns in {row:?}") };
        let mut latency = Latency::default();
        for sample in samples.split(' ').filter(|sample| *sample != "-") {
            match sample.split_once(['=', '!', '+']) {
                Some((_, "")) => latency = Latency::default(),
                Some((at, ms)) if sample.contains('!') => latency.failed(number(at), number(ms)),
                Some((at, ms)) => latency.sample(number(at), number(ms)),
                None => panic!("no sample: {sample}"),
            }
        }
        let (found, expected): (f64, f64) = (latency.at(number(at)), number(expected));
        assert!((found - expected).abs() < 0.000_002, "{name}: {found} is not {expected}");
        assert_eq!(class(found), number::<u64>(expected_class), "{name}");
        assert_eq!(latency.class(number(at)), class(found), "{name}");
    }
}

#[test]
fn every_strategy_picks_as_in_every_language() {
    const NOW_MS: u64 = 10_000_000;
    for row in rows(include_str!("../idl/vectors/balance.tsv")) {
        let [name, settings, instances, expected] = row[..] else { panic!("four columns in {row:?}") };
        let settings = fields(settings, ' ');
        let setting = |key: &str| settings.get(key).copied();
        let wanted = Wanted {
            versions: setting("version").map(range),
            group: setting("group").unwrap_or("default").to_owned(),
            zone: setting("zone").unwrap_or_default().to_owned(),
        };
        let mut members = Members::new(wanted);
        // Ejected by hand: with so many well ones beside it that nobody is spared.
        let mut health = Health::new(Random::seeded(0));
        let well: Vec<String> = (0..1000).map(|index| index.to_string()).collect();
        for text in instances.split(' ') {
            let (id, rest) = text.split_once(';').unwrap_or((text, ""));
            let of = fields(rest, ';');
            let mut instance = Instance::at(id, "127.0.0.1", Some(1));
            instance.weight = of.get("weight").map_or(100, |weight| number(weight));
            instance.zone = of.get("zone").copied().unwrap_or_default().to_owned();
            instance.group = of.get("group").copied().unwrap_or("default").to_owned();
            instance.versions = of.get("version").map(|versions| versions.split(',').map(number).collect());
            instance.enabled = of.get("enabled") != Some(&"no");
            members.insert(instance, of.get("age").map(|age| NOW_MS - number::<u64>(age)));
            let place = members.place(id).expect("just added");
            let member = members.at_mut(place);
            member.in_flight.store(of.get("in_flight").map_or(0, |calls| number(calls)), Ordering::Relaxed);
            if let Some(latency) = of.get("latency") {
                member.latency.sample(NOW_MS, number(latency));
            }
            if of.get("avoided") == Some(&"yes") {
                member.avoided_until_ms = NOW_MS + 1;
            }
            if of.get("ejected") == Some(&"yes") {
                let verdict = health.fail(id, NOW_MS, well.iter().map(String::as_str));
                assert!(matches!(verdict, Verdict::Ejected(_)));
            }
        }
        let tried: Vec<usize> =
            setting("tried").map_or(Vec::new(), |ids| ids.split(',').filter_map(|id| members.place(id)).collect());
        let random = Random::seeded(setting("seed").map_or(0, number));
        let counter = setting("counter").map_or(0, number);
        let warm_up = setting("warm_up").map_or(1000, number);
        let balance = settings["balance"].parse().expect("a strategy");
        let mut picker = Picker::new(balance, warm_up, random, counter);
        let mut picks = Vec::new();
        for _ in 0..setting("calls").map_or(1, number::<usize>) {
            let key = setting("key").map(str::as_bytes);
            let picked = picker.pick(&members, &health, NOW_MS, key, &tried);
            picks.push(picked.map_or("none".to_owned(), |place| members.at(place).instance.id.clone()));
            if let (Some(place), Some("yes")) = (picked, setting("hold")) {
                members.at(place).in_flight.fetch_add(1, Ordering::Relaxed);
            }
        }
        assert_eq!(picks.join(" "), expected, "{name}");
    }
}

fn range(text: &str) -> VersionRange {
    if let Some(low) = text.strip_suffix('+') {
        return VersionRange { low: number(low), high: u64::MAX };
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    VersionRange { low: number(low), high: number(high) }
}

#[test]
fn who_fails_is_left_alone_as_long_as_in_every_language() {
    let mut health = Health::new(Random::seeded(0));
    let mut ids: Vec<String> = Vec::new();
    for row in rows(include_str!("../idl/vectors/health.tsv")) {
        let [scenario, at, event, id, expected] = row[..] else { panic!("five columns in {row:?}") };
        let now = number(at);
        let all = || ids.iter().map(String::as_str);
        let found = match event {
            "begin" => {
                let (seed, names) = id.split_once(' ').expect("a seed and names");
                health = Health::new(Random::seeded(number(seed.strip_prefix("seed=").expect("a seed"))));
                ids = names.split(' ').map(str::to_owned).collect();
                "-".to_owned()
            }
            "fail" => match health.fail(id, now, all()) {
                Verdict::Ejected(length) => format!("ejected {length}"),
                Verdict::Stays => "stays".into(),
                Verdict::Spared => "spared".into(),
            },
            "probe_failed" => format!("ejected {}", health.probe_failed(id, now).expect("it is known")),
            "probe_well" => {
                assert!(health.probe_well(id));
                "returned".into()
            }
            "look" => {
                let (out, within): (Vec<&str>, Vec<&str>) = all().partition(|id| health.is_out(id));
                let mut due = health.take_due(now);
                due.sort();
                let shown = |ids: &[&str]| if ids.is_empty() { "-".to_owned() } else { ids.join(",") };
                let due: Vec<&str> = due.iter().map(String::as_str).collect();
                format!("in={} out={} due={}", shown(&within), shown(&out), shown(&due))
            }
            other => panic!("no event {other}"),
        };
        assert_eq!(found, expected, "{scenario} at {at}");
    }
}

#[test]
fn the_list_is_kept_whatever_the_registry_says() {
    let (mut list, mut running) = (List::default(), "");
    for row in rows(include_str!("../idl/vectors/list.tsv")) {
        let [scenario, at, event, argument, expected, events] = row[..] else { panic!("six columns in {row:?}") };
        if scenario != running {
            (list, running) = (List::default(), scenario);
        }
        let now = number(at);
        let instance = |(id, address): (&str, &str)| Instance::at(id, address, Some(1));
        let found: Vec<Instance> = argument.split(' ').filter_map(|pair| pair.split_once('=')).map(instance).collect();
        let changes = match event {
            "cached" => list.cached(found),
            "read" => list.read(now, found),
            "connected" => {
                list.connected(now);
                Vec::new()
            }
            "lost" => list.lost(),
            "tick" => list.tick(now),
            "failed" => list.failed(argument).into_iter().collect(),
            other => panic!("no event {other}"),
        };
        let told = changes.iter().map(|change| match change {
            Change::Up { id, .. } => format!("instance_up={id}"),
            Change::Down { id } => format!("instance_down={id}"),
            Change::EmptyIgnored => "list_empty_ignored".into(),
            Change::Stale => "list_stale".into(),
            Change::Fresh => "list_fresh".into(),
        });
        let told = told.collect::<Vec<_>>().join(" ");
        let ids: Vec<&str> = list.instances().map(|instance| instance.id.as_str()).collect();
        let shown = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        assert_eq!((shown(ids.join(" ")), shown(told)), (expected.into(), events.into()), "{scenario} at {at}");
    }
}

#[test]
fn the_version_that_is_called_is_the_same_in_every_language() {
    for row in rows(include_str!("../idl/vectors/versions.tsv")) {
        let [name, hosted, asked, expected] = row[..] else { panic!("four columns in {row:?}") };
        let mut instance = Instance::at("a", "127.0.0.1", Some(1));
        instance.versions = (hosted != "-").then(|| hosted.split(',').map(number).collect());
        let called = instance.called_version((asked != "-").then(|| range(asked)));
        assert_eq!(called, (expected != "-").then(|| number(expected)), "{name}");
    }
}

#[test]
fn calls_are_made_again_as_in_every_language() {
    for row in rows(include_str!("../idl/vectors/retry.tsv")) {
        let [name, kind, input, expected] = row[..] else { panic!("four columns in {row:?}") };
        let of = fields(input, ' ');
        let yes = |key: &str| of.get(key) == Some(&"yes");
        let standing = || Standing {
            attempt: number(of["attempt"]),
            attempts: number(of["attempts"]),
            idempotent: yes("idempotent"),
            others: yes("others"),
            overloaded: of.get("overloaded").map_or(0, |count| number(count)),
        };
        let found = match kind {
            "budget" => spend(input),
            "back_off" => {
                let mut random = Random::seeded(number(of["seed"]));
                let waits =
                    (1..=number::<u32>(of["retries"])).map(|k| back_off(k, &mut random).as_micros().to_string());
                waits.collect::<Vec<_>>().join(" ")
            }
            "limit" => {
                let ms = |key: &str| Duration::from_millis(number(of[key]));
                standing().limit(yes("token"), ms("attempt_timeout"), ms("remaining")).as_millis().to_string()
            }
            "decide" => {
                let failed = match of["error"] {
                    "connect" => Failed::Connect,
                    "overloaded" => Failed::Overloaded,
                    "closed" => Failed::Closed,
                    "attempt_timeout" => Failed::AttemptTimeout,
                    "protocol" => Failed::Protocol,
                    _ => Failed::Final,
                };
                if standing().retries(failed) { "retry".into() } else { "give".into() }
            }
            "p95" => late(input),
            other => panic!("no kind {other}"),
        };
        assert_eq!(found, expected, "{name}");
    }
}

fn spend(input: &str) -> String {
    let mut budget = Budget::new(0);
    let mut answers = Vec::new();
    for (what, at) in input.split(' ').filter_map(|step| step.split_once('@')) {
        match what {
            "CALL" => budget.call(number(at)),
            _ => answers.push(if budget.take(number(at)) { "yes" } else { "no" }),
        }
    }
    answers.join(" ")
}

fn late(input: &str) -> String {
    let mut latencies = Latencies::default();
    for part in input.split(' ').filter(|part| *part != "-") {
        let (value, count) = part.split_once('x').unwrap_or((part, "1"));
        for _ in 0..number(count) {
            latencies.push(Duration::from_micros(number(value)));
        }
    }
    latencies.late().map_or("-".into(), |late| late.as_micros().to_string())
}

#[test]
fn nodes_are_read_or_skipped_as_in_every_language() {
    let mut wrong = Vec::new();
    for row in rows(include_str!("../idl/vectors/instances.tsv")) {
        let [name, json, fill, expected] = row[..] else { panic!("four columns in {row:?}") };
        let mut content = match json.strip_prefix("hex:") {
            Some(hex) => unhex(hex),
            None => json.as_bytes().to_vec(),
        };
        if fill != "-" {
            content.resize(number(fill), b' ');
        }
        let read = calculate::registry::Instance::parse("id", &content);
        match (expected.strip_prefix("skipped "), read) {
            (Some(word), Err(why)) => {
                // Half a surrogate pair is no JSON text to this parser; to others it is a wrong value.
                let word = if name.ends_with("_half_a_pair") { "json" } else { word };
                if word != "-" && !why.to_string().to_lowercase().contains(&word.to_lowercase()) {
                    wrong.push(format!("{name}: {why}, and not {word}"));
                }
            }
            (Some(_), Ok(instance)) => wrong.push(format!("{name}: {instance:?}")),
            (None, Err(why)) => wrong.push(format!("{name}: {why}")),
            (None, Ok(instance)) => {
                let port = |port: Option<u16>| port.map_or("-".into(), |port| port.to_string());
                let text = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
                let versions = instance.versions.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
                let versions = if versions.is_empty() { "any".into() } else { versions };
                let found = format!(
                    "address={} port={} sslPort={} version={versions} group={} weight={} zone={} enabled={} registrationTimeUTC={}",
                    instance.address,
                    port(instance.port),
                    port(instance.ssl_port),
                    text(&instance.group),
                    instance.weight,
                    text(&instance.zone),
                    if instance.enabled { "yes" } else { "no" },
                    instance.registered_ms
                );
                if found != expected {
                    wrong.push(format!("{name}: {found}, and not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
