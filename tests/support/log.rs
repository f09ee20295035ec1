//! What may stand in a log, and in a text that a peer gets.

/// One line, without control characters, and nothing of the program's inside: no path of a source file, no type, no
/// Debug output of one.
pub fn is_clean(text: &str) {
    assert!(text.len() < 2000, "{} bytes are no line to read: {text:?}", text.len());
    assert!(!text.chars().any(char::is_control), "control characters: {text:?}");
    // The name of the module that logs is the log's form: `[time LEVEL module] text`.
    let said = text.split_once("] ").map_or(text, |(_, said)| said);
    for inside in [
        ".rs:",
        "src/",
        "calculate::",
        "std::",
        "core::",
        "thrift::",
        "rustls::",
        "Error {",
        "Error(",
        "Some(",
        "None",
        "Utf8Error",
        "ErrorKind",
        " { ",
    ] {
        assert!(!said.contains(inside), "{inside:?} is the program's inside: {text:?}");
    }
}
