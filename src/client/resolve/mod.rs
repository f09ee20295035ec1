//! Where a client learns which instances there are: from its target, from names, from a registry.

pub(super) mod cache;
mod dns;
mod registry;

use super::address::Address;
use super::balance::instance::Instance;
use super::options::Options;
use super::source::Source;
use std::path::PathBuf;
use tokio::sync::mpsc::UnboundedSender;

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

/// Where the last list is kept: where that was set, or at a place of its own for each service in a registry.
pub(super) fn cache_file(source: &Source, options: &Options) -> Option<PathBuf> {
    match source {
        Source::Registered(registered) => {
            options.cache_file.clone().or_else(|| cache::default_file(&registered.to_string()))
        }
        _ => None,
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
