//! The PROXY protocol, version 2: what a load balancer puts before a connection's bytes to say whose they are.
//!
//! Specification: `doc/proxy-protocol.txt` of HAProxy, section 2.2.

use super::Malformed;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first byte of a header; no Thrift message that this port takes starts with it.
pub const FIRST_BYTE: u8 = SIGNATURE[0];

/// The fixed part of a header.
pub const PREFIX_BYTES: usize = 16;

/// The longest rest of a header that is taken: addresses, and what a proxy has to add.
pub const MOST_BYTES: usize = 4096;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed part of a header, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Whether the proxy speaks for somebody else, or for itself (a health check).
    on_behalf: bool,
    family: u8,
    /// How many bytes follow.
    pub rest_bytes: usize,
}

impl Prefix {
    /// Reads the fixed part.
    ///
    /// # Errors
    /// It is no such header, or one over the limit.
    pub fn read(bytes: &[u8; PREFIX_BYTES]) -> Result<Prefix, Malformed> {
        if bytes[..12] != SIGNATURE {
            return Err("not the PROXY protocol, version 2".into());
        }
        let on_behalf = match bytes[12] {
            0x20 => false,
            0x21 => true,
            _ => return Err("a PROXY header of another version or command than 2 LOCAL or PROXY".into()),
        };
        let rest_bytes = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        if rest_bytes > MOST_BYTES {
            return Err(format!("a PROXY header of {rest_bytes} bytes; at most {MOST_BYTES} are taken").into());
        }
        Ok(Prefix { on_behalf, family: bytes[13] >> 4, rest_bytes })
    }

    /// Reads the client's address from the rest. `None` where the proxy speaks for itself, or of another kind of
    /// address: then the connection's own is the one that counts.
    ///
    /// # Errors
    /// The rest is too short for its addresses.
    pub fn source(&self, rest: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
        const INET: u8 = 1;
        const INET6: u8 = 2;
        let short = || Malformed::from("a PROXY header that is too short for its addresses");
        match (self.on_behalf, self.family) {
            (true, INET) => {
                let addresses = rest.first_chunk::<12>().ok_or_else(short)?;
                let ip = Ipv4Addr::new(addresses[0], addresses[1], addresses[2], addresses[3]);
                Ok(Some((ip, u16::from_be_bytes([addresses[8], addresses[9]])).into()))
            }
            (true, INET6) => {
                let addresses = rest.first_chunk::<36>().ok_or_else(short)?;
                let ip: [u8; 16] = *addresses.first_chunk().ok_or_else(short)?;
                Ok(Some((Ipv6Addr::from(ip), u16::from_be_bytes([addresses[32], addresses[33]])).into()))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> ([u8; PREFIX_BYTES], Vec<u8>) {
        let mut prefix = [0; PREFIX_BYTES];
        prefix[..12].copy_from_slice(&SIGNATURE);
        prefix[12..14].copy_from_slice(&[command, family]);
        prefix[14..].copy_from_slice(&(rest.len() as u16).to_be_bytes());
        (prefix, rest.to_vec())
    }

    fn source(command: u8, family: u8, rest: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
        let (prefix, rest) = header(command, family, rest);
        Prefix::read(&prefix)?.source(&rest)
    }

    #[test]
    fn the_clients_address_is_read() {
        let four = source(0x21, 0x11, &[192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x34, 0x23, 0x82]).expect("a header");
        assert_eq!(four, Some("192.0.2.7:4660".parse().expect("an address")));
        let mut six = [0; 36];
        six[15] = 1;
        six[33] = 80;
        assert_eq!(source(0x21, 0x21, &six), Ok(Some("[::1]:80".parse().expect("an address"))));
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_or_of_a_unix_socket_gives_no_address() {
        assert_eq!(source(0x20, 0, &[]), Ok(None));
        assert_eq!(source(0x21, 0x31, &[0; 216]), Ok(None));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let wrong = [
            Prefix::read(b"PROXY TCP4 1.2.3").expect_err("version 1").to_string(),
            source(0x11, 0x11, &[0; 12]).expect_err("version 1 in binary").to_string(),
            source(0x22, 0x11, &[0; 12]).expect_err("an unknown command").to_string(),
            source(0x21, 0x11, &[0; 11]).expect_err("short").to_string(),
            source(0x21, 0x21, &[0; 35]).expect_err("short").to_string(),
            source(0x21, 0x11, &[0; MOST_BYTES + 1]).expect_err("long").to_string(),
        ];
        assert!(wrong.iter().all(|text| text.contains("PROXY")), "{wrong:?}");
    }
}
