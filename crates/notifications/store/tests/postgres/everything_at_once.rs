use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use internal_notifications_models::UserId;
use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{
    InboxCommand, PublishLimits, Retention, Store, StoreErrorKind, Sweep, Write,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::fixture::{Schema, at, id, push, push_at, user};

const USERS: [&str; 6] = ["ada", "bob", "cyd", "dan", "eve", "fay"];
const IDS: u32 = 60;

/// The seqs that were published of each inbox, in order.
type Published = Mutex<BTreeMap<UserId, Vec<u64>>>;

fn retention() -> Retention {
    let mut keep = Retention::default();
    (keep.age, keep.count, keep.log_count) = (None, Some(8), Some(6));
    (keep.ids, keep.keys) = (Duration::from_secs(20), Duration::from_secs(20));
    keep
}

async fn act(store: &PostgresStore, random: &mut StdRng, step: i64) {
    let now = at(step);
    let name = format!("n{}", random.random_range(0..IDS));
    let one = user(USERS.choose(random).unwrap());
    let write = |command| store.write(&one, Write::new(command, now));
    let done = match random.random_range(0..10) {
        0..4 => {
            let count = random.random_range(1..=USERS.len());
            let users: Vec<&str> = USERS.sample(random, count).copied().collect();
            let number = i64::from(name.bytes().map(u32::from).sum::<u32>());
            let mut push = push_at(now, push(&name, &users));
            push.notification.send_after = (number % 3 == 0).then(|| at(number % 40));
            push.notification.expires_at = (number % 4 == 0).then(|| at(number % 40 + 10));
            store.push(push).await.map(drop)
        }
        4 => store.retract(&id(&name), now).await.map(drop),
        5 => store.advance(now, random.random_range(1..20)).await.map(drop),
        6 => store.sweep(Sweep::new(retention(), now).with_limit(50)).await.map(|swept| {
            assert_eq!(swept.drifts, []);
        }),
        7 => write(InboxCommand::Opened(vec![id(&name)])).await.map(drop),
        8 => write(InboxCommand::OpenedAll { through: None, tag: None }).await.map(drop),
        _ => write(InboxCommand::Remove(id(&name))).await.map(drop),
    };
    if let Err(error) = done {
        use StoreErrorKind::{Expired, NotFound};
        assert!(matches!(error.kind(), Expired | NotFound), "{error}");
    }
}

/// Publishes like a dispatcher until the end of the test.
async fn publish(store: &PostgresStore, published: &Published, finished: &AtomicBool) {
    let most = PublishLimits::new(usize::MAX, 1_000);
    loop {
        let was_finished = finished.load(Ordering::Relaxed);
        let mut users = store.unpublished_users(4).await.unwrap();
        let idle = users.is_empty();
        while !users.is_empty() {
            let after: Vec<_> = users.into_iter().map(|user| (user, 0)).collect();
            let claimed = store.claim_unpublished(&after, most).await.unwrap();
            let mut marks = Vec::new();
            for user in claimed {
                let seqs: Vec<u64> = user.changes.iter().map(|change| change.stamp.seq).collect();
                marks.push((user.user_id.clone(), *seqs.last().unwrap()));
                published.lock().unwrap().entry(user.user_id).or_default().extend(seqs);
            }
            users = store.mark_published(&marks).await.unwrap();
        }
        if was_finished && idle {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_servers_keep_logs_complete_and_publish_them_once_in_order() {
    let Some(schema) = Schema::new() else { return };
    let open = || async { Arc::new(schema.open(schema.options()).await) };
    let stores = [open().await, open().await];
    let (published, finished) = (Arc::new(Published::default()), Arc::new(AtomicBool::new(false)));
    let publishers: Vec<_> = stores
        .iter()
        .map(|store| {
            let (store, published, finished) = (store.clone(), published.clone(), finished.clone());
            tokio::spawn(async move { publish(&store, &published, &finished).await })
        })
        .collect();
    let actors = (0..8).map(|actor: usize| {
        let store = stores[actor % 2].clone();
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(actor as u64);
            for step in 0..60 {
                act(&store, &mut random, step).await;
            }
        })
    });
    for actor in join_all(actors).await {
        actor.unwrap();
    }
    while !stores[0].advance(at(1_000), 10).await.unwrap().is_idle() {}
    finished.store(true, Ordering::Relaxed);
    for publisher in join_all(publishers).await {
        publisher.unwrap();
    }

    for name in USERS {
        let head = stores[0].head(&user(name)).await.unwrap();
        let seqs = published.lock().unwrap().remove(&user(name)).unwrap_or_default();
        assert_eq!(
            seqs,
            (1..=head.position.seq).collect::<Vec<_>>(),
            "{name}: each change is published once, in order"
        );
        let page = stores[1].page(&user(name), 200, None).await.unwrap();
        let pending = page.notifications.iter().filter(|row| !row.opened).count() as u64;
        assert_eq!((page.head.pending, page.head.position), (pending, head.position), "{name}");
    }
    for (problem, sql) in [
        (
            "a hole in a log",
            "SELECT count(*) FROM inboxes i WHERE seq - floor <> (SELECT count(*) FROM changes c WHERE c.inbox = i.key)",
        ),
        (
            "a broken chain",
            "SELECT count(*) FROM changes c JOIN changes b ON b.inbox = c.inbox AND b.seq = c.seq - 1 WHERE c.prev <> b.tag",
        ),
        (
            "a withdrawn notification in an inbox",
            "SELECT count(*) FROM deliveries d JOIN notifications n ON n.key = d.notification WHERE withdrawn AND removed_at IS NULL",
        ),
        ("a scheduled delivery that remains", "SELECT count(*) FROM scheduled"),
        ("a planned withdrawal that remains", "SELECT count(*) FROM withdrawals"),
        (
            "a delivery without its notification",
            "SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM notifications n WHERE n.key = d.notification)",
        ),
        ("an unpublished change", "SELECT count(*) FROM publications"),
    ] {
        assert_eq!(schema.number(sql).await, 0, "{problem}");
    }
}
