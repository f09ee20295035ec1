//! calculate: a Thrift service for production, generic over the processor that the Thrift compiler generates.
//!
//! The modules, in the order in which a request meets them:
//!
//! 1. [`client`] makes calls: connections that are shared and pipelined, deadlines, errors by kind;
//! 2. [`wire`] turns bytes into messages and back;
//! 3. [`server`] accepts, reads, dispatches, replies, drains;
//! 4. [`service`] holds the handlers: the business code;
//! 5. [`idl`] is what `make gen` wrote.
//!
//! [`registry`] is where instances announce themselves; nobody meets it on the way of a request.
//!
//! [`tls`] is that of whoever connects, which clients and the registry share; the server has its own.
//!
//! [`config`] holds every setting and limit with its default, [`error`] the server's one error.
//!
//! Three promises: `server` does not know ZooKeeper; `wire` does no I/O and reads no clock; nothing but `service`,
//! `client::calculate`, the program's `cli` and the tests names a type of the IDL.

#![forbid(unsafe_code)]

// Generated code names this library the same, here and elsewhere.
extern crate self as calculate;

pub mod cli;
pub mod client;
pub mod config;
pub mod error;
mod one_line;
mod pem;
pub mod registry;
pub mod server;
pub mod service;
mod socket;
pub mod tls;
pub mod wire;

/// What `make gen` wrote from `idl/calculate.thrift`; never edited.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
#[rustfmt::skip]
pub mod idl {
    pub mod calculate;
}
