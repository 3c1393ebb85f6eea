mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    InternalNotification, NotificationId, PushRequest, Receipt, Retraction, UserId,
};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use tokio::time::sleep;

pub use builder::InboxClientBuilder;

use crate::HttpClient;
use crate::api::{BaseUrl, CallError, InboxApi, Token, TokenSource, retry};

/// Pushes notifications from a backend: HTTP only, with an API key, and without an inbox of its
/// own.
///
/// Clones share one connection pool. The `Debug` output does not show the key.
///
/// ```no_run
/// use internal_notifications_pusher::InboxClient;
/// use internal_notifications_pusher::models::InternalNotification;
///
/// async fn notify(api_key: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let client = InboxClient::new("https://notify.example.com", api_key)?;
///     let notification = InternalNotification::new("Your order is on its way");
///     let receipt = client.push_to(["ada"], notification).await?;
///     println!("{}: {} accepted", receipt.id, receipt.accepted);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct InboxClient {
    api: Arc<InboxApi>,
}

impl InboxClient {
    /// Creates a client of the inbox server at `server_url`: `http(s)://host[:port][/path]`.
    ///
    /// `key` is a backend's API key, or the token of a user who may push to others.
    ///
    /// # Errors
    /// Returns [`ServiceErrorKind::Configuration`] if the URL or the key cannot be used.
    pub fn new(server_url: &str, key: impl Into<String>) -> Result<Self, ServiceError> {
        Self::builder(server_url, key).build()
    }

    /// Creates a builder, for a private certificate authority, a proxy or another timeout.
    pub fn builder(server_url: impl Into<String>, key: impl Into<String>) -> InboxClientBuilder {
        InboxClientBuilder::new(server_url.into(), key.into())
    }

    pub(crate) fn with_http_client(
        http_client: Arc<dyn HttpClient>,
        base: BaseUrl,
        key: String,
        timeout: Duration,
    ) -> Result<Self, ServiceError> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "the API key must be visible ASCII characters without spaces";
            return Err(ServiceError::new(ServiceErrorKind::Configuration, detail));
        }
        let api = InboxApi::new(http_client, base, Arc::new(ApiKey(key)), timeout);
        Ok(Self { api: Arc::new(api) })
    }

    /// Pushes a notification to users. When this returns, it is stored.
    ///
    /// Temporary failures are retried, four attempts in all. A notification without an id gets one
    /// here, so that a retry stores it once. The receipt of a retry may count recipients as
    /// duplicates that the first attempt stored.
    ///
    /// # Errors
    /// Returns [`Invalid`](ServiceErrorKind::Invalid) if the notification breaks a rule,
    /// [`Conflict`](ServiceErrorKind::Conflict) if its id belongs to another notification,
    /// [`Unauthorized`](ServiceErrorKind::Unauthorized) or
    /// [`Forbidden`](ServiceErrorKind::Forbidden)
    /// if the key may not push, and [`Unavailable`](ServiceErrorKind::Unavailable) if the server
    /// cannot be reached. Repeating a push with an id is harmless.
    pub async fn push(
        &self,
        user_ids: &[UserId],
        mut notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        notification.check()?;
        if notification.id.is_none() {
            notification.id = Some(NotificationId::new(uuid::Uuid::now_v7().to_string())?);
        }
        let request = PushRequest::new(user_ids, notification);
        with_retries(|| self.api.push(&request)).await
    }

    /// Pushes a notification to users whose ids may be texts: `client.push_to(["ada"], …)`.
    ///
    /// # Errors
    /// As [`push`](Self::push), and [`Invalid`](ServiceErrorKind::Invalid) if a text is no user id.
    pub async fn push_to<U>(
        &self,
        user_ids: U,
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError>
    where
        U: IntoIterator<Item: TryInto<UserId, Error: Into<ServiceError>>> + Send,
    {
        let user_ids = internal_notifications_service::user_ids(user_ids)?;
        self.push(&user_ids, notification).await
    }

    /// Retracts a notification. When this returns, it has left every inbox, and scheduled
    /// deliveries are cancelled. Needs an API key.
    ///
    /// The answer to a retry does not count what the first attempt did.
    ///
    /// # Errors
    /// Returns [`Unknown`](ServiceErrorKind::Unknown) if no notification with this id was ever
    /// pushed,
    /// [`Unauthorized`](ServiceErrorKind::Unauthorized) or
    /// [`Forbidden`](ServiceErrorKind::Forbidden)
    /// if the key may not retract, and [`Unavailable`](ServiceErrorKind::Unavailable) if the server
    /// cannot be reached.
    pub async fn retract(&self, id: &NotificationId) -> Result<Retraction, ServiceError> {
        with_retries(|| self.api.retract(id)).await
    }
}

impl fmt::Debug for InboxClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxClient").field("server", &self.api.base().url().as_str()).finish_non_exhaustive()
    }
}

async fn with_retries<T, C>(call: impl Fn() -> C) -> Result<T, ServiceError>
where
    C: Future<Output = Result<T, CallError>>,
{
    let wait = |attempt, asked| sleep(retry::pause(attempt, asked, &mut rand::rng()));
    Ok(retry::retry(retry::TRIES, retry::PATIENCE, call, wait).await?)
}

/// A token that never changes.
struct ApiKey(String);

#[async_trait]
impl TokenSource for ApiKey {
    async fn token(&self) -> Result<Token, ServiceError> {
        Ok(Token::new(&self.0, 0))
    }

    async fn replacement(&self, _refused: &Token) -> Result<Option<Token>, ServiceError> {
        Ok(None)
    }

    fn forget_refusals(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{HttpRequest, HttpResponse};

    /// Answers each request with the next status, and records the requests.
    struct ScriptedServer {
        statuses: Mutex<Vec<u16>>,
        bodies: Mutex<Vec<Vec<u8>>>,
        urls: Mutex<Vec<String>>,
        retry_after: Option<Duration>,
    }

    #[async_trait]
    impl HttpClient for ScriptedServer {
        async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
            assert_eq!(request.bearer_token, "hidden-key");
            self.bodies.lock().unwrap().push(request.body.map_or_else(Vec::new, |body| body.bytes));
            self.urls.lock().unwrap().push(format!("{:?} {}", request.method, request.url));
            let status = self.statuses.lock().unwrap().pop().unwrap();
            let body = match status {
                200..=299 => {
                    r#"{"id":"n","accepted":1,"duplicates":0,"scheduled":0,"cancelled":2,"removed":3}"#
                }
                403 => r#"{"type":"urn:internal-notifications:forbidden","title":"t","status":403}"#,
                _ => "<html>",
            };
            let response = HttpResponse::new(status, body);
            Ok(match self.retry_after {
                Some(wait) => response.with_retry_after(wait),
                None => response,
            })
        }
    }

    fn client(statuses: &[u16]) -> (InboxClient, Arc<ScriptedServer>) {
        client_that_waits(statuses, None)
    }

    fn client_that_waits(
        statuses: &[u16],
        retry_after: Option<Duration>,
    ) -> (InboxClient, Arc<ScriptedServer>) {
        let statuses = Mutex::new(statuses.iter().rev().copied().collect());
        let (bodies, urls) = (Mutex::default(), Mutex::default());
        let server = Arc::new(ScriptedServer { statuses, bodies, urls, retry_after });
        let builder = InboxClient::builder("http://h", "hidden-key").http_client(Arc::clone(&server));
        (builder.build().unwrap(), server)
    }

    async fn push(client: &InboxClient) -> Result<Receipt, ServiceError> {
        client.push_to(["ada"], InternalNotification::new("c")).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_push_is_retried_with_the_same_id() {
        let (client, server) = client(&[503, 500, 201]);
        assert_eq!(push(&client).await.unwrap().accepted, 1);
        let bodies = server.bodies.lock().unwrap();
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        assert!(serde_json::from_slice::<PushRequest>(&bodies[0]).unwrap().notification.id.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejected_push_fails_at_once_and_an_outage_after_four_tries() {
        let (rejected, server) = client(&[403]);
        assert_eq!(push(&rejected).await.unwrap_err().kind(), ServiceErrorKind::Forbidden);
        assert_eq!(server.bodies.lock().unwrap().len(), 1);
        let (down, _) = client(&[503, 503, 503, 503]);
        assert_eq!(push(&down).await.unwrap_err().kind(), ServiceErrorKind::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_answers_in_place_of_the_server_is_an_outage() {
        let (client, server) = client(&[302, 404, 201]);
        assert_eq!(push(&client).await.unwrap().accepted, 1);
        assert_eq!(server.bodies.lock().unwrap().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_push_waits_as_long_as_the_server_asks_but_not_for_very_long() {
        let (client, _) = client_that_waits(&[503, 201], Some(Duration::from_secs(20)));
        let before = tokio::time::Instant::now();
        push(&client).await.unwrap();
        assert!(before.elapsed() >= Duration::from_secs(20), "{:?}", before.elapsed());

        let (client, server) = client_that_waits(&[503, 201], Some(Duration::from_secs(3_600)));
        let before = tokio::time::Instant::now();
        assert_eq!(push(&client).await.unwrap_err().kind(), ServiceErrorKind::Unavailable);
        assert_eq!((before.elapsed(), server.bodies.lock().unwrap().len()), (Duration::ZERO, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retraction_names_the_id_in_one_path_segment_and_is_retried() {
        let (client, server) = client(&[503, 200]);
        let retracted = client.retract(&NotificationId::new("order/7").unwrap()).await.unwrap();
        assert_eq!((retracted.cancelled, retracted.removed), (2, 3));
        let url = "Delete http://h/v1/notifications/order%2F7";
        assert_eq!(*server.urls.lock().unwrap(), [url, url]);
        let error = client.retract(&NotificationId::new("..").unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ServiceErrorKind::Invalid);
    }

    #[test]
    fn debug_output_does_not_contain_the_key() {
        assert!(!format!("{:?}", client(&[]).0).contains("hidden"));
        assert!(InboxClient::new("http://h", "a b").is_err());
    }
}
