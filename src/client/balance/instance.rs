//! One instance, as a list or a registry describes it.

/// A server that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name in the list: unique, the same over its restarts.
    pub id: String,
    /// A name or an IP address, without brackets; or `unix:/path`.
    pub address: String,
    /// The port that plain clients use.
    pub port: Option<u16>,
    /// The port that TLS clients use; without one they use `port`.
    pub ssl_port: Option<u16>,
    /// The versions of the service that it hosts; none: it does not say, and fits every range.
    pub versions: Option<Vec<u64>>,
    /// Only clients that ask for this group call it.
    pub group: String,
    /// Its share of the calls, against the others'; 0: no calls.
    pub weight: u32,
    /// Where it is; clients of the same zone call it first.
    pub zone: String,
    /// Whether the operator lets it be called.
    pub enabled: bool,
    /// When it was registered, in milliseconds since 1970; 0: not known.
    pub registered_ms: u64,
}

/// Versions that a client can do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The lowest.
    pub low: u64,
    /// The highest; `u64::MAX` where there is no limit.
    pub high: u64,
}

impl Instance {
    /// An instance of which only the address is known.
    pub fn at(id: impl Into<String>, address: impl Into<String>, port: Option<u16>) -> Instance {
        Instance {
            id: id.into(),
            address: address.into(),
            port,
            ssl_port: None,
            versions: None,
            group: DEFAULT_GROUP.into(),
            weight: 100,
            zone: String::new(),
            enabled: true,
            registered_ms: 0,
        }
    }

    /// Whether it is what a client asks for.
    pub fn fits(&self, versions: Option<VersionRange>, group: &str) -> bool {
        let in_range = match (&self.versions, versions) {
            (Some(hosted), Some(range)) => hosted.iter().any(|&version| range.low <= version && version <= range.high),
            _ => true,
        };
        in_range && self.group == group
    }

    /// The version by whose name it is called: the highest that is asked for, where it hosts several. None for the plain
    /// name, which is its lowest's. Pinned by `idl/vectors/versions.tsv`.
    pub fn called_version(&self, asked: Option<VersionRange>) -> Option<u64> {
        let (hosted, range) = (self.versions.as_ref()?, asked?);
        let fitting = hosted.iter().filter(|&&version| range.low <= version && version <= range.high);
        fitting.max().filter(|&highest| Some(highest) != hosted.iter().min()).copied()
    }

    /// Whether it is at the same place as another.
    pub fn same_place(&self, other: &Instance) -> bool {
        (&self.address, self.port, self.ssl_port) == (&other.address, other.port, other.ssl_port)
    }
}

/// The group of instances and clients that name none.
pub const DEFAULT_GROUP: &str = "default";
