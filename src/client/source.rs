//! Where the list of instances comes from, as a target says it.

use super::address::Address;
use super::balance::instance::{DEFAULT_GROUP, VersionRange};
use std::fmt;

/// Where the list comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It was typed.
    Typed(Vec<Address>),
    /// All addresses of a name.
    Name { host: String, port: u16 },
    /// A registry.
    Registered(Registered),
}

/// A service in a registry, and which of its instances are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registered {
    /// The registry's servers: `HOST:PORT,HOST:PORT`.
    pub(super) servers: String,
    /// The service's place: `/BASE/SERVICE`.
    pub(super) path: String,
    pub(super) versions: Option<VersionRange>,
    pub(super) group: String,
    pub(super) zone: Option<String>,
}

impl Source {
    pub(super) fn versions(&self) -> Option<VersionRange> {
        match self {
            Source::Registered(registered) => registered.versions,
            _ => None,
        }
    }

    pub(super) fn group(&self) -> &str {
        match self {
            Source::Registered(registered) => &registered.group,
            _ => DEFAULT_GROUP,
        }
    }

    pub(super) fn zone(&self) -> Option<&str> {
        match self {
            Source::Registered(registered) => registered.zone.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Typed(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(Address::to_string).collect();
                f.write_str(&addresses.join(","))
            }
            Source::Name { host, port } => {
                let address = Address::Tcp { host: host.clone(), port: *port };
                write!(f, "dns://{address}")
            }
            Source::Registered(registered) => registered.fmt(f),
        }
    }
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Registered { servers, path, versions, group, zone } = self;
        write!(f, "zk://{servers}{path}")?;
        let version = versions.map(|VersionRange { low, high }| match high {
            u64::MAX => format!("version={low}+"),
            high if high == low => format!("version={low}"),
            high => format!("version={low}-{high}"),
        });
        let group = (group != DEFAULT_GROUP).then(|| format!("group={group}"));
        let zone = zone.as_ref().map(|zone| format!("zone={zone}"));
        for (index, asked) in [version, group, zone].into_iter().flatten().enumerate() {
            write!(f, "{}{asked}", if index == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}
