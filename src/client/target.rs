//! Where to connect.

use std::fmt;
use std::os::unix::net::SocketAddr;
use std::str::FromStr;

/// A server's address: `HOST:PORT`, `[IPv6]:PORT`, or `unix:/path` for a socket of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Address);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        port: u16,
    },
    Unix {
        path: String,
    },
}

/// A target that is none: the text says what is wrong and shows the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTarget(String);

impl Target {
    pub(crate) fn address(&self) -> &Address {
        &self.0
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Target, InvalidTarget> {
        let address = match text.strip_prefix("unix:") {
            Some(path) => unix(path),
            None => tcp(text),
        };
        address.map(Target).map_err(|why| {
            InvalidTarget(format!("{text:?} is no server: {why}; write HOST:PORT, [IPv6]:PORT or unix:/path"))
        })
    }
}

fn unix(path: &str) -> Result<Address, &'static str> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains(char::is_control) {
        return Err("the path of a unix socket begins with / and ends with its name");
    }
    match SocketAddr::from_pathname(path) {
        Ok(_) => Ok(Address::Unix { path: path.into() }),
        Err(_) => Err("the path is longer than the system takes for a socket"),
    }
}

fn tcp(text: &str) -> Result<Address, &'static str> {
    let Some((host, port)) = text.rsplit_once(':').filter(|_| !text.ends_with(']')) else {
        return Err("it has no port");
    };
    let host = match (host.strip_prefix('['), host.contains(':')) {
        (Some(rest), _) => match rest.strip_suffix(']') {
            Some(address) if address.contains(':') => address,
            Some(_) => return Err("only an IPv6 address has brackets"),
            None => return Err("the bracket is not closed"),
        },
        (None, true) => return Err("an IPv6 address needs brackets"),
        (None, false) => host,
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c)) {
        return Err("the host is missing or is none");
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if port > 0 && digits => Ok(Address::Tcp { host: host.into(), port }),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidTarget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_and_printed_alike() {
        for text in ["127.0.0.1:9090", "localhost:1", "[::1]:65535", "unix:/run/calculate.sock", "unix:/a b:1"] {
            assert_eq!(text.parse::<Target>().expect("a target").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_target_is_told_what_it_lacks_and_shown_the_forms() {
        let cases = [
            ("localhost", "it has no port"),
            ("::1:9090", "an IPv6 address needs brackets"),
            ("[::1]", "it has no port"),
            ("[localhost]:9090", "only an IPv6 address has brackets"),
            ("me@host:9090", "the host is missing or is none"),
            ("[::1:9090", "the bracket is not closed"),
            (":9090", "the host is missing or is none"),
            ("a/b:80", "the host is missing or is none"),
            ("x:0", "the port is not a number from 1 to 65535"),
            ("x:65536", "the port is not a number from 1 to 65535"),
            ("x:+80", "the port is not a number from 1 to 65535"),
            ("unix:", "the path of a unix socket begins with /"),
            ("unix:run/calculate.sock", "the path of a unix socket begins with /"),
            ("unix:9090", "the path of a unix socket begins with /"),
            ("unix:/run/", "and ends with its name"),
            ("unix:/a\nb", "the path of a unix socket"),
            (&format!("unix:/{}", "x".repeat(200)), "the path is longer than the system takes for a socket"),
        ];
        for (text, why) in cases {
            let error = text.parse::<Target>().expect_err(text).to_string();
            assert!(error.contains(why) && error.ends_with("write HOST:PORT, [IPv6]:PORT or unix:/path"), "{error}");
        }
    }
}
