//! Where a client learns which instances there are: from its target, from names, from a registry.

pub(super) mod cache;
mod dns;
mod registry;

use super::address::Address;
use super::balance::instance::{DEFAULT_GROUP, Instance, VersionRange};
use super::options::Options;
use super::target::Registered;
use std::fmt;
use tokio::sync::mpsc::UnboundedSender;

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

/// What a resolver says.
#[derive(Clone, Debug)]
pub(super) enum Update {
    /// A list from the disk.
    Cached(Vec<Instance>),
    /// All instances that there are.
    Read(Vec<Instance>),
    /// Whoever is asked can be reached.
    Connected,
    /// Whoever is asked cannot be reached any more.
    Lost,
    /// Why there is no list.
    Complaint(String),
    /// Somebody in the list is no instance: who, and why.
    Skipped(String, String),
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

/// Tells `updates` of the instances, for as long as somebody listens.
pub(super) async fn run(source: Source, options: Options, updates: UnboundedSender<Update>) {
    match source {
        Source::Typed(addresses) => {
            let _ = updates.send(Update::Connected);
            let _ = updates.send(Update::Read(addresses.iter().map(typed).collect()));
        }
        Source::Name { host, port } => dns::run(&host, port, &updates).await,
        Source::Registered(registered) => registry::run(&registered, &options, &updates).await,
    }
}

fn typed(address: &Address) -> Instance {
    match address {
        Address::Tcp { host, port } => Instance::at(address.to_string(), host, Some(*port)),
        Address::Unix { .. } => Instance::at(address.to_string(), address.to_string(), None),
    }
}
