mod variables;

use std::net::SocketAddr;

use clap::Args;
use internal_notifications_server::{Config, ErrorKind, Server};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::logs;
use crate::output::{Output, complain};
use crate::shell::shell_word;
use crate::stop::Stop;

const DATABASE_URL: &str = "INTERNAL_NOTIFICATIONS_DATABASE_URL";

/// Run the inbox server until Ctrl-C or SIGTERM
///
/// With nothing set it listens on 127.0.0.1:8080, keeps its inboxes in ./internal-notifications.db and holds the Channels broker itself.
/// Logs go to stderr; RUST_LOG sets how much.
#[derive(Args)]
#[command(after_long_help = variables::help())]
pub(crate) struct Serve {
    /// Where to listen, before INTERNAL_NOTIFICATIONS_LISTEN; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where the inboxes are kept, before INTERNAL_NOTIFICATIONS_DATABASE_URL, which is the better place for a password: sqlite://PATH, or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Say where it listens as JSON
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(crate) async fn run(self, mut env: Env, output: &mut Output) -> Result<(), Error> {
        logs::start(&env, logs::OF_A_SERVER)?;
        env.set("INTERNAL_NOTIFICATIONS_LISTEN", self.listen.map(|address| address.to_string()).as_deref());
        env.set(DATABASE_URL, self.database.as_deref());
        let config = Config::from_env(|name| env.get(name)).map_err(Error::usage)?;
        let mut stop = Stop::listen()?;
        let server = Server::start(config).await.map_err(told)?;
        let database = env.get(DATABASE_URL);
        match self.tell(&server, database.as_deref(), output) {
            // A server serves, whoever reads what it prints.
            Err(Error::Closed) => {}
            told => told?,
        }
        stop.asked().await;
        let unfinished = "ended before everything was finished; what was acknowledged is stored";
        stop.unless_asked_again(server.shutdown(), unfinished).await
    }

    fn tell(&self, server: &Server, database: Option<&str>, output: &mut Output) -> Result<(), Error> {
        let hint = server.has_generated_secret().then(|| token_hint(database));
        if self.json {
            hint.iter().for_each(|hint| complain(hint));
            return output.json(&json!({"type": "listening", "url": server.url()}));
        }
        output.line(&format!("listening on {}", server.url()))?;
        hint.map_or(Ok(()), |hint| output.line(&hint))
    }
}

fn told(error: internal_notifications_server::Error) -> Error {
    match error.kind() {
        ErrorKind::Configuration => Error::usage(error),
        _ => Error::failed(error),
    }
}

/// The command works in a shell that has nothing of this process's environment, unless that would show a password.
fn token_hint(database: Option<&str>) -> String {
    let tokens = "no secret is set: app users' tokens are made by `internal-notifications token --user ada";
    match database.map(str::trim) {
        None => format!("{tokens}`"),
        Some(url) if url.starts_with("sqlite:") => format!("{tokens} --database {}`", shell_word(url)),
        // It may hold a password.
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
