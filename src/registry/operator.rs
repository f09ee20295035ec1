//! What an operator says of an instance, in a node beside the instance's own: `BASE/.operator/SERVICE/ID`. The instance
//! watches it and obeys.

use super::instance::{HEAVIEST, InvalidNode, flag, object, whole};
use super::zookeeper::failed;
use super::{Instance, Listing, Location, Session};
use crate::error::Error;
use serde_json::{Map, Value};
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

/// What operators said of an instance; what they did not speak of is as the instance was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) enabled: Option<bool>,
    pub(super) weight: Option<u32>,
}

/// All that operators said: what holds for one registration, and what holds for those to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    now: Said,
    kept: Said,
    /// The registration that `now` was said of.
    registration: Option<i64>,
}

impl Said {
    fn read(node: &Map<String, Value>) -> Result<Said, InvalidNode> {
        let weight = match whole(node, "weight")? {
            None => None,
            Some(weight) => {
                let weight = u32::try_from(weight).ok().filter(|weight| *weight <= HEAVIEST);
                Some(weight.ok_or_else(|| InvalidNode(format!("weight is not from 0 to {HEAVIEST}")))?)
            }
        };
        Ok(Said { enabled: flag(node, "enabled")?, weight })
    }

    fn and(self, order: Order) -> Said {
        match order {
            Order::Offline => Said { enabled: Some(false), ..self },
            Order::Online => Said { enabled: Some(true), ..self },
            Order::Weight(weight) => Said { weight: Some(weight), ..self },
        }
    }

    fn to_json(self) -> Map<String, Value> {
        let enabled = self.enabled.map(|enabled| ("enabled".to_owned(), enabled.into()));
        let weight = self.weight.map(|weight| ("weight".to_owned(), weight.into()));
        enabled.into_iter().chain(weight).collect()
    }
}

impl Settings {
    /// Reads a node. With `keep` all that it says holds for good; without, only what is in `kept`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Settings, InvalidNode> {
        let node = object(bytes)?;
        let now = Said::read(&node)?;
        let kept = match (flag(&node, "keep")?, node.get("kept")) {
            (Some(true), _) => now,
            (_, None | Some(Value::Null)) => Said::default(),
            (_, Some(Value::Object(kept))) => Said::read(kept)?,
            (_, Some(_)) => return Err(InvalidNode("kept is no object".into())),
        };
        Ok(Settings { now, kept, registration: whole(&node, "registration")? })
    }

    fn to_json(self) -> Vec<u8> {
        let mut node = self.now.to_json();
        node.insert("registration".into(), self.registration.into());
        node.insert("keep".into(), self.is_for_good().into());
        if !self.is_for_good() {
            node.insert("kept".into(), self.kept.to_json().into());
        }
        Value::Object(node).to_string().into_bytes()
    }

    /// What holds for an instance that registered then.
    pub(super) fn of(&self, registered_ms: i64) -> Said {
        if self.registration == Some(registered_ms) { self.now } else { self.kept }
    }

    /// Whether all of it outlives the registration.
    pub(super) fn is_for_good(&self) -> bool {
        self.now == self.kept
    }

    fn and(self, order: Order, keep: bool, instance: &Instance) -> Settings {
        let now = self.of(instance.registered_ms).and(order);
        let kept = if keep { self.kept.and(order) } else { self.kept };
        Settings { now, kept, registration: Some(instance.registered_ms) }
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
        let said = |enabled, weight| Said { enabled, weight };
        let offline = Settings::default().and(Order::Offline, false, &first);
        assert_eq!((offline.of(1), offline.of(2)), (said(Some(false), None), said(None, None)));
        let both = offline.and(Order::Weight(7), true, &first);
        assert_eq!((both.of(1), both.of(2)), (said(Some(false), Some(7)), said(None, Some(7))));
        // After a restart what was kept is what orders are added to.
        let later = both.and(Order::Offline, true, &second);
        assert_eq!((later.of(2), later.of(3)), (said(Some(false), Some(7)), said(Some(false), Some(7))));
        assert!(later.is_for_good() && !both.is_for_good());
        let online = later.and(Order::Online, false, &second);
        assert_eq!((online.of(2), online.of(3)), (said(Some(true), Some(7)), said(Some(false), Some(7))));
    }

    #[test]
    fn settings_are_read_as_they_are_written_and_broken_ones_are_not() {
        let kept = Settings::default().and(Order::Offline, true, &instance(3));
        for settings in [kept, kept.and(Order::Weight(5), false, &instance(3)), Settings::default()] {
            assert_eq!(Settings::parse(&settings.to_json()), Ok(settings));
        }
        let written = String::from_utf8(kept.to_json()).expect("text");
        assert_eq!(written, r#"{"enabled":false,"keep":true,"registration":3}"#);
        let foreign = Settings::parse(br#"{"enabled":false,"weight":50,"keep":false,"registration":3,"more":1}"#);
        assert_eq!(foreign.map(|it| (it.of(3).weight, it.of(4).weight)), Ok((Some(50), None)));
        for broken in
            ["", "[]", r#"{"weight":-1}"#, r#"{"weight":"50"}"#, r#"{"enabled":1}"#, r#"{"kept":{"weight":10001}}"#]
        {
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
