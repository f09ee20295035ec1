//! The last list on the disk: with it a program starts while its registry is down.

use crate::client::balance::instance::Instance;
use serde_json::{Map, Value, json};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the list of a target is kept when nobody says where: below `$XDG_CACHE_HOME` or `~/.cache`.
pub(crate) fn default_file(target: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    let name = crate::client::balance::hash::hash64(target.as_bytes());
    Some(folder.join("calculate").join(format!("{name:016x}.json")))
}

/// Writes a list, whole or not at all.
pub(crate) fn write(file: &Path, target: &str, instances: &[Instance]) -> io::Result<()> {
    let written = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let instances: Vec<Value> = instances.iter().map(to_json).collect();
    let content = json!({ "target": target, "written": written, "instances": instances });
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let mut stream = fs::File::create(&new)?;
    stream.write_all(content.to_string().as_bytes())?;
    fs::rename(&new, file)
}

/// Reads the list of this target. None when there is none that can be used.
pub(crate) fn read(file: &Path, target: &str) -> Option<Vec<Instance>> {
    const MOST_BYTES: u64 = 64 * 1024 * 1024;
    if fs::metadata(file).ok()?.len() > MOST_BYTES {
        return None;
    }
    let content: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    if content.get("target")?.as_str()? != target {
        return None;
    }
    content.get("instances")?.as_array()?.iter().map(from_json).collect()
}

fn to_json(instance: &Instance) -> Value {
    json!({
        "id": instance.id, "address": instance.address, "port": instance.port, "sslPort": instance.ssl_port,
        "versions": instance.versions, "group": instance.group, "weight": instance.weight, "zone": instance.zone,
        "enabled": instance.enabled, "registrationTimeUTC": instance.registered_ms,
    })
}

fn from_json(value: &Value) -> Option<Instance> {
    let object: &Map<String, Value> = value.as_object()?;
    let text = |name: &str| object.get(name)?.as_str().map(str::to_owned);
    let port = |name: &str| u16::try_from(object.get(name)?.as_u64()?).ok().filter(|port| *port > 0);
    let versions = match object.get("versions")? {
        Value::Null => None,
        versions => Some(versions.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<_>>>()?),
    };
    Some(Instance {
        id: text("id")?,
        address: text("address").filter(|address| !address.is_empty())?,
        port: port("port"),
        ssl_port: port("sslPort"),
        versions,
        group: text("group")?,
        weight: u32::try_from(object.get("weight")?.as_u64()?).ok().filter(|weight| *weight <= 10_000)?,
        zone: text("zone")?,
        enabled: object.get("enabled")?.as_bool()?,
        registered_ms: object.get("registrationTimeUTC")?.as_u64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_and_only_for_its_own_target() {
        let file = std::env::temp_dir().join(format!("calculate-list-{}.json", std::process::id()));
        let mut instance = Instance::at("one", "127.0.0.1", Some(9090));
        instance.versions = Some(vec![1, 2]);
        instance.enabled = false;
        let instances = [instance, Instance::at("two", "::1", Some(1))];
        write(&file, "zk://a:1/b/c", &instances).expect("written");
        assert_eq!(read(&file, "zk://a:1/b/c").as_deref(), Some(&instances[..]));
        assert_eq!(read(&file, "zk://a:1/b/d"), None);
        for broken in ["", "{}", "[]", "{\"target\":\"t\",\"instances\":[{}]}", "{\"target\":\"t\",\"instances\":7}"] {
            fs::write(&file, broken).expect("written");
            assert_eq!(read(&file, "t"), None, "{broken}");
        }
        let _ = fs::remove_file(file);
    }
}
