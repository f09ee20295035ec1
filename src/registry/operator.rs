//! What an operator says of an instance, in a node beside the instance's own: `BASE/.operator/SERVICE/ID`. The instance
//! watches it and obeys.

use super::instance::{HEAVIEST, InvalidNode, flag, object, whole};
use super::zookeeper::failed;
use super::{Instance, Listing, Location, Session};
use crate::error::Error;
use serde_json::json;
use std::time::Duration;
use zookeeper_client::{CreateMode, Error as Fault};

/// What an operator wants of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Not to be called.
    Offline,
    /// To be called again.
    Online,
    /// To have this share of the calls.
    Weight(u32),
}

/// All that operators said of an instance and that holds still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) enabled: Option<bool>,
    pub(super) weight: Option<u32>,
    /// Whether it holds after the instance's restart.
    pub(super) keep: bool,
    /// The registration that it was said of.
    registration: Option<i64>,
}

impl Settings {
    /// Reads a node.
    pub(super) fn parse(bytes: &[u8]) -> Result<Settings, InvalidNode> {
        let node = object(bytes)?;
        let weight = whole(&node, "weight")?.map(|weight| u32::try_from(weight).ok().filter(|it| *it <= HEAVIEST));
        if weight == Some(None) {
            return Err(InvalidNode(format!("weight is not from 0 to {HEAVIEST}")));
        }
        Ok(Settings {
            enabled: flag(&node, "enabled")?,
            weight: weight.flatten(),
            keep: flag(&node, "keep")?.unwrap_or(false),
            registration: whole(&node, "registration")?,
        })
    }

    fn to_json(self) -> Vec<u8> {
        let mut node = json!({ "keep": self.keep, "registration": self.registration });
        if let Some(enabled) = self.enabled {
            node["enabled"] = enabled.into();
        }
        if let Some(weight) = self.weight {
            node["weight"] = weight.into();
        }
        node.to_string().into_bytes()
    }

    /// Whether it holds for an instance that registered then.
    pub(super) fn holds_for(&self, registered_ms: i64) -> bool {
        self.keep || self.registration == Some(registered_ms)
    }

    /// What holds after a further order. What was to be kept still is: an order must not bring back with a restart what
    /// another took out for good.
    fn and(self, order: Order, keep: bool, instance: &Instance) -> Settings {
        let before = if self.holds_for(instance.registered_ms) { self } else { Settings::default() };
        let after = Settings { keep: before.keep || keep, registration: Some(instance.registered_ms), ..before };
        match order {
            Order::Offline => Settings { enabled: Some(false), ..after },
            Order::Online => Settings { enabled: Some(true), ..after },
            Order::Weight(weight) => Settings { weight: Some(weight), ..after },
        }
    }
}

/// Where an operator speaks to an instance.
pub(super) fn path(service: &Location, id: &str) -> String {
    let (base, name) = service.path().rsplit_once('/').unwrap_or_default();
    format!("{base}/.operator/{name}/{id}")
}

/// Gives an instance an order. With `keep` it holds after the instance's restart, too.
///
/// # Errors
/// There is no such instance: names those that there are. Or the registry fails.
pub async fn order(session: &Session, service: &Location, id: &str, order: Order, keep: bool) -> Result<(), Error> {
    let listing = Listing::read(session, service).await?;
    let Some(instance) = listing.instances.iter().find(|instance| instance.id == id) else {
        return Err(unknown(service, id, &listing));
    };
    let path = path(service, id);
    let client = session.client();
    loop {
        let written = match client.get_data(&path).await {
            Err(Fault::NoNode) => {
                let said = Settings::default().and(order, keep, instance).to_json();
                session.create(&path, &said, CreateMode::Persistent).await
            }
            Err(fault) => Err(fault),
            Ok((before, stat)) => {
                // One that cannot be read says nothing that could be kept.
                let before = Settings::parse(&before).unwrap_or_default();
                let said = before.and(order, keep, instance).to_json();
                client.set_data(&path, &said, Some(stat.version)).await.map(drop)
            }
        };
        match written {
            // Another operator was faster: what they said counts, too.
            Err(Fault::NodeExists | Fault::BadVersion | Fault::NoNode) => {}
            written => return written.map_err(|fault| failed(&path, &fault)),
        }
    }
}

/// Waits until an instance's own node says what it was ordered, at most for `longest`; whether it does.
///
/// # Errors
/// The instance is gone, or the registry fails.
pub async fn obeyed(
    session: &Session,
    service: &Location,
    id: &str,
    order: Order,
    longest: Duration,
) -> Result<bool, Error> {
    let path = service.below(id).path().to_owned();
    let obeys = async {
        loop {
            let read = session.client().get_and_watch_data(&path).await;
            let (content, _, watcher) = read.map_err(|fault| match fault {
                Fault::NoNode => Error::registry(format!("{id} has left the registry meanwhile")),
                fault => failed(&path, &fault),
            })?;
            if Instance::parse(id, &content).is_ok_and(|instance| does(&instance, order)) {
                return Ok(());
            }
            watcher.changed().await;
        }
    };
    match tokio::time::timeout(longest, obeys).await {
        Ok(obeyed) => obeyed.map(|()| true),
        Err(_) => Ok(false),
    }
}

fn does(instance: &Instance, order: Order) -> bool {
    match order {
        Order::Offline => !instance.enabled,
        Order::Online => instance.enabled,
        Order::Weight(weight) => instance.weight == weight,
    }
}

fn unknown(service: &Location, id: &str, listing: &Listing) -> Error {
    let known: Vec<&str> = listing.instances.iter().map(|instance| instance.id.as_str()).collect();
    let there = match known.is_empty() {
        true => "there is none".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    };
    Error::registry(format!("{service} has no instance {id:?}; {there}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(registered_ms: i64) -> Instance {
        let node = format!(r#"{{"address":"h","port":1,"registrationTimeUTC":{registered_ms}}}"#);
        Instance::parse("i", node.as_bytes()).expect("valid")
    }

    #[test]
    fn orders_add_up_and_hold_for_one_registration_or_for_good() {
        let (first, second) = (instance(1), instance(2));
        let offline = Settings::default().and(Order::Offline, false, &first);
        assert!(offline.holds_for(1) && !offline.holds_for(2));
        let both = offline.and(Order::Weight(7), false, &first);
        assert_eq!((both.enabled, both.weight), (Some(false), Some(7)));
        // After a restart only what is said anew holds.
        let later = both.and(Order::Weight(8), false, &second);
        assert_eq!((later.enabled, later.weight, later.holds_for(1)), (None, Some(8), false));
        let kept = both.and(Order::Weight(9), true, &first);
        assert_eq!((kept.enabled, kept.weight, kept.holds_for(2)), (Some(false), Some(9), true));
        let online = kept.and(Order::Online, false, &second);
        assert_eq!((online.enabled, online.weight, online.holds_for(3)), (Some(true), Some(9), true));
    }

    #[test]
    fn settings_are_read_as_they_are_written_and_broken_ones_are_not() {
        let settings = Settings { enabled: Some(false), weight: Some(50), keep: true, registration: Some(3) };
        assert_eq!(Settings::parse(&settings.to_json()), Ok(settings));
        assert_eq!(Settings::parse(b"{}"), Ok(Settings::default()));
        for broken in ["", "[]", r#"{"weight":-1}"#, r#"{"weight":"50"}"#, r#"{"enabled":1}"#, r#"{"weight":10001}"#] {
            assert!(Settings::parse(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_operator_speaks_beside_the_service() {
        let path = |text| path(&Location::parse("registry", text).expect("valid"), "i");
        assert_eq!(path("zk://h:1/a/services/calculate"), "/a/services/.operator/calculate/i");
        assert_eq!(path("zk://h:1/calculate"), "/.operator/calculate/i");
    }
}
