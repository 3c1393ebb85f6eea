use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    InternalNotification, NotificationId, PushRequest, Receipt, Retraction, UserId,
};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::Roots;
use tokio::time::sleep;

use crate::Http;
use crate::api::InboxApi;
use crate::base_url::BaseUrl;
use crate::bearer::Bearer;
use crate::http::ReqwestHttp;
use crate::refusal::Refusal;
use crate::retry;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Pushes for a backend: HTTP only, with an API key, and without an inbox of its own. `Debug` does not show the key.
///
/// ```no_run
/// use internal_notifications_pusher::InboxClient;
/// use internal_notifications_pusher::models::InternalNotification;
///
/// # async fn run(api_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let client = InboxClient::new("https://example.org", api_key)?;
/// client.push(&["ada".parse()?], InternalNotification::new("Your order is on its way")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct InboxClient {
    api: Arc<InboxApi>,
}

impl InboxClient {
    /// A client of the inbox server at that base URL. `key` is a backend's API key, or a user's token that may push to others.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Configuration`] when the URL or the key cannot be used.
    pub fn new(server_url: &str, key: impl Into<String>) -> Result<Self, ServiceError> {
        let base = BaseUrl::parse(server_url)?;
        let http = Arc::new(ReqwestHttp::new(base.host(), &Roots::new(), REQUEST_TIMEOUT)?);
        Self::over(http, base, key.into())
    }

    fn over(http: Arc<dyn Http>, base: BaseUrl, key: String) -> Result<Self, ServiceError> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let rule = "the key to push with must be visible ASCII characters without spaces";
            return Err(ServiceError::new(ServiceErrorKind::Configuration, rule));
        }
        Ok(Self { api: Arc::new(InboxApi::new(http, base, Arc::new(Key(key)), REQUEST_TIMEOUT)) })
    }

    /// Pushes a notification to users: when this returns, it is stored.
    ///
    /// Without an id the notification gets one here, so that sending it again after a broken connection stores it once. The receipt of
    /// such a repeat may count as duplicates what its first sending stored.
    ///
    /// # Errors
    /// What the server refuses, and that it cannot be reached after several tries.
    pub async fn push(
        &self,
        user_ids: &[UserId],
        mut notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let invalid =
            |error: &dyn fmt::Display| ServiceError::new(ServiceErrorKind::Invalid, error.to_string());
        notification.check().map_err(|error| invalid(&error))?;
        if notification.id.is_none() {
            let id =
                NotificationId::new(uuid::Uuid::now_v7().to_string()).map_err(|error| invalid(&error))?;
            notification.id = Some(id);
        }
        let request = PushRequest::new(user_ids, notification);
        persist(|| self.api.push(&request)).await
    }

    /// Takes a notification back: when this returns, those who were to get it later will not, and it has left every inbox that had it.
    /// For an API key.
    ///
    /// The answer to a repeat after a broken connection does not count what the first sending did.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Unknown`] when nobody was ever pushed a notification of that id; what else the server refuses; and that it cannot
    /// be reached after several tries.
    pub async fn retract(&self, id: &NotificationId) -> Result<Retraction, ServiceError> {
        persist(|| self.api.retract(id)).await
    }
}

impl fmt::Debug for InboxClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxClient").field("server", &self.api.base().host()).finish_non_exhaustive()
    }
}

/// Sends what may be repeated, several times if it must be.
async fn persist<T, C>(call: impl Fn() -> C) -> Result<T, ServiceError>
where
    C: Future<Output = Result<T, Refusal>>,
{
    let wait = |attempt| sleep(retry::delay(attempt, &mut rand::rng()));
    retry::persist(retry::TRIES, call, wait).await.map_err(|refusal| refusal.error)
}

/// A key that never changes.
struct Key(String);

#[async_trait]
impl Bearer for Key {
    async fn token(&self, _fresh: bool) -> Result<String, ServiceError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{HttpAnswer, HttpRequest};

    /// Answers each request with the next status, and keeps what it got.
    struct Script {
        statuses: Mutex<Vec<u16>>,
        bodies: Mutex<Vec<Vec<u8>>>,
        urls: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Http for Script {
        async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, ServiceError> {
            assert_eq!(request.bearer, "hidden-key");
            self.bodies.lock().unwrap().push(request.body.map_or_else(Vec::new, |body| body.bytes));
            self.urls.lock().unwrap().push(format!("{:?} {}", request.method, request.url));
            let status = self.statuses.lock().unwrap().pop().unwrap();
            Ok(HttpAnswer {
                status,
                body: br#"{"id":"n","accepted":1,"duplicates":0,"scheduled":0,"cancelled":2,"removed":3}"#
                    .to_vec(),
            })
        }
    }

    fn client(statuses: &[u16]) -> (InboxClient, Arc<Script>) {
        let statuses = Mutex::new(statuses.iter().rev().copied().collect());
        let script = Arc::new(Script { statuses, bodies: Mutex::default(), urls: Mutex::default() });
        let base = BaseUrl::parse("http://h").unwrap();
        (InboxClient::over(script.clone(), base, "hidden-key".into()).unwrap(), script)
    }

    async fn push(client: &InboxClient) -> Result<Receipt, ServiceError> {
        client.push(&[UserId::new("ada").unwrap()], InternalNotification::new("c")).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_push_is_repeated_with_the_same_id() {
        let (client, script) = client(&[503, 500, 201]);
        assert_eq!(push(&client).await.unwrap().accepted, 1);
        let bodies = script.bodies.lock().unwrap();
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        assert!(serde_json::from_slice::<PushRequest>(&bodies[0]).unwrap().notification.id.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_at_once_and_an_outage_after_a_few_tries() {
        let (refused, script) = client(&[403]);
        assert_eq!(push(&refused).await.unwrap_err().kind(), ServiceErrorKind::Forbidden);
        assert_eq!(script.bodies.lock().unwrap().len(), 1);
        let (down, _) = client(&[503, 503, 503, 503]);
        assert_eq!(push(&down).await.unwrap_err().kind(), ServiceErrorKind::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_retracted_is_named_in_one_segment_and_asked_until_it_is_answered() {
        let (client, script) = client(&[503, 200]);
        let retracted = client.retract(&NotificationId::new("order/7").unwrap()).await.unwrap();
        assert_eq!((retracted.cancelled, retracted.removed), (2, 3));
        let url = "Delete http://h/v1/notifications/order%2F7";
        assert_eq!(*script.urls.lock().unwrap(), [url, url]);
        let unnameable = client.retract(&NotificationId::new("..").unwrap()).await;
        assert_eq!(unnameable.unwrap_err().kind(), ServiceErrorKind::Invalid);
    }

    #[test]
    fn debug_shows_no_key() {
        assert!(!format!("{:?}", client(&[]).0).contains("hidden"));
        assert!(InboxClient::new("http://h", "a b").is_err());
    }
}
