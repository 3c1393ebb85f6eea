//! Far, slow and failing engines.

use tokio::time::{Instant, sleep};

use super::log_counter::LogCounter;
use super::stand_in::{Bench, Fault, failing, rejecting, too_large, until, users};
use super::*;
use crate::realtime::RealtimeError;

const SECOND: Duration = Duration::from_secs(1);

fn names(users: &[String]) -> impl Iterator<Item = &str> + Clone {
    users.iter().map(String::as_str)
}

/// Pushes to 10,000 users and, right behind, to one of them and to another user.
async fn a_large_push_and_small_ones_behind_it(bench: &Bench) {
    let dispatcher = bench.start();
    let many = users("u", 10_000);
    let begun = Instant::now();
    bench.push(names(&many)).await;
    sleep(Duration::from_millis(200)).await;
    let pushed = Instant::now();
    bench.push(["ada"]).await;
    bench.push(["u9999"]).await;
    let (engine, last) = (&bench.engine, &many[9_999]);
    until(|| !engine.seqs("ada").is_empty() && engine.seqs(last).contains(&2)).await;
    let small = pushed.elapsed();
    assert!(small < SECOND / 2, "the small pushes took {small:?}");
    until(|| many.iter().all(|user| !engine.seqs(user).is_empty())).await;
    let all = begun.elapsed();
    assert!(all < 6 * SECOND, "all took {all:?}");
    assert!((1_000..1_100).contains(&engine.requests()), "{} requests", engine.requests());
    assert!(engine.most_in_flight() <= 32);
    engine.check_order();
    dispatcher.stop(SECOND).await;
    assert_eq!(bench.behind().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_far_engine_gets_ten_events_a_request_and_small_pushes_overtake_large_ones() {
    a_large_push_and_small_ones_behind_it(&Bench::new(50)).await;
}

#[tokio::test(start_paused = true)]
async fn a_far_engine_is_as_fast_over_a_shared_store() {
    a_large_push_and_small_ones_behind_it(&Bench::shared(50)).await;
}

#[tokio::test(start_paused = true)]
async fn changes_of_a_user_are_published_in_order_and_never_at_the_same_time() {
    for bench in [Bench::new(20), Bench::shared(20)] {
        let dispatchers = match bench.store.is_shared() {
            true => vec![bench.start_another(), bench.start()],
            false => vec![bench.start()],
        };
        let many = users("u", 60);
        for round in 0..200 {
            let (from, count) = (round * 7 % 60, [1, 3, 30][round % 3]);
            bench.push(names(&many).cycle().skip(from).take(count)).await;
            sleep(Duration::from_millis(round as u64 % 9)).await;
        }
        for dispatcher in dispatchers {
            dispatcher.stop(60 * SECOND).await;
        }
        assert_eq!(bench.behind().await, 0);
        bench.engine.check_order();
        let published: usize = many.iter().map(|user| bench.engine.seqs(user).len()).sum();
        assert!(published > 1_000, "{published}");
    }
}

/// Pushes to 40 users in turn, and now and then to all of them, while the first one's channel has
/// this fault. Returns the longest time that an event of the others took, and the bench.
async fn with_fault(fault: Fault) -> (Duration, Bench, Dispatcher) {
    let bench = Bench::new(5);
    let dispatcher = bench.start();
    let many = users("u", 40);
    bench.push(names(&many)).await;
    until(|| many.iter().all(|user| bench.engine.seqs(user).len() == 1)).await;
    bench.engine.set_fault("u0", Some(fault));
    let mut slowest = Duration::ZERO;
    let mut pushed = vec![vec![Instant::now()]; 40];
    for round in 0..600 {
        let to: Vec<usize> = if round % 100 == 0 { (0..40).collect() } else { vec![0, round % 40] };
        for index in to {
            bench.push([&*many[index]]).await;
            pushed[index].push(Instant::now());
        }
        if round % 100 == 50 {
            bench.push(names(&many)).await;
            pushed.iter_mut().for_each(|times| times.push(Instant::now()));
        }
        sleep(Duration::from_millis(50)).await;
    }
    sleep(SECOND).await;
    for (user, times) in many.iter().zip(&pushed).skip(1) {
        let published = bench.engine.published(user);
        assert_eq!(published.last().map(|(seq, _)| *seq), Some(times.len() as u64), "{user}");
        for (seq, at) in published {
            slowest = slowest.max(at.saturating_duration_since(times[seq as usize - 1]));
        }
    }
    (slowest, bench, dispatcher)
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_fails_slows_no_other() {
    let (slowest, bench, dispatcher) = with_fault(failing()).await;
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
    let requests = bench.engine.requests_of("u0");
    assert!((5..60).contains(&requests), "{requests} requests in 30 s");
    assert_eq!((bench.behind().await, dispatcher.engine().rejection()), (1, None));
    bench.engine.set_fault("u0", None);
    let newest = bench.store.head(&"u0".parse().expect("valid")).await.expect("readable").position.seq;
    let took = until(|| bench.engine.seqs("u0").last() == Some(&newest)).await;
    assert!(took < 11 * SECOND, "{took:?}");
    bench.engine.check_order();
}

#[tokio::test(start_paused = true)]
async fn a_channel_on_which_the_engine_hangs_slows_no_other_for_long() {
    let (slowest, bench, _dispatcher) = with_fault(Fault::Hang).await;
    // Those that shared its first request wait until this is given up.
    assert!(slowest < SECOND, "{slowest:?}");
    assert_eq!(bench.behind().await, 1);
    bench.engine.check_order();
}

#[tokio::test(start_paused = true)]
async fn events_that_the_engine_never_takes_are_skipped_alone() {
    let (slowest, bench, dispatcher) = with_fault(too_large()).await;
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
    sleep(2 * SECOND).await;
    assert_eq!((bench.behind().await, bench.engine.seqs("u0")), (0, vec![1]));
    assert!(dispatcher.refused() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_rejected_for_its_size_is_split() {
    let bench = Bench::new(5);
    bench.engine.set_fault("u3", Some(too_large()));
    for _ in 0..5 {
        bench.push(names(&users("u", 10))).await;
    }
    let dispatcher = bench.start();
    dispatcher.stop(60 * SECOND).await;
    for user in users("u", 10).iter().filter(|user| *user != "u3") {
        assert_eq!(bench.engine.seqs(user), [1, 2, 3, 4, 5], "{user}");
    }
    assert_eq!(bench.behind().await, 0);
}

#[tokio::test(start_paused = true)]
async fn many_events_of_an_inbox_that_a_far_engine_rejects_are_replaced_by_one() {
    let bench = Bench::new(1_500);
    bench.engine.set_fault("ada", Some(Fault::Several));
    for _ in 0..20 {
        bench.push(["ada"]).await;
    }
    let dispatcher = bench.start();
    until(|| !bench.engine.seqs("ada").is_empty()).await;
    sleep(2 * SECOND).await;
    assert_eq!((bench.engine.seqs("ada"), bench.engine.requests_of("ada")), (vec![20], 2));
    assert_eq!((bench.behind().await, dispatcher.refused()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_takes_its_turn_though_there_is_always_more_for_one_request_at_a_time() {
    let bench = Bench::one_at_a_time(5);
    let _dispatcher = bench.start();
    bench.engine.set_fault("ada", Some(failing()));
    bench.push(["ada"]).await;
    until(|| bench.engine.requests_of("ada") == 1).await;
    sleep(Duration::from_millis(10)).await;
    bench.engine.set_fault("ada", None);
    let (many, begun) = (users("u", 60), Instant::now());
    while bench.engine.seqs("ada").is_empty() {
        bench.push(names(&many)).await;
        sleep(Duration::from_millis(10)).await;
        assert!(begun.elapsed() < 2 * SECOND, "it is still waiting");
    }
    bench.engine.check_order();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_fails_as_a_whole_is_spared_and_everything_follows() {
    for fault in [failing(), Fault::Fail(RealtimeError::unavailable("429")), Fault::Hang] {
        let bench = Bench::new(5);
        let dispatcher = bench.start();
        bench.engine.set_fault_of_all(Some(fault));
        let many = users("u", 3_000);
        for part in many.chunks(5) {
            bench.push(names(part)).await;
            sleep(Duration::from_millis(100)).await;
        }
        let requests = bench.engine.requests();
        assert!(requests < 200, "{requests} requests in a minute");
        assert_eq!(bench.behind().await, 3_000);
        assert_eq!(bench.metric("unpublished_inboxes"), 3_000.0);
        assert!(bench.metric("unpublished_age_seconds") > 50.0);
        bench.engine.set_fault_of_all(None);
        let took = until(|| many.iter().all(|user| bench.engine.seqs(user) == [1])).await;
        assert!(took < 12 * SECOND, "{took:?}");
        let requests = bench.engine.requests() - requests;
        assert!(requests < 500, "{requests} requests for 3,000 inboxes");
        sleep(2 * SECOND).await;
        assert_eq!(
            (bench.metric("unpublished_inboxes"), bench.metric("unpublished_age_seconds")),
            (0.0, 0.0)
        );
        assert_eq!(dispatcher.refused(), 0);
        bench.engine.check_order();
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_rejects_the_server_marks_nothing_until_it_accepts_it_again() {
    let errors = LogCounter::of(tracing::Level::ERROR);
    let _listening = tracing::subscriber::set_default(errors.clone());
    for bench in [Bench::new(5), Bench::shared(5)] {
        let dispatcher = bench.start();
        let status = dispatcher.engine();
        let before = errors.count();
        bench.engine.set_fault_of_all(Some(rejecting()));
        let many = users("u", 300);
        for user in &many {
            bench.push([&**user]).await;
            sleep(Duration::from_millis(400)).await;
        }
        assert_eq!(status.rejection().as_deref(), Some("401"));
        assert_eq!((bench.metric("engine_rejecting"), errors.count() - before), (1.0, 1));
        assert!(bench.engine.requests() < 40, "{} requests in two minutes", bench.engine.requests());
        sleep(6 * SECOND).await;
        assert_eq!((bench.behind().await, dispatcher.refused()), (300, 0));
        bench.engine.set_fault_of_all(None);
        let took = until(|| many.iter().all(|user| bench.engine.seqs(user) == [1])).await;
        assert!(took < 16 * SECOND, "{took:?}");
        assert_eq!((status.rejection(), bench.metric("engine_rejecting")), (None, 0.0));
        dispatcher.stop(SECOND).await;
        assert_eq!(bench.behind().await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_channel_does_not_make_the_engine_reject_the_server_for_long() {
    let bench = Bench::new(5);
    let dispatcher = bench.start();
    let status = dispatcher.engine();
    bench.engine.set_fault("u0", Some(rejecting()));
    let mut rejected = 0;
    for round in 0..600 {
        bench.push([&*format!("u{}", round % 30)]).await;
        sleep(Duration::from_millis(100)).await;
        rejected += usize::from(status.rejection().is_some());
    }
    assert!(rejected < 30, "{rejected} of 600 times");
    sleep(SECOND).await;
    assert_eq!(bench.behind().await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_published_before_a_crash_and_not_marked_is_published_again() {
    let bench = Bench::new(5);
    let dispatcher = bench.start();
    bench.push(["ada", "bob"]).await;
    until(|| bench.engine.seqs("bob") == [1]).await;
    drop(dispatcher);
    assert_eq!(bench.behind().await, 2);
    let dispatcher = bench.start();
    until(|| bench.engine.seqs("ada") == [1, 1] && bench.engine.seqs("bob") == [1, 1]).await;
    dispatcher.stop(SECOND).await;
    assert_eq!(bench.behind().await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_age_shows_a_hanging_engine_and_nothing_on_an_idle_server() {
    let bench = Bench::new(5);
    let _dispatcher = bench.start();
    for _ in 0..50 {
        bench.push(["ada"]).await;
        sleep(Duration::from_millis(70)).await;
        assert_eq!(bench.metric("unpublished_age_seconds"), 0.0);
    }
    bench.engine.set_fault_of_all(Some(Fault::Hang));
    bench.push(["ada"]).await;
    for seconds in 2..20 {
        sleep(SECOND).await;
        let age = bench.metric("unpublished_age_seconds");
        assert!(age > f64::from(seconds) - 2.5 && age <= f64::from(seconds), "{age} at {seconds}");
        assert_eq!(bench.metric("unpublished_inboxes"), 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_publishes_what_is_left_and_does_not_wait_for_an_engine_that_fails() {
    let bench = Bench::new(5);
    let dispatcher = bench.start();
    bench.engine.set_fault("u0", Some(failing()));
    bench.push(names(&users("u", 500))).await;
    dispatcher.stop(60 * SECOND).await;
    assert_eq!(bench.behind().await, 1);
    bench.engine.set_fault_of_all(Some(failing()));
    let dispatcher = bench.start();
    bench.push(names(&users("u", 500))).await;
    let begun = Instant::now();
    dispatcher.stop(60 * SECOND).await;
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    assert_eq!(bench.behind().await, 500);
}
