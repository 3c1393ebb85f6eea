//! The backend: pushes over HTTP, and retries until it gets an answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{now, sleep_until, time};
use crate::network::send;
use crate::plan::PlannedPush;
use crate::world::{Acknowledged, World};

/// The name of its host, which is also its bearer token.
pub(crate) const BACKEND: &str = "backend";

pub(crate) async fn run(world: Arc<World>) -> turmoil::Result {
    for (at, planned) in world.plan.pushes.clone() {
        let world = world.clone();
        tokio::spawn(async move {
            sleep_until(at).await;
            if planned.intent {
                world.write_intent(&planned, at);
            } else {
                push(&world, &planned, at).await;
            }
            if let Some(after) = planned.retracted_after {
                sleep_until(at + after).await;
                retract(&world, &planned).await;
            }
        });
    }
    std::future::pending().await
}

/// Pushes until the server answers.
pub(crate) async fn push(world: &World, planned: &PlannedPush, at: Duration) {
    let id = &planned.id;
    let body = json!({"user_ids": planned.users, "notification": notification(planned, at)}).to_string();
    loop {
        let sent = now();
        match send("POST", "/v1/notifications", BACKEND, "application/json", body.clone().into_bytes()).await
        {
            Ok((200 | 201, receipt)) => {
                world.note(BACKEND, format_args!("pushed {id}: {}", String::from_utf8_lossy(&receipt)));
                return world.seen().acknowledge(planned, sent, now());
            }
            Ok((status @ (422 | 409), _)) => {
                return world.note(BACKEND, format_args!("{id} was rejected: {status}"));
            }
            Ok((status, _)) => world.note(BACKEND, format_args!("{id}: {status}")),
            Err(problem) => world.note(BACKEND, format_args!("{id}: {problem}")),
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

/// Returns the planned notification. Its times are relative to `at`.
pub(crate) fn notification(planned: &PlannedPush, at: Duration) -> Value {
    let after = |wait: Option<Duration>| wait.map(|wait| time(at + wait).to_string());
    json!({
        "id": planned.id,
        "content": "x".repeat(planned.content),
        "send_after": after(planned.send_after),
        "expires_at": after(planned.expires_after),
    })
}

async fn retract(world: &World, planned: &PlannedPush) {
    for user in &planned.users {
        world.seen().unwanted.insert(((*user).to_owned(), planned.id.clone()));
    }
    let path = format!("/v1/notifications/{}", planned.id);
    loop {
        match send("DELETE", &path, BACKEND, "", Vec::new()).await {
            Ok((status @ (200 | 404), _)) => {
                return world.note(BACKEND, format_args!("retracted {}: {status}", planned.id));
            }
            _ => tokio::time::sleep(Duration::from_millis(700)).await,
        }
    }
}

impl crate::world::Seen {
    /// Records that the server acknowledged a push.
    pub(crate) fn acknowledge(&mut self, planned: &PlannedPush, sent: Duration, answered: Duration) {
        for user in &planned.users {
            let (user, id) = ((*user).to_owned(), planned.id.clone());
            self.acknowledged.push(Acknowledged { user, id, sent, answered });
        }
    }
}
