use crate::findings::Findings;
use crate::inbox::Inbox;
use crate::ledger::Entries;
use crate::recovery::BOUND;
use crate::replica::Replica;
use crate::scene::Scene;
use black_box_support::{Caller, Http};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Waits until every replica is equal to the server, and compares everything; what still differs in the end is found. Nobody writes
/// meanwhile. The inboxes, too.
pub(crate) async fn check(scene: &Scene, entries: &Entries) -> (Findings, Vec<Inbox>) {
    let users = (0..scene.users.len()).map(|user| check_user(scene, entries, user));
    let (mut findings, mut inboxes) = (Findings::default(), Vec::new());
    for (found, inbox) in join_all(users).await {
        findings.add(found);
        inboxes.push(inbox);
    }
    findings.announced_twice.extend(scene.replicas.iter().flat_map(Replica::announced_twice));
    (findings, inboxes)
}

async fn check_user(scene: &Scene, entries: &Entries, user: usize) -> (Findings, Inbox) {
    let deadline = Instant::now() + BOUND;
    loop {
        let (found, inbox) = compare(scene, entries, user).await;
        // A request that somebody gave up may be served late, and change the inbox once more.
        if found.are_none() || Instant::now() > deadline {
            return (found, inbox);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn compare(scene: &Scene, entries: &Entries, user: usize) -> (Findings, Inbox) {
    let mut found = Findings::default();
    let (Some(name), Some(token)) = (scene.users.get(user), scene.tokens.get(user)) else {
        return (found, Inbox::default());
    };
    let mut inboxes = Vec::new();
    for node in &scene.machines.nodes {
        let mut caller = Caller::new(Http::to(node.address), token);
        inboxes.extend(Inbox::read(&mut caller).await);
    }
    let Some(inbox) = inboxes.first().filter(|_| inboxes.len() == scene.machines.nodes.len()) else {
        found.other.push(format!("{name}: the inbox is not still, or cannot be read"));
        return (found, Inbox::default());
    };
    for other in inboxes.iter().filter(|other| *other != inbox) {
        found.wrong.push(format!("{name}: nodes disagree: {:?} and {:?}", inbox.head, other.head));
    }
    found.add(Findings::of_server(inbox, entries, (user, name)));
    for replica in scene.replicas.iter().filter(|replica| replica.user == user) {
        let now = replica.at(inbox.head.position).await.unwrap_or_else(|| replica.snapshot());
        found.add(Findings::of_replica(&replica.name, &now, inbox));
    }
    (found, inbox.clone())
}
