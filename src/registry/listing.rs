//! The instances of a service, as the registry has them now.

use super::zookeeper::failed;
use super::{Instance, Location, Session};
use crate::error::Error;
use std::collections::BTreeSet;
use zookeeper_client::Error as Fault;

/// What is below a service's node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the order of their ids.
    pub instances: Vec<Instance>,
    /// The nodes that are no instances: their names, and why not.
    pub skipped: Vec<(String, String)>,
}

impl Listing {
    /// Reads the nodes of a service.
    ///
    /// # Errors
    /// There is no such service, or the registry fails.
    pub async fn read(session: &Session, service: &Location) -> Result<Listing, Error> {
        let found = Listing::find(session, service).await?;
        found.ok_or_else(|| Error::registry(format!("nothing was ever registered in {service}")))
    }

    /// Reads the nodes of a service; `None` when there is no such service.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn find(session: &Session, service: &Location) -> Result<Option<Listing>, Error> {
        let names = match session.client().list_children(service.path()).await {
            Err(Fault::NoNode) => return Ok(None),
            names => names.map_err(|fault| failed(service.path(), &fault))?,
        };
        let mut listing = Listing::default();
        listing.read_nodes(session, service, &names).await?;
        Ok(Some(listing))
    }

    /// Reads some of the nodes anew: those that changed, came or went.
    ///
    /// # Errors
    /// The registry fails; then the listing is of no use any more.
    pub async fn read_again(
        &mut self,
        session: &Session,
        service: &Location,
        names: BTreeSet<String>,
    ) -> Result<(), Error> {
        self.instances.retain(|instance| !names.contains(&instance.id));
        self.skipped.retain(|(name, _)| !names.contains(name));
        self.read_nodes(session, service, &Vec::from_iter(names)).await
    }

    /// Adds nodes by their names.
    async fn read_nodes(&mut self, session: &Session, service: &Location, names: &[String]) -> Result<(), Error> {
        for names in names.chunks(AT_ONCE) {
            // A request is sent when it is made, not when it is waited for.
            let asked: Vec<_> =
                names.iter().map(|name| (name, session.client().get_data(service.below(name).path()))).collect();
            for (name, content) in asked {
                match content.await {
                    Ok((content, _)) => self.add(name.clone(), &content),
                    // Gone meanwhile.
                    Err(Fault::NoNode) => {}
                    Err(fault) => return Err(failed(service.below(name).path(), &fault)),
                }
            }
        }
        self.instances.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.skipped.sort_unstable();
        Ok(())
    }

    fn add(&mut self, name: String, content: &[u8]) {
        match Instance::parse(&name, content) {
            Ok(instance) => self.instances.push(instance),
            Err(why) => self.skipped.push((name, why.to_string())),
        }
    }
}

/// Nodes that are asked for together, instead of one after the other.
const AT_ONCE: usize = 256;
