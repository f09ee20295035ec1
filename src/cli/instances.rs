//! `calculate instances`.

use super::registry::{block_on, service};
use super::say;
use super::zookeeper::ZooKeeperArgs;
use crate::error::Error;
use crate::registry::{Instance, Listing, Location, Session};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// List the instances of a service: address, version, weight, state, age
#[derive(Debug, Args)]
pub(super) struct Instances {
    /// The service: zk://HOST:PORT[,HOST:PORT...]/services/calculate
    #[arg(value_name = "REGISTRY", env = "CALCULATE_REGISTRY", value_parser = service)]
    registry: Location,
    /// List them again whenever something changes
    #[arg(long)]
    watch: bool,
    /// As JSON, one line a list
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    zookeeper: ZooKeeperArgs,
}

impl Instances {
    pub(super) fn run(self) -> ExitCode {
        block_on(async move {
            match self.watch {
                true => self.follow().await,
                false => {
                    let session = self.zookeeper.open(&self.registry).await?;
                    let listing = Listing::read(&session, &self.registry).await;
                    session.close().await;
                    self.show(&listing?);
                    Ok(())
                }
            }
        })
    }

    /// Goes on until it is ended; a registry that goes away, and a service that nobody has registered yet, are waited for.
    async fn follow(&self) -> Result<(), Error> {
        let mut shown = None;
        let mut session = self.zookeeper.open(&self.registry).await?;
        loop {
            let error = self.follow_in(&session, &mut shown).await;
            eprintln!("calculate: {error}; trying again");
            session = loop {
                tokio::time::sleep(PAUSE).await;
                if let Ok(session) = self.zookeeper.open(&self.registry).await {
                    break session;
                }
            };
        }
    }

    /// Returns when the session fails.
    async fn follow_in(&self, session: &Session, shown: &mut Option<Listing>) -> Error {
        let mut changes = match session.changes_below(&self.registry).await {
            Ok(changes) => changes,
            Err(error) => return error,
        };
        loop {
            let listing = match Listing::find(session, &self.registry).await {
                Ok(listing) => listing.unwrap_or_default(),
                Err(error) => return error,
            };
            if shown.as_ref() != Some(&listing) {
                self.show(&listing);
                *shown = Some(listing);
            }
            if changes.next().await.is_none() {
                return Error::registry("the registry has ended the session");
            }
        }
    }

    fn show(&self, listing: &Listing) {
        if self.json {
            return say(to_json(listing));
        }
        for line in table(&listing.instances, now_ms()) {
            say(line);
        }
        for (id, why) in &listing.skipped {
            eprintln!("calculate: {id:?} is no instance: {why}");
        }
    }
}

/// A heading and a line an instance, in columns.
fn table(instances: &[Instance], now_ms: i64) -> Vec<String> {
    let heading = ["ID", "ADDRESS", "VERSION", "GROUP", "ZONE", "WEIGHT", "STATE", "AGE"].map(String::from);
    let rows: Vec<_> = std::iter::once(heading).chain(instances.iter().map(|it| row(it, now_ms))).collect();
    let widths: [usize; 8] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 8]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(instance: &Instance, now_ms: i64) -> [String; 8] {
    let or_dash = |text: &str| if text.is_empty() { "-".into() } else { printable(text) };
    let versions = instance.versions.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    [
        printable(&instance.id),
        printable(&instance.endpoint()),
        or_dash(&versions),
        printable(&instance.group),
        or_dash(&instance.zone),
        instance.weight.to_string(),
        state(instance).into(),
        age(instance, now_ms),
    ]
}

/// Others wrote it: it must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn state(instance: &Instance) -> &'static str {
    match instance {
        Instance { enabled: false, .. } => "offline",
        Instance { weight: 0, .. } => "idle",
        _ => "online",
    }
}

fn age(instance: &Instance, now_ms: i64) -> String {
    if instance.registered_ms <= 0 {
        return "-".into();
    }
    let seconds = now_ms.saturating_sub(instance.registered_ms).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn to_json(listing: &Listing) -> Value {
    let instance = |it: &Instance| {
        json!({
            "id": it.id, "address": it.address, "port": it.port, "sslPort": it.ssl_port, "versions": it.versions,
            "group": it.group, "zone": it.zone, "weight": it.weight, "state": state(it),
            "registered": it.registered_ms, "encodings": it.encodings, "idl": it.idl,
        })
    };
    let skipped = |(id, why): &(String, String)| json!({ "id": id, "why": why });
    let instances: Vec<_> = listing.instances.iter().map(instance).collect();
    json!({ "instances": instances, "skipped": listing.skipped.iter().map(skipped).collect::<Vec<_>>() })
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Between two tries to reach the registry again.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str, rest: &str) -> Instance {
        let node = format!(r#"{{"address":"127.0.0.1","port":9090{rest}}}"#);
        Instance::parse(id, node.as_bytes()).expect("valid")
    }

    #[test]
    fn the_table_has_columns_and_no_control_characters() {
        let all = [
            instance("one", r#","registrationTimeUTC":1000,"payload":{"version":"1,2","zone":"a","weight":"50"}"#),
            instance("two\u{1b}[2J", r#","registrationTimeUTC":999940000,"enabled":false"#),
            instance("three", r#","payload":{"weight":"0","group":"blue"}"#),
        ];
        let expected = [
            "ID        ADDRESS         VERSION  GROUP    ZONE  WEIGHT  STATE    AGE",
            "one       127.0.0.1:9090  1,2      default  a     50      online   11d",
            "two?[2J   127.0.0.1:9090  -        default  -     100     offline  1m",
            "three     127.0.0.1:9090  -        blue     -     0       idle     -",
        ];
        let expected: Vec<String> = expected.iter().map(|line| line.replacen("   ", "  ", 1)).collect();
        let table = table(&all, 1_000_000_000);
        let squeezed = |lines: &[String]| -> Vec<Vec<String>> {
            lines.iter().map(|line| line.split_whitespace().map(Into::into).collect()).collect()
        };
        assert_eq!(squeezed(&table), squeezed(&expected));
        let column = |line: &String| line.find("127").or(line.find("ADDRESS"));
        assert!(table.iter().all(|line| column(line) == column(&table[0])), "{table:?}");
    }

    #[test]
    fn an_age_has_one_unit() {
        let ages = [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400, "1d")];
        for (seconds, text) in ages {
            let instance = instance("i", r#","registrationTimeUTC":1"#);
            assert_eq!(age(&instance, seconds * 1000 + 1), text);
        }
    }
}
