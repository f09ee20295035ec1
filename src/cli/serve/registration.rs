//! The flags of `calculate serve` that say how it is announced, and the way it takes into the registry and out.

use super::super::seconds;
use super::super::zookeeper::ZooKeeperArgs;
use crate::config::Registration;
use crate::error::Error;
use crate::registry::Announcement;
use crate::server::{Server, Shutdown};
use clap::Args;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct RegistrationFlags {
    /// Announce this server in a registry, below this node: zk://HOST:PORT[,HOST:PORT...]/services
    #[arg(long, value_name = "REGISTRY", env = "CALCULATE_REGISTER")]
    register: Option<String>,
    /// Where clients reach this server [default: the first address that it listens on]
    #[arg(long, value_name = "HOST:PORT", env = "CALCULATE_ADVERTISE", requires = "register")]
    advertise: Option<String>,
    /// What it is called among the instances; stable over restarts [default: where clients reach it, with - for :]
    #[arg(long, value_name = "ID", env = "CALCULATE_INSTANCE_ID", requires = "register")]
    instance_id: Option<String>,
    /// Clients call instances of one group only
    #[arg(long, value_name = "GROUP", env = "CALCULATE_GROUP", default_value_t = default().group)]
    group: String,
    /// Where it stands; clients prefer their own zone
    #[arg(long, value_name = "ZONE", env = "CALCULATE_ZONE", default_value_t = default().zone, hide_default_value = true)]
    zone: String,
    /// Its share of the calls, 0 to 10000; at 0 it is not called
    #[arg(long, value_name = "N", env = "CALCULATE_WEIGHT", default_value_t = default().weight)]
    weight: u32,
    /// The versions of the service that it hosts, such as 1,2: version 2 is Calculate.v2
    #[arg(long, value_name = "V", env = "CALCULATE_SERVICE_VERSION", value_delimiter = ',', default_value = "1")]
    service_version: Vec<u32>,
    /// How long it goes on serving after it has left the registry, so that clients learn of it
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_LAME_DUCK", value_parser = seconds_or_none, default_value = "1")]
    lame_duck: Duration,
    #[command(flatten)]
    zookeeper: ZooKeeperArgs,
    /// A server that ZooKeeper does not hear of for this long is gone
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_ZK_SESSION_TIMEOUT", value_parser = seconds, default_value = "6")]
    zk_session_timeout: Duration,
}

impl RegistrationFlags {
    /// The versions that are hosted, announced or not.
    pub(super) fn versions(&self) -> Vec<u32> {
        self.service_version.clone()
    }

    /// How it is announced; `None` when it is not.
    pub(super) fn settings(&self) -> Result<Option<Registration>, Error> {
        let settings = Registration {
            registry: self.register.clone().unwrap_or_else(|| default().registry),
            advertise: self.advertise.clone(),
            instance_id: self.instance_id.clone(),
            group: self.group.clone(),
            zone: self.zone.clone(),
            weight: self.weight,
            versions: self.service_version.clone(),
            lame_duck: self.lame_duck,
            session_timeout: self.zk_session_timeout,
            credentials: self.zookeeper.credentials()?,
            tls: self.zookeeper.tls()?,
        };
        settings.validate()?;
        Ok(self.register.is_some().then_some(settings))
    }
}

/// The server's place in the registry: empty unless it is announced.
#[derive(Clone, Debug, Default)]
pub(super) struct Place(Arc<OnceLock<Announcement>>);

impl Place {
    /// A shutdown by signals that begins when the server has left the registry and clients had time to learn of it.
    pub(super) fn shutdown(&self, settings: Option<&Registration>) -> Result<Shutdown, Error> {
        let Some(Registration { lame_duck, .. }) = settings else { return Shutdown::on_signals() };
        let (place, lame_duck) = (self.clone(), *lame_duck);
        Shutdown::on_signals_after(move || {
            // Why it could not be registered is said at the end.
            if let Ok(true) = place.leave() {
                log::info!("serving for {lame_duck:?} more, until clients have learnt of it");
                std::thread::sleep(lame_duck);
            }
        })
    }

    /// Gets ready to announce a server that has its address.
    pub(super) fn prepare(&self, settings: &Registration, server: &Server, shutdown: &Shutdown) -> Result<(), Error> {
        let listening = (server.local_addr(), server.tls_mode());
        let told = shutdown.clone();
        let announcement = Announcement::new(settings, SERVICE, IDL, listening, move || told.begin())?;
        // It is empty: nobody else fills it.
        let _ = self.0.set(announcement);
        Ok(())
    }

    pub(super) fn announce(&self) {
        if let Some(announcement) = self.0.get() {
            announcement.begin();
        }
    }

    /// Whether it was in the registry.
    pub(super) fn leave(&self) -> Result<bool, Error> {
        self.0.get().map_or(Ok(false), Announcement::end)
    }
}

fn default() -> Registration {
    Registration::default()
}

/// A time that may be none at all.
fn seconds_or_none(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('s').unwrap_or(text).parse::<f64>() {
        Ok(0.0) => Ok(Duration::ZERO),
        _ => seconds(text),
    }
}

/// The name of the service's node.
const SERVICE: &str = "calculate";
const IDL: &str = include_str!("../../../idl/calculate.thrift");
