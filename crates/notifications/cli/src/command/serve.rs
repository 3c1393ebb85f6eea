mod variables;

use std::net::SocketAddr;

use clap::Args;
use internal_notifications::with_causes;
use internal_notifications_server::{Config, ErrorKind, Server};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::logging;
use crate::open_files;
use crate::output::{Output, print_to_stderr};
use crate::shell_quote::shell_quote;
use crate::signals::Signals;

const DATABASE_URL: &str = "INTERNAL_NOTIFICATIONS_DATABASE_URL";

/// Run the inbox server until Ctrl-C or SIGTERM
///
/// By default it listens on 127.0.0.1:8080, stores the inboxes in ./internal-notifications.db and
/// runs an embedded Channels broker. Logs go to stderr; RUST_LOG sets the level.
#[derive(Args)]
#[command(after_long_help = variables::help())]
pub(crate) struct Serve {
    /// The address to listen on; overrides INTERNAL_NOTIFICATIONS_LISTEN; port 0 chooses a free
    /// port
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The database: sqlite://PATH or postgres://USER@HOST/DATABASE; overrides
    /// INTERNAL_NOTIFICATIONS_DATABASE_URL, which is safer for a URL with a password
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Print the address as JSON
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(crate) async fn run(self, mut env: Env, output: &mut Output) -> Result<(), Error> {
        logging::start(&env, logging::SERVER_FILTER)?;
        env.set("INTERNAL_NOTIFICATIONS_LISTEN", self.listen.map(|address| address.to_string()).as_deref());
        env.set(DATABASE_URL, self.database.as_deref());
        let config =
            Config::from_env(|name| env.get(name)).map_err(|error| Error::usage(with_causes(&error)))?;
        open_files::raise_limit(&config.limits);
        let mut signals = Signals::listen()?;
        let server = tokio::select! {
            started = Server::start(config) => started.map_err(|error| command_error(&error))?,
            () = signals.next() => return Ok(()),
        };
        let database = env.get(DATABASE_URL);
        match self.print_address(&server, database.as_deref(), output) {
            // It serves even if nobody reads its output.
            Err(Error::OutputClosed) => {}
            printed => printed?,
        }
        let failed = tokio::select! {
            () = signals.next() => None,
            error = server.failed() => Some(error),
        };
        let unfinished = "stopped before all requests were finished; everything acknowledged is stored";
        signals.finish(server.shutdown(), unfinished).await?;
        failed.map_or(Ok(()), |error| Err(command_error(&error)))
    }

    fn print_address(
        &self,
        server: &Server,
        database: Option<&str>,
        output: &mut Output,
    ) -> Result<(), Error> {
        let hint = server.has_generated_secret().then(|| token_hint(database));
        if self.json {
            hint.iter().for_each(|hint| print_to_stderr(hint));
            return output.json(&json!({"type": "listening", "url": server.url()}));
        }
        output.line(&format!("listening on {}", server.url()))?;
        hint.map_or(Ok(()), |hint| output.line(&hint))
    }
}

fn command_error(error: &internal_notifications_server::Error) -> Error {
    match error.kind() {
        ErrorKind::Configuration => Error::usage(with_causes(error)),
        _ => Error::failed(with_causes(error)),
    }
}

/// Returns a hint with the command that issues tokens.
///
/// The command names the database, so that it works in any shell, unless the URL may contain a
/// password.
fn token_hint(database: Option<&str>) -> String {
    let tokens = "no JWT secret is set, so the server generated one; issue tokens with `internal-notifications token --user ada";
    match database.map(str::trim) {
        None => format!("{tokens}`"),
        Some(url) if url.starts_with("sqlite:") => format!("{tokens} --database {}`", shell_quote(url)),
        Some(_) => format!("{tokens}`, with the same {DATABASE_URL}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_database() {
        assert!(token_hint(Some("sqlite://a.db")).ends_with("--user ada --database sqlite://a.db`"));
    }

    #[test]
    fn the_hint_shows_no_password() {
        for url in ["postgres://ada:hunter2@db/inbox", " postgresql://ada:hunter2@db/inbox"] {
            let hint = token_hint(Some(url));
            assert!(hint.contains(DATABASE_URL) && !hint.contains("hunter2"), "{hint}");
        }
    }
}
