//! What a header transport carries beside a message: keys and values.

use super::{MAX_HEADER_BYTES, MAX_HEADERS, Malformed};
use std::fmt;
use std::ops::Range;

/// Headers of one envelope. There are two sorts: with names, and, in TTHeader, with numbers as keys. All are bytes; by
/// custom they are text.
///
/// Where a peer sends a key twice, the last one counts: Apache's, fbthrift's and CloudWeGo's libraries put headers into
/// maps, so a proxy that looks at them and we see the same.
#[derive(Clone, Default)]
pub struct Headers {
    /// Keys and values, one after the other: one allocation for all.
    bytes: Vec<u8>,
    named: Vec<Named>,
    numbered: Vec<Numbered>,
}

#[derive(Clone, Debug)]
struct Named {
    name: Range<usize>,
    value: Range<usize>,
}

#[derive(Clone, Debug)]
struct Numbered {
    key: u16,
    value: Range<usize>,
}

impl Headers {
    /// No headers.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// The value of the header called `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.named.iter().rfind(|header| &self.bytes[header.name.clone()] == name.as_bytes())?;
        Some(&self.bytes[found.value.clone()])
    }

    /// The value of the header with the number `key`: see [`key`] for the known ones. THeader has none of these.
    pub fn int(&self, key: u16) -> Option<&[u8]> {
        let found = self.numbered.iter().rfind(|header| header.key == key)?;
        Some(&self.bytes[found.value.clone()])
    }

    /// Names and values, in the order in which they were sent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.named.iter().map(|header| (&self.bytes[header.name.clone()], &self.bytes[header.value.clone()]))
    }

    /// Numbers and values, in the order in which they were sent.
    pub fn ints(&self) -> impl ExactSizeIterator<Item = (u16, &[u8])> {
        self.numbered.iter().map(|header| (header.key, &self.bytes[header.value.clone()]))
    }

    /// How many there are, of both sorts together.
    pub fn len(&self) -> usize {
        self.named.len() + self.numbered.len()
    }

    /// How many bytes their names and values are.
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a header to be sent; one of the same name is replaced.
    ///
    /// # Errors
    /// It is one more than [`MAX_HEADERS`], or with it they take more than [`MAX_HEADER_BYTES`]. Nothing is changed.
    pub fn insert(&mut self, name: &str, value: &[u8]) -> Result<(), Malformed> {
        self.check_room(name.len() + value.len())?;
        self.named.retain(|header| &self.bytes[header.name.clone()] != name.as_bytes());
        self.push(name.as_bytes(), value)
    }

    /// Adds a header to be sent in TTHeader; one with the same number is replaced. THeader does not send it.
    ///
    /// # Errors
    /// As [`Headers::insert`].
    pub fn insert_int(&mut self, key: u16, value: &[u8]) -> Result<(), Malformed> {
        self.check_room(value.len())?;
        self.numbered.retain(|header| header.key != key);
        self.push_int(key, value)
    }

    /// Adds a header that was read; the caller has seen to its length.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        self.check_count()?;
        let (name, value) = (self.append(name), self.append(value));
        self.named.push(Named { name, value });
        Ok(())
    }

    /// As [`Headers::push`], for one with a number.
    pub(super) fn push_int(&mut self, key: u16, value: &[u8]) -> Result<(), Malformed> {
        self.check_count()?;
        let value = self.append(value);
        self.numbered.push(Numbered { key, value });
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn check_count(&self) -> Result<(), Malformed> {
        if self.len() >= MAX_HEADERS {
            return Err(format!("more than {MAX_HEADERS} headers").into());
        }
        Ok(())
    }

    fn check_room(&self, more: usize) -> Result<(), Malformed> {
        // What was replaced counts as well: its bytes are still there.
        let taken = self.bytes.len() + (self.len() + 1) * HEADER_OVERHEAD + ENVELOPE_OVERHEAD;
        if taken.saturating_add(more) > MAX_HEADER_BYTES {
            return Err(format!("headers of more than {MAX_HEADER_BYTES} bytes").into());
        }
        Ok(())
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.iter().eq(other.iter()) && self.ints().eq(other.ints())
    }
}

impl Eq for Headers {}

/// Names and numbers only: values may be secret.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|(name, _)| super::printable(name));
        let keys = self.ints().map(|(key, _)| key.to_string());
        f.debug_list().entries(names.chain(keys)).finish()
    }
}

/// The most that the lengths of one header take: two varints of three bytes.
const HEADER_OVERHEAD: usize = 6;

/// More than all that stands beside the headers takes: protocol, transforms, kinds and counts of the sections, padding.
const ENVELOPE_OVERHEAD: usize = 32;

/// The numbered headers of TTHeader, as Kitex counts them (`pkg/remote/transmeta/metakey.go`); Volo knows some of them.
pub mod key {
    /// How the message inside is framed: "framed" or "unframed".
    pub const TRANSPORT_TYPE: u16 = 1;
    /// The id under which all services log one request.
    pub const LOG_ID: u16 = 2;
    /// The caller's service.
    pub const FROM_SERVICE: u16 = 3;
    /// The caller's cluster.
    pub const FROM_CLUSTER: u16 = 4;
    /// The caller's data centre.
    pub const FROM_IDC: u16 = 5;
    /// The service that is called, as a registry knows it.
    pub const TO_SERVICE: u16 = 6;
    /// The cluster that is called.
    pub const TO_CLUSTER: u16 = 7;
    /// The data centre that is called.
    pub const TO_IDC: u16 = 8;
    /// The method that is called.
    pub const TO_METHOD: u16 = 9;
    /// The environment: for example a test lane.
    pub const ENV: u16 = 10;
    /// The address that is called.
    pub const DESTINATION_ADDRESS: u16 = 11;
    /// How long the caller waits for the reply: decimal, in milliseconds.
    pub const RPC_TIMEOUT: u16 = 12;
    /// How long the caller waits for a connection: decimal, in milliseconds.
    pub const CONNECT_TIMEOUT: u16 = 17;
    /// The caller's method.
    pub const FROM_METHOD: u16 = 20;
    /// Marks a request of a load test.
    pub const STRESS_TAG: u16 = 21;
    /// The kind of the message inside, decimal: 1 call, 2 reply, 3 exception, 4 oneway. (Volo replies with one byte of
    /// that value instead.)
    pub const MESSAGE_TYPE: u16 = 22;
}

/// The named headers that mean something to a transport.
pub mod name {
    /// TTHeader: the service of the IDL that is called, where a server has several.
    pub const IDL_SERVICE: &str = "isn";
    /// TTHeader: the caller's address, where a proxy stands between.
    pub const REMOTE_ADDRESS: &str = "rip";
    /// TTHeader, in replies: not empty when the server will close the connection, so that no new call should be put
    /// on it.
    pub const CONNECTION_READY_TO_RESET: &str = "crrst";
    /// TTHeader, in replies: the number of a business error, decimal.
    pub const BUSINESS_STATUS: &str = "biz-status";
    /// TTHeader, in replies: the text of a business error.
    pub const BUSINESS_MESSAGE: &str = "biz-message";
    /// TTHeader: the token of its ACL section, which has no name on the wire. Kitex shows it under this one.
    pub const ACL_TOKEN: &str = "RPC_TRANSIT_gdpr-token";
    /// TTHeader: before the name of a header that holds for one hop.
    pub const TRANSIENT_PREFIX: &str = "RPC_TRANSIT_";
    /// TTHeader: before the name of a header that goes along with all further calls.
    pub const PERSISTENT_PREFIX: &str = "RPC_PERSIST_";
    /// TTHeader, in replies: before the name of a header that goes back to the caller.
    pub const BACKWARD_PREFIX: &str = "RPC_BACKWARD_";
    /// THeader, of fbthrift: how long the caller waits for the reply: decimal, in milliseconds.
    pub const CLIENT_TIMEOUT: &str = "client_timeout";
    /// THeader, of fbthrift: how long the call may wait in a queue: decimal, in milliseconds.
    pub const QUEUE_TIMEOUT: &str = "queue_timeout";
}
