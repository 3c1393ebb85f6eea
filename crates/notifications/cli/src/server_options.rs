use std::path::PathBuf;

use clap::Args;

use crate::client::{CA_FILE, URL};
use crate::env::Env;
use crate::error::Error;

/// Where the inbox server is, and whom to trust: options of all commands that call it.
#[derive(Args)]
pub(crate) struct ServerOptions {
    /// The server's URL, like http://127.0.0.1:8080; overrides INTERNAL_NOTIFICATIONS_URL
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A PEM file with certificate authorities to trust besides the system's; overrides
    /// INTERNAL_NOTIFICATIONS_CA_FILE
    #[arg(long, value_name = "PATH")]
    ca_file: Option<PathBuf>,
}

impl ServerOptions {
    /// Returns the environment with these options in place of its variables.
    pub(crate) fn env(&self, env: &Env) -> Result<Env, Error> {
        let mut env = env.clone();
        env.set(URL, self.url.as_deref());
        if let Some(path) = &self.ca_file {
            let path = path.to_str().ok_or_else(|| Error::usage("--ca-file: the path is not UTF-8"))?;
            env.set(CA_FILE, Some(path));
        }
        Ok(env)
    }
}
