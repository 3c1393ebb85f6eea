mod device;
mod scenario;
mod transcript;

use std::path::Path;
use std::time::Duration;

use clap::Args;
use internal_notifications::UserId;
use internal_notifications::with_causes;
use internal_notifications_server::{Config, Server};

use crate::env::Env;
use crate::error::Error;
use crate::logging;
use crate::output::Output;
use crate::shell_quote::shell_quote;
use crate::signals::Signals;
use transcript::Transcript;

/// Run a demo: two users, live delivery, catching up after being offline, one inbox on two devices
///
/// It runs a server on a temporary database and checks each step; a step that fails ends it with
/// exit code 1. Afterwards it keeps serving until Ctrl-C.
#[derive(Args)]
pub(crate) struct Demo {
    /// Exit with 0 after the last step instead of serving
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        logging::start(env, "off")?;
        let mut signals = Signals::listen()?;
        let folder = tempfile::Builder::new().prefix("internal-notifications-demo-").tempdir();
        let folder =
            folder.map_err(|error| Error::failed(format!("cannot create a temporary folder: {error}")))?;
        let database = format!("sqlite://{}", folder.path().join("demo.db").display());
        let server =
            Server::start(config(&database)?).await.map_err(|error| Error::failed(with_causes(&error)))?;
        let mut transcript = Transcript::new(output);
        let mut result = tokio::select! {
            result = scenario::run(&server, &mut transcript) => result,
            () = signals.next() => Err(Error::failed("interrupted before the last step")),
        };
        if matches!(result, Err(Error::OutputClosed)) {
            result = Err(Error::failed("the output was closed before the last step"));
        }
        if result.is_ok() && !self.once {
            result = match page(&server) {
                Ok(page) => transcript.next_steps(&server.url(), &page, &program(), &shell_quote(&database)),
                Err(error) => Err(error),
            };
            if result.is_ok() {
                signals.next().await;
            }
        }
        server.shutdown().await;
        folder
            .close()
            .map_err(|error| Error::failed(format!("cannot remove the temporary folder: {error}")))?;
        result
    }
}

fn config(database: &str) -> Result<Config, Error> {
    let variable = |name: &str| match name {
        "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(database.to_owned()),
        _ => None,
    };
    Config::from_env(variable).map_err(|error| Error::usage(with_causes(&error)))
}

/// Returns the URL of the page with both users. Browsers do not send the fragment, which has the
/// tokens.
fn page(server: &Server) -> Result<String, Error> {
    let user = |name: &str| {
        let id = UserId::new(name).map_err(Error::failed)?;
        Ok::<_, Error>(format!("user={name}:{}", token(server, &id)?))
    };
    Ok(format!("{}/#{}&{}", server.url(), user("ada")?, user("bob")?))
}

/// Issues a token that may push, valid longer than any demo.
fn token(server: &Server, user: &UserId) -> Result<String, Error> {
    let token = server.token(user, Duration::from_secs(24 * 3600), true);
    token.ok_or_else(|| Error::failed("the server has no secret to sign tokens with"))
}

/// Returns the path of this program, quoted for a shell.
fn program() -> String {
    let path = std::env::current_exe().ok();
    shell_quote(path.as_deref().and_then(Path::to_str).unwrap_or("internal-notifications"))
}
