//! The program itself, as a child process.

use super::{DEADLINE, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<thread::JoinHandle<()>>,
}

/// How a program that was not to run long ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// `calculate serve` on a free port, with further arguments.
    pub fn serve(arguments: &[&str]) -> Program {
        Program::run(Command::new(PROGRAM).arg("serve").args(arguments))
    }

    /// Runs a command that ends up as `calculate serve`.
    pub fn run(command: &mut Command) -> Program {
        quiet(command).env("CALCULATE_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut first_line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut first_line).expect("a first line");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = log.clone();
        let reader = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let address = first_line.strip_prefix("listening on ").and_then(|rest| rest.trim_end().parse().ok());
        let address = address.unwrap_or_else(|| panic!("the first line is {first_line:?}"));
        Program { child, address, log, reader: Some(reader) }
    }

    /// Runs the program to its end.
    pub fn to_end(command: &mut Command) -> Ended {
        Program::to_end_typed(command, "")
    }

    /// Runs the program to its end, with `typed` on its standard input.
    pub fn to_end_typed(command: &mut Command, typed: &str) -> Ended {
        quiet(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        if let Some(mut stdin) = child.stdin.take() {
            // It may not want to read.
            let _ = stdin.write_all(typed.as_bytes());
        }
        let status = wait(&mut child);
        let read = |pipe: Option<&mut dyn Read>| {
            let mut text = String::new();
            pipe.expect("a pipe").read_to_string(&mut text).expect("text");
            text
        };
        let stdout = read(child.stdout.as_mut().map(|pipe| pipe as _));
        Ended { code: status.code(), stdout, stderr: read(child.stderr.as_mut().map(|pipe| pipe as _)) }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there to be told");
    }

    /// It runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// Waits for its end and gives its exit code.
    pub fn exit_code(&mut self) -> Option<i32> {
        let status = wait(&mut self.child);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the log is read");
        }
        status.code()
    }

    /// What it logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines of the log that have `text` in them.
    pub fn logged(&self, text: &str) -> Vec<String> {
        self.log().into_iter().filter(|line| line.contains(text)).collect()
    }

    /// Memory in use, in KiB.
    pub fn rss_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// Open descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).expect("it runs").count()
    }

    /// Processor time used so far, in clock ticks of 10 ms.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("it runs");
        let (_, after_name) = stat.rsplit_once(')').expect("a name in brackets");
        let fields: Vec<u64> =
            after_name.split_whitespace().skip(11).take(2).map(|f| f.parse().expect("ticks")).collect();
        fields.iter().sum()
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of that name");
        line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).expect("a number")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log().join("\n"));
        }
    }
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_calculate");

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).env_remove("RUST_LOG")
}

fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    eventually(&format!("the program ends within {DEADLINE:?}"), || {
        status = child.try_wait().expect("a child of ours");
        status.is_some()
    });
    status.expect("it ended")
}
