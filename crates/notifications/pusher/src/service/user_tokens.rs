use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use internal_notifications_models::UserId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::api::{Token, TokenSource};
use crate::{Credentials, Identity};

/// The tokens of one user, from `init` to `dispose`.
///
/// The identity is asked for one fresh token at a time, for all requests that need it: a provider
/// that rotates refresh tokens takes two at the same time for a theft. While the tokens that it
/// returns stay refused, it is asked ever more seldom.
pub(crate) struct UserTokens {
    identity: Arc<dyn Identity>,
    user_id: UserId,
    /// How long the identity may take.
    limit: Duration,
    renewal: Mutex<Renewal>,
}

struct Renewal {
    /// How many fresh tokens the identity has returned.
    generation: u64,
    /// The last of them.
    last: Option<Token>,
    /// The question that has no answer yet. It is not lost if the requests that wait for it end.
    asked: Option<Asked>,
    /// How many fresh tokens the identity has returned since the server accepted one.
    refused: u32,
    /// When the identity may be asked again.
    not_before: Instant,
    rng: StdRng,
}

type Asked = Shared<BoxFuture<'static, Result<Credentials, ServiceError>>>;

/// The wait after the first fresh token that is refused, and the longest one.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

impl UserTokens {
    /// Gets the user from the identity.
    pub(crate) async fn of(
        identity: Arc<dyn Identity>,
        limit: Duration,
        rng: StdRng,
    ) -> Result<Self, ServiceError> {
        let user_id = ask(Arc::clone(&identity), false, limit).await?.user_id().clone();
        let renewal =
            Renewal { generation: 0, last: None, asked: None, refused: 0, not_before: Instant::now(), rng };
        Ok(Self { identity, user_id, limit, renewal: Mutex::new(renewal) })
    }

    pub(crate) fn user_id(&self) -> &UserId {
        &self.user_id
    }

    fn renewal(&self) -> MutexGuard<'_, Renewal> {
        self.renewal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checked(&self, credentials: &Credentials, generation: u64) -> Result<Token, ServiceError> {
        if *credentials.user_id() != self.user_id {
            return Err(ServiceError::new(
                ServiceErrorKind::Unauthorized,
                "the identity now names another user; call dispose before init to change the user",
            ));
        }
        Ok(Token::new(credentials.token(), generation))
    }

    /// Returns the question for a fresh token that is under way, or begins it; none while it is too
    /// early.
    fn question(&self) -> Option<Asked> {
        let mut renewal = self.renewal();
        if renewal.asked.is_none() && renewal.not_before > Instant::now() {
            return None;
        }
        let begin = || {
            // Its own task, since it may hold a lock of the app when the requests that wait for it
            // end. It ends with the last of its handles.
            let mut task = JoinSet::new();
            task.spawn(ask(Arc::clone(&self.identity), true, self.limit));
            let answer = async move { task.join_next().await.and_then(Result::ok) };
            answer.map(|answer| answer.unwrap_or_else(|| Err(interrupted()))).boxed().shared()
        };
        Some(renewal.asked.get_or_insert_with(begin).clone())
    }

    /// Records the answer to a question, once for all that wait for it.
    fn answered(
        &self,
        question: &Asked,
        answer: Result<Credentials, ServiceError>,
    ) -> Result<(), ServiceError> {
        let mut renewal = self.renewal();
        if !renewal.asked.as_ref().is_some_and(|asked| asked.ptr_eq(question)) {
            return answer.map(drop);
        }
        renewal.asked = None;
        let token = self.checked(&answer?, renewal.generation + 1)?;
        renewal.generation = token.generation;
        renewal.last = Some(token);
        let wait = FIRST_WAIT.saturating_mul(1 << renewal.refused.min(16)).min(LONGEST_WAIT);
        renewal.refused = renewal.refused.saturating_add(1);
        renewal.not_before = Instant::now() + wait.mul_f64(renewal.rng.random_range(0.5..=1.0));
        Ok(())
    }
}

#[async_trait]
impl TokenSource for UserTokens {
    async fn token(&self) -> Result<Token, ServiceError> {
        let generation = self.renewal().generation;
        let credentials = ask(Arc::clone(&self.identity), false, self.limit).await?;
        self.checked(&credentials, generation)
    }

    async fn replacement(&self, refused: &Token) -> Result<Option<Token>, ServiceError> {
        if self.renewal().generation == refused.generation {
            let Some(question) = self.question() else { return Ok(None) };
            let answer = question.clone().await;
            self.answered(&question, answer)?;
        }
        let last = self.renewal().last.clone();
        Ok(last.filter(|last| last.text != refused.text))
    }

    fn forget_refusals(&self) {
        let mut renewal = self.renewal();
        renewal.refused = 0;
        renewal.not_before = Instant::now();
    }
}

fn interrupted() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, "the runtime ended while the identity was asked")
}

/// Asks the identity. A panic of the identity is an error.
async fn ask(identity: Arc<dyn Identity>, fresh: bool, limit: Duration) -> Result<Credentials, ServiceError> {
    let asked = AssertUnwindSafe(async { identity.identity(fresh).await }).catch_unwind();
    match timeout(limit, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(ServiceError::new(ServiceErrorKind::Configuration, "the identity panicked")),
        Err(_elapsed) => Err(ServiceError::new(
            ServiceErrorKind::Unavailable,
            "the identity did not return credentials in time",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rand::SeedableRng;
    use tokio::time::{advance, sleep};

    use super::*;

    /// Takes a second for a fresh token, and counts them.
    #[derive(Default)]
    struct Slow(AtomicUsize);

    #[async_trait]
    impl Identity for Slow {
        async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError> {
            if fresh {
                self.0.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(1)).await;
            }
            Credentials::new("ada".parse()?, format!("token-{}", self.0.load(Ordering::Relaxed)))
        }
    }

    impl Slow {
        fn asked(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    async fn tokens() -> (Arc<Slow>, Arc<UserTokens>) {
        let identity = Arc::new(Slow::default());
        let limit = Duration::from_secs(30);
        let tokens = UserTokens::of(identity.clone(), limit, StdRng::seed_from_u64(7)).await.unwrap();
        (identity, Arc::new(tokens))
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_need_a_fresh_token_share_one_question() {
        let (identity, tokens) = tokens().await;
        let old = tokens.token().await.unwrap();
        let (first, second) = tokio::join!(tokens.replacement(&old), tokens.replacement(&old));
        assert_eq!(first.unwrap().unwrap().text, "token-1");
        assert_eq!(second.unwrap().unwrap().text, "token-1");
        // Also a request whose refusal arrives later.
        assert_eq!(tokens.replacement(&old).await.unwrap().unwrap().text, "token-1");
        assert_eq!(identity.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_outlives_the_request_that_asked_it() {
        let (identity, tokens) = tokens().await;
        let old = tokens.token().await.unwrap();
        let abandoned = timeout(Duration::from_millis(10), tokens.replacement(&old)).await;
        assert!(abandoned.is_err());
        assert_eq!(tokens.replacement(&old).await.unwrap().unwrap().text, "token-1");
        assert_eq!(identity.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_question_locks_nobody_out() {
        /// Holds a lock while it gets a token.
        #[derive(Default)]
        struct Locking(tokio::sync::Mutex<()>);

        #[async_trait]
        impl Identity for Locking {
            async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError> {
                let _guard = self.0.lock().await;
                sleep(Duration::from_secs(u64::from(fresh))).await;
                Credentials::new("ada".parse()?, "token")
            }
        }

        let (identity, limit) = (Arc::new(Locking::default()), Duration::from_secs(30));
        let tokens = UserTokens::of(identity.clone(), limit, StdRng::seed_from_u64(7)).await.unwrap();
        let old = tokens.token().await.unwrap();
        assert!(timeout(Duration::from_millis(10), tokens.replacement(&old)).await.is_err());
        assert!(tokens.token().await.is_ok());

        // A question ends with the tokens.
        assert!(timeout(Duration::from_millis(10), tokens.replacement(&old)).await.is_ok());
        tokens.forget_refusals();
        let new = Token::new("token", 1);
        assert!(timeout(Duration::from_millis(10), tokens.replacement(&new)).await.is_err());
        drop(tokens);
        sleep(Duration::from_millis(10)).await;
        assert!(identity.0.try_lock().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_stays_refused_is_asked_for_ever_more_seldom() {
        let (identity, tokens) = tokens().await;
        let day = 24 * 60 * 60;
        let mut at = Vec::new();
        for second in 0..day {
            let token = tokens.token().await.unwrap();
            let before = identity.asked();
            let _ = tokens.replacement(&token).await.unwrap();
            if identity.asked() > before {
                at.push(second);
            }
            advance(Duration::from_secs(1)).await;
        }
        let waits: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits[0] <= 11 && waits[3] > 2 * waits[0], "{waits:?}");
        assert!(waits.len() < 350 && waits[10..].iter().all(|wait| (290..=601).contains(wait)), "{waits:?}");

        tokens.forget_refusals();
        let (token, before) = (tokens.token().await.unwrap(), identity.asked());
        tokens.replacement(&token).await.unwrap();
        assert_eq!(identity.asked(), before + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_of_the_identity_is_an_error() {
        struct Panicking;

        #[async_trait]
        impl Identity for Panicking {
            async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
                panic!("a bug in the app")
            }
        }

        let limit = Duration::from_secs(30);
        let tokens = UserTokens::of(Arc::new(Panicking), limit, StdRng::seed_from_u64(7)).await;
        assert_eq!(tokens.err().map(|error| error.kind()), Some(ServiceErrorKind::Configuration));
    }
}
