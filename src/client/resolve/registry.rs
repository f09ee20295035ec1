//! A registry's list of instances.

use super::Update;
use crate::client::options::Options;
use crate::client::target::Registered;
use tokio::sync::mpsc::UnboundedSender;

pub(super) async fn run(registered: &Registered, options: &Options, updates: &UnboundedSender<Update>) {
    let _ = (registered, options, updates);
}
