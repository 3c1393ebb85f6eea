use std::sync::Arc;

use futures_util::future::{join_all, select_all};

use crate::broker::Broker;
use crate::builder::Builder;
use crate::error::Error;

/// Several apps behind one router, wholly apart from each other: channels, connections, users,
/// HTTP API, webhooks and metrics are each app's own. Clones are handles to the same apps.
///
/// They share the room of the process: connections and request bodies of all apps together are
/// bounded by the first app's [`connections`], [`connections_per_address`] and [`buffered_bytes`],
/// and the proxies that any app trusts are trusted for all.
///
/// ```
/// use pusher_broker::{Apps, Broker, Signer};
///
/// let shop = Broker::builder("1", Signer::new("shop-key", "shop-secret"));
/// let forum = Broker::builder("2", Signer::new("forum-key", "forum-secret")).client_events(true);
/// let apps = Apps::build([shop, forum])?;
/// let router = apps.router();
/// assert_eq!(apps.brokers().count(), 2);
/// # Ok::<(), pusher_broker::Error>(())
/// ```
///
/// [`connections`]: crate::Limits::connections
/// [`connections_per_address`]: crate::Limits::connections_per_address
/// [`buffered_bytes`]: crate::Limits::buffered_bytes
#[derive(Clone, Debug)]
pub struct Apps {
    first: Broker,
    others: Arc<[Broker]>,
}

impl Apps {
    /// Creates a broker for each app.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidApps`](crate::ErrorKind::InvalidApps) if there is no app, if two
    /// apps have the same id or the same key, or if an app's [`body_bytes`] exceed the first app's
    /// [`buffered_bytes`], so that it would answer large requests with 503 for ever.
    ///
    /// [`body_bytes`]: crate::Limits::body_bytes
    /// [`buffered_bytes`]: crate::Limits::buffered_bytes
    pub fn build(apps: impl IntoIterator<Item = Builder>) -> Result<Self, Error> {
        let mut apps = apps.into_iter();
        let mut first = apps.next().ok_or_else(|| Error::invalid_apps("there is no app".to_owned()))?;
        let room_bytes = first.limits.buffered_bytes;
        check_body_bytes(&first, room_bytes)?;
        let apps: Vec<Builder> = apps.collect();
        for app in &apps {
            check_body_bytes(app, room_bytes)?;
            for proxy in &app.trusted_proxies {
                if !first.trusted_proxies.contains(proxy) {
                    first.trusted_proxies.push(*proxy);
                }
            }
        }
        let first = first.build();
        let mut others: Vec<Broker> = Vec::new();
        for app in apps {
            let app = app.build_in(first.shared.room.clone());
            for earlier in std::iter::once(&first).chain(&others) {
                let [earlier, app] = [earlier, &app].map(|broker| &broker.shared);
                if earlier.app_id == app.app_id {
                    return Err(Error::invalid_apps(format!("two apps have the id {:?}", app.app_id)));
                }
                if earlier.signer.key() == app.signer.key() {
                    let (one, other) = (&earlier.app_id, &app.app_id);
                    return Err(Error::invalid_apps(format!(
                        "the apps {one:?} and {other:?} have the same key"
                    )));
                }
            }
            others.push(app);
        }
        Ok(Self { first, others: others.into() })
    }

    /// Returns the apps' brokers, in the order in which they were given.
    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        std::iter::once(&self.first).chain(self.others.iter())
    }

    /// Waits until an app's broker can no longer do all of its work, and returns the name of the
    /// task that has panicked. See [`Broker::failed`].
    pub fn failed(&self) -> impl Future<Output = &'static str> + Send + 'static {
        let failed: Vec<_> = self.brokers().map(|broker| Box::pin(broker.failed())).collect();
        async move { select_all(failed).await.0 }
    }

    /// Shuts down all brokers at the same time. See [`Broker::shutdown`].
    pub async fn shutdown(&self) {
        join_all(self.brokers().map(Broker::shutdown)).await;
    }

    /// Returns a broker, for what concerns all of them.
    pub(crate) fn first(&self) -> &Broker {
        &self.first
    }

    pub(crate) fn with_id(&self, id: &str) -> Option<&Broker> {
        self.brokers().find(|broker| broker.shared.app_id == id)
    }

    pub(crate) fn with_key(&self, key: &str) -> Option<&Broker> {
        self.brokers().find(|broker| broker.shared.signer.key() == key)
    }
}

fn check_body_bytes(app: &Builder, room_bytes: usize) -> Result<(), Error> {
    let (id, body_bytes) = (&app.app_id, app.limits.body_bytes);
    match body_bytes <= room_bytes {
        true => Ok(()),
        false => Err(Error::invalid_apps(format!(
            "the app {id:?} has body_bytes {body_bytes}, more than the {room_bytes} buffered_bytes of the first app"
        ))),
    }
}

impl From<Broker> for Apps {
    fn from(broker: Broker) -> Self {
        Self { first: broker, others: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use pusher_signer::Signer;

    use super::*;

    fn build(apps: &[(&str, &str)]) -> Result<Apps, Error> {
        Apps::build(apps.iter().map(|(id, key)| Broker::builder(*id, Signer::new(*key, "hunter2"))))
    }

    #[test]
    fn ids_and_keys_must_differ_and_the_error_names_them() {
        assert_eq!(build(&[("1", "a"), ("2", "b")]).unwrap().brokers().count(), 2);
        for (apps, problem) in [
            (&[][..], "there is no app"),
            (&[("1", "a"), ("2", "b"), ("2", "c")], "two apps have the id \"2\""),
            (&[("1", "a"), ("2", "b"), ("3", "b")], "\"2\" and \"3\" have the same key"),
        ] {
            let error = build(apps).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidApps);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn an_app_whose_bodies_exceed_the_room_is_refused() {
        let build = |body_bytes: [usize; 2]| {
            let app = |(id, body_bytes): (&str, usize)| {
                let mut limits = crate::Limits::default();
                (limits.body_bytes, limits.buffered_bytes) = (body_bytes, 1_000);
                Broker::builder(id, Signer::new(id, "hunter2")).limits(limits)
            };
            Apps::build(["1", "2"].into_iter().zip(body_bytes).map(app))
        };
        assert!(build([1_000, 1_000]).is_ok());
        for (body_bytes, id) in [([1_001, 1], "\"1\""), ([1, 1_001], "\"2\"")] {
            let error = build(body_bytes).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidApps);
            assert!(error.to_string().contains(id), "{error}");
        }
    }

    #[test]
    fn every_app_s_proxies_are_trusted_once() {
        let app = |id: &str, proxies: &[&str]| {
            let builder = Broker::builder(id, Signer::new(id, "hunter2"));
            proxies.iter().fold(builder, |app, proxy| app.trusted_proxy(proxy.parse().unwrap()))
        };
        let apps = [app("1", &["10.0.0.1"]), app("2", &["10.0.0.1", "10.0.0.2"]), app("3", &["10.0.0.2"])];
        let apps = Apps::build(apps).unwrap();
        let trusted = &apps.first().shared.room.trusted_proxies;
        assert_eq!(*trusted, ["10.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().unwrap()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", build(&[("1", "a"), ("2", "b")]).unwrap());
        assert!(!text.contains("hunter2"), "{text}");
    }
}
