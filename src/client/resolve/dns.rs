//! All addresses of a name, looked up again and again.

use super::Update;
use crate::client::balance::instance::Instance;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

pub(super) async fn run(host: &str, port: u16, updates: &UnboundedSender<Update>) {
    let mut reached = false;
    loop {
        let looked_up = match timeout(PATIENCE, lookup_host((host, port))).await {
            Ok(Ok(addresses)) => Ok(addresses.collect::<BTreeSet<_>>()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        let (said, pause) = match looked_up {
            Ok(addresses) => {
                let instance = |address: &std::net::SocketAddr| {
                    Instance::at(address.to_string(), address.ip().to_string(), Some(address.port()))
                };
                let read = Update::Read(addresses.iter().map(instance).collect());
                let connected = (!std::mem::replace(&mut reached, true)).then_some(Update::Connected);
                (connected.into_iter().chain([read]).collect::<Vec<_>>(), INTERVAL)
            }
            Err(why) => {
                let complaint = Update::Complaint(format!("{host} cannot be looked up: {why}"));
                let lost = std::mem::take(&mut reached).then_some(Update::Lost);
                (lost.into_iter().chain([complaint]).collect(), AFTER_FAILURE)
            }
        };
        for update in said {
            if updates.send(update).is_err() {
                return;
            }
        }
        sleep(pause).await;
    }
}

const INTERVAL: Duration = Duration::from_secs(10);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);
