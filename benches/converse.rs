//! What a pipelined call costs between its bytes and its reply's: no socket, no thread but this one.
//!
//! Prints nanoseconds, and instructions where valgrind is: the program runs itself below it, once with few calls and
//! once with many, and the difference is the calls'. It has the system's allocator, as the program's would have to be in another
//! crate (ARCHITECTURE.md says why); each allocation takes some 40 instructions more than there. Instructions are the same on a busy machine, nanoseconds are not.

use calculate::config::Config;
use calculate::idl::calculate::CalculateSyncProcessor;
use calculate::server::Server;
use calculate::service::Calculator;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

type Encode = fn(sequence_id: u32) -> Vec<u8>;

const ENCODINGS: [(&str, Encode); 4] = [
    ("framed binary", |id| framed(&binary(id))),
    ("framed compact", |id| framed(&compact(id))),
    ("unframed binary", binary),
    ("THeader, binary", |id| framed(&theader(id))),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, counted, encoding, rounds] = &arguments[..]
        && counted == COUNTED
    {
        let find = |(name, _): &&(&str, Encode)| name == encoding;
        let (_, encode) = ENCODINGS.iter().find(find).expect("one of ours");
        return converse(*encode, rounds.parse().expect("a number"));
    }
    println!("{:16} {:>9} {:>18}", "a call of Square", "ns", "instructions");
    for (name, encode) in ENCODINGS {
        let nanoseconds = (0..ROUNDS).map(|_| timed(encode)).fold(f64::INFINITY, f64::min);
        let instructions = instructions(name).map_or("needs valgrind".into(), |count| format!("{count:.0}"));
        println!("{name:16} {nanoseconds:9.0} {instructions:>18}");
    }
}

/// Hears `rounds` times what a connection brings in a few turns, and answers it.
fn converse(encode: Encode, rounds: usize) {
    let config = Config { listen: vec!["127.0.0.1:0".into()], ..Config::default() };
    let server =
        Server::bind(config).expect("a free port").service("Calculate", CalculateSyncProcessor::new(Calculator));
    let turns: Vec<Vec<u8>> =
        (0..TURNS).map(|turn| (0..DEPTH).flat_map(|call| encode(turn * DEPTH + call)).collect()).collect();
    let turns: Vec<&[u8]> = turns.iter().map(Vec::as_slice).collect();
    let (replies, closed) = server.converse(&turns);
    assert!(!closed && replies.len() > (TURNS * DEPTH) as usize, "the calls are refused");
    for _ in 0..rounds {
        black_box(server.converse(black_box(&turns)));
    }
}

/// Nanoseconds a call.
fn timed(encode: Encode) -> f64 {
    const MANY: usize = 500;
    let began = Instant::now();
    converse(encode, MANY);
    began.elapsed().as_secs_f64() * 1e9 / (MANY as f64 * f64::from(TURNS * DEPTH))
}

/// Instructions a call, where valgrind can count them.
fn instructions(encoding: &str) -> Option<f64> {
    const FEW: u64 = 1;
    const MANY: u64 = 11;
    let calls = (MANY - FEW) * u64::from(TURNS * DEPTH);
    Some((collected(encoding, MANY)? - collected(encoding, FEW)?) as f64 / calls as f64)
}

/// All instructions of this program as it answers `rounds` times.
fn collected(encoding: &str, rounds: u64) -> Option<u64> {
    let this = std::env::current_exe().ok()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(this);
    valgrind.args([COUNTED, encoding, &rounds.to_string()]).stdin(Stdio::null());
    let said = String::from_utf8(valgrind.output().ok()?.stderr).ok()?;
    said.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse().ok()
}

fn framed(frame: &[u8]) -> Vec<u8> {
    [&(frame.len() as u32).to_be_bytes(), frame].concat()
}

fn binary(sequence_id: u32) -> Vec<u8> {
    let mut call = b"\x80\x01\0\x01\0\0\0\x06Square".to_vec();
    call.extend_from_slice(&sequence_id.to_be_bytes());
    call.extend_from_slice(b"\x0c\0\x01\x04\0\x01");
    call.extend_from_slice(&f64::from(sequence_id).to_be_bytes());
    call.extend_from_slice(&[0, 0]);
    call
}

fn compact(sequence_id: u32) -> Vec<u8> {
    let mut call = b"\x82\x21".to_vec();
    call.extend_from_slice(&[sequence_id as u8 | 0x80, (sequence_id >> 7) as u8]);
    call.extend_from_slice(b"\x06Square\x1c\x17");
    call.extend_from_slice(&f64::from(sequence_id).to_le_bytes());
    call.extend_from_slice(&[0, 0]);
    call
}

/// Without a header: one word that says "binary, no transforms".
fn theader(sequence_id: u32) -> Vec<u8> {
    let mut frame = b"\x0f\xff\0\0".to_vec();
    frame.extend_from_slice(&sequence_id.to_be_bytes());
    frame.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
    frame.extend_from_slice(&binary(sequence_id));
    frame
}

/// Says that this run is counted.
const COUNTED: &str = "counted";

/// What one connection has in flight.
const DEPTH: u32 = 16;

/// Enough that making a connection costs nothing beside its calls.
const TURNS: u32 = 256;

/// The fastest counts.
const ROUNDS: usize = 5;
