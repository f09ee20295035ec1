//! `calculate idl check`: what it prints and how it ends; what it finds is tested beside it.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::program::{Ended, PROGRAM, Program};

#[test]
fn a_compatible_idl_is_one_line_and_exit_code_0() {
    let (old, new) = (file("older", "  Number Cal(1: Number number)\n", ""), idl());
    let ended = check(&old, &new);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, format!("{} is compatible with {}\n", new.display(), old.display()));
}

#[test]
fn each_break_is_a_line_and_exit_code_1() {
    let new = file("broken", "1: required double value", "1: required i64 value\n  2: required string unit");
    let ended = check(&idl(), &new);
    assert_eq!(ended.code, Some(1));
    let expected =
        "struct Number: field 1 (value) was double, is i64\nstruct Number: field 2 (unit) is new and required\n";
    assert_eq!(ended.stdout, expected);
    assert_eq!(ended.stderr, format!("calculate: {} is not compatible with {}\n", new.display(), idl().display()));
    let fewer = check(&idl(), &file("fewer", "  Number Cal(1: Number number)\n", ""));
    assert_eq!((fewer.code, fewer.stdout.as_str()), (Some(1), "method Calculate.Cal: removed\n"));
}

#[test]
fn what_is_no_idl_is_named_with_its_line_and_exit_code_2() {
    let broken = file("no-idl", "struct Number {", "struct Number");
    let ended = check(&idl(), &broken);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(
        ended.stderr.starts_with(&format!("calculate: {} is no IDL: line 1", broken.display())),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stderr.lines().count(), 1);
    let missing = check(&idl(), Path::new("/no/such/file.thrift"));
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("/no/such/file.thrift: No such file"), "{}", missing.stderr);
}

fn check(old: &Path, new: &Path) -> Ended {
    Program::to_end(Command::new(PROGRAM).args(["idl", "check"]).args([old, new]))
}

fn idl() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("idl/calculate.thrift")
}

/// The service's IDL with something else in it.
fn file(name: &str, from: &str, to: &str) -> PathBuf {
    let text = std::fs::read_to_string(idl()).expect("it is there");
    assert!(text.contains(from));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.thrift", std::process::id()));
    std::fs::write(&path, text.replace(from, to)).expect("a folder for tests");
    path
}
