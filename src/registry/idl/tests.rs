//! What may change in an IDL, and what may not.

use super::{Which, differences};

const IDL: &str = include_str!("../../../idl/calculate.thrift");

const OLD: &str = "
    namespace rs old
    typedef i64 Id
    enum Colour { RED = 1, GREEN, BLUE = 7 }
    struct Item {
        1: required string name,
        2: optional Id id (go.tag = 'x'),
        3: list<Colour> colours = [1, 2]  // and a comment
        4: map<string, set<Id>> sets;
    }
    union Choice { 1: i32 number, 2: string text }
    exception Refused { 1: string why }
    service Base { void ping() }
    service Shop extends Base {
        /** Finds. */
        Item find(1: Id id, 2: optional string hint) throws (1: Refused refused),
        oneway void note(1: string text)
    }
";

fn found(from: &str, to: &str) -> Vec<String> {
    assert!(OLD.contains(from), "{from:?} is not in the text");
    differences(OLD, &OLD.replace(from, to)).expect("both are IDLs")
}

#[test]
fn an_idl_is_compatible_with_itself_and_with_what_only_adds() {
    let none: &[&str] = &[];
    for idl in [
        IDL,
        OLD,
        include_str!("../../../examples/wordcount.thrift"),
        include_str!("../../../tests/support/wire.thrift"),
    ] {
        assert_eq!(differences(idl, idl).expect("IDLs"), none);
    }
    let additions = [
        ("BLUE = 7", "BLUE = 7, BLACK"),
        ("1: required string name,", "1: required string name, 9: optional i32 more, 10: i32 most"),
        ("2: string text }", "2: string text, 3: bool flag }"),
        ("void ping()", "void ping(), i32 more(1: i32 x)"),
        ("2: optional string hint)", "2: optional string hint, 3: optional bool deep)"),
        ("service Base", "struct More {} service Other {} service Base"),
    ];
    for (from, to) in additions {
        assert_eq!(found(from, to), none, "{to}");
    }
}

#[test]
fn what_does_not_travel_may_change() {
    let none: &[&str] = &[];
    let changes = [
        ("required string name", "required string called"),
        ("optional Id id", "optional i64 id"),
        ("typedef i64 Id", "typedef i64 Number typedef Number Id"),
        ("namespace rs old", "namespace py new"),
        ("= [1, 2]  // and a comment", ""),
        ("(1: Id id, 2: optional string hint)", "(2: optional string hint, 1: Id number)"),
        ("service Shop extends Base {", "service Shop { void ping(),"),
        ("RED = 1, GREEN, BLUE = 7", "BLUE = 7, GREEN = 2, RED = 1"),
    ];
    for (from, to) in changes {
        assert_eq!(found(from, to), none, "{to}");
    }
}

#[test]
fn each_break_is_named() {
    let breaks = [
        ("2: optional Id id (go.tag = 'x'),", "", "struct Item: field 2 (id) removed"),
        (
            "4: map<string, set<Id>> sets;",
            "4: map<string, list<Id>> sets;",
            "struct Item: field 4 (sets) was map<string,set<i64>>, is map<string,list<i64>>",
        ),
        ("3: list<Colour> colours", "5: list<Colour> colours", "struct Item: field colours had the id 3, has 5"),
        (
            "1: required string name,",
            "1: required string name, 9: required i32 more",
            "struct Item: field 9 (more) is new and required",
        ),
        ("1: required string name,", "1: string name,", "struct Item: field 1 (name) was required, is not"),
        ("2: optional Id id", "2: required Id id", "struct Item: field 2 (id) was not required, is"),
        ("2: string text }", "}", "union Choice: field 2 (text) removed"),
        ("union Choice", "struct Choice", "union Choice: was a union, is a struct"),
        ("exception Refused", "struct Refused", "exception Refused: was an exception, is a struct"),
        ("GREEN, ", "", "enum Colour: value GREEN (2) removed"),
        ("RED = 1, GREEN", "RED = 1, DARK, GREEN", "enum Colour: value GREEN was 2, is 3"),
        ("oneway void note(1: string text)", "", "method Shop.note: removed"),
        ("oneway void note", "void note", "method Shop.note: was oneway, is not"),
        ("Item find", "list<Item> find", "method Shop.find: returned Item, returns list<Item>"),
        ("find(1: Id id", "find(1: string id", "method Shop.find: argument 1 (id) was i64, is string"),
        ("find(1: Id id", "find(3: Id id", "method Shop.find: argument id had the id 1, has 3"),
        ("hint)", "hint, 3: bool deep)", "method Shop.find: argument 3 (deep) is new and required"),
        ("throws (1: Refused refused)", "", "method Shop.find: exception 1 (refused) removed"),
        (
            "throws (1: Refused refused)",
            "throws (1: Choice refused)",
            "method Shop.find: exception 1 (refused) was Refused, is Choice",
        ),
    ];
    for (from, to, said) in breaks {
        assert_eq!(found(from, to), [said], "{to}");
    }
    let all = found("service Shop extends Base", "service Store");
    assert_eq!(all, ["service Shop: removed"]);
    assert_eq!(found("service Shop extends Base", "service Shop"), ["method Shop.ping: removed"]);
    assert_eq!(found("void ping()", ""), ["method Base.ping: removed", "method Shop.ping: removed"]);
    let swapped = found("1: i32 number, 2: string text", "2: i32 number, 1: string text");
    let both = ["union Choice: field number had the id 1, has 2", "union Choice: field text had the id 2, has 1"];
    assert_eq!(swapped, both);
}

#[test]
fn a_parent_in_another_file_is_known_by_name() {
    let old = "include 'base.thrift' service Shop extends base.Base { void note() }";
    assert_eq!(differences(old, old).expect("IDLs"), [""; 0]);
    let new = old.replace(" extends base.Base", "");
    assert_eq!(differences(old, &new).expect("IDLs"), ["service Shop: no longer extends base.Base"]);
}

#[test]
fn what_is_no_idl_is_told_where() {
    let error = differences(IDL, "struct A {\n  1: i32\n}\n").expect_err("no IDL");
    assert_eq!(error.which, Which::New);
    assert!(error.why.starts_with("line 3:1"), "{}", error.why);
    assert!(!error.why.contains('\n'));
    assert_eq!(differences("struct", IDL).expect_err("no IDL").which, Which::Old);
    assert_eq!(differences(&"x".repeat(1 << 20), IDL).expect_err("long").why, "it is longer than 524288 bytes");
}

#[test]
fn declarations_that_never_end_end() {
    let round = "typedef B A typedef A B struct S { 1: A a } service X extends Y {} service Y extends X { void y() }";
    assert_eq!(differences(round, round).expect("IDLs"), [""; 0]);
    let deep = format!("struct S {{ 1: {}i32{} x }}", "list<".repeat(50_000), ">".repeat(50_000));
    assert!(differences(IDL, &deep).expect_err("deep").why.contains("open brackets"));
    let deep = format!("const i32 X = {}", "[".repeat(50_000));
    assert!(differences(IDL, &deep).expect_err("deep").why.contains("open brackets"));
}
