//! `calculate offline`, `online` and `weight`.

use super::registry::{block_on, service};
use super::say;
use super::zookeeper::ZooKeeperArgs;
use crate::error::Error;
use crate::registry::{Location, Order, operator};
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;

/// Take an instance out of service: clients call the others, until it is told otherwise or starts anew
///
/// The instance goes on serving whoever calls it. Returns when the instance has obeyed.
#[derive(Debug, Args)]
pub(super) struct Offline {
    #[command(flatten)]
    whom: Whom,
}

/// Put an instance back into service
#[derive(Debug, Args)]
pub(super) struct Online {
    #[command(flatten)]
    whom: Whom,
}

/// Set an instance's share of the calls, until it is told otherwise or starts anew
#[derive(Debug, Args)]
pub(super) struct Weight {
    #[command(flatten)]
    whom: Whom,
    /// 0 to 10000; an instance that nobody spoke of has 100, and at 0 it is not called
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    weight: u32,
}

#[derive(Debug, Args)]
struct Whom {
    /// The instance, as `calculate instances` calls it
    #[arg(value_name = "ID")]
    id: String,
    /// The service: zk://HOST:PORT[,HOST:PORT...]/services/calculate
    #[arg(long, value_name = "REGISTRY", env = "CALCULATE_REGISTRY", value_parser = service)]
    registry: Location,
    /// Let it hold after the instance's restart, too
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    zookeeper: ZooKeeperArgs,
}

impl Offline {
    pub(super) fn run(self) -> ExitCode {
        block_on(self.whom.order(Order::Offline))
    }
}

impl Online {
    pub(super) fn run(self) -> ExitCode {
        block_on(self.whom.order(Order::Online))
    }
}

impl Weight {
    pub(super) fn run(self) -> ExitCode {
        block_on(self.whom.order(Order::Weight(self.weight)))
    }
}

impl Whom {
    async fn order(self, order: Order) -> Result<(), Error> {
        let Whom { id, registry, keep, zookeeper } = self;
        let session = zookeeper.open(&registry).await?;
        operator::order(&session, &registry, &id, order, keep).await?;
        let obeyed = operator::obeyed(&session, &registry, &id, order, LONGEST).await;
        session.close().await;
        if !obeyed? {
            let seconds = LONGEST.as_secs();
            return Err(Error::registry(format!(
                "{id} has not obeyed within {seconds} s; it will when it hears of it"
            )));
        }
        say(match order {
            Order::Offline => format!("{id} is offline"),
            Order::Online => format!("{id} is online"),
            Order::Weight(weight) => format!("{id} has weight {weight}"),
        });
        Ok(())
    }
}

/// How long an instance may take to obey.
const LONGEST: Duration = Duration::from_secs(5);
