//! Where instances announce themselves and operators speak to them: ZooKeeper, in the layout of Curator's x-discovery.
//!
//! | node | kind | content |
//! |---|---|---|
//! | `BASE/SERVICE/ID` | ephemeral | an [`Instance`] as it is to be called |
//! | `BASE/.operator/SERVICE/ID` | persistent | what an operator [ordered](operator); the instance obeys by rewriting its own node |
//! | `BASE/.idl/SERVICE/VERSION` | persistent | the newest IDL that was registered; one child for each ever registered |
//!
//! [`announce`] keeps an instance's own node there, session after session ([`zookeeper`]); [`listing`] reads them all.

pub mod announce;
mod complaints;
mod encryption;
pub mod idl;
pub mod instance;
pub mod listing;
pub mod location;
pub mod operator;
mod own_node;
pub mod zookeeper;

pub use announce::Announcement;
pub use instance::Instance;
pub use listing::Listing;
pub use location::Location;
pub use operator::Order;
pub use zookeeper::{Change, Session};
