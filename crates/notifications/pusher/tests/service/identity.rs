use std::sync::{Arc, Mutex};
use std::time::Duration;

use internal_notifications_pusher::contract::{
    InternalNotificationsService, ServiceError, ServiceErrorKind, Status, Written,
};
use internal_notifications_pusher::{Credentials, Identity};
use tokio::time::Instant;

use crate::support::{Device, Fault, Server};

/// Returns its token. A request for a fresh one switches to the next token.
#[derive(Clone)]
struct Provider(Arc<Mutex<State>>);

struct State {
    user: &'static str,
    token: &'static str,
    next: Option<(&'static str, &'static str)>,
    fresh: usize,
}

impl Provider {
    fn new(token: &'static str) -> Self {
        Self(Arc::new(Mutex::new(State { user: "ada", token, next: None, fresh: 0 })))
    }

    fn then(self, user: &'static str, token: &'static str) -> Self {
        self.0.lock().unwrap().next = Some((user, token));
        self
    }
}

#[async_trait::async_trait]
impl Identity for Provider {
    async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError> {
        let mut state = self.0.lock().unwrap();
        if fresh {
            state.fresh += 1;
            if let Some((user, token)) = state.next.take() {
                (state.user, state.token) = (user, token);
            }
        }
        Credentials::new(state.user.parse().unwrap(), state.token)
    }
}

fn device(server: &Server, provider: &Provider) -> Device {
    Device::with_identity(server, provider.clone())
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_by_a_fresh_one() {
    let server = Server::new();
    server.add("ada", "a");
    let provider = Provider::new("ada-token");
    let device = device(&server, &provider);
    device.go_live().await;

    let provider = provider.then("ada", "ada-token-2");
    {
        let mut world = server.world();
        world.tokens.remove("ada-token");
        world.tokens.insert("ada-token-2".into(), "ada".into());
    }
    device.network.cut(true);
    server.add("ada", "b");
    device.network.cut(false);
    device.until_seq(2).await;
    device.service.mark_opened(&["a".parse().unwrap()]).await.unwrap();
    assert_eq!(device.ids(), ["b*", "a"]);
    assert_eq!(provider.0.lock().unwrap().fresh, 1);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_requested_once_per_call() {
    let server = Server::new();
    let provider = Provider::new("ada-token");
    let device = device(&server, &provider);
    device.go_live().await;
    server.world().tokens.clear();

    let before = server.seen("/opened").len();
    let provider = provider.then("ada", "another-bad-one");
    let written = device.service.mark_opened(&["x".parse().unwrap()]).await;
    assert_eq!(written, Ok(Written::Queued));
    let failed = device.until(|snapshot| matches!(snapshot.status, Status::Failed(_))).await;
    assert!(!format!("{failed:?}").contains("another-bad-one"));
    assert_eq!(provider.0.lock().unwrap().fresh, 1);
    let tokens: Vec<_> =
        server.seen("/opened").split_off(before).into_iter().map(|seen| seen.token).collect();
    assert_eq!(tokens, ["ada-token", "another-bad-one"]);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_identity_of_another_user_is_rejected() {
    let server = Server::new();
    server.add("bob", "bobs");
    let provider = Provider::new("expired").then("bob", "bob-token");
    let device = device(&server, &provider);
    let error = device.service.init().await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Unauthorized);
    assert!(server.seen("").iter().all(|seen| seen.token != "bob-token"));
    assert_eq!(device.service.snapshot().status, Status::Idle);
    // The next init asks the identity again, which now names bob.
    device.go_live().await;
    assert_eq!(device.ids(), ["bobs*"]);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_changes_its_user_never_shows_the_other_inbox() {
    let server = Server::new();
    server.add("bob", "bobs");
    let provider = Provider::new("ada-token");
    let device = device(&server, &provider);
    device.go_live().await;
    let requests = server.seen("").len();
    {
        let mut state = provider.0.lock().unwrap();
        (state.user, state.token) = ("bob", "bob-token");
    }
    server.add_silently("ada", "a");
    server.add("ada", "b");
    device
        .until(|snapshot| matches!(&snapshot.status, Status::Failed(why) if why.to_string().contains("another user")))
        .await;
    assert_eq!(server.seen("").len(), requests);
    assert_eq!(device.service.mark_all_opened().await, Ok(Written::Stored));
    assert_eq!(device.ids(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_service_recovers_when_the_identity_does() {
    let server = Server::new();
    let device = Device::live(&server).await;
    let tokens = std::mem::take(&mut server.world().tokens);
    server.add_silently("ada", "a");
    server.add("ada", "b");
    device
        .until(|snapshot| matches!(&snapshot.status, Status::Failed(why) if why.to_string().contains("401")))
        .await;
    server.world().tokens = tokens;
    device.until_seq(2).await;
}

#[tokio::test(start_paused = true)]
async fn refused_writes_beside_accepted_reads_are_sent_ever_more_seldom() {
    let server = Server::new();
    server.add("ada", "a");
    let provider = Provider::new("ada-token");
    let device = device(&server, &provider);
    device.go_live().await;
    (0..20_000).for_each(|_| server.fail("/opened", Fault::refusal(401)));
    let before = server.seen("").len();
    assert_eq!(device.service.mark_opened(&["a".parse().unwrap()]).await, Ok(Written::Queued));
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let (requests, fresh) = (server.seen("").len() - before, provider.0.lock().unwrap().fresh);
    assert!(requests < 80, "{requests} requests in an hour");
    assert!(fresh < 15, "{fresh} fresh tokens in an hour");

    // Once reads were refused too, their recovery is a reason to try again at once.
    let tokens = std::mem::take(&mut server.world().tokens);
    device.service.wake().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    server.world().heal();
    server.world().tokens = tokens;
    device.until(|snapshot| !matches!(snapshot.status, Status::Failed(_))).await;
    let recovered = Instant::now();
    device.until_stored().await;
    assert!(recovered.elapsed() < Duration::from_secs(1), "{:?}", recovered.elapsed());
    assert_eq!(device.ids(), ["a"]);
}
