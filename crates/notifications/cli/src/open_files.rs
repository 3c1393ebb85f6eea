use internal_notifications_server::Limits;

/// File descriptors for everything but clients: the database, the engine, webhooks, and clients
/// that are only turned away.
const OTHER_FILES: usize = 320;

/// Raises the process's soft limit of open files to what the limits of connections need, as far as
/// the hard limit allows it. Logs a warning if one kind of connection alone could exceed it.
pub(crate) fn raise_limit(limits: &Limits) {
    let (requests, sockets) = (limits.connections, limits.broker.connections);
    let files =
        |connections: usize| u64::try_from(connections.saturating_add(OTHER_FILES)).unwrap_or(u64::MAX);
    let needed = files(requests.max(sockets));
    if let Some(allowed) = raise(files(requests.saturating_add(sockets))).filter(|allowed| *allowed < needed)
    {
        tracing::warn!(
            open_files.needed = needed,
            open_files.allowed = allowed,
            "the limit of open files is too low for the limits of connections, so clients may find no place; \
             raise the hard limit (ulimit -Hn, LimitNOFILE= in systemd, --ulimit nofile= in Docker)"
        );
    }
}

/// Raises the soft limit to `wanted`, or to the hard limit if that is lower. Returns the limit that
/// applies, if there is one.
#[cfg(unix)]
fn raise(wanted: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // `None` stands for no limit.
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let wanted = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    Some(raise_from(current, wanted, |files| {
        setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).is_ok()
    }))
}

/// `OPEN_MAX` of macOS, which refuses more than its kernel allows even without a hard limit.
#[cfg(unix)]
const OPEN_MAX: u64 = 10_240;

#[cfg(unix)]
fn raise_from(current: u64, wanted: u64, set: impl Fn(u64) -> bool) -> u64 {
    let mut limits = [wanted, wanted.min(OPEN_MAX)].into_iter();
    limits.find(|files| current < *files && set(*files)).unwrap_or(current)
}

/// Elsewhere a process has no such limit.
#[cfg(not(unix))]
fn raise(_: u64) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn where_the_system_refuses_more_it_is_asked_for_less() {
        assert_eq!(raise_from(256, 20_320, |_| true), 20_320);
        assert_eq!(raise_from(256, 20_320, |files| files <= OPEN_MAX), OPEN_MAX);
        assert_eq!(raise_from(256, 20_320, |_| false), 256);
        assert_eq!(raise_from(12_000, 20_320, |files| files <= OPEN_MAX), 12_000);
        assert_eq!(raise_from(30_000, 20_320, |_| panic!("it is high enough")), 30_000);
    }
}
