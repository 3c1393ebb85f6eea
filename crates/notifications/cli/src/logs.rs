use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::env::Env;
use crate::error::Error;

/// What a server logs by default.
pub(crate) const OF_A_SERVER: &str = "warn,internal_notifications=info,pusher=info";

/// Logs to stderr: what `RUST_LOG` says, else `default`.
pub(crate) fn start(env: &Env, default: &str) -> Result<(), Error> {
    let filter = env.get("RUST_LOG").unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Error::usage(format!("RUST_LOG: {error}; it may be a level like info, or target=level"))
    })?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a second start can fail, and there is none.
    let _ = logs.with_ansi(std::io::stderr().is_terminal()).try_init();
    Ok(())
}
