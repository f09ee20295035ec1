//! The IDLs that were registered: `BASE/.idl/SERVICE/VERSION` holds the newest of a version, and has a child for each
//! that it ever was, named after its hash. So a server may go back to an IDL that was in use before.

use super::super::zookeeper::Failure;
use super::super::{Location, Session};
use super::{InvalidIdl, Which, differences};
use crate::error::Error;
use zookeeper_client::{CreateMode, Error as Fault, MultiWriteError, MultiWriter};

/// Whether an IDL may be used for a version.
#[derive(Debug)]
pub(in super::super) enum Verdict {
    /// It is stored.
    Agreed,
    /// It would break those who use the version; says how.
    Refused(Error),
}

/// An IDL's hash, as instances say it: `sha256:` and hexadecimal digits.
pub(in super::super) fn hash(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let digits: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Checks an IDL against the newest that was registered for the version, and stores it if it is compatible.
pub(in super::super) async fn agree(
    session: &Session,
    service: &Location,
    version: u32,
    text: &str,
) -> Result<Verdict, Failure> {
    let (path, child) = places(service, version, text);
    loop {
        match step(session, (&path, &child), version, text).await {
            // Another instance was faster: its IDL counts.
            Err(Fault::NoNode | Fault::NodeExists | Fault::BadVersion) => {}
            verdict => return verdict.map_err(|fault| Failure::of(&path, &fault)),
        }
    }
}

/// Keeps in mind that an IDL is in use, where that was forgotten: somebody emptied the registry under servers that serve. It
/// is not compared with what is stored meanwhile.
pub(in super::super) async fn remember(
    session: &Session,
    service: &Location,
    version: u32,
    text: &str,
) -> Result<(), Failure> {
    let (path, child) = places(service, version, text);
    let remembered = async {
        if session.client().check_stat(&child).await?.is_some() {
            return Ok(());
        }
        let options = CreateMode::Persistent.with_acls(session.acls());
        let mut writer = session.client().new_multi_writer();
        if session.client().check_stat(&path).await?.is_none() {
            session.create_above(&path).await?;
            writer.add_create(&path, text.as_bytes(), &options)?;
        }
        writer.add_create(&child, &[], &options)?;
        commit(writer).await
    };
    match remembered.await {
        // Another instance was faster.
        Ok(()) | Err(Fault::NoNode | Fault::NodeExists) => Ok(()),
        Err(fault) => Err(Failure::of(&path, &fault)),
    }
}

/// Where the newest IDL of a version is, and what says that this one was registered.
fn places(service: &Location, version: u32, text: &str) -> (String, String) {
    let (base, name) = service.path().rsplit_once('/').unwrap_or_default();
    let path = format!("{base}/.idl/{name}/{version}");
    let child = format!("{path}/{}", hash(text));
    (path, child)
}

async fn step(session: &Session, (path, child): (&str, &str), version: u32, text: &str) -> Result<Verdict, Fault> {
    let options = CreateMode::Persistent.with_acls(session.acls());
    let mut writer = session.client().new_multi_writer();
    match session.client().get_data(path).await {
        Err(Fault::NoNode) => {
            session.create_above(path).await?;
            writer.add_create(path, text.as_bytes(), &options)?;
        }
        Err(fault) => return Err(fault),
        Ok((stored, _)) if stored == text.as_bytes() => return Ok(Verdict::Agreed),
        Ok((stored, stat)) => {
            if session.client().check_stat(child).await?.is_some() {
                return Ok(Verdict::Agreed);
            }
            match differences(&String::from_utf8_lossy(&stored), text) {
                Ok(found) if found.is_empty() => writer.add_set_data(path, text.as_bytes(), Some(stat.version))?,
                Ok(found) => return Ok(Verdict::Refused(refusal(path, version, &found))),
                Err(InvalidIdl { which: Which::Old, why }) => {
                    log::warn!("registry: {path}: what is stored there is no IDL, {why}: ours is not compared with it");
                    return Ok(Verdict::Agreed);
                }
                Err(InvalidIdl { which: Which::New, why }) => {
                    return Ok(Verdict::Refused(Error::registry(format!("the IDL of this server is none: {why}"))));
                }
            }
        }
    }
    writer.add_create(child, &[], &options)?;
    commit(writer).await.map(|()| Verdict::Agreed)
}

async fn commit(mut writer: MultiWriter<'_>) -> Result<(), Fault> {
    match writer.commit().await {
        Ok(_) => Ok(()),
        Err(MultiWriteError::RequestFailed { source } | MultiWriteError::OperationFailed { source, .. }) => Err(source),
    }
}

fn refusal(path: &str, version: u32, found: &[String]) -> Error {
    Error::registry(format!(
        "not registered: this server's IDL breaks version {version}, as stored in {path}: {}; serve it as another \
         --service-version",
        found.join("; ")
    ))
}
