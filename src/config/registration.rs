//! How an instance is announced to a registry.

use super::{LONGEST, within};
use crate::client::Tls;
use crate::error::Error;
use std::fmt;
use std::time::Duration;

/// All that can be set of an instance's registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The registry, and what the service's node is below: `zk://HOST:PORT[,HOST:PORT…]/PATH`.
    pub registry: String,
    /// Where clients reach the instance, `HOST:PORT`. Default: the first TCP address that it listens on.
    pub advertise: Option<String>,
    /// What it is called among the instances of the service; stable over restarts. Default: where clients reach it, with
    /// `-` for `:`.
    pub instance_id: Option<String>,
    /// Clients call instances of one group only. Default: `default`.
    pub group: String,
    /// Where it stands. Clients prefer their own zone. Default: empty.
    pub zone: String,
    /// Its share of the calls; at 0 it is not called. Default 100.
    pub weight: u32,
    /// The versions of the service that it hosts. Default: 1.
    pub versions: Vec<u32>,
    /// How long it goes on serving after it was taken out of the registry, so that clients learn of it. Default 1 s.
    pub lame_duck: Duration,
    /// An instance that the registry does not hear of for this long is gone. Default 6 s.
    pub session_timeout: Duration,
    /// Who writes: what others cannot overwrite then. Default: nobody in particular.
    pub credentials: Option<Credentials>,
    /// Whether the registry is spoken to under TLS, and how: its certificate must be for its host, so no server name can be
    /// given. The files are read anew for each session. Default: it is not.
    pub tls: Option<Tls>,
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(String);

impl Default for Registration {
    fn default() -> Self {
        Registration {
            registry: "zk://127.0.0.1:2181/services".into(),
            advertise: None,
            instance_id: None,
            group: "default".into(),
            zone: String::new(),
            weight: 100,
            versions: vec![1],
            lame_duck: Duration::from_secs(1),
            session_timeout: Duration::from_secs(6),
            credentials: None,
            tls: None,
        }
    }
}

impl Registration {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// Names the first setting that is out of range, and the range.
    pub fn validate(&self) -> Result<(), Error> {
        const LONGEST_TEXT: usize = 255;
        const HIGHEST: u32 = 999_999_999;
        within("weight", self.weight as usize, 0, 10_000)?;
        for (name, text) in [("group", &self.group), ("zone", &self.zone)] {
            if text.len() > LONGEST_TEXT || text.contains(char::is_control) {
                return Err(Error::setting(format!(
                    "{name} is {text:?}; it must be at most {LONGEST_TEXT} bytes without control characters"
                )));
            }
        }
        if self.group.is_empty() {
            return Err(Error::setting("group is empty; leave it out for the group \"default\""));
        }
        let mut versions = self.versions.clone();
        versions.sort_unstable();
        versions.dedup();
        if versions.is_empty() || versions != self.versions || versions.iter().any(|version| *version > HIGHEST) {
            return Err(Error::setting(format!(
                "service-version must be a list of whole numbers up to {HIGHEST}, the lowest first, such as 1,2"
            )));
        }
        if self.lame_duck > LONGEST {
            return Err(Error::setting(format!("lame-duck must be at most {} s", LONGEST.as_secs())));
        }
        within("zk-session-timeout", self.session_timeout.as_millis().try_into().unwrap_or(usize::MAX), 100, 600_000)
            .map_err(|_| Error::setting("zk-session-timeout must be from 0.1 to 600 s"))
    }
}

impl Credentials {
    /// Reads `user:password`.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse(text: &str) -> Result<Credentials, Error> {
        match text.split_once(':') {
            Some((user, _)) if !user.is_empty() => Ok(Credentials(text.into())),
            _ => Err(Error::setting("zk-auth must be of the form user:password")),
        }
    }

    /// `user:password`.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// The user only.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.0.split(':').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_are_those_documented() {
        let settings = Registration::default();
        settings.validate().expect("valid");
        assert_eq!((settings.group.as_str(), settings.zone.as_str(), settings.weight), ("default", "", 100));
        assert_eq!(settings.versions, [1]);
        assert_eq!((settings.lame_duck, settings.session_timeout), (Duration::from_secs(1), Duration::from_secs(6)));
    }

    #[test]
    fn a_setting_out_of_range_is_named_with_its_range() {
        let ok = Registration::default;
        let cases = [
            (Registration { weight: 10_001, ..ok() }, "weight is 10001; it must be from 0 to 10000"),
            (Registration { group: String::new(), ..ok() }, "group is empty; leave it out for the group \"default\""),
            (
                Registration { zone: "a\nb".into(), ..ok() },
                "zone is \"a\\nb\"; it must be at most 255 bytes without control",
            ),
            (Registration { versions: vec![2, 1], ..ok() }, "service-version must be a list of whole numbers up to"),
            (Registration { versions: vec![], ..ok() }, "service-version must be a list of whole numbers up to"),
            (
                Registration { versions: vec![1_000_000_000], ..ok() },
                "service-version must be a list of whole numbers up",
            ),
            (Registration { session_timeout: Duration::ZERO, ..ok() }, "zk-session-timeout must be from 0.1 to 600 s"),
        ];
        for (settings, said) in cases {
            let text = settings.validate().expect_err(said).to_string();
            assert!(text.starts_with(said), "{text}");
        }
    }

    #[test]
    fn credentials_need_a_user_and_do_not_print_the_password() {
        assert!(Credentials::parse("user").is_err() && Credentials::parse(":secret").is_err());
        let credentials = Credentials::parse("user:se:cret").expect("valid");
        assert_eq!(format!("{credentials:?}"), "user:…");
        assert_eq!(credentials.reveal(), "user:se:cret");
    }
}
