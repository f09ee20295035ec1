//! Many instances behind one client: which of them gets a call, when one is left alone, when a call is made again.
//!
//! Nothing here waits or reads a clock: time (milliseconds on a clock that only goes forward) and random numbers are
//! given to it. So it is pinned by the vectors in `idl/vectors/`, which the Python and the Java client read, too:
//! [`instance`] says what is known of one, [`list`] which are in force, [`members`] what a client knows of each, [`pick`]
//! chooses one ([`hash`] by a key), [`latency`] is how slow one is, [`health`] which are left alone, [`retry`] whether a
//! call is made again.

pub mod hash;
pub mod health;
pub mod instance;
pub mod latency;
pub mod list;
pub mod members;
pub mod pick;
pub mod random;
pub mod retry;

pub use instance::{Instance, VersionRange};
pub use pick::Balance;
