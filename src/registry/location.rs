//! Where in a registry: its servers, and a path in its tree.

use crate::error::Error;
use std::fmt;

/// `zk://HOST:PORT[,HOST:PORT…]/PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// As ZooKeeper's clients are given them: `HOST:PORT,HOST:PORT`.
    hosts: String,
    /// It begins with a slash and does not end with one.
    path: String,
}

impl Location {
    /// Reads what a `setting` says.
    ///
    /// # Errors
    /// What is wrong with it, and the form.
    pub fn parse(setting: &str, text: &str) -> Result<Location, Error> {
        let wrong = |why: &str| Error::setting(format!("{setting}: {text:?} is no registry: {why}; write {FORM}"));
        let rest = text.strip_prefix("zk://").ok_or_else(|| wrong("it does not begin with zk://"))?;
        let (hosts, path) = rest.split_once('/').ok_or_else(|| wrong("it has no path"))?;
        for host in hosts.split(',') {
            host_and_port(host).map_err(wrong)?;
        }
        for name in path.split('/') {
            valid_name(name).map_err(|why| wrong(&format!("a part of its path {why}")))?;
        }
        Ok(Location { hosts: hosts.into(), path: format!("/{path}") })
    }

    /// The servers: `HOST:PORT,HOST:PORT`.
    pub fn hosts(&self) -> &str {
        &self.hosts
    }

    /// The path in the registry's tree.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is below this, by its name.
    #[must_use]
    pub fn below(&self, name: &str) -> Location {
        Location { hosts: self.hosts.clone(), path: format!("{}/{name}", self.path) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zk://{}{}", self.hosts, self.path)
    }
}

/// A host, without brackets, and a port of `HOST:PORT` or `[IPv6]:PORT`.
pub(super) fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    let Some((host, port)) = text.rsplit_once(':').filter(|_| !text.ends_with(']')) else {
        return Err("a host has no port");
    };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match (bracketed, host.contains(':')) {
        (None, true) => return Err("an IPv6 address needs brackets"),
        (bracketed, _) => bracketed.unwrap_or(host),
    };
    if host.len() > LONGEST_NAME {
        return Err("a host is longer than 255 bytes");
    }
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@[]?#".contains(c)) {
        return Err("a host is missing or is none");
    }
    match port.parse() {
        Ok(port) if port > 0 => Ok((host.into(), port)),
        _ => Err("a port is not a number from 1 to 65535"),
    }
}

/// What the name of a node may be.
pub(super) fn valid_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("is empty"),
        "." | ".." => Err("is . or .."),
        _ if name.len() > LONGEST_NAME => Err("is longer than 255 bytes"),
        _ if name.contains(|c: char| c == '/' || c.is_control() || "?#".contains(c)) => {
            Err("has a character that no name may have")
        }
        _ if name.contains(unknown_to_zookeeper) => Err("has a character that no name may have"),
        _ => Ok(()),
    }
}

/// ZooKeeper refuses these: private use, specials, and what UTF-16 writes as surrogates.
fn unknown_to_zookeeper(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
}

const LONGEST_NAME: usize = 255;
const FORM: &str = "zk://HOST:PORT[,HOST:PORT...]/PATH";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_and_printed_alike() {
        for text in ["zk://127.0.0.1:2181/services", "zk://a:1,b:65535,[::1]:2/x/services/calculate"] {
            assert_eq!(Location::parse("register", text).expect("valid").to_string(), text);
        }
        let location = Location::parse("register", "zk://a:1,b:2/x/y").expect("valid");
        assert_eq!((location.hosts(), location.path()), ("a:1,b:2", "/x/y"));
        assert_eq!(location.below("z").to_string(), "zk://a:1,b:2/x/y/z");
    }

    #[test]
    fn what_is_none_is_told_why_and_shown_the_form() {
        let cases = [
            ("127.0.0.1:2181/services", "it does not begin with zk://"),
            ("zk://127.0.0.1:2181", "it has no path"),
            ("zk://127.0.0.1:2181/", "a part of its path is empty"),
            ("zk://127.0.0.1:2181/services/", "a part of its path is empty"),
            ("zk://127.0.0.1:2181/../x", "a part of its path is . or .."),
            ("zk://127.0.0.1/services", "a host has no port"),
            ("zk://a:1,/services", "a host has no port"),
            ("zk://::1:2181/services", "an IPv6 address needs brackets"),
            ("zk://:2181/services", "a host is missing or is none"),
            ("zk://a:0/services", "a port is not a number from 1 to 65535"),
            ("zk://a:2181/serv ices?x=1", "a part of its path has a character that no name may have"),
        ];
        for (text, why) in cases {
            let said = Location::parse("register", text).expect_err(text).to_string();
            assert!(said.contains(why), "{said}");
            assert!(
                said.starts_with("register: ") && said.ends_with("write zk://HOST:PORT[,HOST:PORT...]/PATH"),
                "{said}"
            );
        }
    }
}
