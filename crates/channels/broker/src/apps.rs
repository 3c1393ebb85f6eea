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
/// and the first app's trusted proxies are those of all.
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
    /// Returns [`ErrorKind::InvalidApps`](crate::ErrorKind::InvalidApps) if there is no app, or if
    /// two apps have the same id or the same key.
    pub fn build(apps: impl IntoIterator<Item = Builder>) -> Result<Self, Error> {
        let mut apps = apps.into_iter();
        let first = apps.next().ok_or_else(|| Error::invalid_apps("there is no app".to_owned()))?.build();
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
    fn debug_shows_no_secret() {
        let text = format!("{:?}", build(&[("1", "a"), ("2", "b")]).unwrap());
        assert!(!text.contains("hunter2"), "{text}");
    }
}
