//! The access list: who may call what.
//!
//! A text file, one rule a line, `#` starts a comment:
//!
//! ```text
//! # allow|deny  WHO                                  WHAT ...
//! allow         cert:spiffe://calculate.test/alice   Calculate.Square Calculate.Cal
//! allow         cert:*.workers.example               Calculate.*
//! allow         cn:bob                               Calculate.Square
//! allow         unix:backup                          *
//! allow         addr:10.0.0.0/8                      Calculate.Cal
//! deny          addr:10.66.0.0/16                    *
//! ```
//!
//! A call is permitted when a rule allows it and none denies it; their order does not matter. An empty list permits
//! nothing.
//!
//! WHO is one of
//! - `cert:NAME`: a subject alternative name (DNS name, URI, e-mail or IP address) of the peer's verified certificate;
//!   `cert:*.example` stands for the DNS names with one more label; `cert:*` for whoever showed a certificate;
//! - `cn:NAME`: the common name of that certificate;
//! - `unix:USER`: a user, by name or number, at the other end of a unix socket; `unix:*` for any;
//! - `addr:RANGE`: an IP address or a range of them (`10.0.0.0/8`); behind a proxy the one that the proxy gave;
//! - `*`: everybody.
//!
//! WHAT is `Service.method`, `Service.*` or `*`, as often as wanted.

mod list;
mod rule;

pub use list::{AccessList, Grants};
pub use rule::address_range;

use crate::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The access list in force, and the file that it came from.
#[derive(Debug)]
pub(super) struct Access {
    file: PathBuf,
    current: RwLock<Arc<AccessList>>,
    /// Grows when the list is exchanged: connections look again at what they are granted.
    generation: AtomicU64,
}

impl Access {
    /// Reads the file.
    pub(super) fn load(file: &Path) -> Result<Access, Error> {
        let current = RwLock::new(Arc::new(load(file)?));
        Ok(Access { file: file.to_owned(), current, generation: AtomicU64::new(0) })
    }

    /// Reads the file again, for the calls to come. After an error all is as before.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let fresh = Arc::new(load(&self.file)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.generation.fetch_add(1, Ordering::Release);
        Ok(())
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn list(&self) -> Arc<AccessList> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn load(file: &Path) -> Result<AccessList, Error> {
    let wrong = |why: String| Error::setting(format!("access: {}: {why}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?.len();
    if length > MOST_BYTES {
        return Err(wrong(format!("{length} bytes; at most {MOST_BYTES} are read")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    AccessList::parse(&text).map_err(wrong)
}

const MOST_BYTES: u64 = 4 * 1024 * 1024;
