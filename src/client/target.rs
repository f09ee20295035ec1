//! What a client is told to call: one server, or many.

use super::address::{Address, tcp, unix};
use super::balance::instance::{DEFAULT_GROUP, VersionRange};
use super::source::{Registered, Source};
use std::fmt;
use std::str::FromStr;

/// What to call: one server (`HOST:PORT`, `[IPv6]:PORT`, `unix:/path`) or many (`HOST:PORT,HOST:PORT`, `dns://NAME:PORT`,
/// `zk://HOST:PORT[,HOST:PORT]/BASE/SERVICE[?version=RANGE&group=GROUP&zone=ZONE]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    One(Address),
    Many(Source),
}

/// A target that is none: the text says what is wrong and shows the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTarget(String);

impl Target {
    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }

    /// The server's address, where it is one server.
    pub(crate) fn one(&self) -> Option<&Address> {
        match &self.0 {
            Kind::One(address) => Some(address),
            Kind::Many(_) => None,
        }
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Target, InvalidTarget> {
        let wrong = |why: String| InvalidTarget(format!("{text:?} is no server: {why}; write {FORMS}"));
        kind(text).map(Target).map_err(wrong)
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return Ok(Kind::One(Address::Unix { path: unix(path)? }));
    }
    match text.split_once("://") {
        Some(("zk", rest)) => Ok(Kind::Many(Source::Registered(registered(rest)?))),
        Some(("dns", name)) if name.contains(',') => Err("dns:// takes one name".into()),
        Some(("dns", name)) => match tcp(name)? {
            Address::Tcp { host, port } => Ok(Kind::Many(Source::Name { host, port })),
            Address::Unix { .. } => Err("dns:// takes a name".into()),
        },
        Some((scheme, _)) => Err(format!("{scheme}:// is not known")),
        None if text.contains(',') => Ok(Kind::Many(Source::Typed(listed(text)?))),
        None => Ok(Kind::One(tcp(text)?)),
    }
}

/// Several servers; who is named twice counts once.
fn listed(text: &str) -> Result<Vec<Address>, String> {
    let mut addresses = Vec::new();
    for server in text.split(',') {
        if server.starts_with("unix:") {
            return Err("a list holds no unix: socket".into());
        }
        let address = tcp(server)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

fn registered(rest: &str) -> Result<Registered, String> {
    if rest.contains('%') {
        return Err("% is not decoded: write characters as they are".into());
    }
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let (servers, path) = place.split_once('/').map_or((place, None), |(servers, path)| (servers, Some(path)));
    if servers.contains('@') {
        return Err("credentials are given by the option zk_auth".into());
    }
    for server in servers.split(',') {
        tcp(server).map_err(|why| format!("of the registry's servers {why}"))?;
    }
    let path = path.ok_or("it has no path")?;
    let named = |name: &str| {
        !name.is_empty() && !name.starts_with('.') && !name.contains(|c: char| c.is_control() || c.is_whitespace())
    };
    if !path.contains('/') || !path.split('/').all(named) {
        return Err("its path is not /BASE/SERVICE".into());
    }
    let mut registered = Registered {
        servers: servers.into(),
        path: format!("/{path}"),
        versions: None,
        group: DEFAULT_GROUP.into(),
        zone: None,
    };
    if let Some(query) = query {
        ask(query, &mut registered)?;
    }
    Ok(registered)
}

/// Reads what stands behind the question mark.
fn ask(query: &str, registered: &mut Registered) -> Result<(), String> {
    let mut known: Vec<&str> = Vec::new();
    for pair in query.split('&') {
        if pair.is_empty() {
            return Err("nothing stands between ? or & and the next".into());
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if known.contains(&key) {
            return Err(format!("{key} is there twice"));
        }
        known.push(key);
        match key {
            "version" => registered.versions = Some(range(value).ok_or("version is not N, N-M or N+")?),
            "group" | "zone" if value.is_empty() => return Err(format!("{key} is empty")),
            "group" => registered.group = value.into(),
            "zone" => registered.zone = Some(value.into()),
            other => return Err(format!("{other} cannot be asked for")),
        }
    }
    Ok(())
}

fn range(text: &str) -> Option<VersionRange> {
    let number = |text: &str| -> Option<u64> {
        let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    };
    if let Some(low) = text.strip_suffix('+') {
        return Some(VersionRange { low: number(low)?, high: u64::MAX });
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let range = VersionRange { low: number(low)?, high: number(high)? };
    (range.low <= range.high).then_some(range)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::One(address) => address.fmt(f),
            Kind::Many(source) => source.fmt(f),
        }
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidTarget {}

const FORMS: &str = "HOST:PORT, [IPv6]:PORT, unix:/path, HOST:PORT,HOST:PORT, dns://NAME:PORT or \
                     zk://HOST:PORT[,HOST:PORT]/BASE/SERVICE[?version=1-2&group=GROUP&zone=ZONE]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_and_printed_alike() {
        for text in [
            "127.0.0.1:9090",
            "localhost:1",
            "[::1]:65535",
            "unix:/run/calculate.sock",
            "unix:/a b:1",
            "a:1,[::1]:2",
            "dns://a:1",
        ] {
            assert_eq!(text.parse::<Target>().expect("a target").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_target_is_told_what_it_lacks_and_shown_the_forms() {
        let cases = [
            ("localhost", "it has no port"),
            ("::1:9090", "an IPv6 address needs brackets"),
            ("[::1]", "it has no port"),
            ("[localhost]:9090", "only an IPv6 address has brackets"),
            ("me@host:9090", "the host is missing or is none"),
            ("[::1:9090", "the bracket is not closed"),
            (":9090", "the host is missing or is none"),
            ("a/b:80", "the host is missing or is none"),
            ("x:0", "the port is not a number from 1 to 65535"),
            ("x:65536", "the port is not a number from 1 to 65535"),
            ("x:+80", "the port is not a number from 1 to 65535"),
            ("unix:", "the path of a unix socket begins with /"),
            ("unix:run/calculate.sock", "the path of a unix socket begins with /"),
            ("unix:9090", "the path of a unix socket begins with /"),
            ("unix:/run/", "and ends with its name"),
            ("unix:/a\nb", "the path of a unix socket"),
            (&format!("unix:/{}", "x".repeat(200)), "the path is longer than the system takes for a socket"),
        ];
        for (text, why) in cases {
            let error = text.parse::<Target>().expect_err(text).to_string();
            assert!(error.contains(why) && error.ends_with(FORMS), "{error}");
        }
    }

    #[test]
    fn targets_are_read_as_in_every_language() {
        let rows = include_str!("../../idl/vectors/targets.tsv").lines().filter(|line| !line.starts_with('#'));
        for row in rows {
            let [text, kind, expected] = row.split('\t').collect::<Vec<_>>()[..] else {
                panic!("three columns: {row}")
            };
            match (kind, text.parse::<Target>()) {
                ("wrong", Err(error)) => {
                    let error = error.to_string();
                    assert!(error.contains(expected) && error.ends_with(FORMS), "{text}: {error}");
                }
                ("wrong", Ok(target)) => panic!("{text} is no {target:?}"),
                (_, Ok(target)) => assert_eq!(parts(&target.0), (kind.into(), expected.into()), "{text}"),
                (_, Err(error)) => panic!("{text}: {error}"),
            }
        }
    }

    fn parts(kind: &Kind) -> (String, String) {
        let place = |address: &Address| match address {
            Address::Tcp { host, port } => format!("{host} {port}"),
            Address::Unix { path } => path.clone(),
        };
        match kind {
            Kind::One(address @ Address::Tcp { .. }) => ("direct".into(), place(address)),
            Kind::One(address) => ("unix".into(), place(address)),
            Kind::Many(Source::Typed(all)) => ("list".into(), all.iter().map(place).collect::<Vec<_>>().join(" ")),
            Kind::Many(Source::Name { host, port }) => ("dns".into(), format!("{host} {port}")),
            Kind::Many(Source::Registered(Registered { servers, path, versions, group, zone })) => {
                let version = versions.map_or("any".into(), |VersionRange { low, high }| {
                    format!("{low}-{}", if high == u64::MAX { 9_999_999_999 } else { high })
                });
                let zone = zone.as_deref().unwrap_or("-");
                let said = format!("servers={servers} path={path} version={version} group={group} zone={zone}");
                ("zookeeper".into(), said)
            }
        }
    }
}
