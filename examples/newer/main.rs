//! A server of the IDL that `calculate.thrift` may become (tests/chaos/newer/newer.thrift). It hosts two versions at once:
//! Calculate, which old clients call, and Calculate.v2. `make chaos` runs it among servers of the old one.
//!
//! `cargo run --example newer -- HOST:PORT zk://HOST:PORT/services INSTANCE_ID`

use calculate::config::{Config, Registration};
use calculate::registry::Announcement;
use calculate::server::{Server, Shutdown};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use thrift::OrderedFloat;

/// What the Thrift compiler wrote.
#[rustfmt::skip]
mod idl {
    #[allow(clippy::all, clippy::unwrap_used, dead_code, unreachable_pub)]
    pub mod newer;
}
use idl::newer::{CalculateSyncHandler, CalculateSyncProcessor, DomainError, Number};

/// Says which version computed.
struct Calculator(&'static str);

impl Calculator {
    fn answer(&self, value: f64) -> thrift::Result<Number> {
        Ok(Number::new(OrderedFloat(value), self.0.to_owned()))
    }
}

impl CalculateSyncHandler for Calculator {
    fn handle_square(&self, number: Number) -> thrift::Result<Number> {
        match number.value.into_inner() {
            value if value < 0.0 => Err(DomainError::new("a negative number".into(), number.value).into()),
            value => self.answer(value.sqrt()),
        }
    }

    fn handle_cal(&self, number: Number) -> thrift::Result<Number> {
        self.answer(number.value.into_inner().powi(2))
    }

    fn handle_cube(&self, number: Number) -> thrift::Result<Number> {
        self.answer(number.value.into_inner().cbrt())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const LAME_DUCK: Duration = Duration::from_millis(500);
    let [listen, registry, instance_id]: [String; 3] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "HOST:PORT REGISTRY INSTANCE_ID")?;
    let settings = Registration {
        registry,
        instance_id: Some(instance_id),
        versions: vec![1, 2],
        session_timeout: Duration::from_secs(2),
        ..Registration::default()
    };
    let place: Arc<OnceLock<Announcement>> = Arc::default();
    let leaving = place.clone();
    let shutdown = Shutdown::on_signals_after(move || {
        if leaving.get().is_some_and(|announcement| announcement.end().is_ok_and(|was_there| was_there)) {
            std::thread::sleep(LAME_DUCK);
        }
    })?;
    let server = Server::bind(Config { listen: vec![listen], workers: 1, ..Config::default() })?
        .service("Calculate", CalculateSyncProcessor::new(Calculator("version 1")))
        .service("Calculate.v2", CalculateSyncProcessor::new(Calculator("version 2")));
    let refused = shutdown.clone();
    let listening = (server.local_addr(), server.tls_mode());
    let announcement = Announcement::new(&settings, "calculate", IDL, listening, move || refused.begin())?;
    server.local_addrs().for_each(|address| println!("listening on {address}"));
    server.serve_and(shutdown, || place.get_or_init(|| announcement).begin())?;
    Ok(())
}

const IDL: &str = include_str!("../../tests/chaos/newer/newer.thrift");
