use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::env::Env;
use crate::error::Error;

/// The default filter of commands that run a server.
pub(crate) const SERVER_FILTER: &str = "warn,internal_notifications=info,pusher=info";

/// Starts logging to stderr, filtered by `RUST_LOG` or else by `default`.
pub(crate) fn start(env: &Env, default: &str) -> Result<(), Error> {
    let filter = env.get("RUST_LOG").unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Error::usage(format!("RUST_LOG: {error}; it must be a level like info, or target=level"))
    })?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only if logging has already started, and it starts once.
    let _ = logs.with_ansi(std::io::stderr().is_terminal()).try_init();
    Ok(())
}
