pub(crate) mod expected;
pub(crate) mod findings;
pub(crate) mod inbox;
pub(crate) mod latency;
pub(crate) mod recovery;

use crate::checks::findings::Findings;
use crate::checks::inbox::Inbox;
use crate::checks::recovery::RECOVERY_LIMIT;
use crate::load::ledger::Entries;
use crate::replica::Replica;
use crate::testbed::Testbed;
use black_box_support::{Caller, Http};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Waits until every replica equals the server, and returns the remaining differences and the
/// inboxes. Nobody may write meanwhile.
pub(crate) async fn check(testbed: &Testbed, entries: &Entries) -> (Findings, Vec<Inbox>) {
    let users = (0..testbed.users.len()).map(|user| check_user(testbed, entries, user));
    let (mut findings, mut inboxes) = (Findings::default(), Vec::new());
    for (found, inbox) in join_all(users).await {
        findings.add(found);
        inboxes.push(inbox);
    }
    findings.announced_twice.extend(testbed.replicas.iter().flat_map(Replica::announced_twice));
    (findings, inboxes)
}

async fn check_user(testbed: &Testbed, entries: &Entries, user: usize) -> (Findings, Inbox) {
    let deadline = Instant::now() + RECOVERY_LIMIT;
    loop {
        let (found, inbox) = compare(testbed, entries, user).await;
        // A request that was given up may still be served late and change the inbox.
        if found.is_empty() || Instant::now() > deadline {
            return (found, inbox);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn compare(testbed: &Testbed, entries: &Entries, user: usize) -> (Findings, Inbox) {
    let mut found = Findings::default();
    let (Some(name), Some(token)) = (testbed.users.get(user), testbed.tokens.get(user)) else {
        return (found, Inbox::default());
    };
    let mut inboxes = Vec::new();
    for node in &testbed.processes.nodes {
        let mut caller = Caller::new(Http::to(node.address), token);
        inboxes.extend(Inbox::read(&mut caller).await);
    }
    let Some(inbox) = inboxes.first().filter(|_| inboxes.len() == testbed.processes.nodes.len()) else {
        found.other.push(format!("{name}: the inbox keeps changing, or cannot be read"));
        return (found, Inbox::default());
    };
    for other in inboxes.iter().filter(|other| *other != inbox) {
        found.wrong.push(format!("{name}: nodes disagree: {:?} and {:?}", inbox.head, other.head));
    }
    found.add(Findings::of_server(inbox, entries, (user, name)));
    for replica in testbed.replicas.iter().filter(|replica| replica.user == user) {
        let now = replica.snapshot_at(inbox.head.position).await.unwrap_or_else(|| replica.snapshot());
        found.add(Findings::of_replica(&replica.name, &now, inbox));
    }
    (found, inbox.clone())
}
