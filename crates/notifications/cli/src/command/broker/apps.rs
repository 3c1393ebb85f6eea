use std::path::{Path, PathBuf};

use internal_notifications::with_causes;
use internal_notifications_server::config::{EmbeddedConfig, RealtimeConfig, set_broker_limits};
use internal_notifications_server::{Config, Limits};
use pusher_broker::{Apps, Broker as Channels, Builder, TrustedProxy};
use pusher_client::Roots;
use pusher_signer::Signer;

use super::{Broker, apps_file, webhooks};
use crate::env::Env;
use crate::error::Error;

/// The variables of a single app, each with a description.
const CREDENTIALS: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "the app's id"),
    ("PUSHER_APP_KEY", "the app's key"),
    ("PUSHER_APP_SECRET", "the app's secret"),
];

const APPS: &str = "INTERNAL_NOTIFICATIONS_BROKER_APPS";
const WEBHOOKS: &str = "INTERNAL_NOTIFICATIONS_WEBHOOKS";
const ORIGINS: &str = "INTERNAL_NOTIFICATIONS_BROKER_ORIGINS";
const LIMITS: &str = "INTERNAL_NOTIFICATIONS_BROKER_LIMITS";
const PROXIES: &str = "INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES";
const CA_FILE: &str = "INTERNAL_NOTIFICATIONS_CA_FILE";

/// The settings that are read as a server reads them.
struct Settings {
    broker: EmbeddedConfig,
    roots: Roots,
    limits: Limits,
}

impl Broker {
    /// Creates the broker of each app. Returns the limits, too.
    pub(super) fn apps(&self, env: &Env) -> Result<(Apps, Limits), Error> {
        let variable = env.get(APPS).filter(|file| !file.is_empty());
        match self.apps.clone().or(variable.map(PathBuf::from)) {
            Some(file) => self.apps_of_file(&file, env),
            None => self.single_app(env),
        }
    }

    fn apps_of_file(&self, file: &Path, env: &Env) -> Result<(Apps, Limits), Error> {
        let options_of_an_app = self.client_events
            || self.subscription_counts
            || !self.webhook.is_empty()
            || !self.allowed_origin.is_empty();
        if options_of_an_app {
            return Err(Error::usage(format!("{APPS} is set, so options for an app belong in its file")));
        }
        let is_set = |name: &&str| env.get(name).is_some_and(|value| !value.trim().is_empty());
        if let Some(name) = [WEBHOOKS, ORIGINS].into_iter().find(is_set) {
            return Err(Error::usage(format!(
                "{name} is set, but with several apps it belongs in their file"
            )));
        }
        let Settings { broker, roots, limits } = self.settings(env, &[LIMITS, PROXIES, CA_FILE])?;
        let apps = apps_file::read(file, &limits.broker, &roots)?;
        let apps = apps.into_iter().map(|app| self.trust(app, &broker.trusted_proxies));
        let apps = Apps::build(apps).map_err(|error| Error::usage(format!("{}: {error}", file.display())))?;
        Ok((apps, limits))
    }

    fn single_app(&self, env: &Env) -> Result<(Apps, Limits), Error> {
        for (name, what) in CREDENTIALS {
            env.require(name, what)?;
        }
        let mut variables = vec![WEBHOOKS, ORIGINS, LIMITS, PROXIES, CA_FILE];
        variables.extend(CREDENTIALS.map(|(name, _)| name));
        let Settings { broker: config, roots, limits } = self.settings(env, &variables)?;
        let EmbeddedConfig { app_id: Some(id), app_key: Some(key), app_secret: Some(secret), .. } = &config
        else {
            return Err(Error::usage("PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET are needed"));
        };
        let builder = Channels::builder(id, Signer::new(key, secret))
            .limits(limits.broker.clone())
            .client_events(self.client_events)
            .subscription_counts(self.subscription_counts);
        let origins = config.allowed_origins.iter().chain(&self.allowed_origin);
        let builder = origins.cloned().fold(builder, Builder::allowed_origin);
        let builder = self.trust(builder, &config.trusted_proxies);
        let broker = webhooks::add(builder, config.webhooks, &self.webhook, &roots)?.build();
        Ok((broker.into(), limits))
    }

    /// Reads the settings from these variables alone, and the limits from options, too.
    fn settings(&self, env: &Env, variables: &[&str]) -> Result<Settings, Error> {
        let Config { realtime, roots, mut limits, .. } =
            Config::from_env(|name| env.get(name).filter(|_| variables.contains(&name)))
                .map_err(|error| Error::usage(with_causes(&error)))?;
        set_broker_limits(&mut limits.broker, &self.limits.join(","))
            .map_err(|error| Error::usage(format!("--limits: {error}")))?;
        let broker = match realtime {
            RealtimeConfig::Embedded(broker) => broker,
            // None of the variables chooses another engine.
            _ => EmbeddedConfig::new(),
        };
        Ok(Settings { broker, roots, limits })
    }

    fn trust(&self, builder: Builder, configured: &[TrustedProxy]) -> Builder {
        configured.iter().chain(&self.trusted_proxy).copied().fold(builder, Builder::trusted_proxy)
    }
}
