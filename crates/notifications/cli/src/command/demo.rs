mod device;
mod scenario;
mod story;

use std::path::Path;
use std::time::Duration;

use clap::Args;
use internal_notifications::UserId;
use internal_notifications_server::{Config, Server};

use crate::env::Env;
use crate::error::Error;
use crate::logs;
use crate::output::Output;
use crate::shell::shell_word;
use crate::stop::Stop;
use story::Story;

/// See it at work: a server on a temporary database, two users, live delivery, catch-up after being offline, opened on two devices
///
/// Each step is checked as it happens; one that does not happen ends it with 1. Then it goes on serving until Ctrl-C.
#[derive(Args)]
pub(crate) struct Demo {
    /// Exit with 0 after the last step, instead of serving on
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        logs::start(env, "off")?;
        let mut stop = Stop::listen()?;
        let folder = tempfile::Builder::new().prefix("internal-notifications-demo-").tempdir();
        let folder =
            folder.map_err(|error| Error::failed(format!("cannot make a temporary folder: {error}")))?;
        let database = format!("sqlite://{}", folder.path().join("demo.db").display());
        let server = Server::start(config(&database)?).await.map_err(Error::failed)?;
        let mut story = Story::new(output);
        let mut ended = tokio::select! {
            ended = scenario::play(&server, &mut story) => ended,
            () = stop.asked() => Err(Error::failed("interrupted before the last step")),
        };
        if matches!(ended, Err(Error::Closed)) {
            ended = Err(Error::failed("its output was closed before the last step"));
        }
        if ended.is_ok() && !self.once {
            ended = match page(&server) {
                Ok(page) => story.how_to_go_on(&server.url(), &page, &program(), &shell_word(&database)),
                Err(error) => Err(error),
            };
            if ended.is_ok() {
                stop.asked().await;
            }
        }
        server.shutdown().await;
        folder
            .close()
            .map_err(|error| Error::failed(format!("cannot remove the temporary folder: {error}")))?;
        ended
    }
}

fn config(database: &str) -> Result<Config, Error> {
    let variable = |name: &str| match name {
        "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(database.to_owned()),
        _ => None,
    };
    Config::from_env(variable).map_err(Error::usage)
}

/// The page with both users. Their tokens stand in the fragment, which no browser sends.
fn page(server: &Server) -> Result<String, Error> {
    let user = |name: &str| {
        let id = UserId::new(name).map_err(Error::failed)?;
        Ok::<_, Error>(format!("user={name}:{}", token(server, &id)?))
    };
    Ok(format!("{}/#{}&{}", server.url(), user("ada")?, user("bob")?))
}

/// A token that may push, for as long as a demo lasts.
fn token(server: &Server, user: &UserId) -> Result<String, Error> {
    let token = server.token(user, Duration::from_secs(24 * 3600), true);
    token.ok_or_else(|| Error::failed("the server has no secret to make tokens with"))
}

/// This program, as a shell finds it.
fn program() -> String {
    let path = std::env::current_exe().ok();
    shell_word(path.as_deref().and_then(Path::to_str).unwrap_or("internal-notifications"))
}
