//! One instance of a service as its node says it: the JSON of Curator's x-discovery.

use super::location::{host_and_port, valid_name};
use crate::config::{Registration, TlsMode};
use crate::error::Error;
use serde_json::{Map, Value, json};
use std::fmt;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A server that can be called, or will be: its id is its node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The service's name.
    pub name: String,
    /// What it is called among the instances of its service; stable over its restarts.
    pub id: String,
    /// Where clients reach it: a host's name or an IP address, without brackets.
    pub address: String,
    /// The port that takes plain connections.
    pub port: Option<u16>,
    /// The port that takes TLS; one of the two is always there.
    pub ssl_port: Option<u16>,
    /// The versions of the service that it hosts; none means any.
    pub versions: Vec<u32>,
    /// Clients call instances of one group only.
    pub group: String,
    /// Its share of the calls, 0 to 10,000; at 0 it is not called.
    pub weight: u32,
    /// Where it stands; empty when nobody said it.
    pub zone: String,
    /// What it can be called in.
    pub encodings: String,
    /// A hash of its IDL: `sha256:` and hexadecimal digits.
    pub idl: String,
    /// When it registered, in milliseconds since 1970; the same until its process ends.
    pub registered_ms: i64,
    /// Whether it is to be called: an operator may say no.
    pub enabled: bool,
}

/// A node that is no instance; the text says what is wrong with it, and holds nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNode(pub String);

impl Instance {
    /// This process as it is announced, from now on until its end.
    ///
    /// # Errors
    /// It is not known where clients reach it, or the id cannot be one.
    pub(super) fn announced(
        settings: &Registration,
        name: &str,
        idl: &str,
        (listening, tls): (Option<SocketAddr>, TlsMode),
    ) -> Result<Instance, Error> {
        let (address, port) = match &settings.advertise {
            Some(advertised) => host_and_port(advertised)
                .map_err(|why| Error::setting(format!("advertise is {advertised:?}: {why}; write HOST:PORT")))?,
            None => reached_at(listening)?,
        };
        let id = settings.instance_id.clone().unwrap_or_else(|| format!("{address}:{port}").replace(':', "-"));
        valid_name(&id).map_err(|why| Error::setting(format!("instance-id is {id:?}, which {why}")))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Instance {
            name: name.into(),
            id,
            address,
            port: (tls != TlsMode::Require).then_some(port),
            ssl_port: (tls != TlsMode::Off).then_some(port),
            versions: settings.versions.clone(),
            group: settings.group.clone(),
            weight: settings.weight,
            zone: settings.zone.clone(),
            encodings: ENCODINGS.into(),
            idl: idl.into(),
            registered_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            enabled: true,
        })
    }

    /// Reads a node. Fields that nobody knows are ignored; those that a foreign writer left out have their defaults.
    ///
    /// # Errors
    /// The node is too long, is no JSON object, or a field has a wrong type or is out of its range.
    pub fn parse(id: &str, bytes: &[u8]) -> Result<Instance, InvalidNode> {
        let node = object(bytes)?;
        let address = text(&node, "address")?.ok_or_else(|| InvalidNode("address is missing".into()))?;
        let unfit = |c: char| c.is_control() || c.is_whitespace() || "/@[]".contains(c);
        if address.is_empty() || address.chars().count() > LONGEST_TEXT || address.contains(unfit) {
            return Err(InvalidNode("address is empty, too long or has characters that no host has".into()));
        }
        let (port, ssl_port) = (port_of(&node, "port")?, port_of(&node, "sslPort")?);
        if port.is_none() && ssl_port.is_none() {
            return Err(InvalidNode("port and sslPort are missing".into()));
        }
        let none = Map::new();
        let payload = match node.get("payload") {
            None | Some(Value::Null) => &none,
            Some(Value::Object(payload)) => payload,
            Some(_) => return Err(InvalidNode("payload is no object".into())),
        };
        Ok(Instance {
            name: noted(&node, "name"),
            id: id.into(),
            address,
            port,
            ssl_port,
            versions: versions(payload)?,
            group: label(payload, "group")?.unwrap_or_else(|| DEFAULT_GROUP.into()),
            weight: weight(payload)?,
            zone: label(payload, "zone")?.unwrap_or_default(),
            encodings: noted(payload, "encodings"),
            idl: noted(payload, "idl"),
            registered_ms: match whole(&node, "registrationTimeUTC")?.unwrap_or(0) {
                negative if negative < 0 => return Err(InvalidNode("registrationTimeUTC is negative".into())),
                registered => registered,
            },
            enabled: flag(&node, "enabled")?.unwrap_or(true),
        })
    }

    /// The node's content.
    pub fn to_json(&self) -> Vec<u8> {
        let versions = self.versions.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let node = json!({
            "name": self.name, "id": self.id, "address": self.address, "port": self.port, "sslPort": self.ssl_port,
            "payload": {
                "version": versions, "group": self.group, "weight": self.weight.to_string(), "zone": self.zone,
                "encodings": self.encodings, "idl": self.idl,
            },
            "registrationTimeUTC": self.registered_ms, "serviceType": "DYNAMIC", "uriSpec": null,
            "enabled": self.enabled,
        });
        node.to_string().into_bytes()
    }

    /// Whether both are reached at the same place.
    pub fn same_place(&self, other: &Instance) -> bool {
        let place = |instance: &Instance| instance.port.or(instance.ssl_port);
        self.address == other.address && place(self) == place(other)
    }

    /// Where it is reached: `HOST:PORT`, `[IPv6]:PORT`.
    pub fn endpoint(&self) -> String {
        let port = self.port.or(self.ssl_port).unwrap_or(0);
        match self.address.contains(':') {
            true => format!("[{}]:{port}", self.address),
            false => format!("{}:{port}", self.address),
        }
    }
}

impl fmt::Display for InvalidNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidNode {}

/// Where clients reach a server that does not say it.
fn reached_at(listening: Option<SocketAddr>) -> Result<(String, u16), Error> {
    let say = "say where clients reach it with --advertise HOST:PORT";
    match listening {
        Some(address) if !address.ip().is_unspecified() => Ok((address.ip().to_string(), address.port())),
        Some(address) => {
            Err(Error::setting(format!("the server listens on {address}, which no client can be told; {say}")))
        }
        None => Err(Error::setting(format!("the server listens on no TCP address; {say}"))),
    }
}

/// A node's content as a JSON object; where a name is there twice, the last counts.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, InvalidNode> {
    if bytes.len() > LONGEST_NODE {
        return Err(InvalidNode(format!("it is longer than {LONGEST_NODE} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| InvalidNode("it is no UTF-8".into()))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(InvalidNode("it is no JSON object".into())),
        Err(error) => Err(InvalidNode(format!("it is no JSON (line {}, column {})", error.line(), error.column()))),
    }
}

fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, InvalidNode> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(InvalidNode(format!("{name} is no string"))),
    }
}

/// A short text that is compared and shown.
fn label(object: &Map<String, Value>, name: &str) -> Result<Option<String>, InvalidNode> {
    match text(object, name)? {
        Some(text) if text.chars().count() > LONGEST_TEXT || text.contains(char::is_control) => {
            Err(InvalidNode(format!("{name} is too long or has control characters")))
        }
        text => Ok(text),
    }
}

/// What is only shown: a foreign writer's of another type is as good as none.
fn noted(object: &Map<String, Value>, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn whole(object: &Map<String, Value>, name: &str) -> Result<Option<i64>, InvalidNode> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| InvalidNode(format!("{name} is no whole number"))),
    }
}

pub(super) fn flag(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, InvalidNode> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            value.as_bool().map(Some).ok_or_else(|| InvalidNode(format!("{name} is neither true nor false")))
        }
    }
}

fn port_of(object: &Map<String, Value>, name: &str) -> Result<Option<u16>, InvalidNode> {
    let Some(port) = whole(object, name)? else { return Ok(None) };
    match u16::try_from(port) {
        Ok(port) if port > 0 => Ok(Some(port)),
        _ => Err(InvalidNode(format!("{name} is not from 1 to 65535"))),
    }
}

/// The payload's values are strings, numbers too.
fn weight(payload: &Map<String, Value>) -> Result<u32, InvalidNode> {
    let Some(text) = text(payload, "weight")? else { return Ok(DEFAULT_WEIGHT) };
    let weight = digits(&text, 5).filter(|weight| *weight <= HEAVIEST);
    weight.ok_or_else(|| InvalidNode(format!("weight is no whole number from 0 to {HEAVIEST}")))
}

fn versions(payload: &Map<String, Value>) -> Result<Vec<u32>, InvalidNode> {
    let Some(text) = text(payload, "version")? else { return Ok(Vec::new()) };
    let versions = text.split(',').map(|version| digits(version, 9)).collect::<Option<Vec<_>>>();
    versions.ok_or_else(|| InvalidNode("version is no list of whole numbers".into()))
}

/// A number of at most so many digits, and of nothing else: no sign, no blank.
fn digits(text: &str, most: usize) -> Option<u32> {
    (text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// The group of whoever names none.
pub const DEFAULT_GROUP: &str = "default";
/// The weight of whoever names none.
pub const DEFAULT_WEIGHT: u32 = 100;
/// The greatest weight.
pub const HEAVIEST: u32 = 10_000;
/// What every server understands.
const ENCODINGS: &str = "framed,unframed,theader,ttheader";
const LONGEST_NODE: usize = 64 * 1024;
const LONGEST_TEXT: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    const CURATOR: &str = r#"{"name":"calculate","id":"x","address":"127.0.0.1","port":9090,"sslPort":null,
        "payload":{"@class":"java.util.HashMap","version":"1,2","group":"blue","weight":"50","zone":"a"},
        "registrationTimeUTC":1795428122331,"serviceType":"DYNAMIC","uriSpec":null,"enabled":false,"unknown":[{}]}"#;

    #[test]
    fn an_instance_says_where_it_is_reached() {
        let announced = |advertise: Option<&str>, id: Option<&str>, listening: &str, tls| {
            let settings = Registration {
                advertise: advertise.map(Into::into),
                instance_id: id.map(Into::into),
                ..Registration::default()
            };
            let listening = listening.parse().ok();
            let instance = Instance::announced(&settings, "calculate", "sha256:0", (listening, tls));
            instance.map(|it| (it.endpoint(), it.id, it.port, it.ssl_port)).map_err(|error| error.to_string())
        };
        let told = |endpoint: &str, id: &str, port, ssl_port| Ok((endpoint.into(), id.into(), port, ssl_port));
        let (off, allow, require) = (TlsMode::Off, TlsMode::Allow, TlsMode::Require);
        assert_eq!(announced(None, None, "127.0.0.1:9", off), told("127.0.0.1:9", "127.0.0.1-9", Some(9), None));
        assert_eq!(announced(None, None, "[::1]:9", require), told("[::1]:9", "--1-9", None, Some(9)));
        let named = announced(Some("a.example:80"), Some("one"), "0.0.0.0:9", allow);
        assert_eq!(named, told("a.example:80", "one", Some(80), Some(80)));
        let wrong = |advertise, id, listening| announced(advertise, id, listening, off).expect_err("wrong");
        assert!(wrong(None, None, "0.0.0.0:9").contains("--advertise"));
        assert!(wrong(None, None, "unix").contains("no TCP address"));
        assert!(wrong(Some("a.example"), None, "").contains("write HOST:PORT"));
        assert!(wrong(None, Some("a/b"), "127.0.0.1:9").starts_with("instance-id is \"a/b\", which has a character"));
    }

    #[test]
    fn a_node_of_curator_is_read() {
        let instance = Instance::parse("one", CURATOR.as_bytes()).expect("an instance");
        let expected = Instance {
            name: "calculate".into(),
            id: "one".into(),
            address: "127.0.0.1".into(),
            port: Some(9090),
            ssl_port: None,
            versions: vec![1, 2],
            group: "blue".into(),
            weight: 50,
            zone: "a".into(),
            encodings: String::new(),
            idl: String::new(),
            registered_ms: 1_795_428_122_331,
            enabled: false,
        };
        assert_eq!(instance, expected);
        assert_eq!(Instance::parse("one", &instance.to_json()).expect("its own"), instance);
    }

    #[test]
    fn what_a_foreign_writer_left_out_has_its_default() {
        for node in [
            r#"{"address":"h","sslPort":1}"#,
            r#"{"address":"h","port":null,"sslPort":1,"payload":null,"enabled":null}"#,
            r#"{"address":"h","sslPort":1,"payload":{"other":{"deep":[1]},"weight":null}}"#,
        ] {
            let read = Instance::parse("i", node.as_bytes()).expect(node);
            assert_eq!((read.port, read.ssl_port, read.enabled, read.registered_ms), (None, Some(1), true, 0));
            assert_eq!((read.versions.as_slice(), read.weight, read.group.as_str()), (&[][..], 100, "default"));
        }
    }

    #[test]
    fn a_node_that_is_none_is_told_why() {
        let deep = format!(r#"{{"address":"h","port":1,"x":{}"#, "[".repeat(60_000));
        let long = format!(r#"{{"address":"h","port":1,"x":"{}"}}"#, "x".repeat(65_536));
        let cases = [
            ("", "it is no JSON (line 1, column 0)"),
            ("\0\0\0", "it is no JSON (line 1, column 1)"),
            ("[]", "it is no JSON object"),
            (&deep, "it is no JSON (line 1, column "),
            (&long, "it is longer than 65536 bytes"),
            (r#"{"port":1}"#, "address is missing"),
            (r#"{"address":7,"port":1}"#, "address is no string"),
            (r#"{"address":"","port":1}"#, "address is empty, too long or has characters that no host has"),
            (r#"{"address":"a\u0000b","port":1}"#, "address is empty, too long or has characters that no host has"),
            (r#"{"address":"h"}"#, "port and sslPort are missing"),
            (r#"{"address":"h","port":"1"}"#, "port is no whole number"),
            (r#"{"address":"h","port":1.0}"#, "port is no whole number"),
            (r#"{"address":"h","port":0}"#, "port is not from 1 to 65535"),
            (r#"{"address":"h","port":1,"sslPort":-1}"#, "sslPort is not from 1 to 65535"),
            (r#"{"address":"h","port":65536}"#, "port is not from 1 to 65535"),
            (r#"{"address":"h","port":1,"payload":[]}"#, "payload is no object"),
            (r#"{"address":"h","port":1,"payload":{"weight":1}}"#, "weight is no string"),
            (r#"{"address":"h","port":1,"payload":{"weight":"10001"}}"#, "weight is no whole number from 0 to 10000"),
            (r#"{"address":"h","port":1,"payload":{"weight":"+5"}}"#, "weight is no whole number from 0 to 10000"),
            (r#"{"address":"h","port":1,"payload":{"weight":""}}"#, "weight is no whole number from 0 to 10000"),
            (r#"{"address":"h","port":1,"payload":{"version":"1,,2"}}"#, "version is no list of whole numbers"),
            (r#"{"address":"h","port":1,"enabled":"no"}"#, "enabled is neither true nor false"),
            (r#"{"address":"h","port":1,"registrationTimeUTC":1e99}"#, "registrationTimeUTC is no whole number"),
        ];
        for (node, why) in cases {
            let said = Instance::parse("i", node.as_bytes()).expect_err(why).to_string();
            assert!(said.starts_with(why), "{said}");
        }
        assert!(Instance::parse("i", b"{\"address\":\"\xff\",\"port\":1}").is_err());
    }
}
