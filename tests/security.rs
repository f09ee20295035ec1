//! SECURITY.md says what is so.

use calculate::config::{Config, TlsMode};
use calculate::wire::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_NAME_BYTES, proxy};
use std::collections::BTreeMap;

const TEXT: &str = include_str!("../SECURITY.md");

/// The rows of the tables: first and second column.
fn rows() -> BTreeMap<String, String> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    let rows = TEXT.lines().filter(|line| line.starts_with("| ")).map(cells);
    rows.map(|cells| (cells[1].clone(), cells[2].replace(',', ""))).collect()
}

#[test]
fn each_default_is_in_its_table() {
    let mut config = Config::default();
    config.tls.mode = TlsMode::Allow;
    let rows = rows();
    let mut compared = 0;
    for setting in config.to_string().split_whitespace() {
        let (name, value) = setting.split_once('=').expect("name=value");
        // What is no limit.
        if ["tls", "tls-client-auth", "workers", "handlers"].contains(&name) {
            continue;
        }
        let said = rows.get(&format!("--{name}")).unwrap_or_else(|| panic!("SECURITY.md has no row for --{name}"));
        assert_eq!(said.replace(" s", "s"), value, "--{name}");
        compared += 1;
    }
    let flags = rows.keys().filter(|name| name.starts_with("--")).count();
    assert_eq!(flags, compared, "a row for what is no setting");
}

#[test]
fn each_fixed_limit_is_in_its_table() {
    let rows = rows();
    for (name, value) in [
        ("bytes of a method's name, with its service", MAX_NAME_BYTES),
        ("headers of THeader or TTHeader", MAX_HEADERS),
        ("bytes of all headers", MAX_HEADER_BYTES),
        ("bytes of a PROXY header behind its fixed part", proxy::MOST_BYTES),
    ] {
        assert_eq!(rows.get(name).map(String::as_str), Some(value.to_string().as_str()), "{name}");
    }
}
