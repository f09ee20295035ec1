//! One line of an access list.

use super::super::peer::{Address, Peer};
use ipnet::IpNet;
use std::net::IpAddr;

/// Whom a rule speaks of, which methods it covers, and what it says then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    effect: Effect,
    who: Who,
    what: Vec<What>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Everybody,
    /// Whoever showed a certificate.
    Certified,
    /// A subject alternative name.
    Name(String),
    /// The DNS names with one label before this, which starts with a dot.
    Below(String),
    CommonName(String),
    AnyUser,
    User(u32),
    Range(IpNet),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Everything,
    Service(String),
    Method(String, String),
}

impl Rule {
    pub(super) fn parse(line: &str) -> Result<Rule, String> {
        let mut words = line.split_whitespace();
        let effect = match words.next() {
            Some("allow") => Effect::Allow,
            Some("deny") => Effect::Deny,
            other => return Err(format!("{:?} is neither allow nor deny; {FORM}", shown(other.unwrap_or_default()))),
        };
        let who = who(words.next().ok_or_else(|| format!("it says not who; {FORM}"))?)?;
        let what = words.map(what).collect::<Result<Vec<_>, _>>()?;
        match what.is_empty() {
            true => Err(format!("it says not what; {FORM}")),
            false => Ok(Rule { effect, who, what }),
        }
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    pub(super) fn speaks_of(&self, peer: &Peer) -> bool {
        let names = || peer.identity().into_iter().flat_map(|identity| &identity.names);
        match &self.who {
            Who::Everybody => true,
            Who::Certified => peer.identity().is_some(),
            Who::Name(wanted) => names().any(|name| same_name(name, wanted)),
            Who::Below(suffix) => names().any(|name| is_below(name, suffix)),
            Who::CommonName(wanted) => {
                peer.identity().is_some_and(|identity| identity.common_name.as_ref() == Some(wanted))
            }
            Who::AnyUser => matches!(peer.address, Address::Unix { .. }),
            Who::User(wanted) => matches!(peer.address, Address::Unix { uid, .. } if uid == *wanted),
            Who::Range(range) => peer.address.ip().is_some_and(|ip| range.contains(&ip)),
        }
    }

    pub(super) fn covers(&self, service: &str, method: &[u8]) -> bool {
        self.what.iter().any(|what| match what {
            What::Everything => true,
            What::Service(name) => name == service,
            What::Method(name, wanted) => name == service && wanted.as_bytes() == method,
        })
    }
}

fn who(text: &str) -> Result<Who, String> {
    let nobody = || format!("{:?} is nobody; {FORM}", shown(text));
    if text == "*" {
        return Ok(Who::Everybody);
    }
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or_else(nobody)?;
    Ok(match (kind, name) {
        ("cert", "*") => Who::Certified,
        ("cert", name) => match name.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') && suffix.len() > 1 => Who::Below(suffix.to_owned()),
            Some(_) => return Err(nobody()),
            None => Who::Name(name.to_owned()),
        },
        ("cn", name) => Who::CommonName(name.to_owned()),
        ("unix", "*") => Who::AnyUser,
        ("unix", name) => Who::User(user(name)?),
        ("addr", range) => Who::Range(address_range(range)?),
        _ => return Err(nobody()),
    })
}

fn user(name: &str) -> Result<u32, String> {
    if let Ok(uid) = name.parse() {
        return Ok(uid);
    }
    match nix::unistd::User::from_name(name) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        _ => Err(format!("there is no user {:?} on this machine; write unix:NAME or unix:NUMBER", shown(name))),
    }
}

/// An address, or a range of addresses.
///
/// # Errors
/// The text is neither; the error shows the forms.
pub fn address_range(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let range: Option<IpNet> = text.parse().ok().or_else(single);
    range.map(canonical).ok_or_else(|| {
        format!("{:?} is no address and no range of addresses; write 10.0.0.0/8, 192.0.2.7 or fd00::/8", shown(text))
    })
}

/// IPv4 addresses that are written as IPv6 ones, as IPv4: so peers' addresses are compared ([`Address::ip`]).
fn canonical(range: IpNet) -> IpNet {
    match (range, range.network().to_canonical(), range.prefix_len().checked_sub(96)) {
        (IpNet::V6(_), network @ IpAddr::V4(_), Some(bits)) => IpNet::new(network, bits).unwrap_or(range),
        _ => range,
    }
}

fn what(text: &str) -> Result<What, String> {
    if text == "*" {
        return Ok(What::Everything);
    }
    // A service's name may have dots, such as that of a version; a method's has none.
    match text.rsplit_once('.') {
        Some((service, "*")) if !service.is_empty() => Ok(What::Service(service.to_owned())),
        Some((service, method)) if !service.is_empty() && !method.is_empty() => {
            Ok(What::Method(service.to_owned(), method.to_owned()))
        }
        _ => Err(format!("{:?} is no method; write Service.method, Service.* or *", shown(text))),
    }
}

/// Names as certificates have them: DNS names in any case, URIs exactly.
fn same_name(name: &str, wanted: &str) -> bool {
    if wanted.contains("://") { name == wanted } else { name.eq_ignore_ascii_case(wanted) }
}

fn is_below(name: &str, suffix: &str) -> bool {
    let Some(at) = name.len().checked_sub(suffix.len()) else { return false };
    match (name.get(..at), name.get(at..)) {
        (Some(label), Some(rest)) => {
            !label.is_empty() && !label.contains(['.', ':', '/', '@']) && rest.eq_ignore_ascii_case(suffix)
        }
        _ => false,
    }
}

/// What is shown of a word that is wrong.
fn shown(word: &str) -> String {
    word.chars().take(64).collect()
}

const FORM: &str = "write allow|deny WHO WHAT..., such as: allow cert:alice.clients.test Calculate.Square";
