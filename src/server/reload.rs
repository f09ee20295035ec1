//! Reads certificates and the access list anew: when told to, and when their files change.

use super::shared::Shared;
use super::shutdown::{Phase, Shutdown};
use crate::config::Config;
use crate::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The files that may change under way.
#[derive(Debug)]
pub(super) struct Files {
    certificates: Watched,
    access: Watched,
}

impl Files {
    /// To be called before they are read: what changes from now on is noticed.
    pub(super) fn of(config: &Config) -> Files {
        let tls = [&config.tls.certificate, &config.tls.key, &config.tls.client_ca];
        Files {
            certificates: Watched::new(tls.into_iter().filter_map(Option::as_deref)),
            access: Watched::new(config.access.as_deref().into_iter()),
        }
    }
}

/// Watches the files until the server drains. Give it a thread's runtime: it reads files.
pub(super) async fn watch(files: Files, shared: Arc<Shared>, shutdown: Shutdown) {
    let (mut phases, mut reloads) = (shutdown.phases(), shutdown.reloads());
    let Files { mut certificates, mut access } = files;
    // Whoever told before this thread began is heard, too.
    let mut heard = 0;
    loop {
        let told = tokio::select! {
            _ = phases.wait_for(|phase| *phase >= Phase::Draining) => return,
            count = reloads.wait_for(|count| *count > heard) => match count {
                Ok(count) => {
                    heard = *count;
                    true
                }
                Err(_) => return,
            },
            () = tokio::time::sleep(INTERVAL) => false,
        };
        if let Some(tls) = &shared.tls {
            certificates.read_anew(told, "certificates", "handshakes", || tls.reload());
        }
        if let Some(list) = &shared.access {
            access.read_anew(told, "the access list", "calls", || list.reload());
        }
        if told && shared.tls.is_none() && shared.access.is_none() {
            log::info!("told to read files anew: there are none, as neither TLS nor an access list is set");
        }
    }
}

/// Files, and what they were like when they were last looked at.
#[derive(Debug)]
struct Watched {
    files: Vec<(PathBuf, Option<Look>)>,
    /// Why they could not be read the last time, if so: that may not be the files' fault, and pass.
    failed: Option<String>,
}

/// What tells a file from the one that was there before. A symbolic link is followed: orchestrators change where it points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Watched {
    fn new<'a>(files: impl Iterator<Item = &'a Path>) -> Watched {
        Watched { files: files.map(|file| (file.to_owned(), look(file))).collect(), failed: None }
    }

    /// Reads them where that was `told`, they changed, or could not be read before. The log says so, once.
    fn read_anew(&mut self, told: bool, what: &str, whose: &str, read: impl FnOnce() -> Result<(), Error>) {
        let asked = self.changed() || told;
        if !asked && self.failed.is_none() {
            return;
        }
        self.failed = match read() {
            Ok(()) => {
                log::info!("{what} read anew, for the {whose} to come");
                None
            }
            Err(error) => {
                let why = Some(error.to_string());
                if asked || why != self.failed {
                    log::error!("{what} not read anew: {error}; those in force stay in force");
                }
                why
            }
        };
    }

    /// Whether any of them is another than at the last look.
    fn changed(&mut self) -> bool {
        let mut changed = false;
        for (file, last) in &mut self.files {
            let now = look(file);
            changed |= now != *last;
            *last = now;
        }
        changed
    }
}

fn look(file: &Path) -> Option<Look> {
    let metadata = std::fs::metadata(file).ok()?;
    let (device, inode, bytes) = (metadata.dev(), metadata.ino(), metadata.len());
    Some(Look { device, inode, bytes, modified: metadata.modified().ok() })
}

const INTERVAL: Duration = Duration::from_secs(1);
