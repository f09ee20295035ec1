//! The node of this instance: there, ours, and as the operator wants it.

use super::operator::{self, Said, Settings};
use super::zookeeper::Failure;
use super::{Instance, Location, Session};
use crate::error::Error;
use zookeeper_client::{CreateMode, Error as Fault, OneshotWatcher, Stat};

/// The node, and what is to be in it.
#[derive(Debug)]
pub(super) struct OwnNode {
    service: Location,
    path: String,
    operator_path: String,
    /// As it was started; operators may say otherwise.
    instance: Instance,
    /// What operators said, as far as it holds.
    said: Said,
    /// The version of the operator's node that was last heard, so that each is logged once.
    heard: Option<i64>,
}

/// How things are with the node, and what tells when that changes.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) state: State,
    pub(super) watch: Watch,
}

/// Tells when the node, or what operators say of it, changes.
#[derive(Debug)]
pub(super) struct Watch {
    own: OneshotWatcher,
    operator: OneshotWatcher,
}

#[derive(Debug)]
pub(super) enum State {
    /// It is there, is ours, and says what it should.
    Registered {
        /// It was not there, or was a former session's, and is now.
        anew: bool,
    },
    /// Another server has the id.
    Taken(Error),
}

/// Whose a node is that is there already.
enum Owner {
    Us,
    /// Our own process in a session that has ended, or the one before it at the same place.
    Former,
    Other(String),
}

impl OwnNode {
    pub(super) fn new(service: Location, instance: Instance) -> OwnNode {
        let path = service.below(&instance.id).path().to_owned();
        let operator_path = operator::path(&service, &instance.id);
        OwnNode { service, path, operator_path, instance, said: Said::default(), heard: None }
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Makes the node what it should be, whatever is there.
    pub(super) async fn settle(&mut self, session: &Session) -> Result<Settled, Failure> {
        let operator = self.hear(session).await.map_err(|fault| Failure::of(&self.operator_path, &fault))?;
        let wanted = self.wanted().to_json();
        let mut anew = false;
        // Whatever else is done with the node meanwhile starts another round.
        for _ in 0..ROUNDS {
            let round = self.round(session, &wanted, &mut anew).await;
            if let Some((state, own)) = round.map_err(|fault| Failure::of(&self.path, &fault))? {
                return Ok(Settled { state, watch: Watch { own, operator } });
            }
        }
        Err(Failure::Other(Error::registry(format!("registry: {}: others keep changing it", self.path))))
    }

    /// One step nearer to the node as it should be; `None` when it has to be looked at again.
    async fn round(
        &self,
        session: &Session,
        wanted: &[u8],
        anew: &mut bool,
    ) -> Result<Option<(State, OneshotWatcher)>, Fault> {
        let client = session.client();
        let step = match client.get_and_watch_data(&self.path).await {
            Err(Fault::NoNode) => {
                let created = session.create(&self.path, wanted, CreateMode::Ephemeral).await;
                *anew |= created.is_ok();
                created
            }
            Err(fault) => return Err(fault),
            Ok((content, stat, watcher)) => match self.owner(session, &content, &stat) {
                Owner::Us if content == wanted => {
                    return Ok(Some((State::Registered { anew: *anew }, watcher)));
                }
                Owner::Us => client.set_data(&self.path, wanted, Some(stat.version)).await.map(drop),
                Owner::Former => {
                    let replaced = self.replace(session, stat.version, wanted).await;
                    *anew |= replaced.is_ok();
                    replaced
                }
                Owner::Other(who) => return Ok(Some((State::Taken(self.taken(&who)), watcher))),
            },
        };
        match step {
            Ok(()) | Err(Fault::NoNode | Fault::NodeExists | Fault::BadVersion) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Takes the node out of the registry, if it is ours.
    pub(super) async fn remove(&self, session: &Session) -> Result<(), Fault> {
        let (_, stat) = match session.client().get_data(&self.path).await {
            Err(Fault::NoNode) => return Ok(()),
            read => read?,
        };
        if stat.ephemeral_owner != session.id() {
            return Ok(());
        }
        match session.client().delete(&self.path, Some(stat.version)).await {
            Err(Fault::NoNode) => Ok(()),
            deleted => deleted,
        }
    }

    /// A former node gives way to ours in one step: nobody sees the instance missing.
    async fn replace(&self, session: &Session, version: i32, wanted: &[u8]) -> Result<(), Fault> {
        let mut writer = session.client().new_multi_writer();
        writer.add_delete(&self.path, Some(version))?;
        writer.add_create(&self.path, wanted, &CreateMode::Ephemeral.with_acls(session.acls()))?;
        match writer.commit().await {
            Ok(_) => Ok(()),
            Err(zookeeper_client::MultiWriteError::RequestFailed { source }) => Err(source),
            Err(zookeeper_client::MultiWriteError::OperationFailed { source, .. }) => Err(source),
        }
    }

    /// The place is what tells an instance's former life from another's: nobody else can have listened there. Whoever
    /// registered later has it; so of two servers that claim one place, too, one yields, and they do not go on taking
    /// it from each other.
    fn owner(&self, session: &Session, content: &[u8], stat: &Stat) -> Owner {
        if stat.ephemeral_owner == session.id() {
            return Owner::Us;
        }
        if stat.ephemeral_owner == 0 {
            return Owner::Other("a node that no session owns, and that stays until somebody deletes it".into());
        }
        match Instance::parse(&self.instance.id, content) {
            Ok(other) if !other.same_place(&self.instance) => {
                Owner::Other(format!("the server at {}", other.endpoint()))
            }
            Ok(other) if other.registered_ms > self.instance.registered_ms => {
                Owner::Other(format!("a later server that says it is at {}, too", other.endpoint()))
            }
            Ok(_) => Owner::Former,
            Err(_) => Owner::Other("a node that nobody can read".into()),
        }
    }

    fn taken(&self, who: &str) -> Error {
        let Instance { id, .. } = &self.instance;
        Error::registry(format!(
            "not registered: the id {id:?} in {} is taken by {who}; each server needs an --instance-id of its own, and this \
             one waits until the id is free",
            self.service
        ))
    }

    /// Hears what operators say of this instance. What they say it in is made first: whoever makes it owns it, and with it
    /// the instance.
    async fn hear(&mut self, session: &Session) -> Result<OneshotWatcher, Fault> {
        let client = session.client();
        session.create_above(&self.operator_path).await?;
        loop {
            // This watch also tells when the node comes to be.
            let (stat, watcher) = client.check_and_watch_stat(&self.operator_path).await?;
            let Some(_) = stat else {
                self.heed(None, Said::default(), false);
                return Ok(watcher);
            };
            match client.get_data(&self.operator_path).await {
                Err(Fault::NoNode) => {}
                Err(fault) => return Err(fault),
                Ok((content, stat)) => {
                    self.read(&content, &stat);
                    return Ok(watcher);
                }
            }
        }
    }

    fn read(&mut self, content: &[u8], stat: &Stat) {
        let heard = Some(stat.mzxid);
        match Settings::parse(content) {
            Ok(settings) => self.heed(heard, settings.of(self.instance.registered_ms), settings.is_for_good()),
            Err(_) if self.heard == heard => {}
            Err(why) => {
                // What held so far goes on.
                log::warn!("registry: {}: skipped, {why}", self.operator_path);
                self.heard = heard;
            }
        }
    }

    fn heed(&mut self, heard: Option<i64>, said: Said, for_good: bool) {
        self.heard = heard;
        let before = self.wanted();
        self.said = said;
        let after = self.wanted();
        if (before.enabled, before.weight) != (after.enabled, after.weight) {
            let state = if after.enabled { "online" } else { "offline" };
            let kept = if for_good { ", also after a restart" } else { "" };
            log::warn!("by order of the operator this instance is {state} with weight {}{kept}", after.weight);
        }
    }

    fn wanted(&self) -> Instance {
        Instance {
            enabled: self.said.enabled.unwrap_or(self.instance.enabled),
            weight: self.said.weight.unwrap_or(self.instance.weight),
            ..self.instance.clone()
        }
    }
}

impl Watch {
    /// Waits for a change, or the session's end.
    pub(super) async fn changed(self) {
        tokio::select! {
            _ = self.own.changed() => {}
            _ = self.operator.changed() => {}
        }
    }
}

/// Looks at one node before giving up for now.
const ROUNDS: usize = 10;
