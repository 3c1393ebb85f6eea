use black_box_support::Webhooks;

use crate::peers::Peer;
use crate::process::{Process, free_address};

/// The option with the largest data of an event, in bytes.
pub(crate) const EVENT_DATA: &str = "--event-data";
/// The option with the address that receives webhooks.
pub(crate) const WEBHOOKS: &str = "--webhooks";

/// Starts the broker with a receiver of its webhooks.
pub(super) fn broker_with_webhooks(webhooks: &Webhooks) -> Process {
    Peer::Broker.start_at(free_address(), &[format!("{WEBHOOKS}={}", webhooks.address)])
}
