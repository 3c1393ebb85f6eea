use std::process::ExitCode;

use internal_notifications_server::config::{JwtKey, RealtimeConfig};
use internal_notifications_server::{Config, Server};

use crate::{TOKEN_SECRET, process};

/// Runs the server as the command does, with the embedded broker and a database in the current
/// folder.
pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = Config::from_env(|name| match name {
            "INTERNAL_NOTIFICATIONS_LISTEN" => Some(process::address().to_string()),
            "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some("sqlite://inbox.db".to_owned()),
            _ => None,
        })
        .unwrap();
        config.auth.jwt = Some(JwtKey::secret(TOKEN_SECRET).unwrap());
        let RealtimeConfig::Embedded(embedded) = &mut config.realtime else {
            panic!("embedded is the default")
        };
        embedded.app_key = Some("app-key".to_owned());
        embedded.app_secret = Some("app-secret".to_owned());
        let _server = Server::start(config).await.unwrap();
        std::future::pending::<()>().await;
    });
    ExitCode::SUCCESS
}
