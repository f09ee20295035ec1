//! What the peers share: the two functions, the generated Thrift code, the command line, and an epoll loop.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process;

use idl::{CalculateSyncHandler, DomainError, Number};

pub mod epoll;
#[allow(clippy::unnecessary_unwrap)] // Generated: what the compiler's own list of exceptions omits.
#[path = "idl/calculate.rs"]
pub mod idl;

/// What a peer says of a negative argument to Square.
pub const NEGATIVE: &str = "the square root of a negative number is not real";

/// A frame's longest body in bytes, the default of every Thrift library.
pub const FRAME_BYTES_MAX: usize = 16_384_000;

/// Square of the IDL: the square root of `value`, or `None` for a negative one.
pub fn square(value: f64) -> Option<f64> {
    (value.is_nan() || value >= 0.0).then(|| value.sqrt())
}

/// Cal of the IDL: `value * value`.
pub fn cal(value: f64) -> f64 {
    value * value
}

/// The handler for the code that Apache's compiler generates.
pub struct Handler;

impl CalculateSyncHandler for Handler {
    fn handle_square(&self, number: Number) -> thrift::Result<Number> {
        match square(number.value.into_inner()) {
            Some(root) => Ok(Number::new(root.into())),
            None => Err(DomainError::new(NEGATIVE.to_owned(), number.value).into()),
        }
    }

    fn handle_cal(&self, number: Number) -> thrift::Result<Number> {
        Ok(Number::new(cal(number.value.into_inner()).into()))
    }
}

/// The value of `--NAME VALUE` or `--NAME=VALUE` on the command line. Ends the process with status 2 on a
/// value that does not parse.
pub fn option<T: std::str::FromStr>(name: &str) -> Option<T> {
    let mut arguments = std::env::args().skip(1);
    let text = loop {
        let argument = arguments.next()?;
        match argument.strip_prefix(name) {
            Some("") => break arguments.next().unwrap_or_default(),
            Some(rest) if rest.starts_with('=') => break rest[1..].to_owned(),
            _ => {}
        }
    };
    match text.parse() {
        Ok(value) => Some(value),
        Err(_) => {
            eprintln!("{name}: cannot use {text:?}");
            process::exit(2);
        }
    }
}

/// The address of `--listen`; port 0 on the loopback without it.
pub fn listen_address() -> SocketAddr {
    option("--listen").unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}

/// Binds [`listen_address`], non-blocking, and announces it.
pub fn bind() -> io::Result<TcpListener> {
    let listener = TcpListener::bind(listen_address())?;
    listener.set_nonblocking(true)?;
    announce(listener.local_addr()?)?;
    Ok(listener)
}

/// Prints the first line of standard output, for which whoever started this process waits.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {address}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_is_the_root_and_has_the_domain_of_the_idl() {
        assert_eq!(square(9.0), Some(3.0));
        assert_eq!(square(f64::INFINITY), Some(f64::INFINITY));
        assert!(square(f64::NAN).is_some_and(f64::is_nan));
        assert!(square(-0.0).is_some_and(f64::is_sign_negative));
        assert_eq!(square(-1.0), None);
        assert_eq!(square(f64::NEG_INFINITY), None);
    }
}
