//! Keeps an instance registered: from when it serves until before it drains, session after session.

use super::complaints::Complaints;
use super::idl::stored::{self, Verdict};
use super::own_node::{OwnNode, Settled, State};
use super::zookeeper::{Failure, failed};
use super::{Instance, Location, Session, encryption};
use crate::config::{Registration, TlsMode};
use crate::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::watch;

/// An instance's place in the registry, kept by a thread of its own.
#[derive(Debug)]
pub struct Announcement {
    told: watch::Sender<Told>,
    thread: Mutex<Option<JoinHandle<Result<bool, Error>>>>,
}

/// What the thread was told last; it only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Wait,
    Register,
    Leave,
}

impl Announcement {
    /// Prepares to announce as `service` an instance that listens on `listening`. `refused` is called, from the thread, if
    /// it cannot be registered because its IDL would break others; [`Announcement::end`] then says why.
    ///
    /// # Errors
    /// A setting is wrong, or there can be no thread.
    pub fn new(
        settings: &Registration,
        service: &str,
        idl: &'static str,
        listening: (Option<SocketAddr>, TlsMode),
        refused: impl FnOnce() + Send + 'static,
    ) -> Result<Announcement, Error> {
        settings.validate()?;
        let location = Location::parse("register", &settings.registry)?.below(service);
        if let Some(tls) = &settings.tls {
            encryption::check(&location, tls)?;
        }
        let instance = Instance::announced(settings, service, &stored::hash(idl), listening)?;
        let node = OwnNode::new(location.clone(), instance);
        let mut announcer = Announcer { settings: settings.clone(), location, node, idl, ever: false };
        let cannot = |source| Error::machine("cannot start registering", source);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let (told, mut hears) = watch::channel(Told::Wait);
        let run = move || {
            let ended = loop {
                // Whatever goes wrong here, the server must not go on unregistered without a word.
                match catch_unwind(AssertUnwindSafe(|| runtime.block_on(announcer.run(&mut hears)))) {
                    Ok(ended) => break ended,
                    Err(_) => log::error!("registering failed by a bug, which is logged above; beginning again"),
                }
                thread::sleep(LONGEST_PAUSE);
            };
            if ended.is_err() {
                refused();
            }
            ended
        };
        let thread = thread::Builder::new().name("registry".into()).spawn(run).map_err(cannot)?;
        Ok(Announcement { told, thread: Mutex::new(Some(thread)) })
    }

    /// Registers from now on, and again whenever the node is gone.
    pub fn begin(&self) {
        self.tell(Told::Register);
    }

    /// Takes the instance out of the registry. Returns when that is done, or after two seconds; whether it was ever
    /// registered. Again is as once, and says no.
    ///
    /// # Errors
    /// It could not be registered: says why.
    pub fn end(&self) -> Result<bool, Error> {
        self.tell(Told::Leave);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread.map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) | None => Ok(false),
        }
    }

    fn tell(&self, next: Told) {
        self.told.send_modify(|told| *told = next.max(*told));
    }
}

/// What the thread does.
#[derive(Debug)]
struct Announcer {
    settings: Registration,
    location: Location,
    node: OwnNode,
    idl: &'static str,
    /// Whether it was registered at all.
    ever: bool,
}

/// Why a session is not used any longer.
enum End {
    Told,
    Lost,
    Refused(Error),
}

impl Announcer {
    async fn run(&mut self, told: &mut watch::Receiver<Told>) -> Result<bool, Error> {
        let complaints = Complaints::default();
        // The other end is gone only if the program ends.
        let _ = told.wait_for(|told| *told >= Told::Register).await;
        loop {
            let session = tokio::select! {
                biased;
                _ = told.wait_for(|told| *told == Told::Leave) => return Ok(self.ever),
                session = self.open(&complaints) => session,
            };
            match self.stay(&session, told, &complaints).await {
                End::Told => {
                    self.leave(session).await;
                    return Ok(self.ever);
                }
                End::Lost => complaints.warn("the registry has ended the session; opening another"),
                End::Refused(error) => {
                    log::error!("{error}");
                    return Err(Error::registry("ended, as it could not be registered; the log says why"));
                }
            }
        }
    }

    /// Opens a session, however long it takes.
    async fn open(&self, complaints: &Complaints) -> Session {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let Registration { credentials, tls, session_timeout, .. } = &self.settings;
            match Session::open(&self.location, credentials.as_ref(), tls.as_ref(), *session_timeout).await {
                Ok(session) => return session,
                Err(error) => complaints.warn(&format!("serving, but not registered: {error} (trying again)")),
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn stay(&mut self, session: &Session, told: &mut watch::Receiver<Told>, complaints: &Complaints) -> End {
        let away = || complaints.warn("the registry does not answer; serving all the same");
        tokio::select! {
            biased;
            _ = told.wait_for(|told| *told == Told::Leave) => End::Told,
            () = session.ended(away) => End::Lost,
            refused = self.keep(session, complaints) => End::Refused(refused),
        }
    }

    /// Keeps the node as it should be until the session ends; returns only if it may not be registered.
    async fn keep(&mut self, session: &Session, complaints: &Complaints) -> Error {
        loop {
            let settled = match self.agree(session).await {
                Ok(Verdict::Agreed) => self.node.settle(session).await,
                Ok(Verdict::Refused(error)) => return error,
                Err(failure) => Err(failure),
            };
            let failure = match settled {
                Ok(Settled { state, watch }) => {
                    self.report(state, complaints);
                    // What is watched tells; looking again without having been told is for what was overlooked.
                    let _ = tokio::time::timeout(LOOK_AGAIN, watch.changed()).await;
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Lost => tokio::time::sleep(SHORTEST_PAUSE).await,
                Failure::Other(error) => {
                    complaints.error(&error);
                    tokio::time::sleep(jittered(LONGEST_PAUSE)).await;
                }
            }
        }
    }

    /// The IDL is agreed on before the first registration only: what becomes of the stored one later does not end a server
    /// that serves. When it was deleted, it is stored again.
    async fn agree(&self, session: &Session) -> Result<Verdict, Failure> {
        for version in &self.settings.versions {
            if self.ever {
                stored::remember(session, &self.location, *version, self.idl).await?;
                continue;
            }
            let verdict = stored::agree(session, &self.location, *version, self.idl).await?;
            if matches!(verdict, Verdict::Refused(_)) {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Agreed)
    }

    fn report(&mut self, state: State, complaints: &Complaints) {
        let instance = self.node.instance();
        let Instance { id, .. } = instance;
        match state {
            State::Registered { anew: false } => {}
            State::Registered { anew: true } if self.ever => log::warn!("registered {id} again, as its node was gone"),
            State::Registered { anew: true } => {
                log::info!("registered {id}, which is at {}, in {}", instance.endpoint(), self.location);
            }
            State::Taken(error) => return complaints.error(&error),
        }
        self.ever = true;
    }

    /// Takes the node out and ends the session. A registry that does not answer must not hold up the end.
    async fn leave(&self, session: Session) {
        let id = &self.node.instance().id;
        let gone = async {
            let removed = self.node.remove(&session).await;
            session.close().await;
            removed
        };
        match tokio::time::timeout(LEAVE, gone).await {
            Ok(Ok(())) => log::info!("{id} has left the registry"),
            Ok(Err(fault)) => log::warn!("{id} may still be in the registry: {}", failed(self.location.path(), &fault)),
            Err(_) => log::warn!("{id} may still be in the registry, which does not answer"),
        }
    }
}

/// Half of it to all of it: servers that lost the registry together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0u8) % 512;
    pause / 2 + pause / 1024 * u32::try_from(random).unwrap_or(0)
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at the node, whoever keeps changing it.
const BREATH: Duration = Duration::from_millis(20);
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How long leaving may take.
const LEAVE: Duration = Duration::from_secs(2);
