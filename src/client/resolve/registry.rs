//! A registry's list of instances, watched; and the last one on the disk while there is no registry.

use super::{Update, cache};
use crate::client::balance::instance::Instance;
use crate::client::options::Options;
use crate::client::source::Registered;
use crate::config::Credentials;
use crate::error::Error;
use crate::registry::zookeeper::Changes;
use crate::registry::{self, Change, Listing, Location, Session};
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

/// A service that is watched.
struct Watch<'a> {
    service: Location,
    options: &'a Options,
    updates: &'a UnboundedSender<Update>,
    /// Nodes that are no instances, and why: each is told once.
    skipped: HashSet<(String, String)>,
}

pub(super) async fn run(registered: &Registered, options: &Options, updates: &UnboundedSender<Update>) {
    let complain = |error: &Error| updates.send(Update::Complaint(error.to_string()));
    let service = format!("zk://{}{}", registered.servers, registered.path);
    let (service, credentials) = match (Location::parse("server", &service), credentials(options)) {
        (Ok(service), Ok(credentials)) => (service, credentials),
        (Err(error), _) | (_, Err(error)) => {
            let _ = complain(&error);
            return;
        }
    };
    let mut watch = Watch { service, options, updates, skipped: HashSet::new() };
    let mut cold = true;
    while !updates.is_closed() {
        let patience = if cold { COLD_PATIENCE } else { PATIENCE };
        let opened = timeout(
            patience,
            Session::open(&watch.service, credentials.as_ref(), options.zk_tls.as_ref(), SESSION_TIMEOUT),
        )
        .await;
        let failed = match opened {
            Ok(Ok(session)) => {
                cold = false;
                let ended = watch.follow(session).await;
                let _ = updates.send(Update::Lost);
                ended.err()
            }
            Ok(Err(error)) => Some(error),
            Err(_) => {
                let hosts = watch.service.hosts();
                Some(Error::registry(format!("no answer of the registry at {hosts} within {} s", patience.as_secs())))
            }
        };
        if let Some(error) = failed {
            let _ = complain(&error);
        }
        if std::mem::take(&mut cold) {
            watch.read_cache(registered);
        }
        sleep(AGAIN).await;
    }
}

impl Watch<'_> {
    /// Reads the list, and again at each change, until the session has ended.
    async fn follow(&mut self, session: Session) -> Result<(), Error> {
        let updates = self.updates;
        let away = AtomicBool::new(false);
        // Watched before it is read: what changes between the two is heard.
        let mut changes = session.changes_below(&self.service).await?;
        let _ = updates.send(Update::Connected);
        let ended = session.ended(|| {
            away.store(true, Ordering::Relaxed);
            let _ = updates.send(Update::Lost);
        });
        tokio::pin!(ended);
        let mut listing = Listing::read(&session, &self.service).await?;
        loop {
            self.tell(&listing);
            let changed = tokio::select! {
                () = &mut ended => return Ok(()),
                change = changes.next() => change,
                () = sleep(READ_ANYWAY) => Some(Change::Unknown),
                () = updates.closed() => None,
            };
            let Some(changed) = changed else { return Ok(()) };
            if away.swap(false, Ordering::Relaxed) {
                let _ = updates.send(Update::Connected);
            }
            match changed_with(changed, &mut changes).await {
                Some(names) => listing.read_again(&session, &self.service, names).await?,
                None => listing = Listing::read(&session, &self.service).await?,
            }
        }
    }

    fn tell(&mut self, listing: &Listing) {
        let Listing { instances, skipped } = listing;
        for (id, why) in skipped {
            if self.skipped.len() < MOST_SKIPPED && self.skipped.insert((id.clone(), why.clone())) {
                log::warn!("{}/{id} is no instance and is skipped: {why}", self.service);
                let _ = self.updates.send(Update::Skipped(id.clone(), why.clone()));
            }
        }
        if instances.is_empty() {
            let _ = self.updates.send(Update::Complaint(format!("no instance is registered in {}", self.service)));
        }
        let tls = self.options.tls.is_some();
        let callable = |instance: &Instance| instance.port.is_some() || (tls && instance.ssl_port.is_some());
        let instances = instances.iter().cloned().map(Instance::from).filter(callable).collect();
        let _ = self.updates.send(Update::Read(instances));
    }

    fn read_cache(&self, registered: &Registered) {
        let file = self.options.cache_file.as_deref();
        if let Some(instances) = file.and_then(|file| cache::read(file, &registered.to_string())) {
            let _ = self.updates.send(Update::Cached(instances));
        }
    }
}

/// The nodes that change within a moment, the first included: changes come in crowds. `None` where any may have.
async fn changed_with(first: Change, changes: &mut Changes) -> Option<BTreeSet<String>> {
    let (mut names, mut next) = (BTreeSet::new(), Some(first));
    let over = sleep(CROWD);
    tokio::pin!(over);
    loop {
        match next {
            Some(Change::Node(name)) => _ = names.insert(name),
            // A session that has ended is seen by whoever reads next.
            Some(Change::Unknown) | None => {
                over.await;
                return None;
            }
        }
        next = tokio::select! {
            () = &mut over => return Some(names),
            change = changes.next() => change,
        };
    }
}

impl From<registry::Instance> for Instance {
    fn from(node: registry::Instance) -> Instance {
        Instance {
            id: node.id,
            address: node.address,
            port: node.port,
            ssl_port: node.ssl_port,
            versions: (!node.versions.is_empty()).then(|| node.versions.into_iter().map(u64::from).collect()),
            group: node.group,
            weight: node.weight,
            zone: node.zone,
            enabled: node.enabled,
            registered_ms: u64::try_from(node.registered_ms).unwrap_or_default(),
        }
    }
}

fn credentials(options: &Options) -> Result<Option<Credentials>, Error> {
    options.zk_auth.as_deref().map(Credentials::parse).transpose()
}

/// At a cold start the list on the disk is used when the registry has not answered within this.
const COLD_PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(500);
const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
const READ_ANYWAY: Duration = Duration::from_secs(60);
const CROWD: Duration = Duration::from_millis(10);
const MOST_SKIPPED: usize = 1000;
