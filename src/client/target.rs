//! Where to connect.

use std::fmt;
use std::str::FromStr;

/// A server's address: `HOST:PORT` or `[IPv6]:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
}

/// A target that is none: the text says what is wrong and shows the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTarget(String);

impl Target {
    /// The name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Target, InvalidTarget> {
        let wrong =
            |why: &str| Err(InvalidTarget(format!("{text:?} is no server: {why}; write HOST:PORT or [IPv6]:PORT")));
        let Some((host, port)) = text.rsplit_once(':').filter(|_| !text.ends_with(']')) else {
            return wrong("it has no port");
        };
        let host = match (host.strip_prefix('['), host.contains(':')) {
            (Some(rest), _) => match rest.strip_suffix(']') {
                Some(address) if address.contains(':') => address,
                Some(_) => return wrong("only an IPv6 address has brackets"),
                None => return wrong("the bracket is not closed"),
            },
            (None, true) => return wrong("an IPv6 address needs brackets"),
            (None, false) => host,
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c)) {
            return wrong("the host is missing or is none");
        }
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        match port.parse() {
            Ok(port) if port > 0 && digits => Ok(Target { host: host.into(), port }),
            _ => wrong("the port is not a number from 1 to 65535"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
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
        for text in ["127.0.0.1:9090", "localhost:1", "[::1]:65535"] {
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
        ];
        for (text, why) in cases {
            let error = text.parse::<Target>().expect_err(text).to_string();
            assert!(error.contains(why) && error.ends_with("write HOST:PORT or [IPv6]:PORT"), "{error}");
        }
    }
}
