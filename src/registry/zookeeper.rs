//! A session with ZooKeeper: what is written in it belongs to whoever has its credentials.

use super::{Location, encryption};
use crate::config::Credentials;
use crate::error::Error;
use crate::tls::Tls;
use std::time::Duration;
use zookeeper_client::{
    Acl, Acls, AddWatchMode, AuthId, Client, CreateMode, Error as Fault, EventType, Permission, PersistentWatcher,
    SessionState,
};

/// A session: it outlives connections, and ephemeral nodes live as long as it does.
#[derive(Debug)]
pub struct Session {
    client: Client,
    /// For nodes of our own.
    own: Vec<Acl>,
    /// For nodes that others, too, create theirs below.
    shared: Vec<Acl>,
}

impl Session {
    /// Opens a session, trying each server once, under TLS where `tls` is given. Without credentials all may overwrite what
    /// is written.
    ///
    /// # Errors
    /// No server gives one; the credentials are refused; or TLS cannot be set up so.
    pub async fn open(
        location: &Location,
        credentials: Option<&Credentials>,
        tls: Option<&Tls>,
        timeout: Duration,
    ) -> Result<Session, Error> {
        let mut connector = Client::connector().with_session_timeout(timeout).with_fail_eagerly();
        if let Some(credentials) = credentials {
            connector = connector.with_auth("digest", credentials.reveal().as_bytes());
        }
        let client = match tls {
            None => connector.connect(location.hosts()).await.map_err(|fault| unreachable(location, &fault))?,
            Some(tls) => {
                encryption::check(location, tls)?;
                let secured = connector.with_tls(encryption::options(tls)?).secure_connect(location.hosts()).await;
                match secured {
                    Ok(client) => client,
                    Err(fault) => return Err(unreachable_by_tls(location, tls, &fault).await),
                }
            }
        };
        let anyone = |permission| Acl::new(permission, AuthId::anyone());
        let creator = Acl::new(Permission::ALL, AuthId::authed());
        let (own, shared) = match credentials {
            None => (vec![anyone(Permission::ALL)], vec![anyone(Permission::ALL)]),
            Some(_) => (
                vec![creator.clone(), anyone(Permission::READ)],
                vec![creator, anyone(Permission::READ | Permission::CREATE)],
            ),
        };
        Ok(Session { client, own, shared })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What the nodes that it owns say of their owner.
    pub(super) fn id(&self) -> i64 {
        self.client.session_id().0
    }

    /// Who may do what with a node of ours.
    pub(super) fn acls(&self) -> Acls<'_> {
        Acls::new(&self.own)
    }

    /// Creates a node; what is missing above it, too.
    pub(super) async fn create(&self, path: &str, content: &[u8], mode: CreateMode) -> Result<(), Fault> {
        let options = mode.with_acls(self.acls());
        match self.client.create(path, content, &options).await {
            Err(Fault::NoNode) => {}
            created => return created.map(drop),
        }
        self.create_above(path).await?;
        self.client.create(path, content, &options).await.map(drop)
    }

    /// Creates what is missing above a node. The node right above is ours, those further up are everybody's.
    pub(super) async fn create_above(&self, path: &str) -> Result<(), Fault> {
        let above: Vec<&str> = path.match_indices('/').skip(1).map(|(at, _)| &path[..at]).collect();
        let (nearest, further) = above.split_last().ok_or(Fault::NoNode)?;
        for folder in further {
            self.create_folder(folder, &self.shared).await?;
        }
        self.create_folder(nearest, &self.own).await
    }

    /// One that is there is looked for first: who may not create others' nodes would not learn that it is.
    async fn create_folder(&self, path: &str, acls: &[Acl]) -> Result<(), Fault> {
        if self.client.check_stat(path).await?.is_some() {
            return Ok(());
        }
        match self.client.create(path, &[], &CreateMode::Persistent.with_acls(Acls::new(acls))).await {
            Ok(_) | Err(Fault::NodeExists) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Waits until the session has ended for good; `away` is called whenever the registry stops answering meanwhile.
    pub async fn ended(&self, away: impl Fn()) {
        let mut states = self.client.state_watcher();
        let mut state = states.peek_state();
        while !state.is_terminated() {
            if state == SessionState::Disconnected {
                away();
            }
            state = states.changed().await;
        }
    }

    /// Tells of changes of a node's children and of their content.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn changes_below(&self, location: &Location) -> Result<Changes, Error> {
        let watcher = self.client.watch(location.path(), AddWatchMode::PersistentRecursive).await;
        let watcher = watcher.map_err(|fault| failed(location.path(), &fault))?;
        Ok(Changes { watcher, above: format!("{}/", location.path()) })
    }

    /// Ends the session, and with it its ephemeral nodes; returns when the registry has been told.
    pub async fn close(self) {
        let mut states = self.client.state_watcher();
        let mut state = states.peek_state();
        drop(self.client);
        while !state.is_terminated() {
            state = states.changed().await;
        }
    }
}

/// Changes of nodes. Some that are told are none.
#[derive(Debug)]
pub struct Changes {
    watcher: PersistentWatcher,
    /// The path of the node that they are below, and a slash.
    above: String,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A node right below, by its name: it came, went, or has another content.
    Node(String),
    /// Anything, as far as is known.
    Unknown,
}

impl Changes {
    /// Waits for the next; `None` says that the session has ended.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            let event = self.watcher.changed().await;
            if event.event_type != EventType::Session {
                let name = event.path.strip_prefix(&self.above).filter(|name| !name.contains('/'));
                return Some(name.map_or(Change::Unknown, |name| Change::Node(name.into())));
            }
            match event.session_state {
                state if state.is_terminated() => return None,
                // What changes before the registry is back is not told: being back counts as a change.
                SessionState::Disconnected => {}
                _ => return Some(Change::Unknown),
            }
        }
    }
}

/// The library keeps why a handshake failed to itself.
async fn unreachable_by_tls(location: &Location, tls: &Tls, fault: &Fault) -> Error {
    let hosts = location.hosts();
    match fault {
        Fault::NoHosts | Fault::Timeout | Fault::ConnectionLoss => {
            encryption::fault(location, tls).await.unwrap_or_else(|| {
                Error::registry(format!("cannot reach the registry at {hosts} by TLS: does ZooKeeper run there?"))
            })
        }
        other => unreachable(location, other),
    }
}

fn unreachable(location: &Location, fault: &Fault) -> Error {
    let hosts = location.hosts();
    Error::registry(match fault {
        Fault::NoHosts | Fault::Timeout | Fault::ConnectionLoss => {
            format!("cannot reach the registry at {hosts}: does ZooKeeper run there, and without TLS?")
        }
        Fault::AuthFailed => format!("the registry at {hosts} refuses the credentials that zk-auth gives"),
        other => format!("cannot open a session with the registry at {hosts}: {other}"),
    })
}

/// Why something could not be done with a node.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection was lost, which whoever watches the session says.
    Lost,
    Other(Error),
}

impl Failure {
    pub(super) fn of(path: &str, fault: &Fault) -> Failure {
        match is_loss(fault) {
            true => Failure::Lost,
            false => Failure::Other(failed(path, fault)),
        }
    }
}

/// What went wrong with a node, and what to do.
pub(super) fn failed(path: &str, fault: &Fault) -> Error {
    Error::registry(match fault {
        Fault::NoAuth => format!("registry: {path}: not allowed; is zk-auth that of whoever made it?"),
        fault if is_loss(fault) => format!("registry: {path}: the connection was lost"),
        other => format!("registry: {path}: {other}"),
    })
}

/// What the library says in its own words is about connections, too.
fn is_loss(fault: &Fault) -> bool {
    use Fault::{ClientClosed, ConnectionLoss, Custom, SessionExpired, SessionMoved, Timeout};
    matches!(fault, ConnectionLoss | SessionExpired | SessionMoved | Timeout | ClientClosed | Custom(_))
}
