use internal_notifications_store::Store;

use crate::fixture::{Fixture, at, id, push};

#[tokio::test]
async fn a_retraction_whose_count_takes_too_long_is_answered_with_what_was_counted() {
    let Some(Fixture { store, schema }) = Fixture::new().await else { return };
    let mut later = push("n", &["ada"]);
    later.notification.send_after = Some(at(1_000));
    store.push(later).await.unwrap();
    // Reading the last of 100,001 rows fails like a statement that exceeds its time limit.
    let sql = "INSERT INTO scheduled (notification, user_id, due_at)
             SELECT notification, 'user-' || n, due_at FROM scheduled CROSS JOIN generate_series(1, 99999) n;
         INSERT INTO scheduled (notification, user_id, due_at) SELECT notification, 'zoe', due_at FROM scheduled LIMIT 1;
         ALTER TABLE scheduled RENAME TO all_scheduled;
         CREATE FUNCTION is_readable(user_id text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             IF user_id = 'zoe' THEN RAISE EXCEPTION 'injected' USING ERRCODE = '57014'; END IF;
             RETURN true;
         END $$;
         CREATE VIEW scheduled AS SELECT * FROM all_scheduled WHERE is_readable(user_id)";
    schema.sql(sql).await;
    let retracted = store.retract(&id("n"), at(2)).await.unwrap();
    assert_eq!((retracted.cancelled, retracted.removed), (100_000, 0));
    assert_eq!(store.retract(&id("n"), at(3)).await.unwrap().cancelled, 0, "it is retracted");
    schema.sql("DROP VIEW scheduled; ALTER TABLE all_scheduled RENAME TO scheduled").await;
    let (mut steps, mut delivered) = (0, 0);
    loop {
        let done = store.advance(at(2_000), 1_000).await.unwrap();
        (steps, delivered) = (steps + 1, delivered + done.delivered);
        if done.is_idle() || steps > 100 {
            break;
        }
    }
    assert_eq!((schema.number("SELECT count(*) FROM scheduled").await, delivered), (0, 0));
}
