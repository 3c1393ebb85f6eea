use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pusher_broker::{Broker, Builder, Limits, Webhook, WebhookDestination, WebhookError, WebhookKind};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::support::*;

/// Returns a broker, and a receiver of its webhooks.
fn broker_with_webhooks(
    configure: impl FnOnce(Builder) -> Builder,
) -> (Broker, mpsc::UnboundedReceiver<Webhook>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = builder().client_events(true).webhook(move |webhook| {
        let sent = sender.send(webhook).map_err(|_| "the receiver is gone".to_owned());
        async move { sent }
    });
    (configure(builder).build(), receiver)
}

/// Returns the events of the next webhooks, at least `count`.
async fn events(webhooks: &mut mpsc::UnboundedReceiver<Webhook>, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    while events.len() < count {
        let webhook = webhooks.recv().await.unwrap();
        let body: Value = serde_json::from_str(webhook.body()).unwrap();
        events.extend(body["events"].as_array().unwrap().iter().cloned());
    }
    events
}

#[tokio::test]
async fn a_webhook_carries_a_signature_and_a_time() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    connect(&broker).await.subscribe("news").await;
    let webhook = webhooks.recv().await.unwrap();
    let [content_type, (_, key), (_, signature)] = webhook.headers();
    assert_eq!(content_type, ("Content-Type", "application/json"));
    signer().verify_webhook(Some(key), Some(signature), webhook.body().as_bytes()).unwrap();
    assert_eq!(
        webhook.body(),
        r#"{"time_ms":1700000000000,"events":[{"name":"channel_occupied","channel":"news"}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn all_seven_kinds_of_events_are_sent() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder.subscription_counts(true));
    let mut client = connect(&broker).await;
    let channel = "presence-cache-room";
    client.join(channel, "ada").await;
    assert_eq!(client.next().await["event"], "pusher:cache_miss");
    client.send(json!({"event": "client-e", "channel": channel, "data": {"a": 1}})).await;
    client.subscribe("news").await;
    assert_eq!(
        events(&mut webhooks, 6).await,
        [
            json!({"name": "channel_occupied", "channel": channel}),
            json!({"name": "member_added", "channel": channel, "user_id": "ada"}),
            json!({"name": "cache_miss", "channel": channel}),
            json!({
                "name": "client_event", "channel": channel, "event": "client-e", "data": "{\"a\":1}",
                "socket_id": client.id.as_str(), "user_id": "ada",
            }),
            json!({"name": "channel_occupied", "channel": "news"}),
            json!({"name": "subscription_count", "channel": "news", "subscription_count": 1}),
        ]
    );
    client.unsubscribe(channel).await;
    client.unsubscribe("news").await;
    let start = Instant::now();
    assert_eq!(
        events(&mut webhooks, 4).await,
        [
            json!({"name": "subscription_count", "channel": "news", "subscription_count": 0}),
            json!({"name": "member_removed", "channel": channel, "user_id": "ada"}),
            json!({"name": "channel_vacated", "channel": channel}),
            json!({"name": "channel_vacated", "channel": "news"}),
        ]
    );
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_return_within_three_seconds_cancels_the_departure() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    let mut client = connect(&broker).await;
    client.join("presence-room", "ada").await;
    assert_eq!(events(&mut webhooks, 2).await.len(), 2);
    client.unsubscribe("presence-room").await;
    tokio::time::sleep(Duration::from_millis(2_900)).await;
    client.join("presence-room", "ada").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.subscribe("end").await;
    let end = json!({"name": "channel_occupied", "channel": "end"});
    assert_eq!(events(&mut webhooks, 1).await, [end]);
}

#[tokio::test]
async fn a_cache_miss_is_sent_once_until_the_next_event() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    for client in [&mut ada, &mut bob] {
        client.subscribe("cache-a").await;
        assert_eq!(client.next().await["event"], "pusher:cache_miss");
    }
    bob.subscribe("end").await;
    let names: Vec<_> = events(&mut webhooks, 3).await.iter().map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["channel_occupied", "cache_miss", "channel_occupied"]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_fails_is_retried_for_five_minutes() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let attempts = sent.clone();
    let start = Instant::now();
    let broker = builder()
        .webhook(move |webhook| {
            attempts.lock().unwrap().push((start.elapsed().as_secs(), webhook));
            async { Err("no".to_owned()) }
        })
        .build();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    tokio::time::sleep(Duration::from_secs(310)).await;
    // Ignore the webhook about the client, which is closed since it answers no ping.
    let mut attempts = sent.lock().unwrap().clone();
    let first = attempts[0].1.clone();
    attempts.retain(|(_, webhook)| *webhook == first);
    let times: Vec<_> = attempts.iter().map(|(second, _)| *second).collect();
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_does_not_answer_delays_no_other() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder.webhook(|_| std::future::pending()));
    let start = Instant::now();
    connect(&broker).await.subscribe("news").await;
    events(&mut webhooks, 1).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn dropping_the_broker_ends_its_deliveries() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    connect(&broker).await.subscribe("news").await;
    events(&mut webhooks, 1).await;
    broker.shutdown().await;
    drop(broker);
    assert_eq!(webhooks.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_sending_a_webhook_is_reported() {
    let broker = builder().webhook(|_| async { panic!("planned") }).build();
    let failed = broker.failed();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    assert_eq!(failed.await, "webhooks");
}

#[tokio::test(start_paused = true)]
async fn all_departures_of_a_mass_disconnect_are_sent() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    let mut clients = Vec::new();
    for n in 0..300 {
        let mut client = connect(&broker).await;
        for channel in 1..50 {
            client.subscribe(&format!("c-{n}-{channel}")).await;
        }
        client.join(&format!("presence-{n}"), "ada").await;
        clients.push(client);
    }
    let came = events(&mut webhooks, 15_300).await;
    drop(clients);
    let mut left = Vec::new();
    while let Ok(events) = timeout(Duration::from_secs(60), events(&mut webhooks, 1)).await {
        left.extend(events);
    }
    for (came_name, left_name, count) in
        [("channel_occupied", "channel_vacated", 15_000), ("member_added", "member_removed", 300)]
    {
        let channels = |events: &[Value], name| {
            let events = events.iter().filter(|event| event["name"] == name);
            events.map(|event| event["channel"].clone()).collect::<HashSet<_>>()
        };
        let (came, left) = (channels(&came, came_name), channels(&left, left_name));
        assert_eq!((left.len(), came == left), (count, true), "{left_name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_destination_loses_no_arrival() {
    let (sender, mut webhooks) = mpsc::unbounded_channel();
    let mut limits = Limits::default();
    limits.webhook_queue = 10;
    let broker = builder()
        .limits(limits)
        .webhook(move |webhook| {
            let sender = sender.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                sender.send(webhook).map_err(|error| error.to_string())
            }
        })
        .build();
    let mut client = connect(&broker).await;
    for n in 0..100 {
        client.subscribe(&format!("c-{n}")).await;
    }
    let all = timeout(Duration::from_secs(600), events(&mut webhooks, 100)).await;
    assert_eq!(all.expect("an arrival is missing").len(), 100);
}

/// Returns the names and channels of a webhook's events.
fn names(webhook: &Webhook) -> Vec<(String, String)> {
    let body: Value = serde_json::from_str(webhook.body()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = body["events"].as_array().unwrap().iter();
    events.map(|event| (text(&event["name"]), text(&event["channel"]))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_refused_webhook_is_retried_aside_and_nothing_overtakes_it_that_it_would_contradict() {
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let (log, refusals, start) = (accepted.clone(), AtomicUsize::new(0), Instant::now());
    let broker = builder()
        .webhook(move |webhook| {
            let is_refused =
                webhook.body().contains("\"bad\"") && refusals.fetch_add(1, Ordering::Relaxed) < 4;
            if !is_refused {
                let names = names(&webhook).into_iter();
                log.lock()
                    .unwrap()
                    .extend(names.map(|(name, channel)| (start.elapsed().as_secs(), name, channel)));
            }
            async move { if is_refused { Err("no".to_owned()) } else { Ok(()) } }
        })
        .build();
    let mut client = connect(&broker).await;
    client.subscribe("bad").await;
    sleep(Duration::from_millis(100)).await;
    client.subscribe("good").await;
    client.unsubscribe("bad").await;
    sleep(Duration::from_secs(5)).await;
    client.unsubscribe("good").await;
    sleep(Duration::from_secs(60)).await;
    let expected = [
        (0, "channel_occupied", "good"),
        // 5 s, and 3 s of grace.
        (8, "channel_vacated", "good"),
        (15, "channel_occupied", "bad"),
        (15, "channel_vacated", "bad"),
    ];
    let expected = expected.map(|(time, name, channel)| (time, name.to_owned(), channel.to_owned()));
    assert_eq!(*accepted.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_dead_destination_costs_little_and_catches_up_when_it_is_back() {
    let is_up = Arc::new(AtomicBool::new(false));
    let (refused, running, most) =
        (Arc::new(Mutex::new(HashSet::new())), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sender, mut other) = mpsc::unbounded_channel();
    let (late_sender, mut late) = mpsc::unbounded_channel();
    let dead = {
        let (is_up, refused, running, most) = (is_up.clone(), refused.clone(), running.clone(), most.clone());
        move |webhook: Webhook| {
            let (is_up, refused, running, most) =
                (is_up.clone(), refused.clone(), running.clone(), most.clone());
            let late_sender = late_sender.clone();
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                sleep(Duration::from_millis(100)).await;
                running.fetch_sub(1, Ordering::Relaxed);
                if is_up.load(Ordering::Relaxed) {
                    return late_sender.send(webhook).map_err(|error| error.to_string());
                }
                refused.lock().unwrap().insert(webhook.body().to_owned());
                Err("down".to_owned())
            }
        }
    };
    let mut limits = Limits::default();
    limits.webhook_queue = 100;
    let broker = builder()
        .limits(limits)
        .webhook(dead)
        .webhook(move |webhook| std::future::ready(sender.send(webhook).map_err(|error| error.to_string())))
        .build();
    let mut client = connect(&broker).await;
    for n in 0..100 {
        client.subscribe(&format!("c-{n}")).await;
        sleep(Duration::from_secs(1)).await;
        client.subscribe("cache-a").await;
        assert_eq!(client.next().await["event"], "pusher:cache_miss");
        client.unsubscribe("cache-a").await;
        client.unsubscribe(&format!("c-{n}")).await;
    }
    // Each of them twice, and the misses.
    let arrived = events(&mut other, 300).await;
    assert!(arrived.iter().all(|event| event["name"] != "dropped"));
    let refused = refused.lock().unwrap().len();
    assert!((2..=16).contains(&refused), "{refused} different webhooks");
    assert!(most.load(Ordering::Relaxed) <= 2, "requests at a time");
    is_up.store(true, Ordering::Relaxed);
    client.subscribe("end").await;
    let mut here = HashSet::new();
    while let Ok(Some(webhook)) = timeout(Duration::from_secs(30), late.recv()).await {
        for (name, channel) in names(&webhook) {
            match name.as_str() {
                "channel_occupied" => assert!(here.insert(channel)),
                "channel_vacated" => assert!(here.remove(&channel)),
                _ => {}
            }
        }
    }
    assert_eq!(here.into_iter().collect::<Vec<_>>(), ["end"]);
}

#[tokio::test(start_paused = true)]
async fn after_sixteen_webhooks_that_failed_nothing_new_is_sent() {
    let refused = Arc::new(Mutex::new(HashSet::new()));
    let log = refused.clone();
    let broker = builder()
        .webhook(move |webhook| {
            log.lock().unwrap().insert(webhook.body().to_owned());
            async {
                sleep(Duration::from_millis(900)).await;
                Err("down".to_owned())
            }
        })
        .build();
    let mut client = connect(&broker).await;
    for n in 0..90 {
        client.subscribe(&format!("c-{n}")).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(refused.lock().unwrap().len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_too_large_is_split_and_a_single_event_dropped() {
    let (sender, mut webhooks) = mpsc::unbounded_channel();
    let refused = Arc::new(AtomicUsize::new(0));
    let refusals = refused.clone();
    let destination = WebhookDestination::new(move |webhook: Webhook| {
        let (sender, refusals) = (sender.clone(), refusals.clone());
        async move {
            sleep(Duration::from_millis(10)).await;
            if webhook.body().len() > 3_000 {
                refusals.fetch_add(1, Ordering::Relaxed);
                return Err(WebhookError::from_status(413));
            }
            sender.send(webhook).map_err(|error| WebhookError::new(error.to_string()))
        }
    })
    .kinds([WebhookKind::ClientEvent]);
    let mut limits = Limits::default();
    limits.client_events_per_second = 1_000;
    let broker = builder().limits(limits).client_events(true).webhook_to(destination).build();
    let mut client = connect(&broker).await;
    client.subscribe("private-a").await;
    for n in 0..100 {
        let size = if n == 50 { 5_000 } else { 500 };
        let event = json!({"event": format!("client-{n}"), "channel": "private-a", "data": "a".repeat(size)});
        client.send(event).await;
    }
    let sent: Vec<_> = events(&mut webhooks, 99).await.iter().map(|event| event["event"].clone()).collect();
    let expected: Vec<_> = (0..100).filter(|n| *n != 50).map(|n| json!(format!("client-{n}"))).collect();
    assert_eq!(sent, expected);
    let refused = refused.load(Ordering::Relaxed);
    assert!(refused < 10, "{refused} webhooks were too large");
}

#[tokio::test(start_paused = true)]
async fn a_destination_gets_the_kinds_and_channels_that_it_wants() {
    let (sender, mut webhooks) = mpsc::unbounded_channel();
    let destination = WebhookDestination::new(move |webhook| {
        std::future::ready(sender.send(webhook).map_err(|error| WebhookError::new(error.to_string())))
    })
    .kinds([WebhookKind::ChannelVacated, WebhookKind::MemberAdded])
    .channel_prefix("presence-a");
    let broker = builder().webhook_to(destination).build();
    let mut client = connect(&broker).await;
    client.join("presence-b", "ada").await;
    client.subscribe("a").await;
    client.join("presence-a", "ada").await;
    client.unsubscribe("presence-a").await;
    sleep(Duration::from_secs(1)).await;
    client.join("presence-a", "ada").await;
    sleep(Duration::from_secs(10)).await;
    client.unsubscribe("presence-a").await;
    sleep(Duration::from_secs(10)).await;
    drop(broker);
    let mut sent = Vec::new();
    while let Ok(webhook) = webhooks.try_recv() {
        sent.extend(names(&webhook));
    }
    let expected = [("member_added", "presence-a"), ("channel_vacated", "presence-a")];
    assert_eq!(sent, expected.map(|(name, channel)| (name.to_owned(), channel.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn webhooks_that_are_refused_for_ever_do_not_hold_up_others() {
    let (sender, mut webhooks) = mpsc::unbounded_channel();
    let broker = builder()
        .webhook(move |webhook| {
            let is_refused = webhook.body().contains("bad-");
            let result = if is_refused { Err(()) } else { sender.send(webhook).map_err(drop) };
            std::future::ready(result.map_err(|()| "no".to_owned()))
        })
        .build();
    let mut client = connect(&broker).await;
    for n in 0..40 {
        for channel in [format!("bad-{n}"), format!("good-{n}")] {
            client.subscribe(&channel).await;
            sleep(Duration::from_secs(1)).await;
        }
    }
    let good = timeout(Duration::from_secs(10), events(&mut webhooks, 40)).await;
    assert_eq!(good.expect("they wait for the refused ones").len(), 40);
}
