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
    let raised =
        current < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok();
    Some(if raised { wanted } else { current })
}

/// Elsewhere a process has no such limit.
#[cfg(not(unix))]
fn raise(_: u64) -> Option<u64> {
    None
}
