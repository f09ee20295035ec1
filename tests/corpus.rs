//! The fuzz targets' properties over the corpus that fuzzing left.

#[path = "../fuzz/properties.rs"]
mod properties;

use std::path::Path;

fn over_corpus(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is part of the repository") {
        let path = entry.expect("a readable folder").path();
        property(&std::fs::read(&path).expect("a readable input"));
        inputs += 1;
    }
    assert!(inputs > 20, "only {inputs} inputs in {}", folder.display());
}

#[test]
fn detection_holds_over_its_corpus() {
    over_corpus("detect", properties::detect);
}

#[test]
fn the_binary_protocol_holds_over_its_corpus() {
    over_corpus("binary", properties::binary);
}

#[test]
fn the_compact_protocol_holds_over_its_corpus() {
    over_corpus("compact", properties::compact);
}

#[test]
fn theader_holds_over_its_corpus() {
    over_corpus("theader", properties::theader);
}

#[test]
fn ttheader_holds_over_its_corpus() {
    over_corpus("ttheader", properties::ttheader);
}

#[test]
fn access_lists_hold_over_their_corpus() {
    over_corpus("access", properties::access);
}

#[test]
fn replies_hold_over_their_corpus() {
    over_corpus("reply", properties::reply);
}
