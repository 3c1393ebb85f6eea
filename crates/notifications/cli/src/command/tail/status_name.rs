use internal_notifications_pusher::contract::Status;

/// Returns the name of a status in the output.
pub(super) fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Idle => "idle",
        Status::Starting => "starting",
        Status::Connecting => "connecting",
        Status::Live => "live",
        Status::CatchingUp => "catching_up",
        Status::Offline(_) => "offline",
        Status::Polling(_) => "polling",
        Status::Paused => "paused",
        Status::Failed(_) => "failed",
        _ => "other",
    }
}
